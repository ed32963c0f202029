"""Which columns of a map are scalars, and which are the two parts of a spin field.

What the file says of its columns (key SPIN) or ``--spin`` tells; else their names and the key STOKES do
(`spherekit.io.stokes`): Q and U of one name are a field of spin 2, either of them alone is refused, and a
column of any other name is a scalar.
"""

import re
from typing import NamedTuple

import numpy as np

from spherekit.cli.names import join
from spherekit.cli.options import Usage
from spherekit.io.stokes import is_spin_component, pairs, stokes_of


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


def components(path, fields, columns, units, spin=None, accepts_spin=True, letters=None):
    """The `Component` of every scalar and spin field among real fields.

    Parameters
    ----------
    fields : real arrays
    columns, units : sequences of str, one for each field; columns may be empty
    spin : int or None
        That of ``--spin``, or of the file: None takes Q and U together as spin 2 and all else as scalars;
        0 takes every field as a scalar; another spin needs two fields.
    accepts_spin : bool
        Whether the verb takes fields of spin, and has ``--spin``.
    letters : sequence of str, optional
        The Stokes parameter of each field, where more than its name tells it.
    """
    columns = tuple(columns)
    repeated = {name for name in columns if columns.count(name) > 1}
    if repeated:
        raise Usage(f"{path}: --field names {', '.join(sorted(repeated))} twice")
    letters = [stokes_of(name) for name in columns] if letters is None else list(letters)
    if spin:
        return (_pair(path, fields, columns, units, spin, letters),)
    partners = {} if spin == 0 else _partners(path, columns, letters, accepts_spin)
    result = []
    for number, (f, unit) in enumerate(zip(fields, units, strict=True)):
        if number in partners:
            both = [[x[number], x[partners[number]]] for x in (fields, columns, units)]
            result.append(_pair(path, *both, 2, ["Q", "U"]))
        elif number not in partners.values():
            result.append(Component(f, 0, columns[number : number + 1], unit))
    return tuple(result)


def refuse_lone(path, component, spin=None):
    """Refuse a scalar whose column is Q or U, unless ``spin`` (of ``--spin``) says that it is one."""
    lone = [name for name in component.columns if stokes_of(name) in ("Q", "U")]
    if component.spin == 0 and spin is None and lone:
        raise _lone(path, lone[0])


def note_on_parts(signals):
    """A line on scalars that may be the two parts of one field, by their names; or ""."""
    names = [name for signal in signals if not signal.spin for name in signal.columns]
    names = [name for name in names if is_spin_component(name)]
    if not names:
        return ""
    parts = names if len(names) == 2 else ["FIRST", "SECOND"]
    return (
        f"{', '.join(names)} as scalars; the two parts of one field (shear: spin 2, wind: spin 1) are turned "
        f"together: --field {','.join(parts)} --spin 2"
    )


def _lone(path, name, accepts_spin=True):
    if stokes_of(name) not in ("Q", "U"):
        return Usage(
            f"{path}: {name} is by its header (STOKES, EXTNAME) one part of a field of spin 2, no scalar; "
            "bring Q and U into one file, as columns of these names"
            + ("; or say --spin 0 if it is a scalar" if accepts_spin else "")
        )
    q, u = _both_names(name)
    here = "" if (q, u) == ("Q", "U") else f" (here {q},{u})"
    advice = f"take both parts: --field Q,U --spin 2{here}; or say --spin 0 if it is a scalar"
    if re.fullmatch(r"[Uu]_?\d+[Mm]?", name):
        v = {"U": "V", "u": "v"}[name[0]] + name[1:]
        advice += f"; of a wind: --field {name},{v} --spin 1"
    if not accepts_spin:
        advice = "this verb takes scalars"
    return Usage(f"{path}: {name} is one part of a field of spin 2, no scalar; {advice}")


def _both_names(name):
    """The names of Q and U, of which ``name`` is one."""
    for place, letter in enumerate(name):
        if letter.upper() in "QU":
            swapped = {"Q": "U", "U": "Q", "q": "u", "u": "q"}[letter]
            partner = name[:place] + swapped + name[place + 1 :]
            for both in ((name, partner), (partner, name)):
                if pairs(both) == [(0, 1)]:
                    return both
    return "Q", "U"


def _partners(path, columns, letters, accepts_spin):
    """{number of Q: number of U} of all columns that are one or the other."""
    parts = [number for number, letter in enumerate(letters) if letter in ("Q", "U")]
    partners = dict(pairs(columns))
    for q, u in partners.items():
        if u < q:
            raise _order(path, columns[u], columns[q], 2)
    lone = [n for n in parts if n not in partners and n not in partners.values()]
    if len(lone) == 1:
        raise _lone(path, columns[lone[0]], accepts_spin)
    if lone:
        names = ", ".join(columns[n] for n in lone)
        raise Usage(
            f"{path}: {names} are not one Q and one U of the same name; choose two by --field, with "
            "--spin 2, or say --spin 0 if they are scalars"
        )
    return partners


def _order(path, first, second, spin):
    return Usage(
        f"{path}: {first} and {second}, in this order, are not the two parts of a field of spin {spin}; that "
        "of spin 2 is Q + iU: --field Q,U --spin 2"
    )


def _both(columns, count, letters):
    """What to do where other than two columns came."""
    if count < 2:
        q, u = (
            _both_names(columns[0]) if letters and letters[0] in ("Q", "U") else ("FIRST", "SECOND")
        )
        return f"{', '.join(columns) or 'one'} came alone; name both, as --field {q},{u}"
    if {"Q", "U"} <= set(letters):
        return f"{count} came; name them, as --field Q,U"
    return f"{count} came; name them, as --field {join(columns[:2]) or '0,1'}"


def _pair(path, fields, columns, units, spin, letters):
    if len(fields) != 2:
        raise Usage(
            f"{path}: spin {spin} needs two columns; {_both(columns, len(fields), letters)}"
        )
    polarized = {"Q", "U"} & set(letters)
    if "I" in letters or (polarized and letters != ["Q", "U"] and abs(spin) == 2):
        raise _order(path, *columns, spin)
    if set(letters) == {"Q", "U"} and abs(spin) != 2:
        raise _order(path, *columns, spin)
    if units[0] != units[1]:
        raise ValueError(
            f"{path}: {' and '.join(columns)} are in different units, {' and '.join(map(repr, units))}; "
            "bring them to one"
        )
    return Component(fields[0] + 1j * fields[1], spin, tuple(columns), units[0])


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
