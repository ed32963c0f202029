"""The command line, end to end on small files."""

import subprocess
import sys

import numpy as np
import pytest

import spherekit
from spherekit import datasets, io
from spherekit.cli import main
from spherekit.sampling import GL, MW, MWSS, HEALPix, Rings
from spherekit.testing import random_flm


@pytest.fixture
def files(tmp_path, rng=np.random.default_rng(0)):
    flm = random_flm(8, rng, reality=True)
    f = spherekit.inverse(flm, 8, sampling="healpix:8", reality=True)
    io.write_map(tmp_path / "map.fits", f, unit="mK")
    io.write_map(tmp_path / "mask.fits", (HEALPix(8).theta > 0.8).astype(float))
    return tmp_path, flm


def test_there_and_back(files, capsys):
    folder, flm = files
    command = ["transform", f"{folder}/map.fits", "--lmax", "7", "-o", f"{folder}/alm.fits"]
    assert main(command) == 0
    np.testing.assert_allclose(io.read_alm(folder / "alm.fits"), flm, atol=1e-6)
    assert main(command) == 1 and "--force" in capsys.readouterr().err
    back = ["transform", f"{folder}/alm.fits", "--inverse", "-o", f"{folder}/mw.npz"]
    assert main([*back, "--grid", "mw:16"]) == 0
    again = ["transform", f"{folder}/mw.npz", "--L", "8", "-o", f"{folder}/alm2.fits"]
    assert main(again) == 0
    assert "exact" in capsys.readouterr().out
    np.testing.assert_allclose(io.read_alm(folder / "alm2.fits"), flm, atol=1e-6)


def test_spectrum_plot_info(files, capsys):
    folder, _ = files
    command = ["spectrum", f"{folder}/map.fits", "--L", "8", "-o", f"{folder}/cl.fits"]
    assert main([*command, "--mask", f"{folder}/mask.fits", "--plot", f"{folder}/cl.png"]) == 0
    assert "f_sky" in capsys.readouterr().out
    for projection in ("mollweide", "orthographic", "cartesian"):
        out = f"{folder}/{projection}.png"
        assert main(["plot", f"{folder}/map.fits", "-o", out, "--projection", projection]) == 0
    for name, word in (("map.fits", "nside 8"), ("cl.fits", "8 rows")):
        assert main(["info", f"{folder}/{name}"]) == 0
        assert word in capsys.readouterr().out
    assert main(["info", f"{folder}/nothing.fits"]) == 1
    assert capsys.readouterr().err.startswith("spherekit: error: no file")
    with pytest.raises(SystemExit) as stop:
        main(["plot"])
    assert stop.value.code == 2


def test_demo(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "out")]) == 0
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"alm.fits", "cl.fits", "map.fits", "map.png", "map_mw.npz", "spectrum.png"} <= made
    assert "residual" in capsys.readouterr().out


def test_projections_show_the_function():
    from spherekit.plot import project

    for grid in (MW(40), GL(40), HEALPix(16), MWSS(30)):
        theta, phi = grid.theta, grid.phi
        if grid.rectangular:
            theta, phi = np.meshgrid(theta, phi, indexing="ij")
        f = np.cos(theta) + 0.5 * np.sin(theta) * np.cos(phi - 1)
        for projection in ("mollweide", "cartesian"):
            values = project(f, grid, projection=projection, size=200).values
            assert np.isnan(values[0, 0]) == (projection == "mollweide")
            assert np.nanmax(values) == pytest.approx(f.max(), abs=0.02)
            assert np.nanmin(values) == pytest.approx(f.min(), abs=0.02)


def test_import_is_quiet_and_lazy():
    code = "import sys, spherekit; print('numba' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "False"] and not done.stderr
    code = "import sys; from spherekit import forward; print('astropy' in sys.modules or 'matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert done.stdout.split() == ["False"] and not done.stderr


def test_wmap_agrees_with_stored_values_of_another_code():
    """C_l of the packaged map by plain equal-area quadrature, computed once with healpy 1.20 (iter=0)."""
    grid = HEALPix(32, weights="equal")
    flm = spherekit.forward(datasets.wmap_w().astype(float), 20, sampling=grid, reality=True)
    from spherekit.spectra import power

    np.testing.assert_allclose(power(flm)[[0, 2, 10, 19]], STORED, rtol=1e-10)
    assert Rings([1.0], [3]).shape == (3,)


STORED = [0.06329237975977671, 0.009621408354096693, 0.0012344935714881883, 0.00024499054122261105]
