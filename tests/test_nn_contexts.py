"""Networks in networks, running state, and the context of a pass: callbacks, random numbers."""

import copy
import dataclasses

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.tracer import isbox
from helpers.networks import (
    FEATURES,
    FRAGMENTS,
    GROUP,
    SPHERE,
    SPINS,
    Map,
    assert_equal_bits,
    leaves,
    output,
    signals,
    training,
)
from tolerances import CHAIN

from spherekit import nn


def test_nested_networks(rng):
    """A block with or without the type of its input computes what its layers do."""
    x, layers = signals(SPHERE, rng), [nn.Zonal(3), nn.BatchNorm(), nn.Pointwise("tanh")]
    flat = nn.Sequential(SPHERE, *layers, nn.GlobalMean(), nn.Dense(2))
    params, state = flat.init(0)
    for block in (nn.Sequential(*layers), nn.Sequential(SPHERE, *layers)):
        net = nn.Sequential(SPHERE, block, nn.GlobalMean(), nn.Dense(2))
        nested = [params[:3], *params[3:]], [state[:3], *state[3:]]
        assert_equal_bits(list(leaves(net.init(0))), list(leaves((params, state))))
        assert [len(tree) for tree in net.init(0)] == [3, 3] and len(net.init(0)[0][0]) == 3
        for context in (None, training(0)):
            y, after = net.apply(*nested, x, context)
            expected, new_state = flat.apply(params, state, x, context)
            assert (y == expected).all() and y.dtype == expected.dtype
            assert_equal_bits(list(leaves(after)), list(leaves(new_state)))
        assert net.out_type() == flat.out_type()
        assert net.multiplications(SPHERE) == flat.multiplications(SPHERE)


def test_a_block_does_not_know_its_input(rng):
    block, x = nn.Sequential(nn.Zonal(3), nn.GlobalMean()), signals(SPHERE, rng)
    params, state = block.init(SPHERE, 0)
    assert block.out_type(SPHERE) == nn.Features(3) and block.in_type is None
    net = nn.Sequential(SPHERE, *block.layers)
    assert (block(params, x, in_type=SPHERE) == net(params, x)).all()
    for call in (
        lambda: block.out_type(),
        lambda: block(params, x),
        lambda: block.init(0),
        lambda: block.stages(),
        lambda: block.apply(params, state, x),
    ):
        with pytest.raises(TypeError, match="is not defined; pass it as first argument"):
            call()


def test_arguments_of_init():
    net = nn.Sequential(SPHERE, nn.Zonal(3))
    assert_equal_bits(list(leaves(net.init(SPHERE, 0))), list(leaves(net.init(0))))
    for wrong in ((0, np.float32), (np.random.default_rng(0), np.float32), ("S2", 0)):
        with pytest.raises(TypeError, match=r"expected net\.init\(rng, dtype=dtype\)"):
            net.init(*wrong)
    with pytest.raises(ValueError, match="accepts real S2.*its input is 3 features"):
        net.init(FEATURES, 0)
    with pytest.raises(TypeError, match="rng is None"):
        net.init(SPHERE)


def test_types_of_input_that_do_not_meet():
    with pytest.raises(
        ValueError, match="layer 1, Sequential: accepts real S2.*its input is real S2"
    ):
        nn.Sequential(SPHERE, nn.Zonal(3), nn.Sequential(SPHERE, nn.GlobalMean()))
    with pytest.raises(TypeError, match="passed twice"):
        nn.Sequential(SPHERE, nn.Zonal(3), in_type=SPHERE)
    net = nn.Sequential(SPHERE, nn.Zonal(3))
    with pytest.raises(ValueError, match="accepts real S2"):
        net.apply(*net.init(0), np.zeros((1, 3)), nn.Context(in_type=FEATURES))
    with pytest.raises(TypeError, match="layer 0.1, Dense: accepts"):
        nn.Sequential(SPHERE, nn.Sequential(nn.Zonal(2), nn.Dense(3)))
    assert nn.Sequential(nn.Zonal(3), in_type=SPHERE) == net


