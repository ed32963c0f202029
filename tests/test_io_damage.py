"""Damaged and foreign files of every format: each is read, or refused by an error that names the file.

Nothing hangs, warns, is executed, or takes more memory than SPHEREKIT_MAX_MEMORY permits.
"""

import bz2
import errno
import gzip
import os
import pickle
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest
from helpers import example_files
from helpers.example_files import EXAMPLES, READERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit.cli import main

LIMIT = 10_000_000
#: What a number of a header may be replaced by.
WORDS = (
    b"0",
    b"-1",
    b"1000000000",
    b"1000000000000000000",
    b"nan",
    b"x",
    b"1e400",
    b"",
    b"9" * 400,
)
WORDS += (b"1 2", b"2147483648", b"\xb2", b"1_0", b"0.5", b"'RING'")
INTEGERS = (0, 1, 1000, 2**31 - 1, 2**31, 2**32 - 1, 10**18, 2**63, 2**64 - 1)
_NUMBER = re.compile(rb"(?<![\w.])[-+]?\d+(\.\d*)?([EeD][-+]?\d+)?")
_CARD = re.compile(rb"([A-Z0-9_-]{1,8}) *= ")


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The bytes of a valid file, by its name."""
    contents = {}

    def content(name):
        module = example_files.module_of(name)
        if module:
            pytest.importorskip(module)
        if name not in contents:
            folder = tmp_path_factory.mktemp("valid")
            contents[name] = example_files.write(name, folder).read_bytes()
        return contents[name]

    return content


@pytest.fixture(autouse=True)
def limited(monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", str(LIMIT))


def assert_read_or_refused(read, path):
    """Read a file, or refuse it by an error that names it."""
    try:
        read(path)
    except MemoryError as error:
        assert path.name in str(error) and "SPHEREKIT_MAX_MEMORY" in str(error), error
    except (ValueError, OSError) as error:
        assert path.name in str(error) or path.name in repr(str(error)), error
    except ImportError as error:  # bytes of another format, whose package is not installed
        assert path.name in str(error) and "pip install 'spherekit[" in str(error), error


# --- one change at any place ------------------------------------------------------------------------


def with_integer(data, fraction, value, size, order):
    """Bytes with another integer within the first 1000."""
    position = int(fraction * min(len(data), 1000))
    number = (value % 2 ** (8 * size)).to_bytes(size, order)
    return data[:position] + number + data[position + size :]


def with_word(data, fraction, word):
    """Bytes with a word in place of one of the numbers; the cards of a FITS header keep their length."""
    numbers = list(_NUMBER.finditer(data[:9000]))
    if not numbers:
        return data[:8] + word + data[8:]
    start, end = numbers[int(fraction * (len(numbers) - 1))].span()
    if not data.startswith(b"SIMPLE"):
        return data[:start] + word + data[end:]
    return in_card(data, start // 80 * 80, word)


def in_card(data, first, word):
    """A FITS file with a word as the value of the card at a position."""
    key = _CARD.match(data, first)
    card = (key[1].ljust(8) + b"= " + word.rjust(20)) if key else b"COMMENT"
    return data[:first] + card.ljust(80)[:80] + data[first + 80 :]


def swapped(data, fraction, size):
    """Bytes in the other byte order from a fraction of their length on."""
    first = int(fraction * len(data)) // size * size
    last = len(data) // size * size
    return data[:first] + np.frombuffer(data[first:last], f"u{size}").byteswap().tobytes()


def damaged(data, change):
    """Bytes with a change of `CHANGES`."""
    kind, fraction, block, word, (value, size, order) = change
    position = int(fraction * len(data))
    if kind == "cut":
        return data[:position]
    if kind == "bytes":
        return data[:position] + block + data[position + len(block) :]
    if kind == "first bytes":
        position = min(position, 400)
        return data[:position] + block + data[position + len(block) :]
    if kind == "integer":
        return with_integer(data, fraction, value, size, order)
    if kind == "word":
        return with_word(data, fraction, word)
    if kind == "swap":
        return swapped(data, fraction, size)
    return data[:position] + block + data[position:]


def packed(name, data, change):
    """As `damaged`, and within the members of an archive or the compressed data of a file."""
    if name.endswith(".gz") and change[0] != "cut":
        return gzip.compress(damaged(gzip.decompress(data), change))
    if name.endswith(".bz2") and change[0] != "cut":
        return bz2.compress(damaged(bz2.decompress(data), change))
    if name.endswith(".npz") and change[0] != "cut":
        with zipfile.ZipFile(_stream(data)) as archive:
            members = {key: archive.read(key) for key in archive.namelist()}
        key = list(members)[int(change[1] * 997) % len(members)]
        return zipped({**members, key: damaged(members[key], change)})
    return damaged(data, change)


def _stream(data):
    from io import BytesIO

    return BytesIO(data)


def zipped(members, **options):
    """The bytes of a zip archive of members {name: bytes}."""
    stream = _stream(b"")
    with zipfile.ZipFile(stream, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


CHANGES = st.tuples(
    st.sampled_from(("cut", "bytes", "first bytes", "integer", "word", "word", "swap", "insert")),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=8),
    st.sampled_from(WORDS),
    st.tuples(
        st.sampled_from(INTEGERS), st.sampled_from((2, 4, 8)), st.sampled_from(("little", "big"))
    ),
)
_SETTINGS = dict(
    deadline=10000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_any_change(name, valid, folder, change):
    path = folder / name
    path.write_bytes(packed(name, valid(name), change))
    for reader in ("describe", *EXAMPLES[name][1]):
        assert_read_or_refused(READERS[reader], path)


@pytest.mark.parametrize("name", EXAMPLES)
@given(change=CHANGES)
@settings(max_examples=25, **_SETTINGS)
def test_any_change(name, valid, tmp_path, change):
    assert_any_change(name, valid, tmp_path, change)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
@given(change=CHANGES)
@settings(max_examples=400, **_SETTINGS)
def test_any_change_of_many(name, valid, tmp_path, change):
    assert_any_change(name, valid, tmp_path, change)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith(".fits")])
@pytest.mark.parametrize("word", [b"1000000000", b"-1", b"'text'"])
def test_every_card_of_a_header(name, valid, tmp_path, word):
    path = tmp_path / name
    data = valid(name)
    for first in range(0, min(len(data), 8640), 80):
        if _CARD.match(data, first):
            path.write_bytes(in_card(data, first, word))
            for reader in EXAMPLES[name][1]:
                assert_read_or_refused(READERS[reader], path)


# --- files of another format than the reader expects ------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_reader_of_each_format(name, valid, tmp_path):
    """Under names without a suffix, and with a wrong one, which decides nothing."""
    path = tmp_path / f"{name}_"
    path.write_bytes(valid(name))
    for read in READERS.values():
        assert_read_or_refused(read, path)
    path = tmp_path / "renamed.png"
    path.write_bytes(valid(name))
    for reader in EXAMPLES[name][1]:
        if name not in ("camb_lensedCls.dat",):  # whose name is part of its format
            READERS[reader](path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_commands(name, valid, here, capsys):
    """Truncated files, and whole ones: exit code 0, 1 or 2, and no error of the package itself."""
    for content in (valid(name), valid(name)[: len(valid(name)) // 2], b""):
        (here / name).write_bytes(content)
        for command in (["info", name], ["transform", name, "--L", "2", "-o", "o.npz", "--force"]):
            assert main(command) in (0, 1, 2)
            assert "bug" not in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("reader", READERS)
def test_encodings_of_text(reader, encoding, tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("lat,lon,T\n0 0 1.0 0.0\n1 0 2.0 0.0\n1 1 2.0 1.0\n".encode(encoding))
    assert_read_or_refused(READERS[reader], path)


@pytest.mark.parametrize("content", [b"1 " * 10**6, b"1" * 10**6, b"# x" * 10**6, b"\n" * 10**6])
@pytest.mark.parametrize("reader", READERS)
def test_long_lines(reader, content, tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(content)
    assert_read_or_refused(READERS[reader], path)


# --- headers that promise much, and compressed data that contain much --------------------------------


def numpy_header(text):
    """A .npy file with this text as its header, and 120 bytes of data."""
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(120)


NPY = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 5), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9999999999, 9999999999), }",
    "{'descr': '|V99999999', 'fortran_order': False, 'shape': (9,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (15,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (15,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (15L,), }",
    "__import__('os').mkdir('executed')",
    "(" * 90,
)


@pytest.mark.parametrize("header", NPY)
def test_headers_of_numpy(header, here):
    (here / "a.npy").write_bytes(numpy_header(header))
    (here / "a.npz").write_bytes(zipped({"values.npy": numpy_header(header)}))
    for name in ("a.npy", "a.npz"):
        for read in READERS.values():
            assert_read_or_refused(read, here / name)
    assert not (here / "executed").exists()


@pytest.mark.parametrize("member", ["values", "values.npy", "README"])
def test_archives_of_other_files(member, here):
    """A pickle that would make a folder is neither loaded nor returned as bytes."""
    content = pickle.dumps(_Executed())
    (here / "a.npz").write_bytes(zipped({"flm.npy": numpy_header(NPY[0]), member: content}))
    (here / "b.npz").write_bytes(zipped({member: content}))
    (here / "c.dat").write_bytes(content)
    for name in ("a.npz", "b.npz", "c.dat"):
        for read in READERS.values():
            assert_read_or_refused(read, here / name)
    with pytest.raises(
        ValueError, match=f"b.npz .*'{member.removesuffix('.npy')}' is not an array"
    ):
        io.read_arrays("b.npz")
    assert not (here / "executed").exists()


class _Executed:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_characters_that_do_not_exist(here):
    np.savez(here / "a.npz", values=np.zeros((3, 5)), grid="mw:3")
    with zipfile.ZipFile(here / "a.npz") as archive:
        members = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    for code in (b"\xff\xff\xff\xff", struct.pack("<I", 0xD800)):
        members["grid.npy"][-4:] = code
        (here / "a.npz").write_bytes(zipped({k: bytes(v) for k, v in members.items()}))
        with pytest.raises(ValueError, match=r"a\.npz .*'grid' contains bytes that are no text"):
            io.read("a.npz")


@pytest.mark.parametrize("n", [1000, 10**9, 10**18])
def test_axes_of_fits_headers(n, valid, tmp_path):
    """astropy counts them one by one."""
    path = tmp_path / "a.fits"
    for position in (160, 2880 + 160):
        assert valid("ring.fits")[position:].startswith(b"NAXIS   =")
        path.write_bytes(in_card(valid("ring.fits"), position, b"%d" % n))
        with pytest.raises(ValueError, match=rf"a\.fits is damaged: a header declares {n} axes"):
            io.read(path)


def bomb(start, block, size=6 * LIMIT):
    """Text or data that are longer than the memory that may be used."""
    return start + block * (size // len(block))


BOMBS = {
    "read": [b"lat,lon,T\n", b"1.0000,2.0000,3\n"],
    "axes": [b"", b"1 2 3 4 5 6 7 8\n"],
    "read_coefficients": [b"0 0 1.0 0.0\n", b"1 0 1.0 0.0\n"],
    "read_spectra": [b"# l Dl_TT\n", b"2 1.0 \n"],
    "read_beam": [b"0 1.0\n", b"1 1.0\n"],
    "read_map": [b"SIMPLE  =                    T".ljust(2880), b"\0"],
}


@pytest.mark.parametrize("reader", BOMBS)
def test_gzip_files_that_contain_much(reader, tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bomb(*BOMBS[reader])))
    with pytest.raises(MemoryError, match=r"a\.gz .*SPHEREKIT_MAX_MEMORY"):
        READERS[reader](path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_compressed_maps_that_contain_much(compress, valid, tmp_path):
    path = tmp_path / "a.fits.packed"
    path.write_bytes(compress(bomb(valid("ring.fits"), b"\0")))
    for reader in ("read_map", "read_table", "read_alms", "read_cl"):
        with pytest.raises(MemoryError, match=r"a\.fits\.packed .*SPHEREKIT_MAX_MEMORY"):
            READERS[reader](path)


def test_archives_that_contain_much(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, values=np.zeros(LIMIT), grid="healpix:1")
    for reader in ("read", "read_arrays", "read_coefficients", "nn.load"):
        with pytest.raises(MemoryError, match=r"a\.npz .*SPHEREKIT_MAX_MEMORY"):
            READERS[reader](path)
    stated_size = struct.pack("<I", 8 * LIMIT + 128)
    assert stated_size in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(stated_size, struct.pack("<I", 256)))
    with pytest.raises(ValueError, match=r"a\.npz"):
        io.read_arrays(path)


def test_matlab_files_that_contain_much(tmp_path):
    from scipy.io import savemat

    path = tmp_path / "a.mat"
    savemat(path, {"flm": np.zeros((3000 * 3000, 1))}, do_compression=True)
    for reader in ("on a grid", "read_coefficients"):
        with pytest.raises(MemoryError, match=r"a\.mat.*SPHEREKIT_MAX_MEMORY"):
            READERS[reader](path)


@pytest.mark.parametrize("size", [(4000, 2000), (60000, 30000), (2**31 - 1, 2**30)])
def test_pictures_that_contain_much(size, tmp_path):
    pytest.importorskip("imageio")
    parts = [(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))]
    parts += [(b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(x)) + k + x + struct.pack(">I", zlib.crc32(k + x)) for k, x in parts
    ]
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises((MemoryError, ValueError), match=r"a\.png"):
        io.read(path)


def test_netcdf_files_that_contain_much(tmp_path):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("h5netcdf")
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:
        axes = {"lat": np.linspace(90, -90, 1801), "lon": np.arange(3600) / 10}
        for name, values in axes.items():
            file[name] = values
            file[name].make_scale(name)
        field = file.create_dataset("T", (1801, 3600), "f4", chunks=(100, 100), fillvalue=1.0)
        for number, name in enumerate(axes):
            field.dims[number].attach_scale(file[name])
    assert path.stat().st_size < LIMIT / 10
    with pytest.raises(MemoryError, match=r"a\.nc: the field T .*SPHEREKIT_MAX_MEMORY"):
        io.read(path)


@pytest.mark.parametrize("level", [-1, 30, 2**31 - 1])
def test_levels_of_healpix_in_netcdf(level, valid, tmp_path):
    path = tmp_path / "a.nc"
    data = valid("healpix.nc")
    position = data.index(b"refinement_level") + 16 + 8
    path.write_bytes(data[:position] + struct.pack(">i", level) + data[position + 4 :])
    with pytest.raises(ValueError, match=r"a\.nc: the grid mapping .* expected refinement_level"):
        io.read(path)


# --- what is no file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "describe"])
def test_devices_and_links(reader, here):
    os.mkfifo("pipe")
    os.symlink("loop", "loop")
    os.symlink("nowhere", "dangling")
    (here / "folder").mkdir()
    paths = [here / name for name in ("pipe", "loop", "dangling", "folder", "missing")]
    for path in (*paths, here / ("x" * 300), *map(here.joinpath, ("/dev/null", "/dev/zero"))):
        with pytest.raises((OSError, ValueError), match=re.escape(path.name)):
            READERS[reader](path)


def test_a_device_that_fails(valid, here, monkeypatch):
    """The errors of reading, unlike those of opening a file, do not name it."""
    (here / "a.fits").write_bytes(valid("ring.fits"))

    def fail(path, *args, **options):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(OSError, match=r"Input/output error: '?a\.fits"):
        io.read("a.fits")


@pytest.mark.parametrize(
    "name", ["a b", "\xe4\u20ac", "a\nb", "-o", "[0]", "%s{x}", "a;b", "~", "*"]
)
def test_odd_names(name, valid, here):
    for form in ("ring.fits", "map.npz", "classic.nc", "flm.sh", "points.csv", "v5.mat"):
        path = here / f"{name}.{form}"
        path.write_bytes(valid(form))
        for reader in EXAMPLES[form][1]:
            READERS[reader](path)
        path.write_bytes(valid(form)[: len(valid(form)) // 2])
        for reader in EXAMPLES[form][1]:
            assert_read_or_refused(READERS[reader], path)
