"""Which columns of a map are scalars, which are the two parts of a spin field, and which are no fields.

A column is known by its name (`spherekit.io.stokes`); one of any other name is a scalar.
"""

import re
from typing import NamedTuple

import numpy as np

from spherekit.cli.options import Usage
from spherekit.io.stokes import stokes_of

#: Names of columns that describe pixels: counts, errors, covariances, weights and masks.
_OF_PIXELS = re.compile(
    r"N_?OBS|N_?HITS?|HITS?|COUNTS?|([IQUT]_)?[TP]?MASK\d*|[IQUT]{2}(_COV)?|(.*_)?COV|(.*_)?VAR(IANCE)?|"
    r"(.*_)?(SIGMA|STD(DEV)?|RMS|S?ERR(OR)?|WEIGHTS?)|EXPOSURE|PIXEL|PIX"
)


class Component(NamedTuple):
    """A signal: samples or coefficients, its spin, the columns it comes from (if named) and its unit."""

    values: np.ndarray
    spin: int
    columns: tuple
    unit: str

    @property
    def name(self):
        """The columns in words."""
        return " and ".join(self.columns) or ("the signal" if not self.spin else "the spin field")


def describes_pixels(name):
    """True for names of counts, errors, covariances, weights and masks, which are no fields on the sphere.

    >>> describes_pixels("N_OBS"), describes_pixels("QU_COV"), describes_pixels("Q_STOKES")
    (True, True, False)
    """
    return re.fullmatch(_OF_PIXELS, re.sub(r"[\s_-]+", "_", name.strip().upper())) is not None


def components(path, fields, columns, units, spin=None, takes_spin=True):
    """The `Component` of every scalar and spin field among real fields.

    Parameters
    ----------
    fields : real arrays
    columns, units : sequences of str, one for each field; columns may be empty
    spin : int or None
        That of ``--spin``: None takes Q and U together as spin 2 and all else as scalars; 0 takes every
        field as a scalar; another spin needs two fields.
    takes_spin : bool
        Whether the verb takes fields of spin, and has ``--spin``.
    """
    columns = tuple(columns)
    repeated = {name for name in columns if columns.count(name) > 1}
    if repeated:
        raise Usage(f"{path}: --field names {', '.join(sorted(repeated))} twice")
    if spin:
        return (_pair(path, fields, columns, units, spin),)
    letters = [stokes_of(name) for name in columns]
    if spin == 0 or not {"Q", "U"} & set(letters):
        named = columns or [""] * len(fields)
        parts = zip(fields, named, units, strict=True)
        return tuple(Component(f, 0, (name,) if name else (), unit) for f, name, unit in parts)
    q, u = _partners(path, columns, letters, takes_spin)
    pair = [[x[q], x[u]] for x in (fields, columns, units)]
    result = []
    for number, (f, name, unit) in enumerate(zip(fields, columns, units, strict=True)):
        if number == q:
            result.append(_pair(path, *pair, 2))
        elif number != u:
            result.append(Component(f, 0, (name,), unit))
    return tuple(result)


def refuse_lone(path, component):
    """Refuse a scalar whose column is Q or U."""
    if component.spin == 0 and {"Q", "U"} & {stokes_of(name) for name in component.columns}:
        raise _lone(path, component.name)


def _lone(path, names, takes_spin=True):
    advice = "take both parts: --field Q,U --spin 2" if takes_spin else "this verb takes scalars"
    return Usage(f"{path}: {names} is one part of a field of spin 2, no scalar; {advice}")


def _partners(path, columns, letters, takes_spin):
    """Numbers of the columns of Q and U, which must be one each and in this order."""
    if letters.count("Q") != 1 or letters.count("U") != 1:
        parts = [
            name for name, letter in zip(columns, letters, strict=True) if letter in ("Q", "U")
        ]
        if len(parts) > 1:
            raise Usage(
                f"{path}: {', '.join(parts)} are not one Q and one U; choose two by --field"
            )
        raise _lone(path, parts[0], takes_spin)
    q, u = letters.index("Q"), letters.index("U")
    if u < q:
        raise _order(path, columns[u], columns[q], 2)
    return q, u


def _order(path, first, second, spin):
    return Usage(
        f"{path}: {first} and {second}, in this order, are not the two parts of a field of spin {spin}; that "
        "of spin 2 is Q + iU: --field Q,U --spin 2"
    )


def _pair(path, fields, columns, units, spin):
    if len(fields) != 2:
        raise Usage(f"{path}: spin {spin} needs two columns; name them, as --field Q,U")
    letters = [stokes_of(name) for name in columns]
    if any(letters) and (letters != ["Q", "U"] or abs(spin) != 2):
        raise _order(path, *columns, spin)
    if units[0] != units[1]:
        raise ValueError(
            f"{path}: {' and '.join(columns)} are in different units, {' and '.join(map(repr, units))}; "
            "bring them to one"
        )
    return Component(fields[0] + 1j * fields[1], spin, columns, units[0])


def parts(component):
    """([real fields], [their names], [their units]) of samples: what `components` takes."""
    values, spin, columns, unit = component
    if not np.iscomplexobj(values):
        return [values], list(columns) or ["SIGNAL"], [unit]
    names = list(columns) if len(columns) == 2 else ["Q", "U"] if spin == 2 else ["REAL", "IMAG"]
    return [values.real, values.imag], names, [unit, unit]


def polarization_names(temperature):
    """Names of the columns of Q and U beside that of a scalar, in its style.

    >>> polarization_names("I_STOKES"), polarization_names("TEMPERATURE"), polarization_names("")
    (('Q_STOKES', 'U_STOKES'), ('Q_POLARISATION', 'U_POLARISATION'), ('Q', 'U'))
    """
    if stokes_of(temperature) != "I":
        return "Q", "U"
    if temperature[0] in "IT" and (len(temperature) == 1 or temperature[1] in "_- "):
        return "Q" + temperature[1:], "U" + temperature[1:]
    return "Q_POLARISATION", "U_POLARISATION"
