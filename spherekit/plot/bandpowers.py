"""Plots of bandpowers, with error bars and the range of each bin, and of their windows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit.plot.spectra import (
    DATA_COLOR,
    THEORY_COLOR,
    add_labels,
    curve,
    real_spectrum,
    set_scales,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import ColorType


def bandpowers(
    values: ArrayLike,
    bins: object,
    *,
    errors: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    theory: ArrayLike | None = None,
    ax: Axes | None = None,
    D_ell: bool = True,
    label: str | None = None,
    theory_label: str = "theory",
    color: ColorType = DATA_COLOR,
    unit: str | None = None,
    title: str | None = None,
    xscale: Literal["linear", "log"] | None = None,
    yscale: Literal["linear", "log"] | None = None,
) -> Axes:
    """Plot bandpowers: points at the mean degrees, with the ranges of the bins and error bars.

    The limits of a linear value axis omit last bins that are noise with large errors: triangles at the edge
    mark points beyond it.

    Parameters
    ----------
    values : array_like [shape=(bins.n,)], real
        Bandpowers of C_l, or of D_l if ``bins.dl``.
    bins : spherekit.spectra.Bins
        Their bins.
    errors : array_like [shape=(bins.n,)], optional
        Standard deviations, >= 0.
    expected : array_like [shape=(bins.n,)], optional
        Bandpowers that the theory predicts, such as those of `spherekit.spectra.Bandpowers.expected`.
    theory : array_like [shape=(L_theory,)], optional
        Theoretical C_l, drawn as a curve within the bins.
    ax : matplotlib.axes.Axes, optional
        Default: the Axes of a new figure.
    D_ell : bool
        Plot l(l+1) C_l / 2 pi; bandpowers of C_l are multiplied by the mean of l(l+1) / 2 pi in the bin, with
        its weights. That is the mean of l(l+1) C_l / 2 pi where C_l is constant in the bin; of steep spectra
        in wide bins, take bandpowers of D_l.
    label, theory_label : str
        Legend entries of the bandpowers and of the theory.
    color : color
        A matplotlib color for the bandpowers.
    unit : str, optional
        Unit of the spectrum, for example "uK^2".
    title : str, optional
        Title of the Axes.
    xscale : {"linear", "log"}, optional
        Scale of the degree axis. Default: logarithmic of bins beyond l = 128 or of growing width.
    yscale : {"linear", "log"}, optional
        Scale of the value axis. Default: logarithmic if all values exceed their errors and span more than a
        factor of 300.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Arrays of another shape, with NaN or infinite values, or with negative errors; an unknown scale;
        bandpowers of D_l with ``D_ell=False``.
    TypeError
        Arrays that are complex or not numbers; bins of another type.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from spherekit.plot import bandpowers
    >>> from spherekit.spectra import Bins
    >>> ax = bandpowers([3.0, 1.0], Bins.from_edges([2, 10, 30]), errors=[0.5, 0.2], unit="uK^2")
    >>> ax.get_xlabel()
    'degree $\\\\ell$'
    """
    _check_options(bins, D_ell, xscale, yscale)
    values = _of_bins(values, "values", bins)
    factor = np.ones(bins.n)
    if D_ell and not bins.dl:
        factor = replace(bins, dl=True).bin(np.ones(bins.L))
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7.0, 4.4), layout="constrained")[1]
    sigma = np.zeros(bins.n)
    if errors is not None:
        sigma = _of_bins(errors, "errors", bins)
        if sigma.min() < 0:
            raise ValueError(f"errors contains {sigma.min():g}; expected standard deviations >= 0")
    _draw_theory(ax, bins, expected, theory, factor, D_ell, theory_label)
    _draw_points(
        ax, bins, factor * values, factor * sigma if errors is not None else None, color, label
    )
    _set_scales(ax, bins, factor * values, factor * sigma, xscale, yscale)
    if len(ax.containers) == 1 and ax.get_yscale() == "linear":
        predicted = [] if expected is None else factor * np.asarray(expected)
        _limit_to_precise(ax, bins, factor * values, factor * sigma, predicted)
    add_labels(ax, D_ell, unit, title)
    _add_legend(ax)
    if ax.get_yscale() == "linear":
        _mark_outside(ax, bins, factor * values)
    return ax


def bandpower_windows(
    windows: ArrayLike, bins: object, *, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Plot bandpower windows: the weights with which spectra of each degree contribute to bandpowers.

    Parameters
    ----------
    windows : array_like [shape=(bins.n, L)]
        Such as ``windows["EE"]["EE"]`` of `spherekit.spectra.Bandpowers`.
    bins : spherekit.spectra.Bins
        Their bins.
    ax : matplotlib.axes.Axes, optional
        Default: the Axes of a new figure.
    title : str, optional
        Title of the Axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Windows of another shape, or with NaN or infinite values.
    TypeError
        Windows that are complex or not numbers; bins of another type.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from spherekit.plot import bandpower_windows
    >>> from spherekit.spectra import Bins
    >>> bins = Bins.from_edges([2, 10, 30])
    >>> len(bandpower_windows(bins.matrix(), bins).lines)
    2
    """
    _check_options(bins, True, None, None)
    windows = real_spectrum(windows, "windows")
    if windows.shape != (bins.n, bins.L):
        raise ValueError(f"windows has shape {windows.shape}; expected ({bins.n}, {bins.L})")
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7.0, 3.0), layout="constrained")[1]
    from matplotlib import colormaps

    start = min(int(bins.first[0]), 2)
    ell = np.arange(bins.L)[start:]
    for row, position in zip(windows, np.linspace(0.05, 0.85, bins.n), strict=True):
        ax.plot(ell, row[start:], color=colormaps["viridis"](position), lw=1.1)
    set_scales(ax, ell, windows[:, start:].ravel(), None, "linear")
    add_labels(ax, True, None, title)
    ax.set_ylabel("weight")
    return ax


