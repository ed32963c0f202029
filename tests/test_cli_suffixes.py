"""Suffixes of outputs in upper case: the same files as in lower case."""

import os

import numpy as np
import pytest
from helpers.commands import run

import spherekit
from spherekit import io
from spherekit.testing import random_flm

MAPS = ("nc", "npz", "npy", "csv", "fits")
COEFFICIENTS = ("npz", "fits", "sh", "nc", "mat")
LINES = (
    *((f"smooth T.nc --fwhm 9deg -o {{}}.{x}", x) for x in MAPS),
    *((f"regrid T.nc --grid healpix:4 -o {{}}.{x}", x) for x in ("fits", "npz")),
    *((f"convert T.nc {{}}.{x}", x) for x in MAPS),
    *((f"rotate T.nc --euler 10,20,30 -o {{}}.{x}", x) for x in ("nc", "npz")),
    *((f"wind uv.nc -o {{}}.{x}", x) for x in MAPS),
    *((f"transform T.nc -o {{}}.{x}", x) for x in COEFFICIENTS),
    *(
        (f"transform alm.npz --inverse --grid healpix:4 -o {{}}.{x}", x)
        for x in ("fits", "nc", "npz")
    ),
    *((f"spectrum T.nc -o {{}}.{x}", x) for x in ("fits", "txt", "npz", "npy")),
    *((f"plot T.nc -o {{}}.{x}", x) for x in ("png", "pdf", "svg", "jpg")),
    ("wavelets T.nc -o {}.npz", "npz"),
    ("scatter T.nc --L 8 --J0 1 -o {}.npz", "npz"),
)


@pytest.fixture
def files(here, rng):
    """T.nc, uv.nc and alm.npz."""
    wind = spherekit.inverse(random_flm(8, rng, spin=1), 8, spin=1, sampling="mwss:8")
    uv = np.stack([wind.imag, -wind.real])
    io.write(io.Map(uv, "mwss:8", ("u", "v"), "m/s", frame="geographic"), "uv.nc")
    flm = random_flm(8, rng, reality=True)
    T = spherekit.inverse(flm, 8, sampling="mwss:8", reality=True)
    io.write(io.Map(T, "mwss:8", "T", "K", frame="geographic"), "T.nc")
    io.write_arrays("alm.npz", flm=flm)


@pytest.mark.parametrize(("line", "suffix"), LINES)
def test_suffixes_in_upper_case(files, line, suffix):
    run(line.format("lower"))
    upper = line.format("UP").replace(f"UP.{suffix}", f"UP.{suffix.upper()}")
    run(upper)
    name = f"UP.{suffix.upper()}"
    assert os.path.exists(name)
    assert io.describe(name) == io.describe(f"lower.{suffix}")
    sizes = [os.path.getsize(path) for path in (name, f"lower.{suffix}")]
    assert abs(sizes[0] - sizes[1]) < 100 + 0.01 * sizes[1]
    run(f"info {name}")


def test_further_outputs_in_upper_case(files):
    run("wind uv.nc -o FLOW.NC --plot FLOW.PNG --spectrum E.TXT")
    assert list(io.read_spectra("E.TXT").values) == ["total", "rotational", "divergent"]
    assert io.describe("FLOW.PNG") == "a PNG picture"
