"""Reverse-mode differentiation with respect to lists of arrays, with hooks around each layer of a network.

autograd's own `value_and_grad` unpacks lists, and assembles their gradients, by traced operations. Here each
array is a root of the graph, which stores its gradient when the backward pass reaches it.
"""

import numpy as np
from autograd.core import VJPNode, backward_pass
from autograd.extend import defvjp_argnums, primitive
from autograd.tracer import getval, isbox, new_box, trace, trace_stack

from spherekit._core.pytree import as_reals, map_leaves, tree_leaves, with_leaves
from spherekit.train.losses import as_scalar, function_name


class _Slot:
    """A root of the graph: an array, and its gradient after the backward pass."""

    __slots__ = ["array", "gradient"]

    def __init__(self, array):
        self.array = array
        self.gradient = None

    def store(self, gradient):
        self.gradient = gradient
        return ()

    def collect(self):
        """Return the gradient and clear it; zeros if the backward pass has not reached the array."""
        gradient, self.gradient = self.gradient, None
        return np.zeros_like(self.array) if gradient is None else gradient

    def box(self):
        """Return the array as a root of the graph that is being recorded."""
        root = VJPNode.new_root()
        root.vjp = self.store
        return new_box(self.array, trace_stack.top, root)


def vjp(function, arrays):
    """Evaluate a function of a list of arrays, and return its vector-Jacobian product.

    Parameters
    ----------
    function : callable
        Function of the list of arrays that returns an array and an auxiliary tree of arrays.
    arrays : list of float or complex arrays
        Arguments.

    Returns
    -------
    value : array
        First result.
    pullback : callable
        Maps the gradient with respect to the value to the list of gradients with respect to the arrays, in
        autograd's convention.
    auxiliary : tree of arrays
        Second result, which is not differentiated.

    >>> import numpy as np
    >>> arrays = [np.ones(2), np.array([2.0, 3.0])]
    >>> value, pullback, _ = vjp(lambda a: (a[0] * a[1], ()), arrays)
    >>> value.tolist(), [g.tolist() for g in pullback(np.ones(2))]
    ([2.0, 3.0], [[2.0, 3.0], [1.0, 1.0]])
    """
    slots = [_Slot(array) for array in arrays]
    results = []
    errors = []

    def recorded(start):
        try:
            value, auxiliary = function([slot.box() for slot in slots])
        except BaseException as error:
            errors.append(error)  # raised below, after autograd has left this trace level
            return start
        results.extend((value, map_leaves(getval, auxiliary)))
        return value if isbox(value) else start

    value, end = trace(VJPNode.new_root(), recorded, 0.0)
    if errors:
        raise errors[0]
    if not isbox(results[0]):
        value = results[0]

    def pullback(gradient):
        backward_pass(gradient, end)
        return [slot.collect() for slot in slots]

    return value, pullback, results[1]


def value_and_gradients(function, arrays):
    """Evaluate a scalar function of a list of arrays and its gradients, in autograd's convention.

    Parameters
    ----------
    function : callable
        Function of the list of arrays that returns a real scalar and an auxiliary tree of arrays.
    arrays : list of float or complex arrays
        Arguments.

    Returns
    -------
    value : float
        First result.
    gradients : list of arrays
        Gradients with respect to the arrays.
    auxiliary : tree of arrays
        Second result, which is not differentiated.

    >>> import numpy as np
    >>> arrays = [np.ones(2), np.ones(1)]
    >>> value, gradients, _ = value_and_gradients(lambda a: (a[0].sum() * a[1][0], ()), arrays)
    >>> float(value), [g.tolist() for g in gradients]
    (2.0, [[1.0, 1.0], [2.0]])
    """
    value, pullback, auxiliary = vjp(function, arrays)
    return value, pullback(np.ones((), np.asarray(value).dtype)), auxiliary


def loss_and_gradients(net, loss, params, state, x, y, context):
    """Compute the loss of a batch, its gradients with respect to the parameters, and the new running state.

    Parameters
    ----------
    net : spherekit.nn.Sequential
        Network.
    loss : callable
        Function of (outputs, targets).
    params, state : trees of arrays
        Parameters and running state.
    x, y : arrays
        Signals and targets.
    context : spherekit.nn.Context
        Context of the forward pass.

    Returns
    -------
    loss : float
        Loss of the batch.
    gradients : tree of arrays
        Gradients, with the structure of ``params``.
    state : tree of arrays
        New running state.

    Raises
    ------
    TypeError
        The loss is not a real scalar.
    ValueError
        The loss is not computed from the parameters by operations of autograd.
    """

    def function(boxes):
        outputs, new_state = net.apply(with_leaves(params, boxes), state, x, context)
        value = loss(outputs, y)
        as_scalar(getval(value), "the loss", loss)
        if not isbox(value):
            _raise_untraced(outputs, loss)
        return value, new_state

    value, gradients, new_state = value_and_gradients(function, tree_leaves(params))
    return float(value), with_leaves(params, gradients), new_state


