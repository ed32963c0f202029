"""Winds: against windspharm, their definitions and identities; forms, units and refusals."""

import importlib.util

import astropy.units
import autograd.numpy as anp
import naive
import numpy as np
import pytest
from helpers.data import oracle, real_file
from tolerances import CHAIN, COMMAND_SAMPLES, DEFINITION, IDENTITY, SINGLE, SINGLE_VALUES

import spherekit
from spherekit import conventions, fields, io
from spherekit.fields.wind_quantities import QUANTITIES
from spherekit.sampling import CC, MWSS, from_latlon
from spherekit.sampling import grid as as_grid
from spherekit.testing import assert_gradient, random_flm
from spherekit.wigner import rotate

needs_xarray = pytest.mark.skipif(
    importlib.util.find_spec("xarray") is None, reason="xarray is not installed"
)
GRIDS = ["mw:8", "mwss:8", "gl:8", "dh:8,n_phi=18", "cc:8", "gl:8,phi0=20deg"]


def samples(L, grid, rng, shape=()):
    """Coefficients of spin 1 of a wind of unit rms, and its components u and v."""
    flm = random_flm(L, rng, spin=1, shape=shape) * np.sqrt(4 * np.pi) / L
    f = spherekit.inverse(flm, L, spin=1, sampling=grid)
    return flm, f.imag.copy(), -f.real


def assert_close(result, expected, limit=IDENTITY):
    expected = np.asarray(expected)
    np.testing.assert_allclose(result, expected, rtol=0, atol=limit * np.abs(expected).max())


def assert_one_vector(u, v, grid):
    """At the poles, seen from each longitude."""
    f = 1j * u - v
    for row, sign in ((0, 1), (-1, -1)):
        vector = f[..., row, :] * np.exp(1j * sign * grid.phi)
        assert np.ptp(vector.real) + np.ptp(vector.imag) < CHAIN * np.abs(f).max()


# --- windspharm -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, name", [("regular", "mwss:72"), ("gaussian", "gl:72,n_phi=144")])
def test_reference_fields_of_windspharm(kind, name):
    """Those of its own tests, of the radius 6.37122e6 m."""

    def reference(field):
        file = real_file("atmosphere", f"windspharm_{kind}", f"{field}.ref.npy")
        return np.squeeze(np.load(file))

    grid = as_grid(name)
    w = fields.Wind(reference("uwnd"), reference("vwnd"), grid, radius=6.37122e6)
    results = dict(zip(("vrt", "div"), w.vrtdiv(), strict=True))
    results |= zip(("psi", "chi"), w.sfvp(), strict=True)
    results |= zip(("uchi", "vchi", "upsi", "vpsi"), w.helmholtz(), strict=True)
    results |= zip(("chigradu", "chigradv"), w.gradient(w.velocitypotential()), strict=True)
    results["vrt_trunc"] = w.vorticity(truncation=21)
    for field, result in results.items():
        assert_close(result, reference(field), SINGLE)


def functions(w, f, truncation):
    """All functions of windspharm."""
    omega = 7.292e-5
    results = {"magnitude": w.magnitude(), "truncate": w.truncate(f, truncation)}
    for name in ("vorticity", "divergence", "streamfunction", "velocitypotential"):
        results[name] = getattr(w, name)(truncation)
    results["absolutevorticity"] = w.absolutevorticity(omega, truncation)
    results["rossbywavesource"] = w.rossbywavesource(truncation, omega)
    results |= zip(("u_chi", "v_chi", "u_psi", "v_psi"), w.helmholtz(truncation), strict=True)
    results |= zip(("f_x", "f_y"), w.gradient(f, truncation), strict=True)
    return results


