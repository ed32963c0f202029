"""The HEALPix pixels that an arc of a circle passes through.

A circle is the tuple (z0, sine0, phi0, chord, side): cos and sin of the colatitude of its axis, the longitude
of its axis, sin^2(r/2) of its radius r, and the side, 1 or -1, of the axis on which the arc is. On an arc the
longitude is the function ``phi0 + side D(theta)`` of the colatitude (`half_width`).

The ring coordinate t of a colatitude is the number of a ring, continued to real numbers. Between two rings
the borders of pixels are straight lines in coordinates of Gorski et al. 2005, section 4.1: t and phi in the
equatorial belt; in a polar cap, at a distance psi from a meridian that is a multiple of 90 degrees, lines of
constant ``t psi``. An arc therefore reaches the pixels between the extremes of two functions, which are at
its ends or where their derivative, a closed formula, is zero.
"""

import math

from spherekit._core.jit import leaf

__all__ = ["circle_longitude", "extend_to_arc", "half_width", "ring_position"]

#: Bisections of an interval of t, to the last digits of t.
_BISECTIONS = 50
_QUARTER = 0.5 * math.pi


@leaf
def ring_position(t, nside):
    """cos(theta) and sin(theta) at a ring coordinate from 0 to 4 nside, both accurate at the poles."""
    from_pole = min(t, 4 * nside - t)
    if from_pole < nside:
        fraction = float(from_pole) / nside
        x = fraction * fraction / 3
        z = 1 - x
        sine = math.sqrt(x * (2 - x))
    else:
        z = (4 * nside - 2 * from_pole) / (3.0 * nside)
        sine = math.sqrt((1 - z) * (1 + z))
    return (z if t <= 2 * nside else -z), sine


@leaf
def half_width(z, sine, z0, sine0, chord):
    """Half the range D of longitudes of a disc on a circle of latitude; -1 if there are none.

    By half angles, which are accurate for discs of any size:
    tan^2(D/2) = (sin^2(r/2) - sin^2((theta - theta0)/2)) / (sin^2((theta + theta0)/2) - sin^2(r/2)).

    Parameters
    ----------
    z, sine, z0, sine0 : float
        cos(theta) and sin(theta) of the circle of latitude, and of the center of the disc.
    chord : float
        sin^2(r/2) of its radius r.

    Returns
    -------
    float
        Radians; pi if the whole circle is in the disc.
    """
    inside, outside = _squares(z, sine, z0, sine0, chord)
    if inside < 0:
        return -1.0
    if outside <= 0:
        return math.pi
    return math.atan2(2 * math.sqrt(inside * outside), outside - inside)


@leaf
def _squares(z, sine, z0, sine0, chord):
    """sin(theta) sin(theta0) times sin^2(D/2) and cos^2(D/2)."""
    height = (z - z0) * (z - z0)
    inside = chord - 0.25 * ((sine - sine0) * (sine - sine0) + height)
    outside = 0.25 * ((sine + sine0) * (sine + sine0) + height) - chord
    return inside, outside


@leaf
def circle_longitude(t, nside, circle):
    """The longitude of an arc at a ring coordinate; at its end where rounding puts t beyond it."""
    z0, sine0, phi0, chord, side = circle
    z, sine = ring_position(t, nside)
    return phi0 + side * max(0.0, half_width(z, sine, z0, sine0, chord))


@leaf
def _slope(t, nside, circle):
    """The derivative of the longitude by z, as a numerator and a denominator >= 0."""
    z0, sine0, _, chord, side = circle
    z, sine = ring_position(t, nside)
    inside, outside = _squares(z, sine, z0, sine0, chord)
    denominator = 2 * math.sqrt(max(0.0, inside) * max(0.0, outside))
    return side * ((z0 - z) + 2 * z * chord) / max(sine * sine, 1e-300), denominator


