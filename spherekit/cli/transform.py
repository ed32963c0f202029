"""Transform a map into harmonic coefficients, or back with --inverse.

On grids with a sampling theorem (mw, mwss, gl, dh, dhpole, cc) the transform is exact; on HEALPix
it is a least-squares fit (--method lsq), Jacobi iterations or one quadrature. The residual, what
the coefficients do not explain of the map, is printed. Q and U are one field of spin 2: --field I,Q,U
gives T, E and B, which --inverse takes back to the map of I, Q and U.
"""

from pathlib import Path

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output

METHODS = ("lsq", "jacobi", "quadrature")


def arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a map; coefficients with --inverse")
    options.band_limit(parser)
    parser.add_argument(
        "-o", "--output", required=True, help="alm .fits or .npz; with --inverse a map"
    )
    options.source(parser)
    options.spin(parser)
    options.mask(parser, "samples count where it is above 0.5")
    parser.add_argument("--method", choices=METHODS, help="default: lsq where no theorem holds")
    options.least_squares(parser)
    parser.add_argument("--inverse", action="store_true", help="from coefficients to a map")
    options.common(parser)


def run(args):
    (_to_map if args.inverse else _to_coefficients)(args)


def _to_coefficients(args):
    options.writable(args.output, args.force, (".fits", ".npz"))
    L = options.band_limit_option(args)
    sky = files.read_map(args, L)
    analysis.refuse_beyond_pixels(sky.grid, L)
    if Path(args.output).suffix == ".fits":
        output.refuse_alm(args.output, sky.components)
        if any(c.spin == 0 and np.iscomplexobj(c.values) for c in sky.components):
            raise output.needs_npz(args.output)
    weights = files.read_mask(args, sky)
    keep = None if weights is None else weights > 0.5
    files.refuse_missing(args, sky, keep)
    lines = [sky.note] if sky.note else []
    options_of_fit = dict(keep=keep, method=args.method, **analysis.iterations(args))
    signals = []
    for component in sky.components:
        values, spin = component.values, component.spin
        flm, report = analysis.analyse(values, L, sky.grid, spin, **options_of_fit)
        lines.append(report if len(sky.components) == 1 else f"{component.name}: {report}")
        signals.append(component._replace(values=flm))
    with output.together(args.force):
        output.write_coefficients(args.output, signals, L, sky.frame)
    spins = ", ".join(f"{signal.name} (spin {signal.spin})" for signal in signals)
    print(*lines, f"wrote {args.output}: L = {L} (lmax {L - 1}), {spins}", sep="\n")


def _to_map(args):
    options.writable(args.output, args.force, (".fits", ".npz", ".npy"))
    options.refuse_given(args, "of maps, not with --inverse", but=("grid", "field"))
    if args.grid is None:
        raise options.Usage("say the grid of the map: --grid mw:256 or --grid healpix:64")
    stored = coefficients.read(args.file, args)
    L = options.band_limit_option(args, required=False) or stored.L
    if L > stored.L:
        raise ValueError(f"{args.file} holds degrees below {stored.L}; --L {L} asks for more")
    grid = analysis.synthesis_grid(args, L)
    signals = [
        signal._replace(
            values=analysis.synthesise(
                signal.values[: L * L], L, grid, signal.spin, threads=args.threads
            )
        )
        for signal in stored.components
    ]
    with output.together(args.force):
        output.write_map(args.output, signals, grid, stored.frame)
    names = ", ".join(signal.name for signal in signals)
    print(f"wrote {args.output}: {names}, {analysis.grid_name(grid)}, degrees < {L}")
