"""spherekit spectrum on maps of WMAP and masks of Planck."""

import numpy as np
import pytest
from helpers.commands import run
from helpers.data import real_file
from tolerances import IDENTITY

from spherekit import io

SKY = "wmap_band_iqumap_r9_7yr_{}_v4_udgraded32.fits"
K_BAND = "wmap_mcmc_base_k_synch_stk_{}_9yr_v5.fits"


@pytest.fixture
def files(here):
    v, w = (real_file("sky_maps", SKY.format(band)) for band in "VW")
    return v, w, real_file("sky_maps", "GAL_PlanckMasks_64.npz")


def test_decoupled_cross_spectra_of_two_bands(files):
    v, w, masks = files
    run(
        f"regrid {masks} --field GAL060 --from-grid healpix:64 --pixels --grid healpix:32 -o mask.fits"
    )
    run(
        f"spectrum {v} --mask mask.fits --apodize 2deg --beam 30arcmin --pixwin --bins log:12 --cross {w} "
        "--method master -o cl.fits --plot cl.png --theory cmb --unit mK"
    )
    table = io.read_bandpowers("cl.fits")
    assert list(table.values) == ["TT"] and table.units == {"TT": "mK^2"}
    theory = io.read_cl(real_file("cmb_spectra", "planck2018_lcdm_cl_v3.fits"))
    unit = table.windows["TT"]["TT"]
    tt = next(iter(theory.values()))[: unit.shape[1]]
    scale = 1e-6 if tt[2] > 1 else 1e6  # uK^2, or K^2
    ratio = table.values["TT"] / (unit @ tt * scale)
    assert 0.5 < np.median(ratio[4:]) < 2


def test_q_and_u_of_wmap_in_two_files(files):
    q, u = (real_file("sky_maps", K_BAND.format(letter)) for letter in "qu")
    options = "--L 32 --bins linear:6"
    run(f"spectrum {q} {u} --spin 2 {options} -o a.fits")
    run(f"spectrum {q} --and {u} {options} -o b.fits")
    a, b = (io.read_bandpowers(path) for path in ("a.fits", "b.fits"))
    assert list(a.values) == ["EE", "BB", "EB"]
    for name, values in a.values.items():
        np.testing.assert_allclose(b.values[name], values, rtol=IDENTITY)
    assert (a.values["EE"] > a.values["BB"]).all()
