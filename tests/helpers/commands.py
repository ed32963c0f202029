"""Running commands: those that succeed, those that are refused, and the inputs that tables of verbs take."""

import os

from astropy.io import fits

from spherekit.cli import main
from spherekit.sampling import HEALPix

L, NSIDE = 6, 4
GRID = HEALPix(NSIDE)
#: Every verb that reads a map, with the suffix of what it writes.
READERS = {
    "transform": ("transform {map} --L 6 -o out.fits", "out.fits"),
    "spectrum": ("spectrum {map} --L 6 -o out.fits --plot out.png", "out.fits"),
    "rotate": ("rotate {map} --euler 10,20,30 --L 6 -o out.fits --plot out.png", "out.fits"),
    "smooth": ("smooth {map} --fwhm 20deg --L 6 -o out.fits --plot out.png", "out.fits"),
    "regrid": ("regrid {map} --grid healpix:4 --L 6 -o out.fits --plot out.png", "out.fits"),
    "wavelets": ("wavelets {map} --L 6 -o out.npz --plot out.png", "out.npz"),
    "scatter": ("scatter {map} --L 6 --J0 1 -o out.npz --plot out.png", "out.npz"),
    "generate": (
        "generate {map} --L 6 --N 1 --iterations 2 -o out.fits --plot out.png",
        "out.fits",
    ),
    "plot": ("plot {map} -o out.png", "out.png"),
}
ANALYSE = [verb for verb in READERS if verb != "plot"]
TAKE_COEFFICIENTS = ("spectrum", "rotate")


def run(line):
    """Run a command that must succeed."""
    assert main(line.split()) == 0


def refused(capsys, line, code=1):
    """The one line that a failing command prints."""
    capsys.readouterr()
    assert main(line.split()) == code
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("spherekit: ") and said.err.count("\n") == 1
    return said.err


def table(path, columns, **header):
    """A FITS table as other codes write them; columns: name to (format, values)."""
    hdu = fits.BinTableHDU.from_columns(
        [fits.Column(name, form, array=x) for name, (form, x) in columns.items()]
    )
    hdu.header.update(dict(ORDERING="RING", NSIDE=NSIDE) | header)
    hdu.writeto(path, overwrite=True)


def outputs():
    return {name for name in os.listdir() if name.startswith("out")}