@leaf
def extend_to_arc(nside, circle, t1, phi1, t2, phi2, samples, first_ring, low, high):
    """Extend intervals of pixels, one on each ring, to those that an arc passes through.

    Parameters
    ----------
    nside : int
    circle : tuple
    t1, phi1, t2, phi2 : float
        The ends of an arc, t1 <= t2, along which the longitude is monotonic.
    samples : int
        Number of intervals between two rings in which a derivative has at most one zero.
    first_ring : int
        Ring of the first element of ``low`` and ``high``.
    low, high : pointer to int64
        Indices of pixels on rings, of any sign; ``high < low`` of empty intervals.
    """
    first = max(0, math.floor(t1))
    last = min(4 * nside - 1, max(first, math.ceil(t2) - 1))
    start = t1
    phi_start = phi1
    for band in range(first, last + 1):
        stop = t2 if band == last else float(band + 1)
        phi_stop = phi2 if band == last else circle_longitude(stop, nside, circle)
        piece = (start, phi_start, stop, phi_stop)
        if nside <= band < 3 * nside:
            _extend_in_belt(nside, circle, piece, band, samples, first_ring, low, high)
        else:
            _extend_in_cap(nside, circle, piece, band, samples, first_ring, low, high)
        start = stop
        phi_start = phi_stop


@leaf
def _extend(ring, minimum, maximum, nside, first_ring, low, high):
    """Extend the interval of a ring."""
    if 1 <= ring < 4 * nside and minimum <= maximum:
        i = ring - first_ring
        if high[i] < low[i]:
            low[i] = minimum
            high[i] = maximum
        else:
            low[i] = min(low[i], minimum)
            high[i] = max(high[i], maximum)


# --- the equatorial belt ----------------------------------------------------------------------------


@leaf
def _extend_in_belt(nside, circle, piece, band, samples, first_ring, low, high):
    """A piece between two rings of the belt: extremes of u + t/2 and u - t/2, u = 2 nside phi/pi."""
    rising = _belt_range(nside, circle, piece, 0.5, samples)
    falling = _belt_range(nside, circle, piece, -0.5, samples)
    for upper in range(2):
        ring = band + upper
        shift = 0.5 if (ring - nside) & 1 == 0 else 0.0
        if upper:  # the northern halves of the pixels of the southern ring
            minimum = math.ceil(falling[0] + 0.5 * band - shift)
            maximum = math.floor(rising[1] - 0.5 * band - shift)
        else:
            minimum = math.ceil(rising[0] - 0.5 * (band + 1) - shift)
            maximum = math.floor(falling[1] + 0.5 * (band + 1) - shift)
        _extend(ring, int(minimum), int(maximum), nside, first_ring, low, high)


@leaf
def _belt_range(nside, circle, piece, factor, samples):
    """The extremes of ``2 nside phi / pi + factor t`` along a piece."""
    t1, phi1, t2, phi2 = piece
    per_radian = nside / _QUARTER
    a = per_radian * phi1 + factor * t1
    b = per_radian * phi2 + factor * t2
    smallest = min(a, b)
    largest = max(a, b)
    left = t1
    sign = _belt_sign(t1, nside, circle, factor)
    for i in range(1, samples + 1):
        right = t1 + (t2 - t1) * i / samples
        next_sign = _belt_sign(right, nside, circle, factor)
        if sign * next_sign < 0:
            inner = left
            outer = right
            for _ in range(_BISECTIONS):
                middle = 0.5 * (inner + outer)
                if _belt_sign(middle, nside, circle, factor) * sign > 0:
                    inner = middle
                else:
                    outer = middle
            value = per_radian * circle_longitude(inner, nside, circle) + factor * inner
            smallest = min(smallest, value)
            largest = max(largest, value)
        left = right
        sign = next_sign
    return smallest, largest


@leaf
def _belt_sign(t, nside, circle, factor):
    """The sign of the derivative of ``2 nside phi / pi + factor t`` by t."""
    numerator, denominator = _slope(t, nside, circle)
    value = factor * denominator - numerator * (2 / (3 * _QUARTER))
    return math.copysign(1.0, value) if value != 0 else 0.0


# --- the polar caps ---------------------------------------------------------------------------------


