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

from spherekit import forward, io
from spherekit.experiments.gaussianity import skies
from spherekit.spectra import power


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
