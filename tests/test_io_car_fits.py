"""Images of FITS in the projection CAR: their positions are those of astropy.wcs."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from spherekit import io
from spherekit.io import car_fits
from spherekit.io.missing import UNSEEN


def image(path, samples, **header):
    hdu = fits.PrimaryHDU(samples)
    hdu.header.update(header)
    hdu.writeto(path, overwrite=True)
    return path


def keys(n_lat, n_lon, frame="RA DEC", poles=False, **changes):
    """A header of the whole sky, as codes of the sky write it: the longitude decreases."""
    lon, lat = frame.split()
    step = 180 / (n_lat - poles)
    header = dict(CTYPE1=f"{lon:-<5}CAR", CTYPE2=f"{lat:-<5}CAR", CRVAL1=0.0, CRVAL2=0.0)
    header |= dict(CDELT1=-360 / n_lon, CDELT2=step, CRPIX1=n_lon / 2 + 0.5, CRPIX2=n_lat / 2 + 0.5)
    return {key: value for key, value in (header | changes).items() if value is not None}


CASES = {
    "degree": (180, 360, {}),
    "poles": (181, 360, dict(poles=True)),
    "galactic": (18, 36, dict(frame="GLON GLAT")),
    "ecliptic": (18, 36, dict(frame="ELON ELAT")),
    "south": (18, 36, dict(CDELT2=-10.0)),
    "east": (18, 36, dict(CDELT1=10.0, CRVAL1=123.0)),
    "matrix": (18, 36, dict(CD1_1=-10.0, CD2_2=10.0, CDELT1=None, CDELT2=None)),
    "rounded": (180 * 12, 360 * 12, dict(CDELT1=-0.083333333, CDELT2=0.083333333)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_positions_are_those_of_astropy(tmp_path, name, rng):
    n_lat, n_lon, changes = CASES[name]
    header = keys(n_lat, n_lon, **changes)
    samples = rng.standard_normal((n_lat, n_lon)).astype(np.float32)
    sky = car_fits.read_car(image(tmp_path / "sky.fits", samples, BUNIT="uK", **header))
    frames = {"galactic": "galactic", "ecliptic": "ecliptic"}
    assert sky.frame == frames.get(name, "equatorial") and sky.units == ("uK",)
    theta, phi = np.meshgrid(sky.grid.theta, sky.grid.phi, indexing="ij")
    wcs = WCS(fits.Header(header))
    x, y = wcs.wcs_world2pix(np.degrees(phi), 90 - np.degrees(theta), 0)
    column, row = np.round(x).astype(int) % n_lon, np.round(y).astype(int)
    assert np.abs(y - row).max() < 0.05
    assert np.array_equal(sky.values, samples[row, column]) and sky.values.dtype == np.float32
    assert np.array_equal(io.read(tmp_path / "sky.fits").values, sky.values)


def test_missing_samples_and_integers(tmp_path):
    samples = np.arange(18 * 36.0).reshape(1, 18, 36)
    samples[0, 2, 3] = np.nan
    samples[0, 2, 4] = UNSEEN
    path = image(tmp_path / "a.fits", samples, **keys(18, 36))
    assert np.count_nonzero(np.isnan(car_fits.read_car(path).values)) == 1
    whole = np.arange(18 * 36, dtype=np.int16).reshape(18, 36)
    sky = car_fits.read_car(image(tmp_path / "b.fits", whole, BLANK=7, **keys(18, 36)))
    assert sky.values.dtype.kind == "f" and np.count_nonzero(np.isnan(sky.values)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            dict(CTYPE1="RA---TAN", CTYPE2="DEC--TAN"),
            "CTYPE1, CTYPE2 = RA---TAN, DEC--TAN; expected",
        ),
        (dict(CTYPE1=None, CTYPE2=None), r"CTYPE1, CTYPE2 = \(none\), \(none\)"),
        (dict(CTYPE1="DEC--CAR", CTYPE2="RA---CAR"), "the axes of the image are DEC and RA"),
        (dict(CRVAL2=30.0), "CRVAL2 = 30; expected 0"),
        (dict(PC1_2=0.1), "PC1_2 = 0.1; expected 0"),
        (dict(CROTA2=5.0), "CROTA2 = 5; expected 0"),
        (dict(CDELT1=-1.0), "longitude"),
        (dict(CDELT2=None), "CDELT2 = None; expected the step"),
        (dict(CDELT2=20.0), "latitude"),
        (dict(CUNIT1="rad"), "CUNIT1 = 'rad'; expected deg"),
        (dict(CDELT1="wide"), "CDELT1 = 'wide'"),
    ],
)
def test_images_that_are_refused(tmp_path, changes, message):
    path = image(tmp_path / "sky.fits", np.ones((18, 36)), **keys(18, 36, **changes))
    for read in (car_fits.read_car, io.read):
        with pytest.raises(ValueError, match=message) as refusal:
            read(path)
        assert "sky.fits" in str(refusal.value)


def test_other_shapes(tmp_path):
    path = image(tmp_path / "cube.fits", np.ones((3, 18, 36)), **keys(18, 36))
    with pytest.raises(ValueError, match=r"shape \(3, 18, 36\); expected latitudes x longitudes"):
        car_fits.read_car(path)
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    with pytest.raises(ValueError, match="has no image"):
        car_fits.read_car(tmp_path / "empty.fits")