@pytest.mark.parametrize("truncation", [None, 5])
@pytest.mark.parametrize("kind, name", [("regular", "mwss:12"), ("gaussian", "gl:12,n_phi=24")])
def test_stored_fields_of_windspharm(kind, name, truncation):
    stored = oracle("winds")
    u, v, f = (stored[f"{kind}/{x}"].astype(float) for x in "uvf")
    w = fields.Wind(u, v, name)
    results = functions(w, f, truncation)
    names = {key.split("/")[1] for key in stored if key.startswith(f"{kind}/")}
    assert names - {"u", "v", "f"} == set(results)
    for field, result in results.items():
        assert_close(result, stored[f"{kind}/{field}/{truncation}"], SINGLE)


def test_functions_of_several_results(rng):
    """They are those of one result."""
    _, u, v = samples(8, "mwss:8", rng, (2,))
    w = fields.Wind(u, v, "mwss:8")
    for truncation in (None, 3):
        pairs = zip(
            w.vrtdiv(truncation), (w.vorticity(truncation), w.divergence(truncation)), strict=True
        )
        potentials = w.streamfunction(truncation), w.velocitypotential(truncation)
        components = *w.irrotationalcomponent(truncation), *w.nondivergentcomponent(truncation)
        pairs = [*pairs, *zip(w.sfvp(truncation), potentials, strict=True)]
        for result, expected in [*pairs, *zip(w.helmholtz(truncation), components, strict=True)]:
            assert_close(result, expected)
    np.testing.assert_array_equal(w.u, u)
    np.testing.assert_array_equal(w.v, v)
    theta = as_grid("mwss:8").theta[:, None]
    expected = np.broadcast_to(2 * 7.292115e-5 * np.cos(theta), u.shape)
    assert_close(w.planetaryvorticity(), expected)
    assert_close(w.absolutevorticity(), w.vorticity() + expected)
    assert_close(w.planetaryvorticity(1.0), 2 * np.cos(theta) * np.ones(u.shape))


# --- definitions and identities ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mw:5", "mwss:5", "gl:5,phi0=20deg"])
def test_vorticity_and_divergence_by_their_definitions(name, rng):
    grid = as_grid(name)
    flm, u, v = samples(5, grid, rng)
    results = np.stack(fields.Wind(u, v, grid, radius=2.0).vrtdiv())
    for row, column in ((1, 0), (2, 4), (-2, 3)):
        point = grid.theta[row], grid.phi[column]
        expected = np.array(naive.vorticity_and_divergence(flm, *point)) / 2
        np.testing.assert_allclose(
            results[:, row, column],
            expected,
            rtol=0,
            atol=DEFINITION[u.dtype] * np.abs(results).max(),
        )


@pytest.mark.parametrize("name", GRIDS)
def test_helmholtz_decomposition(name, rng):
    grid = as_grid(name)
    _, u, v = samples(8, grid, rng)
    w = fields.Wind(u, v, grid)
    u_chi, v_chi, u_psi, v_psi = w.helmholtz()
    assert_close(u_chi + u_psi, u)
    assert_close(v_chi + v_psi, v)
    vorticity, divergence = w.vrtdiv()
    irrotational, nondivergent = fields.Wind(u_chi, v_chi, grid), fields.Wind(u_psi, v_psi, grid)
    assert_close(irrotational.divergence(), divergence, CHAIN)
    assert_close(nondivergent.vorticity(), vorticity, CHAIN)
    assert np.abs(irrotational.vorticity()).max() < CHAIN * np.abs(vorticity).max()
    assert np.abs(nondivergent.divergence()).max() < CHAIN * np.abs(divergence).max()


def test_potentials(rng):
    """Their gradients are the parts of the wind, and their Laplacians the vorticity and the divergence."""
    _, u, v = samples(12, "mwss:12", rng)
    w = fields.Wind(u, v, "mwss:12")
    psi, chi = w.sfvp()
    u_chi, v_chi, u_psi, v_psi = w.helmholtz()
    for x, expected in zip(w.gradient(chi), (u_chi, v_chi), strict=True):
        assert_close(x, expected, CHAIN)
    eastward, northward = w.gradient(psi)
    assert_close(-northward, u_psi, CHAIN)
    assert_close(eastward, v_psi, CHAIN)
    options = dict(sampling="mwss:12", radius=w.radius)
    assert_close(fields.laplacian(psi, **options), w.vorticity(), CHAIN)
    assert_close(fields.inverse_laplacian(w.divergence(), **options), chi, CHAIN)


