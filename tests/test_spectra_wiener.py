"""Wiener filter and constrained realizations, against dense matrices in the space of the samples."""

import numpy as np
import pytest
from tolerances import ANALYSIS, LAST_PLACES

import spherekit
from spherekit.conventions import eb_to_spin, from_real, to_real
from spherekit.sampling import GL, MW, HEALPix
from spherekit.spectra import Mask, constrained_realization, gaussian_flm, power, wiener_filter
from spherekit.spectra.multilevel import Nested
from spherekit.spectra.wiener import wiener_system

UNSEEN = -1.6375e30
#: A relative residual of rounding.
EXACT = 1e-11
#: What `wiener_filter` promises of each C_l at its default tolerance, relative.
SPECTRUM_ERROR = 1e-3
L = 10
ELL = np.arange(L)
CL = {
    "TT": 1e3 / (1 + ELL) ** 2.5,
    "EE": 20.0 / (1 + ELL) ** 1.5,
    "BB": 1.0 / (2 + ELL),
    "TE": 50.0 / (1 + ELL) ** 2,
    "EB": 0.3 / (1 + ELL),
}
BEAM = np.exp(-0.005 * ELL * (ELL + 1))
GRIDS = [HEALPix(8), MW(12), GL(10)]
KINDS = {"T": (0,), "QU": (2,), "TQU": (0, 2)}


def spectra(kind):
    """The spectra of the signals of a kind of map."""
    if kind == "T":
        return CL["TT"]
    return {name: cl for name, cl in CL.items() if kind == "TQU" or "T" not in name}


def covariance(kind, names):
    """The prior covariance of the real coefficients of all signals."""
    n = len(names)
    matrix = np.zeros((n, L * L, n, L * L))
    index = np.arange(L * L)
    degree = np.repeat(ELL, 2 * ELL + 1)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            cl = CL.get(a + b, CL.get(b + a, np.zeros(L)))
            lowest = 2 if {a, b} & set("EB") else 0
            matrix[i, index, j, index] = np.where(degree >= lowest, cl[degree], 0)
    return matrix.reshape(n * L * L, n * L * L)


def observe(x, kind, grid, beam):
    """Real samples (n, size) of real coefficients (n, L*L)."""
    flm = from_real(x) * np.repeat(beam, 2 * ELL + 1)
    fields = []
    if "T" in kind:
        fields.append(spherekit.inverse(flm[0], L, sampling=grid, reality=True))
    if "Q" in kind:
        spin_2 = eb_to_spin(*flm[-2:], spin=2)
        polarization = spherekit.inverse(spin_2, L, spin=2, sampling=grid)
        fields += [polarization.real, polarization.imag]
    return np.stack([f.ravel() for f in fields])


def matrix_of(kind, names, grid, beam=BEAM):
    n = len(names) * L * L
    columns = [observe(row.reshape(len(names), -1), kind, grid, beam).ravel() for row in np.eye(n)]
    return np.stack(columns, axis=1)


def problem(kind, grid, rng, noise_level=0.2):
    """(map, noise, mask, exact mean as real coefficients, exact covariance)."""
    names = "TEB" if kind == "TQU" else {"T": "T", "QU": "EB"}[kind]
    A, S = matrix_of(kind, names, grid), covariance(kind, names)
    n = len(kind)
    size = A.shape[0] // n
    noise = noise_level * (1 + rng.random((n, size)))
    theta = grid.theta[:, None] if grid.rectangular else grid.theta
    mask = np.broadcast_to(np.abs(np.cos(theta)) > 0.35, grid.shape) & (
        rng.random(grid.shape) > 0.05
    )
    root = np.linalg.cholesky(S + 1e-30 * np.eye(len(S)))
    d = A @ (root @ rng.standard_normal(len(S))) + noise.ravel() * rng.standard_normal(n * size)
    observed = np.tile(mask.ravel(), n)
    B, variance = A[observed], noise.ravel()[observed] ** 2
    gain = S @ B.T @ np.linalg.inv(B @ S @ B.T + np.diag(variance))
    mean = (gain @ d[observed]).reshape(len(names), L * L)
    samples = d.reshape(n, *grid.shape)
    f = {"T": samples[0], "QU": samples[0] + 1j * samples[-1], "TQU": samples}[kind]
    return f, noise.reshape(n, *grid.shape), mask, mean, S - gain @ B @ S


