"""Which engine does a Wigner transform, as `harmonic.dispatch`: the one place that knows them all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spherekit.harmonic import plan
from spherekit.harmonic.dispatch import TransformProblem, pick
from spherekit.sampling import RotationGrid
from spherekit.wigner import packing
from spherekit.wigner.engines import batched, by_order, precomputed

#: Engines, the fastest first where it is usable; the last one is usable for everything.
ENGINES = (batched, precomputed, by_order)
#: Names for ``engine=``.
NAMES = ("auto", *(engine.name for engine in ENGINES))


@dataclass(frozen=True, slots=True)
class Problem(TransformProblem):
    """One of the four maps between samples and coefficients, with given arguments and arrays.

    Parameters
    ----------
    grid : RotationGrid
    L, N, lower, reality, threads
        As in `spherekit.wigner.inverse`, checked; ``lower`` is its L_lower.
    plan_of, to_samples, maps, single
        As in `spherekit.harmonic.dispatch.Problem`.
    """

    grid: RotationGrid
    L: int
    N: int
    lower: int
    reality: bool
    threads: int
    plan_of: Callable
    to_samples: bool
    maps: int = 1
    single: bool = False

    @property
    def coefficients_shape(self):
        """Shape of the coefficients of one signal."""
        return 2 * self.N - 1, self.L * self.L

    @property
    def orders(self):
        """The orders n of the fields, ascending."""
        return packing.orders(self.N, self.grid.steerable, self.reality)

    @property
    def scale(self):
        """The factor of each degree: (2l+1)/(8 pi^2) of a synthesis, the measure of an analysis.

        Over the sqrt((2l+1)/4pi) that a spin harmonic has and d^l has not. Zero below ``lower``.
        """
        ell = np.arange(self.L)
        if self.plan_of is plan.synthesis_plan:
            scale = np.sqrt((2 * ell + 1) / (16 * np.pi**3))
        else:
            scale = np.sqrt(4 * np.pi / (2 * ell + 1)) * (2 * np.pi / self.grid.n_gamma)
        return np.where(ell < self.lower, 0.0, scale)


def choose(problem, engine="auto"):
    """The engine of that name, by default the first that is usable.

    Raises
    ------
    ValueError
        The engine of that name is not usable for this problem, with the reason.
    """
    return pick(problem, engine, ENGINES)


def required_bytes(problem, engine="auto"):
    """Bytes that the engine needs beside its input."""
    return choose(problem, engine).required_bytes(problem) if problem.maps else 0


@lru_cache(maxsize=512)
def prepare(engine, *fields):
    """(the `Problem` of these fields, the engine for it, the bytes that it needs)."""
    problem = Problem(*fields)
    return problem, choose(problem, engine), required_bytes(problem, engine)
