"""Read and write maps, coefficients and spectra in the file formats of astronomy, geodesy and meteorology."""

from spherekit.io.alm import Alm, read_alm, read_alms, write_alm
from spherekit.io.arrays import read_arrays, write_arrays
from spherekit.io.bandpowers import BandpowerTable, read_bandpowers, write_bandpowers
from spherekit.io.beams import read_beam
from spherekit.io.coefficients import read_coefficients, write_coefficients
from spherekit.io.fits import Table, read_table, tables
from spherekit.io.formats import read, write
from spherekit.io.frames import frame_of
from spherekit.io.kinds import describe
from spherekit.io.map_writer import write_map
from spherekit.io.maps import SkyMap, read_map
from spherekit.io.missing import missing_samples
from spherekit.io.mw_fits import read_mw, write_mw
from spherekit.io.records import Coefficients, Map
from spherekit.io.spectra import Spectra, read_cl, read_spectra, write_cl
from spherekit.io.xarray_conversion import from_xarray, to_xarray

__all__ = [
    "Alm",
    "BandpowerTable",
    "Coefficients",
    "Map",
    "SkyMap",
    "Spectra",
    "Table",
    "describe",
    "frame_of",
    "from_xarray",
    "missing_samples",
    "read",
    "read_alm",
    "read_alms",
    "read_arrays",
    "read_bandpowers",
    "read_beam",
    "read_cl",
    "read_coefficients",
    "read_map",
    "read_mw",
    "read_spectra",
    "read_table",
    "tables",
    "to_xarray",
    "write",
    "write_alm",
    "write_arrays",
    "write_bandpowers",
    "write_cl",
    "write_coefficients",
    "write_map",
    "write_mw",
]


def __dir__():
    return sorted(__all__)
