"""Attributes of records as JSON text, for formats that have no place of their own for them."""

import json
from collections.abc import Mapping

import numpy as np


def as_json(attributes):
    """The text of attributes; only strings and finite numbers are written.

    >>> as_json({"": {"radius": np.float64(3396000.0)}})
    '{"": {"radius": 3396000.0}}'
    """
    plain = {name: _plain(content) for name, content in attributes.items()}
    return json.dumps({name: content for name, content in plain.items() if content})


def _plain(content):
    values = {k: v.item() if isinstance(v, np.generic) else v for k, v in content.items()}
    return {
        key: value
        for key, value in values.items()
        if isinstance(value, str) or (isinstance(value, int | float) and np.isfinite(value))
    }


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
    return attributes
