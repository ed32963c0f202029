"""Transform a map into harmonic coefficients, or back with --inverse."""

from pathlib import Path

import numpy as np

from spherekit.cli import options


def arguments(parser):
    parser.add_argument("file", metavar="MAP", help="HEALPix FITS or .npy/.npz; alm with --inverse")
    options.band_limit(parser, required=False)
    parser.add_argument(
        "-o", "--output", required=True, help="alm .fits or .npz; a map with --inverse"
    )
    parser.add_argument("--grid", help="grid of a .npy map, or of the result, such as mw:256")
    parser.add_argument("--field", default="0", help="column of a FITS map, number or name")
    parser.add_argument("--mask", help="FITS map, 1 where pixels count")
    parser.add_argument("--inverse", action="store_true", help="from coefficients to a map")
    parser.add_argument("--method", default="lsq", choices=("lsq", "jacobi"), help="where inexact")
    options.common(parser)


def run(args):
    options.writable(args.output, args.force)
    (_to_map if args.inverse else _to_coefficients)(args)


def _to_coefficients(args):
    import spherekit
    from spherekit import io

    L = options.chosen_L(args)
    if L is None:
        raise ValueError("say the band-limit: --L or --lmax")
    values, grid, _ = options.read_samples(args.file, args.grid, args.field)
    common = dict(sampling=grid, reality=True, threads=args.threads)
    if grid.exact and args.mask is None:
        flm = spherekit.forward(values, L, **common)
        print(f"exact quadrature on {grid!r}")
    else:
        mask = None if args.mask is None else io.read_map(args.mask).values > 0.5
        flm, residual = spherekit.analyse(values, L, mask=mask, method=args.method, **common)
        state = "converged" if residual.converged else "NOT converged"
        print(
            f"{args.method}: {residual.iterations} iterations, {state}; residual "
            f"{residual.relative:.3e} of the map's rms lies outside degrees < {L}"
        )
    if Path(args.output).suffix == ".npz":
        np.savez(args.output, flm=flm, L=L, spin=0)
    else:
        io.write_alm(args.output, flm, overwrite=args.force)
    print(f"wrote {args.output}")


def _to_map(args):
    import spherekit
    from spherekit import io
    from spherekit.sampling import grid as as_grid

    if args.grid is None:
        raise ValueError("say the grid of the map: --grid mw:256 or --grid healpix:64")
    if Path(args.file).suffix == ".npz":
        with np.load(args.file, allow_pickle=False) as file:
            flm = file["flm"]
    else:
        flm = io.read_alm(args.file)
    L = int(round(flm.size**0.5))
    wanted = options.chosen_L(args)
    if wanted is not None and wanted < L:
        flm, L = flm[: wanted * wanted], wanted
    grid = as_grid(args.grid, L)
    f = spherekit.inverse(flm, L, sampling=grid, reality=True, threads=args.threads)
    options.write_samples(args.output, f, grid, "", args.force)
    print(f"wrote {args.output}: {grid!r}, degrees < {L}")
