"""Degree-mixing sets: for each degree of a tensor product, the pairs of degrees that are multiplied.

A set is ``{l: ((l1, l2), ...)}`` with l1 <= l2 and |l1 - l2| <= l <= l1 + l2, all below L. The full set has
O(L^2) pairs for each degree. Two degrees that are both paired with a third one still exchange information, so
that a spanning tree of the degrees suffices (Cobb et al. 2021, arXiv:2010.11661, section 3): O(L) pairs.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from spherekit._core import checks

__all__ = ["NAMES", "mixing_set", "multiplications", "normalize"]

#: Names of the sets that `mixing_set` defines.
NAMES = ("full", "mst", "rmst")


def mixing_set(mixing: str | Mapping | tuple, L: int) -> dict[int, tuple]:
    """The degree-mixing set of a name, or a validated user-defined set.

    Parameters
    ----------
    mixing : str or dict
        ``"full"``
            All pairs that the triangle rule allows.
        ``"mst"``
            For each l, the minimum spanning tree of the degrees, where a pair has the weight
            (2l+1)(2 l1+1)(2 l2+1), and the loops (l1, l1) with 2 l1 >= l, without which l = 0 would have no
            pair (the rule in the code of Kondor's group for this paper).
        ``"rmst"``
            Of the pairs of ``"mst"``, for each a in 0, 1, 2, 4, ... < L the one whose smaller degree is
            nearest to a (the cheaper one of two): O(log L) pairs. This rule is a choice of this package; that
            of the paper for its reduced tree may be different.
        dict
            ``{l: [(l1, l2), ...]}``, or the tuple that `normalize` returns.
    L : int
        Band-limit.

    Returns
    -------
    dict of int to tuple
        Pairs (l1, l2) of each degree.

    Raises
    ------
    ValueError
        If the name is unknown, or if a set violates the triangle rule, has a pair twice, or omits a degree.
    TypeError
        If ``mixing`` is neither a string nor a set of pairs.

    Examples
    --------
    The pairs of degree 1, and the number of pairs of the three sets:

    >>> from spherekit.nn import degree_mixing
    >>> degree_mixing.mixing_set("full", 3)[1]
    ((0, 1), (1, 1), (1, 2), (2, 2))
    >>> for name in degree_mixing.NAMES:
    ...     print(name, sum(map(len, degree_mixing.mixing_set(name, 32).values())))
    full 8584
    mst 1729
    rmst 192
    """
    mixing = normalize(mixing)
    if isinstance(mixing, str):
        rule = {"full": _full, "mst": _mst, "rmst": _rmst}[mixing]
        return {ell: tuple(rule(ell, L)) for ell in range(L)}
    return _validate(dict(mixing), L)


def normalize(mixing: str | Mapping | tuple) -> str | tuple:
    """The name of a set, or a set as a hashable tuple ``((l, ((l1, l2), ...)), ...)``, sorted, with l1 <= l2.

    Whether the pairs are valid depends on the band-limit, and is checked by `mixing_set`.

    Parameters
    ----------
    mixing : str or dict
        Degree-mixing set, as for `mixing_set`.

    Returns
    -------
    str or tuple
        The name, or the sorted tuple.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If ``mixing`` is neither a string nor a set of pairs.

    Examples
    --------
    >>> from spherekit.nn import degree_mixing
    >>> degree_mixing.normalize({1: [(1, 0)], 0: [(1, 1), (0, 0)]})
    ((0, ((0, 0), (1, 1))), (1, ((0, 1),)))
    """
    if isinstance(mixing, str):
        if mixing not in NAMES:
            raise ValueError(
                f"mixing must be one of {', '.join(NAMES)}, or a dict {{l: [(l1, l2), ...]}}; got {mixing!r}"
            )
        return mixing
    pairs_of = {}
    for ell, pairs in _items(mixing):
        pairs_of[_degree(ell)] = tuple(sorted(map(_pair, pairs)))
    return tuple(sorted(pairs_of.items()))


def multiplications(pairs_of: Mapping[int, tuple]) -> int:
    """Number of multiplications of a product on a set, for signals with one fragment of each degree.

    This is the sum of (2l+1) (2 min(l1, l2) + 1) over its pairs.

    Parameters
    ----------
    pairs_of : dict
        Degree-mixing set, from `mixing_set`.

    Returns
    -------
    int
        Number of multiplications.

    Raises
    ------
    AttributeError
        ``pairs_of`` is not a dict, such as the name of a set.

    Examples
    --------
    >>> from spherekit.nn import degree_mixing
    >>> [degree_mixing.multiplications(degree_mixing.mixing_set(name, 8)) for name in ("full", "mst")]
    [10586, 5461]
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
    pairs = _mst(ell, L)
    selected = set()
    targets = [0, *(2**k for k in range(L.bit_length()) if 2**k < L)]
    for target in targets:
        selected.add(min(pairs, key=lambda pair: (abs(pair[0] - target), pair[1], pair)))
    return sorted(selected)


def _validate(pairs, L):
    """Raise ValueError if a pair violates the triangle rule, or a degree of input or output has no pair."""
    pairs_of = {ell: pairs.get(ell, ()) for ell in range(L)}
    for ell, entries in pairs_of.items():
        for l1, l2 in entries:
            if not (0 <= l1 <= l2 < L and l2 - l1 <= ell <= l1 + l2):
                raise ValueError(
                    f"the mixing set has the pair ({l1}, {l2}) of degree {ell}; expected "
                    f"|l1 - l2| <= l <= l1 + l2 and degrees below L = {L}"
                )
        if len(set(entries)) != len(entries):
            raise ValueError(f"the mixing set has a pair of degree {ell} twice: {entries}")
    missing = [ell for ell in range(L) if not pairs_of[ell]]
    if missing:
        raise ValueError(
            f"the mixing set has no pair of the degrees {missing}; add at least one of each"
        )
    used = {degree for entries in pairs_of.values() for pair in entries for degree in pair}
    if len(used) < L:
        raise ValueError(
            f"no pair of the mixing set contains the degrees {sorted(set(range(L)) - used)}; add pairs "
            "with them"
        )
    if extra := sorted(set(pairs) - set(range(L))):
        raise ValueError(
            f"the mixing set has pairs of the degrees {extra}; expected degrees below L = {L}"
        )
    return pairs_of


def _items(mixing):
    if isinstance(mixing, Mapping):
        items = tuple(mixing.items())
    else:
        items = mixing if isinstance(mixing, tuple) else (None,)
    for item in items:
        if not (isinstance(item, tuple) and len(item) == 2 and _is_sequence(item[1])):
            raise TypeError(
                f"mixing must be one of {', '.join(NAMES)}, or a dict {{l: [(l1, l2), ...]}}; got "
                f"{mixing!r} ({type(mixing).__name__})"
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


def __dir__():
    return sorted(__all__)
