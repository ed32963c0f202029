"""Fields of spin -n <-> planes of all n by precomputed tables, which exploit the symmetries of d.

    d_nm = d_{-m,-n} = (-1)^{m-n} d_mn,    d_{-n,-m} = d_mn:

one table T[l, ring] for each mu = max(|m|, |n|) and |n| <= mu is shared by four pairs of orders (two of them
for a real signal, since the other two are their conjugates) and by all maps of a batch; its transpose serves
the opposite direction. The tables include the steps between rings and samples: quadrature weights and, on
MW-like grids, the exact continuation in theta. Lower bound: two multiply-adds for each coefficient and ring,
at 16 flops per cycle.
"""

from collections import namedtuple

import numpy as np

from spherekit._core.cache import bytes_lru_cache
from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned_copy, scratch
from spherekit.harmonic import plan
from spherekit.harmonic.steps.phi_fft import BLOCK
from spherekit.kernels.matmul import product2, product4
from spherekit.kernels.simd import Lanes, has_wide_registers, load, pointer, splat, store, width
from spherekit.kernels.work_queue import next_item
from spherekit.sampling import quadrature
from spherekit.wigner import packing
from spherekit.wigner.engines import field_transform
from spherekit.wigner.functions import d

name = "precomputed"

NARROW, WIDE = Lanes(8), Lanes(16 if has_wide_registers() else 8)

#: Largest tables, in bytes: for a single map about the part of the third-level cache that is available, and
#: for a batch of at least `_BATCH_MAPS` maps.
_MAX_BYTES_SINGLE = 4e6
_MAX_BYTES_BATCH = 6e7
_BATCH_MAPS = 8

#: ``starts[mu, N-1+n]``: offsets into ``values``, which consists of blocks of lanes (columns of the planes,
#: or degrees in the transpose); the number of rings; the first sample of the ring of each column.
Tables = namedtuple("Tables", "starts values rings rows")


def unusable_reason(problem):
    """The reason why the engine is not usable for a problem, or None; depends on the problem only."""
    sphere = problem.grid.sphere
    if not sphere.rectangular:
        return f"it needs a rectangular grid; got {sphere!r}"
    size = table_bytes(sphere, problem.L, problem.N)
    limit = _MAX_BYTES_BATCH if problem.maps >= _BATCH_MAPS else _MAX_BYTES_SINGLE
    if size > limit:
        return (
            f"its tables need {size:.3g} bytes; the limit for {problem.maps} signals is {limit:.3g}"
        )
    return None


