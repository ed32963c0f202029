"""The files of spherekit wind: positions that differ, and what the messages advise."""

import os

import numpy as np
import pytest
from helpers.commands import refused, run

import spherekit
from spherekit import io
from spherekit.testing import random_flm

L = 8
GRID = "mwss:8"


@pytest.fixture
def uv(here, rng):
    """u and v, the wind of random coefficients -v + i u."""
    f = spherekit.inverse(random_flm(L, rng, spin=1), L, spin=1, sampling=GRID)
    return np.stack([f.imag, -f.real])


def write(path, values, names=("u", "v"), unit="m/s", grid=GRID, **metadata):
    sky = io.Map(values, grid, names, unit, **{"frame": "geographic"} | metadata)
    io.write(sky, path, overwrite=True)


def write_at(path, values, name, **position):
    """A file of a field at one level and time, which hold for all of it."""
    attributes = {axis: {"value": x, "units": unit} for axis, (x, unit) in position.items()}
    write(path, values, (name,), attributes=attributes)


@pytest.mark.parametrize(
    "line", ["wind u.nc v.nc", "wind u.nc --and v.nc", "smooth u.nc --and v.nc --fwhm 9deg"]
)
def test_other_positions(uv, capsys, line):
    write_at("u.nc", uv[0], "u", level=(500.0, "hPa"), month=(7, "1"))
    write_at("v.nc", uv[1], "v", level=(850.0, "hPa"), month=(7, "1"))
    said = refused(capsys, f"{line} -o out.nc")
    assert "u of u.nc is at level 500 hPa and v of v.nc at level 850 hPa" in said
    write_at("v.nc", uv[1], "v", level=(500, "hPa"), month=(1, "1"))
    assert "month 7 and v of v.nc at month 1" in refused(capsys, f"{line} -o out.nc")
    write_at("v.nc", uv[1], "v", level=(np.float32(500), "hPa"), month=(7, "1"))
    run(f"{line} -o out.nc")
    write_at("v.nc", uv[1], "v")
    run(f"{line} -o out.nc --force")


def test_positions_by_other_names_and_units(uv, capsys):
    write_at("u.nc", uv[0], "u", level=(500.0, "millibars"), month=(7, "1"))
    write_at("v.nc", uv[1], "v", plev=(50000.0, "Pa"))
    run("wind u.nc v.nc -o out.nc")
    july = (181.0, "days since 2001-01-01")
    write_at("v.nc", uv[1], "v", plev=(50000.0, "Pa"), time=july)
    run("smooth u.nc --and v.nc --fwhm 9deg -o in_july.nc")
    write_at("v.nc", uv[1], "v", plev=(85000.0, "Pa"))
    said = refused(capsys, "smooth u.nc --and v.nc --fwhm 9deg -o smooth.nc")
    assert "u of u.nc is at level 500 millibars and v of v.nc at plev 85000 Pa" in said


def test_other_dates(uv, capsys):
    """The same number in other units is another date."""
    write_at("u.nc", uv[0], "u", time=(31.0, "days since 2001-01-01"))
    write_at("v.nc", uv[1], "v", time=(31.0, "days since 2002-01-01"))
    said = refused(capsys, "wind u.nc v.nc -o out.nc")
    assert "time 2001-02-01 and v of v.nc at time 2002-02-01" in said
    write_at("v.nc", uv[1], "v", time=(0.0, "days since 2001-02-01"))
    run("wind u.nc v.nc -o out.nc")


def test_both_components_in_the_second_file(uv, capsys):
    write("uwnd.nc", uv[0], ("uwnd",))
    write("all.nc", np.stack([uv[0], *uv]), ("z", "u", "v"), ("m2 s-2", "m/s", "m/s"))
    for files in ("uwnd.nc all.nc", "uwnd.nc --and all.nc"):
        said = refused(capsys, f"wind {files} -o flow.nc", 2)
        assert "all.nc has both components of a wind, u and v" in said
        assert "spherekit wind all.nc -o FILE" in said