def assert_close(flm, mean, tolerance):
    x = to_real(np.atleast_2d(flm))
    assert np.abs(x - mean).max() < tolerance * np.abs(mean).max()


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_direct_solution_against_the_matrices_of_the_samples(kind, grid, rng):
    f, noise, mask, mean, _ = problem(kind, grid, rng)
    noise = noise[0] if kind == "T" else noise
    options = dict(spin=2 if kind == "QU" else 0, sampling=grid, beam=BEAM)
    flm, fit = wiener_filter(f, L, spectra(kind), noise, mask=mask, **options)
    assert fit.converged and fit.iterations == 0
    assert_close(flm, mean, ANALYSIS)


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_iterations_against_the_matrices_of_the_samples(kind, grid, rng):
    f, noise, mask, mean, _ = problem(kind, grid, rng)
    noise = noise[0] if kind == "T" else noise
    options = dict(spin=2 if kind == "QU" else 0, sampling=grid, beam=BEAM, threads=1)
    system, fields, _ = wiener_system(f, L, spectra(kind), noise, mask=mask, **options)
    b = system.right_hand_side(fields)
    solution = Nested(system, dense=80).iterate(b, 1e-13, 2000)
    assert solution.converged
    assert_close(system.signal @ solution.y, mean, ANALYSIS)


@pytest.mark.parametrize("L", [48, 64])
def test_default_tolerance_gives_the_spectrum_to_a_thousandth(L, rng):
    """Of a signal that is far above the noise at all degrees, with 40 % of the sphere masked."""
    grid = HEALPix(32)
    cl = np.zeros(L)
    cl[2:] = 1e3 / np.arange(2, L) ** 2.2
    f = spherekit.inverse(gaussian_flm(cl, L, rng), L, sampling=grid, reality=True)
    f += 0.3 * rng.standard_normal(f.shape)
    options = dict(sampling=grid, mask=np.abs(np.cos(grid.theta) - 0.1) > 0.4)
    flm, fit = wiener_filter(f, L, cl, 0.3, **options)
    exact, exact_fit = wiener_filter(f, L, cl, 0.3, tol=EXACT, max_iter=5000, **options)
    assert fit.converged and exact_fit.converged and fit.iterations < exact_fit.iterations
    error = power(flm)[2:] / power(exact)[2:] - 1
    assert np.abs(error).max() < SPECTRUM_ERROR


# --- constrained realizations ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_realizations_have_the_posterior_mean_and_covariance(kind, rng):
    grid = HEALPix(8)
    f, noise, mask, mean, covariance = problem(kind, grid, rng)
    noise = noise[0] if kind == "T" else noise
    options = dict(n=400, spin=2 if kind == "QU" else 0, sampling=grid, beam=BEAM, mask=mask)
    result = constrained_realization(f, L, spectra(kind), noise, 1, **options)
    assert_close(result.mean, mean, ANALYSIS)
    x = to_real(result.flm).reshape(400, -1) - mean.ravel()
    values, vectors = np.linalg.eigh(covariance)
    has_power = values > ANALYSIS * values[-1]
    z = (x @ vectors[:, has_power]) / np.sqrt(values[has_power])
    scores = np.concatenate([z.mean(axis=0) * 20, ((z**2).mean(axis=0) - 1) / np.sqrt(2 / 400)])
    assert np.abs(scores).max() < 5
    assert abs((z**2).mean() - 1) < 5 * np.sqrt(2 / z.size)
    correlation = z.T @ z / 400 - np.diag((z**2).mean(axis=0))
    assert np.abs(correlation).max() < 5.5 / 20


def test_realizations_have_the_spectrum_of_the_signal(rng):
    """Each sky its own data: the realization of one is again a sky of the prior."""
    grid = HEALPix(4)
    mask = np.abs(np.cos(grid.theta)) > 0.4
    total = np.zeros(L)
    for _ in range(400):
        flm = gaussian_flm(CL["TT"], L, rng)
        f = spherekit.inverse(flm, L, sampling=grid, reality=True)
        f += 2 * rng.standard_normal(f.shape)
        result = constrained_realization(f, L, CL["TT"], 2.0, rng, sampling=grid, mask=mask)
        total += power(result.flm[0])
    z = (total / 400 / CL["TT"] - 1) / np.sqrt(2 / (400 * (2 * ELL + 1)))
    assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("kind", KINDS)
def test_standard_deviation_of_the_signal_at_samples(kind, rng):
    grid = HEALPix(8)
    f, noise, mask, _, covariance = problem(kind, grid, rng)
    noise = noise[0] if kind == "T" else noise
    options = dict(n=400, spin=2 if kind == "QU" else 0, sampling=grid, beam=BEAM, mask=mask)
    skies = constrained_realization(f, L, spectra(kind), noise, 1, **options)
    deviation, error = skies.standard_deviation(grid)
    assert error == pytest.approx(1 / np.sqrt(800), rel=LAST_PLACES)
    names = "TEB" if kind == "TQU" else {"T": "T", "QU": "EB"}[kind]
    A = matrix_of(kind, names, grid, np.ones(L))
    expected = np.sqrt(np.einsum("ij,jk,ik->i", A, covariance, A)).reshape(deviation.shape)
    z = (deviation / expected - 1) / error
    assert np.abs(z).max() < 5
    assert deviation.shape == (f.shape if kind != "QU" else (2, *f.shape))


