"""Degree-mixing sets: for each degree of a tensor product, the pairs of degrees that are multiplied.

A set is ``{l: ((l1, l2), ...)}`` with l1 <= l2 and |l1 - l2| <= l <= l1 + l2, all below L. The full set has
O(L^2) pairs for each degree. Two degrees that are both paired with a third still exchange information, so
that a spanning tree of the degrees suffices (Cobb et al. 2021, arXiv:2010.11661, section 3): O(L) pairs.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from spherekit._core import checks

#: Names of the sets that `mixing_set` defines.
NAMES = ("full", "mst", "rmst")


def mixing_set(mixing, L):
    """The degree-mixing set of a name, or a set of one's own, checked.

    Parameters
    ----------
    mixing : str or dict
        ``"full"``
            Every pair that the triangle rule allows.
        ``"mst"``
            For each l the minimum spanning tree of the degrees with the weight (2l+1)(2 l1+1)(2 l2+1) of a
            pair, and the loops (l1, l1) with 2 l1 >= l, without which l = 0 would have no pair (the rule in
            the code of Kondor's group for this paper).
        ``"rmst"``
            Of the pairs of ``"mst"``, for each a in 0, 1, 2, 4, ... < L the one whose smaller degree is
            nearest to a (the cheaper of two): O(log L) pairs. This rule is a choice of this package; that of
            the paper for its reduced tree may be another.
        dict
            ``{l: [(l1, l2), ...]}``, or the tuple that `normalize` returns.
    L : int
        Band-limit.

    Returns
    -------
    dict of int to tuple of pairs

    Raises
    ------
    ValueError
        An unknown name; a set that violates the triangle rule, has a pair twice, or leaves out a degree.
    TypeError
        Not a name or a set.

    >>> mixing_set("full", 3)[1]
    ((0, 1), (1, 1), (1, 2), (2, 2))
    >>> [sum(map(len, mixing_set(kind, 32).values())) for kind in NAMES]
    [8584, 1729, 192]
    """
    mixing = normalize(mixing)
    if isinstance(mixing, str):
        rule = {"full": _full, "mst": _mst, "rmst": _rmst}[mixing]
        return {ell: tuple(rule(ell, L)) for ell in range(L)}
    return _checked(dict(mixing), L)


def normalize(mixing):
    """The name of a set, or a set as a hashable tuple ``((l, ((l1, l2), ...)), ...)``, sorted, l1 <= l2.

    Whether the pairs are possible depends on the band-limit, and is checked by `mixing_set`.

    Raises
    ------
    ValueError
        An unknown name.
    TypeError
        Not a name or a set.

    >>> normalize({1: [(1, 0)], 0: [(1, 1), (0, 0)]})
    ((0, ((0, 0), (1, 1))), (1, ((0, 1),)))
    """
    if isinstance(mixing, str):
        if mixing not in NAMES:
            raise ValueError(
                f"mixing is {mixing!r}; known are {', '.join(NAMES)}, or a set of pairs"
            )
        return mixing
    pairs_of = {}
    for ell, pairs in _items(mixing):
        pairs_of[_degree(ell)] = tuple(sorted(map(_pair, pairs)))
    return tuple(sorted(pairs_of.items()))


def multiplications(pairs_of):
    """Multiplications of a product on a set, of signals with one fragment of each degree.

    That is the sum of (2l+1) (2 min(l1, l2) + 1) over its pairs.

    Parameters
    ----------
    pairs_of : dict
        From `mixing_set`.

    >>> multiplications(mixing_set("full", 8)), multiplications(mixing_set("mst", 8))
    (10586, 5461)
    """
    return sum(
        (2 * ell + 1) * (2 * min(pair) + 1) for ell, pairs in pairs_of.items() for pair in pairs
    )


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
    pairs, selected = _mst(ell, L), set()
    targets = [0, *(2**k for k in range(L.bit_length()) if 2**k < L)]
    for a in targets:
        selected.add(min(pairs, key=lambda pair: (abs(pair[0] - a), pair[1], pair)))
    return sorted(selected)


def _checked(given, L):
    """Refuse impossible pairs, and degrees without a pair, in the output or in the input."""
    pairs_of = {ell: given.get(ell, ()) for ell in range(L)}
    for ell, pairs in pairs_of.items():
        for l1, l2 in pairs:
            if not (0 <= l1 <= l2 < L and l2 - l1 <= ell <= l1 + l2):
                raise ValueError(
                    f"the mixing set makes degree {ell} from ({l1}, {l2}); with L = {L} it needs "
                    "|l1 - l2| <= l <= l1 + l2 and degrees below L"
                )
        if len(set(pairs)) != len(pairs):
            raise ValueError(f"the mixing set names a pair of degree {ell} twice: {pairs}")
    unreached = [ell for ell in range(L) if not pairs_of[ell]]
    if unreached:
        raise ValueError(f"the mixing set leaves the degrees {unreached} without a pair")
    used = {degree for pairs in pairs_of.values() for pair in pairs for degree in pair}
    if len(used) < L:
        raise ValueError(
            f"the mixing set makes no use of the degrees {sorted(set(range(L)) - used)}"
        )
    if extra := sorted(set(given) - set(range(L))):
        raise ValueError(f"the mixing set has pairs of the degrees {extra}; L = {L}")
    return pairs_of


def _items(mixing):
    if isinstance(mixing, Mapping):
        items = tuple(mixing.items())
    else:
        items = mixing if isinstance(mixing, tuple) else (None,)
    for item in items:
        if not (isinstance(item, tuple) and len(item) == 2 and _is_sequence(item[1])):
            raise TypeError(
                f"mixing is {mixing!r} ({type(mixing).__name__}); expected {', '.join(NAMES)}, or a "
                "dict {l: [(l1, l2), ...]}"
            )
    return items


def _pair(pair):
    if not _is_sequence(pair) or len(pair := tuple(pair)) != 2:
        raise TypeError(f"the mixing set has {pair!r}; expected pairs of degrees (l1, l2)")
    return tuple(sorted(map(_degree, pair)))


def _is_sequence(value):
    return isinstance(value, Iterable) and not isinstance(value, str)


def _degree(ell):
    return checks.integer(ell, "a degree of the mixing set", -math.inf)
