"""Harmonic coefficients as the verbs read them."""

from typing import NamedTuple

import numpy as np

from spherekit.cli.arrays import as_native, frame
from spherekit.cli.files import hdu_of
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
        listed = [io.read_table(path, hdu_of(word)) for word in hdu.split(",")]
    return any(is_alm(table) for table in listed) and not any(is_map(table) for table in listed)


def read(path, args=None):
    """The `Coefficients` of an alm FITS file, or of the array ``flm`` of a .npz file.

    E and B of an alm file are the field Q + iU of spin 2.
    """
    spin = getattr(args, "spin", None)
    if is_arrays(path):
        stored = _npz_coefficients(path, spin)
    else:
        stored = _alm(path, getattr(args, "hdu", None))
    for component in stored.components:
        if spin not in (None, component.spin):
            raise Usage(f"{path} holds {component.name} of spin {component.spin}; --spin is {spin}")
        if not np.isfinite(component.values).all():
            raise ValueError(f"{path} holds NaN or infinite coefficients")
    return stored


def _alm(path, hdu):
    from spherekit import io
    from spherekit.conventions import eb_to_spin

    _refuse_other_tables(path, hdu)
    alm = io.read_alms(path, None if hdu is None else [hdu_of(word) for word in hdu.split(",")])
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
    return Coefficients(tuple(signals), int(round(alm.flm.shape[-1] ** 0.5)), alm.frame)


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
    flm = np.atleast_2d(as_native(path, flm))
    spins, columns, units = (
        _for_each(arrays.get(name, default), len(flm))
        for name, default in (("spin", spin or 0), ("columns", ""), ("unit", ""))
    )
    if not all(np.asarray(spin).dtype.kind in "iu" for spin in spins):
        raise ValueError(f"{path}: its array spin holds {arrays['spin']!r}; expected whole numbers")
    parts = zip(flm, spins, columns, units, strict=True)
    signals = tuple(
        Component(f, int(spin), tuple(filter(None, str(names).split(","))), str(unit))
        for f, spin, names, unit in parts
    )
    return Coefficients(signals, L, frame(path, arrays))


def _for_each(values, count):
    values = list(np.atleast_1d(values))
    return values if len(values) == count else values[:1] * count
