"""Networks of five papers and a hybrid, of the same layers.

Sizes are by default those of the papers where they are known (MNIST, ten classes). Inputs are real signals,
so that weights are real, except for the spin network and ``kondor(real=False)``; `nn.count_parameters`
counts a complex weight twice. Each function returns a `Sequential`.
"""

import math

from spherekit._core import checks
from spherekit.nn.activations import ModulusPhase, Pointwise
from spherekit.nn.convolutions import Correlate, Lift, ScalarPart, SpinConvolution, Zonal
from spherekit.nn.fragment_layers import (
    ConstrainedConvolution,
    Convolution,
    TensorProduct,
    ToFragments,
)
from spherekit.nn.network import ConcatReadouts, Sequential
from spherekit.nn.normalization import BatchNorm, Dropout, FragmentNorm
from spherekit.nn.pooling import GlobalMean, SpectralPool
from spherekit.nn.readout import Activation, Dense, Invariants, SetSum
from spherekit.nn.scattering_layer import Scattering
from spherekit.nn.types import Sphere, as_tuple

__all__ = ["cobb", "cohen", "deep_sets", "esteves", "hybrid", "kondor", "spin"]


def cohen(
    L=30, channels=(20, 40), limits=(10, 6), *, inputs=1, outputs=10, oversample=1
) -> Sequential:
    """Correlations and ReLU on SO(3) (Cohen, Geiger, Koehler and Welling 2018, arXiv:1801.10130).

    Parameters
    ----------
    L : int
        Band-limit of the input.
    channels, limits : sequence of int
        Channels and band-limit of each layer.
    inputs, outputs : int
        Channels of the input, features of the output.
    oversample : float
        Of the samples on which ReLU acts, as `Pointwise`.

    Returns
    -------
    Sequential

    >>> from spherekit import nn
    >>> nn.models.cohen(6, channels=(4,), limits=(3,), outputs=2)
    Sequential(
        Sphere(6, 1),
        Lift(4, L=3, filters='near_identity'),
        BatchNorm(),
        Pointwise('relu'),
        GlobalMean(),
        Dense(2),
    )
    """
    channels, limits = _matching_tuples(channels=channels, limits=limits)
    layers = []
    for number, (count, limit) in enumerate(zip(channels, limits, strict=True)):
        correlation = Correlate if number else Lift
        layers += [correlation(count, L=limit, filters="near_identity"), BatchNorm()]
        layers += [Pointwise("relu", oversample)]
    return Sequential(Sphere(L, inputs), *layers, GlobalMean(), Dense(outputs))


