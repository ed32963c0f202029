"""The codes that are compared on the rotation group: transforms, rotations, Wigner functions, couplings.

As in `cases.harmonic`; a case also has "transform", "N" (azimuthal band-limit) and "signal" (real or
complex).
"""

import numpy as np

from spherekit.bench.cases import layers, scattering
from spherekit.bench.cases.harmonic import Incomparable, Prepared, require

_ANGLES = 0.3, 1.1, -0.7


def _lead(case):
    return (case["batch"],) if case["batch"] > 1 else ()


# --- Wigner transforms -------------------------------------------------------------------------------


def wigner_spherekit(case):
    """Ours, through the public functions."""
    from spherekit import wigner
    from spherekit.testing import random_flmn

    require(
        case["grid"] in ("mw", "mwss", "dh", "dhpole", "gl", "cc"), "measured on rectangles only"
    )
    L, N, reality = case["L"], case["N"], case["signal"] == "real"
    kind = np.complex64 if case["dtype"] == "float32" else np.complex128
    how = dict(sampling=case["grid"], reality=reality, threads=case["threads"])

    def start(rng):
        return random_flmn(L, N, rng, reality=reality, shape=_lead(case), dtype=kind)

    return Prepared(
        lambda x: wigner.inverse(x, L, N, **how), lambda f: wigner.forward(f, L, N, **how), start
    )