@pytest.mark.parametrize("name", [*GRIDS, "healpix:4"])
def test_solid_body_rotation(name):
    grid = as_grid(name)
    theta = grid.theta[:, None] * np.ones(grid.shape) if grid.rectangular else grid.theta
    w = fields.Wind(40 * np.sin(theta), 0 * theta, grid, radius=5e6)
    limit = COMMAND_SAMPLES if name.startswith("healpix") else CHAIN
    rate = 40 / 5e6
    np.testing.assert_allclose(w.vorticity(), 2 * rate * np.cos(theta), rtol=0, atol=limit * rate)
    np.testing.assert_allclose(w.divergence(), 0, rtol=0, atol=limit * rate)
    psi = -40 * 5e6 * np.cos(theta)
    np.testing.assert_allclose(w.streamfunction(), psi, rtol=0, atol=limit * 40 * 5e6)


@pytest.mark.parametrize("name", ["mwss:12", "cc:12", "dhpole:12"])
def test_results_at_the_poles(name, rng):
    """Of noise, too, which is not single-valued."""
    grid = as_grid(name)
    with pytest.warns(UserWarning, match="pole is not one vector"):
        w = fields.Wind(*rng.standard_normal((2, *grid.shape)), grid)
    rows = [0, -1] if grid.theta[-1] == np.pi else [0, 0]
    for field in (*w.vrtdiv(), *w.sfvp()):
        assert np.ptp(field[rows], axis=1).max() < IDENTITY * np.abs(field).max()
    if rows[1]:
        u_chi, v_chi, u_psi, v_psi = w.helmholtz()
        assert_one_vector(u_chi, v_chi, grid)
        assert_one_vector(u_psi, v_psi, grid)


def test_rotated_winds(rng):
    """The vorticity of a rotated wind is the rotated vorticity."""
    grid, angles = MWSS(12), (0.3, 1.1, -0.7)
    flm = random_flm(12, rng, reality=True, shape=(2,))

    def wind(flm):
        psi, chi = spherekit.inverse(flm, 12, sampling=grid, reality=True)
        (x, y), (x_chi, y_chi) = (fields.gradient(f, sampling=grid, radius=2.0) for f in (psi, chi))
        return fields.Wind(x_chi - y, y_chi + x, grid, radius=2.0)

    rotated = wind(rotate(flm, *angles)).vrtdiv()
    fields_of_wind = spherekit.forward(np.stack(wind(flm).vrtdiv()), 12, sampling=grid)
    expected = spherekit.inverse(rotate(fields_of_wind, *angles), 12, sampling=grid).real
    assert_close(np.stack(rotated), expected, CHAIN)


def test_healpix(rng):
    flm, u, v = samples(8, "healpix:8", rng)
    exact = spherekit.inverse(flm, 8, spin=1, sampling="gl:8")
    expected = fields.Wind(exact.imag, -exact.real, "gl:8").vorticity()
    result = fields.Wind(u, v, "healpix:8").vorticity()
    assert_close(result, fields.regrid(expected, "healpix:8", sampling="gl:8"), COMMAND_SAMPLES)


# --- energy ---------------------------------------------------------------------------------------


