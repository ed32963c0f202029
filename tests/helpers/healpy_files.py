"""Files that healpy writes, and their contents: made anew where healpy is installed, else stored.

``python tests/helpers/healpy_files.py`` wrote those in the folder ``oracles`` (with healpy 1.20.1).
"""

import sys

import numpy as np

from spherekit.sampling.healpix import UNSEEN, reorder

NSIDE = 8
LMAX, MMAX = 6, 4
UNITS = ("uK", "uK", "uK")


def maps():
    """Three maps in RING order, with missing pixels."""
    values = np.random.default_rng(20260).standard_normal((3, 12 * NSIDE**2)).astype(np.float32)
    values[:, 100:400] = UNSEEN
    return values


def counts():
    """A map of integers."""
    return np.random.default_rng(20261).integers(0, 30000, 12 * NSIDE**2).astype(np.int32)


def alms():
    """Coefficients of T, E and B in healpy's layout; those of orders above MMAX are not written."""
    n = (LMAX + 1) * (LMAX + 2) // 2
    rng = np.random.default_rng(20262)
    alm = rng.standard_normal((3, n)) + 1j * rng.standard_normal((3, n))
    alm[:, : LMAX + 1].imag = 0
    return alm.astype(np.complex64)


def spectra(n):
    """``n`` spectra of l = 0..LMAX."""
    return np.random.default_rng(20263).standard_normal((n, LMAX + 1))


def write(folder):
    """Write all files with healpy, and return the folder."""
    import healpy

    nested = np.array(reorder(maps(), "ring"))
    options = dict(column_units=UNITS, overwrite=True)
    healpy.write_map(folder / "healpy_map.fits", maps(), coord="G", **options)
    healpy.write_map(
        folder / "healpy_part.fits", nested, nest=True, partial=True, coord="C", **options
    )
    healpy.write_map(folder / "healpy_counts.fits", counts(), dtype=np.int32, overwrite=True)
    healpy.write_alm(
        folder / "healpy_alm.fits",
        alms(),
        lmax=LMAX,
        mmax=MMAX,
        out_dtype=np.float32,
        overwrite=True,
    )
    for n in (1, 4, 6):
        cl = spectra(n)
        healpy.write_cl(
            folder / f"healpy_cl{n}.fits",
            cl[0] if n == 1 else cl,
            column_units="uK^2",
            overwrite=True,
        )
    return folder


if __name__ == "__main__":
    from pathlib import Path

    write(Path(sys.argv[1]))
