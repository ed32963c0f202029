"""Mode-coupling matrices: the mean spectra of masked fields as sums over those of the full sky.

A mask with spectrum W couples the degrees l and l' of two fields of spins s and s' by the sums

    K^{+-}_{ll'} = sum_{l3} (2 l3 + 1)/(4 pi) W_{l3} F_s F_{s'} (1 +- (-1)^{l+l'+l3})/2,
    F_s = (-1)^s (l l' l3; s -s 0),

over Wigner 3j symbols (Hivon et al. 2002, ApJ 567, 2; Kogut et al. 2003, ApJS 148, 161). E is coupled to E by
K^+ and to B by K^-, with the weight 2l'+1.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit.spectra.coupling_sums import MAX_SPIN, coupling_sums, upper_triangles, write


def coupling_matrix(
    mask_power: ArrayLike,
    L: int,
    spin: int = 0,
    spin2: int | None = None,
    *,
    pure: tuple[bool, bool] = (False, False),
    pure2: tuple[bool, bool] | None = None,
    bins: ArrayLike | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Mode-coupling matrix of the spectra of two masked fields.

    ``<pseudo C_l^i> = sum_j sum_l' M^{ij}_{ll'} C_l'^j``, where i and j are pairs of signals of the two
    fields, in the order EE, EB, BE, BB; TE, TB; or TT. With the sums K of this module

        M^{EE,EE} = M^{EB,EB} = (2l'+1) K^+,    M^{EE,BB} = -M^{EB,BE} = (2l'+1) K^-,

    and the same with E and B exchanged.

    Parameters
    ----------
    mask_power : float array_like [shape=(n_l,)]
        Spectrum of the mask, or cross-spectrum of the two masks; zero at the degrees from n_l on. Degrees up
        to 2 L - 2 enter.
    L : int
        Band-limit of the spectra.
    spin : int
        Spin of the first field, 0 <= spin < L, at most 200.
    spin2 : int, optional
        Spin of the second field, by default that of the first.
    pure : tuple of bool
        Whether E and B of the first field are pure (Smith 2006, Phys. Rev. D 74, 083002): their
        pseudo-coefficients are ``N_l int W conj(Y_lm) D f``, where D lowers the spin to 0 and N_l =
        sqrt((l-s)!/(l+s)!). They are not coupled to the other signal, and F_s is N_l/N_l' F_0. Not used for
        spin 0.
    pure2 : tuple of bool, optional
        The same of the second field; by default ``pure`` if ``spin2`` is None, else False.
    bins : array_like [shape=(n_bins, L)], optional
        Weights by which the rows of the matrix are summed, such as those of bandpowers.
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Returns
    -------
    float64 ndarray [shape=(n, n, L, L), or (n, n, n_bins, L) with bins]
        ``M[i, j, l, l']``, with n = 1, 2 or 4 pairs; zero at degrees l or l' below a spin. Errors are about
        1e-14 of the largest value of a row for usual masks, and 1e-12 for W_l = 1 at L = 1500.

    Raises
    ------
    TypeError
        Arrays that do not contain real numbers; L, spins or threads that are not integers.
    ValueError
        L < 1; spins out of range; a spectrum of the mask that is not one axis of finite values, or all zero;
        bins of another shape, or not finite.
    MemoryError
        A matrix that does not fit into memory.

    Examples
    --------
    A mask that is 1 everywhere has W_0 = 4 pi:

    >>> import numpy as np
    >>> from spherekit.spectra import coupling_matrix
    >>> M = coupling_matrix([4 * np.pi], 8, 2)
    >>> M.shape, bool(np.allclose(M[0, 0, 2:, 2:], np.eye(6)))
    ((4, 4, 8, 8), True)
    """
    L = checks.band_limit(L)
    mask_power = _mask_power(mask_power, L)
    if spin2 is None:
        spin2 = spin
        pure2 = pure if pure2 is None else pure2
    spins = _spins(spin, spin2, L)
    signals = _signals(spins[0], pure, "pure"), _signals(spins[1], pure2, "pure2")
    rows = None if bins is None else _rows(bins, L)
    terms = _terms(*signals)
    n = len(signals[0]) * len(signals[1])
    n_rows = L if rows is None else len(rows)
    noun = f"the coupling matrix of spins {spins} at L={L}"
    blocks = sum(map(len, terms.values())) * n_rows
    checks.fits_memory(8.0 * L * (blocks + 4 * L), noun, "lower L, or pass bins")
    matrix = np.zeros((n * n, n_rows, L))
    for three_j_spins, entries in terms.items():
        if rows is None:
            triangles = upper_triangles(mask_power, L, *three_j_spins, threads=threads)
            write(triangles, *_targets(entries, n, L), matrix, threads=threads)
        else:
            sums = coupling_sums(mask_power, L, *three_j_spins, threads=threads)
            _write_rows(sums, rows, entries, n, matrix)
    return matrix.reshape(n, n, n_rows, L)


