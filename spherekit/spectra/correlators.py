"""Correlators of the coefficients of masked Gaussian fields, in the narrow-kernel approximation.

A correlator <a_lm c*_l'm'> of two signals is a sum of terms: a spectrum of the degrees l and l' times the
coupling of harmonics of a spin by the product of two masks. The sum over the orders of a product of two
couplings is the mode-coupling sum of the cross-spectrum of the two products of masks,

    K_ll'(s, s') = sum_l3 (2 l3 + 1) / (4 pi) W_l3 (l l' l3; s -s 0) (l l' l3; s' -s' 0).
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from spherekit.spectra.bandpowers import checked_spectrum, spectra_of_pairs, spectrum_of_pair
from spherekit.spectra.low_degree_correlators import Windows
from spherekit.spectra.mask import Mask
from spherekit.spectra.masked_fields import MaskedField
from spherekit.spectra.mode_coupling import coupling_matrix
from spherekit.spectra.pseudo_cl import Coupling
from spherekit.spectra.purification import derivative_factors


class NoisyField(NamedTuple):
    """A masked field with the pseudo-spectra of its noise.

    Attributes
    ----------
    field : MaskedField
    noise : dict of str to array_like [broadcasts to (L,)]
    group : int
        The noise of fields of different groups is not correlated.
    """

    field: MaskedField
    noise: dict
    group: int

    def spin(self, i):
        """The spin of the harmonics that the mask couples in signal i: 0 of pure signals."""
        return 0 if self.field.pure[i] else self.field.spin


class _Term(NamedTuple):
    """A term of a correlator: a spectrum (L, L), the spin of the harmonics, the product of masks."""

    spectrum: np.ndarray
    spin: int
    mask: Mask


class Correlators:
    """Mean pseudo-spectra, correlators and covariances of pseudo-spectra; each is computed once.

    Parameters
    ----------
    cl : dict of str to ndarray
        Spectra of the signal by pair.
    L : int
        Band-limit.
    exact_degrees : int
        The covariance of degrees below this is computed by exact correlators, unless a signal is pure.
    """

    def __init__(self, cl, L, exact_degrees=0):
        self.L = L
        self.low = Windows(exact_degrees, L) if exact_degrees else None
        self.cl = {name: checked_spectrum(values, name, L) for name, values in cl.items()}
        self._cache = {}

    def coupling(self, a, c):
        """The coupling of two fields."""
        key = "coupling", _key(a), _key(c)
        return self._cached(key, lambda: Coupling.of(a.field, c.field))

    def covariance(self, left, right):
        """Covariance of the pseudo-spectra of two pairs of fields.

        Parameters
        ----------
        left, right : tuple of NoisyField
            The fields (a, b) and (c, d).

        Returns
        -------
        float64 ndarray [shape=(n, L, n2, L)]
            cov(C^ab_l, C^cd_l') of the n pairs of signals of a and b, and the n2 pairs of those of c and d.
        """
        signals = [[(x, i) for i in range(len(x.field.names))] for x in (*left, *right)]
        shape = [len(x) for x in signals]
        block = np.empty((*shape, self.L, self.L))
        for index, (a, b, c, d) in zip(np.ndindex(*shape), product(*signals), strict=True):
            block[index] = self._product((a, c), (b, d)) + self._product((a, d), (b, c))
            is_pure = any(x.field.pure[i] for x, i in (a, b, c, d))
            if self.low is not None and not is_pure:
                n = self.low.n
                ac, bd, ad, bc = (self._exact(*pair) for pair in ((a, c), (b, d), (a, d), (b, c)))
                block[*index, :n, :n] = self.low.summed(ac, bd) + self.low.summed(ad, bc)
        block = block.reshape(shape[0] * shape[1], shape[2] * shape[3], self.L, self.L)
        return block.transpose(0, 2, 1, 3)

    def _product(self, pair, pair2):
        """The sum over m and m' of the correlators of two pairs of signals, over (2l+1)(2l'+1)."""
        total = np.zeros((self.L, self.L))
        for term in self._terms(*pair):
            for term2 in self._terms(*pair2):
                total += term.spectrum * term2.spectrum * self._kernel(term, term2)
        sign = _rotation(*pair) * _rotation(*pair2)
        if sign:
            term, term2 = (self._rotated(a[0], c[0]) for a, c in (pair, pair2))
            total += sign * term.spectrum * term2.spectrum * self._kernel(term, term2, odd=True)
        return total

    def _exact(self, a, c):
        """The exact correlator of two signals at low degrees."""
        (x, i), (y, k) = a, c
        key = "exact", _key(x), i, x.group, _key(y), k, y.group
        return self._cached(key, lambda: self._computed_exact(x, i, y, k))

    def _computed_exact(self, x, i, y, k):
        names = self.coupling(x, y).names
        shape = len(x.field.names), len(y.field.names), self.L
        spectra = [spectrum_of_pair(self.cl, name) for name in names]
        cl = np.array([np.zeros(self.L) if z is None else z for z in spectra]).reshape(shape)
        cl = cl * x.field.beam[:, None] * y.field.beam
        is_plain = [[not (a or b) for b in y.field.pure] for a in x.field.pure]
        noise = self._spectra(x, y)[1] * np.array(is_plain)[..., None]
        return self.low.correlator(x, i, y, k, cl + noise)

    def _terms(self, a, c):
        """The terms of the correlator of two signals."""
        (x, i), (y, k) = a, c
        key = "terms", _key(x), i, x.group, _key(y), k, y.group
        return self._cached(key, lambda: self._computed_terms(x, i, y, k))

    def _computed_terms(self, x, i, y, k):
        signal, noise = (spectra[i, k] for spectra in self._spectra(x, y))
        if not (signal.any() or noise.any()):
            return []
        mask = self._product_of_masks(x, y)
        is_auto = x.field.names[i] == y.field.names[k]
        mean = _geometric_mean if is_auto else _arithmetic_mean
        if is_auto and x.field.pure[i] and x.field.mask is y.field.mask and noise.any():
            return [_Term(mean(signal), 0, mask), *self._pure_noise(x, y, noise)]
        spectrum = mean(signal + noise)
        spins = x.spin(i), y.spin(k)
        if spins[0] == spins[1]:
            return [_Term(spectrum, spins[0], mask)]
        return [_Term(spectrum / 2, spin, mask) for spin in spins]

    def _pure_noise(self, x, y, noise):
        """The terms of white noise in pure modes: of the mask and of its first and second derivatives."""
        factors = np.where(np.arange(self.L) < 2, 0.0, 1.0), *derivative_factors(self.L)
        squares = [self._product_of_masks(x, y), *self._squared_derivatives(x.field.mask)]
        means = [_mean_weight(square) for square in squares]
        total = sum(f**2 * mean for f, mean in zip(factors, means, strict=True))
        level = np.divide(noise * means[0], total, out=np.zeros(self.L), where=total > 0)
        return [
            _Term(_geometric_mean(level * f**2), spin, square)
            for f, spin, square in zip(factors, (2, 1, 0), squares, strict=True)
        ]

    def _rotated(self, x, y):
        """The correlator of E of one field and B of the other that the rotation of both by a mask causes."""
        signal, noise = self._spectra(x, y)
        isotropic = (signal[0, 0] + signal[1, 1] + noise[0, 0] + noise[1, 1]) / 2
        return _Term(_geometric_mean(isotropic), x.field.spin, self._product_of_masks(x, y))

    def _spectra(self, x, y):
        """Mean pseudo-spectra of signal and noise over the mean of the masks, two arrays (n, n2, L)."""
        key = "spectra", _key(x), x.group, _key(y), y.group
        return self._cached(key, lambda: self._computed_spectra(x, y))

    def _computed_spectra(self, x, y):
        coupling = self.coupling(x, y)
        zeros = np.zeros(self.L)
        theory = [spectrum_of_pair(self.cl, name) for name in coupling.names]
        signal = coupling.couple(np.stack([zeros if cl is None else cl for cl in theory]))
        noise = np.zeros_like(signal)
        if x.group == y.group:
            by_name = x.noise | {name[::-1]: cl for name, cl in x.noise.items()}
            spectra = spectra_of_pairs(by_name, coupling.names, self.L)
            noise = noise if spectra is None else spectra
        shape = len(x.field.names), len(y.field.names), self.L
        scale = 1 / _mean_weight(self._product_of_masks(x, y))
        return signal.reshape(shape) * scale, noise.reshape(shape) * scale

    def _kernel(self, term, term2, odd=False):
        """K_ll'(s, s') with all degrees, or with odd l + l' + l3 only [shape=(L, L)]."""
        terms = sorted([term, term2], key=lambda x: (x.spin, id(x.mask)))
        key = "kernel", *((x.spin, id(x.mask)) for x in terms), odd
        return self._cached(key, lambda: self._computed_kernel(*terms, odd))

    def _computed_kernel(self, term, term2, odd):
        rows = coupling_matrix(term.mask.power(term2.mask), self.L, term.spin, term2.spin)[0]
        return rows[-1 if odd else 0] / (2 * np.arange(self.L) + 1)

    def _product_of_masks(self, x, y):
        mask, mask2 = sorted([x.field.mask, y.field.mask], key=id)
        key = "product", id(mask), id(mask2)
        return self._cached(key, lambda: _with_values(mask, mask.values * mask2.values))

    def _squared_derivatives(self, mask):
        key = "derivatives", id(mask)
        return self._cached(
            key, lambda: [_with_values(mask, abs(x) ** 2) for x in mask.derivatives]
        )

    def _cached(self, key, compute):
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]


def _key(x):
    """What the coupling of a field depends on."""
    return id(x.field.mask), x.field.spin, x.field.pure, x.field.names, x.field.beam.tobytes()


def _with_values(mask, values):
    """A mask with other values on the same grid."""
    return Mask(values, mask.L, mask.grid, mask.iterations, mask.threads)


def _mean_weight(mask):
    """The mean of a mask over the sphere."""
    return float(np.sum(mask.grid.weights * mask.values) / (4 * np.pi))


def _rotation(a, c):
    """1 for E and B, -1 for B and E of spin fields, else 0: the sign of what their rotation correlates."""
    (x, i), (y, k) = a, c
    return k - i if x.spin(i) and x.spin(i) == y.spin(k) else 0


def _arithmetic_mean(spectrum):
    """The arithmetic mean of a spectrum at two degrees [shape=(L, L)]."""
    return (spectrum[:, None] + spectrum) / 2


def _geometric_mean(spectrum):
    """The geometric mean of a spectrum >= 0 at two degrees [shape=(L, L)].

    The covariance of auto-spectra is then positive: a product of positive semidefinite matrices.
    """
    root = np.sqrt(np.maximum(spectrum, 0))
    return root[:, None] * root
