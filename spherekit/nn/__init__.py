"""Rotation-equivariant layers, and networks of them.

An equivariant layer is a map A = L2(N(L1(f))), linear, non-linear, linear, where each step commutes with
rotations. Layers are frozen dataclasses of their hyperparameters; `Sequential` composes them::

    net = nn.Sequential(nn.Sphere(10, 1), nn.Lift(8, N=3), nn.Pointwise("relu", oversample=2),
                        nn.GlobalMean(), nn.Dense(2))
    params, state = net.init(rng)
    y = net(params, x, state=state)

=================== ================================================================================
signal types        `Sphere`, `SpinFields`, `SO3`, `Fragments`, `Features`
composition         `Sequential`, `ConcatReadouts`, `Context`, `Layer` (the base class of layers)
linear, spectral    `Zonal`, `Lift`, `Correlate`, `SpinConvolution`, `Convolution`, `ConstrainedConvolution`
non-linear, exact   `TensorProduct`, `Square`, `PoissonBracket`
non-linear, sampled `Pointwise`, `ModulusPhase`, `PhaseCollapse`
normalization       `BatchNorm`, `FragmentNorm`, `Dropout`
changes of type     `ToFragments`, `ToSphere`, `ScalarPart`
pooling             `SpectralPool`, `MeanPool`, `MaxPool`, `GlobalMean`, `GlobalMax`
invariants          `Invariants`, `PowerSpectrum`, `Bispectrum`
features            `Dense`, `Activation`, `SetSum`
scattering          `Scattering`
functions           `summary`, `count_parameters`, `equivariance_error`, `expect_type`, `save`, `load`,
                    `register`
modules             `models`, `degree_mixing`, `filter_bases`
=================== ================================================================================
"""

from spherekit.nn import degree_mixing, filter_bases, models
from spherekit.nn.activations import (
    ModulusPhase,
    PhaseCollapse,
    Pointwise,
    PoissonBracket,
    Square,
)
from spherekit.nn.convolutions import Correlate, Lift, ScalarPart, SpinConvolution, Zonal
from spherekit.nn.files import load, register, save
from spherekit.nn.fragment_layers import (
    ConstrainedConvolution,
    Convolution,
    TensorProduct,
    ToFragments,
    ToSphere,
)
from spherekit.nn.inspection import count_parameters, equivariance_error, summary
from spherekit.nn.layer import Context, Layer
from spherekit.nn.network import ConcatReadouts, Sequential
from spherekit.nn.normalization import BatchNorm, Dropout, FragmentNorm
from spherekit.nn.pooling import GlobalMax, GlobalMean, MaxPool, MeanPool, SpectralPool
from spherekit.nn.readout import (
    Activation,
    Bispectrum,
    Dense,
    Invariants,
    PowerSpectrum,
    SetSum,
)
from spherekit.nn.scattering_layer import Scattering
from spherekit.nn.types import SO3, Features, Fragments, Sphere, SpinFields, expect_type

__all__ = [
    "SO3", "Activation", "BatchNorm", "Bispectrum", "ConcatReadouts", "ConstrainedConvolution", "Context",
    "Convolution", "Correlate", "Dense", "Dropout", "Features", "FragmentNorm", "Fragments", "GlobalMax",
    "GlobalMean", "Invariants", "Layer", "Lift", "MaxPool", "MeanPool", "ModulusPhase", "PhaseCollapse",
    "Pointwise", "PoissonBracket", "PowerSpectrum", "ScalarPart", "Scattering", "Sequential", "SetSum",
    "SpectralPool", "Sphere", "SpinConvolution", "SpinFields", "Square", "TensorProduct", "ToFragments",
    "ToSphere", "Zonal", "count_parameters", "degree_mixing", "equivariance_error", "expect_type",
    "filter_bases", "load", "models", "register", "save", "summary",
]  # fmt: skip


def __dir__():
    return sorted(__all__)
