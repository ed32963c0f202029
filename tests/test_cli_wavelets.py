"""`spherekit wavelets`, there and back on small files."""

import numpy as np
import pytest
from helpers.commands import refused, run
from tolerances import COMMAND

from spherekit import io
from spherekit.scattering import Scattering


def test_there_and_back(sky, capsys):
    run("wavelets map.fits --L 8 --lam 2 --N 3 -o w.npz --plot panel.png")
    said = capsys.readouterr().out
    assert "scale 2: degrees 3 to 7, shape (3, 8, 15)" in said and "residual" in said
    arrays = io.read_arrays("w.npz")
    assert {"scaling", "scale_0", "scale_3", "L", "lam"} <= arrays.keys()
    run("wavelets w.npz --inverse --grid healpix:8 -o back.fits")
    there, back = io.read_map("map.fits").values, io.read_map("back.fits")
    np.testing.assert_allclose(back.values, there, rtol=0, atol=COMMAND * np.abs(there).max())
    assert back.units == ("mK",)
    run("wavelets map.fits --L 8 --lam 3 --J0 1 -o axisymmetric.npz --plot other.png")


def test_scatter(sky, capsys):
    run("scatter map.fits --L 8 --J0 1 -o s.npz --plot tree.png")
    said = capsys.readouterr().out
    assert "order 2:   3 paths" in said and "residual" in said
    arrays = io.read_arrays("s.npz")
    S = Scattering(8, J0=1, reality=True)
    np.testing.assert_allclose(arrays["coefficients"], S.from_flm(sky), rtol=0, atol=COMMAND)
    assert arrays["scales"].tolist()[:2] == [[-1, -1], [3, -1]]
    assert "3 nside" in refused(capsys, "scatter map.fits --L 30 -o t.npz", 2)
    run("info s.npz")
    said = capsys.readouterr().out
    assert "coefficients [mK]" in said and "scales [no unit]" in said


def test_counts_are_singular_or_plural(sky, capsys):
    run("scatter map.fits --L 8 --J0 1 --depth 0 -o s.npz")
    said = capsys.readouterr().out
    assert "wrote s.npz: 1 path," in said and "order 0:   1 path," in said
    said = refused(capsys, "transform map.fits --L 8 --max-iter 1 -o alm.fits")
    assert "did not converge in 1 iteration (residual" in said


@pytest.mark.parametrize(
    "line, words, code",
    [
        ("scatter map.fits -o w.npz", "--L 65", 2),
        ("wavelets map.fits --L 8 --lam 1 -o w.npz", "lam is 1", 1),
        ("wavelets map.fits --L 8 --J0 9 -o w.npz", "J0 is 9", 1),
        ("wavelets map.fits --L 8 --N 9 -o w.npz", "N is 9", 1),
        ("wavelets map.fits --L 8 -o w.fits", ".npz", 2),
        ("wavelets map.fits --inverse -o out.fits", "grid", 2),
    ],
)
def test_refusals(line, words, code, sky, capsys):
    assert words in refused(capsys, line, code)


@pytest.mark.parametrize("limit", ["--L 5", "--lmax 4"])
def test_the_band_limit_is_that_of_the_file(sky, capsys, limit):
    run("wavelets map.fits --L 8 -o w.npz")
    said = refused(capsys, f"wavelets w.npz --inverse --grid mw:8 {limit} -o m.npz", 2)
    assert "omit --L or --lmax" in said


def test_arrays_that_are_no_wavelet_maps(sky, capsys):
    io.write_arrays("other.npz", values=np.ones(3))
    assert "expected wavelet maps" in refused(
        capsys, "wavelets other.npz --inverse --grid mw:8 -o o.npz"
    )


def test_generate(sky, capsys):
    run("generate map.fits --L 8 --N 2 --seed 1 --iterations 5 -o new.fits --plot new.png")
    said = capsys.readouterr().out
    assert "after 5 iterations" in said and "wrote new.fits: healpix:8" in said
    one, new = io.read_map("map.fits"), io.read_map("new.fits")
    assert new.units == ("mK",) and new.values.dtype == one.values.dtype
    assert abs(new.values.std() / one.values.std() - 1) < 0.2
    assert abs(np.corrcoef(one.values, new.values)[0, 1]) < 0.6
    run("generate map.fits --L 8 --isotropic --N 2 --seed 2 --iterations 5 -o other.fits")
    assert not np.allclose(io.read_map("other.fits").values, new.values)


@pytest.mark.parametrize(
    "line, words",
    [
        ("generate map.fits -o g.fits", "--L 65"),
        ("generate map.fits --L 8 -o g.npz", ".fits"),
        ("generate map.fits --L 8 --iterations 0 -o g.fits", "--iterations"),
        ("generate map.fits --L 30 -o g.fits", "3 nside"),
    ],
)
def test_refused_generations(line, words, sky, capsys):
    assert words in refused(capsys, line, 2)
