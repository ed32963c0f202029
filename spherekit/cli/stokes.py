"""Scalars and spin fields among the columns of a map.

The spin is that of ``--spin`` or of the file (key SPIN). Otherwise names and the key STOKES determine it
(`spherekit.io.stokes`): Q and U of the same name form a field of spin 2, and the components u and v of a wind
(`spherekit.io.winds`) the field -v + i u of spin 1. One of them without the other is an error, and every
other column is a scalar.
"""

import re
from typing import NamedTuple

import numpy as np

from spherekit.cli.names import join
from spherekit.cli.options import Usage
from spherekit.cli.wind_files import pair_of_files
from spherekit.io.stokes import is_spin_component, pairs, stokes_of
from spherekit.io.winds import is_velocity, is_wind_component, pair_of, winds


class Component(NamedTuple):
    """A signal: samples or coefficients, spin, names of its parts (may be empty) and unit.

    The parts of a spin field are real and imaginary: ``("Q", "U")``, or ``("-v", "u")`` of the wind -v + i u.
    """

    values: np.ndarray
    spin: int
    parts: tuple
    unit: str

    @property
    def is_wind(self):
        """Whether the field is -v + i u of a wind."""
        return self.spin == 1 and len(self.parts) == 2 and self.parts[0].startswith("-")

    @property
    def columns(self):
        """The names of the columns of its samples, of a wind u and v."""
        return (self.parts[1], self.parts[0][1:]) if self.is_wind else tuple(self.parts)

    @property
    def name(self):
        """The names of the columns, as a phrase for messages."""
        return " and ".join(self.columns) or ("unnamed" if not self.spin else "unnamed spin field")


def components(
    path, fields, columns, units, spin=None, accepts_spin=True, letters=None, standard_names=()
):
    """The `Component` of every scalar and spin field among real fields.

    Parameters
    ----------
    fields : list of real ndarray
    columns, units : sequence of str
        One for each field; columns may be empty.
    spin : int or None
        That of ``--spin`` or of the file. None: Q and U are a field of spin 2, u and v of a wind one of spin
        1, all else are scalars; 0: every field is a scalar; any other spin requires two fields.
    accepts_spin : bool
        Whether the command accepts spin fields, and has ``--spin``.
    letters : sequence of str, optional
        The Stokes parameter of each field; by default derived from its name.
    standard_names : sequence of str or None, optional
        The CF name of each field.
    """
    columns = tuple(columns)
    repeated = {name for name in columns if columns.count(name) > 1}
    if repeated:
        raise Usage(f"{path}: --field names {', '.join(sorted(repeated))} twice")
    letters = [stokes_of(name) for name in columns] if letters is None else list(letters)
    letters = [
        "" if is_velocity(unit) else letter for letter, unit in zip(letters, units, strict=False)
    ]
    standard_names = tuple(standard_names) or (None,) * len(columns)
    of_winds = {}
    if accepts_spin and spin in (None, 1):
        of_winds = winds(columns, units, standard_names, any_unit=spin == 1) if columns else {}
    if spin and not (of_winds and len(fields) == 2):
        return (_pair(path, fields, columns, units, spin, letters),)
    polarized = {} if spin is not None else _partners(path, columns, letters, accepts_spin)
    if accepts_spin and spin is None:
        _refuse_parts_of_winds(path, columns, units, standard_names, of_winds)
    result = []
    for number, (f, unit) in enumerate(zip(fields, units, strict=True)):
        if number in of_winds:
            u_and_v = [[x[number], x[of_winds[number]]] for x in (fields, columns, units)]
            result.append(_wind(path, *u_and_v))
        elif number in polarized:
            q_and_u = [[x[number], x[polarized[number]]] for x in (fields, columns, units)]
            result.append(_pair(path, *q_and_u, 2, ["Q", "U"]))
        elif number not in (*polarized.values(), *of_winds.values()):
            result.append(Component(f, 0, columns[number : number + 1], unit))
    return tuple(result)


