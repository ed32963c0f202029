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


# --- noise -------------------------------------------------------------------------------------------------


def noise_map(unit="mK", columns=("I",), value=0.1):
    sigma = np.full((len(columns), GRID.theta.size), value)
    io.write_map("sigma.fits", sigma, column=list(columns), unit=unit, overwrite=True)


@pytest.mark.parametrize(
    ("unit", "column", "message"),
    [
        ("mK^2", "I", "variances; expected standard deviations in mK"),
        ("uK^2", "I", "variances; expected standard deviations in mK"),
        ("", "VARIANCE", "variances"),
        ("", "II_COV", "variances"),
        ("Jy", "I", "is in Jy, and the signals in mK"),
    ],
)
def test_noise_in_another_unit(maps, capsys, unit, column, message):
    noise_map(unit, [column])
    line = "spectrum one.fits --mask mask.fits --L 16 --noise sigma.fits -o out.fits"
    assert message in refused(capsys, line, 2)


def test_noise_in_another_unit_of_temperature(maps, capsys):
    line = "spectrum one.fits --mask mask.fits --L 16 --noise sigma.fits --force -o"
    noise_map()
    run(f"{line} mk.npy")
    noise_map("uK", value=100.0)
    run(f"{line} uk.npy")
    np.testing.assert_allclose(np.load("uk.npy"), np.load("mk.npy"), rtol=1e-12)
    noise_map("")
    assert "states no unit; taken to be in mK" in said(capsys, f"{line} none.npy")


def test_one_column_of_noise_for_three_signals(maps, capsys):
    noise_map(columns=["I", "Q", "U"])
    message = refused(capsys, f"{LINE} --noise sigma.fits --noise-field 0 -o out.fits", 2)
    assert "selects I of sigma.fits for 3 signals" in message
    noise_map()
    assert "the column I of sigma.fits" in said(capsys, f"{LINE} --noise sigma.fits -o cl.fits")
    assert "no such file" in refused(capsys, f"{LINE} --noise no.fits -o out.fits", 1)


@pytest.mark.parametrize("method", ["fsky", "master"])
def test_noise_beyond_the_power(maps, capsys, method):
    line = f"{LINE} --method {method} -o cl.fits --force --noise"
    assert "exceeds the power of TT" in said(capsys, f"{line} 900mK-deg")
    assert "exceeds" not in said(capsys, f"{line} 1mK-arcmin")


# --- pairs of files and masks ------------------------------------------------------------------------------


def test_the_same_file_twice(maps, capsys):
    assert "have the same values" in refused(capsys, f"{LINE} --half one.fits -o out.fits", 2)
    assert "auto-spectra" in said(capsys, f"{LINE} --cross one.fits -o cl.fits")
    assert "auto-spectra" not in said(capsys, f"{LINE} --cross two.fits -o cl.fits --force")


def test_a_pair_on_other_grids(maps, capsys):
    io.write_map("coarse.fits", np.ones(192), column="I_STOKES", unit="mK")
    line = "spectrum one.fits --cross coarse.fits --L 16 -o out.fits"
    assert "expected the same grid" in refused(capsys, line, 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", ["fsky", "master"])
def test_masks_that_do_not_overlap(maps, capsys, method):
    np.savez("masks.npz", A=GRID.theta < 1, B=GRID.theta > 2)
    line = "spectrum one.fits --cross two.fits --mask masks.npz --mask-field A --cross-mask-field B"
    line += f" --L 16 --bins linear:5 --method {method} -o out.fits"
    assert "overlap" in refused(capsys, line, 1)


def test_frames_and_arrays_of_masks(maps, capsys):
    np.savez("mask.npz", GRID.theta < 1)
    line = "spectrum one.fits --L 16 --force -o cl.fits --mask"
    assert "mask.npz states none, taken to be the same" in said(capsys, f"{line} mask.npz")
    assert "states none" not in said(capsys, f"{line} mask.fits")
