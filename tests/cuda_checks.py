"""The CUDA transforms against the CPU's and against the definitions: run by test_cuda.py.

As a file of its own, since the simulator must be chosen before Numba is imported: in a process with
NUMBA_ENABLE_CUDASIM=1, or on a GPU. The simulator has a Python thread for each CUDA thread: sizes are small.
"""

import functools

import naive
import numpy as np
import pytest

import spherekit
from spherekit import device
from spherekit.harmonic.engines import cuda
from spherekit.harmonic.steps import ring_lanes
from spherekit.kernels import wigner_recursion_cuda
from spherekit.sampling import grid
from spherekit.testing import assert_adjoint

# The kernels need a GPU, or the simulator of Numba, in which test_cuda.py always runs this file.
if device.unavailable_reason() is not None:
    pytest.skip(device.unavailable_reason(), allow_module_level=True)

XP = device.array_module()
RTOL = 1e-13 if device.simulated() else 1e-12


class OnDevice(np.ndarray):
    """What stands for a CUDA array in the simulator."""

    __cuda_array_interface__ = None


def put(x):
    return np.asarray(x).view(OnDevice) if device.simulated() else XP.asarray(x)


def get(x):
    return np.asarray(x) if device.simulated() else XP.asnumpy(x)


@pytest.fixture(autouse=True)
def few_threads(monkeypatch):
    """Several blocks even of a few rings."""
    monkeypatch.setattr(cuda, "THREADS", 4 if device.simulated() else cuda.THREADS)


def assert_close(result, expected):
    assert result.shape == expected.shape and result.dtype == expected.dtype
    assert np.abs(result - expected).max() <= RTOL * np.abs(expected).max()


CASES = [("gl", 0, True), ("gl", 2, False), ("mw", 0, True), ("mwss", 1, False), ("cc", -2, False)]
CASES += [("gl,phi0=half", 0, True), ("dh,n_theta={L},phi0=half", 2, False)]


@pytest.mark.parametrize("name, spin, reality", CASES)
def test_the_four_maps_are_those_of_the_cpu(name, spin, reality, rng):
    L = 4 if device.simulated() else 300
    flags = {"spin": spin, "sampling": grid(name.format(L=L), L), "reality": reality}
    f = rng.standard_normal((1, *flags["sampling"].shape))
    if not reality:
        f = f + 1j * rng.standard_normal(f.shape)
    flm = spherekit.forward(f, L, **flags)
    assert_close(get(spherekit.forward(put(f), L, **flags)), flm)
    assert_close(get(spherekit.inverse(put(flm), L, **flags)), spherekit.inverse(flm, L, **flags))
    for adjoint, x in ((spherekit.inverse_adjoint, f), (spherekit.forward_adjoint, flm)):
        assert_close(get(adjoint(put(x), L, **flags)), adjoint(x, L, **flags))


def test_batches_float32_and_types(rng):
    flm = rng.standard_normal((2, 1, 9)).astype(np.float32)
    f = spherekit.inverse(put(flm), 3, sampling="gl")
    assert f.shape == (2, 1, 3, 5) and f.dtype == np.complex64
    np.testing.assert_allclose(get(f), spherekit.inverse(flm, 3, sampling="gl"), atol=3e-6)
    assert spherekit.inverse(put(flm[:0]), 3, sampling="gl").shape == (0, 1, 3, 5)


@functools.cache
def _kernel_case(n):
    """Rings of all kinds and a few orders, L beyond one tile: tables, and d^l_mn by its definition."""
    L = 38 if device.simulated() else 70
    theta = np.array([0.0, 1e-7, 1e-3, 0.02, 0.3, 0.9, 1.5, np.pi / 2])
    lanes, _ = ring_lanes.ring_lanes(theta, np.ones(8), np.ones(8), L)
    threads = cuda.THREADS
    rings, _ = cuda._ring_blocks(lanes, L, n, threads)
    rings = (
        rings._replace(polar=np.arange(len(rings.polar)) * threads < 4)
        if device.simulated()
        else rings
    )
    rings = rings._replace(polar=rings.polar.astype(np.int64))
    tables = wigner_recursion_cuda.tables(L, n, ring_lanes.order_scales(L, abs(n)), L)
    orders = np.array([-L + 1, -3, 0, 2, 33])
    d = np.zeros((len(orders), L, len(lanes.y)))
    for i, m in enumerate(orders):
        for ell in range(max(abs(m), abs(n)), L):
            norm = np.sqrt((2 * ell + 1) / (4 * np.pi))
            d[i, ell, :8] = [norm * naive.wigner_d(ell, int(m), n, t) for t in theta]
    return orders, tables, rings, d


