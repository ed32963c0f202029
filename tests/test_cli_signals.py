"""Which columns are one signal, and of which spin, order and convention, through the commands."""

import os
import re

import numpy as np
import pytest
from helpers.commands import ANALYSE, GRID, READERS, L, outputs, refused, run, table
from hypothesis import given
from hypothesis import strategies as st
from tolerances import CHAIN, COMMAND, COMMAND_SAMPLES, IDENTITY, SHORT_SUM

import spherekit
from spherekit import io, wigner
from spherekit.cli import main
from spherekit.cli.names import join, split
from spherekit.sampling.healpix import reorder
from spherekit.spectra import power
from spherekit.testing import random_flm

#: Names of Q as codes write them; that of U has the other letter.
NAMES = [
    "Q_CMB",
    "Q_ML_HM1",
    "Q_STOKES_HM1",
    "QSTOKES",
    "StokesQ",
    "Q_1",
    "Q_353",
    "Q_RAW",
    "CMB_Q",
]
NAMES += ["SYNCH_Q", "QPOL", "POLQ", "Polarisation Q", "Q (uK)", "Q_INP", "Q-Stokes", "STOKES Q"]
DIRECT = ("transform", "spectrum", "rotate", "wavelets", "scatter")


def partner(name):
    return re.sub("Q", "U", name)


def quoted(*names):
    return join(names)


def command(line, *more):
    """Run a command whose names may have blanks."""
    assert main([*line.split(), *more]) == 0


@pytest.fixture
def field(here, rng):
    """Coefficients of a field of spin 2 without degrees below 2, and its samples."""
    coefficients = random_flm(L, rng, spin=2)
    return coefficients, spherekit.inverse(coefficients, L, spin=2, sampling=GRID)


@pytest.mark.parametrize("name", NAMES)
def test_q_and_u_of_any_name_are_one_field(field, name):
    coefficients, f = field
    columns = {"I": ("D", f.real), name: ("D", f.real), partner(name): ("D", f.imag)}
    table("sky.fits", columns, COORDSYS="G")
    command("rotate sky.fits --to equatorial --L 6 -o out.fits")
    sky = io.read_map("out.fits", field=(1, 2))
    assert sky.file_polcconv == "COSMO" and sky.columns == (name, partner(name))
    turned = wigner.rotate(coefficients, *wigner.frame_angles("galactic", "equatorial"))
    p = spherekit.inverse(turned, L, spin=2, sampling=GRID)
    np.testing.assert_allclose(sky.values, [p.real, p.imag], rtol=0, atol=COMMAND)
    command("transform sky.fits --L 6 -o out.npz --field", quoted(name, partner(name)))
    np.testing.assert_allclose(io.read_arrays("out.npz")["flm"], coefficients, rtol=0, atol=COMMAND)
    command("transform out.npz --inverse --grid healpix:4 -o back.fits")
    command("rotate back.fits --to equatorial --L 6 -o out2.fits")
    np.testing.assert_allclose(
        io.read_map("out2.fits", field=None).values, sky.values, rtol=0, atol=COMMAND_SAMPLES
    )


@pytest.mark.parametrize("name", NAMES)
def test_one_of_them_alone_or_swapped_is_refused(field, capsys, name):
    f = field[1]
    table("sky.fits", {name: ("D", f.real), partner(name): ("D", f.imag), "X": ("D", f.real)})
    for verb in ANALYSE:
        line = READERS[verb][0].format(map="sky.fits").split()
        for pick in ([name], [partner(name)], [name, "X"], [partner(name), name]):
            if verb == "generate" and len(pick) > 1:
                continue
            for spin in ([],) if len(pick) == 1 or "generate" in line else ([], ["--spin", "2"]):
                capsys.readouterr()
                assert main([*line, "--field", quoted(*pick), *spin]) == 2
                said = capsys.readouterr().err
                assert (
                    "one component of a spin-2 field" in said
                    or "two components of a spin-2 field" in said
                )
    assert outputs() == set()


