"""Compute the harmonic coefficients of a map, or, with --inverse, a map from coefficients.

On grids with a sampling theorem (mw, mwss, gl, dh, dhpole, cc) the transform is exact for band-limited maps.
On HEALPix it is a least-squares fit, Jacobi iterations or one quadrature (--method lsq, jacobi, quadrature).
The residual, the part of the map that the coefficients do not describe, is printed.

Q and U are a spin-2 field: --field I,Q,U gives T, E and B, from which --inverse computes a map of I, Q and U.
A wind, --field u,v, is the field -v + i u of spin 1: its E and B give the divergence and the vorticity.
"""

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output, report

#: Several files are computed two at a time.
OVERLAPS = True
METHODS = ("lsq", "jacobi", "quadrature")


def arguments(parser):
    options.files(parser, "a map; with --inverse, coefficients")
    options.further(parser)
    options.band_limit(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="coefficients: .fits (alm), .npz, .sh (SHTOOLS text), .shc or .mat; with --inverse, a map: "
        ".fits, .npz, .npy, .nc or .csv",
    )
    options.source(parser)
    options.coefficients(parser)
    options.spin(parser)
    options.mask(parser, "samples above 0.5 are used")
    parser.add_argument(
        "--method",
        choices=METHODS,
        help="method of the analysis; default: quadrature on a full sky with a sampling theorem, else lsq",
    )
    options.least_squares(parser)
    parser.add_argument(
        "--inverse", action="store_true", help="compute a map from coefficients (requires --grid)"
    )
    options.common(parser)


def run(args):
    (_to_map if args.inverse else _to_coefficients)(args)


def _to_coefficients(args):
    options.writable(args.output, args.force, output.COEFFICIENTS)
    sky = files.read_map(args, options.band_limit_option(args, required=False), axes=True)
    L, line = analysis.band_limit(args, sky.grid)
    if options.suffix_of(args.output) == ".fits":
        output.refuse_alm(args.output, sky.components)
        if any(c.spin == 0 and np.iscomplexobj(c.values) for c in sky.components):
            raise output.needs_npz(args.output)
    weights = files.read_mask(args, sky)
    observed = None if weights is None else weights > 0.5
    files.refuse_missing(args, sky, observed)
    lines = [note for note in (sky.note, line) if note]
    options_of_fit = dict(observed=observed, method=args.method, **analysis.iterations(args))
    signals = []
    for component in sky.components:
        values, spin = component.values, component.spin
        flm, line = analysis.analyze(values, L, sky.grid, spin, **options_of_fit)
        lines.append(line if len(sky.components) == 1 else f"{component.name}: {line}")
        signals.append(component._replace(values=flm))
    with output.atomic(args.force):
        output.write_coefficients(args.output, signals, L, sky.frame, sky.axes, sky.attributes)
    output.report_signals(signals, sky.frame)
    spins = ", ".join(f"{signal.name} (spin {signal.spin})" for signal in signals)
    print(*lines, f"wrote {args.output}: L = {L} (lmax {L - 1}), {spins}", sep="\n")


def _to_map(args):
    options.writable(args.output, args.force, output.MAPS)
    reason = "not applicable with --inverse"
    options.refuse_options_of_maps(args, reason, exclude=("grid", "field"))
    analysis.require_grid(args)
    contents = coefficients.read(args.file, args)
    L = coefficients.requested_band_limit(args, contents)
    grid = analysis.synthesis_grid(args, L)
    signals = [
        signal._replace(
            values=analysis.synthesize(
                signal.values[..., : L * L], L, grid, signal.spin, threads=args.threads
            )
        )
        for signal in contents.components
    ]
    with output.atomic(args.force):
        described = contents.frame, contents.axes, contents.attributes
        output.write_map(args.output, signals, grid, *described)
    report.add(L=L, grid=analysis.grid_name(grid))
    output.report_signals(signals, contents.frame)
    names = ", ".join(signal.name for signal in signals)
    summary = f"{names}, {analysis.grid_label(grid)}, degrees < {L}"
    print(*contents.notes, f"wrote {args.output}: {summary}", sep="\n")
