"""Validation of configurations: types, ranges and choices of keys."""

import math
from collections.abc import Callable
from typing import NamedTuple

from spherekit._core.names import closest

#: The default of a key that must be present.
REQUIRED = object()
#: Integers from here on have no float64.
_LARGEST = 2**1023
#: Kinds of values, as messages name them.
_NOUNS = {
    "integer": "an integer",
    "number": "a number",
    "text": "text in quotes",
    "boolean": "true or false",
}


class Key(NamedTuple):
    """Type, default and range of the value of a key.

    Attributes
    ----------
    kind : str
        "integer", "number", "text" or "boolean".
    default : object
        Default value; with `REQUIRED` the key must be present.
    minimum, maximum : float, optional
        Bounds of numbers, included.
    above, below : float, optional
        Bounds of numbers, excluded.
    choices : tuple of str
        Accepted values of text.
    is_list : bool
        Whether the value is a list of such values.

    Examples
    --------
    >>> Key("integer", 3, minimum=1).default
    3
    """

    kind: str
    default: object = REQUIRED
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple = ()
    is_list: bool = False


def validate(
    name: str, section: dict, table: dict[str, Key], renamed: dict[str, str] | None = None
) -> dict:
    """Check a section of a configuration, and add defaults.

    Parameters
    ----------
    name : str
        Name of the section in messages.
    section : dict
        ``{key: value}``, as in the file.
    table : dict
        ``{key: Key}``.
    renamed : dict, optional
        ``{former key: new key}`` of earlier versions, for error messages; instead of the new key also a
        sentence.

    Returns
    -------
    dict
        ``{key: value}`` for all keys of ``table``.

    Raises
    ------
    ValueError
        A key is unknown or missing, a value has another type or is out of range, or a `Key` has an unknown
        kind.

    Examples
    --------
    >>> validate("data", {"L": 64}, {"L": Key("integer", minimum=1), "seed": Key("integer", 0, minimum=0)})
    {'L': 64, 'seed': 0}
    """
    for key in section:
        if key not in table:
            raise ValueError(f"[{name}] has no {key!r}{_new_name(key, table, renamed)}")
    values = {}
    for key, kind in table.items():
        check_kind(f"[{name}] {key}", kind)
        if key in section:
            values[key] = value(f"[{name}] {key}", section[key], kind)
        elif kind.default is REQUIRED:
            raise ValueError(f"[{name}] needs {key}: {_expected(kind)}")
        else:
            values[key] = list(kind.default) if isinstance(kind.default, list) else kind.default
    return values


def check_kind(location, kind):
    """Raise ValueError if the kind of a `Key` is unknown; ``location`` is its name in messages."""
    if kind.kind not in _NOUNS:
        raise ValueError(
            f"{location}: the kind of its Key is {kind.kind!r}; expected one of {', '.join(_NOUNS)}"
        )


def _new_name(key, table, renamed):
    """Return the end of a message about an unknown key."""
    new = (renamed or {}).get(key)
    if new is None:
        return nearest(key, table)
    return f"; it is called {new!r} since version 0.2" if new.isidentifier() else f"; {new}"


def by_name(
    kinds: dict[str, dict[str, Key]],
    common: dict[str, Key],
    renamed: dict[str, str] | None = None,
) -> Callable[[str, dict], dict]:
    """Create a check of sections whose keys depend on the value of the key "name".

    Parameters
    ----------
    kinds : dict
        ``{name: {key: Key}}``, keys that depend on the name.
    common : dict
        ``{key: Key}``, keys that all names have, including "name".
    renamed : dict, optional
        As in `validate`.

    Returns
    -------
    callable
        Function of (name of the section, section) that returns the values, as `validate` does.

    Examples
    --------
    >>> common = {"name": Key("text", "a", choices=("a", "b"))}
    >>> check = by_name({"a": {"L": Key("integer", 4)}, "b": {}}, common)
    >>> check("data", {"L": 8}), check("data", {"name": "b"})
    ({'name': 'a', 'L': 8}, {'name': 'b'})
    """

    def check(section_name, section):
        if "name" in section or common["name"].default is REQUIRED:
            entry = {k: v for k, v in section.items() if k == "name"}
            name = validate(section_name, entry, {"name": common["name"]})["name"]
        else:
            name = common["name"].default
        for key in section:
            owners = [kind for kind, table in kinds.items() if key in table]
            if key not in common and key not in kinds[name] and owners:
                raise ValueError(
                    f"[{section_name}] {key} is a key of {', '.join(owners)}; the name is {name!r}"
                )
        return validate(section_name, section, common | kinds[name], renamed)

    return check


def value(location, entry, kind):
    """Check a value by its `Key`; ``location`` is its name in messages.

    >>> value("[data] L", 64, Key("integer", minimum=1))
    64
    """
    if kind.is_list:
        if not isinstance(entry, list):
            raise ValueError(f"{location} is {entry!r}; expected a list: [{_expected(kind)}, ...]")
        single = kind._replace(is_list=False)
        return [value(f"{location}[{index}]", item, single) for index, item in enumerate(entry)]
    is_integer = isinstance(entry, int) and not isinstance(entry, bool)
    is_of_kind = {
        "integer": is_integer,
        "number": (is_integer and abs(entry) < _LARGEST)
        or (isinstance(entry, float) and math.isfinite(entry)),
        "text": isinstance(entry, str),
        "boolean": isinstance(entry, bool),
    }
    if not is_of_kind[kind.kind] or not _in_range(entry, kind):
        raise ValueError(f"{location} is {entry!r}; expected {_expected(kind)}")
    if kind.choices and entry not in kind.choices:
        raise ValueError(f"{location} is {entry!r}{nearest(entry, kind.choices)}")
    return float(entry) if kind.kind == "number" else entry


def nearest(word, choices):
    """Return the end of a message about an unknown word: the closest choice, or else all choices.

    >>> nearest("epoch", ("epochs", "seed")), nearest("x", ("epochs", "seed"))
    ("; did you mean 'epochs'?", '; expected one of epochs, seed')
    """
    match = closest(str(word), choices)
    return (
        f"; expected one of {', '.join(choices)}" if match is None else f"; did you mean {match!r}?"
    )


def _in_range(number, kind):
    return (
        (kind.minimum is None or number >= kind.minimum)
        and (kind.above is None or number > kind.above)
        and (kind.maximum is None or number <= kind.maximum)
        and (kind.below is None or number < kind.below)
    )


def _expected(kind):
    """Describe the accepted values of a key."""
    if kind.choices:
        return f"one of {', '.join(map(repr, kind.choices))}"
    signs = dict(minimum=">=", above=">", maximum="<=", below="<")
    limits = [
        f"{sign} {getattr(kind, k):g}" for k, sign in signs.items() if getattr(kind, k) is not None
    ]
    return " ".join([_NOUNS[kind.kind], " and ".join(limits)]).strip()
