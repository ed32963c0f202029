"""``spherekit convert``: maps, coefficients and spectra between formats, and maps between grids."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tolerances
from helpers.commands import refused, run

import spherekit
from spherekit import io
from spherekit.io import netcdf
from spherekit.io.variables_of_maps import from_map
from spherekit.sampling import HEALPix
from spherekit.testing import random_flm


@pytest.fixture
def relief(here, rng):
    """A band-limited map on 18 latitudes and 37 longitudes, whose last column repeats, south first."""
    flm = random_flm(8, rng, reality=True)
    f = spherekit.inverse(flm, 8, sampling="dh:9,n_phi=36", reality=True)
    np.savetxt("data.gz", np.c_[f, f[:, :1]][::-1])
    np.savetxt("lats.gz", np.arange(-85, 90, 10))
    np.savetxt("lons.gz", np.arange(0, 361, 10))
    return flm


@pytest.fixture
def polarized(here, rng):
    values = rng.normal(size=(3, 192)).astype(np.float32)
    values[:, 5] = io.missing.UNSEEN
    io.write_map(
        "iqu.fits", values, column=["I", "Q", "U"], unit="mK", coordsys="galactic", polcconv="COSMO"
    )
    return values


def test_text_with_latitudes_and_longitudes_to_healpix(relief, capsys):
    run("convert data.gz out.fits --lat lats.gz --lon lons.gz --grid healpix:16 --L 8")
    said = capsys.readouterr().out
    assert "rows reversed" in said and "column removed" in said and "residual" in said
    expected = spherekit.inverse(relief, 8, sampling="healpix:16", reality=True)
    assert np.abs(io.read_map("out.fits").values - expected).max() < tolerances.COMMAND
    assert "spherekit convert data.gz out.fits" in io.read_map("out.fits").history[-1]


def test_the_order_of_the_output_is_that_of_the_note(here, capsys):
    io.write_map("nested.fits", np.arange(48.0), ordering="nested")
    run("convert nested.fits out.fits")
    assert "rearranged in RING order" in capsys.readouterr().out
    run("convert nested.fits same.fits --ordering-out nested")
    assert "RING" not in capsys.readouterr().out
    names = ("nested.fits", "same.fits")
    before, after = (io.read_table(name).columns["TEMPERATURE"] for name in names)
    assert np.array_equal(before, after) and before[1] != 1


def test_text_of_several_signals(here, rng, capsys):
    io.write_alm("teb.fits", random_flm(4, rng, reality=True, shape=(3,)))
    said = refused(capsys, "convert teb.fits out.sh", 2)
    assert "one of the signals T, E, B, such as --field T, or write .npz" in said
    assert "Coefficients(" not in said
    run("convert teb.fits out.sh --field T")
    of_text, of_fits = io.read_coefficients("out.sh"), io.read_coefficients("teb.fits", field="T")
    assert np.abs(of_text.flm - of_fits.flm).max() < tolerances.COMMAND


def test_without_a_grid_the_samples_stay(relief):
    run("convert data.gz out.npz --lat lats.gz --lon lons.gz")
    run("convert out.npz out.nc")
    run("convert out.nc out.csv")
    data = np.loadtxt("data.gz")[::-1, :-1]
    for name in ("out.npz", "out.nc", "out.csv"):
        np.testing.assert_array_equal(io.read(name).values, data)


def test_one_component_of_a_spin_field_is_converted_as_a_scalar_on_request(relief, capsys):
    options = "--lat lats.gz --lon lons.gz"
    run(f"convert data.gz field.npz {options}")
    sky = io.read("field.npz")
    attributes = {"v": {"standard_name": "northward_wind"}}
    io.write(io.Map(sky.values, sky.grid, "v", "m/s", attributes=attributes), "v.nc")
    assert "--spin 0 for scalars" in refused(capsys, "convert v.nc out.npz --grid mw:8", 1)
    run("convert v.nc out.npz --grid mw:8 --spin 0")
    expected = spherekit.inverse(relief, 8, sampling="mw:8", reality=True)
    assert np.abs(io.read("out.npz").values - expected).max() < tolerances.COMMAND
    assert "apply with --grid only" in refused(capsys, "convert v.nc x.npz --spin 0", 2)


def test_fits_that_have_not_converged(polarized, capsys):
    io.write_map("noise.fits", polarized[0].clip(-9), coordsys="galactic")
    line = "convert noise.fits out.npz --grid mw:8 --max-iter 1"
    assert "--allow-unconverged" in refused(capsys, line, 1)
    run(f"{line} --allow-unconverged")
    assert "NOT converged" in capsys.readouterr().out


def test_healpix_to_healpix(polarized, capsys):
    run("convert iqu.fits nested.fits --ordering-out nested")
    run("convert iqu.fits part.fits --partial")
    run("convert nested.fits back.npz")
    nested, part = (io.read_map(name, field=None) for name in ("nested.fits", "part.fits"))
    assert nested.ordering == "nested" and nested.frame == "galactic"
    for values in (nested.values, part.values, io.read("back.npz").values):
        np.testing.assert_array_equal(values, polarized)
    assert os.path.getsize("part.fits") != os.path.getsize("iqu.fits")
    assert part.units == ("mK",) * 3 and part.columns == ("I", "Q", "U")


def test_axes_and_fields(here, rng, capsys):
    values = rng.normal(size=(2, 3, 8, 16))
    axes = {"level": [200, 500, 850]}
    winds = io.Map(values, "dh:4,n_phi=16", ("a", "b"), "m/s", axes)
    io.write(winds, "winds.nc")
    run("convert winds.nc b.npz --field b --level 500")
    np.testing.assert_allclose(io.read("b.npz").values, values[1, 1], rtol=1e-15)
    run("convert winds.nc all.npz")
    np.testing.assert_allclose(io.read("all.npz").values, values, rtol=1e-15)
    contents = from_map(winds)._replace(attributes={})
    netcdf.write_variables(contents, "others.nc")
    assert "several fields" in refused(capsys, "convert others.nc others.npz", 2)
    assert "no further axes" in refused(
        capsys, "convert winds.nc b.fits --field b --grid healpix:4", 2
    )


@pytest.mark.parametrize("name", ["a.fits", "a.npz", "a.sh", "a.sh.gz", "a.mat"])
def test_coefficients(here, rng, name):
    flm = random_flm(6, rng, reality=True)
    io.write_coefficients(io.Coefficients(flm, "relief", "m"), "in.npz")
    run(f"convert in.npz {name}")
    run(f"convert {name} back.npz")
    np.testing.assert_allclose(io.read_coefficients("back.npz").flm, flm, rtol=1e-14, atol=1e-15)


def test_conventions_of_coefficients(here, rng, capsys):
    flm = random_flm(6, rng, reality=True)
    io.write_coefficients(io.Coefficients(flm), "in.npz")
    run("convert in.npz schmidt.txt --normalization-out schmidt --csphase-out -1")
    run("convert schmidt.txt back.npz --normalization schmidt --csphase -1")
    back = io.read_coefficients("back.npz").flm
    np.testing.assert_allclose(back, flm, rtol=1e-13, atol=1e-15)
    said = refused(capsys, "convert in.npz map.fits --grid healpix:8", 2)
    assert "spherekit transform in.npz --inverse --grid healpix:8" in said


def test_spectra(here, capsys):
    spectra = {"TT": np.arange(6.0), "EE": np.ones(6)}
    io.write_cl("cl.fits", spectra, unit="uK^2")
    run("convert cl.fits cl.txt")
    run("convert cl.txt back.fits --json")
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["kind"] == "spectra" and facts["units"]["TT"] == "uK^2"
    back = io.read_spectra("back.fits")
    np.testing.assert_array_equal(back.values["TT"], spectra["TT"])
    assert back.units["EE"] == "uK^2" and len(back.history) == 3
    assert "--grid" in refused(capsys, "convert cl.fits a.txt --grid healpix:8", 2)


def test_several_files(polarized):
    Path("b.fits").write_bytes(Path("iqu.fits").read_bytes())
    run("convert iqu.fits b.fits -o out/ --suffix .npz")
    assert sorted(os.listdir("out")) == ["b.npz", "iqu.npz"]
    run("convert iqu.fits b.fits second/ --suffix .npz")
    assert sorted(os.listdir("second")) == ["b.npz", "iqu.npz"]
    run("convert iqu.fits single.npz")
    np.testing.assert_array_equal(io.read("out/iqu.npz").values, io.read("single.npz").values)


def test_refusals(polarized, capsys):
    assert "output is required" in refused(capsys, "convert iqu.fits", 2)
    assert "no file x.fits" in refused(capsys, "convert x.fits a.npz")
    assert ".xyz" in refused(capsys, "convert iqu.fits a.xyz", 2)
    assert "with --grid only" in refused(capsys, "convert iqu.fits a.npz --L 4", 2)
    assert "HEALPix FITS" in refused(capsys, "convert iqu.fits a.npz --partial", 2)
    assert "MISSING" in refused(capsys, "convert iqu.fits a.npz --grid mw:4").upper()
    run("convert iqu.fits a.npz")
    assert "--force" in refused(capsys, "convert iqu.fits a.npz")
    assert HEALPix(4) == io.read("a.npz").grid
