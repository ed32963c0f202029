"""The picture of one signal on the sphere."""

import numpy as np

from spherekit._core import checks
from spherekit.plot import projection as _projection

_MISSING = "0.78"  # grey of masked and missing samples
_INK = "0.25"
_MARGIN = 4.0  # the colour bar and its pointed ends take more than the range
_SIZES = {"mollweide": (8.0, 4.9), "orthographic": (8.0, 5.0), "cartesian": (8.0, 5.2)}


def show(
    f,
    grid,
    *,
    projection="mollweide",
    ax=None,
    title=None,
    unit=None,
    cmap=None,
    vmin=None,
    vmax=None,
    symmetric=None,
    rot=(0.0, 0.0),
    flip="astro",
    half=False,
    size=1600,
    graticule=True,
    colorbar=True,
):
    """Draw a real signal on the sphere and return the Axes.

    Parameters
    ----------
    f : real ndarray [shape=grid.shape]
        One signal; NaN and UNSEEN samples are drawn in grey.
    grid : Grid or str
        Where the samples lie, for example ``HEALPix(32)`` or ``"mw:64"``.
    projection, rot, flip, half, size
        As in :func:`spherekit.plot.project`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    title, unit : str, optional
        ``unit`` is written on the colour bar ("uK" becomes a micro sign).
    cmap : str or Colormap, optional
        Default: RdBu_r where the range is symmetric about zero, else viridis.
    vmin, vmax : float, optional
        Colour range. Default: percentiles 1 and 99 of the samples, made symmetric about zero
        for signed signals; the colour bar has a pointed end where samples lie outside.
    symmetric : bool, optional
        Force or forbid the symmetric range; by default the samples decide: both signs present,
        the smaller side at least a tenth of the larger.
    graticule, colorbar : bool
        Meridians every 60 and parallels every 30 degrees; the colour bar below the picture.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        As :func:`project`; also vmin not below vmax, a range that is wider than numbers go, an
        unknown cmap, and a signal without one valid sample.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from spherekit.plot import show
    >>> from spherekit.sampling import MW
    >>> import numpy as np
    >>> grid = MW(16)
    >>> f = np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> show(f, grid, size=200, title="dipole").get_title()
    'dipole'
    """
    view = dict(projection=projection, rot=rot, flip=flip, half=half, size=size)
    p = _projection.project(f, grid, **view)
    vmin, vmax, extend, signed = color_range(f, vmin=vmin, vmax=vmax, symmetric=symmetric)
    if ax is None:
        ax = _new_axes(projection, half)
    if cmap is None:
        cmap = "RdBu_r" if signed else "viridis"
    image = _draw_image(ax, p, cmap, vmin, vmax)
    _frame(ax, p)
    if graticule:
        for curve in _projection.graticule(p):
            ax.plot(*curve.T, color=_INK, lw=0.4, alpha=0.35, solid_capstyle="butt", zorder=2)
    if title:
        ax.set_title(title, fontsize="medium")
    if colorbar:
        _draw_colorbar(ax, image, unit, extend, projection)
    return ax


def color_range(f, *, vmin=None, vmax=None, symmetric=None):
    """The colour range (vmin, vmax, extend, symmetric) that :func:`show` gives to samples.

    Examples
    --------
    >>> import numpy as np
    >>> color_range(np.array([-3.0, 0.0, 1.0]), vmax=2.0)
    (-2.0, 2.0, 'min', True)
    """
    f = _projection.plain_samples(f)
    good = f[np.isfinite(f)]
    vmin, vmax = _bound(vmin, "vmin"), _bound(vmax, "vmax")
    if good.size == 0:
        raise ValueError("the signal has no valid sample to draw: all are NaN, inf or UNSEEN")
    low, high = (float(q) for q in np.percentile(good, [1, 99]))
    if symmetric is None:
        given = vmin is not None and vmax is not None
        a, b = (vmin, vmax) if given else (low, high)
        symmetric = a < 0 < b and (a == -b if given else min(-a, b) > 0.1 * max(-a, b))
    if symmetric:
        bound = abs(vmax) if vmax is not None else abs(vmin) if vmin is not None else None
        bound = max(abs(low), abs(high)) if bound is None else bound
        vmin, vmax = (-bound if vmin is None else vmin), (bound if vmax is None else vmax)
    vmin, vmax = low if vmin is None else vmin, high if vmax is None else vmax
    if vmin == vmax:  # a constant signal still has a colour
        pad = 0.5 * abs(vmin) or 1.0
        vmin, vmax = vmin - pad, vmax + pad
    if not vmin < vmax:
        raise ValueError(f"the colour range is ({vmin}, {vmax}); expected vmin < vmax")
    if not np.isfinite(_MARGIN * vmax - _MARGIN * vmin):
        raise ValueError(
            f"the colour range ({vmin:.3g}, {vmax:.3g}) is too wide for float64, in which it is drawn; scale "
            "the signal down"
        )
    # rounding noise above a bound is not worth a pointed colour bar
    slack = 1e-9 * (vmax - vmin)
    ends = (good.min() < vmin - slack, good.max() > vmax + slack)
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[ends]
    return vmin, vmax, extend, bool(symmetric)


