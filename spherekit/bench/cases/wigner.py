"""Computations on the rotation group by spherekit and other packages, prepared for timing.

Wigner transforms, rotations, Wigner functions and coupling coefficients. Cases are those of `cases.harmonic`,
with the additional keys "transform", "N" (azimuthal band-limit) and "signal" (real or complex).
"""

from functools import partial

import numpy as np

from spherekit.bench.cases import fields, layers, pixel_regions, pixels, scattering, spectra, winds
from spherekit.bench.cases.harmonic import PreparedCase, UnsupportedCase, require

_ANGLES = 0.3, 1.1, -0.7


def _batch_shape(case):
    return (case["batch"],) if case["batch"] > 1 else ()


# --- Wigner transforms -------------------------------------------------------------------------------


def wigner_spherekit(case):
    """`spherekit.wigner.inverse` and `spherekit.wigner.forward`."""
    from spherekit import wigner
    from spherekit.testing import random_flmn

    require(
        case["grid"] in ("mw", "mwss", "dh", "dhpole", "gl", "cc"),
        "compared on rectangular grids only",
    )
    L, N, reality = case["L"], case["N"], case["signal"] == "real"
    dtype = np.complex64 if case["dtype"] == "float32" else np.complex128
    options = dict(sampling=case["grid"], reality=reality, threads=case["threads"])

    def random_input(rng):
        return random_flmn(L, N, rng, reality=reality, shape=_batch_shape(case), dtype=dtype)

    return PreparedCase(
        lambda x: wigner.inverse(x, L, N, **options),
        lambda f: wigner.forward(f, L, N, **options),
        random_input,
    )