@pytest.mark.parametrize(
    ("name", "word"), [("uwnd", "eastward"), ("v10", "northward"), ("w", "same")]
)
def test_one_component_twice(uv, capsys, name, word):
    write("a.nc", uv[0], (name,))
    write("b.nc", uv[1], (name,))
    second = "a.nc" if word == "same" else "b.nc"
    for files in (f"a.nc {second}", f"a.nc --and {second}", "a.nc ./a.nc"):
        said = refused(capsys, f"wind {files} -o flow.nc", 2)
        assert f"are the {word} component twice" in said


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("u.nc v.nc -o folder/", "u.nc --and v.nc -o FOLDER/"),
        ("v.nc u.nc -o folder/", "u.nc --and v.nc -o FOLDER/"),
        ("u.nc u7.nc v.nc v7.nc -o new/folder/", "u.nc u7.nc --and v.nc v7.nc -o FOLDER/"),
        ("u.nc v.nc u7.nc v7.nc -o folder", "u.nc u7.nc --and v.nc v7.nc -o FOLDER/"),
        ("u.nc u7.nc v.nc -o folder", "U*.nc --and V*.nc -o FOLDER/"),
        ("u.nc -o flow.nc", "u.nc --and V.nc -o FILE"),
    ],
)
def test_components_in_files_of_their_own(uv, capsys, line, command):
    """The message has the command, and no empty folder stays."""
    for i in ("", "7"):
        write(f"u{i}.nc", uv[0], ("u",))
        write(f"v{i}.nc", uv[1], ("v",))
    before = sorted(os.listdir())
    said = refused(capsys, f"wind {line}", 2)
    assert "with --and, e.g. spherekit wind " + command in said
    assert sorted(os.listdir()) == before
    if "FOLDER/" in command and "*" not in command:
        run(f"wind {command}")
        assert os.listdir("FOLDER")


@pytest.mark.parametrize(
    "verb", ["smooth --fwhm 9deg", "regrid --grid gl:8", "transform", "spectrum"]
)
def test_a_component_alone(uv, capsys, verb):
    verb, *options = verb.split(maxsplit=1)
    write("uwnd.nc", uv[0], ("uwnd",))
    line = " ".join([verb, "uwnd.nc", *options, "-o out.npz"])
    assert "from two files, uwnd.nc --and V; or" in refused(capsys, line, 2)
    write("vwnd.nc", uv[1], ("vwnd",))
    assert "from two files, uwnd.nc --and vwnd.nc; or" in refused(capsys, line, 2)


def test_names_of_files_for_several_inputs(uv, capsys):
    write("a.nc", uv)
    write("b.nc", uv)
    before = sorted(os.listdir())
    said = refused(capsys, "smooth a.nc b.nc --fwhm 9deg -o out.nc", 2)
    assert "-o is out.nc, the name of a file, and there are 2 inputs" in said
    assert "-o out/; if they are u and v of one wind: a.nc --and b.nc" in said
    for option, name in (("--plot", "x.png"), ("--plot", "x.PDF"), ("--spectrum", "e.txt")):
        said = refused(capsys, f"wind a.nc b.nc -o flows/ {option} {name}", 2)
        assert f"{option} is {name}, the name of a file, and there are 2 inputs" in said
        assert f"pass a folder, such as {option} {name[0]}/" in said
    assert "-o is a folder; pass" in refused(capsys, "wind a.nc -o flows/ --plot x.png", 2)
    assert sorted(os.listdir()) == before
    os.mkdir("x.png")
    run("wind a.nc -o flows/ --plot x.png")
    assert os.listdir("x.png") == ["a.png"]


@pytest.mark.parametrize("suffix", ["nc", "npz"])
def test_the_position_of_all_samples(uv, capsys, suffix):
    """--level, --time and --select of a coordinate that is that of the file."""
    position = dict(plev=(500.0, "hPa"), time=(31.0, "days since 2001-01-01"), member=(3, "1"))
    for name, values in zip("uv", uv, strict=True):
        write_at(f"{name}.{suffix}", values, name, **position)
    pair = f"u.{suffix} v.{suffix}"
    run(f"wind {pair} --level 500 --time 2001-02 --select member=3 -o flow.nc")
    assert io.read("flow.nc").attributes["plev"]["value"] == 500
    run(f"plot u.{suffix} --level 500 -o u.png")
    for option, words in (
        ("--level 850", "plev is 500.0 hPa for all samples, not 850"),
        ("--time 2001-03", "time is 2001-02-01 for all samples, not 2001-03"),
        ("--select member=4", "member is 3 for all samples, not 4"),
    ):
        assert words in refused(capsys, f"wind {pair} {option} -o flow.nc --force", 2)
        assert words in refused(capsys, f"plot u.{suffix} {option} -o other.png", 2)
    assert "there is no axis 'depth'" in refused(
        capsys, f"plot u.{suffix} --select depth=1 -o other.png", 2
    )
    sky = io.read(f"u.{suffix}")
    assert sky.select(level=500, time="2001-02").names == ("u",)


def test_two_maps_in_a_plot(uv, capsys):
    write("wind.nc", uv, ("u_psi", "v_psi"))
    said = refused(capsys, "plot wind.nc --field u_psi,v_psi -o picture.png", 2)
    assert "got 2 maps; expected one" in said
    command = "wind wind.nc --field u_psi,v_psi --plot PICTURE -o FILE"
    assert f"by spherekit {command}" in said
    run(command.replace("PICTURE", "picture.png").replace("FILE", "flow.nc"))
    write("scalars.nc", uv, ("T", "z"), "K")
    assert "arrows" not in refused(capsys, "plot scalars.nc --field T,z -o other.png", 2)
