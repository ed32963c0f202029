"""Derivatives of fields: against their definitions, with names and units, and their gradients."""

import importlib.util

import autograd.numpy as anp
import naive
import numpy as np
import pytest
from tolerances import CHAIN, COMMAND_SAMPLES, DEFINITION, IDENTITY, SINGLE_VALUES

import spherekit
from spherekit import fields, io
from spherekit.sampling import grid as as_grid
from spherekit.testing import assert_gradient, random_flm

needs_xarray = pytest.mark.skipif(
    importlib.util.find_spec("xarray") is None, reason="xarray is not installed"
)
GRIDS = ["mw:5", "mwss:5", "gl:5", "dh:5,n_phi=12", "cc:5", "gl:5,phi0=20deg"]
#: Rings and columns of the samples that are compared with definitions.
ROWS, COLUMNS = (1, 2, -2), (0, 3)


def samples(L, grid, rng, spin=0, shape=()):
    """Coefficients of a signal of unit rms, and its samples."""
    flm = random_flm(L, rng, spin=spin, reality=spin == 0, shape=shape)
    flm *= np.sqrt(4 * np.pi) / L
    f = spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=spin == 0)
    return flm, f


def at_points(definition, flm, grid, spin=0):
    """A definition at some samples of the grid [shape=(rows, columns, ...)]."""
    theta, phi = grid.theta[list(ROWS)], grid.phi[list(COLUMNS)]
    return np.array([[definition(flm, t, p, spin) for p in phi] for t in theta])


def chosen(f):
    return f[..., ROWS, :][..., COLUMNS]


def assert_close(result, expected, limit=IDENTITY):
    np.testing.assert_allclose(result, expected, rtol=0, atol=limit * np.abs(expected).max())


# --- definitions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GRIDS)
def test_gradient_by_its_definition(name, rng):
    grid = as_grid(name)
    flm, f = samples(5, grid, rng)
    east, north = fields.gradient(f, sampling=grid, radius=2.0)
    partial = at_points(naive.partial_derivatives, flm, grid).real
    sine = np.sin(grid.theta[list(ROWS)])[:, None]
    limit = DEFINITION[f.dtype]
    assert_close(chosen(east), partial[..., 1] / sine / 2, limit)
    assert_close(chosen(north), -partial[..., 0] / 2, limit)


@pytest.mark.parametrize("spin", [-2, -1, 0, 1, 2])
def test_spin_operators_by_their_definitions(spin, rng):
    grid = as_grid("gl:5,phi0=20deg")
    flm, f = samples(5, grid, rng, spin)
    raised = fields.raise_spin(f, spin, sampling=grid)
    lowered = fields.lower_spin(f, spin, sampling=grid)
    assert_close(
        chosen(raised), at_points(naive.raise_spin, flm, grid, spin), DEFINITION[f.real.dtype]
    )
    assert_close(
        chosen(lowered), at_points(naive.lower_spin, flm, grid, spin), DEFINITION[f.real.dtype]
    )


def test_laplacian_of_harmonics():
    for ell, m in ((0, 0), (1, -1), (3, 2)):
        flm = np.zeros(16, complex)
        flm[ell * ell + ell + m] = 1
        f = spherekit.inverse(flm, 4)
        result = fields.laplacian(f, sampling="mw:4", radius=2.0)
        np.testing.assert_allclose(result, -ell * (ell + 1) / 4 * f, rtol=0, atol=IDENTITY)


# --- identities -----------------------------------------------------------------------------------


def test_divergence_and_curl_of_the_gradient(rng):
    _, f = samples(16, "mwss:16", rng)
    wind = fields.Wind(*fields.gradient(f, sampling="mwss:16", radius=3.0), "mwss:16", radius=3.0)
    vorticity, divergence = wind.vrtdiv()
    laplacian = fields.laplacian(f, sampling="mwss:16", radius=3.0)
    assert_close(divergence, laplacian, CHAIN)
    assert np.abs(vorticity).max() < CHAIN * np.abs(laplacian).max()


