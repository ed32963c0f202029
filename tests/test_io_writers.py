"""Writers: units, masks and types go into the file or are refused; a file is whole or absent."""

import gzip
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit._core.atomic_files import replacing
from spherekit.sampling.healpix import UNSEEN, reorder

UNITS = [(u.K, "K"), (u.mK, "mK"), (u.uK**2, "uK2"), (u.MJy / u.sr, "MJy sr-1"), (u.one, "")]


@pytest.mark.parametrize(("unit", "text"), UNITS)
def test_the_unit_of_a_quantity_goes_into_the_file(tmp_path, unit, text):
    io.write_map(tmp_path / "map.fits", np.arange(12.0) * unit)
    assert io.read_map(tmp_path / "map.fits").units == (text,)
    io.write_cl(tmp_path / "cl.fits", np.arange(12.0) * unit)
    assert io.read_spectra(tmp_path / "cl.fits").units == {"TEMPERATURE": text}
    io.write_alm(tmp_path / "alm.fits", np.ones(1) * unit)
    assert io.read_alms(tmp_path / "alm.fits").units == (text,)
    io.write_arrays(tmp_path / "map.npz", values=np.arange(12.0) * unit, grid="healpix:1")
    assert str(io.read_arrays(tmp_path / "map.npz").get("unit", "")) == text


def test_several_units(tmp_path):
    path = tmp_path / "map.fits"
    maps = [np.ones(12) * u.K, np.ones(12) * u.mK]
    io.write_map(path, maps, column=["T", "Q"])
    assert io.read_map(path, field=None).units == ("K", "mK")
    io.write_map(path, np.ones((2, 12)), column=["T", "Q"], unit=["K", "mK"], overwrite=True)
    assert io.read_map(path, field=None).units == ("K", "mK")
    with pytest.raises(ValueError, match="unit has length 3; .* 2 field"):
        io.write_map(path, np.ones((2, 12)), column=["T", "Q"], unit=["K", "K", "K"])
    with pytest.raises(ValueError, match="68 printable ASCII"):
        io.write_map(tmp_path / "no.fits", np.ones(12), unit="K\nm")
    io.write_map(path, np.ones(12), unit="\N{MICRO SIGN}K", overwrite=True)
    assert io.read_map(path).units == ("uK",)


def writers(path, values, **options):
    """Every writer on values (12,)."""
    yield lambda: io.write_map(path / "no.fits", values, **options)
    yield lambda: io.write_cl(path / "no.fits", values, **options)
    yield lambda: io.write_alm(path / "no.fits", values[:1], **options)


def test_units_that_contradict_each_other(tmp_path):
    for write in writers(tmp_path, np.ones(12) * u.K, unit="mK"):
        with pytest.raises(ValueError, match="has the unit K, but unit='mK'"):
            write()
    with pytest.raises(ValueError, match="has the unit K"):
        io.write_arrays(tmp_path / "no.npz", values=np.ones(12) * u.K, unit="mK")
    with pytest.raises(TypeError, match="has the unit K"):
        io.write_arrays(tmp_path / "no.npz", scales=np.ones(12) * u.K)
    with pytest.raises(ValueError, match="cannot store the unit K"):
        io.write_arrays(tmp_path / "no.npy", values=np.ones(12) * u.K)
    with pytest.raises(ValueError, match="has the unit K, but unit='mK'"):
        maps = np.ones((2, 12)) * u.K
        io.write_map(tmp_path / "no.fits", maps, column=["A", "B"], unit=["K", "mK"])
    assert not list(tmp_path.iterdir())
    io.write_map(tmp_path / "map.fits", np.ones(12) * u.uK, unit="uK")
    assert io.read_map(tmp_path / "map.fits").units == ("uK",)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.dtype(">f4")])
def test_masked_pixels_are_written_as_unseen(tmp_path, dtype):
    values = np.ma.array(np.arange(12, dtype=dtype), mask=np.arange(12) % 3 == 0)
    io.write_map(tmp_path / "map.fits", values)
    result = io.read_map(tmp_path / "map.fits").values
    expected = np.where(values.mask, result.dtype.type(UNSEEN), values.data.astype(result.dtype))
    assert np.array_equal(result, expected)
    assert result.dtype == (np.float64 if np.dtype(dtype).itemsize == 8 else np.float32)
    pair = np.ma.stack([values, values])
    io.write_map(tmp_path / "pair.fits", pair, column=["A", "B"])
    assert np.array_equal(io.read_map(tmp_path / "pair.fits", field=None).values, [expected] * 2)
    io.write_map(tmp_path / "list.fits", [values, values], column=["A", "B"])
    assert np.array_equal(io.read_map(tmp_path / "list.fits", field=None).values, [expected] * 2)


