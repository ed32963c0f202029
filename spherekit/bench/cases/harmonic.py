"""Spherical harmonic transforms of spherekit and of other packages, prepared for timing.

A case is a dict with the keys grid, L, spin, batch, dtype and threads. Each package has a function that
performs its set-up for a case and returns a `PreparedCase`. Other packages are imported only here, in the
process of the worker. For spin fields a package with real E and B transforms the content of one complex field
of that spin: 2 x L (L + 1) / 2 complex coefficients with m >= 0, where spherekit has L * L coefficients of
all m.
"""

from collections import namedtuple

import numpy as np

#: ``inverse`` and ``forward`` are functions of one array; ``random_input`` returns coefficients from a random
#: generator; ``remark`` is a note for the reader of the table. Unless ``one_way``, the functions are inverse
#: to each other: ``forward(inverse(x))`` is a round trip.
PreparedCase = namedtuple(
    "PreparedCase", "inverse forward random_input remark one_way", defaults=("", False)
)

#: Sample shapes by name of the grid, as in `spherekit.sampling`, which processes of other packages do not
#: import. "gl" has 2L samples per ring, "glodd" the minimum of 2L-1. HEALPix has nside = L/2.
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

# Up to this L the precomputed kernels of s2fft are faster than its recursion (measured).
_MAX_DENSE_L = 64


class UnsupportedCase(Exception):
    """A case that a package does not support, with the reason."""


