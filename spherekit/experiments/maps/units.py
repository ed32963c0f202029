"""Units of maps: one for all maps of a model; others are converted to it, or refused."""

#: What says that temperatures are those of the black body, which plain K means too.
_THERMODYNAMIC = "_CMB", "CMB", ",thermodynamic"
#: Texts of files that know no unit.
_NONE = "", "none", "unknown", "n/a"
_ADVICE = 'state the unit in the file (FITS: the key TUNIT; .npz: an array unit = "uK")'


def plain(unit):
    """The unit of a file, "" where there is none.

    >>> plain(" uK "), plain("unknown")
    ('uK', '')
    """
    unit = (unit or "").strip()
    return "" if unit.lower() in _NONE else unit


def factor(unit, reference, of_reference):
    """What a map in ``unit`` is multiplied by to be in ``reference``.

    Parameters
    ----------
    unit, reference : str
        "" where there is none.
    of_reference : str
        What is in that unit, for messages.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Units that are no multiples of each other; one unit is missing.

    >>> factor("K", "uK", "the first map"), factor("", "", "the first map")
    (1000000.0, 1.0)
    >>> factor("Jy", "uK", "the first map")
    Traceback (most recent call last):
        ...
    ValueError: its unit is Jy; that of the first map is uK, into which it cannot be converted
    """
    if unit == reference:
        return 1.0
    if not reference:
        raise ValueError(f"its unit is {unit}, and none is known of {of_reference}; {_ADVICE}")
    if not unit:
        raise ValueError(f"it has no unit, and that of {of_reference} is {reference}; {_ADVICE}")
    value = _ratio(_parsed(unit), _parsed(reference))
    if value is None:
        raise ValueError(
            f"its unit is {unit}; that of {of_reference} is {reference}, into which it cannot be converted"
        )
    return value


def _parsed(text):
    from astropy.units import Unit

    for suffix in _THERMODYNAMIC:
        text = text.removesuffix(suffix)
    text = text.replace("mu", "u", 1) if text.startswith("mu") else text
    return Unit(text, parse_strict="silent")


def _ratio(unit, reference):
    from astropy.units import UnitConversionError

    try:
        ratio = float(unit.to(reference))
    except (UnitConversionError, TypeError, ValueError):
        return 1.0 if unit == reference else None
    return ratio
