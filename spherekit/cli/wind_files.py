"""Winds in files: both components in one file, or each in a file of its own."""

import copy
import itertools
import os
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spherekit.cli import arrays, names
from spherekit.cli.options import Usage, selection_of
from spherekit.io.positions import conflict
from spherekit.io.winds import is_velocity, is_wind_component, meters_per_second, pair_of, winds

_NETCDF = ("a netCDF-3 file", "a netCDF-3 file of 64-bit data", "an HDF5 or netCDF-4 file")


class _Field(NamedTuple):
    """A field of a file; its `spherekit.io.Map`, or None if it is not read yet."""

    path: str
    name: str
    unit: str
    standard_name: str | None
    record: object = None


def prepare(args):
    """Take two inputs, with a file as the output, as those of u and v; outputs in a folder are as inputs."""
    paths = args.all_files = args.file
    is_folder = args.output.endswith(("/", os.sep)) or os.path.isdir(args.output)
    if args.further is None and len(paths) == 2 and not is_folder:
        args.file, args.further = paths[:1], paths[1:]
    if all(path.lower().endswith((".nc", ".nc4")) for path in paths):
        args.default_suffix = ".nc"


def read(args, L=None):
    """The components of the wind of ``args.file`` and, if there is one, the file ``args.further``.

    Returns
    -------
    u, v : Map
        Each of one field, on the same grid and axes.
    notes : tuple of str
        How the components were recognized, where that is by their order.

    Raises
    ------
    Usage
        No wind, or several.
    ValueError
        Components on different grids or axes.
    """
    paths = _paths(args)
    try:
        if args.field is None:
            u, v, notes = _pair(args, [_fields(path, args, L) for path in paths])
        else:
            u, v, notes = _selected(args, paths, L)
        return *_records(args, u, v, L), notes
    except ValueError as error:
        text = _without_masks(str(error))
        if text == str(error):
            raise
        raise ValueError(text) from None


def _records(args, u, v, L):
    """The maps of two fields, on the same samples."""
    if u.record is None and u.path == v.path:
        wind = arrays.read_record(u.path, _with_field(args, u.name, v.name), L)
        return wind.select(u.name), wind.select(v.name)
    records = [
        arrays.read_record(field.path, _with_field(args, field.name), L)
        if field.record is None
        else field.record
        for field in (u, v)
    ]
    return _on_same_samples((u.path, v.path), *records)


def _without_masks(text):
    """The message on a file of a region, without the advice to fit the samples outside of a mask."""
    start, _, advice = text.partition(" Extend a region to the whole circle")
    return f"{start} A wind is needed on the whole sphere" if advice else text


def read_both(args, L=None):
    """The map of both components of the wind in ``args.file`` and ``args.further``, as of `read`."""
    u, v, notes = read(args, L)
    _refuse_units(_paths(args), u.units[0], v.units[0])
    labels = (u.names[0], v.names[0]) if u.names != v.names else ("u", "v")
    of_fields = {
        label: x.attributes.get(x.names[0], {}) for label, x in zip(labels, (u, v), strict=True)
    }
    if not winds(labels, ("m/s", "m/s")):
        of_order = dict(zip(labels, ("eastward_wind", "northward_wind"), strict=True))
        of_fields = {x: {"standard_name": of_order[x], **of_fields[x]} for x in labels}
    return replace(
        u,
        values=np.stack([u.values, v.values]),
        names=labels,
        units=(*u.units, *v.units),
        attributes={**v.attributes, **u.attributes, **of_fields},
        history=tuple(dict.fromkeys((*u.history, *v.history))),
        notes=tuple(dict.fromkeys((*notes, *u.notes, *v.notes))),
    )


def _refuse_units(paths, u_unit, v_unit):
    """Raise ValueError for components in different units of velocity."""
    if u_unit == v_unit:
        return
    factors = [meters_per_second(unit) if is_velocity(unit) else None for unit in (u_unit, v_unit)]
    if None in factors or factors[0] != factors[1]:
        raise ValueError(
            f"u has the unit {u_unit!r} and v {v_unit!r}, of {' and '.join(paths)}; expected the same"
        )


