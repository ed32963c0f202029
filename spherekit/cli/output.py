"""Output of the commands: atomic file writes, of finite numbers only."""

import csv
import json
from contextlib import contextmanager

import numpy as np

from spherekit.cli import report, stopping
from spherekit.cli.analysis import grid_name
from spherekit.cli.names import join
from spherekit.cli.options import Usage, is_arrays, selection_of, suffix_of
from spherekit.cli.stokes import real_fields
from spherekit.io.kinds import is_fits
from spherekit.io.stokes import pairs, stokes_of
from spherekit.io.winds import winds

#: Suffixes of files of maps.
MAPS = (".fits", ".npz", ".npy", ".nc", ".csv")
#: Suffixes of files of coefficients.
COEFFICIENTS = (".fits", ".npz", ".sh", ".txt", ".msl", ".shc", ".mat", ".nc")


@contextmanager
def atomic(force):
    """Write all files of this block, pictures included, or on an error none of them.

    Existing files are overwritten only with ``--force``.
    """
    from spherekit._core.atomic_files import replacing_together

    try:
        with stopping.shielded(), replacing_together(force):
            yield
    except FileExistsError as error:
        raise FileExistsError(str(error).replace("overwrite=True", "--force")) from None


def refuse_not_finite(path, **arrays):
    """Raise ValueError for NaN and infinite values before ``path`` is written."""
    for name, values in arrays.items():
        values = np.asarray(values)
        if values.dtype.kind not in "fc":
            continue
        count = values.size - np.count_nonzero(np.isfinite(values))
        if count:
            raise ValueError(
                f"{path} is not written: {count} of {values.size} values of {name} are NaN or infinite; "
                "check that the input is not zero, and rescale samples that are very large or very small"
            )


def write_arrays(path, **arrays):
    """Write arrays and their provenance to .npz, or one array ``values`` to .npy."""
    refuse_not_finite(path, **arrays)
    _write_arrays(path, **arrays)


def _write_arrays(path, **arrays):
    from spherekit import io
    from spherekit.io import provenance

    if suffix_of(path) == ".npz":
        arrays["history"] = np.array(provenance.history())
    io.write_arrays(path, **arrays, overwrite=True)
    report.wrote(path)


def map_suffixes(path):
    """Suffixes of a map that is made from the map ``path``: that of FITS, others for .npz and .npy."""
    if is_arrays(path):
        return MAPS[1:]
    return MAPS[:1] if is_fits(path) else MAPS


def write_map(path, components, grid, frame="", axes=None, attributes=None):
    """Write signals on a common grid to one of `MAPS`, a spin field in a FITS file as two columns.

    ``axes`` are the named leading axes of each signal, ``attributes`` those of fields and axes by name.
    """
    from spherekit import io
    from spherekit.io.attributes import as_json

    columns = [list(column) for column in zip(*map(real_fields, components), strict=True)]
    fields, names, units = (sum(column, []) for column in columns)
    names = _distinct(names)
    refuse_not_finite(path, **dict(zip(names, fields, strict=True)))
    attributes = attributes or {}
    standard_names = [attributes.get(name, {}).get("standard_name") for name in names]
    spin = _spin_of(path, components, names, units, standard_names)
    if suffix_of(path) == ".fits":
        _refuse_axes(path, axes)
    if suffix_of(path) == ".fits" and grid.name == "healpix":
        header = dict(column=names, unit=units, coordsys=frame, spin=spin)
        io.write_map(path, np.stack(fields), **header, overwrite=True)
        report.wrote(path)
        return
    if suffix_of(path) in (".fits", ".nc", ".csv"):
        described = dict(frame=frame, spin=spin, attributes=attributes)
        _write_record(path, fields, grid, names, units, axes, **described)
        return
    is_complex = len(components) == 1 and not components[0].is_wind
    values = components[0].values if is_complex else np.stack(fields)
    if suffix_of(path) == ".npy":
        _write_arrays(path, values=values)
        return
    spin = spin or 0
    named = any(component.columns for component in components)
    metadata = dict(grid=grid_name(grid), spin=spin, unit=_unit(units), frame=frame)
    metadata |= dict(columns=names) if named else {}
    metadata |= {f"axis_{name}": coordinates for name, coordinates in (axes or {}).items()}
    metadata |= dict(axes=list(axes)) if axes else {}
    text = as_json(attributes or {})
    metadata |= dict(attributes=text) if text != as_json({}) else {}
    _write_arrays(path, values=values, **metadata)


