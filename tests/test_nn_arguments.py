"""Sizes of signals and layers: whole numbers where these are meant, by one rule and in one wording."""

import numpy as np
import pytest
from helpers.networks import leaves

from spherekit import nn
from spherekit.scattering import Scattering

INTEGERS = (np.int8, np.uint8, np.int16, np.uint64, np.int64)

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
    value = max(minimum, 2)
    for kind in INTEGERS:
        assert_same(make(value), make(kind(value)))


def assert_same(one, two):
    """Equal signals, equally hashed and printed; networks with the same numbers from the same seed."""
    if not isinstance(one, nn.Net):
        assert one == two and hash(one) == hash(two) and str(one) == str(two)
        assert not any(isinstance(value, np.generic) for value in vars(two).values())
        return
    assert_same(one.takes, two.takes)
    for a, b in zip(one.layers, two.layers, strict=True):
        assert_same(a.gives, b.gives)
        assert type(b.cost) is int and a.cost == b.cost
    for a, b in zip(leaves(one.init(0)), leaves(two.init(0)), strict=True):
        assert (a == b).all() and a.dtype == b.dtype


#: Functions of many whole numbers, which `kind` makes.
MANY = {
    "Sphere": lambda kind: nn.Sphere(kind(16), kind(1), False, kind(1)),
    "Spins": lambda kind: nn.Spins(kind(16), (kind(0), kind(1)), kind(12)),
    "Group": lambda kind: nn.Group(kind(16), kind(3), kind(12)),
    "Generalized": lambda kind: nn.Generalized((kind(1), kind(100)), kind(12)),
    "dense": lambda kind: net(nn.Features(kind(12)), nn.dense(kind(12))),
    "zonal": lambda kind: net(nn.Sphere(kind(12), kind(12)), nn.zonal(kind(12), kind(12))),
    "mixing": lambda kind: net(
        nn.Generalized((1, 1), 2),
        nn.tensor_product({kind(0): [(kind(1), kind(1))], kind(1): [(kind(1), kind(0))]}),
    ),
    "cohen": lambda kind: nn.models.cohen(
        kind(6), (kind(2), kind(3)), (kind(4), kind(3)), inputs=kind(1), outputs=kind(2)
    ),
    "esteves": lambda kind: nn.models.esteves(kind(8), [kind(2)] * 3, kind(3), outputs=kind(2)),
    "spin": lambda kind: nn.models.spin(kind(8), [kind(2)] * 3, [kind(3)] * 3, outputs=kind(2)),
    "kondor": lambda kind: nn.models.kondor(kind(4), kind(3), kind(1), hidden=kind(12)),
    "cobb": lambda kind: nn.models.cobb(kind(4), kind(3), depth=kind(1), hidden=kind(12)),
    "hybrid": lambda kind: nn.models.hybrid(kind(8), kind(1), kind(2), depth=kind(1)),
}


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("kind", INTEGERS)
def test_whole_numbers_of_numpy_do_not_overflow(kind, name):
    assert_same(MANY[name](int), MANY[name](kind))


@pytest.mark.parametrize(
    "bad", [{0: [(1, 1.0)]}, {0: [(1, "1")]}, {True: [(1, 1)]}, {0: [1]}, {0: ["11"]}, {0: [(1,)]}]
)
def test_degrees_of_mixing_sets_are_whole_numbers(bad):
    takes = nn.Generalized((1, 1), 2)
    with pytest.raises(TypeError, match="mixing set .*expected"):
        net(takes, nn.tensor_product(bad))


@pytest.mark.parametrize("bad", [None, 3, [(0, 1)]])
def test_mixing_sets_are_dicts_or_names(bad):
    takes = nn.Generalized((1, 1), 2)
    with pytest.raises(TypeError, match="mixing is .*expected"):
        net(takes, nn.tensor_product(bad))


@pytest.mark.parametrize("bad", ["3", 3.0, True, 3j, [3]])
@pytest.mark.parametrize(
    "make", [lambda n: nn.models.esteves(8, (2, 2), n), lambda n: nn.models.spin(8, (2, 2), (n, 2))]
)
def test_anchors_of_models(make, bad):
    with pytest.raises(TypeError, match="anchors is .*whole number"):
        make(bad)
    for out in (0, 9):
        with pytest.raises(ValueError, match=f"anchors is {out}; expected .* <= 8"):
            make(out)


@pytest.mark.parametrize("bad", ["3", 3.0, True, 3j, [3]])
def test_band_limits_of_models(bad):
    for wrong in (bad, None):
        with pytest.raises(TypeError, match="L is .*whole number"):
            nn.models.spin(wrong)


@pytest.mark.parametrize("make", [lambda: nn.pointwise(["relu"]), lambda: nn.pointwise("foo")])
def test_words_that_cannot_be_looked_up(make):
    with pytest.raises(ValueError, match="function is .*known are relu"):
        make()


def test_directional_parts_that_are_unknown():
    with pytest.raises(ValueError, match="directional is .*known are mean"):
        Scattering(8, directional=["mean"])


@pytest.mark.parametrize("inner, outer", [(8, (2,)), ((8,), 2), ("8", (2,))])
def test_sizes_of_layers_come_together(inner, outer):
    with pytest.raises(TypeError, match="(inner|outer) is .*sequence of whole numbers"):
        nn.deep_sets(3, inner, outer)


def test_sizes_of_models_come_together():
    with pytest.raises(ValueError, match="outer is empty"):
        nn.deep_sets(3, (8,), ())
    with pytest.raises(ValueError, match="channels has 2, limits has 1; expected as many"):
        nn.models.cohen(6, (2, 2), (3,))
    with pytest.raises(ValueError, match="channels has 2, anchors has 1"):
        nn.models.spin(8, (2, 2), (3,))
    with pytest.raises(TypeError, match="channels is 3 .*sequence"):
        nn.models.esteves(8, 3)
    assert nn.models.spin(4, (2,) * 8).gives == nn.models.esteves(4, (2,) * 8).gives


@pytest.mark.parametrize("spin", ["x", 1.0, True, None])
@pytest.mark.parametrize(
    "make", [lambda s: nn.Sphere(4, 1, False, s), lambda s: nn.Spins(4, (0, s), 1)]
)
def test_spins_are_whole_numbers(make, spin):
    with pytest.raises(TypeError, match="spin is .*; expected a whole number"):
        make(spin)


@pytest.mark.parametrize("spin", ["x", 1.0, True, None])
@pytest.mark.parametrize(
    "make",
    [
        lambda s: nn.Spins(4, 1, 1),
        lambda s: nn.Generalized(3, 1),
        lambda s: nn.Spins(4, "01", 1),
    ],
)
def test_sequences_of_whole_numbers(make, spin):
    with pytest.raises(TypeError, match="expected a sequence of whole numbers"):
        make(spin)


@pytest.mark.parametrize("wrong", ["x", None, True, [1]])
@pytest.mark.parametrize(
    "make",
    [
        nn.dropout,
        lambda x: nn.Training(0, x),
        lambda x: nn.pointwise("relu", x),
        lambda x: nn.models.kondor(4, x),
    ],
)
def test_real_numbers(make, wrong):
    with pytest.raises(TypeError, match=r"is .*; expected a number"):
        make(wrong)


def test_sizes_of_numpy_are_those_of_python():
    one, two = nn.models.cobb(np.int64(4), np.int32(2)), nn.models.cobb(4, 2)
    assert str(one) == str(two) and one.gives == two.gives
