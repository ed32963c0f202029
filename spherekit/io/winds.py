"""Winds among the fields of a map: pairs of an eastward and a northward component.

A pair is recognized by the attribute ``standard_name`` of the CF conventions, or by its names in a unit of
velocity. Currents are winds of the ocean.
"""

import re

#: Words of standard names of components, and of their partners.
_STANDARD = (
    (re.compile(r"eastward_(?!.*northward)\w+"), "eastward_", "northward_"),
    (re.compile(r"northward_(?!.*eastward)\w+"), "northward_", "eastward_"),
    (re.compile(r"zonal_(wind|velocity|current)"), "zonal_", "meridional_"),
    (re.compile(r"meridional_(wind|velocity|current)"), "meridional_", "zonal_"),
    (re.compile(r"(\w+_)?x_(wind|velocity|\w+_velocity)"), "x_", "y_"),
    (re.compile(r"(\w+_)?y_(wind|velocity|\w+_velocity)"), "y_", "x_"),
)
_EASTWARD = ("eastward_", "zonal_", "x_")

_METERS = r"(c|k)?m|met(er|re)s?"
_SECONDS = r"s|sec|seconds?|h|hr|hours?"
#: Velocities in any case: M/S is a common spelling.
_VELOCITY = re.compile(
    rf"\s*(({_METERS})\s*(/|per)\s*({_SECONDS})"
    rf"|({_METERS})[\s.*]*({_SECONDS})\s*(\*\*|\^)?\s*[({{]?-1[)}}]?|knots?|kts?"
    r"|mph|(mi|miles?)\s*(/|per)\s*(h|hr|hours?))\s*",
    re.I,
)
#: A component by its name: u, u10, U_10M, uwnd, u_wind, UGRD, ua, uo, uas, 10u.
_NAME = re.compile(r"(\d*)([uv])(_?\d+m?|_?wi?nd|_?grd|as|a|o|gos|_component_of_wind)?", re.I)


def is_velocity(unit):
    """Whether a unit is one of velocity.

    >>> [is_velocity(unit) for unit in ("m/s", "m s**-1", "m s-1", "knots", "uK")]
    [True, True, True, True, False]
    """
    return bool(_VELOCITY.fullmatch(unit))


def meters_per_second(unit):
    """The factor that converts a unit of velocity to m/s.

    Raises
    ------
    ValueError
        Another unit.

    >>> [round(meters_per_second(unit), 6) for unit in ("m s**-1", "km/h", "knots", "cm s-1", "mph")]
    [1.0, 0.277778, 0.514444, 0.01, 0.44704]
    """
    if not is_velocity(unit):
        raise ValueError(f"the unit is {unit!r}; expected one of velocity, such as m s-1 or knots")
    unit = unit.lower()
    if re.match(r"\s*k(no)?ts?\b", unit):
        return 1852 / 3600
    if re.match(r"\s*(mph|mi)", unit):
        return 1609.344 / 3600
    length, time = re.match(r"\s*(cm|km|\w).*?\b(s|h)\w*\W*(?:1\W*)?$", unit).groups()
    return {"cm": 0.01, "km": 1000.0}.get(length, 1.0) / {"s": 1, "h": 3600}[time]


def winds(names, units, standard_names=(), any_unit=False):
    """The number of the northward component of each wind, by that of its eastward component.

    Parameters
    ----------
    names, units : sequence of str
        Those of each field.
    standard_names : sequence of str or None, optional
        The attribute ``standard_name`` of each field.
    any_unit : bool
        Whether u and v of another unit than one of velocity are a wind, too.

    >>> winds(["T", "u10", "v10"], ["K", "m/s", "m/s"]), winds(["u", "v"], ["K", "K"])
    ({1: 2}, {})
    >>> winds(["a", "b"], ["1", "1"], ["northward_wind", "eastward_wind"])
    {1: 0}
    """
    standard = _standard_names(names, standard_names)
    velocities = [any_unit or is_velocity(unit) for unit in units]
    result = {}
    for u, name in enumerate(names):
        partners = _by_standard_name(u, standard) or _by_name(u, names, velocities)
        partners = [v for v in partners if v not in result.values()]
        if len(partners) > 1:  # several levels, such as u10 and u100, of the same standard name
            partners = [v for v in partners if names[v] in _northward_names(name)]
        if len(partners) == 1:
            result[u] = partners[0]
    return result


def is_wind_component(name, unit, standard_name=None):
    """Whether a field is one component of a wind.

    >>> is_wind_component("u", "m/s"), is_wind_component("u", "K"), is_wind_component("w", "m/s")
    (True, False, False)
    """
    if any(pattern.fullmatch(standard_name or name) for pattern, _, _ in _STANDARD):
        return True
    return is_velocity(unit) and bool(_NAME.fullmatch(name))


def pair_of(name):
    """The names (eastward, northward) of a wind of which one is ``name``.

    >>> pair_of("v10"), pair_of("eastward_wind"), pair_of("zonal")
    (('u10', 'v10'), ('eastward_wind', 'northward_wind'), ('EASTWARD', 'NORTHWARD'))
    """
    for pattern, word, partner in _STANDARD:
        if pattern.fullmatch(name):
            renamed = re.sub(f"(?<![a-z]){word}", partner, name, count=1)
            return (name, renamed) if word in _EASTWARD else (renamed, name)
    match = re.search("(?<![a-zA-Z])[uvUV]", name)
    if not match:
        return "EASTWARD", "NORTHWARD"
    u, v = ("U", "V") if match.group().isupper() else ("u", "v")
    return tuple(name[: match.start()] + letter + name[match.end() :] for letter in (u, v))


def _standard_names(names, standard_names):
    """The standard name of each field, or its name."""
    cf_names = list(standard_names) or [None] * len(names)
    return [text or name.lower() for text, name in zip(cf_names, names, strict=True)]


def _by_standard_name(u, standard):
    """The fields with the standard name of the northward partner of the field ``u``, if this is unique."""
    for pattern, word, partner in _STANDARD:
        if word in _EASTWARD and pattern.fullmatch(standard[u]):
            northward = re.sub(f"(?<![a-z]){word}", partner, standard[u], count=1)
            return [v for v, name in enumerate(standard) if name == northward]
    return []


def _by_name(u, names, velocities):
    if not velocities[u]:
        return []
    northward = _northward_names(names[u])
    return [v for v, name in enumerate(names) if velocities[v] and name in northward]


def _northward_names(name):
    """The names that differ from this one by v in place of a u at the beginning of a word.

    >>> _northward_names("u_component_u"), _northward_names("U10")
    (['v_component_u', 'u_component_v'], ['V10'])
    """
    starts = [match.start() for match in re.finditer(r"(?<![a-zA-Z])[uU]", name)]
    return [name[:i] + {"u": "v", "U": "V"}[name[i]] + name[i + 1 :] for i in starts]
