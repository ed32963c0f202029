"""spherekit spectrum: methods, bins, beams, masks and pairs of files, against the functions of Python."""

import os

import numpy as np
import pytest
from helpers.commands import refused, run
from helpers.halves import BINS, GRID, MASK, NSIDE, L, correlated_halves, fields_of, write_halves
from tolerances import CHAIN, COMMAND, IDENTITY, SHORT_SUM

import spherekit
from spherekit import io, spectra
from spherekit.sampling import HEALPix
from spherekit.spectra import Bins, gaussian_beam, masked_field, master, pixel_window
from spherekit.testing import random_flm

NAMES = ["TT", "EE", "BB", "TE", "EB", "TB"]
PAIRS = ["TT", "EE", "BB", "TE", "EB", "ET", "BE", "TB", "BT"]


@pytest.fixture
def maps(here, rng):
    """I, Q and U of two halves, one.fits and two.fits in mK, and mask.fits."""
    return write_halves(correlated_halves(rng))


def assert_table(path, expected, rtol=IDENTITY):
    """The bandpowers of a file; they are of the size of the largest."""
    table = io.read_bandpowers(path)
    assert list(table.values) == list(expected)
    scale = max(np.abs(x).max() for x in expected.values())
    for name, values in expected.items():
        np.testing.assert_allclose(table.values[name], values, rtol=rtol, atol=rtol * scale)
    return table


# --- bandpowers --------------------------------------------------------------------------------------------


def test_decoupled_bandpowers_of_t_q_u(maps, capsys):
    run(
        "spectrum one.fits --field T,Q,U --mask mask.fits --method master --bins linear:5 --L 16 -o cl.fits"
    )
    said = capsys.readouterr().out
    assert "MASTER" in said and "wrote cl.fits: TT, EE, BB, TE, EB, TB, 2 bins" in said
    result = master(fields_of(maps[0]), bins=BINS)
    table = assert_table("cl.fits", result.values)
    assert np.array_equal(table.first, BINS.first) and np.array_equal(table.last, BINS.stop - 1)
    assert (
        set(table.units.values()) == {"mK^2"} and table.frame == "galactic" and table.kind == "cl"
    )
    for name, windows in result.windows.items():
        assert list(table.windows[name]) == list(windows)
        for source, rows in windows.items():
            np.testing.assert_allclose(table.windows[name][source], rows, rtol=CHAIN, atol=CHAIN)
    assert (
        "spherekit spectrum one.fits" in table.history[-1]
        and "mask.fits sha256" in table.history[-1]
    )


def test_all_pairs_of_two_maps(maps):
    options = "--field T,Q,U --mask mask.fits --bins linear:5 --L 16"
    run(f"spectrum one.fits --cross two.fits {options} --method master -o cl.npz")
    result = master(fields_of(maps[0]), fields_of(maps[1]), bins=BINS)
    assert list(result.values) == PAIRS
    assert_table("cl.npz", result.values)
    run(f"spectrum two.fits --cross one.fits {options} -o swapped.npz")
    run(f"spectrum one.fits --cross two.fits {options} -o fsky.npz")
    fsky = io.read_bandpowers("fsky.npz").values
    swapped = io.read_bandpowers("swapped.npz").values
    for name in PAIRS:
        np.testing.assert_allclose(fsky[name], swapped[name[::-1]], rtol=IDENTITY)
    run(f"spectrum one.fits --cross one.fits {options} -o itself.npz")
    run(f"spectrum one.fits {options} -o auto.npz")
    itself, auto = (io.read_bandpowers(x).values for x in ("itself.npz", "auto.npz"))
    for name in NAMES:
        np.testing.assert_allclose(itself[name], auto[name], rtol=IDENTITY)