def test_kinetic_energy(rng):
    grid = MWSS(16)
    _, u, v = samples(8, grid, rng, (3,))
    w = fields.Wind(u, v, grid)
    assert_close(w.kinetic_energy(), (u**2 + v**2) / 2)
    spectrum = w.kinetic_energy_spectrum()
    energy = fields.regrid(w.kinetic_energy(), "gl:16", sampling=grid)
    mean = np.sum(as_grid("gl:16").weights * energy, axis=(-2, -1))
    assert_close(spectrum.total.sum(-1), mean / (4 * np.pi))
    assert_close(spectrum.rotational + spectrum.divergent, spectrum.total)
    u_chi, v_chi, u_psi, v_psi = w.helmholtz()
    assert_close(fields.kinetic_energy_spectrum(u_chi, v_chi, grid).total, spectrum.divergent)
    assert_close(fields.kinetic_energy_spectrum(u_psi, v_psi, grid).total, spectrum.rotational)
    vorticity = spherekit.forward(w.vorticity(), 16, sampling=grid, reality=True)
    ell = np.arange(1, 16)
    power = (2 * ell + 1) * spherekit.spectra.power(vorticity)[..., 1:]
    by_vorticity = w.radius**2 / (8 * np.pi * ell * (ell + 1)) * power
    assert_close(spectrum.rotational[..., 1:], by_vorticity, CHAIN)
    single = fields.kinetic_energy_spectrum(u.astype(np.float32), v.astype(np.float32), grid)
    assert single.total.dtype == np.float64
    assert_close(single.total, spectrum.total, SINGLE_VALUES)


# --- types and gradients --------------------------------------------------------------------------


def test_types(rng):
    _, u, v = samples(8, "gl:8", rng)
    plain = fields.Wind(u, v, "gl:8").to_map(*QUANTITIES).values
    single = (
        fields.Wind(u.astype(np.float32), v.astype(np.float32), "gl:8").to_map(*QUANTITIES).values
    )
    assert single.dtype == np.float32
    for x, expected in zip(single, plain, strict=True):
        assert_close(x, expected, SINGLE_VALUES)
    mixed = fields.Wind(u.astype(np.float32), v, "gl:8").vorticity()
    assert mixed.dtype == np.float64
    whole = np.round(100 * u), np.round(100 * v)
    expected = fields.Wind(*whole, "gl:8").vorticity()
    for kind in (np.int16, ">i4", ">f8"):
        result = fields.Wind(*(x.astype(kind) for x in whole), "gl:8").vorticity()
        np.testing.assert_array_equal(result, expected)
    masked = [np.ma.masked_array(x) for x in whole]
    np.testing.assert_array_equal(fields.Wind(*masked, "gl:8").vorticity(), expected)


def test_large_winds(rng):
    """Their quantities are computed one by one."""
    _, u, v = samples(132, "gl:132", rng)
    w = fields.Wind(u, v, "gl:132")
    every = dict(zip(QUANTITIES, w.to_map(*QUANTITIES).values, strict=True))
    assert_close(every["u_chi"] + every["u_psi"], u, CHAIN)
    assert_close(every["v_chi"] + every["v_psi"], v, CHAIN)
    x, y = w.gradient(every["absolute_vorticity"])
    source = (
        -every["absolute_vorticity"] * every["divergence"] - every["u_chi"] * x - every["v_chi"] * y
    )
    assert_close(every["rossby_wave_source"], source, CHAIN)


def test_threads(rng):
    _, u, v = samples(64, "mwss:64", rng)
    one, two = (fields.Wind(u, v, "mwss:64", threads=n).to_map().values for n in (1, 2))
    np.testing.assert_array_equal(one, two)


