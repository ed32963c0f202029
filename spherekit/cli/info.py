"""Describe the contents of files of any format, or of folders, and what to type next.

Prints kind, grid, conventions, units, value range, missing samples, axes, history and notes: what a reader
changes or decides. The commands of the last lines work on exactly this file.
"""

import json

import numpy as np

from spherekit.cli import bandpower_files, contents, input_spectra, next_steps, options
from spherekit.cli.columns import column, column_line

#: Facts that have lines of their own.
_LINES = ("file", "kind", "columns", "tables", "problem", "layers", "axes", "power", "contents")
_LINES += ("notes", "history", "next", "stokes")


def arguments(parser):
    parser.add_argument("file", metavar="FILE", nargs="+", help="files of any format, or folders")
    options.hdu(parser)
    parser.add_argument("--grid", help="grid of a text file without latitudes and longitudes")
    parser.add_argument("--lat", metavar="FILE", help="latitudes of the rows of a text, degrees")
    parser.add_argument("--lon", metavar="FILE", help="longitudes of its columns, degrees")
    input_spectra.declaration(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(args):
    facts = {"file": args.file, **_facts(args.file, args)}
    facts["next"] = next_steps.commands(facts, input_spectra.words(args))
    print(json.dumps(facts, allow_nan=False) if args.json else "\n".join(_lines(facts)))


def _facts(path, args):
    """The facts of a file by its format, or by its suffix if the format is unknown."""
    from spherekit.io import describe
    from spherekit.io.headers import HeaderError

    kind = describe(path)
    if kind == "a folder":
        return contents.folder(path)
    if bandpower_files.contains(path):
        return bandpower_files.facts(path)
    is_unknown = kind in (
        "a file of unknown format",
        "an empty file",
        "a zip archive",
        "a bzip2 file",
    )
    try:
        if "NumPy" in kind and input_spectra.in_file(args, path):
            return contents.of_file(path, args)
        if "NumPy" in kind or (is_unknown and options.is_arrays(path)):
            return _arrays(path)
        if "FITS" in kind or (is_unknown and ".fit" in path.lower()):
            return _fits(path, args)
    except HeaderError as error:
        raise ValueError(f"{path}: {error}") from None
    except MemoryError as error:
        noun = kind.removeprefix("a ").removeprefix("an ")
        return {"kind": noun, "problem": str(error), "columns": []}
    return contents.of_file(path, args)


def _fits(path, args):
    """The properties of the first table or that of ``--hdu``; those of several tables under ``tables``."""
    from spherekit import io
    from spherekit.cli.files import hdu_of
    from spherekit.io.fits_maps import contains_mw

    hdu = hdu_of(args.hdu)
    if contains_mw(path, hdu):
        return contents.of_map(io.read(path, hdu=hdu))
    listed = io.tables(path) if hdu is None else [io.read_table(path, hdu)]
    facts = [_table(path, args, table, listed) for table in listed]
    return facts[0] if len(facts) == 1 else {**facts[0], "tables": facts}


def _table(path, args, table, listed):
    from spherekit.io.alm import is_alm
    from spherekit.io.columns import is_map
    from spherekit.io.spectra import is_spectrum

    location = {"hdu": table.hdu, "name": table.name or None}
    if is_alm(table):
        return {**_alm(path, table, listed), **location, **_history(table)}
    if is_map(table):
        return {**_map(path, table), **location, **_history(table)}
    columns = [column(name, x, table.units[name]) for name, x in table.columns.items()]
    if is_spectrum(table) or input_spectra.is_declared(args):
        facts = _spectra(path, args, table, columns)
        return {"kind": "spectrum", **facts, **location, **_history(table)}
    return {"kind": "table", **_conventions(table), **location, "columns": columns}


def _history(table):
    """The history of a table and of its file."""
    from spherekit.io import headers

    return {"history": list(headers.history(table))}


def _spectra(path, args, table, columns):
    """Spectra as the other commands read them, or, if these raise an error, as in the file."""
    facts = {"L": max((x.size for x in table.columns.values()), default=0)}
    try:
        spectra = input_spectra.read_file(args, path, table.hdu)
    except ValueError as error:
        return {**facts, **_conventions(table), "problem": str(error), "columns": columns}
    columns = [column(name, cl, spectra.units[name]) for name, cl in spectra.values.items()]
    for entry, values in zip(columns, table.columns.values(), strict=True):
        entry["type"] = str(values.dtype)
    facts = {**input_spectra.quantity(spectra.values), **facts}
    conventions = {"coordinates": spectra.frame or None, **contents.polcconv(spectra)}
    return {**facts, **conventions, "notes": list(spectra.notes), "columns": columns}


def _conventions(table):
    """Frame and polarization convention as stated in the headers."""
    from spherekit.io.frames import table_frame
    from spherekit.io.stokes import polarization_convention

    try:
        frame = table_frame(table)
        convention = polarization_convention(table)
    except ValueError as error:
        return {"coordinates": None, "problem": str(error)}
    return {"coordinates": frame or None, "polcconv": convention or None}


def _alm(path, table, listed):
    from spherekit import io

    try:
        alm = io.read_alms(path, None if len(listed) > 1 else table.hdu)
    except ValueError as error:
        columns = [column(name, x, table.units[name]) for name, x in table.columns.items()]
        return {"kind": "coefficients", "problem": str(error), "columns": columns}
    number = alm.hdus.index(table.hdu) if table.hdu in alm.hdus else 0
    component = alm.components[number] or None
    facts = _coefficients(alm.flm[number], 0, alm.units[number])
    facts["power"] = [contents.lowest_power(alm.flm[number])]
    conventions = {"component": component, "coordinates": alm.frame or None}
    return {**facts, **conventions, **contents.polcconv(alm)}


def _map(path, table):
    from spherekit import io
    from spherekit.io.columns import map_columns
    from spherekit.sampling import HEALPix
    from spherekit.sampling.coverage import area_weights

    pixel, names = map_columns(table)
    try:
        sky = io.read_map(path, field=None, hdu=table.hdu)
    except ValueError as error:  # as in the other commands
        columns = [column(name, table.columns[name], table.units[name]) for name in names]
        return {
            "kind": "HEALPix map",
            **_conventions(table),
            "problem": str(error),
            "columns": columns,
        }
    triples = zip(sky.columns, sky.values, sky.units, strict=True)
    weights = area_weights(HEALPix(sky.nside))
    return {
        "kind": "HEALPix map",
        "grid": f"healpix:{sky.nside}",
        "nside": sky.nside,
        "pixels": 12 * sky.nside**2,
        "ordering": sky.ordering.upper(),
        "sky": "full" if _is_full(table, pixel, names, sky) else "part",
        "coordinates": sky.frame or None,
        **contents.polcconv(sky),
        "spin": sky.spin,
        "stokes": list(sky.stokes),
        "columns": [column(*triple, weights) for triple in triples],
    }


def _is_full(table, pixel, names, sky):
    """Whether a table has a sample, perhaps a missing one, for each point of the sky."""
    if sky.ordering == "nuniq":
        from spherekit.io.multi_order import cells

        order, _ = cells(table.columns[pixel].astype(np.int64))
        return bool(np.sum(0.25**order) == 12)
    column = names[0] if pixel is None else pixel
    return table.columns[column].size == 12 * sky.nside**2


def _coupling(path):
    """The coupling of masks that `spherekit spectrum --coupling` writes."""
    from spherekit.spectra import read_coupling

    facts = {"kind": "coupling of masks", "columns": []}
    try:
        coupling = read_coupling(path)
    except ValueError as error:
        return {**facts, "problem": str(error)}
    pure = [
        name for pair in coupling.pure for name, is_pure in zip("EB", pair, strict=False) if is_pure
    ]
    spectra = ", ".join(coupling.names)
    facts |= {"L": coupling.L, "spectra": spectra, "spins": list(coupling.spins)}
    return facts | {"pure": ", ".join(dict.fromkeys(pure)) or None}


def _network(path):
    """The network of a model file or checkpoint."""
    from spherekit import nn
    from spherekit.io.tree_archive import read_tree
    from spherekit.nn.files import network_of

    tree, header = read_tree(path)
    source = header if "experiment" in header else header.get("description") or {}
    if "mode coupling" in str(header.get("kind")):
        return _coupling(path)
    checkpoint = header.get("checkpoint") or {}
    kind = "training checkpoint" if checkpoint else "network"
    facts = {"kind": kind, "experiment": source.get("experiment"), "columns": []}
    try:
        net, params, _ = network_of(path, tree, header)
    except ValueError as error:
        return {**facts, "problem": str(error)}
    return {
        **facts,
        "step": checkpoint.get("step"),
        "input": str(net.in_type),
        "output": str(net.out_type()),
        "parameters": nn.count_parameters(params),
        "layers": repr(net),
    }


def _arrays(path):
    from spherekit import io
    from spherekit.io.array_values import attributes
    from spherekit.io.tree_archive import is_tree

    arrays = io.read_arrays(path)
    if is_tree(arrays):
        return _network(path)
    if arrays.get("checkpoint", np.array(0)).dtype == np.uint8:
        problem = "this version cannot read it; train again, or use spherekit 0.1"
        return {"kind": "model or checkpoint of spherekit 0.1", "columns": [], "problem": problem}
    unit = str(arrays["unit"]) if np.ndim(arrays.get("unit", "")) == 0 and "unit" in arrays else ""
    metadata = {"coordinates": str(arrays.get("frame", "")) or None}
    metadata |= {"polcconv": str(arrays["polcconv"])} if "polcconv" in arrays else {}
    if "columns" in arrays:
        metadata["signals"] = ", ".join(str(name) for name in np.atleast_1d(arrays["columns"]))
    if "axes" in arrays:
        names = [str(name) for name in np.atleast_1d(arrays["axes"])]
        of_axes = {name: arrays[f"axis_{name}"] for name in names if f"axis_{name}" in arrays}
        metadata["axes"] = contents.axes(of_axes, attributes(path, arrays))
    if "history" in arrays:
        metadata["history"] = [str(line) for line in np.atleast_1d(arrays["history"])]
    if "flm" in arrays:
        spin = arrays.get("spin", np.array(0))
        facts = {**_coefficients(arrays["flm"], spin.tolist(), unit), **metadata}
        signals = _of_fields(path, arrays, "flm", 1) or [("flm", arrays["flm"], unit, {})]
        facts["columns"] = [{**column(name, x, unit), **cf} for name, x, unit, cf in signals]
        return {**facts, "power": [contents.lowest_power(x) for _, x, _, _ in signals]}
    facts = {"kind": "array", "notes": contents.matching_grids(arrays)}
    if "values" in arrays and "grid" in arrays:
        facts = {
            "kind": "map",
            "grid": str(arrays["grid"]),
            "spin": arrays.get("spin", np.array(0)).tolist(),
            **metadata,
        }
    elif {"scaling", "lam", "J0", "L"} <= arrays.keys():
        facts = {"kind": "wavelet maps", **_parameters(arrays, "L lam J0 N spin"), **metadata}
    elif {"coefficients", "scales", "L0"} <= arrays.keys():
        facts = {
            "kind": "scattering coefficients",
            **_parameters(arrays, "L lam J0 N L0"),
            **metadata,
        }
    numeric = {
        name: a
        for name, a in arrays.items()
        if a.dtype.kind in "iufcb" and a.ndim and not name.startswith("axis_")
    }
    columns = []
    if facts["kind"] == "map" and "values" in numeric:
        weights = contents.weights_of(arrays)
        fields = _of_fields(path, arrays, "values", contents.number_of_axes(facts["grid"]))
        values = numeric.pop("values")
        fields = fields or [("values", values, unit, {})]
        columns = [{**column(name, f, unit, weights), **cf} for name, f, unit, cf in fields]
    columns += [column(name, a, _unit_of_array(name, a, unit)) for name, a in numeric.items()]
    return {**facts, "columns": columns}


def _of_fields(path, arrays, key, n):
    """(name, samples, unit, standard name) of each of several fields of an array; none of other arrays.

    ``n`` is the number of axes of one field without its named axes.
    """
    from spherekit.io.array_values import attributes

    values = arrays[key]
    names = [str(name) for name in np.atleast_1d(arrays.get("columns", ()))]
    n += len(np.atleast_1d(arrays.get("axes", ())))
    if len(names) < 2 or values.ndim != n + 1 or len(values) != len(names):
        return []
    units = np.atleast_1d(arrays.get("unit", ""))
    units = (
        np.broadcast_to(units, len(names)) if len(units) in (1, len(names)) else [""] * len(names)
    )
    of_names = attributes(path, arrays)
    return [
        (name, x, str(unit), contents.cf_name(of_names.get(name, {})))
        for name, x, unit in zip(names, values, units, strict=True)
    ]


def _unit_of_array(name, array, unit):
    """The unit of an array of a .npz file; integers are indices such as the scales of a path, without one."""
    return unit if name == "values" or array.dtype.kind in "fc" else ""


def _parameters(arrays, names):
    return {name: arrays[name].item() for name in names.split() if name in arrays}


def _coefficients(flm, spin, unit):
    L = int(round(flm.shape[-1] ** 0.5)) if flm.ndim else 0
    facts = {"kind": "coefficients", "L": L, "lmax": L - 1, "spin": spin}
    return {**facts, "columns": [column("flm", flm, unit)]}


def _lines(facts):
    tables = facts.get("tables", [facts])
    for number, table in enumerate(tables):
        plain = {
            key: value for key, value in table.items() if key not in _LINES and value is not None
        }
        if "grid" in plain:
            plain["grid"] = contents.grid_label(plain["grid"])
        if len(tables) == 1:
            plain.pop("hdu", None)
        properties = ", ".join(f"{key} {value}" for key, value in plain.items())
        start = f"{facts['file']}: " if number == 0 else "  and "
        yield f"{start}{table['kind']}" + (f", {properties}" if properties else "")
        if "problem" in table:
            yield f"  the other commands cannot read it: {table['problem']}"
        if "layers" in table:
            yield table["layers"]
        yield from map(column_line, table.get("columns", ()))
        yield from _further_lines(table)
    yield from (f"  next: {line}" for line in facts["next"])


def _further_lines(facts):
    """Lines of the axes, the lowest degrees, the notes and the history."""
    for name, coordinates in facts.get("axes", {}).items():
        listed = ", ".join(map(str, coordinates[:12])) + (", ..." if coordinates[12:] else "")
        yield f"  axis {name}, {len(coordinates)}: {listed}"
    for powers in facts.get("power", ()):
        if powers is not None:
            yield f"  C_l from l = 0: {', '.join(f'{power:.4g}' for power in powers)}"
    for kind, count in facts.get("contents", {}).items():
        yield f"  {count} {kind.removeprefix('a ').removeprefix('an ')}"
    yield from (f"  note: {note}" for note in facts.get("notes", ()))
    yield from (f"  history: {line}" for line in facts.get("history", ()))
