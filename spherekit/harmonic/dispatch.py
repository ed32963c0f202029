"""Which engine does a transform: the one place that knows them all.

A `Problem` says what is to be done: the checked arguments of a public function, and what the arrays add to
them. Every engine is a module with

    name                                   what ``engine=`` calls it
    unusable_reason(problem)                  None, or the reason as text
    is_usable_for(problem)                 whether it is to be used: it can, and its tables or buffers fit
    required_bytes(problem)                  memory beside the input: result, tables, buffers
    synthesis(flm, problem, checked)       coefficients -> samples; ``checked``: refuse a broken symmetry
    analysis(f, problem)                   samples -> coefficients

and refuses bad numbers itself. The choice depends on nothing but the problem, so that results do not either.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

import numpy as np

from spherekit._core import checks
from spherekit.harmonic import plan
from spherekit.harmonic.engines import batched, precomputed, recursion
from spherekit.sampling.base import Grid

#: Engines for NumPy arrays, the fastest first where it is usable; the last one is usable for everything.
ENGINES = (batched, precomputed, recursion)
#: Names for ``engine=``. The last one is imported when it is needed: it takes the package numba-cuda.
NAMES = ("auto", *(engine.name for engine in ENGINES), "cuda")


class TransformProblem:
    """What follows from the fields that the problems of `harmonic` and `wigner` share."""

    __slots__ = ()

    @property
    def is_adjoint(self):
        """Whether it is the adjoint of ``inverse`` or ``forward``."""
        return self.to_samples == (self.plan_of is plan.analysis_plan)

    @property
    def result_shape(self):
        """Shape of the result for one map."""
        return self.grid.shape if self.to_samples else self.coefficients_shape

    @property
    def result_type(self):
        """Type of the numbers of the result."""
        return checks.result_type(self.reality and self.to_samples, self.single)

    @property
    def result_bytes(self):
        """Bytes of the result for all maps."""
        return self.maps * math.prod(self.result_shape) * np.dtype(self.result_type).itemsize


@dataclass(frozen=True, slots=True)
class Problem(TransformProblem):
    """One of the four maps between samples and coefficients, with given arguments and arrays.

    Parameters
    ----------
    grid, L, spin, reality, threads
        As in `spherekit.harmonic.inverse`, checked.
    plan_of : callable
        `plan.synthesis_plan` for ``inverse`` and its adjoint, `plan.analysis_plan` for ``forward`` and its.
    to_samples : bool
        Coefficients to samples (a synthesis), or samples to coefficients (an analysis).
    maps : int
        All leading axes together.
    single : bool
        The input is in single precision, and the result too.
    on_gpu : bool
        The arrays lie on a GPU.
    """

    grid: Grid
    L: int
    spin: int
    reality: bool
    threads: int
    plan_of: Callable
    to_samples: bool
    maps: int = 1
    single: bool = False
    on_gpu: bool = False

    @property
    def coefficients_shape(self):
        """Shape of the coefficients of one map."""
        return (self.L * self.L,)


def choose(problem, engine="auto"):
    """The engine of that name, by default the first that is usable.

    Raises
    ------
    ValueError
        The engine of that name is not usable for this problem, with the reason.
    """
    if engine == "auto" and problem.on_gpu:
        return _cuda()
    if engine != "auto":
        refuse_other_device(problem, engine)
    return pick(problem, engine, (_cuda(),) if engine == "cuda" else ENGINES)


def pick(problem, engine, engines):
    """The engine of that name among ``engines``, or the first that is usable."""
    if engine == "auto":
        return next(candidate for candidate in engines if candidate.is_usable_for(problem))
    chosen = next(candidate for candidate in engines if candidate.name == engine)
    reason = chosen.unusable_reason(problem)
    if reason is not None:
        raise ValueError(
            f'engine="{engine}" cannot do this transform: {reason}; pass engine="auto" for one that can'
        )
    return chosen


def refuse_other_device(problem, engine):
    """Refuse an engine that does not run where the arrays lie."""
    if problem.on_gpu != (engine == "cuda"):
        place = "a GPU, where only the CUDA kernels run" if problem.on_gpu else "the CPU"
        raise ValueError(
            f'engine="{engine}" cannot do this transform: the array lies on {place}; pass engine="auto"'
        )


def required_bytes(problem, engine="auto"):
    """Bytes that the engine needs beside its input."""
    return choose(problem, engine).required_bytes(problem) if problem.maps else 0


@lru_cache(maxsize=512)
def prepare(engine, *fields):
    """(the `Problem` of these fields, the engine for it, the bytes that it needs).

    All in one look-up: a transform of a small map takes 30 microseconds.
    """
    problem = Problem(*fields)
    return problem, choose(problem, engine), required_bytes(problem, engine)


def engine_name(engine, names=NAMES):
    """``engine`` as one of the names."""
    if not (isinstance(engine, str) and engine in names):
        known = ", ".join(f'"{name}"' for name in names)
        raise ValueError(f"engine is {engine!r}; expected one of {known}")
    return engine


def directions(direction):
    """[(plan_of, to_samples)] of "forward", "inverse", or both for None; others are refused."""
    forward, inverse = (plan.analysis_plan, False), (plan.synthesis_plan, True)
    known = {"forward": [forward], "inverse": [inverse], None: [forward, inverse]}
    if direction not in known:
        raise ValueError(
            f'direction is {direction!r}; expected "forward", "inverse", or None for the larger'
        )
    return known[direction]


def _cuda():
    return import_module("spherekit.harmonic.engines.cuda")
