"""Where commands write: nothing that is not finite gets into a file.

Files are written whole or not at all.
"""

import csv
import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from spherekit.cli.analysis import grid_name
from spherekit.cli.names import join
from spherekit.cli.options import Usage, is_arrays
from spherekit.cli.stokes import parts
from spherekit.io.stokes import pairs, stokes_of


@contextmanager
def bar(title):
    """A function of (ready, total) that draws a bar on a terminal, until all are ready."""
    from tqdm.auto import tqdm

    bars = []

    def draw(ready, total):
        if not bars:
            bars.append(tqdm(desc=title, total=total, leave=False, disable=None))
        bars[0].update(ready - bars[0].n)
        if ready >= total:
            bars[0].close()

    try:
        yield draw
    finally:
        for bar in bars:
            bar.close()


@contextmanager
def together(force):
    """Put all that is written in this block in place at its end, pictures too, or nothing.

    Files that exist by then are replaced with ``--force`` alone.
    """
    from spherekit._core.atomic_files import replacing_together

    try:
        with replacing_together(force):
            yield
    except FileExistsError as error:
        raise FileExistsError(str(error).replace("overwrite=True", "--force")) from None


def refuse_not_finite(path, **arrays):
    """Refuse numbers that are NaN or infinite, before ``path`` is written."""
    for name, values in arrays.items():
        values = np.asarray(values)
        if values.dtype.kind not in "fc":
            continue
        count = values.size - np.count_nonzero(np.isfinite(values))
        if count:
            raise ValueError(
                f"{path} is not written: {count} of {values.size} numbers of its {name} are NaN or "
                "infinite; are the samples too large or too small (scale them), or is there no signal?"
            )


def write_arrays(path, **arrays):
    """Write a .npz file, or one array ``values`` to .npy."""
    from spherekit import io

    refuse_not_finite(path, **arrays)
    io.write_arrays(path, **arrays, overwrite=True)


def write_map(path, components, grid, frame=""):
    """Write signals on one grid to .fits (HEALPix; a spin field as two columns), .npz or .npy."""
    from spherekit import io

    columns = [list(column) for column in zip(*map(parts, components), strict=True)]
    fields, names, units = (sum(column, []) for column in columns)
    names = _distinct(names)
    refuse_not_finite(path, **dict(zip(names, fields, strict=True)))
    spin = _spin_of(path, components, names)
    if Path(path).suffix == ".fits":
        known = dict(column=names, unit=units, coordsys=frame, spin=spin)
        io.write_map(path, np.stack(fields), **known, overwrite=True)
        return
    values = components[0].values if len(components) == 1 else np.stack(fields)
    if Path(path).suffix == ".npy":
        io.write_arrays(path, values=values, overwrite=True)
        return
    spin = spin or 0
    named = any(component.columns for component in components)
    known = dict(grid=grid_name(grid), spin=spin, unit=_unit(units), frame=frame)
    known |= dict(columns=names) if named else {}
    io.write_arrays(path, values=values, **known, overwrite=True)


def _distinct(names):
    """Names of which each occurs once, in any case; those that repeat are numbered."""
    keys = [name.upper() for name in names]  # FITS does not tell a from A
    numbers = [keys[: place + 1].count(key) for place, key in enumerate(keys)]
    return [
        f"{name}_{number}" if keys.count(key) > 1 else name
        for name, key, number in zip(names, keys, numbers, strict=True)
    ]


def _spin_of(path, components, names):
    """What a file of these signals says of their spin, None where the names of its columns tell.

    Signals that no reader would find again, such as a wind beside a scalar, are refused.
    """
    spins = [component.spin for component in components]
    if not any(spins):
        return 0 if any(stokes_of(name) in ("Q", "U") for name in names) else None
    if Path(path).suffix == ".npy":
        raise Usage(
            f"{path}: a .npy file does not say the spin of a field, {max(spins, key=abs)}; name a .npz file"
        )
    if len(components) == 1:
        return spins[0]
    partner = dict(pairs(names))
    numbers = range(len(names))
    readable = [2 if n in partner else 0 for n in numbers if n not in partner.values()]
    if readable != spins:
        listed = "; ".join(f"{c.name}, spin {c.spin}" for c in components)
        raise Usage(
            f"{path}: a file of several signals holds scalars and pairs of Q and U, not {listed}; write them "
            "one by one"
        )
    return None


def _unit(units):
    """One unit, or one for each field where they differ."""
    return units[0] if len(set(units)) == 1 else units


