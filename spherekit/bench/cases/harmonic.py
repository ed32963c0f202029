"""The codes that are compared: each prepares one transform, to be timed by the worker.

A case is a dict of grid, L, spin, batch, dtype and threads. A code is a function of a case that returns a
`Prepared`, its set-up done. Peers are imported here alone, inside the worker's process. In a spin case a peer
of real E and B transforms the content of one complex field of that spin: 2 x L (L + 1) / 2 complex
coefficients of m >= 0, for our L * L of all m.
"""

from collections import namedtuple

import numpy as np

#: Two functions of one array each, a function of a random generator that makes the coefficients, what the
#: reader of the table has to know, and whether the two functions are things apart; else
#: ``forward(inverse(start(rng)))`` is a round trip.
Prepared = namedtuple("Prepared", "inverse forward start remark one_way", defaults=("", False))

#: Sample shapes by grid name: those of `spherekit.sampling`, without its import in a peer's process.
#: "gl" has an even number of samples a ring, "glodd" the least number. HEALPix has nside = L/2.
SHAPES = {
    "gl": lambda L: (L, 2 * L),
    "glodd": lambda L: (L, 2 * L - 1),
    "mw": lambda L: (L, 2 * L - 1),
    "mwss": lambda L: (L + 1, 2 * L),
    "cc": lambda L: (2 * L - 1, 2 * L - 1),
    "dh": lambda L: (2 * L, 2 * L - 1),
    "dhpole": lambda L: (2 * L, 2 * L),
    "healpix": lambda L: (12 * nside(L) ** 2,),
}

_DENSE = 64  # below this s2fft's stored kernels take less time than its recursion (measured)


class Incomparable(Exception):
    """A case that a code does not have, with the reason."""


