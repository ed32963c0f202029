"""Clebsch-Gordan products of fragments: a trilinear form and its three contractions.

    F(x, y, g) = sum_p sum_ijk c^p_ijk x_{a_p + i} y_{b_p + j} g_{o_p + k}

The outer sum runs over products p = (fragment of x, fragment of y, fragment of the result), and c^p is the
Clebsch-Gordan block of their degrees. The derivative of F with respect to g is the product; those with
respect to x and y are its gradients. One kernel computes all three with the roles exchanged, so that every
derivative of a product is again a contraction.
"""

import math
from collections import namedtuple
from functools import partial

import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from spherekit._core import checks
from spherekit._core.jit import leaf
from spherekit._core.parallel import run
from spherekit._core.workspace import scratch
from spherekit.kernels.simd import Lanes, load, pointer, splat, store, width
from spherekit.kernels.work_queue import next_item
from spherekit.nn.fragment_indexing import batch_first, rows_first
from spherekit.timing import timed
from spherekit.wigner import clebsch_gordan

_WIDTH = {np.dtype(np.float64): 32, np.dtype(np.float32): 64}
_LANES = {kind: Lanes(w, kind == np.float32) for kind, w in _WIDTH.items()}
_GROUP = 8  # batches of lanes in a work item

#: The trilinear form: numbers of rows of x, y and g; ``products`` (n, 4), first rows of the fragments, and
#: the index of their block; a `_Table` for each role of the output (x, y, g = 0, 1, 2); multiplications.
Form = namedtuple("Form", "sizes products tables cost")

#: Blocks of one role: ``rows[block]`` = (first row in ``starts``, rows of the output, of u, of v); the
#: nonzero entries ``c`` of each row in sparse (CSR) format, with their indices in u and v.
_Table = namedtuple("_Table", "rows starts u v c")


def form(x, y, products, real):
    """`Form` of the products ((l1, t1, l2, t2, l), ...) of two `Fragments`, and tau of the result.

    Fragments of the result are in the order of the products, degree by degree.
    """
    L = 1 + max((p[4] for p in products), default=0)
    tau = np.zeros(L, int)
    blocks = {}
    first = []
    for l1, t1, l2, t2, ell in products:
        block = blocks.setdefault((l1, l2, ell), len(blocks))
        first.append((x.rows(l1, t1).start, y.rows(l2, t2).start, int(tau[ell]), block))
        tau[ell] += 1
    starts = np.concatenate([[0], np.cumsum(tau * (2 * np.arange(L) + 1))])
    rows = np.array(first, np.int64).reshape(-1, 4)
    degree = np.array([p[4] for p in products], int)
    rows[:, 2] = starts[degree] + rows[:, 2] * (2 * degree + 1)
    tables = tuple(_table(list(blocks), role, real) for role in range(3))
    entries = np.diff(tables[2].starts[tables[2].rows[:, 0]], append=len(tables[2].c))
    cost = int(entries[rows[:, 3]].sum()) if len(rows) else 0
    return Form((x.size, y.size, int(starts[-1])), rows, tables, cost), tuple(tau.tolist())


def _table(blocks, role, real):
    rows = []
    starts = [0]
    u = []
    v = []
    c = []
    for degrees in blocks:
        block = clebsch_gordan(*degrees, basis="real" if real else "complex")
        block = np.moveaxis(block, role, 0)
        rows.append((len(starts) - 1, *block.shape))
        for matrix in block:
            i, j = matrix.nonzero()
            u.append(i)
            v.append(j)
            c.append(matrix[i, j])
            starts.append(starts[-1] + len(i))
    columns = [np.concatenate([[], *arrays]) for arrays in (u, v, c)]
    return _Table(
        np.array(rows, np.int64).reshape(-1, 4),
        np.array(starts, np.int64),
        columns[0].astype(np.int32),
        columns[1].astype(np.int32),
        columns[2],
    )