@pytest.mark.parametrize("n", [0, 3, -5])
def test_kernels_sum_the_definition_for_any_m_and_n(n, rng):
    orders, tables, rings, d = _kernel_case(n)
    signs = wigner_recursion_cuda.start_signs(orders, n)[:, None, None]
    count, L, size = d.shape
    on_device = [type(t)(*map(XP.asarray, t)) for t in (tables, rings)]
    c = rng.standard_normal((1, count, L, 4))
    out = XP.zeros((1, count, 2, size, 2))
    args = XP.asarray(orders), n, *on_device
    blocks = len(rings.limits), count, 1
    device.launch(wigner_recursion_cuda.synthesis, blocks, cuda.THREADS, *args, XP.asarray(c), out)
    sums = np.einsum("mlr,mlsc->msrc", signs * d, c.reshape(count, L, 2, 2))
    live = slice(0, 8)  # the others are padding
    assert np.abs(get(out)[0] - sums)[:, :, live].max() <= RTOL * np.abs(sums).max()

    values = np.zeros(out.shape)
    values[:, :, :, live] = rng.standard_normal((1, count, 2, 8, 2))
    result = XP.zeros(c.shape)
    device.launch(
        wigner_recursion_cuda.analysis, (count, 1), cuda.THREADS, *args, XP.asarray(values), result
    )
    sums = np.einsum("mlr,msrc->mlsc", signs * d, values[0]).reshape(count, L, 4)
    assert np.abs(get(result)[0] - sums).max() <= RTOL * np.abs(sums).max()
    again = XP.zeros(c.shape)
    device.launch(
        wigner_recursion_cuda.analysis, (count, 1), cuda.THREADS, *args, XP.asarray(values), again
    )
    np.testing.assert_array_equal(get(again), get(result))


@pytest.mark.parametrize("polar", [False, True])
def test_a_start_below_the_range_of_numbers_comes_to_matter(polar, rng):
    """One ring, tile by tile, on the CPU: 2^-200 at l = m, of order one before l = L."""
    L, m, theta = 400, 145, 0.37
    tables = wigner_recursion_cuda.tables(L, 0, ring_lanes.order_scales(L, 0), L)
    y, norm = 2 * np.sin(theta / 2) ** 2, tables.norms[0 if polar else 1, m]
    log_sin, log_tan = np.log2(np.sin(theta)), np.log2(np.tan(theta / 2))
    state, sums, total = wigner_recursion_cuda.start(m, 0, norm, log_sin, log_tan), (0.0,) * 4, 0.0
    assert state[2] == -1
    c, tile = rng.standard_normal(L), wigner_recursion_cuda.TILE
    for first in range(m, L, tile):
        count, steps = min(tile, L - first), np.empty(3 * tile)
        part = c[first : first + count].copy()
        for k in range(count):
            part[k] *= wigner_recursion_cuda.load_step(polar, tables, m, 0, first + k, steps, k)
        listed = np.zeros((tile, wigner_recursion_cuda.THREADS + 1))
        wigner_recursion_cuda.tabulate_degrees(polar, steps, count, y, state, listed.reshape(-1), 0)
        total += part @ listed[:count, 0]
        series = np.repeat(part, 4)
        state, sums = wigner_recursion_cuda.sum_degrees(polar, steps, series, count, y, state, sums)
    flm, ell = np.zeros(L * L, complex), np.arange(m, L)
    flm[ell * ell + ell + m] = c[m:] * wigner_recursion_cuda.start_signs([m], 0)
    expected = spherekit.evaluate(flm, np.array([theta]), np.zeros(1))[0].real
    assert state[2] == 0 and abs(expected) > 0.1
    np.testing.assert_allclose([*sums, total], expected, rtol=0, atol=1e-12)


def test_dot_product(rng):
    L, flags = 4, {"spin": 1, "sampling": "mw"}
    x = rng.standard_normal(L * L) + 1j * rng.standard_normal(L * L)
    y = rng.standard_normal((L, 2 * L - 1)) + 1j * rng.standard_normal((L, 2 * L - 1))
    assert_adjoint(
        lambda x: get(spherekit.inverse(put(x), L, **flags)),
        lambda y: get(spherekit.inverse_adjoint(put(y), L, **flags)),
        x,
        y,
    )


def test_bad_input_is_refused_in_the_words_of_the_cpu():
    good = np.zeros(16, complex)
    for change, words in (
        (lambda x: x[:15], "needs"),
        (lambda x: x + np.nan, "NaN"),
        (lambda x: x + 1j, "symmetry"),
    ):
        with pytest.raises(ValueError, match=words):
            spherekit.inverse(put(change(good)), 4, reality=True)
    with pytest.raises(ValueError, match="1 samples are NaN"):
        f = np.zeros((4, 7))
        f[1, 2] = np.inf
        spherekit.forward(put(f), 4)
    with pytest.raises(TypeError, match="reality"):
        spherekit.forward(put(np.zeros((4, 7), complex)), 4, reality=True)
    with pytest.raises(TypeError, match="dtype"):
        spherekit.forward(put(np.zeros((4, 7), np.float16)), 4)
    with pytest.raises(NotImplementedError, match="GL"):
        spherekit.forward(put(np.zeros(48)), 4, sampling="healpix:2")
