"""Angles and lists of numbers in the text form of grids, exact in both directions."""

import math
import re

__all__ = [
    "angles",
    "first_longitude",
    "integers",
    "label",
    "read_angles",
    "read_first_longitude",
    "read_numbers",
    "sequence",
]

#: Largest number of decimals of angles that are written in degrees.
_DECIMALS = 12
#: Longest text of a grid in messages.
_LONGEST = 120
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII)


def __dir__():
    return sorted(__all__)


def label(grid):
    """The text of a grid for messages; of many rings their number, in place of long lists.

    >>> from spherekit.sampling import MW, Rings
    >>> label(MW(4)), label(Rings([0.1 * k**0.9 for k in range(1, 31)], 8))
    ('mw:4', 'rings:... (30 rings, 240 samples)')
    """
    text = str(grid)
    if len(text) <= _LONGEST or grid.name != "rings":
        return text
    return f"rings:... ({len(grid.ring_theta)} rings, {math.prod(grid.shape)} samples)"


def first_longitude(phi0, n_phi):
    """The first longitude of ``n_phi`` columns: "half" of a step, in degrees or in radians.

    >>> first_longitude(math.pi / 360, 360), first_longitude(math.radians(0.25), 360)
    ('half', '0.25deg')
    """
    return "half" if phi0 == math.pi / n_phi else angles([phi0])


def read_first_longitude(text, n_phi):
    """The inverse of `first_longitude`.

    >>> read_first_longitude("half", 4) == math.pi / 4
    True
    """
    if text == "half":
        return math.pi / n_phi
    values = read_angles(
        text, "phi0", 'half (of a step), or an angle with its unit such as "0.25deg"'
    )
    if len(values) > 1:
        raise ValueError(f"phi0={text[:40]}: expected one angle")
    return values[0]


def angles(values):
    """Angles, separated by "/", in degrees where these have few decimals, else in radians.

    Four or more equidistant angles are their first, last and number, separated by ":".

    >>> angles([math.radians(30), math.radians(45.5)]), angles([0.004])
    ('30/45.5deg', '0.004rad')
    >>> angles([math.radians(value) for value in (2.5, 5, 7.5, 10, 12.5)])
    '2.5:12.5:5deg'
    """
    degrees = [round(math.degrees(value), _DECIMALS) for value in values]
    if not all(math.radians(d) == value for d, value in zip(degrees, values, strict=True)):
        return "/".join(repr(float(value)) for value in values) + "rad"
    if len(degrees) > 3 and _equidistant(degrees[0], degrees[-1], len(degrees)) == degrees:
        return f"{_decimal(degrees[0])}:{_decimal(degrees[-1])}:{len(degrees)}deg"
    return "/".join(map(_decimal, degrees)) + "deg"


def _decimal(value):
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _equidistant(first, last, count):
    """Equidistant numbers, of few decimals."""
    step = (last - first) / max(count - 1, 1)
    return [round(first + i * step, _DECIMALS) for i in range(count)]


def read_angles(text, name, expected="angles with their unit, such as 30/60/90deg"):
    """The inverse of `angles`, as floats in radians; raises ValueError for other text."""
    number, unit = text[:-3], text[-3:]
    if unit not in ("deg", "rad"):
        raise ValueError(
            f"{name}={text[:40]}: expected {expected}, or in radians, such as 0.004rad"
        )
    values = _read_equidistant(number, name) if ":" in number else read_numbers(number, name)
    return [math.radians(value) for value in values] if unit == "deg" else values


def _read_equidistant(text, name):
    """The numbers of a text "first:last:count"."""
    *ends, count = text.split(":")
    if len(ends) != 2 or not (count.isascii() and count.isdigit() and len(count) < 8):
        raise ValueError(
            f"{name}={text[:40]}: expected the first angle, the last and their number, as in 2.5:177.5:71deg"
        )
    first, last = (read_numbers(end, name)[0] for end in ends)
    return _equidistant(first, last, int(count))


def sequence(values):
    """Numbers, separated by "/"; a single one if all are equal.

    >>> sequence([4, 4, 4]), sequence([0.5, 1.5])
    ('4', '0.5/1.5')
    """
    values = list(values)
    return "/".join(map(repr, values[:1] if len(set(values)) == 1 else values))


def integers(text, name):
    """The integers of a text such as "4" or "4/8/4"; raises ValueError for other text.

    >>> integers("4/8", "n_phi")
    [4, 8]
    """
    items = text.split("/")
    if not all(item.isascii() and item.isdigit() and len(item) < 20 for item in items):
        raise ValueError(f"{name}={text[:40]}: expected an integer")
    return [int(item) for item in items]


def read_numbers(text, name):
    """The floats of the text of `sequence`; raises ValueError for other text."""
    items = text.split("/")
    if not all(_NUMBER.fullmatch(item) for item in items):
        raise ValueError(f"{name}={text[:40]}: expected numbers, separated by a slash")
    return [float(item) for item in items]