def nside(L):
    """Resolution of the HEALPix grid for band-limit L in the benchmark."""
    return max(L // 2, 1)


def sampling(case):
    """The `Grid` of a case."""
    from spherekit.sampling import GL, HEALPix, grid

    L = case["L"]
    if case["grid"] in ("gl", "glodd"):
        return GL(L, n_phi=SHAPES[case["grid"]](L)[1])
    if case["grid"] == "healpix":
        return HEALPix(nside(L), weights="equal")
    return grid(case["grid"], L)


def spherekit(case):
    """`spherekit.forward` and `spherekit.inverse`."""
    import spherekit as sk

    L, spin, reality = case["L"], case["spin"], case["spin"] == 0
    options = dict(spin=spin, sampling=sampling(case), reality=reality, threads=case["threads"])
    dtype = np.complex64 if case["dtype"] == "float32" else np.complex128

    def random_input(rng):
        from spherekit.testing import random_flm

        shape = (case["batch"],) if case["batch"] > 1 else ()
        return random_flm(L, rng, spin=spin, reality=reality, shape=shape, dtype=dtype)

    return PreparedCase(
        lambda x: sk.inverse(x, L, **options), lambda f: sk.forward(f, L, **options), random_input
    )


def spherekit_f64(case):
    """`spherekit` in float64, as a reference for float32."""
    return spherekit({**case, "dtype": "float64"})


def ducc0(case):
    """Rectangular grids; several maps in one call on Gauss-Legendre grids, elsewhere in a loop."""
    import ducc0 as package

    names = {"gl": "GL", "glodd": "GL", "mw": "MW", "mwss": "CC", "cc": "CC", "dh": "F1"}
    names["dhpole"] = "DH"
    require(case["grid"] in names, f"does not support the grid {case['grid']}")
    L, geometry, n_maps = case["L"], names[case["grid"]], case["batch"]
    options = dict(lmax=L - 1, spin=abs(case["spin"]), nthreads=case["threads"])
    single = case["dtype"] == "float32"
    dtype = np.complex64 if single else np.complex128
    components = 1 if case["spin"] == 0 else 2
    random_input = _m_major(case, (components,), dtype)
    if geometry == "GL" and n_maps > 1:
        return _ducc0_rings(package, case, options, random_input)
    ntheta, nphi = SHAPES[case["grid"]](L)
    options["geometry"] = geometry

    def inverse(alm, out=None):
        return package.sht.synthesis_2d(alm=alm, ntheta=ntheta, nphi=nphi, map=out, **options)

    def forward(f, out=None):
        return package.sht.analysis_2d(map=f, alm=out, **options)

    remark = "mwss is its grid CC with L+1 rings" if case["grid"] == "mwss" else ""
    if n_maps == 1:
        return PreparedCase(inverse, forward, random_input, remark)
    inverse_loop = _loop(
        inverse, (n_maps, components, ntheta, nphi), np.float32 if single else np.float64
    )
    forward_loop = _loop(forward, (n_maps, components, L * (L + 1) // 2), dtype)
    loops = inverse_loop, forward_loop
    return PreparedCase(
        *loops, random_input, "several maps in a Python loop, except on Gauss-Legendre grids"
    )


def _ducc0_rings(package, case, options, random_input):
    """Several maps in one call; the quadrature weights are passed as ring factors."""
    ntheta, nphi = SHAPES[case["grid"]](case["L"])
    rings = dict(
        theta=package.misc.GL_thetas(ntheta),
        nphi=np.full(ntheta, nphi, np.uint64),
        phi0=np.zeros(ntheta),
        ringstart=nphi * np.arange(ntheta, dtype=np.uint64),
        **options,
    )
    weights = package.misc.GL_weights(ntheta, nphi)
    return PreparedCase(
        lambda alm: package.sht.synthesis(alm=alm, **rings),
        lambda maps: package.sht.adjoint_synthesis(map=maps, ringfactor=weights, **rings),
        random_input,
        "several maps on Gauss-Legendre grids in one call (synthesis, adjoint_synthesis with weights)",
    )


def healpy(case):
    """HEALPix, a single quadrature without iterations; the error is that of the quadrature."""
    import healpy as package

    require(case["grid"] == "healpix", "compared on HEALPix only")
    require(case["dtype"] == "float64", "supports float64 only")
    L, n, spin = case["L"], nside(case["L"]), abs(case["spin"])

    def inverse(alm):
        return (
            package.alm2map_spin(alm, n, spin, L - 1)
            if spin
            else package.alm2map(alm, n, lmax=L - 1)
        )

    def forward(f):
        if spin:
            return package.map2alm_spin(f, spin, lmax=L - 1)
        return package.map2alm(f, lmax=L - 1, iter=0)

    remark = (
        "one quadrature on HEALPix, as in spherekit.forward: the error is that of the quadrature"
    )
    random_input = _m_major(case, (2,) if spin else ())
    if case["batch"] == 1:
        return PreparedCase(inverse, forward, random_input, remark)
    loops = (lambda alm: [inverse(a) for a in alm]), (lambda maps: [forward(f) for f in maps])
    return PreparedCase(*loops, random_input, remark + "; several maps in a Python loop")


def shtns(case):
    """Gauss-Legendre, Fejer and Clenshaw-Curtis grids; the package selects its fastest kernel by timing."""
    import shtns as package

    grid_types = {"gl": package.sht_gauss_fly, "glodd": package.sht_gauss_fly}
    grid_types |= {"dh": package.sht_reg_fast, "cc": package.sht_reg_poles}
    require(case["grid"] in grid_types, f"is not exact on the grid {case['grid']} at lmax = L-1")
    require(case["spin"] == 0, "compared at spin 0 only")
    require(case["dtype"] == "float64", "supports float64 only")
    L, shape = case["L"], SHAPES[case["grid"]](case["L"])
    sh = package.sht(L - 1, L - 1, nthreads=case["threads"])
    sh.set_grid(
        *shape,
        flags=grid_types[case["grid"]] | package.SHT_PHI_CONTIGUOUS | package.SHT_SCALAR_ONLY,
    )

    def inverse(alm, out=None):
        out = np.empty(shape) if out is None else out
        sh.SH_to_spat(alm, out)
        return out

    def forward(f, out=None):
        out = np.empty(sh.nlm, complex) if out is None else out
        sh.spat_to_SH(f.copy(), out)  # the transform overwrites its input
        return out

    n_maps = case["batch"]
    random_input = _m_major(case, ())
    remark = (
        "samples of a ring are contiguous; its set-up selects polar_opt, kernel and FFT by timing"
    )
    if n_maps == 1:
        return PreparedCase(inverse, forward, random_input, remark)
    loops = _loop(inverse, (n_maps, *shape), float), _loop(forward, (n_maps, sh.nlm), complex)
    return PreparedCase(*loops, random_input, remark + "; several maps in a Python loop")


def s2fft(case):
    """JAX on the CPU; the first calls include the computation of tables and the compilation."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    grids = {"mw": "mw", "mwss": "mwss", "dh": "dh", "glodd": "gl"}
    require(case["grid"] in grids, f"is not exact on the grid {case['grid']}")
    require(case["dtype"] == "float64", "compared in float64 only")
    L = case["L"]
    prepare = _s2fft_precomputed if L <= _MAX_DENSE_L else _s2fft_recursion
    calls = []
    for function, tables in prepare(L, grids[case["grid"]], case["spin"] == 0, case["spin"]):
        mapped = jax.vmap(function, (0, None)) if case["batch"] > 1 else function
        calls.append((jax.jit(mapped), jax.block_until_ready(tables)))

    def call(direction):
        compiled, tables = calls[direction]
        return lambda x: jax.block_until_ready(compiled(x, tables))

    def random_input(rng):
        from spherekit.conventions import to_s2fft

        return jax.numpy.asarray(to_s2fft(spherekit(case).random_input(rng)))

    remark = f"precomputed kernels up to L={_MAX_DENSE_L}, Price-McEwen recursion above; included in peak"
    return PreparedCase(call(0), call(1), random_input, remark)


def _s2fft_precomputed(L, grid, reality, spin):
    """(function of x and table, table) for both directions, with dense kernels of L^3 numbers."""
    from s2fft.precompute_transforms import construct
    from s2fft.precompute_transforms import spherical as package

    def make(transform, forward):
        table = construct.spin_spherical_kernel_jax(L, spin, reality, grid, forward=forward)
        return lambda x, table: transform(x, table, L, grid, reality, spin, None), table

    return make(package.inverse_transform_jax, False), make(package.forward_transform_jax, True)


def _s2fft_recursion(L, grid, reality, spin):
    """The same with a recursion, which has L^2 precomputed coefficients."""
    import s2fft as package

    def make(transform, forward):
        table = package.generate_precomputes_jax(L, spin, grid, forward=forward)
        return lambda x, table: transform(x, L, spin, None, grid, reality, table), table

    return make(package.inverse_jax, False), make(package.forward_jax, True)


#: Functions that prepare the spherical harmonic transforms, by name of the package; spherekit is the first.
CODES = {code.__name__: code for code in (spherekit, spherekit_f64, ducc0, healpy, shtns, s2fft)}


def require(condition, reason):
    """Raise `UnsupportedCase` unless the condition is true."""
    if not condition:
        raise UnsupportedCase(reason)


def _m_major(case, shape, dtype=np.complex128):
    """Function that returns random coefficients of real signals, m-major with m >= 0, zero for l < |spin|."""
    L = case["L"]
    shape = ((case["batch"],) if case["batch"] > 1 else ()) + shape

    def random_input(rng):
        m = np.repeat(np.arange(L), np.arange(L, 0, -1))
        ell = np.concatenate([np.arange(k, L) for k in range(L)])
        real, imag = rng.standard_normal((2, *shape, len(m)))
        alm = real + 1j * np.where(m > 0, imag, 0)
        return np.where(ell >= abs(case["spin"]), alm, 0).astype(dtype)

    return random_input


def _loop(function, shape, dtype):
    """Function that applies ``function(x, out)`` to each map of a batch and returns one array."""

    def apply(batch):
        result = np.empty(shape, dtype)
        for x, out in zip(batch, result, strict=True):
            function(x, out)
        return result

    return apply
