"""Files of bandpowers: FITS, text and .npz, their metadata, and files that are none or damaged."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from spherekit import io
from spherekit.io.bandpower_formats import contains_bandpowers
from spherekit.spectra import Bins

L = 12
BINS = Bins([2, 4, 8], [4, 7, 11], L)
VALUES = {"TT": np.array([3.0, 1 / 3, 1e-20]), "EB": np.array([-1.0, 0.1, 2.0])}
ERRORS = {"TT": np.array([0.5, 0.25, 1e-3])}
WINDOWS = {"TT": {"TT": BINS.matrix()}, "EB": {"EB": 2 * BINS.matrix(), "BE": -BINS.matrix()}}
SUFFIXES = [".fits", ".fits.gz", ".txt", ".dat", ".txt.gz", ".npz"]


def write(path, **options):
    options = dict(errors=ERRORS, windows=WINDOWS, unit="uK^2", coordsys="G") | options
    io.write_bandpowers(path, VALUES, BINS, **options)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(here, suffix):
    write("cl" + suffix, history=["made by hand"])
    table = io.read_bandpowers("cl" + suffix)
    np.testing.assert_array_equal(table.first, BINS.first)
    np.testing.assert_array_equal(table.last, BINS.stop - 1)
    np.testing.assert_array_equal(table.ell, BINS.ell)
    assert list(table.values) == ["TT", "EB"] and list(table.errors) == ["TT"]
    for name, values in VALUES.items():
        np.testing.assert_array_equal(table.values[name], values)
    np.testing.assert_array_equal(table.errors["TT"], ERRORS["TT"])
    assert table.units == {"TT": "uK^2", "EB": "uK^2"} and table.frame == "galactic"
    assert "made by hand" in table.history and table.kind == "cl"
    if "txt" in suffix or "dat" in suffix:
        assert table.windows == {}
        return
    assert {name: list(x) for name, x in table.windows.items()} == {
        "TT": ["TT"],
        "EB": ["EB", "BE"],
    }
    np.testing.assert_array_equal(table.windows["EB"]["BE"], WINDOWS["EB"]["BE"])


@pytest.mark.parametrize("suffix", [".fits", ".txt", ".npz"])
def test_bandpowers_of_d_l_without_errors(here, suffix):
    bins = Bins([2], [7], L, dl=True)
    units = {"TT": "uK^2"}
    io.write_bandpowers("cl" + suffix, {"TT": [1.0], "TE": [2.0]}, bins, unit=units)
    table = io.read_bandpowers("cl" + suffix)
    assert table.kind == "dl" and table.errors == {} and table.windows == {}
    assert table.units == {"TT": "uK^2", "TE": ""}


@pytest.mark.parametrize("suffix", [".fits", ".txt", ".npz"])
def test_readers_of_spectra_name_the_reader(here, suffix):
    write("cl" + suffix)
    assert contains_bandpowers("cl" + suffix)
    with pytest.raises(ValueError, match="read_bandpowers"):
        io.read_spectra("cl" + suffix)
    with pytest.raises(ValueError, match="read_bandpowers"):
        io.read_cl("cl" + suffix)


@pytest.mark.parametrize("suffix", [".fits", ".txt", ".npz"])
def test_spectra_are_no_bandpowers(here, suffix):
    io.write_cl("cl" + suffix, {"TT": np.ones(4), "EE": np.ones(4)})
    assert not contains_bandpowers("cl" + suffix)
    with pytest.raises(ValueError, match="contains no bandpowers.*read_spectra"):
        io.read_bandpowers("cl" + suffix)


def test_healpy_reads_spectra_of_each_degree(here):
    hp = pytest.importorskip("healpy", reason="healpy is not installed")
    io.write_cl("cl.fits", {"TT": np.arange(4.0), "EE": np.ones(4)})
    np.testing.assert_array_equal(hp.read_cl("cl.fits"), [np.arange(4.0), np.ones(4)])


def test_a_table_of_others(here):
    """The columns LMIN and LMAX are enough; L is then their mean."""
    columns = [
        ("LMIN", "J", [2, 5]),
        ("LMAX", "J", [4, 9]),
        ("TT", "E", [1, 2]),
        ("TT_ERR", "E", [1, 1]),
    ]
    hdu = fits.BinTableHDU.from_columns([fits.Column(n, f, array=x) for n, f, x in columns])
    hdu.writeto("cl.fits")
    table = io.read_bandpowers("cl.fits")
    np.testing.assert_array_equal(table.ell, [3, 7])
    assert table.errors["TT"].tolist() == [1, 1] and table.kind == "cl"


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (dict(errors={"TT": [1.0]}), ValueError, "shape"),
        (dict(errors={"EE": [1.0, 1, 1]}), ValueError, "errors or windows have the spectra EE"),
        (dict(errors={"TT": [1.0, np.nan, 1]}), ValueError, "NaN"),
        (dict(windows={"TT": {"TT": np.ones((3, 4))}}), ValueError, "windows of TT"),
        (dict(coordsys="moon"), ValueError, "moon"),
        (dict(polcconv="X"), ValueError, "POLCCONV|polcconv"),
    ],
)
def test_what_does_not_fit_is_not_written(here, options, error, said):
    with pytest.raises(error, match=said):
        write("cl.fits", **options)
    with pytest.raises(TypeError, match="expected spherekit.spectra.Bins"):
        io.write_bandpowers("cl.fits", VALUES, [2, 5])
    with pytest.raises(ValueError, match="at least one"):
        io.write_bandpowers("cl.fits", {}, BINS)
    with pytest.raises(ValueError, match="another suffix"):
        write("cl.csv")
    with pytest.raises((TypeError, ValueError), match="complex"):
        io.write_bandpowers("cl.fits", {"TT": np.ones(3) * 1j}, BINS)
    write("cl.fits")
    with pytest.raises(FileExistsError):
        write("cl.fits")


def damage(text):
    with open("cl.txt", "w", encoding="utf-8") as file:
        file.write("# content: bandpowers\n# kind: cl\n" + text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# l lmin lmax TT\n3 2 four 1\n", "damaged"),
        ("# l lmin lmax TT\n3 2 4\n", "expected l, lmin, lmax"),
        ("# l TT\n3 2\n", "expected l, lmin, lmax"),
        ("# l lmin lmax TT\n3 2 4 1\n4 3 6 1\n", "increasing"),
        ("# l lmin lmax TT\n3 2.5 4 1\n", "degrees"),
        ("# l lmin lmax TT\n3 -2 4 1\n", "degree -2"),
        ("# l lmin lmax TT\n3 2 4 nan\n", "finite"),
        ("# kind: x\n# l lmin lmax TT\n3 2 4 1\n", None),
        ("", "expected l, lmin, lmax"),
    ],
)
def test_damaged_text(here, text, said):
    damage(text)
    if said is None:  # the first line of a key counts
        assert io.read_bandpowers("cl.txt").kind == "cl"
        return
    with pytest.raises(ValueError, match=said):
        io.read_bandpowers("cl.txt")


def test_damaged_archives_and_tables(here):
    np.savez("a.npz", bandpowers=np.ones(3))
    with pytest.raises(ValueError, match="expected lmin, lmax"):
        io.read_bandpowers("a.npz")
    np.savez("b.npz", bandpowers=np.ones((2, 3)), columns=["TT"], lmin=[2], lmax=[3])
    with pytest.raises(ValueError, match="one row"):
        io.read_bandpowers("b.npz")
    np.savez("c.npz", bandpowers=np.ones(3), columns=["TT"], lmin=[2], lmax=[3])
    with pytest.raises(ValueError, match="TT"):
        io.read_bandpowers("c.npz")
    with gzip.open("d.txt.gz", "wb") as file:
        file.write(b"# content: bandpowers\n")
    with pytest.raises(ValueError, match="expected l"):
        io.read_bandpowers("d.txt.gz")
    write("e.fits")
    with fits.open("e.fits", mode="update") as hdus:
        hdus[1].header["KIND"] = "ZL"
    with pytest.raises(ValueError, match="zl"):
        io.read_bandpowers("e.fits")
    with pytest.raises(FileNotFoundError):
        io.read_bandpowers("nothing.fits")
