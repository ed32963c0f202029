"""Names of pairs of signals, such as TE, and their order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def pair_name(a: str, b: str) -> str:
    """The name of a pair of signals: their letters, with an x between longer names.

    >>> pair_name("T", "E"), pair_name("100", "143")
    ('TE', '100x143')
    """
    return a + b if len(a) == len(b) == 1 else f"{a}x{b}"


def signals_of(name: str) -> tuple[str, str]:
    """The signals of a pair, from its name.

    Raises
    ------
    TypeError
        A name that is not text.
    ValueError
        A name that is not a pair.

    >>> signals_of("TE"), signals_of("100x143")
    (('T', 'E'), ('100', '143'))
    """
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is not a name; expected a pair of signals, such as TE")
    signals = tuple(name) if len(name) == 2 else tuple(name.split("x"))
    if len(signals) != 2 or not all(signals):
        raise ValueError(f"{name!r} is not a pair of signals; expected names such as TE or 100x143")
    return signals


def pairs_by_diagonal(
    names: Sequence[str], names2: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """The pairs of signals in the order of codes: TT EE BB TE EB TB, of two maps TT EE BB TE EB ET BE TB BT.

    >>> ["".join(pair) for pair in pairs_by_diagonal("TEB")]
    ['TT', 'EE', 'BB', 'TE', 'EB', 'TB']
    >>> ["".join(pair) for pair in pairs_by_diagonal("TE", "TE")]
    ['TT', 'EE', 'TE', 'ET']
    """
    seconds = names if names2 is None else names2
    indices = itertools.product(range(len(names)), range(len(seconds)))
    order = sorted((abs(j - i), j < i, i, j) for i, j in indices)
    return [(names[i], seconds[j]) for _, below, i, j in order if names2 is not None or not below]