def test_no_layers(rng):
    net, x = nn.Sequential(SPHERE), signals(SPHERE, rng)
    assert net.init(0) == ([], []) and net.out_type() == SPHERE and (net([], x) == x).all()
    assert eval(repr(net), vars(nn)) == net and eval(repr(nn.Sequential()), vars(nn)).layers == ()


def test_readouts_of_each_stage(rng):
    """Those of the input and of each output, side by side; parameters of layers, then of readouts."""
    layers = nn.FragmentNorm(), nn.Convolution(3)
    net = nn.Sequential(
        FRAGMENTS, nn.ConcatReadouts(nn.Sequential(nn.Invariants(), nn.Dense(2)), *layers)
    )
    params, state = net.init(0)
    x = signals(FRAGMENTS, rng)
    y = net(params, x, state=state)
    assert net.out_type() == nn.Features(6) and y.shape == (3, 6)
    (inner, readouts), in_type, results = params[0], FRAGMENTS, []
    readout = net.layers[0].readout
    for number in range(3):
        results.append(readout(readouts[number], x, in_type=in_type))
        if number < 2:
            x = layers[number](inner[number], x, in_type=in_type, state=state[0][0][number])
            in_type = layers[number].out_type(in_type)
    np.testing.assert_array_equal(y, np.concatenate(results, axis=1))
    with pytest.raises(ValueError, match="layer 0, ConcatReadouts: .*expected Features"):
        nn.Sequential(FRAGMENTS, nn.ConcatReadouts(nn.Convolution(2), nn.Convolution(3)))
    with pytest.raises(TypeError, match="layer 1, Zonal: is a class"):
        nn.ConcatReadouts(nn.Invariants(), nn.Zonal)
    with pytest.raises(TypeError, match="layer 0, str: .*is not a layer"):
        nn.ConcatReadouts("mean", nn.Zonal(2))


# --- state -------------------------------------------------------------------------------------------


def test_state_may_be_left_out(rng):
    """Where there is none; where there is, its absence is refused, also in training."""
    plain = nn.Sequential(SPHERE, nn.Zonal(3), nn.Sequential(nn.GlobalMean(), nn.Dropout()))
    params, state = plain.init(0)
    x = signals(SPHERE, rng)
    assert not any(True for _ in leaves(state))
    assert (plain(params, x) == plain(params, x, state=state)).all()
    y, after = plain.apply(params, None, x, training())
    assert (y == plain.apply(params, state, x, training())[0]).all() and after == state
    norm = nn.Sequential(SPHERE, nn.Sequential(nn.Zonal(3), nn.BatchNorm()))
    params, state = norm.init(0)
    for call in (
        lambda: norm(params, x),
        lambda: norm.apply(params, None, x),
        lambda: norm.apply(params, None, x, training()),
    ):
        with pytest.raises(ValueError, match="running state; pass state="):
            call()


def test_state_of_another_network(rng):
    net = nn.Sequential(SPHERE, nn.BatchNorm(), nn.GlobalMean())
    params, state = net.init(0)
    x = signals(SPHERE, rng)
    for other in ([{}], [*state, {}], {}, 3, np.zeros(2)):
        with pytest.raises(ValueError, match="state has .*expected one for each of the 2 layers"):
            net(params, x, state=other)
    with pytest.raises(ValueError, match=r"layer 0, BatchNorm: no state\.0\.(mean|variance); "):
        net(params, x, state=[{}, {}])
    for other in (params[:1], [*params, {}], {}, None, params[0]["scale"]):
        with pytest.raises(ValueError, match="params has .*expected one for each of the 2 layers"):
            net(other, x, state=state)
    with pytest.raises(ValueError, match=r"layer 0, BatchNorm: no params\.0\.(scale|mean); "):
        net([{}, {}], x, state=state)


