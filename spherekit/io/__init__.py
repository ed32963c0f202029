"""Maps, coefficients and spectra in files: HEALPix FITS (through astropy), .npy and .npz."""

from spherekit.io.alm import read_alm, read_cl, write_alm, write_cl
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.fits import Table, read_table
from spherekit.io.maps import SkyMap, read_map, write_map

__all__ = [
    "SkyMap",
    "Table",
    "read_alm",
    "read_arrays",
    "read_cl",
    "read_map",
    "read_table",
    "write_alm",
    "write_arrays",
    "write_cl",
    "write_map",
]
