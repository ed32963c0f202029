"""Degree-mixing sets: which pairs of degrees a tensor product makes each degree from.

A set is ``{l: ((l1, l2), ...)}`` with l1 <= l2 and |l1 - l2| <= l <= l1 + l2, all below L. The full set has
O(L^2) pairs for each degree. Two degrees that are both joined to a third still exchange what they know, so
that a spanning tree of the degrees suffices (Cobb et al. 2021, arXiv:2010.11661, section 3): O(L) pairs.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from spherekit._core import checks

NAMES = ("full", "mst", "rmst")


def mixing_set(kind, L):
    """The set of that name, or a given one, checked.

    ``"full"``
        Every pair that the triangle rule allows.
    ``"mst"``
        For each l the minimum spanning tree of the degrees under the cost (2l+1)(2 l1+1)(2 l2+1) of a pair,
        and the loops (l1, l1) with 2 l1 >= l, without which l = 0 would have nothing (the rule in the code of
        Kondor's group for this paper).
    ``"rmst"``
        Of the pairs of ``"mst"``, for each a in 0, 1, 2, 4, ... < L the one whose smaller degree is nearest
        to a (the cheaper of two): O(log L) pairs. The rule is ours: the paper's could not be read.

    >>> mixing_set("full", 3)[1]
    ((0, 1), (1, 1), (1, 2), (2, 2))
    >>> [sum(map(len, mixing_set(kind, 32).values())) for kind in NAMES]
    [8584, 1729, 192]
    """
    if isinstance(kind, str):
        if kind not in NAMES:
            raise ValueError(f"mixing is {kind!r}; known are {', '.join(NAMES)}, or a set of pairs")
        rule = {"full": _full, "mst": _mst, "rmst": _rmst}[kind]
        return {ell: tuple(rule(ell, L)) for ell in range(L)}
    return _checked(kind, L)


def cost(pairs):
    """Multiplications of a set: sum of (2l+1) (2 min(l1, l2) + 1).

    >>> cost(mixing_set("full", 8)), cost(mixing_set("mst", 8))
    (10586, 5461)
    """
    return sum((2 * ell + 1) * (2 * min(pair) + 1) for ell, some in pairs.items() for pair in some)


def _full(ell, L):
    return [(l1, l2) for l1 in range(L) for l2 in range(l1, L) if l2 - l1 <= ell <= l1 + l2]


def _mst(ell, L):
    from scipy.sparse.csgraph import minimum_spanning_tree

    graph = np.zeros((L, L))
    for l1, l2 in _full(ell, L):
        if l1 < l2:
            graph[l1, l2] = (2 * l1 + 1) * (2 * l2 + 1)
    tree = minimum_spanning_tree(graph).nonzero()
    edges = [(int(l1), int(l2)) for l1, l2 in zip(*tree, strict=True)]
    return sorted(edges + [(l1, l1) for l1 in range(L) if 2 * l1 >= ell])


def _rmst(ell, L):
    pairs, kept = _mst(ell, L), set()
    targets = [0, *(2**k for k in range(L.bit_length()) if 2**k < L)]
    for a in targets:
        kept.add(min(pairs, key=lambda pair: (abs(pair[0] - a), pair[1], pair)))
    return sorted(kept)


def _checked(given, L):
    """Refuse what no product gives, and degrees that nothing makes or that make nothing."""
    given = {_degree(ell): [_pair(pair) for pair in pairs] for ell, pairs in _items(given)}
    made = {}
    for ell in range(L):
        some = tuple(sorted(given.get(ell, ())))
        for l1, l2 in some:
            if not (0 <= l1 <= l2 < L and l2 - l1 <= ell <= l1 + l2):
                raise ValueError(
                    f"the mixing set makes degree {ell} from ({l1}, {l2}); with L = {L} it needs "
                    "|l1 - l2| <= l <= l1 + l2 and degrees below L"
                )
        if len(set(some)) != len(some):
            raise ValueError(f"the mixing set names a pair of degree {ell} twice: {some}")
        made[ell] = some
    unreached = [ell for ell in range(L) if not made[ell]]
    if unreached:
        raise ValueError(f"the mixing set leaves the degrees {unreached} without a pair")
    used = {degree for some in made.values() for pair in some for degree in pair}
    if len(used) < L:
        raise ValueError(
            f"the mixing set makes no use of the degrees {sorted(set(range(L)) - used)}"
        )
    if extra := sorted(set(given) - set(range(L))):
        raise ValueError(f"the mixing set has pairs of the degrees {extra}; L = {L}")
    return made


def _items(given):
    if not isinstance(given, Mapping):
        raise TypeError(
            f"mixing is {given!r} ({type(given).__name__}); expected {', '.join(NAMES)}, or a dict "
            "{l: [(l1, l2), ...]}"
        )
    return given.items()


def _pair(pair):
    if not isinstance(pair, Iterable) or isinstance(pair, str) or len(pair := tuple(pair)) != 2:
        raise TypeError(f"the mixing set has {pair!r}; expected pairs of degrees (l1, l2)")
    return tuple(sorted(map(_degree, pair)))


def _degree(ell):
    return checks.whole_number(ell, "a degree of the mixing set", -math.inf)
