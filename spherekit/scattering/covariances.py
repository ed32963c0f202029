"""Scattering covariances: statistics of the dependence between the scales of a real map.

With W_j(omega, gamma) = <f, R_omega,gamma Psi^j>, orientations gamma of index a, b, c, and means <.> over the
sphere,

    S1[j, a]              = <|W_ja|>
    P00[j, a]             = <W_ja^2>
    C01[j1, a; j2, b]     = <W_j1a (|W_j2b| * Psi^j1a)>                              j1 < j2
    C11[j1, a; j2, b; j3, c] = <(|W_j2b| * Psi^j1a) (|W_j3c| * Psi^j1a)>             j1 < j2 <= j3

(Mousset, Allys, Price et al. 2024, A&A 691, A269; on the plane Cheng et al. 2024, PNAS Nexus 3, pgae103.)
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations, combinations_with_replacement
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit._core.modulus import modulus
from spherekit._core.operators import Operator
from spherekit._core.parallel import thread_count
from spherekit._core.traced import coefficients
from spherekit.conventions.indexing import degrees, gather_entries, is_hermitian
from spherekit.harmonic import transform as harmonic
from spherekit.linear import cast, is_traced
from spherekit.sampling import GL, RotationGrid
from spherekit.sampling.base import Grid
from spherekit.sampling.quadrature import read_only
from spherekit.scattering.cross_moments import squares
from spherekit.wavelets import Wavelets
from spherekit.wigner import transform as wigner

#: Largest magnitude of the binary exponent of a map for which sums of its squares neither overflow nor
#: underflow.
_MAX_EXPONENT = 480


class Statistics(NamedTuple):
    """Scattering covariances of maps, as returned by `Covariances`.

    Attributes
    ----------
    mean : ndarray [shape=(...)]
        Mean of the map over the sphere.
    variance : float64 ndarray [shape=(...)]
        Variance of the map over the sphere.
    S1 : ndarray [shape=(..., scales, a)]
        <|W_ja|>.
    P00 : float64 ndarray [shape=(..., scales, a)]
        <W_ja^2>.
    C01 : float64 ndarray [shape=(..., pairs, a, b)]
        <W_j1a (|W_j2b| * Psi^j1a)>, with rows as in ``Covariances.pairs``.
    C11 : float64 ndarray [shape=(..., triples, a, b, c)]
        <(|W_j2b| * Psi^j1a) (|W_j3c| * Psi^j1a)>, with rows as in ``Covariances.triples``.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.testing import random_flm
    >>> s = Covariances(8, N=1).from_flm(random_flm(8, np.random.default_rng(0), reality=True))
    >>> s.S1.shape, s.C01.shape, s.C11.shape           # 4 scales, 1 orientation
    ((4, 1), (6, 1, 1), (10, 1, 1, 1))
    """

    mean: np.ndarray
    variance: np.ndarray
    S1: np.ndarray
    P00: np.ndarray
    C01: np.ndarray
    C11: np.ndarray


class Covariances(Operator):
    """Scattering covariances of real maps.

    Parameters
    ----------
    L, lam, J0, N : as `spherekit.wavelets.Wavelets`
        Band-limit, dilation factor, lowest scale, and azimuthal band-limit of the wavelets.
    directions : int, optional
        Number of orientations gamma = pi a/directions, of the parity of N. By default 2N-1 for odd N, 2N for
        even N.
    isotropic : bool
        Average over all orientations. The statistics are then invariant under rotations of the map, up to the
        aliasing of the moduli; otherwise they depend on the position of the poles.
    oversample : float
        The moduli are sampled for ``oversample`` times the band-limit of their scale.
    sampling, threads : as `spherekit.wavelets.Wavelets`
        Grid of the maps; number of threads.

    Attributes
    ----------
    scales : tuple of int
        The scales of the wavelets.
    pairs : tuple of (j1, j2)
        The rows of C01.
    triples : tuple of (j1, j2, j3)
        The rows of C11.

    Raises
    ------
    TypeError
        An argument of another type.
    ValueError
        An argument out of range, or ``directions`` of another parity than N.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.testing import random_flm
    >>> C = Covariances(16, N=3)
    >>> s = C.from_flm(random_flm(16, np.random.default_rng(0), reality=True))
    >>> C.scales, s.S1.shape, s.C01.shape, s.C11.shape
    ((0, 1, 2, 3, 4), (5, 5), (10, 5, 5), (20, 5, 5, 5))
    """

    def __init__(
        self,
        L: int,
        lam: float = 2,
        J0: int = 0,
        N: int = 3,
        *,
        directions: int | None = None,
        isotropic: bool = False,
        oversample: float = 2,
        sampling: str | Grid = "mw",
        threads: int | None = None,
    ):
        options = dict(sampling=sampling, reality=True, threads=threads)
        self.wavelets = w = Wavelets(L, lam, J0, N, **options)
        directions = 2 * w.N - w.N % 2 if directions is None else directions
        hint = f"of the parity of N = {w.N}"
        self.directions = checks.integer(directions, "directions", w.N, hint=hint)
        if (self.directions - w.N) % 2:
            raise ValueError(f"directions is {self.directions}; expected a number {hint}")
        self.oversample = checks.oversampling(oversample)
        self.L = w.L
        self.isotropic = bool(isotropic)
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

    def __call__(self, f: ArrayLike) -> Statistics:
        """Scattering covariances of real maps given by their samples.

        Parameters
        ----------
        f : array_like [shape=(..., *grid.shape)]
            Samples of real maps.

        Returns
        -------
        Statistics
            As from `from_flm`.

        Raises
        ------
        TypeError
            Complex samples.
        ValueError
            Samples of another shape, NaN, infinite or UNSEEN; maps whose squares are beyond the range of
            float64.

        Warns
        -----
        UserWarning
            L is larger than 3 nside on HEALPix.
        """
        w = self.wavelets
        options = dict(sampling=w.grid, reality=True, threads=w.threads)
        return self.from_flm(harmonic.forward(f, self.L, **options))

    def from_flm(self, flm: ArrayLike) -> Statistics:
        """Scattering covariances of real maps given by their harmonic coefficients.

        Parameters
        ----------
        flm : complex array_like [shape=(..., L*L)]
            Coefficients of real maps (Hermitian).

        Returns
        -------
        Statistics
            With ``isotropic``, the axes of orientations have length 1. Squares and products are float64 for
            any precision of ``flm``, because they may be beyond the range of float32. Differentiable.

        Raises
        ------
        ValueError
            Coefficients of another shape, NaN, infinite or not Hermitian; maps whose squares are beyond the
            range of float64: smaller than 1e-144 or larger than 1e144.
        """
        flm = coefficients(flm, self.L)
        _check_real(flm)
        _check_squares(flm)
        moduli = {j: self._modulus(flm, j) for j in self.scales}
        mean = anp.real(flm[..., 0]) / math.sqrt(4 * math.pi)
        variance = anp.sum(cast(anp.abs(flm[..., 1:]), np.float64) ** 2, axis=-1) / (4 * math.pi)
        S1 = [anp.real(M[..., 0]) / math.sqrt(4 * math.pi) for M in moduli.values()]
        moments = anp.concatenate([self._moments(flm, moduli, j) for j in self.scales], axis=-1)
        return Statistics(
            mean, variance, anp.stack(S1, axis=-2), *(moments[..., rows] for rows in self._rows)
        )

    def normalize(self, statistics: Statistics, reference: Statistics | None = None) -> Statistics:
        """Divide every W_ja by its rms in the ``reference``.

        S1 and P00 become dimensionless, and C01 and C11 become correlations. Mean and variance are divided by
        the rms and the variance of the reference. `normalized` returns the same for maps of any scale.

        Parameters
        ----------
        statistics : Statistics
            Statistics of maps.
        reference : Statistics, optional
            Statistics of the reference; by default ``statistics``.

        Returns
        -------
        Statistics
            Differentiable by both arguments.

        Raises
        ------
        ValueError
            A scale of the reference has no power.
        """
        s = statistics
        r = statistics if reference is None else reference
        if not (np.all(getval(r.P00) > 0) and np.all(getval(r.variance) > 0)):
            raise ValueError(
                "the reference has no power in one of the scales; expected power in each of the scales "
                f"{self.scales}: choose other L and J0"
            )

        def rms(rows, position):
            return anp.sqrt(r.P00)[..., [self.scales.index(row[position]) for row in rows], :]

        pairs = self.pairs
        triples = self.triples
        C01 = s.C01 / rms(pairs, 0)[..., :, None] / rms(pairs, 1)[..., None, :]
        C11 = s.C11 / rms(triples, 1)[..., None, :, None] / rms(triples, 2)[..., None, None, :]
        mean = s.mean / anp.sqrt(r.variance)
        S1 = s.S1 / anp.sqrt(r.P00)
        return Statistics(mean, s.variance / r.variance, S1, s.P00 / r.P00, C01, C11)

    def normalized(self, flm: ArrayLike, reference: ArrayLike | None = None) -> Statistics:
        """Normalized statistics of maps given by their harmonic coefficients, in any unit.

        Parameters
        ----------
        flm : complex array_like [shape=(..., L*L)]
            Coefficients of real maps (Hermitian).
        reference : complex array_like [shape=(..., L*L)], optional
            Coefficients of the reference of `normalize`; by default ``flm``.

        Returns
        -------
        Statistics
            As from `normalize`, without overflow or underflow of squares. Differentiable.

        Raises
        ------
        ValueError
            Coefficients of another shape, NaN, infinite or not Hermitian; a scale of the reference has no
            power.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.testing import random_flm
        >>> C, flm = Covariances(8, N=1), random_flm(8, 0, reality=True)
        >>> bool((C.normalized(flm).C11 == C.normalized(flm * 2.0**-900).C11).all())
        True
        """
        flm = coefficients(flm, self.L)
        reference_flm = flm if reference is None else coefficients(reference, self.L)
        e = scaling.exponents(getval(reference_flm)[..., 1:])
        s = self.from_flm(_ldexp(flm, -e))
        if reference is None:
            return self.normalize(s, s)
        return self.normalize(s, self.from_flm(_ldexp(reference_flm, -e)))

    def _above(self, j):
        """The scales above j."""
        return [i for i in self.scales if i > j]

    def _below(self, j):
        """The largest band-limit of the scales below j."""
        return max([1, *(self.wavelets.grids[i].L for i in self.scales if i < j)])

    def _modulus(self, flm, j):
        """Coefficients of |W_ja| for the scales below j, (..., a, limit^2), or their mean over a."""
        w = self.wavelets
        limit, N = w.grids[j].L, w.grids[j].N
        grid = self._grid(math.ceil(self.oversample * limit))
        U = modulus(wigner.inverse(w.convolve(flm, j), limit, N, **self._options(grid)))
        if self.isotropic:
            U = anp.sum(U, axis=-3, keepdims=True) / self.directions
        options = dict(sampling=grid.sphere, reality=True, threads=w.threads)
        return harmonic.forward(U, self._below(j), **options)

    def _grid(self, limit):
        """A Gauss-Legendre grid, on which products of two signals are integrated exactly."""
        limit = max(limit, self.directions)
        return RotationGrid(limit, self.directions, GL(limit), steerable=True)

    def _options(self, grid):
        return dict(sampling=grid, reality=True, steerable=True, threads=self.wavelets.threads)

    def _moments(self, flm, moduli, j):
        """Moments of the map and of the moduli above j, filtered at scale j: (..., a * products)."""
        w = self.wavelets
        n = self.directions
        limit, N = w.grids[j].L, w.grids[j].N
        fields = [flm[..., None, :], *(moduli[i] for i in self._above(j))]
        fields = anp.concatenate([gather_entries(x, slice(limit**2)) for x in fields], axis=-2)
        if self.isotropic:  # by Parseval: sum_l sum_n |Psi_ln|^2/(2l+1) sum_m f_lm conj(g_lm)
            n = 1
            ell = np.arange(limit)
            power = (np.abs(w.filters[j][:, ell]) ** 2).sum(axis=0) / (2 * ell + 1)
            weights = power[degrees(limit)]
            X = anp.stack([anp.real(fields), anp.imag(fields)], axis=-2)[..., None, :, :]
        else:
            grid = self._grid(limit)
            X = wigner.inverse(w.convolve(fields, j), limit, N, **self._options(grid))
            weights = grid.sphere.weights / (4 * math.pi)
        products = _products(len(self._above(j)), n)
        moments = squares(X, products, weights, thread_count(w.threads))
        return anp.reshape(moments, (*moments.shape[:-2], math.prod(moments.shape[-2:])))

    def _index(self):
        """The indices of P00 (scales, a), C01 (pairs, a, b), C11 (triples, a, b, c) among all `_moments`."""
        n = 1 if self.isotropic else self.directions
        start = 0
        rows = [], [], []
        for j in self.scales:
            above = len(self._above(j))
            size = len(_products(above, n))
            indices = start + np.arange(n * size).reshape(n, size)
            start += n * size
            end = 1 + above * n
            rows[0].append(indices[None, :, 0])
            rows[1].append(indices[:, 1:end].reshape(n, above, n).swapaxes(0, 1))
            rows[2].append(np.moveaxis(indices[:, end:].reshape(n, -1, n, n), 0, 1))
        return tuple(np.concatenate(blocks) for blocks in rows)


def _check_real(flm):
    """Raise ValueError for coefficients that are not finite, or not those of real maps."""
    if is_traced(flm):
        return
    invalid = flm.size - np.count_nonzero(np.isfinite(flm))
    if invalid:
        raise ValueError(
            f"flm contains {invalid} NaN or infinite coefficients, of {flm.size}; expected finite ones"
        )
    if not is_hermitian(flm):
        raise ValueError(
            "flm breaks the symmetry f[l,-m] = (-1)^m conj f[l,m] of a real signal; expected the "
            "coefficients of real maps"
        )


def _check_squares(flm):
    """Raise ValueError for maps whose squares overflow or underflow in float64."""
    e = scaling.exponents(getval(flm)[..., 1:])
    if np.abs(e).max(initial=0) > _MAX_EXPONENT:
        size = math.ldexp(1.0, int(e.ravel()[np.argmax(np.abs(e))]) - 1)
        raise ValueError(
            f"flm contains a map with coefficients of about {size:.0e}, whose squares are beyond the range "
            "of float64; scale the map, or use C.normalized(flm), which does not depend on its scale"
        )


def _ldexp(flm, e):
    """2^e flm, in two exact steps, because 2^e itself may overflow or underflow."""
    kind = checks.real_type(getval(flm))
    half = e // 2
    return flm * np.ldexp(kind(1), half) * np.ldexp(kind(1), e - half)


@lru_cache(maxsize=64)
def _products(above, n):
    """Index pairs of P00, C01 and C11 in the list of fields: the map, then n fields of each scale above."""
    index = [[1 + i * n + b for b in range(n)] for i in range(above)]
    pairs = [(0, 0), *((0, k) for fields in index for k in fields)]
    for first, second in combinations_with_replacement(index, 2):
        pairs += [(i, k) for i in first for k in second]
    return read_only(np.array(pairs))
