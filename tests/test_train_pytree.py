"""Trees of parameters, and the gradients by their leaves."""

import json

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from tolerances import SHORT_SUM

from spherekit.train import autodiff, pytree

TREE = [{"b": np.ones(2), "a": np.zeros((1, 2))}, {}, ({"running_x": np.ones(1)}, [np.array(3.0)])]


def test_trees():
    paths = [path for path, _ in pytree.leaves(TREE)]
    assert paths == [(0, "b"), (0, "a"), (2, 0, "running_x"), (2, 1, 0)]
    assert [p for p, _ in pytree.leaves(TREE, statistics=False)] == [paths[0], paths[1], paths[3]]
    form = json.loads(json.dumps(pytree.structure(TREE)))
    back = pytree.rebuilt(form, [a for _, a in pytree.leaves(TREE)])
    assert pytree.differences(TREE, back) is None and isinstance(back[2], tuple) and back[1] == {}
    assert list(back[0]) == ["b", "a"]
    assert pytree.differences(TREE, [TREE[0]]).startswith("no 2.")
    assert "0.b of shape (3,), float64; expected (2,)" in pytree.differences(
        [{"b": np.ones(2)}], [{"b": np.ones(3)}]
    )
    assert "which is not expected" in pytree.differences([], [np.ones(2)])
    with pytest.raises(TypeError, match="has str at 0.name"):
        pytree.leaves([{"name": "zonal"}])


@pytest.mark.parametrize(
    "form", [{"dict": 3}, {"set": []}, [0], 7, {"list": [True]}, {"dict": [[1]]}, None, {}, -1]
)
def test_structures_that_are_refused(form):
    with pytest.raises((ValueError, TypeError)):
        pytree.rebuilt(form, [np.ones(1)])


def test_gradients_are_those_of_autograd(rng):
    x, y, unused = rng.standard_normal(3), rng.standard_normal(3) + 1j, np.ones(2)

    def f(a):
        return anp.sum(anp.abs(a[0] * a[1]) ** 2) + anp.sum(anp.sin(a[0])) * np.shape(a[0])[0]

    value, found, rest = autodiff.value_and_gradients(lambda a: (f(a), "rest"), [x, y, unused])
    expected = grad(f)([x, y])
    np.testing.assert_allclose(found[0], expected[0], rtol=SHORT_SUM)
    np.testing.assert_allclose(found[1], expected[1], rtol=SHORT_SUM)
    assert (found[2] == 0).all() and rest == "rest" and value == f([x, y])


def test_watched_gradients_are_the_same(rng):
    """Functions without a gradient among them; an error inside leaves autograd as it was."""
    from autograd.tracer import trace_stack

    class Seen(autodiff.Watch):
        names = []

        def step(self, label, name, seconds, outgrad, ingrads):
            self.names.append(name)

    def f(a):
        return anp.sum(a[0] * anp.sign(a[0]) * anp.shape(a[0])[0] * (anp.isfinite(a[0]) + 0)), None

    x, watch, top = rng.standard_normal(4), Seen(), trace_stack.top
    plain, watched = (autodiff.value_and_gradients(f, [x], w) for w in (None, watch))
    assert (plain[1][0] == watched[1][0]).all() and "multiply" in watch.names
    with pytest.raises(ZeroDivisionError):
        autodiff.value_and_gradients(lambda a: 1 / 0, [x], watch)
    assert trace_stack.top == top
