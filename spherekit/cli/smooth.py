"""Smooth a map by a beam: Gaussian, or the window function b_l of a file.

All columns of a map are smoothed, Q and U as a spin-2 field. Maps are analyzed (HEALPix: by least squares),
multiplied by b_l and synthesized on their grid. The residual of the analysis, the part of the map beyond the
degrees below L, is printed; it is not in the result.
"""

from spherekit.cli import analysis, options, output, records


def arguments(parser):
    options.files(parser, "a map", "MAP")
    parser.add_argument(
        "-o", "--output", required=True, help="the smoothed map: .fits, .npz or .npy"
    )
    beam = parser.add_mutually_exclusive_group(required=True)
    beam.add_argument(
        "--fwhm", help="full width at half maximum of a Gaussian, e.g. 1deg or 30arcmin"
    )
    beam.add_argument("--sigma", help="standard deviation of a Gaussian, e.g. 20arcmin")
    beam.add_argument("--beam", metavar="FILE", help="table of l and b_l, as text or FITS")
    resampling_options(parser)


def resampling_options(parser):
    """The options of smooth and regrid."""
    options.band_limit(parser)
    parser.add_argument(
        "--field", help="columns by number or name, e.g. 0, T or Q,U; default: all columns"
    )
    parser.add_argument(
        "--ordering",
        choices=("ring", "nested"),
        help="pixel ordering of a HEALPix file that does not state it",
    )
    options.hdu(parser)
    options.spin(parser)
    parser.add_argument(
        "--max-iter", type=int, help="maximum least-squares iterations (HEALPix); default 100"
    )
    parser.add_argument("--plot", metavar="PICTURE", help="plot the map before and after")
    options.common(parser)


def run(args):
    from spherekit import fields

    check_outputs(args)
    widths = {name: width(args, name) for name in ("fwhm", "sigma")}
    L = options.band_limit_option(args, required=False)
    record, note = records.read(args, L)
    if args.beam is not None:
        from spherekit.fields.analysis import default_band_limit
        from spherekit.io import read_beam

        L = L or default_band_limit(record.grid)
        widths["beam"] = read_beam(args.beam, L)
    result = fit(args, fields.smooth, record, L=L, **widths)
    description = (
        args.beam or f"Gaussian, {'FWHM' if args.fwhm else 'sigma'} {args.fwhm or args.sigma}"
    )
    write(args, record, result, note, f"smoothed by {description}")


def check_outputs(args):
    """Raise an error for outputs that cannot be written, before any computation."""
    options.writable(args.output, args.force, (".fits", ".npz", ".npy"))
    options.writable(args.plot, args.force, options.PICTURES)


def width(args, name):
    """The width of an option in radians, or None."""
    text = getattr(args, name)
    if text is None:
        return None
    value = options.angle(text, f"--{name}")
    if value < 0:
        raise options.Usage(f"--{name} is {text}; expected a width >= 0")
    return value


def fit(args, operation, *arguments, **keywords):
    """Call a function of `spherekit.fields`, with a progress bar of its iterations."""
    from spherekit._core.progress import progress_bar

    max_iter = 100 if args.max_iter is None else args.max_iter
    if max_iter < 1:
        raise options.Usage(f"--max-iter is {max_iter}; expected 1 or more")
    with progress_bar("least squares", unit="iterations") as progress:
        common = dict(max_iter=max_iter, threads=args.threads, progress=lambda _: progress.update())
        return operation(*arguments, **keywords, **common)


def write(args, record, result, note, description):
    """Write a map, and a picture of the map before and after; print what was done."""
    figure = picture(record, result, description) if args.plot else None
    with output.atomic(args.force):
        records.write(args.output, result)
        output.save(figure, args.plot)
    names = ", ".join(name or "unnamed" for name in result.names)
    line = f"wrote {args.output}: {names}, {analysis.grid_name(result.grid)}, {description}"
    print(*filter(None, [note, *result.notes, line]), sep="\n")
    if args.plot:
        print(f"wrote {args.plot}")


def picture(before, after, description):
    """One row per field, before and after."""
    import numpy as np

    from spherekit import plot
    from spherekit.plot.maps import color_range

    rows = (
        [(before, after)]
        if len(before) == 1
        else [(before.select(i), after.select(i)) for i in range(len(before))]
    )
    figure = options.figure(12, 4.1 * len(rows))
    axes = figure.subplots(len(rows), 2, squeeze=False)
    for row, pair in zip(axes, rows, strict=True):
        samples = [np.abs(x.values) if np.iscomplexobj(x.values) else x.values for x in pair]
        vmin, vmax, _, symmetric = color_range(samples[0])
        style = dict(unit=pair[0].units[0], vmin=vmin, vmax=vmax, symmetric=symmetric)
        name = pair[0].names[0]
        titles = f"{name}, original".lstrip(", "), f"{name}, {description}".lstrip(", ")
        for ax, f, x, title in zip(row, samples, pair, titles, strict=True):
            plot.show(f, x.grid, ax=ax, title=title, **style)
    return output.validate(figure)
