"""The packaged data sets: winds of ERA-Interim against the file of the reanalysis, and paths."""

import numpy as np
import pytest
from helpers.data import real_file

from spherekit import datasets, fields, io
from spherekit.sampling import MWSS

#: Steps of the packed numbers of each field.
STEPS = {"u": 0.002, "v": 0.002, "z": 0.125}


def test_era_interim_is_a_part_of_the_reanalysis():
    """Truncated to degrees < 180, on the grid of 1 degree, rounded to its steps."""
    original = io.read(
        real_file("atmosphere", "eraint_uvz.nc"),
        field=["u", "v", "z"],
        select={"level": 850, "month": 7},
    )
    expected = fields.regrid(original, MWSS(180), L=180)
    data = datasets.era_interim()
    for name, step in STEPS.items():
        difference = np.abs(data[name].values - expected[name].values)
        assert difference.max() <= 0.51 * step  # float32 adds to the rounding


def test_era_interim_as_a_map():
    data = datasets.era_interim()
    assert data.grid == MWSS(180) and data.frame == "geographic" and not data.notes
    assert data.names == ("u", "v", "z") and data.units == ("m s-1", "m s-1", "m2 s-2")
    assert (data.attributes["level"]["value"], data.attributes["month"]["value"]) == (850, 7)
    assert np.isfinite(data.values).all()


def test_paths():
    for name in set(datasets.__all__) - {"path"}:
        assert datasets.path(name).is_file()
    with pytest.raises(ValueError, match=r"'cmb'; expected one of era_interim"):
        datasets.path("cmb")