def _bound(value, name):
    return None if value is None else checks.real_number(value, name, "a number, without a unit")


def pretty_unit(unit):
    """A unit as it is written on an axis: uK -> µK, uK^2 -> µK².

    Examples
    --------
    >>> pretty_unit("uK^2")
    'µK²'
    """
    if not unit:
        return ""
    unit = unit.replace("**2", "^2").replace("^2", "²")
    head, sep, tail = unit.partition("_")
    if head[:1] == "u" and head[1:].rstrip("²") in ("K", "Jy", "m", "s", "T"):
        head = "µ" + head[1:]
    return head + sep + tail


def _new_axes(projection, half):
    import matplotlib.pyplot as plt

    size = (5.0, 5.6) if half else _SIZES[projection]
    return plt.subplots(figsize=size, layout="constrained")[1]


def _draw_image(ax, p, cmap, vmin, vmax):
    """The picture over a grey ground that shows through where samples are missing."""
    import matplotlib
    from matplotlib.colors import Colormap
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    whole = Path.make_compound_path(*[Path(curve, closed=True) for curve in p.outline])
    ground = PathPatch(whole, facecolor=_MISSING, edgecolor="none", zorder=0)
    edge = PathPatch(whole, facecolor="none", edgecolor=_INK, lw=0.9, zorder=3, clip_on=False)
    ax.add_patch(ground)
    ax.add_patch(edge)
    if isinstance(cmap, str):
        if cmap not in matplotlib.colormaps:
            known = "viridis, magma, gray, RdBu_r, coolwarm"
            raise ValueError(f"cmap is {cmap!r}; expected a colour map of matplotlib, as {known}")
        cmap = matplotlib.colormaps[cmap]
    elif not isinstance(cmap, Colormap):
        raise TypeError(f"cmap is {cmap!r} ({type(cmap).__name__}); expected a name or a Colormap")
    image = ax.imshow(
        np.ma.masked_invalid(p.values),
        cmap=cmap.with_extremes(bad=(0, 0, 0, 0)),
        vmin=vmin,
        vmax=vmax,
        extent=p.extent,
        origin="lower",
        interpolation="nearest",
        zorder=1,
    )
    image.set_clip_path(whole, ax.transData)
    return image


def _frame(ax, p):
    ax.set_aspect("equal")
    left, right, bottom, top = p.extent
    if p.projection != "cartesian":
        pad = 0.01 * (top - bottom)
        ax.set_axis_off()
        ax.set_xlim(left - pad, right + pad)
        ax.set_ylim(bottom - pad, top + pad)
        return
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    if p.rot[1] != 0:  # the axes of the picture are not those of the sky
        ax.set_xticks([])
        ax.set_yticks([])
        return
    lon0, sign = p.rot[0], 1 if p.flip == "geo" else -1
    lon = np.arange(np.ceil((lon0 - 180) / 60), np.floor((lon0 + 180) / 60) + 1) * 60
    shown = (lon + 180) % 360 - 180 if p.flip == "geo" else lon % 360
    lat = np.arange(-90, 91, 30)
    ax.set_xticks(sign * (lon - lon0), [_degrees(v) for v in shown])
    ax.set_yticks(lat, [_degrees(v) for v in lat])
    ax.tick_params(labelsize="small", colors=_INK, width=0.6, length=3)
    ax.set_xlabel("longitude", fontsize="small", color=_INK)
    ax.set_ylabel("latitude", fontsize="small", color=_INK)


def _degrees(v):
    return f"{v:g}°".replace("-", "\N{MINUS SIGN}")


def _draw_colorbar(ax, image, unit, extend, projection):
    bar = ax.figure.colorbar(
        image,
        ax=ax,
        orientation="horizontal",
        extend=extend,
        shrink=0.55,
        aspect=32,
        pad=0.02 if projection != "cartesian" else 0.04,
    )
    bar.outline.set_linewidth(0.6)
    bar.outline.set_edgecolor(_INK)
    bar.ax.tick_params(labelsize="small", width=0.6, length=3, colors=_INK)
    bar.locator = _few_ticks()
    bar.update_ticks()
    if unit:
        bar.set_label(pretty_unit(unit), fontsize="small", color=_INK)


def _few_ticks():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, symmetric=False, steps=[1, 2, 2.5, 5, 10])
