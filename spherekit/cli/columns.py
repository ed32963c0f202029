"""Facts of an array for `spherekit info`: range, mean and missing values, and their line of text."""

import numpy as np


def column(name, values, unit, weights=None):
    """Range and mean of the valid values (of their moduli if complex), and counts of missing ones by kind.

    ``weights``, which broadcast against the values, are those of the mean over the sphere, ``area_mean``;
    ``mean`` is that of all values alike.
    """
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
    is_valid = ~(nan | infinite | missing)
    valid = values[is_valid]
    valid = np.abs(valid) if np.iscomplexobj(valid) else valid
    valid = valid.astype(np.longdouble if valid.dtype.itemsize > 8 else float)
    if valid.size:
        size = np.abs(valid).max() or 1.0  # scaling avoids an overflow of the mean
        facts.update(
            min=float(valid.min()), max=float(valid.max()), mean=float((valid / size).mean() * size)
        )
        if weights is not None:
            weights = np.broadcast_to(weights, values.shape)[is_valid]
            facts.update(_area_mean(valid / size, weights, size))
    return {**facts, "missing": sum(counts.values()), **{k: n for k, n in counts.items() if n}}


def _area_mean(ratios, weights, size):
    """The mean over the area; nothing if that is zero, as of samples at the poles only."""
    area = weights.sum()
    return {"area_mean": float(ratios @ weights / area * size)} if area > 0 else {}


def column_line(column):
    """The line of text of the facts of `column`."""
    span = "no valid values" if column.get("read", True) else "not read, too large for the memory"
    if "min" in column:
        size = "modulus " if column["type"].startswith("complex") else ""
        kind = "area mean" if "area_mean" in column else "mean"
        mean = column.get("area_mean", column["mean"])
        span = f"{size}{column['min']:.5g} to {column['max']:.5g}, {kind} {mean:.5g}"
    kinds = {"unseen": "UNSEEN", "nan": "NaN", "infinite": "infinite"}
    counts = ", ".join(f"{column[key]} {kind}" for key, kind in kinds.items() if key in column)
    missing = f", {column['missing']} missing ({counts})" if column["missing"] else ""
    part = f" (of {column['part']})" if "part" in column else ""
    shape = " x ".join(map(str, column["shape"]))
    unit = column["unit"] or "no unit"
    return f"  {column['name']} [{unit}], {shape} {column['type']}: {span}{missing}{part}"