def wigner_ducc0(case):
    """Composed by hand: its spin transform of each n, then its FFT over gamma."""
    import ducc0 as code

    names = {"mw": "MW", "gl": "GL", "dh": "F1", "cc": "CC"}
    require(case["grid"] in names, f"grid {case['grid']}: not among its rectangles")
    require(case["dtype"] == "float64", "measured in float64 only")
    require(case["batch"] == 1, "has no batches of these")
    L, N, real, threads = case["L"], case["N"], case["signal"] == "real", case["threads"]
    rings = {"mw": L, "gl": L, "dh": 2 * L, "cc": 2 * L - 1}[case["grid"]]
    back = dict(geometry=names[case["grid"]], lmax=L - 1, nthreads=threads)
    there, shape = dict(**back, ntheta=rings, nphi=2 * L - 1), (rings, 2 * L - 1)
    orders = range(N) if real else range(1 - N, N)

    def inverse(alms):
        F = np.empty((len(orders), *shape), complex)
        for field, alm, n in zip(F, alms, orders, strict=True):
            if n:
                field.real, field.imag = code.sht.synthesis_2d(alm=alm, spin=abs(n), **there)
            else:
                field.real = code.sht.synthesis_2d(alm=alm[:1], spin=0, **there)[0]
                field.imag = 0 if real else code.sht.synthesis_2d(alm=alm[1:], spin=0, **there)[0]
        if real:
            return code.fft.c2r(F, axes=(0,), lastsize=2 * N - 1, forward=False, nthreads=threads)
        return code.fft.c2c(F, axes=(0,), forward=False, nthreads=threads)

    def forward(f):
        transform = code.fft.r2c if real else code.fft.c2c
        F = transform(f, axes=(0,), nthreads=threads, inorm=2)
        alms = np.zeros((len(orders), 2, L * (L + 1) // 2), complex)
        parts = np.empty((2, *shape))
        for field, alm, n in zip(F, alms, orders, strict=True):
            parts[0], parts[1] = field.real, field.imag
            if n:
                code.sht.analysis_2d(map=parts, spin=abs(n), alm=alm, **back)
            else:
                code.sht.analysis_2d(map=parts[:1], spin=0, alm=alm[:1], **back)
                if not real:
                    code.sht.analysis_2d(map=parts[1:], spin=0, alm=alm[1:], **back)
        return alms

    def start(rng):
        m = np.repeat(np.arange(L), np.arange(L, 0, -1))
        ell = np.concatenate([np.arange(k, L) for k in range(L)])
        values = rng.standard_normal((2, len(orders), 2, len(m)))
        alms = values[0] + 1j * np.where(m > 0, values[1], 0)
        for alm, n in zip(alms, orders, strict=True):
            alm[:, ell < abs(n)] = 0
            if n == 0 and real:
                alm[1] = 0
        return alms

    return Prepared(
        inverse,
        forward,
        start,
        "composed: a spin transform of each n and an FFT over gamma; from and to E and B, unscaled",
    )


def wigner_s2fft(case):
    """JAX on the CPU, from stored kernels, compiled at first."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    from s2fft.precompute_transforms import construct
    from s2fft.precompute_transforms import wigner as code

    grids = {"mw": "mw", "mwss": "mwss", "dh": "dh", "gl": "gl"}
    require(case["grid"] in grids, f"grid {case['grid']}: not among its exact ones")
    require(
        case["dtype"] == "float64" and case["batch"] == 1, "measured in float64, one signal only"
    )
    L, N, real = case["L"], case["N"], case["signal"] == "real"
    require(N * L**3 < 6e7, "its stored kernels would take more than the memory of a small machine")
    how = L, N, grids[case["grid"]], real, None
    calls = []
    for transform, forward in (
        (code.inverse_transform_jax, False),
        (code.forward_transform_jax, True),
    ):
        kernel = construct.wigner_kernel_jax(L, N, real, grids[case["grid"]], forward=forward)
        compiled = jax.jit(lambda x, table, t=transform: t(x, table, *how))
        calls.append((compiled, jax.block_until_ready(kernel)))

    def call(direction):
        compiled, table = calls[direction]
        return lambda x: jax.block_until_ready(compiled(x, table))

    def start(rng):
        from spherekit.conventions import to_s2fft

        return jax.numpy.asarray(to_s2fft(wigner_spherekit(case).start(rng)))

    return Prepared(call(0), call(1), start, "stored kernels of N L^3 numbers; they count in peak")


# --- rotations ---------------------------------------------------------------------------------------


def rotate_spherekit(case):
    """Ours: there, and back by the inverse angles."""
    from spherekit import wigner
    from spherekit.testing import random_flm

    L, reality = case["L"], case["signal"] == "real"
    how = dict(reality=reality, threads=case["threads"])
    kind = np.complex64 if case["dtype"] == "float32" else np.complex128
    back = [-angle for angle in _ANGLES[::-1]]
    return Prepared(
        lambda x: wigner.rotate(x, *_ANGLES, **how),
        lambda x: wigner.rotate(x, *back, **how),
        lambda rng: random_flm(L, rng, reality=reality, shape=_lead(case), dtype=kind),
    )


def rotate_ducc0(case):
    """`rotate_alm`; a complex signal is two real ones, many are rotated in a loop."""
    import ducc0 as code

    require(case["dtype"] == "float64", "measured in float64 only")

    def turn(alm, angles, L):
        return code.sht.rotate_alm(
            alm, L - 1, angles[2], angles[1], angles[0], nthreads=case["threads"]
        )

    return _rotations(case, turn, "a complex signal by two calls, several signals in a loop")


def rotate_healpy(case):
    """`rotate_alm`, in place."""
    import healpy as code

    require(case["dtype"] == "float64", "measured in float64 only")

    def turn(alm, angles, L):
        alm = alm.copy()
        code.rotate_alm(alm, angles[2], angles[1], angles[0], lmax=L - 1)
        return alm

    return _rotations(case, turn, "a complex signal by two calls, several signals in a loop")


def _rotations(case, turn, remark):
    L = case["L"]
    back = [-angle for angle in _ANGLES[::-1]]
    count = case["batch"] * (1 if case["signal"] == "real" else 2)

    def start(rng):
        m = np.repeat(np.arange(L), np.arange(L, 0, -1))
        values = rng.standard_normal((2, count, len(m)))
        return values[0] + 1j * np.where(m > 0, values[1], 0)

    return Prepared(
        lambda x: np.stack([turn(alm, _ANGLES, L) for alm in x]),
        lambda x: np.stack([turn(alm, back, L) for alm in x]),
        start,
        remark,
    )


# --- functions and couplings: one way ----------------------------------------------------------------


def matrices_spherekit(case):
    """All d^l(beta), and as "forward" all D^l."""
    from spherekit import wigner

    L = case["L"]
    return Prepared(
        lambda angles: wigner.d(angles[1], L),
        lambda _: wigner.D(*_ANGLES, L),
        lambda rng: np.array(_ANGLES),
        "matrices: the first column is d, the second D; no round trip, no error",
        one_way=True,
    )


def matrices_spherical(case):
    """The package of Boyle, on Numba: its `Wigner.d` and `Wigner.D`, tables made beforehand."""
    import quaternionic
    import spherical as code

    wigner = code.Wigner(case["L"] - 1)
    rotor = quaternionic.array.from_euler_angles(*_ANGLES)
    turn = np.exp(1j * _ANGLES[1])
    return Prepared(
        lambda _: wigner.d(turn),
        lambda _: wigner.D(rotor),
        lambda rng: np.array(_ANGLES),
        one_way=True,
    )


def coupling_spherekit(case):
    """Every coefficient of each two degrees below L, all l; as "forward" those of L-1 with L-1."""
    from spherekit.wigner.coupling import clebsch_gordan_by_order

    def all_of(degrees):
        return [
            clebsch_gordan_by_order(l1, l2, l)
            for l1 in degrees
            for l2 in degrees
            for l in range(abs(l1 - l2), l1 + l2 + 1)  # noqa: E741
        ]

    L = case["L"]
    return Prepared(
        lambda _: all_of(range(L)),
        lambda _: all_of([L - 1]),
        lambda rng: np.zeros(1),
        "coupling: the first column is all l1, l2 < L and every l, the second l1 = l2 = L-1",
        one_way=True,
    )


def coupling_ducc0(case):
    """`wigner3j_int` for every l1, l2, m1, m2, in a loop."""
    from ducc0.misc import wigner3j_int

    def all_of(degrees):
        values = []
        for l1 in degrees:
            for l2 in degrees:
                for m1 in range(-l1, l1 + 1):
                    values += [wigner3j_int(l1, l2, m1, m2) for m2 in range(-l2, l2 + 1)]
        return values

    L = case["L"]
    return Prepared(
        lambda _: all_of(range(L)),
        lambda _: all_of([L - 1]),
        lambda rng: np.zeros(1),
        "3j symbols of all l for each l1, l2, m1, m2, in a Python loop",
        one_way=True,
    )


#: The codes of each transform by name; ours is the first.
CODES = {
    "wigner": {"spherekit": wigner_spherekit, "ducc0": wigner_ducc0, "s2fft": wigner_s2fft},
    "rotate": {"spherekit": rotate_spherekit, "ducc0": rotate_ducc0, "healpy": rotate_healpy},
    "matrices": {"spherekit": matrices_spherekit, "spherical": matrices_spherical},
    "cg": {"spherekit": coupling_spherekit, "ducc0": coupling_ducc0},
    **scattering.CODES,
    **layers.CODES,
}


def prepare(case):
    """The `Prepared` of a case."""
    codes = CODES[case["transform"]]
    if case["code"] not in codes:
        raise Incomparable(f"{case['transform']}: not measured with it")
    return codes[case["code"]](case)
