"""Compile all kernels now, so that later runs on this machine start at once."""

import time

import numpy as np


def arguments(parser):
    parser.add_argument("--threads", type=int, help="threads; default: the CPUs of this process")


def run(args):
    from spherekit._jit import cache_folder

    began = time.perf_counter()
    for title, step in _STEPS.items():
        started = time.perf_counter()
        step(args.threads)
        print(f"{time.perf_counter() - started:7.2f} s  {title}", flush=True)
    folder = cache_folder()
    kept = f"kept in {folder}" if folder else "not kept: SPHEREKIT_CACHE is 0"
    print(f"{time.perf_counter() - began:7.2f} s  in all; {kept}")


def _transforms(grid, spin, reality):
    def step(threads):
        import spherekit
        from spherekit.testing import random_flm

        L = 8
        how = dict(spin=spin, sampling=grid, reality=reality, threads=threads)
        flm = random_flm(L, np.random.default_rng(0), spin=spin, reality=reality)
        spherekit.forward(spherekit.inverse(flm, L, **how), L, **how)

    return step


def _points(threads):
    import spherekit

    spherekit.evaluate(np.zeros(64, complex), [0.5], [0.0], threads=threads)


_STEPS = {
    "real maps on rectangles": _transforms("gl", 0, True),
    "real maps, McEwen-Wiaux": _transforms("mw", 0, True),
    "real maps, HEALPix": _transforms("healpix:4", 0, True),
    "complex maps": _transforms("mw", 0, False),
    "spin fields": _transforms("mw", 2, False),
    "spin fields, HEALPix": _transforms("healpix:4", 2, False),
    "points": _points,
}
