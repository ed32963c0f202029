"""Arrays in the order of their latitudes and longitudes, which a `LatLon` as the grid states."""

import autograd.numpy as anp
import numpy as np
import pytest
from tolerances import IDENTITY

from spherekit import fields
from spherekit.io import Map
from spherekit.sampling import LatLon
from spherekit.testing import assert_gradient

LAT, LON = np.linspace(-90, 90, 13), np.arange(-180, 180.1, 15)
POSITIONS = LatLon(LAT, LON)
GRID = POSITIONS.grid
ROWS, COLUMNS = np.meshgrid(np.radians(LAT), np.radians(LON), indexing="ij")
F = np.sin(ROWS) + np.cos(ROWS) * np.cos(COLUMNS - 0.3)
U = np.cos(ROWS) * (1 + F)


def wind_of(f, grid):
    """A wind that vanishes at the poles."""
    cosine = np.cos(ROWS if grid is POSITIONS else POSITIONS.to_grid(ROWS))
    return fields.Wind(cosine * f, cosine * (1 + f), grid)


def assert_close(result, expected):
    scale = max(np.abs(expected).max(), 1.0)
    np.testing.assert_allclose(result, expected, rtol=0, atol=IDENTITY * scale)


def of_grid(function, f=F, grid=GRID):
    """The function of samples in the order of the grid, and its results in that of the coordinates."""
    results = function(POSITIONS.to_grid(f), grid)
    is_single = not isinstance(results, tuple)
    results = [POSITIONS.from_grid(x) for x in ([results] if is_single else results)]
    return results[0] if is_single else results


@pytest.mark.parametrize(
    "function",
    [
        lambda f, grid: fields.smooth(f, 0.3, sampling=grid),
        lambda f, grid: fields.truncate(f, 2, sampling=grid),
        lambda f, grid: fields.gradient(f, sampling=grid),
        lambda f, grid: fields.laplacian(f, sampling=grid),
        lambda f, grid: fields.inverse_laplacian(f, sampling=grid),
        lambda f, grid: fields.raise_spin(f, sampling=grid),
        lambda f, grid: fields.fill(
            np.where(f == f[..., 3, 4, None, None], np.nan, f), sampling=grid, L=3
        ),
        lambda f, grid: wind_of(f, grid).helmholtz(),
        lambda f, grid: wind_of(f, grid).gradient(f),
        lambda f, grid: wind_of(f, grid).truncate(f, 1),
        lambda f, grid: wind_of(f, grid).u,
        lambda f, grid: wind_of(f, grid).absolutevorticity(),
    ],
)
def test_results_are_in_the_order_of_the_argument(function):
    results = function(F, POSITIONS)
    expected = of_grid(function)
    pairs = (
        zip(results, expected, strict=True) if isinstance(results, tuple) else [(results, expected)]
    )
    for result, reference in pairs:
        assert result.shape == F.shape
        assert_close(result, reference)


def test_values_on_paths_and_maps():
    path = [(0.1, 1.0), (2.0, 1.5)]
    values = fields.along(F, path, n_points=4, sampling=POSITIONS)
    assert_close(values, fields.along(POSITIONS.to_grid(F), path, n_points=4, sampling=GRID))
    wind = fields.Wind(U, U * F, POSITIONS)
    flow = wind.to_map("vorticity")
    assert isinstance(flow, Map) and flow.grid == wind.grid == GRID
    assert_close(POSITIONS.from_grid(flow.values), wind.vorticity())
    total = fields.kinetic_energy_spectrum(U, U * F, POSITIONS).total
    components = (POSITIONS.to_grid(x) for x in (U, U * F))
    assert_close(total, fields.kinetic_energy_spectrum(*components, GRID).total)


def test_changes_of_grid():
    result = fields.regrid(F, "gl:12", sampling=POSITIONS)
    assert_close(result, fields.regrid(POSITIONS.to_grid(F), "gl:12", sampling=GRID))
    assert_close(fields.regrid(result, POSITIONS, sampling="gl:12"), F)
    on_grid = Map(POSITIONS.to_grid(F), GRID)
    assert fields.regrid(on_grid, POSITIONS).grid == GRID
    with pytest.raises(TypeError, match=r"grid is a Map; expected .* its attribute grid"):
        fields.regrid(F, on_grid, sampling=POSITIONS)
    xarray = pytest.importorskip("xarray")
    data = xarray.DataArray(F, {"lat": LAT, "lon": LON}, ("lat", "lon"))
    with pytest.raises(TypeError) as refused:
        fields.regrid(F, data, sampling=POSITIONS)
    assert len(str(refused.value)) < 120 and "from_xarray" in str(refused.value)


def test_gradients():
    """Through the rearrangement; the samples of the repeated column are not independent."""
    positions = LatLon(LAT, LON[:-1])
    f = F[:, :-1]
    assert_gradient(lambda x: anp.sum(fields.smooth(x, 0.3, sampling=positions) ** 2), f)
    u, v = U[:, :-1], (U * F)[:, :-1]
    assert_gradient(lambda x: anp.sum(fields.Wind(x, v, positions).vorticity() ** 2) * 1e12, u)


def test_samples_of_another_shape():
    with pytest.raises(ValueError, match=r"f has shape \(25, 13\).*\(..., 13, 25\).*swapaxes"):
        fields.smooth(F.T, 0.3, sampling=POSITIONS)


def test_warnings_of_gaps():
    """Of arrays and DataArrays; a `Map` has them in its notes."""
    lat, lon = np.linspace(81, -81, 55), np.arange(0, 360, 3.0)
    positions = LatLon(lat, lon)
    f = np.sin(np.radians(lat))[:, None] * np.ones(len(lon))
    words = "do not determine the degrees < 24 where rings .* from 90N to 81N"
    for function in (
        lambda x, **grid: fields.smooth(x, 0.1, L=24, **grid),
        lambda x, **grid: fields.regrid(x, "gl:24", L=24, **grid),
    ):
        with pytest.warns(UserWarning, match=words) as issued:
            function(f, sampling=positions)
        assert issued[0].filename == __file__
        assert any("warning: " in note for note in function(Map(f.ravel(), positions.grid)).notes)
        xarray = pytest.importorskip("xarray")
        with pytest.warns(UserWarning, match=words) as issued:
            function(xarray.DataArray(f, {"lat": lat, "lon": lon}, ("lat", "lon")))
        assert issued[0].filename == __file__
