"""Sizes of signals and layers: integers where these are meant, by one rule and in one wording."""

import dataclasses

import numpy as np
import pytest
from helpers.networks import leaves

from spherekit import nn
from spherekit.scattering import Scattering

INTEGERS = (np.int8, np.uint8, np.int16, np.uint64, np.int64)

S = nn.Sphere(4, 2)
G = nn.SO3(4, 2, 2)
FRAGMENTS = nn.Fragments((1,) * 4, 2)
FEATURES = nn.Features(3)


def net(signal, layer):
    return nn.Sequential(signal, layer)


#: Functions of one integer, and the least that it may be.
SIZES = {
    "Sphere L": (lambda n: nn.Sphere(n, 1), 1),
    "Sphere channels": (lambda n: nn.Sphere(4, n), 1),
    "SpinFields channels": (lambda n: nn.SpinFields(4, (0, 1), n), 1),
    "SO3 N": (lambda n: nn.SO3(4, n, 1), 1),
    "Fragments tau": (lambda n: nn.Fragments((1, n), 1), 0),
    "Features": (nn.Features, 1),
    "Zonal": (lambda n: net(S, nn.Zonal(n)), 1),
    "Zonal anchors": (lambda n: net(S, nn.Zonal(2, n)), 1),
    "Zonal L": (lambda n: net(S, nn.Zonal(2, L=n)), 1),
    "Lift": (lambda n: net(S, nn.Lift(n)), 1),
    "Lift N": (lambda n: net(S, nn.Lift(2, n)), 1),
    "Lift L": (lambda n: net(S, nn.Lift(2, L=n)), 1),
    "Correlate": (lambda n: net(G, nn.Correlate(n)), 1),
    "Correlate N": (lambda n: net(G, nn.Correlate(2, n)), 1),
    "Correlate L": (lambda n: net(G, nn.Correlate(2, L=n)), 1),
    "SpinConvolution": (lambda n: net(S, nn.SpinConvolution(n)), 1),
    "SpinConvolution anchors": (lambda n: net(S, nn.SpinConvolution(2, (0,), n)), 1),
    "SpinConvolution L": (lambda n: net(S, nn.SpinConvolution(2, (0,), L=n)), 1),
    "Convolution": (lambda n: net(FRAGMENTS, nn.Convolution(n)), 1),
    "Convolution tau": (lambda n: net(FRAGMENTS, nn.Convolution(2, (1, 1, 1, n))), 0),
    "ConstrainedConvolution": (lambda n: net(FRAGMENTS, nn.ConstrainedConvolution(n)), 1),
    "TensorProduct L": (lambda n: net(FRAGMENTS, nn.TensorProduct(L=n)), 1),
    "Dense": (lambda n: net(FEATURES, nn.Dense(n)), 1),
    "SetSum": (lambda n: net(FEATURES, nn.SetSum(n)), 1),
    "deep_sets": (lambda n: net(FEATURES, nn.models.deep_sets(n, (2,), (2,))), 1),
    "SpectralPool": (lambda n: net(S, nn.SpectralPool(n)), 1),
    "SpectralPool N": (lambda n: net(G, nn.SpectralPool(4, n)), 1),
    "MeanPool": (lambda n: net(S, nn.MeanPool(size=n)), 2),
    "MaxPool": (lambda n: net(S, nn.MaxPool(size=n)), 2),
    "Pointwise L": (lambda n: net(S, nn.Pointwise(L=n)), 1),
    "Pointwise N": (lambda n: net(G, nn.Pointwise(N=n)), 1),
    "Square L": (lambda n: net(S, nn.Square(L=n)), 1),
    "Scattering J0": (lambda n: net(S, nn.Scattering(J0=n)), 0),
    "Scattering depth": (lambda n: net(S, nn.Scattering(J0=1, depth=n)), 0),
    "kondor depth": (lambda n: nn.models.kondor(4, 2, depth=n), 0),
    "cobb depth": (lambda n: nn.models.cobb(4, 2, depth=n), 0),
}
#: Where None is the default.
OPTIONAL = {"Zonal anchors", "Zonal L", "Lift N", "Lift L", "Correlate N", "Correlate L"}
OPTIONAL |= {"SpinConvolution anchors", "SpinConvolution L", "TensorProduct L"}
OPTIONAL |= {"SpectralPool N", "Pointwise L", "Pointwise N", "Square L"}


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
        with pytest.raises(TypeError, match=r"is .*; expected an integer >= [012]"):
            make(wrong)
    with pytest.raises(ValueError, match=rf"is {minimum - 1}; expected an integer >= {minimum}"):
        make(minimum - 1)
    value = max(minimum, 2)
    for kind in INTEGERS:
        assert_same(make(value), make(kind(value)))


