"""Multiplication of harmonic coefficients by filters in degree and order.

    g_nlm = w_nl f_lm,    adjoint f_lm = sum_n conj(w_nl) g_nlm

Degrees from the band-limit of the filter on are dropped; the adjoint sets them to zero.
"""

import math

import numpy as np

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.linear import linear_map


def _forward(flm, *, weights, L):
    """(..., L*L) -> (..., orders, limit*limit)."""
    flm = checks.as_float_array(flm, "flm")
    checks.coefficients_shape(flm, L)
    limit = weights.shape[1]
    lead = flm.shape[:-1]
    rows = np.ascontiguousarray(flm.reshape(math.prod(lead), L * L), complex)
    result = np.empty((len(rows), len(weights), limit * limit), complex)
    _multiply(rows, weights, result)
    return _cast_like(result.reshape(*lead, *result.shape[1:]), flm)


def _adjoint(flmn, *, weights, L):
    """(..., orders, limit*limit) -> (..., L*L)."""
    flmn = checks.as_float_array(flmn, "flmn")
    limit = weights.shape[1]
    lead = flmn.shape[:-2]
    shape = math.prod(lead), len(weights), limit * limit
    rows = np.ascontiguousarray(flmn.reshape(shape), complex)
    result = np.zeros((len(rows), L * L), complex)
    _accumulate(rows, weights, result)
    return _cast_like(result.reshape(*lead, L * L), flmn)


#: ``filter_coefficients.forward(flm, weights=, L=)`` and ``filter_coefficients.adjoint(flmn, weights=, L=)``,
#: with complex weights (orders, limit).
filter_coefficients = linear_map("wavelets.weights", _forward, _adjoint)


def _cast_like(values, x):
    return values.astype(np.complex64) if checks.is_single(x) else values


@leaf
def _multiply(flm, weights, result):
    orders, size = result.shape[1:]
    for q in range(flm.shape[0]):
        source = pointer(flm, q * flm.shape[1])
        for n in range(orders):
            row = pointer(result, (q * orders + n) * size)
            for ell in range(weights.shape[1]):
                w = weights[n, ell]
                for i in range(ell * ell, (ell + 1) * (ell + 1)):
                    row[i] = w * source[i]


@leaf
def _accumulate(flmn, weights, result):
    orders, size = flmn.shape[1:]
    for q in range(flmn.shape[0]):
        total = pointer(result, q * result.shape[1])
        for n in range(orders):
            row = pointer(flmn, (q * orders + n) * size)
            for ell in range(weights.shape[1]):
                w = weights[n, ell].conjugate()
                if w.real == 0.0 and w.imag == 0.0:
                    continue
                for i in range(ell * ell, (ell + 1) * (ell + 1)):
                    total[i] += w * row[i]
