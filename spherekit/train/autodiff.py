"""Values and gradients by lists of arrays, and layers that are observed while a network is differentiated.

autograd's own `value_and_grad` takes lists apart, and assembles their gradients, by operations of its own.
Here each array is a root of the graph, which stores its gradient when the backward pass arrives there.
"""

import numpy as np
from autograd.core import VJPNode, backward_pass
from autograd.extend import defvjp_argnums, primitive
from autograd.tracer import getval, isbox, new_box, trace, trace_stack

from spherekit._core.pytree import as_reals, map_leaves, tree_leaves, with_leaves
from spherekit.train.losses import as_scalar, function_name


class _Slot:
    """An array, and its gradient after the backward pass."""

    __slots__ = ["array", "gradient"]

    def __init__(self, array):
        self.array, self.gradient = array, None

    def store(self, gradient):
        self.gradient = gradient
        return ()

    def collect(self):
        """The gradient, 0 where none has arrived; it is not stored any longer."""
        gradient, self.gradient = self.gradient, None
        return np.zeros_like(self.array) if gradient is None else gradient

    def box(self):
        """The array as a root of the graph that is being recorded."""
        root = VJPNode.new_root()
        root.vjp = self.store
        return new_box(self.array, trace_stack.top, root)


def vjp(function, arrays):
    """(value, pull-back, auxiliary result) of a function of a list of arrays.

    Parameters
    ----------
    function : callable
        Of the list of arrays; returns (an array, an auxiliary tree of arrays).
    arrays : list of float or complex arrays

    Returns
    -------
    value : array
    pullback : callable
        From the gradient by the value to the list of gradients by the arrays, in autograd's convention.
    auxiliary : tree of arrays
        The second result, not differentiated.

    >>> import numpy as np
    >>> arrays = [np.ones(2), np.array([2.0, 3.0])]
    >>> value, pullback, _ = vjp(lambda a: (a[0] * a[1], ()), arrays)
    >>> value.tolist(), [g.tolist() for g in pullback(np.ones(2))]
    ([2.0, 3.0], [[2.0, 3.0], [1.0, 1.0]])
    """
    slots = [_Slot(array) for array in arrays]
    results, errors = [], []

    def recorded(start):
        try:
            value, auxiliary = function([slot.box() for slot in slots])
        except BaseException as error:
            errors.append(error)  # raised below: inside, autograd would count a level too many
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
    """(value, gradient by each array, auxiliary result), in autograd's convention.

    Parameters
    ----------
    function : callable
        Of the list of arrays; returns (one real number, an auxiliary tree of arrays).
    arrays : list of float or complex arrays

    >>> import numpy as np
    >>> arrays = [np.ones(2), np.ones(1)]
    >>> value, gradients, _ = value_and_gradients(lambda a: (a[0].sum() * a[1][0], ()), arrays)
    >>> float(value), [g.tolist() for g in gradients]
    (2.0, [[1.0, 1.0], [2.0]])
    """
    value, pullback, auxiliary = vjp(function, arrays)
    return value, pullback(np.ones((), np.asarray(value).dtype)), auxiliary


def loss_and_gradients(net, loss, params, state, x, y, context):
    """Loss of a batch, its gradients by the parameters, and the new state of the network.

    Parameters
    ----------
    net : spherekit.nn.Sequential
    loss : callable
        Of (outputs, targets).
    params, state : trees of arrays
    x, y : arrays
        Signals and targets.
    context : spherekit.nn.Context

    Returns
    -------
    loss : float
    gradients : tree of arrays, as ``params``
    state : tree of arrays

    Raises
    ------
    TypeError, ValueError
        The loss is not one real number, or not computed from the parameters by operations of autograd.
    """

    def function(boxes):
        outputs, new_state = net.apply(with_leaves(params, boxes), state, x, context)
        value = loss(outputs, y)
        as_scalar(getval(value), "the loss", loss)
        if not isbox(value):
            _refuse_untraced(outputs, loss)
        return value, new_state

    value, gradients, new_state = value_and_gradients(function, tree_leaves(params))
    return float(value), with_leaves(params, gradients), new_state


