"""Orders <-> angles for `engines.batched`, with maps as lanes.

Short circles by plain sums, of cosines and of sines, which serve an angle and its mirror image at once;
longer ones by FFTs (measured: to 64 samples the sums are the faster).
"""

from spherekit._core.jit import jit, leaf
from spherekit.kernels import fft as lane_fft
from spherekit.kernels.simd import load, splat, spread, store, width

#: Rings, degrees or angles that are summed side by side.
BLOCK = 4


@jit
def padded(table):
    """Rings of a plane."""
    return -(-table.rings // BLOCK) * BLOCK


@jit
def _pair(table, n, m):
    """Number of the pair (n, m)."""
    return m if n == 0 else table.L + (n - 1) * (2 * table.L - 1) + m + table.L - 1


@jit
def to_samples(lanes, table, work):
    """The planes F_mn of the rings of a batch of lanes -> samples (gamma, ring, alpha)."""
    planes, gamma_planes, buffer = _offsets(lanes, table)
    if table.gammas == 1:
        _to_rings(lanes, table, work, table.rings, _of_sphere(lanes, table), buffer)
        return
    for r in range(table.rings):
        _to_gamma(lanes, table, work, planes + 2 * r * width(lanes), gamma_planes, buffer)
        _to_rings(lanes, table, work, table.gammas, _of_gammas(lanes, table, r), buffer)


@jit
def from_samples(lanes, table, work):
    """The transpose of `to_samples`."""
    planes, gamma_planes, buffer = _offsets(lanes, table)
    if table.gammas == 1:
        _from_rings(lanes, table, work, table.rings, _of_sphere(lanes, table), buffer)
        return
    for r in range(table.rings):
        _from_rings(lanes, table, work, table.gammas, _of_gammas(lanes, table, r), buffer)
        _from_gamma(lanes, table, work, gamma_planes, planes + 2 * r * width(lanes), buffer)


@jit
def _offsets(lanes, table):
    """Where the planes of orders, those of angles gamma, and the buffer for sums and FFTs begin."""
    _, _, planes, gamma_planes, _, buffer = table.places * width(lanes)
    return planes, gamma_planes, buffer


@jit
def _of_sphere(lanes, table):
    """Layout of the rings of the sphere, for `_to_rings`."""
    v = width(lanes)
    planes, _, samples = table.places[2:5] * v
    return planes, 2 * v, 2 * v * padded(table), samples, table.alpha.n * v


@jit
def _of_gammas(lanes, table, r):
    """Layout of ring r at all angles gamma."""
    v = width(lanes)
    ring = table.alpha.n * v
    _, gamma_planes, samples = table.places[2:5] * v
    return gamma_planes, 2 * table.L * v, 2 * v, samples + r * ring, table.rings * ring


# --- circles of rings, real ----------------------------------------------------------------------------


@jit
def _to_rings(lanes, table, work, count, layout, buffer):
    """sum_m F_m e^{i m alpha} of rings, from m >= 0 only.

    ``layout``: where the first ring's orders begin, the steps to the next ring's and to the next order; where
    its samples begin, and the step to the next ring's.
    """
    source, ring_step, step, to, sample_step = layout
    if table.ring_turns.size:
        for ring in range(count):
            _to_ring(
                lanes, table, work, source + ring * ring_step, step, to + ring * sample_step, buffer
            )
        return
    for ring in range(0, count, 2):
        a, f = source + ring * ring_step, to + ring * sample_step
        paired = ring + 1 < count
        _to_two_rings(
            lanes, table, work, a, a + ring_step, step, paired, f, f + sample_step, buffer
        )


@jit
def _from_rings(lanes, table, work, count, layout, buffer):
    """The transpose of `_to_rings`."""
    to, ring_step, step, source, sample_step = layout
    if table.ring_turns.size:
        for ring in range(count):
            _from_ring(
                lanes, table, work, source + ring * sample_step, to + ring * ring_step, step, buffer
            )
        return
    for ring in range(0, count, 2):
        a, f = to + ring * ring_step, source + ring * sample_step
        paired = ring + 1 < count
        _from_two_rings(
            lanes, table, work, f, f + sample_step, paired, a, a + ring_step, step, buffer
        )


@jit
def _to_ring(lanes, table, work, source, step, to, buffer):
    v, L, n, turns = width(lanes), table.L, table.alpha.n, table.ring_turns
    half = n // 2
    for j in range(0, half + 1, BLOCK):
        _eight_sums(lanes, turns, 2 * j * L, L, work, source, step, buffer + 2 * j * v)
    store(work, to, load(lanes, work, buffer))
    for j in range(1, half + 1):
        even, odd = load(lanes, work, buffer + 2 * j * v), load(lanes, work, buffer + 2 * j * v + v)
        store(work, to + j * v, even - odd)
        store(work, to + (n - j) * v, even + odd)


@jit
def _from_ring(lanes, table, work, source, to, step, buffer):
    v, L, n, turns = width(lanes), table.L, table.alpha.n, table.ring_turns
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
            lanes, turns, 2 * m * (half + 1), half + 1, work, buffer, 2 * v, results + 2 * m * v
        )
    for m in range(L):
        store(work, to + m * step, load(lanes, work, results + 2 * m * v))
        store(work, to + m * step + v, load(lanes, work, results + 2 * m * v + v))


