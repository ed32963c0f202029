"""Exact correlators of the coefficients of masked Gaussian fields at low degrees.

The mask turns the coefficients of a field into W a, with the matrix W_lm,l'm' = int w conj(sY_lm) sY_l'm', so
that the correlator of two signals is W C V^H, with the spectrum C and the windows of either mask. At the
lowest degrees spectra change over the width of W, and the narrow-kernel approximation fails.
"""

from __future__ import annotations

import numpy as np

from spherekit._core.blas import single_threaded
from spherekit.conventions.indexing import degrees, degrees_and_orders
from spherekit.harmonic import forward, inverse
from spherekit.sampling import GL

#: Degrees beyond the exact ones from which the mask couples power into them. (Into pure modes it couples more
#: power of high degrees, by a factor of about (l' / l)^2.)
MARGIN = 40


class Windows:
    """The window matrices of masks, each computed once.

    Rows are the degrees < ``n``, columns those < ``n + MARGIN``.

    Parameters
    ----------
    n : int
        Number of degrees, >= 1.
    L : int
        Band-limit of the fields.
    """

    def __init__(self, n, L):
        self.n = n
        self.L = min(L, n + MARGIN)
        ell, m = degrees_and_orders(n)
        self.rows = np.flatnonzero(m >= 0)
        self.multiplicity = np.where(m[self.rows] > 0, 2.0, 1.0)
        self._cache = {}

    def of_mask(self, mask, spin):
        """(P, M): E of the masked field is P E + M B, B is P B - M E; M is None for spin 0."""
        key = id(mask), spin
        if key not in self._cache:
            self._cache[key] = self._computed(mask, spin)
        return self._cache[key]

    def _computed(self, mask, spin):
        n_mask = min(self.n + self.L - 1, int(np.sqrt(mask.flm.size)))
        grid = GL(self.n + self.L)
        samples = inverse(mask.flm[: n_mask**2], n_mask, sampling=grid, reality=True)
        options = dict(spin=spin, sampling=grid)
        if spin >= min(self.n, self.L):
            zeros = np.zeros((self.n**2, self.L**2), complex)
            return zeros, zeros
        units = np.eye(self.n**2, dtype=complex)
        window = forward(inverse(units, self.n, **options) * samples, self.L, **options).conj()
        if spin == 0:
            return window, None
        mirrored = self._mirrored(window)
        return (window + mirrored) / 2, 0.5j * (window - mirrored)

    def _mirrored(self, window):
        """(-1)^(m + m') conj(W_l-m,l'-m')."""
        (ell, m), (ell2, m2) = degrees_and_orders(self.n), degrees_and_orders(self.L)
        sign = (-1.0) ** (m[:, None] + m2)
        return sign * window[np.ix_(ell * ell + ell - m, ell2 * ell2 + ell2 - m2)].conj()

    def of_signal(self, x, i):
        """The windows from the signals of a field to its masked signal i, which is not pure, by signal."""
        spin = x.field.spin
        if spin == 0:
            return {0: self.of_mask(x.field.mask, 0)[0]}
        P, M = self.of_mask(x.field.mask, spin)
        return {0: P, 1: M} if i == 0 else {0: -M, 1: P}

    def correlator(self, x, i, y, k, cl):
        """<a c*> of signal i of one field and signal k of the other.

        Parameters
        ----------
        x, y : NoisyField
        i, k : int
        cl : float64 ndarray [shape=(n, n2, L)]
            Spectra of the signals of both fields on the full sky.

        Returns
        -------
        complex128 ndarray [shape=(n_rows, n*n)]
            Of the orders m >= 0, which determine those of real signals, and all orders m'.
        """
        total = np.zeros((self.rows.size, self.n**2), complex)
        for i2, window in self.of_signal(x, i).items():
            for k2, window2 in self.of_signal(y, k).items():
                spectrum = cl[i2, k2, : self.L]
                if spectrum.any():
                    left = window[self.rows] * spectrum[degrees(self.L)]
                    with single_threaded():
                        total += left @ window2.conj().T
        return total

    def summed(self, correlator, correlator2):
        """sum_mm' A B* / ((2l+1) (2l'+1)) of two correlators [shape=(n, n)]."""
        terms = (correlator * correlator2.conj()).real * self.multiplicity[:, None]
        starts = np.arange(self.n)
        columns = np.add.reduceat(terms, starts**2, axis=1)
        rows = np.add.reduceat(columns, starts * (starts + 1) // 2, axis=0)
        modes = 2 * starts + 1
        return rows / np.outer(modes, modes)
