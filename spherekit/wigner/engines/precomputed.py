"""By precomputed tables, shared over the symmetries of d: many fields of spin -n <-> planes of all n.

    d_nm = d_{-m,-n} = (-1)^{m-n} d_mn,    d_{-n,-m} = d_mn:

one table T[l, ring] for each mu = max(|m|, |n|) and |n| <= mu serves four pairs of orders (of a real signal
two, since the other two are their conjugates), all maps of a batch, and by its transpose the way back. Tables
hold what lies between the rings and the samples too: quadrature weights and, on MW-like grids, the exact
continuation in theta. Floor: two multiply-adds for each coefficient and ring, at 16 flops a cycle.
"""

from collections import namedtuple

import numpy as np

from spherekit._core.cache import bytes_lru_cache
from spherekit._core.jit import jit, leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import aligned, aligned_copy, scratch
from spherekit.harmonic import plan
from spherekit.harmonic.steps.phi_fft import BLOCK
from spherekit.kernels.matmul import product2, product4
from spherekit.kernels.simd import Lanes, has_wide_registers, load, splat, store, width
from spherekit.kernels.work_queue import next_item
from spherekit.sampling import quadrature
from spherekit.wigner import packing
from spherekit.wigner.engines import field_transform
from spherekit.wigner.functions import d

name = "precomputed"

NARROW, WIDE = Lanes(8), Lanes(16 if has_wide_registers() else 8)

#: Largest tables, bytes: for one map about what the third-level cache leaves; for a batch.
_ONE_MAP, _BATCH, _BATCH_MAPS = 4e6, 6e7, 8

#: ``starts[mu, N-1+n]`` into ``values``, blocks of lanes (columns of the planes; of the transpose degrees);
#: the number of rings; the first sample of each column's ring.
Tables = namedtuple("Tables", "starts values rings rows")


def unusable_reason(problem):
    """None, or why these transforms do not go by precomputed tables; depends on the problem alone."""
    sphere = problem.grid.sphere
    if not sphere.rectangular:
        return f"it takes rectangular grids, not {sphere!r}"
    size = table_bytes(sphere, problem.L, problem.N)
    largest = _BATCH if problem.maps >= _BATCH_MAPS else _ONE_MAP
    if size > largest:
        return f"its tables take {size:.3g} bytes, and at most {largest:.3g} for {problem.maps} signals"
    return None


def is_usable_for(problem):
    """Whether these transforms go by precomputed tables."""
    return unusable_reason(problem) is None


