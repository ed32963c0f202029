"""Fields of spin -n <-> planes of all n, one order n after the other: for few orders and high degrees.

``planes[slot, m, re/im, column]``: of a complex signal a slot holds the orders |m| < L of one n; of a real
one m >= 0 alone, since F_{-m,-n} = conj F_mn. The slots are those of `gamma_fft`.
"""

import numpy as np

from spherekit._core.workspace import scratch
from spherekit.harmonic.engines import recursion
from spherekit.wigner import packing
from spherekit.wigner.engines import field_transform

name = "by_order"


def unusable_reason(problem):
    """None: every grid, band-limit and number of signals."""


def is_usable_for(problem):
    """Always."""
    return True


def required_bytes(problem):
    """Memory beside the input: the result, planes, fields and copies in flight, tables."""
    sphere, L, orders = problem.grid.sphere, problem.L, problem.orders
    columns = recursion.plane_columns(problem.plan_of(sphere, L), problem.to_samples)
    building, tables = recursion.table_bytes(sphere, L, (-orders).tolist())
    if problem.reality and problem.N > 1:  # the orders of both signs m, of one n
        tables += problem.threads * (2 * L - 1) * 2 * columns * 8
    fields = len(orders) * 16 * L * L
    return packing.peak_bytes(problem, columns, fields, tables, building)


def synthesis(flmn, problem, checked):
    """Coefficients -> samples; refuses what is not finite and, if ``checked``, a broken symmetry."""
    grid, L, real, orders = problem.grid, problem.L, problem.reality, problem.orders
    plan = problem.plan_of(grid.sphere, L)

    def step(values, threads):
        return to_planes(values, orders, plan, L, grid, real, threads)

    return field_transform.synthesis(flmn, problem, checked, plan.rows, step)


def analysis(f, problem):
    """Samples -> coefficients; refuses NaN, inf and UNSEEN."""
    grid, L, real, orders = problem.grid, problem.L, problem.reality, problem.orders
    plan = problem.plan_of(grid.sphere, L)

    def step(planes, threads):
        return from_planes(planes, orders, plan, L, grid, real, threads)

    return field_transform.analysis(f, problem, plan.rows, step)


# --- fields <-> planes -------------------------------------------------------------------------------


def to_planes(fields, orders, plan, L, grid, real, threads):
    """(maps, orders, L*L) -> planes (maps, n_gamma, m, 2, columns), a slot an order."""
    columns = recursion.plane_columns(plan)
    shape = len(fields), grid.n_gamma, L if real else 2 * L - 1, 2, columns
    planes = scratch("group", shape)
    slots = {n: slot for slot, n in enumerate(grid.orders.tolist())}
    for each, of_map in zip(fields, planes, strict=True):
        _clear(of_map, slots, orders, real)
        for field, n in zip(each[:, None], orders.tolist(), strict=True):
            if n == 0 or not real:
                recursion.to_planes(field, plan, L, -n, real, threads, of_map[slots[n]][None])
                continue
            both = recursion.to_planes(field, plan, L, -n, False, threads)[0][0]
            of_map[slots[n]] = both[L - 1 :]
            of_map[slots[-n], :, 0] = both[L - 1 :: -1, 0]
            np.negative(both[L - 1 :: -1, 1], out=of_map[slots[-n], :, 1])
    return planes


def _clear(planes, slots, orders, real):
    """Zeros for the orders of a finer grid that the signal has not."""
    present = set(orders.tolist()) | ({-n for n in orders.tolist()} if real else set())
    for n, slot in slots.items():
        if n not in present:
            planes[slot] = 0.0


def from_planes(planes, orders, plan, L, grid, real, threads):
    """The transpose of `to_planes`: planes -> fields; of a real signal the orders n >= 0."""
    fields = np.empty((len(planes), len(orders), L * L), complex)
    slots = {n: slot for slot, n in enumerate(grid.orders.tolist())}
    for each, of_map in zip(fields, planes, strict=True):
        for field, n in zip(each[:, None], orders.tolist(), strict=True):
            if n == 0 or not real:
                recursion.from_planes(of_map[slots[n]][None], plan, L, -n, real, threads, field)
                continue
            both = scratch("both", (2 * L - 1, *planes.shape[3:]))
            both[L - 1 :: -1, 0] = of_map[slots[-n], :, 0]
            np.negative(of_map[slots[-n], :, 1], out=both[L - 1 :: -1, 1])
            both[L - 1 :] = of_map[slots[n]]
            recursion.from_planes(both[None], plan, L, -n, False, threads, field)
    return fields
