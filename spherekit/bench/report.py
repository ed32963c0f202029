"""Measurements as a table of words and as a figure."""

import os
import platform

import numpy as np


def machine():
    """The machine and the versions that were measured."""
    import numba

    return {
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(
                line.split(":")[1].strip() for line in file if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(results):
    """Lines: milliseconds, ratio to each peer (ours / theirs), error of the round trip, memory."""
    lines = [
        f"{'grid':8}{'L':>6}{'spin':>5}{'maps':>5}{'thr':>4}  {'code':10}"
        f"{'inverse':>10}{'ratio':>7}{'forward':>10}{'ratio':>7}{'error':>10}{'memory':>9}{'first':>8}"
    ]
    notes, ours = [], None
    for result in results:
        if result["code"] == "spherekit":
            ours = result
        if "inverse" not in result:
            why = result.get("incomparable") or f"failed: {result.get('failed')}"
            note = f"{result['code']}: {why}"
            notes += [note] if note not in notes else []
            continue
        lines.append(_row(result, ours))
    if len(lines) > 1:
        lines.append(
            "ms: least of all runs; ratio: spherekit / peer, below 1 where spherekit is faster;"
        )
        lines.append(
            "memory: peak of the larger direction beyond input and output, MB; first: first calls, s"
        )
    return [*lines, *notes]


def _row(result, ours):
    inverse, forward = result["inverse"], result["forward"]
    memory = [way["memory"] for way in (inverse, forward) if way["memory"] is not None]
    text = f"{result['grid']:8}{result['L']:>6}{result['spin']:>5}{result['batch']:>5}"
    text += f"{result['threads']:>4}  {result['code']:10}"
    for way in ("inverse", "forward"):
        compared = result is not ours and ours is not None and way in ours
        ratio = f"{ours[way]['least'] / result[way]['least']:.2f}" if compared else ""
        text += f"{result[way]['least']:>10.3f}{ratio:>7}"
    text += f"{result['error']:>10.1e}{max(memory) / 1e6 if memory else float('nan'):>9.1f}"
    return text + f"{(inverse['first'] + forward['first']) / 1e3:>8.2f}"


def figure(results, path):
    """Time against L, a panel for each grid and direction, a curve for each code."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    measured = [result for result in results if "inverse" in result]
    grids = list(dict.fromkeys(result["grid"] for result in measured))
    codes = list(dict.fromkeys(result["code"] for result in measured))
    drawing = Figure(figsize=(7.5, 1 + 2.7 * len(grids)), layout="constrained")
    axes = drawing.subplots(len(grids), 2, squeeze=False, sharex=True)
    for row, grid in zip(axes, grids, strict=True):
        for ax, way in zip(row, ("inverse", "forward"), strict=True):
            for code in codes:
                mine = [r for r in measured if r["grid"] == grid and r["code"] == code]
                times = [r[way]["least"] for r in mine]
                ax.loglog([r["L"] for r in mine], times, "o-", lw=1.5, ms=4, label=code)
            ax.set_title(f"{grid}, {way}", fontsize="medium")
            ax.grid(alpha=0.3)
            ax.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel("milliseconds")
    for ax in axes[-1]:
        ax.set_xlabel("band-limit L")
        ticks = sorted({result["L"] for result in measured})
        ax.set_xticks(ticks, [str(L) for L in ticks], minor=False)
        ax.minorticks_off()
    axes[0, 0].legend(frameon=False)
    FigureCanvasAgg(drawing)
    drawing.savefig(path, dpi=130)
