"""Rotate a map or coefficients by Euler angles, or to another coordinate frame.

With --euler, (R f)(x) = f(R^-1 x) with R = Rz(A) Ry(B) Rz(C): an active zyz rotation of the map in its frame.
With --to, the coordinates change and the sky does not.

All columns of a map are rotated: Q and U as a spin-2 field, a wind as one of spin 1, others as scalars. Maps
are analyzed (HEALPix: by least squares), rotated exactly in harmonic space and synthesized. The residual of
the analysis, the part of the map beyond the degrees below L, is printed; it is not in the result.
"""

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output, records, report
from spherekit.cli.smooth import check_plot
from spherekit.cli.stokes import refuse_unpaired
from spherekit.wigner.frames import FRAMES

#: Several files are computed two at a time.
OVERLAPS = True


def arguments(parser):
    options.files(parser, "a map or coefficients")
    options.further(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="of a FITS map .fits, of an array .npz, .npy, .nc or .csv, of other maps any of these; of "
        "coefficients .fits (alm), .npz, .sh, .shc or .mat",
    )
    parser.add_argument(
        "--euler",
        metavar="A,B,C",
        help="angles, e.g. 30,40,50 or --euler=-30,40,50 in degrees, or with units, 30deg,40deg,0.1rad",
    )
    parser.add_argument("--to", choices=tuple(FRAMES), help="coordinate frame of the result")
    parser.add_argument(
        "--from",
        dest="source",
        choices=tuple(FRAMES),
        help="coordinate frame of FILE, if it does not state it",
    )
    options.band_limit(parser)
    options.source(parser, default="all columns of a FITS map")
    options.coefficients(parser)
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="plot the map before and after")
    options.common(parser)


def run(args):
    if (args.euler is None) == (args.to is None):
        raise options.Usage("exactly one of --euler A,B,C (in degrees) and --to FRAME is required")
    options.writable(args.plot, args.force, options.PICTURES)
    rotates_coefficients = coefficients.in_file(args.file, args.hdu)
    (_rotate_coefficients if rotates_coefficients else _rotate_map)(args)


def _rotate_coefficients(args):
    options.writable(args.output, args.force, output.COEFFICIENTS)
    reason = f"not applicable, since {args.file} contains coefficients, not a map"
    options.refuse_options_of_maps(args, reason, exclude=("field",))
    original = coefficients.read(args.file, args)
    L = original.L
    limit = options.band_limit_option(args, required=False)
    if limit not in (None, L):
        raise options.Usage(
            f"{args.file} contains coefficients of degrees < {L}; omit --L or --lmax, which "
            "apply to maps only"
        )
    angles, description, frame = _angles(args, original.frame)
    for signal in original.components:
        refuse_unpaired(args.file, signal, args.spin)
    rotated = [_rotate(signal, angles, args.threads) for signal in original.components]
    figure = None
    if args.plot:
        grid = f"mw:{max(L, 128)}"
        pairs = zip(original.components, rotated, strict=True)
        maps = [[_real_samples(x, L, grid, args.threads) for x in pair] for pair in pairs]
        figure = _picture(maps, grid, rotated, description, frame)
    with output.atomic(args.force):
        output.write_coefficients(
            args.output, rotated, L, frame, original.axes, original.attributes
        )
        output.save(figure, args.plot)
    report.add(L=L, rotation=description)
    output.report_signals(rotated, frame)
    names = ", ".join(f"{signal.name} (spin {signal.spin})" for signal in rotated)
    summary = f"L = {L} (lmax {L - 1}), {names}, {description}"
    print(*original.notes, f"wrote {args.output}: {summary}", sep="\n")
    if args.plot:
        print(f"wrote {args.plot}")


