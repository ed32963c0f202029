"""The inverse of binned coupling matrices, and how it amplifies errors."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from spherekit.spectra.beams import SMALLEST_WINDOW

#: Largest condition number of a binned coupling matrix, with columns of norm 1, that is inverted.
MAX_CONDITION = 1e10
#: Largest ratio of the error of a bandpower and that of a bin without coupling, without a warning.
MAX_AMPLIFICATION = 10


class Solution(NamedTuple):
    """The inverse (n, n, bins.n, bins.n) of a binned coupling matrix, and its product with the matrix."""

    inverse: np.ndarray
    windows: np.ndarray


def solve(binned, names, bins, beam, narrowest):
    """The `Solution` of a matrix (n, n, bins.n, L), by groups of spectra that are coupled.

    Parameters
    ----------
    binned : float64 ndarray [shape=(n, n, bins.n, L)]
    names : sequence of str
        The pairs of signals.
    bins : Bins
    beam : float64 ndarray [shape=(n, L)]
        Products of window functions.
    narrowest : int
        The number of degrees that the observed region resolves, for messages.
    """
    _check_factors(bins)
    _check_beam(beam, names, bins)
    matrix = binned @ bins.unbin_matrix()
    inverse = np.zeros_like(matrix)
    for group in _coupled(binned):
        block = np.ix_(group, group)
        labels = [label for i in group for label in _labels(names[i], bins)]
        square = flat_matrix(matrix[block])
        n = len(group)
        solution = _checked_inverse(square, labels)
        _warn_of_amplification(square, solution, labels, narrowest)
        inverse[block] = solution.reshape(n, bins.n, n, bins.n).transpose(0, 2, 1, 3)
    windows = flat_matrix(inverse) @ flat_matrix(binned)
    n = len(names)
    return Solution(inverse, windows.reshape(n, bins.n, n, -1).transpose(0, 2, 1, 3))


def _labels(name, bins):
    return [f"{name} l = {a}..{b - 1}" for a, b in zip(bins.first, bins.stop, strict=True)]


def _check_factors(bins):
    """Refuse a bin of D_0 alone, which is 0 for every spectrum."""
    if not bins.unbin_matrix().any(axis=0).all():
        raise ValueError(
            "the first bin is l = 0 alone, and dl=True: D_0 = l(l+1) C_l / 2 pi is 0 for every spectrum; "
            "start the bins at l = 1 or higher, or pass dl=False"
        )


def _check_beam(beam, names, bins):
    """Refuse bins whose beams nearly vanish, as `beam_window` refuses single degrees."""
    size = np.abs(beam)
    for name, window in zip(names, size, strict=True):
        largest = np.array([window[a:b].max() for a, b in zip(bins.first, bins.stop, strict=True)])
        small = np.flatnonzero((largest > 0) & (largest < SMALLEST_WINDOW**2 * window.max()))
        if small.size:
            raise ValueError(
                f"the product of the beams is at most {largest[small[0]]:.3g} in the bins "
                f"{_listed(_labels(name, bins), small)}, below {SMALLEST_WINDOW**2:g} of its largest value "
                f"{window.max():.3g}; division by it would amplify rounding errors: end the bins at a lower "
                "degree"
            )


def _warn_of_amplification(matrix, inverse, labels, narrowest):
    """Warn of bandpowers with much larger errors than without coupling (see `Coupling.decouple`)."""
    amplification = np.sqrt(np.abs(np.diag(matrix) * np.diag(inverse)))
    large = np.flatnonzero(amplification > MAX_AMPLIFICATION)
    if not large.size:
        return
    scale = np.sqrt((matrix**2).sum(axis=0))
    condition = np.linalg.cond(matrix / scale)
    warnings.warn(
        f"the bins are too narrow for the mask: the errors of {_listed(labels, large)} are up to "
        f"{amplification.max():.2g} times those of wide bins, the condition number of the coupling matrix is "
        f"{condition:.2g}; pass bins of at least about {narrowest} degrees (pi / the radius of the observed "
        "region)",
        UserWarning,
        stacklevel=5,
    )


def _coupled(matrix):
    """The groups of spectra between which the blocks of a matrix are not zero."""
    groups = []
    connected = matrix.any(axis=(2, 3))
    connected |= connected.T
    for i in range(len(matrix)):
        groups_of_i = [group for group in groups if connected[i, group].any()]
        groups = [group for group in groups if group not in groups_of_i]
        groups.append(sum(groups_of_i, []) + [i])
    return sorted(map(sorted, groups))


def flat_matrix(matrix):
    """A matrix (n, n, rows, columns) as one of n rows times n columns."""
    n, _, rows, columns = matrix.shape
    return matrix.transpose(0, 2, 1, 3).reshape(n * rows, n * columns)


def _checked_inverse(matrix, labels):
    """The inverse of a matrix; raises ValueError with the labels of what it does not determine."""
    scale = np.sqrt((matrix**2).sum(axis=0))
    empty = np.flatnonzero(~(scale > 0))
    if empty.size:
        raise ValueError(
            "the coupling matrix cannot be inverted: the masked fields have no power of "
            f"{_listed(labels, empty)}; start at a higher degree (spin fields have none below their spin), "
            "end where the beam is not 0, or pass another mask"
        )
    scaled = matrix / scale
    try:
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        inverse = np.full_like(scaled, np.inf)
    condition = np.linalg.norm(scaled, 1) * np.linalg.norm(inverse, 1)
    if not condition <= MAX_CONDITION:
        _, s, vt = np.linalg.svd(scaled)
        null = np.abs(vt[s <= 10 * s[-1] + 1e-14 * s[0]]).max(axis=0)
        undetermined = np.flatnonzero(null > 0.1 * null.max())
        raise ValueError(
            f"the coupling matrix cannot be inverted: its condition number is {condition:.3g}, above "
            f"{MAX_CONDITION:.3g}, and the masked fields do not determine {_listed(labels, undetermined)} "
            "separately; pass wider bins there, or a mask that selects more of the sphere"
        )
    return inverse / scale[:, None]


def _listed(labels, indices, max_listed=6):
    words = [labels[i] for i in indices[:max_listed]]
    remaining = len(indices) - len(words)
    return ", ".join(words) + (f" and {remaining} more" if remaining else "")