def test_parts_of_two_names_are_no_pair(field, capsys):
    f = field[1]
    columns = {name: ("D", f.real) for name in ("Q_CMB", "U_CMB", "Q_DUST", "U_DUST")}
    table("sky.fits", columns)
    said = refused(capsys, "transform sky.fits --L 6 --field Q_CMB,U_DUST -o out.npz", 2)
    assert "not one Q and one U of the same name" in said
    run("rotate sky.fits --euler 1,2,3 --L 6 --allow-unconverged -o out.fits")
    assert "Q_DUST and U_DUST, spin 2" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["primary STOKES", "STOKES", "EXTNAME", "primary EXTNAME"])
@pytest.mark.parametrize("letter", "QU")
def test_the_header_may_tell_the_parameter(field, capsys, where, letter):
    from astropy.io import fits

    f = field[1]
    table("sky.fits", {"BESTFIT": ("D", f.real)})
    with fits.open("sky.fits", mode="update") as hdus:
        hdus[0 if "primary" in where else 1].header[where.split()[-1]] = letter
    for verb in DIRECT:
        line = READERS[verb][0].format(map="sky.fits")
        assert "--spin 0" in refused(capsys, line, 2)
    assert outputs() == set()
    run("rotate sky.fits --euler 1,2,3 --L 6 --spin 0 --allow-unconverged -o out.fits")
    run("rotate out.fits --euler 1,2,3 --L 6 --allow-unconverged -o out2.fits")  # SPIN = 0


@pytest.mark.parametrize("spin", [-3, -2, -1, 1, 2, 3])
def test_the_spin_of_a_field_goes_through_files(here, rng, capsys, spin):
    flm = random_flm(L, rng, spin=spin)
    io.write_arrays("a.npz", flm=flm, spin=spin, frame="galactic")
    turned = wigner.rotate(flm, *wigner.frame_angles("galactic", "equatorial"))
    for suffix in ("fits", "npz"):
        grid = "healpix:4" if suffix == "fits" else "mw:6"
        run(f"transform a.npz --inverse --grid {grid} -o map.{suffix}")
        run(f"rotate map.{suffix} --to equatorial --L 6 -o turned.{suffix}")
        run(f"transform turned.{suffix} --L 6 -o b.npz --force")
        stored = io.read_arrays("b.npz")
        assert stored["spin"] == spin
        np.testing.assert_allclose(stored["flm"], turned, rtol=0, atol=COMMAND)
        run(f"wavelets map.{suffix} --L 6 -o w.npz --force")
        run(f"wavelets w.npz --inverse --grid {grid} -o back.{suffix}")
        run(f"transform back.{suffix} --L 6 -o c.npz --force")
        np.testing.assert_allclose(io.read_arrays("c.npz")["flm"], flm, rtol=0, atol=COMMAND)
        other = f"rotate map.{suffix} --euler 1,2,3 --spin {spin + 5} -o out.{suffix}"
        assert f"spin {spin}" in refused(capsys, other, 2)
    for line in ("transform a.npz --grid mw:6", "wavelets w.npz --grid mw:6"):
        assert ".npz" in refused(capsys, f"{line} --inverse -o out.npy", 2)
    assert "got only" in refused(capsys, "rotate map.fits --field 0 --euler 1,2,3 -o out.fits", 2)


@pytest.mark.parametrize("name", ["out.npz", "out.fits"])
def test_a_spin_beside_other_signals_is_not_lost(name, here, rng, capsys):
    flm = np.stack([random_flm(4, rng, spin=1), random_flm(4, rng, reality=True)])
    io.write_arrays("a.npz", flm=flm, spin=[1, 0])
    line = f"transform a.npz --inverse --grid healpix:4 -o {name}"
    assert "one by one" in refused(capsys, line, 2)
    run(f"{line} --field 0")


