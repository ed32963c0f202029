"""Plots of the demo: maps, spectrum and scattering coefficients."""

import numpy as np

from spherekit import plot
from spherekit.cli import options, output
from spherekit.cli.scatter import band
from spherekit.plot.units import pretty_unit

_STYLE = dict(unit="uK", vmin=-250, vmax=250)
_SKY, _GAUSSIAN = "#c0504d", "0.35"


def maps(path, flm, L, sky, pixels, mask, threads):
    """Plot the data, the band-limited map, their difference, and the unmasked sky."""
    import spherekit

    fine = spherekit.inverse(flm, L, sampling="mw:256", reality=True, threads=threads)
    fitted = f"fit of degrees 0 to {L - 1}, with ringing around the Galaxy"
    figure = options.figure(12, 7.6)
    ax = figure.subplots(2, 2).ravel()
    plot.show(sky, "healpix:32", ax=ax[0], title="WMAP 7-year W band", **_STYLE)
    plot.show(fine, "mw:256", ax=ax[1], title=fitted, **_STYLE)
    residual = "residual: map minus fit"
    plot.show(sky - pixels, "healpix:32", ax=ax[2], title=residual, **_STYLE)
    clean = np.where(mask, sky, np.nan)
    plot.show(clean, "healpix:32", ax=ax[3], title="unmasked sky, used for the spectrum", **_STYLE)
    output.save(figure, path)


def spectrum(path, cl, theory, f_sky, caption):
    """Plot C_l of the unmasked sky and of the theory."""
    figure = options.figure(7.4, 4.9)
    ax = plot.spectrum(
        cl,
        ax=figure.add_subplot(),
        theory=theory,
        f_sky=f_sky,
        label=r"WMAP W band, $C_\ell / f_{sky}$",
        theory_label="Planck 2018 best fit",
        unit="uK^2",
        title="temperature power spectrum of the unmasked sky",
    )
    ax.set_xlim(0, len(cl))
    caption = "\n".join(("Monopole and dipole removed.", *caption))
    caption = caption.format(C=r"$C_\ell$", l=r"$\ell$").replace("-", "\N{MINUS SIGN}")
    figure.supxlabel(caption, fontsize="x-small", color="0.35")
    output.save(figure, path)


def scattering(path, S, comparisons):
    """Plot, in a row per sky, the sky, a Gaussian map, and the paths of orders 1 and 2 of both."""
    figure = options.figure(17, 6.4)
    axes = figure.subplots(len(comparisons), 4, width_ratios=(1.3, 1.3, 0.75, 1.4))
    map_style = _STYLE | dict(colorbar=False)
    for (sky_axes, gaussian_axes, first, second), comparison in zip(axes, comparisons, strict=True):
        plot.show(comparison.sky, comparison.grid, ax=sky_axes, title=comparison.title, **map_style)
        title = "Gaussian map, same spectrum"
        plot.show(comparison.gaussian, comparison.grid, ax=gaussian_axes, title=title, **map_style)
        _order_1(first, S, comparison)
        _order_2(second, S, comparison)
        for ax in (first, second):
            ax.spines[["top", "right"]].set_visible(False)
            ax.grid(axis="y", lw=0.5, alpha=0.4)
    for column in axes[:, 2:].T:  # a common scale, with room for the group labels
        top = 1.12 * max(ax.get_ylim()[1] for ax in column)
        for ax in column:
            ax.set_ylim(0, top)
    axes[0, 2].legend(loc="lower left", fontsize="small", frameon=False)
    style = dict(extend="both", shrink=0.4, aspect=40, pad=0.02, location="bottom")
    figure.colorbar(axes[0, 0].images[0], ax=axes[:, :2], label=pretty_unit("uK"), **style)
    output.save(figure, path)


def _order_1(ax, S, comparison):
    indices = _paths_of_order(comparison, 1)
    _points(ax, range(len(indices)), indices, comparison)
    _label(ax, range(len(indices)), [band(S, comparison.paths[i].scales[0]) for i in indices])
    ax.set_title("order 1: mean modulus / rms", fontsize="medium")
    ax.set_xlabel("degrees", fontsize="small")


def _order_2(ax, S, comparison):
    """Plot the paths of order 2, grouped by their first scale."""
    indices = _paths_of_order(comparison, 2)
    first, second = np.transpose([comparison.paths[i].scales for i in indices])
    positions = np.arange(len(indices)) + 0.8 * (first - first[0])
    _points(ax, positions, indices, comparison)
    _label(ax, positions, [band(S, j) for j in second])
    for j in np.unique(first):
        middle = positions[first == j].mean(), 1.0
        style = dict(xycoords=ax.get_xaxis_transform(), ha="center", va="top", fontsize="small")
        ax.annotate(band(S, j), middle, **style)
    ax.set_title("order 2: mean second modulus / mean first modulus", fontsize="medium")
    ax.set_xlabel("degrees of the second scale (top: of the first scale)", fontsize="small")


def _paths_of_order(comparison, order):
    """Indices of the paths of an order, from the lowest scales up."""
    return [i for i, path in enumerate(comparison.paths) if path.order == order][::-1]


def _label(ax, positions, names):
    style = dict(rotation=45, ha="right", rotation_mode="anchor", fontsize="small")
    ax.set_xticks(positions, names, **style)
    ax.margins(x=0.08)


def _points(ax, positions, indices, comparison):
    style = dict(fmt="_", color=_GAUSSIAN, ms=12, capsize=4)
    label = "Gaussian maps, mean and\nstandard deviation"
    ax.errorbar(
        positions,
        comparison.means[indices],
        comparison.standard_deviations[indices],
        label=label,
        **style,
    )
    ax.plot(positions, comparison.values[indices], "o", color=_SKY, ms=6, label="sky")
