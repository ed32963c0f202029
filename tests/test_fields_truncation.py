"""Truncation and its tapers: against the definition, and windspharm's reference data."""

import importlib.util

import numpy as np
import pytest
from helpers.data import real_file
from tolerances import CHAIN, COMMAND_SAMPLES, SHORT_SUM, SINGLE_VALUES

import spherekit
from spherekit import fields, io
from spherekit.testing import assert_gradient, random_flm


def samples(L, grid, rng, spin=0, shape=()):
    """Coefficients of a signal of unit rms, and its samples."""
    flm = random_flm(L, rng, spin=spin, reality=spin == 0, shape=shape)
    flm *= np.sqrt(4 * np.pi) / L
    f = spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=spin == 0)
    return flm, f


def tapers(L):
    """The arguments and the definition of each taper."""
    ell = np.arange(L)
    n = np.sqrt(0.25 + L * (L - 1) / np.sqrt(-np.log(0.3))) - 0.5  # b = 1/e at degree n, order 2
    return [
        (dict(), np.ones(L)),
        (dict(taper="exponential"), 0.1 ** (ell * (ell + 1) / (L * (L - 1)))),
        (
            dict(taper="exponential", order=2, edge=0.3),
            np.exp(-((ell * (ell + 1) / (n * (n + 1))) ** 2)),
        ),
        (dict(taper="cosine"), np.cos(np.pi * ell / (2 * L)) ** 2),
        (dict(taper=1 / (1 + np.arange(L + 3))), 1 / (1 + ell)),
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("grid", ["mw:16", "gl:16", "cc:16", "mwss:16"])
@pytest.mark.parametrize("spin", [0, 1, 2])
def test_coefficients_are_tapered(grid, spin, number, rng):
    arguments, window = tapers(9)[number]
    flm, f = samples(16, grid, rng, spin, shape=(2,))
    result = fields.truncate(f, 9, sampling=grid, spin=spin, **arguments)
    flm = flm[:, :81] * np.repeat(window, 2 * np.arange(9) + 1)
    expected = spherekit.inverse(flm, 9, spin=spin, sampling=grid, reality=spin == 0)
    np.testing.assert_allclose(result, expected, rtol=0, atol=CHAIN)


@pytest.mark.parametrize("spin", [0, 2])
def test_higher_degrees_do_not_leak_on_healpix(spin, rng):
    flm, f = samples(20, "healpix:16", rng, spin)
    result = fields.truncate(f, 8, sampling="healpix:16", spin=spin)
    expected = spherekit.inverse(flm[:64], 8, spin=spin, sampling="healpix:16", reality=spin == 0)
    np.testing.assert_allclose(result, expected, rtol=0, atol=COMMAND_SAMPLES)


@pytest.mark.parametrize("kind, grid", [("regular", "mwss:72"), ("gaussian", "gl:72,n_phi=144")])
def test_windspharm(kind, grid):
    """T21: the degrees <= 21 of the vorticity."""
    vorticity, truncated = (
        np.squeeze(np.load(real_file("atmosphere", f"windspharm_{kind}", f"{name}.ref.npy")))
        for name in ("vrt", "vrt_trunc")
    )
    result = fields.truncate(vorticity, 22, sampling=grid)
    assert np.abs(result - truncated).max() < SINGLE_VALUES * np.abs(truncated).max()


def test_windspharm_itself():
    """The difference is the precision of spharm, which computes in float32."""
    if importlib.util.find_spec("windspharm") is None:
        pytest.skip("windspharm is not installed; it needs spharm, which is compiled from Fortran")
    from windspharm.standard import VectorWind

    file = real_file("atmosphere", "windspharm_regular", "vrt.ref.npy")
    vorticity = np.squeeze(np.load(file)).astype(float)
    column = vorticity[..., None]
    wind = VectorWind(0 * column, 0 * column)
    for truncation in (0, 5, 42, 71):
        expected = np.squeeze(wind.truncate(column, truncation))
        result = fields.truncate(vorticity, truncation + 1, sampling="mwss:72")
        assert np.abs(result - expected).max() < 1e-5 * np.abs(vorticity).max()


def test_the_last_degree_is_the_grid(rng):
    _, f = samples(16, "gl:16", rng)
    np.testing.assert_allclose(fields.truncate(f, 16, sampling="gl:16"), f, rtol=0, atol=CHAIN)
    mean = fields.truncate(f, 1, sampling="gl:16", taper="exponential")
    assert np.ptp(mean) < SHORT_SUM


def test_maps(rng):
    _, f = samples(16, "gl:16", rng)
    _, wind = samples(16, "gl:16", rng, 1)
    values = np.stack([f, wind.imag, -wind.real])
    sky = io.Map(values, "gl:16", ("T", "u", "v"), ("K", "m/s", "m/s"))
    result = fields.truncate(sky, 7, taper="cosine")
    expected = fields.truncate(wind, 7, sampling="gl:16", spin=1, taper="cosine")
    np.testing.assert_array_equal(result.values[1], expected.imag)
    np.testing.assert_array_equal(result.values[2], -expected.real)
    assert result.names == sky.names and result.units == sky.units
    assert result.notes[-1] == "truncated to the degrees < 7, cosine"


def test_gradients(rng):
    _, f = samples(6, "mw:6", rng)
    assert_gradient(lambda f: (fields.truncate(f, 4, sampling="mw:6") ** 3).sum(), f)


@pytest.mark.parametrize(
    "options, error, words",
    [
        (dict(taper="hann"), ValueError, "taper is 'hann'; expected 'exponential' or 'cosine'"),
        (dict(taper=np.ones(3)), ValueError, r"taper has dtype float64 and shape \(3,\)"),
        (dict(taper=np.full(4, np.nan)), ValueError, "taper contains NaN"),
        (dict(order=3), TypeError, "order is passed without taper"),
        (dict(taper="cosine", edge=0.1), TypeError, "edge is passed without taper"),
        (dict(taper=np.ones(8), order=1), TypeError, "order is passed without taper"),
        (dict(taper="exponential", order=0), ValueError, "order is 0"),
        (dict(taper="exponential", order=1.5), TypeError, "order is .*integer"),
        (dict(taper="exponential", edge=1.0), ValueError, "edge is 1.0"),
        (dict(taper="exponential", edge=np.nan), ValueError, "edge is nan"),
        (dict(L=9), ValueError, "9"),
        (dict(L=0), ValueError, "L is 0"),
        (dict(sampling=None), TypeError, "sampling is required"),
    ],
)
def test_refused_arguments(options, error, words):
    with pytest.raises(error, match=words):
        fields.truncate(**{"f": np.zeros((8, 15)), "L": 4, "sampling": "mw:8", **options})
