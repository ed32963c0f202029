"""Convert a map to another grid, of any kind and resolution.

All columns of a map are converted, Q and U as a spin-2 field. Maps are analyzed (HEALPix: by least squares)
and synthesized on the grid: exactly for band-limited maps. The residual of the analysis, the part of the map
beyond the degrees below L, is printed; it is not in the result.
"""

from pathlib import Path

from spherekit.cli import options, records
from spherekit.cli.analysis import grid_name
from spherekit.cli.smooth import check_outputs, fit, resampling_options, write


def arguments(parser):
    options.files(parser, "a map", "MAP")
    parser.add_argument(
        "--grid", required=True, help="the grid of the result, e.g. mw:256 or healpix:64"
    )
    parser.add_argument(
        "-o", "--output", required=True, help="the map on this grid: .fits (HEALPix), .npz or .npy"
    )
    resampling_options(parser)


def run(args):
    from spherekit import fields
    from spherekit.sampling import grid as as_grid

    check_outputs(args)
    L = options.band_limit_option(args, required=False)
    grid = as_grid(args.grid, L)
    if grid.name != "healpix" and Path(args.output).suffix == ".fits":
        raise options.Usage(
            f"{args.output}: FITS output is for HEALPix grids, not {grid_name(grid)}; write .npz instead"
        )
    args.grid = None  # not that of the file
    record, note = records.read(args, L)
    result = fit(args, fields.regrid, record, grid, L=L)
    write(args, record, result, note, f"from {grid_name(record.grid)}")
