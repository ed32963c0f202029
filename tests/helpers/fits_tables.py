"""FITS tables as other codes might write them."""

from astropy.io import fits


def table(path, columns, primary=(), **header):
    """Write a file of one table with these keys, and those of the first header."""
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header.update(header)
    first = fits.PrimaryHDU()
    first.header.update(primary)
    fits.HDUList([first, hdu]).writeto(path, overwrite=True)
    return path
