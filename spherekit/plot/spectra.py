"""Plots of angular power spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.plot.units import pretty_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import ColorType

#: Colors of measured spectra and of a theory.
DATA_COLOR, THEORY_COLOR = "#1f4e79", "#c0504d"


def cosmic_variance(cl: ArrayLike, f_sky: float = 1.0) -> np.ndarray:
    """Standard deviation of the measured spectrum of a Gaussian field.

    sigma_l = sqrt(2 / ((2l + 1) f_sky)) abs(C_l)

    Parameters
    ----------
    cl : array_like [shape=(..., L)], real
        The true spectrum, C_l or D_l, in any unit.
    f_sky : float
        Observed fraction of the sky, in (0, 1].

    Returns
    -------
    ndarray [shape=(..., L)], float64

    Raises
    ------
    ValueError
        If ``cl`` is a single number or has NaN or infinite values, or ``f_sky`` is not in (0, 1].
    TypeError
        If ``cl`` is complex or non-numeric, or ``f_sky`` is not a number.

    Notes
    -----
    Exact on the full sky, and the usual approximation on a part of it (Scott, Srednicki & White 1994, ApJ
    421, L5).

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.plot import cosmic_variance
    >>> cosmic_variance(np.ones(3)).round(3)
    array([1.414, 0.816, 0.632])
    """
    cl = real_spectrum(cl, "cl")
    f_sky = _fraction(f_sky)
    return np.sqrt(2 / ((2 * np.arange(cl.shape[-1]) + 1) * f_sky)) * np.abs(cl)


def spectrum(
    cl: ArrayLike,
    *,
    ax: Axes | None = None,
    theory: ArrayLike | None = None,
    f_sky: float = 1.0,
    D_ell: bool = True,
    cosmic_variance: bool = True,
    label: str | None = None,
    theory_label: str = "theory",
    color: ColorType = DATA_COLOR,
    unit: str | None = None,
    title: str | None = None,
    ell_min: int = 2,
    xscale: Literal["linear", "log"] | None = None,
    yscale: Literal["linear", "log"] | None = None,
) -> Axes:
    """Plot an angular power spectrum with its cosmic-variance band.

    Parameters
    ----------
    cl : array_like [shape=(L,)], real
        C_l for l = 0..L-1, as :func:`spherekit.spectra.power` returns it.
    ax : matplotlib.axes.Axes, optional
        Default: the Axes of a new figure.
    theory : array_like [shape=(L_theory,)], real, optional
        Theoretical C_l in the same unit, plotted for comparison.
    f_sky : float
        Observed fraction of the sky, which widens the band. ``cl`` itself is not rescaled.
    D_ell : bool
        Plot D_l = l(l+1) C_l / (2 pi) instead of C_l.
    cosmic_variance : bool
        Draw the band of one standard deviation, see :func:`spherekit.plot.cosmic_variance`, around the
        theory, or around ``cl`` without a theory.
    label : str, optional
        Legend entry of ``cl``.
    theory_label : str
        Legend entry of the theory.
    color : color
        A matplotlib color for ``cl``.
    unit : str, optional
        Unit of the spectrum, for example "uK^2".
    title : str, optional
        Title of the Axes.
    ell_min : int
        Lowest degree plotted. The default 2 omits monopole and dipole.
    xscale : {"linear", "log"}, optional
        Scale of the degree axis. Default: logarithmic for L >= 129.
    yscale : {"linear", "log"}, optional
        Scale of the value axis. Default: logarithmic if all values are positive and span more than a factor
        of 300.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a spectrum is not one-dimensional, has no degree >= ``ell_min``, has NaN or infinite values or
        exceeds the range of float64; if ``f_sky`` is not in (0, 1]; or if a scale is unknown.
    TypeError
        If a spectrum is complex or non-numeric, or ``ell_min`` or ``f_sky`` has a wrong type.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from spherekit.plot import spectrum
    >>> spectrum(1 / (1 + np.arange(64.0)) ** 2, unit="K^2").get_xlabel()
    'degree $\\\\ell$'
    """
    ell_min = checks.integer(ell_min, "ell_min", 0)
    f_sky = _fraction(f_sky)
    for name, scale in dict(xscale=xscale, yscale=yscale).items():
        if scale not in (None, "linear", "log"):
            raise ValueError(f"{name} must be one of 'linear', 'log', None; got {scale!r}")
    cl = _as_spectrum(cl, "cl", ell_min)
    theory = None if theory is None else _as_spectrum(theory, "theory", ell_min)[: cl.size]
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7.0, 4.4), layout="constrained")[1]
    ell, values = curve(cl, ell_min, D_ell)
    if cosmic_variance:
        center, band_color = (cl, color) if theory is None else (theory, THEORY_COLOR)
        _draw_band(ax, center, ell_min, D_ell, f_sky, band_color)
    if theory is not None:
        ax.plot(*curve(theory, ell_min, D_ell), color=THEORY_COLOR, lw=1.6, label=theory_label)
    sparse = theory is not None and ell.size <= 200
    style = dict(marker="o", ms=3.2, lw=0.6, alpha=0.95) if sparse else dict(lw=1.3)
    ax.plot(ell, values, color=color, label=label, zorder=3, **style)
    set_scales(ax, ell, values, xscale, yscale)
    add_labels(ax, D_ell, unit, title)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small")
    return ax


def _fraction(f_sky):
    expected = "a fraction of the sky in (0, 1]"
    return checks.real_number(f_sky, "f_sky", expected, lambda fraction: 0 < fraction <= 1)


def _as_spectrum(cl, name, ell_min):
    cl = real_spectrum(cl, name)
    if cl.ndim != 1 or cl.size <= ell_min:
        raise ValueError(
            f"{name} has shape {cl.shape}; expected one spectrum (L,) with L > ell_min = {ell_min}. Plot "
            "several spectra with several calls and ax="
        )
    return cl


def real_spectrum(cl, name):
    """Spectra as float64, checked to be finite."""
    cl = np.asarray(checks.as_array(cl, name, "plot its values, with unit=..."))
    if cl.dtype.kind not in "fiu":
        hint = f"; pass {name}.real" if cl.dtype.kind == "c" else ""
        raise TypeError(f"{name} has dtype {cl.dtype}; expected real numbers{hint}")
    if cl.ndim == 0:
        raise ValueError(f"{name} is a single number; expected a spectrum of shape (..., L)")
    cl = cl.astype(np.float64)
    count = int(np.count_nonzero(~np.isfinite(cl)))
    if count:
        raise ValueError(f"{name} has {count} NaN or infinite values; expected finite numbers")
    return cl


def curve(cl, ell_min, D_ell):
    ell = np.arange(cl.size)
    with np.errstate(over="ignore"):
        values = cl * (ell * (ell + 1) / (2 * np.pi)) if D_ell else cl
        if not np.isfinite(4 * values).all():  # including the margins of the Axes
            raise ValueError(
                f"the spectrum has values up to {np.abs(cl).max():.3g}, too large to plot in float64; "
                "rescale it"
            )
    return ell[ell_min:], values[ell_min:]


def _draw_band(ax, cl, ell_min, D_ell, f_sky, color):
    sigma = cosmic_variance(cl, f_sky)
    ell, low = curve(cl - sigma, ell_min, D_ell)
    _, high = curve(cl + sigma, ell_min, D_ell)
    label = "cosmic variance" if f_sky == 1 else f"cosmic variance, $f_{{sky}}$ = {f_sky:.2f}"
    existing = ax.get_legend_handles_labels()[1]
    ax.fill_between(
        ell,
        np.maximum(low, 0) if cl.min() >= 0 else low,  # a cross spectrum may be negative
        high,
        color=color,
        alpha=0.16,
        lw=0,
        label=None if label in existing else label,
        zorder=1,
    )


def set_scales(ax, ell, values, xscale, yscale):
    positive = values.min() > 0
    if xscale is None:
        xscale = "log" if ell[-1] >= 128 and ell[0] > 0 else "linear"
    if yscale is None:
        yscale = "log" if positive and values.max() > 300 * values.min() else "linear"
    ax.set_xscale(xscale)
    ax.set_yscale(yscale)
    ax.set_xlim(ell[0] if xscale == "log" else 0, ell[-1] * (1.02 if xscale == "log" else 1) + 0.5)
    ax.autoscale(axis="y")  # including earlier spectra in these Axes
    if yscale == "linear" and ax.dataLim.y0 >= 0:
        ax.set_ylim(bottom=0)
    if xscale == "log":
        from matplotlib.ticker import NullFormatter, ScalarFormatter

        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())


def add_labels(ax, D_ell, unit, title):
    symbol = r"$\ell(\ell+1)\,C_\ell\,/\,2\pi$" if D_ell else r"$C_\ell$"
    ax.set_xlabel(r"degree $\ell$")
    ax.set_ylabel(f"{symbol}  [{pretty_unit(unit)}]" if unit else symbol)
    if title:
        ax.set_title(title, fontsize="medium")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_linewidth(0.7)
    ax.tick_params(which="both", width=0.6, labelsize="small")
    ax.grid(True, which="major", lw=0.4, alpha=0.35)
    ax.set_axisbelow(True)