def _write_record(path, fields, *description, **metadata):
    """Write real fields on a common grid as `spherekit.io.Map`."""
    from spherekit import io

    values = np.stack(fields) if len(fields) > 1 else fields[0]
    io.write(io.Map(values, *description, **metadata), path, overwrite=True)
    report.wrote(path)


def _refuse_axes(path, axes):
    """Raise Usage for signals with named leading axes, which FITS files do not support."""
    if axes:
        raise Usage(
            f"{path}: FITS files of maps and alm have no axis {', '.join(axes)}; write .npz, or select one "
            f"position, e.g. {selection_of(axes)}"
        )


def _distinct(names):
    """Names made distinct, ignoring case, by numbers appended to those that repeat."""
    upper = [name.upper() for name in names]  # column names of FITS ignore case
    counts = [upper[: i + 1].count(key) for i, key in enumerate(upper)]
    return [
        f"{name}_{count}" if upper.count(key) > 1 else name
        for name, key, count in zip(names, upper, counts, strict=True)
    ]


def _spin_of(path, components, names, units, standard_names):
    """The spin to write to a file of these signals, or None where the column names determine it.

    Raises Usage for combinations that cannot be read back, such as a shear and a scalar.
    """
    spins = [component.spin for component in components]
    if not any(spins):
        return 0 if any(stokes_of(name) in ("Q", "U") for name in names) else None
    if suffix_of(path) == ".npy":
        raise Usage(
            f"{path}: .npy files cannot record the spin of the field, {max(spins, key=abs)}; write .npz "
            "instead"
        )
    if len(components) == 1:
        return spins[0]
    partner = dict(pairs(names))
    indices = range(len(names))
    of_winds = winds(names, units, standard_names)
    seconds = {*partner.values(), *of_winds.values()}
    readable = [2 if i in partner else int(i in of_winds) for i in indices if i not in seconds]
    if readable != spins:
        signals = "; ".join(f"{c.name}, spin {c.spin}" for c in components)
        raise Usage(
            f"{path}: a file of several signals may contain scalars, pairs of Q and U and winds, not "
            f"{signals}; write them one by one"
        )
    return None


def _unit(units):
    """The common unit, or a list of units where they differ."""
    return units[0] if len(set(units)) == 1 else units


def refuse_alm(path, components):
    """Raise Usage for signals that an alm FITS file cannot represent: other than a scalar, or T, Q and U."""
    if [component.spin for component in components] not in ([0], [0, 2]):
        raise needs_npz(path)


def needs_npz(path):
    """The error for coefficients that an alm FITS file cannot represent."""
    return Usage(
        f"{path}: alm FITS files contain one real signal, or T, E and B (--field I,Q,U); write .npz instead "
        "for a complex field, a spin field or several signals"
    )


def write_coefficients(path, signals, L, frame="", axes=None, attributes=None):
    """Write coefficients in one of the formats `COEFFICIENTS`; ``axes`` are the leading axes of each signal.

    An alm FITS file contains one real signal, or T, E and B.
    """
    from spherekit import io

    refuse_not_finite(path, **{signal.name: signal.values for signal in signals})
    if suffix_of(path) == ".fits":
        _refuse_axes(path, axes)
        _write_alm(path, signals, frame)
        return
    flm = [signal.values for signal in signals]
    record = io.Coefficients(
        flm[0] if len(signals) == 1 else np.stack(flm),
        [join(signal.parts) for signal in signals],
        [signal.unit for signal in signals],
        axes,
        spins=[signal.spin for signal in signals],
        frame=frame,
        attributes=attributes,
    )
    io.write_coefficients(record, path, overwrite=True)
    report.wrote(path)


def _write_alm(path, signals, frame):
    from spherekit import io
    from spherekit.conventions import spin_to_eb

    refuse_alm(path, signals)
    scalar = signals[0]
    if len(signals) == 1:
        alms = [scalar.values]
        units = [scalar.unit]
        names = scalar.columns or ("",)
    else:
        E, B = spin_to_eb(signals[1].values, spin=2)
        alms = [scalar.values, E, B]
        units = [scalar.unit, signals[1].unit, signals[1].unit]
        names = (*scalar.columns, "GRADIENT", "CURL")
    try:
        io.write_alm(path, np.stack(alms), unit=units, coordsys=frame, name=names, overwrite=True)
    except ValueError as error:
        raise needs_npz(path) if "real signal" in str(error) else error from None
    report.wrote(path)


