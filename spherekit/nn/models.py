"""Networks of five papers and a hybrid, composed of the layers of `spherekit.nn`.

Default sizes are those of the papers where they are known (MNIST, ten classes). Inputs are real signals, so
that weights are real, except for the spin network and ``kondor(real=False)``; `nn.count_parameters` counts a
complex weight twice.
"""

import math
from collections.abc import Mapping, Sequence

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


def __dir__():
    return sorted(__all__)


def cohen(
    L: int = 30,
    channels: Sequence[int] = (20, 40),
    limits: Sequence[int] = (10, 6),
    *,
    inputs: int = 1,
    outputs: int = 10,
    oversample: float = 1,
) -> Sequential:
    """Network of correlations and ReLU on SO(3) (Cohen, Geiger, Koehler and Welling 2018, arXiv:1801.10130).

    Parameters
    ----------
    L : int
        Band-limit of the input.
    channels : sequence of int
        Channels of each layer.
    limits : sequence of int
        Band-limit of each layer.
    inputs : int
        Channels of the input.
    outputs : int
        Features of the output.
    oversample : float
        Oversampling factor of the samples on which ReLU acts, as for `Pointwise`.

    Returns
    -------
    Sequential
        The network.

    Raises
    ------
    ValueError
        If a size is out of range, or if ``channels`` and ``limits`` differ in length.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    A network with a single layer:

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
    for k, (count, limit) in enumerate(zip(channels, limits, strict=True)):
        correlation = Correlate if k else Lift
        layers += [correlation(count, L=limit, filters="near_identity"), BatchNorm()]
        layers += [Pointwise("relu", oversample)]
    return Sequential(Sphere(L, inputs), *layers, GlobalMean(), Dense(outputs))


def esteves(
    L: int = 32,
    channels: Sequence[int] = (16, 16, 32, 32, 64, 64),
    anchors: int | None = None,
    *,
    inputs: int = 1,
    outputs: int = 10,
    oversample: float = 1,
) -> Sequential:
    """Network of zonal filters with localized spectra (Esteves et al. 2018, arXiv:1711.06721).

    Parameters
    ----------
    L : int
        Band-limit of the input; it is halved every second layer.
    channels : sequence of int
        Channels of each layer.
    anchors : int, optional
        Number of degrees at which the filters are trained, 1 to L; 8 by default. Layers with fewer degrees
        use all of them.
    inputs : int
        Channels of the input.
    outputs : int
        Features of the output.
    oversample : float
        Oversampling factor of the samples on which the leaky ReLU acts, as for `Pointwise`.

    Returns
    -------
    Sequential
        The network.

    Raises
    ------
    ValueError
        If a size is out of range, or if ``channels`` is empty.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    The number of parameters of the default network:

    >>> from spherekit import nn
    >>> params, state = nn.models.esteves().init(0)
    >>> nn.count_parameters(params)
    64714
    """
    L = checks.band_limit(L)
    (channels,) = _matching_tuples(channels=channels)
    anchors = min(8, L) if anchors is None else _anchor_count(anchors, L)
    layers = []
    limit = L
    for k, count in enumerate(channels):
        if k and k % 2 == 0:
            limit = max(limit // 2, 1)
            layers.append(SpectralPool(limit))
        layers += [Zonal(count, min(anchors, limit)), BatchNorm()]
        layers += [Pointwise("leaky_relu", oversample)]
    return Sequential(Sphere(L, inputs), *layers, GlobalMean(), Dense(outputs))


def spin(
    L: int = 32,
    channels: Sequence[int] = (16, 16, 20, 24, 28, 32),
    anchors: Sequence[int] | None = None,
    *,
    inputs: int = 1,
    outputs: int = 10,
    oversample: float = 1,
) -> Sequential:
    """Network of fields of the spins 0 and 1 (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731).

    Parameters
    ----------
    L : int
        Band-limit of the input; it is halved every second layer.
    channels : sequence of int
        Channels of each layer.
    anchors : sequence of int, optional
        Number of anchors of each layer, 1 to L; (6, 6, 4, 4, 3, 3) by default, where the last value is
        repeated for further layers. Layers with fewer degrees use all of them.
    inputs : int
        Channels of the input.
    outputs : int
        Features of the output.
    oversample : float
        Oversampling factor of the samples on which the activation acts, as for `ModulusPhase`.

    Returns
    -------
    Sequential
        The network.

    Raises
    ------
    ValueError
        If a size is out of range, or if ``channels`` and ``anchors`` differ in length.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    The number of parameters of the default network, where complex ones count twice:

    >>> from spherekit import nn
    >>> params, state = nn.models.spin().init(0)
    >>> nn.count_parameters(params)
    80874
    """
    L = checks.band_limit(L)
    (channels,) = _matching_tuples(channels=channels)
    if anchors is None:
        defaults = (6, 6, 4, 4, 3, 3, *[3] * len(channels))
        anchors = [min(count, L) for count in defaults[: len(channels)]]
    channels, anchors = _matching_tuples(channels=channels, anchors=anchors)
    anchors = [_anchor_count(count, L) for count in anchors]
    layers = []
    limit = L
    for k, (count, anchor_count) in enumerate(zip(channels, anchors, strict=True)):
        if k and k % 2 == 0:
            limit = max(limit // 2, 2)
            layers.append(SpectralPool(limit))
        layers += [SpinConvolution(count, (0, 1), min(anchor_count, limit)), BatchNorm()]
        layers += [ModulusPhase(oversample)]
    head = SpinConvolution(channels[-1], (0,), 1), ScalarPart(), GlobalMean(), Dense(outputs)
    return Sequential(Sphere(L, inputs), *layers, *head)


def kondor(
    L: int = 11,
    tau: float = 12,
    depth: int = 5,
    *,
    inputs: int = 1,
    outputs: int = 10,
    hidden: int = 256,
    real: bool = True,
) -> Sequential:
    """Clebsch-Gordan network: products of all fragments (Kondor, Lin and Trivedi 2018, arXiv:1806.09231).

    Parameters
    ----------
    L : int
        Band-limit.
    tau : float
        Number of fragments of degree l after each layer: ceil(tau / sqrt(2l+1)).
    depth : int
        Number of layers with products.
    inputs : int
        Channels of the input.
    outputs : int
        Features of the output.
    hidden : int
        Features of the dense layer before the last one.
    real : bool
        Real signals and weights; False for complex ones, as in the paper.

    Returns
    -------
    Sequential
        The network.

    Raises
    ------
    ValueError
        If a size is out of range.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    A layer of products, normalization and linear map:

    >>> from spherekit import nn
    >>> nn.models.kondor(5, tau=2, depth=1).layers[1].layers[0]
    Sequential(
        TensorProduct('full'),
        FragmentNorm(),
        Convolution(1, tau=(2, 2, 1, 1, 1)),
    )
    """
    L = checks.band_limit(L)
    depth = checks.integer(depth, "depth", 0)
    tau = checks.real_number(tau, "tau", "a number above 0", lambda x: 0 < x < math.inf)
    counts = tuple(math.ceil(tau / math.sqrt(2 * ell + 1)) for ell in range(L))
    block = Sequential(TensorProduct("full"), FragmentNorm(), Convolution(1, counts))
    readouts = ConcatReadouts(Invariants(), *[block] * depth)
    head = Dense(hidden), Activation("relu"), Dropout(0.5), Dense(outputs)
    return Sequential(Sphere(L, inputs, real), ToFragments(), readouts, *head)


def cobb(
    L: int = 10,
    channels: int = 16,
    mixing: str | Mapping = "mst",
    tau: int | Sequence[int] = 1,
    depth: int = 3,
    *,
    inputs: int = 1,
    outputs: int = 1,
    hidden: int = 64,
) -> Sequential:
    """Network of channelwise products on degree-mixing sets (Cobb et al. 2021, arXiv:2010.11661).

    Parameters
    ----------
    L : int
        Band-limit.
    channels : int
        Channels of each layer.
    mixing : str or dict
        Degree-mixing set, as for `TensorProduct`.
    tau : int or sequence of int
        Number of fragments of each degree in each channel.
    depth : int
        Number of layers with products.
    inputs : int
        Channels of the input.
    outputs : int
        Features of the output.
    hidden : int
        Features of the dense layer before the last one.

    Returns
    -------
    Sequential
        The network.

    Raises
    ------
    ValueError
        If a size is out of range, or if ``mixing`` is not a degree-mixing set.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    A network with a single layer of products:

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
    L: int = 64,
    J0: int = 3,
    channels: int = 16,
    mixing: str | Mapping = "mst",
    depth: int = 2,
    *,
    inputs: int = 1,
    outputs: int = 2,
    hidden: int = 64,
    oversample: float = 2,
) -> Sequential:
    """Scattering, which reduces the band-limit to 2^J0, then `cobb` (McEwen et al. 2022, arXiv:2102.02828).

    Parameters
    ----------
    L : int
        Band-limit of the input.
    J0 : int
        Scale of invariance of the scattering layer, as for `Scattering`.
    channels : int
        Channels of each layer after the scattering.
    mixing : str or dict
        Degree-mixing set, as for `TensorProduct`.
    depth : int
        Number of layers with products.
    inputs : int
        Channels of the input.
    outputs : int
        Features of the output.
    hidden : int
        Features of the dense layer before the last one.
    oversample : float
        Oversampling factor of the scattering layer, as for `Scattering`.

    Returns
    -------
    Sequential
        The network.

    Raises
    ------
    ValueError
        If a size is out of range, or if ``mixing`` is not a degree-mixing set.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    The scattering layer reduces the band-limit from 16 to 4:

    >>> from spherekit import nn
    >>> net = nn.models.hybrid(16, J0=2)
    >>> net.layers[0].out_type(net.in_type)
    Sphere(4, 7)
    """
    depth = checks.integer(depth, "depth", 0)
    block = Sequential(TensorProduct(mixing), FragmentNorm(), ConstrainedConvolution(channels))
    readouts = ConcatReadouts(Invariants(), Convolution(channels), *[block] * depth)
    scattering = Scattering(J0=J0, oversample=oversample), BatchNorm()
    head = Dense(hidden), Activation("relu"), Dense(outputs)
    return Sequential(Sphere(L, inputs), *scattering, ToFragments(), readouts, *head)