def test_standard_deviation_needs_two_realizations():
    skies = constrained_realization(np.ones(192), 4, np.ones(4), 0.1, 0, sampling="healpix:4")
    with pytest.raises(ValueError, match="1 realization has a relative error of 71 %"):
        skies.standard_deviation("healpix:4")


def test_mask_objects(rng):
    grid = HEALPix(4)
    f, weights = rng.standard_normal(192), np.clip(np.cos(grid.theta) + 0.3, 0, 1)
    options = dict(L=4, cl=np.ones(4), noise=1.0, sampling=grid)
    flm, _ = wiener_filter(f, mask=Mask(weights, 6, grid), **options)
    np.testing.assert_array_equal(flm, wiener_filter(f, mask=weights > 0, **options)[0])
    skies = [
        constrained_realization(f, rng=3, mask=mask, **options).flm
        for mask in (Mask(weights, 4, grid), weights > 0)
    ]
    np.testing.assert_array_equal(*skies)
    with pytest.raises(
        ValueError, match=r"the mask is of HEALPix\(nside=2.*, the samples are of HEALPix\(nside=4"
    ):
        wiener_filter(f, mask=Mask(np.ones(48), 4, "healpix:2"), **options)


# --- bad input ------------------------------------------------------------------------------------

PIXELS = np.ones(192)


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            dict(noise=0.0),
            "192 of 192 observed samples have a noise that is not a finite number > 0",
        ),
        (dict(noise=np.full(192, np.nan)), "noise that is not a finite number > 0"),
        (dict(noise=-1.0), "not a finite number > 0"),
        (dict(noise=np.ones(5)), r"noise has shape \(5,\)"),
        (dict(mask=np.zeros(192)), "no sample is observed"),
        (
            dict(mask=np.full(192, 0.5)),
            r"192 values that are neither 0 nor 1 \(the first is 0.5\).*pass mask > 0",
        ),
        (dict(mask=np.full(192, False)), "no sample is observed"),
        (dict(f=np.full(192, np.nan)), "no sample is observed"),
        (dict(cl=[1.0, -1.0, 1.0, 1.0]), "negative, NaN or infinite"),
        (dict(cl=np.ones(3)), "L=4 needs one axis of at least 4 values"),
        (dict(cl={"EE": np.ones(4)}), "cl has the spectra EE; expected TT"),
        (dict(cl={"TT": np.ones(4), "EE": np.ones(4)}), r"expected \(3, 192\): T, Q and U"),
        (dict(beam=np.ones(3)), "beam has shape"),
        (dict(tol=0.0), "tol is 0.0"),
        (dict(L=0), "L"),
    ],
)
def test_bad_input(changes, message):
    arguments = dict(f=PIXELS, L=4, cl=np.ones(4), noise=1.0, sampling="healpix:4") | changes
    with pytest.raises(ValueError, match=message):
        wiener_filter(**arguments)


def test_types_of_samples():
    options = dict(L=4, noise=1.0, sampling="healpix:4")
    with pytest.raises(TypeError, match="expected real samples"):
        wiener_filter(PIXELS + 0j, cl=np.ones(4), **options)
    with pytest.raises(TypeError, match="expected complex samples"):
        wiener_filter(PIXELS, cl={"EE": np.ones(4)}, spin=2, **options)
    with pytest.raises(TypeError, match="a spin field needs a dict of EE and BB"):
        wiener_filter(PIXELS + 0j, cl=np.ones(4), spin=2, **options)


def test_missing_samples_are_those_of_the_mask(rng):
    f, mask = rng.standard_normal(192), np.arange(192) % 5 > 0
    options = dict(L=4, cl=np.ones(4), noise=1.0, sampling="healpix:4")
    flm, fit = wiener_filter(f, mask=mask, **options)
    assert fit.observed == np.count_nonzero(mask) / 192
    for missing in (np.nan, UNSEEN):
        np.testing.assert_array_equal(wiener_filter(np.where(mask, f, missing), **options)[0], flm)


def test_degrees_without_power_are_zero(rng):
    cl = np.array([0.0, 1.0, 0.0, 1.0])
    flm, _ = wiener_filter(rng.standard_normal(192), 4, cl, 1.0, sampling="healpix:4")
    assert not flm[0] and not flm[4:9].any() and flm[1:4].any()


def test_unconverged_iterations_are_reported(rng):
    f = rng.standard_normal(12 * 32**2)
    mask = HEALPix(32).theta < 1.8
    with pytest.warns(UserWarning, match="not converged in 2 iterations.*larger max_iter"):
        _, fit = wiener_filter(
            f,
            48,
            100 / (1.0 + np.arange(48)) ** 2,
            0.01,
            sampling="healpix:32",
            mask=mask,
            max_iter=2,
        )
    assert not fit.converged and fit.iterations == 2
