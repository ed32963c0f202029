"""Compile all kernels and cache them, so that later runs do not compile."""

import time

import numpy as np

from spherekit.cli import options


def arguments(parser):
    options.threads(parser)


def run(args):
    from spherekit._core.jit import cache_folder, runs_as_python

    if runs_as_python():
        raise options.Usage(
            "there is nothing to compile, since SPHEREKIT_SIMD=numpy or NUMBA_DISABLE_JIT is set and kernels "
            "run as plain Python; unset these variables"
        )
    start = time.perf_counter()
    for title, step in _STEPS.items():
        start_of_step = time.perf_counter()
        for warm, *flags in step:
            warm(args.threads, *flags)
        print(f"{time.perf_counter() - start_of_step:7.2f} s  {title}", flush=True)
    folder = cache_folder()
    location = f"cached in {folder}" if folder else "not cached, since SPHEREKIT_CACHE is 0"
    print(f"{time.perf_counter() - start:7.2f} s  in total; {location}")


def _transform(threads, grid, spin=0, dtype=complex, maps=1):
    """Run both directions at band-limits for tables and for the recursion; spin None: complex maps."""
    import spherekit
    from spherekit.testing import random_flm

    reality = spin == 0
    spin = spin or 0
    rng = np.random.default_rng(0)
    for L in (8, 96):
        sampling = f"healpix:{L // 2}" if grid == "healpix" else grid
        flags = dict(spin=spin, sampling=sampling, reality=reality, threads=threads)
        flm = random_flm(L, rng, spin=spin, reality=reality, shape=(maps,), dtype=dtype)
        spherekit.forward(spherekit.inverse(flm, L, **flags), L, **flags)


def _points(threads):
    import spherekit

    spherekit.evaluate(np.zeros(64, complex), [0.5], [0.0], threads=threads)


def _group(threads, reality):
    """Run Wigner transforms in both directions, with shared tables and by slices of n, and rotations."""
    from spherekit import wigner
    from spherekit.testing import random_flm, random_flmn

    rng = np.random.default_rng(0)
    for L, N, steerable in ((10, 10, False), (96, 2, True)):
        flags = dict(reality=reality, steerable=steerable, threads=threads)
        flmn = random_flmn(L, N, rng, reality=reality, steerable=steerable)
        wigner.forward(wigner.inverse(flmn, L, N, **flags), L, N, **flags)
    flm = random_flm(8, rng, reality=reality)
    wigner.rotate(flm, 0.1, 0.2, 0.3, reality=reality, threads=threads)


def _functions(threads):
    from spherekit import wigner

    wigner.d_column(1, 0, 0.1, 4)
    wigner.D(0.1, 0.2, 0.3, 4)
    wigner.clebsch_gordan(1, 1, 1)
    wigner.clebsch_gordan_blocks(3)
    wigner.wigner_3j(1, 1, 2, 0, 0, 0)
    wigner.clebsch_gordan_by_order(1, 1, 1)


def _wavelets(threads):
    from spherekit.wavelets import Wavelets

    w = Wavelets(8, N=2, threads=threads)
    w.synthesis_flm(*w.analysis_flm(np.zeros(64, complex)))


def _covariances(threads):
    import autograd.numpy as anp
    from autograd import grad

    from spherekit.scattering import Covariances

    C = Covariances(8, N=1, threads=threads)
    grad(lambda flm: anp.sum(C.from_flm(flm).C11))(np.zeros(64, complex))


def _layers(threads, dtype):
    from autograd import grad

    from spherekit import nn

    net = nn.models.cobb(4, 2, depth=1)
    x = np.zeros((1, 1, 16), np.result_type(dtype, np.complex64))
    params, state = net.init(np.random.default_rng(0), dtype=dtype)
    grad(lambda p: net(p, x, state=state, threads=threads)[0, 0])(params)


_SINGLE = np.complex64

#: (function, arguments) of each step.
_STEPS = {
    "real maps, rectangular grids": [(_transform, "gl")],
    "real maps, McEwen-Wiaux": [(_transform, "mw")],
    "real maps, HEALPix": [(_transform, "healpix")],
    "complex maps and spin fields": [(_transform, "mw", None), (_transform, "mw", 2)],
    "spin fields, HEALPix": [(_transform, "healpix", 2)],
    "float32": [(_transform, *case, _SINGLE) for case in (("gl", 0), ("gl", 2), ("healpix", 0))],
    "float32, batches of maps": [(_transform, "gl", spin, _SINGLE, 8) for spin in (0, 2)],
    "batches of real maps": [(_transform, "gl", 0, np.complex128, 8)],
    "evaluation at points": [(_points,)],
    "Wigner transforms and rotations": [(_group, True), (_group, False)],
    "Wigner functions and Clebsch-Gordan coefficients": [(_functions,)],
    "wavelets": [(_wavelets,)],
    "scattering covariances": [(_covariances,)],
    "equivariant layers": [(_layers, np.float64), (_layers, np.float32)],
}