def _check_options(bins, D_ell, xscale, yscale):
    if not all(hasattr(bins, name) for name in ("first", "stop", "ell", "dl", "n")):
        raise TypeError(f"bins is {type(bins).__name__}; expected spherekit.spectra.Bins")
    for name, scale in dict(xscale=xscale, yscale=yscale).items():
        if scale not in (None, "linear", "log"):
            raise ValueError(f"{name} must be one of 'linear', 'log', None; got {scale!r}")
    if bins.dl and not D_ell:
        raise ValueError("D_ell is False, but the bandpowers are those of D_l (bins.dl)")


def _of_bins(values, name, bins):
    values = real_spectrum(values, name)
    if values.shape != (bins.n,):
        raise ValueError(
            f"{name} has shape {values.shape}; expected ({bins.n},), one value for each bin"
        )
    return values


def _draw_points(ax, bins, y, sigma, color, label):
    left = bins.ell - bins.first
    right = bins.stop - 1 - bins.ell
    style = dict(fmt="o", ms=3.6, lw=1.0, elinewidth=1.0, capsize=0, color=color, zorder=3)
    ax.errorbar(bins.ell, y, yerr=sigma, xerr=[left, right], label=label, **style)


def _draw_theory(ax, bins, expected, theory, factor, D_ell, label):
    """The curve of a theory within the bins, and the bandpowers that it predicts."""
    if theory is not None:
        cl = real_spectrum(theory, "theory")
        if cl.ndim != 1 or cl.size <= bins.first[0]:
            raise ValueError(
                f"theory has shape {cl.shape}; expected one spectrum, of degrees beyond {bins.first[0]}"
            )
        ell, values = curve(cl[: bins.stop[-1]], int(bins.first[0]), D_ell)
        ax.plot(ell, values, color=THEORY_COLOR, lw=1.4, label=label, zorder=2)
    if expected is not None:
        expected = factor * _of_bins(expected, "expected", bins)
        style = dict(color=THEORY_COLOR, marker="s", ms=4.5, mfc="none", lw=0, zorder=2)
        ax.plot(bins.ell, expected, label=f"{label}, in the bins", **style)


def _set_scales(ax, bins, y, sigma, xscale, yscale):
    widths = bins.stop - bins.first
    if xscale is None and bins.first[0] > 0 and widths[-1] > 4 * widths[0]:
        xscale = "log"
    if yscale is None:
        is_wide = (y - sigma > 0).all() and y.max() > 300 * y.min()
        yscale = "log" if is_wide else "linear"
    ell = np.array([max(bins.first[0], 1 if xscale == "log" else 0), bins.stop[-1] - 1])
    set_scales(ax, ell, y - sigma, xscale, yscale)
    if ax.get_xscale() == "log":
        ax.set_xlim(left=0.85 * ell[0])
    if yscale == "linear" and (y - sigma).min() < 0:
        ax.axhline(0, color="0.4", lw=0.6, zorder=1)


def _limit_to_precise(ax, bins, y, sigma, predicted):
    """Omit from the limits of the values the last bins, as far as they are noise of large errors."""
    is_noise = (sigma > 1.5 * np.median(sigma)) & (np.abs(y) < 3 * sigma)
    count = bins.n if not is_noise.all() else 0
    while count > 1 and is_noise[count - 1]:
        count -= 1
    if count in (0, bins.n):
        return
    curves = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) > bins.n]
    drawn = [y[:count] - sigma[:count], y[:count] + sigma[:count], predicted, *curves]
    low, high = (function(np.concatenate(drawn)) for function in (np.min, np.max))
    margin = 0.05 * (high - low)
    if not margin > 0:
        return
    ax.set_ylim(min(low, 0) - margin * (low < 0), high + margin)


def _mark_outside(ax, bins, y):
    """Triangles at the edge for points beyond the limits of the values."""
    low, high = ax.get_ylim()
    style = dict(ls="none", ms=5, color="0.45", clip_on=False, zorder=4)
    for outside, edge, marker in ((y > high, high, "^"), (y < low, low, "v")):
        if outside.any():
            ax.plot(bins.ell[outside], np.full(outside.sum(), edge), marker=marker, **style)


def _add_legend(ax):
    """A legend above the points, in one row with room of its own."""
    labels = ax.get_legend_handles_labels()[1]
    if not labels:
        return
    low, high = ax.get_ylim()
    top = high * (high / low) ** 0.16 if ax.get_yscale() == "log" else high + 0.16 * (high - low)
    ax.set_ylim(low, top)
    style = dict(frameon=False, fontsize="small", columnspacing=1.2, handletextpad=0.5)
    ax.legend(loc="upper center", ncols=min(len(labels), 3), **style)
