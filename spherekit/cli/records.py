"""Maps of files as `spherekit.io.Map`, for commands that convert all columns of a map."""

import numpy as np

from spherekit.cli import files, output
from spherekit.cli.stokes import Component, components, real_fields
from spherekit.io import Map


def read(args, L=None):
    """(the map of ``args.file``, with the columns and the spin that the options select; a note or "")."""
    sky = files.read_map(args, L, all_columns=True)
    files.refuse_missing(args, sky)
    columns = [list(column) for column in zip(*map(real_fields, sky.components), strict=True)]
    samples, names, units = (sum(column, []) for column in columns)
    is_complex_scalar = any(np.iscomplexobj(c.values) and not c.spin for c in sky.components)
    if is_complex_scalar:
        samples = [component.values for component in sky.components]
        names = [",".join(component.columns) for component in sky.components]
        units = [component.unit for component in sky.components]
    spins = {component.spin for component in sky.components}
    spin = spins.pop() if len(spins) == 1 else None
    values = np.stack(samples) if len(samples) > 1 else samples[0]
    record = Map(values, sky.grid, tuple(names), tuple(units), frame=sky.frame, spin=spin)
    return record, sky.note


def write(path, record):
    """Write a map to .fits, .npz or .npy."""
    fields = list(record.values) if len(record) > 1 else [record.values]
    if np.iscomplexobj(record.values):
        signals = [
            Component(f, record.spin or 0, (name,) if name else (), unit)
            for f, name, unit in zip(fields, record.names, record.units, strict=True)
        ]
    else:
        signals = components(path, fields, record.names, record.units, record.spin)
    output.write_map(path, signals, record.grid, record.frame)