def test_the_gradient_is_minus_eth(rng):
    _, f = samples(16, "mwss:16", rng)
    east, north = fields.gradient(f, sampling="mwss:16")
    assert_close(-north + 1j * east, -fields.raise_spin(f, sampling="mwss:16"))


def test_eth_and_its_conjugate_are_the_laplacian(rng):
    _, f = samples(16, "mwss:16", rng)
    raised = fields.raise_spin(f, sampling="mwss:16")
    assert_close(
        fields.lower_spin(raised, 1, sampling="mwss:16"),
        fields.laplacian(f, sampling="mwss:16"),
        CHAIN,
    )


@pytest.mark.parametrize("spin", [-3, 0, 2])
def test_the_conjugate_of_raised_fields(spin, rng):
    """eth* of the conjugate field is the conjugate of eth f."""
    _, f = samples(8, "gl:8", rng, spin)
    raised = fields.raise_spin(f, spin, sampling="gl:8")
    lowered = fields.lower_spin(np.conj(f), -spin, sampling="gl:8")
    assert_close(np.conj(lowered), raised, CHAIN)


def test_inverse_laplacian(rng):
    """It is the inverse, and removes the mean."""
    flm, f = samples(16, "gl:16", rng)
    laplacian = fields.laplacian(f, sampling="gl:16", radius=6.0)
    result = fields.inverse_laplacian(laplacian + 7, sampling="gl:16", radius=6.0)
    mean = flm[0].real / np.sqrt(4 * np.pi)
    assert_close(result, f - mean, CHAIN)


def test_values_at_the_poles(rng):
    """Noise is not single-valued there; the gradient is that of its band-limited part, one vector."""
    grid = as_grid("mwss:12")
    east, north = fields.gradient(rng.standard_normal(grid.shape), sampling=grid)
    f = 1j * east - north
    for row, sign in ((0, 1), (-1, -1)):
        vector = f[row] * np.exp(1j * sign * grid.phi)
        assert np.ptp(vector.real) + np.ptp(vector.imag) < IDENTITY * np.abs(f).max()
    laplacian = fields.laplacian(rng.standard_normal(grid.shape), sampling=grid)
    assert np.ptp(laplacian[[0, -1]], axis=1).max() < IDENTITY * np.abs(laplacian).max()


def test_healpix(rng):
    flm, f = samples(8, "healpix:8", rng)
    exact = fields.gradient(
        spherekit.inverse(flm, 8, sampling="gl:8", reality=True), sampling="gl:8"
    )
    expected = [fields.regrid(-exact[1] + 1j * exact[0], "healpix:8", sampling="gl:8", spin=1)]
    east, north = fields.gradient(f, sampling="healpix:8")
    assert_close(-north + 1j * east, expected[0], COMMAND_SAMPLES)


# --- types ----------------------------------------------------------------------------------------


def operations():
    return {
        "gradient": lambda f, **options: np.stack(fields.gradient(f, **options)),
        "laplacian": fields.laplacian,
        "inverse_laplacian": fields.inverse_laplacian,
        "raise_spin": fields.raise_spin,
        "lower_spin": fields.lower_spin,
    }


