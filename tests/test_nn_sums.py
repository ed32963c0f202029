"""Sums over orders and batch, and factors of fragments: definitions, threads, derivatives of any order."""

import numpy as np
import pytest

from spherekit.nn.sums import pair, spread, squares
from spherekit.testing import assert_gradient

WIDTHS = (1, 3, 3, 5)


def arrays(rng, dtype, channels=3):
    shape = (sum(WIDTHS), 2, channels)
    some = [rng.standard_normal(shape) for _ in range(2)] + [rng.standard_normal((4, channels))]
    if np.issubdtype(dtype, np.complexfloating):
        some = [a + 1j * rng.standard_normal(a.shape) for a in some]
    return [a.astype(dtype) for a in some]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("channels", [1, 3, 17])
def test_definitions(dtype, channels, rng):
    a, b, w = arrays(rng, dtype, channels)
    atol = 1e-5 if np.dtype(dtype).itemsize < 8 or dtype == np.complex64 else 1e-13
    starts = np.cumsum((0, *WIDTHS))
    for threads in (1, 2):
        sums, made = pair(a, b, WIDTHS, threads), spread(a, w, WIDTHS, threads)
        own = squares(a, WIDTHS, threads)
        assert sums.dtype == made.dtype == dtype and own.dtype == a.real.dtype
        for f, (first, last) in enumerate(zip(starts, starts[1:], strict=False)):
            rows = slice(first, last)
            np.testing.assert_allclose(sums[f], (a[rows] * b[rows]).sum((0, 1)), rtol=0, atol=atol)
            np.testing.assert_allclose(
                own[f], (np.abs(a[rows]) ** 2).sum((0, 1)), rtol=0, atol=4 * atol
            )
            np.testing.assert_allclose(made[rows], a[rows] * w[f], rtol=0, atol=atol)
    order = np.asfortranarray(a)
    assert (pair(order, b, WIDTHS, 1) == sums).all() and (spread(order, w, WIDTHS, 1) == made).all()


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_derivatives(dtype, rng):
    a, b, w = arrays(rng, dtype)
    assert_gradient(lambda u, v: pair(u, v, WIDTHS, 1), a, b)
    assert_gradient(lambda u, v: spread(u, v, WIDTHS, 1), a, w)
    assert_gradient(lambda u: squares(u, WIDTHS, 1), a)
    assert_gradient(lambda u: spread(u, (squares(u, WIDTHS, 1) + 1) ** -0.5, WIDTHS, 1), a)
    assert_gradient(lambda u, v: spread(u, v, WIDTHS, 1), a, w.real.copy())
