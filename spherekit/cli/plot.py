"""Plot a map in a Mollweide, orthographic or Cartesian projection, bandpowers with error bars, or C_l."""

import numpy as np

from spherekit.cli import (
    bandpower_files,
    files,
    names,
    options,
    output,
    positions,
    report,
    spectrum_picture,
)
from spherekit.cli.analysis import grid_name


def arguments(parser):
    options.files(
        parser,
        "a map: FITS, netCDF (.nc), .npz, .npy, text or picture; or bandpowers or C_l",
        "MAP",
        ".png",
    )
    parser.add_argument("-o", "--output", required=True, help="picture: .png, .pdf, .svg or .jpg")
    options.projection(parser)
    options.source(parser)
    parser.add_argument(
        "--part", choices=("real", "imag", "abs"), help="part of a complex map to plot"
    )
    options.mask(parser, "samples are drawn in gray where it is 0")
    options.rot(parser)
    parser.add_argument(
        "--flip",
        choices=("astro", "geo"),
        help="astro: east to the left, geo: east to the right; default geo in geographic or horizontal "
        "coordinates, else astro",
    )
    parser.add_argument("--half", action="store_true", help="orthographic: near hemisphere only")
    bound = "{} end of the color range; default: percentile {}, or symmetric about 0"
    parser.add_argument("--vmin", type=float, help=bound.format("lower", 1))
    parser.add_argument("--vmax", type=float, help=bound.format("upper", 99))
    parser.add_argument("--cmap", help="name of a matplotlib colormap")
    parser.add_argument(
        "--title", help="title of the picture; default: name of the field, and coordinates"
    )
    parser.add_argument("--unit", help="label of the color bar; default: the unit in the file")
    options.force(parser)


def run(args):
    from spherekit import io, plot
    from spherekit.cli.stokes import Component
    from spherekit.io.missing import missing_samples

    options.writable(args.output, args.force, options.PICTURES)
    rot = options.center(args.rot)
    if args.half and args.projection != "orthographic":
        raise options.Usage("--half applies to --projection orthographic only")
    if bandpower_files.contains(args.file):
        bandpower_files.plot(args)
        return
    if spectrum_picture.contains_spectra(args.file):
        spectrum_picture.of_file(args)
        return
    fields = files.read_fields(args.file, args)
    values = _real(fields, args)
    missing_samples(values, name=args.file)  # raises ValueError for infinite samples
    sky = files.Map((Component(values, 0, fields.columns, ""),), fields.grid, fields.frame)
    weights = files.read_mask(args, sky)
    if weights is not None:
        values = np.where(weights > 0, values, np.nan)
    figure = options.figure(5, 5.6) if args.half else options.figure(8, 5)
    style = ("projection", "flip", "half", "vmin", "vmax", "cmap")
    style = {name: getattr(args, name) for name in style}
    title = _title(fields) if args.title is None else args.title
    unit = fields.units[0] if args.unit is None else args.unit
    sky = io.Map(values, fields.grid, frame=fields.frame)
    plot.show(sky, ax=figure.add_subplot(), rot=rot, unit=unit, title=title, **style)
    with output.atomic(args.force):
        output.save(figure, args.output)
    report.add(grid=grid_name(fields.grid), columns=fields.columns, unit=unit or None)
    if fields.polcconv == "IAU":
        print(
            "POLCCONV = IAU, and it is ambiguous whether the column is U; plotted with the sign in the file"
        )
    print(f"wrote {args.output}")


def _title(fields):
    """The name of the field and the coordinates of its position."""
    from spherekit.plot.signals import title_of

    return title_of(", ".join(fields.columns), positions.of_attributes(fields.attributes))


def _advice_on_winds(path, fields):
    """The command that draws arrows, for fields in units of velocity of which two are drawn."""
    from spherekit.io.winds import is_velocity

    if len(fields.values) != 2 or not all(map(is_velocity, fields.units)):
        return ""
    selected = f" --field {names.join(fields.columns)}" if fields.columns else ""
    return (
        "; the arrows of a wind are drawn, over its vorticity and divergence, by spherekit wind "
        f"{path}{selected} --plot PICTURE -o FILE"
    )


def _real(fields, args):
    if len(fields.values) > 1:
        raise options.Usage(
            f"{args.file}: got {len(fields.values)} maps; expected one; select it with --field"
            + _advice_on_winds(args.file, fields)
        )
    values = fields.values[0]
    if np.iscomplexobj(values):
        if args.part is None:
            raise options.Usage(f"{args.file} is complex; pass --part real, imag or abs")
        return np.abs(values) if args.part == "abs" else getattr(values, args.part)
    if args.part is not None:
        raise options.Usage(f"--part applies to complex maps only; {args.file} is real")
    return values
