"""Benchmark results as a table of text."""

import itertools
import os
import platform
from collections.abc import Sequence
from importlib import metadata

import numpy as np

from spherekit.bench.cases import pixels

DIRECTIONS = ("inverse", "forward")
_GROUP = ("transform", "grid", "N", "spin", "signal", "batch", "dtype", "threads")
#: Titles of computations without a grid.
_TITLES = {
    "matrices": "Wigner matrices of one rotation",
    "cg": "Clebsch-Gordan coefficients",
    "product": "Clebsch-Gordan products of two signals, all paths below L",
    "relu": "ReLU on the sphere",
    "relu-so3": "ReLU on SO(3)",
    "winds": "winds on L+1 latitudes and 2L longitudes",
    "smooth": "smoothing on HEALPix, nside = L/3, 3 iterations",
    "mode-coupling": "mode-coupling matrices of a mask, degrees < L",
    "pixels": "pixels of points and their centers, HEALPix, ring order",
    "nested-pixels": "pixels of points and their centers, HEALPix, nested order",
    "orders": "pixel numbers, HEALPix",
    "neighbours": "neighbours of pixels, HEALPix",
    "boundaries": "corners of pixels, HEALPix",
    "interpolate": "bilinear interpolation at points, HEALPix",
    "discs": "pixels in discs of 5 degrees, HEALPix, ring order",
    "nested-discs": "pixels in discs of 5 degrees, HEALPix, nested order",
    "large-regions": "pixels in a disc and in a strip of 60 degrees, HEALPix",
    "polygons": "pixels in quadrilaterals of 6 degrees, HEALPix",
    "resolution": "change of nside by 8, HEALPix, ring order",
    "nested-resolution": "change of nside by 8, HEALPix, nested order",
}
#: What is measured in place of an inverse and a forward transform.
_HEADINGS = {
    "rotate": ("rotation", "inverse rot."),
    "wavelets": ("analysis", "synthesis"),
    "scattering": ("scattering", "round trip"),
    "covariances": ("statistics", "gradient"),
    "matrices": ("all d^l", "all D^l"),
    "cg": ("all l1, l2", "l1=l2=L-1"),
    "product": ("evaluation", "gradient"),
    "relu": ("evaluation", "gradient"),
    "relu-so3": ("evaluation", "gradient"),
    "winds": ("all fields", "vrtdiv"),
    "smooth": ("one map", "I, Q and U"),
    "mode-coupling": ("spins 0 and 2", "spin 0"),
    "pixels": ("pixel_of", "angles_of"),
    "nested-pixels": ("pixel_of", "angles_of"),
    "orders": ("to_nested", "to_ring"),
    "neighbours": ("ring order", "nested"),
    "boundaries": ("ring order", "nested"),
    "interpolate": ("weights", "values"),
    "discs": ("centers inside", "inclusive"),
    "nested-discs": ("centers inside", "inclusive"),
    "large-regions": ("disc", "strip"),
    "polygons": ("centers inside", "inclusive"),
    "resolution": ("degrade", "upgrade"),
    "nested-resolution": ("degrade", "upgrade"),
}
_TRANSFORMS = "inverse, forward: minimum time of a synthesis and of an analysis"
_OPERATIONS = "ms: minimum time of the operations in the heading"
_ERRORS = "error: maximum error of a round trip of coefficients with variance near 1;"
_LEGEND = (
    "ratio: time of spherekit / time of the other package, below 1 where spherekit is faster;",
    "memory: peak memory of a call beyond its input and output, in MB and as a multiple of these two,",
    "the larger values of both columns; peak: peak memory of the process, imports included;",
    "first: time of import, set-up, tables, compilation (or loading compiled kernels) and first calls.",
)


def machine() -> dict:
    """Describe the processor, the system and the versions of the packages that are measured.

    Returns
    -------
    dict
        Text or numbers by name, such as "processor", "cpus" and "numpy".

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import bench
    >>> facts = bench.machine()
    >>> facts["numpy"] == np.__version__, facts["cpus"] >= 1
    (True, True)
    """
    import llvmlite.binding
    import numba

    from spherekit._core.jit import runs_as_python

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
    for name in (
        "ducc0",
        "healpy",
        "astropy_healpix",
        "shtns",
        "s2fft",
        "jax",
        "spherical",
        "pymaster",
    ):
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


def headings(transform):
    """What is measured as "inverse" and "forward" of a transform."""
    return _HEADINGS.get(transform, DIRECTIONS)


def groups(results):
    """{title: results that differ in L and code only}."""
    tables = {}
    for result in results:
        tables.setdefault(_title(result), []).append(result)
    return tables


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
        words = [_TITLES[transform]]
    words += [f"{maps} maps"] if maps > 1 else []
    words += ["float32"] if dtype == "float32" else []
    return ", ".join([*words, f"{threads} thread" + "s" * (threads > 1)])


