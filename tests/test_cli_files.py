"""What commands read and write: tables over the verbs, each with every kind of input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from helpers.commands import (
    ANALYSE,
    GRID,
    NSIDE,
    READERS,
    TAKE_COEFFICIENTS,
    L,
    outputs,
    refused,
    run,
    table,
)
from helpers.data import SHARED
from tolerances import COMMAND

from spherekit import io, nn
from spherekit.cli import main
from spherekit.sampling.healpix import UNSEEN
from spherekit.spectra import power
from spherekit.testing import random_flm

# --- bad input, for every verb ---------------------------------------------------------------------


def missing(values):
    f = io.read_map("map.fits").values
    f[:7] = values
    io.write_map("bad.fits", f)


def infinite():
    f = io.read_map("map.fits").values
    f[3] = np.inf
    table("bad.fits", {"T": ("D", f)})


def scaled_sentinel():
    f = io.read_map("map.fits").values
    f[:7] = UNSEEN * 1e6
    table("bad.fits", {"T": ("D", f)})


def alm():
    io.write_alm("bad.fits", random_flm(L, np.random.default_rng(1), reality=True))


def folder():
    os.mkdir("bad.fits")


def truncated():
    Path("bad.fits").write_bytes(Path("map.fits").read_bytes()[:5000])


def contents(data):
    return lambda: Path("bad.fits").write_bytes(data)


def empty_table():
    table("bad.fits", {"T": ("D", np.zeros(0))})


BAD = {
    "NaN": (lambda: missing(np.nan), "0 are UNSEEN and 7 are NaN"),
    "UNSEEN": (lambda: missing(UNSEEN), "7 are UNSEEN and 0 are NaN"),
    "infinite": (infinite, "1 of 192 samples"),
    "scaled sentinel": (scaled_sentinel, "7 of 192 samples"),
    "all missing": (lambda: io.write_map("bad.fits", np.full(192, UNSEEN)), ""),
    "coefficients": (alm, "coefficients"),
    "spectrum": (lambda: io.write_cl("bad.fits", np.ones(L)), "power spectra"),
    "folder": (folder, "a folder"),
    "text": (contents(b"1 2 3\n"), "text"),
    "picture": (contents(b"\x89PNG\r\n\x1a\n" + bytes(99)), "a PNG picture"),
    "netCDF": (contents(b"\x89HDF\r\n\x1a\n" + bytes(99)), "netCDF"),
    "cut short": (truncated, "it is truncated"),
    "no bytes": (contents(b""), "empty"),
    "no rows": (empty_table, ""),
    "no file": (lambda: None, "no file bad.fits"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("verb", READERS)
def test_bad_maps_are_refused_and_nothing_is_written(kappa, capsys, verb, kind):
    make, words = BAD[kind]
    make()
    line = READERS[verb][0].format(map="bad.fits")
    if kind == "coefficients" and verb in TAKE_COEFFICIENTS:
        run(line)
        return
    if verb == "plot" and kind in ("NaN", "UNSEEN", "spectrum"):  # drawn in grey, or as C_l
        run(line)
        return
    said = refused(capsys, line)
    assert words in said and "warning" not in said and outputs() == set()
    if kind in ("NaN", "UNSEEN"):  # the advice fits the verb
        has_mask = verb in ("transform", "spectrum")
        assert ("--mask MASK.fits" in said) == has_mask
        assert has_mask or "spherekit transform bad.fits --mask missing" in said


@pytest.mark.parametrize("verb", READERS)
def test_ordering_frames_and_tables_are_checked(kappa, capsys, verb):
    f = io.read_map("map.fits").values
    line = READERS[verb][0]
    said = refused(capsys, line.format(map="map.fits") + " --ordering nested")
    assert "ORDERING = RING" in said
    table("bad.fits", {"T": ("D", f)}, COORDSYS="SUPERGALACTIC")
    assert "SUPERGALACTIC" in refused(capsys, line.format(map="bad.fits"))
    assert "7" in refused(capsys, line.format(map="map.fits") + " --hdu 7")
    assert outputs() == set()
    hdus = [fits.PrimaryHDU()]
    for name in ("A", "B"):
        hdu = fits.BinTableHDU.from_columns([fits.Column(name, "D", array=f)])
        hdu.header.update(ORDERING="RING", NSIDE=NSIDE, EXTNAME=f"MAP {name}")
        hdus.append(hdu)
    fits.HDUList(hdus).writeto("two.fits")
    run(line.format(map="two.fits") + " --hdu 2")
    if verb in ("rotate", "smooth", "regrid"):  # no map is lost without a word
        said = refused(capsys, line.format(map="two.fits") + " --force", 2)
        assert "HDU 2 MAP B" in said and "--hdu" in said
    elif verb != "plot":
        capsys.readouterr()
        run(line.format(map="two.fits") + " --force")
        assert "A of two.fits, not HDU 2 MAP B" in capsys.readouterr().out
    if verb in ("transform", "spectrum"):
        masks = "--hdu 1 --mask two.fits --force"
        assert "--mask-hdu" in refused(capsys, f"{line.format(map='two.fits')} {masks}", 2)


@pytest.mark.parametrize("verb", READERS)
def test_one_pixel_a_base_pixel(here, verb):
    """The smallest map and band-limit: done or refused, no crash."""
    io.write_map("one.fits", np.arange(12.0))
    line = READERS[verb][0].format(map="one.fits").replace("--L 6", "--L 1").replace("--J0 1", "")
    code = main(line.split())
    assert code == (2 if verb == "generate" else 0) or verb == "scatter"


# --- what nobody may write -------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ANALYSE)
@pytest.mark.parametrize("scale", [1e200, 1e300])
def test_nothing_that_is_not_finite_is_written(kappa, capfd, verb, scale):
    io.write_map("bad.fits", scale * io.read_map("map.fits").values)
    main(READERS[verb][0].format(map="bad.fits").split())
    for name in outputs():
        arrays = io.read_arrays(name) if name.endswith("npz") else {}
        if name.endswith("fits"):
            arrays = io.read_table(name).columns
        for values in arrays.values():
            assert values.dtype.kind not in "fc" or np.isfinite(values).all()
    said = capfd.readouterr()
    assert "nan" not in said.out.lower().replace("nanmean", "")


@pytest.mark.parametrize("scale, words", [(1e200, ""), (1e-200, "underflows")])
def test_spectra_that_cannot_be_numbers_are_refused(kappa, capsys, scale, words):
    io.write_arrays("huge.npz", flm=scale * kappa, L=L, spin=0)
    said = refused(capsys, "spectrum huge.npz -o out.fits --plot out.png").splitlines()[-1]
    assert words in said and outputs() == set()


@pytest.mark.parametrize("verb", READERS)
def test_a_map_of_zeros(kappa, capsys, verb):
    io.write_map("zero.fits", np.zeros(192))
    code = main(READERS[verb][0].format(map="zero.fits").split())
    said = capsys.readouterr()
    assert "nan" not in (said.out + said.err).lower()
    assert code == (1 if verb in ("generate", "scatter") else 0)  # scatter: no energy to draw
    if verb == "scatter":
        run("scatter zero.fits --L 6 --J0 1 -o out.npz")
        assert "the map is zero" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ANALYSE)
def test_fits_that_do_not_converge_are_refused_unless_allowed(kappa, capsys, verb):
    line = READERS[verb][0].format(map="map.fits") + " --max-iter 1"
    said = refused(capsys, line)
    assert "did not converge" in said and "--allow-unconverged" in said and outputs() == set()
    assert "expected 1 or more" in refused(capsys, line.replace("iter 1", "iter 0"), 2)
    run(line + " --allow-unconverged")
    assert READERS[verb][1] in outputs()


@pytest.mark.parametrize("verb", ["transform", "spectrum", "plot"])
def test_all_missing_behind_the_mask_missing(verb, here, capsys):
    io.write_map("none.fits", np.full(192, UNSEEN))
    said = refused(capsys, READERS[verb][0].format(map="none.fits") + " --mask missing")
    assert "missing" in said and outputs() == set()


# --- names, units, frames, types -------------------------------------------------------------------


def check_map(path):
    sky = io.read_map(path)
    assert (sky.columns, sky.units, sky.frame) == (("KAPPA",), ("mK",), "galactic")


def test_names_units_and_frame_go_through_every_command(kappa):
    for line in (
        "transform map.fits --L 6 -o a.fits",
        "transform map.fits --L 6 -o a.npz",
        "transform a.fits --inverse --grid healpix:4 -o m1.fits",
        "transform a.npz --inverse --grid healpix:4 -o m2.fits",
        "transform a.npz --inverse --grid mw:6 -o b.npz",
        "transform b.npz --L 6 -o c.fits",
        "transform c.fits --inverse --grid healpix:4 -o m3.fits",
        "wavelets map.fits --L 6 -o w.npz",
        "wavelets w.npz --inverse --grid healpix:4 -o m4.fits",
        "wavelets b.npz --L 6 -o w2.npz",
        "wavelets w2.npz --inverse --grid healpix:4 -o m5.fits",
        "generate map.fits --L 6 --N 1 --iterations 1 -o m6.fits",
        "rotate map.fits --euler 1,2,3 -o m7.fits",
        "rotate a.fits --euler 1,2,3 -o d.fits",
        "transform d.fits --inverse --grid healpix:4 -o m8.fits",
        "rotate b.npz --euler 1,2,3 -o e.npz",
        "transform e.npz --L 6 -o f.npz",
        "transform f.npz --inverse --grid healpix:4 -o m9.fits",
        "spectrum map.fits --L 6 -o cl.fits",
        "spectrum a.fits -o cl2.fits",
        "spectrum b.npz --L 6 -o cl3.fits",
        "scatter map.fits --L 6 --J0 1 -o s.npz",
    ):
        run(line)
    for number in range(1, 10):
        check_map(f"m{number}.fits")
    for path in ("cl.fits", "cl2.fits", "cl3.fits"):
        spectra = io.read_spectra(path)
        assert spectra.units == {"KAPPA": "mK^2"} and spectra.frame == "galactic"
        np.testing.assert_allclose(spectra.values["KAPPA"], power(kappa), rtol=COMMAND)
    stored = io.read_arrays("s.npz")
    assert [str(stored[key]) for key in ("unit", "frame")] == ["mK", "galactic"]
    run("rotate map.fits --to ecliptic -o r.fits")
    assert io.read_map("r.fits").frame == "ecliptic"
    run("rotate a.npz --to equatorial -o r.npz")
    assert str(io.read_arrays("r.npz")["frame"]) == "equatorial"


def test_a_constant_of_integers_stays_what_it_is(here):
    table("int.fits", {"N": ("J", np.full(192, 7, np.int32))})
    run("rotate int.fits --euler 10,20,30 -o out.fits")
    np.testing.assert_allclose(io.read_map("out.fits").values, 7, rtol=1e-8)


# --- masks -----------------------------------------------------------------------------------------


MASKING = ["transform map.fits --L 3 -o out.fits", "spectrum map.fits --L 3 -o out.fits"]
MASKING += ["plot map.fits -o out.png"]


@pytest.fixture
def masks(kappa):
    """Masks of many kinds beside map.fits."""
    north = (GRID.theta > 0.8).astype(float)
    with_nan = np.where(np.arange(192) < 5, np.nan, north)
    with_unseen = np.where(np.arange(192) < 5, UNSEEN, north)
    io.write_map("two.fits", [north, 1 - north], column=["NORTH", "SOUTH"])
    io.write_map("nan.fits", with_nan)
    io.write_map("unseen.fits", with_unseen)
    io.write_map("ecliptic.fits", north, coordsys="E")
    io.write_map("same.fits", north, coordsys="galactic")
    io.write_alm("alm.fits", kappa)
    np.savez("masks.npz", GAL020=north, GAL040=north)


@pytest.mark.parametrize("line", MASKING)
@pytest.mark.parametrize(
    "mask, words, code",
    [
        ("two.fits", "NORTH, SOUTH); select one with --mask-field", 2),
        ("two.fits --mask-field EAST", "EAST", 1),
        ("two.fits --mask-field NORTH,SOUTH", "selects 2 fields; expected one", 2),
        ("nan.fits", "5 of 192", 1),
        ("unseen.fits", "5 of 192", 1),
        ("ecliptic.fits", "spherekit rotate map.fits --to ecliptic", 1),
        ("alm.fits", "coefficients", 1),
        ("masks.npz", "GAL020, GAL040); select one with --mask-field", 2),
        ("masks.npz --mask-field GAL060", "no array 'GAL060'; it contains GAL020, GAL040", 1),
        ("missing --mask-field 0", "--mask-field", 2),
        ("nothing.fits", "no file nothing.fits", 1),
    ],
)
def test_masks_that_are_refused(masks, capsys, mask, words, code, line):
    assert words in refused(capsys, f"{line} --mask {mask}", code) and outputs() == set()


@pytest.mark.parametrize("line", MASKING)
@pytest.mark.parametrize(
    "mask",
    [
        "two.fits --mask-field north",
        "two.fits --mask-field 1",
        "same.fits",
        "masks.npz --mask-field GAL040",
        "missing",
    ],
)
def test_masks_of_many_kinds(masks, mask, line):
    run(f"{line} --mask {mask}")


def test_dipole_on_too_small_a_sky(kappa, capsys):
    io.write_map("cap.fits", (GRID.theta < 0.6).astype(float))
    line = "spectrum map.fits --L 3 --mask cap.fits -o out.npy"
    said = refused(capsys, f"{line} --remove-dipole")
    assert "condition number" in said and "--remove-monopole" in said and outputs() == set()
    run(f"{line} --remove-monopole")


# --- info, printing --------------------------------------------------------------------------------


def told(capsys, name):
    capsys.readouterr()
    run(f"info {name} --json")
    facts = json.loads(capsys.readouterr().out)
    run(f"info {name}")
    text = capsys.readouterr().out
    assert "nan" not in text
    return facts, text


def test_info_of_frames_conventions_tables_and_missing_samples(iqu, capsys):
    facts, text = told(capsys, "iqu.fits")
    assert facts["coordinates"] == "equatorial" and facts["polcconv"] == "COSMO"
    assert "coordinates equatorial" in text and "polcconv COSMO" in text
    run("transform iqu.fits --field T,Q,U --L 6 -o teb.fits")
    facts, text = told(capsys, "teb.fits")
    assert [table["component"] for table in facts["tables"]] == ["T", "E", "B"]
    assert text.count("coefficients") == 3 and facts["kind"] == "coefficients"
    f = np.arange(192.0)
    f[:3], f[7] = UNSEEN, np.nan
    io.write_map("holes.fits", f)
    facts, text = told(capsys, "holes.fits")
    column = facts["columns"][0]
    assert (column["missing"], column["unseen"], column["nan"]) == (4, 3, 1)
    assert "4 missing (3 UNSEEN, 1 NaN)" in text and column["min"] == 3
    table("odd.fits", {"T": ("D", f)}, COORDSYS="MARS", POLCCONV="IAU")
    facts, text = told(capsys, "odd.fits")
    assert "MARS" in facts["problem"] and "the other commands cannot read it" in text
    table("odd.fits", {"index": ("J", [0, 0]), "real": ("D", [1, 2]), "imag": ("D", [0, 0])})
    facts, text = told(capsys, "odd.fits")
    assert facts["kind"] == "coefficients" and "index" in facts["problem"]


def test_info_of_a_network(here, capsys):
    net = nn.Sequential(nn.Sphere(4, 1), nn.Zonal(2), nn.PowerSpectrum(), nn.Dense(3))
    params, state = net.init(0)
    nn.save("net.npz", net, params, state)
    facts, text = told(capsys, "net.npz")
    assert (facts["kind"], facts["parameters"]) == ("network", nn.count_parameters(params))
    assert "input real S2, L=4, 1 channel, output 3 features" in text and repr(net) in text
    with np.load("net.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays["array0"] = arrays["array0"][:1]
    np.savez("other.npz", **arrays)
    facts, text = told(capsys, "other.npz")
    assert "array0" not in text and "the other commands cannot read it" in text


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "i1", "u8", "?", "c8", "c16"])
def test_info_of_every_type(here, capsys, dtype):
    np.save("a.npy", np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype))
    facts, text = told(capsys, "a.npy")
    column = facts["columns"][0]
    assert column["missing"] == 0 and column["max"] == 1 and "no valid values" not in text
    np.save("large.npy", np.full(4, 6e4, np.float16))
    assert told(capsys, "large.npy")[0]["columns"][0]["mean"] == pytest.approx(6e4, rel=1e-3)


@pytest.mark.parametrize("verb", ["transform", "scatter", "info"])
def test_printing_never_fails(kappa, verb):
    """Names beyond ASCII on a terminal that has no other letters."""
    os.rename("map.fits", "k\xe4rte \u2603.fits")
    arguments = {
        "transform": ["--L", "6", "-o", "\xe4.fits"],
        "scatter": ["--L", "6", "--J0", "1", "-o", "\xe4.npz"],
        "info": [],
    }[verb]
    environment = dict(os.environ, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    command = [sys.executable, "-m", "spherekit", verb, "k\xe4rte \u2603.fits", *arguments]
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and done.stderr == b""


# --- real files ------------------------------------------------------------------------------------

DATA = SHARED / "sky_maps"
WMAP = DATA / "wmap_band_iqumap_r9_7yr_W_v4_udgraded32.fits"
needs_wmap = pytest.mark.skipif(not WMAP.exists(), reason="the WMAP I, Q, U maps are not here")


@needs_wmap
def test_wmap_iqu(here, capsys):
    run(f"rotate {WMAP} --from galactic --to equatorial --L 20 -o out.fits")
    sky = io.read_map("out.fits", field=None)
    assert sky.columns == ("I_STOKES", "Q_STOKES", "U_STOKES") and sky.frame == "equatorial"
    run("rotate out.fits --to galactic --L 20 -o back.fits")
    run(f"transform {WMAP} --field I,Q,U --L 20 -o a.fits")
    run("transform back.fits --field I,Q,U --L 20 -o b.fits")
    before, after = io.read_alm("a.fits"), io.read_alm("b.fits")
    np.testing.assert_allclose(after, before, rtol=0, atol=COMMAND * np.abs(before).max())
    assert "does not state its coordinate frame" in refused(
        capsys, f"rotate {WMAP} --to equatorial -o x.fits", 2
    )
    mask = next(DATA.glob("wmap_temperature_analysis_mask*"))
    assert "--mask-field" in refused(capsys, f"spectrum {WMAP} --L 9 --mask {mask} -o x.fits", 2)
    run(f"spectrum {WMAP} --L 9 --mask {mask} --mask-field I --remove-dipole -o x.fits")


@pytest.mark.skipif(not DATA.exists(), reason="the maps of WMAP and masks of Planck are not here")
def test_planck_masks(here, capsys):
    sky, masks = DATA / "wmap_mcmc_base_k_synch_stk_q_9yr_v5.fits", DATA / "GAL_PlanckMasks_64.npz"
    assert "GAL020, GAL040, GAL060" in refused(
        capsys, f"spectrum {sky} --L 9 --spin 0 --mask {masks} -o x.fits", 2
    )
    line = f"spectrum {sky} --L 9 --mask {masks} --mask-field GAL060 -o x.fits"
    assert "one component of a spin-2 field" in refused(capsys, line, 2)  # STOKES = 'Q'
    run(f"{line} --spin 0")
    assert list(io.read_cl("x.fits")) == ["BESTFIT"]
    assert "masks of pixels): VARIANCE" in refused(
        capsys, f"rotate {sky} --euler 1,2,3 -o y.fits", 2
    )


def test_packaged_datasets(here):
    from spherekit.datasets import FOLDER

    sky, mask = FOLDER / "wmap_w_nside32.fits", FOLDER / "wmap_mask_nside32.fits"
    run(f"spectrum {sky} --L 9 --mask {mask} --remove-dipole -o cl.fits")
    assert io.read_spectra("cl.fits").units == {"I_STOKES": "mK^2"}
    run(f"rotate {sky} --to ecliptic --L 9 -o out.fits")
    assert io.read_map("out.fits").frame == "ecliptic"
