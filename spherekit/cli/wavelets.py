"""Decompose a map into wavelets scale by scale and direction by direction, or back with --inverse.

The decomposition is exact for the degrees below L; what these do not hold of a map is printed. The output
holds the scaling map (array "scaling"), a map of each scale j ("scale_j": directions, theta, phi), and the
parameters that --inverse needs.
"""

from pathlib import Path

import numpy as np

from spherekit.cli import options
from spherekit.cli.transform import coefficients, read_signal

_SAVED = ("L", "lam", "J0", "N", "spin")


def arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a map; wavelet maps with --inverse")
    options.band_limit(parser)
    options.wavelets(parser, J0=0, N=1)
    parser.add_argument("-o", "--output", required=True, help=".npz; with --inverse a map")
    options.source(parser)
    options.spin(parser)
    parser.add_argument("--inverse", action="store_true", help="from wavelet maps to a map")
    parser.add_argument("--plot", metavar="PICTURE", help="draw the scales")
    options.common(parser)


def run(args):
    options.writable(args.plot, args.force, options.PICTURES)
    (_synthesise if args.inverse else _analyse)(args)


def _analyse(args):
    from spherekit import io
    from spherekit.wavelets import Wavelets

    options.writable(args.output, args.force, (".npz",))
    L = options.chosen_L(args)
    samples, reality = read_signal(args, L)
    spin = samples.spin
    w = Wavelets(L, args.lam, args.J0, args.N, spin, reality=reality, threads=args.threads)
    scaling, maps = w.analysis_flm(coefficients(samples, L, args.threads))
    named = {f"scale_{j}": values for j, values in zip(w.scales, maps, strict=True)}
    known = dict(L=L, lam=w.lam, J0=w.J0, N=w.N, spin=spin, reality=reality, unit=samples.unit)
    io.write_arrays(args.output, scaling=scaling, **named, **known, overwrite=True)
    below = f"degrees < {w.scaling_limit}" if w.scaling_grid else "empty"
    print(f"wrote {args.output}: the scaling map, {below}, and")
    for j, grid in w.grids.items():
        print(f"   scale {j}: degrees {w.bands[j][0]} to {w.bands[j][1]}, {grid.shape}")
    if args.plot:
        panel(args.plot, w, scaling, maps, samples.unit)
        print(f"wrote {args.plot}")


def _synthesise(args):
    import spherekit
    from spherekit import io
    from spherekit.sampling import grid as as_grid
    from spherekit.wavelets import Wavelets

    options.writable(args.output, args.force, (".fits", ".npz", ".npy"))
    if args.plot:
        raise options.Usage("--plot draws what is decomposed; draw the map with: spherekit plot")
    if args.grid is None:
        raise options.Usage("say the grid of the map: --grid mw:256 or --grid healpix:64")
    arrays = io.read_arrays(args.file)
    if not {*_SAVED, "scaling", "reality"} <= arrays.keys():
        raise ValueError(f"{args.file} holds no wavelet maps; it holds {', '.join(arrays)}")
    L, lam, J0, N, spin = (arrays[name].item() for name in _SAVED)
    reality = bool(arrays["reality"])
    w = Wavelets(L, lam, J0, N, spin, reality=reality, threads=args.threads)
    missing = [j for j in w.scales if f"scale_{j}" not in arrays]
    if missing:
        raise ValueError(f"{args.file} lacks the scales {missing}")
    flm = w.synthesis_flm(arrays["scaling"], [arrays[f"scale_{j}"] for j in w.scales])
    grid = as_grid(args.grid, L)
    if grid.name != "healpix" and Path(args.output).suffix == ".fits":
        raise options.Usage(f"{args.output}: FITS holds HEALPix maps; name a .npz file")
    f = spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=reality, threads=args.threads)
    options.write_samples(args.output, f, grid, unit=str(arrays.get("unit", "")), spin=spin)
    print(f"wrote {args.output}: {options.grid_name(grid)}, degrees < {L}")


def panel(path, w, scaling, maps, unit):
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
    made = options.figure(4.6 * across, 2.9 * rows)
    cells += [None] * (rows * across - len(cells))
    for ax, cell in zip(made.subplots(rows, across, squeeze=False).flat, cells, strict=True):
        if cell is None:
            ax.set_axis_off()
            continue
        f, grid, title = cell
        f, grid = _finer(f, grid, w.threads) if grid.L < 128 else (f, grid)
        plot.show(f, grid, ax=ax, title=title, unit=unit, graticule=False)
    options.save(made, path)


def _finer(f, grid, threads):
    """A coarse map on more samples, exactly: it is band-limited."""
    import spherekit

    how = dict(reality=True, threads=threads)
    flm = spherekit.forward(f, grid.L, sampling=grid, **how)
    return spherekit.inverse(flm, grid.L, sampling="mw:128", **how), "mw:128"
