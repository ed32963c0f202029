"""Winds in files: both components in one file, or each in a file of its own."""

import copy
import os
from typing import NamedTuple

from spherekit.cli import arrays, names
from spherekit.cli.options import Usage
from spherekit.io.winds import is_wind_component, winds

_NETCDF = ("a netCDF-3 file", "a netCDF-3 file of 64-bit data", "an HDF5 or netCDF-4 file")


class _Field(NamedTuple):
    """A field of a file; its `spherekit.io.Map`, or None if it is not read yet."""

    path: str
    name: str
    unit: str
    standard_name: str | None
    record: object = None


def prepare(args):
    """Take two inputs, with a file as the output, as those of u and v."""
    paths = args.file
    is_folder = args.output.endswith(("/", os.sep)) or os.path.isdir(args.output)
    if args.further is None and len(paths) == 2 and not is_folder:
        args.file, args.further = paths[:1], paths[1:]


def read(args, L=None):
    """The components of the wind of ``args.file`` and, if there is one, ``args.further``.

    Returns
    -------
    u, v : Map
        Each of one field.
    notes : tuple of str
        How the components were recognized, where that is by their order.

    Raises
    ------
    Usage
        No wind, or several.
    """
    paths = [args.file, *(args.further or ())]
    if args.field is None:
        fields = [field for path in paths for field in _fields(path, args, L)]
        u, v, notes = _pair(args, fields)
    else:
        u, v, notes = _selected(args, paths, L)
    if u.record is None and u.path == v.path:
        both = arrays.read_record(u.path, _with_field(args, u.name, v.name), L)
        return both.select(u.name), both.select(v.name), notes
    records = (
        arrays.read_record(field.path, _with_field(args, field.name), L)
        if field.record is None
        else field.record
        for field in (u, v)
    )
    return *records, notes


def _with_field(args, *fields):
    """Options that select these fields."""
    of_fields = copy.copy(args)
    of_fields.field = names.join(fields)
    return of_fields


def _fields(path, args, L):
    """The `_Field` of each field of a file; those of netCDF are not read."""
    from spherekit.io import describe, netcdf_parts

    if describe(path) in _NETCDF:
        outlines = netcdf_parts.outlines(path)
        if outlines:
            return [_Field(path, x.name, x.unit, x.standard_name) for x in outlines]
    return _fields_of(path, arrays.read_record(path, args, L))


def _fields_of(path, record):
    return [
        _Field(path, name, unit, record.attributes.get(name, {}).get("standard_name"), part)
        for name, unit, part in zip(record.names, record.units, record, strict=True)
    ]


def _selected(args, paths, L):
    """The two fields of ``--field``, in this order unless their names are those of v and u."""
    selected = names.split(args.field)
    if len(selected) != 2:
        raise Usage(
            f"--field is {args.field}; expected the eastward and the northward component, e.g. --field u,v"
        )
    if len(paths) == 1:
        fields = _fields_of(paths[0], arrays.read_record(paths[0], args, L))
    else:
        fields = [
            field
            for path, name in zip(paths, selected, strict=True)
            for field in _fields_of(path, arrays.read_record(path, _with_field(args, name), L))
        ]
    return *_in_order(fields), ()


def _in_order(fields):
    """(eastward, northward) of two fields: by their names, else in this order."""
    (u, v), *_ = [*_winds(fields).items(), (0, 1)]
    return fields[u], fields[v]


def _winds(fields):
    described = ([field[i] for field in fields] for i in (1, 2, 3))
    described = list(described)
    return winds(*described) or winds(*described, any_unit=True)


def _pair(args, fields):
    """(u, v, notes) of the only wind among the fields."""
    pairs = _winds(fields)
    if not pairs and args.further and len(fields) == 2:
        u, v = fields
        note = (
            f"u is {_label(u)} of {u.path}, v is {_label(v)} of {v.path}, in the order of the files"
        )
        return u, v, (note,)
    if len(pairs) == 1:
        u, v = next(iter(pairs.items()))
        return fields[u], fields[v], ()
    raise Usage(_advice(args, fields, pairs))


def _label(field):
    return field.name or "the field"


def _advice(args, fields, pairs):
    """The message on files without a wind, or with several."""
    source = " and ".join([args.file, *(args.further or ())])
    if pairs:
        listed = "; ".join(f"{fields[u].name} and {fields[v].name}" for u, v in pairs.items())
        u, v = next(iter(pairs.items()))
        first = names.join([fields[u].name, fields[v].name])
        return f"{source} has {len(pairs)} winds: {listed}; select one, e.g. --field {first}"
    listed = ", ".join(f"{_label(x)} [{x.unit or 'no unit'}]" for x in fields)
    components = [x for x in fields if is_wind_component(*x[1:4])]
    if components and not args.further:
        return (
            f"{source} has {_label(components[0])}, one component of a wind, without the other one (it has "
            f"{listed}); pass both files, e.g. spherekit wind {args.file} V.nc -o FILE, or name both with "
            "--field U,V"
        )
    return (
        f"{source} has the fields {listed}, and no wind: expected an eastward and a northward component, "
        "with standard_name eastward_wind and northward_wind, or names such as u and v in m/s; name them "
        "with --field U,V"
    )
