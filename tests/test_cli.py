"""The command line, end to end on small files."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from helpers.commands import refused, run
from tolerances import CHAIN, COMMAND, COMMAND_SAMPLES, IDENTITY, SHORT_SUM

import spherekit
from spherekit import datasets, io
from spherekit.cli import main
from spherekit.conventions import eb_to_spin
from spherekit.sampling import HEALPix
from spherekit.sampling.healpix import UNSEEN, reorder
from spherekit.spectra import gaussian_flm, power
from spherekit.testing import random_flm

L = 8


@pytest.mark.parametrize("limit", ["--L 8", "--lmax 7"])
def test_there_and_back(sky, capsys, limit):
    run(f"transform map.fits {limit} -o alm.fits")
    assert "lsq on healpix:8" in capsys.readouterr().out
    np.testing.assert_allclose(io.read_alm("alm.fits"), sky, rtol=0, atol=COMMAND)
    run("transform alm.fits --inverse -o mw.npz --grid mw:16")
    stored = io.read_arrays("mw.npz")
    assert stored["values"].shape == (16, 31)
    assert [str(stored[k]) for k in ("grid", "spin", "unit")] == ["mw:16", "0", "mK"]
    run("transform mw.npz --L 8 -o alm2.fits")
    said = capsys.readouterr().out
    assert "exact" in said and "residual" in said
    np.testing.assert_allclose(io.read_alm("alm2.fits"), sky, rtol=0, atol=COMMAND)
    run("transform alm.fits --inverse -o map2.fits --grid healpix:8")
    back = io.read_map("map2.fits")
    np.testing.assert_allclose(
        back.values, io.read_map("map.fits").values, rtol=0, atol=COMMAND_SAMPLES
    )
    assert back.units == ("mK",)


@pytest.mark.parametrize("method", ["lsq", "jacobi", "quadrature"])
def test_methods(sky, capsys, method):
    run(f"transform map.fits --L 8 --method {method} --threads 1 -o alm.npz")
    assert capsys.readouterr().out.startswith(f"{method} on healpix:8")
    atol = 0.05 if method == "quadrature" else COMMAND
    np.testing.assert_allclose(io.read_arrays("alm.npz")["flm"], sky, rtol=0, atol=atol)


def test_masked_and_lower_band_limit(sky, capsys):
    run("transform map.fits --L 8 --mask mask.fits --max-iter 500 -o alm.fits")
    assert "residual" in capsys.readouterr().out
    run("transform alm.fits --inverse --L 3 --grid gl -o low.npy")
    assert io.read_arrays("low.npy")["values"].shape == (3, 5)


def test_nested_files_need_nothing(sky, rng):
    ring = io.read_map("map.fits").values
    hdu = fits.BinTableHDU.from_columns([fits.Column("T", "D", array=reorder(ring, "ring"))])
    hdu.header.update(ORDERING="NESTED", NSIDE=8)
    hdu.writeto("nested.fits")
    run("transform nested.fits --L 8 -o alm.fits")
    np.testing.assert_allclose(io.read_alm("alm.fits"), sky, rtol=0, atol=COMMAND)


def test_messages_on_the_ordering_name_the_option(sky, capsys):
    ring = io.read_map("map.fits").values
    hdu = fits.BinTableHDU.from_columns([fits.Column("T", "D", array=ring)])
    hdu.header.update(PIXTYPE="HEALPIX", NSIDE=8)
    hdu.writeto("plain.fits")
    line = "transform {} --L 8 -o alm.fits"
    said = refused(capsys, line.format("plain.fits"))
    assert "pass --ordering ring or nested" in said
    said = refused(capsys, line.format("map.fits --ordering nested"))
    assert "--ordering is 'nested'; omit --ordering" in said
    said = refused(capsys, line.format("map.fits --mask plain.fits"))
    assert "pass --mask-ordering ring or nested" in said
    said = refused(capsys, line.format("map.fits --mask mask.fits --mask-ordering nested"))
    assert "--mask-ordering is 'nested'; omit --mask-ordering" in said
    np.savez("arrays.npz", values=ring)
    said = refused(capsys, line.format("map.fits --mask arrays.npz --mask-hdu 1"), 2)
    assert "--mask-hdu applies to FITS files only" in said and "with --mask-field" in said


def test_spin_fields(polarized, capsys):
    E, B = polarized
    run("transform map.fits --L 8 --field Q,U --spin 2 -o p.npz")
    stored = io.read_arrays("p.npz")
    assert int(stored["spin"]) == 2
    np.testing.assert_allclose(stored["flm"], eb_to_spin(E, B, spin=2), rtol=0, atol=COMMAND)
    run("transform p.npz --inverse --grid healpix:8 -o back.fits")
    back = io.read_map("back.fits", field=("Q", "U")).values
    np.testing.assert_allclose(
        back, io.read_map("map.fits", field=(1, 2)).values, rtol=0, atol=COMMAND_SAMPLES
    )
    run("transform p.npz --inverse --grid mw -o mw.npz")  # the file knows its spin
    run("transform mw.npz --L 8 -o p2.npz")
    np.testing.assert_allclose(io.read_arrays("p2.npz")["flm"], stored["flm"], rtol=0, atol=CHAIN)
    assert "two columns" in refused(capsys, "transform map.fits --L 8 --spin 2 -o q.npz", 2)
    assert ".npz" in refused(capsys, "transform map.fits --L 8 --field Q,U --spin 2 -o q.fits", 2)


def test_e_and_b_spectra(polarized, capsys):
    E, B = polarized
    run("spectrum map.fits --L 8 --field Q,U --spin 2 -o eb.fits --plot eb.png")
    spectra = io.read_cl("eb.fits")
    assert list(spectra) == ["EE", "BB", "EB"]
    for name, expected in zip(spectra, (power(E), power(B), power(E, B)), strict=True):
        np.testing.assert_allclose(spectra[name], expected, rtol=0, atol=COMMAND)
    run("spectrum map.fits --L 8 --field 1,2 --spin 2 -o eb.npy")
    assert io.read_arrays("eb.npy")["values"].shape == (3, 8)
    line = "spectrum map.fits --L 8 --field Q,U --spin 2 --remove-dipole -o no.fits"
    assert "spin 0" in refused(capsys, line, 2)


def test_spectra(sky, capsys):
    run("spectrum map.fits --L 8 -o cl.fits")
    run("spectrum map.fits --L 8 -o cl.txt")
    texts = io.read_spectra("cl.txt").values
    for name, cl in io.read_spectra("cl.fits").values.items():
        np.testing.assert_array_equal(texts[name], cl)
    np.testing.assert_allclose(
        io.read_cl("cl.fits")["TEMPERATURE"], power(sky), rtol=0, atol=COMMAND
    )
    assert io.read_table("cl.fits").units == {"TEMPERATURE": "mK^2"}
    capsys.readouterr()
    run("spectrum map.fits --L 8 --mask mask.fits -o cl.npy --plot cl.pdf")
    weights = HEALPix(8).weights
    f_sky = np.sum(weights * (HEALPix(8).theta > 0.8)) / (4 * np.pi)
    assert f"f_sky = {f_sky:.4f}" in capsys.readouterr().out
    kept = io.read_map("map.fits").values * io.read_map("mask.fits").values
    flm = spherekit.forward(kept, L, sampling="healpix:8", reality=True)
    np.testing.assert_allclose(
        io.read_arrays("cl.npy")["values"], power(flm) / f_sky, rtol=SHORT_SUM, atol=0
    )


def test_monopole_and_dipole_are_removed_from_the_kept_sky(here, capsys):
    theta, phi = HEALPix(8).theta, HEALPix(8).phi
    low = 5 + 2 * np.cos(theta) + np.sin(theta) * np.cos(phi)
    io.write_map("map.fits", low)
    io.write_map("mask.fits", (theta > 0.8).astype(float))
    run("spectrum map.fits --L 8 --remove-dipole --mask mask.fits -o cl.npy")
    said = capsys.readouterr().out
    assert "monopole 5" in said and f"amplitude {np.sqrt(5):.4g}" in said
    assert np.abs(io.read_arrays("cl.npy")["values"]).max() < 1e-25
    run("spectrum map.fits --L 8 --remove-monopole -o cl2.npy")
    cl = io.read_arrays("cl2.npy")["values"]
    assert cl[0] < COMMAND and cl[1] > 1


def test_pictures(sky):
    for projection in ("mollweide", "orthographic", "cartesian"):
        run(f"plot map.fits -o {projection}.png --projection {projection} --rot=-30,10")
    run("plot map.fits -o half.svg --projection orthographic --half --mask mask.fits")
    run("transform map.fits --L 8 -o alm.fits")
    run("transform alm.fits --inverse --grid cc -o cc.npz")
    run("plot cc.npz -o cc.jpg --unit uK --title T --vmin -1 --vmax 1 --flip geo --cmap magma")
    assert Path("cartesian.png").read_bytes()[:4] == b"\x89PNG"
    assert Path("cc.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_complex_maps_are_drawn_by_part(here, capsys, rng):
    flm = random_flm(L, rng)
    io.write_arrays("alm.npz", flm=flm)
    run("transform alm.npz --inverse --grid mw -o mw.npz")
    assert "--part" in refused(capsys, "plot mw.npz -o a.png", 2)
    run("plot mw.npz -o a.png --part abs")
    assert ".npz" in refused(capsys, "transform mw.npz --L 8 -o alm.fits", 2)


def test_info_of_each_kind_of_file(sky, capsys):
    run("transform map.fits --L 8 -o alm.fits")
    run("transform map.fits --L 8 -o alm.npz")
    run("transform alm.npz --inverse --grid mw -o mw.npz")
    run("spectrum map.fits --L 8 -o cl.fits")
    np.save("plain.npy", np.array([1.0, np.nan, UNSEEN]))
    expected = {
        "map.fits": dict(kind="HEALPix map", nside=8, ordering="RING", sky="full"),
        "alm.fits": dict(kind="coefficients", L=8, lmax=7, spin=0),
        "alm.npz": dict(kind="coefficients", L=8, spin=0),
        "mw.npz": dict(kind="map", grid="mw:8", spin=0),
        "cl.fits": dict(kind="spectrum", L=8),
        "plain.npy": dict(kind="array"),
    }
    for name, facts in expected.items():
        capsys.readouterr()
        run(f"info {name} --json")
        told = json.loads(capsys.readouterr().out)
        assert facts.items() <= told.items() and told["file"] == name
        run(f"info {name}")
        assert capsys.readouterr().out.startswith(f"{name}: {facts['kind']}")
        column = told["columns"][0]
        assert column["missing"] == (2 if name == "plain.npy" else 0)
        assert column["unit"] == {"cl.fits": "mK^2", "plain.npy": None}.get(name, "mK")
    assert "no file" in refused(capsys, "info nothing.fits")


def test_columns_of_arrays(here, capsys, rng):
    f = rng.standard_normal((2, 4, 7))
    np.savez("two.npz", values=f, other=f[1])
    run("transform two.npz --L 4 --grid mw:4 --field 1 -o a.npz")
    run("transform two.npz --L 4 --grid mw --field other -o b.npz")
    a, b = (io.read_arrays(name)["flm"] for name in ("a.npz", "b.npz"))
    assert np.array_equal(a, b)
    assert "--field" in refused(capsys, "transform two.npz --L 4 --grid mw -o c.npz", 2)
    assert "no field 2" in refused(capsys, "plot two.npz --grid mw:4 --field 2 -o c.png")
    assert "values, other" in refused(capsys, "plot two.npz --grid mw:4 --field x -o c.png")
    assert "--grid" in refused(capsys, "transform two.npz --L 4 -o c.npz", 2)


def test_missing_samples_are_counted_and_the_option_named(sky, capsys):
    f = io.read_map("map.fits").values
    f[:20], f[30] = UNSEEN, np.nan
    io.write_map("holes.fits", f)
    for verb in ("transform holes.fits --L 8 -o a.fits", "spectrum holes.fits --L 8 -o a.fits"):
        said = refused(capsys, verb)
        assert "20 are UNSEEN and 1 are NaN" in said and "--mask" in said
    said = refused(capsys, "transform holes.fits --L 8 --mask mask.fits --method jacobi -o a.fits")
    assert "lsq" in said
    run("transform holes.fits --L 8 --mask missing -o alm.fits")
    np.testing.assert_allclose(io.read_alm("alm.fits"), sky, rtol=0, atol=COMMAND_SAMPLES)
    run("plot holes.fits -o holes.png")


def test_band_limits_that_are_refused(sky, capsys):
    line = "transform map.fits -o a.fits"
    assert "--lmax 64" in refused(capsys, "scatter map.fits -o a.npz", 2)
    assert "L = 0" in refused(capsys, f"{line} --L 0", 2)
    assert "not allowed" in refused(capsys, f"{line} --L 8 --lmax 7", 2)
    assert "invalid int" in refused(capsys, f"{line} --L x", 2)
    io.write_map("two.fits", np.zeros((2, 768)), column=["A", "B"])
    assert "spin 9" in refused(capsys, "transform two.fits --L 8 --spin 9 --field 0,1 -o a.npz")
    run("transform map.fits --L 8 -o alm.fits")
    said = refused(capsys, "transform alm.fits --inverse --grid mw --L 9 -o b.npz")
    assert "below 8" in said
    run("transform alm.fits --inverse --grid mw -o mw.npz")
    assert "L=9" in refused(capsys, "transform mw.npz --L 9 -o b.fits")


def test_grids_that_are_refused(sky, capsys):
    np.save("mw.npy", np.zeros((8, 15)))
    line = "transform mw.npy --L 8 -o a.fits"
    for name in ("mwss", "dhpole", "healpix:NSIDE"):
        assert name in refused(capsys, f"{line} --grid hex:8", 2)
    said = refused(capsys, f"{line} --grid cc:8")
    assert "(8, 15)" in said and "(15, 15)" in said and "; gl:8 (Gaussian latitudes" in said
    assert "--grid mwss:7,n_phi=15 (poles included" in said and "; mw:8 (south pole" in said
    assert "nside 8" in refused(capsys, "plot map.fits --grid healpix:16 -o a.png", 2)
    run("transform map.fits --L 8 -o alm.fits")
    assert "--grid mw:256" in refused(capsys, "transform alm.fits --inverse -o b.npz", 2)
    assert ".npz" in refused(capsys, "transform alm.fits --inverse --grid gl -o b.fits", 2)


def test_masks_that_are_refused(sky, capsys):
    io.write_map("other.fits", np.ones(48))
    io.write_map("none.fits", np.zeros(768))
    line = "spectrum map.fits --L 8 -o a.fits --mask"
    assert "healpix:2" in refused(capsys, f"{line} other.fits")
    assert "is 0 at all samples" in refused(capsys, f"{line} none.fits")
    assert "from 0" in refused(capsys, f"{line} map.fits")


def test_files_that_are_refused(sky, capsys):
    line = "-o out.fits --L 8"
    Path("short.fits").write_bytes(Path("map.fits").read_bytes()[:7000])
    assert "truncated" in refused(capsys, f"transform short.fits {line}")
    Path("text.fits").write_text("no map")
    assert "it is text" in refused(capsys, f"spectrum text.fits {line}")
    run("transform map.fits --L 8 -o alm.fits")
    assert "coefficients (alm); expected a map" in refused(
        capsys, "wavelets alm.fits --L 8 -o w.npz"
    )
    said = refused(capsys, "transform map.fits --inverse --grid mw -o b.npz")
    assert "contains a map, not coefficients (alm)" in said
    assert "0 TEMPERATURE" in refused(capsys, f"transform map.fits --field Q {line}")
    np.save("objects.npy", np.array([None]), allow_pickle=True)
    assert "NumPy file" in refused(capsys, f"transform objects.npy --grid mw {line}")


def test_outputs_are_not_replaced_unless_told(sky, capsys):
    lines = (
        "transform map.fits --L 8 -o out.fits",
        "spectrum map.fits --L 8 -o out.fits",
        "spectrum map.fits --L 8 -o cl.fits --plot out.png",
        "plot map.fits -o out.png",
    )
    for name in ("out.fits", "out.png"):
        Path(name).touch()
    for line in lines:
        assert "--force" in refused(capsys, line)
        run(f"{line} --force")
    assert "no folder nowhere" in refused(capsys, "plot map.fits -o nowhere/a.png")
    assert ".png, .pdf" in refused(capsys, "plot map.fits -o a.gif", 2)


def test_wrong_usage_is_one_line(here, capsys):
    assert "COMMAND" in refused(capsys, "", 2)
    assert "-o" in refused(capsys, "plot", 2)
    assert "mollweide" in refused(capsys, "plot a -o b.png --projection mercator", 2)
    assert "--rot" in refused(capsys, "plot a -o b.png --rot 3", 2)
    assert "orthographic" in refused(capsys, "plot a -o b.png --half", 2)
    with pytest.raises(SystemExit) as stop:
        main(["spectrum", "--help"])
    assert stop.value.code == 0 and "--remove-dipole" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError):
        main(["--debug", "info", "nothing.fits"])


def test_warnings_are_one_line(sky, capsys, monkeypatch):
    from spherekit.cli import spectrum

    def warn(*args, **options):
        warnings.warn("first line\nand second", stacklevel=1)

    monkeypatch.setattr(spectrum, "_check", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        run("spectrum map.fits --L 8 -o cl.fits")
    assert capsys.readouterr().err == "spherekit: warning: first line and second\n"


@pytest.mark.parametrize(
    "verb", ["transform", "spectrum", "rotate --euler 1,2,3", "wavelets", "scatter"]
)
def test_degrees_that_pixels_do_not_determine_are_refused(verb, sky, capsys):
    suffix = "npz" if verb in ("wavelets", "scatter") else "fits"
    assert "3 nside" in refused(capsys, f"{verb} map.fits --L 26 -o out.{suffix}", 2)


def test_demo(here, capsys, monkeypatch):
    from test_cli_train import write

    from spherekit.cli import demo

    monkeypatch.setattr(demo, "TRAINING", write("few.toml", compare="true"))
    for _ in range(2):  # what exists is replaced
        run("demo")
    said = capsys.readouterr()
    made = {path.name for path in (here / "spherekit-demo").iterdir()}
    pictures = {"map.png", "spectrum.png", "wavelets.png", "scattering.png", "skies.png"}
    assert made == pictures | {"alm.fits", "cl.fits", "map.fits", "map_mw.npz", "model.npz"}
    assert all(f"   {name}  " in said.out for name in made)
    assert "residual 37.0 %" in said.out and "not corrected" in said.out and "Done in" in said.out
    assert "0-3: 17.5%, 3-7: 10.6%, 5-15: 15.6%" in said.out
    assert "whole map: 13 of 15 paths" in said.out and "unmasked sky: 0 of 15" in said.out
    assert (
        "of 20 test skies classified correctly" in said.out
        and "the same network, without" in said.out
    )
    assert said.err == ""  # the bar is for terminals
    assert "including compilation" not in said.out[said.out.rindex("Done in") :]
    cl = io.read_cl("spherekit-demo/cl.fits")["TEMPERATURE"]
    assert 0.8 < cl[10:40].sum() / datasets.planck2018_cl(40)["TT"][10:].sum() < 1


def test_demo_compares_with_gaussian_maps():
    """Mean modulus over rms of a Gaussian map is sqrt(2/pi); another one is within its spread."""
    from spherekit.cli.demo import scattering as demo
    from spherekit.scattering import Scattering

    L, rng = 33, np.random.default_rng(5)
    S = Scattering(L, J0=2, depth=2, reality=True)
    flm = gaussian_flm(datasets.planck2018_cl(L)["TT"], L, rng)
    share = S.first.energies(flm) / np.sum(np.abs(flm) ** 2)
    assert share.sum() == pytest.approx(1, rel=IDENTITY)
    found = demo.whole_map(S, flm, rng)
    single = [i for i, path in enumerate(found.paths) if path.order == 1]
    np.testing.assert_allclose(found.means[single], np.sqrt(2 / np.pi), rtol=0, atol=0.02)
    assert found.deviations().max() < 4


def test_import_is_quiet_and_lazy():
    code = (
        "import sys, spherekit, spherekit.cli; print('numba' in sys.modules); "
        "from spherekit import forward; print({'astropy', 'matplotlib'} & set(sys.modules))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "set()"] and not done.stderr


def test_wmap_agrees_with_stored_values_of_another_code():
    """C_l of the packaged map by equal-area quadrature, computed with healpy 1.20 (iter=0)."""
    grid = HEALPix(32, weights="equal")
    flm = spherekit.forward(datasets.wmap_w().astype(float), 20, sampling=grid, reality=True)
    np.testing.assert_allclose(power(flm)[[0, 2, 10, 19]], STORED, rtol=1e-10)


STORED = [0.06329237975977671, 0.009621408354096693, 0.0012344935714881883, 0.00024499054122261105]


def test_unrecognized_arguments_point_to_the_help_of_the_command(capsys):
    words = refused(capsys, "rotate map.fits --euler 30 40 50 -o out.fits", code=2)
    assert "unrecognized arguments: 40 50; see spherekit rotate --help" in words
