"""Plots of a signal on the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.plot import projection as _projection
from spherekit.plot.signals import signal_of
from spherekit.plot.units import pretty_unit, scaled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from spherekit.sampling import Grid

_MISSING = "0.78"  # gray of masked and missing samples
_LINES = "0.25"
_MARGIN = 4.0  # the color bar, with its extensions, exceeds the color range
_LARGEST_SIZE = 1600  # of an image by default, pixels
_SIZES = {"mollweide": (8.0, 4.9), "orthographic": (8.0, 5.0), "cartesian": (8.0, 5.2)}


def show(
    f: ArrayLike,
    grid: Grid | str | None = None,
    *,
    projection: Literal["mollweide", "orthographic", "cartesian"] = "mollweide",
    ax: Axes | None = None,
    title: str | None = None,
    unit: str | None = None,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    symmetric: bool | None = None,
    rot: tuple[float, float] = (0.0, 0.0),
    flip: Literal["astro", "geo"] | None = None,
    half: bool = False,
    size: int | None = None,
    graticule: bool = True,
    colorbar: bool = True,
) -> Axes:
    """Plot a real signal on the sphere.

    Parameters
    ----------
    f : array_like [shape=grid.shape], real; Map; or DataArray
        One signal. Masked, NaN and UNSEEN samples, and the sphere beyond a band of rings, are drawn in gray.
    grid : Grid or str, optional
        The sampling grid, for example ``HEALPix(32)`` or ``"mw:64"``. Not needed for a `spherekit.io.Map` of
        one field, a DataArray with latitudes and longitudes, and 12 nside^2 samples of HEALPix in RING order.
    projection : {"mollweide", "orthographic", "cartesian"}
        As in :func:`spherekit.plot.project`.
    ax : matplotlib.axes.Axes, optional
        Default: the Axes of a new figure.
    title : str, optional
        Title of the Axes; by default the name of a Map or DataArray, and the coordinates at which it was
        selected, such as "z, month 7, level 500".
    unit : str, optional
        Label of the color bar ("uK" is written with a micro sign); by default that of a Map or DataArray.
    cmap : str or matplotlib.colors.Colormap, optional
        Default: RdBu_r if the color range is symmetric about zero, else viridis.
    vmin, vmax : float, optional
        Color range. Default: percentiles 1 and 99 of the samples, made symmetric about zero for signed
        signals. The color bar has a pointed end where samples exceed the range.
    symmetric : bool, optional
        Whether the color range is symmetric about zero. Default: True if the percentiles 1 and 99 have
        opposite signs and moduli within a factor of 10, or, with both vmin and vmax, if vmin = -vmax.
    rot : (float, float)
        Longitude and latitude of the center, in degrees, as in :func:`spherekit.plot.project`.
    flip : {"astro", "geo"}, optional
        Longitude increases to the left ("astro") or to the right ("geo"). By default to the right for maps in
        geographic or horizontal coordinates (``Map.frame``), such as those of netCDF files, else to the left.
    half : bool
        Orthographic projection only: plot the near hemisphere only.
    size : int, optional
        Width of the image in pixels. By default 1600 in a new figure, and in ``ax`` twice its present width,
        at most 1600.
    graticule : bool
        Draw meridians every 60 degrees and parallels every 30 degrees.
    colorbar : bool
        Draw a color bar below the map.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        For invalid arguments of :func:`spherekit.plot.project`, vmin > vmax, a color range beyond
        that of float64, an unknown ``cmap``, or a signal without valid samples.
    TypeError
        For a complex or non-numeric signal, or arguments of a wrong type.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from spherekit.plot import show
    >>> from spherekit.sampling import MW
    >>> grid = MW(16)
    >>> f = np.cos(grid.theta)[:, None] * np.ones(grid.shape)
    >>> show(f, grid, size=200, title="dipole").get_title()
    'dipole'
    """
    if size is None:
        size = _LARGEST_SIZE if ax is None else _size_in(ax)
    signal = signal_of(f, grid)
    f, grid = signal.samples, signal.grid
    title = signal.title if title is None else title
    unit = signal.unit if unit is None else unit
    flip = signal.flip if flip is None else flip
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
            ax.plot(*curve.T, color=_LINES, lw=0.4, alpha=0.35, solid_capstyle="butt", zorder=2)
    if title:
        ax.set_title(title, fontsize="medium")
    if colorbar:
        _draw_colorbar(ax, image, unit, extend, projection)
    return ax


def color_range(f, *, vmin=None, vmax=None, symmetric=None):
    """The color range (vmin, vmax, extend, symmetric) with which :func:`show` plots samples.

    Examples
    --------
    >>> import numpy as np
    >>> color_range(np.array([-3.0, 0.0, 1.0]), vmax=2.0)
    (-2.0, 2.0, 'min', True)
    """
    f = _projection.plain_samples(f)
    good = f[np.isfinite(f)]
    vmin = _bound(vmin, "vmin")
    vmax = _bound(vmax, "vmax")
    if good.size == 0:
        raise ValueError("all samples are NaN, inf or UNSEEN; expected at least one valid sample")
    low, high = (float(q) for q in np.percentile(good, [1, 99]))
    if symmetric is None:
        explicit = vmin is not None and vmax is not None
        a, b = (vmin, vmax) if explicit else (low, high)
        symmetric = a < 0 < b and (a == -b if explicit else min(-a, b) > 0.1 * max(-a, b))
    if symmetric:
        bound = abs(vmax) if vmax is not None else abs(vmin) if vmin is not None else None
        bound = max(abs(low), abs(high)) if bound is None else bound
        vmin = -bound if vmin is None else vmin
        vmax = bound if vmax is None else vmax
    has_vmin, has_vmax = vmin is not None, vmax is not None
    vmin = low if vmin is None else vmin
    vmax = high if vmax is None else vmax
    if vmin == vmax:  # a constant signal; a bound that is given stays
        pad = 0.5 * abs(vmin) or 1.0
        vmin -= 0 if has_vmin and not has_vmax else pad
        vmax += 0 if has_vmax and not has_vmin else pad
    if not vmin < vmax:
        raise ValueError(f"the color range is ({vmin}, {vmax}); expected vmin < vmax")
    if not np.isfinite(_MARGIN * vmax - _MARGIN * vmin):
        raise ValueError(
            f"the color range ({vmin:.3g}, {vmax:.3g}) is too wide for float64, in which it is drawn; "
            "rescale the signal"
        )
    # rounding errors beyond a bound do not extend the color bar
    slack = 1e-9 * (vmax - vmin)
    ends = (good.min() < vmin - slack, good.max() > vmax + slack)
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[ends]
    return vmin, vmax, extend, bool(symmetric)


def _bound(value, name):
    return None if value is None else checks.real_number(value, name, "a number, without a unit")


def _new_axes(projection, half):
    import matplotlib.pyplot as plt

    size = (5.0, 5.6) if half else _SIZES[projection]
    return plt.subplots(figsize=size, layout="constrained")[1]


def _size_in(ax):
    """Twice the width of axes in pixels of the figure, for figures that are saved at a higher resolution."""
    return min(max(round(2 * ax.get_window_extent().width), 200), _LARGEST_SIZE)


def _draw_image(ax, p, cmap, vmin, vmax):
    """Draw the image on a gray background, which is visible where samples are missing."""
    import matplotlib
    from matplotlib.colors import Colormap
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    outline = Path.make_compound_path(*[Path(curve, closed=True) for curve in p.outline])
    background = PathPatch(outline, facecolor=_MISSING, edgecolor="none", zorder=0)
    edge = PathPatch(outline, facecolor="none", edgecolor=_LINES, lw=0.9, zorder=3, clip_on=False)
    ax.add_patch(background)
    ax.add_patch(edge)
    if isinstance(cmap, str):
        if cmap not in matplotlib.colormaps:
            raise ValueError(
                f"cmap is {cmap!r}; expected a matplotlib colormap, e.g. viridis, magma, gray, RdBu_r, "
                "coolwarm"
            )
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
    image.set_clip_path(outline, ax.transData)
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
    if p.rot[1] != 0:  # ticks along the axes would not be longitudes and latitudes
        ax.set_xticks([])
        ax.set_yticks([])
        return
    lon0 = p.rot[0]
    sign = 1 if p.flip == "geo" else -1
    lon = np.arange(np.ceil((lon0 - 180) / 60), np.floor((lon0 + 180) / 60) + 1) * 60
    labels = (lon + 180) % 360 - 180 if p.flip == "geo" else lon % 360
    labels[(labels == -180) & (lon > lon0 - 180)] = 180  # but at the left edge
    lat = np.arange(-90, 91, 30)
    ax.set_xticks(sign * (lon - lon0), [_degrees(v) for v in labels])
    ax.set_yticks(lat, [_degrees(v) for v in lat])
    ax.tick_params(labelsize="small", colors=_LINES, width=0.6, length=3)
    ax.set_xlabel("longitude", fontsize="small", color=_LINES)
    ax.set_ylabel("latitude", fontsize="small", color=_LINES)


def _degrees(v):
    return f"{v:g}°".replace("-", "\N{MINUS SIGN}")


def _draw_colorbar(ax, image, unit, extend, projection):
    colorbar = ax.figure.colorbar(
        image,
        ax=ax,
        orientation="horizontal",
        extend=extend,
        shrink=0.55,
        aspect=32,
        pad=0.02 if projection != "cartesian" else 0.04,
    )
    colorbar.outline.set_linewidth(0.6)
    colorbar.outline.set_edgecolor(_LINES)
    colorbar.ax.tick_params(labelsize="small", width=0.6, length=3, colors=_LINES)
    colorbar.locator = _locator()
    scale, label = scaled(max(map(abs, image.get_clim())), unit)
    colorbar.formatter = _formatter(scale)
    colorbar.update_ticks()
    if label:
        colorbar.set_label(pretty_unit(label), fontsize="small", color=_LINES)


def _formatter(scale):
    """A matplotlib formatter of ticks divided by a scale, without a power of ten or an offset of its own."""
    from matplotlib.ticker import ScalarFormatter

    class Scaled(ScalarFormatter):
        def set_locs(self, locs):
            super().set_locs([x / scale for x in locs])

        def __call__(self, x, pos=None):
            return super().__call__(x / scale, pos)

    formatter = Scaled(useOffset=False)
    formatter.set_scientific(False)
    return formatter


def _locator():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, symmetric=False, steps=[1, 2, 2.5, 5, 10])
