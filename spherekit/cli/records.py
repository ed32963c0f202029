"""Maps of files as `spherekit.io.Map`, for commands that convert all fields of a map."""

from dataclasses import replace

import numpy as np

from spherekit.cli import arrays, files, options, output, wind_files
from spherekit.cli.stokes import real_fields
from spherekit.io import Map
from spherekit.io.kinds import is_fits


def read(args, L=None):
    """The map of ``args.file`` without missing samples, with the fields and axes that the options select."""
    is_pair = bool(getattr(args, "further", None))
    if is_fits(args.file) and not is_pair:
        signals = files.read_map(args, L, all_columns=True)
        files.refuse_missing(args, signals)
        return _of_signals(signals)
    sky = wind_files.read_both(args, L) if is_pair else arrays.read_record(args.file, args, L)
    signals = files.checked(args, arrays.fields_of(sky), all_columns=True)
    notes = (note for note in signals.note.split("\n") if note and note not in sky.notes)
    sky = replace(sky, notes=(*sky.notes, *notes))
    files.refuse_missing(args, signals)
    return sky


def _of_signals(signals):
    """The `spherekit.io.Map` of a `spherekit.cli.files.Map`."""
    columns = [list(column) for column in zip(*map(real_fields, signals.components), strict=True)]
    samples, names, units = (sum(column, []) for column in columns)
    spins = {component.spin for component in signals.components}
    return Map(
        np.stack(samples) if len(samples) > 1 else samples[0],
        signals.grid,
        tuple(names),
        tuple(units),
        frame=signals.frame,
        spin=spins.pop() if len(spins) == 1 else None,
        notes=tuple(filter(None, signals.note.split("\n"))),
    )


def check_output(path, grid, axes=()):
    """Raise Usage for a map that the format of the output cannot represent."""
    options.refuse_grid_in_fits(path, grid)
    if axes and options.suffix_of(path) == ".fits":
        raise options.Usage(
            f"{path}: FITS output has no axes, and the map has {', '.join(axes)}; write .npz or .nc, or "
            f"select one map, e.g. {options.selection_of(axes)}"
        )


def with_options(error):
    """An error of `spherekit.fields`, with options in place of arguments."""
    text = str(error)
    for argument, option in (
        ("lower L, raise max_iter", "lower --L or --lmax, raise --max-iter"),
        ("pass L to choose", "pass --L to choose"),
        ("allow_unconverged=True", "--allow-unconverged"),
        ("spin=", "--spin "),
    ):
        text = text.replace(argument, option)
    return ValueError(text)


def write(path, sky):
    """Write a map in the format of the suffix, with its provenance."""
    from spherekit import io
    from spherekit.io import provenance

    samples = sky.values if len(sky) > 1 else [sky.values]
    output.refuse_not_finite(path, **dict(zip(sky.labels, samples, strict=True)))
    io.write(replace(sky, history=provenance.history(sky.history or None)), path, overwrite=True)