@leaf
def _eight_sums(lanes, values, first, count, work, at, step, to):
    """Four sums of real parts and four of imaginary parts, each with its own table."""
    v = width(lanes)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(lanes, 0.0)
    for i in range(count):
        re, im = load(lanes, work, at + i * step), load(lanes, work, at + i * step + v)
        t = first + 8 * i
        a0, a1 = a0 + spread(lanes, values, t) * re, a1 + spread(lanes, values, t + 1) * re
        a2, a3 = a2 + spread(lanes, values, t + 2) * re, a3 + spread(lanes, values, t + 3) * re
        b0, b1 = b0 + spread(lanes, values, t + 4) * im, b1 + spread(lanes, values, t + 5) * im
        b2, b3 = b2 + spread(lanes, values, t + 6) * im, b3 + spread(lanes, values, t + 7) * im
    store(work, to, a0)
    store(work, to + v, b0)
    store(work, to + 2 * v, a1)
    store(work, to + 3 * v, b1)
    store(work, to + 4 * v, a2)
    store(work, to + 5 * v, b2)
    store(work, to + 6 * v, a3)
    store(work, to + 7 * v, b3)


@leaf
def four_sums(lanes, values, first, count, work, at, to):
    """Four sums of complex numbers."""
    v = width(lanes)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(lanes, 0.0)
    for i in range(count):
        re, im = load(lanes, work, at + 2 * v * i), load(lanes, work, at + 2 * v * i + v)
        t = spread(lanes, values, first + 4 * i)
        a0, b0 = a0 + t * re, b0 + t * im
        t = spread(lanes, values, first + 4 * i + 1)
        a1, b1 = a1 + t * re, b1 + t * im
        t = spread(lanes, values, first + 4 * i + 2)
        a2, b2 = a2 + t * re, b2 + t * im
        t = spread(lanes, values, first + 4 * i + 3)
        a3, b3 = a3 + t * re, b3 + t * im
    store(work, to, a0)
    store(work, to + v, b0)
    store(work, to + 2 * v, a1)
    store(work, to + 3 * v, b1)
    store(work, to + 4 * v, a2)
    store(work, to + 5 * v, b2)
    store(work, to + 6 * v, a3)
    store(work, to + 7 * v, b3)


# --- circles of gamma, complex, short ------------------------------------------------------------------


@jit
def _to_gamma(lanes, table, work, planes, gamma_planes, buffer):
    """F_mn of a ring -> sum_n F_mn e^{i n gamma}, m >= 0, with F_{m,-n} = conj F_{-m,n}."""
    v, L, N, n = width(lanes), table.L, table.N, table.gammas
    step, half = 2 * v * padded(table), n // 2
    for m in range(L):
        for k in range(N):
            second = planes + _pair(table, k, -m) * step if k else -1
            to = buffer + 2 * k * v
            _fold(lanes, work, planes + _pair(table, k, m) * step, second, -1.0, to, to + 2 * N * v)
        even, odd = _cosine_and_sine_sums(lanes, table.gamma_turns, N, half + 1, work, buffer)
        for g in range(half + 1):
            a, b = load(lanes, work, even + 2 * g * v), load(lanes, work, even + 2 * g * v + v)
            c, d = load(lanes, work, odd + 2 * g * v), load(lanes, work, odd + 2 * g * v + v)
            if g:
                _put(lanes, work, gamma_planes + 2 * v * ((n - g) * L + m), a + d, b - c)
            _put(lanes, work, gamma_planes + 2 * v * (g * L + m), a - d, b + c)