def test_masks_that_have_no_place_are_refused(tmp_path):
    values = np.ma.array(np.ones(12), mask=np.arange(12) == 3)
    for call in (
        lambda: io.write_cl(tmp_path / "no.fits", values),
        lambda: io.write_alm(tmp_path / "no.fits", np.ma.array(np.ones(4), mask=[1, 0, 0, 0]) + 0j),
        lambda: io.write_arrays(tmp_path / "no.npz", values=values),
        lambda: io.write_arrays(tmp_path / "no.npz", weights=values),
        lambda: io.write_map(tmp_path / "no.fits", values.astype(int)),
    ):
        with pytest.raises(TypeError, match="masked"):
            call()
    assert not list(tmp_path.iterdir())
    unmasked = np.ma.array(np.ones(12), mask=False)
    io.write_map(tmp_path / "map.fits", unmasked)
    io.write_cl(tmp_path / "cl.fits", unmasked)
    io.write_arrays(tmp_path / "map.npz", values=unmasked)


def test_reorder_keeps_the_mask(rng):
    values = np.ma.array(rng.standard_normal((2, 48)), mask=rng.random((2, 48)) < 0.3)
    nested = reorder(values, "ring")
    assert isinstance(nested, np.ma.MaskedArray)
    assert np.array_equal(nested.filled(7), reorder(values.filled(7), "ring"))
    again = reorder(nested, "nested")
    assert np.array_equal(again.mask, values.mask) and np.array_equal(again.data, values.data)
    with pytest.raises(TypeError, match="has the unit K"):
        reorder(np.ones(48) * u.K, "ring")


@pytest.mark.parametrize("dtype", [np.longdouble, complex, np.uint64])
def test_types_that_are_no_maps(tmp_path, dtype):
    words = f"dtype {np.dtype(dtype)}; expected float32 or float64"
    with pytest.raises(ValueError, match=words):
        io.write_map(tmp_path / "no.fits", np.ones(12, dtype))


def test_types_of_maps(tmp_path):
    half = np.linspace(-3, 60000, 12).astype(np.float16)
    io.write_map(tmp_path / "map.fits", half)
    result = io.read_map(tmp_path / "map.fits").values
    assert result.dtype == np.float32 and np.array_equal(result, half.astype(np.float32))
    with pytest.raises(ValueError, match="astype"):
        io.write_cl(tmp_path / "no.fits", np.ones(12, np.longdouble))
    with pytest.raises(TypeError, match="object"):
        io.write_map(tmp_path / "no.fits", np.array([None] * 12))


def test_spectra_of_text_and_of_objects(tmp_path):
    with pytest.raises(ValueError, match="dtype <U1"):
        io.write_cl(tmp_path / "no.fits", ["a", "b"])
    with pytest.raises(TypeError, match="object"):
        io.write_cl(tmp_path / "no.fits", np.array([None, 1.0]))


def test_names_of_columns(tmp_path):
    with pytest.raises(TypeError, match="column is 5; expected a name"):
        io.write_map(tmp_path / "no.fits", np.ones(12), column=5)
    with pytest.raises(ValueError, match=r"0 column name\(s\)"):
        io.write_map(tmp_path / "no.fits", np.ones((0, 12)), column=[])
    with pytest.raises(ValueError, match="names that differ in more than case"):
        io.write_map(tmp_path / "no.fits", np.ones((2, 12)), column=["Q", "q"])
    with pytest.raises(ValueError, match="printable ASCII"):
        io.write_map(tmp_path / "no.fits", np.ones(12), column="\N{SNOWMAN}")
    with pytest.raises(ValueError, match="must be one of galactic"):
        io.write_map(tmp_path / "no.fits", np.ones(12), coordsys="Earth")
    assert not list(tmp_path.iterdir())


def test_packed_files(tmp_path):
    io.write_map(tmp_path / "map.fits.gz", np.arange(12.0))
    assert io.read_map(tmp_path / "map.fits.gz").values[11] == 11
    with gzip.open(tmp_path / "map.fits.gz") as file:
        assert file.read(6) == b"SIMPLE"
    io.write_alm(tmp_path / "alm.fits.gz", np.array([1.0, 0, 0, 0]))
    assert io.read_alm(tmp_path / "alm.fits.gz").shape == (4,)


# --- one file, whole or not at all -----------------------------------------------------------------


