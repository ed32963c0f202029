"""Measures of the invariance, equivariance, energy conservation and stability of scattering transforms.

Norms are those of harmonic coefficients (Parseval).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit.conventions import band_limit_of
from spherekit.harmonic import evaluate, forward
from spherekit.sampling import MW
from spherekit.scattering.network import Scattering
from spherekit.wigner import euler, rotate

__all__ = [
    "Invariance",
    "Stability",
    "deform",
    "energy",
    "equivariance",
    "invariance",
    "random_deformation",
    "stability",
    "stretch",
]

#: A map of arrays (theta, phi) of angles in radians to the angles (theta, phi) of their images.
Deformation = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def __dir__():
    return sorted(__all__)


class Invariance(NamedTuple):
    """Result of `invariance`.

    Attributes
    ----------
    error : float
        ||S f - S R f||.
    bound : float
        theta (L0-1) ||S f|| + ||S R f - R S f||.
    equivariance : float
        ||S R f - R S f||.

    Examples
    --------
    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> S = Scattering(16, J0=1, reality=True)
    >>> result = invariance(S, random_flm(16, 0, reality=True), 0.1, 0.2, 0.0)
    >>> result.error <= result.bound
    True
    """

    error: float
    bound: float
    equivariance: float


def invariance(
    S: Scattering, flm: ArrayLike, alpha: float, beta: float, gamma: float
) -> Invariance:
    """The change of the outputs under a rotation, and its upper bound.

    A rotation by the angle theta changes coefficients of degree l by at most l theta. For outputs s of
    band-limit L0, ||s - R s|| <= theta (L0-1) ||s||, whatever the depth. The aliasing of the moduli adds the
    equivariance error.

    Parameters
    ----------
    S : Scattering
        The scattering transform.
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signals.
    alpha, beta, gamma : float
        Euler angles of the rotation, zyz, in radians.

    Returns
    -------
    Invariance
        ``(error, bound, equivariance)``.

    Raises
    ------
    TypeError
        Arguments that are not numbers.
    ValueError
        Coefficients of another shape; angles that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> S = Scattering(16, J0=1, reality=True)
    >>> result = invariance(S, random_flm(16, np.random.default_rng(0), reality=True), 0.1, 0.2, 0.0)
    >>> bool(result.error <= result.bound)
    True
    """
    outputs = S.from_flm(flm)
    outputs_of_rotated = S.from_flm(rotate(flm, alpha, beta, gamma))
    rotated_outputs = rotate(outputs, alpha, beta, gamma)
    theta = euler.to_rotation(alpha, beta, gamma).magnitude()
    equivariance = scaling.norm(outputs_of_rotated - rotated_outputs)
    bound = float(theta * (S.L0 - 1) * scaling.norm(outputs)) + equivariance
    return Invariance(scaling.norm(outputs - outputs_of_rotated), bound, equivariance)


def equivariance(S: Scattering, flm: ArrayLike, alpha: float, beta: float, gamma: float) -> float:
    """Relative error ||S R f - R S f|| / ||S f|| of the outputs of order and degree above 0.

    The mean of a modulus is large and exactly equivariant, and would dominate a norm over all coefficients.

    Parameters
    ----------
    S : Scattering
        The scattering transform.
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signals.
    alpha, beta, gamma : float
        Euler angles of the rotation, zyz, in radians.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        Arguments that are not numbers.
    ValueError
        Coefficients of another shape; angles that are not finite.

    Examples
    --------
    Oversampling the moduli reduces the error:

    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> flm = random_flm(16, 0, reality=True)
    >>> errors = [
    ...     equivariance(Scattering(16, J0=2, reality=True, oversample=x), flm, 0.1, 0.2, 0.3)
    ...     for x in (1, 3)
    ... ]
    >>> bool(errors[1] < 0.2 * errors[0])
    True
    """
    indices = [i for i, path in enumerate(S.paths) if path.order]
    outputs_of_rotated = S.from_flm(rotate(flm, alpha, beta, gamma))[..., indices, :]
    rotated_outputs = rotate(S.from_flm(flm)[..., indices, :], alpha, beta, gamma)
    return scaling.ratio((outputs_of_rotated - rotated_outputs)[..., 1:], rotated_outputs[..., 1:])


def energy(S: Scattering, flm: ArrayLike) -> np.ndarray:
    """The fractions of the energy of a signal in the outputs of order 0, 1, ..., depth.

    The sum is less than 1: the rest of the energy is above the band-limit of the outputs, in longer paths and
    in paths that were excluded.

    Parameters
    ----------
    S : Scattering
        The scattering transform.
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signals.

    Returns
    -------
    float64 ndarray [shape=(depth + 1,)]
        Fractions by order.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers.
    ValueError
        Coefficients of another shape.

    Examples
    --------
    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> fractions = energy(Scattering(16, J0=2, reality=True), random_flm(16, 0, reality=True))
    >>> fractions.shape, bool(fractions.sum() < 1)
    ((3,), True)
    """
    outputs = S.from_flm(flm)
    fractions = np.zeros(1 + max(path.order for path in S.paths))
    for i, path in enumerate(S.paths):
        fractions[path.order] += scaling.ratio(outputs[..., i, :], flm) ** 2
    return fractions


# --- deformations ------------------------------------------------------------------------------------


def stretch(amplitude: float) -> Deformation:
    """A zonal deformation: (theta, phi) -> (theta + amplitude sin(2 theta), phi).

    No point is displaced by more than the amplitude.

    Parameters
    ----------
    amplitude : float
        In radians, |amplitude| < 1/2.

    Returns
    -------
    callable
        Maps (theta, phi) to the displaced (theta, phi), in radians.

    Raises
    ------
    TypeError
        ``amplitude`` is not a real number.
    ValueError
        |amplitude| >= 1/2, for which the deformation is not injective.

    Examples
    --------
    >>> theta, phi = stretch(0.1)(np.pi / 4, 1.0)
    >>> round(float(theta - np.pi / 4), 12)
    0.1
    """
    expected = "a number with |amplitude| < 1/2"
    amplitude = checks.real_number(amplitude, "amplitude", expected, lambda x: abs(x) < 0.5)
    return lambda theta, phi: (theta + amplitude * np.sin(2 * theta), phi)


def random_deformation(
    amplitude: float,
    rng: np.random.Generator | np.random.SeedSequence | int,
    degrees: int = 4,
) -> Deformation:
    """A smooth random deformation, which displaces points along a random tangent vector field.

    The field has spin 1 and degrees 1..degrees. Points move along geodesics, by the length of the field. The
    deformation is injective for amplitudes below about 1/degrees.

    Parameters
    ----------
    amplitude : float
        Largest displacement, in radians.
    rng : numpy.random.Generator, SeedSequence or int
        A random generator, or its seed.
    degrees : int
        Highest degree of the field, >= 1.

    Returns
    -------
    callable
        Maps (theta, phi) to the displaced (theta, phi), in radians.

    Raises
    ------
    TypeError
        An argument of another type.
    ValueError
        ``degrees`` < 1; a negative seed; an amplitude that is NaN or infinite.

    Examples
    --------
    >>> displace = random_deformation(0.1, 0)
    >>> theta, phi = displace(np.array([1.0]), np.array([2.0]))
    >>> bool(abs(theta[0] - 1.0) < 0.1)
    True
    """
    amplitude = checks.real_number(amplitude, "amplitude", "a finite number")
    L = checks.integer(degrees, "degrees", 1) + 1
    rng = checks.generator(rng)
    vlm = rng.standard_normal(L * L) + 1j * rng.standard_normal(L * L)
    grid = MW(8 * L)
    theta, phi = (x.ravel() for x in np.meshgrid(grid.theta, grid.phi, indexing="ij"))
    vlm *= amplitude / np.abs(evaluate(vlm, theta, phi, spin=1)).max()

    def displace(theta, phi):
        v = evaluate(vlm, theta, phi, spin=1)
        x = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
        south = np.array([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)])
        east = np.array([-np.sin(phi), np.cos(phi), np.zeros_like(phi)])
        distance = np.maximum(np.abs(v), 1e-300)
        y = np.cos(distance) * x + np.sin(distance) / distance * (v.real * south + v.imag * east)
        return np.arctan2(np.hypot(y[0], y[1]), y[2]), np.arctan2(y[1], y[0])

    return displace


def deform(flm: ArrayLike, deformation: Deformation, *, oversample: float = 2) -> np.ndarray:
    """Coefficients below L of f(deformation(omega)), from its samples on an oversampled grid.

    Parameters
    ----------
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signals f.
    deformation : callable
        Maps arrays (theta, phi) of angles in radians to the angles (theta, phi) of their images, such as
        ``stretch(0.1)``.
    oversample : float
        The grid has ``oversample`` times the band-limit of ``flm``, because the deformed signal is not
        band-limited.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers; ``oversample`` is not a number.
    ValueError
        The last axis is not L*L long; NaN or infinite coefficients; ``oversample`` below 1 or above 16.

    Examples
    --------
    >>> flm = np.arange(9.0) + 0j
    >>> bool(np.allclose(deform(flm, lambda theta, phi: (theta, phi)), flm))
    True
    """
    L = band_limit_of(flm)
    grid = MW(math.ceil(checks.oversampling(oversample) * L))
    theta, phi = (x.ravel() for x in np.meshgrid(grid.theta, grid.phi, indexing="ij"))
    theta, phi = deformation(theta, phi)
    f = evaluate(flm, np.clip(theta, 0, np.pi), phi)
    return forward(f.reshape(*np.shape(flm)[:-1], *grid.shape), L, sampling=grid)


class Stability(NamedTuple):
    """Result of `stability`.

    Attributes
    ----------
    raw : float
        Relative change of the harmonic coefficients.
    scattered : float
        Relative change of the scattering coefficients.

    Examples
    --------
    Without a deformation nothing changes, up to rounding:

    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> S, flm = Scattering(8, reality=True), random_flm(8, 0, reality=True)
    >>> result = stability(S, flm, lambda theta, phi: (theta, phi))
    >>> result.raw < 1e-12, result.scattered < 1e-12
    (True, True)
    """

    raw: float
    scattered: float


def stability(S: Scattering, flm: ArrayLike, deformation: Deformation) -> Stability:
    """||f - V f|| / ||f|| and ||S f - S V f|| / ||S f||, where V f(omega) = f(deformation(omega)).

    Divided by the size of the deformation these are the constants of the stability theorem. That of the
    harmonic coefficients increases with the degrees at which f has its energy; that of the scattering
    coefficients should not.

    Parameters
    ----------
    S : Scattering
        The scattering transform.
    flm : complex array_like [shape=(..., L*L)]
        Coefficients of the signals.
    deformation : callable
        Maps arrays (theta, phi) of angles in radians to the angles (theta, phi) of their images, such as
        ``stretch(0.1)``.

    Returns
    -------
    Stability
        ``(raw, scattered)``.

    Raises
    ------
    TypeError
        ``flm`` is not an array of numbers.
    ValueError
        Coefficients of another shape.

    Examples
    --------
    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> S = Scattering(16, J0=1, reality=True)
    >>> result = stability(S, random_flm(16, 0, reality=True), stretch(0.05))
    >>> bool(result.scattered < result.raw)
    True
    """
    deformed = deform(flm, deformation)
    raw = scaling.ratio(flm - deformed, flm)
    outputs = S.from_flm(flm)
    return Stability(raw, scaling.ratio(outputs - S.from_flm(deformed), outputs))
