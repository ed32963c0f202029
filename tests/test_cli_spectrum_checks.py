"""spherekit spectrum: what it refuses or tells of masks, bins, noise, units and pairs of files."""

import numpy as np
import pytest
from helpers.commands import refused, run, table
from helpers.halves import GRID, MASK, NSIDE, L, write_halves
from tolerances import CHAIN, IDENTITY

from spherekit import io, spectra
from spherekit.spectra import Bins, Mask, gaussian_covariance, masked_field

LINE = "spectrum one.fits --field T,Q,U --mask mask.fits --bins linear:5 --L 16"


@pytest.fixture
def maps(here, rng):
    """I, Q and U in mK in one.fits and two.fits, a tapered mask.fits, and step.fits of 0 and 1."""
    io.write_map("step.fits", (MASK > 0.5).astype(float), coordsys="galactic")
    return write_halves(rng.standard_normal((2, 3, 12 * NSIDE**2)))


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
    io.write_map("steps.fits", (MASK > 0.5) * (1 - 0.1 * MASK * (GRID.theta < 0.5)), coordsys="G")
    assert "has a step at its edge" in said(capsys, f"{line} --mask steps.fits -o steps.npy")
    for mask in ("--mask step.fits --apodize 30deg", "--mask mask.fits", ""):
        assert "warning" not in said(capsys, f"{line} {mask} -o cl.fits --force")


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
    np.testing.assert_allclose(np.load("uk.npy"), np.load("mk.npy"), rtol=CHAIN)
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


# --- theories and error bars -------------------------------------------------------------------------------


def theory_and_noise(unit="mK^2"):
    """C_l in theory.fits, and pseudo-spectra of 60 mK arcmin."""
    ell = np.arange(L) + 1.0
    theory = {"TT": 4 / ell**2, "EE": 1 / ell**2, "BB": 0.1 / ell**2, "TE": 0.5 / ell**2}
    io.write_cl("theory.fits", theory, unit=unit, overwrite=True)
    level = 60 * np.radians(1 / 60)
    noise = {"TT": spectra.noise_power(MASK, L, sampling=GRID, level=level)}
    of_p = dict(sampling=GRID, level=np.sqrt(2) * level, spin=2)
    return theory, noise | dict.fromkeys(("EE", "BB"), spectra.noise_power(MASK, L, **of_p))


def test_gaussian_errors_of_a_theory(maps, capsys):
    theory, noise = theory_and_noise()
    line = f"{LINE} --method master --noise 60mK-arcmin --theory theory.fits --errors"
    assert "Gaussian covariance with the mask, of --theory" in said(
        capsys, f"{line} gaussian -o cl.fits"
    )
    mask = Mask(MASK, L, GRID)
    P = masked_field(maps[0, 1] + 1j * maps[0, 2], L, mask, spin=2, sampling=GRID)
    fields = [masked_field(maps[0, 0], L, mask, sampling=GRID), P]
    expected = gaussian_covariance(fields, cl=theory, noise=noise, bins=Bins.linear(L, 5)).errors()
    for name, errors in io.read_bandpowers("cl.fits").errors.items():
        np.testing.assert_allclose(errors, expected[name], rtol=CHAIN)


@pytest.mark.parametrize("method", ["fsky", "master"])
def test_knox_errors_of_a_theory(maps, capsys, method):
    theory, noise = theory_and_noise("")
    options = "--theory-unit mK^2 --theory theory.fits"
    line = f"{LINE} --method {method} --noise 60mK-arcmin {options} -o cl.fits"
    advice = (
        "pass --errors gaussian" if method == "master" else "number of modes (Knox), of --theory"
    )
    assert advice in said(capsys, line)
    f_sky = spectra.sky_fraction(MASK, sampling=GRID)
    noise = {name: cl / f_sky for name, cl in noise.items()}
    modes = spectra.mode_fraction(MASK, sampling=GRID)
    expected = spectra.knox_errors(theory, modes, noise=noise, bins=Bins.linear(L, 5))
    for name, errors in io.read_bandpowers("cl.fits").errors.items():
        np.testing.assert_allclose(errors, expected[name], rtol=IDENTITY)


