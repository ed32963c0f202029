"""Wigner coefficients as fields of spin -n on the sphere, and back: norm, signs and symmetry.

``fields[j, l*l+l+m] = (-1)^n scale_l f_lmn`` for n = orders[j]; of a real signal, whose f_{l,-m,-n} is
(-1)^{m+n} conj f_lmn, the symmetric part and only n >= 0. Or, ``by_order``, ``fields[j, (L-1+m) L + l]``.
"""

import math

import numpy as np

from spherekit._core import chunks
from spherekit._core.jit import jit


def orders(N, steerable, real):
    """The orders n that a transform visits, ascending."""
    n = np.arange(1 - N, N, 2 if steerable else 1)
    return n[n >= 0] if real else n


def read(flmn, L, N, orders, real, scale, steerable, tolerance=None, *, by_order=False):
    """flmn (maps, 2N-1, L*L) -> fields (maps, orders, ...); refuses what is not finite.

    ``tolerance``: relative, for what must be symmetric (``real``) or zero (``steerable``); None: no check.
    """
    flmn = np.ascontiguousarray(flmn, complex)
    fields, input_stats = empty_fields(len(flmn), len(orders), L, by_order), np.zeros(3)
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
            f"{input_stats[1]:.3g} (largest coefficient {input_stats[2]:.3g}); pass reality=False for a "
            "complex signal"
        )
    if steerable:
        _refuse_parity(flmn, N, tolerance * input_stats[2])
    return fields


def empty_fields(maps, orders, L, by_order):
    """Fields of arbitrary content."""
    return np.empty((maps, orders, (2 * L - 1) * L if by_order else L * L), complex)


def _refuse_parity(flmn, N, tolerance):
    opposite = flmn[:, 1::2]  # n = N-2, N-4, ... down to 2-N
    largest = np.abs(opposite).max(initial=0.0)
    if not largest <= tolerance:
        raise ValueError(
            f"steerable=True with N={N} holds the orders n = {N - 1}, {N - 3}, ... alone, but others go up "
            f"to {largest:.3g}; set them to zero, or pass steerable=False"
        )


def write(fields, L, N, orders, real, scale, flmn, *, by_order=False):
    """The transpose of `read`: overwrites flmn (maps, 2N-1, L*L); zero for l < |n|, and for other orders."""
    double = flmn if flmn.dtype == complex else np.empty(flmn.shape, complex)
    double[:] = 0
    _write(fields, L, N, orders, real, scale, by_order, double)
    if double is not flmn:
        flmn[:] = double


@jit
def _read(flmn, L, N, orders, real, scale, by_order, fields, input_stats):
    bad = defect = largest = 0.0
    for item in range(flmn.shape[0] * orders.size):
        q, j = item // orders.size, item % orders.size
        n = orders[j]
        field, row, mirror = fields[q, j], flmn[q, N - 1 + n], flmn[q, N - 1 - n]
        if not by_order:
            field[: n * n] = 0.0
        for ell in range(abs(n), L):
            centre, factor = ell * ell + ell, (1.0 - 2.0 * (n % 2)) * scale[ell]
            at, apart = ((L - 1) * L + ell, L) if by_order else (centre, 1)
            flip = 1.0 - 2.0 * ((n - ell) % 2)  # (-1)^(m+n), from m = -l on
            for m in range(-ell, ell + 1):
                z = row[centre + m]
                bad += (z.real - z.real) + (z.imag - z.imag)
                largest = max(largest, abs(z.real), abs(z.imag))
                if real:
                    w = mirror[centre - m]
                    re, im = flip * w.real, -flip * w.imag
                    bad += (re - re) + (im - im)
                    defect = max(defect, abs(z.real - re), abs(z.imag - im))
                    z = complex(0.5 * (z.real + re), 0.5 * (z.imag + im))
                    flip = -flip
                field[at + apart * m] = complex(factor * z.real, factor * z.imag)
    input_stats[0], input_stats[1], input_stats[2] = bad, defect, largest


@jit
def _write(fields, L, N, orders, real, scale, by_order, flmn):
    for item in range(flmn.shape[0] * orders.size):
        q, j = item // orders.size, item % orders.size
        n = orders[j]
        field, row, mirror = fields[q, j], flmn[q, N - 1 + n], flmn[q, N - 1 - n]
        for ell in range(abs(n), L):
            centre, factor = ell * ell + ell, (1.0 - 2.0 * (n % 2)) * scale[ell]
            at, apart = ((L - 1) * L + ell, L) if by_order else (centre, 1)
            first = 0 if real and n == 0 else -ell  # of order 0 the field of m >= 0 tells all
            flip = 1.0 - 2.0 * ((n + first) % 2)
            for m in range(first, ell + 1):
                z = field[at + apart * m]
                re, im = factor * z.real, factor * z.imag
                row[centre + m] = complex(re, im)
                if real and (n > 0 or m > 0):
                    mirror[centre - m] = complex(flip * re, -flip * im)
                flip = -flip


# --- memory ------------------------------------------------------------------------------------------


def work_bytes(problem):
    """Bytes that one signal goes through: the planes of all angles gamma, those of one order, the fields."""
    L, N, real = problem.L, problem.N, problem.reality
    columns = len(problem.grid.sphere.ring_theta) + 16
    planes = (L if real else 2 * L - 1) * 2 * columns * 8
    return (problem.grid.n_gamma + 2) * planes + 16 * (N if real else 2 * N - 1) * L * L


def peak_bytes(problem, columns, fields, tables, building):
    """Most bytes in use at a time: the result, planes and fields in flight, and tables, also while built.

    ``columns`` of the planes; bytes of the ``fields`` of a signal, of ``tables``, and ``building`` them.
    """
    L, real = problem.L, problem.reality
    planes = problem.grid.n_gamma * (L if real else 2 * L - 1) * 2 * columns * 8
    copies = 0
    if problem.single:  # in double precision: coefficients, and the samples of an analysis
        copies = 16 * math.prod(problem.coefficients_shape)
        if not problem.to_samples:
            copies += math.prod(problem.grid.shape) * (8 if real else 16)
    concurrent_maps = chunks.concurrent_maps(problem.maps, work_bytes(problem), problem.threads)
    work = concurrent_maps * (planes + fields + copies)
    return max(building, tables + problem.result_bytes + work)