def _paths(args):
    further = args.further or ()
    if len(further) > 1:
        raise Usage(
            f"--and has {len(further)} files for {args.file}; expected one, that of v beside u"
        )
    return [args.file, *further]


def _on_same_samples(paths, u, v):
    """u and v, if they are on the same grid and axes; those of v become those of u."""
    (u_path, v_path) = paths
    if u.grid != v.grid:
        raise ValueError(
            f"{u_path} is on {u.grid!r} and {v_path} on {v.grid!r}; both components need the same grid: "
            f"convert one first, with spherekit regrid {v_path} --field {v.names[0] or 0} --spin 0 --grid "
            f"{u.grid} -o FILE"
        )
    if list(u.axes) != list(v.axes):
        axes = [f"the axes {', '.join(x.axes)}" if x.axes else "no axes" for x in (u, v)]
        largest = max((u, v), key=lambda x: len(x.axes))
        raise ValueError(
            f"{u_path} has {axes[0]} and {v_path} {axes[1]}; expected the same: select a position where "
            f"there are more, e.g. {selection_of(largest.axes, largest.attributes)}"
        )
    for name, values in u.axes.items():
        if not _are_equal(values, v.axes[name]):
            first, second = (
                f"{len(x.axes[name])} from {x.axes[name][0]} to {x.axes[name][-1]}" for x in (u, v)
            )
            raise ValueError(
                f"{u_path} and {v_path} have different coordinates on the axis {name}: {first}, and "
                f"{second}; expected the same: select one, e.g. {selection_of({name: values}, u.attributes)}"
            )
    _check_positions(paths, u, v)
    if u.frame != v.frame:
        raise ValueError(
            f"{u_path} is in {u.frame or 'unknown'} coordinates and {v_path} in {v.frame or 'unknown'}; "
            "expected the same"
        )
    return u, replace(v, axes=u.axes)


def _check_positions(paths, u, v):
    """Raise ValueError for components at different positions, such as levels or times."""
    differing = conflict(u.attributes, v.attributes)
    if differing is not None:
        raise ValueError(
            f"u of {paths[0]} is at {differing[0]} and v of {paths[1]} at {differing[1]}; a wind needs both "
            "components at the same position"
        )


def _are_equal(a, b):
    """Whether coordinates are the same, numbers to the precision of float32."""
    if a.shape == b.shape and {a.dtype.kind, b.dtype.kind} <= set("fiu"):
        return np.allclose(a, b, rtol=1e-6, atol=0)
    return np.array_equal(a, b)


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
    described = [[field[i] for field in fields] for i in (1, 2, 3)]
    return winds(*described) or winds(*described, any_unit=True)


def _pair(args, of_files):
    """(u, v, notes) of the only wind among the fields of a file, or with one component in each of two."""
    if len(of_files) == 1:
        pairs = [(of_files[0][u], of_files[0][v]) for u, v in _winds(of_files[0]).items()]
    else:
        combinations = list(itertools.product(*of_files))
        pairs = [(pair[u], pair[v]) for pair in combinations for u, v in _winds(pair).items()]
        if not pairs and len(combinations) == 1:
            u, v = combinations[0]
            _refuse_the_same(u, v)
            note = f"u is {_label(u)} of {u.path}, v is {_label(v)} of {v.path}, in the order of the files"
            return u, v, (note,)
    if len(pairs) != 1:
        raise Usage(_advice(args, sum(of_files, []), pairs))
    return *pairs[0], ()


