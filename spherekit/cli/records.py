"""Maps of files as `spherekit.io.Map`, for commands that convert all fields of a map."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from spherekit.cli import arrays, files, options, output
from spherekit.cli.stokes import Component

#: The suffixes of maps.
SUFFIXES = (".fits", ".npz", ".npy", ".nc", ".csv")


def read(args, L=None):
    """The map of ``args.file`` without missing samples, with the fields and axes that the options select."""
    sky = arrays.read_record(args.file, args, L)
    fields = [sky.select(i) for i in range(len(sky))]
    names = [(f.names[0] or f"field {i}",) for i, f in enumerate(fields)]
    samples = [Component(f.values, 0, name, "") for f, name in zip(fields, names, strict=True)]
    files.refuse_missing(args, SimpleNamespace(components=samples))
    return sky


def check_output(path, grid, axes=()):
    """Raise Usage for a map that the format of the output cannot represent."""
    if Path(path).suffix != ".fits":
        return
    if grid.name != "healpix":
        raise options.Usage(
            f"{path}: FITS output is for HEALPix grids, not {grid}; write .npz or .nc instead"
        )
    if axes:
        raise options.Usage(
            f"{path}: FITS output has no axes, and the map has {', '.join(axes)}; write .npz or .nc, or "
            f"select one map, e.g. --select {next(iter(axes))}=VALUE"
        )


def with_options(error):
    """An error of `spherekit.fields`, with options in place of arguments."""
    text = re.sub(r"\b(spin|max_iter)=", r"--\1 ", str(error))
    return ValueError(
        re.sub(r"\braise max_iter\b", "raise --max-iter", text).replace("max_iter", "max-iter")
    )


def write(path, sky):
    """Write a map in the format of the suffix, with its provenance."""
    from spherekit import io
    from spherekit.io import provenance

    names = [name or f"field {i}" for i, name in enumerate(sky.names)]
    samples = sky.values if len(sky) > 1 else [sky.values]
    output.refuse_not_finite(path, **dict(zip(names, samples, strict=True)))
    io.write(replace(sky, history=provenance.history(sky.history)), path, overwrite=True)
