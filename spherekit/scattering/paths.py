"""Scattering paths: sequences of wavelet scales."""

import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

from spherekit._core import checks


class Path(NamedTuple):
    """A scattering path.

    Attributes
    ----------
    scales : tuple of int
        (j_1, ..., j_d), in the order of application.
    order : int
        d, the number of moduli.
    direction : int
        With ``directional="slices"``, the index of the angle gamma; otherwise 0.
    """

    scales: tuple
    order: int
    direction: int = 0


KINDS = ("descending", "neighbour", "all")


def paths(scales, depth, kind):
    """The paths of up to ``depth`` scales, sorted by order, then from fine to coarse scales.

    Parameters
    ----------
    scales : sequence of int
    depth : int
    kind : str or sequence of sequences of int
        ``"descending"``: each scale lower than the previous one; ``"neighbour"``: lower by one step;
        ``"all"``: any sequence; or a list of paths.

    >>> [p.scales for p in paths((1, 2, 3), 2, "descending")]
    [(), (3,), (2,), (1,), (3, 2), (3, 1), (2, 1)]
    """
    down = sorted(scales, reverse=True)
    if not isinstance(kind, str):
        return _explicit_paths(kind, scales)
    if kind not in KINDS:
        raise ValueError(
            f"paths must be one of {', '.join(KINDS)}, or a list of paths; got {kind!r}"
        )
    result = []
    for order in range(depth + 1):
        if kind == "all":
            sequences = itertools.product(down, repeat=order)
        elif kind == "descending":
            sequences = itertools.combinations(down, order)
        else:
            count = len(down) - order + 1 if order else 1
            sequences = (down[i : i + order] for i in range(count))
        result += [Path(tuple(path), order) for path in sequences]
    return tuple(result)


def _explicit_paths(kind, scales):
    """The paths of a list of tuples of scales."""
    if not isinstance(kind, Iterable):
        raise TypeError(
            f"paths is {kind!r} ({type(kind).__name__}); expected {', '.join(KINDS)}, or a list of paths"
        )
    result = []
    for path in kind:
        if not isinstance(path, Iterable) or isinstance(path, str):
            raise TypeError(
                f"paths contains {path!r} ({type(path).__name__}); expected a tuple of scales for each path"
            )
        path = tuple(checks.integer(j, "a scale of paths", -math.inf) for j in path)
        for j in path:
            if j not in scales:
                raise ValueError(
                    f"the path {path} contains the scale {j}; expected scales of {tuple(scales)}"
                )
        result.append(Path(path, len(path)))
    if len(set(result)) != len(result) or not result:
        raise ValueError("paths is empty, or contains a path twice; expected distinct paths")
    return tuple(result)


def branches(paths):
    """{prefix: the scales that follow it}: the tree of all paths, in which each prefix occurs once."""
    tree = {}
    for path in paths:
        for i, j in enumerate(path.scales):
            scales = tree.setdefault(path.scales[:i], [])
            if j not in scales:
                scales.append(j)
    return tree
