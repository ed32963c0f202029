"""Attributes of records as JSON text, for formats that have no place of their own for them."""

import json
from collections.abc import Mapping

import numpy as np


def as_json(attributes):
    """The text of attributes: texts, finite numbers, dates, durations, and lists of texts or finite numbers.

    Other attributes are not written.

    >>> as_json({"": {"radius": np.float64(3396000.0)}, "time": {"value": np.datetime64("2000-01")}})
    '{"": {"radius": 3396000.0}, "time": {"value": {"datetime64": "2000-01"}}}'
    """
    plain = {name: _plain(content) for name, content in attributes.items()}
    return json.dumps(
        {name: content for name, content in plain.items() if content or not attributes[name]}
    )


def _plain(content):
    values = {key: _plain_value(value) for key, value in content.items()}
    return {key: value for key, value in values.items() if value is not None}


def _plain_value(value):
    """A value of JSON; None: it cannot be written."""
    if isinstance(value, np.datetime64):
        return {"datetime64": str(value)}
    if isinstance(value, np.timedelta64):
        unit, size = np.datetime_data(value.dtype)
        return {"timedelta64": [int(value.astype(np.int64)) * size, unit]}
    if isinstance(value, list | np.ndarray):
        items = [_plain_value(item) for item in np.ravel(value).tolist()]
        is_list = all(isinstance(item, str | int | float) for item in items)
        return items if is_list else None
    value = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(value, int | float) and np.isfinite(value)
    return value if isinstance(value, str) or is_number else None


def attributes_of(text):
    """The attributes of a text that `as_json` has written.

    Raises ValueError for anything else than a JSON object of objects.

    >>> attributes_of('{"": {"radius": 3396000.0}}')
    {'': {'radius': 3396000.0}}
    """
    try:
        attributes = json.loads(text)
    except (ValueError, RecursionError):
        attributes = None
    if not isinstance(attributes, Mapping) or not all(
        isinstance(content, Mapping) for content in attributes.values()
    ):
        raise ValueError(f"attributes is {text[:60]!r}; expected a JSON object of objects")
    try:
        return {
            name: {key: _value(value) for key, value in content.items()}
            for name, content in attributes.items()
        }
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"attributes is {text[:60]!r}, with an invalid date or duration") from None


def _value(value):
    """The value of an attribute from JSON."""
    if isinstance(value, Mapping):
        if value.keys() == {"datetime64"}:
            return np.datetime64(str(value["datetime64"]))
        if value.keys() == {"timedelta64"}:
            return np.timedelta64(*value["timedelta64"])
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        return np.array(value)
    return value
