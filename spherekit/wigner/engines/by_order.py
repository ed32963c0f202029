"""Fields of spin -n <-> planes of all n, one order n after the other: for few orders and high degrees.

``planes[slot, m, re/im, column]``: of a complex signal a slot holds the orders |m| < L of one n; of a real
one m >= 0 alone, of which F_{-m,-n} = conj F_mn makes the rest. The slots are those of `gamma_fft`.
"""

import numpy as np

from spherekit._core.workspace import scratch
from spherekit.harmonic.engines import recursion


def synthesis(fields, orders, route, L, grid, real, threads):
    """(maps, orders, L*L) -> planes (maps, n_gamma, m, 2, columns), a slot an order."""
    columns = recursion.plane_width(route)
    shape = len(fields), grid.n_gamma, L if real else 2 * L - 1, 2, columns
    planes = scratch("group", shape)
    slots = {n: slot for slot, n in enumerate(grid.orders.tolist())}
    for each, of_map in zip(fields, planes, strict=True):
        _clear(of_map, slots, orders, real)
        for field, n in zip(each[:, None], orders.tolist(), strict=True):
            if n == 0 or not real:
                recursion.synthesis(field, route, L, -n, real, threads, of_map[slots[n]][None])
                continue
            both = recursion.synthesis(field, route, L, -n, False, threads)[0][0]
            of_map[slots[n]] = both[L - 1 :]
            of_map[slots[-n], :, 0] = both[L - 1 :: -1, 0]
            np.negative(both[L - 1 :: -1, 1], out=of_map[slots[-n], :, 1])
    return planes


def _clear(planes, slots, orders, real):
    """Zeros for the orders of a finer grid that the signal has not."""
    held = set(orders.tolist()) | ({-n for n in orders.tolist()} if real else set())
    for n, slot in slots.items():
        if n not in held:
            planes[slot] = 0.0


def analysis(planes, orders, route, L, grid, real, threads):
    """The transpose of `synthesis`: planes -> fields; of a real signal the orders n >= 0."""
    fields = np.empty((len(planes), len(orders), L * L), complex)
    slots = {n: slot for slot, n in enumerate(grid.orders.tolist())}
    for each, of_map in zip(fields, planes, strict=True):
        for field, n in zip(each[:, None], orders.tolist(), strict=True):
            if n == 0 or not real:
                recursion.analysis(of_map[slots[n]][None], route, L, -n, real, threads, field)
                continue
            both = scratch("both", (2 * L - 1, *planes.shape[3:]))
            both[L - 1 :: -1, 0] = of_map[slots[-n], :, 0]
            np.negative(of_map[slots[-n], :, 1], out=both[L - 1 :: -1, 1])
            both[L - 1 :] = of_map[slots[n]]
            recursion.analysis(both[None], route, L, -n, False, threads, field)
    return fields
