"""Winds by spherekit and windspharm, prepared for timing: L + 1 latitudes with the poles, 2L longitudes."""

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase


def _random_input(case):
    """u and v [shape=(2, times, L+1, 2L)], or without the axis of times."""
    times = (case["batch"],) if case["batch"] > 1 else ()
    shape = (2, *times, case["L"] + 1, 2 * case["L"])
    return lambda rng: rng.standard_normal(shape).astype(case["dtype"])


def winds_spherekit(case):
    """`spherekit.fields.Wind.to_map`; "forward" is the vorticity and the divergence."""
    from spherekit import fields

    grid, threads = f"mwss:{case['L']}", case["threads"]
    u, v = _random_input(case)(np.random.default_rng(0))
    remark = (
        "winds: vorticity, divergence, both potentials and both parts of the wind; and vrtdiv only"
    )
    return PreparedCase(
        lambda wind: fields.Wind(*wind, grid, threads=threads).to_map().values,
        lambda _: np.stack(fields.Wind(u, v, grid, threads=threads).vrtdiv()),
        _random_input(case),
        remark,
        one_way=True,
    )


def winds_windspharm(case):
    """vrtdiv, sfvp and helmholtz; times are its last axis. It computes in float32."""
    from windspharm.standard import VectorWind

    def wind(u, v):
        u, v = (x if x.ndim == 2 else np.moveaxis(x, 0, -1) for x in (u, v))
        return VectorWind(u, v, legfunc="computed")

    def quantities(components):
        w = wind(*components)
        return np.stack([*w.vrtdiv(), *w.sfvp(), *w.helmholtz()])

    components = _random_input(case)(np.random.default_rng(0))
    return PreparedCase(
        quantities,
        lambda _: np.stack(wind(*components).vrtdiv()),
        _random_input(case),
        'legfunc="computed", which is faster for one VectorWind at L >= 100; results in float32',
        one_way=True,
    )


CODES = {"winds": {"spherekit": winds_spherekit, "windspharm": winds_windspharm}}
