"""DataArrays of xarray and arrays of dask where functions take arrays: their coordinates are checked."""

import numpy as np
import pytest

import spherekit
from spherekit import io, plot, spectra
from spherekit.sampling import grid as as_grid
from spherekit.wavelets import Wavelets

xarray = pytest.importorskip("xarray")

GRID = as_grid("mwss:4,n_phi=9")
LAT, LON = 90 - np.degrees(GRID.theta), np.degrees(GRID.phi)


def array(rng, lat=LAT, lon=LON, dims=("lat", "lon"), **attributes):
    f = rng.standard_normal([{"lat": len(lat), "lon": len(lon)}.get(dim, 3) for dim in dims])
    return xarray.DataArray(f, {"lat": lat, "lon": lon}, dims, "T", attributes)


FUNCTIONS = {
    "forward": lambda f: spherekit.forward(f, 4, sampling=GRID),
    "analyse": lambda f: spherekit.analyse(f, 3, sampling=GRID, reality=True)[0],
    "inverse_adjoint": lambda f: spherekit.harmonic.inverse_adjoint(f, 4, sampling=GRID),
    "Wavelets": lambda f: Wavelets(4, sampling=GRID, reality=True).analysis(f)[0],
    "masked_flm": lambda f: spectra.masked_flm(f, 3, np.ones(GRID.shape), sampling=GRID),
    "mask": lambda f: spectra.masked_flm(np.ones(GRID.shape), 3, abs(f), sampling=GRID),
    "project": lambda f: plot.project(f, GRID, size=20, flip="geo").values,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_coordinates_of_the_grid_are_accepted(name, rng):
    f = array(rng, units="K", unit="K")
    expected = FUNCTIONS[name](f.values)
    for lat, lon in (
        (LAT, LON),
        (np.float32(LAT), np.float32(LON)),
        (LAT, (LON + 180) % 360 - 180),
    ):
        same = f.assign_coords(lat=lat, lon=lon)
        np.testing.assert_array_equal(FUNCTIONS[name](same), expected)
    np.testing.assert_array_equal(FUNCTIONS[name](f.drop_vars(["lat", "lon"])), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        (LAT[::-1], LON, "latitudes from -90 to 90 degrees"),
        (LAT, LON - 180, "longitudes from -180 to 140 degrees"),
        (LAT, LON[::-1], "longitudes from 320 to 0"),
        (90 - np.degrees(as_grid("gl:5").theta), LON, "latitudes from 64.9827"),
    ],
)
def test_other_coordinates_are_refused(name, rng, lat, lon, words):
    with pytest.raises(ValueError, match=f"{words}.*spherekit.io.from_xarray"):
        FUNCTIONS[name](array(rng, lat, lon))


def test_the_order_of_dimensions(rng):
    f = array(rng, dims=("time", "lat", "lon"))
    assert spherekit.forward(f, 4, sampling=GRID).shape == (3, 16)
    with pytest.raises(ValueError, match="latitude and longitude last"):
        spherekit.forward(f.transpose("lat", "lon", "time"), 4, sampling=GRID)
    with pytest.raises(ValueError, match="on a rectangular grid"):
        spherekit.forward(f, 4, sampling="healpix:2")


def test_the_advice_of_the_error(rng):
    """What the message says to do gives the transform of the map."""
    f = array(rng, LAT[::-1], LON)
    sky = io.from_xarray(f)
    flm = spherekit.forward(sky.values, 4, sampling=sky.grid)
    np.testing.assert_array_equal(flm, spherekit.forward(f.values[::-1], 4, sampling=GRID))


def test_arrays_of_dask(rng):
    dask = pytest.importorskip("dask.array")
    f = rng.standard_normal(GRID.shape)
    expected = spherekit.forward(f, 4, sampling=GRID)
    for lazy in (dask.from_array(f), array(rng).copy(data=dask.from_array(f))):
        np.testing.assert_array_equal(spherekit.forward(lazy, 4, sampling=GRID), expected)
        assert isinstance(lazy[0].data if hasattr(lazy, "dims") else lazy, dask.Array)


def test_quantities_within_arrays_keep_their_unit(rng):
    """A label of xarray is no unit, but a quantity is."""
    units = pytest.importorskip("astropy.units")
    f = array(rng)
    f = f.copy(data=f.values * units.K)
    if getattr(f.data, "unit", None) is None:
        pytest.skip("this xarray stores quantities of astropy as plain numbers")
    with pytest.raises(TypeError, match="unit"):
        spherekit.forward(f, 4, sampling=GRID)
