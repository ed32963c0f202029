"""Depths of white noise and units of spectra, as texts of options and files."""

import re

from spherekit.cli import options

#: Units of temperature, in kelvin; with or without a suffix such as _CMB.
_TEMPERATURES = {"K": 1.0, "mK": 1e-3, "uK": 1e-6, "muK": 1e-6, "\N{MICRO SIGN}K": 1e-6, "nK": 1e-9}
_TEMPERATURES |= {"\N{GREEK SMALL LETTER MU}K": 1e-6}
_DEPTH = re.compile(
    r"\s*(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)\s*(.*?)[\s*-]*(arcmin|arcsec|deg|rad)\s*"
)
_SQUARE = re.compile(r"\(?\s*(.+?)\s*\)?\s*(?:\^|\*\*)?\s*(?:2|\N{SUPERSCRIPT TWO})")
_SUFFIX = re.compile(r"[_ ]?CMB", re.IGNORECASE)


def depth_of(text, unit, option):
    """A depth of white noise, such as 20uK-arcmin, in ``unit`` times radians.

    >>> round(depth_of("1000 mK deg", "uK", "--noise"))
    17453
    >>> depth_of("2rad", "", "--noise")
    2.0
    """
    match = _DEPTH.fullmatch(text)
    if match is None:
        raise options.Usage(
            f"{option} is {text!r}; expected a standard deviation per unit solid angle, such as "
            f"20{unit or 'uK'}-arcmin or 0.3{unit or 'uK'}-deg"
        )
    number, own_unit, angle = match.groups()
    return float(number) * _factor(own_unit, unit, text, option) * options.angle(f"1{angle}")


def _factor(own_unit, unit, text, option):
    """The factor from one unit to another."""
    if own_unit == unit:
        return 1.0
    ratio = temperature_ratio(own_unit, unit)
    if ratio is None:
        received = own_unit or "no unit but that of the angle"
        advice = "" if unit else "; pass the unit of the skies with --unit"
        raise options.Usage(
            f"{option} is {text!r}, with {received}; expected {unit or 'no unit'}, as the spectrum{advice}"
        )
    return ratio


def temperature_ratio(unit, unit2):
    """One unit of temperature in terms of another, or None if one of them is no such unit.

    >>> temperature_ratio("mK", "K_CMB"), temperature_ratio("mK", "")
    (0.001, None)
    """
    scales = [_TEMPERATURES.get(_SUFFIX.sub("", name or "")) for name in (unit, unit2)]
    return None if None in scales else scales[0] / scales[1]


def signal_unit(args, units):
    """The unit of the skies: that of --unit, or that whose square is the unit of the spectra."""
    if len(set(units)) > 1:
        raise ValueError(
            f"{args.spectrum}: the spectra have different units, {', '.join(map(repr, units))}; convert them "
            "to the same unit"
        )
    unit = root_of_unit(units[0])
    if unit is None:
        if args.unit is None:
            raise options.Usage(
                f"{args.spectrum} has the unit {units[0]!r}, which is not a square such as uK^2; pass the "
                "unit of the skies with --unit"
            )
        return args.unit
    if args.unit is not None and unit and args.unit != unit:
        raise options.Usage(
            f"--unit is {args.unit}, but the spectra of {args.spectrum} are in {units[0]}; omit --unit"
        )
    return unit or args.unit or ""


def root_of_unit(unit):
    """The unit whose square is ``unit``; "" if there is none, and None if it is not a square.

    >>> [root_of_unit(unit) for unit in ("uK2", "(mK_CMB)^2", "K**2", "", "Jy/sr")]
    ['uK', 'mK_CMB', 'K', '', None]
    """
    unit = unit.strip()
    if unit in ("", "1"):
        return ""
    match = _SQUARE.fullmatch(unit)
    return match[1].strip() if match else None