def nside(L):
    """Resolution of the HEALPix grid that carries band-limit L here."""
    return max(L // 2, 1)


def sampling(case):
    """The grid of a case, for spherekit."""
    from spherekit.sampling import GL, HEALPix, grid

    L = case["L"]
    if case["grid"] in ("gl", "glodd"):
        return GL(L, n_phi=SHAPES[case["grid"]](L)[1])
    if case["grid"] == "healpix":
        return HEALPix(nside(L), weights="equal")
    return grid(case["grid"], L)


def spherekit(case):
    """Ours, through the public functions."""
    import spherekit as sk

    L, spin, reality = case["L"], case["spin"], case["spin"] == 0
    how = dict(spin=spin, sampling=sampling(case), reality=reality, threads=case["threads"])
    kind = np.complex64 if case["dtype"] == "float32" else np.complex128

    def start(rng):
        from spherekit.testing import random_flm

        lead = (case["batch"],) if case["batch"] > 1 else ()
        return random_flm(L, rng, spin=spin, reality=reality, shape=lead, dtype=kind)

    return Prepared(lambda x: sk.inverse(x, L, **how), lambda f: sk.forward(f, L, **how), start)


def spherekit_f64(case):
    """Ours in float64: the row that float32 is compared with."""
    return spherekit({**case, "dtype": "float64"})


def ducc0(case):
    """On rectangles; many maps in one call where it has one (Gauss-Legendre), else in a loop."""
    import ducc0 as code

    names = {"gl": "GL", "glodd": "GL", "mw": "MW", "mwss": "CC", "cc": "CC", "dh": "F1"}
    names["dhpole"] = "DH"
    require(case["grid"] in names, f"grid {case['grid']}: not among its rectangles")
    L, geometry, n_maps = case["L"], names[case["grid"]], case["batch"]
    how = dict(lmax=L - 1, spin=abs(case["spin"]), nthreads=case["threads"])
    single = case["dtype"] == "float32"
    parts, kind = 1 if case["spin"] == 0 else 2, np.complex64 if single else np.complex128
    start = _m_major(case, (parts,), kind)
    if geometry == "GL" and n_maps > 1:
        return _ducc0_rings(code, case, how, start)
    ntheta, nphi = SHAPES[case["grid"]](L)
    how["geometry"] = geometry

    def inverse(alm, out=None):
        return code.sht.synthesis_2d(alm=alm, ntheta=ntheta, nphi=nphi, map=out, **how)

    def forward(f, out=None):
        return code.sht.analysis_2d(map=f, alm=out, **how)

    remark = "mwss is its CC with L+1 rings" if case["grid"] == "mwss" else ""
    if n_maps == 1:
        return Prepared(inverse, forward, start, remark)
    maps = ((n_maps, parts, ntheta, nphi), np.float32 if single else np.float64)
    loops = _loop(inverse, *maps), _loop(forward, (n_maps, parts, L * (L + 1) // 2), kind)
    return Prepared(*loops, start, "several maps in a loop on all grids but Gauss-Legendre")


def _ducc0_rings(code, case, how, start):
    """Many maps in one call; the quadrature weights are taken along as ring factors."""
    ntheta, nphi = SHAPES[case["grid"]](case["L"])
    rings = dict(
        theta=code.misc.GL_thetas(ntheta),
        nphi=np.full(ntheta, nphi, np.uint64),
        phi0=np.zeros(ntheta),
        ringstart=nphi * np.arange(ntheta, dtype=np.uint64),
        **how,
    )
    weights = code.misc.GL_weights(ntheta, nphi)
    return Prepared(
        lambda alm: code.sht.synthesis(alm=alm, **rings),
        lambda maps: code.sht.adjoint_synthesis(map=maps, ringfactor=weights, **rings),
        start,
        "many maps on Gauss-Legendre in one call (synthesis, adjoint_synthesis with weights)",
    )


def healpy(case):
    """HEALPix with one quadrature; the error is that of the quadrature."""
    import healpy as code

    require(case["grid"] == "healpix", "measured on HEALPix only")
    require(case["dtype"] == "float64", "has float64 only")
    L, n, spin = case["L"], nside(case["L"]), abs(case["spin"])

    def inverse(alm):
        return code.alm2map_spin(alm, n, spin, L - 1) if spin else code.alm2map(alm, n, lmax=L - 1)

    def forward(f):
        if spin:
            return code.map2alm_spin(f, spin, lmax=L - 1)
        return code.map2alm(f, lmax=L - 1, iter=0)

    remark = "one quadrature on HEALPix, as spherekit's forward: the error is that of the pixels"
    start = _m_major(case, (2,) if spin else ())
    if case["batch"] == 1:
        return Prepared(inverse, forward, start, remark)
    loops = (lambda alm: [inverse(a) for a in alm]), (lambda maps: [forward(f) for f in maps])
    return Prepared(*loops, start, remark + "; several maps in a loop")


def shtns(case):
    """On Gauss-Legendre, Fejer and Clenshaw-Curtis rings, with the kernel that it times as its fastest."""
    import shtns as code

    kinds = {"gl": code.sht_gauss_fly, "glodd": code.sht_gauss_fly}
    kinds |= {"dh": code.sht_reg_fast, "cc": code.sht_reg_poles}
    require(case["grid"] in kinds, f"grid {case['grid']}: not exact on it at lmax = L-1")
    require(case["spin"] == 0, "measured at spin 0 only")
    require(case["dtype"] == "float64", "has float64 only")
    L, shape = case["L"], SHAPES[case["grid"]](case["L"])
    sh = code.sht(L - 1, L - 1, nthreads=case["threads"])
    sh.set_grid(*shape, flags=kinds[case["grid"]] | code.SHT_PHI_CONTIGUOUS | code.SHT_SCALAR_ONLY)

    def inverse(alm, out=None):
        out = np.empty(shape) if out is None else out
        sh.SH_to_spat(alm, out)
        return out

    def forward(f, out=None):
        out = np.empty(sh.nlm, complex) if out is None else out
        sh.spat_to_SH(f.copy(), out)  # it overwrites its input
        return out

    n_maps, start = case["batch"], _m_major(case, ())
    remark = (
        "rings in rows as here, its own polar_opt, kernel and FFT chosen by its timings (first)"
    )
    if n_maps == 1:
        return Prepared(inverse, forward, start, remark)
    loops = _loop(inverse, (n_maps, *shape), float), _loop(forward, (n_maps, sh.nlm), complex)
    return Prepared(*loops, start, remark + "; several maps in a loop")


def s2fft(case):
    """JAX on the CPU: tables made and transforms compiled at first, both counted there."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    grids = {"mw": "mw", "mwss": "mwss", "dh": "dh", "glodd": "gl"}
    require(case["grid"] in grids, f"grid {case['grid']}: not among its exact ones")
    require(case["dtype"] == "float64", "measured in float64 only")
    L, how = case["L"], (grids[case["grid"]], case["spin"] == 0, case["spin"])
    calls = []
    for make in (_s2fft_stored if L <= _DENSE else _s2fft_recursion)(L, *how):
        function, tables = make
        mapped = jax.vmap(function, (0, None)) if case["batch"] > 1 else function
        calls.append((jax.jit(mapped), jax.block_until_ready(tables)))

    def call(direction):
        compiled, tables = calls[direction]
        return lambda x: jax.block_until_ready(compiled(x, tables))

    def start(rng):
        from spherekit.conventions import to_s2fft

        return jax.numpy.asarray(to_s2fft(spherekit(case).start(rng)))

    remark = f"stored kernels up to L={_DENSE}, Price-McEwen recursion above; tables count in peak"
    return Prepared(call(0), call(1), start, remark)


def _s2fft_stored(L, grid, reality, spin):
    """(function of x and table, table) of both directions, from dense kernels of L^3 numbers."""
    from s2fft.precompute_transforms import construct
    from s2fft.precompute_transforms import spherical as code

    def make(transform, forward):
        table = construct.spin_spherical_kernel_jax(L, spin, reality, grid, forward=forward)
        return lambda x, table: transform(x, table, L, grid, reality, spin, None), table

    return make(code.inverse_transform_jax, False), make(code.forward_transform_jax, True)


def _s2fft_recursion(L, grid, reality, spin):
    """The same by a recursion with L^2 stored coefficients."""
    import s2fft as code

    def make(transform, forward):
        table = code.generate_precomputes_jax(L, spin, grid, forward=forward)
        return lambda x, table: transform(x, L, spin, None, grid, reality, table), table

    return make(code.inverse_jax, False), make(code.forward_jax, True)


#: Every code of the harmonic transforms by name; the first is ours.
CODES = {code.__name__: code for code in (spherekit, spherekit_f64, ducc0, healpy, shtns, s2fft)}


def require(holds, reason):
    """Raise `Incomparable` unless a condition of the case holds."""
    if not holds:
        raise Incomparable(reason)


def _m_major(case, lead, kind=np.complex128):
    """A maker of the coefficients of real signals, m-major with m >= 0, zero below the spin."""
    L, lead = case["L"], ((case["batch"],) if case["batch"] > 1 else ()) + lead

    def start(rng):
        m = np.repeat(np.arange(L), np.arange(L, 0, -1))
        ell = np.concatenate([np.arange(k, L) for k in range(L)])
        parts = rng.standard_normal((2, *lead, len(m)))
        alm = parts[0] + 1j * np.where(m > 0, parts[1], 0)
        return np.where(ell >= abs(case["spin"]), alm, 0).astype(kind)

    return start


def _loop(function, shape, kind):
    """``function(x, out)`` over the maps of a batch, into one array."""

    def each(batch):
        result = np.empty(shape, kind)
        for x, out in zip(batch, result, strict=True):
            function(x, out)
        return result

    return each