def _raise_untraced(outputs, loss):
    """Raise ValueError if autograd does not trace the loss to the parameters; gradients would be 0."""
    if not isbox(outputs):
        raise ValueError(
            "the outputs of the network do not depend on its parameters, or autograd cannot trace them: use "
            "autograd.numpy in layers, and do not convert to plain numbers or arrays"
        )
    raise ValueError(
        f"the loss, {function_name(loss)}, does not depend on the outputs, or autograd cannot trace it: use "
        "autograd.numpy in the loss, and do not convert to plain numbers or arrays"
    )


# --- hooks around layers -------------------------------------------------------------------------------


class LayerObserver:
    """Hooks around the forward and backward passes of each layer; subclasses measure or check them.

    A layer is identified by ``key``, (path, name of its class). ``compute(normalized=True)`` divides the
    arrays by their largest entries where these are above 1, to test whether large numbers cause a failure.
    """

    def forward(self, key, x, compute):
        """Return the result of ``compute()``, (output, state), for the input ``x``."""
        return compute()

    def backward(self, key, gradient, compute):
        """Return the result of ``compute()``, the gradients by the input and the traced parameters."""
        return compute()


@primitive
def _observed(*arrays, run):
    """Return the output of a layer; ``run`` computes the output and, in the backward pass, its gradients."""
    return run.forward(arrays)


defvjp_argnums(_observed, lambda argnums, value, arrays, flags: flags["run"].backward(argnums))


class _LayerRun:
    """One forward pass of a layer, and the corresponding backward pass."""

    def __init__(self, observer, layer, params, state, x, context):
        self.observer = observer
        self.key = context.path, type(layer).__name__
        self.layer = layer
        self.state = state
        self.context = context
        self.tree = x, params
        self.leaves = tree_leaves(self.tree)
        self.traced = [index for index, leaf in enumerate(self.leaves) if isbox(leaf)]
        self.pullback = None
        self.new_state = None

    def apply(self, values):
        """Apply the layer with ``values`` as the leaves of its input and parameters."""
        x, params = with_leaves(self.tree, values)
        return self.layer.apply(params, self.state, x, self.context)

    def output(self):
        """Return the output, traced if the input or a parameter is."""
        return _observed(*(self.leaves[index] for index in self.traced), run=self)

    def forward(self, arrays):
        """Return the output, with the plain ``arrays`` in place of the traced leaves."""
        plain_leaves = list(map(getval, self.leaves))

        def function(boxes):
            values = list(plain_leaves)
            for index, box in zip(self.traced, boxes, strict=True):
                values[index] = box
            return self.apply(values)

        def compute(normalized=False):
            if normalized:
                return self.apply(list(map(_normalized, plain_leaves)))
            if not arrays:
                return self.apply(plain_leaves)
            y, self.pullback, new_state = vjp(function, list(arrays))
            return y, new_state

        y, self.new_state = self.observer.forward(self.key, plain_leaves[0], compute)
        return y

    def backward(self, argnums):
        """Return the rule of the backward pass, with respect to all arguments."""

        def rule(gradient):
            def compute(normalized=False):
                return self.pullback(_normalized(gradient) if normalized else gradient)

            return self.observer.backward(self.key, gradient, compute)

        return rule


def _normalized(array):
    """Divide an array by its largest entry if that is finite and above 1."""
    largest = np.max(np.abs(as_reals(array)), initial=1)
    return array / largest if np.isfinite(largest) else array


def observe_with(observer):
    """Return the argument ``around`` of a `spherekit.nn.Context` that calls the hooks of an observer.

    Parameters
    ----------
    observer : LayerObserver
        Hooks around the forward and backward passes of each layer.

    Returns
    -------
    callable
        Function of (layer, params, state, x, context) that returns (output, new state).

    >>> from spherekit import nn
    >>> class Names(LayerObserver):
    ...     def backward(self, key, gradient, compute):
    ...         print(key)
    ...         return compute()
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(4), nn.Dense(1))
    >>> params, state = net.init(0)
    >>> x, context = np.ones((2, 3)), nn.Context(training=True, around=observe_with(Names()))
    >>> _ = loss_and_gradients(net, lambda y, _: y.sum(), params, state, x, None, context)
    ((1,), 'Dense')
    ((0,), 'Dense')
    """

    def around(layer, params, state, x, context):
        run = _LayerRun(observer, layer, params, state, x, context)
        y = run.output()
        return y, run.new_state

    return around
