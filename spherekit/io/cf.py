"""The conventions of climate and forecast data (CF): kinds of axes, packed values, times.

All functions take the attributes of a variable of netCDF as a dict.
"""

import re

import numpy as np

from spherekit.io import calendars

#: Attributes that describe the encoding in the file, or that a reader replaces.
OF_PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "dtype")
ENCODING = (*OF_PACKING, "coordinates", "grid_mapping", "units", "calendar")


def in_degrees(values, attributes):
    """Latitudes or longitudes in degrees."""
    is_radian = str(attributes.get("units", "")).lower().startswith("rad")
    return np.degrees(values) if is_radian else values


# --- packed values ---------------------------------------------------------------------------------


def unpack(values, attributes):
    """Values of a variable from those in the file, by the rules of xarray; missing values become NaN.

    Integers without fill values, scale and offset remain integers. ``valid_range`` is not applied.

    >>> import numpy as np
    >>> packed = {"scale_factor": np.float32(0.5), "_FillValue": np.int16(-1)}
    >>> unpack(np.array([3, -1], np.int16), packed)
    array([1.5, nan], dtype=float32)
    """
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if values.dtype.kind not in "iuf":
        return values
    if values.dtype == np.int8 and str(attributes.get("dtype", "")) == "bool":
        return values.astype(bool)
    if values.dtype.kind in "iu" and str(attributes.get("_Unsigned", "")) in ("true", "false"):
        kind = "u" if attributes["_Unsigned"] == "true" else "i"
        values = values.view(f"{kind}{values.dtype.itemsize}")
    fills = fill_values(attributes, values.dtype)
    scale, offset = (_number(attributes, name) for name in ("scale_factor", "add_offset"))
    packed = scale is not None or offset is not None
    if fills:
        dtype = _float_type(values.dtype, scale, offset) if packed else _promoted(values.dtype)
        missing = np.isin(values, np.asarray(fills, values.dtype))
        values = np.where(missing, dtype.type(np.nan), values.astype(dtype, copy=False))
    if packed:
        declared = {"_FillValue", "missing_value"} & attributes.keys()
        has_type = bool(fills) or (values.dtype.kind == "f" and declared)
        values = values.astype(
            values.dtype if has_type else _float_type(values.dtype, scale, offset)
        )
        if scale is not None:
            values *= scale
        if offset is not None:
            values += offset
    return values


def fill_values(attributes, dtype):
    """The values that mark missing samples, in the type of the samples; those of NaN are not listed."""
    listed = [
        value
        for name in ("_FillValue", "missing_value")
        if name in attributes
        for value in np.ravel(attributes[name])
        if isinstance(value, np.generic | int | float) and np.asarray(value).dtype.kind in "iuf"
    ]
    in_type = [_as_type(value, dtype) for value in listed if not np.isnan(value)]
    return [value for value in in_type if value is not None]