@leaf
def _extend_in_cap(nside, circle, piece, band, samples, first_ring, low, high):
    """A piece of an arc between two rings of a cap, divided where it crosses the border of a face."""
    t1, phi1, t2, phi2 = piece
    if phi1 == phi2:
        column = math.floor(phi1 / _QUARTER)
        _extend_in_face(nside, circle, piece, band, column, samples, first_ring, low, high)
        return
    forward = phi2 > phi1
    start = t1
    phi_start = phi1
    while True:
        if forward:
            column = math.floor(phi_start / _QUARTER)
            border = (column + 1) * _QUARTER
            if border >= phi2:
                break
        else:
            column = math.ceil(phi_start / _QUARTER) - 1
            border = column * _QUARTER
            if border <= phi2:
                break
        inner = start
        outer = t2
        for _ in range(_BISECTIONS):
            middle = 0.5 * (inner + outer)
            if (circle_longitude(middle, nside, circle) < border) == forward:
                inner = middle
            else:
                outer = middle
        part = (start, phi_start, inner, border)
        _extend_in_face(nside, circle, part, band, column, samples, first_ring, low, high)
        start = inner
        phi_start = border
    part = (start, phi_start, t2, phi2)
    _extend_in_face(nside, circle, part, band, column, samples, first_ring, low, high)


@leaf
def _extend_in_face(nside, circle, piece, band, column, samples, first_ring, low, high):
    """A piece between two rings of a cap and two borders of faces: extremes of the distances t psi."""
    north = band < nside
    near = band if north else 4 * nside - band - 1
    west = _cap_range(nside, circle, piece, column * _QUARTER, samples)
    east = _cap_range(nside, circle, piece, (column + 1) * _QUARTER, samples)
    # the ring nearer to the pole, and the far halves of its pixels
    minimum = max(0, int(math.ceil(west[0])) - 1)
    maximum = min(near - 1, int(math.floor(near - east[0])))
    if minimum <= maximum:
        first = int(column) * near
        ring = band if north else band + 1
        _extend(ring, first + minimum, first + maximum, nside, first_ring, low, high)
    # the other ring, and the near halves of its pixels
    minimum = max(0, int(math.ceil(near - east[1])))
    maximum = min(near, int(math.floor(west[1])))
    if minimum <= maximum:
        first = int(column) * (near + 1)
        ring = band + 1 if north else band
        _extend(ring, first + minimum, first + maximum, nside, first_ring, low, high)


@leaf
def _cap_range(nside, circle, piece, meridian, samples):
    """The extremes of ``2 t abs(phi - meridian) / pi`` along a piece; t from the pole."""
    t1, phi1, t2, phi2 = piece
    a = _from_pole(t1, nside) * abs(phi1 - meridian) / _QUARTER
    b = _from_pole(t2, nside) * abs(phi2 - meridian) / _QUARTER
    smallest = min(a, b)
    largest = max(a, b)
    side = 1.0 if phi1 + phi2 >= 2 * meridian else -1.0
    left = t1
    sign = _cap_sign(t1, nside, circle, meridian, side)
    for i in range(1, samples + 1):
        right = t1 + (t2 - t1) * i / samples
        next_sign = _cap_sign(right, nside, circle, meridian, side)
        if sign * next_sign < 0:
            inner = left
            outer = right
            for _ in range(_BISECTIONS):
                middle = 0.5 * (inner + outer)
                if _cap_sign(middle, nside, circle, meridian, side) * sign > 0:
                    inner = middle
                else:
                    outer = middle
            distance = side * (circle_longitude(inner, nside, circle) - meridian)
            value = _from_pole(inner, nside) * max(0.0, distance) / _QUARTER
            smallest = min(smallest, value)
            largest = max(largest, value)
        left = right
        sign = next_sign
    return smallest, largest


@leaf
def _cap_sign(t, nside, circle, meridian, side):
    """The sign of the derivative of ``t psi`` by t (from the pole), psi = side (phi - meridian)."""
    numerator, denominator = _slope(t, nside, circle)
    tau = _from_pole(t, nside) / nside
    psi = side * (circle_longitude(t, nside, circle) - meridian)
    # dz/dt = -2 t / (3 nside^2) from the north pole
    slope = side * numerator * (-2 * tau * tau / 3) * (1.0 if t <= 2 * nside else -1.0)
    value = denominator * psi + slope
    return math.copysign(1.0, value) if value != 0 else 0.0


@leaf
def _from_pole(t, nside):
    return min(t, 4 * nside - t)
