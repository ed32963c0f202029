"""Wavelets and scattering: ours, beside the transforms that they are made of."""

import numpy as np

from spherekit.bench.cases.harmonic import Prepared, require


def _start(case):
    from spherekit.testing import random_flm

    lead = (case["batch"],) if case["batch"] > 1 else ()
    kind = np.complex64 if case["dtype"] == "float32" else np.complex128
    how = dict(reality=case["signal"] == "real", shape=lead, dtype=kind)
    return lambda rng: random_flm(case["L"], rng, **how)


def wavelets_spherekit(case):
    """All scales of dilation 2, each at its own resolution, from and to coefficients."""
    from spherekit.wavelets import Wavelets

    w = Wavelets(case["L"], N=case["N"], reality=case["signal"] == "real", threads=case["threads"])
    remark = "wavelets: the first column is the analysis of coefficients, the second the synthesis"
    return Prepared(w.analysis_flm, lambda maps: w.synthesis_flm(*maps), _start(case), remark)


def scattering_spherekit(case):
    """Depth 2, descending paths, J0 half the highest scale; and as "forward" one transform there and back."""
    import spherekit as sk
    from spherekit.scattering import Scattering
    from spherekit.wavelets import tiling

    L, reality = case["L"], case["signal"] == "real"
    how = dict(reality=reality, threads=case["threads"])
    S = Scattering(L, J0=tiling.highest_scale(L, 2) // 2, N=case["N"], **how)
    flm = _start(case)(np.random.default_rng(0))
    return Prepared(
        S.from_flm,
        lambda _: sk.forward(sk.inverse(flm, L, **how), L, **how),
        _start(case),
        f"scattering: the first column is {len(S.paths)} paths (at the L of this row), the second one "
        "inverse and forward transform",
        one_way=True,
    )


def covariances_spherekit(case):
    """Scattering covariances at 2N-1 orientations; and as "forward" their value and gradient."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    from spherekit.scattering import Covariances

    C = Covariances(case["L"], N=case["N"], oversample=1, threads=case["threads"])

    def loss(flm):
        return sum(anp.mean(values**2) for values in C.from_flm(flm))

    gradient, flm = value_and_grad(loss), _start(case)(np.random.default_rng(0))
    remark = (
        "covariances: the first column is all statistics, the second their loss and its gradient"
    )
    return Prepared(C.from_flm, lambda _: gradient(flm), _start(case), remark, one_way=True)


def covariances_s2scat(case):
    """s2scat with all of its matrices stored, compiled at first; from coefficients m >= 0."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    import s2scat

    require(case["dtype"] == "float64" and case["batch"] == 1, "measured in float64, one map only")
    L, N = case["L"], case["N"]
    config = s2scat.configure(L, N, 0, True, False)

    def statistics(half):
        return s2scat.scatter(half, L, N, 0, True, config)

    def loss(half):
        return sum(jnp.mean(jnp.abs(values) ** 2) for values in statistics(half))

    def start(rng):
        half = np.tril(rng.standard_normal((L, L)) + 1j * rng.standard_normal((L, L)))
        half[:, 0] = half[:, 0].real
        return jnp.array(half)

    gradient, flm = jax.jit(jax.value_and_grad(loss)), start(np.random.default_rng(0))
    return Prepared(
        lambda half: jax.block_until_ready(statistics(half)),
        lambda _: jax.block_until_ready(gradient(flm)),
        start,
        "all matrices stored beforehand",
        one_way=True,
    )


CODES = {
    "covariances": {"spherekit": covariances_spherekit, "s2scat": covariances_s2scat},
    "wavelets": {"spherekit": wavelets_spherekit},
    "scattering": {"spherekit": scattering_spherekit},
}