def _refuse_parts_of_winds(path, columns, units, standard_names, of_winds):
    paired = {*of_winds, *of_winds.values()}
    described = enumerate(zip(columns, units, standard_names, strict=False))
    for number, fields in described:
        if number not in paired and is_wind_component(*fields):
            raise _wind_error(path, columns[number])


def refuse_unpaired(path, component, spin=None):
    """Raise Usage for a scalar whose column is Q, U or a component of a wind, without ``--spin``."""
    if component.spin or spin is not None:
        return
    for name in component.columns:
        if is_wind_component(name, component.unit):
            raise _wind_error(path, name)
        if stokes_of(name) in ("Q", "U") and not is_velocity(component.unit):
            raise _unpaired_error(path, name)


def note_on_components(signals, accepts_spin=True):
    """A note on scalars whose names suggest the two components of a spin field, or an empty string."""
    names = [name for signal in signals if not signal.spin for name in signal.columns]
    names = [name for name in names if is_spin_component(name)]
    if not names:
        return ""
    pair = names if len(names) == 2 else ["FIRST", "SECOND"]
    verb = "are treated as scalars" if len(names) > 1 else "is treated as a scalar"
    if not accepts_spin:
        return f"{', '.join(names)} {verb}, not as components of a spin field"
    is_wind = len(names) == 2 and winds(names, ["", ""], any_unit=True)
    advice = "--spin 1 (wind)" if is_wind else "--spin 2 (shear) or --spin 1 (wind)"
    return (
        f"{', '.join(names)} {verb}; for the two components of a spin field pass --field "
        f"{join(pair)} {advice}"
    )


def note_on_spin(signals):
    """A note on the parts of fields of spin 1: winds, and pairs without the names of a wind."""
    notes = []
    for signal in signals:
        if signal.is_wind:
            u, v = signal.columns
            notes.append(f"{u} and {v} are a wind, the field -{v} + i {u} of spin 1")
        elif signal.spin == 1 and len(signal.columns) == 2:
            first, second = signal.columns
            notes.append(
                f"{first} and {second} are the field {first} + i {second} of spin 1, {first} to the south "
                f"and {second} to the east, since their names are not those of a wind, such as u and v"
            )
    return "\n".join(notes)


def _wind_error(path, name):
    pair = pair_of(name)
    is_u = name == pair[0]
    u, v = pair_of_files(path, name) or ((path, "V") if is_u else ("U", path))
    return Usage(
        f"{path}: {name} is one component of a wind, not a scalar; pass both, from one file with --field "
        f"{join(pair)}, or from two files, {u} --and {v}; or pass --spin 0 to treat it as a scalar"
    )


def _unpaired_error(path, name, accepts_spin=True):
    if stokes_of(name) not in ("Q", "U"):
        return Usage(
            f"{path}: according to its header (STOKES, EXTNAME), {name} is one component of a spin-2 field, "
            "not a scalar; pass both files with --spin 2, as Q.fits --and U.fits, or store Q and U in one "
            "file, as columns of these names"
            + ("; or pass --spin 0 if it is a scalar" if accepts_spin else "")
        )
    q, u = _stokes_names(name)
    actual = "" if (q, u) == ("Q", "U") else f" (here {q},{u})"
    advice = f"pass --field Q,U --spin 2{actual}, or --spin 0 if it is a scalar"
    if re.fullmatch(r"[Uu]_?\d+[Mm]?", name):
        v = {"U": "V", "u": "v"}[name[0]] + name[1:]
        advice += f"; for a wind, --field {name},{v} --spin 1"
    if not accepts_spin:
        advice = "this command accepts scalars only"
    return Usage(f"{path}: {name} is one component of a spin-2 field, not a scalar; {advice}")


def _stokes_names(name):
    """The names of Q and U, one of which is ``name``."""
    for i, letter in enumerate(name):
        if letter.upper() in "QU":
            swapped = {"Q": "U", "U": "Q", "q": "u", "u": "q"}[letter]
            partner = name[:i] + swapped + name[i + 1 :]
            for pair in ((name, partner), (partner, name)):
                if pairs(pair) == [(0, 1)]:
                    return pair
    return "Q", "U"


