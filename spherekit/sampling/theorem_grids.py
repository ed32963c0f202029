"""The rectangular grid of a given number of rings and columns, for each sampling theorem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spherekit._core import checks
from spherekit.sampling import quadrature
from spherekit.sampling.healpix import HEALPix
from spherekit.sampling.rectangles import CC, DH, GL, MW, MWSS, DHPole
from spherekit.sampling.rings import Rings

__all__ = ["grids_of_shape"]

#: Arrays with more columns than this multiple of their rows are not taken for maps.
_LARGEST_ASPECT = 16


@dataclass(frozen=True)
class Rule:
    """Rings of a sampling theorem.

    Attributes
    ----------
    description : str
        Where the rings are.
    colatitudes : callable
        From the number of rings to their colatitudes, north to south, or None if there is no such grid.
    weights : callable
        From the number of rings to their quadrature weights, of sum 2.
    construct : callable
        From (n_theta, n_phi, largest band-limit for n_phi, phi0) to the grid, or None if n_phi is too small.
    equidistant : bool
        Whether the rings are equidistant.
    """

    description: str
    colatitudes: Callable
    weights: Callable
    construct: Callable
    equidistant: bool = True

    def grid(self, n_theta, n_phi, phi0=0.0):
        """The grid of the largest band-limit; None if no band-limit fits these numbers."""
        return self.construct(n_theta, n_phi, (n_phi + 1) // 2, phi0)

    def rings(self, n_theta, n_phi, phi0):
        """`Rings` at these colatitudes, with the weights of their rule."""
        weights = self.weights(n_theta) * (2 * np.pi / n_phi)
        return Rings(self.colatitudes(n_theta), n_phi, phi0, weights)


def is_nearly_gaussian(theta):
    """Whether colatitudes are within a tenth of their spacing of the Gaussian ones.

    Those are computed by compiled code, the import of which takes longer than all else here.
    """
    n = len(theta)
    estimate = quadrature.angles(4 * np.arange(n) + 3, 4 * n + 2)
    return bool(np.abs(theta - estimate).max() < np.pi / (10 * n))


def _with_poles(n_theta, n_phi, L, phi0):
    if n_theta < 2:
        return None
    if n_theta - 1 <= L:
        return MWSS(n_theta - 1, n_phi, phi0=phi0)
    return CC(L, n_theta, n_phi, phi0=phi0)


def _between_poles(n_theta, n_phi, L, phi0):
    return DH(min(n_theta, L), n_phi, n_theta=n_theta, phi0=phi0)


def _of_all_rings(kind, rings_per_degree=1):
    """A constructor for grids whose number of rings determines their band-limit."""

    def construct(n_theta, n_phi, L, phi0):
        band_limit, remainder = divmod(n_theta, rings_per_degree)
        return kind(band_limit, n_phi, phi0=phi0) if band_limit <= L and not remainder else None

    return construct


#: In the order of preference.
RULES = (
    Rule(
        "poles included",
        lambda n: quadrature.angles(np.arange(n), n - 1) if n > 1 else None,
        lambda n: quadrature.equispaced(2 * (n - 1), False)[1],
        _with_poles,
    ),
    Rule(
        "between the poles",
        lambda n: quadrature.angles(2 * np.arange(n) + 1, 2 * n),
        lambda n: quadrature.equispaced(2 * n, True)[1],
        _between_poles,
    ),
    Rule(
        "north pole included",
        lambda n: quadrature.angles(np.arange(n), n) if n % 2 == 0 else None,
        lambda n: quadrature.fejer2(n)[1],
        _of_all_rings(DHPole, 2),
    ),
    Rule(
        "south pole included",
        lambda n: quadrature.angles(2 * np.arange(n) + 1, 2 * n - 1),
        lambda n: quadrature.equispaced(2 * n - 1, True)[1],
        _of_all_rings(MW),
    ),
    Rule(
        "Gaussian latitudes",
        lambda n: quadrature.gauss_legendre(n)[0],
        lambda n: quadrature.gauss_legendre(n)[1],
        _of_all_rings(GL),
        equidistant=False,
    ),
)


def has_channels_last(shape):
    """Whether an array has the shape of a panorama with its 3 or 4 channels on the last axis.

    >>> has_channels_last((128, 256, 3)), has_channels_last((3, 128, 256))
    (True, False)
    """
    return len(shape) >= 3 and shape[-1] in (3, 4) and 4 < shape[-2] == 2 * shape[-3]


def advice_on_shape(shape):
    """What an array of this shape seems to be other than a map, and what to do; empty if nothing is known.

    >>> "coefficients C_lm and S_lm of SHTOOLS" in advice_on_shape((2, 31, 31)), advice_on_shape((31, 31))
    (True, '')
    """
    if has_channels_last(shape):
        return (
            "the last axis seems to be channels; save them first: numpy.moveaxis(rgb, -1, -3), on the grid "
            f"{grids_of_shape(shape[-3:-1])[1][0]}"
        )
    if len(shape) >= 3 and shape[-3] == 2 and shape[-2] == shape[-1] > 1:
        return (
            "the shape (2, L, L) is that of coefficients C_lm and S_lm of SHTOOLS, which "
            "spherekit.conventions.from_shtools converts"
        )
    return ""


def grids_of_shape(shape: tuple[int, ...]) -> list[tuple[str, str]]:
    """The grids on which an array of this shape can be a map, as text and in words.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array. The map is on its last axis (HEALPix) or its last two axes (rows from north to
        south, columns to the east).

    Returns
    -------
    list of (str, str)
        The text of each grid, which `grid` accepts, and where its samples are. Only grids between the poles
        are listed with a first longitude of half a step too; ``phi0`` is an option of all rectangular grids.
        Empty for panoramas with channels on the last axis, (..., h, 2h, 3 or 4).

    Raises
    ------
    TypeError
        ``shape`` is not a sequence of integers.
    ValueError
        Negative entries.

    See Also
    --------
    from_latlon : The grid, if the latitudes and longitudes are known.

    Examples
    --------
    >>> from spherekit.sampling import grids_of_shape
    >>> for text, description in grids_of_shape((180, 360)):
    ...     print(f"{text:40} {description}")
    mwss:179,n_phi=360                       poles included, first longitude 0
    dh:180,n_theta=180,n_phi=360,phi0=half   between the poles, first longitude half a step
    dh:180,n_theta=180,n_phi=360             between the poles, first longitude 0
    dhpole:90,n_phi=360                      north pole included, first longitude 0
    mw:180,n_phi=360                         south pole included, first longitude 0
    gl:180,n_phi=360                         Gaussian latitudes, first longitude 0
    """
    shape = tuple(checks.integer(n, "an entry of shape", 0) for n in shape)
    matches = []
    nside = round((shape[-1] / 12) ** 0.5) if shape else 0
    if nside and 12 * nside**2 == shape[-1]:
        matches.append((str(HEALPix(nside)), "HEALPix pixels in RING order"))
    if len(shape) < 2 or min(shape[-2:]) < 1 or shape[-1] > _LARGEST_ASPECT * shape[-2]:
        return matches
    if has_channels_last(shape):
        return matches
    for rule in RULES:
        grid = rule.grid(*shape[-2:])
        if grid is None:
            continue
        where = f"{rule.description}, first longitude"
        if isinstance(grid, DH):
            half = grid.with_phi0(np.pi / grid.n_phi)
            matches.append((str(half), f"{where} half a step"))
        matches.append((str(grid), f"{where} 0"))
    return matches