def test_the_product_of_two_masks(maps, capsys):
    other = np.clip(2 - 4 * np.cos(GRID.theta), 0, 1)
    fraction = np.sum(GRID.weights * MASK * other) / (4 * np.pi)
    np.savez("masks.npz", A=MASK, B=other)
    options = "--mask masks.npz --mask-field A --L 16"
    run(f"spectrum one.fits --cross two.fits {options} --cross-mask-field B -o cl.fits")
    assert f"{fraction:.4f}, the mean of the product" in capsys.readouterr().out
    run(
        f"spectrum one.fits --cross two.fits {options} --cross-mask masks.npz --cross-mask-field B -o b.fits"
    )
    pair = [
        spectra.masked_flm(f, L, mask, sampling=GRID, reality=True)
        for f, mask in zip(maps[:, 0], (MASK, other), strict=True)
    ]
    expected = spectra.power(*pair) / fraction
    for path in ("cl.fits", "b.fits"):
        np.testing.assert_allclose(io.read_cl(path)["I_STOKES"], expected, rtol=IDENTITY)


@pytest.mark.parametrize(
    ("text", "bins"),
    [
        ("linear:5", BINS),
        ("linear:4,start=3", Bins.linear(L, 4, start=3)),
        ("log:4", Bins.log(L, 4)),
        ("2,5,11", Bins.from_edges([2, 5, 11], L)),
        ("edges.txt", Bins.from_edges([2, 5, 11], L)),
        ("ranges.txt", Bins([2, 7], [6, 11], L)),
        ("table.fits", Bins([2, 7], [6, 11], L)),
    ],
)
@pytest.mark.parametrize("dl", [False, True])
def test_bins(maps, text, bins, dl):
    np.savetxt("edges.txt", [2, 5, 11])
    np.savetxt("ranges.txt", [[2, 5], [7, 10]])
    io.write_bandpowers("table.fits", {"TT": [1.0, 2]}, Bins([2, 7], [6, 11], L))
    options = f"one.fits --mask mask.fits --L 16 {'--dl' if dl else ''} --bins {text}"
    run(f"spectrum {options} -o fsky.txt")
    run(f"spectrum {options} --method master -o cl.txt")
    run("spectrum one.fits --mask mask.fits --L 16 -o unbinned.fits")
    bins = Bins(bins.first, bins.stop, L, dl=dl)
    table = io.read_bandpowers("fsky.txt")
    np.testing.assert_allclose(
        table.values["TT"], bins.bin(io.read_cl("unbinned.fits")["I_STOKES"]), rtol=IDENTITY
    )
    assert table.kind == ("dl" if dl else "cl") and np.array_equal(table.last, bins.stop - 1)
    expected = master(fields_of(maps[0])[0], bins=bins).values["TT"]
    assert_table("cl.txt", {"TT": expected})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--bins linear", "which is not a file; expected linear:30"),
        ("--bins linear:0", "width"),
        ("--bins log:15", "n is 15"),
        ("--bins linear:3,start=20", "raise --L"),
        ("--bins 2,30", "raise L"),
        ("--bins 5,2", "increasing"),
        ("--bins words.txt", "table of numbers"),
        ("--bins wide.txt", "two columns"),
        ("--dl", "pass --bins"),
        ("--method master", "--bins linear:30"),
        ("--method master --bins linear:5 --beam", "expected one argument"),
        ("--bins linear:5 --beam 3", "--beam"),
        ("--bins linear:5 --beam=-3deg", "width >= 0"),
        ("--beam2 3deg", "--cross FILE"),
        ("--cross-field T", "--cross FILE"),
        ("--cross two.fits --half two.fits", "pass one of them"),
        ("--apodize 2", "arcmin"),
        ("--apodization C2", "--apodize 2deg"),
        ("--purify B", "--method master"),
        ("--purify B --method master --bins linear:5", "--field Q,U"),
        ("--errors knox", "--bins linear:30"),
        ("--errors gaussian --bins linear:5", "--method master"),
        ("--coupling c.npz", "--method master"),
        ("--coupling c.fits --method master --bins linear:5", ".npz"),
        ("--noise-pol 3mK-deg", "requires --noise"),
        ("--noise-field 0", "requires --noise"),
        ("--noise 3", "standard deviation per unit solid angle"),
        ("--noise 3mK-deg --noise-pol 3mK-deg", "applies to Q and U"),
        ("--noise 3mK-deg --noise-field 0", "--noise FILE"),
        ("--noise 3mK-deg --cross two.fits", "omit --noise"),
        ("--noise 3mK-deg --half two.fits", "omit --noise"),
        ("--theory cmb", "--plot"),
        ("--unit uK", "states mK"),
    ],
)
def test_wrong_usage(maps, capsys, options, said):
    with open("words.txt", "w") as file:
        file.write("one two")
    np.savetxt("wide.txt", np.ones((2, 3)))
    assert said in refused(
        capsys, f"spectrum one.fits --mask mask.fits --L 16 -o out.fits {options}", 2
    )
    assert not os.path.exists("out.fits")