def wigner_ducc0(case):
    """Composed of a spin transform for each n and an FFT over gamma."""
    import ducc0 as package

    names = {"mw": "MW", "gl": "GL", "dh": "F1", "cc": "CC"}
    require(case["grid"] in names, f"does not support the grid {case['grid']}")
    require(case["dtype"] == "float64", "compared in float64 only")
    require(case["batch"] == 1, "does not support batches of these transforms")
    L, N, real, threads = case["L"], case["N"], case["signal"] == "real", case["threads"]
    rings = {"mw": L, "gl": L, "dh": 2 * L, "cc": 2 * L - 1}[case["grid"]]
    shape = rings, 2 * L - 1
    analysis_options = dict(geometry=names[case["grid"]], lmax=L - 1, nthreads=threads)
    synthesis_options = dict(**analysis_options, ntheta=shape[0], nphi=shape[1])
    synthesis = partial(package.sht.synthesis_2d, **synthesis_options)
    analysis = partial(package.sht.analysis_2d, **analysis_options)
    orders = range(N) if real else range(1 - N, N)

    def inverse(alms):
        F = np.empty((len(orders), *shape), complex)
        for field, alm, n in zip(F, alms, orders, strict=True):
            if n:
                field.real, field.imag = synthesis(alm=alm, spin=abs(n))
            else:
                field.real = synthesis(alm=alm[:1], spin=0)[0]
                field.imag = 0 if real else synthesis(alm=alm[1:], spin=0)[0]
        if real:
            return package.fft.c2r(
                F, axes=(0,), lastsize=2 * N - 1, forward=False, nthreads=threads
            )
        return package.fft.c2c(F, axes=(0,), forward=False, nthreads=threads)

    def forward(f):
        transform = package.fft.r2c if real else package.fft.c2c
        F = transform(f, axes=(0,), nthreads=threads, inorm=2)
        alms = np.zeros((len(orders), 2, L * (L + 1) // 2), complex)
        components = np.empty((2, *shape))
        for field, alm, n in zip(F, alms, orders, strict=True):
            components[0], components[1] = field.real, field.imag
            if n:
                analysis(map=components, spin=abs(n), alm=alm)
            else:
                analysis(map=components[:1], spin=0, alm=alm[:1])
                if not real:
                    analysis(map=components[1:], spin=0, alm=alm[1:])
        return alms

    def random_input(rng):
        m = np.repeat(np.arange(L), np.arange(L, 0, -1))
        ell = np.concatenate([np.arange(k, L) for k in range(L)])
        values = rng.standard_normal((2, len(orders), 2, len(m)))
        alms = values[0] + 1j * np.where(m > 0, values[1], 0)
        for alm, n in zip(alms, orders, strict=True):
            alm[:, ell < abs(n)] = 0
            if n == 0 and real:
                alm[1] = 0
        return alms

    return PreparedCase(
        inverse,
        forward,
        random_input,
        "composed of a spin transform for each n and an FFT over gamma; from and to E and B, not normalized",
    )


def wigner_s2fft(case):
    """JAX on the CPU with precomputed kernels; the first call includes the compilation."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    from s2fft.precompute_transforms import construct
    from s2fft.precompute_transforms import wigner as package

    grids = {"mw": "mw", "mwss": "mwss", "dh": "dh", "gl": "gl"}
    require(case["grid"] in grids, f"is not exact on the grid {case['grid']}")
    require(
        case["dtype"] == "float64" and case["batch"] == 1,
        "compared in float64 and for one signal only",
    )
    L, N, real = case["L"], case["N"], case["signal"] == "real"
    require(N * L**3 < 6e7, "its precomputed kernels would exceed the memory of a small machine")
    arguments = L, N, grids[case["grid"]], real, None
    calls = []
    for transform, forward in (
        (package.inverse_transform_jax, False),
        (package.forward_transform_jax, True),
    ):
        kernel = construct.wigner_kernel_jax(L, N, real, grids[case["grid"]], forward=forward)
        compiled = jax.jit(lambda x, table, t=transform: t(x, table, *arguments))
        calls.append((compiled, jax.block_until_ready(kernel)))

    def call(direction):
        compiled, table = calls[direction]
        return lambda x: jax.block_until_ready(compiled(x, table))

    def random_input(rng):
        from spherekit.conventions import to_s2fft

        return jax.numpy.asarray(to_s2fft(wigner_spherekit(case).random_input(rng)))

    return PreparedCase(
        call(0), call(1), random_input, "precomputed kernels of N L^3 numbers, included in peak"
    )


# --- rotations ---------------------------------------------------------------------------------------


def rotate_spherekit(case):
    """`spherekit.wigner.rotate`, by Euler angles and by those of the inverse rotation."""
    from spherekit import wigner
    from spherekit.testing import random_flm

    L, reality = case["L"], case["signal"] == "real"
    options = dict(reality=reality, threads=case["threads"])
    dtype = np.complex64 if case["dtype"] == "float32" else np.complex128
    inverse_angles = [-angle for angle in _ANGLES[::-1]]
    return PreparedCase(
        lambda x: wigner.rotate(x, *_ANGLES, **options),
        lambda x: wigner.rotate(x, *inverse_angles, **options),
        lambda rng: random_flm(L, rng, reality=reality, shape=_batch_shape(case), dtype=dtype),
    )


def rotate_ducc0(case):
    """`rotate_alm`; a complex signal consists of two real ones, and several signals are rotated in a loop."""
    import ducc0 as package

    require(case["dtype"] == "float64", "compared in float64 only")

    def rotate(alm, angles, L):
        return package.sht.rotate_alm(
            alm, L - 1, angles[2], angles[1], angles[0], nthreads=case["threads"]
        )

    return _rotations(
        case, rotate, "a complex signal by two calls, several signals in a Python loop"
    )


def rotate_healpy(case):
    """`rotate_alm`, in place."""
    import healpy as package

    require(case["dtype"] == "float64", "compared in float64 only")

    def rotate(alm, angles, L):
        alm = alm.copy()
        package.rotate_alm(alm, angles[2], angles[1], angles[0], lmax=L - 1)
        return alm

    return _rotations(
        case, rotate, "a complex signal by two calls, several signals in a Python loop"
    )


def _rotations(case, rotate, remark):
    L = case["L"]
    inverse_angles = [-angle for angle in _ANGLES[::-1]]
    count = case["batch"] * (1 if case["signal"] == "real" else 2)

    def random_input(rng):
        m = np.repeat(np.arange(L), np.arange(L, 0, -1))
        values = rng.standard_normal((2, count, len(m)))
        return values[0] + 1j * np.where(m > 0, values[1], 0)

    return PreparedCase(
        lambda x: np.stack([rotate(alm, _ANGLES, L) for alm in x]),
        lambda x: np.stack([rotate(alm, inverse_angles, L) for alm in x]),
        random_input,
        remark,
    )


# --- Wigner functions and coupling coefficients: no round trip ---------------------------------------


def matrices_spherekit(case):
    """All matrices d^l(beta), and as "forward" all D^l."""
    from spherekit import wigner

    L = case["L"]
    return PreparedCase(
        lambda angles: wigner.d(angles[1], L),
        lambda _: wigner.D(*_ANGLES, L),
        lambda rng: np.array(_ANGLES),
        "matrices: all d^l, and all D^l, of one rotation",
        one_way=True,
    )


def matrices_spherical(case):
    """`Wigner.d` and `Wigner.D` of the package `spherical` (Numba), with precomputed tables."""
    import quaternionic
    import spherical as package

    wigner = package.Wigner(case["L"] - 1)
    rotor = quaternionic.array.from_euler_angles(*_ANGLES)
    exp_beta = np.exp(1j * _ANGLES[1])
    return PreparedCase(
        lambda _: wigner.d(exp_beta),
        lambda _: wigner.D(rotor),
        lambda rng: np.array(_ANGLES),
        one_way=True,
    )


def coupling_spherekit(case):
    """All coefficients of all pairs of degrees below L, and as "forward" those of l1 = l2 = L-1."""
    from spherekit.wigner.coupling import clebsch_gordan_by_order

    def coefficients(degrees):
        return [
            clebsch_gordan_by_order(l1, l2, l)
            for l1 in degrees
            for l2 in degrees
            for l in range(abs(l1 - l2), l1 + l2 + 1)  # noqa: E741
        ]

    L = case["L"]
    return PreparedCase(
        lambda _: coefficients(range(L)),
        lambda _: coefficients([L - 1]),
        lambda rng: np.zeros(1),
        "coupling coefficients: all l1, l2 < L, and l1 = l2 = L-1, with all l",
        one_way=True,
    )


def coupling_ducc0(case):
    """`wigner3j_int` for each l1, l2, m1 and m2, in a Python loop."""
    from ducc0.misc import wigner3j_int

    def coefficients(degrees):
        values = []
        for l1 in degrees:
            for l2 in degrees:
                for m1 in range(-l1, l1 + 1):
                    values += [wigner3j_int(l1, l2, m1, m2) for m2 in range(-l2, l2 + 1)]
        return values

    L = case["L"]
    return PreparedCase(
        lambda _: coefficients(range(L)),
        lambda _: coefficients([L - 1]),
        lambda rng: np.zeros(1),
        "one call for each l1, l2, m1, m2, which returns the 3j symbols of all l; Python loop",
        one_way=True,
    )


#: Functions that prepare each computation, by name of the package; spherekit is the first.
CODES = {
    "wigner": {"spherekit": wigner_spherekit, "ducc0": wigner_ducc0, "s2fft": wigner_s2fft},
    "rotate": {"spherekit": rotate_spherekit, "ducc0": rotate_ducc0, "healpy": rotate_healpy},
    "matrices": {"spherekit": matrices_spherekit, "spherical": matrices_spherical},
    "cg": {"spherekit": coupling_spherekit, "ducc0": coupling_ducc0},
    **scattering.CODES,
    **layers.CODES,
    **winds.CODES,
    **fields.CODES,
    **spectra.CODES,
    **pixels.CODES,
    **pixel_regions.CODES,
}


def prepare(case):
    """Perform the set-up of a case and return its `PreparedCase`."""
    codes = CODES[case["transform"]]
    if case["code"] not in codes:
        raise UnsupportedCase(f"not compared for {case['transform']}")
    return codes[case["code"]](case)
