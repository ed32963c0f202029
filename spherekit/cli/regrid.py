"""Convert a map to another grid, of any kind and resolution.

All columns of a map are converted, Q and U as a spin-2 field, a wind as one of spin 1. Maps are analyzed
(HEALPix: by least squares) and synthesized on the grid: exactly for band-limited maps. The residual of the
analysis, the part of the map beyond the degrees below L, is printed; it is not in the result.
"""

import re

from spherekit.cli import analysis, options, records
from spherekit.cli.smooth import check_outputs, check_plot, fit, resampling_options, write

#: Several files are computed two at a time.
OVERLAPS = True


def arguments(parser):
    options.files(parser, "a map", "MAP")
    options.further(parser)
    parser.add_argument(
        "--grid", required=True, help="the grid of the result, e.g. mw:256 or healpix:64"
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="the map on this grid: .fits (HEALPix, mw:L and mwss:L), .npz, .nc, .npy or .csv",
    )
    options.band_limit(parser)
    options.source(parser, default="all fields; of netCDF the only one", grid="--from-grid")
    resampling_options(parser)


def prepare(args):
    """Choose the suffix of the outputs of several maps by the grid."""
    args.default_suffix = ".fits" if args.grid.lower().startswith("healpix") else ".npz"


def run(args):
    from spherekit import fields
    from spherekit.sampling import grid as as_grid

    check_outputs(args)
    L = options.band_limit_option(args, required=False)
    grid = as_grid(args.grid, L)
    records.check_output(args.output, grid)
    sky = _read(args, L)
    records.check_output(args.output, grid, sky.axes)
    check_plot(args, sky)
    analysis.require_band_limit(args, sky.grid)
    result = fit(args, fields.regrid, sky, grid, L=L)
    write(args, sky, result, f"from {analysis.grid_label(sky.grid)}")


def _read(args, L):
    """The map; --grid is that of the result, and --from-grid that of the file."""
    args.grid = args.from_grid
    try:
        return records.read(args, L)
    except ValueError as error:
        raise type(error)(re.sub("(?<!--inverse )--grid", "--from-grid", str(error))) from None
