"""Wavelet transforms and scattering of spherekit and of other packages, prepared for timing."""

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase, require


def _random_input(case):
    from spherekit.testing import random_flm

    shape = (case["batch"],) if case["batch"] > 1 else ()
    dtype = np.complex64 if case["dtype"] == "float32" else np.complex128
    options = dict(reality=case["signal"] == "real", shape=shape, dtype=dtype)
    return lambda rng: random_flm(case["L"], rng, **options)


def wavelets_spherekit(case):
    """All scales with dilation factor 2, multiresolution, from and to harmonic coefficients."""
    from spherekit.wavelets import Wavelets

    w = Wavelets(case["L"], N=case["N"], reality=case["signal"] == "real", threads=case["threads"])
    remark = "wavelets: analysis of coefficients, and synthesis to coefficients"
    return PreparedCase(
        w.analysis_flm, lambda maps: w.synthesis_flm(*maps), _random_input(case), remark
    )


def scattering_spherekit(case):
    """Depth 2, descending paths, J0 half the highest scale; "forward" is one round trip."""
    import spherekit as sk
    from spherekit.scattering import Scattering
    from spherekit.wavelets import tiling

    L, reality = case["L"], case["signal"] == "real"
    options = dict(reality=reality, threads=case["threads"])
    S = Scattering(L, J0=tiling.highest_scale(L, 2) // 2, N=case["N"], **options)
    flm = _random_input(case)(np.random.default_rng(0))
    return PreparedCase(
        S.from_flm,
        lambda _: sk.forward(sk.inverse(flm, L, **options), L, **options),
        _random_input(case),
        f"scattering: {len(S.paths)} paths at L={L}, and one round trip (inverse and forward transform)",
        one_way=True,
    )


def covariances_spherekit(case):
    """Scattering covariances with 2N-1 orientations; "forward" is a loss of them and its gradient."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    from spherekit.scattering import Covariances

    C = Covariances(case["L"], N=case["N"], oversample=1, threads=case["threads"])

    def loss(flm):
        return sum(anp.mean(values**2) for values in C.from_flm(flm))

    gradient = value_and_grad(loss)
    flm = _random_input(case)(np.random.default_rng(0))
    remark = "covariances: all statistics, and a loss of them with its gradient"
    return PreparedCase(
        C.from_flm, lambda _: gradient(flm), _random_input(case), remark, one_way=True
    )


def covariances_s2scat(case):
    """s2scat with all matrices precomputed, compiled by the first call; from coefficients with m >= 0."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    import s2scat

    require(
        case["dtype"] == "float64" and case["batch"] == 1,
        "compared in float64 and for one map only",
    )
    L, N = case["L"], case["N"]
    config = s2scat.configure(L, N, 0, True, False)

    def statistics(half):
        return s2scat.scatter(half, L, N, 0, True, config)

    def loss(half):
        return sum(jnp.mean(jnp.abs(values) ** 2) for values in statistics(half))

    def random_input(rng):
        half = np.tril(rng.standard_normal((L, L)) + 1j * rng.standard_normal((L, L)))
        half[:, 0] = half[:, 0].real
        return jnp.array(half)

    gradient = jax.jit(jax.value_and_grad(loss))
    flm = random_input(np.random.default_rng(0))
    return PreparedCase(
        lambda half: jax.block_until_ready(statistics(half)),
        lambda _: jax.block_until_ready(gradient(flm)),
        random_input,
        "all matrices precomputed",
        one_way=True,
    )


CODES = {
    "covariances": {"spherekit": covariances_spherekit, "s2scat": covariances_s2scat},
    "wavelets": {"spherekit": wavelets_spherekit},
    "scattering": {"spherekit": scattering_spherekit},
}
