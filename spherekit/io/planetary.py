"""Gravity and topography models in the SHADR format of NASA's Planetary Data System (``.tab``)."""

from spherekit.io import coefficient_rows, shtools
from spherekit.io.coefficient_conventions import UNSPECIFIED, Convention, agreed

_NORMALIZATIONS = {0: "unnorm", 1: "4pi"}


def is_shadr(words):
    """Whether the words of a line are a header of SHADR.

    They are the reference radius in km, GM in km^3/s^2 and its error, the highest degree and order, the
    normalization, and the reference longitude and latitude.
    """
    values = coefficient_rows.as_numbers(words)
    return (
        len(words) == 8
        and values is not None
        and all(word.isdecimal() for word in words[3:6])
        and not coefficient_rows.is_pair(words)
    )


def read(path, text, L=None, requested=UNSPECIFIED):
    """Read the `Coefficients` of a SHADR file: those of the potential divided by GM / radius."""
    number, words = coefficient_rows.lines(text, 1)[0]
    radius, gm, gm_error, *_, longitude, latitude = coefficient_rows.as_numbers(words)
    highest, _, state = map(int, words[3:6])
    if state not in _NORMALIZATIONS:
        raise text.error(number, "normalization 0 (none) or 1 (4 pi) as the sixth number")
    convention, _ = agreed(path, requested, Convention(_NORMALIZATIONS[state], 1))
    attributes = {
        "radius": 1e3 * radius,
        "gm": 1e9 * gm,
        "gm_error": 1e9 * gm_error,
        "reference_longitude": longitude,
        "reference_latitude": latitude,
    }
    return shtools.read_rows(
        text, number + 1, L, convention, highest=highest, attributes={"": attributes}
    )