def _refuse_untraced(outputs, loss):
    """Refuse a loss that autograd does not follow to the parameters: its gradient would be 0 throughout."""
    if not isbox(outputs):
        raise ValueError(
            "the outputs of the network do not depend on its parameters, or autograd cannot follow them: "
            "compute in layers with autograd.numpy, and do not convert to plain numbers or arrays"
        )
    raise ValueError(
        f"the loss, {function_name(loss)}, does not depend on the outputs, or autograd cannot follow it: "
        "compute it with autograd.numpy, and do not convert to plain numbers or arrays"
    )


# --- layer by layer ------------------------------------------------------------------------------------


class LayerObserver:
    """Runs the computations of each layer, forward and backward; a subclass measures or checks them.

    A layer is identified by ``key``, (path, name of its class). ``compute(ordinary=True)`` computes with
    arrays divided by their largest entries where these are above 1: whether a failure is one of size.
    """

    def forward(self, key, x, compute):
        """The result of ``compute()``, (output, state), for the input ``x``."""
        return compute()

    def backward(self, key, gradient, compute):
        """The result of ``compute()``, gradients by the input and the parameters that are differentiated."""
        return compute()


@primitive
def _observed(*arrays, run):
    """The output of a layer; ``run`` computes it, and its gradients later."""
    return run.forward(arrays)


defvjp_argnums(_observed, lambda argnums, value, arrays, flags: flags["run"].backward(argnums))


class _LayerRun:
    """One forward pass of a layer, and the backward pass through it."""

    def __init__(self, observer, layer, params, state, x, context):
        self.observer, self.key = observer, (context.path, type(layer).__name__)
        self.layer, self.state, self.context = layer, state, context
        self.tree = x, params
        self.leaves = tree_leaves(self.tree)
        self.traced = [index for index, leaf in enumerate(self.leaves) if isbox(leaf)]
        self.pullback = self.new_state = None

    def apply(self, values):
        """The layer, with these leaves in place of its input and parameters."""
        x, params = with_leaves(self.tree, values)
        return self.layer.apply(params, self.state, x, self.context)

    def output(self):
        """The output, traced as the arguments are."""
        return _observed(*(self.leaves[index] for index in self.traced), run=self)

    def forward(self, arrays):
        """The output, for plain arrays in place of those that are differentiated."""
        plain = list(map(getval, self.leaves))

        def function(boxes):
            values = list(plain)
            for index, box in zip(self.traced, boxes, strict=True):
                values[index] = box
            return self.apply(values)

        def compute(ordinary=False):
            if ordinary:
                return self.apply(list(map(_ordinary, plain)))
            if not arrays:
                return self.apply(plain)
            y, self.pullback, new_state = vjp(function, list(arrays))
            return y, new_state

        y, self.new_state = self.observer.forward(self.key, plain[0], compute)
        return y

    def backward(self, argnums):
        """The rule of the backward pass; all arguments are differentiated."""

        def rule(gradient):
            def compute(ordinary=False):
                return self.pullback(_ordinary(gradient) if ordinary else gradient)

            return self.observer.backward(self.key, gradient, compute)

        return rule


def _ordinary(array):
    """The array, divided by its largest entry where that is finite and above 1."""
    largest = np.max(np.abs(as_reals(array)), initial=1)
    return array / largest if np.isfinite(largest) else array


def observed_by(observer):
    """``around`` of a `spherekit.nn.Context`: each layer runs as the observer runs it, in both directions.

    Parameters
    ----------
    observer : LayerObserver

    >>> from spherekit import nn
    >>> class Names(LayerObserver):
    ...     def backward(self, key, gradient, compute):
    ...         print(key)
    ...         return compute()
    >>> net = nn.Sequential(nn.Features(3), nn.Dense(4), nn.Dense(1))
    >>> params, state = net.init(0)
    >>> x, context = np.ones((2, 3)), nn.Context(training=True, around=observed_by(Names()))
    >>> _ = loss_and_gradients(net, lambda y, _: y.sum(), params, state, x, None, context)
    ((1,), 'Dense')
    ((0,), 'Dense')
    """

    def around(layer, params, state, x, context):
        run = _LayerRun(observer, layer, params, state, x, context)
        y = run.output()
        return y, run.new_state

    return around
