"""Layers and networks that several tests walk, and the signals that they take."""

import numpy as np

from spherekit import nn
from spherekit.testing import random_flm, random_flmn

F = nn.ToFragments()

#: Layers that are equivariant to rounding, from real signals of four channels, L = 6.
STRICT = {
    "ToFragments": [F],
    "ToFragments of SO(3)": [nn.Lift(3, 3), F],
    "ToSphere": [F, nn.Convolution(3), nn.ToSphere()],
    "Convolution": [F, nn.Convolution(3, 2)],
    "ConstrainedConvolution": [F, nn.TensorProduct("mst"), nn.ConstrainedConvolution(3, 2)],
    "TensorProduct full": [F, nn.TensorProduct()],
    "TensorProduct rmst": [F, nn.Convolution(2, 2), nn.TensorProduct("rmst")],
    "TensorProduct lower": [F, nn.TensorProduct(L=3)],
    "FragmentNorm": [F, nn.TensorProduct("mst"), nn.FragmentNorm()],
    "Zonal": [nn.Zonal(3, 4)],
    "Lift": [nn.Lift(3, 2, L=5)],
    "Lift near_identity": [nn.Lift(3, filters="near_identity")],
    "Lift equatorial": [nn.Lift(3, filters="equatorial")],
    "Correlate": [nn.Lift(3, 3), nn.Correlate(2, 4, L=5)],
    "Correlate near_identity": [nn.Lift(3), nn.Correlate(2, filters="near_identity")],
    "SpinConvolution": [nn.SpinConvolution(3, (0, 1, -2), 4), nn.SpinConvolution(2, L=5)],
    "ScalarPart": [nn.SpinConvolution(3), nn.ScalarPart()],
    "Square": [nn.Square()],
    "Square lower": [nn.Square(L=4)],
    "Square higher": [nn.Square(L=9)],
    "PoissonBracket": [nn.PoissonBracket()],
    "BatchNorm": [nn.BatchNorm()],
    "BatchNorm SO(3)": [nn.Lift(3, 3), nn.BatchNorm()],
    "BatchNorm spins": [nn.SpinConvolution(3), nn.BatchNorm()],
    "SpectralPool": [nn.SpectralPool(4)],
    "SpectralPool SO(3)": [nn.Lift(3), nn.SpectralPool(4, 2)],
    "GlobalMean": [nn.GlobalMean()],
    "GlobalMean SO(3)": [nn.Lift(3), nn.GlobalMean()],
    "Invariants": [F, nn.TensorProduct("mst"), nn.Invariants()],
    "PowerSpectrum": [nn.PowerSpectrum()],
    "PowerSpectrum of fragments": [F, nn.TensorProduct("rmst"), nn.PowerSpectrum()],
    "Bispectrum": [nn.Bispectrum()],
    "Dense": [nn.GlobalMean(), nn.Dense(5), nn.Activation(), nn.Dense(2)],
}

#: Layers that alias.
POINTWISE = {
    "relu": lambda k: [nn.Pointwise("relu", k)],
    "tanh SO(3)": lambda k: [nn.Lift(3, 3), nn.Pointwise("tanh", k)],
    "ModulusPhase": lambda k: [nn.SpinConvolution(3), nn.ModulusPhase(k)],
    "PhaseCollapse": lambda k: [nn.SpinConvolution(3), nn.PhaseCollapse(k)],
    "Scattering": lambda k: [nn.Scattering(J0=1, oversample=k)],
}