def _refuse_the_same(u, v):
    """Raise Usage for the same component twice."""
    is_same_file = os.path.exists(u.path) and os.path.samefile(u.path, v.path)
    directions = [pair_of(x.name).index(x.name) for x in (u, v) if is_wind_component(*x[1:4])]
    if is_same_file or (len(directions) == 2 and directions[0] == directions[1]):
        word = ("eastward", "northward")[directions[0]] if directions else "same"
        raise Usage(
            f"{_label(u)} of {u.path} and {_label(v)} of {v.path} are the {word} component twice; pass the "
            f"files of both components, e.g. spherekit wind U.nc V.nc -o FILE"
        )


def _label(field):
    return field.name or "the field"


def _command(args):
    """A command with the files of v after --and, where the files of the command are those of u and v."""
    paths = getattr(args, "all_files", [args.file])
    if len(paths) < 2:
        return f"spherekit wind {args.file} --and V.nc -o FILE"
    partners = {path: _northward_file(path) for path in paths}
    first = [path for path in paths if partners[path] in paths]
    second = [partners[path] for path in first]
    if 2 * len(first) != len(paths):
        half = len(paths) // 2
        is_even = 2 * half == len(paths)
        first, second = (paths[:half], paths[half:]) if is_even else (["U*.nc"], ["V*.nc"])
    return f"spherekit wind {' '.join(first)} --and {' '.join(second)} -o FOLDER/"


def _northward_file(path):
    """The name of a file with v in place of the first u of the name, or None.

    >>> _northward_file("era/uwnd.nc"), _northward_file("wind.nc")
    ('era/vwnd.nc', None)
    """
    folder, name = os.path.split(path)
    u, v = pair_of(name)
    return os.path.join(folder, v) if u == name else None


def _alone(path, fields):
    """The message on a file with both components that is passed with another one."""
    pairs = [(_label(fields[u]), _label(fields[v])) for u, v in _winds(fields).items()]
    count = f"{len(pairs)} winds" if len(pairs) > 1 else "a wind"
    field = f" --field {names.join(pairs[0])}" if len(pairs) > 1 else ""
    return (
        f"{path} has both components of {count}, {'; '.join(' and '.join(pair) for pair in pairs)}, and the "
        "other file none that belongs to one of them; pass it alone: spherekit wind "
        f"{path}{field} -o FILE"
    )


def _advice(args, fields, pairs):
    """The message on files without a wind, or with several."""
    source = " and ".join(_paths(args))
    has = "have" if args.further else "has"
    if pairs:
        listed = "; ".join(f"{u.name} and {v.name}" for u, v in pairs)
        first = names.join([x.name for x in sorted(pairs[0], key=fields.index)])
        return f"{source} {has} {len(pairs)} winds: {listed}; select one, e.g. --field {first}"
    listed = ", ".join(f"{_label(x)} [{x.unit or 'no unit'}]" for x in fields)
    for path in _paths(args) if args.further else ():
        of_file = [x for x in fields if x.path == path]
        if _winds(of_file):
            return _alone(path, of_file)
    components = [x for x in fields if is_wind_component(*x[1:4])]
    if components and not args.further:
        return (
            f"{source} has {_label(components[0])}, one component of a wind, without the other one (it has "
            f"{listed}); pass the file of the other one with --and, e.g. {_command(args)}, or name both with "
            "--field U,V"
        )
    return (
        f"{source} {has} the fields {listed}, and no wind: expected an eastward and a northward component, "
        "with standard_name eastward_wind and northward_wind, or names such as u and v in m/s; name them "
        "with --field U,V"
    )


def pair_of_files(path, name):
    """[the file of u, that of v], if the file beside ``path`` exists whose name has a v for u or u for v."""
    folder, file = os.path.split(path)
    for letter, partner in ("uv", "vu"):
        if name[:1].lower() == letter and letter in file.lower():
            start = file.lower().index(letter)
            partner = partner if file[start].islower() else partner.upper()
            beside = os.path.join(folder, file[:start] + partner + file[start + 1 :])
            if os.path.exists(beside):
                return [path, beside] if letter == "u" else [beside, path]
    return []
