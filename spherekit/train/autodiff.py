"""Value and gradients by a list of arrays, as autograd makes them, with someone to watch the steps.

autograd's own `value_and_grad` takes lists apart, and puts their gradients together, by nodes of their own;
here each array is followed by itself.
"""

from time import perf_counter

import numpy as np
from autograd.core import VJPNode, add_outgrads
from autograd.tracer import getval, isbox, new_box, notrace_primitives, toposort, trace_stack

from spherekit.train.pytree import leaves, replaced


class Watch:
    """Watches: every step of the way back is told to ``step``, with the ``label`` it was made under."""

    label = None

    def step(self, label, name, seconds, outgrad, ingrads):
        """One step back: the function's name, and what came in and went out."""


class _Labelled(VJPNode):
    """A node that knows under which label it was made."""

    __slots__ = ["label", "name"]
    watch = None

    def __init__(self, value, function, *rest):
        self.label, self.name = self.watch.label, function.__name__
        super().__init__(value, function, *rest)

    def initialize_root(self):
        self.label, self.name = None, "parameter"
        super().initialize_root()


notrace_primitives[_Labelled] = notrace_primitives[VJPNode]


def value_and_gradients(function, arrays, watch=None):
    """(value, gradient by each array, function's second result), in autograd's convention.

    Parameters
    ----------
    function : callable
        Of the list of arrays; returns (one real number, anything).
    arrays : list of float or complex arrays
    watch : Watch, optional

    >>> import numpy as np
    >>> def function(a):
    ...     return a[0].sum() * a[1][0], None
    >>> value, grads, _ = value_and_gradients(function, [np.ones(2), np.ones(1)])
    >>> float(value), [g.tolist() for g in grads]
    (2.0, [[1.0, 1.0], [2.0]])
    """
    kind = VJPNode if watch is None else _Labelled
    _Labelled.watch = watch
    top = trace_stack.top
    try:
        with trace_stack.new_trace() as trace:
            roots = [kind.new_root() for _ in arrays]
            boxes = [new_box(a, trace, root) for a, root in zip(arrays, roots, strict=True)]
            end, rest = function(boxes)
        grads = _back(end, roots, watch) if isbox(end) else {}
    finally:
        trace_stack.top = top  # an error inside leaves it a level too high
        _Labelled.watch = None
    found = [grads.get(root) for root in roots]
    found = [np.zeros_like(a) if g is None else g for a, g in zip(arrays, found, strict=True)]
    return getval(end), found, rest


def gradient(net, loss, params, x, y, mode, watch=None):
    """(loss as a float, gradients as a tree) of a batch."""
    paths, arrays = zip(*leaves(params, statistics=False), strict=True)

    def function(boxes):
        tree = replaced(params, dict(zip(paths, boxes, strict=True)))
        return loss(net(tree, x, mode), y), None

    value, grads, _ = value_and_gradients(function, arrays, watch)
    return float(value), replaced(params, dict(zip(paths, grads, strict=True)))


def _back(end, roots, watch):
    """{root: gradient}."""
    value, keep, found = end._value, set(roots), {}
    outgrads = {end._node: (np.ones((), np.asarray(value).dtype), False)}
    for node in toposort(end._node):
        outgrad = outgrads.pop(node)[0]
        if node in keep:
            found[node] = outgrad
            continue
        began = perf_counter()
        ingrads = tuple(node.vjp(outgrad))
        for parent, ingrad in zip(node.parents, ingrads, strict=True):
            outgrads[parent] = add_outgrads(outgrads.get(parent), ingrad)
        if watch is not None:
            watch.step(node.label, node.name, perf_counter() - began, outgrad, ingrads)
    return found