@pytest.mark.parametrize(
    "names, spin", [(("GAMMA1", "GAMMA2"), 2), (("U10", "V10"), 1), (("E1", "E2"), 2)]
)
def test_parts_of_shear_and_wind(names, spin, field, capsys):
    """No part of a vector is taken as a scalar without a word."""
    f = field[1]
    table("sky.fits", dict(zip(names, (("D", f.real), ("D", f.imag)), strict=True)))
    line = "rotate sky.fits --euler 1,2,3 --L 6 --allow-unconverged -o out.fits --force"
    capsys.readouterr()
    main(line.split())
    said = capsys.readouterr()
    assert "--spin" in said.out + said.err and names[0] in said.out + said.err
    run(f"{line} --spin {spin}")
    assert io.read_map("out.fits", field=None).spin == spin


# --- order of the pixels ---------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["transform", "spectrum", "rotate", "plot"])
def test_nested_arrays(kappa, capsys, verb):
    f = io.read_map("map.fits").values
    suffix = {"transform": ".npz", "spectrum": ".npy", "rotate": ".npy", "plot": ".png"}[verb]
    more = {"transform": "--L 6", "spectrum": "--L 6", "rotate": "--L 6 --euler 1,2,3", "plot": ""}
    results = []
    np.save("ring.npy", f)
    np.save("nested.npy", reorder(f, "ring"))
    np.savez("nested.npz", values=reorder(f, "ring"))
    np.savez("stated.npz", values=reorder(f, "ring"), grid="healpix:4", ordering="nested")
    orders = [
        ("ring.npy", ""),
        ("ring.npy", "--ordering ring"),
        ("nested.npy", "--ordering nested"),
        ("nested.npz", "--ordering nested"),
        ("stated.npz", ""),
    ]
    for name, order in orders[3:] if verb == "plot" else orders:
        out = "out.npz" if verb == "rotate" and name.endswith("npz") else f"out{suffix}"
        run(f"{verb} {name} --grid healpix:4 {more[verb]} {order} -o {out} --force")
        arrays = {} if verb == "plot" else io.read_arrays(out)
        results.append(arrays.get("flm", arrays.get("values", 0)))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    io.write_arrays("ours.npz", values=f, grid="healpix:4")
    line = f"{verb} ours.npz {more[verb]} -o out.{'png' if verb == 'plot' else 'npz'} --force"
    if verb == "spectrum":
        line = line.replace("out.npz", "out.npy")
    assert "ring ordering" in refused(capsys, f"{line} --ordering nested", 2)
    assert "--hdu applies to FITS files" in refused(capsys, f"{line} --hdu 3", 2)
    io.write_arrays("ours.npz", values=np.ones((4, 7)), grid="mw:4", overwrite=True)
    assert "applies to HEALPix maps" in refused(capsys, f"{line} --ordering ring", 2)


def test_nested_masks(kappa):
    mask = (GRID.theta > 0.8).astype(float)
    np.save("ring.npy", mask)
    np.save("nested.npy", reorder(mask, "ring"))
    line = "spectrum map.fits --L 3 -o out.npy --force --mask"
    results = []
    for name in ("ring.npy", "nested.npy --mask-ordering nested"):
        run(f"{line} {name}")
        results.append(np.load("out.npy"))
    np.testing.assert_array_equal(*results)


# --- conventions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["transform", "spectrum", "rotate", "wavelets", "generate"])
def test_a_column_that_may_be_u_of_the_other_sign(kappa, capsys, verb):
    f = io.read_map("map.fits").values
    table("iau.fits", {"SIGNAL": ("D", f)}, POLCCONV="IAU")
    line = READERS[verb][0].format(map="iau.fits").removesuffix(" --plot out.png")
    said = refused(capsys, line, 2)
    assert "IAU" in said and "SIGNAL" in said and outputs() == set()
    if verb != "generate":
        run(f"{line} --spin 0")
    for name in ("TEMPERATURE", "I_STOKES"):
        table("iau.fits", {name: ("D", f)}, POLCCONV="IAU")
        run(f"{line} --force")


