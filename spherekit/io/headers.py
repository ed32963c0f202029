"""Keys of FITS headers as plain text and numbers, however loosely a code has written them."""

import math
from decimal import Decimal


class HeaderError(ValueError):
    """A key of a header that says what it cannot mean."""


def value(header, key):
    """What a header says under ``key``; None where it says nothing.

    Raises ValueError for a card that FITS cannot parse.

    >>> value({"NSIDE": 8}, "NSIDE"), value({}, "NSIDE")
    (8, None)
    """
    try:
        found = header.get(key)
    except Exception as error:  # astropy parses a card when it is asked for
        raise HeaderError(f"the header's key {key} cannot be read: {error}") from None
    return None if type(found).__name__ == "Undefined" else found


def text(header, key):
    """The text under ``key`` without blanks around it, "" where there is none.

    >>> text({"ORDERING": "RING    "}, "ORDERING"), text({}, "ORDERING")
    ('RING', '')
    """
    found = value(header, key)
    return "" if found is None else str(found).strip()


def stated(keys, table):
    """What a table, or else the first header of its file, says under each of ``keys``.

    >>> from spherekit.io import Table
    >>> stated(["COORDSYS"], Table({}, {}, {}, primary={"COORDSYS": "G"}))
    {'COORDSYS': 'G'}
    """
    return {key: text(table.header, key) or text(table.primary, key) for key in keys}


def number(header, key):
    """The finite number under ``key``, also where it was written as text; None where there is none.

    >>> number({"BAD_DATA": "-1.6375E+30"}, "BAD_DATA")
    -1.6375e+30
    """
    found = value(header, key)
    if found is None or (isinstance(found, str) and not found.strip()):
        return None
    try:
        plain = found.upper().replace("D", "E") if isinstance(found, str) else found
        result = float("nan") if isinstance(found, bool) else float(plain)
    except (TypeError, ValueError, OverflowError):
        result = float("nan")
    if not math.isfinite(result):
        raise HeaderError(f"the header says {key} = {found!r}; a finite number is expected")
    return result


def whole(header, key):
    """The whole number under ``key``; None where there is none.

    >>> whole({"NSIDE": "64"}, "NSIDE")
    64
    """
    result = number(header, key)
    if result is not None and result != int(result):
        raise HeaderError(f"the header says {key} = {result:g}; a whole number is expected")
    if result is None or abs(result) < 2**53:
        return None if result is None else int(result)
    return int(Decimal(text(header, key).upper().replace("D", "E")))  # beyond what a float tells