def test_a_singular_coupling_is_refused_by_its_bins(maps, capsys):
    io.write_map("small.fits", (GRID.theta < 0.4).astype(float), coordsys="galactic")
    line = "spectrum one.fits --field Q,U --mask small.fits --L 16 --method master -o out.fits"
    assert "pass wider bins" in refused(capsys, f"{line} --bins linear:1", 1)


# --- beams and pixels --------------------------------------------------------------------------------------


def test_beams_and_pixels(maps):
    beam, other = (gaussian_beam(np.radians(width), L) for width in (8, 5))
    np.savetxt("beam.txt", np.c_[np.arange(L), other])
    options = "one.fits --mask mask.fits --L 16"
    run(f"spectrum {options} -o plain.fits")
    plain = io.read_cl("plain.fits")["I_STOKES"]
    pixels = pixel_window(NSIDE, L, mask=MASK)
    for more, window in (
        ("--beam 8deg", beam**2),
        ("--beam beam.txt", other**2),
        ("--pixwin", pixels**2),
        ("--beam 8deg --pixwin", (beam * pixels) ** 2),
        ("--beam 8deg --cross one.fits", beam**2),
        ("--beam 8deg --beam2 beam.txt --cross one.fits", beam * other),
        ("--beam2 beam.txt --cross one.fits --pixwin", other * pixels**2),
    ):
        run(f"spectrum {options} {more} -o cl.fits --force")
        np.testing.assert_allclose(io.read_cl("cl.fits")["I_STOKES"], plain / window, rtol=CHAIN)
    run(
        f"spectrum {options} --beam 8deg --pixwin --method master --bins linear:5 -o cl.fits --force"
    )
    T = masked_field(maps[0, 0], L, MASK, sampling=GRID, beam=beam * pixels)
    assert_table("cl.fits", {"TT": master(T, bins=BINS).values["TT"]})


def test_spins_have_their_own_windows(maps):
    options = "spectrum one.fits --field T,Q,U --L 16"
    run(f"{options} -o plain.fits")
    run(f"{options} --beam 8deg --pixwin -o cl.fits")
    windows = {
        letter: gaussian_beam(np.radians(8), L, spin=spin)[2:]
        * pixel_window(NSIDE, L, spin=spin)[2:]
        for letter, spin in (("T", 0), ("E", 2), ("B", 2))
    }
    plain, cl = io.read_cl("plain.fits"), io.read_cl("cl.fits")
    for name in NAMES:
        expected = plain[name][2:] / (windows[name[0]] * windows[name[1]])
        np.testing.assert_allclose(cl[name][2:], expected, rtol=CHAIN)


def test_a_window_that_vanishes_is_refused(maps, capsys):
    np.savetxt("beam.txt", np.c_[np.arange(L), np.arange(L) < 9])
    said = refused(capsys, "spectrum one.fits --L 16 --beam beam.txt -o out.fits", 1)
    assert "l = 9" in said and "--L 9" in said
    run("spectrum one.fits --L 9 --beam beam.txt -o out.fits")
    np.savetxt("beam.txt", np.c_[np.arange(L - 4), np.ones(L - 4)])
    assert "12 degrees" in refused(capsys, "spectrum one.fits --L 16 --beam beam.txt -o no.fits", 1)


