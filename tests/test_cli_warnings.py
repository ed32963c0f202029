"""Residuals that are a large part of a map: a warning on a line of its own."""

import json

import numpy as np
import pytest
from helpers.commands import run

import spherekit
from spherekit import io
from spherekit.testing import random_flm

L = 8
GRID = "mwss:8"


@pytest.fixture
def uv(here, rng):
    """u and v of degrees below L, with the wind of all of them."""
    f = spherekit.inverse(random_flm(L, rng, spin=1), L, spin=1, sampling=GRID)
    return np.stack([f.imag, -f.real])


def write(path, values, names=("u", "v"), unit="m/s", grid=GRID):
    io.write(io.Map(values, grid, names, unit, frame="geographic"), path)


LINES = {
    "wind": "wind {} -o flow.nc",
    "wind, one quantity": "wind {} -o flow.nc --quantities vorticity",
    "wind, truncated": "wind {} -o flow.nc --truncation 3",
    "smooth": "smooth {} --fwhm 1deg -o out.nc",
    "regrid": "regrid {} --grid gl:8 -o out.nc",
    "transform": "transform {} --field u,v -o alm.npz",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_an_outlier(uv, capsys, line):
    write("good.nc", uv)
    run(line.format("good.nc"))
    assert "warning" not in capsys.readouterr().out
    uv[0, 4, 7] = -500
    write("bad.nc", uv)
    run(line.format("bad.nc") + " --force")
    said = capsys.readouterr().out.splitlines()
    warned = [text for text in said if text.startswith("warning: the degrees < 8 do not describe")]
    assert len(warned) == 1
    assert "a code of missing values, such as -9999" in warned[0]
    assert int(warned[0].split(" % ")[0].split()[-1]) > 10


def test_scalars_and_least_squares(here, rng, capsys):
    """The warning names the largest residual."""
    rough = rng.standard_normal((2, 9, 16))
    rough[1] = 1.0
    write("scalars.nc", rough, ("a", "b"), "K")
    run("smooth scalars.nc --fwhm 1deg -o out.nc --L 4")
    said = capsys.readouterr().out
    assert said.count("warning: the degrees < 4") == 1 and "% of the map's rms" in said
    write("pixels.fits", rng.standard_normal(192), "", "K", "healpix:4")
    for line in (
        "transform pixels.fits --L 4 -o alm.fits",
        "spectrum pixels.fits --L 4 -o cl.fits",
    ):
        run(line)
        assert "\nwarning: the degrees < 4" in capsys.readouterr().out
    run("transform pixels.fits --L 4 -o alm.npz --json")
    messages = json.loads(capsys.readouterr().out)["messages"]
    assert any(text.startswith("warning: ") for text in messages)
