"""Trees of arrays: dicts, lists and tuples of arrays, as `nn.Net.init` makes them.

A leaf whose name begins with ``running`` is a statistic: it is kept with the parameters, and not trained.
"""

import numpy as np


def leaves(tree, statistics=True):
    """[(path, array)] in order; a path is a tuple of names and numbers.

    Parameters
    ----------
    tree : dict, list or tuple of such, or of arrays
    statistics : bool
        Those whose name begins with "running" too.

    Raises
    ------
    TypeError
        A leaf that is no array.

    >>> import numpy as np
    >>> [path for path, _ in leaves([{"scale": np.ones(2), "running_mean": np.ones(2)}], statistics=False)]
    [(0, 'scale')]
    """
    return list(_walk(tree, (), statistics))


def _walk(tree, path, statistics):
    if isinstance(tree, dict | list | tuple):
        for name, some in tree.items() if isinstance(tree, dict) else enumerate(tree):
            if statistics or not str(name).startswith("running"):
                yield from _walk(some, (*path, name), statistics)
    elif isinstance(tree, np.ndarray | np.generic):
        yield path, np.asarray(tree)
    else:
        where = f" at {spelled(path)}" if path else ""
        raise TypeError(f"a tree of arrays has {type(tree).__name__}{where}; expected an array")


def replaced(tree, values):
    """The tree with other leaves, {path: value}; values of any kind, as those that autograd follows.

    >>> replaced({"a": np.zeros(1), "b": (np.ones(1),)}, {("a",): 5, ("b", 0): 6})
    {'a': 5, 'b': (6,)}
    """
    return _replaced(tree, values, ())


def _replaced(tree, values, path):
    if isinstance(tree, dict):
        return {name: _replaced(some, values, (*path, name)) for name, some in tree.items()}
    if isinstance(tree, list | tuple):
        some = [_replaced(some, values, (*path, number)) for number, some in enumerate(tree)]
        return some if isinstance(tree, list) else tuple(some)
    return values.get(path, tree)


def structure(tree):
    """What JSON can hold of a tree: its arrays are numbered in the order of `leaves`.

    >>> structure({"a": np.ones(1), "b": (np.ones(1), [])})
    {'dict': [['a', 0], ['b', {'tuple': [1, {'list': []}]}]]}
    """
    return _structure(tree, iter(range(len(leaves(tree)))))


def _structure(tree, numbers):
    if isinstance(tree, dict):
        if not all(isinstance(name, str) for name in tree):
            raise TypeError(f"a tree of arrays has names {list(tree)}; expected text")
        return {"dict": [[name, _structure(some, numbers)] for name, some in tree.items()]}
    if isinstance(tree, list | tuple):
        kind = "list" if isinstance(tree, list) else "tuple"
        return {kind: [_structure(some, numbers) for some in tree]}
    return next(numbers)


def rebuilt(form, arrays):
    """The tree of a `structure` and its arrays, or ValueError where the form is none."""
    if isinstance(form, int) and not isinstance(form, bool) and 0 <= form < len(arrays):
        return arrays[form]
    if isinstance(form, dict) and len(form) == 1:
        ((kind, some),) = form.items()
        named = isinstance(some, list) and all(isinstance(p, list) and len(p) == 2 for p in some)
        if kind == "dict" and named:
            return {str(name): rebuilt(part, arrays) for name, part in some}
        if kind in ("list", "tuple") and isinstance(some, list):
            parts = [rebuilt(part, arrays) for part in some]
            return parts if kind == "list" else tuple(parts)
    raise ValueError(f"the structure of its tree is damaged at {str(form)[:60]!r}")


def differences(tree, other):
    """In words, what the second tree has otherwise in names, shapes and types; None where it is alike."""
    one, two = (dict(leaves(t)) for t in (tree, other))
    for path in one.keys() | two.keys():
        if path not in two:
            return f"no {spelled(path)}"
        if path not in one:
            return f"{spelled(path)}, which is not expected"
        if (one[path].shape, one[path].dtype) != (two[path].shape, two[path].dtype):
            return (
                f"{spelled(path)} of shape {two[path].shape}, {two[path].dtype}; "
                f"expected {one[path].shape}, {one[path].dtype}"
            )
    return None


def spelled(path):
    """A path in words.

    >>> spelled((1, 0, "weights"))
    '1.0.weights'
    """
    return ".".join(map(str, path))


def reals(array):
    """The numbers of an array in a row, complex ones as pairs.

    >>> reals(np.array([[1 + 2j]])).tolist()
    [1.0, 2.0]
    """
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype)
