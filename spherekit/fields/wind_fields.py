"""Samples of the quantities of a wind, from its parts E and B and its components.

All scalars are computed by one transform, and all vectors by another one, of spin 1.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np

from spherekit._core import checks
from spherekit.fields import potentials


class Context(NamedTuple):
    """What quantities are computed from.

    Attributes
    ----------
    components : tuple of ndarray
        Samples of u and v.
    coefficients : callable
        Returns E and B, which are computed when they are first needed.
    coriolis : callable
        Returns samples of the planetary vorticity.
    L : int
    radius, omega : float
        Of the planet, in m and rad/s.
    """

    components: tuple
    coefficients: Callable
    coriolis: Callable
    L: int
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
    scalars = [name for name in _SCALARS if name in sources]
    if scalars:
        E, B = context.coefficients()
        flms = [_SCALARS[name](E, B, context) for name in scalars]
        samples |= zip(scalars, synthesize(anp.stack(flms), 0), strict=True)
    vectors = [pair for pair in _VECTORS if sources.intersection(pair)]
    if vectors:
        E, B = context.coefficients()
        flms = [_VECTORS[pair](E, B, context) for pair in vectors]
        for pair, f in zip(vectors, synthesize(anp.stack(flms), 1), strict=True):
            samples |= zip(pair, vector_components(f), strict=True)
    if "planetary_vorticity" in sources:
        samples["planetary_vorticity"] = context.coriolis()
    return [_DERIVED[name](samples) if name in _DERIVED else samples[name] for name in names]


def vector_components(f):
    """The eastward and northward component of samples -v + i u.

    >>> vector_components(np.array([2j - 3]))
    (array([2.]), array([3.]))
    """
    return anp.imag(f), -anp.real(f)


def _vorticity(E, B, context):
    return potentials.divergence_of(B, context.L, context.radius)


def _divergence(E, B, context):
    return potentials.divergence_of(E, context.L, context.radius)


def _streamfunction(E, B, context):
    return potentials.potential_of(B, context.L, context.radius)


def _velocity_potential(E, B, context):
    return potentials.potential_of(E, context.L, context.radius)


def _irrotational(E, B, context):
    return -E


def _nondivergent(E, B, context):
    return -1j * B


def _absolute_vorticity_gradient(E, B, context):
    """The vorticity, and 2 omega cos(theta) of degree 1; then their gradient."""
    coriolis = np.zeros(context.L**2)
    coriolis[2:3] = 2 * context.omega * np.sqrt(4 * np.pi / 3)
    flm = _vorticity(E, B, context) + coriolis.astype(checks.real_type(B))
    return -potentials.gradient_part(flm, context.L, context.radius)


_GRADIENT = ("absolute_vorticity_x", "absolute_vorticity_y")

#: Coefficients of scalars.
_SCALARS = {
    "vorticity": _vorticity,
    "divergence": _divergence,
    "streamfunction": _streamfunction,
    "velocity_potential": _velocity_potential,
}

#: Coefficients of the field -v + i u of vectors (u, v).
_VECTORS = {
    ("u_chi", "v_chi"): _irrotational,
    ("u_psi", "v_psi"): _nondivergent,
    _GRADIENT: _absolute_vorticity_gradient,
}


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
