"""Keys of configurations: what each may be, and the words for what it may not."""

import difflib
import math
from typing import NamedTuple

#: The default of a key that must be given.
REQUIRED = object()


class Key(NamedTuple):
    """What a key may be: ``kind`` "whole", "number", "text" or "flag", or a list of these with ``many``.

    ``default`` REQUIRED: must be given; None: may be left out. Numbers from ``least``, or ``above`` it, to
    ``most``, or ``below`` it; text ``among`` some words.
    """

    kind: str
    default: object = REQUIRED
    least: float = None
    most: float = None
    above: float = None
    below: float = None
    among: tuple = ()
    many: bool = False


def checked(name, given, table):
    """The values of a section, by its table {key: `Key`}, defaults filled in.

    Raises
    ------
    ValueError
        An unknown key, with the nearest known one; one that is missing; a value of another type or range.

    >>> checked("data", {"L": 64}, {"L": Key("whole", least=1), "seed": Key("whole", 0, least=0)})
    {'L': 64, 'seed': 0}
    """
    for key in given:
        if key not in table:
            raise ValueError(f"[{name}] has no {key!r}{nearest(key, table)}")
    found = {}
    for key, kind in table.items():
        if key in given:
            found[key] = value(f"[{name}] {key}", given[key], kind)
        elif kind.default is REQUIRED:
            raise ValueError(f"[{name}] needs {key}: {_wanted(kind)}")
        else:
            found[key] = list(kind.default) if isinstance(kind.default, list) else kind.default
    return found


def by_name(kinds, common):
    """A check of sections whose keys depend on their name: ``common`` keys, and of each name its own.

    Parameters
    ----------
    kinds : {name: {key: Key}}
    common : {key: Key}
        With "name" among them.

    >>> check = by_name({"a": {"L": Key("whole", 4)}, "b": {}}, {"name": Key("text", "a", among=("a", "b"))})
    >>> check("data", {"L": 8}), check("data", {"name": "b"})
    ({'name': 'a', 'L': 8}, {'name': 'b'})
    """

    def check(section, given):
        if "name" in given or common["name"].default is REQUIRED:
            first = {k: v for k, v in given.items() if k == "name"}
            said = checked(section, first, {"name": common["name"]})["name"]
        else:
            said = common["name"].default
        for key in given:
            others = [kind for kind, some in kinds.items() if key in some]
            if key not in common and key not in kinds[said] and others:
                of = ", ".join(others)
                raise ValueError(f"[{section}] {key} is a key of {of}; the name is {said!r}")
        return checked(section, given, common | kinds[said])

    return check


def value(where, given, kind):
    """One value, if it is what its `Key` asks for."""
    if kind.many:
        if not isinstance(given, list):
            raise ValueError(f"{where} is {given!r}; expected a list: [{_wanted(kind)}, ...]")
        one = kind._replace(many=False)
        return [value(f"{where}[{number}]", some, one) for number, some in enumerate(given)]
    whole = isinstance(given, int) and not isinstance(given, bool)
    right = {
        "whole": whole,
        "number": whole or (isinstance(given, float) and math.isfinite(given)),
        "text": isinstance(given, str),
        "flag": isinstance(given, bool),
    }
    if not right[kind.kind] or not _inside(given, kind):
        raise ValueError(f"{where} is {given!r}; expected {_wanted(kind)}")
    if kind.among and given not in kind.among:
        raise ValueError(f"{where} is {given!r}{nearest(given, kind.among)}")
    return float(given) if kind.kind == "number" else given


def nearest(word, known):
    """The end of a message about an unknown word."""
    near = difflib.get_close_matches(str(word), known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _inside(given, kind):
    return (
        (kind.least is None or given >= kind.least)
        and (kind.above is None or given > kind.above)
        and (kind.most is None or given <= kind.most)
        and (kind.below is None or given < kind.below)
    )


def _wanted(kind):
    """In words."""
    if kind.among:
        return f"one of {', '.join(map(repr, kind.among))}"
    words = {
        "whole": "a whole number",
        "number": "a number",
        "text": "text in quotes",
        "flag": "true or false",
    }
    bounds = dict(least=">=", above=">", most="<=", below="<")
    limits = [
        f"{sign} {getattr(kind, k):g}" for k, sign in bounds.items() if getattr(kind, k) is not None
    ]
    return " ".join([words[kind.kind], " and ".join(limits)]).strip()
