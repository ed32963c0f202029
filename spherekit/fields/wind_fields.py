"""Samples of the quantities of a wind, from its modes E and B and its components.

Small scalars are computed by one transform, and vectors by another one, of spin 1.
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


#: Coefficients of one quantity of at least this number of bytes are not transformed together with others:
#: they gain nothing, and temporary arrays are smaller.
_LARGE = 2**18


def evaluate(names, context, synthesize, out=None):
    """Samples of the named quantities.

    Parameters
    ----------
    names : sequence of str
        Keys of `QUANTITIES`.
    context : Context
    synthesize : callable
        A function of coefficients [shape=(n, ..., L*L)] and a spin that returns samples.
    out : ndarray [shape=(len(names), ..., \\*grid.shape)], optional
        Where the samples are written.

    Returns
    -------
    list of ndarray [shape=(..., \\*grid.shape)]
    """
    sources = {source for name in names for source in _SOURCES.get(name, (name,))}
    samples = {}

    def store(name, f):
        if out is not None and name in names:
            target = out[names.index(name)]
            target[...] = f
            f = target
        samples[name] = f

    for name, component in zip("uv", context.components, strict=True):
        store(name, component)
    scalars = {name: m for name, m in _scalars(context.radius).items() if name in sources}
    for name, f in _synthesize(scalars, 0, context, synthesize):
        store(name, f)
    vectors = {pair: m for pair, m in _vectors(context.radius).items() if sources & set(pair)}
    for (u, v), f in _synthesize(vectors, 1, context, synthesize):
        store(u, anp.real(f))
        store(v, anp.imag(f))
    if "planetary_vorticity" in sources:
        store("planetary_vorticity", context.coriolis())
    for name in names:
        if name in _DERIVED:
            store(name, _DERIVED[name](samples))
    return [samples[name] for name in names]


def _synthesize(multiples, spin, context, synthesize):
    """Each key and the samples of its multiple: transformed together, or one by one if they are large."""
    quantities = list(multiples)
    if not quantities:
        return
    modes = context.modes()
    is_large = modes.size * modes.dtype.itemsize >= 2 * _LARGE
    size = 1 if is_large else len(quantities)
    for first in range(0, len(quantities), size):
        batch = quantities[first : first + size]
        flms = multiples_of(modes, [multiples[quantity] for quantity in batch])
        if batch[-1] == _GRADIENT:
            flms = flms + _coriolis_gradient(flms, context)
        yield from zip(batch, synthesize(flms, spin), strict=True)


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
