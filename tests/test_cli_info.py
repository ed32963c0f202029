"""``spherekit info`` of files of every format, and the commands that it says to type next."""

import json
import os
import shlex
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from helpers.commands import refused, run
from helpers.fits_tables import table
from tolerances import IDENTITY

import spherekit
from spherekit import io
from spherekit.cli import main
from spherekit.sampling import MWSS, Rings
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
        assert run_next(facts) == ["plot", "transform", "wind"]


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
    assert run_next(facts) == ["simulate", "convert"]


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


def test_large_netcdf_is_described_by_its_first_map(here, capsys, monkeypatch, rng):
    """The samples of fields beyond the limit of info are not read, nor are those that exceed the memory."""
    grid = MWSS(20)
    times = np.arange("2018-01", "2018-07", dtype="M8[M]").astype("M8[s]")
    axes = {"time": times, "level": np.array([200.0, 500.0])}
    values = rng.normal(size=(6, 2, *grid.shape))
    io.write(io.Map(values, grid, ("t",), ("K",), axes, frame="geographic"), "large.nc")
    whole = facts_of(capsys, "large.nc")
    assert "part" not in whole["columns"][0] and whole["columns"][0]["max"] == values.max()
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e5")
    facts = facts_of(capsys, "large.nc")
    column = facts["columns"][0]
    assert column["part"] == "time 2018-01-01, level 200.0" and column["shape"] == [
        6,
        2,
        *grid.shape,
    ]
    assert column["max"] == values[0, 0].max() and facts["axes"] == whole["axes"]
    assert facts["grid"] == "mwss:20" and len(facts["next"]) == 2
    monkeypatch.delenv("SPHEREKIT_MAX_MEMORY")
    run_next(facts)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e4")
    column = facts_of(capsys, "large.nc")["columns"][0]
    assert column["read"] is False and "max" not in column
    np.save("large.npy", values)
    assert "SPHEREKIT_MAX_MEMORY" in facts_of(capsys, "large.npy")["problem"]
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "50MB")
    assert "SPHEREKIT_MAX_MEMORY is '50MB'" in refused(capsys, "info large.nc", 2)


@pytest.mark.parametrize(
    "name", ["mw:8", "gl:8", "cc:8", "dh:8", "dhpole:8", "mwss:8", "healpix:32"]
)
def test_mean_is_that_over_the_sphere(here, capsys, rng, name):
    """The area mean of a map is its monopole, and said to be an area mean; other arrays have a plain mean."""
    flm = random_flm(8, rng, reality=True)
    values = spherekit.inverse(flm, 8, sampling=name, reality=True)
    sky = io.Map(values, name, ("t",))
    paths = ["map.npz", "map.fits" if name.startswith("healpix") else "map.nc"]
    for path in paths:
        io.write(sky, path)
        (column,) = facts_of(capsys, path)["columns"]
        expected = flm[0].real / np.sqrt(4 * np.pi)
        expected = values.mean() if name.startswith("healpix") else expected
        assert abs(column["area_mean"] - expected) < IDENTITY
        np.testing.assert_allclose(column["mean"], values.mean(), rtol=IDENTITY)
        run(f"info {path}")
        assert f"area mean {column['area_mean']:.5g}" in capsys.readouterr().out
    np.save("plain.npy", values)
    assert "area_mean" not in facts_of(capsys, "plain.npy")["columns"][0]


def test_mean_of_a_region(here, capsys):
    """A band of rings has the mean over the band, where its samples are valid."""
    band = Rings(np.radians(np.arange(30.5, 70, 0.5)), 90)
    values = np.cos(band.theta)
    values[band.theta > np.radians(60.1)] = np.nan
    io.write(io.Map(values, band, ("t",)), "band.npz")
    north, south = np.cos(np.radians([30.25, 60.25]))
    expected = (north + south) / 2 / np.cos(np.radians(0.25))  # of cos(theta) over the zones
    found = facts_of(capsys, "band.npz")["columns"][0]["area_mean"]
    np.testing.assert_allclose(found, expected, rtol=IDENTITY)


