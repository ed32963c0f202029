"""Convert a map to another grid, of any kind and resolution.

All columns of a map are converted, Q and U as a spin-2 field, a wind as one of spin 1. Maps are analyzed
(HEALPix: by least squares) and synthesized on the grid: exactly for band-limited maps. The residual of the
analysis, the part of the map beyond the degrees below L, is printed; it is not in the result.

With --pixels the resolution of a HEALPix map is changed without harmonics: samples are the means of those in
each larger pixel, or are repeated in smaller ones, as masks require.
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
    parser.add_argument(
        "--pixels",
        action="store_true",
        help="from HEALPix to HEALPix, e.g. of masks: means of samples, or their repetition",
    )
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
    if args.pixels:
        result = _by_pixels(args, sky, grid)
        write(args, sky, result, f"from {analysis.grid_label(sky.grid)}, pixel by pixel")
        return
    analysis.require_band_limit(args, sky.grid)
    result = fit(args, fields.regrid, sky, grid, L=L)
    write(args, sky, result, f"from {analysis.grid_label(sky.grid)}")


def _by_pixels(args, sky, grid):
    """The map with another nside, by means or repetition of its samples."""
    from spherekit import fields

    present = [
        name for name in ("L", "lmax", "max_iter", "spin") if getattr(args, name) is not None
    ]
    present += ["allow_unconverged"] if args.allow_unconverged else []
    if present:
        words = ", ".join("--" + name.replace("_", "-") for name in present)
        raise options.Usage(f"{words}: not applicable with --pixels, which computes no harmonics")
    names = [analysis.grid_label(x) for x in (sky.grid, grid) if x.name != "healpix"]
    if names:
        raise options.Usage(f"--pixels is for HEALPix grids, not {' and '.join(names)}; omit it")
    change = fields.upgrade if grid.nside > sky.grid.nside else fields.degrade
    return change(sky, grid.nside, threads=args.threads)


def _read(args, L):
    """The map; --grid is that of the result, and --from-grid that of the file."""
    args.grid = args.from_grid
    try:
        return records.read(args, L)
    except ValueError as error:
        raise type(error)(re.sub("(?<!--inverse )--grid", "--from-grid", str(error))) from None
