"""Units of maps: conversion of all maps of a model to a common unit."""

#: Suffixes for thermodynamic temperatures, which K without a suffix denotes too.
_THERMODYNAMIC = "_CMB", "CMB", ",thermodynamic"
#: Values of files without a unit.
_NO_UNIT = "", "none", "unknown", "n/a"
_ADVICE = 'state the unit in the file (FITS: the key TUNIT; .npz: an array unit = "uK")'


def plain(unit):
    """The unit of a file, "" if it has none.

    >>> plain(" uK "), plain("unknown")
    ('uK', '')
    """
    unit = (unit or "").strip()
    return "" if unit.lower() in _NO_UNIT else unit


def factor(unit, reference, reference_name):
    """Factor that converts values in ``unit`` to ``reference``.

    Parameters
    ----------
    unit, reference : str
        "" if there is none.
    reference_name : str
        Noun for the maps in the reference unit, for messages.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the units are not convertible, or only one of them is missing.

    >>> factor("K", "uK", "the first map"), factor("", "", "the first map")
    (1000000.0, 1.0)
    >>> factor("Jy", "uK", "the first map")
    Traceback (most recent call last):
        ...
    ValueError: its unit is Jy; that of the first map is uK, to which it cannot be converted
    """
    if unit == reference:
        return 1.0
    if not reference:
        raise ValueError(f"its unit is {unit}; that of {reference_name} is missing; {_ADVICE}")
    if not unit:
        raise ValueError(f"it has no unit; that of {reference_name} is {reference}; {_ADVICE}")
    value = _ratio(_parsed(unit), _parsed(reference))
    if value is None:
        raise ValueError(
            f"its unit is {unit}; that of {reference_name} is {reference}, to which it cannot be converted"
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
