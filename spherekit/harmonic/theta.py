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
    return (
        int(circle.period / 2 - circle.shift) + 1 if circle.shift == 0 else (circle.period + 1) // 2
    )


def fejer_circle(n):
    """The circle whose rings are n mid-points, pi (t + 1/2)/n."""
    return Circle(2 * n, 0.5)


def resample(F, odd, source, target, band, threads):
    """Values (..., orders, rings of source) -> (..., orders, rings of target).

    ``odd[order]`` tells the parity m + s; an odd F vanishes on a pole. ``band`` = (K, halved) keeps the
    degrees |k| <= K, the last at half weight to either side where it is the circle's highest.
    """
    degree, halved = band
    coefficients = fft.fft(_extend(F, odd, source), axis=-1, workers=threads)
    k = np.arange(-degree, degree + 1)
    angle = 2 * np.pi * k * (target.shift / target.period - source.shift / source.period)
    factor = np.exp(1j * angle) / source.period
    if halved:
        factor[[0, -1]] *= 0.5
    spectrum = np.zeros((*F.shape[:-1], target.period), complex)
    spectrum[..., k[:-1]] = coefficients[..., k[:-1]] * factor[:-1]
    spectrum[..., degree % target.period] += coefficients[..., degree % source.period] * factor[-1]
    values = fft.ifft(spectrum, axis=-1, workers=threads, norm="forward")
    values = values[..., : ring_count(target)]
    values[..., odd[:, None] & _on_pole(target)] = 0
    return values


def resample_adjoint(F, odd, source, target, band, threads):
    """Transpose of ``resample(., odd, source, target, band)``: the way back, with multiplicities."""
    scaled = F * (target.period / source.period / _multiplicity(target))
    return resample(scaled, odd, target, source, band, threads) * _multiplicity(source)


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
