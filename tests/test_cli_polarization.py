"""Q and U, T, E and B through the commands."""

import numpy as np
import pytest
from helpers.commands import ANALYSE, GRID, READERS, L, outputs, refused, run, table
from tolerances import CHAIN, COMMAND, COMMAND_SAMPLES

import spherekit
from spherekit import io, wigner
from spherekit.conventions import eb_to_spin
from spherekit.spectra import power


def test_iqu_rotates_in_one_call(iqu, capsys):
    """T as a scalar, Q + iU as spin 2, with their names, units, order and frame."""
    T, E, B = iqu
    run("rotate iqu.fits --to galactic -o out.fits --L 6 --plot out.png")
    assert "TEMPERATURE, spin 0" in capsys.readouterr().out
    sky = io.read_map("out.fits", field=None)
    assert sky.columns == ("TEMPERATURE", "Q_POLARISATION", "U_POLARISATION")
    assert sky.units == ("mK", "uK", "uK") and sky.frame == "galactic"
    angles = wigner.frame_angles("equatorial", "galactic")
    f = spherekit.inverse(wigner.rotate(T, *angles), L, sampling=GRID).real
    field = wigner.rotate(eb_to_spin(E, B, spin=2), *angles)
    p = spherekit.inverse(field, L, spin=2, sampling=GRID)
    np.testing.assert_allclose(sky.values, [f, p.real, p.imag], rtol=0, atol=COMMAND)


def test_iqu_through_coefficients_and_spectra(iqu):
    T, E, B = iqu
    run("transform iqu.fits --field T,Q,U --L 6 -o teb.fits")
    np.testing.assert_allclose(io.read_alm("teb.fits"), [T, E, B], rtol=0, atol=COMMAND)
    run("transform iqu.fits --field T,Q,U --L 6 -o teb.npz")
    before = io.read_map("iqu.fits", field=None)
    for name in ("teb.fits", "teb.npz"):
        run(f"transform {name} --inverse --grid healpix:4 -o back.fits --force")
        sky = io.read_map("back.fits", field=None)
        assert (sky.columns, sky.units, sky.frame) == (before.columns, before.units, "equatorial")
        np.testing.assert_allclose(sky.values, before.values, rtol=0, atol=COMMAND_SAMPLES)
        run(f"rotate {name} --to galactic -o turned{name[3:]} --force")
        run(f"spectrum {name} -o cl.fits --plot cl.png --force")
        cl = io.read_cl("cl.fits")
        assert list(cl) == ["TT", "EE", "BB", "TE", "EB", "TB"]
        pairs = [(T, T), (E, E), (B, B), (T, E), (E, B), (T, B)]
        np.testing.assert_allclose(
            list(cl.values()), [power(*pair) for pair in pairs], rtol=0, atol=COMMAND
        )
    assert io.read_table("cl.fits").units["TE"] == "mK uK"
    for hdus, names in (("2", ["GRADIENT"]), ("2,3", ["EE", "BB", "EB"]), ("curl", ["CURL"])):
        run(f"spectrum teb.fits --hdu {hdus} -o cl3.fits --force")
        assert list(io.read_cl("cl3.fits")) == names
    run("spectrum iqu.fits --field T,Q,U --L 6 -o cl2.fits")
    np.testing.assert_allclose(
        list(io.read_cl("cl2.fits").values()), list(cl.values()), rtol=0, atol=COMMAND
    )
    run("transform teb.fits --inverse --grid mw:6 -o iqu.npz")
    run("rotate iqu.npz --to galactic -o turned2.npz")
    stored = io.read_arrays("turned2.npz")
    assert stored["columns"].tolist() == list(before.columns) and stored["values"].shape[0] == 3


def test_spin_fields_through_wavelets_and_arrays(iqu):
    before = io.read_map("iqu.fits", field=("Q", "U"))
    for line in (
        "wavelets iqu.fits --field Q,U --L 6 --N 2 -o w.npz --plot w.png",
        "wavelets w.npz --inverse --grid healpix:4 -o w.fits",
        "transform iqu.fits --field Q,U --L 6 -o p.npz",
        "transform p.npz --inverse --grid gl:6 -o gl.npz",
        "transform gl.npz --L 6 -o p2.npz",
        "transform p2.npz --inverse --grid healpix:4 -o p.fits",
        "scatter iqu.fits --field Q,U --L 6 --J0 1 -o s.npz",
    ):
        run(line)
    for name in ("w.fits", "p.fits"):
        after = io.read_map(name, field=None)
        assert (after.columns, after.units, after.frame) == (
            before.columns,
            before.units,
            "equatorial",
        )
        np.testing.assert_allclose(after.values, before.values, rtol=0, atol=COMMAND_SAMPLES)


def test_files_of_the_iau_convention(iqu):
    """U of the other sign is read as what it is: the same E and B, and COSMO in what is written."""
    sky = io.read_map("iqu.fits", field=None)
    turned = sky.values * [[1], [1], [-1]]
    columns = dict(zip(sky.columns, (("D", f) for f in turned), strict=True))
    table("iau.fits", columns, POLCCONV="IAU", COORDSYS="C")
    for name in ("iqu", "iau"):
        run(f"spectrum {name}.fits --field T,Q,U --L 6 -o {name}_cl.fits")
        run(f"rotate {name}.fits --to galactic --L 6 -o {name}_g.fits")
    spectra = [np.stack(list(io.read_cl(f"{name}_cl.fits").values())) for name in ("iqu", "iau")]
    np.testing.assert_allclose(*spectra, rtol=0, atol=CHAIN)
    maps = [io.read_map(f"{name}_g.fits", field=None) for name in ("iqu", "iau")]
    np.testing.assert_allclose(maps[0].values, maps[1].values, rtol=0, atol=CHAIN)
    assert maps[1].file_polcconv == "COSMO"