def has_times(result):
    """Whether a result contains times."""
    return "inverse" in result


def table(results: Sequence[dict]) -> list[str]:
    """Format benchmark results as text.

    For each grid, spin, batch size, dtype and number of threads a table lists times, their ratios, errors and
    memory, then the exponents of L and the times of vector-Jacobian products. Notes on the other packages,
    and on the cases that these do not support, follow.

    Parameters
    ----------
    results : list of dict
        As returned by `spherekit.bench.measure`.

    Returns
    -------
    list of str
        Lines.

    Raises
    ------
    KeyError
        If an entry is not a benchmark result.

    Examples
    --------
    >>> from spherekit import bench
    >>> case = dict(transform="harmonic", grid="gl", L=8, N=0, spin=0, signal="real", batch=1)
    >>> case |= dict(dtype="float64", threads=1, code="healpy", incomparable="compared on HEALPix only")
    >>> bench.table([case])
    ['healpy: compared on HEALPix only (gl, real maps, 1 thread)']
    """
    lines = []
    notes = {}
    for title, rows in groups(results).items():
        if any(has_times(row) or "failed" in row for row in rows):
            lines += ["", title, *_head(rows), *_rows(rows)]
            lines += [*_slopes(rows), *_vjp_ratios(rows)]
        for row in rows:
            if "incomparable" in row:
                notes.setdefault(f"{row['code']}: {row['incomparable']}", []).append(title)
            if row.get("remark"):
                notes.setdefault(f"{row['code']}: {row['remark']}", [])
    lines += ["", *_legend(results)] if lines else []
    lines += _thread_gains(results)
    for note, titles in notes.items():
        lines.append(f"{note} ({'; '.join(dict.fromkeys(titles))})" if titles else note)
    return lines


def _legend(results):
    """Explanations of the columns that the tables have."""
    rows = [row for row in results if has_times(row)]
    words = []
    if any(headings(row["transform"]) == DIRECTIONS for row in rows):
        words.append(_TRANSFORMS)
    if any(headings(row["transform"]) != DIRECTIONS for row in rows):
        words.append(_OPERATIONS)
    yield "; ".join(words) + ";"
    ratio, *memory_and_first = _LEGEND
    yield ratio
    if not all(map(_has_no_error, rows)):
        yield _ERRORS
    yield from memory_and_first


def _has_no_error(row):
    """Whether a computation has no inverse, so that no error of a round trip was measured."""
    return row.get("one_way") and row["error"] is None


def _size(row):
    """The name and the value of the size of a computation: L, or nside for functions of pixels."""
    if row["transform"] in pixels.TRANSFORMS:
        return "nside", pixels.nside_of(row["L"])
    return "L", row["L"]


def _head(rows):
    """Two lines: the headings of the columns, and their units."""
    first_heading, second_heading = headings(rows[0]["transform"])
    error = "" if all(_has_no_error(row) for row in rows if has_times(row)) else "error"
    yield (
        f"{_size(rows[0])[0]:>6}  {'code':14}{first_heading:>11}{'ratio':>7}{second_heading:>11}"
        f"{'ratio':>7}{error:>9}{'memory':>9}{'':>6}{'peak':>8}{'first':>8}"
    )
    yield f"{'':>6}  {'':14}{'ms':>11}{'':>7}{'ms':>11}{'':>7}{'':>9}{'MB':>9}{'':>6}{'MB':>8}{'s':>8}"


def _rows(rows):
    references = {row["L"]: row for row in rows if row["code"] == "spherekit" and has_times(row)}
    lines = []
    by_L = itertools.groupby(sorted(rows, key=lambda row: row["L"]), lambda row: row["L"])
    for L, rows_of_L in by_L:
        for row in rows_of_L:
            if has_times(row):
                lines += [_row(row, references.get(L)), *_excess_cpus(row)]
            elif "failed" in row:
                lines.append(f"{_size(row)[1]:>6}  {row['code']:14}{row['failed']}")
    return lines


def _row(result, reference):
    text = f"{_size(result)[1]:>6}  {result['code']:14}"
    for direction in DIRECTIONS:
        is_compared = reference is not None and result is not reference
        milliseconds = result[direction]["least"]
        ratio = f"{reference[direction]['least'] / milliseconds:.2f}" if is_compared else ""
        text += f"{milliseconds:>11.3f}{ratio:>7}"
    error = result["error"]
    missing = "" if result.get("one_way") else "not finite"
    text += f"{missing if error is None else f'{error:.1e}':>9}"
    beyond, share = memory(result)
    text += (
        f"{beyond / 1e6:>9.1f}{f'x{share:.2f}':>6}" if beyond is not None else f"{'-':>9}{'':>6}"
    )
    text += f"{result['peak'] / 1e6:>8.0f}" if result.get("peak") else f"{'-':>8}"
    return text + f"{first(result):>8.2f}"


