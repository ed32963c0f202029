"""Scattering covariances: what the scales of a real map have to do with each other.

With W_j(omega, gamma) = <f, R_omega,gamma Psi^j>, orientations a, b, c of gamma, means <.> over the sphere,

    S1[j, a]              = <|W_ja|>
    P00[j, a]             = <W_ja^2>
    C01[j1, a; j2, b]     = <W_j1a (|W_j2b| * Psi^j1a)>                              j1 < j2
    C11[j1, a; j2, b; j3, c] = <(|W_j2b| * Psi^j1a) (|W_j3c| * Psi^j1a)>             j1 < j2 <= j3

(Mousset, Allys, Price et al. 2024, A&A 691, A269; on the plane Cheng et al. 2024, PNAS Nexus 3, pgae103.)
"""

import math
from collections import namedtuple
from functools import lru_cache
from itertools import combinations, combinations_with_replacement

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core import checks, scaling
from spherekit._core.modulus import modulus
from spherekit._core.operators import Operator
from spherekit._core.parallel import thread_count
from spherekit._core.traced import coefficients
from spherekit.conventions.indexing import degrees, take
from spherekit.harmonic import transform as harmonic
from spherekit.linear import cast
from spherekit.sampling import GL, RotationGrid
from spherekit.sampling.quadrature import read_only
from spherekit.scattering.cross_moments import squares
from spherekit.wavelets import Wavelets
from spherekit.wigner import transform as wigner

#: Mean and variance of the map, and the four families.
Statistics = namedtuple("Statistics", "mean variance S1 P00 C01 C11")


#: Binary exponent of maps beyond which sums of squares, or their digits, are lost.
_LARGEST = 480


