"""spherekit spectrum: what it refuses or tells of masks, bins, noise, units and pairs of files."""

import numpy as np
import pytest
from helpers.commands import refused, run

from spherekit import io
from spherekit.sampling import HEALPix

L, NSIDE = 16, 8
GRID = HEALPix(NSIDE)
MASK = np.clip(4 * np.cos(GRID.theta) + 2, 0, 1)
LINE = "spectrum one.fits --field T,Q,U --mask mask.fits --bins linear:5 --L 16"


@pytest.fixture
def maps(here, rng):
    """I, Q and U in mK in one.fits and two.fits, a tapered mask.fits, and step.fits of 0 and 1."""
    halves = rng.standard_normal((2, 3, 12 * NSIDE**2))
    for name, fields in zip(("one.fits", "two.fits"), halves, strict=True):
        columns = ["I_STOKES", "Q_STOKES", "U_STOKES"]
        io.write_map(name, fields, column=columns, unit="mK", coordsys="galactic")
    io.write_map("mask.fits", MASK, coordsys="galactic")
    io.write_map("step.fits", (MASK > 0.5).astype(float), coordsys="galactic")
    return halves


def said(capsys, line):
    """What a command prints."""
    capsys.readouterr()
    run(line)
    return capsys.readouterr().out


# --- pure modes and bins -----------------------------------------------------------------------------------


def test_pure_modes_need_a_smooth_edge(maps, capsys):
    line = "spectrum one.fits --field Q,U --bins linear:5 --L 16 --method master --purify B"
    assert "--apodize 6deg" in refused(capsys, f"{line} --mask step.fits -o out.fits", 2)
    narrow = said(capsys, f"{line} --mask step.fits --apodize 15deg -o narrow.fits")
    assert "warning: --apodize 15deg is 2.0 samples wide" in narrow
    for mask in ("--mask step.fits --apodize 30deg", "--mask mask.fits", ""):
        assert "samples wide" not in said(capsys, f"{line} {mask} -o cl.fits --force")


def test_wide_bins_of_c_l(maps, capsys):
    line = "spectrum one.fits --mask mask.fits --L 16 -o cl.fits --force --bins"
    assert "wide bins such as l = 2..6" in said(capsys, f"{line} linear:5")
    assert "wide bins" not in said(capsys, f"{line} linear:5 --dl")
    assert "wide bins" not in said(capsys, f"{line} 4,7,11,16")
    assert "the last bin, l = 7..15, is wider" in said(capsys, f"{line} linear:5")
    assert "the last bin" not in said(capsys, f"{line} linear:7")
