"""Rotation-equivariant layers, and networks of them.

A layer is a triple of steps, A = L2(N(L1(f))): linear, non-linear, linear, each commuting with rotations.
Parts are functions that a `Net` binds to the signals that come (`spherekit.nn.network`).
"""

from spherekit.nn import degree_mixing as mixing
from spherekit.nn import filter_bases as filters
from spherekit.nn import models
from spherekit.nn.activations import brackets, modulus_phase, phase_collapse, pointwise, products
from spherekit.nn.convolutions import correlate, lift, scalars, spin_convolution, zonal
from spherekit.nn.fragment_layers import (
    constrained,
    convolution,
    fragments,
    signals,
    tensor_product,
)
from spherekit.nn.inspection import count, equivariance, summary
from spherekit.nn.network import Layer, Mode, Net, Training, chain, tapped
from spherekit.nn.normalization import batch_norm, dropout, fragment_norm
from spherekit.nn.pooling import maximum, mean, sample_pool, spectral_pool
from spherekit.nn.readout import bispectrum, deep_sets, dense, invariants, power, relu, set_sum
from spherekit.nn.scattering_layer import scattering
from spherekit.nn.types import Features, Generalized, Group, Sphere, Spins

__all__ = [
    "Features", "Generalized", "Group", "Layer", "Mode", "Net", "Sphere", "Spins", "Training",
    "batch_norm", "bispectrum", "brackets", "chain", "constrained", "convolution", "correlate",
    "count", "deep_sets", "dense", "dropout", "equivariance", "filters", "fragment_norm", "fragments",
    "invariants", "lift", "maximum", "mean", "mixing", "models", "modulus_phase",
    "phase_collapse", "pointwise", "power", "products", "relu", "sample_pool", "scalars",
    "scattering", "set_sum", "signals", "spectral_pool", "spin_convolution", "summary",
    "tapped", "tensor_product", "zonal",
]  # fmt: skip
