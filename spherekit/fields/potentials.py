"""Winds in harmonic space: the potentials of a wind, their derivatives, and multiples of degrees.

A wind is the field -v + i u of spin 1. On a sphere of radius a its modes E and B are

    E_lm = sqrt(l(l+1)) chi_lm / a,    B_lm = sqrt(l(l+1)) psi_lm / a,

with the velocity potential chi and the stream function psi,

    u = (d chi/d phi / sin(theta) + d psi/d theta) / a,
    v = (-d chi/d theta + d psi/d phi / sin(theta)) / a.

All functions compute in the precision of the coefficients.
"""

from functools import lru_cache

import numpy as np

from spherekit._core import checks
from spherekit.sampling.quadrature import read_only


def checked_radius(radius):
    """The radius of a sphere as a float, in m or in its own unit; a quantity is converted to m.

    Raises
    ------
    TypeError
        Not a real number.
    ValueError
        Of another unit than one of length; not positive and finite; or between 100 and 100000: planets and
        moons with winds have radii of more than 1000 km, so that this is one in km.

    >>> checked_radius(6371e3), checked_radius(1)
    (6371000.0, 1.0)
    """
    unit = checks.unit_of(radius)
    radius = radius if unit is None else _in_meters(radius, unit)
    radius = checks.real_number(radius, "radius", "a length > 0 in m", lambda x: 0 < x < np.inf)
    if 100 <= radius < 1e5:
        raise ValueError(
            f"radius is {radius:g}; expected a length in m (in km? pass {radius:g}e3), or 1 for angles in "
            "radians"
        )
    return radius


def _in_meters(radius, unit):
    """A quantity of astropy or pint in m."""
    try:
        length = radius.to("m")
    except Exception:  # astropy and pint raise exceptions of their own
        raise ValueError(f"radius has the unit {unit}; expected a length, such as in m") from None
    return float(length.value if hasattr(length, "value") else length.magnitude)


def degree_factors(L, power):
    """The numbers (l(l+1))^power for each coefficient of degree l < L, 0 for l = 0.

    >>> degree_factors(2, -0.5).round(6)
    array([0.      , 0.707107, 0.707107, 0.707107])
    """
    degrees = np.arange(L)
    factors = np.zeros(L)
    factors[1:] = (degrees[1:] * (degrees[1:] + 1.0)) ** power
    return of_entries(factors)


def of_entries(values):
    """Values (L,) of each degree for each entry of coefficients (L*L,).

    >>> of_entries(np.array([2.0, 3.0]))
    array([2., 3., 3., 3.])
    """
    return np.repeat(values, 2 * np.arange(len(values)) + 1)


def times_degrees(flm, L, power, factor=1.0):
    """Coefficients times (l(l+1))^power and a factor; 0 for l = 0.

    >>> times_degrees(np.array([5.0, 1, 1, 1]), 2, 1, 3.0)
    array([0., 6., 6., 6.])
    """
    return flm * degree_table(L, power, factor, flm.dtype)


def degree_table(L, power, factor, dtype):
    """The factors of `times_degrees`, read-only, in the precision of dtype; complex if the factor is."""
    is_single = np.finfo(dtype).bits == 32
    dtype = checks.result_type(not isinstance(factor, complex), is_single)
    return (_table if L <= 1024 else _table.__wrapped__)(L, power, factor, dtype)


@lru_cache(maxsize=4)
def _table(L, power, factor, dtype):
    return read_only((factor * degree_factors(L, power)).astype(dtype))


def gradient_part(potential, L, radius):
    """The mode E of the gradient of a scalar: sqrt(l(l+1)) / a times its coefficients."""
    return times_degrees(potential, L, 0.5, 1 / radius)


def truncated(flm, truncation):
    """Coefficients with zeros at degrees > truncation.

    >>> truncated(np.ones(9), 1)
    array([1., 1., 1., 1., 0., 0., 0., 0., 0.])
    """
    is_low = np.arange(flm.shape[-1]) < (truncation + 1) ** 2
    return flm * is_low.astype(checks.real_type(flm))
