"""Winds in the commands: u and v in files, the field -v + i u of spin 1 in coefficients and spectra."""

import os

import numpy as np
import pytest
from helpers.commands import outputs, refused, run
from helpers.data import SHARED
from tolerances import CHAIN, IDENTITY

import spherekit
from spherekit import conventions, io
from spherekit.io import Map
from spherekit.testing import random_flm

L = 8
CF = {"a": {"standard_name": "eastward_wind"}, "b": {"standard_name": "northward_wind"}}
#: Names, units and attributes by which a pair is a wind.
PAIRS = {
    "standard names": (("a", "b"), "1", CF),
    "u and v": (("u", "v"), "m s**-1", {}),
    "reanalysis": (("uwnd", "vwnd"), "m/s", {}),
    "at ten meters": (("u10", "v10"), "m s-1", {}),
    "ocean": (("uo", "vo"), "cm/s", {"uo": {"standard_name": "eastward_sea_water_velocity"}}),
}


@pytest.fixture
def wind(here, rng):
    """Coefficients of -v + i u, and the samples of u and v."""
    flm = random_flm(L, rng, spin=1)
    f = spherekit.inverse(flm, L, spin=1, sampling="mwss:8")
    return flm, np.stack([f.imag, -f.real])


def write(path, values, names=("u", "v"), units="m/s", attributes=None, grid="mwss:8", **more):
    io.write(Map(values, grid, names, units, attributes=attributes, **more), path)


def test_a_rotational_wind_is_in_bb(here):
    """Twice solid rotation and a second degree: no divergence."""
    theta = io.Map(np.zeros((9, 16)), "mwss:8").grid.theta[:, None]
    u = np.sin(theta) * (1 + 0.5 * np.cos(theta)) * np.ones((1, 16))
    write("rotation.nc", np.stack([u, 0 * u]))
    run("spectrum rotation.nc --field u,v --L 4 -o cl.fits")
    spectra = io.read_spectra("cl.fits").values
    assert np.abs(spectra["EE"]).max() < IDENTITY
    assert spectra["BB"][1] > 1 and spectra["BB"][2] > 0.01


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("spin", ["", "--spin 1"])
def test_every_verb_recognizes_a_wind(wind, capsys, kind, spin):
    flm, uv = wind
    (u, v), units, attributes = PAIRS[kind]
    write("wind.nc", uv, (u, v), units, attributes)
    words = f"{u} and {v} are a wind, the field -{v} + i {u} of spin 1"
    run(f"transform wind.nc --field {u},{v} {spin} -o alm.npz")
    assert words in capsys.readouterr().out
    coefficients = io.read_coefficients("alm.npz")
    assert coefficients.names == (f"-{v},{u}",) and coefficients.spins == (1,)
    np.testing.assert_allclose(coefficients.flm, flm, rtol=0, atol=IDENTITY)
    for verb in ("rotate wind.nc --euler 0,0,0", "smooth wind.nc --fwhm 0deg"):
        run(f"{verb} --field {u},{v} {spin} -o out.nc --force")
        assert words in capsys.readouterr().out
        again = io.read("out.nc", field=[u, v])
        assert again.names == (u, v) and again.units == (units, units)
        np.testing.assert_allclose(again.values, uv, rtol=0, atol=CHAIN)
        cf = attributes.get(u, {}).get("standard_name")
        assert again.attributes.get(u, {}).get("standard_name") == cf
    run(f"regrid wind.nc --field {u},{v} {spin} --grid gl:8 -o out.nc --force")
    assert words in capsys.readouterr().out
    run(f"regrid out.nc --field {u},{v} --grid mwss:8 -o again.nc")
    again = io.read("again.nc", field=[u, v])
    np.testing.assert_allclose(again.values, uv, rtol=0, atol=CHAIN)
    run(f"spectrum wind.nc --field {u},{v} {spin} -o cl.fits")
    assert words in capsys.readouterr().out
    expected = spherekit.spectra.polarization_power(flm, spin=1)
    for name, cl in io.read_spectra("cl.fits").values.items():
        if name in expected:
            np.testing.assert_allclose(cl, expected[name], rtol=0, atol=CHAIN)


@pytest.mark.parametrize("suffix", ["npz", "nc", "csv"])
def test_there_and_back(wind, suffix):
    """Coefficients of -v + i u, samples u and v, in every format."""
    flm, uv = wind
    for kind, ((u, v), units, attributes) in PAIRS.items():
        if suffix == "csv" and kind == "standard names":
            continue  # CSV has names and units only
        name = kind.replace(" ", "_")
        write(f"{name}.npz", uv, (u, v), units, attributes)
        run(f"transform {name}.npz -o {name}_alm.npz")
        run(f"transform {name}_alm.npz --inverse --grid gl:8 -o {name}.{suffix} --force")
        result = io.read(f"{name}.{suffix}", field=[0, 1])
        assert result.names == (u, v) and result.values.dtype.kind == "f"
        run(f"transform {name}.{suffix} --field 0,1 --spin 1 -o back.npz --force")
        np.testing.assert_allclose(io.read_coefficients("back.npz").flm, flm, rtol=0, atol=CHAIN)


def test_pixels(wind):
    flm, _ = wind
    io.write_arrays("alm.npz", flm=flm, spin=1, columns="-v,u", unit="m/s")
    run("transform alm.npz --inverse --grid healpix:16 -o wind.fits")
    result = io.read_map("wind.fits", field=None)
    assert result.columns == ("u", "v") and result.spin == 1
    f = spherekit.inverse(flm, L, spin=1, sampling="healpix:16")
    np.testing.assert_allclose(result.values, [f.imag, -f.real], rtol=0, atol=CHAIN)
    run("rotate wind.fits --euler 10,20,30 --L 8 -o rotated.fits --allow-unconverged")
    run("rotate rotated.fits --euler=-30,-20,-10 --L 8 -o again.fits --allow-unconverged")
    again = io.read_map("again.fits", field=None)
    run("transform again.fits --field u,v --L 8 -o back.npz")
    np.testing.assert_allclose(again.values, result.values, rtol=0, atol=1e-5)


