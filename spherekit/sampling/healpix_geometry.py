"""Pixel arithmetic of HEALPix (Gorski et al. 2005, ApJ 622, 759): functions of numbers, for kernels.

A pixel has a number in ring order, a number in nested order, and a position (face, x, y): one of 12 base
pixels, and 0 <= x, y < nside within it. x increases to the north-east, y to the north-west. Faces form three
rows of four, from north to south; their centers are at longitudes 45, 135, ... degrees in the first and the
last row, and 0, 90, ... degrees in the row on the equator. Rings are numbered from 1 to 4 nside - 1.

All formulas are closed, so that there are no tables, and hold for nside up to 2^29. Numbers in nested order
need nside = 2^order.
"""

import math

from spherekit._core.jit import leaf

__all__ = [
    "contains",
    "even_bits",
    "face_to_nested",
    "face_to_ring",
    "floor_divide",
    "floor_sqrt",
    "log2",
    "neighbour_position",
    "nested_pixel_at",
    "nested_to_face",
    "position_angles",
    "reduce_longitude",
    "ring_of",
    "ring_pixel_at",
    "ring_range",
    "ring_start",
    "ring_theta",
    "ring_to_face",
    "spread_bits",
]

#: sin(theta) replaces cos(theta) where it has more digits: within this distance of a pole (radians). The
#: distance from the south pole is that of healpy, whose pixels on the border of two are then the same.
_POLAR = 0.01
_SOUTH = 3.14159 - _POLAR
_TURN = 2 * math.pi
_TWO_THIRDS = 2 / 3
_QUARTERS_PER_RADIAN = 2 / math.pi


# --- integers ---------------------------------------------------------------------------------------


@leaf
def floor_sqrt(n):
    """The largest integer whose square is at most n, for 0 <= n < 2^62."""
    root = int(math.sqrt(float(n)))
    if root * root > n:
        root -= 1
    elif (root + 1) * (root + 1) <= n:
        root += 1
    return root


@leaf
def floor_divide(a, b):
    """The quotient and the remainder of integers, 0 <= a < 2^62, b < 2^32: faster than the instruction."""
    quotient = int(float(a) * (1.0 / float(b)))
    remainder = a - quotient * b
    if remainder < 0:
        return quotient - 1, remainder + b
    if remainder >= b:
        return quotient + 1, remainder - b
    return quotient, remainder


@leaf
def divide(a, nside, order):
    """The quotient and the remainder of a >= 0 by nside, by bits if ``order`` is that of a power of two."""
    return (a >> order, a & (nside - 1)) if order >= 0 else floor_divide(a, nside)


@leaf
def log2(nside):
    """The order of an nside that is a power of two; -1 for other nside."""
    order = 0
    while nside >> (order + 1):
        order += 1
    return order if nside == 1 << order else -1


@leaf
def spread_bits(number):
    """Move bit k of a number < 2^32 to position 2 k."""
    number = (number | number << 16) & 0x0000FFFF0000FFFF
    number = (number | number << 8) & 0x00FF00FF00FF00FF
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F
    number = (number | number << 2) & 0x3333333333333333
    return (number | number << 1) & 0x5555555555555555


@leaf
def even_bits(number):
    """The bits of a number at even positions, packed together: the inverse of `spread_bits`."""
    number = number & 0x5555555555555555
    number = (number | number >> 1) & 0x3333333333333333
    number = (number | number >> 2) & 0x0F0F0F0F0F0F0F0F
    number = (number | number >> 4) & 0x00FF00FF00FF00FF
    number = (number | number >> 8) & 0x0000FFFF0000FFFF
    return (number | number >> 16) & 0x00000000FFFFFFFF


@leaf
def contains(nside, pixel):
    """Whether a pixel number is in the range of nside."""
    return 0 <= pixel < 12 * nside * nside


# --- rings ------------------------------------------------------------------------------------------


@leaf
def ring_of(pixel, nside, order=-1):
    """The ring, from 1, of a pixel number in ring order, and the index on it; ``order`` as in `divide`."""
    cap = 2 * nside * (nside - 1)
    n_pix = 12 * nside * nside
    if pixel < cap:
        ring = (1 + floor_sqrt(1 + 2 * pixel)) >> 1
        return ring, pixel - 2 * ring * (ring - 1)
    if pixel < n_pix - cap:
        ring, index = divide(pixel - cap, 4 * nside, order + 2 if order >= 0 else -1)
        return ring + nside, index
    from_south = (1 + floor_sqrt(2 * (n_pix - pixel) - 1)) >> 1
    return 4 * nside - from_south, pixel - n_pix + 2 * from_south * (from_south + 1)


