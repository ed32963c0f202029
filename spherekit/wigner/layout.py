"""Wigner coefficients as fields of spin -n on the sphere, and back: norm, signs and symmetry.

``fields[j, l*l+l+m] = (-1)^n scale_l f_lmn`` for n = orders[j]; of a real signal, whose f_{l,-m,-n} is
(-1)^{m+n} conj f_lmn, the symmetric part and only n >= 0.
"""

import numpy as np

from spherekit._jit import jit


def orders(N, steerable, real):
    """The orders n that a transform visits, ascending."""
    n = np.arange(1 - N, N, 2 if steerable else 1)
    return n[n >= 0] if real else n


def read(flmn, L, N, orders, real, scale, steerable, tolerance=None):
    """flmn (2N-1, L*L) -> fields (orders, L*L); refuses what is not finite.

    ``tolerance``: relative, for what must be symmetric (``real``) or zero (``steerable``); None: no check.
    """
    fields, guard = np.empty((len(orders), L * L), complex), np.zeros(3)
    _read(flmn, L, N, orders, real, scale, fields, guard)
    if guard[0] != 0:
        count = flmn.size - np.count_nonzero(np.isfinite(flmn))
        raise ValueError(
            f"{count} coefficients of {flmn.size} are NaN or infinite; a transform would spread them "
            "over the rotation group"
        )
    if tolerance is None:
        return fields
    if real and guard[1] > tolerance * guard[2]:
        raise ValueError(
            "coefficients break the symmetry f[l,-m,-n] = (-1)^(m+n) conj f[l,m,n] of a real signal by "
            f"{guard[1]:.3g} (largest coefficient {guard[2]:.3g}); pass reality=False for a complex signal"
        )
    if steerable:
        _refuse_parity(flmn, N, tolerance * guard[2])
    return fields


def _refuse_parity(flmn, N, tolerance):
    others = flmn[1::2]  # n = N-2, N-4, ... down to 2-N
    largest = np.abs(others).max(initial=0.0)
    if not largest <= tolerance:
        raise ValueError(
            f"steerable=True with N={N} holds the orders n = {N - 1}, {N - 3}, ... alone, but others go up "
            f"to {largest:.3g}; set them to zero, or pass steerable=False"
        )


def write(fields, L, N, orders, real, scale, flmn):
    """The transpose of `read`: overwrites flmn (2N-1, L*L), zero for l < |n| and for orders not visited."""
    flmn[:] = 0
    _write(fields, L, N, orders, real, scale, flmn)


@jit
def _read(flmn, L, N, orders, real, scale, fields, guard):
    for j in range(orders.size):
        n = orders[j]
        fields[j, : n * n] = 0.0
        row, mirror = flmn[N - 1 + n], flmn[N - 1 - n]
        for ell in range(abs(n), L):
            centre, factor = ell * ell + ell, (1.0 - 2.0 * (n % 2)) * scale[ell]
            for m in range(-ell, ell + 1):
                z = row[centre + m]
                size = abs(z.real) + abs(z.imag)
                guard[0] += size - size
                guard[2] = max(guard[2], size)
                if real:
                    w = (1.0 - 2.0 * ((m + n) % 2)) * np.conj(mirror[centre - m])
                    defect = abs(z.real - w.real) + abs(z.imag - w.imag)
                    guard[0] += defect - defect
                    guard[1] = max(guard[1], defect)
                    z = 0.5 * (z + w)
                fields[j, centre + m] = factor * z


@jit
def _write(fields, L, N, orders, real, scale, flmn):
    for j in range(orders.size):
        n = orders[j]
        row, mirror = flmn[N - 1 + n], flmn[N - 1 - n]
        for ell in range(abs(n), L):
            centre, factor = ell * ell + ell, (1.0 - 2.0 * (n % 2)) * scale[ell]
            for m in range(-ell, ell + 1):
                z = factor * fields[j, centre + m]
                row[centre + m] = z
                if real and n > 0:
                    mirror[centre - m] = (1.0 - 2.0 * ((m + n) % 2)) * np.conj(z)