@pytest.mark.parametrize(
    "line",
    [
        "transform iau.fits --inverse --grid healpix:4 -o out.fits",
        "rotate iau.fits --euler 1,2,3 -o out.fits",
        "spectrum iau.fits -o out.fits",
    ],
)
def test_coefficients_that_may_be_b_of_the_other_sign(line, kappa, capsys):
    io.write_alm("iau.fits", kappa, polcconv="IAU")
    assert "IAU" in refused(capsys, line, 2) and outputs() == set()
    run(f"{line} --spin 0")
    assert io.read_table("out.fits").header.get("POLCCONV") is None
    os.remove("out.fits")


def test_info_shows_what_the_other_commands_read(iqu, capsys):
    sky = io.read_map("iqu.fits", field=None)
    turned = sky.values * [[1], [1], [-1]]
    columns = dict(zip(sky.columns, (("D", f) for f in turned), strict=True))
    table("iau.fits", columns, POLCCONV="IAU")
    cl = {"TT": np.arange(3.0), "TB": np.arange(3.0)}
    io.write_cl("iau_cl.fits", cl, polcconv="IAU")
    for name in ("iau.fits", "iau_cl.fits"):
        capsys.readouterr()
        run(f"info {name}")
        said = capsys.readouterr().out
        assert "polcconv IAU, shown in the COSMO convention" in said
        last = io.read_map(name, field=2).values if name == "iau.fits" else -cl["TB"]
        assert f"{last.min():.5g} to {last.max():.5g}" in said


# --- coefficients and names ------------------------------------------------------------------------


def test_signals_of_coefficients_are_chosen_by_field(here, rng, capsys):
    flm = np.stack([random_flm(4, rng, reality=True) for _ in range(4)])
    names = ["T,x", "A", "7", 'say "B"']
    io.write_arrays("four.npz", flm=flm, spin=0, columns=[join([name]) for name in names])
    assert "--field" in refused(capsys, "spectrum four.npz -o out.fits", 2)
    for number, name in enumerate(names):
        for field in (str(number), join([name])):
            command("spectrum four.npz -o out.fits --force --field", field)
            cl = io.read_cl("out.fits")
            np.testing.assert_allclose(cl[name], power(flm[number]), rtol=SHORT_SUM, atol=0)
    run("transform four.npz --inverse --grid mw:4 -o map.npz")
    assert io.read_arrays("map.npz")["columns"].tolist() == names
    command("transform map.npz --L 4 -o back.npz --field", join(names[:1]))
    np.testing.assert_allclose(io.read_arrays("back.npz")["flm"], flm[0], rtol=0, atol=CHAIN)
    io.write_arrays("old.npz", flm=flm, spin=0, columns=names)  # names that are not quoted
    run("transform old.npz --inverse --grid mw:4 -o map2.npz")
    assert io.read_arrays("map2.npz")["columns"].tolist() == names
    for field, words in (("9", "0 T,x"), ("1,1", "twice"), ("Z", "no signal Z")):
        assert words in refused(capsys, f"spectrum four.npz --field {field} -o out2.fits", 2)
    io.write_arrays("wrong.npz", flm=flm[0], L=9)
    assert "L = 9" in refused(capsys, "transform wrong.npz --inverse --grid mw:4 -o out.npz")


@given(st.lists(st.text(max_size=6).map(str.strip), min_size=1, max_size=4))
def test_lists_of_names_are_read_as_they_were_written(names):
    assert split(join(names)) == names


@pytest.mark.parametrize("name", ["SIGNAL", "KAPPA", "E", "CURL", "MAGNETIC T", "T", "B_MODE"])
def test_any_name_of_a_scalar_beside_q_and_u(iqu, name):
    """T, E and B are found again, whatever the first was called."""
    sky = io.read_map("iqu.fits", field=None)
    columns = dict(zip((name, "Q", "U"), (("D", f) for f in sky.values), strict=True))
    table("sky.fits", columns)
    run("transform sky.fits --field 0,1,2 --L 6 -o out.fits")
    np.testing.assert_allclose(io.read_alm("out.fits"), iqu, rtol=0, atol=COMMAND)
    run("transform out.fits --inverse --grid healpix:4 -o back.fits")
    back = io.read_map("back.fits", field=None)
    assert back.columns[0] == name and back.stokes[1:] == ("Q", "U")


