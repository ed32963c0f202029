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


def conflict(first, second):
    """(name, text, text) of the first coordinate that differs between the attributes of two maps, or None.

    >>> conflict({"level": {"value": 500}}, {"level": {"value": np.float32(500)}, "month": {"value": 1}})
    >>> conflict({"level": {"value": 500}}, {"level": {"value": 850}})
    ('level', '500', '850')
    """
    texts, second_texts = of_attributes(first), of_attributes(second)
    for name in texts:
        pair = texts[name], second_texts.get(name)
        if pair[1] is None or pair[0] == pair[1]:
            continue
        values = [x[name]["value"] for x in (first, second)]
        are_numbers = {np.asarray(x).dtype.kind for x in values} <= set("fiu")
        has_dates = any("since" in str(x[name].get("units", "")) for x in (first, second))
        if has_dates or not are_numbers or not np.allclose(*values, rtol=1e-6, atol=0):
            return name, *pair
    return None
