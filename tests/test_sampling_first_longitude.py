"""Grids whose first longitude is not 0, and DH grids of few rings, with everything that accepts a grid.

The transforms themselves are compared with the definitions in test_harmonic_definitions.py.
"""

import math
from functools import partial

import numpy as np
import pytest
from tolerances import ANALYSIS, CHAIN, IDENTITY

import spherekit as sk
from spherekit import scattering, spectra, wigner
from spherekit.harmonic import synthesis_operator
from spherekit.plot.projection import nearest_sample
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, RotationGrid
from spherekit.testing import assert_adjoint, assert_gradient, random_flm, random_flmn
from spherekit.wavelets import Wavelets

L = 8
KINDS = MW, MWSS, DH, DHPole, GL, CC
GRIDS = [
    *(kind(L, phi0=2.1 / L) for kind in KINDS),
    DH(L, n_theta=L, n_phi=2 * L, phi0=math.pi / (2 * L)),
    DH(L, n_theta=L + 3),
    CC(L, L + 1, phi0=0.1),
    GL(L + 2, 40, phi0=0.15),
]


@pytest.fixture(params=GRIDS, ids=repr)
def grid(request):
    return request.param


def near(a, b, tolerance=IDENTITY):
    return np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (2, False), (-1, False)])
@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_samples_are_values_at_the_directions_of_the_grid(grid, spin, reality, shape, rng):
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=shape)
    theta, phi = np.meshgrid(grid.theta, grid.phi, indexing="ij")
    f = sk.inverse(flm, L, spin=spin, sampling=grid, reality=reality)
    values = sk.evaluate(flm, theta, phi, spin=spin, reality=reality)
    assert near(f.reshape(values.shape), values)
    assert near(sk.forward(f, L, spin=spin, sampling=grid, reality=reality), flm)


def test_adjoints_and_gradients(grid, rng):
    options = dict(L=L, spin=1, sampling=grid)
    flm = random_flm(L, rng, spin=1)
    f = rng.standard_normal(grid.shape) + 1j * rng.standard_normal(grid.shape)
    for forward, adjoint, x, y in (
        (sk.inverse, sk.inverse_adjoint, flm, f),
        (sk.forward, sk.forward_adjoint, f, flm),
    ):
        assert_adjoint(partial(forward, **options), partial(adjoint, **options), x, y)
    assert_gradient(partial(sk.inverse, **options), flm)
    assert_gradient(partial(sk.forward, **options), f)


def test_first_longitude_zero_is_the_same_grid(rng):
    for kind in KINDS:
        plain, stated = kind(L), kind(L, phi0=0)
        assert plain == stated and hash(plain) == hash(stated) and repr(plain) == repr(stated)
        f = rng.standard_normal(plain.shape)
        same = [sk.forward(f, L, sampling=one, reality=True) for one in (plain, stated)]
        assert np.array_equal(*same)


@pytest.mark.parametrize("bad", [-0.1, 2 * math.pi / 15, 7.0])
def test_first_longitudes_beyond_a_step_are_refused(bad):
    with pytest.raises(ValueError, match="phi0 is .*first of 15 columns"):
        MW(8, phi0=bad)


def test_a_grid_with_fast_columns_starts_where_it_did_or_at_0():
    assert MW(8, 16, phi0=0.1).quick() == MW(8, 16, phi0=0.1)
    assert MW(64, phi0=0.001).quick() == MW(64, 128)


def test_invalid_input_is_refused_as_without(rng):
    grid = MW(4, phi0=0.2)
    flm = random_flm(4, rng)
    flm[3] = np.inf
    with pytest.raises(ValueError, match="1 coefficients of 16 are NaN or"):
        sk.inverse(flm, 4, sampling=grid)
    f = np.zeros(grid.shape, np.float32)
    f[0, :2] = np.nan, -1.6375e30
    with pytest.raises(ValueError, match="1 samples are NaN or infinite and 1 are UNSEEN, of 28"):
        sk.forward(f, 4, sampling=grid, reality=True)
    with pytest.raises(ValueError, match="break the symmetry"):
        sk.inverse(random_flm(4, rng), 4, sampling=grid, reality=True)


