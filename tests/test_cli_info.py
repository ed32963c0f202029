"""``spherekit info`` of files of every format, and the commands that it says to type next."""

import json
import os
import shlex
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from helpers.commands import run
from helpers.fits_tables import table

from spherekit import io
from spherekit.cli import main
from spherekit.sampling import Rings
from spherekit.testing import random_flm


def facts_of(capsys, *words):
    """The facts that info prints as JSON; its text has to start with their kind."""
    capsys.readouterr()
    assert main(["info", *words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert main(["info", *words]) == 0
    assert capsys.readouterr().out.startswith(f"{words[0]}: {facts['kind']}")
    return facts


def run_next(facts):
    """Run the commands that info says to type next; each must succeed."""
    for line in facts["next"]:
        assert main(shlex.split(line)[1:]) == 0, line
    return [shlex.split(line)[1] for line in facts["next"]]


@pytest.fixture
def winds(here, rng):
    """A map of two fields at three levels, on 2 x 8 rings of 15 longitudes."""
    values = rng.normal(size=(2, 3, 8, 15))
    attributes = {"u": {"standard_name": "eastward_wind"}}
    axes = {"level": [200, 500, 850]}
    return io.Map(values, "gl:8", ("u", "v"), "m/s", axes, attributes=attributes)


@pytest.mark.parametrize("name", ["winds.nc", "winds.npz"])
def test_maps_with_axes(winds, capsys, name):
    io.write(winds, name)
    facts = facts_of(capsys, name)
    assert (facts["kind"], facts["grid"]) == ("map", "gl:8")
    assert facts["axes"] == {"level": [200, 500, 850]}
    run(f"info {name}")
    assert "axis level, 3: 200, 500, 850" in capsys.readouterr().out
    if name == "winds.nc":
        assert [column["name"] for column in facts["columns"]] == ["u", "v"]
        assert run_next(facts) == ["plot", "transform"]


@pytest.mark.parametrize("grid", ["healpix:4", "mw:4"])
@pytest.mark.parametrize("holes", [False, True])
def test_maps_in_fits(here, rng, capsys, grid, holes):
    values = rng.normal(size=_shape(grid))
    values.flat[0] = np.nan if holes else 1
    if grid == "mw:4":
        io.write_mw(io.Map(values, grid, "T", "K"), "a.fits")
    else:
        io.write_map("a.fits", values, column="T", unit="K")
    facts = facts_of(capsys, "a.fits")
    assert facts["grid"] == grid and facts["history"][-1].startswith("spherekit ")
    assert run_next(facts) == ["plot", "transform"]


def _shape(grid):
    from spherekit.sampling import grid as as_grid

    return as_grid(grid).shape


@pytest.mark.parametrize("name", ["a.sh", "a.fits", "a.npz", "a.mat", "a.sh.gz"])
def test_coefficients(here, rng, capsys, name):
    flm = random_flm(6, rng, reality=True)
    io.write_coefficients(io.Coefficients(flm, "relief", "m"), name)
    facts = facts_of(capsys, name)
    assert (facts["kind"], facts["L"]) == ("coefficients", 6)
    np.testing.assert_allclose(facts["power"][0][0], abs(flm[0]) ** 2, rtol=1e-12)
    assert run_next(facts) == ["spectrum", "transform"]


@pytest.mark.parametrize("name", ["cl.fits", "cl.txt"])
def test_spectra(here, capsys, name):
    io.write_cl(name, {"TT": np.arange(5.0), "EE": np.ones(5)}, unit="uK^2")
    facts = facts_of(capsys, name)
    assert (facts["kind"], facts["L"]) == ("spectrum", 5)
    assert facts["columns"][0]["unit"] == "uK^2"
    assert run_next(facts) == ["convert"]


def test_wavelet_maps_and_arrays(here, rng, capsys):
    io.write_map("map.fits", rng.normal(size=192))
    run("wavelets map.fits --L 6 -o w.npz")
    assert run_next(facts_of(capsys, "w.npz")) == ["wavelets"]
    np.save("pixels.npy", rng.normal(size=768))
    assert run_next(facts_of(capsys, "pixels.npy")) == ["plot"]


def test_text_with_latitudes_and_longitudes(here, rng, capsys):
    np.savetxt("data", rng.normal(size=(6, 12)))
    np.savetxt("lats", np.arange(75, -90, -30))
    np.savetxt("lons", np.arange(0, 360, 30))
    facts = facts_of(capsys, "data")
    assert "--lat FILE" in facts["problem"]
    assert run_next(facts) == ["convert"]
    facts = facts_of(capsys, "data", "--lat", "lats", "--lon", "lons")
    assert facts["kind"] == "map" and facts["grid"].startswith("dh:")


def test_points(winds, capsys):
    io.write(winds.select(level=500)["u"], "points.csv")
    facts = facts_of(capsys, "points.csv")
    assert facts["kind"] == "map"
    assert run_next(facts) == ["plot", "transform"]


def test_folders_and_other_files(here, capsys):
    os.mkdir("folder")
    io.write_map("folder/a.fits", np.zeros(12))
    Path("folder/b.txt").write_text("words")
    facts = facts_of(capsys, "folder")
    assert facts["contents"] == {"a FITS file": 1, "text": 1} and facts["next"] == []
    Path("words.txt").write_text("some words\n")
    assert "'some' is not a number" in facts_of(capsys, "words.txt")["problem"]
    Path("a.grib").write_bytes(b"GRIB" + bytes(100))
    assert "cdo" in facts_of(capsys, "a.grib")["problem"]
    Path("a.pickle").write_bytes(b"\x80\x04K\x01.")
    assert "not loaded" in facts_of(capsys, "a.pickle")["problem"]
    Path("unknown").write_bytes(bytes(range(256)))
    assert "no command reads" in facts_of(capsys, "unknown")["problem"]


@pytest.mark.parametrize("size", [0, 3, 100, 2000])
@pytest.mark.parametrize(
    "name", ["winds.nc", "winds.npz", "map.fits", "alm.fits", "a.mat", "a.sh.gz"]
)
def test_damaged_files_have_no_traceback(winds, rng, capsys, name, size):
    io.write(winds, "winds.nc")
    io.write(winds, "winds.npz")
    io.write_map("map.fits", np.zeros(768))
    for path in ("alm.fits", "a.mat", "a.sh.gz"):
        io.write_coefficients(io.Coefficients(random_flm(12, rng, reality=True)), path)
    content = Path(name).read_bytes()
    Path(name).write_bytes(content[:size])
    assert main(["info", name]) in (0, 1)
    said = capsys.readouterr()
    assert "this is a bug" not in said.err and "Traceback" not in said.err
    assert name in said.out + said.err


def test_several_files(here, capsys):
    for name in "ab":
        io.write_map(f"{name}.fits", np.zeros(12))
    run("info a.fits b.fits --json")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a.fits", "b.fits"]
    assert main(["info", "a.fits", "missing.fits"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("a.fits: HEALPix map") and "1 of 2 files failed" in said.err


def test_long_grids_are_shortened_in_text(here, capsys, rng):
    """The text of 100 irregular rings is in JSON and files; lines and messages state their number."""
    grid = Rings(np.sort(rng.uniform(0, np.pi, 100)), 120)
    io.write(io.Map(np.cos(grid.theta), grid, ("t",)), "rings.npz")
    run("info rings.npz")
    assert "grid rings:... (100 rings, 12000 samples)" in capsys.readouterr().out
    run("info rings.npz --json")
    assert json.loads(capsys.readouterr().out)["grid"] == str(grid)
    run("transform rings.npz --L 4 -o flm.npz --json")
    assert json.loads(capsys.readouterr().out)["grid"] == str(grid)
    run("transform rings.npz --L 4 -o flm.npz --force")
    assert len(max(capsys.readouterr().out.split("\n"), key=len)) < 200
    run("smooth rings.npz --L 4 --fwhm 1deg -o smooth.npz")
    assert "(100 rings, 12000 samples)" in capsys.readouterr().out
    assert io.read("smooth.npz").grid == grid


@pytest.mark.parametrize("whole", [True, False])
def test_multi_order_maps_of_the_whole_sky_or_a_part(here, capsys, whole):
    uniq = [*range(4, 15), *range(16 + 44, 16 + 48)]
    uniq = np.array(uniq if whole else uniq[:-1])
    columns = [fits.Column("UNIQ", "K", array=uniq), fits.Column("P", "D", array=1.0 * uniq)]
    table("uniq.fits", columns, PIXTYPE="HEALPIX", ORDERING="NUNIQ", INDXSCHM="EXPLICIT")
    assert facts_of(capsys, "uniq.fits")["sky"] == ("full" if whole else "part")