@pytest.mark.parametrize("layer", [nn.Zonal(3), nn.Convolution(3), nn.Correlate(2), nn.BatchNorm()])
def test_shapes_of_another_network(layer, rng):
    """Of parameters and state of a network with other channels: named, plain and differentiated."""
    types = {nn.Convolution: FRAGMENTS, nn.Correlate: GROUP}
    in_type = types.get(type(layer), SPHERE)
    net = nn.Sequential(in_type, nn.Sequential(layer))
    other = nn.Sequential(dataclasses.replace(in_type, channels=1), nn.Sequential(layer))
    (params, state), x = other.init(0), signals(in_type, rng)
    words = r"^layer 0, Sequential: params\.0\.0\.\w+ has the shape .*; expected .*net\.init"
    with pytest.raises(ValueError, match=words):
        net(params, x, state=state)
    with pytest.raises(ValueError, match=words):
        grad(lambda p: anp.sum(anp.abs(net(p, x, state=state))))(params)
    if state[0][0]:
        with pytest.raises(ValueError, match=words.replace("params", "state")):
            net(net.init(0)[0], x, state=state)


def test_running_state_is_not_a_parameter(rng):
    """Two trees; the one that came in is not changed; gradients are of the parameters alone."""
    net = nn.Sequential(SPHERE, nn.Zonal(3), nn.BatchNorm(momentum=0.75), nn.GlobalMean())
    params, state = net.init(0)
    assert set(params[1]) == {"scale", "mean"} and set(state[1]) == {"variance", "mean"}
    before, x = copy.deepcopy(state), signals(SPHERE, rng)
    _, after = net.apply(params, state, x, training())
    assert_equal_bits(list(leaves(state)), list(leaves(before)))
    full = nn.Sequential(SPHERE, nn.Zonal(3), nn.BatchNorm(momentum=0), nn.GlobalMean())
    _, batch = full.apply(params, state, x, training())
    for name in ("variance", "mean"):
        expected = 0.75 * state[1][name] + 0.25 * batch[1][name]
        np.testing.assert_allclose(after[1][name], expected, rtol=CHAIN, atol=CHAIN)
    fragments = nn.Sequential(FRAGMENTS, nn.FragmentNorm())
    assert set(fragments.init(0)[1][0]) == {"mean_square"}
    gradient = grad(lambda p: net(p, x, state=state)[0, 0])(params)
    assert [set(tree) for tree in gradient] == [set(tree) for tree in params]


# --- contexts ----------------------------------------------------------------------------------------


def nested():
    block = nn.Sequential(nn.Zonal(3), nn.Pointwise("tanh"))
    readouts = nn.ConcatReadouts(nn.Invariants(), nn.Convolution(2))
    return nn.Sequential(SPHERE, block, nn.ToFragments(), readouts, nn.Dropout(0.5), nn.Dense(2))


def test_callbacks(rng):
    """After each layer, the innermost first, with its place; input and output are those of the layer."""
    net, calls = nested(), []
    params, state = net.init(0)
    x = signals(SPHERE, rng)
    contexts = [
        nn.Context(callbacks=[lambda *call: calls.append(call)]),
        nn.Context(training=True, rng=0, callbacks=(lambda *call: calls.append(call),)),
    ]
    order = [(0, 0), (0, 1), (0,), (1,), (2, 1, 0), (2, 0, 0), (2, 1, 1), (2,), (3,), (4,)]
    for context in contexts:
        calls.clear()
        y, _ = net.apply(params, state, x, context)
        assert [path for path, *_ in calls] == order
        layers = {path: layer for path, layer, *_ in calls}
        assert layers[0,] is net.layers[0] and layers[0, 1] is net.layers[0].layers[1]
        assert layers[2, 1, 0] is net.layers[2].readout
        assert layers[2, 0, 0] is net.layers[2].layers[0]
        inputs, outputs = ({path: call[k] for path, *call in calls} for k in (1, 2))
        assert inputs[0, 0] is inputs[0,] and outputs[0, 1] is outputs[0,]
        assert outputs[0, 0] is inputs[0, 1] and outputs[0,] is inputs[1,]
        assert outputs[4,] is y and np.array_equal(inputs[0,], x)
        plain = output(net, (params, state), x, training() if context.training else None)
        assert (plain == y).all()


