"""Rotate a map or coefficients, by Euler angles or into another frame of the sky.

(R f)(x) = f(R^-1 x) with R = Rz(A) Ry(B) Rz(C): an active rotation, zyz, which leaves the frame what it is.
With --to the sky stays and its coordinates change. All columns of a map are rotated: Q and U together, as a
field of spin 2 whose axes turn, others as scalars. Maps are analysed (HEALPix: least squares), rotated in
coefficients, exactly, and synthesised; what the degrees below L do not hold of a map is printed, and is not
in the result.
"""

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output
from spherekit.cli.stokes import refuse_lone
from spherekit.wigner.frames import FRAMES


def arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a map, or coefficients")
    parser.add_argument("-o", "--output", required=True, help="a file of the same kind")
    parser.add_argument(
        "--euler", metavar="A,B,C", help="degrees, as 30,40,50 or --euler=-30,40,50"
    )
    parser.add_argument("--to", choices=tuple(FRAMES), help="frame of the sky")
    parser.add_argument(
        "--from", dest="source", choices=tuple(FRAMES), help="default: what the file says"
    )
    options.band_limit(parser)
    options.source(parser, default="all of a FITS map")
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="draw it before and after")
    options.common(parser)


def run(args):
    if (args.euler is None) == (args.to is None):
        raise options.Usage("say one of --euler A,B,C (degrees) and --to FRAME")
    options.writable(args.plot, args.force, options.PICTURES)
    rotates_coefficients = coefficients.in_file(args.file, args.hdu)
    (_rotate_coefficients if rotates_coefficients else _rotate_map)(args)


def _rotate_coefficients(args):
    options.writable(args.output, args.force, (".fits", ".npz"))
    options.refuse_given(args, "of maps, not of coefficients", but=("field",))
    stored = coefficients.read(args.file, args)
    L = stored.L
    if options.band_limit_option(args, required=False) not in (None, L):
        raise options.Usage(f"{args.file} holds the degrees below {L}; --L is of maps")
    angles, words, frame = _angles(args, stored.frame)
    for signal in stored.components:
        refuse_lone(args.file, signal, args.spin)
    rotated = [_rotate(signal, angles, args.threads) for signal in stored.components]
    figure = None
    if args.plot:
        grid = f"mw:{max(L, 128)}"
        pairs = zip(stored.components, rotated, strict=True)
        shown = [[_drawn(x, L, grid, args.threads) for x in pair] for pair in pairs]
        figure = _picture(shown, grid, rotated, words)
    with output.together(args.force):
        output.write_coefficients(args.output, rotated, L, frame)
        output.save(figure, args.plot)
    names = ", ".join(f"{signal.name} (spin {signal.spin})" for signal in rotated)
    print(f"wrote {args.output}: L = {L} (lmax {L - 1}), {names}, {words}")
    if args.plot:
        print(f"wrote {args.plot}")


def _rotate_map(args):
    suffixes = (".npz", ".npy") if options.is_arrays(args.file) else (".fits",)
    options.writable(args.output, args.force, suffixes)
    asked = options.band_limit_option(args, required=False)
    sky = files.read_map(args, asked, every=True)
    grid = sky.grid
    per_nside = analysis.DEGREES_PER_NSIDE
    L = asked or (per_nside * grid.nside if grid.name == "healpix" else grid.L)
    angles, words, frame = _angles(args, sky.frame)
    analysis.refuse_beyond_pixels(grid, L)
    files.refuse_missing(args, sky)
    rotated, lines = [], [sky.note] if sky.note else []
    for component in sky.components:
        values, spin = component.values, component.spin
        flm, report = analysis.analyse(values, L, grid, spin, **analysis.iterations(args))
        lines.append(f"{component.name}, spin {spin}: {report} (L = {L})")
        signal = _rotate(component._replace(values=flm), angles, args.threads)
        f = analysis.synthesise(signal.values, L, grid, spin, values, args.threads)
        rotated.append(component._replace(values=f))
    figure = None
    if args.plot:
        pairs = zip(sky.components, rotated, strict=True)
        shown = [
            [np.abs(x.values) if x.spin else np.real(x.values) for x in pair] for pair in pairs
        ]
        figure = _picture(shown, grid, rotated, words)
    with output.together(args.force):
        output.write_map(args.output, rotated, grid, frame)
        output.save(figure, args.plot)
    names = ", ".join(component.name for component in rotated)
    print(*lines, f"wrote {args.output}: {names}, {analysis.grid_name(grid)}, {words}", sep="\n")
    if args.plot:
        print(f"wrote {args.plot}")


def _rotate(signal, angles, threads):
    from spherekit import wigner
    from spherekit.conventions.indexing import is_hermitian

    reality = signal.spin == 0 and is_hermitian(signal.values)
    flm = wigner.rotate(signal.values, *angles, reality=reality, threads=threads)
    return signal._replace(values=flm)


def _angles(args, frame):
    """(angles in radians, words for them, frame of the result)."""
    if args.euler is not None:
        if args.source:
            raise options.Usage("--from goes with --to, not with --euler")
        return (*_euler(args.euler), frame)
    from spherekit.wigner import frame_angles

    if args.source and frame and args.source != frame:
        raise options.Usage(
            f"{args.file} says that it is in {frame} coordinates; --from is {args.source}"
        )
    source = args.source or frame
    if not source:
        raise options.Usage(
            f"{args.file} does not say its frame (COORDSYS); pass --from {'|'.join(FRAMES)}"
        )
    return frame_angles(source, args.to), f"from {source} to {args.to} coordinates", args.to


def _euler(text):
    try:
        angles = [float(part) for part in text.split(",")]
    except ValueError:
        angles = []
    if len(angles) != 3 or not np.isfinite(angles).all():
        raise options.Usage(f"--euler is {text!r}; expected A,B,C in degrees")
    return np.radians(np.fmod(angles, 360)), "rotated by {:g}, {:g}, {:g} degrees".format(*angles)


def _drawn(signal, L, grid, threads):
    import spherekit

    f = spherekit.inverse(signal.values, L, spin=signal.spin, sampling=grid, threads=threads)
    return np.abs(f) if signal.spin else f.real


def _picture(pairs, grid, signals, words):
    """A row a signal: before, and after."""
    from spherekit import plot
    from spherekit.plot.maps import color_range

    figure = options.figure(12, 4.1 * len(pairs))
    axes = figure.subplots(len(pairs), 2, squeeze=False)
    for row, pair, signal in zip(axes, pairs, signals, strict=True):
        vmin, vmax, _, symmetric = color_range(pair[0])
        name = signal.name if not signal.spin else f"modulus of {signal.name}"
        titles = (f"{name}, before", f"{name}, {words}")
        look = dict(unit=signal.unit, vmin=vmin, vmax=vmax, symmetric=symmetric)
        for ax, f, title in zip(row, pair, titles, strict=True):
            plot.show(f, grid, ax=ax, title=title, **look)
    return output.sound(figure)
