"""Conversion between Wigner coefficients and fields of spin -n on the sphere: norm, signs and symmetry.

``fields[j, l*l+l+m] = (-1)^n scale_l f_lmn`` for n = orders[j], or ``fields[j, (L-1+m) L + l]`` with
``by_order``. For a real signal, where f_{l,-m,-n} = (-1)^{m+n} conj f_lmn, the fields contain the symmetric
part, for n >= 0 only.
"""

import math

import numpy as np

from spherekit._core import chunks
from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer


def orders(N, steerable, real):
    """The orders n for which a transform computes fields, ascending."""
    n = np.arange(1 - N, N, 2 if steerable else 1)
    return n[n >= 0] if real else n


def read(flmn, L, N, orders, real, scale, steerable, tolerance=None, *, by_order=False):
    """Convert flmn (maps, 2N-1, L*L) to fields (maps, orders, ...); raise for NaN and infinite coefficients.

    ``tolerance`` is the relative tolerance of the symmetry of real signals (``real``) and of coefficients
    that must be zero (``steerable``); None disables these checks.
    """
    flmn = np.ascontiguousarray(flmn, complex)
    fields = empty_fields(len(flmn), len(orders), L, by_order)
    input_stats = np.zeros(3)
    _read(flmn, L, N, orders, real, scale, by_order, fields, input_stats)
    if input_stats[0] != 0:
        count = flmn.size - np.count_nonzero(np.isfinite(flmn))
        raise ValueError(
            f"{count} coefficients of {flmn.size} are NaN or infinite; a transform would spread them "
            "over the rotation group"
        )
    if tolerance is None:
        return fields
    if real and input_stats[1] > tolerance * input_stats[2]:
        raise ValueError(
            "coefficients break the symmetry f[l,-m,-n] = (-1)^(m+n) conj f[l,m,n] of a real signal by "
            f"{input_stats[1]:.3g} (largest coefficient {input_stats[2]:.3g}); pass reality=False, where "
            "it is an argument, for a complex signal"
        )
    if steerable:
        _refuse_parity(flmn, N, tolerance * input_stats[2])
    return fields


def empty_fields(maps, orders, L, by_order):
    """Uninitialized fields."""
    return np.empty((maps, orders, (2 * L - 1) * L if by_order else L * L), complex)


def _refuse_parity(flmn, N, tolerance):
    opposite = flmn[:, 1::2]  # n = N-2, N-4, ... down to 2-N
    largest = np.abs(opposite).max(initial=0.0)
    if not largest <= tolerance:
        raise ValueError(
            f"coefficients of other orders than n = {N - 1}, {N - 3}, ... are as large as {largest:.3g}; "
            f"steerable=True with N={N} expects zeros there: set them to zero, or pass steerable=False"
        )


def write(fields, L, N, orders, real, scale, flmn, *, by_order=False):
    """The transpose of `read`; overwrites flmn (maps, 2N-1, L*L), with zeros for l < |n| and other orders."""
    double = flmn if flmn.dtype == complex else np.empty(flmn.shape, complex)
    double[:] = 0
    _write(fields, L, N, orders, real, scale, by_order, double)
    if double is not flmn:
        flmn[:] = double


@leaf
def _read(flmn, L, N, orders, real, scale, by_order, fields, input_stats):
    nan_sum = defect = largest = 0.0  # the first is NaN if a coefficient is not finite, else 0
    size, field_size = L * L, (2 * L - 1) * L if by_order else L * L
    for item in range(flmn.shape[0] * orders.size):
        n, signal = orders[item % orders.size], item // orders.size * (2 * N - 1) * size
        field = pointer(fields, item * field_size)
        row = pointer(flmn, signal + (N - 1 + n) * size)
        mirror = pointer(flmn, signal + (N - 1 - n) * size)
        if not by_order:
            for i in range(n * n):
                field[i] = 0.0 + 0.0j
        for ell in range(abs(n), L):
            center, factor = ell * ell + ell, (1.0 - 2.0 * (n % 2)) * scale[ell]
            start, stride = ((L - 1) * L + ell, L) if by_order else (center, 1)
            flip = 1.0 - 2.0 * ((n - ell) % 2)  # (-1)^(m+n), starting at m = -l
            for m in range(-ell, ell + 1):
                z = row[center + m]
                nan_sum += (z.real - z.real) + (z.imag - z.imag)
                largest = max(largest, abs(z.real), abs(z.imag))
                if real:
                    w = mirror[center - m]
                    re, im = flip * w.real, -flip * w.imag
                    nan_sum += (re - re) + (im - im)
                    defect = max(defect, abs(z.real - re), abs(z.imag - im))
                    z = complex(0.5 * (z.real + re), 0.5 * (z.imag + im))
                    flip = -flip
                field[start + stride * m] = complex(factor * z.real, factor * z.imag)
    input_stats[0], input_stats[1], input_stats[2] = nan_sum, defect, largest


@leaf
def _write(fields, L, N, orders, real, scale, by_order, flmn):
    size, field_size = L * L, (2 * L - 1) * L if by_order else L * L
    for item in range(flmn.shape[0] * orders.size):
        n, signal = orders[item % orders.size], item // orders.size * (2 * N - 1) * size
        field = pointer(fields, item * field_size)
        row = pointer(flmn, signal + (N - 1 + n) * size)
        mirror = pointer(flmn, signal + (N - 1 - n) * size)
        for ell in range(abs(n), L):
            center, factor = ell * ell + ell, (1.0 - 2.0 * (n % 2)) * scale[ell]
            start, stride = ((L - 1) * L + ell, L) if by_order else (center, 1)
            first = 0 if real and n == 0 else -ell  # for n = 0, m >= 0 determines the field
            flip = 1.0 - 2.0 * ((n + first) % 2)
            for m in range(first, ell + 1):
                z = field[start + stride * m]
                re, im = factor * z.real, factor * z.imag
                row[center + m] = complex(re, im)
                if real and (n > 0 or m > 0):
                    mirror[center - m] = complex(flip * re, -flip * im)
                flip = -flip


# --- memory ------------------------------------------------------------------------------------------


def work_bytes(problem):
    """Work memory of one signal in bytes: planes of all angles gamma and of one order, and fields."""
    L, N, real = problem.L, problem.N, problem.reality
    columns = len(problem.grid.sphere.ring_theta) + 16
    planes = (L if real else 2 * L - 1) * 2 * columns * 8
    return (problem.grid.n_gamma + 2) * planes + 16 * (N if real else 2 * N - 1) * L * L


def peak_bytes(problem, columns, fields, tables, build_bytes):
    """Peak memory in bytes: result, planes, fields and copies of the signals in work memory, and tables.

    ``columns`` is the number of columns of the planes; ``fields``, ``tables`` and ``build_bytes`` are the
    bytes of the fields of one signal, of the tables, and of what is in use while the tables are built.
    """
    L, real = problem.L, problem.reality
    planes = problem.grid.n_gamma * (L if real else 2 * L - 1) * 2 * columns * 8
    copies = 0
    if problem.single:  # in double precision: the coefficients and, in an analysis, the samples
        copies = 16 * math.prod(problem.coefficients_shape)
        if not problem.to_samples:
            copies += math.prod(problem.grid.shape) * (8 if real else 16)
    concurrent_maps = chunks.concurrent_maps(problem.maps, work_bytes(problem), problem.threads)
    work = concurrent_maps * (planes + fields + copies)
    return max(build_bytes, tables + problem.result_bytes + work)
