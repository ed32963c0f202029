"""Describe the contents of a file: maps, coefficients, spectra, tables or a network.

Prints kind, conventions, units, value range and missing samples, for every table of a FITS file.
"""

import json

import numpy as np

from spherekit.cli import options


def arguments(parser):
    parser.add_argument("file", metavar="FILE", nargs="+", help="a .fits, .npz or .npy file")
    options.hdu(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(args):
    if options.is_arrays(args.file):
        facts = {"file": args.file, **_arrays(args.file)}
    else:
        facts = _fits(args.file, args.hdu)
    print(json.dumps(facts, allow_nan=False) if args.json else "\n".join(_lines(facts)))


def _fits(path, hdu):
    """The properties of the first table or that of ``--hdu``; those of several tables under ``tables``."""
    from spherekit import io
    from spherekit.cli.files import hdu_of

    listed = io.tables(path) if hdu is None else [io.read_table(path, hdu_of(hdu))]
    facts = [_table(path, table, listed) for table in listed]
    first = {"file": path, **facts[0]}
    return first if len(facts) == 1 else {**first, "tables": facts}


def _table(path, table, listed):
    from spherekit.io.alm import is_alm
    from spherekit.io.columns import is_map
    from spherekit.io.spectra import is_spectrum

    location = {"hdu": table.hdu, "name": table.name or None}
    if is_alm(table):
        return {**_alm(path, table, listed), **location}
    if is_map(table):
        return {**_map(path, table), **location}
    columns = [_column(name, x, table.units[name]) for name, x in table.columns.items()]
    if is_spectrum(table):
        return {"kind": "spectrum", **_spectra(path, table, columns), **location}
    return {"kind": "table", **_conventions(table), **location, "columns": columns}


def _spectra(path, table, columns):
    """Spectra as the other commands read them, or, if these raise an error, as in the file."""
    from spherekit import io

    facts = {"L": max((x.size for x in table.columns.values()), default=0)}
    try:
        spectra = io.read_spectra(path, table.hdu)
    except ValueError as error:
        return {**facts, **_conventions(table), "problem": str(error), "columns": columns}
    columns = [_column(name, cl, spectra.units[name]) for name, cl in spectra.values.items()]
    for column in columns:
        column["type"] = str(table.columns[column["name"]].dtype)
    conventions = {"coordinates": spectra.frame or None, **_polcconv(spectra)}
    return {**facts, **conventions, "columns": columns}


def _polcconv(contents):
    """The polarization convention of the file, and a note where U and B are shown with the opposite sign."""
    facts = {"polcconv": contents.file_polcconv or None}
    if contents.file_polcconv == "IAU" and contents.polcconv == "COSMO":
        facts["shown"] = "in the COSMO convention"
    return facts


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
        columns = [_column(name, x, table.units[name]) for name, x in table.columns.items()]
        return {"kind": "coefficients", "problem": str(error), "columns": columns}
    number = alm.hdus.index(table.hdu) if table.hdu in alm.hdus else 0
    component = alm.components[number] or None
    facts = _coefficients(alm.flm[number], 0, alm.units[number])
    conventions = {"component": component, "coordinates": alm.frame or None}
    return {**facts, **conventions, **_polcconv(alm)}


def _map(path, table):
    from spherekit import io
    from spherekit.io.columns import map_columns

    pixel, names = map_columns(table)
    try:
        sky = io.read_map(path, field=None, hdu=table.hdu)
    except ValueError as error:  # as in the other commands
        columns = [_column(name, table.columns[name], table.units[name]) for name in names]
        return {
            "kind": "HEALPix map",
            **_conventions(table),
            "problem": str(error),
            "columns": columns,
        }
    is_full = pixel is None and table.columns[names[0]].size == 12 * sky.nside**2
    triples = zip(sky.columns, sky.values, sky.units, strict=True)
    return {
        "kind": "HEALPix map",
        "nside": sky.nside,
        "pixels": 12 * sky.nside**2,
        "ordering": sky.ordering.upper(),
        "sky": "full" if is_full else "part",
        "coordinates": sky.frame or None,
        **_polcconv(sky),
        "spin": sky.spin,
        "columns": [_column(*triple) for triple in triples],
    }


def _network(path):
    """The network of a model file or checkpoint."""
    from spherekit import nn
    from spherekit.io.tree_archive import read_tree
    from spherekit.nn.files import network_of

    tree, header = read_tree(path)
    source = header if "experiment" in header else header.get("description") or {}
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
    from spherekit.io.tree_archive import is_tree

    arrays = io.read_arrays(path)
    if is_tree(arrays):
        return _network(path)
    if arrays.get("checkpoint", np.array(0)).dtype == np.uint8:
        problem = "this version cannot read it; train again, or use spherekit 0.1"
        return {"kind": "model or checkpoint of spherekit 0.1", "columns": [], "problem": problem}
    unit = str(arrays["unit"]) if np.ndim(arrays.get("unit", "")) == 0 and "unit" in arrays else ""
    metadata = {"coordinates": str(arrays.get("frame", "")) or None}
    if "columns" in arrays:
        metadata["signals"] = ", ".join(str(name) for name in np.atleast_1d(arrays["columns"]))
    if "flm" in arrays:
        spin = arrays.get("spin", np.array(0))
        return {**_coefficients(arrays["flm"], spin.tolist(), unit), **metadata}
    facts = {"kind": "array"}
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
    numeric = {name: a for name, a in arrays.items() if a.dtype.kind in "iufcb" and a.ndim}
    columns = [_column(name, a, _unit_of_array(name, a, unit)) for name, a in numeric.items()]
    return {**facts, "columns": columns}


def _unit_of_array(name, array, unit):
    """The unit of an array of a .npz file; integers are indices such as the scales of a path, without one."""
    return unit if name == "values" or array.dtype.kind in "fc" else ""


def _parameters(arrays, names):
    return {name: arrays[name].item() for name in names.split() if name in arrays}


def _coefficients(flm, spin, unit):
    L = int(round(flm.shape[-1] ** 0.5)) if flm.ndim else 0
    facts = {"kind": "coefficients", "L": L, "lmax": L - 1, "spin": spin}
    return {**facts, "columns": [_column("flm", flm, unit)]}


def _column(name, values, unit):
    """Range and mean of the valid values (of their moduli if complex), and counts of missing ones by kind."""
    from spherekit.io.missing import is_missing

    facts = {"name": name, "unit": unit or None, "type": str(values.dtype)}
    facts["shape"] = list(values.shape)
    if values.dtype.kind not in "iufcb":
        return {**facts, "missing": 0}
    nan = np.isnan(values)
    infinite = np.isinf(values)
    missing = is_missing(values)
    kinds = {"nan": nan, "infinite": infinite, "unseen": missing & ~nan}
    counts = {kind: int(np.count_nonzero(affected)) for kind, affected in kinds.items()}
    valid = values[~(nan | infinite | missing)]
    valid = np.abs(valid) if np.iscomplexobj(valid) else valid
    valid = valid.astype(np.longdouble if valid.dtype.itemsize > 8 else float)
    if valid.size:
        size = np.abs(valid).max() or 1.0  # scaling avoids an overflow of the mean
        facts.update(
            min=float(valid.min()), max=float(valid.max()), mean=float((valid / size).mean() * size)
        )
    return {**facts, "missing": sum(counts.values()), **{k: n for k, n in counts.items() if n}}


def _lines(facts):
    tables = facts.get("tables", [facts])
    for number, table in enumerate(tables):
        plain = {
            key: value
            for key, value in table.items()
            if key not in ("file", "kind", "columns", "tables", "problem", "layers")
            and value is not None
        }
        if len(tables) == 1:
            plain.pop("hdu", None)
        properties = ", ".join(f"{key} {value}" for key, value in plain.items())
        start = f"{facts['file']}: " if number == 0 else "  and "
        yield f"{start}{table['kind']}" + (f", {properties}" if properties else "")
        if "problem" in table:
            yield f"  the other commands cannot read it: {table['problem']}"
        if "layers" in table:
            yield table["layers"]
        yield from map(_line, table["columns"])


def _line(column):
    span = "no valid values"
    if "min" in column:
        size = "modulus " if column["type"].startswith("complex") else ""
        span = f"{size}{column['min']:.5g} to {column['max']:.5g}, mean {column['mean']:.5g}"
    kinds = {"unseen": "UNSEEN", "nan": "NaN", "infinite": "infinite"}
    counts = ", ".join(f"{column[key]} {kind}" for key, kind in kinds.items() if key in column)
    missing = f", {column['missing']} missing ({counts})" if column["missing"] else ""
    shape = " x ".join(map(str, column["shape"]))
    unit = column["unit"] or "no unit"
    return f"  {column['name']} [{unit}], {shape} {column['type']}: {span}{missing}"