@primitive
@partial(timed, "nn.tensor_product")
def contract(u, v, form, role, threads):
    """The derivative of the form with respect to the argument of that role.

    ``u`` and ``v`` are the other two arguments, in order: arrays (..., rows), in memory rows first, with the
    same leading axes. The result is complex if either is.
    """
    u, v = checks.as_float_array(u, "u"), checks.as_float_array(v, "v")
    if np.iscomplexobj(u) or np.iscomplexobj(v):
        real = contract(u.real, v.real, form, role, threads)
        real -= contract(u.imag, v.imag, form, role, threads)
        imag = contract(u.real, v.imag, form, role, threads)
        imag += contract(u.imag, v.real, form, role, threads)
        return real + 1j * imag
    dtype = np.result_type(u, v)
    lanes = math.prod(u.shape[:-1])
    flat = [np.ascontiguousarray(rows_first(x), dtype).reshape(-1) for x in (u, v)]
    input_roles = [k for k in range(3) if k != role]
    result = np.empty((form.sizes[role], *u.shape[:-1]), dtype)
    checks.fits_memory(result.nbytes, "this tensor product")
    counter = np.zeros(1, np.int64)
    work = form.products[:, [*input_roles, role, 3]]
    table, width_of_lanes = form.tables[role], _WIDTH[dtype]
    arguments = work, *table, role == 2, lanes, *flat, result.reshape(-1)
    group = min(_GROUP, -(-lanes // (width_of_lanes * threads)))
    max_rows = int(table.rows[:, 2:].max(initial=1))
    size = (2 * max_rows + 1) * width_of_lanes

    def compute(thread):
        buffer = scratch("products", (size,), dtype)
        _contract(_LANES[dtype], counter, group, *arguments, buffer, max_rows)

    run(compute, threads)
    return batch_first(result)


def _gradient(argument):
    def rule(answer, u, v, form, role, threads):
        input_roles = [k for k in range(3) if k != role]
        target, factor = input_roles[argument], input_roles[1 - argument]

        def pullback(g):
            pair = (g, v) if argument == 0 else (g, u)
            pair = pair if role < factor else pair[::-1]
            return contract(*pair, form, target, threads)

        return pullback

    return rule


defvjp(contract, _gradient(0), _gradient(1), argnums=(0, 1))
defjvp(contract, "same", "same", argnums=(0, 1))


# --- kernel ------------------------------------------------------------------------------------------


@leaf
def _contract(
    lanes,
    counter,
    group,
    products,
    blocks,
    starts,
    eu,
    ev,
    ec,
    overwrite,
    total,
    u,
    v,
    out,
    buffer,
    max_rows,
):
    """Product by product, for a group of batches of lanes, so that distant rows are read only once."""
    w = width(lanes)
    tile_u, tile_v = pointer(buffer, 0), pointer(buffer, max_rows * w)
    row, x, y = pointer(buffer, 2 * max_rows * w), pointer(u, 0), pointer(v, 0)
    while True:
        first = next_item(counter) * group * w
        if first >= total:
            return
        last = min(first + group * w, total)
        if not overwrite:
            for r in range(out.shape[0] // total):
                for i in range(r * total + first, r * total + last):
                    out[i] = 0
        for p in range(products.shape[0]):
            block = products[p, 3]
            for lane in range(first, last, w):
                count = min(w, last - lane)
                _gather(lanes, x, products[p, 0], blocks[block, 2], total, lane, count, tile_u)
                _gather(lanes, y, products[p, 1], blocks[block, 3], total, lane, count, tile_v)
                for r in range(blocks[block, 1]):
                    acc, entries = splat(lanes, 0.0), blocks[block, 0] + r
                    for e in range(starts[entries], starts[entries + 1]):
                        pair = load(lanes, tile_u, eu[e] * w) * load(lanes, tile_v, ev[e] * w)
                        acc = acc + splat(lanes, ec[e]) * pair
                    target = (products[p, 2] + r) * total + lane
                    if count == w and overwrite:
                        store(out, target, acc)
                    elif count == w:
                        store(out, target, load(lanes, out, target) + acc)
                    else:
                        store(row, 0, acc)
                        for s in range(count):
                            out[target + s] = row[s] if overwrite else out[target + s] + row[s]


@leaf
def _gather(lanes, x, first, rows, total, lane, count, tile):
    w = width(lanes)
    for r in range(rows):
        start = (first + r) * total + lane
        if count == w:
            store(tile, r * w, load(lanes, x, start))
        else:
            for s in range(count):
                tile[r * w + s] = x[start + s]
            for s in range(count, w):  # uninitialized memory may be subnormal, 100 times slower
                tile[r * w + s] = 0
