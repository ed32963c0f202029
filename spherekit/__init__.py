"""Geometric deep learning and harmonic analysis on the sphere, on NumPy and Numba.

Each subpackage is imported when one of its names is first used, so that ``import spherekit`` is fast.

>>> import numpy as np, spherekit
>>> flm = spherekit.forward(np.ones((8, 15)), 8, sampling="mw", reality=True)
>>> round(float(flm[0].real), 6)     # sqrt(4 pi)
3.544908
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING

from spherekit._core import __version__

_HARMONIC = (
    "analyse",
    "estimate_memory",
    "evaluate",
    "evaluate_adjoint",
    "forward",
    "forward_adjoint",
    "inverse",
    "inverse_adjoint",
)

__all__ = [
    "__version__", "analyse", "conventions", "datasets", "estimate_memory", "evaluate", "evaluate_adjoint",
    "experiments", "fields", "forward", "forward_adjoint", "harmonic", "inverse", "inverse_adjoint", "io",
    "nn", "plot", "sampling", "scattering", "spectra", "testing", "train", "wavelets", "wigner",
]  # fmt: skip

if TYPE_CHECKING:  # for editors, which do not run what loads the names below
    from spherekit import (
        conventions,
        datasets,
        experiments,
        fields,
        harmonic,
        io,
        nn,
        plot,
        sampling,
        scattering,
        spectra,
        testing,
        train,
        wavelets,
        wigner,
    )
    from spherekit.harmonic import (
        analyse,
        estimate_memory,
        evaluate,
        evaluate_adjoint,
        forward,
        forward_adjoint,
        inverse,
        inverse_adjoint,
    )


if not TYPE_CHECKING:  # so that type checkers report names that do not exist

    def __getattr__(name):
        if name in _HARMONIC:
            return getattr(importlib.import_module("spherekit.harmonic"), name)
        if name in __all__:
            return importlib.import_module(f"spherekit.{name}")
        message = f"module 'spherekit' has no attribute {name!r}"
        if (
            importlib.util.find_spec(f"spherekit.{name}") is None
        ):  # not a module that is being imported
            from spherekit._core.names import advice

            message += advice(name)
        raise AttributeError(message, name=name)


def __dir__():
    return sorted(__all__)
