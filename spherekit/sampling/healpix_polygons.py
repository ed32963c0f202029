"""The HEALPix pixels in a polygon: each of its edges crosses a ring at closed-form longitudes.

An edge is an arc of a great circle. It is divided where its latitude is extreme, into segments on which the
longitude is a function of the latitude. A segment is a row of numbers: ring coordinates and longitudes of its
northern and its southern end; z0, sine0, longitude of the axis and side of its circle (`healpix_circles`);
and 1 if the polygon runs from its northern to its southern end, -1 otherwise.
"""

import math

from spherekit._core.jit import leaf
from spherekit.kernels.simd import pointer
from spherekit.sampling.healpix_circles import circle_longitude, extend_to_arc
from spherekit.sampling.healpix_geometry import ring_range, ring_start
from spherekit.sampling.healpix_ranges import append_interval, ring_coordinate

__all__ = ["SEGMENT", "crossing_edges", "polygon_ranges", "polygon_segments", "ring_counts"]

#: Numbers of a segment.
SEGMENT = 9
#: sin^2(r/2) of a great circle.
_CHORD = 0.5
#: Intervals between two rings, in each of which an arc is parallel to the borders of pixels at one point at
#: most. (In the belt the slope of a great circle is monotonic.)
_SAMPLES = 4
#: Edges shorter than this, or this close to half a turn, have no direction (radians).
_SHORT = 1e-14
_TURN = 2 * math.pi
_TURNS_PER_RADIAN = 0.5 / math.pi


# --- vectors ----------------------------------------------------------------------------------------


@leaf
def _vector(theta, phi):
    sine = math.sin(theta)
    return sine * math.cos(phi), sine * math.sin(phi), math.cos(theta)


@leaf
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@leaf
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@leaf
def _combine(a, x, b, y):
    """a x + b y of numbers a, b and vectors x, y."""
    return a * x[0] + b * y[0], a * x[1] + b * y[1], a * x[2] + b * y[2]


@leaf
def _normal(a, b):
    """a x b of unit vectors, accurate for short edges: (a - b) x (a + b) / 2."""
    x = _cross(_combine(1.0, a, -1.0, b), _combine(1.0, a, 1.0, b))
    return 0.5 * x[0], 0.5 * x[1], 0.5 * x[2]


# --- segments ---------------------------------------------------------------------------------------


@leaf
def polygon_segments(nside, theta, phi, segments):
    """Write the segments of the edges of a polygon.

    Returns
    -------
    fault : int
        0; 1 for an edge of length zero, 2 for an edge of half a turn, from vertex ``number``.
    number : int
        The number of segments.
    area : float
        The area on the left of the edges.
    north, south : bool
        Whether the poles are on the left.
    """
    n = theta.size
    rows = pointer(segments, 0)
    count = 0
    area = 0.0
    turns = 0.0
    for i in range(n):
        j = (i + 1) % n
        a, b = _vector(theta[i], phi[i]), _vector(theta[j], phi[j])
        normal = _normal(a, b)
        sine = math.sqrt(_dot(normal, normal))
        if sine < _SHORT:
            return (1 if _dot(a, b) > 0 else 2), i, area, False, False
        normal = _combine(1 / sine, normal, 0.0, normal)
        count = _append_edge(nside, theta, phi, i, j, a, b, normal, rows, count)
        angle = phi[j] - phi[i]
        angle -= _TURN * math.floor(angle * _TURNS_PER_RADIAN + 0.5)
        area += _triangle_area(theta[i], theta[j], angle)
        turns += angle
    # integral of the number of turns of the polygon about points, which is 0 for the south pole
    south = area < 0
    north = (math.floor(turns * _TURNS_PER_RADIAN + 0.5) == 0) == south
    return 0, count, (area + 2 * _TURN if south else area), north, south


@leaf
def _triangle_area(theta1, theta2, angle):
    """The area between the north pole and an edge that subtends an angle at the pole."""
    a = math.sin(theta1 / 2) * math.sin(theta2 / 2)
    b = math.cos(theta1 / 2) * math.cos(theta2 / 2)
    return 2 * math.atan2(a * math.sin(angle), b + a * math.cos(angle))


