"""Pytrees: nested dicts, lists and tuples with arrays as leaves, such as the parameters of a network.

The path of a leaf is a tuple of names and indices, ``(0, "weights")``.
"""

import numpy as np


def flatten(tree):
    """Return the list of (path, array) of all leaves, in order.

    Raises
    ------
    TypeError
        A leaf is not an array.

    >>> [path for path, _ in flatten([{"scale": np.ones(2), "mean": np.ones(2)}, {}])]
    [(0, 'scale'), (0, 'mean')]
    """
    return list(_walk(tree, ()))


def _walk(tree, path):
    if isinstance(tree, dict | list | tuple):
        for name, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _walk(branch, (*path, name))
    elif isinstance(tree, np.ndarray | np.generic):
        yield path, np.asarray(tree)
    else:
        location = f" at {path_text(path)}" if path else ""
        raise TypeError(f"a tree of arrays has {type(tree).__name__}{location}; expected an array")


def tree_leaves(tree):
    """Return the list of leaves, in the order of `flatten`; they may have any type, such as autograd's boxes.

    >>> tree_leaves({"a": 1, "b": [2, (3,)]})
    [1, 2, 3]
    """
    result = []
    _collect(tree, result)
    return result


def _collect(tree, result):
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, list | tuple):
        result.append(tree)
        return
    for branch in tree:
        _collect(branch, result)


def map_leaves(function, tree):
    """Apply ``function`` to each leaf.

    >>> map_leaves(lambda x: 2 * x, {"a": 1, "b": (2, [])})
    {'a': 2, 'b': (4, [])}
    """
    if isinstance(tree, dict):
        return {name: map_leaves(function, branch) for name, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(map_leaves(function, branch) for branch in tree)
    return function(tree)


def with_leaves(tree, values):
    """Replace the leaves by ``values`` of any type, in the order of `flatten`.

    >>> with_leaves({"a": np.zeros(1), "b": (np.ones(1),)}, [5, 6])
    {'a': 5, 'b': (6,)}
    """
    iterator = iter(values)
    return map_leaves(lambda _: next(iterator), tree)


def treedef(tree):
    """Return the structure of a tree in a form that JSON can represent, with leaves numbered as in `flatten`.

    >>> treedef({"a": np.ones(1), "b": (np.ones(1), [])})
    {'dict': [['a', 0], ['b', {'tuple': [1, {'list': []}]}]]}
    """
    return _treedef(tree, iter(range(len(flatten(tree)))))


def _treedef(tree, indices):
    if isinstance(tree, dict):
        if not all(isinstance(name, str) for name in tree):
            raise TypeError(f"a tree of arrays has names {list(tree)}; expected text")
        return {"dict": [[name, _treedef(branch, indices)] for name, branch in tree.items()]}
    if isinstance(tree, list | tuple):
        kind = "list" if isinstance(tree, list) else "tuple"
        return {kind: [_treedef(branch, indices) for branch in tree]}
    return next(indices)


def unflatten(definition, arrays):
    """Return the tree with the structure ``definition``, from `treedef`, and the leaves ``arrays``.

    Raises
    ------
    ValueError
        The definition is invalid.
    """
    if isinstance(definition, int) and not isinstance(definition, bool):
        if 0 <= definition < len(arrays):
            return arrays[definition]
    elif isinstance(definition, dict) and len(definition) == 1:
        ((kind, branches),) = definition.items()
        if kind == "dict" and _are_items(branches):
            return {str(name): unflatten(branch, arrays) for name, branch in branches}
        if kind in ("list", "tuple") and isinstance(branches, list):
            items = [unflatten(branch, arrays) for branch in branches]
            return items if kind == "list" else tuple(items)
    raise ValueError(f"the structure of its tree is damaged at {str(definition)[:60]!r}")


def _are_items(branches):
    return isinstance(branches, list) and all(
        isinstance(item, list) and len(item) == 2 for item in branches
    )


def difference(expected, tree):
    """Describe the first difference in names, shapes and dtypes of two trees; None if they agree."""
    first, second = (dict(flatten(t)) for t in (expected, tree))
    for path in first | second:
        if path not in second:
            return f"no {path_text(path)}"
        if path not in first:
            return f"{path_text(path)}, which is not expected"
        a, b = first[path], second[path]
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{path_text(path)} of shape {b.shape}, {b.dtype}; expected {a.shape}, {a.dtype}"
    return None


def path_text(path):
    """Return a path as text.

    >>> path_text((1, 0, "weights"))
    '1.0.weights'
    """
    return ".".join(map(str, path))


def as_reals(array):
    """Return the entries of an array as a one-dimensional real array; complex entries become pairs.

    >>> as_reals(np.array([[1 + 2j]])).tolist()
    [1.0, 2.0]
    """
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype)
