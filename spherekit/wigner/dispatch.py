"""Selection of the engine of a Wigner transform; the counterpart of `harmonic.dispatch`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spherekit.harmonic import plan
from spherekit.harmonic.dispatch import TransformProblem, choose_from
from spherekit.sampling import RotationGrid
from spherekit.wigner import packing
from spherekit.wigner.engines import batched, by_order, precomputed

#: Engines, in order of decreasing speed where they are usable; the last one is usable for all problems.
ENGINES = (batched, precomputed, by_order)
#: Values of ``engine=``.
NAMES = ("auto", *(engine.name for engine in ENGINES))


@dataclass(frozen=True, slots=True)
class Problem(TransformProblem):
    """One of the four maps between samples and coefficients, with its arguments and the type of its arrays.

    Parameters
    ----------
    grid : RotationGrid
    L, N, lower, reality, threads
        As in `spherekit.wigner.inverse`, after its checks; ``lower`` is its L_lower.
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
        """The factor of each degree, divided by the sqrt((2l+1)/4pi) by which a spin harmonic exceeds d^l.

        (2l+1)/(8 pi^2) in a synthesis, the measure of gamma in an analysis. Zero below ``lower``.
        """
        ell = np.arange(self.L)
        if self.plan_of is plan.synthesis_plan:
            scale = np.sqrt((2 * ell + 1) / (16 * np.pi**3))
        else:
            scale = np.sqrt(4 * np.pi / (2 * ell + 1)) * (2 * np.pi / self.grid.n_gamma)
        return np.where(ell < self.lower, 0.0, scale)


def choose(problem, engine="auto"):
    """The engine of that name, by default the first usable one.

    Raises
    ------
    ValueError
        The named engine is not usable for this problem; the message contains the reason.
    """
    return choose_from(problem, engine, ENGINES)


def required_bytes(problem, engine="auto"):
    """Bytes that the engine needs in addition to its input."""
    return choose(problem, engine).required_bytes(problem) if problem.maps else 0


@lru_cache(maxsize=512)
def prepare(engine, *fields):
    """The `Problem` of these fields, its engine, and the bytes that it needs."""
    problem = Problem(*fields)
    return problem, choose(problem, engine), required_bytes(problem, engine)