@leaf
def ring_start(ring, nside):
    """The number of the first pixel of a ring, in ring order; 12 nside^2 after the last ring."""
    if ring <= nside:
        return 2 * ring * (ring - 1)
    if ring <= 3 * nside:
        return 2 * nside * (nside - 1) + 4 * nside * (ring - nside)
    from_south = 4 * nside - ring
    return 12 * nside * nside - 2 * from_south * (from_south + 1)


@leaf
def ring_range(ring, nside):
    """A ring: its first pixel, its number of pixels, and whether its pixels are shifted by half a pixel.

    The longitude of the pixel with index i is ``2 pi (i + shift / 2) / n``, with the shift 0 or 1.
    """
    in_cap = ring < nside or ring > 3 * nside
    n = 4 * min(min(ring, 4 * nside - ring), nside)
    shift = 1 if in_cap or (ring - nside) & 1 == 0 else 0
    return ring_start(ring, nside), n, shift


@leaf
def ring_theta(ring, nside):
    """The colatitude of a ring, accurate at the poles: 2 asin(i / (sqrt(6) nside)) from the pole in a cap."""
    if ring < nside:
        return 2 * math.asin(ring / (math.sqrt(6.0) * nside))
    if ring <= 3 * nside:
        return math.acos(float(4 * nside - 2 * ring) / float(3 * nside))
    return math.pi - 2 * math.asin((4 * nside - ring) / (math.sqrt(6.0) * nside))


# --- positions (face, x, y) -------------------------------------------------------------------------


@leaf
def face_to_ring(face, x, y, nside):
    """The number in ring order of the pixel at (face, x, y)."""
    row, column = face >> 2, face & 3
    # counted southward from the northernmost corner of the row of faces
    ring = (row + 2) * nside - x - y - 1
    start, n, shift = ring_range(ring, nside)
    # the center of the face is at 2 column + 1 eighths of a turn, or 2 column on the equator
    eighths = 2 * column + (1 if row != 1 else 0)
    index = (eighths * (n >> 2) + x - y - shift) >> 1
    if index < 0:
        index += n
    elif index >= n:
        index -= n
    return start + index


@leaf
def ring_to_face(pixel, nside, order=-1):
    """The position (face, x, y) of a pixel number in ring order; ``order`` as in `divide`."""
    ring, index = ring_of(pixel, nside, order)
    in_cap = ring < nside or ring > 3 * nside
    # distances from the equator in rings, and from the meridian in half pixels
    north = 2 * nside - ring
    if in_cap:
        quarter = min(ring, 4 * nside - ring)
        column, _ = floor_divide(index, quarter)
        row = 0 if north > 0 else 2
        total = (row + 2) * nside - 1 - ring
        difference = 2 * index + 1 - (2 * column + 1) * quarter
        return 4 * row + column, (total + difference) >> 1, (total - difference) >> 1
    half_pixels = 2 * index + (1 if (ring - nside) & 1 == 0 else 0)
    # x and y increase along the two diagonals, by nside per face; 4 nside keeps the second one positive
    right, x = divide((half_pixels + north + nside - 1) >> 1, nside, order)
    left, y = divide(((north - half_pixels + nside - 1) >> 1) + 4 * nside, nside, order)
    left = 4 - left
    row = 1 if right == left else (0 if right > left else 2)
    return 4 * row + (min(right, left) & 3), x, y


@leaf
def nested_to_face(pixel, order):
    """The position (face, x, y) of a pixel number in nested order."""
    within_face = pixel & ((1 << 2 * order) - 1)
    return pixel >> 2 * order, even_bits(within_face), even_bits(within_face >> 1)


@leaf
def face_to_nested(face, x, y, order):
    """The number in nested order of the pixel at (face, x, y)."""
    return (face << 2 * order) + spread_bits(x) + 2 * spread_bits(y)


@leaf
def neighbour_position(face, x, y, nside):
    """The position (face, x, y) of one at most one pixel beyond a face; face -1 where there is no pixel.

    Four faces meet at the poles and at four corners on the equator, three faces at the 8 corners between,
    where there is no pixel in one direction.
    """
    dx = (1 if x >= nside else 0) - (1 if x < 0 else 0)
    dy = (1 if y >= nside else 0) - (1 if y < 0 else 0)
    row, column = face >> 2, face & 3
    to_pole = (dx + dy) * (1 - row)
    if dx == 0 and dy == 0:
        pass
    elif row == 1 and dx == dy or row != 1 and dx == -dy:
        face = -1
    elif row == 1:  # across an edge, or the corner to the east or west
        column += dx if dx == -dy else (dx - dy - 1) >> 1
        face = 4 * (row - dx - dy) + (column & 3)
        x, y = x - dx * nside, y - dy * nside
    elif to_pole == 2:  # across the pole
        face = 4 * row + ((column + 2) & 3)
        x, y = x - dx, y - dy
    elif to_pole == 1:  # to the next face around the pole, whose axes are exchanged
        face = 4 * row + ((column + dx - dy) & 3)
        x, y = y - dy, x - dx
    elif to_pole == -1:  # to the row on the equator
        face = 4 + ((column + ((dx - dy + 1) >> 1)) & 3)
        x, y = x - dx * nside, y - dy * nside
    else:  # across the equator
        face = 4 * (2 - row) + column
        x, y = x - dx * nside, y - dy * nside
    return face, x, y