def _rotate_map(args):
    options.writable(args.output, args.force, output.map_suffixes(args.file))
    limit = options.band_limit_option(args, required=False)
    sky = files.read_map(args, limit, all_columns=True, axes=True)
    grid = sky.grid
    records.check_output(args.output, grid, sky.axes)
    check_plot(args, sky)
    L, line = analysis.band_limit(args, grid)
    angles, description, frame = _angles(args, sky.frame)
    files.refuse_missing(args, sky)
    rotated = []
    lines = [note for note in (sky.note, line) if note]
    for component in sky.components:
        values, spin = component.values, component.spin
        flm, line = analysis.analyze(values, L, grid, spin, **analysis.iterations(args))
        lines.append(f"{component.name}, spin {spin}: {line} (L = {L})")
        signal = _rotate(component._replace(values=flm), angles, args.threads)
        f = analysis.synthesize(signal.values, L, grid, spin, values, args.threads)
        rotated.append(component._replace(values=f))
    figure = None
    if args.plot:
        pairs = zip(sky.components, rotated, strict=True)
        maps = [[np.abs(x.values) if x.spin else np.real(x.values) for x in pair] for pair in pairs]
        figure = _picture(maps, grid, rotated, description, frame)
    with output.atomic(args.force):
        output.write_map(args.output, rotated, grid, frame, sky.axes, sky.attributes)
        output.save(figure, args.plot)
    report.add(rotation=description)
    output.report_signals(rotated, frame)
    names = ", ".join(component.name for component in rotated)
    summary = f"{names}, {analysis.grid_label(grid)}, {description}"
    print(*lines, f"wrote {args.output}: {summary}", sep="\n")
    if args.plot:
        print(f"wrote {args.plot}")


def _rotate(signal, angles, threads):
    from spherekit import wigner
    from spherekit.conventions.indexing import is_hermitian

    reality = signal.spin == 0 and is_hermitian(signal.values)
    flm = wigner.rotate(signal.values, *angles, reality=reality, threads=threads)
    return signal._replace(values=flm)


def _angles(args, frame):
    """(angles in radians, description of the rotation, frame of the result)."""
    if args.euler is not None:
        if args.source:
            raise options.Usage("--from applies to --to only, not to --euler")
        return (*_euler(args.euler), frame)
    from spherekit.wigner import frame_angles

    if args.source and frame and args.source != frame:
        raise options.Usage(
            f"--from is {args.source}, but {args.file} is in {frame} coordinates; omit --from"
        )
    source = args.source or frame
    if source and source not in FRAMES:
        raise options.Usage(
            f"{args.file} is in {source} coordinates, not in those of the sky; --to converts between "
            f"{options.alternatives(FRAMES)} coordinates (rotate by angles with --euler)"
        )
    if not source:
        raise options.Usage(
            f"{args.file} does not state its coordinate frame (COORDSYS); pass --from "
            f"{options.alternatives(FRAMES)}"
        )
    return frame_angles(source, args.to), f"from {source} to {args.to} coordinates", args.to


def _euler(text):
    """(angles in radians, description) of three angles with units, by default degrees."""
    words = text.split(",")
    if len(words) != 3:
        raise options.Usage(
            f"--euler is {text!r}; expected three angles A,B,C, in degrees or with units"
        )
    if all(map(_is_number, words)):
        angles = np.array(words, float)
    else:
        angles = np.degrees([options.angle(word, "--euler", default="deg") for word in words])
    if not np.isfinite(angles).all():
        raise options.Usage(f"--euler is {text!r}; expected three finite angles A,B,C in degrees")
    return np.radians(np.fmod(angles, 360)), "rotated by {:g}, {:g}, {:g} degrees".format(*angles)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _real_samples(signal, L, grid, threads):
    """Samples for a picture, of a spin field the modulus."""
    import spherekit

    f = spherekit.inverse(signal.values, L, spin=signal.spin, sampling=grid, threads=threads)
    return np.abs(f) if signal.spin else f.real


def _picture(pairs, grid, signals, description, frame):
    """One row per signal, before and after the rotation."""
    from spherekit import plot
    from spherekit.plot.maps import color_range
    from spherekit.plot.signals import default_flip

    figure = options.figure(12, 4.1 * len(pairs))
    axes = figure.subplots(len(pairs), 2, squeeze=False)
    for row, pair, signal in zip(axes, pairs, signals, strict=True):
        vmin, vmax, _, symmetric = color_range(pair[0])
        name = signal.name if not signal.spin else f"modulus of {signal.name}"
        titles = (f"{name}, original", f"{name}, {description}")
        style = dict(unit=signal.unit, vmin=vmin, vmax=vmax, symmetric=symmetric)
        style["flip"] = default_flip(frame)
        for ax, f, title in zip(row, pair, titles, strict=True):
            plot.show(f, grid, ax=ax, title=title, **style)
    return output.validate(figure)