def _partners(path, columns, letters, accepts_spin):
    """The index of U by that of its Q, for all columns that are Q or U."""
    polarized = [number for number, letter in enumerate(letters) if letter in ("Q", "U")]
    partners = dict(pairs(columns))
    for q, u in partners.items():
        if u < q:
            raise _order(path, columns[u], columns[q], 2)
    unpaired = [n for n in polarized if n not in partners and n not in partners.values()]
    if len(unpaired) == 1:
        raise _unpaired_error(path, columns[unpaired[0]], accepts_spin)
    if unpaired:
        names = ", ".join(columns[n] for n in unpaired)
        raise Usage(
            f"{path}: {names} are not one Q and one U of the same name; select two with --field and pass "
            "--spin 2, or pass --spin 0 if they are scalars"
        )
    return partners


def _order(path, first, second, spin):
    return Usage(
        f"{path}: {first} and {second}, in this order, are not the two components of a spin-{spin} field; "
        "for the spin-2 field Q + iU pass --field Q,U --spin 2"
    )


def _advice_on_columns(columns, count, letters):
    """The columns received and a remedy, for a message on a number of columns other than two."""
    if count < 2:
        q, u = (
            _stokes_names(columns[0])
            if letters and letters[0] in ("Q", "U")
            else ("FIRST", "SECOND")
        )
        return f"got only {', '.join(columns) or 'one'}; select both, e.g. --field {q},{u}"
    pair = "Q,U" if {"Q", "U"} <= set(letters) else join(columns[:2]) or "0,1"
    return f"got {count}; select two, e.g. --field {pair}"


def _pair(path, fields, columns, units, spin, letters):
    if len(fields) != 2:
        raise Usage(
            f"{path}: a field of spin {spin} has two columns; "
            + _advice_on_columns(columns, len(fields), letters)
            + ("; pass the file of the other with --and" if len(fields) == 1 else "")
        )
    polarized = {"Q", "U"} & set(letters)
    if "I" in letters or (polarized and letters != ["Q", "U"] and abs(spin) == 2):
        raise _order(path, *columns, spin)
    if set(letters) == {"Q", "U"} and abs(spin) != 2:
        raise _order(path, *columns, spin)
    _refuse_units(path, columns, units)
    return Component(fields[0] + 1j * fields[1], spin, tuple(columns), units[0])


def _wind(path, fields, columns, units):
    """The field -v + i u of u and v."""
    _refuse_units(path, columns, units)
    u, v = fields
    names = (f"-{columns[1]}", columns[0])
    return Component(-v + 1j * u, 1, names, units[0])


def _refuse_units(path, columns, units):
    if units[0] != units[1]:
        raise ValueError(
            f"{path}: {' and '.join(columns)} are in different units, {' and '.join(map(repr, units))}; "
            "convert them to the same unit"
        )


def real_fields(component):
    """([real fields], [their names], [their units]) of samples: the input of `components`."""
    values, spin, unit = component.values, component.spin, component.unit
    columns = component.columns
    if not np.iscomplexobj(values):
        return [values], list(columns) or ["SIGNAL"], [unit]
    if component.is_wind:
        return [values.imag, -values.real], list(columns), [unit, unit]
    names = list(columns) if len(columns) == 2 else ["Q", "U"] if spin == 2 else ["REAL", "IMAG"]
    return [values.real, values.imag], names, [unit, unit]


def polarization_names(temperature):
    """Names for the columns of Q and U, in the style of the name of the temperature.

    >>> polarization_names("I_STOKES"), polarization_names("TEMPERATURE"), polarization_names("")
    (('Q_STOKES', 'U_STOKES'), ('Q_POLARISATION', 'U_POLARISATION'), ('Q', 'U'))
    """
    if stokes_of(temperature) != "I":
        return "Q", "U"
    if temperature[0] in "IT" and (len(temperature) == 1 or temperature[1] in "_- "):
        return "Q" + temperature[1:], "U" + temperature[1:]
    return "Q_POLARISATION", "U_POLARISATION"
