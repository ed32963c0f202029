"""Harmonic coefficients as the verbs read them."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from spherekit.cli.arrays import as_native, frame, scalar
from spherekit.cli.files import hdu_of, refuse_unknown_sign
from spherekit.cli.names import split
from spherekit.cli.options import Usage, is_arrays
from spherekit.cli.stokes import Component, polarization_names
from spherekit.io.alm import is_alm
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.io.spectra import is_spectrum


class Coefficients(NamedTuple):
    """Signals by their coefficients (L*L,), and their frame."""

    components: tuple
    L: int
    frame: str


def in_file(path, hdu=None):
    """Whether a file holds harmonic coefficients, not samples."""
    from spherekit import io

    if str(path).endswith(".npy"):
        return False
    if is_arrays(path):
        return "flm" in io.read_arrays(path)
    listed = outlines(path)
    if hdu is not None:
        listed = [io.read_table(path, number) for number in _numbers(path, hdu)]
    return any(is_alm(table) for table in listed) and not any(is_map(table) for table in listed)


def _numbers(path, hdu):
    """The tables of ``--hdu``, each once."""
    numbers = [hdu_of(word.strip()) for word in hdu.split(",")]
    if len(set(numbers)) < len(numbers):
        raise Usage(f"{path}: --hdu {hdu} names a table twice")
    return numbers


def read(path, args=None):
    """The `Coefficients` of an alm FITS file, or of the array ``flm`` of a .npz file.

    E and B of an alm file are the field Q + iU of spin 2.
    """
    spin, field, hdu = (getattr(args, name, None) for name in ("spin", "field", "hdu"))
    if is_arrays(path):
        if hdu is not None:
            raise Usage(f"--hdu is of FITS files; choose among the signals of {path} by --field")
        stored = _picked(path, _npz_coefficients(path, spin), field)
    elif field is not None:
        raise Usage(f"--field is of maps and of .npz files; choose tables of {path} by --hdu")
    else:
        stored = _alm(path, hdu, spin)
    for component in stored.components:
        if spin not in (None, component.spin):
            raise Usage(f"{path} holds {component.name} of spin {component.spin}; --spin is {spin}")
        if not np.isfinite(component.values).all():
            raise ValueError(f"{path} holds NaN or infinite coefficients")
    return stored


def _picked(path, stored, field):
    """The signals that ``--field`` names, by number or by a column that they come from."""
    if field is None:
        return stored
    signals = []
    for word in split(field):
        matches = stored.components[word : word + 1] if isinstance(word, int) else ()
        matches = matches or [signal for signal in stored.components if word in signal.columns]
        if len(matches) != 1:
            listed = "; ".join(f"{n} {s.name}" for n, s in enumerate(stored.components))
            raise Usage(f"{path} has no signal {word}, or several; it holds {listed}")
        if any(matches[0] is signal for signal in signals):
            raise Usage(f"{path}: --field {field} names {matches[0].name} twice")
        signals.append(matches[0])
    return stored._replace(components=tuple(signals))


def _alm(path, hdu, spin):
    from spherekit import io
    from spherekit.conventions import band_limit_of, eb_to_spin

    _refuse_other_tables(path, hdu)
    alm = io.read_alms(path, None if hdu is None else _numbers(path, hdu))
    refuse_unknown_sign(path, SimpleNamespace(polcconv=alm.polcconv, columns=alm.names), spin)
    sets = list(zip(alm.components, alm.flm, alm.units, alm.names, strict=True))
    tables = {component: number for number, component in enumerate(alm.components)}
    polarized = {"E", "B"} <= tables.keys()
    signals = []
    for component, flm, unit, name in sets:
        if not polarized or component not in ("E", "B"):
            signals.append(Component(flm, 0, tuple(filter(None, [name or component])), unit))
        elif component == "E":
            _, B, unit_of_b, _ = sets[tables["B"]]
            if unit != unit_of_b:
                raise ValueError(f"{path}: E is in {unit!r} and B in {unit_of_b!r}")
            columns = polarization_names(sets[tables["T"]][3] if "T" in tables else "")
            signals.append(Component(eb_to_spin(flm, B, spin=2), 2, columns, unit))
    return Coefficients(tuple(signals), band_limit_of(alm.flm), alm.frame)


def _refuse_other_tables(path, hdu):
    """Refuse a map or spectra where coefficients are meant."""
    listed = outlines(path) if hdu is None else ()
    if any(is_alm(table) for table in listed) or not listed:
        return
    if any(is_map(table) for table in listed):
        raise ValueError(
            f"{path} is no alm file: it holds a map; spherekit transform {path} --L L -o alm.fits makes "
            "coefficients of it"
        )
    if any(is_spectrum(table) for table in listed):
        raise ValueError(f"{path} is no alm file: it holds power spectra (C_l), not coefficients")


def _npz_coefficients(path, spin):
    """``spin`` is that of a file that does not say."""
    from spherekit import io

    arrays = io.read_arrays(path)
    flm = arrays.get("flm")
    if flm is None and np.ndim(arrays.get("values")) == 1 and "grid" not in arrays:
        flm = arrays["values"]
    L = 0 if flm is None or flm.ndim not in (1, 2) else int(round(flm.shape[-1] ** 0.5))
    if L < 1 or L * L != flm.shape[-1] or not flm.size:
        raise ValueError(
            f"{path} holds no coefficients: one array flm (L*L,) is expected; it holds "
            f"{', '.join(f'{name} {array.shape}' for name, array in arrays.items())}"
        )
    stated = scalar(path, arrays, "L", "iu", L)
    if stated != L:
        raise ValueError(
            f"{path} says L = {stated} and holds {L * L} coefficients, those of L = {L}; correct one of them"
        )
    flm = np.atleast_2d(as_native(path, flm))
    spins, columns, units = (
        _for_each(arrays.get(name, default), len(flm))
        for name, default in (("spin", spin or 0), ("columns", ""), ("unit", ""))
    )
    if not all(np.asarray(spin).dtype.kind in "iu" for spin in spins):
        raise ValueError(f"{path}: its array spin holds {arrays['spin']!r}; expected whole numbers")
    parts = zip(flm, spins, columns, units, strict=True)
    signals = tuple(
        Component(f, int(spin), _columns(str(names), int(spin)), str(unit))
        for f, spin, names, unit in parts
    )
    return Coefficients(signals, L, frame(path, arrays))


def _columns(text, spin):
    """The columns that one signal comes from: one, or the two of a spin field."""
    columns = tuple(filter(None, map(str, split(text))))
    return columns if len(columns) < 2 or (spin and len(columns) == 2) else (text,)


def _for_each(values, count):
    values = list(np.atleast_1d(values))
    return values if len(values) == count else values[:1] * count