def test_callbacks_in_a_differentiated_pass(rng):
    net, boxed = nested(), []
    params, state = net.init(0)
    context = nn.Context(callbacks=[lambda path, layer, x, y: boxed.append(isbox(y))])
    x = signals(SPHERE, rng)
    grad(lambda p: net.apply(p, state, x, context)[0][0, 0])(params)
    assert len(boxed) == 10 and all(boxed)


def test_callbacks_are_called_once(rng):
    """Also where a network runs again to name the layer of a NaN."""
    calls, layers = [], (nn.Zonal(2), Map(lambda x: x * np.inf), nn.GlobalMean())
    net = nn.Sequential(SPHERE, *layers)
    context = nn.Context(callbacks=[lambda path, *_: calls.append(path)])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="layer 1, Map"):
        net.apply(*net.init(0), signals(SPHERE, rng), context)
    assert calls == [(0,), (1,), (2,)]


def test_around(rng):
    """Runs each layer that contains no others; what it returns is what the layer returned."""
    net, paths = nested(), []
    params, state = net.init(0)
    x = signals(SPHERE, rng)

    def around(layer, params, state, x, context):
        paths.append((context.path, layer, context.in_type, layer.out_type(context.in_type)))
        return layer.apply(params, state, x, context)

    y, after = net.apply(params, state, x, nn.Context(training=True, rng=0, around=around))
    expected, new_state = net.apply(params, state, x, training())
    assert (y == expected).all() and after == new_state
    assert [path for path, *_ in paths] == [
        (0, 0), (0, 1), (1,), (2, 1, 0), (2, 0, 0), (2, 1, 1), (3,), (4,)
    ]  # fmt: skip
    assert not any(isinstance(layer, nn.Sequential | nn.ConcatReadouts) for _, layer, *_ in paths)
    assert paths[0][2] == SPHERE and paths[-1][3] == nn.Features(2)

    def doubled(layer, params, state, x, context):
        y, state = layer.apply(params, state, x, context)
        return (2 * y if isinstance(layer, nn.Dense) else y), state

    y, _ = net.apply(params, state, x, nn.Context(around=doubled))
    assert (y == 2 * net(params, x)).all()


def test_random_numbers_of_a_context(rng):
    net = nn.Sequential(FEATURES, nn.Sequential(nn.Dropout(0.5)), nn.Dropout(0.5))
    x = np.ones((50, 3))
    with pytest.raises(
        ValueError, match="Dropout: random numbers are needed.*pass Context.*rng=rng"
    ):
        net.apply([[{}], {}], None, x, nn.Context(training=True))
    assert (net([[{}], {}], x) == x).all()
    generator = np.random.default_rng(0)
    context = nn.Context(training=True, rng=generator)
    first, second = (net.apply([[{}], {}], None, x, context)[0] for _ in range(2))
    assert (first != second).any() and context.rng is generator and context.random() is generator
    assert (first == net.apply([[{}], {}], None, x, training(0))[0]).all()


def test_attributes_of_a_context():
    context = nn.Context(training=1, rng=3, threads=2, in_type=SPHERE)
    assert context.training is True and context.threads == 2 and context.path == ()
    assert context.callbacks == () and context.check_finite is True and context.around is None
    other = context.replace(training=False, path=(1,))
    assert (other.training, other.path, other.rng) == (False, (1,), context.rng)
    assert context.training and context.path == ()
    assert "training=True" in repr(context) and "threads=2" in repr(context)
    for threads in (0, -1, 1.5, "2"):
        with pytest.raises((TypeError, ValueError), match="threads"):
            nn.Context(threads=threads)
    for wrong in (1.5, "seed", True, np.random.RandomState(0)):
        with pytest.raises(TypeError, match="rng is .*expected a numpy.random.Generator"):
            nn.Context(rng=wrong)


