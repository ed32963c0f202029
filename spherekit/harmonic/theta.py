"""Resampling in theta between equispaced rings: exact, by Fourier series.

The Fourier coefficient F_m(theta) of a field of spin s and band-limit L continues over the pole as
F_m(-theta) = (-1)^{m+s} F_m(theta) and is then a trigonometric polynomial of degree < L, known from any
2L-1 equidistant points of the circle (McEwen and Wiaux 2011, IEEE TSP 59, 5876, section III). A circle of
nodes is (period P, shift): theta_t = 2 pi (t + shift)/P; its rings are those in [0, pi].
"""

from collections import namedtuple

import numpy as np
from scipy import fft

Circle = namedtuple("Circle", "period shift")


def circle_of(grid):
    """The circle of an equispaced grid."""
    return Circle(grid.period, 0.0 if grid.ring_theta[0] == 0 else 0.5)


def ring_count(circle):
    """Number of nodes in [0, pi]."""
    return int(circle.period / 2 - circle.shift) + 1 if circle.shift == 0 else (circle.period + 1) // 2


def fejer_circle(n):
    """The circle whose rings are n mid-points, pi (t + 1/2)/n."""
    return Circle(2 * n, 0.5)


def resample(F, odd, source, target, L, threads):
    """Values (..., orders, rings of source) -> (..., orders, rings of target), exact below degree L.

    ``odd[order]`` tells the parity m + s; an odd F vanishes on a pole.
    """
    extended = _extend(F, odd, source)
    coefficients = fft.fft(extended, axis=-1, workers=threads)
    k = np.arange(-(L - 1), L)
    angle = 2 * np.pi * k * (target.shift / target.period - source.shift / source.period)
    spectrum = np.zeros((*F.shape[:-1], target.period), complex)
    spectrum[..., k] = coefficients[..., k] * (np.exp(1j * angle) / source.period)
    values = fft.ifft(spectrum, axis=-1, workers=threads, norm="forward")
    values = values[..., : ring_count(target)]
    values[..., odd[:, None] & _on_pole(target)] = 0
    return values


def resample_adjoint(F, odd, source, target, L, threads):
    """Transpose of ``resample(., odd, source, target, L)``: the way back, with ring multiplicities."""
    scaled = F * (target.period / source.period / _multiplicity(target))
    return resample(scaled, odd, target, source, L, threads) * _multiplicity(source)


def _extend(F, odd, circle):
    n = ring_count(circle)
    t = np.arange(n, circle.period)
    mirror = circle.period - t - (1 if circle.shift else 0)
    sign = np.where(odd, -1.0, 1.0)[:, None]
    extended = np.concatenate([F, sign * F[..., mirror]], axis=-1)
    extended[..., :n][..., odd[:, None] & _on_pole(circle)] = 0
    return extended


def _on_pole(circle):
    twice = 2 * (np.arange(ring_count(circle)) + circle.shift)
    return (twice == 0) | (twice == circle.period)


def _multiplicity(circle):
    """How often a ring stands on its circle: twice, a pole once."""
    return np.where(_on_pole(circle), 1.0, 2.0)