SMALL = {
    "readouts": [
        F,
        nn.ConcatReadouts(nn.Invariants(), nn.TensorProduct("mst"), nn.ConstrainedConvolution(2)),
    ],
    "FragmentNorm": [
        F,
        nn.TensorProduct(),
        nn.FragmentNorm(),
        nn.Convolution(1),
        nn.PowerSpectrum(),
    ],
    "no fragments": [
        F,
        nn.Convolution(2, (1, 0, 2)),
        nn.ConstrainedConvolution(2, (0, 0, 1)),
        nn.PowerSpectrum(),
    ],
    "Zonal": [nn.Zonal(2, 2), nn.Pointwise("tanh", 2)],
    "SO(3)": [nn.Lift(2), nn.Pointwise("square"), nn.Correlate(2, 2, L=2), nn.BatchNorm()],
    "grids": [nn.Lift(1, filters="near_identity"), nn.Correlate(1, filters="near_identity")],
    "spins": [nn.SpinConvolution(2, (0, 1), 2), nn.BatchNorm(), nn.ModulusPhase()],
    "PhaseCollapse": [nn.SpinConvolution(2), nn.PhaseCollapse(), nn.ScalarPart(), nn.GlobalMean()],
    "quadratic": [nn.Square(), nn.PoissonBracket(), nn.PowerSpectrum(), nn.Dense(2)],
    "Bispectrum": [nn.Bispectrum(), nn.Dense(2)],
    # not J0=0 before a norm: of one number a channel and two signals it makes +1 and -1, whose derivatives
    # are the rounding of zero
    "Scattering": [nn.Scattering(J0=1), nn.BatchNorm(), nn.PowerSpectrum()],
    "Scattering to means": [nn.Scattering(J0=0), nn.GlobalMean(), nn.Dense(2)],
    "pool": [nn.SpectralPool(2), nn.MeanPool(), nn.BatchNorm()],
}

SPHERE, COMPLEX, SPIN = nn.Sphere(4, 2), nn.Sphere(4, 2, real=False), nn.Sphere(4, 2, False, 1)
SPINS, GROUP = nn.SpinFields(4, (0, 1), 2), nn.SO3(4, 2, 2)
FRAGMENTS, FEATURES = nn.Fragments((2, 1, 2), 2), nn.Features(3)
COMPLEX_FRAGMENTS = nn.Fragments((2, 0, 1), 2, real=False)

#: Every public layer, by default and with every argument, and the types that it accepts: (layer, in_type).
EVERY_LAYER = [
    (nn.Zonal(3), SPHERE),
    (nn.Zonal(3, anchors=2, L=3), SPIN),
    (nn.Lift(2), SPHERE),
    (nn.Lift(2, 2, 3, "equatorial"), COMPLEX),
    (nn.Correlate(2), GROUP),
    (nn.Correlate(2, N=3, L=3, filters="near_identity"), GROUP),
    (nn.SpinConvolution(2), SPHERE),
    (nn.SpinConvolution(2, spins=(0, 1, -2), anchors=2, L=3), SPINS),
    (nn.ScalarPart(), SPINS),
    (nn.Convolution(3), FRAGMENTS),
    (nn.Convolution(3, tau=2), COMPLEX_FRAGMENTS),
    (nn.Convolution(3, tau=(1, 2, 0)), FRAGMENTS),
    (nn.ConstrainedConvolution(3), COMPLEX_FRAGMENTS),
    (nn.ConstrainedConvolution(3, tau=(1, 2, 3)), FRAGMENTS),
    (nn.ConstrainedConvolution(3, tau=(0, 0, 2)), COMPLEX_FRAGMENTS),
    (nn.TensorProduct(), COMPLEX_FRAGMENTS),
    (nn.TensorProduct("rmst", L=2), FRAGMENTS),
    (nn.TensorProduct({0: [(0, 0), (1, 1)], 1: [(1, 0)], 2: [(1, 1), (0, 2)]}), FRAGMENTS),
    (nn.Square(), SPHERE),
    (nn.Square(L=6), COMPLEX),
    (nn.PoissonBracket(), SPHERE),
    (nn.Pointwise(), SPHERE),
    (nn.Pointwise("tanh", oversample=1.5, L=3, N=2), GROUP),
    (nn.ModulusPhase(), SPINS),
    (nn.ModulusPhase(oversample=2), SPINS),
    (nn.PhaseCollapse(), SPINS),
    (nn.PhaseCollapse(oversample=1.5), SPINS),
    (nn.BatchNorm(), SPHERE),
    (nn.BatchNorm(momentum=0.5), SPINS),
    (nn.BatchNorm(0.25), GROUP),
    (nn.FragmentNorm(), FRAGMENTS),
    (nn.FragmentNorm(momentum=0.5), COMPLEX_FRAGMENTS),
    (nn.Dropout(), FEATURES),
    (nn.Dropout(rate=0.25), FEATURES),
    (nn.ToFragments(), SPHERE),
    (nn.ToFragments(), SPIN),
    (nn.ToFragments(), GROUP),
    (nn.ToSphere(), nn.Fragments((1, 1, 1), 2)),
    (nn.SpectralPool(3), SPHERE),
    (nn.SpectralPool(3), SPINS),
    (nn.SpectralPool(3, N=1), GROUP),
    (nn.MeanPool(), SPHERE),
    (nn.MeanPool(size=4), SPHERE),
    (nn.MaxPool(), SPHERE),
    (nn.MaxPool(size=4), SPHERE),
    (nn.GlobalMean(), SPHERE),
    (nn.GlobalMean(), GROUP),
    (nn.GlobalMax(), SPHERE),
    (nn.GlobalMax(oversample=2), GROUP),
    (nn.Invariants(), FRAGMENTS),
    (nn.Invariants(), COMPLEX),
    (nn.PowerSpectrum(), SPHERE),
    (nn.PowerSpectrum(), COMPLEX_FRAGMENTS),
    (nn.Bispectrum(), SPHERE),
    (nn.Bispectrum(kind="selective"), SPHERE),
    (nn.Dense(2), FEATURES),
    (nn.Activation(), FEATURES),
    (nn.Activation("tanh"), FEATURES),
    (nn.SetSum(3), FEATURES),
    (nn.Scattering(J0=1), SPHERE),
    (nn.Scattering(lam=3, J0=0, depth=1, N=2, paths=((), (1,)), oversample=1.5), COMPLEX),
    (nn.Sequential(nn.Zonal(2), nn.BatchNorm(), nn.GlobalMean()), SPHERE),
    (nn.Sequential(FEATURES, nn.Dense(2), nn.Dropout()), FEATURES),
    (nn.ConcatReadouts(nn.Invariants(), nn.FragmentNorm(), nn.Convolution(3)), FRAGMENTS),
    (nn.models.deep_sets(3, (4, 5), (6, 2)), FEATURES),
]

