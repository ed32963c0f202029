"""Tell what a file holds: a map, coefficients or a spectrum."""

import json

import numpy as np

from spherekit.cli import options


def arguments(parser):
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def run(args):
    found = _array(args.file) if options.is_arrays(args.file) else _fits(args.file)
    facts = {"file": args.file, **found}
    print(json.dumps(facts, allow_nan=False) if args.json else "\n".join(_lines(facts)))


def _fits(path):
    from spherekit import io
    from spherekit.io.alm import is_alm
    from spherekit.io.maps import map_columns

    table = io.read_table(path)
    if is_alm(table):
        unit = next(u for name, u in table.units.items() if name.lower() == "real")
        return _coefficients(io.read_alm(path), 0, unit)
    pixel, names = map_columns(table)
    if "PIXTYPE" not in table.header and "ORDERING" not in table.header:
        columns = [_column(name, table.columns[name], table.units[name]) for name in names]
        kind = "spectrum" if "MAX-LPOL" in table.header else "table"
        size = table.columns[names[0]].size if names else 0
        return {"kind": kind, **({"L": size} if kind == "spectrum" else {}), "columns": columns}
    sky = io.read_map(path, field=None)
    triples = zip(sky.columns, sky.values, sky.units, strict=True)
    return {
        "kind": "HEALPix map",
        "nside": sky.nside,
        "pixels": 12 * sky.nside**2,
        "ordering": sky.ordering.upper(),
        "sky": "full" if pixel is None else "part",
        "coordinates": sky.coordsys or None,
        "columns": [_column(*triple) for triple in triples],
    }


def _array(path):
    from spherekit import io

    arrays = io.read_arrays(path)
    unit = str(arrays.get("unit", ""))
    if "flm" in arrays:
        return _coefficients(arrays["flm"], int(arrays.get("spin", 0)), unit)
    facts = {"kind": "array"}
    if "values" in arrays and "grid" in arrays:
        facts = {"kind": "map", "grid": str(arrays["grid"]), "spin": int(arrays.get("spin", 0))}
    numbers = {name: a for name, a in arrays.items() if a.dtype.kind in "iufcb" and a.ndim}
    return {**facts, "columns": [_column(name, a, unit) for name, a in numbers.items()]}


def _coefficients(flm, spin, unit):
    L = int(round(flm.shape[-1] ** 0.5))
    return {
        "kind": "coefficients",
        "L": L,
        "lmax": L - 1,
        "spin": spin,
        "columns": [_column("flm", flm, unit)],
    }


def _column(name, values, unit):
    """Range of the numbers (of the modulus, where they are complex) and what is missing."""
    from spherekit.plot.projection import valid_samples

    facts = {"name": name, "unit": unit or None, "type": str(values.dtype)}
    facts["shape"] = list(values.shape)
    if values.dtype.kind not in "iufcb":
        return {**facts, "missing": 0}
    good = values[valid_samples(values)]
    good = np.abs(good) if np.iscomplexobj(good) else good.astype(float)
    if good.size:
        facts.update(min=float(good.min()), max=float(good.max()), mean=float(good.mean()))
    return {**facts, "missing": int(values.size - good.size)}


def _lines(facts):
    plain = {k: v for k, v in facts.items() if k not in ("file", "kind", "columns")}
    said = ", ".join(f"{k} {v}" for k, v in plain.items() if v is not None)
    yield f"{facts['file']}: {facts['kind']}" + (f", {said}" if said else "")
    for c in facts["columns"]:
        span = "no valid number"
        if "min" in c:
            size = "modulus " if c["type"].startswith("complex") else ""
            span = f"{size}{c['min']:.5g} to {c['max']:.5g}, mean {c['mean']:.5g}"
        missing = f", {c['missing']} missing (UNSEEN, NaN or inf)" if c["missing"] else ""
        shape = " x ".join(map(str, c["shape"]))
        yield f"  {c['name']} [{c['unit'] or 'no unit'}], {shape} {c['type']}: {span}{missing}"
