"""The picture of an angular power spectrum."""

import numpy as np

from spherekit._core import checks
from spherekit.plot.maps import pretty_unit

_DATA, _THEORY = "#1f4e79", "#c0504d"


def cosmic_variance(cl, f_sky=1.0):
    """Standard deviation of a measured spectrum: sqrt(2 / ((2l + 1) f_sky)) C_l.

    Parameters
    ----------
    cl : ndarray [shape=(..., L)]
        The true spectrum, C_l or D_l, any unit.
    f_sky : float
        Fraction of the sky that was seen, in (0, 1].

    Returns
    -------
    ndarray [shape=(..., L)]

    Notes
    -----
    For a Gaussian field; exact on the full sky, the usual approximation on a part of it
    (Scott, Srednicki & White 1994, ApJ 421, L5).

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.plot import cosmic_variance
    >>> cosmic_variance(np.ones(3))[0] == np.sqrt(2)
    np.True_
    """
    cl, f_sky = _real_spectrum(cl, "cl"), _fraction(f_sky)
    return np.sqrt(2 / ((2 * np.arange(cl.shape[-1]) + 1) * f_sky)) * np.abs(cl)


def spectrum(
    cl,
    *,
    ax=None,
    theory=None,
    f_sky=1.0,
    D_ell=True,
    cosmic_variance=True,
    label=None,
    theory_label="theory",
    color=_DATA,
    unit=None,
    title=None,
    ell_min=2,
    xscale=None,
    yscale=None,
):
    """Draw an angular power spectrum with its cosmic-variance band and return the Axes.

    Parameters
    ----------
    cl : real ndarray [shape=(L,)]
        C_l for l = 0..L-1, as :func:`spherekit.spectra.power` gives it.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    theory : real ndarray [shape=(any,)], optional
        A C_l to compare with, in the same unit; the band is drawn around it.
    f_sky : float
        Fraction of the sky behind ``cl``: it widens the band. ``cl`` itself is drawn as given.
    D_ell : bool
        Draw l(l+1) C_l / 2 pi.
    cosmic_variance : bool
        The band of one standard deviation, see :func:`spherekit.plot.cosmic_variance`, around
        the theory, or around ``cl`` where there is no theory.
    label, theory_label, title : str, optional
    color : matplotlib colour
        Of ``cl``, to tell several spectra in one Axes from each other.
    unit : str, optional
        Unit of the spectrum, for example "uK^2".
    ell_min : int
        First degree drawn; 2 by default, since l = 0 and 1 hold the mean and the motion.
    xscale, yscale : {"linear", "log"}, optional
        Default: a logarithmic degree axis from L = 129 on; a logarithmic value axis where all
        values are positive and span more than a factor 300.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        Not one-dimensional, empty above ell_min, NaN or inf, or f_sky outside (0, 1].
    TypeError
        A spectrum that is complex or no numbers; an ell_min or f_sky of another kind.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from spherekit.plot import spectrum
    >>> spectrum(1 / (1 + np.arange(64.0)) ** 2, unit="K^2").get_xlabel()
    'degree $\\\\ell$'
    """
    ell_min, f_sky = checks.integer(ell_min, "ell_min", 0), _fraction(f_sky)
    for name, scale in dict(xscale=xscale, yscale=yscale).items():
        if scale not in (None, "linear", "log"):
            raise ValueError(f"{name} is {scale!r}; expected 'linear', 'log' or None")
    cl = _as_spectrum(cl, "cl", ell_min)
    theory = None if theory is None else _as_spectrum(theory, "theory", ell_min)[: cl.size]
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7.0, 4.4), layout="constrained")[1]
    ell, values = _curve(cl, ell_min, D_ell)
    if cosmic_variance:
        around, tint = (cl, color) if theory is None else (theory, _THEORY)
        _draw_band(ax, around, ell_min, D_ell, f_sky, tint)
    if theory is not None:
        ax.plot(*_curve(theory, ell_min, D_ell), color=_THEORY, lw=1.6, label=theory_label)
    sparse = theory is not None and ell.size <= 200
    style = dict(marker="o", ms=3.2, lw=0.6, alpha=0.95) if sparse else dict(lw=1.3)
    ax.plot(ell, values, color=color, label=label, zorder=3, **style)
    _scales(ax, ell, values, xscale, yscale)
    _labels(ax, D_ell, unit, title)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small")
    return ax