@leaf
def _append_edge(nside, theta, phi, i, j, a, b, normal, rows, count):
    """Append one or two segments; the axis is north of the equator."""
    t1, t2 = ring_coordinate(theta[i], nside), ring_coordinate(theta[j], nside)
    sign = 1.0 if normal[2] >= 0 else -1.0
    z0 = sign * normal[2]
    sine0 = math.hypot(normal[0], normal[1])
    phi0 = math.atan2(sign * normal[1], sign * normal[0])
    width1, width2 = _width(a, phi0), _width(b, phi0)
    top = _combine(1.0, (0.0, 0.0, 1.0), -normal[2], normal)
    is_top = _dot(_cross(a, top), normal) > 0 and _dot(_cross(top, b), normal) > 0
    is_bottom = _dot(_cross(a, top), normal) < 0 and _dot(_cross(top, b), normal) < 0
    axis = (z0, sine0, phi0)
    if not (is_top or is_bottom):
        middle = _combine(1.0, a, 1.0, b)
        side = _side(middle, phi0)
        return _append_segment(rows, count, t1, width1, t2, width2, axis, side)
    extreme = math.asin(min(1.0, sine0))
    theta_extreme = math.pi / 2 - extreme if is_top else math.pi / 2 + extreme
    t = ring_coordinate(theta_extreme, nside)
    t = min(t, t1, t2) if is_top else max(t, t1, t2)
    width = math.pi if is_top else 0.0
    point = top if is_top else (-top[0], -top[1], -top[2])
    length = math.sqrt(_dot(point, point))
    side1 = _side(_combine(1.0, a, 1 / length, point), phi0)
    side2 = _side(_combine(1.0, b, 1 / length, point), phi0)
    count = _append_segment(rows, count, t1, width1, t, width, axis, side1)
    return _append_segment(rows, count, t, width, t2, width2, axis, side2)


@leaf
def _width(point, phi0):
    """The distance of longitudes of a point and of the axis, from 0 to pi."""
    if abs(point[0]) + abs(point[1]) < 1e-15:
        return math.pi / 2  # at a pole
    angle = math.atan2(point[1], point[0]) - phi0
    return abs(angle - _TURN * math.floor(angle * _TURNS_PER_RADIAN + 0.5))


@leaf
def _side(point, phi0):
    return 1.0 if math.sin(math.atan2(point[1], point[0]) - phi0) >= 0 else -1.0


@leaf
def _append_segment(rows, count, t1, width1, t2, width2, axis, side):
    z0, sine0, phi0 = axis
    row = pointer(rows, count * SEGMENT)
    southward = t1 <= t2
    row[0] = t1 if southward else t2
    row[1] = phi0 + side * (width1 if southward else width2)
    row[2] = t2 if southward else t1
    row[3] = phi0 + side * (width2 if southward else width1)
    row[4] = z0
    row[5] = sine0
    row[6] = phi0
    row[7] = side
    row[8] = 1.0 if southward else -1.0
    return count + 1


@leaf
def crossing_edges(theta, phi):
    """The numbers of the first two edges that cross each other; -1 if no edges do."""
    n = theta.size
    for i in range(n):
        a = _vector(theta[i], phi[i])
        b = _vector(theta[(i + 1) % n], phi[(i + 1) % n])
        normal = _normal(a, b)
        for j in range(i + 2, n):
            if i == 0 and j == n - 1:
                continue
            c = _vector(theta[j], phi[j])
            d = _vector(theta[(j + 1) % n], phi[(j + 1) % n])
            to_c, to_d = _dot(normal, c), _dot(normal, d)
            if to_c * to_d >= 0:
                continue
            normal2 = _normal(c, d)
            to_a, to_b = _dot(normal2, a), _dot(normal2, b)
            if to_a * to_b >= 0:
                continue
            p = _combine(abs(to_d), c, abs(to_c), d)
            q = _combine(abs(to_b), a, abs(to_a), b)
            if _dot(p, q) > 0:
                return i, j
    return -1, -1


# --- pixels -----------------------------------------------------------------------------------------


@leaf
def ring_counts(segments, count):
    """The first and the last ring that a polygon crosses, and the sum of those of its segments, or more."""
    rows = pointer(segments, 0)
    total = 0
    north = rows[0]
    south = rows[2]
    for i in range(count):
        row = pointer(rows, i * SEGMENT)
        total += int(row[2]) - int(row[0]) + 3
        north = min(north, row[0])
        south = max(south, row[2])
    return int(math.floor(north)) + 1, int(math.floor(south)), total


