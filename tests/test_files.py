"""Files: round trips, the header facts that other codes read, and refusals."""

import numpy as np
import pytest
from astropy.io import fits

from spherekit import datasets, io
from spherekit.sampling.healpix import UNSEEN, nest2ring, reorder, ring2nest
from spherekit.testing import random_flm


def test_map_round_trip_and_header(tmp_path, rng=np.random.default_rng(0)):
    path = tmp_path / "map.fits"
    values = rng.standard_normal((2, 192)).astype(np.float32)
    values[0, 3] = UNSEEN
    io.write_map(path, values, column=["Q", "U"], unit="mK", coordsys="G")
    sky = io.read_map(path, field=["U", 0])
    assert np.array_equal(sky.values, values[::-1]) and sky.values.dtype == np.float32
    assert (sky.nside, sky.columns, sky.units) == (4, ("U", "Q"), ("mK", "mK"))
    header = fits.getheader(path, 1)
    assert header["PIXTYPE"] == "HEALPIX" and header["ORDERING"] == "RING" and header["NSIDE"] == 4
    with pytest.raises(FileExistsError, match="overwrite"):
        io.write_map(path, values[0])


def test_nested_maps_come_in_ring_order(tmp_path, rng=np.random.default_rng(1)):
    values = rng.standard_normal(192)
    hdu = fits.BinTableHDU.from_columns([fits.Column("T", "D", array=reorder(values, "ring"))])
    hdu.header["ORDERING"] = "NESTED"
    hdu.writeto(tmp_path / "nest.fits")
    assert np.array_equal(io.read_map(tmp_path / "nest.fits").values, values)
    pixels = np.arange(192)
    assert np.array_equal(ring2nest(4, nest2ring(4, pixels)), pixels)
    # Values of the published scheme (Gorski et al. 2005, fig. 4) at nside 2.
    assert nest2ring(2, [0, 3, 47]).tolist() == [13, 0, 35]


def test_partial_sky(tmp_path):
    columns = [fits.Column("PIXEL", "J", array=[5, 7]), fits.Column("T", "E", array=[1.0, 2.0])]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header["ORDERING"], hdu.header["NSIDE"] = "RING", 2
    hdu.writeto(tmp_path / "part.fits")
    values = io.read_map(tmp_path / "part.fits").values
    assert values[5] == 1 and values[7] == 2 and np.all(np.delete(values, [5, 7]) < -1e30)


def test_alm_and_cl_round_trip(tmp_path, rng=np.random.default_rng(2)):
    flm = random_flm(9, rng, reality=True)
    io.write_alm(tmp_path / "alm.fits", flm)
    assert np.array_equal(io.read_alm(tmp_path / "alm.fits"), flm)
    with pytest.raises(ValueError, match="not those of a real signal"):
        io.write_alm(tmp_path / "other.fits", random_flm(9, rng))
    io.write_cl(tmp_path / "cl.fits", np.arange(5.0), unit="uK^2")
    assert np.array_equal(io.read_cl(tmp_path / "cl.fits")["TEMPERATURE"], np.arange(5.0))


def test_foreign_and_truncated_files(tmp_path):
    path = tmp_path / "map.fits"
    io.write_map(path, np.zeros(192))
    path.write_bytes(path.read_bytes()[:3500])
    with pytest.raises(ValueError, match="cannot be read as FITS"):
        io.read_map(path)
    (tmp_path / "text.fits").write_text("no map at all")
    with pytest.raises(ValueError, match="cannot be read as FITS"):
        io.read_map(tmp_path / "text.fits")
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "image.fits")
    with pytest.raises(ValueError, match="without a table"):
        io.read_map(tmp_path / "image.fits")
    with pytest.raises(FileNotFoundError):
        io.read_map(tmp_path / "none.fits")
    hdu = fits.BinTableHDU.from_columns([fits.Column("T", "D", array=np.zeros(192))])
    hdu.writeto(tmp_path / "order.fits")
    with pytest.raises(ValueError, match="ordering="):
        io.read_map(tmp_path / "order.fits")
    with pytest.raises(ValueError, match="no field"):
        io.read_map(tmp_path / "order.fits", field=3, ordering="ring")


def test_packaged_data():
    assert datasets.wmap_w().shape == (12288,) and datasets.wmap_mask().sum() == 7602
    cl = datasets.planck2018_cl(221)["TT"]
    assert cl[220] * 220 * 221 / (2 * np.pi) == pytest.approx(5729, rel=1e-3)
