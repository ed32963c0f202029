"""The coordinates that hold for all of a map, such as one level and time: where those of two maps differ."""

import re

import numpy as np

from spherekit._core.labeled import axis_kind
from spherekit.io import cf

#: Units of pressure in Pa, and of length in m.
_PRESSURES = dict(Pa=1.0, hPa=1e2, mb=1e2, mbar=1e2, millibar=1e2, millibars=1e2, kPa=1e3, bar=1e5)
_LENGTHS = dict(m=1.0, km=1e3)


#: Units of numbers that need none.
_WITHOUT_UNIT = re.compile(r"1|-|(sigma_)?levels?|months?", re.I)


def texts_of(values, attributes):
    """Coordinates as text: dates without the digits that are zero, numbers to 7 digits.

    >>> texts_of(np.array(["2018-07-01T00", "2018-07-01T06"], "M8[ns]"), {})
    ['2018-07-01', '2018-07-01T06:00:00']
    >>> texts_of(np.array([500, 0.1]), {"units": "hPa"})
    ['500', '0.1']
    """
    texts = cf.coordinate_texts(values, attributes)
    if texts is None:
        return [f"{x:.7g}" if values.dtype.kind in "iuf" else str(x) for x in values]
    return [re.sub(r"(T00:00:00)?(\.0+)?$", "", text) for text in texts]


def conflict(first, second):
    """(text, text) of the first position that differs between the attributes of two maps, or None.

    Vertical and time axes of the same name are compared, else those of the same kind, where each map has one
    of them: there not a month by its number with a date, nor a pressure with a height. Pressures and heights
    may have any unit.

    >>> conflict({"level": {"value": 500, "units": "hPa"}}, {"plev": {"value": 5e4, "units": "Pa"}})
    >>> conflict({"level": {"value": 500}}, {"level": {"value": 850}, "month": {"value": 1}})
    ('level 500', 'level 850')
    """
    for name in filter(None, first):
        partner = _partner(name, first, second)
        if partner is None:
            continue
        x, y = first[name], second[partner]
        texts, values = (_text(x), _text(y)), (_number(x), _number(y))
        is_comparable = values.count(None) != 1 and not _are_pressure_and_height(x, y)
        if texts[0] == texts[1] or (name != partner and not is_comparable):
            continue
        if None in values or not np.allclose(*values, rtol=1e-6, atol=0):
            return f"{name} {texts[0]}", f"{partner} {texts[1]}"
    return None


def _partner(name, first, second):
    """The axis in ``second`` that is the same as that of a position in ``first``, or None."""
    kinds = [
        {axis: axis_kind(axis, x) for axis, x in attributes.items() if axis and "value" in x}
        for attributes in (first, second)
    ]
    kind = kinds[0].get(name)
    if kind not in ("vertical", "time"):
        return None
    if name in kinds[1]:
        return name
    of_kind = [[axis for axis, x in of_map.items() if x == kind] for of_map in kinds]
    return of_kind[1][0] if [len(axes) for axes in of_kind] == [1, 1] else None


def _are_pressure_and_height(x, y):
    """Whether the units of two coordinates are one of pressure and one of length."""
    units = {str(attributes.get("units", "")) for attributes in (x, y)}
    return bool(units & _PRESSURES.keys()) and bool(units & _LENGTHS.keys())


def _text(attributes):
    """A coordinate with its unit, or a date."""
    values = np.atleast_1d(attributes["value"])
    (text,) = texts_of(values, attributes)
    unit = str(attributes.get("units", ""))
    is_date = cf.coordinate_texts(values, attributes) is not None
    return text if is_date or _WITHOUT_UNIT.fullmatch(unit) else f"{text} {unit}".rstrip()


def _number(attributes):
    """The number of a coordinate, in Pa or m where its unit is one of them; None of a date and of a text."""
    values = np.atleast_1d(attributes["value"])
    if values.dtype.kind not in "fiu" or cf.coordinate_texts(values, attributes) is not None:
        return None
    factors = _PRESSURES | _LENGTHS
    return float(values[0]) * factors.get(str(attributes.get("units", "")), 1.0)
