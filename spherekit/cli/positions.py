"""The coordinates that hold for all of a map, such as one level and time, as texts."""

import numpy as np


def of_attributes(attributes):
    """The text of the position on each axis, of dates in any calendar, by the attributes of a map.

    >>> months = {"value": 31, "units": "days since 2001-01-01", "calendar": "noleap"}
    >>> of_attributes({"time": months, "level": {"value": 500, "units": "hPa"}})
    {'time': '2001-02-01', 'level': '500 hPa'}
    """
    from spherekit.io.cf import coordinate_texts
    from spherekit.plot.signals import date_text, position_of

    result = position_of(attributes)
    for name in result:
        dates = coordinate_texts(np.atleast_1d(attributes[name]["value"]), attributes[name])
        if dates is not None:
            result[name] = date_text(dates[0])
    return result


#: Units of pressure in Pa and of length in m.
_UNITS = dict(Pa=1.0, hPa=1e2, mb=1e2, mbar=1e2, millibar=1e2, millibars=1e2, kPa=1e3, bar=1e5)
_UNITS |= dict(m=1.0, km=1e3)


def conflict(first, second):
    """(text, text) of the first position that differs between the attributes of two maps, or None.

    Axes are the same by their names, else by their kinds, vertical or time, where each map has one of them.

    >>> conflict({"level": {"value": 500, "units": "hPa"}}, {"plev": {"value": 5e4, "units": "Pa"}})
    >>> conflict({"level": {"value": 500}}, {"level": {"value": 850}, "month": {"value": 1}})
    ('level 500', 'level 850')
    """
    texts, second_texts = of_attributes(first), of_attributes(second)
    for name in texts:
        partner = _partner(name, first, second)
        if partner is None or texts[name] == second_texts[partner]:
            continue
        x, y = first[name], second[partner]
        values = _number(x), _number(y)
        if name != partner and values.count(None) == 1:  # a number of a month, and a date
            continue
        if None in values or not np.allclose(*values, rtol=1e-6, atol=0):
            return f"{name} {texts[name]}", f"{partner} {second_texts[partner]}"
    return None


def _partner(name, first, second):
    """The axis of a position in ``second`` that is the same as one in ``first``, or None."""
    from spherekit._core.labeled import axis_kind

    kinds = [
        {axis: axis_kind(axis, x) for axis, x in attributes.items() if axis and "value" in x}
        for attributes in (first, second)
    ]
    if name in kinds[1]:
        return name
    kind = kinds[0][name]
    of_kind = [[axis for axis, x in of_map.items() if x == kind] for of_map in kinds]
    is_unique = [len(axes) for axes in of_kind] == [1, 1]
    return of_kind[1][0] if is_unique and kind in ("vertical", "time") else None


def _number(attributes):
    """The number of a coordinate in Pa or m where its unit is one of them; None of a date and of a text."""
    unit = str(attributes.get("units", ""))
    value = np.asarray(attributes["value"])
    if value.dtype.kind not in "fiu" or " since " in unit:
        return None
    return float(value) * _UNITS.get(unit, 1.0)
