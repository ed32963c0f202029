"""Reading harmonic coefficients for the commands."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from spherekit.cli.arrays import selection
from spherekit.cli.files import hdu_of, refuse_unknown_sign
from spherekit.cli.names import split
from spherekit.cli.options import Usage, band_limit_option
from spherekit.cli.stokes import Component, polarization_names
from spherekit.io.alm import is_alm
from spherekit.io.coefficients import contains_coefficients
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.io.kinds import describe, is_fits
from spherekit.io.spectra import is_spectrum


class Coefficients(NamedTuple):
    """Signals by their coefficients of shape (..., L*L), and what `spherekit.io.Coefficients` has beside."""

    components: tuple
    L: int
    frame: str
    axes: dict
    attributes: dict
    notes: tuple


def in_file(path, hdu=None):
    """Whether a file contains harmonic coefficients rather than samples; its content decides."""
    from spherekit import io

    if hdu is None or not is_fits(path):
        return contains_coefficients(path)
    tables = [io.read_table(path, number) for number in _tables(path, hdu)]
    return any(map(is_alm, tables)) and not any(map(is_map, tables))


def _tables(path, hdu):
    """The numbers or names of the tables in ``--hdu``, without repetition."""
    tables = [hdu_of(item.strip()) for item in hdu.split(",")]
    if len(set(tables)) < len(tables):
        raise Usage(f"{path}: --hdu {hdu} names a table twice; name each table once")
    return tables


def read(path, args=None):
    """Read the `Coefficients` of a file in one of the formats of `spherekit.io.read_coefficients`.

    E and B of an alm file become the spin-2 field Q + iU.
    """
    spin, field, hdu = (getattr(args, name, None) for name in ("spin", "field", "hdu"))
    if is_fits(path):
        record = _alm(path, args, hdu, field, spin)
    elif hdu is not None:
        raise Usage(f"--hdu applies to FITS files only; select the signals of {path} with --field")
    elif describe(path) == "a MATLAB file":
        record = _read(path, args, field=field)
        field = None
    else:
        record = _read(path, args, spin=spin)
    signals = _selected(path, _signals(path, record), field)
    for component in signals:
        if spin not in (None, component.spin):
            raise Usage(
                f"--spin is {spin}, but {path} contains {component.name} of spin {component.spin}"
            )
        if not np.isfinite(component.values).all():
            raise ValueError(
                f"{path} contains NaN or infinite coefficients; expected finite numbers"
            )
    return Coefficients(
        signals, record.L, record.frame, record.axes, record.attributes, record.notes
    )


def _alm(path, args, hdu, field, spin):
    """The record of a FITS file; its sign must be known."""
    if field is not None:
        raise Usage(
            f"--field applies to maps and other formats only; select the tables of {path} with --hdu"
        )
    _refuse_other_tables(path, hdu)
    record = _read(path, args, hdu=None if hdu is None else _tables(path, hdu))
    names = tuple(_label(record, name) for name in record.names)
    refuse_unknown_sign(path, SimpleNamespace(polcconv=record.polcconv, columns=names), spin)
    return record


def requested_band_limit(args, contents):
    """The band-limit of --L or --lmax, by default that of the coefficients."""
    L = band_limit_option(args, required=False) or contents.L
    if L > contents.L:
        raise ValueError(
            f"the band-limit is L = {L}, but {args.file} contains degrees below {contents.L}; lower --L "
            "or --lmax"
        )
    return L


def _selected(path, available, field):
    """The signals that ``--field`` selects, by number or by the name of one of their columns."""
    if field is None:
        return available
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
    return tuple(signals)


def _read(path, args, **options):
    """The `spherekit.io.Coefficients` of a file, in the convention and at the time of the options."""
    from spherekit import io

    convention = {name: getattr(args, name, None) for name in ("normalization", "csphase")}
    return io.read_coefficients(path, select=selection(args), **convention, **options)


def _signals(path, record):
    """The signals of a record, with E and B as a spin-2 field."""
    from spherekit.conventions import eb_to_spin

    several = len(record) > 1
    flms = list(record.flm) if several else [record.flm]
    indices = {name: i for i, name in enumerate(record.names)}
    polarized = {"E", "B"} <= indices.keys() and not any(record.spins)
    signals = []
    described = zip(record.names, flms, record.units, record.spins, strict=True)
    for name, flm, unit, spin in described:
        if not polarized or name not in ("E", "B"):
            signals.append(Component(flm, spin, _columns(_label(record, name), spin), unit))
        elif name == "E":
            unit_of_b = record.units[indices["B"]]
            if unit != unit_of_b:
                raise ValueError(
                    f"{path}: E is in {unit!r} and B in {unit_of_b!r}; expected the same unit"
                )
            columns = polarization_names(_label(record, "T") if "T" in indices else "")
            signals.append(Component(eb_to_spin(flm, flms[indices["B"]], spin=2), 2, columns, unit))
    return tuple(signals)


def _label(record, name):
    """The name of the table of a signal of a FITS file, or its name."""
    return record.attributes.get(name, {}).get("EXTNAME", name)


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


def _columns(text, spin):
    """The columns of a signal: one, or the two of a spin field."""
    columns = tuple(filter(None, map(str, split(text))))
    return columns if len(columns) < 2 or (spin and len(columns) == 2) else (text,)
