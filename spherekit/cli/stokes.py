"""Which columns of a map are scalars, which are the two parts of a spin field, and which are no fields.

A column is known by its name. T (or I), Q and U have the names that HEALPix codes, WMAP and Planck give
them: I_STOKES, Q_POLARISATION and so on; a column of any other name is a scalar.
"""

import re
from typing import NamedTuple

import numpy as np

from spherekit.cli.options import Usage

_STOKES = re.compile(
    r"(?:STOKES[ _-]?)?([ITQU])(?:[ _-]?(?:STOKES|POLARI[SZ]ATION|POL|MAP))?|(TEMP(?:ERATURE)?|INTENSITY)"
)
#: Columns that describe pixels: counts, errors, covariances, weights and masks.
_OF_PIXELS = re.compile(
    r"N_?OBS|N_?HITS?|HITS?|COUNTS?|.*_?MASK|.*_?COV|COV_?.*|.*_?VAR(IANCE)?|SIGMA_?.*|.*_?STD(DEV)?|"
    r".*_?ERR(OR)?|.*_?WEIGHTS?|EXPOSURE"
)


class Component(NamedTuple):
    """A signal: samples or coefficients, its spin, the columns it comes from (if named) and its unit."""

    values: np.ndarray
    spin: int
    columns: tuple
    unit: str


def stokes(name):
    """ "T", "Q" or "U" where the name of a column says so, else "".

    >>> [stokes(name) for name in ("I_STOKES", "temperature", "Q_POLARISATION", "U", "KAPPA")]
    ['T', 'T', 'Q', 'U', '']
    """
    match = _STOKES.fullmatch(name.strip().upper())
    if not match:
        return ""
    letter = match[1] or "T"
    return "T" if letter == "I" else letter


def describes_pixels(name):
    """True for names of counts, errors, covariances, weights and masks, which are no fields on the sphere.

    >>> describes_pixels("N_OBS"), describes_pixels("QU_COV"), describes_pixels("Q_STOKES")
    (True, True, False)
    """
    return _OF_PIXELS.fullmatch(name.strip().upper()) is not None


def choose(path, names, text):
    """Numbers of the columns that ``--field`` asks for, by number, name or one of the letters I, T, Q, U."""
    numbers = [_number(path, names, word.strip()) for word in text.split(",")]
    if len(set(numbers)) < len(numbers):
        raise Usage(f"--field {text} names the column {names[_repeated(numbers)]} twice")
    return numbers


def _number(path, names, word):
    if word.isascii() and word.isdigit() and int(word) < len(names):
        return int(word)
    letter = stokes(word) if len(word) == 1 else ""
    for test in (
        lambda name: name == word,
        lambda name: name.upper() == word.upper(),
        lambda name: letter and stokes(name) == letter,
    ):
        matches = [number for number, name in enumerate(names) if test(name)]
        if len(matches) == 1:
            return matches[0]
    known = ", ".join(f"{number} {name}" for number, name in enumerate(names))
    raise ValueError(f"{path} has no field {word}; it holds {known or 'none'}; choose by --field")


def _repeated(numbers):
    return next(number for number in numbers if numbers.count(number) > 1)


def components(path, fields, columns, units, spin=None):
    """The `Component` of every scalar and spin field among real fields.

    Parameters
    ----------
    fields : real arrays
    columns, units : sequences of str, one for each field; columns may be empty
    spin : int or None
        That of ``--spin``: None takes Q and U together as spin 2 and all else as scalars; 0 takes every
        field as a scalar; another spin needs two fields.
    """
    columns = tuple(columns)
    if spin:
        return (_pair(path, fields, columns, units, spin),)
    letters = [stokes(name) for name in columns]
    if spin == 0 or not {"Q", "U"} & set(letters):
        named = columns or [""] * len(fields)
        parts = zip(fields, named, units, strict=True)
        return tuple(Component(f, 0, (name,) if name else (), unit) for f, name, unit in parts)
    if letters.count("Q") != 1 or letters.count("U") != 1:
        lone = ", ".join(name for name, letter in zip(columns, letters, strict=True) if letter in "QU" and letter)
        raise Usage(
            f"{path}: {lone} without its partner; Q and U are the two parts of one field of spin 2, "
            "and neither is a scalar: --field Q,U --spin 2"
        )
    q, u = letters.index("Q"), letters.index("U")
    if u < q:
        raise Usage(
            f"{path}: --field names {columns[u]} before {columns[q]}; the field of spin 2 is Q + iU: "
            "--field Q,U --spin 2"
        )
    pair = [[x[q], x[u]] for x in (fields, columns, units)]
    result = []
    for number, (f, name, unit) in enumerate(zip(fields, columns, units, strict=True)):
        if number == q:
            result.append(_pair(path, *pair, 2))
        elif number != u:
            result.append(Component(f, 0, (name,), unit))
    return tuple(result)


def _pair(path, fields, columns, units, spin):
    if len(fields) != 2:
        raise Usage(f"{path}: spin {spin} needs two columns; name them, as --field Q,U")
    letters = [stokes(name) for name in columns]
    if any(letters) and (letters != ["Q", "U"] or abs(spin) != 2):
        raise Usage(
            f"{path}: {columns[0]} and {columns[1]}, in this order, are not the two parts of a field of spin "
            f"{spin}; that of spin 2 is Q + iU: --field Q,U --spin 2"
        )
    if units[0] != units[1]:
        raise ValueError(
            f"{path}: {' and '.join(columns)} are in different units, {' and '.join(map(repr, units))}; bring "
            "them to one"
        )
    return Component(fields[0] + 1j * fields[1], spin, tuple(columns), units[0])


def parts(component):
    """([real fields], [their names], [their units]) of samples: what `components` takes."""
    values, spin, columns, unit = component
    if not np.iscomplexobj(values):
        return [values], list(columns) or ["SIGNAL"], [unit]
    names = list(columns) if len(columns) == 2 else ["Q", "U"] if spin == 2 else ["REAL", "IMAG"]
    return [values.real, values.imag], names, [unit, unit]
