"""Sizes of signals and layers: whole numbers where these are meant, by one rule and in one wording."""

import numpy as np
import pytest

from spherekit import nn

S = nn.Sphere(4, 2)
G = nn.Group(4, 2, 2)
FRAGMENTS = nn.Generalized((1,) * 4, 2)
FEATURES = nn.Features(3)


def net(signal, part):
    return nn.Net(signal, part)


#: Functions of one whole number, and the least that it may be.
SIZES = {
    "Sphere L": (lambda n: nn.Sphere(n, 1), 1),
    "Sphere channels": (lambda n: nn.Sphere(4, n), 1),
    "Spins channels": (lambda n: nn.Spins(4, (0, 1), n), 1),
    "Group N": (lambda n: nn.Group(4, n, 1), 1),
    "Generalized tau": (lambda n: nn.Generalized((1, n), 1), 0),
    "Features": (nn.Features, 1),
    "zonal": (lambda n: net(S, nn.zonal(n)), 1),
    "zonal anchors": (lambda n: net(S, nn.zonal(2, n)), 1),
    "zonal L": (lambda n: net(S, nn.zonal(2, L=n)), 1),
    "lift": (lambda n: net(S, nn.lift(n)), 1),
    "lift N": (lambda n: net(S, nn.lift(2, n)), 1),
    "lift L": (lambda n: net(S, nn.lift(2, L=n)), 1),
    "correlate": (lambda n: net(G, nn.correlate(n)), 1),
    "correlate N": (lambda n: net(G, nn.correlate(2, n)), 1),
    "spin_convolution": (lambda n: net(S, nn.spin_convolution(n)), 1),
    "convolution": (lambda n: net(FRAGMENTS, nn.convolution(n)), 1),
    "convolution tau": (lambda n: net(FRAGMENTS, nn.convolution(2, (1, 1, 1, n))), 0),
    "constrained": (lambda n: net(FRAGMENTS, nn.constrained(n)), 1),
    "tensor_product L": (lambda n: net(FRAGMENTS, nn.tensor_product(L=n)), 1),
    "dense": (lambda n: net(FEATURES, nn.dense(n)), 1),
    "set_sum": (lambda n: net(FEATURES, nn.set_sum(n)), 1),
    "deep_sets": (lambda n: net(FEATURES, nn.deep_sets(n, (2,), (2,))), 1),
    "spectral_pool": (lambda n: net(S, nn.spectral_pool(n)), 1),
    "spectral_pool N": (lambda n: net(G, nn.spectral_pool(4, n)), 1),
    "sample_pool": (lambda n: net(S, nn.sample_pool(size=n)), 2),
    "pointwise L": (lambda n: net(S, nn.pointwise(L=n)), 1),
    "pointwise N": (lambda n: net(G, nn.pointwise(N=n)), 1),
    "products L": (lambda n: net(S, nn.products(L=n)), 1),
    "scattering J0": (lambda n: net(S, nn.scattering(J0=n)), 0),
    "scattering depth": (lambda n: net(S, nn.scattering(J0=1, depth=n)), 0),
    "kondor depth": (lambda n: nn.models.kondor(4, 2, depth=n), 0),
    "cobb depth": (lambda n: nn.models.cobb(4, 2, depth=n), 0),
}
#: Where None is the default.
OPTIONAL = {"zonal anchors", "zonal L", "lift N", "lift L", "correlate N", "tensor_product L"}
OPTIONAL |= {"spectral_pool N", "pointwise L", "pointwise N", "products L"}


@pytest.mark.parametrize("name", SIZES)
def test_whole_numbers(name):
    make, minimum = SIZES[name]
    for wrong in (
        "x",
        "2",
        2.5,
        2.0,
        True,
        np.bool_(True),
        [2],
        2j,
        *([None] * (name not in OPTIONAL)),
    ):
        with pytest.raises(TypeError, match=r"is .*; expected a whole number >= [012]"):
            make(wrong)
    with pytest.raises(
        ValueError, match=rf"is {minimum - 1}; expected a whole number >= {minimum}"
    ):
        make(minimum - 1)
    make(np.int32(max(minimum, 1)))


@pytest.mark.parametrize("spin", ["x", 1.0, True, None])
def test_spins_are_whole_numbers(spin):
    for make in (lambda s: nn.Sphere(4, 1, False, s), lambda s: nn.Spins(4, (0, s), 1)):
        with pytest.raises(TypeError, match="spin is .*; expected a whole number"):
            make(spin)
    for make in (
        lambda s: nn.Spins(4, 1, 1),
        lambda s: nn.Generalized(3, 1),
        lambda s: nn.Spins(4, "01", 1),
    ):
        with pytest.raises(TypeError, match="expected a sequence of whole numbers"):
            make(spin)


def test_real_numbers():
    for wrong in ("x", None, True, [1]):
        for make in (
            nn.dropout,
            lambda x: nn.Training(0, x),
            lambda x: nn.pointwise("relu", x),
            lambda x: nn.models.kondor(4, x),
        ):
            with pytest.raises(TypeError, match=r"is .*; expected a number"):
                make(wrong)


def test_sizes_of_numpy_are_those_of_python():
    one, two = nn.models.cobb(np.int64(4), np.int32(2)), nn.models.cobb(4, 2)
    assert str(one) == str(two) and one.gives == two.gives