@pytest.mark.parametrize("name", operations())
def test_leading_axes_and_types(name, rng):
    operation = operations()[name]
    _, f = samples(8, "gl:8", rng, shape=(2, 3))
    result = operation(f, sampling="gl:8")
    assert result.shape[-4:] == f.shape
    one = operation(f[1, 2], sampling="gl:8")
    assert_close(result[..., 1, 2, :, :], one)
    single = operation(f.astype(np.float32), sampling="gl:8")
    assert single.dtype == np.zeros(0, result.dtype).astype(
        np.result_type(result, np.complex64)
    ).dtype or (single.dtype.itemsize == result.dtype.itemsize // 2)
    assert_close(single, result, SINGLE_VALUES)
    whole = np.round(100 * f)
    for kind in (np.int16, ">i4", ">f8"):
        np.testing.assert_array_equal(
            operation(whole.astype(kind), sampling="gl:8"), operation(whole, sampling="gl:8")
        )


@pytest.mark.parametrize("name", operations())
def test_gradients(name, rng):
    _, f = samples(4, "mwss:4", rng)
    operation = {
        **operations(),
        "gradient": lambda f, **options: anp.stack(fields.gradient(f, **options)),
    }[name]
    assert_gradient(lambda f: anp.sum(anp.abs(operation(f, sampling="mwss:4")) ** 4), f)


# --- maps and xarray ------------------------------------------------------------------------------


def test_maps(rng):
    _, f = samples(8, "gl:8", rng, shape=(2, 3))
    attributes = {"T": {"long_name": "temperature", "standard_name": "air_temperature"}}
    sky = io.Map(
        f,
        "gl:8",
        ("T", "z"),
        ("K", "m2 s-2"),
        {"level": [200, 500, 850]},
        frame="geographic",
        attributes={**attributes, "level": {"units": "hPa"}},
    )
    east, north = fields.gradient(sky, radius=6371e3)
    assert east.names == ("zonal_gradient_of_T", "zonal_gradient_of_z")
    assert north.names == ("meridional_gradient_of_T", "meridional_gradient_of_z")
    assert east.units == ("K m-1", "m2 s-2 m-1") and east.frame == "geographic"
    assert east.attributes["level"] == {"units": "hPa"} and list(east.axes) == ["level"]
    of_T = east.attributes["zonal_gradient_of_T"]
    assert of_T == {"long_name": "zonal gradient of temperature"}
    expected = fields.gradient(f, sampling="gl:8", radius=6371e3)
    np.testing.assert_array_equal(np.stack([east.values, north.values]), expected)
    assert fields.gradient(sky)[0].units[0] == "K rad-1"
    assert fields.laplacian(sky).units[0] == "K rad-2"
    assert fields.laplacian(sky, radius=6371e3).names[1] == "laplacian_of_z"
    assert fields.inverse_laplacian(sky, radius=6371e3).units[0] == "K m2"
    assert fields.laplacian(io.Map(f[0, 0], "gl:8")).names == ("laplacian",)
    assert fields.laplacian(io.Map(f[0, 0], "gl:8", "a", "1")).units == ("rad-2",)


def test_maps_of_spin_fields(rng):
    _, P = samples(8, "gl:8", rng, 2)
    sky = io.Map(np.stack([P.real, P.imag]), "gl:8", ("Q", "U"), "K")
    result = fields.lower_spin(sky)
    assert result.spin == 1 and result.names == ("eth_conjugate_of_Q_and_U",)
    assert result.units == ("K rad-1",)
    np.testing.assert_array_equal(result.values, fields.lower_spin(P, 2, sampling="gl:8"))
    scalar = fields.lower_spin(result)
    assert scalar.spin == 0
    wind = io.Map(np.stack([P.imag, -P.real]), "gl:8", ("u", "v"), "m/s")
    np.testing.assert_array_equal(
        fields.raise_spin(wind).values, fields.raise_spin(P, 1, sampling="gl:8")
    )


@needs_xarray
def test_data_arrays(rng):
    """Latitudes from south to north, longitudes from -180 degrees, and time as the last dimension."""
    import xarray

    _, f = samples(8, "mwss:8", rng, shape=(2,))
    lat, lon = np.linspace(-90, 90, 9), np.arange(-180, 180, 22.5)
    values = np.moveaxis(np.roll(f[:, ::-1], 8, axis=-1), 0, -1)
    coordinates = {"lat": lat, "lon": lon, "time": [0, 1]}
    T = xarray.DataArray(values, coordinates, ("lat", "lon", "time"), "T", {"units": "K"})
    east, north = fields.gradient(T, radius=6371e3)
    expected = fields.gradient(f, sampling="mwss:8", radius=6371e3)
    for result, component in zip((east, north), expected, strict=True):
        assert result.dims == T.dims and result.attrs["units"] == "K m-1"
        np.testing.assert_array_equal(result.lat, lat)
        np.testing.assert_array_equal(result.lon, lon)
        assert_close(np.roll(np.moveaxis(result.values, -1, 0)[:, ::-1], 8, axis=-1), component)
    assert east.name == "zonal_gradient_of_T"
    both = fields.laplacian(xarray.Dataset({"T": T, "q": 2 * T}))
    assert list(both.data_vars) == ["laplacian_of_T", "laplacian_of_q"]
    raised = fields.raise_spin(T)
    assert list(raised.data_vars) == ["eth_of_T_real", "eth_of_T_imag"]


def test_humidity_is_not_a_stokes_parameter(rng):
    """Among the variables of the atmosphere, q is a scalar, and u is not its partner."""
    _, f = samples(8, "gl:8", rng, shape=(3,))
    for units in (("kg kg-1", "m s-1", "m s-1"), ("", "", "")):
        air = io.Map(f, "gl:8", ("q", "u", "v"), units, frame="geographic")
        expected = fields.smooth(f[0], 0.3, sampling="gl:8")
        assert_close(fields.smooth(air, 0.3).values[0], expected)
    assert fields.laplacian(air["q"]).names == ("laplacian_of_q",)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, error, words",
    [
        (dict(radius=0), ValueError, "radius is 0"),
        (dict(radius=-1.0), ValueError, "radius is -1"),
        (dict(radius=np.inf), ValueError, "radius is inf"),
        (dict(radius=6371), ValueError, r"in km\? pass 6371e3"),
        (dict(radius="1"), TypeError, "radius is '1'"),
        (dict(sampling=None), TypeError, "sampling is required.*the grid of f"),
        (dict(sampling=[90.0, 0.0, -90.0]), TypeError, "grid is a list.*LatLon"),
        (dict(L=9), ValueError, "9"),
        (dict(method="fit"), ValueError, "method is 'fit'"),
    ],
)
def test_refused_arguments(options, error, words):
    for operation in (fields.gradient, fields.laplacian, fields.inverse_laplacian):
        with pytest.raises(error, match=words):
            operation(np.zeros((8, 15)), **{"sampling": "mw:8", **options})