def test_pixels_of_other_grids_are_refused(here, capsys):
    io.write(io.Map(np.ones((6, 11)), "mw:6"), "mw.npz")
    assert "--pixwin" in refused(capsys, "spectrum mw.npz --pixwin -o out.fits", 2)
    io.write_alm("alm.fits", np.eye(16)[0])
    assert "--pixwin" in refused(capsys, "spectrum alm.fits --pixwin -o out.fits", 2)


# --- masks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["C1", "C2", "smooth"])
def test_apodized_masks(maps, capsys, kind):
    cut = (GRID.theta < 2).astype(float)
    io.write_map("cut.fits", cut, coordsys="galactic")
    option = "" if kind == "C1" else f"--apodization {kind}"
    options = f"spectrum one.fits --mask cut.fits --L 16 --apodize 12deg {option}"
    run(f"{options} --method master --bins linear:5 -o cl.fits")
    assert f"mask apodized: {kind}, 12deg" in capsys.readouterr().out
    mask = spectra.apodize(cut, np.radians(12), kind, sampling=GRID)
    T = masked_field(maps[0, 0], L, mask, sampling=GRID)
    assert_table("cl.fits", {"TT": master(T, bins=BINS).values["TT"]})
    run(f"{options} -o fsky.fits")
    expected = spectra.masked_power(maps[0, 0], L, mask, sampling=GRID)
    np.testing.assert_allclose(io.read_cl("fsky.fits")["I_STOKES"], expected, rtol=IDENTITY)


def test_pure_modes(maps):
    line = "spectrum one.fits --field T,Q,U --mask mask.fits --L 16 --method master --bins linear:5"
    for purify in ("B", "EB"):
        run(f"{line} --purify {purify} -o cl.fits --force")
        result = master(fields_of(maps[0], purify=purify), bins=BINS)
        assert_table("cl.fits", result.values, rtol=CHAIN)


def test_masks_of_another_resolution(maps, capsys):
    """The message is a command that converts the mask, in FITS and in an archive of several masks."""
    fine = np.where(HEALPix(16).theta < 1.5, 1.0, 0.0)
    io.write_map("fine.fits", fine, coordsys="galactic")
    np.savez("fine.npz", north=fine, all=np.ones(3072))
    for mask in ("fine.fits", "fine.npz --mask-field north"):
        said = refused(capsys, f"spectrum one.fits --mask {mask} --L 16 -o out.fits", 1)
        assert "healpix:16" in said and "healpix:8" in said
        command = said[said.index("spherekit regrid") :].strip()
        run(command.removeprefix("spherekit ").replace("mask.fits", "new.fits") + " --force")
        weights = io.read_map("new.fits").values
        expected = spherekit.fields.degrade(fine, 8, sampling="healpix:16")
        np.testing.assert_array_equal(weights, expected)
        run("spectrum one.fits --mask new.fits --L 16 -o out.fits")
        os.remove("out.fits")


def test_regrid_by_pixels(maps, capsys):
    run("regrid mask.fits --pixels --grid healpix:16 -o fine.fits")
    fine = io.read_map("fine.fits").values
    np.testing.assert_array_equal(fine, spherekit.fields.upgrade(MASK, 16, sampling=GRID))
    run("regrid fine.fits --pixels --grid healpix:8 -o back.fits")
    np.testing.assert_allclose(io.read_map("back.fits").values, MASK, rtol=SHORT_SUM)
    assert "HEALPix" in refused(capsys, "regrid mask.fits --pixels --grid mw:8 -o no.npz", 2)
    assert "--L" in refused(
        capsys, "regrid mask.fits --pixels --grid healpix:4 --L 3 -o no.fits", 2
    )