def test_channels_last_and_coefficients_of_shtools_are_named(here, capsys, rng):
    """Arrays that are not maps: no grid of 3 columns is suggested, and the advice leads to a map."""
    rgb = rng.uniform(size=(16, 32, 3)).astype("f4")
    np.savez("rgb.npz", rgb=rgb)
    np.save("rgb.npy", rgb)
    facts = facts_of(capsys, "rgb.npz")
    (note,) = facts["notes"]
    assert (
        "numpy.moveaxis(rgb, -1, -3)" in note and "n_theta=32" not in note and facts["next"] == []
    )
    for line in ("rgb.npy --L 8", "rgb.npy --L 8 --grid dh:16,n_theta=16,n_phi=32,phi0=half"):
        said = refused(capsys, f"transform {line} -o x.npz", 1 + ("--grid" not in line))
        assert "the last axis seems to be channels; save them first" in said
    np.save("moved.npy", np.moveaxis(rgb, -1, -3))
    grid = note.split("on the grid ")[1]
    run(f"transform moved.npy --grid {grid} --field 0 -o flm.npz")
    np.save("cilm.npy", rng.normal(size=(2, 31, 31)))
    assert "coefficients C_lm and S_lm of SHTOOLS" in facts_of(capsys, "cilm.npy")["notes"][0]
    assert "SHTOOLS" in refused(capsys, "transform cilm.npy -o x.npz", 2)


@pytest.mark.parametrize("whole", [True, False])
def test_multi_order_maps_of_the_whole_sky_or_a_part(here, capsys, whole):
    uniq = [*range(4, 15), *range(16 + 44, 16 + 48)]
    uniq = np.array(uniq if whole else uniq[:-1])
    columns = [fits.Column("UNIQ", "K", array=uniq), fits.Column("P", "D", array=1.0 * uniq)]
    table("uniq.fits", columns, PIXTYPE="HEALPIX", ORDERING="NUNIQ", INDXSCHM="EXPLICIT")
    assert facts_of(capsys, "uniq.fits")["sky"] == ("full" if whole else "part")


@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_one_line_for_each_field(here, rng, capsys, suffix):
    """With its own unit, range and standard name."""
    cf = {"vo": {"standard_name": "atmosphere_relative_vorticity"}}
    f = rng.standard_normal((2, 3, 9, 16)) * [[[[1e-5]]], [[[10]]]]
    axes = {"month": [1, 2, 3]}
    sky = io.Map(f, "mwss:8", ("vo", "T"), ("s-1", "K"), axes, attributes=cf, frame="geographic")
    io.write(sky, f"sky.{suffix}")
    assert main(["info", f"sky.{suffix}", "--json"]) == 0
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert [(x["name"], x["unit"], x["shape"]) for x in columns] == [
        ("vo", "s-1", [3, 9, 16]),
        ("T", "K", [3, 9, 16]),
    ]
    assert columns[0]["standard_name"] == "atmosphere_relative_vorticity"
    assert [x["max"] for x in columns] == [x.max() for x in f]
    assert main(["info", f"sky.{suffix}"]) == 0
    said = capsys.readouterr().out
    assert "  vo [s-1], 3 x 9 x 16" in said and "  T [K], 3 x 9 x 16" in said


def test_one_line_for_each_signal_of_coefficients(here, rng, capsys):
    flm = rng.standard_normal((2, 16)) + 0j
    io.write_coefficients(io.Coefficients(flm, ("T", "z"), ("K", "m"), spins=(0, 0)), "alm.npz")
    assert main(["info", "alm.npz"]) == 0
    said = capsys.readouterr().out
    assert "  T [K], 16 complex128" in said and "  z [m], 16 complex128" in said
    assert said.count("C_l from l = 0") == 2
