"""Read and write maps, coefficients and spectra: HEALPix FITS files (by astropy), .npy and .npz files."""

from spherekit.io.alm import Alm, read_alm, read_alms, write_alm
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.beams import read_beam
from spherekit.io.coefficients import read_coefficients, write_coefficients
from spherekit.io.fits import Table, read_table, tables
from spherekit.io.frames import frame_of
from spherekit.io.kinds import describe
from spherekit.io.maps import SkyMap, read_map, write_map
from spherekit.io.missing import missing_samples
from spherekit.io.records import Coefficients, Map
from spherekit.io.spectra import Spectra, read_cl, read_spectra, write_cl

__all__ = [
    "Alm",
    "Coefficients",
    "Map",
    "SkyMap",
    "Spectra",
    "Table",
    "describe",
    "frame_of",
    "missing_samples",
    "read_alm",
    "read_alms",
    "read_arrays",
    "read_beam",
    "read_cl",
    "read_coefficients",
    "read_map",
    "read_spectra",
    "read_table",
    "tables",
    "write_alm",
    "write_arrays",
    "write_cl",
    "write_coefficients",
    "write_map",
]


def __dir__():
    return sorted(__all__)
