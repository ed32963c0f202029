"""Maps of every format in the commands: which are read, with which options, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from helpers.commands import outputs, refused, run
from helpers.data import real_file
from tolerances import CHAIN, COMMAND, IDENTITY, SINGLE_VALUES

import spherekit
from spherekit import io
from spherekit.io import Map, netcdf
from spherekit.io.variables_of_maps import from_map
from spherekit.testing import random_flm


@pytest.fixture
def months(here, rng):
    """Coefficients, L = 4, of months.nc: T on two months and two levels; P, a scalar of neither."""
    flm = random_flm(4, rng, shape=(2, 2), reality=True)
    f = spherekit.inverse(flm, 4, sampling="mwss:4", reality=True)
    axes = {"month": [1, 7], "plev": [500, 850]}
    attributes = {"T": {"long_name": "temperature"}, "plev": {"units": "hPa"}}
    io.write(Map(f, "mwss:4", "T", "K", axes, attributes=attributes), "months.nc")
    return flm


def test_transform_keeps_the_axes(months, capsys):
    run("transform months.nc --L 4 -o out.npz")
    contents = io.read_arrays("out.npz")
    np.testing.assert_allclose(contents["flm"], months, rtol=0, atol=IDENTITY)
    assert contents["axes"].tolist() == ["month", "plev"]
    assert contents["axis_plev"].tolist() == [500, 850] and str(contents["unit"]) == "K"
    run("transform months.nc --L 4 --level 850 -o out2.npz")
    contents = io.read_arrays("out2.npz")
    np.testing.assert_allclose(contents["flm"], months[:, 1], rtol=0, atol=IDENTITY)
    assert contents["axes"].tolist() == ["month"]
    run("transform months.nc --L 4 --level 850 --time 7 -o out.fits")
    np.testing.assert_allclose(io.read_alm("out.fits"), months[1, 1], rtol=0, atol=CHAIN)
    run("transform months.nc --L 4 --select plev=850 --select month=7 -o out3.npz")
    np.testing.assert_allclose(
        io.read_arrays("out3.npz")["flm"], months[1, 1], rtol=0, atol=IDENTITY
    )


def test_axes_with_missing_samples(months, capsys):
    """Each map is fitted to its own samples."""
    sky = io.read("months.nc")
    values = sky.values.copy()
    values[0, 0, 0] = values[1, 0, 4] = np.nan
    io.write(Map(values, sky.grid, "T", "K", sky.axes), "months.nc", overwrite=True)
    said = refused(capsys, "transform months.nc --L 4 -o out.npz")
    assert "16 are NaN" in said and "--mask missing" in said
    run("transform months.nc --L 4 --mask missing -o out.npz")
    np.testing.assert_allclose(io.read_arrays("out.npz")["flm"], months, rtol=0, atol=COMMAND)


COMMANDS = ["spectrum months.nc --L 4 -o out.fits", "rotate months.nc --euler 1,2,3 --L 4 -o out.fits",
            "wavelets months.nc --L 4 -o out.npz", "plot months.nc -o out.png",
            "transform months.nc --L 4 -o out.fits"]  # fmt: skip


def test_spectra_and_rotations_of_every_map(months, capsys):
    run("spectrum months.nc --L 4 -o out.npy")
    cl = io.read_arrays("out.npy")["values"]
    np.testing.assert_allclose(cl, spherekit.spectra.power(months), rtol=0, atol=CHAIN)
    run("rotate months.nc --euler 10,20,30 -o out.nc")
    rotated = io.read("out.nc")
    assert list(rotated.axes) == ["month", "plev"] and rotated.units == ("K",)
    assert rotated.attributes["plev"]["units"] == "hPa"
    expected = spherekit.wigner.rotate(months, *np.radians([10, 20, 30]), reality=True)
    expected = spherekit.inverse(expected, 4, sampling="mwss:4", reality=True)
    np.testing.assert_allclose(rotated.values, expected, rtol=0, atol=CHAIN)
    for line in ("spectrum months.nc --plot", "rotate months.nc --euler 1,2,3 --plot"):
        assert "--select month=" in refused(capsys, f"{line} x.png -o out2.npy", 2)


@pytest.mark.parametrize("suffix", ["fits", "sh", "mat", "shc"])
@pytest.mark.parametrize(
    "verb", ["transform months.nc --L 4", "convert alm.npz", "rotate alm.npz --euler 1,2,3"]
)
def test_axes_that_a_format_does_not_have(months, capsys, verb, suffix):
    run("transform months.nc --L 4 -o alm.npz")
    said = refused(capsys, f"{verb} -o out.{suffix}", 2)
    assert "plev" in said and ".npz" in said and "Coefficients(" not in said


def test_angles_with_units(months):
    run("transform months.nc --L 4 --time 1 --level 500 -o alm.npz")
    run("rotate alm.npz --euler 30,45,60 -o degrees.npz")
    run("rotate alm.npz --euler 30deg,2700arcmin,1.0471975511965976rad -o units.npz")
    degrees, units = (io.read_arrays(f"{name}.npz")["flm"] for name in ("degrees", "units"))
    np.testing.assert_allclose(units, degrees, rtol=0, atol=CHAIN)


def test_spectra_of_every_map_with_its_own_mask(months):
    sky = io.read("months.nc")
    values = sky.values.copy()
    values[0, 0, 1:3] = np.nan
    io.write(Map(values, sky.grid, "T", "K", sky.axes), "holes.nc")
    run("spectrum holes.nc --L 4 --mask missing -o out.npy")
    cl = io.read_arrays("out.npy")["values"]
    for i, month in enumerate((1, 7)):
        for j, level in enumerate((500, 850)):
            line = f"spectrum holes.nc --L 4 --mask missing --time {month} --level {level}"
            run(f"{line} -o out1.npy --force")
            single = io.read_arrays("out1.npy")["values"]
            np.testing.assert_allclose(cl[i, j], single, rtol=0, atol=CHAIN)


def test_fits_of_mw_grids_from_every_verb(months):
    run("convert months.nc one.fits --time 1 --level 500")
    run("rotate one.fits --euler 0,0,0 -o rotated.fits")
    run("smooth one.fits --fwhm 0deg -o smooth.fits")
    run("regrid one.fits --grid mw:4 -o regridded.fits")
    run("transform regridded.fits -o alm.fits")
    run("transform alm.fits --inverse --grid mwss:4 -o back.fits")
    expected = io.read("months.nc", select={"month": 1, "plev": 500}).values
    for path in ("one.fits", "rotated.fits", "smooth.fits", "back.fits"):
        sky = io.read(path)
        assert str(sky.grid) == "mwss:4" and sky.names == ("T",) and sky.units == ("K",)
        np.testing.assert_allclose(sky.values, expected, rtol=0, atol=CHAIN)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_single_maps(months, capsys, line):
    said = refused(capsys, line, 2)
    assert ("--select month=1" in said or "--time" in said) and outputs() == set()
    said = refused(capsys, f"{line} --time 3", 2)
    assert "months.nc: the axis month has no coordinate 3; expected one of 1, 7" in said
    assert "no axis 'member'" in refused(capsys, f"{line} --select member=1", 2)
    assert "--select is 'member'; expected NAME=VALUE" in refused(
        capsys, f"{line} --select member", 2
    )
    run(f"{line} --time 7 --level 500")


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".mat", ".npy", ".hdr", ".nc", ".npz", ".fits"])
def test_every_format_in_spectrum_and_plot(here, rng, suffix):
    flm = random_flm(4, rng, reality=True)
    grid = "dh:4,n_phi=16,phi0=half" if suffix == ".hdr" else "mw:4"
    f = spherekit.inverse(flm, 4, sampling=grid, reality=True)
    sky = Map(f, grid, "f", "K")
    options = ""
    if suffix in (".txt", ".mat"):
        lat, lon = 90 - np.degrees(sky.grid.theta), np.degrees(sky.grid.phi)
        np.savetxt("lat.txt", lat)
        np.savetxt("lon.txt", lon)
        options = " --lat lat.txt --lon lon.txt"
        np.savetxt("map.txt", f)
        if suffix == ".mat":
            from scipy.io import savemat

            savemat("map.mat", {"f": f})
    elif suffix == ".npy":
        np.save("map.npy", f)
        options = " --grid mw:4"
    elif suffix == ".hdr":
        from test_io_images import write_radiance

        write_radiance(here / "map.hdr", rng.integers(0, 255, (8, 16, 4)).astype(np.uint8))
        sky = io.read("map.hdr", field="R")
        f, grid = sky.values, sky.grid
    else:
        io.write(sky, f"map{suffix}")
    run(f"spectrum map{suffix}{options} --L 4 -o out.npy")
    expected = spherekit.spectra.power(spherekit.forward(f, 4, sampling=grid, reality=True))
    single = f.dtype == np.float32
    values = io.read_arrays("out.npy")["values"]
    np.testing.assert_allclose(values, expected, rtol=SINGLE_VALUES if single else CHAIN)
    run(f"plot map{suffix}{options} -o out.png")


def test_options_of_other_formats(months, capsys):
    for option in ("--hdu 1", "--ordering ring", "--lat lat.txt", "--grid mw:4"):
        said = refused(capsys, f"plot months.nc {option} -o out.png", 2)
        assert option.split()[0] in said and "months.nc" in said
    assert "no field 'Q'; its fields are T" in refused(
        capsys, "plot months.nc --field Q -o out.png", 2
    )
    two = from_map(Map(np.zeros((2, 5, 8)), "mwss:4", ("a", "b")))
    netcdf.write_variables(two._replace(attributes={}), "two.nc")
    assert "e.g. --field a" in refused(capsys, "plot two.nc -o out.png", 2)


def test_two_parts_of_a_wind(here, rng):
    flm = random_flm(4, rng, spin=1)
    f = spherekit.inverse(flm, 4, spin=1, sampling="mwss:4")
    io.write(Map(np.stack([f.imag, -f.real]), "mwss:4", ("u", "v"), "m/s"), "wind.nc")
    run("transform wind.nc --field u,v --spin 1 --L 4 -o out.npz")
    contents = io.read_arrays("out.npz")
    np.testing.assert_allclose(contents["flm"], flm, rtol=0, atol=IDENTITY)
    assert contents["spin"] == 1 and contents["columns"].tolist() == ["-v,u"]


def test_era_interim(here, capsys):
    path = real_file("atmosphere", "eraint_uvz.nc")
    run(f"transform {path} --field z --level 500 --L 120 -o z.npz")
    said = capsys.readouterr().out
    assert "longitudes start at -180 degrees" in said and "on mwss:240 (exact" in said
    contents = io.read_arrays("z.npz")
    assert contents["flm"].shape == (2, 120**2) and contents["axis_month"].tolist() == [1, 7]
    sky = io.read(path, field="z", select={"level": 500})
    expected = spherekit.forward(sky.values, 120, sampling=sky.grid, reality=True)
    np.testing.assert_array_equal(contents["flm"], expected)
    mean = contents["flm"][:, 0].real / np.sqrt(4 * np.pi) / 9.80665
    assert ((5400 < mean) & (mean < 5700)).all()  # height of 500 hPa, meters


@pytest.mark.parametrize("suffix", [".nc", ".npz", ".npy", ".csv"])
def test_maps_from_coefficients_and_maps(months, suffix):
    """Maps that commands write are maps for the next command, with their axes where the format has them."""
    run("transform months.nc --L 4 --level 850 -o flm.npz")
    select = " --time 7" if suffix == ".csv" else ""
    run(f"transform flm.npz --inverse --grid mwss:4{select} -o out{suffix}")
    sky = io.read(f"out{suffix}", grid="mwss:4" if suffix == ".npy" else None)
    original = io.read("months.nc", select={"level": 850, "time": 7})
    values = sky.values if suffix == ".csv" else sky.values[1]
    np.testing.assert_allclose(values, original.values, rtol=0, atol=CHAIN)
    assert list(sky.axes) == ([] if suffix in (".csv", ".npy") else ["month"])
    run(f"rotate months.nc --level 500 --time 1 --euler 10,20,30 --L 4 -o out2{suffix}")
    run("generate months.nc --level 500 --time 1 --L 4 --N 1 --iterations 1 -o out3.nc")
    assert io.read("out3.nc").grid == original.grid


def test_provenance_of_every_input(months):
    """Files of samples and of their axes, and the history that netCDF has."""
    np.savetxt("f.txt", np.arange(28.0))
    np.savetxt("lat.txt", [75, 25, -25, -75])
    np.savetxt("lon.txt", 360 / 7 * np.arange(7), fmt="%.12f")
    run("transform f.txt --lat lat.txt --lon lon.txt --L 3 -o out.npz")
    line = io.read_arrays("out.npz")["history"][-1]
    assert all(f"input {name} sha256:" in line for name in ("f.txt", "lat.txt", "lon.txt"))
    sky = io.read("months.nc", select={"level": 500, "time": 1})
    io.write(Map(sky.values, sky.grid, "T", history=("observed",)), "history.nc")
    run("transform history.nc --L 4 -o out2.npz")
    history = io.read_arrays("out2.npz")["history"].tolist()
    assert history[0] == "observed" and "input history.nc sha256:" in history[-1]


def test_default_titles_of_pictures(here):
    """The name of the field and the selected coordinates; none for plain arrays."""
    axes = {"month": np.array([6, 7]), "level": np.array([200.0, 500.0])}
    values = np.arange(4 * 48.0).reshape(2, 2, 48)
    io.write(io.Map(values, "healpix:2", ("z",), ("m2 s-2",), axes), "z.nc")
    np.save("z.npy", values[0, 0])
    run("plot z.nc --time 7 --level 500 -o z.svg")
    assert "<!-- z, month 7, level 500 -->" in Path("z.svg").read_text()
    run("plot z.nc --time 7 --level 500 --title chosen -o z.svg --force")
    assert "<!-- chosen -->" in Path("z.svg").read_text()
    run("plot z.npy -o plain.svg --grid healpix:2")
    assert "<!-- z" not in Path("plain.svg").read_text()
