"""Maps, coefficients and spectra in files: HEALPix FITS (through astropy), .npy and .npz."""

from spherekit.io.fits import SkyMap, read_alm, read_cl, read_map, write_alm, write_cl, write_map

__all__ = ["SkyMap", "read_alm", "read_cl", "read_map", "write_alm", "write_cl", "write_map"]