def test_least_squares(grid, rng):
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    mask = np.ones(grid.shape, bool)
    mask[3] = False
    fitted, residual = sk.analyse(
        f, L - 1, sampling=grid, reality=True, mask=mask, tol=1e-12, max_iter=500
    )
    best = _least_squares_by_matrix(f, mask, grid)
    assert residual.converged and near(fitted, best, ANALYSIS)


def _least_squares_by_matrix(f, mask, grid):
    theta, phi = np.meshgrid(grid.theta, grid.phi, indexing="ij")
    columns = sk.evaluate(np.eye((L - 1) ** 2, dtype=complex), theta[mask], phi[mask])
    return np.linalg.lstsq(columns.T, f[mask].astype(complex), rcond=None)[0]


def test_the_operator_of_least_squares(grid, rng):
    operator = synthesis_operator(L, sampling=grid)
    flm = random_flm(L, rng)
    assert near(operator.matvec(flm), sk.inverse(flm, L, sampling=grid).ravel())


def test_wavelets_and_scattering(grid, rng):
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    wavelets = Wavelets(L, N=2, sampling=grid, reality=True)
    scaling, maps = wavelets.analysis(f)
    expected = wavelets.analysis_flm(flm)
    assert near(scaling, expected[0], CHAIN)
    assert all(near(a, b, CHAIN) for a, b in zip(maps, expected[1], strict=True))
    assert near(wavelets.synthesis(scaling, maps), f, CHAIN)
    network = scattering.Scattering(L, J0=1, N=2, sampling=grid, reality=True)
    assert near(network(f), network.from_flm(flm), CHAIN)


def test_masked_spectra_and_dipoles(grid, rng):
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    ones = np.ones(grid.shape)
    assert near(spectra.masked_flm(f, L, ones, sampling=grid, reality=True), flm, CHAIN)
    theta, phi = np.meshgrid(grid.theta, grid.phi, indexing="ij")
    signal = 5 + 2 * np.sin(theta) * np.sin(phi)
    cleaned = spectra.remove_monopole_dipole(signal, sampling=grid)[0]
    assert near(cleaned, np.zeros(grid.shape), CHAIN)


def test_rotations_of_maps(grid, rng):
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    angles = 0.3, 0.7, -1.1
    rotated = wigner.rotate_map(f, L, *angles, sampling=grid, reality=True)
    expected = sk.inverse(wigner.rotate(flm, *angles), L, sampling=grid, reality=True)
    assert near(rotated, expected, CHAIN)


def test_plots_take_the_nearest_sample(grid):
    theta, phi = np.meshgrid(grid.theta, grid.phi, indexing="ij")
    between = (theta > 0) & (theta < np.pi)
    nearest = nearest_sample(grid, theta[between], phi[between])
    assert np.array_equal(nearest, np.arange(theta.size).reshape(theta.shape)[between])


def test_rotation_grids_start_at_0(grid):
    if grid.phi0:
        with pytest.raises(ValueError, match="first angle alpha is 0"):
            RotationGrid(L, 2, grid)
        with pytest.raises(ValueError, match="first angle alpha is 0"):
            wigner.inverse(np.zeros((3, L * L), complex), L, 2, sampling=grid)
    else:
        assert RotationGrid(L, 2, grid).sphere == grid


def test_memory_includes_the_phases():
    plain, shifted = (sk.estimate_memory(64, sampling=GL(64, phi0=phi0)) for phi0 in (0.0, 0.01))
    assert plain < shifted < 2 * plain


@pytest.mark.parametrize("n_theta", [L, L + 3, 2 * L - 1])
@pytest.mark.parametrize("engine", ["precomputed", "by_order", "auto"])
@pytest.mark.parametrize("reality", [True, False])
def test_rotation_group_on_few_rings(n_theta, engine, reality, rng):
    flmn = random_flmn(L, 3, rng, reality=reality)
    options = dict(sampling=DH(L, n_theta=n_theta), reality=reality, engine=engine)
    f = wigner.inverse(flmn, L, 3, **options)
    assert near(wigner.forward(f, L, 3, **options), flmn, CHAIN)
