"""Transforms between orders and angles for `engines.batched`, with one map per lane.

Short circles are computed by plain sums of cosines and of sines, each of which serves an angle and its mirror
image; longer ones by FFTs (measured: up to 64 samples the sums are faster).
"""

from collections import namedtuple

from spherekit._core.jit import leaf
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import load, pointer, splat, spread, store, width

#: Number of rings, degrees or angles that are summed together.
BLOCK = 4

#: The orders and samples of a ring: L, the number of samples, whether their sums have ``twiddles``; else the
#: tables of the FFT.
_Circle = namedtuple("_Circle", "L n is_summed twiddles size result integers floats")

#: Planes of ring values: offset of the first order of the first ring, steps to the next ring and to the next
#: order; offset of the samples, and the step to those of the next ring.
_Layout = namedtuple("_Layout", "orders ring_step step samples sample_step")


@leaf
def padded_rings(table):
    """Return the padded number of rings of a plane."""
    return -(-table.rings // BLOCK) * BLOCK


@leaf
def _pair(L, n, m):
    """Return the number of the pair (n, m)."""
    return m if n == 0 else L + (n - 1) * (2 * L - 1) + m + L - 1


@leaf
def to_samples(lanes, table, work):
    """Transform the planes F_mn of the rings of a batch of lanes to samples (gamma, ring, alpha)."""
    v, w, circle, offsets = width(lanes), pointer(work, 0), _circle(table), table.work_offsets
    planes, gamma_planes, buffer = offsets[2] * v, offsets[3] * v, offsets[5] * v
    if table.gammas == 1:
        _to_rings(lanes, circle, w, table.rings, _sphere_layout(lanes, table), buffer)
        return
    step, twiddles = 2 * v * padded_rings(table), pointer(table.gamma_twiddles, 0)
    sizes = table.L, table.N, table.gammas, step
    for r in range(table.rings):
        _to_gamma(lanes, sizes, twiddles, w, planes + 2 * r * v, gamma_planes, buffer)
        _to_rings(lanes, circle, w, table.gammas, _gamma_layout(lanes, table, r), buffer)


@leaf
def from_samples(lanes, table, work):
    """The transpose of `to_samples`."""
    v, w, circle, offsets = width(lanes), pointer(work, 0), _circle(table), table.work_offsets
    planes, gamma_planes, buffer = offsets[2] * v, offsets[3] * v, offsets[5] * v
    if table.gammas == 1:
        _from_rings(lanes, circle, w, table.rings, _sphere_layout(lanes, table), buffer)
        return
    step, twiddles = 2 * v * padded_rings(table), pointer(table.gamma_twiddles, 0)
    sizes = table.L, table.N, table.gammas, step
    for r in range(table.rings):
        _from_rings(lanes, circle, w, table.gammas, _gamma_layout(lanes, table, r), buffer)
        _from_gamma(lanes, sizes, twiddles, w, gamma_planes, planes + 2 * r * v, buffer)


@leaf
def _circle(table):
    fft, twiddles = table.alpha, table.ring_twiddles
    tables = fft.size, fft.result, pointer(fft.integers, 0), pointer(fft.floats, 0)
    return _Circle(table.L, fft.n, twiddles.size > 0, pointer(twiddles, 0), *tables)


@leaf
def _sphere_layout(lanes, table):
    """Return the layout of the rings of the sphere."""
    v, offsets = width(lanes), table.work_offsets
    step = 2 * v * padded_rings(table)
    return _Layout(offsets[2] * v, 2 * v, step, offsets[4] * v, table.alpha.n * v)


@leaf
def _gamma_layout(lanes, table, r):
    """Return the layout of ring r at all angles gamma."""
    v, offsets = width(lanes), table.work_offsets
    ring = table.alpha.n * v
    samples = offsets[4] * v + r * ring
    return _Layout(offsets[3] * v, 2 * table.L * v, 2 * v, samples, table.rings * ring)


# --- circles of rings, real ----------------------------------------------------------------------------


@leaf
def _to_rings(lanes, circle, work, count, layout, buffer):
    """Compute sum_m F_m e^{i m alpha} on rings, from m >= 0 only."""
    orders, samples = layout.orders, layout.samples
    if circle.is_summed:
        for _ in range(count):
            _to_ring(lanes, circle, work, orders, layout.step, samples, buffer)
            orders += layout.ring_step
            samples += layout.sample_step
        return
    for ring in range(0, count, 2):
        _to_two_rings(lanes, circle, work, orders, samples, layout, ring + 1 < count, buffer)
        orders += 2 * layout.ring_step
        samples += 2 * layout.sample_step


@leaf
def _from_rings(lanes, circle, work, count, layout, buffer):
    """The transpose of `_to_rings`."""
    orders, samples = layout.orders, layout.samples
    if circle.is_summed:
        for _ in range(count):
            _from_ring(lanes, circle, work, samples, orders, layout.step, buffer)
            orders += layout.ring_step
            samples += layout.sample_step
        return
    for ring in range(0, count, 2):
        _from_two_rings(lanes, circle, work, samples, orders, layout, ring + 1 < count, buffer)
        orders += 2 * layout.ring_step
        samples += 2 * layout.sample_step


@leaf
def _to_ring(lanes, circle, work, source, step, target, buffer):
    """Compute the samples of one ring by sums of cosines and sines."""
    v, L, n, twiddles = width(lanes), circle.L, circle.n, circle.twiddles
    half = n // 2
    for j in range(0, half + 1, BLOCK):
        _eight_sums(lanes, twiddles, 2 * j * L, L, work, source, step, buffer + 2 * j * v)
    store(work, target, load(lanes, work, buffer))
    for j in range(1, half + 1):
        even, odd = load(lanes, work, buffer + 2 * j * v), load(lanes, work, buffer + 2 * j * v + v)
        store(work, target + j * v, even - odd)
        store(work, target + (n - j) * v, even + odd)


@leaf
def _from_ring(lanes, circle, work, source, target, step, buffer):
    """The transpose of `_to_ring`."""
    v, L, n, twiddles = width(lanes), circle.L, circle.n, circle.twiddles
    half, zero = n // 2, splat(lanes, 0.0)
    results = buffer + 2 * v * (half + 1)
    store(work, buffer, load(lanes, work, source))
    store(work, buffer + v, zero)
    for j in range(1, half + 1):
        a, b = load(lanes, work, source + j * v), load(lanes, work, source + (n - j) * v)
        self_mirrored = 2 * j == n
        store(work, buffer + 2 * j * v, a if self_mirrored else a + b)
        store(work, buffer + 2 * j * v + v, b - a)
    for m in range(0, L, BLOCK):
        _eight_sums(
            lanes, twiddles, 2 * m * (half + 1), half + 1, work, buffer, 2 * v, results + 2 * m * v
        )
    for m in range(L):
        store(work, target + m * step, load(lanes, work, results + 2 * m * v))
        store(work, target + m * step + v, load(lanes, work, results + 2 * m * v + v))


@leaf
def _eight_sums(lanes, values, first, count, work, source, step, target):
    """Compute four sums of real parts and four of imaginary parts, each with its own table."""
    v = width(lanes)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(lanes, 0.0)
    for i in range(count):
        re, im = load(lanes, work, source + i * step), load(lanes, work, source + i * step + v)
        t = first + 8 * i
        a0, a1 = a0 + spread(lanes, values, t) * re, a1 + spread(lanes, values, t + 1) * re
        a2, a3 = a2 + spread(lanes, values, t + 2) * re, a3 + spread(lanes, values, t + 3) * re
        b0, b1 = b0 + spread(lanes, values, t + 4) * im, b1 + spread(lanes, values, t + 5) * im
        b2, b3 = b2 + spread(lanes, values, t + 6) * im, b3 + spread(lanes, values, t + 7) * im
    store(work, target, a0)
    store(work, target + v, b0)
    store(work, target + 2 * v, a1)
    store(work, target + 3 * v, b1)
    store(work, target + 4 * v, a2)
    store(work, target + 5 * v, b2)
    store(work, target + 6 * v, a3)
    store(work, target + 7 * v, b3)


@leaf
def four_sums(lanes, values, first, count, work, source, target):
    """Compute four sums of complex numbers."""
    v = width(lanes)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(lanes, 0.0)
    for i in range(count):
        re, im = load(lanes, work, source + 2 * v * i), load(lanes, work, source + 2 * v * i + v)
        t = spread(lanes, values, first + 4 * i)
        a0, b0 = a0 + t * re, b0 + t * im
        t = spread(lanes, values, first + 4 * i + 1)
        a1, b1 = a1 + t * re, b1 + t * im
        t = spread(lanes, values, first + 4 * i + 2)
        a2, b2 = a2 + t * re, b2 + t * im
        t = spread(lanes, values, first + 4 * i + 3)
        a3, b3 = a3 + t * re, b3 + t * im
    store(work, target, a0)
    store(work, target + v, b0)
    store(work, target + 2 * v, a1)
    store(work, target + 3 * v, b1)
    store(work, target + 4 * v, a2)
    store(work, target + 5 * v, b2)
    store(work, target + 6 * v, a3)
    store(work, target + 7 * v, b3)


# --- circles of gamma, complex, short ------------------------------------------------------------------


@leaf
def _to_gamma(lanes, sizes, twiddles, work, planes, gamma_planes, buffer):
    """Transform F_mn of a ring to sum_n F_mn e^{i n gamma}, m >= 0, with F_{m,-n} = conj F_{-m,n}.

    ``sizes``: L, N, the number of angles, the step from one pair (n, m) to the next.
    """
    L, N, n, step = sizes
    v, half = width(lanes), n // 2
    for m in range(L):
        for k in range(N):
            first = planes + _pair(L, k, m) * step
            second = planes + _pair(L, k, -m) * step if k else -1
            sums = buffer + 2 * k * v
            _sum_and_difference(lanes, work, first, second, -1.0, sums, sums + 2 * N * v)
        even, odd = _cosine_and_sine_sums(lanes, twiddles, N, half + 1, work, buffer)
        for g in range(half + 1):
            a, b = load(lanes, work, even + 2 * g * v), load(lanes, work, even + 2 * g * v + v)
            c, d = load(lanes, work, odd + 2 * g * v), load(lanes, work, odd + 2 * g * v + v)
            if g:
                _store_complex(lanes, work, gamma_planes + 2 * v * ((n - g) * L + m), a + d, b - c)
            _store_complex(lanes, work, gamma_planes + 2 * v * (g * L + m), a - d, b + c)


@leaf
def _from_gamma(lanes, sizes, twiddles, work, gamma_planes, planes, buffer):
    """The transpose of `_to_gamma`."""
    L, N, n, step = sizes
    v, count, zero = width(lanes), n // 2 + 1, splat(lanes, 0.0)
    for m in range(L):
        for g in range(count):
            self_mirrored = g == 0 or 2 * g == n  # the sines are zero
            second = -1 if self_mirrored else gamma_planes + 2 * v * ((n - g) * L + m)
            sums, source = buffer + 2 * g * v, gamma_planes + 2 * v * (g * L + m)
            _sum_and_difference(lanes, work, source, second, 1.0, sums, sums + 2 * count * v)
        even, odd = _cosine_and_sine_sums(lanes, twiddles, count, N, work, buffer)
        for k in range(N):
            a, b = load(lanes, work, even + 2 * k * v), load(lanes, work, even + 2 * k * v + v)
            c, d = load(lanes, work, odd + 2 * k * v), load(lanes, work, odd + 2 * k * v + v)
            _store_complex(lanes, work, planes + _pair(L, k, m) * step, a + d, b - c)
            if k:
                target = planes + _pair(L, k, -m) * step
                _store_complex(lanes, work, target, a - d, zero - (b + c))


@leaf
def _cosine_and_sine_sums(lanes, twiddles, count, outputs, work, buffer):
    """Multiply sums by cosines, and differences by sines; returns the offsets of both results."""
    v, sines = width(lanes), -(-outputs // BLOCK) * BLOCK * count
    differences = buffer + 2 * count * v
    even = differences + 2 * count * v
    odd = even + 2 * (outputs + BLOCK) * v
    for k in range(0, outputs, BLOCK):
        four_sums(lanes, twiddles, k * count, count, work, buffer, even + 2 * k * v)
        four_sums(lanes, twiddles, sines + k * count, count, work, differences, odd + 2 * k * v)
    return even, odd


@leaf
def _sum_and_difference(lanes, work, first, second, sign, sums, differences):
    """Store sum and difference of two numbers: Im of the second times ``sign``; 0 if second < 0."""
    v = width(lanes)
    re, im = load(lanes, work, first), load(lanes, work, first + v)
    a = b = splat(lanes, 0.0)
    if second >= 0:
        a, b = load(lanes, work, second), splat(lanes, sign) * load(lanes, work, second + v)
    _store_complex(lanes, work, sums, re + a, im + b)
    _store_complex(lanes, work, differences, re - a, im - b)


@leaf
def _store_complex(lanes, work, target, re, im):
    """Store the real and the imaginary part of a complex number."""
    store(work, target, re)
    store(work, target + width(lanes), im)


# --- longer rings --------------------------------------------------------------------------------------


@leaf
def _to_two_rings(lanes, circle, work, orders, samples, layout, has_second, buffer):
    """Transform two real rings together, as the real and the imaginary part of one complex FFT."""
    v, L, n, step = width(lanes), circle.L, circle.n, layout.step
    zero, plane_size = splat(lanes, 0.0), v * circle.size
    zi = buffer + plane_size
    for m in range(L, n - L + 1):
        store(work, buffer + m * v, zero)
        store(work, zi + m * v, zero)
    for m in range(L):
        a, b = orders + m * step, orders + layout.ring_step + m * step
        ar, ai = load(lanes, work, a), load(lanes, work, a + v)
        br = bi = zero
        if has_second:
            br, bi = load(lanes, work, b), load(lanes, work, b + v)
        if m == 0:
            store(work, buffer, ar)
            store(work, zi, br)
        else:
            k, j = m * v, (n - m) * v
            store(work, buffer + k, ar - bi)
            store(work, zi + k, ai + br)
            store(work, buffer + j, ar + bi)
            store(work, zi + j, br - ai)
    lane_fft.transform_with(lanes, pointer(work, buffer), 1, circle.integers, circle.floats)
    re, second = buffer + v * circle.result, samples + layout.sample_step
    for j in range(0, n * v, v):
        store(work, samples + j, load(lanes, work, re + j))
        if has_second:
            store(work, second + j, load(lanes, work, re + plane_size + j))


@leaf
def _from_two_rings(lanes, circle, work, samples, orders, layout, has_second, buffer):
    """The transpose of `_to_two_rings`."""
    v, L, n, step = width(lanes), circle.L, circle.n, layout.step
    half, zero, plane_size = splat(lanes, 0.5), splat(lanes, 0.0), v * circle.size
    zi, second = buffer + plane_size, samples + layout.sample_step
    for j in range(0, n * v, v):
        store(work, buffer + j, load(lanes, work, samples + j))
        store(work, zi + j, load(lanes, work, second + j) if has_second else zero)
    lane_fft.transform_with(lanes, pointer(work, buffer), 0, circle.integers, circle.floats)
    re = buffer + v * circle.result
    im = re + plane_size
    for m in range(L):
        k, j = m * v, (n - m if m else 0) * v
        ar, ai = load(lanes, work, re + k), load(lanes, work, im + k)
        br, bi = load(lanes, work, re + j), load(lanes, work, im + j)
        a, b = orders + m * step, orders + layout.ring_step + m * step
        store(work, a, half * (ar + br))
        store(work, a + v, half * (ai - bi))
        if has_second:
            store(work, b, half * (ai + bi))
            store(work, b + v, half * (br - ar))