@jit
def _from_gamma(lanes, table, work, gamma_planes, planes, buffer):
    """The transpose of `_to_gamma`."""
    v, L, N, n = width(lanes), table.L, table.N, table.gammas
    step, count, zero = 2 * v * padded(table), n // 2 + 1, splat(lanes, 0.0)
    for m in range(L):
        for g in range(count):
            self_mirrored = g == 0 or 2 * g == n  # there the sines are zero
            second = -1 if self_mirrored else gamma_planes + 2 * v * ((n - g) * L + m)
            to = buffer + 2 * g * v
            at = gamma_planes + 2 * v * (g * L + m)
            _fold(lanes, work, at, second, 1.0, to, to + 2 * count * v)
        even, odd = _cosine_and_sine_sums(lanes, table.gamma_turns, count, N, work, buffer)
        for k in range(N):
            a, b = load(lanes, work, even + 2 * k * v), load(lanes, work, even + 2 * k * v + v)
            c, d = load(lanes, work, odd + 2 * k * v), load(lanes, work, odd + 2 * k * v + v)
            _put(lanes, work, planes + _pair(table, k, m) * step, a + d, b - c)
            if k:
                _put(lanes, work, planes + _pair(table, k, -m) * step, a - d, zero - (b + c))


@jit
def _cosine_and_sine_sums(lanes, turns, count, outputs, work, buffer):
    """Cosines times the ``count`` sums at ``buffer``, sines times the differences: where they begin."""
    v, sines = width(lanes), turns.size // 2
    differences = buffer + 2 * count * v
    even = differences + 2 * count * v
    odd = even + 2 * (outputs + BLOCK) * v
    for k in range(0, outputs, BLOCK):
        four_sums(lanes, turns, k * count, count, work, buffer, even + 2 * k * v)
        four_sums(lanes, turns, sines + k * count, count, work, differences, odd + 2 * k * v)
    return even, odd


@leaf
def _fold(lanes, work, at, second, sign, sums, differences):
    """Sums and differences of two complex numbers, Im of the second times ``sign``; 0 if second < 0."""
    v = width(lanes)
    re, im = load(lanes, work, at), load(lanes, work, at + v)
    a = b = splat(lanes, 0.0)
    if second >= 0:
        a, b = load(lanes, work, second), splat(lanes, sign) * load(lanes, work, second + v)
    _put(lanes, work, sums, re + a, im + b)
    _put(lanes, work, differences, re - a, im - b)


@leaf
def _put(lanes, work, at, re, im):
    store(work, at, re)
    store(work, at + width(lanes), im)


# --- longer rings --------------------------------------------------------------------------------------


@jit
def _to_two_rings(lanes, table, work, a, b, step, paired, to, second, buffer):
    """Two real rings at a time, as the real and imaginary part of one complex FFT."""
    v, L, fft = width(lanes), table.L, table.alpha
    zi, zero = buffer + v * fft.size, splat(lanes, 0.0)
    for m in range(L, fft.n - L + 1):
        store(work, buffer + m * v, zero)
        store(work, zi + m * v, zero)
    for m in range(L):
        ar, ai = load(lanes, work, a + m * step), load(lanes, work, a + m * step + v)
        br = bi = zero
        if paired:
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
        store(work, to + j, load(lanes, work, buffer + re + j))
        if paired:
            store(work, second + j, load(lanes, work, buffer + im + j))


@jit
def _from_two_rings(lanes, table, work, a, b, paired, to, second, step, buffer):
    """The transpose of `_to_two_rings`."""
    v, L, fft = width(lanes), table.L, table.alpha
    zi, half, zero = buffer + v * fft.size, splat(lanes, 0.5), splat(lanes, 0.0)
    for j in range(0, fft.n * v, v):
        store(work, buffer + j, load(lanes, work, a + j))
        store(work, zi + j, load(lanes, work, b + j) if paired else zero)
    re, im = lane_fft.transform(lanes, work[buffer:], 0, fft)
    for m in range(L):
        k, j = buffer + m * v, buffer + (fft.n - m if m else 0) * v
        ar, ai = load(lanes, work, re + k), load(lanes, work, im + k)
        br, bi = load(lanes, work, re + j), load(lanes, work, im + j)
        store(work, to + m * step, half * (ar + br))
        store(work, to + m * step + v, half * (ai - bi))
        if paired:
            store(work, second + m * step, half * (ai + bi))
            store(work, second + m * step + v, half * (br - ar))
