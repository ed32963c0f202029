"""Transforms between orders and angles for `engines.batched`, with one map per lane.

Short circles are computed by plain sums of cosines and of sines, each of which serves an angle and its mirror
image; longer ones by FFTs (measured: up to 64 samples the sums are faster).
"""

from spherekit._core.jit import jit, leaf
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import load, splat, spread, store, width

#: Number of rings, degrees or angles that are summed together.
BLOCK = 4


@jit
def padded_rings(table):
    """Return the padded number of rings of a plane."""
    return -(-table.rings // BLOCK) * BLOCK


@jit
def _pair(table, n, m):
    """Return the number of the pair (n, m)."""
    return m if n == 0 else table.L + (n - 1) * (2 * table.L - 1) + m + table.L - 1


@jit
def to_samples(lanes, table, work):
    """Transform the planes F_mn of the rings of a batch of lanes to samples (gamma, ring, alpha)."""
    planes, gamma_planes, buffer = _offsets(lanes, table)
    if table.gammas == 1:
        _to_rings(lanes, table, work, table.rings, _sphere_layout(lanes, table), buffer)
        return
    for r in range(table.rings):
        _to_gamma(lanes, table, work, planes + 2 * r * width(lanes), gamma_planes, buffer)
        _to_rings(lanes, table, work, table.gammas, _gamma_layout(lanes, table, r), buffer)


@jit
def from_samples(lanes, table, work):
    """The transpose of `to_samples`."""
    planes, gamma_planes, buffer = _offsets(lanes, table)
    if table.gammas == 1:
        _from_rings(lanes, table, work, table.rings, _sphere_layout(lanes, table), buffer)
        return
    for r in range(table.rings):
        _from_rings(lanes, table, work, table.gammas, _gamma_layout(lanes, table, r), buffer)
        _from_gamma(lanes, table, work, gamma_planes, planes + 2 * r * width(lanes), buffer)


@jit
def _offsets(lanes, table):
    """Return the offsets of the planes of orders, of those of angles gamma, and of the buffer."""
    _, _, planes, gamma_planes, _, buffer = table.work_offsets * width(lanes)
    return planes, gamma_planes, buffer


@jit
def _sphere_layout(lanes, table):
    """Return the layout of the rings of the sphere, for `_to_rings`."""
    v = width(lanes)
    planes, _, samples = table.work_offsets[2:5] * v
    return planes, 2 * v, 2 * v * padded_rings(table), samples, table.alpha.n * v


@jit
def _gamma_layout(lanes, table, r):
    """Return the layout of ring r at all angles gamma."""
    v = width(lanes)
    ring = table.alpha.n * v
    _, gamma_planes, samples = table.work_offsets[2:5] * v
    return gamma_planes, 2 * table.L * v, 2 * v, samples + r * ring, table.rings * ring


# --- circles of rings, real ----------------------------------------------------------------------------


@jit
def _to_rings(lanes, table, work, count, layout, buffer):
    """Compute sum_m F_m e^{i m alpha} on rings, from m >= 0 only.

    ``layout``: the offset of the orders of the first ring, the steps to the next ring and to the next order;
    the offset of the samples, and the step to those of the next ring.
    """
    source, ring_step, step, samples, sample_step = layout
    if table.ring_twiddles.size:
        for ring in range(count):
            _to_ring(
                lanes,
                table,
                work,
                source + ring * ring_step,
                step,
                samples + ring * sample_step,
                buffer,
            )
        return
    for ring in range(0, count, 2):
        a, f = source + ring * ring_step, samples + ring * sample_step
        has_second = ring + 1 < count
        _to_two_rings(
            lanes, table, work, a, a + ring_step, step, has_second, f, f + sample_step, buffer
        )


@jit
def _from_rings(lanes, table, work, count, layout, buffer):
    """The transpose of `_to_rings`."""
    target, ring_step, step, source, sample_step = layout
    if table.ring_twiddles.size:
        for ring in range(count):
            _from_ring(
                lanes,
                table,
                work,
                source + ring * sample_step,
                target + ring * ring_step,
                step,
                buffer,
            )
        return
    for ring in range(0, count, 2):
        a, f = target + ring * ring_step, source + ring * sample_step
        has_second = ring + 1 < count
        _from_two_rings(
            lanes, table, work, f, f + sample_step, has_second, a, a + ring_step, step, buffer
        )


@jit
def _to_ring(lanes, table, work, source, step, target, buffer):
    """Compute the samples of one ring by sums of cosines and sines."""
    v, L, n, twiddles = width(lanes), table.L, table.alpha.n, table.ring_twiddles
    half = n // 2
    for j in range(0, half + 1, BLOCK):
        _eight_sums(lanes, twiddles, 2 * j * L, L, work, source, step, buffer + 2 * j * v)
    store(work, target, load(lanes, work, buffer))
    for j in range(1, half + 1):
        even, odd = load(lanes, work, buffer + 2 * j * v), load(lanes, work, buffer + 2 * j * v + v)
        store(work, target + j * v, even - odd)
        store(work, target + (n - j) * v, even + odd)


@jit
def _from_ring(lanes, table, work, source, target, step, buffer):
    """The transpose of `_to_ring`."""
    v, L, n, twiddles = width(lanes), table.L, table.alpha.n, table.ring_twiddles
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


@jit
def _to_gamma(lanes, table, work, planes, gamma_planes, buffer):
    """Transform F_mn of a ring to sum_n F_mn e^{i n gamma}, m >= 0, with F_{m,-n} = conj F_{-m,n}."""
    v, L, N, n = width(lanes), table.L, table.N, table.gammas
    step, half = 2 * v * padded_rings(table), n // 2
    for m in range(L):
        for k in range(N):
            second = planes + _pair(table, k, -m) * step if k else -1
            target = buffer + 2 * k * v
            _sum_and_difference(
                lanes,
                work,
                planes + _pair(table, k, m) * step,
                second,
                -1.0,
                target,
                target + 2 * N * v,
            )
        even, odd = _cosine_and_sine_sums(lanes, table.gamma_twiddles, N, half + 1, work, buffer)
        for g in range(half + 1):
            a, b = load(lanes, work, even + 2 * g * v), load(lanes, work, even + 2 * g * v + v)
            c, d = load(lanes, work, odd + 2 * g * v), load(lanes, work, odd + 2 * g * v + v)
            if g:
                _store_complex(lanes, work, gamma_planes + 2 * v * ((n - g) * L + m), a + d, b - c)
            _store_complex(lanes, work, gamma_planes + 2 * v * (g * L + m), a - d, b + c)


@jit
def _from_gamma(lanes, table, work, gamma_planes, planes, buffer):
    """The transpose of `_to_gamma`."""
    v, L, N, n = width(lanes), table.L, table.N, table.gammas
    step, count, zero = 2 * v * padded_rings(table), n // 2 + 1, splat(lanes, 0.0)
    for m in range(L):
        for g in range(count):
            self_mirrored = g == 0 or 2 * g == n  # the sines are zero
            second = -1 if self_mirrored else gamma_planes + 2 * v * ((n - g) * L + m)
            target = buffer + 2 * g * v
            source = gamma_planes + 2 * v * (g * L + m)
            _sum_and_difference(lanes, work, source, second, 1.0, target, target + 2 * count * v)
        even, odd = _cosine_and_sine_sums(lanes, table.gamma_twiddles, count, N, work, buffer)
        for k in range(N):
            a, b = load(lanes, work, even + 2 * k * v), load(lanes, work, even + 2 * k * v + v)
            c, d = load(lanes, work, odd + 2 * k * v), load(lanes, work, odd + 2 * k * v + v)
            _store_complex(lanes, work, planes + _pair(table, k, m) * step, a + d, b - c)
            if k:
                _store_complex(
                    lanes, work, planes + _pair(table, k, -m) * step, a - d, zero - (b + c)
                )


@jit
def _cosine_and_sine_sums(lanes, twiddles, count, outputs, work, buffer):
    """Multiply sums by cosines, and differences by sines; returns the offsets of both results."""
    v, sines = width(lanes), twiddles.size // 2
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


@jit
def _to_two_rings(lanes, table, work, a, b, step, has_second, target, second, buffer):
    """Transform two real rings together, as the real and the imaginary part of one complex FFT."""
    v, L, fft = width(lanes), table.L, table.alpha
    zi, zero = buffer + v * fft.size, splat(lanes, 0.0)
    for m in range(L, fft.n - L + 1):
        store(work, buffer + m * v, zero)
        store(work, zi + m * v, zero)
    for m in range(L):
        ar, ai = load(lanes, work, a + m * step), load(lanes, work, a + m * step + v)
        br = bi = zero
        if has_second:
            br, bi = load(lanes, work, b + m * step), load(lanes, work, b + m * step + v)
        if m == 0:
            store(work, buffer, ar)
            store(work, zi, br)
        else:
            k, j = m * v, (fft.n - m) * v
            store(work, buffer + k, ar - bi)
            store(work, zi + k, ai + br)
            store(work, buffer + j, ar + bi)
            store(work, zi + j, br - ai)
    re, im = lane_fft.transform(lanes, work[buffer:], 1, fft)
    for j in range(0, fft.n * v, v):
        store(work, target + j, load(lanes, work, buffer + re + j))
        if has_second:
            store(work, second + j, load(lanes, work, buffer + im + j))


@jit
def _from_two_rings(lanes, table, work, a, b, has_second, target, second, step, buffer):
    """The transpose of `_to_two_rings`."""
    v, L, fft = width(lanes), table.L, table.alpha
    zi, half, zero = buffer + v * fft.size, splat(lanes, 0.5), splat(lanes, 0.0)
    for j in range(0, fft.n * v, v):
        store(work, buffer + j, load(lanes, work, a + j))
        store(work, zi + j, load(lanes, work, b + j) if has_second else zero)
    re, im = lane_fft.transform(lanes, work[buffer:], 0, fft)
    for m in range(L):
        k, j = buffer + m * v, buffer + (fft.n - m if m else 0) * v
        ar, ai = load(lanes, work, re + k), load(lanes, work, im + k)
        br, bi = load(lanes, work, re + j), load(lanes, work, im + j)
        store(work, target + m * step, half * (ar + br))
        store(work, target + m * step + v, half * (ai - bi))
        if has_second:
            store(work, second + m * step, half * (ai + bi))
            store(work, second + m * step + v, half * (br - ar))
