"""Tell what a file holds."""

import numpy as np


def arguments(parser):
    parser.add_argument("file", metavar="FILE")


def run(args):
    from spherekit import io
    from spherekit.io.fits import _table
    from spherekit.sampling.healpix import UNSEEN

    header, table = _table(args.file)
    names = {n.lower() for n in table.names}
    if {"index", "real", "imag"} <= names:
        L = int(round(io.read_alm(args.file).size ** 0.5))
        print(f"{args.file}: coefficients of a real signal, L = {L} (lmax {L - 1})")
        return
    if "PIXTYPE" not in header:
        for name, cl in io.read_cl(args.file).items():
            print(f"{args.file}: column {name}, {cl.size} rows, {cl.min():.4g} to {cl.max():.4g}")
        return
    fields = [n for n in table.names if n != "PIXEL"]
    sky = io.read_map(args.file, field=fields)
    print(f"{args.file}: HEALPix map, nside {sky.nside}, {sky.values.shape[1]} pixels")
    print(f"  in the file {sky.ordering.upper()}, coordinates {sky.coordsys or 'not stated'}")
    for name, unit, values in zip(sky.columns, sky.units, sky.values, strict=True):
        seen = np.isfinite(values) & (np.abs(values - UNSEEN) > 1e25)
        kept = values[seen] if seen.any() else np.array([np.nan])
        print(
            f"  {name} [{unit or 'no unit'}]: {kept.min():.5g} to {kept.max():.5g}, mean {kept.mean():.5g}, "
            f"{values.size - seen.sum()} pixels without data"
        )
