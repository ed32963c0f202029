"""Measurements as a figure."""

from spherekit.bench.cases.harmonic import CODES
from spherekit.bench.report import WAYS, groups, measured, memory
from spherekit.plot.figure import figure as new_figure
from spherekit.plot.figure import save

_COLOURS = dict(
    zip((*CODES, "spherical"), ("black", "0.55", "C0", "C2", "C1", "C3", "C4"), strict=True)
)


def figure(results, path=None):
    """Draw time and memory against L: a row for each table, a curve for each code.

    Parameters
    ----------
    results : list of dict
        What `spherekit.bench.measure` returned.
    path : str, optional
        File to write: .png, .pdf or .svg.

    Returns
    -------
    matplotlib Figure
    """
    from spherekit.bench.report import machine

    tables = {title: rows for title, rows in groups(results).items() if any(map(measured, rows))}
    count = max(len(tables), 1)
    drawing = new_figure(10.5, 1.2 + 2.6 * count)
    axes = drawing.subplots(count, 3, squeeze=False)
    for row, (title, rows) in zip(axes, tables.items(), strict=False):
        _panels(row, title, [result for result in rows if measured(result)])
    for ax in axes[-1]:
        ax.set_xlabel("band-limit L")
    curves = {line.get_label(): line for ax in axes.flat for line in ax.get_lines()}
    shown = [name for name in _COLOURS if name in curves]
    drawing.legend([curves[name] for name in shown], shown, loc="outside upper center",
                   ncols=len(shown) or 1, frameon=False)  # fmt: skip
    facts = machine()
    drawing.supxlabel(f"{facts['processor']} ({facts['target']})", fontsize="small", color="0.4")
    if path is not None:
        save(drawing, path, dpi=130)
    return drawing


def _panels(axes, title, results):
    """Inverse, forward and memory of one table."""
    for code in [name for name in _COLOURS if any(r["code"] == name for r in results)]:
        mine = sorted((r for r in results if r["code"] == code), key=lambda r: r["L"])
        curve = dict(color=_COLOURS[code], marker="o", ms=4, lw=1.6, label=code)
        for ax, way in zip(axes, WAYS, strict=False):
            ax.plot([r["L"] for r in mine], [r[way]["least"] for r in mine], **curve)
        known = [(r["L"], memory(r)[0] / 1e6) for r in mine if memory(r)[0]]
        if known:
            axes[2].plot(*zip(*known, strict=True), **curve)
    ticks = sorted({result["L"] for result in results})
    for ax, name, unit in zip(
        axes, (*WAYS, "memory beyond in and output"), ("ms", "ms", "MB"), strict=True
    ):
        ax.set_title(f"{title}: {name}" if ax is axes[0] else name, fontsize="medium", loc="left")
        ax.set(xscale="log", yscale="log", ylabel=unit)
        ax.set_xticks(ticks, [str(L) for L in ticks])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