MODELS = {
    "cohen": dict(L=6, channels=(6, 40), limits=(4, 3), outputs=1),
    "esteves": dict(L=8, channels=(8, 8, 8), anchors=4, outputs=1),
    "spin": dict(L=8, channels=(8, 8, 8), anchors=(4, 4, 4), outputs=1),
    "kondor": dict(L=5, tau=4, depth=2, outputs=1, hidden=32),
    "cobb": dict(L=5, channels=6, depth=2),
    "hybrid": dict(L=16, J0=2, channels=6, depth=1, outputs=1),
}


class Map(nn.Layer):
    """A function of the signals, whose type it leaves."""

    function: object

    def out_type(self, in_type):
        return in_type

    def forward(self, params, x, context):
        return self.function(x)


def sphere(L, channels, rng, batch=3, real=True, dtype=complex):
    return random_flm(L, rng, reality=real, shape=(batch, channels), dtype=dtype)


def signals(in_type, rng, batch=3):
    """A batch of random signals of that type."""
    shape = in_type.shape(batch)
    if isinstance(in_type, nn.SO3):
        L, N, real = in_type.L, in_type.N, in_type.real
        return random_flmn(L, N, rng, reality=real, shape=shape[:2])
    if isinstance(in_type, nn.SpinFields):
        fields = [random_flm(in_type.L, rng, spin=s, shape=shape[:2]) for s in in_type.spins]
        return np.stack(fields, axis=-2)
    if isinstance(in_type, nn.Sphere):
        L, real, spin = in_type.L, in_type.real, in_type.spin
        return random_flm(L, rng, reality=real, spin=spin, shape=shape[:2])
    x = rng.standard_normal(shape)
    return x if getattr(in_type, "real", True) else x + 1j * rng.standard_normal(shape)


def all_results(layer, in_type):
    """Parameters, state and outputs of a layer, also in training: what its copies have to return."""
    net = nn.Sequential(in_type, layer)
    params, state = net.init(np.random.default_rng(1))
    x = signals(in_type, np.random.default_rng(2))
    y = net(params, x, state=state)
    trained, new_state = net.apply(params, state, x, training(3))
    return [*leaves(params), *leaves(state), y, trained, *leaves(new_state)]


def leaves(tree):
    """The arrays of a tree of parameters, by name."""
    if isinstance(tree, dict):
        for name in sorted(tree):
            yield from leaves(tree[name])
    elif isinstance(tree, list | tuple):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


def training(rng=0, threads=None):
    """The context of a pass in training."""
    return nn.Context(training=True, rng=rng, threads=threads)


def output(net, initial, x, context=None):
    """The output of a pass, without the new state; ``initial`` is (params, state)."""
    return net.apply(*initial, x, context)[0]
