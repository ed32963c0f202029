"""Smooth a map by a beam: Gaussian, or the window function b_l of a file.

All columns of a map are smoothed, Q and U as a spin-2 field, a wind as one of spin 1. Maps are analyzed
(HEALPix: by least squares), multiplied by b_l and synthesized on their grid. The residual of the analysis,
the part of the map beyond the degrees below L, is printed; it is not in the result.
"""

import re

from spherekit.cli import analysis, options, output, records, report, stopping

#: Several files are computed two at a time.
OVERLAPS = True


def arguments(parser):
    options.files(parser, "a map", "MAP")
    options.further(parser)
    parser.add_argument(
        "-o", "--output", required=True, help="the smoothed map: .fits, .npz, .nc, .npy or .csv"
    )
    beam = parser.add_mutually_exclusive_group(required=True)
    beam.add_argument(
        "--fwhm", help="full width at half maximum of a Gaussian, e.g. 1deg or 30arcmin"
    )
    beam.add_argument("--sigma", help="standard deviation of a Gaussian, e.g. 20arcmin")
    beam.add_argument("--beam", metavar="FILE", help="table of l and b_l, as text or FITS")
    options.band_limit(parser)
    options.source(parser, default="all fields; of netCDF the only one")
    resampling_options(parser)


def resampling_options(parser):
    """The options of smooth and regrid, besides those of the map."""
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="plot the map before and after")
    options.common(parser)


def run(args):
    from spherekit import fields

    check_outputs(args)
    widths = {name: width(args, name) for name in ("fwhm", "sigma")}
    L = options.band_limit_option(args, required=False)
    sky = records.read(args, L)
    records.check_output(args.output, sky.grid, sky.axes)
    check_plot(args, sky)
    analysis.require_band_limit(args, sky.grid)
    if args.beam is not None:
        from spherekit.fields.analysis import default_band_limit
        from spherekit.io import read_beam

        L = L or default_band_limit(sky.grid)
        widths["beam"] = read_beam(args.beam, L)
    result = fit(args, fields.smooth, sky, L=L, **widths)
    name = args.beam or f"Gaussian, {'FWHM' if args.fwhm else 'sigma'} {args.fwhm or args.sigma}"
    write(args, sky, result, f"smoothed by {name}")


def check_outputs(args):
    """Raise an error for outputs that cannot be written, before any computation."""
    options.writable(args.output, args.force, output.MAPS)
    options.writable(args.plot, args.force, options.PICTURES)


def check_plot(args, sky):
    """Raise Usage for --plot of a map with axes."""
    if args.plot and sky.axes:
        raise options.Usage(
            f"--plot: the map has the axes {', '.join(sky.axes)}; select one map to plot, e.g. "
            f"{options.selection_of(sky.axes, sky.attributes)}"
        )


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

        def step(_):
            stopping.check()
            progress.update()

        common = dict(max_iter=max_iter, allow_unconverged=args.allow_unconverged)
        common |= dict(threads=args.threads, progress=step)
        try:
            return operation(*arguments, spin=args.spin, **keywords, **common)
        except ValueError as error:
            raise records.with_options(error) from None


def write(args, sky, result, description):
    """Write a map, and a picture of the map before and after; print what was done."""
    figure = picture(sky, result, description) if args.plot else None
    report.add(operation=description)
    with output.atomic(args.force):
        records.write(args.output, result)
        report.wrote(args.output)
        output.save(figure, args.plot)
    report.add_map(result)
    names = ", ".join(name or "unnamed" for name in result.names)
    print(
        *result.notes,
        *_warnings(result.notes),
        f"wrote {args.output}: {names}, {analysis.grid_label(result.grid)}, {description}",
        sep="\n",
    )
    if args.plot:
        print(f"wrote {args.plot}")


#: The note of `spherekit.fields` on the residuals, with one for each signal.
_RESIDUALS = re.compile(r"degrees < (\d+); the residual, .* relative to the rms of the map: (.*)")
_RATIO = r"(?<= )\d\.\d\de[-+]\d+"


def _warnings(notes):
    """The warning of the largest residual in notes, if that is large."""
    matches = filter(None, map(_RESIDUALS.fullmatch, notes))
    pairs = [(float(x), match[1]) for match in matches for x in re.findall(_RATIO, match[2])]
    return analysis.residual_warnings(*max(pairs)) if pairs else []


def picture(before, after, description):
    """One row per field, before and after."""
    import numpy as np

    from spherekit import plot
    from spherekit.plot.maps import color_range
    from spherekit.plot.signals import default_flip

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
            plot.show(f, x.grid, ax=ax, title=title, flip=default_flip(x.frame), **style)
    return output.validate(figure)