# --- advice and options that mean nothing ----------------------------------------------------------


@pytest.mark.parametrize("name", ["map.npz", "map.fits"])
def test_the_advice_on_two_frames_can_be_typed(name, here, rng, capsys):
    flm = random_flm(4, rng, reality=True)
    f = spherekit.inverse(flm, 4, sampling="healpix:2", reality=True)
    io.write_arrays("map.npz", values=f, grid="healpix:2", frame="galactic")
    io.write_map("map.fits", f, coordsys="galactic")
    io.write_map("mask.fits", np.ones(48), coordsys="ecliptic")
    said = refused(capsys, f"spectrum {name} --L 4 --mask mask.fits -o out.fits")
    run(re.search("spherekit (rotate .*)", said)[1])


OF_MAPS = "--mask-field 0|--mask-hdu 1|--max-iter 5|--allow-unconverged|--ordering ring"
NOTHING = [
    ("transform alm.fits --inverse --grid mw:6 -o out.npz", f"{OF_MAPS}|--method lsq"),
    ("spectrum alm.fits -o out.fits", f"{OF_MAPS}|--grid mw:6|--remove-dipole|--max-iter 0"),
    ("rotate alm.fits --euler 1,2,3 -o out.fits", "--max-iter 5|--grid mw:6|--field 0"),
    ("wavelets w.npz --inverse --grid mw:6 -o out.npz", "--lam 3|--J0 1|--N 1|--spin 0|--hdu 1"),
    ("transform map.fits --L 6 -o out.fits", "--mask-field 0|--mask-ordering ring"),
    ("plot map.fits -o out.png", "--mask-hdu 1|--part imag|--mask missing --mask-field 0"),
]


@pytest.fixture
def inputs(kappa):
    """What these commands read."""
    io.write_alm("alm.fits", kappa)
    run("wavelets map.fits --L 6 -o w.npz")


@pytest.mark.parametrize(
    "line, option", [(line, option) for line, options in NOTHING for option in options.split("|")]
)
def test_options_that_mean_nothing_are_refused(inputs, capsys, line, option):
    said = refused(capsys, f"{line} {option}", 2)
    assert option.split()[-2 if " " in option else -1] in said


@pytest.mark.parametrize("line", [line for line, _ in NOTHING])
def test_without_these_options_they_run(inputs, line):
    run(line)


def test_whole_turns_change_nothing(here, rng):
    io.write_arrays("a.npz", flm=random_flm(4, rng, spin=1), spin=1)
    for name, angles in (("b", "10,20,30"), ("c", "370,-340,3630")):
        run(f"rotate a.npz --euler={angles} -o {name}.npz")
    b, c = (io.read_arrays(f"{name}.npz")["flm"] for name in "bc")
    np.testing.assert_allclose(b, c, rtol=0, atol=IDENTITY)
    run("rotate a.npz --euler=1e300,-1e300,1e17 -o d.npz")


def test_generate_in_any_unit(kappa, capfd):
    results = []
    for number, scale in enumerate((1, 2.0**660, 2.0**-660)):
        io.write_map("scaled.fits", scale * io.read_map("map.fits").values, overwrite=True)
        run(f"generate scaled.fits --L 6 --N 1 --iterations 2 -o out{number}.fits")
        said = capfd.readouterr()
        assert "warning" not in said.err
        results.append(io.read_map(f"out{number}.fits").values / scale)
        np.testing.assert_allclose(results[-1], results[0], rtol=COMMAND)


@pytest.mark.parametrize(
    "option", ["--mask missing --mask m.fits", "--L 4 --L 5", "--field 0 --field 1"]
)
def test_an_option_given_twice_is_refused(here, capsys, option):
    """The last one would count without a word: of two masks, one."""
    twice = option.split()[0]
    assert f"{twice} is given twice" in refused(capsys, f"spectrum sky.fits {option} -o c.fits", 2)