@pytest.mark.parametrize("pair", ["--cross two.fits", "--half two.fits", ""])
@pytest.mark.parametrize("errors", ["knox", "gaussian"])
def test_errors_of_a_theory_without_known_noise(maps, pair, errors):
    """The measured maps are noise of unit variance: as of the measured spectra, up to their scatter."""
    io.write_cl("theory.fits", {"TT": np.zeros(L), "EE": np.zeros(L), "BB": np.zeros(L)}, unit="K2")
    line = f"{LINE} --method master --errors {errors} {pair}"
    run(f"{line} --theory theory.fits -o theory_cl.fits")
    run(f"{line} -o cl.fits")
    of_theory, measured = (io.read_bandpowers(x).errors for x in ("theory_cl.fits", "cl.fits"))
    for name in ("TT", "EE", "BB"):
        assert (np.abs(np.log(of_theory[name] / measured[name])) < np.log(2.5)).all()


def test_units_of_theories(maps, capsys):
    theory_and_noise("")
    line = "spectrum one.fits --L 16 --plot out.png -o out.fits --theory theory.fits"
    assert "--theory-unit uK^2" in refused(capsys, line, 2)
    assert "expected a square" in refused(capsys, f"{line} --theory-unit uK", 2)
    run(f"{line} --theory-unit uK^2 --unit mK")
    io.write_map("none.fits", maps[0, 0])
    assert "taken to be the same" in said(
        capsys, line.replace("one.fits", "none.fits") + " --force"
    )
    theory_and_noise("uK^2")
    assert "omit --theory-unit" in refused(capsys, f"{line} --theory-unit mK^2 --force", 2)
    io.write_bandpowers("theory.fits", {"TT": [1.0]}, Bins.from_edges([2, 9]), overwrite=True)
    assert "expected C_l of each degree" in refused(capsys, f"{line} --force", 2)


# --- files of bandpowers, spectra and beams ----------------------------------------------------------------


def test_files_of_bandpowers_in_other_commands(maps, capsys):
    run(f"{LINE} -o cl.fits")
    run("convert cl.fits cl.npy")
    run(f"{LINE} -o direct.npy")
    np.testing.assert_array_equal(np.load("cl.npy"), np.load("direct.npy"))
    assert "next: spherekit plot cl.fits -o cl.png" in said(capsys, "info cl.fits")
    assert "contains bandpowers" in refused(capsys, "smooth cl.fits --fwhm 3deg -o out.fits", 1)


@pytest.mark.parametrize("suffix", ["fits", "npz", "txt"])
def test_plain_spectra_are_drawn_and_have_no_bins(maps, capsys, suffix):
    run(f"spectrum one.fits --field T,Q,U --L 16 -o cl.{suffix}")
    if suffix != "txt":
        run(f"plot cl.{suffix} -o cl.png")
        assert "pass" not in said(capsys, f"plot cl.{suffix} --field EE -o ee.png")
    line = f"spectrum one.fits --L 16 --bins cl.{suffix} -o out.fits"
    assert "without bins" in refused(capsys, line, 2)


def test_names_of_bandpowers(maps):
    run("spectrum one.fits --mask mask.fits --L 16 -o cl.fits")
    assert list(io.read_cl("cl.fits")) == ["I_STOKES"]
    for method in ("fsky", "master"):
        run(f"spectrum one.fits --L 16 --bins linear:5 --method {method} -o {method}.fits")
        assert list(io.read_bandpowers(f"{method}.fits").values) == ["TT"]


def test_the_scale_of_a_beam(maps, capsys):
    np.savetxt("beam.txt", np.c_[np.arange(L), np.full(L, 5.0)])
    assert "its b_0 is 5, not 1" in said(
        capsys, "spectrum one.fits --L 16 --beam beam.txt -o a.npy"
    )
    np.savetxt("beam.txt", np.c_[np.arange(L), np.ones(L)])
    assert "b_0" not in said(capsys, "spectrum one.fits --L 16 --beam beam.txt -o b.npy")


def test_q_and_u_in_two_files(maps, capsys):
    for name, letter in (("q.fits", "Q"), ("u.fits", "U")):
        columns = ["BESTFIT", "MEAN"]
        header = dict(ORDERING="RING", NSIDE=NSIDE, PIXTYPE="HEALPIX", EXTNAME=letter)
        form = {x: ("D", maps[0, 1]) for x in columns}
        table(name, form, **header)
    line = "spectrum q.fits u.fits --spin 2 --L 16 -o"
    assert "reading BESTFIT of both files, not MEAN" in said(capsys, f"{line} cl.fits")
    assert "the same column of both" in refused(capsys, f"{line} out.fits --field 0,1", 2)
    run(f"{line} mean.fits --field 1")
    assert "--and U.fits" in refused(capsys, "spectrum q.fits --L 16 -o out.fits", 2)
    masked = f"{line} out.fits --mask mask.fits --apodize 0deg"
    assert "above 0deg" in refused(capsys, masked, 2)