@leaf
def position_angles(face, x, y, nside):
    """Colatitude and longitude of a point (face, x, y), 0 <= x, y <= nside; longitude 0 at the poles."""
    row, column = face >> 2, face & 3
    # from the north pole in rings, and the length of a quarter of the parallel in pixels
    from_north = (row + 2) * nside - (x + y)
    from_south = 4 * nside - from_north
    quarter = min(min(from_north, from_south), float(nside))
    if from_north < nside:
        theta = 2 * math.asin(from_north / (math.sqrt(6.0) * nside))
    elif from_south < nside:
        theta = math.pi - 2 * math.asin(from_south / (math.sqrt(6.0) * nside))
    else:
        theta = math.acos((2 * nside - from_north) / (1.5 * nside))
    if quarter <= 0:
        return theta, 0.0
    eighths = 2 * column + (1 if row != 1 else 0) + (x - y) / quarter
    if eighths < 0:
        eighths += 8
    if eighths >= 8:  # also by rounding
        eighths -= 8
    return theta, eighths * (math.pi / 4)


# --- pixels of directions ---------------------------------------------------------------------------


@leaf(contract=False)
def reduce_longitude(phi):
    """A longitude from 0 to below 2 pi."""
    if not 0 <= phi < _TURN:
        phi %= _TURN
        if phi == _TURN:  # of a small negative angle
            phi = 0.0
    return phi


@leaf(contract=False)
def _cap_radius(theta, z, nside):
    """nside sqrt(3 (1 - abs(z))): the distance from the pole in rings, in a polar cap."""
    size = abs(z)
    if size >= 0.99 and (theta < _POLAR or theta > _SOUTH):
        return nside * math.sin(theta) / math.sqrt((1.0 + size) / 3.0)
    return nside * math.sqrt(3 * (1 - size))


@leaf(contract=False)
def ring_pixel_at(theta, phi, nside):
    """The number in ring order of the pixel that contains a direction."""
    z = math.cos(theta)
    quarters = reduce_longitude(phi) * _QUARTERS_PER_RADIAN
    if abs(z) <= _TWO_THIRDS:
        across = nside * (0.5 + quarters)
        height = nside * z * 0.75
        # the numbers of the ascending and of the descending edge
        up, down = int(across - height), int(across + height)
        ring = nside + up - down  # from 0 at the border of the polar cap
        index = (up + down - nside + 1 + (ring & 1)) >> 1
        if index < 0:
            index += 4 * nside
        elif index >= 4 * nside:
            index -= 4 * nside
        return 2 * nside * (nside - 1) + ring * 4 * nside + index
    radius = _cap_radius(theta, z, nside)
    fraction = quarters - int(quarters)
    ring = int(fraction * radius) + int((1.0 - fraction) * radius) + 1
    index = int(quarters * ring)
    if z > 0:
        return 2 * ring * (ring - 1) + index
    return 12 * nside * nside - 2 * ring * (ring + 1) + index


@leaf(contract=False)
def nested_pixel_at(theta, phi, nside, order):
    """The number in nested order of the pixel that contains a direction."""
    z = math.cos(theta)
    quarters = reduce_longitude(phi) * _QUARTERS_PER_RADIAN
    if abs(z) <= _TWO_THIRDS:
        across = nside * (0.5 + quarters)
        height = nside * (z * 0.75)
        up, down = int(across - height), int(across + height)
        left, right = up >> order, down >> order
        row = 1 if left == right else (0 if left < right else 2)
        face = 4 * row + (min(left, right) & 3)
        x, y = down & (nside - 1), nside - 1 - (up & (nside - 1))
        return face_to_nested(face, x, y, order)
    column = min(3, int(quarters))
    fraction = quarters - column
    radius = _cap_radius(theta, z, nside)
    up = min(int(fraction * radius), nside - 1)
    down = min(int((1.0 - fraction) * radius), nside - 1)
    if z >= 0:
        return face_to_nested(column, nside - 1 - down, nside - 1 - up, order)
    return face_to_nested(column + 8, up, down, order)
