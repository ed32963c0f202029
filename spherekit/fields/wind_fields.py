"""Samples of the quantities of a wind, from its modes E and B and its components.

All scalars are computed by one transform, and all vectors by another one, of spin 1.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np

from spherekit.fields.wind_modes import B, E, Multiple, multiples_of


class Context(NamedTuple):
    """What quantities are computed from.

    Attributes
    ----------
    components : tuple of ndarray
        Samples of u and v.
    modes : callable
        Returns E and B [shape=(2, ..., L*L)], which are computed when they are first needed.
    coriolis : callable
        Returns samples of the planetary vorticity.
    radius, omega : float
        Of the planet, in m and rad/s.
    """

    components: tuple
    modes: Callable
    coriolis: Callable
    radius: float
    omega: float


def evaluate(names, context, synthesize):
    """Samples of the named quantities.

    Parameters
    ----------
    names : sequence of str
        Keys of `QUANTITIES`.
    context : Context
    synthesize : callable
        A function of coefficients [shape=(n, ..., L*L)] and a spin that returns samples.

    Returns
    -------
    list of ndarray [shape=(..., \\*grid.shape)]
    """
    sources = {source for name in names for source in _SOURCES.get(name, (name,))}
    samples = dict(zip("uv", context.components, strict=True))
    scalars = {name: m for name, m in _scalars(context.radius).items() if name in sources}
    if scalars:
        flms = multiples_of(context.modes(), scalars.values())
        samples |= zip(scalars, synthesize(flms, 0), strict=True)
    vectors = {pair: m for pair, m in _vectors(context.radius).items() if sources & set(pair)}
    if vectors:
        flms = multiples_of(context.modes(), vectors.values())
        if _GRADIENT in vectors:
            flms = flms + _coriolis_gradient(flms, context)
        for pair, f in zip(vectors, synthesize(flms, 1), strict=True):
            samples |= zip(pair, (anp.real(f), anp.imag(f)), strict=True)
    if "planetary_vorticity" in sources:
        samples["planetary_vorticity"] = context.coriolis()
    return [_DERIVED[name](samples) if name in _DERIVED else samples[name] for name in names]


#: The gradient of the absolute vorticity.
_GRADIENT = ("absolute_vorticity_x", "absolute_vorticity_y")


def _scalars(a):
    """The coefficients of scalars on a sphere of radius a."""
    return {
        "vorticity": Multiple(B, 0.5, -1 / a),
        "divergence": Multiple(E, 0.5, -1 / a),
        "streamfunction": Multiple(B, -0.5, a),
        "velocity_potential": Multiple(E, -0.5, a),
    }


def _vectors(a):
    """The coefficients of the field u + i v of vectors; of the gradient that of the vorticity."""
    return {
        ("u_chi", "v_chi"): Multiple(E, 0, 1j),
        ("u_psi", "v_psi"): Multiple(B, 0, -1.0),
        _GRADIENT: Multiple(B, 1, -1j / a**2),
    }


def _coriolis_gradient(flms, context):
    """The coefficients of the gradient of 2 omega cos(theta), of degree 1, in the last vector of ``flms``."""
    result = np.zeros((len(flms), *(1,) * (flms.ndim - 2), flms.shape[-1]), flms.dtype)
    result[-1, ..., 2:3] = 2j * context.omega * np.sqrt(8 * np.pi / 3) / context.radius
    return result


def _speed(samples):
    return anp.sqrt(samples["u"] ** 2 + samples["v"] ** 2)


def _kinetic_energy(samples):
    return (samples["u"] ** 2 + samples["v"] ** 2) / 2


def _absolute_vorticity(samples):
    return samples["vorticity"] + samples["planetary_vorticity"]


def _rossby_wave_source(samples):
    east, north = (samples[name] for name in _GRADIENT)
    advection = samples["u_chi"] * east + samples["v_chi"] * north
    return -_absolute_vorticity(samples) * samples["divergence"] - advection


#: Functions of the samples of other quantities, and the names of those.
_DERIVED = {
    "speed": _speed,
    "kinetic_energy": _kinetic_energy,
    "absolute_vorticity": _absolute_vorticity,
    "rossby_wave_source": _rossby_wave_source,
}
_SOURCES = {
    "speed": (),
    "kinetic_energy": (),
    "absolute_vorticity": ("vorticity", "planetary_vorticity"),
    "rossby_wave_source": (
        ("vorticity", "planetary_vorticity", "divergence", "u_chi", "v_chi") + _GRADIENT
    ),
}