def test_masks_of_another_frame_or_sign(maps, capsys):
    io.write_map("equatorial.fits", MASK, coordsys="C")
    io.write_map("negative.fits", MASK - 0.5, coordsys="G")
    io.write_map("zero.fits", 0 * MASK, coordsys="G")
    line = "spectrum one.fits --L 16 -o out.fits --mask"
    assert "equatorial coordinates" in refused(capsys, f"{line} equatorial.fits", 1)
    for name in ("negative.fits", "zero.fits"):
        assert "expected weights from 0" in refused(capsys, f"{line} {name}", 1)
    io.write_map("other.fits", maps[1], column=["I", "Q", "U"], unit="mK", coordsys="C")
    said = refused(capsys, "spectrum one.fits --cross other.fits --L 16 -o out.fits", 1)
    assert "spherekit rotate" in said


# --- Q and U in two files, coefficients --------------------------------------------------------------------


@pytest.mark.parametrize("line", ["q.fits u.fits --spin 2", "q.fits --and u.fits --spin 2"])
def test_q_and_u_in_two_files(maps, capsys, line):
    for name, f in zip(("q.fits", "u.fits"), maps[0, 1:], strict=True):
        io.write_map(name, f, column="SIGNAL", unit="mK", coordsys="galactic")
    run(f"spectrum {line} --mask mask.fits --L 16 -o cl.fits")
    assert "in the order of the files" in capsys.readouterr().out
    run("spectrum one.fits --field Q,U --mask mask.fits --L 16 -o expected.fits")
    cl, expected = io.read_cl("cl.fits"), io.read_cl("expected.fits")
    assert list(cl) == ["EE", "BB", "EB"]
    for name, values in expected.items():
        np.testing.assert_allclose(cl[name], values, rtol=IDENTITY)


def test_the_header_tells_q_and_u(maps, capsys):
    from astropy.io import fits

    for letter, f in zip("QU", maps[0, 1:], strict=True):
        io.write_map(f"{letter}.fits", f, column="BESTFIT", unit="mK")
        with fits.open(f"{letter}.fits", mode="update") as hdus:
            hdus[0].header["STOKES"] = letter
    run("spectrum Q.fits --and U.fits --L 16 -o cl.fits")
    assert "order of the files" not in capsys.readouterr().out
    run("spectrum one.fits --field Q,U --L 16 -o expected.fits")
    for name, values in io.read_cl("expected.fits").items():
        np.testing.assert_allclose(io.read_cl("cl.fits")[name], values, rtol=IDENTITY)
    assert "in this order" in refused(capsys, "spectrum U.fits --and Q.fits --L 16 -o no.fits", 2)
    said = refused(capsys, "spectrum Q.fits --and Q.fits --L 16 --spin 2 -o no.fits", 2)
    assert "Q and U, in this order" in said
    io.write_map("fine.fits", np.ones(3072), column="U", unit="mK")
    assert "the same" in refused(capsys, "spectrum Q.fits --and fine.fits --L 16 -o no.fits", 1)
    np.savez("iqu.npz", values=maps[0], grid="healpix:8", columns=["I", "Q", "U"])
    said = refused(
        capsys, "spectrum iqu.npz --and U.fits --field 0,1,2 --spin 2 --L 16 -o no.fits", 2
    )
    assert "one for each of the two files" in said


def test_two_files_and_a_folder_are_two_spectra(maps):
    run("spectrum one.fits two.fits --L 16 -o spectra/")
    assert sorted(os.listdir("spectra")) == ["one.fits", "two.fits"]


def test_coefficients_of_t_e_b_and_their_cross_spectra(here, rng):
    flms = np.stack([[random_flm(L, rng, reality=True) for _ in "TEB"] for _ in range(2)])
    flms[:, 1:, :4] = 0
    for name, flm in zip(("a.fits", "b.fits"), flms, strict=True):
        io.write_alm(name, flm, unit="uK")
    run("spectrum a.fits -o cl.fits")
    run("spectrum a.fits --cross b.fits -o cross.fits")
    run("spectrum a.fits --cross b.fits --bins linear:5 -o bins.fits")
    first, second = (dict(zip("TEB", flm, strict=True)) for flm in flms)
    cl, cross = io.read_cl("cl.fits"), io.read_cl("cross.fits")
    assert list(cl) == NAMES and list(cross) == PAIRS
    for name in PAIRS:
        expected = spectra.power(first[name[0]], second[name[1]])
        np.testing.assert_allclose(cross[name], expected, rtol=CHAIN, atol=IDENTITY)
        binned = io.read_bandpowers("bins.fits").values[name]
        np.testing.assert_allclose(binned, BINS.bin(expected), rtol=CHAIN, atol=IDENTITY)


