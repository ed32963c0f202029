"""Files of another kind than is meant: what came is said, and nothing in a file is executed."""

import bz2
import gzip
import io as streams
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit.io import numpy_spectra

READERS = [io.read_map, io.read_table, io.tables, io.read_alm, io.read_alms, io.read_cl]


def npz():
    file = streams.BytesIO()
    np.savez(file, values=np.ones(3))
    return file.getvalue()


def npy():
    file = streams.BytesIO()
    np.save(file, np.ones(3))
    return file.getvalue()


def archive():
    file = streams.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("readme.txt", "text")
    return file.getvalue()


KINDS = {
    "text": b"# l  C_l\n0 1.0\n1 2.0\n",
    "a netCDF-3 file": b"CDF\x01" + bytes(100),
    "an HDF5 or netCDF-4 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a JPEG picture": b"\xff\xd8\xff\xe0" + bytes(100),
    "a PDF document": b"%PDF-1.5\n" + bytes(100),
    "a MATLAB file": b"MATLAB 5.0 MAT-file" + bytes(200),
    "a NumPy array (.npy)": npy(),
    "a NumPy archive (.npz)": npz(),
    "a zip archive": archive(),
    "a Python pickle": pickle.dumps({"a": 1}),
}


def foreign(folder, kind, packed):
    """A file of that kind, gzipped or not, with what it is called then."""
    path, content = folder / "map.fits", KINDS[kind]
    if packed and not kind.endswith((".npz)", "archive")):
        kind, content = f"a gzip file of {kind}", gzip.compress(content)
    path.write_bytes(content)
    return path, kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("read", READERS)
def test_foreign_files_are_named(tmp_path, kind, packed, read):
    path, name = foreign(tmp_path, kind, packed)
    assert io.describe(path) == name
    if kind == "text" and read is io.read_cl:
        assert np.array_equal(read(path)["C_l"], [1, 2])
        return
    with pytest.raises(ValueError) as refusal:
        read(path)
    if name in numpy_spectra.KINDS and read is io.read_cl:
        assert "map.fits: the file does not define whether its values are C_l" in str(refusal.value)
        return
    assert f"map.fits cannot be read as FITS: it is {name}" in str(refusal.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_foreign_files_are_no_arrays(tmp_path, kind, packed):
    path, kind = foreign(tmp_path, kind, packed)
    if kind not in ("a NumPy archive (.npz)", "a NumPy array (.npy)", "a zip archive"):
        with pytest.raises(ValueError) as refusal:
            io.read_arrays(path)
        assert f"cannot be read as a NumPy file: it is {kind}" in str(refusal.value)


@pytest.mark.parametrize("read", [*READERS, io.read_arrays])
def test_folders_pipes_and_nothing(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="it is a folder"):
        read(tmp_path)
    with pytest.raises(ValueError, match="it is not a regular file"):
        read(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="no file"):
        read(tmp_path / "nothing")


def test_fits_where_arrays_are_meant(tmp_path):
    io.write_map(tmp_path / "map.fits", np.ones(12))
    with pytest.raises(ValueError, match="it is a FITS file; read it with spherekit.io.read_table"):
        io.read_arrays(tmp_path / "map.fits")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_fits_is_read(tmp_path, pack):
    io.write_map(tmp_path / "map.fits", np.arange(12.0))
    (tmp_path / "packed").write_bytes(pack((tmp_path / "map.fits").read_bytes()))
    assert io.read_map(tmp_path / "packed").values[11] == 11
    packed = pack((tmp_path / "map.fits").read_bytes())
    for size in (30, len(packed) // 2, len(packed) - 4):
        (tmp_path / "short").write_bytes(packed[:size])
        with pytest.raises(ValueError, match="cannot be read as FITS"):
            io.read_map(tmp_path / "short")


class Trap:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    objects = np.array([Trap()], dtype=object)
    np.save("trap.npy", objects, allow_pickle=True)
    np.savez("trap.npz", values=objects, allow_pickle=True)
    with open("trap.fits", "wb") as file:
        pickle.dump(Trap(), file)
    for name in ("trap.npy", "trap.npz", "trap.fits"):
        for read in (*READERS, io.read_arrays):
            with pytest.raises(ValueError):
                read(name)
    with pytest.raises(TypeError, match="object"):
        io.write_arrays("out.npz", values=objects)
    assert not os.path.exists("executed")


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=400), start=st.sampled_from([b"", b"SIMPLE  =", b"\x1f\x8b", b"PK"])
)
def test_any_bytes_raise_no_foreign_error(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("b") / "file.fits"
    path.write_bytes(start + content)
    for read in (*READERS, io.read_arrays):
        with pytest.raises(ValueError, match="file.fits"):
            read(path)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 8639), value=st.integers(0, 255), cut=st.integers(0, 8640))
def test_any_byte_of_a_map_may_be_another(tmp_path_factory, at, value, cut):
    path = tmp_path_factory.mktemp("b") / "file.fits"
    io.write_map(path, np.arange(12.0), unit="K", coordsys="G")
    content = bytearray(path.read_bytes())
    content[at % len(content)] = value
    path.write_bytes(content)
    for read in READERS:
        try:
            read(path)
        except (ValueError, MemoryError):
            pass
    path.write_bytes(content[:cut])
    for read in READERS:
        try:
            read(path)
        except (ValueError, MemoryError):
            continue
        assert cut >= len(content) or read in (io.read_table, io.tables, io.read_cl, io.read_map)


def test_settings_of_astropy_that_cannot_be_read(tmp_path):
    """It looks for them when it is imported; the message says so, and not that a file is damaged."""
    program = f"""
import pathlib

def denied(self, *args, **kwargs):
    raise PermissionError(13, "Permission denied", str(self))

from spherekit import io
import numpy as np
pathlib.Path.is_dir = pathlib.Path.exists = denied
write = lambda: io.write_map({str(tmp_path / "map.fits")!r}, np.ones(12))
for call in (write, lambda: io.read_map({__file__!r})):
    try:
        call()
    except OSError as error:
        print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.count("set HOME and XDG_CONFIG_HOME") == 2, result
