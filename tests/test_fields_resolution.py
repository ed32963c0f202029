"""Change of resolution of maps with metadata and of xarray."""

import numpy as np
import pytest

from spherekit import fields, io
from spherekit.io import Map
from spherekit.sampling import HEALPix, healpix


def test_maps_retain_their_metadata(rng):
    values = rng.standard_normal((2, 3, 12 * 64))
    attributes = {"Q": {"long_name": "Stokes Q"}}
    sky = Map(
        values,
        HEALPix(8, weights="equal"),
        ("Q", "U"),
        "mK",
        {"time": [1, 2, 3]},
        frame="galactic",
        polcconv="IAU",
        attributes=attributes,
        history=("made",),
    )
    coarse = fields.degrade(sky, 2, power=1)
    np.testing.assert_array_equal(coarse.values, healpix.degrade(values, 2, power=1))
    assert coarse.grid == HEALPix(2, weights="equal")
    for name in ("names", "units", "axes", "frame", "polcconv", "attributes", "history"):
        assert getattr(coarse, name) == getattr(sky, name)
    assert coarse.notes == ("degraded from nside 8 to 2",)
    fine = fields.upgrade(coarse, 4)
    np.testing.assert_array_equal(fine.values, healpix.upgrade(coarse.values, 4))
    assert fine.notes[-1] == "upgraded from nside 2 to 4"


def test_masks_and_arrays(rng):
    mask = rng.random(12 * 16) < 0.5
    result = fields.degrade(Map(mask, "healpix:4"), 2, threshold=1.0)
    np.testing.assert_array_equal(result.values, healpix.degrade(mask, 2, threshold=1.0))
    assert fields.degrade(mask, 1, sampling="healpix:4").dtype == bool


def test_xarray(rng):
    pytest.importorskip("xarray", reason="xarray is not installed")
    sky = Map(rng.standard_normal(12 * 16), "healpix:4", "T", "K", frame="galactic")
    array = io.to_xarray(sky)
    coarse = fields.degrade(array, 2)
    assert type(coarse) is type(array) and coarse.name == "T" and coarse.attrs["units"] == "K"
    np.testing.assert_array_equal(coarse.values.ravel(), healpix.degrade(sky.values, 2))
    fine = fields.upgrade(coarse, 4)
    assert fine.shape == array.shape


def test_a_data_array_without_coordinates():
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    array = xarray.DataArray(np.ones(48), dims="pixel")
    for options in (dict(), dict(sampling="healpix:2")):
        with pytest.raises(ValueError, match="assign it these coordinates, or pass its values"):
            fields.degrade(array, 1, **options)


def test_refusals():
    with pytest.raises(TypeError, match="threshold is passed with numbers"):
        fields.degrade(Map(np.ones(12 * 4), "healpix:2"), 1, threshold=0.9)
    with pytest.raises(ValueError, match=r"MW.*regrid|mw.*regrid"):
        fields.degrade(np.ones((4, 7)), 1, sampling="mw:4")
    with pytest.raises(TypeError, match="sampling is required"):
        fields.degrade(np.ones(12), 1)
    with pytest.raises(TypeError, match="sampling is passed with a Map"):
        fields.upgrade(Map(np.ones(12), "healpix:1"), 2, sampling="healpix:1")
    with pytest.raises(ValueError, match="samples have shape"):
        fields.degrade(np.ones(12), 1, sampling="healpix:2")
