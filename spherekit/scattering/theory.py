"""What the theorems say of a scattering network, measured. Norms are those of coefficients (Parseval)."""

import math
from collections import namedtuple

import numpy as np

from spherekit._core import checks, scaling
from spherekit.conventions import band_limit_of
from spherekit.harmonic import evaluate, forward
from spherekit.sampling import MW
from spherekit.wigner import euler, rotate

__all__ = ["deform", "energy", "equivariance", "invariance", "stability", "stretch", "wander"]

#: ||S f - S R f||, the bound theta (L0-1) ||S f|| + equivariance, and equivariance = ||S R f - R S f||.
Invariance = namedtuple("Invariance", "error bound equivariance")


def invariance(S, flm, alpha, beta, gamma):
    """How much a rotation changes the outputs, and the bound on it.

    A rotation by the angle theta changes coefficients of degree l by at most l theta: of outputs of
    band-limit L0, ||s - R s|| <= theta (L0-1) ||s||, whatever the depth; what the aliasing of the moduli
    adds is the equivariance error.

    >>> import numpy as np
    >>> from spherekit.scattering import Scattering
    >>> from spherekit.testing import random_flm
    >>> S = Scattering(16, J0=1, reality=True)
    >>> result = invariance(S, random_flm(16, np.random.default_rng(0), reality=True), 0.1, 0.2, 0.0)
    >>> bool(result.error <= result.bound)
    True
    """
    plain, turned = S.from_flm(flm), S.from_flm(rotate(flm, alpha, beta, gamma))
    moved = rotate(plain, alpha, beta, gamma)
    theta = euler.to_rotation(alpha, beta, gamma).magnitude()
    equivariance = scaling.norm(turned - moved)
    bound = float(theta * (S.L0 - 1) * scaling.norm(plain)) + equivariance
    return Invariance(scaling.norm(plain - turned), bound, equivariance)


def equivariance(S, flm, alpha, beta, gamma):
    """Relative error ||S R f - R S f|| / ||S f|| of the outputs of order and degree above 0.

    The mean of a modulus is large and turns exactly: a norm over all coefficients would hide the rest.
    """
    first = [i for i, path in enumerate(S.paths) if path.order]
    turned = S.from_flm(rotate(flm, alpha, beta, gamma))[..., first, :]
    moved = rotate(S.from_flm(flm)[..., first, :], alpha, beta, gamma)
    return scaling.ratio((turned - moved)[..., 1:], moved[..., 1:])


def energy(S, flm):
    """The share of the signal's energy in the outputs of order 0, 1, ..., depth.

    It sums to less than 1: what is missing is above the band-limit of the outputs, in longer paths and in
    those that were left out.
    """
    outputs = S.from_flm(flm)
    shares = np.zeros(1 + max(path.order for path in S.paths))
    for i, path in enumerate(S.paths):
        shares[path.order] += scaling.ratio(outputs[..., i, :], flm) ** 2
    return shares


# --- deformations ------------------------------------------------------------------------------------


def stretch(amplitude):
    """A zonal deformation: (theta, phi) -> (theta + amplitude sin 2 theta, phi), |amplitude| < 1/2.

    It moves no point further than the amplitude, in radians.

    >>> theta, phi = stretch(0.1)(np.pi / 4, 1.0)
    >>> round(float(theta - np.pi / 4), 12)
    0.1
    """
    if not abs(amplitude) < 0.5:
        raise ValueError(f"amplitude is {amplitude}; below 1/2 no two points meet")
    return lambda theta, phi: (theta + amplitude * np.sin(2 * theta), phi)


def wander(amplitude, rng, degrees=4):
    """A smooth random deformation: points go along a random field of spin 1, of degrees <= ``degrees``.

    The longest way is ``amplitude`` radians; below about 1/degrees no two points meet.
    """
    L, rng = checks.integer(degrees, "degrees", 1) + 1, checks.generator(rng)
    vlm = rng.standard_normal(L * L) + 1j * rng.standard_normal(L * L)
    grid = MW(8 * L)
    theta, phi = (x.ravel() for x in np.meshgrid(grid.theta, grid.phi, indexing="ij"))
    vlm *= amplitude / np.abs(evaluate(vlm, theta, phi, spin=1)).max()

    def move(theta, phi):
        v = evaluate(vlm, theta, phi, spin=1)
        x = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
        south = np.array([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)])
        east = np.array([-np.sin(phi), np.cos(phi), np.zeros_like(phi)])
        far = np.maximum(np.abs(v), 1e-300)
        y = np.cos(far) * x + np.sin(far) / far * (v.real * south + v.imag * east)
        return np.arctan2(np.hypot(y[0], y[1]), y[2]), np.arctan2(y[1], y[0])

    return move


def deform(flm, move, *, oversample=2):
    """Coefficients below L of f(move(omega)), by its values at the moved points of an oversampled grid.

    >>> flm = np.arange(9.0) + 0j
    >>> bool(np.allclose(deform(flm, lambda theta, phi: (theta, phi)), flm))
    True
    """
    L = band_limit_of(flm)
    grid = MW(math.ceil(oversample * L))
    theta, phi = (x.ravel() for x in np.meshgrid(grid.theta, grid.phi, indexing="ij"))
    moved = move(theta, phi)
    f = evaluate(flm, np.clip(moved[0], 0, np.pi), moved[1])
    return forward(f.reshape(*np.shape(flm)[:-1], *grid.shape), L, sampling=grid)


#: Relative changes under a deformation: of the coefficients themselves, and of the scattering outputs.
Stability = namedtuple("Stability", "raw scattered")


def stability(S, flm, move):
    """||f - V f|| / ||f|| and ||S f - S V f|| / ||S f|| for the deformation V f(omega) = f(move(omega)).

    Divided by the size of the deformation these are the constants of the stability theorem: that of the
    coefficients grows with the degree where f has its energy, that of scattering should not.
    """
    deformed = deform(flm, move)
    raw = scaling.ratio(flm - deformed, flm)
    plain = S.from_flm(flm)
    return Stability(raw, scaling.ratio(plain - S.from_flm(deformed), plain))
