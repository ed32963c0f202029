"""Winds in harmonic space: the potentials of a wind, their derivatives, and multiples of degrees.

A wind is the field -v + i u of spin 1. On a sphere of radius a its parts E and B are

    E_lm = sqrt(l(l+1)) chi_lm / a,    B_lm = sqrt(l(l+1)) psi_lm / a,

with the velocity potential chi and the stream function psi, u = (d chi/d phi / sin(theta) + d psi/d theta) / a
and v = (-d chi/d theta + d psi/d phi / sin(theta)) / a.
"""

import numpy as np


def degree_factors(L, power):
    """The numbers (l(l+1))^power for each coefficient of degree l < L, 0 for l = 0.

    >>> degree_factors(2, -0.5).round(6)
    array([0.      , 0.707107, 0.707107, 0.707107])
    """
    degrees = np.arange(L)
    factors = np.zeros(L)
    factors[1:] = (degrees[1:] * (degrees[1:] + 1.0)) ** power
    return np.repeat(factors, 2 * degrees + 1)


def divergence_of(part, L, radius):
    """Coefficients of the divergence from E, or of the vorticity from B: -sqrt(l(l+1)) / a times the part."""
    return part * (-degree_factors(L, 0.5) / radius)


def potential_of(part, L, radius):
    """Coefficients of the velocity potential from E, or of the stream function from B: a / sqrt(l(l+1))."""
    return part * (radius * degree_factors(L, -0.5))


def gradient_part(potential, L, radius):
    """The part E of the gradient of a scalar: sqrt(l(l+1)) / a times its coefficients."""
    return potential * (degree_factors(L, 0.5) / radius)
