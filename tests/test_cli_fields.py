"""spherekit smooth and regrid, end to end on small maps of several formats."""

import json

import numpy as np
import pytest
from helpers.commands import refused, run
from helpers.data import SHARED
from tolerances import CHAIN, COMMAND_SAMPLES, SINGLE_VALUES

import spherekit
from spherekit import fields, io
from spherekit.sampling import Rings
from spherekit.spectra import gaussian_beam
from spherekit.testing import random_flm

L = 12


@pytest.fixture
def iqu(here, rng):
    """I, Q and U on a Gauss-Legendre grid and on HEALPix, of band-limit 12: iqu.npz and iqu.fits."""
    T = random_flm(L, rng, reality=True)
    P = random_flm(L, rng, spin=2)
    for grid, path in (("gl:12", "iqu.npz"), ("healpix:8", "iqu.fits")):
        Q = spherekit.inverse(P, L, spin=2, sampling=grid)
        values = np.stack([spherekit.inverse(T, L, sampling=grid, reality=True), Q.real, Q.imag])
        sky = io.Map(values, grid, ("I", "Q", "U"), ("mK", "uK", "uK"), frame="galactic")
        io.write(sky, path)
    return io.read("iqu.npz")


def test_regrid_both_ways(iqu, capsys):
    run("regrid iqu.npz --grid healpix:16 -o pixels.fits")
    said = capsys.readouterr().out
    assert "Q and U (spin 2)" in said and "degrees < 12" in said and "from gl:12" in said
    pixels = io.read("pixels.fits")
    assert pixels.names == ("I", "Q", "U") and pixels.units == ("mK", "uK", "uK")
    assert pixels.frame == "galactic"
    run("regrid pixels.fits --grid gl:12 -o again.npz")
    again = io.read("again.npz")
    np.testing.assert_allclose(again.values, iqu.values, rtol=0, atol=COMMAND_SAMPLES)
    assert again.units == iqu.units and again.frame == "galactic"


@pytest.mark.parametrize("suffix", ["npz", "nc", "npy", "csv"])
def test_formats_of_the_output(iqu, suffix):
    run(f"regrid iqu.npz --field I --grid mwss:20 -o out.{suffix}")
    grid = dict(grid="mwss:20") if suffix == "npy" else {}
    result = io.read(f"out.{suffix}", **grid)
    expected = fields.regrid(iqu.values[0], "mwss:20", sampling="gl:12")
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=CHAIN)


def test_grids_with_a_first_longitude(iqu):
    run("regrid iqu.npz --grid dh:12,n_theta=36,n_phi=72,phi0=half -o out.nc")
    run("regrid out.nc --field I,Q,U --grid gl:12 -o again.npz --L 12")
    np.testing.assert_allclose(io.read("again.npz").values, iqu.values, rtol=0, atol=CHAIN)


def test_the_grid_of_the_file(here, rng, capsys):
    io.write_arrays("map.npy", values=rng.standard_normal((12, 23)))
    said = refused(capsys, "regrid map.npy --grid mw:12 -o out.npz", 2)
    assert "--from-grid" in said
    run("regrid map.npy --from-grid gl:12 --grid mw:12 -o out.npz")
    assert io.read("out.npz").values.shape == (12, 23)


@pytest.mark.parametrize(
    "width", ["--fwhm 20deg", "--fwhm 1200arcmin", "--sigma 8.493218002880191deg"]
)
def test_smooth(iqu, width, capsys):
    run(f"smooth iqu.npz {width} -o out.npz")
    assert "smoothed by Gaussian" in capsys.readouterr().out
    result = io.read("out.npz")
    expected = fields.smooth(iqu, np.radians(20)).values
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=CHAIN)
    assert result.units == iqu.units and result.frame == "galactic"


def test_smooth_healpix(iqu):
    run("smooth iqu.fits --fwhm 20deg --L 12 -o out.fits")
    expected = fields.regrid(fields.smooth(iqu, np.radians(20)), "healpix:8", L=12).values
    result = io.read("out.fits")
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=COMMAND_SAMPLES)


