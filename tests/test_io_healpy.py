"""Files of healpy are read, and healpy reads ours: columns, tables, parts of the sky, orders, spectra."""

import numpy as np
import pytest
from helpers import healpy_files
from helpers.data import ORACLES

from spherekit import io
from spherekit.conventions import from_healpy, to_healpy
from spherekit.sampling.healpix import UNSEEN, reorder
from spherekit.testing import random_flm


@pytest.fixture(params=["stored", "written now"])
def files(request, tmp_path):
    """A folder of files of healpy."""
    if request.param == "stored":
        return ORACLES
    pytest.importorskip("healpy", reason="healpy is not installed; its stored files are tested")
    return healpy_files.write(tmp_path)


@pytest.fixture
def healpy():
    return pytest.importorskip(
        "healpy", reason="healpy, which reads our files here, is not installed"
    )


# --- files of healpy --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["map", "part"])
def test_maps_of_healpy(files, name):
    sky = io.read_map(files / f"healpy_{name}.fits", field=None)
    assert np.array_equal(sky.values, healpy_files.maps()) and sky.values.dtype == np.float32
    assert sky.columns == ("TEMPERATURE", "Q_POLARISATION", "U_POLARISATION")
    assert (sky.units, sky.stokes) == (healpy_files.UNITS, ("I", "Q", "U"))
    expected = ("ring", "galactic") if name == "map" else ("nested", "equatorial")
    assert (sky.ordering, sky.frame) == expected
    field = io.read_map(files / f"healpy_{name}.fits", field="Q")
    assert np.array_equal(field.values, healpy_files.maps()[1])


def test_integers_of_healpy(files):
    path = files / "healpy_counts.fits"
    sky = io.read_map(path, native=True)
    assert sky.values.dtype == np.int32 and np.array_equal(sky.values, healpy_files.counts())
    assert io.read_map(path).values.dtype == np.float64


def test_coefficients_of_healpy(files):
    """Three tables, in single precision, of orders up to mmax < lmax."""
    alm = io.read_alms(files / "healpy_alm.fits")
    L = healpy_files.LMAX + 1
    expected = from_healpy(healpy_files.alms().astype(complex), L)
    order = np.concatenate([np.arange(-ell, ell + 1) for ell in range(L)])
    expected[:, abs(order) > healpy_files.MMAX] = 0
    assert np.array_equal(alm.flm, expected)
    assert (alm.components, alm.hdus, alm.units) == (("T", "E", "B"), (1, 2, 3), ("", "", ""))
    assert np.array_equal(io.read_alm(files / "healpy_alm.fits", 2), expected[1])


@pytest.mark.parametrize("n", [1, 4, 6])
def test_spectra_of_healpy(files, n):
    """healpy writes C_l, not D_l."""
    result = io.read_spectra(files / f"healpy_cl{n}.fits")
    names = ["TEMPERATURE", "GRADIENT", "CURL", "G-T", "C-T", "C-G"][:n]
    assert list(result.values) == names and set(result.units.values()) == {"uK^2"}
    assert (
        np.array_equal(list(result.values.values()), healpy_files.spectra(n)) and result.notes == ()
    )


# --- files that healpy reads ------------------------------------------------------------------------


@pytest.mark.parametrize("ordering", ["ring", "nested"])
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_healpy_reads_maps(tmp_path, healpy, rng, ordering, partial, dtype):
    values = rng.standard_normal((2, 12 * 16**2)).astype(dtype)
    values[:, rng.random(values.shape[1]) < 0.3] = UNSEEN
    path = tmp_path / "map.fits"
    options = dict(column=["A", "B"], unit="mK", coordsys="G", ordering=ordering, partial=partial)
    io.write_map(path, values, **options)
    result, header = healpy.read_map(path, field=None, h=True, dtype=None)
    assert np.array_equal(result, values) and result[0].dtype.newbyteorder("=") == dtype
    assert dict(header)["TUNIT2" if not partial else "TUNIT3"] == "mK"
    nested = healpy.read_map(path, field=1, nest=True, dtype=None)
    assert np.array_equal(nested, reorder(values[1], "ring"))
    assert np.array_equal(io.read_map(path, field=None).values, values)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int16, np.int32, np.int64])
def test_healpy_reads_integers(tmp_path, healpy, rng, dtype):
    values = rng.integers(0, 2 if dtype is bool else 200, 192).astype(dtype)
    io.write_map(tmp_path / "map.fits", values, column="HITS")
    result = healpy.read_map(tmp_path / "map.fits", dtype=None)
    assert np.array_equal(result, values) and result.dtype.newbyteorder("=") == dtype


@pytest.mark.parametrize("dtype", [np.complex64, complex])
def test_healpy_reads_coefficients(tmp_path, healpy, rng, dtype):
    flm = random_flm(6, rng, reality=True, shape=(3,)).astype(dtype)
    io.write_alm(tmp_path / "alm.fits", flm, unit="uK")
    result = healpy.read_alm(tmp_path / "alm.fits", hdu=(1, 2, 3))
    assert np.array_equal(result, to_healpy(flm))
    assert np.array_equal(io.read_alm(tmp_path / "alm.fits"), flm)


@pytest.mark.parametrize("n", [1, 4, 6])
def test_healpy_reads_spectra(tmp_path, healpy, rng, n):
    names = ["TT", "EE", "BB", "TE", "EB", "TB"][:n]
    values = dict(zip(names, rng.standard_normal((n, 9)), strict=True))
    io.write_cl(tmp_path / "cl.fits", values)
    assert np.array_equal(
        np.atleast_2d(healpy.read_cl(tmp_path / "cl.fits")), list(values.values())
    )
