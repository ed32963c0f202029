"""The picture of a wind: vorticity, divergence, stream function and kinetic energy on maps."""

import numpy as np

from spherekit.cli import options, output, positions

#: The quantities that are drawn.
QUANTITIES = (
    "vorticity",
    "divergence",
    "streamfunction",
    "kinetic_energy",
    "u",
    "v",
    "u_chi",
    "v_chi",
)
#: The winds whose arrows are drawn over maps.
_ARROWS = {"vorticity": ("u", "v"), "divergence": ("u_chi", "v_chi")}
#: Relative to the other part of a wind; smaller values are those of rounding errors.
_NEGLIGIBLE = 1e-4
#: Degrees of the stream function whose contour lines are drawn, of grids that are not rectangular.
_CONTOUR_L = 64


def picture(sky, projection="mollweide", rot=(0.0, 0.0)):
    """Four maps of a `spherekit.io.Map` with the `QUANTITIES`, without axes."""
    from spherekit import plot
    from spherekit.plot import overlays
    from spherekit.plot.signals import default_flip, title_of

    figure = options.figure(13, 8.6)
    figure.get_layout_engine().set(hspace=0.05)
    view = dict(projection=projection, rot=rot, flip=default_flip(sky.frame or "geographic"))
    panels = (
        ("vorticity", "vorticity and wind"),
        ("divergence", "divergence and divergent wind"),
        ("streamfunction", "stream function"),
        ("kinetic_energy", "kinetic energy"),
    )
    sizes = {name: _typical(sky[name].values) for name in QUANTITIES}
    smallest = _NEGLIGIBLE * max(sizes["vorticity"], sizes["divergence"])
    for ax, (name, title) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        f = sky[name]
        size = max(sizes[name], smallest) if name in ("vorticity", "divergence") else sizes[name]
        style = dict(vmin=0.0, cmap="viridis") if name == "kinetic_energy" else dict(symmetric=True)
        style |= dict(vmax=size) if size else {}
        plot.show(f.values, sky.grid, ax=ax, title=title, unit=f.units[0], **style, **view)
        if name in _ARROWS:
            u, v = _ARROWS[name]
            threshold = _NEGLIGIBLE * max(sizes["u"], sizes["v"])
            pair = sky[u].values, sky[v].values
            overlays.arrows(ax, *pair, sky.grid, threshold=threshold, **view)
        if name == "streamfunction" and size:
            overlays.contours(ax, *_smooth(f), **view)
    title = title_of("wind", positions.of_attributes(sky.attributes))
    figure.suptitle(title, fontsize="large")
    return output.validate(figure)


def _typical(values):
    """The percentile 99 of the moduli, or their maximum if that is 0."""
    moduli = np.abs(values)
    return float(np.percentile(moduli, 99) or moduli.max())


def _smooth(sky):
    """(values, grid) of a smooth field on a rectangular grid."""
    if sky.grid.rectangular:
        return sky.values, sky.grid
    from spherekit import fields

    L = min(_CONTOUR_L, fields.analysis.default_band_limit(sky.grid))
    result = fields.regrid(sky, f"mwss:{L}", L=L)
    return result.values, result.grid