def refuse_alm(path, components):
    """Refuse signals whose coefficients an alm FITS file does not hold: one scalar, or T, Q and U."""
    if [component.spin for component in components] not in ([0], [0, 2]):
        raise needs_npz(path)


def needs_npz(path):
    """What to do with coefficients that an alm FITS file does not hold."""
    return Usage(
        f"{path}: an alm FITS file holds the coefficients of a real signal, or T, E and B (--field I,Q,U); "
        "name a .npz file for those of a complex or spin field, or of several"
    )


def write_coefficients(path, signals, L, frame=""):
    """Write coefficients to an alm FITS file (one real signal, or T, E and B) or to .npz."""
    from spherekit import io

    refuse_not_finite(path, **{signal.name: signal.values for signal in signals})
    if not is_arrays(path):
        _write_alm(path, signals, frame)
        return
    flm = [signal.values for signal in signals]
    spins = [signal.spin for signal in signals]
    known = dict(L=L, unit=_unit([signal.unit for signal in signals]), frame=frame)
    known |= dict(columns=[join(s.columns) for s in signals]) if signals[0].columns else {}
    single = len(signals) == 1
    flm, spin = (flm[0], spins[0]) if single else (np.stack(flm), spins)
    io.write_arrays(path, flm=flm, spin=spin, **known, overwrite=True)


def _write_alm(path, signals, frame):
    from spherekit import io
    from spherekit.conventions import spin_to_eb

    refuse_alm(path, signals)
    scalar = signals[0]
    if len(signals) == 1:
        sets, names, units = [scalar.values], scalar.columns or ("",), [scalar.unit]
    else:
        E, B = spin_to_eb(signals[1].values, spin=2)
        sets, units = [scalar.values, E, B], [scalar.unit, signals[1].unit, signals[1].unit]
        names = (*scalar.columns, "GRADIENT", "CURL")
    try:
        io.write_alm(path, np.stack(sets), unit=units, coordsys=frame, name=names, overwrite=True)
    except ValueError as error:
        raise needs_npz(path) if "real signal" in str(error) else error from None


def write_spectra(path, spectra, units, frame=""):
    """Write C_l to FITS, or their values to .npy."""
    from spherekit import io

    refuse_not_finite(path, **spectra)
    if is_arrays(path):
        rows = list(spectra.values())
        io.write_arrays(path, values=np.stack(rows) if len(rows) > 1 else rows[0], overwrite=True)
    else:
        io.write_cl(path, spectra, unit=units, coordsys=frame, overwrite=True)


def write_table(path, head, rows):
    """Write a .csv file."""
    columns = zip(*rows, strict=True)
    refuse_not_finite(path, **{name: np.array(x) for name, x in zip(head, columns, strict=False)})
    with _text(path) as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def write_json(path, content):
    """Write a .json file."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False))


def write_text(path, text):
    """Write a file of text."""
    with _text(path) as file:
        file.write(text)


@contextmanager
def _text(path):
    """A file of text in UTF-8, whatever the locale; names of files go into it byte by byte."""
    from spherekit._core.atomic_files import replacing

    with replacing(path, True) as temporary:
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            yield file


# --- pictures --------------------------------------------------------------------------------------------


def sound(figure):
    """``figure``, where every image and curve in it has finite numbers and no text says NaN."""
    for ax in figure.get_axes():
        texts = [text.get_text() for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)]
        curves = [line.get_xydata() for line in ax.lines]
        images = [np.ma.filled(np.ma.masked_invalid(i.get_array()), np.nan) for i in ax.images]
        words = {word.strip("()[]%,;:") for text in texts for word in text.lower().split()}
        empty = any(not np.isfinite(array).any() for array in (*curves, *images) if array.size)
        if empty or words & {"nan", "inf", "-inf", "+inf"}:
            raise ValueError(
                "nothing to draw: all numbers of a picture are missing, NaN or infinite"
            )
    return figure


def _plain_text(figure):
    """Draw as it stands what a file or an option calls something, where it is no formula."""
    from matplotlib.mathtext import MathTextParser
    from matplotlib.text import Text

    parser = MathTextParser("path")
    for text in figure.findobj(Text):
        try:
            if text.get_text().count("$") > 1:
                parser.parse(text.get_text())
        except ValueError:
            text.set_parse_math(False)


def save(figure, path):
    """Write a picture, where there is one."""
    from spherekit.plot.figure import save as write

    if figure is None:
        return
    _plain_text(sound(figure))
    write(figure, path, dpi=150, facecolor="white", bbox_inches="tight", pad_inches=0.12)
