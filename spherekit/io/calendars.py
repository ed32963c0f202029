"""Dates of the calendars of CF, such as those of climate models: from and to days.

A year of ``noleap`` has 365 days, of ``all_leap`` 366, of ``360_day`` twelve months of 30; ``julian`` has a
leap year every four years, and ``standard`` is Julian before 1582-10-15, Gregorian from then on.
"""

import numpy as np

#: Names of the calendars of CF, with their synonyms.
CALENDARS = {"": "standard", "gregorian": "standard", "365_day": "noleap", "366_day": "all_leap"}
CALENDARS |= {
    name: name
    for name in ("standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day")
}
#: The first day of each month in years without and with a 29th of February.
_STARTS = np.cumsum([[0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]], axis=1)[0]
_LEAP_STARTS = _STARTS + (np.arange(13) > 1)
#: The day number of 1582-10-15 in the Gregorian calendar, as of `days_of`.
_REFORM = 578101
#: Days by which the Gregorian calendar is ahead of the Julian one in their day numbers of year 0.
_JULIAN_SHIFT = -2


def days_of(year, month, day, calendar):
    """The number of a date, in days since the start of year 0 of its calendar.

    >>> days_of(1, 3, 1, "noleap"), days_of(1, 3, 1, "360_day")
    (424, 420)
    """
    if calendar == "360_day":
        return 360 * year + 30 * (month - 1) + day - 1
    if calendar == "standard":
        is_gregorian = (year, month, day) >= (1582, 10, 15)
        return days_of(year, month, day, "proleptic_gregorian" if is_gregorian else "julian")
    starts = _LEAP_STARTS if _is_leap(year, calendar) else _STARTS
    return int(_first_day(year, calendar) + starts[month - 1] + day - 1)


def date_of(number, calendar):
    """(year, month, day) of the number of a day.

    >>> date_of(424, "noleap"), date_of(424, "360_day")
    ((1, 3, 1), (1, 3, 5))
    """
    if calendar == "360_day":
        return number // 360, number % 360 // 30 + 1, number % 30 + 1
    if calendar == "standard":
        return date_of(number, "proleptic_gregorian" if number >= _REFORM else "julian")
    year = int(number // 366)
    while _first_day(year + 1, calendar) <= number:
        year += max(1, int((number - _first_day(year + 1, calendar)) // 366))
    starts = _LEAP_STARTS if _is_leap(year, calendar) else _STARTS
    day = number - _first_day(year, calendar)
    month = int(np.searchsorted(starts, day, "right"))
    return year, month, int(day - starts[month - 1]) + 1


def _first_day(year, calendar):
    """The number of the first of January."""
    if calendar in ("noleap", "all_leap"):
        return year * (365 if calendar == "noleap" else 366)
    leap_years = -(-year // 4)
    if calendar == "julian":
        return 365 * year + leap_years + _JULIAN_SHIFT
    return 365 * year + leap_years + -(-year // 400) - -(-year // 100)


def _is_leap(year, calendar):
    if calendar in ("noleap", "all_leap"):
        return calendar == "all_leap"
    by_four = year % 4 == 0
    return by_four if calendar == "julian" else by_four and (year % 100 != 0 or year % 400 == 0)


def is_valid(year, month, day, calendar):
    """Whether a calendar has this date.

    >>> is_valid(2001, 2, 29, "noleap"), is_valid(2001, 2, 30, "360_day")
    (False, True)
    """
    return 1 <= month <= 12 and date_of(days_of(year, month, day, calendar), calendar) == (
        year,
        month,
        day,
    )
