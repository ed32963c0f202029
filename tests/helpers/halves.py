"""Two halves of polarized data and their mask, in files and as masked fields, for ``spherekit spectrum``."""

import numpy as np

from spherekit import io
from spherekit.sampling import HEALPix
from spherekit.spectra import Bins, Mask, masked_field

L, NSIDE = 16, 8
GRID = HEALPix(NSIDE)
MASK = np.clip(4 * np.cos(GRID.theta) + 2, 0, 1)
BINS = Bins.linear(L, 5)


def write_halves(halves):
    """Write I, Q and U of two halves (2, 3, pixels) to one.fits and two.fits, in mK, and mask.fits."""
    columns = ["I_STOKES", "Q_STOKES", "U_STOKES"]
    for name, fields in zip(("one.fits", "two.fits"), halves, strict=True):
        io.write_map(name, fields, column=columns, unit="mK", coordsys="galactic")
    io.write_map("mask.fits", MASK, coordsys="galactic")
    return halves


def correlated_halves(rng):
    """Halves with a common signal of unit variance and independent noise."""
    common = rng.standard_normal((3, GRID.shape[0]))
    return common + 0.3 * rng.standard_normal((2, *common.shape))


def fields_of(fields, **options):
    """The masked fields T and P of I, Q and U."""
    mask = Mask(MASK, L, GRID)
    T = masked_field(fields[0], L, mask, sampling=GRID)
    return [T, masked_field(fields[1] + 1j * fields[2], L, mask, spin=2, sampling=GRID, **options)]
