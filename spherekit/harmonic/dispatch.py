"""Selection of the engine of a transform.

A `Problem` contains the checked arguments of a public function and the properties of the arrays. Each engine
is a module with

    name                                   its name in ``engine=``
    unusable_reason(problem)               the reason why it cannot solve the problem, or None
    is_usable_for(problem)                 whether it can solve the problem, with tables and buffers that fit
    required_bytes(problem)                memory in addition to the input: result, tables, buffers
    synthesis(flm, problem, checked)       coefficients -> samples; ``checked``: test the Hermitian symmetry
    analysis(f, problem)                   samples -> coefficients

Engines raise the errors for NaN and infinite input themselves. The selection depends on the problem only, and
so do the results.
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

#: Engines for NumPy arrays in order of preference; the last one solves every problem.
ENGINES = (batched, precomputed, recursion)
#: Names for ``engine=``. The last engine is imported at its first use, because it requires numba-cuda.
NAMES = ("auto", *(engine.name for engine in ENGINES), "cuda")


class TransformProblem:
    """Properties that follow from the fields common to the problems of `harmonic` and `wigner`."""

    __slots__ = ()

    @property
    def is_adjoint(self):
        """Whether the map is the adjoint of ``inverse`` or of ``forward``."""
        return self.to_samples == (self.plan_of is plan.analysis_plan)

    @property
    def result_shape(self):
        """Shape of the result for one map."""
        return self.grid.shape if self.to_samples else self.coefficients_shape

    @property
    def result_type(self):
        """Dtype of the result."""
        return checks.result_type(self.reality and self.to_samples, self.single)

    @property
    def result_bytes(self):
        """Number of bytes of the result for all maps."""
        return self.maps * math.prod(self.result_shape) * np.dtype(self.result_type).itemsize


@dataclass(frozen=True, slots=True)
class Problem(TransformProblem):
    """One of the four maps between samples and coefficients, for specific arguments and arrays.

    Parameters
    ----------
    grid, L, spin, reality, threads
        As in `spherekit.harmonic.inverse`, checked.
    plan_of : callable
        `plan.synthesis_plan` for ``inverse`` and its adjoint, `plan.analysis_plan` for ``forward`` and its
        adjoint.
    to_samples : bool
        Coefficients to samples (a synthesis), or samples to coefficients (an analysis).
    maps : int
        Number of maps: the product of all leading axes.
    single : bool
        Whether input and result are in single precision.
    on_gpu : bool
        Whether the arrays are on a GPU.
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
    """Return the engine of the given name, by default the first usable one.

    Raises
    ------
    ValueError
        The engine of that name cannot solve this problem; the message states the reason.
    """
    if engine == "auto" and problem.on_gpu:
        return _cuda_engine()
    if engine != "auto":
        check_device(problem, engine)
    return choose_from(problem, engine, (_cuda_engine(),) if engine == "cuda" else ENGINES)


def choose_from(problem, engine, engines):
    """Return the engine of the given name among ``engines``, or the first usable one."""
    if engine == "auto":
        return next(candidate for candidate in engines if candidate.is_usable_for(problem))
    selected = next(candidate for candidate in engines if candidate.name == engine)
    reason = selected.unusable_reason(problem)
    if reason is not None:
        raise ValueError(
            f'engine="{engine}" cannot do this transform: {reason}; pass engine="auto" for one that can'
        )
    return selected


def check_device(problem, engine):
    """Raise an error for an engine that does not run on the device of the arrays."""
    if problem.on_gpu != (engine == "cuda"):
        device = "a GPU, where only the CUDA kernels run" if problem.on_gpu else "the CPU"
        raise ValueError(
            f'engine="{engine}" cannot do this transform: the array is on {device}; pass engine="auto"'
        )


def required_bytes(problem, engine="auto"):
    """Return the number of bytes that the engine needs in addition to its input."""
    return choose(problem, engine).required_bytes(problem) if problem.maps else 0


@lru_cache(maxsize=512)
def prepare(engine, *fields):
    """Return (the `Problem` of these fields, the engine for it, the bytes that it needs).

    One cached look-up returns all three, because a transform of a small map takes only 30 microseconds.
    """
    problem = Problem(*fields)
    return problem, choose(problem, engine), required_bytes(problem, engine)


def engine_name(engine, names=NAMES):
    """Return ``engine`` if it is one of the names, else raise a ValueError."""
    if not (isinstance(engine, str) and engine in names):
        choices = ", ".join(f'"{name}"' for name in names)
        raise ValueError(f"engine is {engine!r}; expected one of {choices}")
    return engine


def directions(direction):
    """Return [(plan_of, to_samples)] of "forward", "inverse", or both for None; else raise a ValueError."""
    forward = plan.analysis_plan, False
    inverse = plan.synthesis_plan, True
    choices = {"forward": [forward], "inverse": [inverse], None: [forward, inverse]}
    if direction not in choices:
        raise ValueError(
            f'direction is {direction!r}; expected "forward", "inverse", or None for the larger'
        )
    return choices[direction]


def _cuda_engine():
    return import_module("spherekit.harmonic.engines.cuda")
