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