def test_smooth_by_a_file(iqu, capsys):
    windows = {"TEMPERATURE": gaussian_beam(0.3, L), "GRADIENT": gaussian_beam(0.3, L, spin=2)}
    io.write_cl("beam.fits", windows)
    run("smooth iqu.npz --beam beam.fits -o out.npz")
    assert "smoothed by beam.fits" in capsys.readouterr().out
    expected = fields.smooth(iqu, 0.3).values
    np.testing.assert_allclose(io.read("out.npz").values, expected, rtol=0, atol=CHAIN)
    assert "L = 40 needs 0 to 39" in refused(
        capsys, "smooth iqu.fits --beam beam.fits --L 40 -o x.fits"
    )


def test_axes_and_plots(iqu, capsys):
    values = np.stack([iqu.values[0], 2 * iqu.values[0]])
    io.write(io.Map(values, "gl:12", "z", "m", {"level": [500, 850]}), "levels.nc")
    run("smooth levels.nc --fwhm 20deg -o out.nc")
    result = io.read("out.nc")
    expected = fields.smooth(values, np.radians(20), sampling="gl:12")
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=CHAIN)
    assert result.axes["level"].tolist() == [500, 850]
    said = refused(capsys, "smooth levels.nc --fwhm 20deg -o x.npz --plot x.png", 2)
    assert "--select level=500" in said
    run("smooth levels.nc --fwhm 20deg --level 850 -o x.npz --plot x.png")
    np.testing.assert_allclose(io.read("x.npz").values, expected[1], rtol=0, atol=CHAIN)
    said = refused(capsys, "regrid levels.nc --grid healpix:8 -o x.fits", 2)
    assert "FITS output has no axes" in said


def test_history(iqu):
    run("smooth iqu.npz --fwhm 20deg -o one.npz")
    run("regrid one.npz --grid healpix:8 -o two.fits")
    run("smooth two.fits --fwhm 20deg -o three.nc")
    history = [
        line.split(";")[0].split(": ")[-1] for line in io.read("three.nc", field="I").history
    ]
    assert history[-3:] == [
        "spherekit smooth iqu.npz --fwhm 20deg -o one.npz",
        "spherekit regrid one.npz --grid healpix:8 -o two.fits",
        "spherekit smooth two.fits --fwhm 20deg -o three.nc",
    ]


def test_single_precision_is_kept(iqu):
    io.write(io.Map(iqu.values[0].astype(np.float32), "gl:12", "I"), "single.npz")
    run("smooth single.npz --fwhm 20deg -o out.npz")
    result = io.read("out.npz").values
    assert result.dtype == np.float32
    expected = fields.smooth(iqu.values[0], np.radians(20), sampling="gl:12")
    assert np.abs(result - expected).max() < SINGLE_VALUES * np.abs(expected).max()


@pytest.mark.parametrize(
    "line, code, words",
    [
        ("smooth iqu.npz -o x.npz", 2, "--fwhm"),
        ("smooth iqu.npz --fwhm 1deg --sigma 1deg -o x.npz", 2, "not allowed"),
        ("smooth iqu.npz --fwhm 1 -o x.npz", 2, "arcmin"),
        ("smooth iqu.npz --fwhm=-1deg -o x.npz", 2, ">= 0"),
        ("smooth iqu.npz --beam none.txt -o x.npz", 1, "none.txt"),
        ("smooth iqu.npz --fwhm 1deg -o x.fits", 2, "FITS output is for HEALPix"),
        ("smooth iqu.npz --fwhm 1deg -o x.txt", 2, ".nc or .csv"),
        ("smooth iqu.npz --fwhm 1deg -o iqu.npz", 1, "--force"),
        ("smooth iqu.npz --fwhm 1deg --L 20 -o x.npz", 1, "20"),
        ("smooth iqu.npz --fwhm 1deg --field Q -o x.npz", 2, "--spin"),
        ("smooth none.npz --fwhm 1deg -o x.npz", 1, "none.npz"),
        ("smooth iqu.fits --fwhm 1deg --L 24 -o x.fits --max-iter 0", 2, "--max-iter is 0"),
        ("regrid iqu.npz -o x.npz", 2, "--grid"),
        ("regrid iqu.npz --grid square:3 -o x.npz", 2, "square"),
        ("regrid iqu.npz --grid gl:8 -o x.fits", 2, "HEALPix"),
        ("regrid iqu.npz --grid mw:8 --L 12 -o x.npz", 1, "12"),
        ("regrid iqu.npz --grid mw:8 --from-grid mw:12 -o x.npz", 2, "--from-grid"),
    ],
)
def test_refusals(iqu, capsys, line, code, words):
    assert words in refused(capsys, line, code)


