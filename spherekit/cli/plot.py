"""Picture of a map."""

from spherekit.cli import options


def arguments(parser):
    parser.add_argument("file", metavar="MAP")
    parser.add_argument("-o", "--output", required=True, help="picture: .png, .pdf, .svg")
    projections = ("mollweide", "orthographic", "cartesian")
    parser.add_argument("--projection", default="mollweide", choices=projections)
    parser.add_argument("--grid", help="grid of a .npy map")
    parser.add_argument("--field", default="0", help="column of a FITS map, number or name")
    parser.add_argument("--title")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(args):
    from spherekit import plot

    options.writable(args.output, args.force)
    options.headless()
    values, grid, unit = options.read_samples(args.file, args.grid, args.field)
    ax = plot.show(values, grid, projection=args.projection, unit=unit or None, title=args.title)
    options.save_figure(ax, args.output)
    print(f"wrote {args.output}")