@pytest.mark.parametrize("in_type", [SPHERE, SPINS, GROUP, FRAGMENTS, FEATURES], ids=repr)
def test_the_batch_is_the_first_axis(in_type, rng):
    """Of every type of signals: each is computed as alone."""
    x = signals(in_type, rng, 5)
    assert x.shape == in_type.shape(5) and len(x) == 5
    net = nn.Sequential(in_type, Map(lambda x: 2 * x))
    assert (net([{}], x[3:4])[0] == net([{}], x)[3]).all()
    with pytest.raises(ValueError, match="the signals have shape .*batch"):
        net([{}], np.moveaxis(x, 0, -1))


def test_what_a_context_refuses(rng):
    for wrong in (dict(callbacks=[3]), dict(callbacks="print"), dict(around=3)):
        with pytest.raises(TypeError, match="expected callables"):
            nn.Context(**wrong)
    assert nn.Context(callbacks=print).callbacks == (print,)
    with pytest.raises(
        TypeError, match="attributes of a context are training, rng, .*; got trainig"
    ):
        nn.Context().replace(trainig=True)
    net = nn.Sequential(SPHERE, nn.Zonal(2))
    params, state = net.init(0)
    with pytest.raises(TypeError, match="context is True; expected nn.Context"):
        net.apply(params, state, signals(SPHERE, rng), True)


def test_a_pair_in_place_of_parameters(rng):
    three = nn.Sequential(SPHERE, nn.Zonal(2), nn.GlobalMean(), nn.Dense(3))
    two = nn.Sequential(SPHERE, nn.Zonal(2), nn.BatchNorm())
    block = nn.Sequential(nn.Zonal(2), nn.BatchNorm())
    mixed = nn.Sequential(SPHERE, block, nn.GlobalMean())
    for net in (three, two, mixed):
        params, state = net.init(0)
        x = signals(SPHERE, rng)
        with pytest.raises(ValueError, match=r"params is a pair \(params, state\); pass them sep"):
            net((params, state), x, state=state)
        with pytest.raises(ValueError, match=r"state is a pair \(params, state\); pass them sep"):
            net(params, x, state=(params, state))
        result = net(params, x, state=state)
        np.testing.assert_array_equal(net(tuple(params), x, state=tuple(state)), result)
    blocks = nn.Sequential(SPHERE, block, block)  # whose tuple of entries looks like a pair
    params, state = blocks.init(0)
    result = blocks(params, x, state=state)
    np.testing.assert_array_equal(blocks(tuple(params), x, state=tuple(state)), result)


def test_parameters_that_would_broadcast(rng):
    """One bias for all features, or an entry too many: not the network's own."""
    net = nn.Sequential(SPHERE, nn.GlobalMean(), nn.Dense(3))
    (empty, params), state = net.init(0)
    for other in (params | {"bias": np.zeros(1)}, params | {"more": np.zeros(1)}):
        with pytest.raises(ValueError, match=r"layer 1, Dense: params\.1\.(bias|more) "):
            net([empty, other], signals(SPHERE, rng), state=state)


def test_paths_of_layers_within_others(rng):
    """The same in errors, callbacks and trees of parameters."""
    block = nn.Sequential(nn.Pointwise(lambda x: np.nan * x))
    net = nn.Sequential(SPHERE, nn.ConcatReadouts(nn.GlobalMean(), nn.Zonal(2), block))
    params, state = net.init(0)
    paths = []
    context = nn.Context(callbacks=lambda path, *_: paths.append(path), check_finite=False)
    with pytest.raises(ValueError, match=r"layer 0\.0\.1\.0, Pointwise: "):
        net.apply(params, state, signals(SPHERE, rng), context)
    assert paths == [(0, 1, 0), (0, 0, 0), (0, 1, 1)]
    with pytest.raises(TypeError, match=r"layer 0\.0\.0, Dense: accepts Features"):
        nn.Sequential(SPHERE, nn.ConcatReadouts(nn.GlobalMean(), nn.Dense(2)))
