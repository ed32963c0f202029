"""Bandpowers: weighted means of power spectra over ranges of degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.traced import as_float_array


@dataclass(frozen=True, eq=False, repr=False)
class Bins:
    """Ranges of degrees and their weights.

    The bandpower of bin b is ``C_b = sum_l w_l f_l C_l / sum_l w_l`` over its degrees, with f_l = 1, or
    ``f_l = l(l+1) / 2 pi`` with ``dl=True``. A spectrum of given bandpowers is ``C_l = C_b / f_l``.

    Parameters
    ----------
    first : int array_like [shape=(n,)]
        The lowest degree of each bin, in increasing order.
    stop : int array_like [shape=(n,)]
        The highest degree of each bin plus 1. Bins do not overlap; degrees between them belong to no bin.
    L : int
        Band-limit of the spectra, at least the last ``stop``.
    weights : array_like [shape=(L,)], optional
        w_l >= 0, not all 0 in any bin. By default all are 1; ``2 l + 1`` weights by the number of modes.
    dl : bool
        Whether the bandpowers are those of D_l = l(l+1) C_l / 2 pi.

    Attributes
    ----------
    first, stop, weights : ndarray
        Read-only copies of the arguments. Bins are equal if these, L and dl are.
    n : int
        Number of bins.
    ell : float64 ndarray [shape=(n,)]
        The mean degree of each bin, weighted with w_l.

    Raises
    ------
    TypeError
        Bounds or L that are not integers; weights that are not real numbers.
    ValueError
        No bins; bins that are empty, overlap or are not in order; degrees below 0 or beyond L - 1; weights of
        another shape, negative, not finite, or 0 at all degrees of a bin.

    See Also
    --------
    Bins.linear, Bins.log, Bins.from_edges : bins without gaps.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import Bins
    >>> bins = Bins([2, 4], [4, 8], 8)
    >>> bins, bins.bin(np.arange(8.0))
    (Bins(2 bins of l = 2..7, L=8), array([2.5, 5.5]))
    >>> bins.unbin([1.0, 2.0])
    array([0., 0., 1., 1., 2., 2., 2., 2.])
    """

    first: np.ndarray
    stop: np.ndarray
    L: int
    weights: np.ndarray | None = None
    dl: bool = False

    def __post_init__(self):
        L = checks.band_limit(self.L)
        first, stop = _bounds(self.first, self.stop, L)
        weights = _weights(self.weights, first, stop, L)
        for x in (first, stop, weights):
            x.flags.writeable = False
        for name, value in dict(first=first, stop=stop, L=L, weights=weights).items():
            object.__setattr__(self, name, value)

    @classmethod
    def linear(
        cls,
        L: int,
        width: int,
        *,
        start: int = 2,
        weights: ArrayLike | None = None,
        dl: bool = False,
    ) -> Bins:
        """Bins of equal width from ``start`` on, up to L - 1.

        The last bin is wider where the degrees are not a multiple of the width.

        Parameters
        ----------
        L : int
            Band-limit.
        width : int
            Number of degrees of a bin, 1 to L - start.
        start : int
            The lowest degree of the first bin, 0 <= start < L.
        weights : array_like [shape=(L,)], optional
            As of `Bins`.
        dl : bool
            As of `Bins`.

        Returns
        -------
        Bins

        Raises
        ------
        TypeError, ValueError
            As of `Bins`; a width or a start out of range.

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.linear(11, 3).first
        array([2, 5, 8])
        """
        L, start = _range(L, start)
        width = checks.integer(width, "width", 1, L - start)
        return cls.from_edges(_joined(np.arange(start, L + 1, width), L), L, weights=weights, dl=dl)

    @classmethod
    def log(
        cls, L: int, n: int, *, start: int = 2, weights: ArrayLike | None = None, dl: bool = False
    ) -> Bins:
        """Bins from ``start`` to L - 1 of equal width in log l, of at least one degree each.

        Where equal ratios would give less than a degree, bins have one, and the ratio of the
        others is larger.

        Parameters
        ----------
        L : int
            Band-limit.
        n : int
            Number of bins, 1 to L - start.
        start : int
            The lowest degree of the first bin, 1 <= start < L.
        weights : array_like [shape=(L,)], optional
            As of `Bins`.
        dl : bool
            As of `Bins`.

        Returns
        -------
        Bins

        Raises
        ------
        TypeError, ValueError
            As of `Bins`; a number of bins or a start out of range.

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.log(65, 8).first
        array([ 2,  3,  5,  8, 12, 18, 28, 43])
        """
        L, start = _range(L, start, 1)
        n = checks.integer(n, "n", 1, L - start)
        edges = [start]
        for remaining in range(n, 0, -1):
            ratio = (L / edges[-1]) ** (1 / remaining)
            edge = max(edges[-1] + 1, math.floor(edges[-1] * ratio + 0.5))
            edges.append(min(edge, L - remaining + 1))
        return cls.from_edges(edges, L, weights=weights, dl=dl)

    @classmethod
    def from_edges(
        cls,
        edges: ArrayLike,
        L: int | None = None,
        *,
        weights: ArrayLike | None = None,
        dl: bool = False,
    ) -> Bins:
        """Bins between edges: bin b has the degrees ``edges[b] <= l < edges[b + 1]``.

        Parameters
        ----------
        edges : int array_like [shape=(n + 1,)]
            In increasing order.
        L : int, optional
            Band-limit; by default the last edge.
        weights : array_like [shape=(L,)], optional
            As of `Bins`.
        dl : bool
            As of `Bins`.

        Returns
        -------
        Bins

        Raises
        ------
        TypeError, ValueError
            As of `Bins`; fewer than two edges.

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([2, 10, 30]).ell
        array([ 5.5, 19.5])
        """
        edges = _integers(edges, "edges")
        if edges.ndim != 1 or edges.size < 2:
            raise ValueError(f"edges has shape {edges.shape}; expected at least two edges")
        return cls(edges[:-1], edges[1:], int(edges[-1]) if L is None else L, weights, dl)

    @property
    def n(self) -> int:
        """Number of bins."""
        return self.first.size

    @property
    def ell(self) -> np.ndarray:
        """The mean degree of each bin, weighted with w_l."""
        rows = self.weight_rows()
        return rows @ np.arange(float(self.L))

    def __eq__(self, bins):
        return isinstance(bins, Bins) and self._key() == bins._key()

    def __hash__(self):
        return hash(self._key())

    def _key(self):
        arrays = (x.tobytes() for x in (self.first, self.stop, self.weights))
        return self.L, bool(self.dl), *arrays

    def __repr__(self):
        count = f"{self.n} bin" if self.n == 1 else f"{self.n} bins"
        dl = ", dl=True" if self.dl else ""
        return f"Bins({count} of l = {self.first[0]}..{self.stop[-1] - 1}, L={self.L}{dl})"

    def weight_rows(self) -> np.ndarray:
        """The weights w_l of each bin, divided by their sum.

        Returns
        -------
        float64 ndarray [shape=(n, L)]

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([1, 3]).weight_rows()
        array([[0. , 0.5, 0.5]])
        """
        rows = np.zeros((self.n, self.L))
        for row, first, stop in zip(rows, self.first, self.stop, strict=True):
            row[first:stop] = self.weights[first:stop] / self.weights[first:stop].sum()
        return rows

    def factors(self) -> np.ndarray:
        """The factors f_l: 1, or l(l+1) / 2 pi with ``dl``.

        Returns
        -------
        float64 ndarray [shape=(L,)]

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([1, 3], dl=True).factors().round(3)
        array([0.   , 0.318, 0.955])
        """
        ell = np.arange(self.L)
        return ell * (ell + 1) / (2 * np.pi) if self.dl else np.ones(self.L)

    def matrix(self) -> np.ndarray:
        """The matrix of `bin`, ``w_l f_l / sum w_l`` at the degrees of each bin.

        Returns
        -------
        float64 ndarray [shape=(n, L)]

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([1, 3]).matrix()
        array([[0. , 0.5, 0.5]])
        """
        return self.weight_rows() * self.factors()

    def unbin_matrix(self) -> np.ndarray:
        """The matrix of `unbin`, ``1 / f_l`` at the degrees of each bin, and 0 where f_l is 0.

        Returns
        -------
        float64 ndarray [shape=(L, n)]

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([1, 3]).unbin_matrix()[:, 0]
        array([0., 1., 1.])
        """
        factors = self.factors()
        inverse = np.divide(1.0, factors, out=np.zeros(self.L), where=factors > 0)
        matrix = np.zeros((self.L, self.n))
        for column, (first, stop) in enumerate(zip(self.first, self.stop, strict=True)):
            matrix[first:stop, column] = inverse[first:stop]
        return matrix

    def bin(self, cl: ArrayLike) -> np.ndarray:
        """The bandpowers of spectra.

        Parameters
        ----------
        cl : array_like [shape=(..., n_l)], n_l >= the last ``stop``
            Spectra of degrees 0 to n_l - 1; those that belong to no bin are not used.

        Returns
        -------
        float64 ndarray [shape=(..., n)]
            Differentiable.

        Raises
        ------
        TypeError
            Spectra that are not real numbers.
        ValueError
            Too few degrees.

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([1, 3]).bin([5.0, 1, 3])
        array([2.])
        """
        cl = _spectra(cl, "cl")
        last = int(self.stop[-1])
        if not np.ndim(cl) or np.shape(cl)[-1] < last:
            raise ValueError(
                f"cl has shape {np.shape(cl)}; the bins need at least {last} degrees, l = 0..{last - 1}, on "
                "the last axis"
            )
        return anp.dot(cl[..., :last], self.matrix()[:, :last].T)

    def unbin(self, bandpowers: ArrayLike) -> np.ndarray:
        """Spectra that are constant (C_l, or D_l with ``dl``) in each bin, and 0 outside of the bins.

        Parameters
        ----------
        bandpowers : array_like [shape=(..., n)]

        Returns
        -------
        float64 ndarray [shape=(..., L)]
            Differentiable.

        Raises
        ------
        TypeError
            Bandpowers that are not real numbers.
        ValueError
            Another number of bandpowers.

        Examples
        --------
        >>> from spherekit.spectra import Bins
        >>> Bins.from_edges([1, 3]).unbin([2.0])
        array([0., 2., 2.])
        """
        bandpowers = _spectra(bandpowers, "bandpowers")
        if not np.ndim(bandpowers) or np.shape(bandpowers)[-1] != self.n:
            raise ValueError(
                f"bandpowers has shape {np.shape(bandpowers)}; expected {self.n} values, one for each bin, "
                "on the last axis"
            )
        return anp.dot(bandpowers, self.unbin_matrix().T)


def _range(L, start, lowest=0):
    """(L, start), checked."""
    L = checks.band_limit(L)
    return L, checks.integer(start, "start", lowest, L - 1)


def _joined(edges, L):
    """Edges of which the last is L: what is left beyond the last bin belongs to it."""
    edges[-1] = L
    return edges


def _integers(values, name):
    values = checks.as_array(values, name)
    if values.dtype.kind not in "iu" and not (values.dtype.kind == "f" and (values % 1 == 0).all()):
        raise TypeError(f"{name} has dtype {values.dtype}; expected integers, degrees")
    return values.astype(int)


def _bounds(first, stop, L):
    first, stop = _integers(first, "first"), _integers(stop, "stop")
    if first.ndim != 1 or first.shape != stop.shape or not first.size:
        raise ValueError(
            f"first and stop have shapes {first.shape} and {stop.shape}; expected one axis, of at least one "
            "bin, with the same number of values"
        )
    empty = np.flatnonzero(stop <= first)
    if empty.size:
        b = empty[0]
        raise ValueError(
            f"bin {b} has the degrees {first[b]} <= l < {stop[b]}, none; expected first < stop, with edges "
            "in increasing order"
        )
    overlapping = np.flatnonzero(first[1:] < stop[:-1])
    if overlapping.size:
        b = overlapping[0]
        raise ValueError(
            f"bins {b} and {b + 1} overlap or are not in order: degrees {first[b]}..{stop[b] - 1} and "
            f"{first[b + 1]}..{stop[b + 1] - 1}"
        )
    if first[0] < 0 or stop[-1] > L:
        raise ValueError(
            f"the bins have the degrees {first[0]} to {stop[-1] - 1}; expected degrees 0 to {L - 1}, those "
            f"below L = {L}: end the bins there, or raise L"
        )
    return first, stop


def _weights(weights, first, stop, L):
    if weights is None:
        return np.ones(L)
    weights = checks.as_float_array(weights, "weights")
    if np.iscomplexobj(weights) or weights.shape != (L,):
        raise ValueError(
            f"weights has shape {weights.shape} and dtype {weights.dtype}; expected ({L},) real values, one "
            "for each degree"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("weights contains negative, NaN or infinite values; expected values >= 0")
    for b, (low, high) in enumerate(zip(first, stop, strict=True)):
        if not weights[low:high].any():
            raise ValueError(
                f"the weights of bin {b}, l = {low}..{high - 1}, are all 0; expected at least one above 0"
            )
    return weights.astype(float)


def _spectra(values, name):
    values = as_float_array(values, name)
    if anp.iscomplexobj(values):
        raise TypeError(f"{name} is complex; expected real numbers")
    return values
