"""Trees of parameters, and the gradients by their leaves."""

import json
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.tracer import trace_stack
from helpers.trainings import begin, cobb, problem, zonal
from tolerances import SHORT_SUM

from spherekit import nn, train
from spherekit._core import pytree
from spherekit.train import autodiff

TREE = [{"b": np.ones(2), "a": np.zeros((1, 2))}, {}, ({"mean": np.ones(1)}, [np.array(3.0)])]


def test_trees():
    paths = [path for path, _ in pytree.flatten(TREE)]
    assert paths == [(0, "b"), (0, "a"), (2, 0, "mean"), (2, 1, 0)]
    arrays = [array for _, array in pytree.flatten(TREE)]
    assert all(a is b for a, b in zip(pytree.tree_leaves(TREE), arrays, strict=True))
    definition = json.loads(json.dumps(pytree.treedef(TREE)))
    for tree in (pytree.unflatten(definition, arrays), pytree.with_leaves(TREE, arrays)):
        assert pytree.difference(TREE, tree) is None
        assert isinstance(tree[2], tuple) and tree[1] == {} and list(tree[0]) == ["b", "a"]
    assert pytree.difference(TREE, [TREE[0]]).startswith("no 2.")
    assert "0.b of shape (3,), float64; expected (2,)" in pytree.difference(
        [{"b": np.ones(2)}], [{"b": np.ones(3)}]
    )
    assert "which is not expected" in pytree.difference([], [np.ones(2)])
    with pytest.raises(TypeError, match="has str at 0.name"):
        pytree.flatten([{"name": "zonal"}])


@pytest.mark.parametrize(
    "definition",
    [{"dict": 3}, {"set": []}, [0], 7, {"list": [True]}, {"dict": [[1]]}, None, {}, -1],
)
def test_structures_that_are_refused(definition):
    with pytest.raises((ValueError, TypeError)):
        pytree.unflatten(definition, [np.ones(1)])


def test_gradients_are_those_of_autograd(rng):
    x, y, unused = rng.standard_normal(3), rng.standard_normal(3) + 1j, np.ones(2)

    def f(a):
        return anp.sum(anp.abs(a[0] * a[1]) ** 2) + anp.sum(anp.sin(a[0])) * np.shape(a[0])[0]

    def with_auxiliary(a):
        return f(a), {"boxed": 2 * a[0], "plain": np.ones(1)}

    value, gradients, auxiliary = autodiff.value_and_gradients(with_auxiliary, [x, y, unused])
    expected = grad(f)([x, y])
    np.testing.assert_allclose(gradients[0], expected[0], rtol=SHORT_SUM)
    np.testing.assert_allclose(gradients[1], expected[1], rtol=SHORT_SUM)
    assert (gradients[2] == 0).all() and value == f([x, y])
    assert type(auxiliary["boxed"]) is np.ndarray and (auxiliary["boxed"] == 2 * x).all()


def test_values_that_depend_on_nothing():
    """Gradients of zero, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, (g,), _ = autodiff.value_and_gradients(lambda a: (np.float32(3), ()), [np.ones(2)])
    assert value == 3 and (g == 0).all()


def test_pull_backs_run_again(rng):
    x, y = rng.standard_normal((2, 4))
    value, pullback, _ = autodiff.vjp(lambda a: (a[0] * a[1], ()), [x, y])
    for g in (np.ones(4), rng.standard_normal(4)):
        by_x, by_y = pullback(g)
        assert (by_x == g * y).all() and (by_y == g * x).all()
    assert (value == x * y).all()


def test_an_error_inside_leaves_autograd_as_it_was():
    level = trace_stack.top
    with pytest.raises(ZeroDivisionError):
        autodiff.value_and_gradients(lambda a: 1 / 0, [np.ones(2)])
    assert trace_stack.top == level


class Recorder(autodiff.LayerObserver):
    """Paths of layers, in the order in which they run."""

    def __init__(self):
        self.forward_keys, self.backward_keys = [], []

    def forward(self, key, x, compute):
        self.forward_keys.append(key)
        assert type(x) is np.ndarray
        return compute()

    def backward(self, key, gradient, compute):
        self.backward_keys.append(key)
        gradients = compute()
        assert all(type(g) is np.ndarray for g in gradients)
        return gradients


@pytest.mark.parametrize("make", [zonal, cobb])
def test_observed_layers_have_the_same_gradients(make):
    """Each layer that contains no others, once forward and once backward, in the order of the network."""
    net, (x, labels) = make(), problem()
    params, state = begin(net)
    recorder, results = Recorder(), []
    for around in (None, autodiff.observe_with(recorder)):
        context = nn.Context(training=True, rng=0, around=around)
        arguments = net, train.losses.cross_entropy, params, state, x, labels, context
        results.append(autodiff.loss_and_gradients(*arguments))
    (loss, gradients, new_state), (loss_2, gradients_2, new_state_2) = results
    assert loss == loss_2 and pytree.difference(state, new_state) is None
    for tree, tree_2 in ((gradients, gradients_2), (new_state, new_state_2)):
        for (path, a), (_, b) in zip(pytree.flatten(tree), pytree.flatten(tree_2), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-7, err_msg=pytree.path_text(path))
    keys = recorder.forward_keys
    assert len(set(keys)) == len(keys) and ((len(net.layers) - 1,), "Dense") in keys
    with_gradient = [key for key in keys if key in recorder.backward_keys]
    assert sorted(recorder.backward_keys) == sorted(with_gradient)
    if make is zonal:
        names = ["Zonal", "BatchNorm", "Pointwise", "Dropout", "PowerSpectrum", "Dense"]
        assert keys == [((number,), name) for number, name in enumerate(names)]
        assert recorder.backward_keys == keys[::-1]
    else:
        assert not any(name in ("Sequential", "ConcatReadouts") for _, name in keys)
        assert ((0,), "ToFragments") not in recorder.backward_keys  # it has nothing to train