@leaf
def polygon_ranges(
    nside, segments, count, left, poles, inclusive, first, last, work, crossings, ranges
):
    """Write the ranges of the pixels in a polygon, in any order; return their count.

    Parameters
    ----------
    nside : int
    segments : float64 ndarray [shape=(n, SEGMENT)]
    count : int
        Number of segments.
    left : bool
        Whether the interior is on the left of the edges.
    poles : tuple of bool
        Whether the north and the south pole are in the interior.
    inclusive : bool
        Whether to add the pixels that edges pass through.
    first, last : int
        Rings that the polygon crosses.
    work : int64 ndarray [shape=(2, n)]
        Of n >= last - first + 4 elements.
    crossings : float64 ndarray [shape=(n, 2)]
        Of as many rows as all segments cross rings.
    ranges : int64 ndarray [shape=(n, 2)]
    """
    flat = pointer(ranges, 0)
    rows = pointer(segments, 0)
    ends = pointer(work, 0)
    table = pointer(crossings, 0)
    _sort_crossings(nside, rows, count, left, first, last, ends, table)
    result = 0
    if poles[0] and first > 1:
        result = append_interval(
            flat, result, 0, ring_start(first, nside), 0, ring_start(first, nside) - 1
        )
    begin = 0
    for ring in range(first, last + 1):
        end = ends[ring - first]
        result = _append_interior(nside, ring, pointer(table, 2 * begin), end - begin, flat, result)
        begin = end
    if poles[1] and last < 4 * nside - 1:
        start = ring_start(max(last, 0) + 1, nside)
        size = 12 * nside * nside - start
        result = append_interval(flat, result, start, size, 0, size - 1)
    if inclusive:
        result = _append_touched(
            nside, rows, count, ends, pointer(work, work.shape[1]), flat, result
        )
    return result


@leaf
def _sort_crossings(nside, rows, count, left, first, last, ends, table):
    """Write, ring by ring, the sorted longitudes at which edges cross it, and 1 where they enter eastward."""
    for i in range(last - first + 1):
        ends[i] = 0
    for s in range(count):
        row = pointer(rows, s * SEGMENT)
        for ring in range(int(math.floor(row[0])) + 1, int(math.floor(row[2])) + 1):
            ends[ring - first] += 1
    total = 0
    for i in range(last - first + 1):  # from numbers to the first crossing of each ring
        total += ends[i]
        ends[i] = total - ends[i]
    for s in range(count):
        row = pointer(rows, s * SEGMENT)
        circle = (row[4], row[5], row[6], _CHORD, row[7])
        enters = 1.0 if (row[8] > 0) == left else 0.0
        for ring in range(int(math.floor(row[0])) + 1, int(math.floor(row[2])) + 1):
            phi = circle_longitude(float(ring), nside, circle)
            low, high = min(row[1], row[3]), max(row[1], row[3])
            phi = min(max(phi, low), high)
            phi -= _TURN * math.floor(phi * _TURNS_PER_RADIAN)
            i = ends[ring - first]
            table[2 * i] = phi
            table[2 * i + 1] = enters
            ends[ring - first] = i + 1
    begin = 0
    for i in range(last - first + 1):
        _sort(pointer(table, 2 * begin), ends[i] - begin)
        begin = ends[i]


@leaf
def _sort(table, count):
    """Sort pairs by their first number: by insertion, since there are few."""
    for i in range(1, count):
        phi = table[2 * i]
        enters = table[2 * i + 1]
        j = i
        while j > 0 and table[2 * j - 2] > phi:
            table[2 * j] = table[2 * j - 2]
            table[2 * j + 1] = table[2 * j - 1]
            j -= 1
        table[2 * j] = phi
        table[2 * j + 1] = enters


@leaf
def _append_interior(nside, ring, table, count, ranges, result):
    """Append the pixels between alternate crossings of a ring.

    Which ones is decided by the majority, since rounding may exchange crossings at one point.
    """
    start, n, shift = ring_range(ring, nside)
    votes = 0
    for i in range(count):
        votes += 1 if (table[2 * i + 1] > 0) == (i % 2 == 0) else -1
    for i in range(0 if votes > 0 else 1, count, 2):
        east = table[2 * i + 2] if i + 1 < count else table[0] + _TURN
        low = math.ceil(table[2 * i] * _TURNS_PER_RADIAN * n - 0.5 * shift)
        high = math.floor(east * _TURNS_PER_RADIAN * n - 0.5 * shift)
        result = append_interval(ranges, result, start, n, int(low), int(high))
    return result


@leaf
def _append_touched(nside, rows, count, low, high, ranges, result):
    """Append the pixels that edges pass through."""
    for s in range(count):
        row = pointer(rows, s * SEGMENT)
        circle = (row[4], row[5], row[6], _CHORD, row[7])
        first = int(math.floor(row[0]))
        last = int(math.ceil(row[2])) + 1
        for i in range(last - first + 1):
            low[i], high[i] = 0, -1
        extend_to_arc(nside, circle, row[0], row[1], row[2], row[3], _SAMPLES, first, low, high)
        for ring in range(max(first, 1), min(last, 4 * nside - 1) + 1):
            start, n, _ = ring_range(ring, nside)
            i = ring - first
            result = append_interval(ranges, result, start, n, low[i], high[i])
    return result