def test_a_map_and_coefficients_are_no_pair(maps, capsys):
    io.write_alm("alm.fits", random_flm(L, np.random.default_rng(0), reality=True), unit="mK")
    said = refused(capsys, "spectrum one.fits --cross alm.fits --L 16 -o out.fits", 2)
    assert "spherekit transform" in said
    for option in ("--mask mask.fits", "--method master", "--apodize 2deg", "--purify B"):
        assert "not a map" in refused(capsys, f"spectrum alm.fits {option} -o out.fits", 2)


# --- templates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fsky", "master --bins linear:5"])
@pytest.mark.parametrize("low", ["", "--remove-monopole", "--remove-dipole"])
def test_templates_are_removed(maps, capsys, method, low):
    dust = np.exp(-(((GRID.theta - 1.5) / 0.3) ** 2))
    fields = maps[0] + np.array([2, 3, -3])[:, None] * dust
    io.write_map("dusty.fits", fields, column=["I", "Q", "U"], unit="mK", coordsys="galactic")
    io.write_map("dust.fits", [dust, dust, -dust], column=["I", "Q", "U"], coordsys="galactic")
    line = f"--field T,Q,U --mask mask.fits --L 16 --method {method} --remove-templates dust.fits {low}"
    run(f"spectrum dusty.fits {line} -o cl.txt")
    said = capsys.readouterr().out
    assert "removed from Q and U" in said and ("monopole" in said) == bool(low)
    run(f"spectrum one.fits {line} -o clean.txt")
    read = io.read_cl if method == "fsky" else lambda path: io.read_bandpowers(path).values
    first, second = read("cl.txt"), read("clean.txt")
    for name, values in first.items():
        scale = np.abs(second["TT"]).max()
        np.testing.assert_allclose(values, second[name], rtol=COMMAND, atol=CHAIN * scale)


def test_templates_of_several_files(maps, capsys):
    """Columns of the same name are told apart by their files."""
    dust = np.exp(-(((GRID.theta - 1.5) / 0.3) ** 2))
    gas = np.cos(3 * GRID.phi)
    io.write_map("dusty.fits", maps[0][0] + 2 * dust - gas, unit="mK", coordsys="galactic")
    io.write_map("T.fits", maps[0][0], unit="mK", coordsys="galactic")
    io.write_map("dust.fits", dust, column="I", coordsys="galactic")
    io.write_map("gas.fits", gas, column="I", coordsys="galactic")
    line = "--mask mask.fits --L 16 --remove-templates dust.fits gas.fits"
    run(f"spectrum dusty.fits {line} -o cl.txt")
    text = capsys.readouterr().out
    assert "of dust.fits" in text and "of gas.fits" in text
    run(f"spectrum T.fits {line} -o clean.txt")
    replaced = refused(capsys, f"spectrum dusty.fits {line} -o gas.fits --force", 2)
    assert "gas.fits is --remove-templates of this command" in replaced
    first, second = io.read_cl("cl.txt"), io.read_cl("clean.txt")
    for name, values in first.items():
        scale = np.abs(second[name]).max()
        np.testing.assert_allclose(values, second[name], rtol=COMMAND, atol=CHAIN * scale)


def test_templates_that_do_not_fit(maps, capsys):
    io.write_map("fine.fits", np.ones(3072), coordsys="galactic")
    line = "spectrum one.fits --mask mask.fits --L 16 -o no.fits"
    assert "the same grid" in refused(capsys, f"{line} --remove-templates fine.fits", 1)
    said = refused(capsys, f"{line} --field T,Q,U --remove-templates mask.fits", 2)
    assert "no template for Q_STOKES and U_STOKES" in said