def write_spectra(path, spectra, units, frame=""):
    """Write C_l to FITS, text or .npz, or their values only to .npy."""
    from spherekit import io

    refuse_not_finite(path, **spectra)
    if suffix_of(path) == ".npy":
        rows = list(spectra.values())
        _write_arrays(path, values=np.stack(rows) if len(rows) > 1 else rows[0])
    else:
        io.write_cl(path, spectra, unit=units, coordsys=frame, overwrite=True)
        report.wrote(path)


def write_table(path, head, rows):
    """Write a .csv file."""
    columns = zip(*rows, strict=True)
    refuse_not_finite(path, **{name: np.array(x) for name, x in zip(head, columns, strict=False)})
    with _text(path) as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def write_json(path, content):
    """Write a .json file: an object, to which its provenance is added under ``history``."""
    from spherekit.io import provenance

    content = {**content, "history": provenance.history()}
    write_text(path, json.dumps(content, indent=1, allow_nan=False))


def write_text(path, text):
    """Write a text file."""
    with _text(path) as file:
        file.write(text)


@contextmanager
def _text(path):
    """A text file in UTF-8 in any locale; undecodable bytes of file names are preserved."""
    from spherekit._core.atomic_files import replacing

    with replacing(path, True) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            yield file
    report.wrote(path)


def report_signals(signals, frame=""):
    """Add the names, spins and units of signals, and their frame, to the report."""
    described = [dict(name=s.name, spin=s.spin, unit=s.unit or None) for s in signals]
    report.add(signals=described, frame=frame or None)


# --- pictures --------------------------------------------------------------------------------------------


def validate(figure):
    """Return ``figure``; raise ValueError if a panel has no finite values, or a text of it contains NaN."""
    for ax in figure.get_axes():
        texts = [text.get_text() for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)]
        curves = [line.get_xydata() for line in ax.lines]
        images = [np.ma.filled(np.ma.masked_invalid(i.get_array()), np.nan) for i in ax.images]
        words = {word.strip("()[]%,;:") for text in texts for word in text.lower().split()}
        empty = any(not np.isfinite(array).any() for array in (*curves, *images) if array.size)
        if empty or words & {"nan", "inf", "-inf", "+inf"}:
            raise ValueError("nothing to plot: all values of a panel are missing, NaN or infinite")
    return figure


def _plain_text(figure):
    """Disable math parsing of texts, such as names from files and options, that are not valid formulas."""
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    for text in _texts(figure):
        try:
            for line in text.get_text().split("\n"):
                if line.count("$") > 1:
                    parser.parse(line)
        except ValueError:
            text.set_parse_math(False)


def _texts(artist):
    """Yield the texts of an artist, without the tick labels of axes that are off."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    for child in artist.get_children():
        if isinstance(child, Text):
            yield child
        if not (isinstance(child, Axis) and not child.axes.axison):
            yield from _texts(child)


def save(figure, path):
    """Write a figure with its provenance, unless it is None."""
    if figure is None:
        return
    from matplotlib import rc_context

    from spherekit.plot.figure import save as write

    _plain_text(validate(figure))
    style = dict(dpi=150, facecolor="white", bbox_inches="tight", pad_inches=0.12)
    with rc_context({"svg.hashsalt": "spherekit"}):  # the same identifiers in each run
        write(figure, path, **style, **_metadata(path))
    report.wrote(path)


def _metadata(path):
    """Keyword arguments of `savefig` for the provenance of a picture, without a date."""
    from spherekit.io import provenance

    text = "\n".join(provenance.history())
    of_format = {
        ".png": {"metadata": {"Description": text}},
        ".pdf": {"metadata": {"Subject": text, "CreationDate": None}},
        ".svg": {"metadata": {"Description": text, "Date": None}},
        ".jpg": {"pil_kwargs": {"comment": text.encode()}},
    }
    return of_format.get(suffix_of(path), {})
