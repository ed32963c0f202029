"""The lane FFT against NumPy's: every butterfly, dense primes, Bluestein's convolution."""

import numpy as np
import pytest

from spherekit._core.jit import jit
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import Lanes

EIGHT = Lanes(8)


@jit
def _transform(lanes, work, back, fft):
    return lane_fft.transform(lanes, work, back, fft)


def transform(x, back):
    n, table = len(x), lane_fft.tables(len(x), EIGHT)
    work = np.full(8 * table.work_points, np.nan)
    work[: 8 * n] = x.real.ravel()
    work[8 * table.size : 8 * (table.size + n)] = x.imag.ravel()
    re, im = _transform(EIGHT, work, back, table)
    parts = (work[at : at + 8 * n].reshape(n, 8) for at in (re, im))
    return next(parts) + 1j * next(parts)


LENGTHS = [*range(1, 33), 49, 63, 64, 89, 120, 127, 128, 193, 199, 255, 256, 398, 509, 511, 1000]


@pytest.mark.parametrize("back", [0, 1])
def test_lengths(back, rng):
    for n in LENGTHS:
        x = rng.standard_normal((n, 8)) + 1j * rng.standard_normal((n, 8))
        expected = np.fft.ifft(x, axis=0, norm="forward") if back else np.fft.fft(x, axis=0)
        np.testing.assert_allclose(
            transform(x, back),
            expected,
            rtol=0,
            atol=2e-15 * np.abs(expected).max(),
            err_msg=str(n),
        )


def test_roots_of_unity_are_exact_where_they_can_be():
    roots = lane_fft.roots(np.arange(8), 8)
    np.testing.assert_array_equal(roots[::2], [1, 1j, -1, -1j])
    np.testing.assert_allclose(roots[1::2] ** 2, [1j, -1j, 1j, -1j], rtol=0, atol=3e-16)
