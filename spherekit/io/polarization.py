"""The sign convention of the polarization of maps and coefficients that files state."""

from dataclasses import replace

import numpy as np

from spherekit.io import stokes

_NOTE = "the sign of {} was changed, from the IAU to the COSMO convention"


def to_cosmo(record):
    """A `Map` or `Coefficients` in the COSMO convention, where its names determine which signs change.

    A map in the IAU convention changes the sign of the fields that `stokes.sign_of_u` identifies, and
    coefficients that of B. If a name does not determine whether it is U or B, the record is returned as it
    is, with ``polcconv`` "IAU".

    >>> from spherekit.io import Map
    >>> sky = to_cosmo(Map(np.ones((2, 12)), "healpix:1", ("Q", "U"), polcconv="IAU"))
    >>> sky.polcconv, float(sky["U"].values[0]), sky.notes
    ('COSMO', -1.0, ('the sign of U was changed, from the IAU to the COSMO convention',))
    """
    if record.polcconv != "IAU":
        return record
    if hasattr(record, "flm"):
        signs, name, letter = _signs_of_coefficients(record), "flm", "B"
    else:
        signs, name, letter = _signs(record), "values", "U"
    if None in signs:
        return record
    values = getattr(record, name)
    fields = [
        f if sign == 1 else np.conj(f) if sign == "conjugate" else stokes.negative(_signed(f))
        for f, sign in zip(values if len(record) > 1 else [values], signs, strict=True)
    ]
    values = np.stack(fields) if len(fields) > 1 else fields[0]
    changed = any(sign != 1 for sign in signs)
    notes = (*record.notes, _NOTE.format(letter)) if changed else record.notes
    return replace(record, polcconv="COSMO", notes=notes, **{name: values})


def _signs(sky):
    """1, -1, "conjugate" (of Q + iU) or None (not known) for each field of a map."""
    if not np.iscomplexobj(sky.values):
        is_part = [bool({"REAL", "IMAG"} & set(stokes.words(name))) for name in sky.names]
        signs = map(stokes.sign_of_u, sky.names)
        return [None if part else sign for part, sign in zip(is_part, signs, strict=True)]
    columns = [sky.attributes.get(name, {}).get("parts", ()) for name in sky.names]
    signs = {(1, -1): "conjugate", (1, 1): 1}
    return [signs.get(tuple(map(stokes.sign_of_u, pair))) for pair in columns]


def _signs_of_coefficients(coefficients):
    sign_of = {"T": 1, "E": 1, "B": -1}
    signs = [sign_of.get(name) for name in coefficients.names]
    return [None] if any(coefficients.spins) else signs


def _signed(f):
    """Booleans and unsigned integers as float64."""
    return f.astype(np.float64) if f.dtype.kind in "bu" else f
