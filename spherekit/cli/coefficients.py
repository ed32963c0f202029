"""Reading harmonic coefficients for the commands."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from spherekit.cli.arrays import as_native, frame, scalar
from spherekit.cli.files import hdu_of, refuse_unknown_sign
from spherekit.cli.names import split
from spherekit.cli.options import Usage, band_limit_option, is_arrays
from spherekit.cli.stokes import Component, polarization_names
from spherekit.io.alm import is_alm
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.io.spectra import is_spectrum


class Coefficients(NamedTuple):
    """Signals by their coefficients of shape (L*L,), and their coordinate frame."""

    components: tuple
    L: int
    frame: str


def in_file(path, hdu=None):
    """Whether a file contains harmonic coefficients rather than samples."""
    from spherekit import io

    if str(path).endswith(".npy"):
        return False
    if is_arrays(path):
        return "flm" in io.read_arrays(path)
    tables = outlines(path)
    if hdu is not None:
        tables = [io.read_table(path, number) for number in _tables(path, hdu)]
    return any(map(is_alm, tables)) and not any(map(is_map, tables))


def _tables(path, hdu):
    """The numbers or names of the tables in ``--hdu``, without repetition."""
    tables = [hdu_of(item.strip()) for item in hdu.split(",")]
    if len(set(tables)) < len(tables):
        raise Usage(f"{path}: --hdu {hdu} names a table twice; name each table once")
    return tables


def read(path, args=None):
    """Read the `Coefficients` of an alm FITS file, or of the array ``flm`` of a .npz file.

    E and B of an alm file become the spin-2 field Q + iU.
    """
    spin, field, hdu = (getattr(args, name, None) for name in ("spin", "field", "hdu"))
    if is_arrays(path):
        if hdu is not None:
            raise Usage(
                f"--hdu applies to FITS files only; select the signals of {path} with --field"
            )
        result = _select(path, _npz_coefficients(path, spin), field)
    elif field is not None:
        raise Usage(
            f"--field applies to maps and .npz files only; select the tables of {path} with --hdu"
        )
    else:
        result = _alm(path, hdu, spin)
    for component in result.components:
        if spin not in (None, component.spin):
            raise Usage(
                f"--spin is {spin}, but {path} contains {component.name} of spin {component.spin}"
            )
        if not np.isfinite(component.values).all():
            raise ValueError(
                f"{path} contains NaN or infinite coefficients; expected finite numbers"
            )
    return result


def requested_band_limit(args, contents):
    """The band-limit of --L or --lmax, by default that of the coefficients."""
    L = band_limit_option(args, required=False) or contents.L
    if L > contents.L:
        raise ValueError(
            f"the band-limit is L = {L}, but {args.file} contains degrees below {contents.L}; lower --L "
            "or --lmax"
        )
    return L


def _select(path, coefficients, field):
    """The signals that ``--field`` selects, by number or by the name of one of their columns."""
    if field is None:
        return coefficients
    available = coefficients.components
    signals = []
    for item in split(field):
        matches = available[item : item + 1] if isinstance(item, int) else ()
        matches = matches or [signal for signal in available if item in signal.columns]
        if len(matches) != 1:
            choices = "; ".join(f"{n} {s.name}" for n, s in enumerate(available))
            count = "no" if not matches else "more than one"
            raise Usage(f"{path} has {count} signal {item}; expected one of {choices}")
        if any(matches[0] is signal for signal in signals):
            raise Usage(
                f"{path}: --field {field} names {matches[0].name} twice; name each signal once"
            )
        signals.append(matches[0])
    return coefficients._replace(components=tuple(signals))


def _alm(path, hdu, spin):
    from spherekit import io
    from spherekit.conventions import band_limit_of, eb_to_spin

    _refuse_other_tables(path, hdu)
    alm = io.read_alms(path, None if hdu is None else _tables(path, hdu))
    refuse_unknown_sign(path, SimpleNamespace(polcconv=alm.polcconv, columns=alm.names), spin)
    tables = list(zip(alm.components, alm.flm, alm.units, alm.names, strict=True))
    indices = {component: i for i, component in enumerate(alm.components)}
    polarized = {"E", "B"} <= indices.keys()
    signals = []
    for component, flm, unit, name in tables:
        if not polarized or component not in ("E", "B"):
            signals.append(Component(flm, 0, tuple(filter(None, [name or component])), unit))
        elif component == "E":
            _, B, unit_of_b, _ = tables[indices["B"]]
            if unit != unit_of_b:
                raise ValueError(
                    f"{path}: E is in {unit!r} and B in {unit_of_b!r}; expected the same unit"
                )
            columns = polarization_names(tables[indices["T"]][3] if "T" in indices else "")
            signals.append(Component(eb_to_spin(flm, B, spin=2), 2, columns, unit))
    return Coefficients(tuple(signals), band_limit_of(alm.flm), alm.frame)


def _refuse_other_tables(path, hdu):
    """Raise ValueError for a map or spectra where coefficients are expected."""
    tables = outlines(path) if hdu is None else ()
    if any(map(is_alm, tables)) or not tables:
        return
    if any(map(is_map, tables)):
        raise ValueError(
            f"{path} contains a map, not coefficients (alm); convert it with spherekit transform {path} "
            "--L L -o alm.fits"
        )
    if any(map(is_spectrum, tables)):
        raise ValueError(
            f"{path} contains power spectra (C_l), not coefficients (alm); expected an alm file"
        )


def _npz_coefficients(path, spin):
    """Coefficients of a .npz file; ``spin`` applies if it does not state its own."""
    from spherekit import io

    arrays = io.read_arrays(path)
    flm = arrays.get("flm")
    if flm is None and np.ndim(arrays.get("values")) == 1 and "grid" not in arrays:
        flm = arrays["values"]
    L = 0 if flm is None or flm.ndim not in (1, 2) else int(round(flm.shape[-1] ** 0.5))
    if L < 1 or L * L != flm.shape[-1] or not flm.size:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"{path} contains {shapes}; expected coefficients, an array flm of shape (L*L,)"
        )
    stated_limit = scalar(path, arrays, "L", "iu", L)
    if stated_limit != L:
        raise ValueError(
            f"{path} states L = {stated_limit} but contains {L * L} coefficients, as of L = {L}; correct "
            "the array L"
        )
    flm = np.atleast_2d(as_native(path, flm))
    spins, columns, units = (
        _for_each(arrays.get(name, default), len(flm))
        for name, default in (("spin", spin or 0), ("columns", ""), ("unit", ""))
    )
    if not all(np.asarray(spin).dtype.kind in "iu" for spin in spins):
        raise ValueError(f"{path}: its array spin is {arrays['spin']!r}; expected integers")
    signals = tuple(
        Component(f, int(spin), _columns(str(names), int(spin)), str(unit))
        for f, spin, names, unit in zip(flm, spins, columns, units, strict=True)
    )
    return Coefficients(signals, L, frame(path, arrays))


def _columns(text, spin):
    """The columns of a signal: one, or the two of a spin field."""
    columns = tuple(filter(None, map(str, split(text))))
    return columns if len(columns) < 2 or (spin and len(columns) == 2) else (text,)


def _for_each(values, count):
    values = list(np.atleast_1d(values))
    return values if len(values) == count else values[:1] * count