def _excess_cpus(row):
    """A line on a package that used more CPUs than the number of threads."""
    cpus = max(row[direction].get("cpus", 0) for direction in DIRECTIONS)
    if cpus > row["threads"] + 0.3:
        yield (
            f"{'':8}{row['code']} used {cpus:.1f} CPUs instead of {row['threads']}; "
            "its times are not comparable"
        )


def memory(result):
    """Maximum bytes beyond input and output of both directions, and their ratio to these; or (None, None)."""
    values = [result[name] for name in DIRECTIONS if result[name].get("memory") is not None]
    if not values:
        return None, None
    beyond = max(value["memory"] for value in values)
    return beyond, max(value["memory"] / value["data"] for value in values)


def first(result):
    """Seconds of import, set-up and the first calls of both directions."""
    return result["setup"] + sum(result[direction]["first"] for direction in DIRECTIONS) / 1e3


def slope(sizes, values):
    """Exponent p of values ~ sizes^p, by a least-squares fit of logarithms; None for one or two sizes.

    >>> round(slope([64, 128, 256], [1.0, 8.0, 64.0]), 6)
    3.0
    """
    pairs = [(L, v) for L, v in zip(sizes, values, strict=True) if v]
    if len({L for L, _ in pairs}) < 3:
        return None
    x, y = np.log(np.array(pairs, float)).T
    return float(np.polyfit(x, y, 1)[0])


def slopes(rows: Sequence[dict]) -> dict[str, dict]:
    """Exponents p of L^p that fit the times and the memory of each package.

    Parameters
    ----------
    rows : list of dict
        Results of `spherekit.bench.measure` that differ in L and code only.

    Returns
    -------
    dict
        {code: {"inverse": p, "forward": p, "memory": p}} for each package with at least three L. The exponent
        of the memory may be None.

    Examples
    --------
    >>> from spherekit import bench
    >>> times = [(64, 1.0), (128, 8.0), (256, 64.0)]
    >>> rows = [dict(code="spherekit", L=L, inverse={"least": t}, forward={"least": t}) for L, t in times]
    >>> round(bench.slopes(rows)["spherekit"]["inverse"], 6)
    3.0
    """
    exponents = {}
    for code in dict.fromkeys(row["code"] for row in rows if has_times(row)):
        code_rows = [row for row in rows if row["code"] == code and has_times(row)]
        sizes = [row["L"] for row in code_rows]
        values = {
            direction: [row[direction]["least"] for row in code_rows] for direction in DIRECTIONS
        }
        values["memory"] = [memory(row)[0] for row in code_rows]
        fitted = {name: slope(sizes, value) for name, value in values.items()}
        exponents |= {code: fitted} if fitted["inverse"] is not None else {}
    return exponents


def _slopes(rows):
    for code, fitted in slopes(rows).items():
        power = f"{_size(rows[0])[0]}^p"
        text = f"{power:>7} {code:14}{fitted['inverse']:>11.2f}{'':7}{fitted['forward']:>11.2f}"
        exponent = fitted["memory"]
        yield text + (f"{'':16}{exponent:>9.2f}" if exponent is not None else "")


def _vjp_ratios(rows):
    """A line with the times of vector-Jacobian products, relative to those of the transforms."""
    items = []
    for row in rows:
        if "vjp" in row:
            ratios = (row["vjp"][name]["least"] / row[name]["least"] for name in DIRECTIONS)
            items.append(
                f"{'='.join(map(str, _size(row)))} " + "/".join(f"{ratio:.2f}" for ratio in ratios)
            )
    if items:
        yield (
            f"{'':8}gradients: time of the vector-Jacobian product / time of the transform "
            f"({'/'.join(headings(rows[0]['transform']))}): {', '.join(items)}"
        )


def _thread_gains(results):
    """Times of spherekit on several threads relative to those on one thread, where both were measured."""
    rows = [row for row in results if row["code"] == "spherekit" and has_times(row)]
    names = ("transform", "grid", "N", "spin", "signal", "batch", "dtype", "L")

    def key(row):
        return tuple(row[name] for name in names)

    single = {key(row): row for row in rows if row["threads"] == 1}
    items = {}
    for row in rows:
        if row["threads"] > 1 and key(row) in single:
            reference = single[key(row)]
            ratios = (row[name]["least"] / reference[name]["least"] for name in DIRECTIONS)
            text = f"{'='.join(map(str, _size(row)))} " + "/".join(
                f"{ratio:.2f}" for ratio in ratios
            )
            title = (
                f"{_title(row)}: time / time on one thread ({'/'.join(headings(row['transform']))})"
            )
            items.setdefault(title, []).append(text)
    return [f"{title}: {', '.join(texts)}" for title, texts in items.items()]