def _fraction(f_sky):
    expected = "a fraction of the sky in (0, 1]"
    return checks.real_number(f_sky, "f_sky", expected, lambda share: 0 < share <= 1)


def _as_spectrum(cl, name, ell_min):
    cl = _real_spectrum(cl, name)
    if cl.ndim != 1 or cl.size <= ell_min:
        raise ValueError(
            f"{name} has shape {cl.shape}; expected one spectrum (L,) with L above ell_min = {ell_min}. "
            "Draw several by several calls with ax="
        )
    return cl


def _real_spectrum(cl, name):
    """Spectra as float64, finite."""
    cl = np.asarray(checks.as_array(cl, name, "draw its values, with unit=..."))
    if cl.dtype.kind not in "fiu":
        hint = f"; pass {name}.real" if cl.dtype.kind == "c" else ""
        raise TypeError(f"{name} has dtype {cl.dtype}; expected real numbers{hint}")
    if cl.ndim == 0:
        raise ValueError(f"{name} is a single number; expected a spectrum (..., L)")
    cl = cl.astype(np.float64)
    bad = int(np.count_nonzero(~np.isfinite(cl)))
    if bad:
        raise ValueError(f"{name} holds {bad} values that are NaN or inf; expected numbers")
    return cl


def _curve(cl, ell_min, D_ell):
    ell = np.arange(cl.size)
    with np.errstate(over="ignore"):
        values = cl * (ell * (ell + 1) / (2 * np.pi)) if D_ell else cl
        if not np.isfinite(4 * values).all():  # margins of the Axes included
            raise ValueError(
                f"the spectrum goes up to {np.abs(cl).max():.3g}, beyond what float64 can draw; scale it down"
            )
    return ell[ell_min:], values[ell_min:]


def _draw_band(ax, cl, ell_min, D_ell, f_sky, color):
    sigma = cosmic_variance(cl, f_sky)
    ell, low = _curve(cl - sigma, ell_min, D_ell)
    _, high = _curve(cl + sigma, ell_min, D_ell)
    label = "cosmic variance" if f_sky == 1 else f"cosmic variance, $f_{{sky}}$ = {f_sky:.2f}"
    known = ax.get_legend_handles_labels()[1]
    ax.fill_between(
        ell,
        np.maximum(low, 0) if cl.min() >= 0 else low,  # a cross spectrum may be negative
        high,
        color=color,
        alpha=0.16,
        lw=0,
        label=None if label in known else label,
        zorder=1,
    )


def _scales(ax, ell, values, xscale, yscale):
    positive = values.min() > 0
    if xscale is None:
        xscale = "log" if ell[-1] >= 128 and ell[0] > 0 else "linear"
    if yscale is None:
        yscale = "log" if positive and values.max() > 300 * values.min() else "linear"
    ax.set_xscale(xscale)
    ax.set_yscale(yscale)
    ax.set_xlim(ell[0] if xscale == "log" else 0, ell[-1] * (1.02 if xscale == "log" else 1) + 0.5)
    ax.autoscale(axis="y")  # over all that the Axes hold, earlier spectra included
    if yscale == "linear" and ax.dataLim.y0 >= 0:
        ax.set_ylim(bottom=0)
    if xscale == "log":
        from matplotlib.ticker import NullFormatter, ScalarFormatter

        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())


def _labels(ax, D_ell, unit, title):
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
