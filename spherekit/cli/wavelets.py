"""Decompose a map into directional wavelets, or, with --inverse, reconstruct it.

The decomposition is exact for the degrees below L; the residual of the map is printed. The output contains
the scaling map (array "scaling"), the maps of each scale j ("scale_j": directions, theta, phi) and the
parameters for --inverse.
"""

import numpy as np

from spherekit.cli import analysis, files, options, output, report
from spherekit.cli.stokes import Component
from spherekit.io.array_values import scalar

_SAVED = ("L", "lam", "J0", "N", "spin")
_DEFAULTS = dict(lam=2.0, J0=0, N=1)


def arguments(parser):
    options.files(parser, "a map; with --inverse, wavelet maps", suffix=".npz")
    options.band_limit(parser)
    options.wavelets(parser, J0=_DEFAULTS["J0"], N=_DEFAULTS["N"])
    parser.set_defaults(**dict.fromkeys(_DEFAULTS))  # None: absent from the command line
    parser.add_argument(
        "-o", "--output", required=True, help="wavelet maps: .npz; with --inverse, a map"
    )
    options.source(parser)
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument(
        "--inverse",
        action="store_true",
        help="reconstruct a map from wavelet maps (requires --grid)",
    )
    parser.add_argument("--plot", metavar="PICTURE", help="plot the map of each scale")
    options.common(parser)


def run(args):
    options.writable(args.plot, args.force, options.PICTURES)
    (_synthesize if args.inverse else _analyze)(args)


def _analyze(args):
    from spherekit.wavelets import Wavelets

    options.writable(args.output, args.force, (".npz",))
    sky = files.read_signal(args, options.band_limit_option(args, required=False))
    L, line = analysis.band_limit(args, sky.grid)
    if line:
        print(line)
    values, spin, columns, unit = sky.components[0]
    reality = not np.iscomplexobj(values)
    values_of = {name: getattr(args, name) for name in _DEFAULTS}
    parameters = {name: _DEFAULTS[name] if x is None else x for name, x in values_of.items()}
    w = Wavelets(L, **parameters, spin=spin, reality=reality, threads=args.threads)
    scaling, maps = w.analysis_flm(analysis.coefficients(args, sky, L))
    named = {f"scale_{j}": f for j, f in zip(w.scales, maps, strict=True)}
    metadata = dict(L=L, lam=w.lam, J0=w.J0, N=w.N, spin=spin, reality=reality, unit=unit)
    metadata |= dict(frame=sky.frame) | (dict(columns=columns) if columns else {})
    figure = panel(w, scaling, maps, unit, sky.frame) if args.plot else None
    with output.atomic(args.force):
        output.write_arrays(args.output, scaling=scaling, **named, **metadata)
        output.save(figure, args.plot)
    bands = {j: w.bands[j] for j in w.grids}
    report.add(lam=w.lam, J0=w.J0, N=w.N, scaling_limit=w.scaling_limit, bands=bands)
    output.report_signals(sky.components, sky.frame)
    extent = f"degrees < {w.scaling_limit}" if w.scaling_grid else "empty"
    print(f"wrote {args.output}:\n   scaling: {extent}")
    for j, grid in w.grids.items():
        print(f"   scale {j}: degrees {w.bands[j][0]} to {w.bands[j][1]}, shape {grid.shape}")
    if args.plot:
        print(f"wrote {args.plot}")


def _synthesize(args):
    options.writable(args.output, args.force, output.MAPS)
    if args.plot:
        raise options.Usage(
            "--plot: not applicable with --inverse; plot the map with spherekit plot"
        )
    include = ("spin", "hdu", *_DEFAULTS)
    reason = "not applicable with --inverse"
    options.refuse_options_of_maps(args, reason, exclude=("grid",), include=include)
    analysis.require_grid(args)
    w, scaling, maps, contents = _read(args.file, args.threads)
    limit = options.band_limit_option(args, required=False)
    if limit not in (None, w.L):
        raise options.Usage(
            f"the band-limit is L = {limit}, but {args.file} has L = {w.L}; omit --L or --lmax "
            "with --inverse"
        )
    grid = analysis.synthesis_grid(args, w.L)
    flm = w.synthesis_flm(scaling, maps)
    f = analysis.synthesize(flm, w.L, grid, w.spin, maps[0] if maps else None, args.threads)
    columns = tuple(str(name) for name in contents.get("columns", ()))
    component = Component(f, w.spin, columns, str(contents.get("unit", "")))
    with output.atomic(args.force):
        output.write_map(args.output, [component], grid, str(contents.get("frame", "")))
    report.add(L=w.L, grid=analysis.grid_name(grid))
    print(f"wrote {args.output}: {analysis.grid_label(grid)}, degrees < {w.L}")


def _read(path, threads):
    """(Wavelets, scaling map, list of the maps of each scale, all arrays of the file)."""
    from spherekit import io
    from spherekit.wavelets import Wavelets

    contents = io.read_arrays(path)
    if not {*_SAVED, "scaling", "reality"} <= contents.keys():
        raise ValueError(
            f"{path} contains {', '.join(contents)}; expected wavelet maps from spherekit wavelets"
        )
    L, lam, J0, N, spin = (scalar(path, contents, name, "iuf", 0) for name in _SAVED)
    reality = scalar(path, contents, "reality", "b", False)
    w = Wavelets(L, lam, J0, N, spin, reality=reality, threads=threads)
    missing = [f"scale_{j}" for j in w.scales if f"scale_{j}" not in contents]
    if missing:
        raise ValueError(
            f"{path} lacks the arrays {', '.join(missing)}; write it again with spherekit wavelets"
        )
    return w, contents["scaling"], [contents[f"scale_{j}"] for j in w.scales], contents


def panel(w, scaling, maps, unit, frame=""):
    """Plot the scaling map, then the maps of each scale, in up to three directions."""
    from spherekit import plot
    from spherekit.plot.signals import default_flip

    style = dict(unit=unit, flip=default_flip(frame), graticule=False)
    columns = min(w.N, 3)
    panels = {}
    if w.scaling_grid:
        panels[-1] = scaling[None], w.scaling_grid, f"scaling, degrees < {w.scaling_limit}"
    for j, values in zip(w.scales, maps, strict=True):
        low, high = w.bands[j]
        panels[j] = values, w.grids[j].sphere, f"scale {j}, degrees {low} to {high}"
    across = 3 if columns == 1 else columns
    cells = []
    for j, (values, grid, title) in panels.items():
        for g, f in enumerate(values[:columns]):
            direction = f", {180 * g / len(values):.0f}°" if j >= 0 and w.N > 1 else ""
            cells.append((np.abs(f) if np.iscomplexobj(f) else f, grid, title + direction))
        cells += [None] * (-len(cells) % across if columns > 1 else 0)
    rows = -(-len(cells) // across)
    figure = options.figure(4.6 * across, 2.9 * rows)
    cells += [None] * (rows * across - len(cells))
    for ax, cell in zip(figure.subplots(rows, across, squeeze=False).flat, cells, strict=True):
        if cell is None:
            ax.set_axis_off()
            continue
        f, grid, title = cell
        f, grid = _resample(f, grid, w.threads) if grid.L < 128 else (f, grid)
        plot.show(f, grid, ax=ax, title=title, **style)
    return output.validate(figure)


def _resample(f, grid, threads):
    """Resample a band-limited map on a finer grid, exactly."""
    import spherekit

    flags = dict(reality=True, threads=threads)
    flm = spherekit.forward(f, grid.L, sampling=grid, **flags)
    return spherekit.inverse(flm, grid.L, sampling="mw:128", **flags), "mw:128"