def required_bytes(problem):
    """Memory beside the input: the result, planes, fields and copies in flight, tables.

    The tables are built from the matrices d of all angles.
    """
    sphere, L, N = problem.grid.sphere, problem.L, problem.N
    rings, tables = len(sphere.ring_theta), table_bytes(sphere, L, N)
    angles = rings
    if problem.plan_of is plan.analysis_plan and sphere.period is not None:
        angles = (sphere.period // 2 + L + 1) // 2
    building = 8 * angles * L * L * (2 * N - 1) + 2 * tables
    fields = len(problem.orders) * 16 * L * (2 * L - 1)
    return packing.peak_bytes(problem, _columns(sphere), fields, tables, building)


def table_bytes(sphere, L, N):
    """Bytes of the tables of one direction."""
    mu = np.arange(L)
    return 8 * _columns(sphere) * int(((2 * np.minimum(mu, N - 1) + 1) * (L - mu)).sum())


def _columns(sphere):
    """Columns of the planes: the rings, in whole blocks."""
    return _up(len(sphere.ring_theta), BLOCK)


@bytes_lru_cache(2**28, lambda tables: tables.values.nbytes)
def tables(sphere, L, N, plan_of, to_samples):
    """Tables of one direction: of `harmonic.plan.synthesis_plan` or `analysis_plan`, or its transpose."""
    rings = len(sphere.ring_theta)
    rows = np.full(_columns(sphere), -1)
    rows[:rings] = sphere.ring_start
    theta, factor, carry = _angles(sphere, L, plan_of)
    values = np.zeros((len(theta), L, L, 2 * N - 1))  # ring, l, mu, n
    for angle, table in zip(theta, values, strict=True):  # the matrices of one angle at a time
        for ell, matrix in enumerate(d(angle, L)):
            n = min(ell, N - 1)
            table[ell, : ell + 1, N - 1 - n : N + n] = matrix[ell:, ell - n : ell + n + 1]
    ell, n = np.arange(L), np.arange(1 - N, N)
    values *= factor[:, None, None, None] * np.sqrt((2 * ell + 1) / (4 * np.pi))[:, None, None]
    values *= 1.0 - 2.0 * (n % 2)
    blocks, at, starts = [], 0, np.zeros((L, 2 * N - 1), np.int64)
    for mu in range(L):
        for order in range(-min(mu, N - 1), min(mu, N - 1) + 1):
            table = values[:, mu:, mu, N - 1 + order].T  # [l, angle]
            if carry is not None:
                table = table @ carry[(mu + order) % 2]
            table = table if to_samples else table.T
            table = np.pad(table, [(0, 0), (0, -table.shape[1] % (BLOCK if to_samples else 8))])
            starts[mu, N - 1 + order] = at
            blocks.append(_in_blocks(table))
            at += table.size
    values = aligned_copy(np.concatenate([*blocks, np.zeros(32)]))
    return Tables(starts, values, rings, rows)


def _angles(sphere, L, plan_of):
    """Angles at which d is tabulated, their factors, and the matrices (even, odd) from the grid's rings."""
    if plan_of is plan.synthesis_plan:
        return sphere.ring_theta, np.ones(len(sphere.ring_theta)), None
    if sphere.period is None:
        return sphere.ring_theta, sphere.ring_weights, None
    # n Gauss-Legendre rings integrate degrees < 2n: those of the interpolant times those below L
    theta, weights = quadrature.gauss_legendre((sphere.period // 2 + L + 1) // 2)
    carry = [_continuation(sphere, theta, parity) for parity in (1.0, -1.0)]
    return theta, weights * (2 * np.pi / sphere.shape[1]), carry


def _continuation(sphere, theta, parity):
    """Values at ``theta`` from those on the grid's equispaced rings, F(-theta) = parity F(theta).

    By the trigonometric interpolant of least degree on the whole circle.
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


def _up(n, multiple):
    return -(-n // multiple) * multiple


def _in_blocks(matrix):
    """Blocks of as many columns as there are lanes, then of 8, each row by row."""
    w = WIDE.type.width
    in_wide = matrix.shape[1] // w * w
    edges = [*range(0, in_wide, w), *range(in_wide, matrix.shape[1] + 1, 8)]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return np.concatenate([matrix[:, a:b].ravel() for a, b in pairs] or [np.empty(0)])


def _slots(grid, N, orders, real):
    """Of n = 1-N..N-1: the slot of the planes and the row of the fields, -1 where there is none."""
    slots, rows = np.full(2 * N - 1, -1), np.full(2 * N - 1, -1)
    rows[N - 1 + orders] = np.arange(len(orders))
    present = set(orders.tolist()) | ({-n for n in orders.tolist()} if real else set())
    for slot, n in enumerate(grid.orders.tolist()):
        if n in present:
            slots[N - 1 + n] = slot
    return slots, rows


def synthesis(flmn, problem, checked):
    """Coefficients -> samples; refuses what is not finite and, if ``checked``, a broken symmetry."""
    grid, L, N, real, orders = problem.grid, problem.L, problem.N, problem.reality, problem.orders
    table = tables(grid.sphere, L, N, problem.plan_of, True)

    def step(values, threads):
        return to_planes(values, orders, table, L, N, grid, real, threads)

    return field_transform.synthesis(flmn, problem, checked, table.rows, step, by_order=True)


def analysis(f, problem):
    """Samples -> coefficients; refuses NaN, inf and UNSEEN."""
    grid, L, N, real, orders = problem.grid, problem.L, problem.N, problem.reality, problem.orders
    table = tables(grid.sphere, L, N, problem.plan_of, False)

    def step(planes, threads):
        return from_planes(planes, orders, table, L, N, grid, real, threads)

    return field_transform.analysis(f, problem, table.rows, step, by_order=True)


# --- fields <-> planes -------------------------------------------------------------------------------


def to_planes(fields, orders, table, L, N, grid, real, threads):
    """Fields by order (maps, orders, m, l) -> planes (maps, n_gamma, m, 2, columns), a slot an order."""
    shape = len(fields), grid.n_gamma, L if real else 2 * L - 1, 2, len(table.rows)
    planes, counter = scratch("group", shape), np.zeros(1, np.int64)
    slots, rows = _slots(grid, N, orders, real)
    for slot in set(range(grid.n_gamma)) - set(slots.tolist()):
        planes[:, slot] = 0.0
    values = fields.view(float)
    args = NARROW, WIDE, counter, L, N, real, slots, rows, table, values, planes
    run(lambda _: _synthesize(*args), threads)
    return planes


def from_planes(planes, orders, table, L, N, grid, real, threads):
    """The transpose of `to_planes`: planes -> fields; of a real signal the orders n >= 0."""
    fields, counter = packing.empty_fields(len(planes), len(orders), L, True), np.zeros(1, np.int64)
    slots, rows = _slots(grid, N, orders, real)
    args = NARROW, WIDE, counter, L, N, real, slots, rows, table, planes, fields.view(float)
    run(lambda _: _analyze(*args), threads)
    return fields


# --- pairs of orders ---------------------------------------------------------------------------------


@jit
def _pairs(mu, n, N, L, real, slots, rows, shape, pairs, signs):
    """The pairs (m, n') that share a table, n' among the orders at hand; returns their number.

    ``pairs``: where a pair begins in the planes and in the fields of one map, and where its conjugate is
    wanted too (order m = 0 of a real signal), or -1. ``signs`` of the real and imaginary part.
    """
    sign, count, height, size = 1.0 - 2.0 * ((mu - n) % 2), 0, shape[2], 2 * shape[4]
    for j in range(4):
        a, b = (n, mu) if j % 2 else (mu, n)
        if j > 1:
            a, b = -a, -b
        if (j % 2 and (abs(n) == mu or mu >= N)) or (j > 1 and mu == 0):
            continue  # itself, or beyond the orders
        if rows[N - 1 + b] < 0 or (real and b == 0 and a < 0):
            continue
        signs[count, 0] = signs[count, 1] = 1.0 if j < 2 else sign
        pairs[count, 2] = -1
        if not real:
            pairs[count, 0] = (slots[N - 1 + b] * height + a + L - 1) * size
        elif a < 0:  # F_{-m,-n} = conj F_mn
            pairs[count, 0] = (slots[N - 1 - b] * height - a) * size
            signs[count, 1] *= -1.0
        else:
            pairs[count, 0] = (slots[N - 1 + b] * height + a) * size
            if a == 0 and b:
                pairs[count, 2] = slots[N - 1 - b] * height * size
        pairs[count, 1] = 2 * ((rows[N - 1 + b] * (2 * L - 1) + a + L - 1) * L + mu)
        count += 1
    return count


@jit
def _synthesize(narrow, wide, counter, L, N, real, slots, rows, table, fields, planes):
    w, columns, out = width(wide), planes.shape[4], aligned(4 * width(wide), planes)
    pairs, signs = np.empty((4, 3), np.int64), np.empty((4, 2))
    while True:
        mu = L - 1 - next_item(counter)
        if mu < 0:
            return
        for n in range(-min(mu, N - 1), min(mu, N - 1) + 1):
            count = _pairs(mu, n, N, L, real, slots, rows, planes.shape, pairs, signs)
            for q in range(planes.shape[0]):
                source, plane = fields[q].reshape(-1), planes[q].reshape(-1)
                for j in range(0, count, 2):
                    at, two = table.starts[mu, N - 1 + n], min(count - j, 2)
                    apart = pairs[j + two - 1, 1] - pairs[j, 1]
                    for lane in range(0, columns, w):
                        block = table.values, at, L - mu, out
                        _product(wide, source, pairs[j, 1], 1, apart, 2, two, *block)
                        for i in range(j, j + two):
                            row = 2 * (i - j) * w
                            re, im = signs[i]
                            _put(wide, out, row, re, im, plane, pairs[i, 0] + lane, columns)
                            if pairs[i, 2] >= 0:
                                _put(wide, out, row, re, -im, plane, pairs[i, 2] + lane, columns)
                        at += (L - mu) * w


@leaf
def _product(lanes, a, at, im, apart, step, rows, table, first, count, out):
    """One complex row or two with a block of a table."""
    if rows == 2:
        product4(lanes, a, at, im, apart, step, table, first, count, out, 0)
    else:
        product2(lanes, a, at, im, step, table, first, count, out, 0)


@leaf
def _put(lanes, out, at, re, im, plane, to, columns):
    store(plane, to, splat(lanes, re) * load(lanes, out, at))
    store(plane, to + columns, splat(lanes, im) * load(lanes, out, at + width(lanes)))


@jit
def _analyze(narrow, wide, counter, L, N, real, slots, rows, table, planes, fields):
    v, w, columns = width(narrow), width(wide), planes.shape[4]
    pairs, signs, out = np.empty((4, 3), np.int64), np.empty((4, 2)), aligned(4 * w, planes)
    while True:
        mu = L - 1 - next_item(counter)
        if mu < 0:
            return
        padded = -(-(L - mu) // v) * v
        for n in range(-min(mu, N - 1), min(mu, N - 1) + 1):
            count = _pairs(mu, n, N, L, real, slots, rows, planes.shape, pairs, signs)
            for q in range(planes.shape[0]):
                plane, target = planes[q].reshape(-1), fields[q].reshape(-1)
                for j in range(0, count, 2):
                    at, two, k = table.starts[mu, N - 1 + n], min(count - j, 2), 0
                    apart = pairs[j + two - 1, 0] - pairs[j, 0]
                    while k < padded:
                        block = table.values, at, table.rings, out
                        lanes = w if k + w <= padded else v
                        if lanes == w:
                            _product(wide, plane, pairs[j, 0], columns, apart, 1, two, *block)
                        else:
                            _product(narrow, plane, pairs[j, 0], columns, apart, 1, two, *block)
                        for i in range(j, j + two):
                            to, a = pairs[i, 1] + 2 * k, 2 * (i - j) * lanes
                            for c in range(min(lanes, L - mu - k)):
                                target[to + 2 * c] = signs[i, 0] * out[a + c]
                                target[to + 2 * c + 1] = signs[i, 1] * out[a + lanes + c]
                        at, k = at + table.rings * lanes, k + lanes
