"""Five papers and a hybrid, as networks of the same parts.

Sizes by default are those of the papers where they are known (MNIST, ten classes). Inputs are real signals,
so that weights are real, but for the spin network and ``kondor(real=False)``; `nn.count` counts a complex
weight twice.
"""

import math

from spherekit._core import checks
from spherekit.nn.activations import modulus_phase, pointwise
from spherekit.nn.convolutions import correlate, lift, scalars, spin_convolution, zonal
from spherekit.nn.fragment_layers import constrained, convolution, fragments, tensor_product
from spherekit.nn.network import Net, chain, tapped
from spherekit.nn.normalization import batch_norm, dropout, fragment_norm
from spherekit.nn.pooling import mean, spectral_pool
from spherekit.nn.readout import dense, invariants, relu
from spherekit.nn.scattering_layer import scattering
from spherekit.nn.types import Sphere, sequence


def cohen(L=30, channels=(20, 40), limits=(10, 6), *, inputs=1, outputs=10, oversample=1):
    """Correlations and relu on SO(3) (Cohen, Geiger, Koehler and Welling 2018, arXiv:1801.10130)."""
    channels, limits = _alike(channels=channels, limits=limits)
    parts = [lift(channels[0], L=limits[0], kind="near_identity"), batch_norm()]
    parts += [pointwise("relu", oversample)]
    for count, limit in zip(channels[1:], limits[1:], strict=True):
        parts += [correlate(count, L=limit, kind="near_identity"), batch_norm()]
        parts += [pointwise("relu", oversample)]
    return Net(Sphere(L, inputs), *parts, mean(), dense(outputs))


def esteves(
    L=32, channels=(16, 16, 32, 32, 64, 64), anchors=None, *, inputs=1, outputs=10, oversample=1
):
    """Zonal filters of localized spectra (Esteves et al. 2018, arXiv:1711.06721); L halves every second.

    ``anchors``, of 1 to L, are 8 unless said; where fewer degrees are left, all of these.
    """
    L, (channels,) = checks.band_limit(L), _alike(channels=channels)
    anchors = min(8, L) if anchors is None else _anchors(anchors, L)
    parts, limit = [], L
    for number, count in enumerate(channels):
        if number and number % 2 == 0:
            limit = max(limit // 2, 1)
            parts.append(spectral_pool(limit))
        parts += [
            zonal(count, min(anchors, limit)),
            batch_norm(),
            pointwise("leaky_relu", oversample),
        ]
    return Net(Sphere(L, inputs), *parts, mean(), dense(outputs))


def spin(
    L=32,
    channels=(16, 16, 20, 24, 28, 32),
    anchors=None,
    *,
    inputs=1,
    outputs=10,
    oversample=1,
):
    """Fields of spins 0 and 1 (Esteves, Makadia and Daniilidis 2020, arXiv:2006.10731).

    ``anchors`` of each layer, of 1 to L, are (6, 6, 4, 4, 3, 3) unless said, the last again where there are
    more layers; where fewer degrees are left, all of these.
    """
    L, (channels,) = checks.band_limit(L), _alike(channels=channels)
    if anchors is None:
        usual = (6, 6, 4, 4, 3, 3, *[3] * len(channels))
        anchors = [min(count, L) for count in usual[: len(channels)]]
    channels, anchors = _alike(channels=channels, anchors=anchors)
    anchors = [_anchors(count, L) for count in anchors]
    parts, limit = [], L
    for number, (count, places) in enumerate(zip(channels, anchors, strict=True)):
        if number and number % 2 == 0:
            limit = max(limit // 2, 2)
            parts.append(spectral_pool(limit))
        parts += [spin_convolution(count, (0, 1), min(places, limit)), batch_norm()]
        parts += [modulus_phase(oversample)]
    take = spin_convolution(channels[-1], (0,), 1)
    return Net(Sphere(L, inputs), *parts, take, scalars(), mean(), dense(outputs))


def kondor(L=11, tau=12, depth=5, *, inputs=1, outputs=10, hidden=256, real=True):
    """Clebsch-Gordan nets: all fragments with all (Kondor, Lin and Trivedi 2018, arXiv:1806.09231).

    ``real=False`` takes signals as complex ones, with complex weights, as the paper does.
    """
    L, depth = checks.band_limit(L), checks.whole_number(depth, "depth", 0)
    tau = checks.real_number(tau, "tau", "a number above 0", lambda x: 0 < x < math.inf)
    some = [math.ceil(tau / math.sqrt(2 * ell + 1)) for ell in range(L)]
    block = chain(tensor_product("full"), fragment_norm(), convolution(1, some))
    taps = tapped(invariants(), *[block] * depth)
    head = dense(hidden), relu(), dropout(0.5), dense(outputs)
    return Net(Sphere(L, inputs, real), fragments(), taps, *head)


def cobb(L=10, channels=16, mixing="mst", tau=1, depth=3, *, inputs=1, outputs=1, hidden=64):
    """Channel by channel, constrained, on degree-mixing sets (Cobb et al. 2021, arXiv:2010.11661)."""
    depth = checks.whole_number(depth, "depth", 0)
    block = chain(tensor_product(mixing), fragment_norm(), constrained(channels, tau))
    taps = tapped(invariants(), convolution(channels, tau), *[block] * depth)
    return Net(Sphere(L, inputs), fragments(), taps, dense(hidden), relu(), dense(outputs))


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
):
    """Scattering first, which brings many degrees to few; then as `cobb`, at L0 = 2^J0."""
    depth = checks.whole_number(depth, "depth", 0)
    block = chain(tensor_product(mixing), fragment_norm(), constrained(channels))
    taps = tapped(invariants(), convolution(channels), *[block] * depth)
    head = dense(hidden), relu(), dense(outputs)
    first = scattering(J0=J0, oversample=oversample), batch_norm()
    return Net(Sphere(L, inputs), *first, fragments(), taps, *head)


def _alike(**sizes):
    """Sizes of each layer as tuples, one for each of the same layers."""
    tuples = {name: sequence(values, name) for name, values in sizes.items()}
    if len({len(values) for values in tuples.values()}) > 1 or not all(tuples.values()):
        words = ", ".join(f"{name} has {len(values)}" for name, values in tuples.items())
        raise ValueError(f"{words}; expected as many of each as there are layers, one at least")
    return tuple(tuples.values())


def _anchors(count, L):
    return checks.whole_number(count, "anchors", 1, L, "degrees below L")