def deep_sets(set_size: int, inner: Sequence[int], outer: Sequence[int]) -> Sequential:
    """Block psi(sum phi(x)), with the sum over the members of a set (Zaheer et al. 2017, arXiv:1703.06114).

    Parameters
    ----------
    set_size : int
        Number of signals of a set, which are adjacent in the batch.
    inner : sequence of int
        Features of the dense layers of phi, each followed by a ReLU.
    outer : sequence of int
        Features of the dense layers of psi, with a ReLU after each but the last.

    Returns
    -------
    Sequential
        A block, without ``in_type``.

    Raises
    ------
    ValueError
        If a size is out of range, or if ``outer`` is empty.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    Sets of three signals with five features:

    >>> from spherekit import nn
    >>> nn.Sequential(nn.Features(5), nn.models.deep_sets(3, (8, 8), (8, 2))).out_type()
    Features(2)
    """
    inner, outer = as_tuple(inner, "inner"), as_tuple(outer, "outer")
    if not outer:
        raise ValueError("outer is empty; expected the number of features of at least one layer")
    phi = [layer for width in inner for layer in (Dense(width), Activation("relu"))]
    psi = [layer for width in outer[:-1] for layer in (Dense(width), Activation("relu"))]
    return Sequential(*phi, SetSum(set_size), *psi, Dense(outer[-1]))


def _matching_tuples(**sizes):
    """Sizes of each layer as tuples of the same length."""
    tuples = {name: as_tuple(values, name) for name, values in sizes.items()}
    if len({len(values) for values in tuples.values()}) > 1 or not all(tuples.values()):
        lengths = ", ".join(f"{name} has {len(values)}" for name, values in tuples.items())
        raise ValueError(
            f"{lengths}; expected the same number of entries, one for each layer, at least one"
        )
    return tuple(tuples.values())


def _anchor_count(count, L):
    return checks.integer(count, "anchors", 1, L, "degrees below L")
