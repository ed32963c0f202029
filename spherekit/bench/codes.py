"""The codes that are compared: each prepares one transform, to be called by the worker.

A case is a dict of grid, L, spin, batch, dtype and threads. ``prepare(case, rng)`` returns (inverse, forward,
start, error): ``forward(inverse(start))`` is the round trip, ``error`` its largest error. Peers are imported
here alone, inside the worker's process.
"""

import numpy as np


class Incomparable(Exception):
    """A case that a code does not have, with the reason."""


def spherekit(case, rng):
    import spherekit as sk
    from spherekit.testing import random_flm

    L, spin = case["L"], case["spin"]
    grid, reality = _grid(case), spin == 0
    kind = np.complex64 if case["dtype"] == "float32" else np.complex128
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=_lead(case)).astype(kind)
    how = dict(spin=spin, sampling=grid, reality=reality, threads=case["threads"])
    return _with_error(lambda x: sk.inverse(x, L, **how), lambda f: sk.forward(f, L, **how), flm)


def ducc0(case, rng):
    import ducc0 as code

    if case["dtype"] != "float64":
        raise Incomparable("measured in float64 only")
    names = {"gl": "GL", "mw": "MW", "mwss": "MWflip", "cc": "CC", "dh": "F1"}
    if case["grid"] not in ("gl", "mw", "cc", "dh"):
        raise Incomparable(f"no grid {case['grid']} here")
    L, spin, shape = case["L"], case["spin"], _grid(case).shape
    how = dict(lmax=L - 1, spin=spin, geometry=names[case["grid"]], nthreads=case["threads"])
    alm = _alm(L, rng, (case["batch"], 1 if spin == 0 else 2), spin)

    def inverse(alm):
        return [code.sht.synthesis_2d(alm=a, ntheta=shape[0], nphi=shape[1], **how) for a in alm]

    def forward(maps):
        return np.stack([code.sht.analysis_2d(map=f, **how) for f in maps])

    return _with_error(inverse, forward, alm)


def healpy(case, rng):
    import healpy as code

    if case["grid"] != "healpix" or case["spin"] or case["dtype"] != "float64":
        raise Incomparable("measured on HEALPix in float64, spin 0")
    L, nside = case["L"], _grid(case).nside
    alm = _alm(L, rng, (case["batch"],), 0)

    def inverse(alm):
        return [code.alm2map(a, nside, lmax=L - 1) for a in alm]

    def forward(maps):
        return np.stack([code.map2alm(f, lmax=L - 1, iter=0) for f in maps])

    return _with_error(inverse, forward, alm)


def shtns(case, rng):
    import shtns as code

    if case["grid"] != "gl" or case["spin"] or case["dtype"] != "float64":
        raise Incomparable("measured on Gauss-Legendre grids in float64, spin 0")
    L = case["L"]
    sh = code.sht(L - 1, L - 1)
    sh.set_grid(L, 2 * L, flags=code.sht_gauss, polar_opt=0)
    alm = _alm(L, rng, (case["batch"],), 0)
    return _with_error(
        lambda alm: [sh.synth(a) for a in alm],
        lambda maps: np.stack([sh.analys(f.copy()) for f in maps]),
        alm,
    )


def s2fft(case, rng):
    import jax

    jax.config.update("jax_enable_x64", True)
    import s2fft as code

    if case["grid"] not in ("mw", "mwss", "dh", "gl") or case["batch"] > 1 or case["spin"]:
        raise Incomparable("measured on one map of mw, mwss, dh or gl, spin 0")
    L = case["L"]
    flm = code.utils.signal_generator.generate_flm(rng, L, reality=True)
    how = dict(L=L, sampling=case["grid"], method="jax", reality=True)
    return _with_error(
        lambda x: np.asarray(code.inverse(x, **how)),
        lambda f: np.asarray(code.forward(f, **how)),
        flm,
    )


#: Every code by name; the first is ours.
CODES = {code.__name__: code for code in (spherekit, ducc0, healpy, shtns, s2fft)}


def _grid(case):
    """The grid of a case: Gauss-Legendre with 2L samples a ring, HEALPix with nside = L/2."""
    from spherekit.sampling import GL, HEALPix, grid

    L = case["L"]
    if case["grid"] == "gl":
        return GL(L, n_phi=2 * L)
    if case["grid"] == "healpix":
        return HEALPix(max(L // 2, 1), weights="equal")
    return grid(case["grid"], L)


def _lead(case):
    return (case["batch"],) if case["batch"] > 1 else ()


def _alm(L, rng, lead, spin):
    """Coefficients of real signals, m-major with m >= 0, zero below the spin."""
    m = np.repeat(np.arange(L), np.arange(L, 0, -1))
    ell = np.concatenate([np.arange(k, L) for k in range(L)])
    parts = rng.standard_normal((2, *lead, len(m)))
    alm = parts[0] + 1j * np.where(m > 0, parts[1], 0)
    return np.where(ell >= abs(spin), alm, 0)


def _with_error(inverse, forward, start):
    def error():
        return float(np.abs(np.asarray(forward(inverse(start))) - start).max())

    return inverse, forward, start, error