def test_missing_samples(here, capsys):
    f = np.ones(192)
    f[3] = np.nan
    io.write_map("hole.fits", f)
    for line in ("smooth hole.fits --fwhm 9deg", "regrid hole.fits --grid mw:8"):
        said = refused(capsys, f"{line} -o x.npz")
        assert "1 are NaN" in said and "--mask missing" in said


@pytest.mark.skipif(not SHARED.exists(), reason="the data sets beside the checkout are absent")
def test_real_files(here, capsys):
    run(f"regrid {SHARED}/atmosphere/eraint_uvz.nc --field u,v --level 500 --grid gl:64 -o uv.nc")
    assert "u and v (spin 1)" in capsys.readouterr().out
    winds = io.read("uv.nc", field=["u", "v"])
    assert winds.axes["month"].tolist() == [1, 7] and winds.units == ("m s**-1", "m s**-1")
    sky = SHARED / "sky_maps" / "wmap_band_iqumap_r9_7yr_V_v4_udgraded32.fits"
    run(f"smooth {sky} --fwhm 5deg -o smooth.fits --plot smooth.png")
    assert io.read("smooth.fits").names == ("I_STOKES", "Q_STOKES", "U_STOKES")


def test_several_files(iqu, capsys):
    io.write(io.read("iqu.npz"), "second.npz")
    run("regrid iqu.npz second.npz --grid healpix:8 -o maps/")
    expected = fields.regrid(iqu, "healpix:8").values
    for name in ("iqu", "second"):
        np.testing.assert_allclose(io.read(f"maps/{name}.fits").values, expected, atol=CHAIN)
    run("smooth iqu.npz second.npz --fwhm 9deg -o smooth/")
    assert io.read("smooth/second.npz").names == ("I", "Q", "U")


def test_facts_for_machines(iqu, capsys):
    run("smooth iqu.npz --fwhm 9deg -o out.npz --json")
    facts = json.loads(capsys.readouterr().out)
    assert facts["outputs"] == ["out.npz"] and facts["grid"] == "gl:12"
    units = {"I": "mK", "Q": "uK", "U": "uK"}
    assert {field["name"]: field["unit"] for field in facts["fields"]} == units
    assert "degrees < 12" in facts["messages"][0]


def test_band_of_latitudes_needs_a_band_limit(here, capsys):
    """A band of latitudes does not determine maps elsewhere: --L is required, and a warning printed."""
    band = Rings(np.radians(np.arange(30, 71, 1.0)), 120)
    io.write(io.Map(np.cos(band.theta), band, ("t",), ("K",), frame="geographic"), "band.nc")
    for command in (
        "smooth band.nc --fwhm 9deg",
        "regrid band.nc --grid mw:8",
        "transform band.nc",
    ):
        message = refused(capsys, f"{command} -o out.npz --force", 2)
        assert "without samples from 90N to 61N and from 19N to 90S" in message and "--L" in message
        run(f"{command} --L 4 --max-iter 1000 -o out.npz --force")
        assert "more than 45 degrees apart, from 20N to 90S" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["180x360", "F160", "latlon", "gauss:160", "dh:180,rows=3", "mw:0"]
)
def test_unknown_grids_are_usage_errors(iqu, name, capsys):
    for command in (
        "regrid iqu.fits",
        "transform iqu.npz",
        "plot iqu.npz",
        "regrid iqu.fits --grid mw:9",
    ):
        option = "--from-grid" if "mw:9" in command else "--grid"
        message = refused(capsys, f"{command} {option} {name} -o out.npz", 2)
        assert message.startswith(f"spherekit: error: {option}: ")