def test_the_temporary_file_is_hidden_and_matches_no_pattern(tmp_path):
    with replacing(tmp_path / "map.fits", False) as temporary:
        name = Path(temporary).name
        assert name.startswith(".map.fits.") and name.endswith(".tmp")
        assert not list(tmp_path.glob("*.fits")) and not list(tmp_path.glob("*.npz"))
        with replacing(tmp_path / "map.fits", True) as another:
            assert another != temporary
            Path(another).write_text("another")
        Path(temporary).write_text("first")
        with pytest.raises(FileExistsError, match="overwrite=True"):
            raise FileExistsError("overwrite=True")
        os.remove(tmp_path / "map.fits")
    assert (tmp_path / "map.fits").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["map.fits"]


def test_of_two_writers_of_a_new_file_one_is_refused(tmp_path):
    with pytest.raises(FileExistsError, match="choose another name"):
        with replacing(tmp_path / "map.fits", False) as temporary:
            Path(temporary).write_text("late")
            (tmp_path / "map.fits").write_text("early")
    assert (tmp_path / "map.fits").read_text() == "early"
    assert [p.name for p in tmp_path.iterdir()] == ["map.fits"]


@pytest.mark.parametrize("suffix", [".fits", ".npz", ".npy"])
def test_threads_that_write_one_path(tmp_path, suffix):
    path = tmp_path / f"map{suffix}"
    failures = []

    def write(i):
        try:
            for _ in range(10):
                if suffix == ".fits":
                    io.write_map(path, np.full(12, float(i)), overwrite=True)
                    values = io.read_map(path).values
                else:
                    io.write_arrays(path, values=np.full(12, float(i)), overwrite=True)
                    values = io.read_arrays(path)["values"]
                assert np.all(values == values[0])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=[i]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_of_what_is_replaced_stays(tmp_path, mode):
    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(12))
    (tmp_path / "plain").write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    path.chmod(mode)
    io.write_map(path, np.ones(12), overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_links_are_followed(tmp_path):
    (tmp_path / "store").mkdir()
    target, link = tmp_path / "store" / "map.fits", tmp_path / "map.fits"
    link.symlink_to(target)
    for value in (1.0, 2.0):  # a link to nothing, and to a file
        io.write_map(link, np.full(12, value), overwrite=True)
        assert link.is_symlink() and io.read_map(target).values[0] == value
    with pytest.raises(FileExistsError):
        io.write_map(link, np.zeros(12))
    assert [p.name for p in (tmp_path / "store").iterdir()] == ["map.fits"]


def test_places_that_take_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*none"):
        io.write_map(tmp_path / "none" / "map.fits", np.zeros(12))
    (tmp_path / "map.fits").mkdir()
    for overwrite in (True, False):
        with pytest.raises(ValueError, match="is a folder"):
            io.write_map(tmp_path / "map.fits", np.zeros(12), overwrite=overwrite)
    with pytest.raises(ValueError, match="device"):
        io.write_map("/dev/null", np.zeros(12), overwrite=True)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_failed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(12))
    with pytest.raises(RuntimeError), replacing(path, True) as temporary:
        Path(temporary).write_text("half")
        raise RuntimeError
    assert io.read_map(path).values.sum() == 0
    assert [p.name for p in tmp_path.iterdir()] == ["map.fits"]


@pytest.mark.parametrize(
    "name",
    ["a" * 240 + ".fits", "\N{GREEK SMALL LETTER ALPHA}" * 100 + ".fits", "a b.fits"],
    ids=["long", "Greek", "with a blank"],
)
def test_long_and_foreign_names(name, tmp_path):
    io.write_map(tmp_path / name, np.ones(12))
    assert io.read_map(tmp_path / name).values.sum() == 12
    io.write_map(os.fsencode(tmp_path / name), np.zeros(12), overwrite=True)
    assert io.read_map(os.fsencode(tmp_path / name)).values.sum() == 0
    assert fits.getheader(tmp_path / name, 1)["NSIDE"] == 1


def test_quantities_with_masks_and_columns_of_tables(tmp_path):
    from astropy.table import Column, MaskedColumn
    from astropy.utils.masked import Masked

    values = np.arange(12.0)
    mask = values > 8
    expected = np.where(mask, UNSEEN, values)
    for masked in (Masked(values * u.K, mask=mask), MaskedColumn(values, mask=mask, unit="K")):
        io.write_map(tmp_path / "map.fits", masked, overwrite=True)
        sky = io.read_map(tmp_path / "map.fits")
        assert np.array_equal(sky.values, expected) and sky.units == ("K",)
        with pytest.raises(TypeError, match="masked"):
            io.write_cl(tmp_path / "no.fits", masked)
    io.write_map(tmp_path / "map.fits", Column(values, unit="mK"), overwrite=True)
    assert io.read_map(tmp_path / "map.fits").units == ("mK",)
    with pytest.raises(TypeError, match="masked"):
        io.write_alm(tmp_path / "no.fits", np.ma.array([1.0, 0, 0, 0], mask=[0, 1, 0, 0]))