def test_refused_fields(rng):
    with pytest.raises(TypeError, match="f is complex"):
        fields.gradient(np.zeros((8, 15), complex), sampling="mw:8")
    with pytest.raises(ValueError, match="exchange longitude and latitude"):
        fields.gradient(np.zeros((15, 8)), sampling="mw:8")
    with pytest.raises(ValueError, match=r"move latitude and longitude to the end"):
        fields.gradient(np.zeros((8, 15, 3)), sampling="mw:8")
    with pytest.raises(ValueError, match="1 of 120 samples of f are missing"):
        fields.laplacian(np.where(np.arange(120) == 3, np.nan, 0.0).reshape(8, 15), sampling="mw:8")
    wind = io.Map(np.zeros((2, 8, 15)), "mw:8", ("u", "v"), "m/s")
    with pytest.raises(ValueError, match="u and v is a field of spin 1; expected scalars"):
        fields.gradient(wind)
    with pytest.raises(ValueError, match="u is one component of a wind"):
        fields.laplacian(wind["u"])
    two = io.Map(np.zeros((2, 8, 15)), "mw:8", ("T", "z"))
    with pytest.raises(ValueError, match="the map has the signals T, z; expected one"):
        fields.raise_spin(two)
    with pytest.raises(ValueError, match="spin 8"):
        fields.raise_spin(np.zeros((8, 15)), 7, sampling="mw:8")