def test_a_rotation_of_samples_and_one_of_coefficients(wind):
    flm, uv = wind
    write("wind.npz", uv)
    run("rotate wind.npz --euler 10,20,30 -o samples.npz")
    run("transform wind.npz -o alm.npz")
    run("rotate alm.npz --euler 10,20,30 -o rotated.npz")
    run("transform rotated.npz --inverse --grid mwss:8 -o again.npz")
    np.testing.assert_allclose(
        io.read("again.npz").values, io.read("samples.npz").values, rtol=0, atol=CHAIN
    )


def test_scalars_beside_winds(wind, rng):
    _, uv = wind
    T = spherekit.inverse(random_flm(L, rng, reality=True), L, sampling="mwss:8", reality=True)
    write("all.nc", np.stack([T, *uv]), ("T", "u", "v"), ("K", "m/s", "m/s"))
    run("transform all.nc --field T,u,v -o alm.npz")
    assert io.read_coefficients("alm.npz").spins == (0, 1)
    run("transform alm.npz --inverse --grid mwss:8 -o again.nc")
    again = io.read("again.nc", field=["T", "u", "v"])
    assert again.names == ("T", "u", "v")
    np.testing.assert_allclose(again.values, [T, *uv], rtol=0, atol=CHAIN)
    run("rotate all.nc --field T,u,v --euler 0,0,0 -o rotated.npz")
    np.testing.assert_allclose(io.read("rotated.npz").values, [T, *uv], rtol=0, atol=CHAIN)
    run("spectrum all.nc --field T,u,v -o cl.fits")
    assert {"TT", "EE", "BB", "TE"} <= set(io.read_spectra("cl.fits").values)


VERBS = [
    "transform {} -o out.npz",
    "rotate {} --euler 1,2,3 -o out.npz",
    "spectrum {} -o out.fits",
    "smooth {} --fwhm 9deg -o out.npz",
    "regrid {} --grid gl:8 -o out.npz",
]


@pytest.mark.parametrize("line", VERBS)
def test_one_component_alone(wind, capsys, line):
    _, uv = wind
    write("wind.nc", uv)
    for field in ("u", "v"):
        said = refused(capsys, line.format(f"wind.nc --field {field}"), 2)
        assert f"{field} is one component of a wind" in said
        assert "--field u,v" in said and "--spin 0" in said
        run(line.format(f"wind.nc --field {field} --spin 0"))
        capsys.readouterr()
        for path in outputs():
            os.remove(path)


@pytest.mark.parametrize("line", VERBS)
def test_scalars_by_request_and_other_pairs(wind, capsys, line):
    _, uv = wind
    write("wind.nc", uv)
    write("pair.nc", uv, ("p", "q1"))
    if not line.startswith("spectrum"):
        run(line.format("wind.nc --field u,v --spin 0"))
        assert "are a wind" not in capsys.readouterr().out
    run(line.format("pair.nc --field p,q1 --spin 1") + " --force")
    said = capsys.readouterr().out
    assert "the field p + i q1 of spin 1, p to the south and q1 to the east" in said


def test_no_output_over_an_input(wind, capsys):
    _, uv = wind
    write("wind.npz", uv)
    for line in (
        "smooth wind.npz --fwhm 9deg",
        "convert wind.npz",
        "rotate wind.npz --euler 1,2,3",
    ):
        said = refused(capsys, f"{line} -o ./wind.npz --force", 2)
        assert "is the input of this command; choose another name" in said
    np.testing.assert_array_equal(io.read("wind.npz").values, uv)
    run("plot wind.npz -o picture.png")
    said = refused(capsys, "plot wind.npz --mask picture.png -o picture.png --force", 2)
    assert "picture.png is --mask of this command" in said


def test_an_axis_is_selected_once(wind, capsys):
    values = np.stack([wind[1][0]] * 2)
    write("levels.nc", values, "T", "K", axes={"level": [200, 500]})
    for first, second in (("--level 200", "--select level=500"),
                          ("--select level=500", "--select level=200")):  # fmt: skip
        said = refused(capsys, f"transform levels.nc {first} {second} -o out.npz", 2)
        assert first in said and second in said and "same axis" in said


@pytest.mark.skipif(not SHARED.exists(), reason="the data sets beside the checkout are absent")
@pytest.mark.parametrize(
    "kind, grid", [("regular", "cc:72,n_theta=73,n_phi=144"), ("gaussian", "gl:72,n_phi=144")]
)
def test_vorticity_and_divergence_of_spherepack(here, kind, grid):
    """Its results are float32."""
    folder = SHARED / "atmosphere" / f"windspharm_{kind}"
    reference = {p.name.split(".")[0]: np.squeeze(np.load(p)) for p in folder.glob("*.npy")}
    uv = np.stack([reference["uwnd"], reference["vwnd"]]).astype(float)
    write("wind.npz", uv, ("uwnd", "vwnd"), grid=grid)
    run("transform wind.npz --L 72 -o alm.npz")
    E, B = conventions.spin_to_eb(io.read_coefficients("alm.npz").flm, spin=1)
    ell = conventions.degrees(72)
    k = np.sqrt(ell * (ell + 1.0)) / 6371.22e3
    for name, part in (("div", E), ("vrt", B)):
        f = spherekit.inverse(-k * part, 72, sampling=grid, reality=True)
        assert np.abs(f - reference[name]).max() < 4e-7 * np.abs(reference[name]).max()
