"""The files of spherekit wind: positions that differ, and what the messages advise."""

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


def test_other_dates(uv, capsys):
    """The same number in other units is another date."""
    write_at("u.nc", uv[0], "u", time=(31.0, "days since 2001-01-01"))
    write_at("v.nc", uv[1], "v", time=(31.0, "days since 2002-01-01"))
    said = refused(capsys, "wind u.nc v.nc -o out.nc")
    assert "time 2001-02-01 and v of v.nc at time 2002-02-01" in said
    write_at("v.nc", uv[1], "v", time=(0.0, "days since 2001-02-01"))
    run("wind u.nc v.nc -o out.nc")
