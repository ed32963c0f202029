"""The scattering network as a layer: designed, without parameters."""

from functools import lru_cache

import autograd.numpy as anp

from spherekit._core.parallel import thread_count
from spherekit.nn.network import expect, named
from spherekit.nn.types import Sphere
from spherekit.scattering import Scattering


def scattering(lam=2, J0=2, depth=2, N=1, paths="descending", *, oversample=2):
    """Channels by paths, of band-limit L0 = ceil(lam^J0). Parameters as `spherekit.scattering.Scattering`."""

    def bind(takes):
        expect(takes, Sphere)
        how = dict(oversample=oversample, spin=takes.spin, reality=takes.real)

        @lru_cache(maxsize=4)
        def made(threads):
            return Scattering(takes.L, lam, J0, depth, N, paths, **how, threads=threads)

        first = made(thread_count())
        gives = Sphere(first.L0, takes.channels * len(first.paths))

        def apply(x, mode):
            y = made(mode.threads).from_flm(x)
            return anp.reshape(y, (len(x), gives.channels, gives.L**2))

        return named("scattering", takes, gives, apply)

    return bind
