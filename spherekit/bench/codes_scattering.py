"""Wavelets and scattering: ours, beside the transforms that they are made of."""

import numpy as np

from spherekit.bench.codes import Prepared


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
    from spherekit.wavelets import filters

    L, reality = case["L"], case["signal"] == "real"
    how = dict(reality=reality, threads=case["threads"])
    S = Scattering(L, J0=filters.highest(L, 2) // 2, N=case["N"], **how)
    flm = _start(case)(np.random.default_rng(0))
    return Prepared(
        S.from_flm,
        lambda _: sk.forward(sk.inverse(flm, L, **how), L, **how),
        _start(case),
        f"scattering: the first column is {len(S.paths)} paths (at the L of this row), the second one "
        "inverse and forward transform",
        one_way=True,
    )


CODES = {
    "wavelets": {"spherekit": wavelets_spherekit},
    "scattering": {"spherekit": scattering_spherekit},
}