@pytest.mark.parametrize("unit", [None, u.K, "K", [u.K, "K"], ("K", None)])
def test_units_as_text_or_as_units(tmp_path, unit):
    io.write_map(tmp_path / "map.fits", np.ones((2, 12)), column=["A", "B"], unit=unit)
    expected = ("", "") if unit is None else ("K", "") if isinstance(unit, tuple) else ("K", "K")
    assert io.read_map(tmp_path / "map.fits", field=None).units == expected
    io.write_alm(tmp_path / "a.fits", np.zeros((2, 4)), component="EB", unit=unit)
    assert io.read_alms(tmp_path / "a.fits").units == expected


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(
        st.one_of(
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70),
            st.sampled_from(
                ["PIXEL", "ipix", "hpx index", "index", "REAL", "imag", "Q", "a,b", "7"]
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read_or_refused_at_once(tmp_path_factory, names):
    """Under any names: as the same columns, in their order."""
    path = tmp_path_factory.mktemp("n") / "map.fits"
    values = np.arange(12.0 * len(names)).reshape(len(names), 12)
    try:
        io.write_map(path, values, column=names)
    except ValueError as error:
        assert "name" in str(error) and not path.exists()
        return
    sky = io.read_map(path, field=None)
    assert np.array_equal(sky.values, values)
    assert sky.columns == tuple(name.strip() for name in names)


@pytest.mark.parametrize("name", ["", "  ", "PIXEL", "HPX_INDEX"])
def test_names_that_no_column_can_have(tmp_path, name):
    with pytest.raises(ValueError, match="column"):
        io.write_map(tmp_path / "no.fits", np.ones(12), column=name)
    names = ["index", "real", "Imag"]
    with pytest.raises(ValueError, match="coefficients"):
        io.write_map(tmp_path / "no.fits", np.ones((3, 12)), column=names)


SPELLINGS = "uK^2|uK2|uK**2|MJy/sr|MJy sr-1|m/s|m s^-1|m s-1|K|1 / s|J/(K m2)".split("|")


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_unit_in_any_spelling(tmp_path, text):
    io.write_map(tmp_path / "map.fits", np.ones(12) * u.Unit(text), unit=text)
    assert u.Unit(io.read_map(tmp_path / "map.fits").units[0]) == u.Unit(text)
    io.write_cl(tmp_path / "cl.fits", np.ones(3) * u.Unit(text), unit=text)
    for wrong in (f"1000 {text}", "uK^3", "no unit"):
        with pytest.raises(ValueError, match="has the unit"):
            io.write_cl(tmp_path / "no.fits", np.ones(3) * u.Unit(text), unit=wrong)


@pytest.mark.parametrize("write", [io.write_map, io.write_cl])
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_a_disk_that_is_full(tmp_path, write, suffix):
    """Here the largest size of a file, which a process may set for itself."""
    check_in_a_small_disk(write, np.random.default_rng(0).random(49152), tmp_path / f"map{suffix}")
    check_in_a_small_disk(
        lambda path, x: io.write_arrays(path, values=x), np.ones(49152), tmp_path / "map.npy"
    )


def check_in_a_small_disk(write, values, path):
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OSError, match="not written"):
            write(path, values)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("overwrite", [False, True])
def test_links_that_lead_to_themselves(tmp_path, overwrite):
    (tmp_path / "a.fits").symlink_to(tmp_path / "b.fits")
    (tmp_path / "b.fits").symlink_to(tmp_path / "a.fits")
    with pytest.raises(ValueError, match="symbolic link that leads to itself"):
        io.write_map(tmp_path / "a.fits", np.zeros(12), overwrite=overwrite)
    (tmp_path / "c.fits").symlink_to(tmp_path / "new.fits")
    io.write_map(tmp_path / "c.fits", np.zeros(12))
    assert (tmp_path / "c.fits").is_symlink() and (tmp_path / "new.fits").is_file()


@pytest.mark.parametrize(
    "name", ["SIGNAL", "KAPPA", "E", "MAGNETIC T", "B", "CURL", "GRADIENT", ""]
)
@pytest.mark.parametrize("component", [None, "TEB", "BTE"])
def test_names_of_coefficients_do_not_tell_what_they_are_not(tmp_path, name, component):
    """What is written as T, E and B is read as that, whatever the tables are called."""
    flm = np.array([[1.0], [2.0], [3.0]])
    io.write_alm(tmp_path / "a.fits", flm, name=[name, "GRADIENT", "x"], component=component)
    alm = io.read_alms(tmp_path / "a.fits")
    assert alm.components == tuple(component or "TEB") and np.array_equal(alm.flm, flm)
    assert alm.names == (name, "GRADIENT", "x")
