"""Maps in images of FITS files: the plate carree projection (CAR) of the whole sky.

The coordinates are those of the keys CRVAL, CRPIX and CDELT of the two axes, in degrees, with the reference
point on the equator; then the axes of the image are longitude and latitude.
"""

from __future__ import annotations

from os import PathLike

import numpy as np

from spherekit.io import headers
from spherekit.io.blocks import naming_the_file
from spherekit.io.fits import Table, first_image
from spherekit.io.frames import table_frame
from spherekit.io.missing import check_samples
from spherekit.io.records import Map

#: The frame of each pair of axes.
_FRAMES = {("RA", "DEC"): "equatorial", ("GLON", "GLAT"): "galactic", ("ELON", "ELAT"): "ecliptic"}


def is_car(header):
    """Whether the header of an image declares the projection CAR.

    >>> is_car({"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR"}), is_car({"CTYPE1": "RA---TAN"})
    (True, False)
    """
    return all(headers.text(header, f"CTYPE{axis}").upper().endswith("-CAR") for axis in (1, 2))


@naming_the_file
def read_car(path: str | PathLike) -> Map:
    """Read a map of the whole sky from an image in the projection CAR.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.

    Returns
    -------
    Map
        The samples on the grid of their latitudes and longitudes; missing samples are NaN or UNSEEN.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, a file of another format or projection, rotated axes, a part of the sky, infinite
        samples.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from astropy.io import fits
    >>> image = fits.PrimaryHDU(np.zeros((4, 8)))
    >>> image.header.update(CTYPE1="GLON-CAR", CDELT1=-45.0, CRPIX1=4.5, CTYPE2="GLAT-CAR", CDELT2=45.0)
    >>> image.header.update(CRPIX2=2.5, BUNIT="K")
    >>> path = os.path.join(tempfile.mkdtemp(), "sky.fits")
    >>> image.writeto(path)
    >>> read_car(path)
    Map(unnamed [K]; DH(L=4, n_phi=8, n_theta=4, phi0=0.39269908169872414); float64)
    """
    from spherekit.sampling import LatLon

    header, image = first_image(path)
    if image is None:
        raise ValueError(f"{path} has no image; expected a map in the projection CAR")
    table = Table(header, {}, {}, 0)
    try:
        if not is_car(header):
            types = [headers.text(header, f"CTYPE{axis}") or "(none)" for axis in (1, 2)]
            raise ValueError(
                f"the image has CTYPE1, CTYPE2 = {', '.join(types)}; expected longitude and latitude in the "
                "projection CAR: reproject it first"
            )
        frame = table_frame(table) or _frame(header)
        samples = image.reshape([n for n in image.shape if n > 1])
        if samples.ndim != 2:
            raise ValueError(f"the image has shape {image.shape}; expected latitudes x longitudes")
        _refuse_rotation(header)
        positions = LatLon(_axis(header, 2, samples.shape[0]), _axis(header, 1, samples.shape[1]))
        values = positions.to_grid(samples if samples.dtype.kind == "f" else samples.astype(float))
        check_samples(values, name="the image")
        name, unit = headers.text(header, "EXTNAME"), headers.text(header, "BUNIT")
        history = headers.history(table)
        return Map(
            values, positions.grid, name, unit, frame=frame, history=history, notes=positions.notes
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _frame(header):
    axes = tuple(
        headers.text(header, f"CTYPE{axis}").upper().removesuffix("CAR").rstrip("-")
        for axis in (1, 2)
    )
    if axes not in _FRAMES:
        raise ValueError(
            f"the axes of the image are {' and '.join(axes)}; expected RA and DEC, GLON and GLAT, or ELON "
            "and ELAT, in this order"
        )
    return _FRAMES[axes]


def _refuse_rotation(header):
    """Raise ValueError if the axes of the image are not longitude and latitude."""
    expected = {
        "CRVAL2": 0,
        "LONPOLE": 0,
        "CROTA1": 0,
        "CROTA2": 0,
        "PC1_2": 0,
        "PC2_1": 0,
        "CD1_2": 0,
    }
    expected |= {"CD2_1": 0, "PC1_1": 1, "PC2_2": 1, "LATPOLE": 90, "PV2_1": 0, "PV2_2": 0}
    for key, number in expected.items():
        value = headers.number(header, key)
        if value not in (None, number):
            raise ValueError(
                f"the header has {key} = {value:g}; expected {number}, so that rows are latitudes: reproject "
                "the image first"
            )


def _axis(header, axis, n):
    """The coordinates of the pixels on an axis, degrees."""
    unit = headers.text(header, f"CUNIT{axis}").lower()
    if unit not in ("", "deg", "degree", "degrees"):
        raise ValueError(f"the header has CUNIT{axis} = {unit!r}; expected deg")
    reference, pixel, step, matrix = (
        headers.number(header, f"{key}{axis}") for key in ("CRVAL", "CRPIX", "CDELT", f"CD{axis}_")
    )
    step = step if matrix is None else matrix
    if not step:
        raise ValueError(f"the header has CDELT{axis} = {step}; expected the step between pixels")
    return (reference or 0.0) + (np.arange(1, n + 1) - (pixel or 0.0)) * step
