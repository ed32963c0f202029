"""Figures of the experiment: accuracy of each method, and accuracy as a function of the strength."""

from spherekit.plot.figure import figure

_CHANCE = dict(color="0.85", lw=0, zorder=0)
_CONTROL, _MAIN, _NULL = "#7a8ba3", "#c0504d", "0.35"
_LINE_COLORS = "C0", "C1", "C2", "C4", "C5", "C7", "C8", "C9"


def bars(result, *, ax=None, extra=()):
    """Bar chart of the accuracy of each method, with markers for the null test (strength 0).

    Parameters
    ----------
    result : gaussianity.Comparison
    ax : matplotlib Axes, optional
    extra : sequence of gaussianity.Row
        Additional rows, such as those of networks.

    Returns
    -------
    matplotlib Axes
    """
    rows = [*result.rows, *extra]
    ax = figure(7.4, 0.36 * len(rows) + 1.6).subplots() if ax is None else ax
    ax.axvspan(*result.band, **_CHANCE, label="chance, 2 standard deviations")
    for position, row in enumerate(rows):
        color = _MAIN if "scattering" in row.title and "<" not in row.title else _CONTROL
        ax.barh(
            position,
            row.accuracy.mean,
            xerr=row.accuracy.error,
            color=color,
            height=0.66,
            capsize=2,
        )
        ax.text(106, position, f"{row.accuracy.mean:.1f}", va="center", ha="right")
        if row.null is not None:
            label = "null test: strength 0" if position == 0 else None
            style = dict(fmt="D", ms=4, color=_NULL, zorder=3, capsize=2)
            ax.errorbar(row.null.mean, position - 0.2, xerr=row.null.error, label=label, **style)
    ax.axvline(50, color="0.5", lw=0.8, zorder=1)
    ax.set_yticks(range(len(rows)), [row.title for row in rows])
    ax.invert_yaxis()
    ax.set(xlim=(40, 106), xlabel="skies classified correctly, %")
    ax.set_xticks(range(40, 101, 10))
    s = result.settings
    ax.set_title(f"{s.recipe}, strength {s.strength:g}, L = {s.L}; {result.n} + {result.n} skies")
    _finish(ax)
    return ax


def strengths(
    results, *, methods=("cl", "low", "point", "bands", "depth-1", "scattering"), ax=None
):
    """Plot accuracy against strength, a line for each method.

    Parameters
    ----------
    results : sequence of gaussianity.Comparison
        Results for several strengths.
    methods : sequence of str
        Names of `probes.PROBES`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    results = sorted(results, key=lambda result: result.settings.strength)
    ax = figure(7.4, 4.6).subplots() if ax is None else ax
    low, high = results[0].band
    ax.axhspan(low, high, **_CHANCE, label="chance, 2 standard deviations")
    s = [result.settings.strength for result in results]
    for number, name in enumerate(methods):
        rows = [result.row(name) for result in results]
        mean = [row.accuracy.mean for row in rows]
        error = [row.accuracy.error for row in rows]
        style = dict(lw=1.2, color=_LINE_COLORS[number % 8])
        if name == "scattering":
            style = dict(lw=2.4, color=_MAIN)
        ax.errorbar(s, mean, error, marker="o", ms=4, capsize=2, label=rows[0].title, **style)
    ax.axhline(75, color="0.6", lw=0.7, ls=":")
    ax.axhline(95, color="0.6", lw=0.7, ls=":")
    ax.set(xlabel="strength", ylabel="skies classified correctly, %", ylim=(40, 102))
    first = results[0].settings
    ax.set_title(f"{first.recipe}, L = {first.L}; {results[0].n} + {results[0].n} skies")
    _finish(ax)
    return ax


def _finish(ax):
    ax.spines[["top", "right"]].set_visible(False)
    ax.figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