def test_maps_of_part_of_the_sky(kappa, capsys):
    f = io.read_map("map.fits").values
    pixels = np.flatnonzero(GRID.theta > 0.8)
    columns = {"PIXEL": ("J", pixels), "KAPPA": ("D", f[pixels])}
    table("part.fits", columns, INDXSCHM="EXPLICIT", OBJECT="PARTIAL", COORDSYS="Galactic")
    assert f"{192 - pixels.size} are UNSEEN" in refused(
        capsys, "transform part.fits --L 6 -o out.fits"
    )
    run("transform part.fits --L 6 --mask missing --max-iter 2000 -o out.fits")
    # On a part of the sky the fit is ill-conditioned.
    np.testing.assert_allclose(io.read_alm("out.fits"), kappa, rtol=0, atol=1e-3)
    run("spectrum part.fits --L 6 --mask missing --remove-dipole -o cl.fits")
    assert io.read_spectra("cl.fits").frame == "galactic"
    for verb in ("rotate", "wavelets", "scatter", "generate"):
        line = READERS[verb][0].format(map="part.fits") + " --force"
        assert "--mask missing" in refused(capsys, line)


STOKES = [("I", "Q", "U"), ("T", "Q", "U"), ("I_STOKES", "Q_STOKES", "U_STOKES")]
STOKES += [
    ("temperature", "q-polarisation", "u-polarisation"),
    ("STOKES_I", "STOKES_Q", "STOKES_U"),
]


@pytest.mark.parametrize("names", STOKES)
@pytest.mark.parametrize("verb", ANALYSE)
def test_lone_and_swapped_parts_are_refused(here, rng, capsys, verb, names):
    table("sky.fits", {name: ("D", rng.standard_normal(192)) for name in names})
    line = READERS[verb][0].format(map="sky.fits") + " --allow-unconverged"
    for part in ("Q", "U", names[1], names[2], "1"):
        said = refused(capsys, f"{line} --field {part}", 2)
        assert ("accepts scalars only" if verb == "generate" else "--field Q,U --spin 2") in said
    if verb == "generate":
        return
    for fields in ("U,Q", "2,1", f"{names[2]},{names[1]}", "I,Q", "T,U"):
        assert "--field Q,U --spin 2" in refused(capsys, f"{line} --field {fields} --spin 2", 2)
    for fields in ("0,0", "Q,Q", f"{names[1]},1"):
        assert "twice" in refused(capsys, f"{line} --field {fields} --spin 2", 2)
    assert outputs() == set()
    if verb in ("spectrum", "rotate"):
        run(f"{line} --field Q,U --spin 2")


def test_rotate_refuses_a_lone_part_however_it_comes(here, rng, capsys):
    table("q.fits", {"Q_POLARISATION": ("D", rng.standard_normal(192))})
    line = "rotate q.fits --euler 1,2,3 -o out.fits"
    for more in ("", " --field 0", " --field Q"):
        said = refused(capsys, line + more, 2)
        assert "--field Q,U --spin 2" in said and "--spin 0" in said
    run("transform q.fits --spin 0 --L 6 --allow-unconverged -o q.npz")  # said to be a scalar
    run("transform q.fits --spin 0 --L 6 --allow-unconverged -o qalm.fits")
    for name in ("q.npz", "qalm.fits"):
        line = f"rotate {name} --euler 1,2,3 -o out{name[-5:]}"
        assert "--spin 2" in refused(capsys, line, 2)
        run(f"{line} --spin 0")


@pytest.mark.parametrize("name", ["N_OBS", "HITS", "nobs", "II_COV", "QU_COV", "MASK", "I_SIGMA"])
def test_columns_that_are_no_fields_are_not_rotated_silently(here, rng, capsys, name):
    f = np.abs(rng.standard_normal(192))
    table("sky.fits", {n: ("D", f) for n in ("I_STOKES", "Q_STOKES", "U_STOKES", name)})
    said = refused(capsys, "rotate sky.fits --euler 1,2,3 --L 6 -o out.fits", 2)
    assert name in said and "--field I_STOKES,Q_STOKES,U_STOKES" in said
    line = "rotate sky.fits --euler 1,2,3 --L 6 --allow-unconverged -o out.fits"
    run(f"{line} --field I_STOKES,Q_STOKES,U_STOKES")
    assert io.read_map("out.fits", field=None).values.shape[0] == 3


def test_units_of_q_and_u_must_agree(here, rng, capsys):
    f = rng.standard_normal((2, 192))
    io.write_map("qu.fits", f, column=["Q", "U"], unit=["mK", "uK"])
    assert "different units" in refused(capsys, "transform qu.fits --field Q,U --L 6 -o out.npz")


def test_the_first_of_several_columns_is_said(iqu, capsys):
    run("transform iqu.fits --L 6 -o out.fits")
    said = capsys.readouterr().out
    assert "TEMPERATURE of iqu.fits, not Q_POLARISATION, U_POLARISATION" in said
    run("transform iqu.fits --field T --L 6 -o out2.fits")
    assert "TEMPERATURE of" not in capsys.readouterr().out