OPERATIONS = {
    "vrtdiv": lambda w: anp.stack(w.vrtdiv(2)) * w.radius,
    "sfvp": lambda w: anp.stack(w.sfvp()) / w.radius,
    "helmholtz": lambda w: anp.stack(w.helmholtz()),
    "absolutevorticity": lambda w: w.absolutevorticity(0.3) * w.radius,
    "rossbywavesource": lambda w: w.rossbywavesource(omega=0.3),
    "magnitude": lambda w: w.magnitude(),
    "kinetic_energy": lambda w: w.kinetic_energy(),
    "kinetic_energy_spectrum": lambda w: anp.stack(w.kinetic_energy_spectrum()),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_gradients(name, rng):
    _, u, v = samples(4, "mwss:4", rng)

    def loss(u, v):
        return anp.sum(OPERATIONS[name](fields.Wind(u, v, "mwss:4", radius=1.5)) ** 3)

    assert_gradient(loss, u, v)


# --- maps and xarray ------------------------------------------------------------------------------


def a_map(rng, units="m s-1", names=("u", "v"), attributes=None, frame="geographic"):
    _, u, v = samples(8, "mwss:8", rng, (3,))
    axes = {"level": [200, 500, 850]}
    attributes = {"level": {"units": "hPa"}, **(attributes or {})}
    return io.Map(
        np.stack([u, v]), "mwss:8", names, units, axes, frame=frame, attributes=attributes
    )


def test_maps(rng):
    both = a_map(rng)
    expected = fields.Wind(*both.values, "mwss:8")
    for w in (fields.Wind(both), fields.Wind(both["u"], both["v"])):
        vorticity, divergence = w.vrtdiv()
        assert vorticity.names == ("vorticity",) and vorticity.units == ("s-1",)
        assert vorticity.frame == "geographic" and list(vorticity.axes) == ["level"]
        assert vorticity.attributes["level"] == {"units": "hPa"} and not vorticity.notes
        cf_name = vorticity.attributes["vorticity"]["standard_name"]
        assert cf_name == "atmosphere_relative_vorticity"
        np.testing.assert_array_equal([vorticity.values, divergence.values], expected.vrtdiv())
        assert w.u.names == ("u",) and w.magnitude().names == ("speed",)
    assert repr(w) == "Wind((3, 9, 16) on MWSS(L=8, n_phi=16); L=8; radius 6.3712e+06 m)"
    eastward, _ = w.gradient(vorticity, truncation=3)
    assert eastward.names == ("zonal_gradient_of_vorticity",) and eastward.units == ("s-1 m-1",)
    expected = expected.gradient(vorticity.values, truncation=3)[0]
    np.testing.assert_array_equal(eastward.values, expected)
    assert w.truncate(vorticity, 3).names == ("vorticity",)
    T5 = w.truncate(vorticity, 5)
    assert_close(w.truncate(T5).values, T5.values)


def test_all_quantities_of_a_map(rng):
    w = fields.Wind(a_map(rng))
    default = w.to_map()
    assert default.names == (
        ("vorticity", "divergence", "streamfunction", "velocity_potential")
        + ("u_chi", "v_chi", "u_psi", "v_psi", "kinetic_energy")
    )
    assert default.units[2] == "m2 s-1" and default.axes["level"].tolist() == [200, 500, 850]
    assert_close(default["vorticity"].values, w.vorticity().values)
    assert_close(default["v_psi"].values, w.nondivergentcomponent()[1].values)
    every = w.to_map(*QUANTITIES, truncation=4, omega=1.0)
    assert every.names == tuple(QUANTITIES)
    assert_close(every["rossby_wave_source"].values, w.rossbywavesource(4, 1.0).values)
    assert w.to_map("speed").names == ("speed",)
    of_arrays = fields.Wind(*w.to_map("u", "v").values, "mwss:8").to_map("u_chi")
    assert list(of_arrays.axes) == ["axis_0"]
    with pytest.raises(ValueError, match="unknown: 'psi'; expected u, v, speed"):
        w.to_map("psi")
    with pytest.raises(ValueError, match="names has u more than once"):
        w.to_map("u", "u")


@pytest.mark.parametrize(
    "unit, factor", [("knots", 1852 / 3600), ("km/h", 1 / 3.6), ("cm s-1", 0.01)]
)
def test_units_of_velocity(unit, factor, rng):
    both = a_map(rng, unit)
    w = fields.Wind(both)
    assert w.u.units == ("m s-1",)
    assert_close(w.u.values, factor * both["u"].values)
    expected = fields.Wind(*(factor * both.values), "mwss:8").vorticity()
    assert_close(w.vorticity().values, expected)


def test_winds_by_their_standard_names(rng):
    attributes = {"a": {"standard_name": "northward_wind"}, "b": {"standard_name": "eastward_wind"}}
    both = a_map(rng, names=("a", "b"), attributes=attributes)
    with pytest.warns(UserWarning, match="pole is not one vector"):
        expected = fields.Wind(both.values[1], both.values[0], "mwss:8").vorticity()
    np.testing.assert_array_equal(fields.Wind(both).vorticity().values, expected)
    with pytest.raises(ValueError, match="u is a, the northward component.*exchange them"):
        fields.Wind(both["a"], both["b"])


def test_a_map_without_units(rng):
    both = a_map(rng, "")
    w = fields.Wind(both["u"], both["v"])
    assert w.vorticity().notes == ("no unit is stated; u and v are taken as m/s",)
    assert w.vorticity().units == ("s-1",)


def test_notes_of_poles(rng):
    both = a_map(rng)
    values = both.values.copy()
    values[0, 1, -1] = 0.5  # u = const, v = 0 at the south pole, in one level
    values[1, 1, -1] = 0
    w = fields.Wind(io.Map(values, both.grid, both.names, both.units, both.axes))
    (note,) = w.divergence().notes
    percent = 50 / np.sqrt(np.mean(values[0, 1] ** 2 + values[1, 1] ** 2))
    assert f"the wind at the south pole is not one vector, by {percent:.2g} % of the rms" in note
    assert_one_vector(*(x.values[1] for x in w.irrotationalcomponent()), both.grid)


@needs_xarray
def test_data_arrays(rng):
    """Latitudes from south to north, longitudes from -180 degrees, and time as the last dimension."""
    import xarray

    _, *components = samples(8, "mwss:8", rng, (2,))
    lat, lon = np.linspace(-90, 90, 9), np.arange(-180, 180, 22.5)
    coordinates = {"lat": lat, "lon": lon, "time": [0, 1]}
    dims = ("lat", "lon", "time")

    def in_order(f):
        return np.moveaxis(np.roll(f[:, ::-1], 8, axis=-1), 0, -1)

    u, v = (
        xarray.DataArray(in_order(f), coordinates, dims, name, {"units": "m s**-1"})
        for name, f in zip("uv", components, strict=True)
    )
    w = fields.Wind(u, v)
    expected = fields.Wind(*components, "mwss:8").vorticity()
    vorticity = w.vorticity()
    assert isinstance(vorticity, xarray.DataArray) and vorticity.dims == dims
    assert vorticity.attrs["units"] == "s-1" and vorticity.name == "vorticity"
    np.testing.assert_array_equal(vorticity.lat, lat)
    np.testing.assert_array_equal(vorticity.lon, lon)
    assert_close(vorticity.values, in_order(expected))
    reordered = fields.Wind(u, v.transpose("time", "lon", "lat")[..., ::-1]).vorticity()
    np.testing.assert_array_equal(reordered.values, vorticity.values)
    both = fields.Wind(xarray.Dataset({"u": u, "v": v}))
    np.testing.assert_array_equal(both.vorticity(), vorticity)
    assert isinstance(both.vorticity(), xarray.DataArray) and both.vorticity().name == "vorticity"
    assert [x.name for x in both.vrtdiv()] == ["vorticity", "divergence"]
    assert len(io.to_xarray(both.to_map())) == 9
    with pytest.raises(ValueError, match="other coordinates on the axis time"):
        fields.Wind(u, v.assign_coords(time=[1, 2]))


def test_real_winds():
    """ERA-Interim: both parts are the wind but for the degrees that its grid does not determine."""
    both = io.read(real_file("atmosphere", "eraint_uvz.nc"), field=["u", "v"])
    w = fields.Wind(both)
    results = w.to_map(*QUANTITIES)
    assert results.axes.keys() == both.axes.keys() and not any(
        "pole" in note for note in results.notes
    )
    residual = results["u_chi"].values + results["u_psi"].values - both["u"].values
    assert np.sqrt(np.mean(residual**2)) < 0.01 * np.sqrt(np.mean(both["u"].values ** 2))
    spectrum = w.kinetic_energy_spectrum()
    assert (spectrum.rotational.sum(-1) > 10 * spectrum.divergent.sum(-1)).all()


# --- refusals -------------------------------------------------------------------------------------


def refused_arrays(u, v):
    """(arguments, options, error, words)."""
    grid = "mwss:8"
    missing, infinite, filled = u.copy(), u.copy(), u.copy()
    missing[1, 2], infinite[1, 2], filled[1, 2] = np.nan, np.inf, 9.96921e36
    hidden = np.ma.masked_array(u, np.arange(u.size).reshape(u.shape) == 7)
    return [
        ((u, v), {}, TypeError, "^grid is required.*the grid of u.*grid="),
        ((u, None, grid), {}, TypeError, "v is missing"),
        ((u, u, grid), {}, ValueError, "same object"),
        ((u, v[0], grid), {}, ValueError, "v has shape"),
        ((u, np.stack([v, v]), grid), {}, ValueError, "expected the same samples"),
        ((u.T, v.T, grid), {}, ValueError, "exchange longitude and latitude"),
        ((u, v, np.linspace(90, -90, 9)), {}, TypeError, "the grid is a ndarray.*LatLon"),
        ((1j * u, v, grid), {}, TypeError, "u is complex"),
        ((missing, v, grid), {}, ValueError, "1 of 144 samples of u are missing.*fields.fill"),
        ((u, infinite, grid), {}, ValueError, "1 of 144 samples of v are infinite.*fields.fill"),
        ((filled, v, grid), {}, ValueError, "1 of 144 samples of u exceed"),
        ((np.where(u == u[1, 2], -1.6375e30, u), v, grid), {}, ValueError, "1 of 144.*missing"),
        ((hidden, v, grid), {}, TypeError, "u .*mask"),
        ((u * astropy.units.K, v, grid), {}, TypeError, "u .*unit K"),
        ((u, v, grid), dict(radius=6371), ValueError, r"radius is 6371.*in km\? pass 6371e3"),
        ((u, v, grid), dict(radius=0.0), ValueError, "radius is 0"),
        ((u, v, grid), dict(L=9), ValueError, "9"),
        ((u, v, grid), dict(L=1), ValueError, "spin 1"),
        ((u, v, grid), dict(max_iter=0), ValueError, "max_iter is 0"),
        ((u, v, grid), dict(method="fit"), ValueError, "method is 'fit'"),
    ]


@pytest.mark.parametrize("number", range(20))
def test_refused_arrays(number, rng):
    _, u, v = samples(8, "mwss:8", rng)
    arguments, options, error, words = refused_arrays(u, v)[number]
    with pytest.raises(error, match=words):
        fields.Wind(*arguments, **options).vorticity()


def test_refused_arguments_of_functions(rng):
    _, u, v = samples(8, "mwss:8", rng)
    w = fields.Wind(u, v, "mwss:8")
    for truncation, error in ((-1, ValueError), (2.0, TypeError)):
        for call in (
            w.vorticity,
            w.helmholtz,
            lambda t: w.gradient(u, t),
            lambda t: w.truncate(u, t),
        ):
            with pytest.raises(error, match="truncation is"):
                call(truncation)
    with pytest.raises(ValueError, match="omega is nan"):
        w.planetaryvorticity(np.nan)
    with pytest.raises(ValueError, match="chi is on .*GL.*the wind on .*MWSS"):
        w.gradient(io.Map(np.zeros((8, 15)), "gl:8", "T"))


def test_refused_maps(rng):
    both = a_map(rng)
    u, v = both
    other = io.Map(np.zeros((3, 8, 15)), "gl:8", "v", "m s-1", both.axes, frame="geographic")
    kelvin = io.Map(v.values, v.grid, "v", "K", v.axes, frame="geographic")
    unstated = io.Map(v.values, v.grid, "v", "", v.axes, frame="geographic")
    galactic = io.Map(v.values, v.grid, "v", "m s-1", v.axes, frame="galactic")
    levels = io.Map(v.values, v.grid, "v", "m s-1", {"level": [1, 2, 3]}, frame="geographic")
    for second, words in (
        (other, "both need the same grid.*regrid"),
        (kelvin, r"v \(v\): the unit is 'K'; expected one of velocity"),
        (unstated, "u has the unit 'm s-1', v ''"),
        (galactic, "frame 'geographic', v in 'galactic'"),
        (levels, "other coordinates on the axis level"),
        (v.select(level=500), r"u has the axes \(level\), v \(\)"),
        (both["u"], "u is passed as u and as v"),
        (both, "v has the fields u, v; expected one"),
    ):
        with pytest.raises(ValueError, match=words):
            fields.Wind(u, second)
    with pytest.raises(ValueError, match="u is v, the northward component"):
        fields.Wind(v, u)
    with pytest.raises(ValueError, match="with 0 winds; expected one pair"):
        fields.Wind(u)
    with pytest.raises(TypeError, match="u is a Map, v is an array"):
        fields.Wind(u, v.values, v.grid)
    with pytest.raises(TypeError, match="u is a Map, which has its grid"):
        fields.Wind(u, v, both.grid)


def test_latitudes_and_longitudes(rng):
    """The grid of arrays by its latitudes and longitudes."""
    grid = from_latlon(np.linspace(90, -90, 9), np.arange(16) * 22.5)
    _, u, v = samples(8, grid, rng)
    assert_close(fields.Wind(u, v, grid).vorticity(), fields.Wind(u, v, "mwss:8").vorticity())


def test_grids_of_other_software_in_the_book():
    """The grids that the tables of windspharm, torch-harmonics and CDO name."""
    n, n_phi = 73, 144
    grid = CC(n - 1, n_theta=n, n_phi=n_phi)
    assert grid.shape == (n, n_phi) == as_grid("mwss:72").shape
    np.testing.assert_allclose(grid.theta, as_grid("mwss:72").theta, rtol=0, atol=IDENTITY)
    cells = as_grid("dh:180,n_theta=180,n_phi=360")  # r360x180 of CDO
    assert cells.shape == (180, 360)
    np.testing.assert_allclose(90 - np.degrees(cells.theta), np.arange(89.5, -90, -1), atol=CHAIN)
    np.testing.assert_allclose(np.degrees(cells.phi), np.arange(360), atol=CHAIN)


@pytest.mark.parametrize("m", [0, 3, 4, 7])
def test_the_last_degree_of_gaussian_grids(m, rng):
    """Degree n - 1 of n latitudes, of which windspharm omits the even orders."""
    mode = np.zeros(64, complex)
    mode[56 + m] = 1
    mode[56 - m] = (-1) ** m
    f = spherekit.inverse(
        conventions.eb_to_spin(0 * mode, mode, spin=1), 8, spin=1, sampling="gl:8"
    )
    expected = spherekit.inverse(-np.sqrt(56.0) * mode, 8, sampling="gl:8", reality=True)
    w = fields.Wind(f.imag, -f.real, "gl:8", radius=1)
    assert_close(w.vorticity(), expected)
    lower = fields.Wind(f.imag, -f.real, "gl:8", radius=1, L=7)
    assert np.abs(lower.vorticity()).max() < IDENTITY * np.abs(expected).max()