def is_usable_for(problem):
    """Whether the engine is usable for a problem."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Bytes in addition to the input: result, tables, and planes, fields and copies in work memory.

    The tables are built from the matrices d of all angles.
    """
    sphere, L, N = problem.grid.sphere, problem.L, problem.N
    rings = len(sphere.ring_theta)
    tables = table_bytes(sphere, L, N)
    angles = rings
    if problem.plan_of is plan.analysis_plan and sphere.period is not None:
        angles = (sphere.period // 2 + L + 1) // 2
    build_bytes = 8 * angles * L * L * (2 * N - 1) + 2 * tables
    fields = len(problem.orders) * 16 * L * (2 * L - 1)
    return packing.peak_bytes(problem, _columns(sphere), fields, tables, build_bytes)


def table_bytes(sphere, L, N):
    """Bytes of the tables of one direction."""
    mu = np.arange(L)
    return 8 * _columns(sphere) * int(((2 * np.minimum(mu, N - 1) + 1) * (L - mu)).sum())


def _columns(sphere):
    """Number of columns of the planes: that of the rings, rounded up to full blocks."""
    return _round_up(len(sphere.ring_theta), BLOCK)


@bytes_lru_cache(2**28, lambda tables: tables.values.nbytes)
def tables(sphere, L, N, plan_of, to_samples):
    """Tables of one direction: of `harmonic.plan.synthesis_plan` or `analysis_plan`, or of its transpose."""
    rings = len(sphere.ring_theta)
    rows = np.full(_columns(sphere), -1)
    rows[:rings] = sphere.ring_start
    theta, factor, continuations = _angles(sphere, L, plan_of)
    values = np.zeros((len(theta), L, L, 2 * N - 1))  # ring, l, mu, n
    for angle, table in zip(theta, values, strict=True):  # memory for the matrices of one angle
        for ell, matrix in enumerate(d(angle, L)):
            n = min(ell, N - 1)
            table[ell, : ell + 1, N - 1 - n : N + n] = matrix[ell:, ell - n : ell + n + 1]
    ell, n = np.arange(L), np.arange(1 - N, N)
    values *= factor[:, None, None, None] * np.sqrt((2 * ell + 1) / (4 * np.pi))[:, None, None]
    values *= 1.0 - 2.0 * (n % 2)
    blocks = []
    start = 0
    starts = np.zeros((L, 2 * N - 1), np.int64)
    for mu in range(L):
        for order in range(-min(mu, N - 1), min(mu, N - 1) + 1):
            table = values[:, mu:, mu, N - 1 + order].T  # [l, angle]
            if continuations is not None:
                table = table @ continuations[(mu + order) % 2]
            table = table if to_samples else table.T
            table = np.pad(table, [(0, 0), (0, -table.shape[1] % (BLOCK if to_samples else 8))])
            starts[mu, N - 1 + order] = start
            blocks.append(_in_blocks(table))
            start += table.size
    values = aligned_copy(np.concatenate([*blocks, np.zeros(32)]))
    return Tables(starts, values, rings, rows)


def _angles(sphere, L, plan_of):
    """Angles at which d is tabulated, their factors, and matrices (even, odd) that map the rings to them."""
    if plan_of is plan.synthesis_plan:
        return sphere.ring_theta, np.ones(len(sphere.ring_theta)), None
    if sphere.period is None:
        return sphere.ring_theta, sphere.ring_weights, None
    # n Gauss-Legendre rings integrate degrees < 2n: those of the interpolant times those below L
    theta, weights = quadrature.gauss_legendre((sphere.period // 2 + L + 1) // 2)
    continuations = [_continuation(sphere, theta, parity) for parity in (1.0, -1.0)]
    return theta, weights * (2 * np.pi / sphere.shape[1]), continuations


def _continuation(sphere, theta, parity):
    """Matrix from the equispaced rings of a grid to the angles ``theta``, with F(-theta) = parity F(theta).

    By the trigonometric interpolant of least degree on the full circle.
    """
    rings, period = sphere.ring_theta, sphere.period
    degree = period // 2
    k = np.arange(-degree, degree + 1)
    weight = np.where(2 * np.abs(k) == period, 0.5, 1.0) / period

    def kernel(angle):
        return (np.cos(angle[..., None] * k) * weight).sum(axis=-1)

    direct, mirrored = kernel(theta[:, None] - rings), kernel(theta[:, None] + rings)
    pole = (rings == 0) | (np.abs(rings - np.pi) < 1e-12)
    on_pole = direct if parity > 0 else np.zeros_like(direct)  # a pole is its own mirror image
    return np.where(pole, on_pole, direct + parity * mirrored)


def _round_up(n, multiple):
    return -(-n // multiple) * multiple


def _in_blocks(matrix):
    """Blocks of as many columns as there are lanes, then of 8 columns, each stored row by row."""
    w = WIDE.type.width
    in_wide = matrix.shape[1] // w * w
    edges = [*range(0, in_wide, w), *range(in_wide, matrix.shape[1] + 1, 8)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return np.concatenate([matrix[:, a:b].ravel() for a, b in pairs] or [np.empty(0)])


def _slots(grid, N, orders, real):
    """The slot in the planes and the row in the fields of each n = 1-N..N-1, -1 where it does not occur."""
    slots, rows = np.full(2 * N - 1, -1), np.full(2 * N - 1, -1)
    rows[N - 1 + orders] = np.arange(len(orders))
    present = set(orders.tolist()) | ({-n for n in orders.tolist()} if real else set())
    for slot, n in enumerate(grid.orders.tolist()):
        if n in present:
            slots[N - 1 + n] = slot
    return slots, rows


def synthesis(flmn, problem, checked):
    """Coefficients -> samples; raises for NaN, inf and, with ``checked``, a broken symmetry."""
    grid, L, N, real, orders = problem.grid, problem.L, problem.N, problem.reality, problem.orders
    table = tables(grid.sphere, L, N, problem.plan_of, True)

    def step(values, threads):
        return to_planes(values, orders, table, L, N, grid, real, threads)

    return field_transform.synthesis(flmn, problem, checked, table.rows, step, by_order=True)


def analysis(f, problem):
    """Samples -> coefficients; raises for NaN, inf and UNSEEN."""
    grid, L, N, real, orders = problem.grid, problem.L, problem.N, problem.reality, problem.orders
    table = tables(grid.sphere, L, N, problem.plan_of, False)

    def step(planes, threads):
        return from_planes(planes, orders, table, L, N, grid, real, threads)

    return field_transform.analysis(f, problem, table.rows, step, by_order=True)


# --- fields <-> planes -------------------------------------------------------------------------------


def to_planes(fields, orders, table, L, N, grid, real, threads):
    """Fields (maps, orders, m, l) -> planes (maps, n_gamma, m, 2, columns), with one order per slot."""
    shape = len(fields), grid.n_gamma, L if real else 2 * L - 1, 2, len(table.rows)
    planes = scratch("group", shape)
    counter = np.zeros(1, np.int64)
    slots, rows = _slots(grid, N, orders, real)
    for slot in set(range(grid.n_gamma)) - set(slots.tolist()):
        planes[:, slot] = 0.0
    values = fields.view(float)
    args = WIDE, counter, L, N, real, slots, rows, table.starts, table.values, values, planes
    run(lambda _: _synthesize(*args, *_work_arrays()), threads)
    return planes


def from_planes(planes, orders, table, L, N, grid, real, threads):
    """The transpose of `to_planes`: planes -> fields, for a real signal of the orders n >= 0."""
    fields = packing.empty_fields(len(planes), len(orders), L, True)
    counter = np.zeros(1, np.int64)
    slots, rows = _slots(grid, N, orders, real)
    args = L, N, real, slots, rows, table.starts, table.values, table.rings, planes
    values = fields.view(float)
    run(lambda _: _analyze(NARROW, WIDE, counter, *args, values, *_work_arrays()), threads)
    return fields


def _work_arrays():
    """Return arrays for pairs of orders, their signs, and products with a block of a table."""
    return np.empty((4, 3), np.int64), np.empty((4, 2)), scratch("products", (4 * WIDE.type.width,))


# --- pairs of orders ---------------------------------------------------------------------------------


@leaf
def _find_pairs(mu, n, N, L, real, slots, rows, height, size, pairs, signs):
    """Find the pairs (m, n') that share a table, with n' among the orders of the signal; return their number.

    ``pairs``: offsets of each pair in the planes and in the fields of one map, and the offset of its
    conjugate in the planes where that is needed (order m = 0 of a real signal), else -1. ``signs``: of its
    real and imaginary part. ``height``: number of m in the planes; ``size``: elements of each.
    """
    sign, count = 1.0 - 2.0 * ((mu - n) % 2), 0
    for j in range(4):
        a, b = (n, mu) if j % 2 else (mu, n)
        if j > 1:
            a, b = -a, -b
        if (j % 2 and (abs(n) == mu or mu >= N)) or (j > 1 and mu == 0):
            continue  # a duplicate, or beyond the orders
        if rows[N - 1 + b] < 0 or (real and b == 0 and a < 0):
            continue
        imag_sign = real_sign = 1.0 if j < 2 else sign
        target, conjugate = (slots[N - 1 + b] * height + a + L - 1) * size, -1
        if real and a < 0:  # F_{-m,-n} = conj F_mn
            target = (slots[N - 1 - b] * height - a) * size
            imag_sign = -real_sign
        elif real:
            target = (slots[N - 1 + b] * height + a) * size
            if a == 0 and b:
                conjugate = slots[N - 1 - b] * height * size
        source = 2 * ((rows[N - 1 + b] * (2 * L - 1) + a + L - 1) * L + mu)
        signs[2 * count], signs[2 * count + 1] = real_sign, imag_sign
        pairs[3 * count], pairs[3 * count + 1], pairs[3 * count + 2] = target, source, conjugate
        count += 1
    return count


@leaf
def _synthesize(
    lanes, counter, L, N, real, slots, rows, starts, values, fields, planes, pairs, signs, products
):
    w, maps, height, columns = width(lanes), planes.shape[0], planes.shape[2], planes.shape[4]
    plane_size, field_size = planes.shape[1] * height * 2 * columns, fields.size // maps
    slot, row, table, out = (
        pointer(slots, 0),
        pointer(rows, 0),
        pointer(values, 0),
        pointer(products, 0),
    )
    pair, sign = pointer(pairs, 0), pointer(signs, 0)
    while True:
        mu = L - 1 - next_item(counter)
        if mu < 0:
            return
        for n in range(-min(mu, N - 1), min(mu, N - 1) + 1):
            count = _find_pairs(mu, n, N, L, real, slot, row, height, 2 * columns, pair, sign)
            for q in range(maps):
                source, plane = pointer(fields, q * field_size), pointer(planes, q * plane_size)
                for j in range(0, count, 2):
                    start, n_rows = starts[mu, N - 1 + n], min(count - j, 2)
                    first = pair[3 * j + 1]
                    step = pair[3 * (j + n_rows - 1) + 1] - first
                    for lane in range(0, columns, w):
                        block = table, start, L - mu, out
                        _product(lanes, source, first, 1, step, 2, n_rows, *block)
                        for i in range(j, j + n_rows):
                            offset, target = 2 * (i - j) * w, pair[3 * i] + lane
                            re, im = sign[2 * i], sign[2 * i + 1]
                            _store_signed(lanes, out, offset, re, im, plane, target, columns)
                            if pair[3 * i + 2] >= 0:
                                target = pair[3 * i + 2] + lane
                                _store_signed(lanes, out, offset, re, -im, plane, target, columns)
                        start += (L - mu) * w


@leaf
def _product(lanes, a, offset, im, stride, step, rows, table, first, count, out):
    """Product of one or two complex rows with a block of a table."""
    if rows == 2:
        product4(lanes, a, offset, im, stride, step, table, first, count, out, 0)
    else:
        product2(lanes, a, offset, im, step, table, first, count, out, 0)


@leaf
def _store_signed(lanes, out, offset, re, im, plane, target, columns):
    store(plane, target, splat(lanes, re) * load(lanes, out, offset))
    store(plane, target + columns, splat(lanes, im) * load(lanes, out, offset + width(lanes)))


@leaf
def _analyze(
    narrow,
    wide,
    counter,
    L,
    N,
    real,
    slots,
    rows,
    starts,
    values,
    rings,
    planes,
    fields,
    pairs,
    signs,
    products,
):
    v, w = width(narrow), width(wide)
    maps, height, columns = planes.shape[0], planes.shape[2], planes.shape[4]
    plane_size, field_size = planes.shape[1] * height * 2 * columns, fields.size // maps
    slot, row, table, out = (
        pointer(slots, 0),
        pointer(rows, 0),
        pointer(values, 0),
        pointer(products, 0),
    )
    pair, sign = pointer(pairs, 0), pointer(signs, 0)
    while True:
        mu = L - 1 - next_item(counter)
        if mu < 0:
            return
        padded = -(-(L - mu) // v) * v
        for n in range(-min(mu, N - 1), min(mu, N - 1) + 1):
            count = _find_pairs(mu, n, N, L, real, slot, row, height, 2 * columns, pair, sign)
            for q in range(maps):
                plane, field = pointer(planes, q * plane_size), pointer(fields, q * field_size)
                for j in range(0, count, 2):
                    start, n_rows, k = starts[mu, N - 1 + n], min(count - j, 2), 0
                    first = pair[3 * j]
                    step = pair[3 * (j + n_rows - 1)] - first
                    while k < padded:
                        block = table, start, rings, out
                        lanes = w if k + w <= padded else v
                        if lanes == w:
                            _product(wide, plane, first, columns, step, 1, n_rows, *block)
                        else:
                            _product(narrow, plane, first, columns, step, 1, n_rows, *block)
                        for i in range(j, j + n_rows):
                            target, source = pair[3 * i + 1] + 2 * k, 2 * (i - j) * lanes
                            re, im = sign[2 * i], sign[2 * i + 1]
                            for c in range(min(lanes, L - mu - k)):
                                field[target + 2 * c] = re * out[source + c]
                                field[target + 2 * c + 1] = im * out[source + lanes + c]
                        start, k = start + rings * lanes, k + lanes
