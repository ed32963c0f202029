"""Analysis by iteration: exact where it can be, honest about the residual where it cannot."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import ANALYSIS, CHAIN, IDENTITY, LAST_PLACES, SHORT_SUM

import spherekit as sk
from spherekit._core import scaling
from spherekit.conventions import from_real, to_real
from spherekit.harmonic import least_squares, synthesis_operator
from spherekit.sampling import DH, HEALPix, Rings
from spherekit.testing import assert_adjoint, random_flm


@pytest.mark.parametrize("method", ["lsq", "jacobi"])
@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (2, False), (-1, False)])
def test_healpix_is_recovered(spin, reality, method, rng):
    L, grid = 12, HEALPix(8)
    flm = random_flm(L, rng, spin=spin, reality=reality)
    f = sk.inverse(flm, L, spin=spin, sampling=grid, reality=reality)
    options = dict(spin=spin, sampling=grid, reality=reality, method=method, tol=1e-12)
    back, residual = sk.analyse(f, L, **options)
    assert np.abs(back - flm).max() < ANALYSIS
    assert residual.converged and residual.relative < ANALYSIS


def test_mask_hides_bad_pixels(rng):
    L, grid = 8, HEALPix(8)
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    mask = grid.theta > 0.6
    f[~mask] = np.nan
    f[0] = -1.6375e30
    with pytest.raises(ValueError, match="mask"):
        sk.analyse(f, L, sampling=grid, reality=True)
    back, residual = sk.analyse(f, L, sampling=grid, reality=True, mask=mask, tol=1e-13)
    # A mask worsens the condition.
    assert np.abs(back - flm).max() < 1e-7
    assert residual.relative < ANALYSIS
    with pytest.raises(ValueError, match="lsq"):
        sk.analyse(f, L, sampling=grid, reality=True, mask=mask, method="jacobi")
    with pytest.raises(ValueError, match="shape"):
        sk.analyse(f, L, sampling=grid, reality=True, mask=mask[:-1])


def test_too_high_a_band_limit_warns(rng):
    with pytest.warns(UserWarning, match="3 nside"):
        sk.analyse(rng.standard_normal(48), 8, sampling="healpix:2", reality=True, max_iter=3)


@pytest.mark.parametrize("reality", [True, False])
def test_operator_is_the_adjoint_of_itself(reality, rng):
    rings = Rings([0.2, 1.0, 1.9, 2.8], [5, 9, 9, 4])
    A = synthesis_operator(5, sampling=rings, reality=reality, mask=np.arange(27) % 4 > 0)
    x, y = (rng.standard_normal(n) + (0 if reality else 1j) for n in A.shape[::-1])
    assert_adjoint(A.matvec, A.rmatvec, x, y)


@pytest.mark.parametrize("method", ["lsq", "jacobi"])
def test_progress_is_told_at_each_iteration(method, rng):
    grid, told = HEALPix(4), []
    f = rng.standard_normal(grid.shape)
    how = dict(sampling=grid, reality=True, method=method)
    _, residual = sk.analyse(f, 6, progress=told.append, **how)
    assert told and told == list(range(1, len(told) + 1))
    assert len(told) <= residual.iterations + 1


def test_an_analysis_too_large_is_refused_with_the_number(monkeypatch, rng):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e4")
    with pytest.raises(MemoryError, match="analyzing a map at L=6 needs about"):
        sk.analyse(rng.standard_normal(192), 6, sampling="healpix:4", reality=True)


# --- units ----------------------------------------------------------------------------------------

RINGS = Rings(np.linspace(0.1, 3.0, 14), np.r_[5, np.full(12, 17), 6])
#: Samples of every kind: (grid, spin, reality, whether masked, method).
CASES = [
    (HEALPix(8), 0, True, False, "lsq"),
    (HEALPix(8), 0, True, False, "jacobi"),
    (HEALPix(8), 0, True, True, "lsq"),
    (HEALPix(8), 0, False, True, "lsq"),
    (HEALPix(8), 2, False, False, "jacobi"),
    (HEALPix(8), -1, False, True, "lsq"),
    (RINGS, 0, True, False, "lsq"),
    (RINGS, 1, False, True, "lsq"),
    (DH(10), 0, True, True, "lsq"),
    ("mw", 0, False, False, "lsq"),
]
BAND = 8


def noisy(grid, spin, reality, masked, rng, L=BAND):
    """(samples of a signal and noise, the options of `analyse` that go with them)."""
    flm = random_flm(L, rng, spin=spin, reality=reality)
    f = sk.inverse(flm, L, spin=spin, sampling=grid, reality=reality)
    f = f + 0.1 * rng.standard_normal(f.shape)
    options = dict(spin=spin, sampling=grid, reality=reality)
    if masked:
        options["mask"] = rng.random(f.shape) < 0.8
    return f, options


@pytest.mark.parametrize("grid, spin, reality, masked, method", CASES)
@settings(max_examples=12, deadline=None)
@given(
    exponent=st.integers(-990, 990),
    decimal=st.floats(-299, 299),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_unit_does_not_matter(grid, spin, reality, masked, method, exponent, decimal, seed):
    f, options = noisy(grid, spin, reality, masked, np.random.default_rng(seed))
    f = np.where(np.abs(f) < 1e-3, 1e-3, f)  # the smallest sample too stays a normal number
    flm, residual = sk.analyse(f, BAND, method=method, **options)
    scaled, same = sk.analyse(scaling.ldexp(f, exponent), BAND, method=method, **options)
    assert np.array_equal(scaled, scaling.ldexp(flm, exponent)) and same == residual
    scaled, like = sk.analyse(10.0**decimal * f, BAND, method=method, **options)
    assert np.abs(scaled / 10.0**decimal - flm).max() < IDENTITY * np.abs(flm).max()
    assert np.isclose(like.relative, residual.relative, rtol=CHAIN, atol=0)
    assert like[1:3] == residual[1:3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("factor", [2.0**-100, 2.0**110])  # no coefficient is subnormal
def test_the_unit_does_not_matter_in_any_precision(dtype, factor, rng):
    grid = HEALPix(4)
    f = (1 + rng.random(grid.shape)).astype(dtype)
    options = dict(sampling=grid, reality=not np.iscomplexobj(f))
    flm, residual = sk.analyse(f, 6, **options)
    scaled, same = sk.analyse((f * factor).astype(dtype), 6, **options)
    assert np.array_equal(scaled, flm * factor) and same == residual


@pytest.mark.parametrize("method, masked", [("lsq", False), ("lsq", True), ("jacobi", False)])
@pytest.mark.parametrize("grid", [HEALPix(8), RINGS, DH(10)], ids=repr)
@settings(max_examples=10, deadline=None)
@given(
    constant=st.floats(-1e8, 1e8),
    reality=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_constant_changes_degree_0_alone(grid, method, masked, constant, reality, seed):
    if grid is RINGS and method == "jacobi":
        return  # its weights are no quadrature
    f, options = noisy(grid, 0, reality, masked, np.random.default_rng(seed))
    constant = constant if reality else (1 - 2j) * constant
    rounding = 4e-16 * abs(constant)
    flm, residual = sk.analyse(f, BAND, method=method, **options)
    moved, like = sk.analyse(f + constant, BAND, method=method, **options)
    change = moved - flm
    change[0] -= np.sqrt(4 * np.pi) * constant
    # samples rounded by 1e-16 of the constant, times the condition of the problem
    assert np.abs(change).max() < 50 * rounding + 1e-7 * np.abs(flm[1:]).max()
    assert np.isclose(like.relative, residual.relative, rtol=1e-6 + 1e3 * rounding)
    assert like.converged and residual.converged


def test_a_monopole_does_not_hide_the_structure(rng):
    """The fault that was seen: 1.4 % of a structure of 1 lost beside a monopole of 1e8."""
    L, grid = 24, HEALPix(16)
    flm = random_flm(L, rng, reality=True)
    f = sk.inverse(flm, L, sampling=grid, reality=True)
    for mask in (None, np.abs(np.cos(grid.theta)) > 0.05):
        options = dict(sampling=grid, reality=True, mask=mask)
        plain, _ = sk.analyse(f, L, **options)
        moved, residual = sk.analyse(f + 1e8, L, **options)
        assert np.abs(moved - plain)[1:].max() < 1e-6
        assert residual.relative < 1e-4


@pytest.mark.parametrize("amplitude", [3e2, 1e6])
def test_a_dipole_changes_degree_1_alone(amplitude, rng):
    L, grid = 16, HEALPix(16)
    flm = random_flm(L, rng, reality=True)
    dipole = np.zeros(L * L, complex)
    dipole[:4] = from_real(amplitude * np.array([0.0, 0.3, -0.5, 0.8]))
    options = dict(sampling=grid, reality=True)
    plain, residual = sk.analyse(sk.inverse(flm, L, **options), L, **options)
    moved, like = sk.analyse(sk.inverse(flm + dipole, L, **options), L, **options)
    assert residual.converged and like.converged
    assert np.abs(moved - plain - dipole).max() < SHORT_SUM * amplitude


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -3e8, 7e-290, 1e300])
@pytest.mark.parametrize("method", ["lsq", "jacobi"])
def test_a_constant_map_is_its_mean(value, method):
    grid = HEALPix(8)
    f = np.full(grid.shape, value)
    flm, residual = sk.analyse(f, 8, sampling=grid, reality=True, method=method)
    assert residual.converged and residual.relative < LAST_PLACES
    assert np.isclose(flm[0].real, np.sqrt(4 * np.pi) * value, rtol=SHORT_SUM, atol=0)
    assert np.abs(flm[1:]).max() <= LAST_PLACES * abs(value)


def test_a_small_cap_leaves_its_dipole_to_the_solver(rng):
    """Where degrees 0 and 1 cannot be told apart, no huge pair of them is subtracted."""
    flags = dict(L=16, spin=0, grid=HEALPix(32), reality=True, threads=1)
    mask = flags["grid"].theta < 0.12
    b = 1 + 0.1 * rng.standard_normal(np.count_nonzero(mask))
    problem = least_squares._Problem(mask, None, flags)
    first, b = least_squares._without_mean(b, problem)
    low, left = least_squares._without_low_degrees(b, problem, np.array([first, 0, 0, 0]))
    assert np.abs(low).max() < 4 and np.linalg.norm(left) <= np.linalg.norm(b)


# --- what converged means -------------------------------------------------------------------------


@pytest.mark.parametrize("tol", [1e-4, 1e-8, 1e-12])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_converged_means_what_it_says(tol, noise, rng):
    """The residual, computed anew, is small; or it is orthogonal to every signal of the band-limit."""
    L, grid = 12, HEALPix(8)
    f = sk.inverse(random_flm(L, rng, reality=True), L, sampling=grid, reality=True)
    f += noise * rng.standard_normal(f.shape)
    mask = np.abs(np.cos(grid.theta)) > 0.1
    flm, residual = sk.analyse(f, L, sampling=grid, reality=True, mask=mask, tol=tol, max_iter=1000)
    operator = synthesis_operator(L, sampling=grid, reality=True, mask=mask)
    left = f[mask] - operator.matvec(to_real(flm))
    spread = np.linalg.norm(f[mask] - f[mask].mean())
    # without noise what is left is rounding, of which two computations share the first digits alone
    assert np.isclose(residual.relative, np.linalg.norm(left) / spread, rtol=1e-3)
    largest = np.sqrt(f.size / (4 * np.pi))  # of the singular values, nearly
    gradient = np.linalg.norm(operator.rmatvec(left)) / (largest * np.linalg.norm(left))
    assert residual.converged
    assert residual.relative <= tol or gradient <= 30 * tol  # the Frobenius norm of what was seen


@pytest.mark.parametrize("method", ["lsq", "jacobi"])
def test_a_fit_that_is_cut_off_says_so(method, rng):
    grid = HEALPix(8)
    f = rng.standard_normal(grid.shape)
    _, residual = sk.analyse(
        f, 16, sampling=grid, reality=True, method=method, tol=1e-14, max_iter=2
    )
    assert not residual.converged and residual.iterations == 2


def test_jacobi_iterations_that_diverge_say_so(rng):
    """Beyond 3 nside they grow: once that was called convergence."""
    f = rng.standard_normal(192)
    with pytest.warns(UserWarning, match="3 nside"):
        flm, residual = sk.analyse(f, 16, sampling="healpix:4", reality=True, method="jacobi")
    assert np.isfinite(flm).all()
    back = sk.inverse(flm, 16, sampling="healpix:4", reality=True)
    relative = np.linalg.norm(f - back) / np.linalg.norm(f - f.mean())
    assert np.isclose(relative, residual.relative, rtol=1e-6)
    if residual.converged:
        assert np.abs(sk.forward(f - back, 16, sampling="healpix:4", reality=True)).max() < 1e-6


@pytest.mark.parametrize("name, value", [("tol", -1e-3), ("tol", np.nan), ("max_iter", 0)])
def test_bad_stopping_rules_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        sk.analyse(np.ones(192), 4, sampling="healpix:4", **{name: value})


def test_max_iter_is_a_whole_number():
    with pytest.raises(TypeError, match="max_iter"):
        sk.analyse(np.ones(192), 4, sampling="healpix:4", max_iter=2.5)


def test_coefficients_beyond_the_range_of_numbers_are_refused():
    with pytest.raises(ValueError, match="largest number"):
        sk.analyse(np.full(192, 1.7e308), 4, sampling="healpix:4", reality=True)


# --- the operator ---------------------------------------------------------------------------------


def test_the_operator_takes_the_real_harmonics_of_the_conventions(rng):
    x = rng.standard_normal(36)
    A = synthesis_operator(6, sampling="healpix:4", reality=True)
    f = sk.inverse(from_real(x), 6, sampling="healpix:4", reality=True)
    assert np.array_equal(A.matvec(x), f)
    back = sk.inverse_adjoint(f, 6, sampling="healpix:4", reality=True)
    assert np.array_equal(A.rmatvec(f), to_real(back))


def test_operators_pickle_compare_and_copy():
    mask = np.arange(192) % 3 > 0
    A = synthesis_operator(6, sampling="healpix:4", reality=True, mask=mask)
    for twin in (pickle.loads(pickle.dumps(A)), copy.deepcopy(A), copy.copy(A)):
        assert twin == A and hash(twin) == hash(A)
        assert np.array_equal(twin.matvec(np.ones(36)), A.matvec(np.ones(36)))
    assert A != synthesis_operator(6, sampling="healpix:4", reality=True)
    assert A != synthesis_operator(6, sampling="healpix:4", mask=mask)


# --- norms ----------------------------------------------------------------------------------------


@given(st.floats(-300, 300), st.floats(-300, 300))
def test_norms_and_ratios_have_no_unit(a, b):
    x, y = 10.0**a * np.array([3.0, -4.0]), 10.0**b * np.array([6.0, 8j])
    assert np.isclose(scaling.norm(x), 5 * 10.0**a, rtol=SHORT_SUM, atol=0)
    if abs(a - b) < 300:
        assert np.isclose(scaling.ratio(x, y), 0.5 * 10.0 ** (a - b), rtol=CHAIN, atol=0)


# --- weights and condition ------------------------------------------------------------------------


@pytest.mark.parametrize("grid", [HEALPix(4), RINGS, DH(10)], ids=repr)
@pytest.mark.parametrize("spin, reality", [(0, True), (0, False), (2, False)])
def test_weights_minimize_the_weighted_sum(grid, spin, reality, rng):
    """The normal equations of the dense matrix, with a mean, and weights of a mask and of noise."""
    L = 6
    f = rng.standard_normal((2, *grid.shape))
    f = 30 + f[0] if reality else 30 + f[0] + 1j * f[1]
    weights = 10 ** (2 * rng.random(grid.shape))
    weights.flat[::7] = 0
    mask = rng.random(grid.shape) < 0.9
    options = dict(spin=spin, sampling=grid, reality=reality)
    flm, residual = sk.analyse(f, L, mask=mask, weights=weights, tol=1e-13, **options)
    valid = mask & (weights > 0)
    B = synthesis_operator(L, mask=valid, **options)
    matrix = B @ np.eye(L * L)[:, spin**2 :]
    root = np.sqrt(weights[valid])
    x = np.linalg.lstsq(root[:, None] * matrix, root * f[valid], rcond=None)[0]
    x = np.r_[np.zeros(spin**2), x]
    expected = from_real(x) if reality else x
    assert np.abs(flm - expected).max() < ANALYSIS * np.abs(expected).max()
    weighted = synthesis_operator(L, mask=mask, weights=weights, **options)
    np.testing.assert_allclose(weighted.matvec(x), root * B.matvec(x), rtol=0, atol=CHAIN)
    y = root * (1 if reality else 1 + 1j)
    np.testing.assert_allclose(weighted.rmatvec(y), B.rmatvec(root * y), rtol=0, atol=CHAIN * 1e3)
    mean = np.average(f[valid], weights=weights[valid]) if spin == 0 else 0
    relative = np.linalg.norm(root * (f[valid] - B.matvec(x))) / np.linalg.norm(
        root * (f[valid] - mean)
    )
    assert residual.converged and np.isclose(residual.relative, relative, rtol=ANALYSIS)


@pytest.mark.parametrize("grid, spin, reality, masked, method", CASES[2:4] + CASES[6:9])
@pytest.mark.parametrize("factor", [2.0**900, 2.0**-1000, 1e-3, 7e80])
def test_the_scale_of_weights_does_not_matter(grid, spin, reality, masked, method, factor, rng):
    f, options = noisy(grid, spin, reality, masked, rng)
    weights = np.maximum(rng.random(f.shape), 0.1)
    flm, residual = sk.analyse(f, BAND, weights=weights, **options)
    scaled, same = sk.analyse(f, BAND, weights=factor * weights, **options)
    if np.log2(factor) % 1 == 0:
        assert np.array_equal(scaled, flm) and same == residual
    assert np.abs(scaled - flm).max() < IDENTITY * np.abs(flm).max()
    assert same[1:3] == residual[1:3]


@pytest.mark.parametrize("dtype", [bool, int, np.float32])
def test_constant_weights_are_none_and_zeros_are_a_mask(dtype, rng):
    f, options = noisy(HEALPix(8), 0, True, True, rng)
    mask = options.pop("mask")
    expected = sk.analyse(f, BAND, mask=mask, **options)
    f[~mask] = np.nan
    for result in (
        sk.analyse(f, BAND, weights=mask.astype(dtype), **options),
        sk.analyse(f, BAND, weights=0.3 * mask, **options),
        sk.analyse(f, BAND, weights=np.full(f.shape, 7.0), mask=mask, **options),
    ):
        np.testing.assert_array_equal(result[0], expected[0])
        assert result[1] == expected[1]


@pytest.mark.parametrize("L, cap", [(6, 0.0), (12, 0.4), (16, 0.8)])
@pytest.mark.parametrize("spread", [0.0, 4.0])
def test_the_condition_of_a_converged_fit(L, cap, spread, rng):
    """Within 2 % below that of the dense matrix."""
    grid = HEALPix(8)
    f, options = noisy(grid, 0, True, False, rng, L)
    options |= dict(mask=grid.theta > cap, weights=10 ** (spread * rng.random(grid.shape)))
    _, residual = sk.analyse(f, L, max_iter=400, **options)
    condition = np.linalg.cond(synthesis_operator(L, **options) @ np.eye(L * L))
    assert residual.converged
    assert 0.98 * condition < residual.condition < (1 + ANALYSIS) * condition


def test_the_condition_of_exhausted_iterations(rng):
    """Iterations after the Krylov space is exhausted do not spoil the condition number."""
    f, options = noisy(HEALPix(8), 0, True, False, rng, 4)
    _, residual = sk.analyse(f, 4, tol=0, max_iter=60, **options)
    condition = np.linalg.cond(synthesis_operator(4, **options) @ np.eye(16))
    assert np.isclose(residual.condition, condition, rtol=ANALYSIS)


@pytest.mark.parametrize(
    "weights, error, words",
    [
        (np.full(192, -1.0), ValueError, "192 of 192 weights are negative, NaN or infinite"),
        (np.r_[np.ones(191), np.nan], ValueError, "1 of 192 weights"),
        (np.r_[np.ones(191), np.inf], ValueError, "1 of 192 weights"),
        (np.r_[np.ones(191), -1.6375e30], ValueError, "1 of 192 weights"),
        (np.zeros(192), ValueError, "weights is 0 at all valid samples"),
        (np.ones(191), ValueError, "weights has shape"),
        (np.ones(192, complex), TypeError, "weights has dtype complex128"),
        (sk.io.Map(np.ones(48), "healpix:2"), ValueError, "weights is a map on"),
        ("ones", TypeError, "weights"),
    ],
)
def test_refused_weights(weights, error, words, rng):
    f = rng.standard_normal(192)
    with pytest.raises(error, match=words):
        sk.analyse(f, 4, sampling="healpix:4", reality=True, weights=weights)
    with pytest.raises(error, match=words):
        synthesis_operator(4, sampling="healpix:4", reality=True, weights=weights)


def test_weights_and_a_mask_that_exclude_each_other(rng):
    f = rng.standard_normal(192)
    mask = np.arange(192) < 96
    with pytest.raises(ValueError, match="weights is 0 at all valid samples"):
        sk.analyse(f, 4, sampling="healpix:4", mask=mask, weights=~mask)
    with pytest.raises(ValueError, match='weights is given; method="jacobi"'):
        sk.analyse(f, 4, sampling="healpix:4", method="jacobi", weights=np.ones(192))
