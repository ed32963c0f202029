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
        content = header.get(key)
    except Exception as error:  # astropy parses a card when it is asked for
        raise HeaderError(f"the header's key {key} cannot be read: {error}") from None
    return None if type(content).__name__ == "Undefined" else content


def text(header, key):
    """The text under ``key`` without blanks around it, "" where there is none.

    >>> text({"ORDERING": "RING    "}, "ORDERING"), text({}, "ORDERING")
    ('RING', '')
    """
    content = value(header, key)
    return "" if content is None else str(content).strip()


def merged(keys, table):
    """What a table, or else the first header of its file, says under each of ``keys``.

    >>> from spherekit.io import Table
    >>> merged(["COORDSYS"], Table({}, {}, {}, primary={"COORDSYS": "G"}))
    {'COORDSYS': 'G'}
    """
    return {key: text(table.header, key) or text(table.primary, key) for key in keys}


def number(header, key):
    """The finite number under ``key``, also where it was written as text; None where there is none.

    >>> number({"BAD_DATA": "-1.6375E+30"}, "BAD_DATA")
    -1.6375e+30
    """
    content = value(header, key)
    if content is None or (isinstance(content, str) and not content.strip()):
        return None
    try:
        plain = content.upper().replace("D", "E") if isinstance(content, str) else content
        result = float("nan") if isinstance(content, bool) else float(plain)
    except (TypeError, ValueError, OverflowError):
        result = float("nan")
    if not math.isfinite(result):
        raise HeaderError(f"the header says {key} = {content!r}; a finite number is expected")
    return result


def whole_number(header, key):
    """The whole number under ``key``; None where there is none.

    >>> whole_number({"NSIDE": "64"}, "NSIDE")
    64
    """
    result = number(header, key)
    if result is not None and result != int(result):
        raise HeaderError(f"the header says {key} = {result:g}; a whole number is expected")
    if result is None or abs(result) < 2**53:
        return None if result is None else int(result)
    return int(Decimal(text(header, key).upper().replace("D", "E")))  # beyond what a float tells


def merged_whole_number(key, table):
    """`whole_number` of a table, or else of the first header of its file.

    >>> from spherekit.io import Table
    >>> merged_whole_number("SPIN", Table({}, {}, {}, primary={"SPIN": 2}))
    2
    """
    stated = whole_number(table.header, key)
    return whole_number(table.primary, key) if stated is None else stated
