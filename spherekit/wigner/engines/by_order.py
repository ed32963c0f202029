"""Fields of spin -n <-> planes of all n, order by order: for few orders and high degrees.

``planes[slot, m, re/im, column]``: a slot contains the orders |m| < L of one n for a complex signal, and only
m >= 0 for a real one, since F_{-m,-n} = conj F_mn. The slots are those of `gamma_fft`.
"""

import numpy as np

from spherekit._core.workspace import scratch
from spherekit.harmonic.engines import recursion
from spherekit.wigner import packing
from spherekit.wigner.engines import field_transform

name = "by_order"


def unusable_reason(problem):
    """None: the engine is usable for all problems."""


def is_usable_for(problem):
    """True: the engine is usable for all problems."""
    return True


def required_bytes(problem):
    """Bytes in addition to the input: result, tables, and planes, fields and copies in work memory."""
    sphere, L, orders = problem.grid.sphere, problem.L, problem.orders
    columns = recursion.plane_columns(problem.plan_of(sphere, L), problem.to_samples)
    build_bytes, tables = recursion.table_bytes(sphere, L, (-orders).tolist())
    if problem.reality and problem.N > 1:  # the orders m of both signs, for one n
        tables += problem.threads * (2 * L - 1) * 2 * columns * 8
    fields = len(orders) * 16 * L * L
    return packing.peak_bytes(problem, columns, fields, tables, build_bytes)


def synthesis(flmn, problem, checked):
    """Coefficients -> samples; raises for NaN, inf and, with ``checked``, a broken symmetry."""
    grid, L, real, orders = problem.grid, problem.L, problem.reality, problem.orders
    plan = problem.plan_of(grid.sphere, L)

    def step(values, threads):
        return to_planes(values, orders, plan, L, grid, real, threads)

    return field_transform.synthesis(flmn, problem, checked, plan.rows, step)


def analysis(f, problem):
    """Samples -> coefficients; raises for NaN, inf and UNSEEN."""
    grid, L, real, orders = problem.grid, problem.L, problem.reality, problem.orders
    plan = problem.plan_of(grid.sphere, L)

    def step(planes, threads):
        return from_planes(planes, orders, plan, L, grid, real, threads)

    return field_transform.analysis(f, problem, plan.rows, step)


# --- fields <-> planes -------------------------------------------------------------------------------


def to_planes(fields, orders, plan, L, grid, real, threads):
    """Fields (maps, orders, L*L) -> planes (maps, n_gamma, m, 2, columns), with one order per slot."""
    columns = recursion.plane_columns(plan)
    shape = len(fields), grid.n_gamma, L if real else 2 * L - 1, 2, columns
    planes = scratch("group", shape)
    slots = {n: slot for slot, n in enumerate(grid.orders.tolist())}
    for map_fields, map_planes in zip(fields, planes, strict=True):
        _clear(map_planes, slots, orders, real)
        for field, n in zip(map_fields[:, None], orders.tolist(), strict=True):
            if n == 0 or not real:
                recursion.to_planes(field, plan, L, -n, real, threads, map_planes[slots[n]][None])
                continue
            plane = recursion.to_planes(field, plan, L, -n, False, threads)[0][0]
            map_planes[slots[n]] = plane[L - 1 :]
            map_planes[slots[-n], :, 0] = plane[L - 1 :: -1, 0]
            np.negative(plane[L - 1 :: -1, 1], out=map_planes[slots[-n], :, 1])
    return planes


def _clear(planes, slots, orders, real):
    """Zero the orders of a finer grid beyond those of the signal."""
    present = set(orders.tolist()) | ({-n for n in orders.tolist()} if real else set())
    for n, slot in slots.items():
        if n not in present:
            planes[slot] = 0.0


def from_planes(planes, orders, plan, L, grid, real, threads):
    """The transpose of `to_planes`: planes -> fields, for a real signal of the orders n >= 0."""
    fields = np.empty((len(planes), len(orders), L * L), complex)
    slots = {n: slot for slot, n in enumerate(grid.orders.tolist())}
    for map_fields, map_planes in zip(fields, planes, strict=True):
        for field, n in zip(map_fields[:, None], orders.tolist(), strict=True):
            if n == 0 or not real:
                recursion.from_planes(map_planes[slots[n]][None], plan, L, -n, real, threads, field)
                continue
            plane = scratch("order", (2 * L - 1, *planes.shape[3:]))
            plane[L - 1 :: -1, 0] = map_planes[slots[-n], :, 0]
            np.negative(map_planes[slots[-n], :, 1], out=plane[L - 1 :: -1, 1])
            plane[L - 1 :] = map_planes[slots[n]]
            recursion.from_planes(plane[None], plan, L, -n, False, threads, field)
    return fields