def _targets(entries, n, L):
    """The arguments of `write`: parities, factors of the rows and of the columns, and blocks."""
    i, j, parities, signs, norms = zip(*entries, strict=True)
    scales = [_scale(sign, pure_spins, L) for sign, pure_spins in zip(signs, norms, strict=True)]
    row_scales, column_scales = map(np.array, zip(*scales, strict=True))
    return np.array(parities), row_scales, column_scales, n * np.array(i) + np.array(j)


def _write_rows(sums, rows, entries, n, matrix):
    """Write the binned rows of blocks; products are computed once for each parity and norm."""
    products = {}
    for i, j, parity, sign, pure_spins in entries:
        row_scale, column_scale = _scale(1.0, pure_spins, rows.shape[1])
        key = parity, pure_spins
        if key not in products:
            with single_threaded():
                products[key] = (rows * row_scale) @ sums[parity] * column_scale
        np.multiply(products[key], sign, out=matrix[n * i + j])


def _signals(spin, pure, name):
    """The spin of the 3j symbols and the spin of the norm N_l of each signal."""
    if spin == 0:
        return ((0, 0),)
    if pure is None:
        pure = (False, False)
    if len(pure) != 2:
        raise ValueError(f"{name} is {pure!r}; expected two booleans, of E and B")
    return tuple((0, spin) if is_pure else (spin, 0) for is_pure in pure)


def _terms(first, second):
    """The blocks that are not zero, by the spins of their 3j symbols.

    Each is (i, j, parity of l + l' + l3, sign, spins of the norms of the pure signals).
    """
    terms = {}
    pairs = list(product(range(len(first)), range(len(second))))
    for (i, (a, b)), (j, (a2, b2)) in product(enumerate(pairs), repeat=2):
        odd = a != a2
        if odd != (b != b2):
            continue
        (spin, norm), (spin2, norm2) = first[a], second[b]
        if odd and (spin == 0 or spin2 == 0):
            continue
        sign = -1.0 if odd and a != b else 1.0
        key = min(spin, spin2), max(spin, spin2)
        terms.setdefault(key, []).append((i, j, int(odd), sign, (norm, norm2)))
    return terms


def _scale(sign, pure_spins, L):
    """Factors ``sign N_l`` of the rows and ``(2l'+1) / N_l'`` of the columns, N_l of the pure signals."""
    ell = np.arange(L)
    norm = np.ones(L)
    for spin in pure_spins:
        for k in range(1 - spin, spin + 1):
            norm /= np.sqrt(np.maximum(ell + k, 1))
    exists = ell >= max(pure_spins)
    return np.where(exists, sign * norm, 0.0), np.where(exists, (2 * ell + 1) / norm, 0.0)


def _mask_power(mask_power, L):
    """The degrees of the spectrum that matter."""
    values = checks.as_float_array(mask_power, "mask_power")
    if np.iscomplexobj(values):
        raise TypeError(f"mask_power has dtype {values.dtype}; expected real numbers")
    if values.ndim != 1 or not len(values):
        raise ValueError(f"mask_power has shape {values.shape}; expected one axis, l = 0, 1, ...")
    if not np.isfinite(values).all():
        degree = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"mask_power contains NaN or infinite values ({values[degree]} at l = {degree}); expected the "
            "spectrum of a mask of finite weights"
        )
    values = values.astype(float)[: 2 * L - 1]
    if not values.any():
        raise ValueError(
            f"mask_power is zero at all degrees up to {len(values) - 1}; expected masks that overlap"
        )
    return values


def _spins(spin, spin2, L):
    limit, hint = min(L - 1, MAX_SPIN), f"less than L = {L}, and at most {MAX_SPIN}"
    return tuple(
        checks.integer(value, name, 0, limit, hint)
        for value, name in ((spin, "spin"), (spin2, "spin2"))
    )


def _rows(bins, L):
    rows = checks.as_float_array(bins.matrix() if hasattr(bins, "matrix") else bins, "bins")
    if np.iscomplexobj(rows) or rows.ndim != 2 or rows.shape[1] != L:
        raise ValueError(
            f"bins has shape {rows.shape} and dtype {rows.dtype}; expected real weights of shape "
            f"(n_bins, {L})"
        )
    if not np.isfinite(rows).all():
        raise ValueError("bins contains NaN or infinite weights; expected finite values")
    return rows.astype(float)