def esteves(
    L=32, channels=(16, 16, 32, 32, 64, 64), anchors=None, *, inputs=1, outputs=10, oversample=1
) -> Sequential:
    """Zonal filters of localized spectra (Esteves et al. 2018, arXiv:1711.06721).

    Parameters
    ----------
    L : int
        Band-limit of the input, halved every second layer.
    channels : sequence of int
        Channels of each layer.
    anchors : int, optional
        Degrees at which the filters are learned, 1 to L; 8 by default, and all where fewer degrees remain.
    inputs, outputs, oversample : as `cohen`

    Returns
    -------
    Sequential

    >>> from spherekit import nn
    >>> nn.models.esteves(8, channels=(4, 4, 8), outputs=2).layers[3]
    Zonal(4, anchors=8)
    """
    L, (channels,) = checks.band_limit(L), _matching_tuples(channels=channels)
    anchors = min(8, L) if anchors is None else _anchor_count(anchors, L)
    layers, limit = [], L
    for number, count in enumerate(channels):
        if number and number % 2 == 0:
            limit = max(limit // 2, 1)
            layers.append(SpectralPool(limit))
        layers += [Zonal(count, min(anchors, limit)), BatchNorm()]
        layers += [Pointwise("leaky_relu", oversample)]
    return Sequential(Sphere(L, inputs), *layers, GlobalMean(), Dense(outputs))


def spin(
    L=32,
    channels=(16, 16, 20, 24, 28, 32),
    anchors=None,
    *,
    inputs=1,
    outputs=10,
    oversample=1,
) -> Sequential:
    """Fields of spins 0 and 1 (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731).

    Parameters
    ----------
    L : int
        Band-limit of the input, halved every second layer.
    channels : sequence of int
        Channels of each layer.
    anchors : sequence of int, optional
        Of each layer, 1 to L; (6, 6, 4, 4, 3, 3) by default, the last again where there are more layers,
        and all degrees where fewer remain.
    inputs, outputs, oversample : as `cohen`

    Returns
    -------
    Sequential

    >>> from spherekit import nn
    >>> nn.models.spin(8, channels=(4,), outputs=2).layers[0]
    SpinConvolution(4, anchors=6)
    """
    L, (channels,) = checks.band_limit(L), _matching_tuples(channels=channels)
    if anchors is None:
        defaults = (6, 6, 4, 4, 3, 3, *[3] * len(channels))
        anchors = [min(count, L) for count in defaults[: len(channels)]]
    channels, anchors = _matching_tuples(channels=channels, anchors=anchors)
    anchors = [_anchor_count(count, L) for count in anchors]
    layers, limit = [], L
    for number, (count, anchor_count) in enumerate(zip(channels, anchors, strict=True)):
        if number and number % 2 == 0:
            limit = max(limit // 2, 2)
            layers.append(SpectralPool(limit))
        layers += [SpinConvolution(count, (0, 1), min(anchor_count, limit)), BatchNorm()]
        layers += [ModulusPhase(oversample)]
    head = SpinConvolution(channels[-1], (0,), 1), ScalarPart(), GlobalMean(), Dense(outputs)
    return Sequential(Sphere(L, inputs), *layers, *head)


def kondor(L=11, tau=12, depth=5, *, inputs=1, outputs=10, hidden=256, real=True) -> Sequential:
    """Clebsch-Gordan nets: products of all fragments (Kondor, Lin and Trivedi 2018, arXiv:1806.09231).

    Parameters
    ----------
    L : int
        Band-limit.
    tau : float
        Fragments of degree l after each layer: ceil(tau / sqrt(2l+1)).
    depth : int
        Layers of products.
    inputs, outputs : as `cohen`
    hidden : int
        Features of the dense layer before the last.
    real : bool
        False: signals as complex ones with complex weights, as in the paper.

    Returns
    -------
    Sequential

    >>> from spherekit import nn
    >>> nn.models.kondor(5, tau=2, depth=1).layers[1].layers[0]
    Sequential(
        TensorProduct('full'),
        FragmentNorm(),
        Convolution(1, tau=(2, 2, 1, 1, 1)),
    )
    """
    L, depth = checks.band_limit(L), checks.integer(depth, "depth", 0)
    tau = checks.real_number(tau, "tau", "a number above 0", lambda x: 0 < x < math.inf)
    counts = tuple(math.ceil(tau / math.sqrt(2 * ell + 1)) for ell in range(L))
    block = Sequential(TensorProduct("full"), FragmentNorm(), Convolution(1, counts))
    readouts = ConcatReadouts(Invariants(), *[block] * depth)
    head = Dense(hidden), Activation("relu"), Dropout(0.5), Dense(outputs)
    return Sequential(Sphere(L, inputs, real), ToFragments(), readouts, *head)


def cobb(
    L=10, channels=16, mixing="mst", tau=1, depth=3, *, inputs=1, outputs=1, hidden=64
) -> Sequential:
    """Channel-wise products on degree-mixing sets (Cobb et al. 2021, arXiv:2010.11661).

    Parameters
    ----------
    L : int
        Band-limit.
    channels : int
    mixing : str or dict
        Degree-mixing set, as `TensorProduct`.
    tau : int or sequence of int
        Fragments of each degree in each channel.
    depth : int
        Layers of products.
    inputs, outputs : as `cohen`
    hidden : int
        Features of the dense layer before the last.

    Returns
    -------
    Sequential

    >>> from spherekit import nn
    >>> nn.models.cobb(5, 4, depth=1)
    Sequential(
        Sphere(5, 1),
        ToFragments(),
        ConcatReadouts(
            Invariants(),
            Convolution(4, tau=1),
            Sequential(
                TensorProduct('mst'),
                FragmentNorm(),
                ConstrainedConvolution(4, tau=1),
            ),
        ),
        Dense(64),
        Activation('relu'),
        Dense(1),
    )
    """
    depth = checks.integer(depth, "depth", 0)
    block = Sequential(TensorProduct(mixing), FragmentNorm(), ConstrainedConvolution(channels, tau))
    readouts = ConcatReadouts(Invariants(), Convolution(channels, tau), *[block] * depth)
    head = Dense(hidden), Activation("relu"), Dense(outputs)
    return Sequential(Sphere(L, inputs), ToFragments(), readouts, *head)


def hybrid(
    L=64,
    J0=3,
    channels=16,
    mixing="mst",
    depth=2,
    *,
    inputs=1,
    outputs=2,
    hidden=64,
    oversample=2,
) -> Sequential:
    """Scattering first, which reduces L to 2^J0; then `cobb` (McEwen et al. 2022, arXiv:2102.02828).

    Parameters
    ----------
    L : int
        Band-limit of the input.
    J0, oversample
        As `Scattering`.
    channels, mixing, depth, inputs, outputs, hidden
        As `cobb`.

    Returns
    -------
    Sequential

    >>> from spherekit import nn
    >>> nn.models.hybrid(16, J0=2).layers[0]
    Scattering()
    """
    depth = checks.integer(depth, "depth", 0)
    block = Sequential(TensorProduct(mixing), FragmentNorm(), ConstrainedConvolution(channels))
    readouts = ConcatReadouts(Invariants(), Convolution(channels), *[block] * depth)
    first = Scattering(J0=J0, oversample=oversample), BatchNorm()
    head = Dense(hidden), Activation("relu"), Dense(outputs)
    return Sequential(Sphere(L, inputs), *first, ToFragments(), readouts, *head)


def deep_sets(set_size, inner, outer) -> Sequential:
    """A block psi(sum phi(x)) over the members of each set (Zaheer et al. 2017, arXiv:1703.06114).

    Parameters
    ----------
    set_size : int
        Signals of a set, side by side in the batch.
    inner, outer : sequence of int
        Features of the dense layers of phi, a ReLU after each, and of psi, none after the last.

    Returns
    -------
    Sequential
        Without the type of its input.

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Features(5), nn.models.deep_sets(3, (8, 8), (8, 2))).out_type()
    Features(2)
    """
    inner, outer = as_tuple(inner, "inner"), as_tuple(outer, "outer")
    if not outer:
        raise ValueError("outer is empty; expected the features of one layer at least, the output")
    phi = [layer for width in inner for layer in (Dense(width), Activation("relu"))]
    psi = [layer for width in outer[:-1] for layer in (Dense(width), Activation("relu"))]
    return Sequential(*phi, SetSum(set_size), *psi, Dense(outer[-1]))


def _matching_tuples(**sizes):
    """Sizes of each layer as tuples, of the same length."""
    tuples = {name: as_tuple(values, name) for name, values in sizes.items()}
    if len({len(values) for values in tuples.values()}) > 1 or not all(tuples.values()):
        lengths = ", ".join(f"{name} has {len(values)}" for name, values in tuples.items())
        raise ValueError(f"{lengths}; expected as many of each as there are layers, one at least")
    return tuple(tuples.values())


def _anchor_count(count, L):
    return checks.integer(count, "anchors", 1, L, "degrees below L")
