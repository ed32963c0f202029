"""Paths through the scales: which wavelets follow each other."""

import itertools
import math
from collections import namedtuple
from collections.abc import Iterable

from spherekit._core import checks

#: Scales (j_1, ..., j_d) of a path, and d; of slices, the number of the angle gamma.
Path = namedtuple("Path", "scales order direction", defaults=(0,))

KINDS = ("descending", "neighbour", "all")


def paths(scales, depth, kind):
    """The paths of up to ``depth`` scales, by order, then from the finest scales down.

    Parameters
    ----------
    scales : sequence of int
    depth : int
    kind : str or sequence of sequences of int
        ``"descending"``: each scale below the one before; ``"neighbour"``: by one step; ``"all"``; or a list.

    >>> [p.scales for p in paths((1, 2, 3), 2, "descending")]
    [(), (3,), (2,), (1,), (3, 2), (3, 1), (2, 1)]
    """
    down = sorted(scales, reverse=True)
    if not isinstance(kind, str):
        return _listed(kind, scales)
    if kind not in KINDS:
        raise ValueError(f"paths is {kind!r}; known are {', '.join(KINDS)}, or a list of paths")
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


def _listed(kind, scales):
    if not isinstance(kind, Iterable):
        raise TypeError(
            f"paths is {kind!r} ({type(kind).__name__}); expected {', '.join(KINDS)}, or a list of paths"
        )
    result = []
    for path in kind:
        if not isinstance(path, Iterable) or isinstance(path, str):
            raise TypeError(
                f"paths holds {path!r} ({type(path).__name__}); expected a tuple of scales for each path"
            )
        path = tuple(checks.integer(j, "a scale of paths", -math.inf) for j in path)
        for j in path:
            if j not in scales:
                raise ValueError(
                    f"the path {path} names the scale {j}; the scales are {tuple(scales)}"
                )
        result.append(Path(path, len(path)))
    if len(set(result)) != len(result) or not result:
        raise ValueError("paths names a path twice, or none at all")
    return tuple(result)


def branches(paths):
    """{prefix: the scales that follow it}, for walking all paths with shared beginnings once."""
    following = {}
    for path in paths:
        for i, j in enumerate(path.scales):
            after = following.setdefault(path.scales[:i], [])
            if j not in after:
                after.append(j)
    return following
