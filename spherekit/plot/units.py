"""Units in labels of plots, with superscripts and powers of ten."""

import re

import numpy as np

#: An exponent after ** or ^, or after a symbol of one to three letters.
_EXPONENT = re.compile(r"(?:\*\*|\^|(?<!\w)([A-Za-z]{1,3}(?=-?\d+(?![A-Za-z]))))(-?\d+)(?![\d.])")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def pretty_unit(unit):
    """Format a unit for a label: uK -> µK, uK^2 -> µK², m**2 s**-2 and m2 s-2 of netCDF -> m² s⁻².

    Examples
    --------
    >>> pretty_unit("uK^2"), pretty_unit("m**2 s**-2"), pretty_unit("kg m-2 s-1")
    ('µK²', 'm² s⁻²', 'kg m⁻² s⁻¹')
    """
    if not unit:
        return ""
    unit = _EXPONENT.sub(_with_superscript, unit)
    head, sep, tail = unit.partition("_")
    if head[:1] == "u" and head[1:].rstrip("²") in ("K", "Jy", "m", "s", "T"):
        head = "µ" + head[1:]
    return head + sep + tail


def _with_superscript(match):
    return (match[1] or "") + match[2].translate(_SUPERSCRIPTS)


def scaled(size, unit):
    """A power of ten by which values of this size are divided, and the unit with it.

    >>> scaled(3e-5, "s-1"), scaled(20.0, "m s-1"), scaled(2e8, None)
    ((1e-05, '10⁻⁵ s⁻¹'), (1.0, 'm s-1'), (1000000.0, '10⁶'))
    """
    exponent = int(np.floor(np.log10(size))) if size > 0 else 0
    exponent = 3 * (exponent // 3) if exponent > 0 else exponent
    if -3 < exponent <= 3:
        return 1.0, unit
    power = str(exponent).translate(_SUPERSCRIPTS)
    return 10.0**exponent, f"10{power} {pretty_unit(unit)}".strip()
