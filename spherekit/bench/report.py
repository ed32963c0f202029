"""Measurements as a table of words."""

import itertools
import os
import platform
from importlib import metadata

import numpy as np

from spherekit._core.jit import runs_as_python

WAYS = ("inverse", "forward")
_GROUP = ("transform", "grid", "N", "spin", "signal", "batch", "dtype", "threads")
_ONE_WAY = {
    "matrices": "all d^l, then all D^l, of one rotation",
    "cg": "Clebsch-Gordan, all l1, l2 < L, then L-1",
    "product": "products of two signals, all paths below L",
    "relu": "relu on the sphere",
    "relu-so3": "relu on SO(3)",
}
_LEGEND = (
    "ms: least of all runs of all starts; ratio: spherekit / peer, below 1 where spherekit is faster;",
    "error: largest of a round trip, coefficients of variance near 1; memory: peak beyond input and output,",
    "MB and as a multiple of these two, the larger direction; peak: MB of the whole process, imports",
    "included; first: s for import, set-up, tables, compilation (spherekit: or its cache) and first calls.",
)


def machine():
    """The machine and the versions that were measured."""
    import llvmlite.binding
    import numba

    facts = {
        "processor": _processor(),
        "target": os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name(),
        "cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
    if runs_as_python():
        facts["kernels"] = "plain Python, not compiled"
    for name in ("ducc0", "healpy", "shtns", "s2fft", "jax", "spherical"):
        try:
            facts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return facts


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(
                line.split(":")[1].strip() for line in file if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def groups(results):
    """The results that differ in L and code alone, by their common title."""
    found = {}
    for result in results:
        found.setdefault(_title(result), []).append(result)
    return found


def _title(result):
    transform, grid, N, spin, signal, maps, dtype, threads = (result[key] for key in _GROUP)
    if transform == "harmonic":
        words = [grid, "real maps" if spin == 0 else f"spin {spin}"]
    elif transform == "wigner":
        N = "L" if N == result["L"] else N
        words = [f"Wigner transform, {grid}, N = {N}", f"{signal} signals"]
    elif transform in ("wavelets", "scattering", "covariances"):
        words = [f"{transform}, N = {N}", f"{signal} signals"]
    elif transform == "rotate":
        words = [f"rotation, {signal} signals"]
    else:
        words = [_ONE_WAY[transform]]
    words += [f"{maps} maps"] if maps > 1 else []
    words += ["float32"] if dtype == "float32" else []
    return ", ".join([*words, f"{threads} thread" + "s" * (threads > 1)])


def measured(result):
    """Whether there are times in a result."""
    return "inverse" in result


def table(results):
    """Lines: for each grid, spin, batch, dtype and number of threads the times, ratios, errors, memory;
    the exponents of L; the pull-backs; then what could not be compared, and how the peers were called."""
    lines, notes = [], {}
    for title, rows in groups(results).items():
        if any(measured(row) or "failed" in row for row in rows):
            lines += ["", title, _head(), *_rows(rows), *_slopes(rows), *_pull_backs(rows)]
        for row in rows:
            if "incomparable" in row:
                notes.setdefault(f"{row['code']}: {row['incomparable']}", []).append(title)
            if row.get("remark"):
                notes.setdefault(f"{row['code']}: {row['remark']}", [])
    lines += ["", *_LEGEND] if lines else []
    lines += _thread_gains(results)
    said = (f"{note} ({'; '.join(dict.fromkeys(where))})" if where else note
            for note, where in notes.items())  # fmt: skip
    return [*lines, *said]


def _head():
    columns = f"{'L':>6}  {'code':14}{'inverse':>10}{'ratio':>7}{'forward':>10}{'ratio':>7}"
    return columns + f"{'error':>9}{'memory':>9}{'':>6}{'peak':>8}{'first':>8}"


def _rows(rows):
    ours = {row["L"]: row for row in rows if row["code"] == "spherekit" and measured(row)}
    lines = []
    for _, same in itertools.groupby(sorted(rows, key=lambda row: row["L"]), lambda row: row["L"]):
        for row in same:
            if measured(row):
                lines += [_row(row, ours.get(row["L"])), *_overuse(row)]
            elif "failed" in row:
                lines.append(f"{row['L']:>6}  {row['code']:14}{row['failed']}")
    return lines


def _row(result, ours):
    text = f"{result['L']:>6}  {result['code']:14}"
    for way in WAYS:
        compared = ours is not None and result is not ours
        ratio = f"{ours[way]['least'] / result[way]['least']:.2f}" if compared else ""
        text += f"{result[way]['least']:>10.3f}{ratio:>7}"
    error = result["error"]
    none = "" if result.get("one_way") else "not finite"
    text += f"{none if error is None else f'{error:.1e}':>9}"
    beyond, share = memory(result)
    text += (
        f"{beyond / 1e6:>9.1f}{f'x{share:.2f}':>6}" if beyond is not None else f"{'-':>9}{'':>6}"
    )
    text += f"{result['peak'] / 1e6:>8.0f}" if result.get("peak") else f"{'-':>8}"
    return text + f"{first(result):>8.2f}"


def _overuse(row):
    """A line on a code that took more CPUs than it was given."""
    cpus = max(row[way].get("cpus", 0) for way in WAYS)
    if cpus > row["threads"] + 0.3:
        yield f"{'':8}{row['code']}: kept {cpus:.1f} CPUs busy; not comparable with {row['threads']}"


def memory(result):
    """Bytes beyond input and output, the larger direction, and as a share of these; or None, None."""
    ways = [result[way] for way in WAYS if result[way].get("memory") is not None]
    if not ways:
        return None, None
    return max(way["memory"] for way in ways), max(way["memory"] / way["data"] for way in ways)


def first(result):
    """Seconds of import, set-up and the first call of both directions."""
    return result["setup"] + sum(result[way]["first"] for way in WAYS) / 1e3


def slope(sizes, values):
    """Exponent p of values ~ sizes^p by least squares of the logarithms; None for under three points.

    >>> round(slope([64, 128, 256], [1.0, 8.0, 64.0]), 6)
    3.0
    """
    pairs = [(L, v) for L, v in zip(sizes, values, strict=True) if v]
    if len({L for L, _ in pairs}) < 3:
        return None
    x, y = np.log(np.array(pairs, float)).T
    return float(np.polyfit(x, y, 1)[0])


def slopes(rows):
    """Of each code the exponents of L of both times and of the memory, where three L were measured."""
    found = {}
    for code in dict.fromkeys(row["code"] for row in rows if measured(row)):
        mine = [row for row in rows if row["code"] == code and measured(row)]
        sizes = [row["L"] for row in mine]
        values = {way: [row[way]["least"] for row in mine] for way in WAYS}
        values["memory"] = [memory(row)[0] for row in mine]
        fitted = {name: slope(sizes, value) for name, value in values.items()}
        found |= {code: fitted} if fitted["inverse"] is not None else {}
    return found


def _slopes(rows):
    for code, fitted in slopes(rows).items():
        text = f"{'L^p':>6}  {code:14}{fitted['inverse']:>10.2f}{'':7}{fitted['forward']:>10.2f}"
        power = fitted["memory"]
        yield text + (f"{'':16}{power:>9.2f}" if power is not None else "")


def _pull_backs(rows):
    """One line: time of a vector-Jacobian product over that of the map itself."""
    parts = []
    for row in rows:
        if "vjp" in row:
            shares = (row["vjp"][way]["least"] / row[way]["least"] for way in WAYS)
            parts.append(f"L={row['L']} " + "/".join(f"{share:.2f}" for share in shares))
    if parts:
        yield (
            f"{'':8}gradients, time of the vjp over the map itself (inverse/forward): "
            + ", ".join(parts)
        )


def _thread_gains(results):
    """Our time on several threads over that on one, where both were measured."""
    mine = [row for row in results if row["code"] == "spherekit" and measured(row)]
    names = ("transform", "grid", "N", "spin", "signal", "batch", "dtype", "L")

    def key(row):
        return tuple(row[name] for name in names)

    alone = {key(row): row for row in mine if row["threads"] == 1}
    parts = {}
    for row in mine:
        if row["threads"] > 1 and key(row) in alone:
            shares = (row[way]["least"] / alone[key(row)][way]["least"] for way in WAYS)
            text = f"L={row['L']} " + "/".join(f"{share:.2f}" for share in shares)
            parts.setdefault(_title(row), []).append(text)
    return [
        f"{title}: time over that of one thread (inverse/forward): {', '.join(texts)}"
        for title, texts in parts.items()
    ]
