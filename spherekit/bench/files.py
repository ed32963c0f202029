"""Times of reading and writing HEALPix maps in FITS files, and of astropy for the same tables.

``python -m spherekit.bench.files --nside 1024``
"""

import argparse
import os
import tempfile
import time

import numpy as np

from spherekit import io
from spherekit.sampling.healpix import reorder


def read_by_astropy(path):
    """The columns of the first table as native arrays, without any check."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        table = hdus[1].data
        columns = [table.field(i).reshape(-1) for i in range(len(hdus[1].columns))]
        return [column.astype(column.dtype.newbyteorder("=")) for column in columns]


def write_by_astropy(path, maps):
    """A table with rows of 1024 samples."""
    from astropy.io import fits

    code = {4: "1024E", 8: "1024D"}[maps.dtype.itemsize]
    columns = [fits.Column(f"C{i}", code, array=m.reshape(-1, 1024)) for i, m in enumerate(maps)]
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]
    fits.HDUList(hdus).writeto(path, overwrite=True)


def measure(functions, rounds):
    """The shortest time of each function, which are called in turn."""
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: min(durations) for name, durations in times.items()}


def times_of(folder, nside, n_columns, dtype, rounds):
    """Times in seconds of reading and writing maps."""
    maps = np.random.default_rng(0).standard_normal((n_columns, 12 * nside**2)).astype(dtype)
    path, nested, astropy_path = (
        os.path.join(folder, f"{name}.fits") for name in ("map", "nested", "other")
    )
    options = dict(column=[f"C{i}" for i in range(n_columns)], overwrite=True)
    io.write_map(path, maps, **options)
    io.write_map(nested, maps, ordering="nested", **options)
    functions = {
        "read": lambda: io.read_map(path, field=None),
        "read, astropy": lambda: read_by_astropy(path),
        "write": lambda: io.write_map(path, maps, **options),
        "write, astropy": lambda: write_by_astropy(astropy_path, maps),
        "read, nested": lambda: io.read_map(nested, field=None),
        "reorder": lambda: reorder(maps, "nested"),
    }
    return measure(functions, rounds)


def main():
    """Print a table of times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nside", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    for dtype in ("float32", "float64"):
        for n_columns in (1, 3):
            with tempfile.TemporaryDirectory() as folder:
                times = times_of(folder, args.nside, n_columns, dtype, args.rounds)
            ratios = [times[name] / times[f"{name}, astropy"] for name in ("read", "write")]
            summary = ", ".join(f"{name} {1e3 * seconds:.0f} ms" for name, seconds in times.items())
            print(
                f"{dtype}, {n_columns} column(s): {summary}; ratios {ratios[0]:.2f}, {ratios[1]:.2f}"
            )


if __name__ == "__main__":
    main()