def _as_type(value, dtype):
    """A fill value in the type of the samples, or None if no sample can have it.

    -1 of an unsigned type is its largest value.
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(value)
    if np.asarray(value).dtype.kind in "iu":
        return np.array(value).astype(dtype)[()]
    limits = np.iinfo(dtype)
    is_valid = float(value).is_integer() and limits.min <= value <= limits.max
    return dtype.type(value) if is_valid else None


def _number(attributes, name):
    value = attributes.get(name)
    if value is None:
        return None
    if np.size(value) != 1 or np.asarray(value).dtype.kind not in "iuf":
        raise ValueError(f"the attribute {name} is {value!r}; expected a number")
    return np.ravel(value)[0]


def _float_type(dtype, scale, offset):
    """The type of unpacked values: that of scale and offset if they agree, else float64 with an offset."""
    types = [np.dtype(type(value)) for value in (scale, offset) if value is not None]
    if len(types) == 2 and types[0] == types[1] and types[0].kind == "f":
        wide = dtype.kind in "iu" and dtype.itemsize == 4
        return np.dtype(np.float64) if wide else types[0]
    if offset is not None:
        return np.dtype(np.float64)
    return types[0] if types[0].kind == "f" else np.dtype(np.float64)


def _promoted(dtype):
    """The type of values with missing ones: float32 for integers of up to 16 bits, else float64."""
    if dtype.kind == "f":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


# --- times -----------------------------------------------------------------------------------------

_CALENDARS = ("", "standard", "gregorian", "proleptic_gregorian")
_SECONDS = {"microseconds": 1e-6, "milliseconds": 1e-3, "seconds": 1, "minutes": 60, "hours": 3600}
_SECONDS |= {"days": 86400, "weeks": 604800}
_ABBREVIATIONS = {"us": "microseconds", "microsec": "microseconds", "ms": "milliseconds"}
_ABBREVIATIONS |= {"msec": "milliseconds", "s": "seconds", "sec": "seconds", "secs": "seconds"}
_ABBREVIATIONS |= {"min": "minutes", "mins": "minutes", "h": "hours", "hr": "hours", "hrs": "hours"}
_ABBREVIATIONS |= {"d": "days"}
_REFERENCE = re.compile(
    r"(\w+)\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?)?"
    r"\s*(?:Z|UTC|GMT|([+-]\d{1,2}):?(\d{2})?)?\s*",
    re.I,
)
#: Start of the Gregorian calendar, before which the standard calendar is Julian.
_GREGORIAN = np.datetime64("1582-10-15", "s")


def decode_times(values, attributes):
    """Times as datetime64, or None where units or calendar do not determine them.

    Units of months and years, calendars of climate models, and dates of the standard calendar before
    1582-10-15 are not decoded. The unit of the result is the second where all times are whole seconds, else
    the nanosecond, or the microsecond where these do not reach.

    >>> import numpy as np
    >>> decode_times(np.array([0, 1.5]), {"units": "days since 2000-01-01"})
    array(['2000-01-01T00:00:00', '2000-01-02T12:00:00'],
          dtype='datetime64[s]')
    """
    calendar = str(attributes.get("calendar", "")).lower()
    match = _REFERENCE.fullmatch(str(attributes.get("units", "")))
    if match is None or calendar not in _CALENDARS or values.dtype.kind not in "iuf":
        return None
    word = _unit_word(match)
    reference = _reference(match)
    if word not in _SECONDS or reference is None:
        return None
    values = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
    missing = ~np.isfinite(values)
    limit = 2.0**62 / 1e6 / max(_SECONDS[word], 1)
    if np.abs(values[~missing]).max(initial=0) > limit:
        return None
    times = reference + _as_timedelta(np.where(missing, 0, values), word)
    first = min(times.astype("M8[s]").min(initial=reference), reference)
    if calendar != "proleptic_gregorian" and first < _GREGORIAN:
        return None
    return np.where(missing, np.datetime64("NaT"), times)


def _unit_word(match):
    """The unit before "since" in the plural, without abbreviation."""
    word = match[1].lower()
    return _ABBREVIATIONS.get(word, word if word.endswith("s") else f"{word}s")


def _reference(match):
    """The date after "since", in seconds, or None."""
    year, month, day, hour, minute, second, fraction, offset, offset_minutes = match.groups()[1:]
    if fraction and fraction.strip("0"):
        return None
    try:
        text = f"{int(year):04}-{int(month):02}-{int(day):02}T{int(hour or 0):02}:{int(minute or 0):02}"
        reference = np.datetime64(f"{text}:{int(second or 0):02}", "s")
    except ValueError:
        return None
    if offset:
        sign = -1 if offset.startswith("-") else 1
        minutes = int(offset) * 60 + sign * int(offset_minutes or 0)
        reference = reference - np.timedelta64(minutes, "m")
    return reference


def _as_timedelta(values, word):
    """Durations in seconds if they are whole, else in nanoseconds, or microseconds."""
    factor = _SECONDS[word]
    seconds = values * factor
    if (seconds == np.round(seconds)).all():
        return np.round(seconds).astype("m8[s]")
    unit, size = ("ns", 1e9) if np.abs(seconds).max() < 2.0**33 else ("us", 1e6)
    return np.round(values * (factor * size)).astype(np.int64).astype(f"m8[{unit}]")


def encode_times(times):
    """(numbers, units) of datetime64 values: whole days, hours, minutes or seconds since 1970-01-01.

    >>> import numpy as np
    >>> encode_times(np.array(["1970-01-03"], "M8[s]"))
    (array([2.]), 'days since 1970-01-01 00:00:00')
    """
    missing = np.isnat(times)
    durations = np.where(missing, np.datetime64(0, "s"), times) - np.datetime64(0, "s")
    units = {"days": "D", "hours": "h", "minutes": "m", "seconds": "s"}
    durations_in = {word: durations / np.timedelta64(1, unit) for word, unit in units.items()}
    exact = [word for word, values in durations_in.items() if (values == np.round(values)).all()]
    word = (*exact, "seconds")[0]
    return np.where(missing, np.nan, durations_in[word]), f"{word} since 1970-01-01 00:00:00"


# --- dates of all calendars, as text ---------------------------------------------------------------


def coordinate_texts(values, attributes):
    """Dates and durations as text: of datetime64, timedelta64, and numbers since a date of any calendar.

    None for other coordinates. Dates are those of ISO 8601 in the calendar of the attributes.

    >>> import numpy as np
    >>> units = {"units": "days since 2001-02-28", "calendar": "360_day"}
    >>> coordinate_texts(np.array([1, 3.5]), units)
    ['2001-02-29T00:00:00', '2001-03-01T12:00:00']
    """
    values = np.asarray(values)
    if values.dtype.kind in "Mm":
        return [str(value) for value in values]
    parsed = _units_and_calendar(attributes)
    if parsed is None or values.dtype.kind not in "iuf":
        return None
    size, start, calendar = parsed
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) * size > 4e17:
        return None
    return [_date_text(start + _microseconds(value, size), calendar) for value in values]


def _microseconds(value, size):
    """A number of units of ``size`` microseconds, to the nearest microsecond."""
    floor = int(value // 1)
    return floor * size + round(float(value - floor) * size)


_DAY = 86400 * 10**6


def _units_and_calendar(attributes):
    """(microseconds of the unit, the reference in microseconds since year 0, calendar), or None."""
    calendar = calendars.CALENDARS.get(str(attributes.get("calendar", "")).lower())
    match = _REFERENCE.fullmatch(str(attributes.get("units", "")))
    if match is None or calendar is None:
        return None
    word = _unit_word(match)
    year, month, day, hour, minute, second, fraction, offset, offset_minutes = match.groups()[1:]
    date = int(year), int(month), int(day)
    if word not in _SECONDS or not calendars.is_valid(*date, calendar):
        return None
    seconds = 3600 * int(hour or 0) + 60 * int(minute or 0) + int(second or 0)
    if offset:
        sign = -1 if offset.startswith("-") else 1
        seconds -= 3600 * int(offset) + 60 * sign * int(offset_minutes or 0)
    start = calendars.days_of(*date, calendar) * _DAY + seconds * 10**6
    start += round(float(f"0.{fraction or 0}") * 10**6)
    return round(_SECONDS[word] * 10**6), start, calendar


def _date_text(microseconds, calendar):
    """The date and time of microseconds since year 0."""
    days, microseconds = divmod(microseconds, _DAY)
    year, month, day = calendars.date_of(days, calendar)
    minutes, microseconds = divmod(microseconds, 60 * 10**6)
    seconds, microseconds = divmod(microseconds, 10**6)
    fraction = f".{microseconds:06}" if microseconds else ""
    date = f"{year:04}-{month:02}-{day:02}"
    return f"{date}T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


def encode_dates(dates, units=""):
    """(numbers, attributes) of dates of cftime, of one calendar: the units of the source, or exact ones.

    Parameters
    ----------
    dates : sequence
        Objects with the attributes ``year`` to ``microsecond`` and ``calendar``.
    units : str
        Those to use if they represent the dates exactly.
    """
    calendar = dates[0].calendar
    name = calendars.CALENDARS[calendar]
    times = [_microseconds_of(date, name) for date in dates]
    start = f"since {min(dates).year:04}-01-01"
    words = ("days", "hours", "minutes", "seconds", "milliseconds", "microseconds")
    for candidate in (units, *(f"{word} {start}" for word in words)):
        attributes = {"units": candidate, "calendar": calendar}
        parsed = _units_and_calendar(attributes)
        if parsed is None:
            continue
        size, reference, _ = parsed
        values = np.array([(time - reference) / size for time in times])
        is_given = candidate == units
        if all(reference + _microseconds(x, size) == t for x, t in zip(values, times, strict=True)):
            if is_given or (values == np.round(values)).all():
                return values, attributes
    raise ValueError(f"the dates {dates[0]} to {dates[-1]} cannot be represented by numbers")


def _microseconds_of(date, calendar):
    """Microseconds since year 0."""
    days = calendars.days_of(date.year, date.month, date.day, calendar)
    seconds = 3600 * date.hour + 60 * date.minute + date.second
    return days * _DAY + seconds * 10**6 + date.microsecond


def encode_durations(durations):
    """(numbers, units) of timedelta64 values, in the largest unit that is exact.

    >>> import numpy as np
    >>> encode_durations(np.array([6, 36], "m8[h]"))
    (array([ 6., 36.]), 'hours')
    """
    missing = np.isnat(durations)
    present = np.where(missing, np.timedelta64(0, "s"), durations)
    units = {"days": "D", "hours": "h", "minutes": "m", "seconds": "s"}
    durations_in = {word: present / np.timedelta64(1, unit) for word, unit in units.items()}
    exact = [word for word, values in durations_in.items() if (values == np.round(values)).all()]
    word = (*exact, "seconds")[0]
    return np.where(missing, np.nan, durations_in[word]), word
