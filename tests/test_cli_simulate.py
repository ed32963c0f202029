"""spherekit simulate, end to end on small skies."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers.commands import refused, run
from helpers.data import SHARED
from tolerances import CHAIN

from spherekit import forward, io
from spherekit.datasets import planck2018_cl
from spherekit.experiments.gaussianity import skies
from spherekit.spectra import gaussian_beam, gaussian_sky, power


def listed(folder):
    with open(f"{folder}/skies.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_both_classes(here, capsys):
    run("simulate cmb --L 16 --n 5 --seed 3 --strength 0.4 -o sims")
    said = capsys.readouterr().out
    assert "5 skies, alm, L = 16 (lmax 15), seed 3" in said and "3 gaussian, 2 strings" in said
    rows = listed("sims")
    assert [row["class"] for row in rows] == ["gaussian"] * 3 + ["non-gaussian"] * 2
    assert rows[4] == {
        "file": "strings-00001.fits",
        "class": "non-gaussian",
        "recipe": "strings",
        "strength": "0.4",
        "seed": "3",
        "index": "1",
    }
    for row in rows:
        flm = io.read_alm(f"sims/{row['file']}")
        wanted = skies.sky(
            row["recipe"], 16, int(row["index"]), strength=float(row["strength"]), seed=3
        )
        np.testing.assert_array_equal(flm, wanted)
    assert io.read_table("sims/strings-00000.fits").units["real"] == "uK"


def test_goes_on_and_grows(here, capsys):
    run("simulate cmb --L 8 --n 4 -o sims")
    before = os.stat("sims/gaussian-00000.fits").st_mtime_ns
    os.remove("sims/strings-00001.fits")
    run("simulate cmb --L 8 --n 8 -o sims --threads 2")
    assert "(3 already present)" in capsys.readouterr().out
    assert os.stat("sims/gaussian-00000.fits").st_mtime_ns == before
    assert len(listed("sims")) == 8 and all(
        os.path.exists(f"sims/{r['file']}") for r in listed("sims")
    )


def test_maps(here):
    run("simulate cmb --L 8 --n 2 --recipe modulated --grid healpix:4 -o maps")
    sky = io.read_map("maps/modulated-00000.fits")
    assert sky.nside == 4 and sky.units == ("uK",)
    run("simulate cmb --L 8 --n 2 --recipe oscillator --grid mw:8 -o arrays")
    stored = io.read_arrays("arrays/oscillator-00000.npz")
    assert str(stored["grid"]) == "mw:8"
    flm = forward(stored["values"], 8, sampling="mw", reality=True)
    np.testing.assert_allclose(flm, skies.sky("oscillator", 8, 0), rtol=0, atol=1e-11)


def test_gaussian_alone(here, capsys):
    run("simulate cmb --lmax 7 --n 1 --recipe gaussian -o one")
    assert power(io.read_alm("one/gaussian-00000.fits"))[:2].max() == 0
    assert "1 gaussian, 0 gaussian" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "line, words",
    [
        ("--n 4", "--L"),
        ("--L 2 --n 4", "expected 3 to 3000"),
        ("--L 3001 --n 4", "expected 3 to 3000"),
        ("--L 8 --n 1", "2 skies"),
        ("--L 8 --n 4 --seed -1", "--seed"),
        ("--L 64 --n 4 --grid healpix:16", "healpix:32"),
        ("--L 64 --n 4 --grid mw:16", "mw:64"),
        ("--L 8 --n 4 --recipe gaussian --strength 0.1", "--recipe"),
        ("--L 8 --n 4 --recipe texture", "texture"),
    ],
)
def test_refusals(here, capsys, line, words):
    assert words in refused(capsys, f"simulate cmb {line} -o sims", 2)
    assert not os.path.exists("sims")


def test_refuses_other_settings_and_strengths(here, capsys):
    assert "from 0 to 1" in refused(capsys, "simulate cmb --L 8 --n 4 --strength 1.5 -o sims", 1)
    assert not os.path.exists("sims")
    run("simulate cmb --L 8 --n 2 -o sims")
    assert "L = 8; expected L = 9" in refused(capsys, "simulate cmb --L 9 --n 2 -o sims", 1)
    os.mkdir("full")
    open("full/letter.txt", "w").close()
    assert "another folder" in refused(capsys, "simulate cmb --L 9 --n 2 -o full", 1)


def test_killed_run_goes_on(here):
    """After SIGKILL only whole files stand, and the next run makes the same skies."""
    line = "simulate cmb --L 64 --n 400 --threads 1 -o sims"
    process = subprocess.Popen([sys.executable, "-m", "spherekit", *line.split()])
    deadline = time.monotonic() + 120
    while not os.path.isdir("sims") or len(os.listdir("sims")) < 8:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    whole = [name for name in os.listdir("sims") if name.endswith(".fits") and ".tmp" not in name]
    assert 0 < len(whole) < 400
    run("simulate cmb --L 64 --n 20 -o sims")
    for row in listed("sims"):
        flm = io.read_alm(f"sims/{row['file']}")
        index, strength = int(row["index"]), float(row["strength"])
        np.testing.assert_array_equal(flm, skies.sky(row["recipe"], 64, index, strength=strength))


# --- skies of own spectra -------------------------------------------------------------------------


@pytest.fixture
def spectra(here):
    """A file of TT, EE, BB and TE in uK^2."""
    cl = planck2018_cl(24)
    io.write_cl("cl.fits", cl, unit="uK^2")
    return cl


def test_alm_of_a_scalar(spectra, capsys):
    run("simulate cl.fits --n 2 --first 3 --seed 5 -o sims")
    said = capsys.readouterr().out
    assert "TT; L = 24 (lmax 23), the degrees of the spectrum" in said
    assert "alm-00003.fits to alm-00004.fits, seed 5" in said
    assert sorted(os.listdir("sims")) == ["alm-00003.fits", "alm-00004.fits", "manifest.json"]
    for k in (3, 4):
        flm = io.read_alm(f"sims/alm-0000{k}.fits")
        np.testing.assert_array_equal(flm, gaussian_sky(spectra["TT"], 24, k, seed=5))
    assert io.read_table("sims/alm-00003.fits").units["real"] == "uK"


def test_polarized_maps(spectra, capsys):
    line = "--pol --grid healpix:8 --beam 5deg --noise 3uK-deg --noise-pol 0.002mK-deg"
    run(f"simulate cl.fits --n 1 --seed 5 {line} -o sims")
    said = capsys.readouterr().out
    assert "L = 24" in said and "Gaussian, FWHM 5deg" in said and "of Q and U 120" in said
    sky = io.read_map("sims/map-00000.fits", field=None)
    assert sky.columns == ("TEMPERATURE", "Q_POLARISATION", "U_POLARISATION")
    assert set(sky.units) == {"uK"} and sky.file_polcconv == "COSMO"
    beam = np.stack([gaussian_beam(np.radians(5), 24, spin=s) for s in (0, 2, 2)])
    noise = dict(noise=np.radians(3), noise_pol=np.radians(2))
    expected = gaussian_sky(spectra, 24, 0, seed=5, sampling="healpix:8", beam=beam, **noise)
    np.testing.assert_allclose(sky.values, expected, rtol=0, atol=CHAIN)


def test_polarized_coefficients(spectra):
    run("simulate cl.fits --n 1 --pol --L 9 -o sims")
    np.testing.assert_array_equal(
        io.read_alms("sims/alm-00000.fits").flm, gaussian_sky(spectra, 9, 0)
    )


def test_rectangular_grids(spectra, capsys):
    run("simulate cl.fits --n 1 --pol --grid dh:16,n_theta=36,n_phi=72,phi0=half -o sims")
    assert "L = 16 (lmax 15), that of dh:16" in capsys.readouterr().out
    sky = io.read("sims/map-00000.npz")
    assert sky.grid.shape == (36, 72) and sky.names[0] == "TEMPERATURE" and sky.units[0] == "uK"
    expected = gaussian_sky(spectra, 16, 0, sampling=sky.grid)
    np.testing.assert_allclose(sky.values, expected, rtol=0, atol=CHAIN)


def test_jobs_share_the_work(spectra):
    """Two calls into one folder give the same bytes as one, in any order and number of threads."""
    line = "simulate cl.fits --pol --grid healpix:8 --noise 1uK-deg --seed 2"
    run(f"{line} --n 4 -o one")
    run(f"{line} --first 2 --n 2 --threads 1 -o two")
    run(f"{line} --n 3 --threads 3 -o two")
    assert sorted(os.listdir("one")) == sorted(os.listdir("two"))
    for name in os.listdir("one"):
        with open(f"one/{name}", "rb") as first, open(f"two/{name}", "rb") as second:
            assert first.read() == second.read(), name


def test_the_command_of_each_sky_is_recorded(spectra):
    run("simulate cl.fits --n 2 --seed 3 --grid healpix:8 -o sims --threads 2")
    history = io.read_map("sims/map-00001.fits").history
    assert "simulate cl.fits --grid healpix:8 --seed 3 --first 1 --n 1; seed 3" in history[-1]
    assert "input cl.fits sha256:" in history[-1]
    run("simulate cl.fits --grid healpix:8 --seed 3 --first 1 --n 1 -o again")
    with open("sims/map-00001.fits", "rb") as first, open("again/map-00001.fits", "rb") as second:
        assert first.read() == second.read()


def test_existing_skies(spectra, capsys):
    run("simulate cl.fits --n 2 -o sims")
    before = os.stat("sims/alm-00000.fits").st_mtime_ns
    os.remove("sims/alm-00001.fits")
    run("simulate cl.fits --n 3 -o sims")
    assert "(1 already present)" in capsys.readouterr().out
    assert os.stat("sims/alm-00000.fits").st_mtime_ns == before
    run("simulate cl.fits --n 1 -o sims --force")
    assert os.stat("sims/alm-00000.fits").st_mtime_ns > before


@pytest.mark.parametrize(
    "line, words",
    [
        ("--seed 1", "seed = 0; expected seed = 1"),
        ("--L 9", "L = 24; expected L = 9"),
        ("--noise 1uK-arcmin", "noise = None; expected noise = 1uK-arcmin"),
        ("--beam 1deg", "beam = None"),
        ("--field EE", "expected spectrum_sha256"),
        ("--pol", "columns = TEMPERATURE; "),
        ("--grid healpix:8", "grid = None; expected grid = healpix:8"),
    ],
)
def test_a_folder_has_skies_of_the_same_settings(spectra, capsys, line, words):
    run("simulate cl.fits --n 1 -o sims")
    said = refused(capsys, f"simulate cl.fits --n 2 {line} -o sims --force")
    assert words.split(";")[0] in said and "another folder" in said
    assert len(os.listdir("sims")) == 2


def test_text_spectra_and_beams_of_files(here, capsys):
    rows = "".join(f"{ell} {100 / (ell + 1)} {1 / (ell + 1)}\n" for ell in range(10))
    with open("cl.txt", "w") as file:
        file.write(rows)
    with open("beam.txt", "w") as file:
        file.write("".join(f"{ell} {0.9**ell}\n" for ell in range(12)))
    assert "--columns l,TT" in refused(capsys, "simulate cl.txt --n 1 -o sims")
    assert "--kind" in refused(capsys, "simulate cl.txt --n 1 -o sims --columns l,TT,EE")
    assert not os.path.exists("sims")
    run("simulate cl.txt --columns l,TT,EE --kind cl --n 1 --pol --beam beam.txt --unit K -o sims")
    cl = {"TT": 100 / np.arange(1.0, 11), "EE": 1 / np.arange(1.0, 11)}
    expected = gaussian_sky(cl, 10, 0, beam=0.9 ** np.arange(10))
    sky = io.read_alms("sims/alm-00000.fits")
    np.testing.assert_allclose(sky.flm, expected, rtol=0, atol=CHAIN)
    assert sky.units[0] == "K"


def test_columns_of_other_signals(here, capsys):
    io.write_cl("cl.fits", {"KAPPA": np.ones(5), "OTHER": np.ones(5)})
    assert "KAPPA, OTHER; select" in refused(capsys, "simulate cl.fits --n 1 -o sims", 2)
    run("simulate cl.fits --field KAPPA --n 1 --grid healpix:2 -o sims --noise 0.1rad")
    assert io.read_map("sims/map-00000.fits").columns == ("KAPPA",)
    io.write_cl("one.fits", np.ones(5), column="KAPPA")
    run("simulate one.fits --n 1 -o one")


def test_the_spectra_of_planck(here, capsys):
    """cmb with an option of Gaussian skies makes these; with a recipe, or neither, two classes."""
    run("simulate cmb --pol --grid healpix:4 --n 1 -o sims")
    assert "cmb: TT, EE, BB, TE; L = 12 (lmax 11), 3 nside of healpix:4" in capsys.readouterr().out
    sky = io.read_map("sims/map-00000.fits", field=None)
    expected = gaussian_sky(planck2018_cl(12), 12, 0, sampling="healpix:4")
    np.testing.assert_allclose(sky.values, expected, rtol=0, atol=CHAIN)
    assert set(sky.units) == {"uK"}
    assert "not applicable with --recipe" in refused(
        capsys, "simulate cmb --recipe gaussian --noise 1uK-arcmin --L 8 --n 2 -o two", 2
    )


@pytest.mark.parametrize(
    "line, words",
    [
        ("--n 0", "--n is 0"),
        ("--n 1 --first -1", "--first is -1"),
        ("--n 1 --seed -1", "--seed is -1"),
        ("--n 1 --L 25", "degrees 0 to 23"),
        ("--n 1 --L 20 --grid healpix:4", "healpix:16"),
        ("--n 1 --L 20 --grid mw:16", "mw:20"),
        ("--n 1 --recipe strings", "apply to simulate cmb"),
        ("--n 1 --noise 20", "20uK-arcmin"),
        ("--n 1 --noise 20uK", "20uK-arcmin"),
        ("--n 1 --noise 20Jy-arcmin", "Jy; expected uK"),
        ("--n 1 --noise 20arcmin", "expected uK"),
        ("--n 1 --noise-pol 20uK-arcmin", "--pol only"),
        ("--n 1 --beam 10", "30arcmin"),
        ("--n 1 --beam none.fits", "--beam"),
        ("--n 1 --beam=-1deg", "expected a width"),
        ("--n 1 --unit K", "in uK^2"),
        ("--n 1 --field XX", "not XX"),
        ("--n 1 --field EE --pol", "not applicable with --pol"),
        ("--n 1 --pol --L 2", "L >= 3"),
    ],
)
def test_refused_skies_of_spectra(spectra, capsys, line, words):
    assert words in refused(capsys, f"simulate cl.fits {line} -o sims", 2)
    assert not os.path.exists("sims")


@pytest.mark.parametrize(
    "cl, words",
    [
        ({"TT": np.ones(4), "EE": np.ones(4), "TE": np.full(4, 2.0)}, "TE is 2 at l = 0"),
        ({"TT": np.array([1, 1, -1.0, 1]), "EE": np.ones(4)}, "-1 at l = 2"),
    ],
)
def test_spectra_that_no_signals_have(here, capsys, cl, words):
    io.write_cl("cl.fits", cl)
    said = refused(capsys, "simulate cl.fits --pol --n 1 -o sims")
    assert words in said and "cl.fits" in said and not os.path.exists("sims")


def test_memory_is_checked(spectra, capsys, monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    assert "GB" in refused(capsys, "simulate cl.fits --n 1 --grid healpix:64 -o sims")


@pytest.mark.skipif(not SHARED.exists(), reason="the data sets beside the checkout are absent")
def test_files_of_planck(here, capsys):
    folder = SHARED / "cmb_spectra"
    run(f"simulate {folder / 'planck2018_lcdm_cl_v3.fits'} --pol --lmax 40 --n 1 -o sims")
    assert "TEMPERATURE, GRADIENT, CURL, TG" in capsys.readouterr().out
    alms = io.read_alms("sims/alm-00000.fits")
    np.testing.assert_allclose(alms.flm, gaussian_sky(planck2018_cl(41), 41, 0), rtol=0, atol=1e-4)
    measured = folder / "COM_PowerSpect_CMB-TT-full_R3.01.txt"
    run(f"simulate {measured} --L 2000 --n 1 --unit uK -o measured")
    assert "D_l" in capsys.readouterr().out
    flm = io.read_alm("measured/alm-00000.fits")
    ell = np.arange(2, 1500)
    band = (ell * (ell + 1) * power(flm)[2:1500] / (2 * np.pi))[198:243]
    assert abs(band.mean() / 5720 - 1) < 5 * np.sqrt(2 / (45 * 441))


def test_jobs_at_the_same_time(spectra):
    """Two processes that simulate overlapping parts of a folder."""
    line = [sys.executable, "-m", "spherekit", *"simulate cl.fits --pol --seed 4 -o sims".split()]
    jobs = [subprocess.Popen([*line, "--first", first, "--n", "20"]) for first in ("0", "10")]
    assert [job.wait() for job in jobs] == [0, 0]
    names = [name for name in os.listdir("sims") if name != "manifest.json"]
    assert sorted(names) == [f"alm-{k:05d}.fits" for k in range(30)]
    for k in (0, 15, 29):
        alms = io.read_alms(f"sims/alm-{k:05d}.fits").flm
        np.testing.assert_array_equal(alms, gaussian_sky(spectra, 24, k, seed=4))