class Covariances(Operator):
    """Scattering covariances of real maps.

    Parameters
    ----------
    L, lam, J0, N : as `spherekit.wavelets.Wavelets`
    directions : int, optional
        Orientations gamma = pi a/directions; default 2N-1, or 2N where N is even. Of the parity of N.
    isotropic : bool
        Averages over all orientations: statistics that do not change where the map is rotated (but for what
        the moduli alias). Without it they are bound to the poles.
    oversample : float
        The moduli are taken on samples for ``oversample`` times their scale's band-limit.
    sampling, threads : as `Wavelets`

    Attributes
    ----------
    scales : tuple of int
    pairs : tuple of (j1, j2)
        The rows of C01.
    triples : tuple of (j1, j2, j3)
        The rows of C11.

    >>> import numpy as np
    >>> from spherekit.testing import random_flm
    >>> C = Covariances(16, N=3)
    >>> s = C.from_flm(random_flm(16, np.random.default_rng(0), reality=True))
    >>> C.scales, s.S1.shape, s.C01.shape, s.C11.shape
    ((0, 1, 2, 3, 4), (5, 5), (10, 5, 5), (20, 5, 5, 5))
    """

    def __init__(
        self,
        L,
        lam=2,
        J0=0,
        N=3,
        *,
        directions=None,
        isotropic=False,
        oversample=2,
        sampling="mw",
        threads=None,
    ):
        options = dict(sampling=sampling, reality=True, threads=threads)
        self.wavelets = w = Wavelets(L, lam, J0, N, **options)
        directions = 2 * w.N - w.N % 2 if directions is None else directions
        hint = f"of the parity of N = {w.N}"
        self.directions = checks.integer(directions, "directions", w.N, hint=hint)
        if (self.directions - w.N) % 2:
            raise ValueError(f"directions is {self.directions}; expected a number {hint}")
        self.oversample = checks.oversampling(oversample)
        self.L, self.isotropic = w.L, bool(isotropic)
        self.scales = w.scales
        self.pairs = tuple(combinations(w.scales, 2))
        self.triples = tuple(
            (j, *pair)
            for j in w.scales
            for pair in combinations_with_replacement(self._above(j), 2)
        )
        self._rows = self._index()

    def __repr__(self):
        w = self.wavelets
        return (
            f"Covariances(L={w.L}, lam={w.lam:g}, J0={w.J0}, N={w.N}, directions={self.directions}, "
            f"isotropic={self.isotropic}, oversample={self.oversample:g})"
        )

    def _key(self):
        return self.wavelets, self.directions, self.isotropic, self.oversample

    def __call__(self, f):
        """`Statistics` of samples (..., *grid.shape)."""
        w = self.wavelets
        options = dict(sampling=w.grid, reality=True, threads=w.threads)
        return self.from_flm(harmonic.forward(f, self.L, **options))

    def from_flm(self, flm):
        """`Statistics` of the coefficients (..., L*L) of real maps.

        Mean and variance (...); S1, P00 (..., scales, a); C01 (..., pairs, a, b); C11 (..., triples, a, b,
        c). ``isotropic`` leaves one orientation, the average. Squares and products are float64 whatever
        came in: they are beyond the range of float32 where the map is not.

        Raises
        ------
        ValueError
            Maps whose squares are beyond the range of float64: below 1e-144 or above 1e144.
        """
        flm = coefficients(flm, self.L)
        _squares_in_range(flm)
        moduli = {j: self._modulus(flm, j) for j in self.scales}
        mean = anp.real(flm[..., 0]) / math.sqrt(4 * math.pi)
        variance = anp.sum(cast(anp.abs(flm[..., 1:]), np.float64) ** 2, axis=-1) / (4 * math.pi)
        S1 = [anp.real(M[..., 0]) / math.sqrt(4 * math.pi) for M in moduli.values()]
        moments = anp.concatenate([self._moments(flm, moduli, j) for j in self.scales], axis=-1)
        return Statistics(
            mean, variance, anp.stack(S1, axis=-2), *(moments[..., rows] for rows in self._rows)
        )

    def normalise(self, statistics, reference=None):
        """`Statistics` of a map with every W_ja divided by its rms in the ``reference`` (default: itself).

        S1 and P00 lose their units, C01 and C11 become correlations; mean and variance are those of the map
        over the rms and the variance of the reference. `normalised` gives the same of maps of any size.

        Raises
        ------
        ValueError
            A scale of the reference without power; a size whose squares have lost their digits.
        """
        s, r = statistics, statistics if reference is None else reference
        if not (np.all(getval(r.P00) > 0) and np.all(getval(r.variance) > 0)):
            raise ValueError(
                "the reference has no power in some scale, nothing to divide by; choose L and J0 so that "
                f"each of the scales {self.scales} holds some"
            )

        def rms(rows, place):
            return anp.sqrt(r.P00)[..., [self.scales.index(row[place]) for row in rows], :]

        pairs, triples = self.pairs, self.triples
        C01 = s.C01 / rms(pairs, 0)[..., :, None] / rms(pairs, 1)[..., None, :]
        C11 = s.C11 / rms(triples, 1)[..., None, :, None] / rms(triples, 2)[..., None, None, :]
        mean = s.mean / anp.sqrt(r.variance)
        S1 = s.S1 / anp.sqrt(r.P00)
        return Statistics(mean, s.variance / r.variance, S1, s.P00 / r.P00, C01, C11)

    def normalised(self, flm, reference=None):
        """`normalise` of the statistics of coefficients (..., L*L), in whatever unit the maps are.

        >>> import numpy as np
        >>> from spherekit.testing import random_flm
        >>> C, flm = Covariances(8, N=1), random_flm(8, 0, reality=True)
        >>> one, other = C.normalised(flm), C.normalised(flm * 2.0**-900)
        >>> bool((one.C11 == other.C11).all())
        True
        """
        flm = coefficients(flm, self.L)
        unit = flm if reference is None else coefficients(reference, self.L)
        e = scaling.exponents(getval(unit)[..., 1:])
        s = self.from_flm(_times_power(flm, -e))
        return self.normalise(s, s if reference is None else self.from_flm(_times_power(unit, -e)))

    def _above(self, j):
        return [i for i in self.scales if i > j]

    def _below(self, j):
        """The band-limit that the scales below j look at."""
        return max([1, *(self.wavelets.grids[i].L for i in self.scales if i < j)])

    def _modulus(self, flm, j):
        """Coefficients of |W_ja| that the scales below look at: (..., a, limit^2), or their mean over a."""
        w = self.wavelets
        limit, N = w.grids[j].L, w.grids[j].N
        grid = self._grid(math.ceil(self.oversample * limit))
        U = modulus(wigner.inverse(w.convolve(flm, j), limit, N, **self._on(grid)))
        if self.isotropic:
            U = anp.sum(U, axis=-3, keepdims=True) / self.directions
        options = dict(sampling=grid.sphere, reality=True, threads=w.threads)
        return harmonic.forward(U, self._below(j), **options)

    def _grid(self, limit):
        """On Gauss-Legendre rings products of two signals are summed exactly."""
        limit = max(limit, self.directions)
        return RotationGrid(limit, self.directions, GL(limit), steerable=True)

    def _on(self, grid):
        return dict(sampling=grid, reality=True, steerable=True, threads=self.wavelets.threads)

    def _moments(self, flm, moduli, j):
        """Moments of the map and of the moduli above j, all analysed at this scale: (..., a * products)."""
        w, n = self.wavelets, self.directions
        limit, N = w.grids[j].L, w.grids[j].N
        fields = [flm[..., None, :], *(moduli[i] for i in self._above(j))]
        fields = anp.concatenate([take(x, slice(limit**2)) for x in fields], axis=-2)
        if self.isotropic:  # by Parseval: sum_l sum_n |Psi_ln|^2/(2l+1) sum_m f_lm conj(g_lm)
            ell, n = np.arange(limit), 1
            power = (np.abs(w.filters[j][:, ell]) ** 2).sum(axis=0) / (2 * ell + 1)
            weights = power[degrees(limit)]
            X = anp.stack([anp.real(fields), anp.imag(fields)], axis=-2)[..., None, :, :]
        else:
            grid = self._grid(limit)
            X = wigner.inverse(w.convolve(fields, j), limit, N, **self._on(grid))
            weights = grid.sphere.weights / (4 * math.pi)
        products = _products(len(self._above(j)), n)
        moments = squares(X, products, weights, thread_count(w.threads))
        return anp.reshape(moments, (*moments.shape[:-2], math.prod(moments.shape[-2:])))

    def _index(self):
        """Where P00 (scales, a), C01 (pairs, a, b), C11 (triples, a, b, c) lie among all `_moments`."""
        n, start, rows = 1 if self.isotropic else self.directions, 0, ([], [], [])
        for j in self.scales:
            above = len(self._above(j))
            size = len(_products(above, n))
            at = start + np.arange(n * size).reshape(n, size)
            start, end = start + n * size, 1 + above * n
            rows[0].append(at[None, :, 0])
            rows[1].append(at[:, 1:end].reshape(n, above, n).swapaxes(0, 1))
            rows[2].append(np.moveaxis(at[:, end:].reshape(n, -1, n, n), 0, 1))
        return tuple(np.concatenate(blocks) for blocks in rows)


def _squares_in_range(flm):
    """Refuse maps whose squares float64 does not hold, or not with all digits."""
    e = scaling.exponents(getval(flm)[..., 1:])
    if np.abs(e).max(initial=0) > _LARGEST:
        size = math.ldexp(1.0, int(e.ravel()[np.argmax(np.abs(e))]) - 1)
        raise ValueError(
            f"flm holds a map of coefficients up to about {size:.0e}, whose covariances, which are squares, "
            "are beyond the range of float64; scale it, or take C.normalised(flm), which has no unit"
        )


def _times_power(flm, e):
    """2^e flm, in two exact steps: 2^e itself may be no number."""
    kind, half = checks.real_type(getval(flm)), e // 2
    return flm * np.ldexp(kind(1), half) * np.ldexp(kind(1), e - half)


@lru_cache(maxsize=64)
def _products(above, n):
    """Pairs of fields (the map, then n of each scale above): P00, C01 by scale, C11 by two scales."""
    index = [[1 + i * n + b for b in range(n)] for i in range(above)]
    pairs = [(0, 0), *((0, k) for fields in index for k in fields)]
    for first, second in combinations_with_replacement(index, 2):
        pairs += [(i, k) for i in first for k in second]
    return read_only(np.array(pairs))
