"""IAGA's tables of IGRF, ``igrf13coeffs.txt``: rows ``g n m`` and ``h n m``, and secular variation."""

import re

import numpy as np

from spherekit.io import coefficient_rows, igrf
from spherekit.io.coefficient_conventions import UNSPECIFIED, agreed

_EXPECTED = "g or h, degree n, order m and one coefficient for each epoch"
_KINDS = bytes.maketrans(b"gh", b"01")


def is_iaga(text):
    """Whether one of the first lines is that of the epochs, ``g/h n m 1900.0 1905.0 ...``."""
    return _header(text) is not None


def _header(text):
    """(number, words) of the line of the epochs, or None."""
    for number, words in coefficient_rows.lines(text, 4):
        if words[:3] == ["g/h", "n", "m"]:
            return number, words
    return None


def read(path, text, L=None, requested=UNSPECIFIED):
    """Read the `Coefficients` of the table, as `spherekit.io.igrf.read`.

    A last column of secular variation such as ``2020-25``, in nT per year, becomes the epoch at its end.
    """
    agreed(path, requested, igrf.CONVENTION)
    number, words = _header(text)
    variation = re.fullmatch(r"(\d\d)(\d\d)-(\d\d)", words[-1])
    end = [f"{variation[1]}{variation[3]}"] if variation else []
    times = coefficient_rows.as_numbers(words[3 : len(words) - len(end)] + end)
    if not times or np.any(np.diff(times) <= 0):
        raise text.error(number, "g/h n m and increasing epochs in decimal years")
    body = coefficient_rows.after(text, number).translated(_KINDS)
    rows, body = coefficient_rows.table(body, number + 1, _EXPECTED)
    if rows.shape[1] != 3 + len(times) or not np.isin(rows[:, 0], (0, 1)).all():
        raise text.error(number, f"rows of {len(times) + 3} words after this line: {_EXPECTED}")
    ell, m = coefficient_rows.degrees_and_orders(rows[:, 1:], body)
    m = np.where(rows[:, 0] == 1, -m, m)
    coefficient_rows.refuse_repetitions(ell, m, body)
    highest = int(ell.max())
    required = (highest + 1) ** 2 - int(ell.min()) ** 2
    if len(rows) != required:
        raise ValueError(
            f"{path} contains {len(rows)} rows of degrees {ell.min()} to {highest}; expected {required}, one "
            "for each g and h (h for m > 0)"
        )
    values = rows[:, 3:].T
    notes = ()
    if variation:
        values[-1] = values[-2] + (times[-1] - times[-2]) * values[-1]
        notes = (
            f"the epoch {times[-1]:g} was extrapolated from {times[-2]:g} by the secular variation",
        )
    return igrf.model(path, ell, m, values, times, L, notes=notes)
