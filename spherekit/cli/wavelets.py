"""Decompose a map into wavelets scale by scale and direction by direction, or back with --inverse.

The decomposition is exact for the degrees below L; what these do not hold of a map is printed. The output
holds the scaling map (array "scaling"), a map of each scale j ("scale_j": directions, theta, phi), and the
parameters that --inverse needs.
"""

import numpy as np

from spherekit.cli import analysis, arrays, files, options, output
from spherekit.cli.stokes import Component

_SAVED = ("L", "lam", "J0", "N", "spin")
_DEFAULTS = dict(lam=2.0, J0=0, N=1)


def arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a map; wavelet maps with --inverse")
    options.band_limit(parser)
    options.wavelets(parser, J0=_DEFAULTS["J0"], N=_DEFAULTS["N"])
    parser.set_defaults(**dict.fromkeys(_DEFAULTS))  # so that --inverse knows what was given
    parser.add_argument("-o", "--output", required=True, help=".npz; with --inverse a map")
    options.source(parser)
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument("--inverse", action="store_true", help="from wavelet maps to a map")
    parser.add_argument("--plot", metavar="PICTURE", help="draw the scales")
    options.common(parser)


def run(args):
    options.writable(args.plot, args.force, options.PICTURES)
    (_synthesise if args.inverse else _analyse)(args)


def _analyse(args):
    from spherekit.wavelets import Wavelets

    options.writable(args.output, args.force, (".npz",))
    L = options.band_limit_option(args)
    sky = files.read_signal(args, L)
    values, spin, columns, unit = sky.components[0]
    reality = not np.iscomplexobj(values)
    given = {name: getattr(args, name) for name in _DEFAULTS}
    scales = {name: _DEFAULTS[name] if x is None else x for name, x in given.items()}
    w = Wavelets(L, **scales, spin=spin, reality=reality, threads=args.threads)
    scaling, maps = w.analysis_flm(analysis.coefficients(args, sky, L))
    named = {f"scale_{j}": f for j, f in zip(w.scales, maps, strict=True)}
    known = dict(L=L, lam=w.lam, J0=w.J0, N=w.N, spin=spin, reality=reality, unit=unit)
    known |= dict(frame=sky.frame) | (dict(columns=columns) if columns else {})
    figure = panel(w, scaling, maps, unit) if args.plot else None
    with output.together(args.force):
        output.write_arrays(args.output, scaling=scaling, **named, **known)
        output.save(figure, args.plot)
    below = f"degrees < {w.scaling_limit}" if w.scaling_grid else "empty"
    print(f"wrote {args.output}: the scaling map, {below}, and")
    for j, grid in w.grids.items():
        print(f"   scale {j}: degrees {w.bands[j][0]} to {w.bands[j][1]}, {grid.shape}")
    if args.plot:
        print(f"wrote {args.plot}")


def _synthesise(args):
    options.writable(args.output, args.force, (".fits", ".npz", ".npy"))
    if args.plot:
        raise options.Usage("--plot draws what is decomposed; draw the map with: spherekit plot")
    also = ("spin", "hdu", *_DEFAULTS)
    options.refuse_given(args, "of maps, not with --inverse", but=("grid",), also=also)
    if args.grid is None:
        raise options.Usage("say the grid of the map: --grid mw:256 or --grid healpix:64")
    w, scaling, maps, known = _read(args.file, args.threads)
    if options.band_limit_option(args, required=False) not in (None, w.L):
        raise options.Usage(f"{args.file} holds the degrees below {w.L}; --L is of maps")
    grid = analysis.synthesis_grid(args, w.L)
    flm = w.synthesis_flm(scaling, maps)
    f = analysis.synthesise(flm, w.L, grid, w.spin, maps[0] if maps else None, args.threads)
    columns = tuple(str(name) for name in known.get("columns", ()))
    component = Component(f, w.spin, columns, str(known.get("unit", "")))
    with output.together(args.force):
        output.write_map(args.output, [component], grid, str(known.get("frame", "")))
    print(f"wrote {args.output}: {analysis.grid_name(grid)}, degrees < {w.L}")


def _read(path, threads):
    """(Wavelets, scaling map, maps of the scales, all arrays of the file)."""
    from spherekit import io
    from spherekit.wavelets import Wavelets

    stored = io.read_arrays(path)
    if not {*_SAVED, "scaling", "reality"} <= stored.keys():
        raise ValueError(f"{path} holds no wavelet maps; it holds {', '.join(stored)}")
    L, lam, J0, N, spin = (arrays.scalar(path, stored, name, "iuf", 0) for name in _SAVED)
    reality = arrays.scalar(path, stored, "reality", "b", False)
    w = Wavelets(L, lam, J0, N, spin, reality=reality, threads=threads)
    missing = [j for j in w.scales if f"scale_{j}" not in stored]
    if missing:
        raise ValueError(f"{path} lacks the scales {missing}")
    return w, stored["scaling"], [stored[f"scale_{j}"] for j in w.scales], stored


def panel(w, scaling, maps, unit):
    """A row a scale, a column a direction (three at the most); the scaling map first."""
    from spherekit import plot

    columns = min(w.N, 3)
    shown = {}
    if w.scaling_grid:
        shown[-1] = scaling[None], w.scaling_grid, f"scaling, degrees < {w.scaling_limit}"
    for j, values in zip(w.scales, maps, strict=True):
        low, high = w.bands[j]
        shown[j] = values, w.grids[j].sphere, f"scale {j}, degrees {low} to {high}"
    across = 3 if columns == 1 else columns
    cells = []
    for j, (values, grid, title) in shown.items():
        for g, f in enumerate(values[:columns]):
            turned = f", {180 * g / len(values):.0f}°" if j >= 0 and w.N > 1 else ""
            cells.append((np.abs(f) if np.iscomplexobj(f) else f, grid, title + turned))
        cells += [None] * (-len(cells) % across if columns > 1 else 0)
    rows = -(-len(cells) // across)
    figure = options.figure(4.6 * across, 2.9 * rows)
    cells += [None] * (rows * across - len(cells))
    for ax, cell in zip(figure.subplots(rows, across, squeeze=False).flat, cells, strict=True):
        if cell is None:
            ax.set_axis_off()
            continue
        f, grid, title = cell
        f, grid = _finer(f, grid, w.threads) if grid.L < 128 else (f, grid)
        plot.show(f, grid, ax=ax, title=title, unit=unit, graticule=False)
    return output.sound(figure)


def _finer(f, grid, threads):
    """A coarse map on more samples, exactly: it is band-limited."""
    import spherekit

    flags = dict(reality=True, threads=threads)
    flm = spherekit.forward(f, grid.L, sampling=grid, **flags)
    return spherekit.inverse(flm, grid.L, sampling="mw:128", **flags), "mw:128"
