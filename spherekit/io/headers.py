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
    except HeaderError:
        raise
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


class merged:
    """A table's header, and the first header of its file for what the table does not say.

    For keys that tell what the values are; those that describe one column or one HDU (TNULL, TUNIT,
    TFIELDS) are read from the header of the table alone.

    >>> from spherekit.io import Table
    >>> text(merged(Table({}, {}, {}, primary={"COORDSYS": "G"})), "COORDSYS")
    'G'
    """

    def __init__(self, table):
        self._headers = table.header, table.primary

    def get(self, key):
        """What the table says under ``key``, or else the first header."""
        own, first = (value(header, key) for header in self._headers)
        return first if own is None or not str(own).strip() else own


def texts(table, *keys):
    """(key, text) of all that a table and the first header of its file say under ``keys``.

    >>> from spherekit.io import Table
    >>> texts(Table({"POLCCONV": "IAU"}, {}, {}, primary={"POLCCONV": "COSMO"}), "POLCCONV")
    [('POLCCONV', 'IAU'), ('POLCCONV', 'COSMO')]
    """
    pairs = [(key, text(header, key)) for header in (table.header, table.primary) for key in keys]
    return [(key, word) for key, word in pairs if word]


def refuse_contradiction(pairs, meanings):
    """Refuse (key, text) pairs of headers whose meanings differ.

    >>> refuse_contradiction([("ORDERING", "RING"), ("ORDERING", "NESTED")], ["ring", "nested"])
    Traceback (most recent call last):
    ...
    spherekit.io.headers.HeaderError: the headers say ORDERING = 'RING' and ORDERING = 'NESTED'; \
correct the one that is wrong
    """
    if len(set(meanings)) > 1:
        stated = " and ".join(dict.fromkeys(f"{key} = {word!r}" for key, word in pairs))
        raise HeaderError(f"the headers say {stated}; correct the one that is wrong")


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


def integer(header, key):
    """The whole number under ``key``; None where there is none.

    >>> integer({"NSIDE": "64"}, "NSIDE")
    64
    """
    result = number(header, key)
    if result is not None and result != int(result):
        raise HeaderError(f"the header says {key} = {result:g}; a whole number is expected")
    if result is None or abs(result) < 2**53:
        return None if result is None else int(result)
    return int(Decimal(text(header, key).upper().replace("D", "E")))  # beyond what a float tells