def assert_same(one, two):
    """Equal values, equal hashes and text, no scalars of NumPy; networks: equal parameters from a seed."""
    assert one == two and hash(one) == hash(two)
    assert str(one) == str(two) and repr(one) == repr(two)
    assert not any(isinstance(value, np.generic) for value in numbers(two))
    if not isinstance(one, nn.Sequential):
        return
    for (_, _, _, a, *_), (_, layer, before, b, *_) in zip(one.stages(), two.stages(), strict=True):
        assert_same(a, b)
        assert type(layer.multiplications(before)) is int
    for a, b in zip(leaves(one.init(0)), leaves(two.init(0)), strict=True):
        assert (a == b).all() and a.dtype == b.dtype


def numbers(value):
    """The fields of a layer or type, and what they hold."""
    if dataclasses.is_dataclass(value):
        value = tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    if isinstance(value, tuple):
        for entry in value:
            yield from numbers(entry)
    else:
        yield value


#: Functions of many integers, which `kind` makes.
MANY = {
    "Sphere": lambda kind: nn.Sphere(kind(16), kind(1), False, kind(1)),
    "SpinFields": lambda kind: nn.SpinFields(kind(16), (kind(0), kind(1)), kind(12)),
    "SO3": lambda kind: nn.SO3(kind(16), kind(3), kind(12)),
    "Fragments": lambda kind: nn.Fragments((kind(1), kind(100)), kind(12)),
    "Dense": lambda kind: net(nn.Features(kind(12)), nn.Dense(kind(12))),
    "Zonal": lambda kind: net(nn.Sphere(kind(12), kind(12)), nn.Zonal(kind(12), kind(12))),
    "SpinConvolution": lambda kind: net(
        nn.Sphere(kind(6), kind(2)), nn.SpinConvolution(kind(2), (kind(0), kind(1)), kind(2))
    ),
    "TensorProduct": lambda kind: net(
        nn.Fragments((1, 1), 2),
        nn.TensorProduct({kind(0): [(kind(1), kind(1))], kind(1): [(kind(1), kind(0))]}),
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
    in_type = nn.Fragments((1, 1), 2)
    with pytest.raises(TypeError, match="mixing set .*expected"):
        net(in_type, nn.TensorProduct(bad))


@pytest.mark.parametrize("bad", [None, 3, [(0, 1)]])
def test_mixing_sets_are_dicts_or_names(bad):
    in_type = nn.Fragments((1, 1), 2)
    with pytest.raises(TypeError, match="mixing must be one of full.*got"):
        net(in_type, nn.TensorProduct(bad))


@pytest.mark.parametrize("bad", ["3", 3.0, True, 3j, [3]])
@pytest.mark.parametrize(
    "make", [lambda n: nn.models.esteves(8, (2, 2), n), lambda n: nn.models.spin(8, (2, 2), (n, 2))]
)
def test_anchors_of_models(make, bad):
    with pytest.raises(TypeError, match="anchors is .*integer"):
        make(bad)
    for out in (0, 9):
        with pytest.raises(ValueError, match=f"anchors is {out}; expected .* <= 8"):
            make(out)


@pytest.mark.parametrize("bad", ["3", 3.0, True, 3j, [3]])
def test_band_limits_of_models(bad):
    for wrong in (bad, None):
        with pytest.raises(TypeError, match="L is .*integer"):
            nn.models.spin(wrong)


@pytest.mark.parametrize("make", [lambda: nn.Pointwise(["relu"]), lambda: nn.Pointwise("foo")])
def test_words_that_cannot_be_looked_up(make):
    with pytest.raises(ValueError, match="function must be one of relu.* got"):
        make()


def test_directional_parts_that_are_unknown():
    with pytest.raises(ValueError, match="directional must be one of mean, .*got"):
        Scattering(8, directional=["mean"])


@pytest.mark.parametrize("inner, outer", [(8, (2,)), ((8,), 2), ("8", (2,))])
def test_sizes_of_layers_come_together(inner, outer):
    with pytest.raises(TypeError, match="(inner|outer) is .*sequence of integers"):
        nn.models.deep_sets(3, inner, outer)


def test_sizes_of_models_come_together():
    with pytest.raises(ValueError, match="outer is empty"):
        nn.models.deep_sets(3, (8,), ())
    with pytest.raises(ValueError, match="channels has 2, limits has 1; expected the same number"):
        nn.models.cohen(6, (2, 2), (3,))
    with pytest.raises(ValueError, match="channels has 2, anchors has 1"):
        nn.models.spin(8, (2, 2), (3,))
    with pytest.raises(TypeError, match="channels is 3 .*sequence"):
        nn.models.esteves(8, 3)
    outputs = [model(4, (2,) * 8).out_type() for model in (nn.models.spin, nn.models.esteves)]
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("spin", ["x", 1.0, True, None])
@pytest.mark.parametrize(
    "make", [lambda s: nn.Sphere(4, 1, False, s), lambda s: nn.SpinFields(4, (0, s), 1)]
)
def test_spins_are_whole_numbers(make, spin):
    with pytest.raises(TypeError, match="spin is .*; expected an integer"):
        make(spin)


@pytest.mark.parametrize("spin", ["x", 1.0, True, None])
@pytest.mark.parametrize(
    "make",
    [
        lambda s: nn.SpinFields(4, 1, 1),
        lambda s: nn.Fragments(3, 1),
        lambda s: nn.SpinFields(4, "01", 1),
    ],
)
def test_sequences_of_whole_numbers(make, spin):
    with pytest.raises(TypeError, match="expected a sequence of integers"):
        make(spin)


@pytest.mark.parametrize("wrong", ["x", None, True, [1]])
@pytest.mark.parametrize(
    "make",
    [
        nn.Dropout,
        lambda x: nn.BatchNorm(momentum=x),
        lambda x: nn.FragmentNorm(momentum=x),
        lambda x: nn.Pointwise("relu", x),
        lambda x: nn.models.kondor(4, x),
    ],
)
def test_real_numbers(make, wrong):
    with pytest.raises(TypeError, match=r"is .*; expected a number"):
        make(wrong)


@pytest.mark.parametrize("norm", [nn.BatchNorm, nn.FragmentNorm])
def test_the_momentum_is_a_share(norm):
    for outside in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="momentum is .*expected a number from 0 to 1"):
            norm(momentum=outside)
    assert norm(momentum=np.float64(0.5)) == norm(momentum=0.5)
    assert norm(momentum=1) == norm(momentum=1.0)


def test_sizes_of_numpy_are_those_of_python():
    one, two = nn.models.cobb(np.int64(4), np.int32(2)), nn.models.cobb(4, 2)
    assert str(one) == str(two) and one.out_type() == two.out_type()


def test_properties_of_what_is_not_a_network():
    for other in (3, None, nn.Zonal(2), nn.ConcatReadouts(nn.Invariants(), nn.Convolution(5))):
        with pytest.raises(TypeError, match=r"(?s)net is .*; expected a Sequential"):
            nn.summary(other)
        with pytest.raises(TypeError, match=r"(?s)net is .*; expected a Sequential"):
            nn.equivariance_error(other, [], np.zeros((1, 1, 4)), 0)


def test_the_suffix_of_a_network(tmp_path):
    net = nn.Sequential(nn.Features(2), nn.Dense(3))
    params, _ = net.init(0)
    with pytest.raises(ValueError, match=r"net\.txt .*; expected a \.npz file"):
        nn.save(tmp_path / "net.txt", net, params)
