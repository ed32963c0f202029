"""Files of NumPy arrays, also those that no writer here writes, through the commands."""

import numpy as np
import pytest
from helpers.commands import outputs, refused, run
from tolerances import COMMAND, SHORT_SUM

import spherekit
from spherekit import io
from spherekit.cli import main
from spherekit.testing import random_flm

F = np.ones((4, 7)) + np.arange(7)
W = dict(L=4, lam=2.0, J0=0, N=1, spin=0, reality=True)
#: Arrays of .npz files that no writer here writes, with words of the message where they are refused.
ODD = {
    "float16": (dict(values=F.astype("f2"), grid="mw:4"), None),
    "longdouble": (dict(values=F.astype("g"), grid="mw:4"), "float64"),
    "complex256": (dict(values=F.astype("G"), grid="mw:4"), "complex128"),
    "text": (dict(values=F.astype("U"), grid="mw:4"), "<U"),
    "one number": (dict(values=np.float64(3), grid="mw:4"), "shape ()"),
    "no rows": (dict(values=F[:0], grid="mw:4"), "shape (0, 7)"),
    "no maps": (dict(values=F[None][:0], grid="mw:4"), "empty array"),
    "no such grid": (dict(values=F, grid="foo:4"), "foo:4"),
    "two grids": (dict(values=F, grid=["mw:4", "gl:4"]), "array grid"),
    "two spins": (dict(values=F, grid="mw:4", spin=[0, 2]), "array spin"),
    "spin as text": (dict(values=F, grid="mw:4", spin="two"), "array spin"),
    "one part of two": (dict(values=F, grid="mw:4", spin=2), "two columns"),
    "spin too high": (dict(values=F + 1j, grid="mw:4", spin=9), "spin 9"),
    "no such frame": (dict(values=F, grid="mw:4", frame="mars"), "'mars'"),
    "too few names": (dict(values=[F, F], grid="mw:4", columns=["A"]), "without names"),
    "wavelet maps": (dict(scaling=np.ones((1, 1)), **W), "spherekit wavelets odd.npz --inverse"),
    "other arrays": (dict(a=F), "no array 'values'"),
    "too few coefficients": (dict(flm=np.ones(15)), "coefficients"),
    "no coefficients": (dict(flm=np.ones((0, 16))), "coefficients"),
    "coefficients of text": (dict(flm=np.full(16, "a")), ""),
    "coefficients of a spin as text": (dict(flm=np.ones(16), spin="two"), ""),
}


ODD_LINES = [
    "transform odd.npz --L 4 -o out.npz",
    "rotate odd.npz --euler 1,2,3 -o out.npz",
    "spectrum odd.npz --L 4 -o out.npy",
    "wavelets odd.npz --L 4 -o out.npz",
]


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("line", ODD_LINES)
def test_odd_arrays(here, capsys, line, kind):
    arrays, words = ODD[kind]
    np.savez("odd.npz", **arrays)
    run("info odd.npz --json")
    if words is None:
        run(line)
        return
    capsys.readouterr()
    assert main(line.split()) in (1, 2)
    said = capsys.readouterr()
    assert words in said.err and said.out == "" and outputs() == set()
    assert said.err.count("\n") == 1 and "bug" not in said.err and "Python scalar" not in said.err


@pytest.mark.parametrize(
    "change, words", [(dict(L=[4, 4]), "array L"), (dict(lam="two"), "array lam"), ({}, "lacks")]
)
def test_wavelet_maps_that_are_damaged(change, words, here, capsys):
    np.savez("odd.npz", scaling=np.ones((1, 1)), **W | change)
    assert words in refused(capsys, "wavelets odd.npz --inverse --grid mw:4 -o out.npz")


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "?", "f4", "f8", ">i4", ">f4"])
@pytest.mark.parametrize(
    "line", ["rotate map.npz --euler 10,20,30", "generate map.npz --L 4 --N 1"]
)
def test_no_result_takes_an_integer_type(here, rng, line, dtype):
    f = rng.integers(0, 2, (4, 7)) if "generate" in line else np.ones((4, 7))
    io.write_arrays("map.npz", values=f.astype(dtype), grid="mw:4")
    run(f"{line} -o out.npz" + (" --iterations 1" if "generate" in line else ""))
    values = io.read_arrays("out.npz")["values"]
    assert values.dtype == (np.float32 if np.dtype(dtype).newbyteorder("=") == "f4" else np.float64)
    if "rotate" in line:
        np.testing.assert_allclose(values, 1, rtol=COMMAND)


@pytest.mark.parametrize("line", ["transform map.npz --L 4 -o out.npz", "spectrum map.npz --L 4 -o out.npy",
                                  "plot map.npz -o out.png"])  # fmt: skip
def test_grids_of_arrays_are_compared(here, capsys, line):
    """Two grids of the same shape are two grids: MW and GL of one band-limit."""
    io.write_arrays("map.npz", values=np.ones((4, 7)), grid="mw:4")
    io.write_arrays("mask.npz", values=np.ones((4, 7)), grid="gl:4")
    assert "states the grid mw:4" in refused(capsys, f"{line} --grid gl:4", 2)
    assert "gl:4" in refused(capsys, f"{line} --mask mask.npz") and outputs() == set()
    np.save("mask.npy", np.ones((4, 7)))
    run(f"{line} --grid mw:4" + ("" if "transform" in line else " --mask mask.npy"))


def test_spin_of_coefficients(here, capsys, rng):
    flm = random_flm(4, rng, spin=2)
    np.save("flm.npy", flm)
    io.write_arrays("flm.npz", flm=flm, spin=2)
    for name in ("flm.npy --spin 2", "flm.npz", "flm.npz --spin 2"):
        run(f"transform {name} --inverse --grid mw:4 -o out.npz --force")
        f = spherekit.inverse(flm, 4, spin=2)
        np.testing.assert_allclose(io.read_arrays("out.npz")["values"], f, rtol=0, atol=SHORT_SUM)
    line = "transform flm.npz --spin 1 --inverse --grid mw:4 -o out2.npz"
    assert "spin 2" in refused(capsys, line, 2)
    io.write_arrays("bad.npz", flm=np.where(np.arange(16) == 3, np.nan, flm))
    assert "NaN" in refused(capsys, "transform bad.npz --inverse --grid mw:4 -o out2.npz")
