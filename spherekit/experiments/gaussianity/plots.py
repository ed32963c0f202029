"""Pictures of the experiment: accuracy of each method with the band of chance, and against the strength."""

from spherekit.plot.figure import figure

_BAND = dict(color="0.85", lw=0, zorder=0)
_CONTROL, _MAIN, _NULL = "#7a8ba3", "#c0504d", "0.35"
_LINES = "C0", "C1", "C2", "C4", "C5", "C7", "C8", "C9"


def bars(result, *, ax=None, extra=()):
    """Accuracy of every method, those of the null run as marks; returns the axes.

    Parameters
    ----------
    result : `gaussianity.Result`
    ax : matplotlib Axes, optional
    extra : sequence of `gaussianity.Row`
        More rows, as those of a network.
    """
    rows = [*result.rows, *extra]
    ax = figure(7.4, 0.36 * len(rows) + 1.6).subplots() if ax is None else ax
    ax.axvspan(*result.band, **_BAND, label="chance, 2 sigma")
    for place, row in enumerate(rows):
        colour = _MAIN if "scattering" in row.title and "<" not in row.title else _CONTROL
        ax.barh(
            place, row.accuracy.mean, xerr=row.accuracy.error, color=colour, height=0.66, capsize=2
        )
        ax.text(106, place, f"{row.accuracy.mean:.1f}", va="center", ha="right")
        if row.null is not None:
            label = "strength 0" if place == 0 else None
            look = dict(fmt="D", ms=4, color=_NULL, zorder=3, capsize=2)
            ax.errorbar(row.null.mean, place - 0.2, xerr=row.null.error, label=label, **look)
    ax.axvline(50, color="0.5", lw=0.8, zorder=1)
    ax.set_yticks(range(len(rows)), [row.title for row in rows])
    ax.invert_yaxis()
    ax.set(xlim=(40, 106), xlabel="skies told right, %")
    ax.set_xticks(range(40, 101, 10))
    s = result.settings
    ax.set_title(f"{s.recipe}, strength {s.strength:g}, L = {s.L}; {result.n} + {result.n} skies")
    _finish(ax)
    return ax


def strengths(
    results, *, methods=("cl", "low", "point", "bands", "depth-1", "scattering"), ax=None
):
    """Accuracy against strength, a line for each method; returns the axes."""
    results = sorted(results, key=lambda result: result.settings.strength)
    ax = figure(7.4, 4.6).subplots() if ax is None else ax
    low, high = results[0].band
    ax.axhspan(low, high, **_BAND, label="chance, 2 sigma")
    s = [result.settings.strength for result in results]
    for number, name in enumerate(methods):
        found = [result.row(name) for result in results]
        mean, error = ([getattr(row.accuracy, part) for row in found] for part in ("mean", "error"))
        main = (
            dict(lw=2.4, color=_MAIN)
            if name == "scattering"
            else dict(lw=1.2, color=_LINES[number % 8])
        )
        ax.errorbar(s, mean, error, marker="o", ms=4, capsize=2, label=found[0].title, **main)
    ax.axhline(75, color="0.6", lw=0.7, ls=":")
    ax.axhline(95, color="0.6", lw=0.7, ls=":")
    ax.set(xlabel="strength", ylabel="skies told right, %", ylim=(40, 102))
    of = results[0].settings
    ax.set_title(f"{of.recipe}, L = {of.L}; {results[0].n} + {results[0].n} skies")
    _finish(ax)
    return ax


def _finish(ax):
    ax.spines[["top", "right"]].set_visible(False)
    ax.figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
