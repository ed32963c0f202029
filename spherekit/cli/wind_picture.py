"""The picture of a wind: vorticity, divergence, stream function and kinetic energy on maps."""

import numpy as np

from spherekit.cli import options, output

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
    from spherekit.plot.signals import default_flip, position_of, title_of

    figure = options.figure(13, 8.2)
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
        scale, unit = _scale(size, f.units[0])
        style = dict(vmin=0.0, cmap="viridis") if name == "kinetic_energy" else dict(symmetric=True)
        style |= dict(vmax=size / scale) if size else {}
        plot.show(f.values / scale, sky.grid, ax=ax, title=title, unit=unit, **style, **view)
        if name in _ARROWS:
            u, v = _ARROWS[name]
            threshold = _NEGLIGIBLE * max(sizes["u"], sizes["v"])
            pair = sky[u].values, sky[v].values
            overlays.arrows(ax, *pair, sky.grid, threshold=threshold, **view)
        if name == "streamfunction" and size:
            overlays.contours(ax, *_smooth(f), **view)
    position = title_of("wind", position_of(sky.attributes))
    figure.suptitle(position, fontsize="large")
    return output.validate(figure)


def _typical(values):
    """The percentile 99 of the moduli, or their maximum if that is 0."""
    moduli = np.abs(values)
    return float(np.percentile(moduli, 99) or moduli.max())


def _scale(size, unit):
    """A power of ten by which values of this size are divided, and the unit with it.

    >>> _scale(3e-5, "s-1"), _scale(20.0, "m s-1")
    ((1e-05, '10⁻⁵ s⁻¹'), (1.0, 'm s-1'))
    """
    from spherekit.plot.maps import pretty_unit

    exponent = int(np.floor(np.log10(size))) if size > 0 else 0
    exponent = 3 * (exponent // 3) if exponent > 0 else exponent
    if -3 < exponent <= 3:
        return 1.0, unit
    power = pretty_unit(f"m{exponent}")[1:]
    return 10.0**exponent, f"10{power} {pretty_unit(unit)}".strip()


def _smooth(sky):
    """(values, grid) of a smooth field on a rectangular grid."""
    if sky.grid.rectangular:
        return sky.values, sky.grid
    from spherekit import fields

    L = min(_CONTOUR_L, fields.analysis.default_band_limit(sky.grid))
    result = fields.regrid(sky, f"mwss:{L}", L=L)
    return result.values, result.grid
