"""Values of FITS headers as text and numbers, for the various ways in which codes write them."""

import math
from decimal import Decimal

from spherekit.io import provenance


class HeaderError(ValueError):
    """An invalid value of a key of a header."""


def value(header, key):
    """The value of ``key``, or None if it is absent or undefined.

    Raises HeaderError, a ValueError, for a card that astropy cannot parse.

    >>> value({"NSIDE": 8}, "NSIDE"), value({}, "NSIDE")
    (8, None)
    """
    try:
        content = header.get(key)
    except HeaderError:
        raise
    except Exception as error:  # astropy parses a card when it is accessed
        raise HeaderError(f"the key {key} of the header cannot be read: {error}") from None
    return None if type(content).__name__ == "Undefined" else content


def text(header, key):
    """The value of ``key`` as stripped text, or "" if there is none.

    >>> text({"ORDERING": "RING    "}, "ORDERING"), text({}, "ORDERING")
    ('RING', '')
    """
    content = value(header, key)
    return "" if content is None else str(content).strip()


class MergedHeader:
    """The header of a table, with the primary header of its file as fallback.

    For keys that describe the data. Keys that describe one column or one HDU (TNULL, TUNIT, TFIELDS) are read
    from the header of the table only.

    >>> from spherekit.io import Table
    >>> text(MergedHeader(Table({}, {}, {}, primary={"COORDSYS": "G"})), "COORDSYS")
    'G'
    """

    def __init__(self, table):
        self._headers = table.header, table.primary

    def get(self, key):
        """The value of ``key`` in the header of the table, or else in the primary header."""
        content, fallback = (value(header, key) for header in self._headers)
        return fallback if content is None or not str(content).strip() else content


def texts(table, *keywords):
    """(key, text) of all values of ``keywords`` in the header of a table and in the primary header.

    >>> from spherekit.io import Table
    >>> texts(Table({"POLCCONV": "IAU"}, {}, {}, primary={"POLCCONV": "COSMO"}), "POLCCONV")
    [('POLCCONV', 'IAU'), ('POLCCONV', 'COSMO')]
    """
    pairs = [
        (key, text(header, key)) for header in (table.header, table.primary) for key in keywords
    ]
    return [(key, word) for key, word in pairs if word]


def refuse_contradiction(pairs, meanings):
    """Raise HeaderError if the meanings of (key, text) pairs of headers differ.

    >>> refuse_contradiction([("ORDERING", "RING"), ("ORDERING", "NESTED")], ["ring", "nested"])
    Traceback (most recent call last):
    ...
    spherekit.io.headers.HeaderError: the headers have ORDERING = 'RING' and ORDERING = 'NESTED'; \
correct the wrong one
    """
    if len(set(meanings)) > 1:
        values = " and ".join(dict.fromkeys(f"{key} = {word!r}" for key, word in pairs))
        raise HeaderError(f"the headers have {values}; correct the wrong one")


def number(header, key):
    """The finite number ``key``, also if it was written as text; None if there is none.

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
        raise HeaderError(f"the header has {key} = {content!r}; expected a finite number")
    return result


def integer(header, key):
    """The integer ``key``, or None if there is none.

    >>> integer({"NSIDE": "64"}, "NSIDE")
    64
    """
    result = number(header, key)
    if result is not None and result != int(result):
        raise HeaderError(f"the header has {key} = {result:g}; expected an integer")
    if result is None or abs(result) < 2**53:
        return None if result is None else int(result)
    # float64 cannot represent the number exactly
    return int(Decimal(text(header, key).upper().replace("D", "E")))


def history(table):
    """The lines of the HISTORY cards of the primary header and of a table.

    >>> from spherekit.io import Table
    >>> history(Table({"HISTORY": ["smoothed", "masked"]}, {}, {}))
    ('smoothed', 'masked')
    """
    cards = [value(header, "HISTORY") or () for header in (table.primary, table.header)]
    return tuple(line for texts in cards for line in provenance.from_cards(texts))
