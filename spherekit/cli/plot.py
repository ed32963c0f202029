"""Picture of a map: Mollweide, orthographic or cartesian."""

import numpy as np

from spherekit.cli import files, options, output

PROJECTIONS = ("mollweide", "orthographic", "cartesian")


def arguments(parser):
    parser.add_argument("file", metavar="MAP")
    parser.add_argument("-o", "--output", required=True, help="picture: .png, .pdf, .svg, .jpg")
    parser.add_argument("--projection", default="mollweide", choices=PROJECTIONS)
    options.source(parser)
    parser.add_argument("--part", choices=("real", "imag", "abs"), help="of a complex map")
    options.mask(parser, "samples are drawn in grey where it is 0")
    parser.add_argument("--rot", default="0,0", help="centre LON,LAT in degrees; --rot=-30,10")
    parser.add_argument("--flip", default="astro", choices=("astro", "geo"), help="east left/right")
    parser.add_argument("--half", action="store_true", help="orthographic: near hemisphere alone")
    parser.add_argument("--vmin", type=float, help="default: percentile 1, or symmetric about 0")
    parser.add_argument("--vmax", type=float, help="default: percentile 99, or symmetric about 0")
    parser.add_argument("--cmap", help="a colour map of matplotlib")
    parser.add_argument("--title")
    parser.add_argument("--unit", help="default: the unit in the file")
    options.force(parser)


def run(args):
    from spherekit import plot
    from spherekit.cli.stokes import Component
    from spherekit.io.missing import missing_samples

    options.writable(args.output, args.force, options.PICTURES)
    rot = _rot(args.rot)
    if args.half and args.projection != "orthographic":
        raise options.Usage("--half is for --projection orthographic")
    fields = files.read_fields(args.file, args)
    values = _real(fields, args)
    missing_samples(values, name=args.file)  # refuses what is no measurement
    sky = files.Map((Component(values, 0, fields.columns, ""),), fields.grid, fields.frame)
    weights = files.read_mask(args, sky)
    if weights is not None:
        values = np.where(weights > 0, values, np.nan)
    figure = options.figure(5, 5.6) if args.half else options.figure(8, 5)
    same = ("projection", "flip", "half", "vmin", "vmax", "title", "cmap")
    look = {name: getattr(args, name) for name in same}
    unit = fields.units[0] if args.unit is None else args.unit
    plot.show(values, fields.grid, ax=figure.add_subplot(), rot=rot, unit=unit, **look)
    with output.together(args.force):
        output.save(figure, args.output)
    if fields.polcconv == "IAU":
        print(
            "POLCCONV = IAU, and nothing tells whether it is U: drawn with the sign that the file has"
        )
    print(f"wrote {args.output}")


def _real(fields, args):
    if len(fields.values) > 1:
        raise options.Usage(
            f"{args.file}: {len(fields.values)} maps were picked; choose one by --field"
        )
    values = fields.values[0]
    if np.iscomplexobj(values):
        if args.part is None:
            raise options.Usage(f"{args.file} is complex; say --part real, imag or abs")
        return np.abs(values) if args.part == "abs" else getattr(values, args.part)
    if args.part is not None:
        raise options.Usage(f"--part is of complex maps; {args.file} is real")
    return values


def _rot(text):
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise options.Usage(f"--rot is {text!r}; expected LON,LAT in degrees") from None
    return lon, lat
