"""Benchmark results as a figure."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spherekit.bench.cases.harmonic import CODES
from spherekit.bench.report import DIRECTIONS, groups, has_times, headings, machine, memory
from spherekit.plot.figure import figure as new_figure
from spherekit.plot.figure import save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = dict(
    zip((*CODES, "spherical"), ("black", "0.55", "C0", "C2", "C1", "C3", "C4"), strict=True)
)


def figure(results: Sequence[dict], path: str | os.PathLike | None = None) -> "Figure":
    """Plot time and memory against L: a row of panels for each table, a line for each package.

    Parameters
    ----------
    results : list of dict
        As returned by `spherekit.bench.measure`.
    path : str or path, optional
        File to write: .png, .pdf or .svg.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    KeyError
        If an entry is not a benchmark result.
    ValueError
        If the format of the file is not supported.

    Examples
    --------
    >>> from spherekit import bench
    >>> case = dict(transform="harmonic", grid="gl", N=0, spin=0, signal="real", batch=1, threads=1)
    >>> case |= dict(dtype="float64", code="spherekit")
    >>> times = [(64, 0.1), (128, 0.6), (256, 4.0)]
    >>> results = [case | dict(L=L, inverse={"least": t}, forward={"least": t}) for L, t in times]
    >>> [ax.get_title(loc="left") for ax in bench.figure(results).axes]
    ['gl, real maps, 1 thread: inverse', 'forward', 'memory beyond input and output']
    """
    tables = {title: rows for title, rows in groups(results).items() if any(map(has_times, rows))}
    count = max(len(tables), 1)
    fig = new_figure(10.5, 1.2 + 2.6 * count)
    axes = fig.subplots(count, 3, squeeze=False)
    for row, (title, rows) in zip(axes, tables.items(), strict=False):
        _panels(row, title, [result for result in rows if has_times(result)])
    for ax in axes[-1]:
        ax.set_xlabel("band-limit L")
    lines = {line.get_label(): line for ax in axes.flat for line in ax.get_lines()}
    names = [name for name in _COLORS if name in lines]
    fig.legend([lines[name] for name in names], names, loc="outside upper center",
               ncols=len(names) or 1, frameon=False)  # fmt: skip
    facts = machine()
    fig.supxlabel(f"{facts['processor']} ({facts['target']})", fontsize="small", color="0.4")
    if path is not None:
        save(fig, path, dpi=130)
    return fig


def _panels(axes, title, results):
    """Times of both directions and memory of one table."""
    for code in [name for name in _COLORS if any(r["code"] == name for r in results)]:
        rows = sorted((r for r in results if r["code"] == code), key=lambda r: r["L"])
        style = dict(color=_COLORS[code], marker="o", ms=4, lw=1.6, label=code)
        for ax, direction in zip(axes, DIRECTIONS, strict=False):
            ax.plot([r["L"] for r in rows], [r[direction]["least"] for r in rows], **style)
        points = [(r["L"], memory(r)[0] / 1e6) for r in rows if memory(r)[0]]
        if points:
            axes[2].plot(*zip(*points, strict=True), **style)
    ticks = sorted({result["L"] for result in results})
    names = (*headings(results[0]["transform"]), "memory beyond input and output")
    for ax, name, unit in zip(axes, names, ("time, ms", "time, ms", "MB"), strict=True):
        ax.set_title(f"{title}: {name}" if ax is axes[0] else name, fontsize="medium", loc="left")
        ax.set(xscale="log", yscale="log", ylabel=unit)
        ax.set_xticks(ticks, [str(L) for L in ticks])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
