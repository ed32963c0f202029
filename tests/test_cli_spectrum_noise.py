"""spherekit spectrum: noise, halves of the data, error bars, couplings in files, and pictures."""

import os

import numpy as np
import pytest
from helpers.commands import refused, run
from helpers.halves import BINS, GRID, MASK, L, correlated_halves, fields_of, write_halves
from tolerances import CHAIN, IDENTITY

from spherekit import io, spectra
from spherekit.spectra import Mask, gaussian_covariance, knox_errors, masked_field, master

LINE = "spectrum one.fits --field T,Q,U --mask mask.fits --bins linear:5 --L 16"


@pytest.fixture
def maps(here, rng):
    """I, Q and U of two halves, one.fits and two.fits in mK, and mask.fits."""
    return write_halves(correlated_halves(rng))


def mean_and_split(halves):
    """Fields of the mean of both halves, and its signal and noise by pair."""
    first, second = fields_of(halves[0]), fields_of(halves[1])
    flms = {
        name: np.stack([x.flm[i], y.flm[i]])
        for x, y in zip(first, second, strict=True)
        for i, name in enumerate(x.names)
    }
    return fields_of(halves.mean(axis=0)), spectra.split_power(flms)


def assert_close(x, expected, rtol=CHAIN):
    assert list(x) == list(expected)
    scale = max(np.abs(values).max() for values in expected.values())
    for name, values in expected.items():
        np.testing.assert_allclose(x[name], values, rtol=rtol, atol=rtol * scale)


# --- noise -------------------------------------------------------------------------------------------------


def levels():
    """The pseudo-spectra of 600 uK arcmin in T, and of 900 or sqrt(2) times 600 in Q and U."""
    arcmin = np.radians(1 / 60)
    return 0.6 * arcmin, np.sqrt(2) * 0.6 * arcmin, 0.9 * arcmin


@pytest.mark.parametrize("method", ["fsky", "master"])
@pytest.mark.parametrize("pol", ["", "--noise-pol 0.9mK-arcmin"])
def test_the_noise_of_a_level(maps, method, pol):
    line = f"{LINE} --method {method} --beam 6deg --noise 600uK-arcmin {pol} -o cl.fits"
    run(line)
    of_t, default, given = levels()
    of_p = given if pol else default
    noise = {"TT": spectra.noise_power(MASK, L, sampling=GRID, level=of_t)}
    noise |= dict.fromkeys(
        ("EE", "BB"), spectra.noise_power(MASK, L, sampling=GRID, level=of_p, spin=2)
    )
    values = io.read_bandpowers("cl.fits").values
    beam = [spectra.beam_window(np.radians(6), L, spin=spin) for spin in (0, 2)]
    if method == "master":
        pairs = zip(fields_of(maps[0]), beam, strict=True)
        fields = [x._replace(beam=np.broadcast_to(b, x.beam.shape)) for x, b in pairs]
        assert_close(values, master(fields, bins=BINS, noise=noise).values)
        return
    run(line.split(" --noise")[0] + " -o plain.fits")
    plain = io.read_bandpowers("plain.fits").values
    f_sky = spectra.sky_fraction(MASK, sampling=GRID)
    squares = dict(TT=beam[0] ** 2, EE=beam[1] ** 2, BB=beam[1] ** 2)
    bias = {name: BINS.bin(noise[name] / f_sky / squares[name]) for name in squares}
    assert_close(values, {name: x - bias.get(name, 0) for name, x in plain.items()})


@pytest.mark.parametrize("columns", [1, 3])
def test_a_map_of_standard_deviations(maps, rng, columns):
    sigma = rng.uniform(0.1, 0.3, (columns, GRID.theta.size))
    io.write_map("sigma.fits", sigma, column=["I", "Q", "U"][:columns])
    run(f"{LINE} --method master --noise sigma.fits -o cl.fits")
    of_t, of_p = (sigma[0], sigma[0]) if columns == 1 else (sigma[0], sigma[1:])
    noise = {"TT": spectra.noise_power(MASK, L, sampling=GRID, sigma=of_t)}
    noise |= dict.fromkeys(
        ("EE", "BB"), spectra.noise_power(MASK, L, sampling=GRID, sigma=of_p, spin=2)
    )
    expected = master(fields_of(maps[0]), bins=BINS, noise=noise).values
    assert_close(io.read_bandpowers("cl.fits").values, expected)


def test_noise_that_does_not_fit_the_map(maps, capsys):
    io.write_map("fine.fits", np.ones(3072))
    io.write_map("two.fits", np.ones((2, 768)), column=["A", "B"], overwrite=True)
    assert "the same grid" in refused(capsys, f"{LINE} --noise fine.fits -o no.fits", 1)
    assert "expected 1 column, or 3" in refused(capsys, f"{LINE} --noise two.fits -o no.fits", 2)
    run(f"{LINE} --noise two.fits --noise-field B -o cl.fits")
    assert "--noise LEVEL" in refused(
        capsys, f"{LINE} --noise two.fits --noise-field B --noise-pol 1mK-deg -o no.fits", 2
    )
    io.write_map("none.fits", maps[0, 0])
    line = "spectrum none.fits --L 16 --noise 3uK-deg"
    assert "with --unit" in refused(capsys, f"{line} -o no.fits", 2)
    run(f"{line} --unit mK -o unit.fits")


def test_noise_of_pure_modes(maps):
    run(f"{LINE} --method master --purify B --noise 0.6mK-arcmin -o cl.fits")
    run(f"{LINE} --method master --purify B -o plain.fits")
    of_t, of_p, _ = levels()
    fields = fields_of(maps[0])
    P = masked_field(
        maps[0, 1] + 1j * maps[0, 2], L, fields[0].mask, spin=2, sampling=GRID, purify="B"
    )
    noise = {"TT": spectra.noise_power(MASK, L, sampling=GRID, level=of_t)}
    noise["EE"] = spectra.noise_power(MASK, L, sampling=GRID, level=of_p, spin=2)
    noise["BB"] = spectra.noise_power(MASK, L, sampling=GRID, level=of_p, spin=2, pure=True)
    expected = master([fields[0], P], bins=BINS, noise=noise).values
    assert_close(io.read_bandpowers("cl.fits").values, expected)


# --- halves ------------------------------------------------------------------------------------------------


def test_two_halves_have_no_bias(maps):
    run(f"{LINE} --half two.fits --method master -o cl.fits")
    run(f"{LINE} --half two.fits -o fsky.fits")
    fields, split = mean_and_split(maps)
    expected = master(fields, bins=BINS, noise=split.noise).values
    assert_close(io.read_bandpowers("cl.fits").values, expected)
    f_sky = spectra.sky_fraction(MASK, sampling=GRID)
    quadrature = spectra.split_power(
        {
            "T": np.stack(
                [spectra.masked_flm(f[0], L, MASK, sampling=GRID, reality=True) for f in maps]
            ),
            ("E", "B"): (
                np.stack(
                    [
                        spectra.masked_flm(f[1] + 1j * f[2], L, MASK, spin=2, sampling=GRID)
                        for f in maps
                    ]
                ),
                2,
            ),
        }
    )
    expected = {name: BINS.bin(cl) / f_sky for name, cl in quadrature.signal.items()}
    assert_close(io.read_bandpowers("fsky.fits").values, expected)


def test_halves_of_other_signals_are_refused(maps, capsys):
    io.write_map("uk.fits", maps[1], column=["I", "Q", "U"], unit="uK", coordsys="G")
    assert "same signals and units" in refused(capsys, f"{LINE} --half uk.fits -o no.fits", 2)


# --- error bars --------------------------------------------------------------------------------------------


def test_error_bars_by_the_number_of_modes(maps):
    """From the spectra of signal and noise, constant in each bin."""
    fraction = spectra.mode_fraction(MASK, sampling=GRID)
    f_sky = spectra.sky_fraction(MASK, sampling=GRID)
    for method in ("master", "fsky"):
        run(f"{LINE} --method {method} --beam 6deg -o cl.fits --force")
        if method == "fsky":
            values = io.read_bandpowers("cl.fits").values
        else:
            windows = dict(T=spectra.beam_window(np.radians(6), L))
            windows |= dict.fromkeys("EB", spectra.beam_window(np.radians(6), L, spin=2))
            flms = {name: x.flm[i] for x in fields_of(maps[0]) for i, name in enumerate(x.names)}
            pseudo = spectra.cross_power(flms)
            values = {
                a + b: BINS.bin(cl / f_sky / (windows[a] * windows[b]))
                for (a, b), cl in pseudo.items()
            }
        smooth = {name: BINS.unbin(x) for name, x in values.items()}
        expected = knox_errors(smooth, fraction, bins=BINS)
        assert_close(io.read_bandpowers("cl.fits").errors, expected)
    run(f"{LINE} --errors none -o none.fits")
    assert io.read_bandpowers("none.fits").errors == {}


def test_error_bars_of_two_maps(maps):
    """Those of TE contain the power of T of the first and of E of the second map."""
    run(f"{LINE} --cross two.fits -o cross.fits")
    run(f"{LINE} -o one.fits.fits")
    run(f"{LINE.replace('one', 'two')} -o two.fits.fits")
    cross, one, two = (
        io.read_bandpowers(x) for x in ("cross.fits", "one.fits.fits", "two.fits.fits")
    )
    modes = spectra.mode_fraction(MASK, sampling=GRID)
    rows = BINS.matrix() ** 2 @ (1 / ((2 * np.arange(L) + 1) * modes))
    for a, b in ("TT", "TE", "ET", "BB", "EB"):
        variance = one.values[a * 2] * two.values[b * 2] + cross.values[a + b] ** 2
        np.testing.assert_allclose(cross.errors[a + b] ** 2, rows * variance, rtol=CHAIN)


def test_error_bars_of_two_halves(maps):
    run(f"{LINE} --half two.fits -o cl.fits")
    table = io.read_bandpowers("cl.fits")
    run(f"{LINE} -o one.fits.fits")
    run(f"{LINE.replace('one', 'two')} -o two.fits.fits")
    one, two = (io.read_bandpowers(x).values for x in ("one.fits.fits", "two.fits.fits"))
    mean = {name: (one[name] + two[name]) / 2 for name in one}
    modes = spectra.mode_fraction(MASK, sampling=GRID)
    noise = {name: BINS.unbin(np.maximum((mean[name] - x) / 2, 0 if name[0] == name[1] else -9))
             for name, x in table.values.items()}  # fmt: skip
    signal = {name: BINS.unbin(x) for name, x in table.values.items()}
    assert_close(table.errors, knox_errors(signal, modes, noise=noise, splits=2, bins=BINS))


def test_error_bars_by_the_gaussian_covariance(maps, capsys):
    run(f"{LINE} --method master --errors gaussian -o cl.fits")
    assert "Gaussian covariance" in capsys.readouterr().out
    fields = fields_of(maps[0])
    cl = {name: BINS.unbin(x) for name, x in master(fields, bins=BINS).values.items()}
    expected = gaussian_covariance(fields, cl=cl, bins=BINS).errors()
    assert_close(io.read_bandpowers("cl.fits").errors, expected)
    run(f"{LINE} --method master --errors gaussian --cross two.fits -o cross.fits")
    run(f"{LINE} --method master --errors gaussian --half two.fits -o half.fits")
    errors = io.read_bandpowers("cross.fits").errors
    for name, values in io.read_bandpowers("half.fits").errors.items():
        np.testing.assert_allclose(values, errors[name], rtol=0.35)


# --- couplings in files ------------------------------------------------------------------------------------


def test_couplings_in_files(maps, capsys, monkeypatch):
    line = f"{LINE} --method master --coupling c.npz --force -o"
    run(f"{line} cl.fits")
    assert {"c_TT.npz", "c_TE.npz", "c_EE.npz"} <= set(os.listdir())
    monkeypatch.setattr(spectra.pseudo_cl, "coupling_matrix", None)  # not computed again
    run(f"{line} again.fits")
    assert "read c_TE.npz" in capsys.readouterr().out
    first, again = (io.read_bandpowers(x).values for x in ("cl.fits", "again.fits"))
    assert_close(again, first)
    io.write_map("other.fits", MASK**2, coordsys="G")
    kept = line.replace(" --force", "")
    said = refused(capsys, f"{kept.replace('mask.fits', 'other.fits')} no.fits", 1)
    assert "the coupling of other masks; choose" in said
    assert "other beams" in refused(capsys, f"{kept} no.fits --beam 3deg", 1)
    assert "L = 16" in refused(capsys, f"{kept} no.fits".replace("--L 16", "--L 12"), 1)
    np.savez("c_TT.npz", x=np.ones(3))
    assert "not a coupling of masks" in refused(capsys, f"{line} no.fits", 1)
    assert "no folder" in refused(capsys, f"{line} no.fits --coupling nowhere/c.npz".replace(
        "--coupling c.npz ", ""), 1)  # fmt: skip


def test_a_coupling_of_other_masks_is_rewritten(maps, capsys):
    line = f"{LINE} --method master --coupling c.npz".replace("T,Q,U", "0")
    run(f"{line} -o cl.fits")
    io.write_map("other.fits", MASK**2, coordsys="G")
    line = line.replace("mask.fits", "other.fits")
    capsys.readouterr()
    run(f"{line} -o cl.fits --force")
    assert "c.npz is rewritten, since it is the coupling of other masks" in capsys.readouterr().out
    run(f"{line} -o again.fits")
    assert "read c.npz" in capsys.readouterr().out
    run("info c.npz")
    assert "coupling of masks, L 16, spectra TT, spins [0, 0]" in capsys.readouterr().out


def test_a_coupling_of_one_pair_has_the_name_of_the_option(maps):
    run(
        "spectrum one.fits --mask mask.fits --L 16 --method master --bins log:3 --coupling c.npz -o cl.fits"
    )
    coupling = spectra.read_coupling("c.npz", masks=[Mask(MASK, L, GRID)] * 2)
    assert coupling.names == ("TT",)
    with pytest.raises(ValueError, match="other masks"):
        spectra.read_coupling("c.npz", masks=[Mask(MASK, L, GRID, iterations=1)] * 2)
    spectra.write_coupling("c.npz", coupling, overwrite=True)
    with pytest.raises(ValueError, match="does not state its masks"):
        spectra.read_coupling("c.npz", masks=[Mask(MASK, L, GRID)] * 2)
    with pytest.raises(TypeError, match="expected spherekit.spectra.Mask"):
        spectra.write_coupling("d.npz", coupling, masks=[MASK, MASK])


# --- pictures and files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fsky", "master"])
@pytest.mark.parametrize("theory", ["cmb", "theory.fits", ""])
def test_pictures_with_a_theory(maps, method, theory):
    io.write_cl("theory.fits", {"TT": np.ones(L), "EE": np.ones(L)}, unit="uK^2")
    option = f"--theory {theory}" if theory else ""
    run(f"{LINE} --method {method} {option} -o cl.fits --plot cl.png")
    assert os.path.getsize("cl.png") > 10_000
    run(
        f"spectrum one.fits --field T,Q,U --mask mask.fits --L 16 {option} -o un.fits --plot un.png"
    )
    assert os.path.getsize("un.png") > 10_000


def test_a_theory_in_another_unit(maps, capsys):
    from spherekit.cli import spectrum_theory
    from spherekit.cli.measured import Measured

    theory = {"TT": np.full(20, 4.0), "EE": np.ones(20)}
    windows = {"TT": {"TT": BINS.matrix()}, "BB": {"BB": BINS.matrix(), "EE": 0.1 * BINS.matrix()}}
    expected = spectrum_theory.expected(Measured({}, {}, 1, "", [], windows=windows), theory)
    assert list(expected) == ["TT"]
    np.testing.assert_allclose(expected["TT"], 4, rtol=IDENTITY)
    io.write_map("none.fits", maps[0, 0])
    line = "spectrum none.fits --L 16 -o no.fits --plot no.png --theory cmb"
    assert "--unit mK" in refused(capsys, line, 2)
    run(f"{line} --unit mK")
    assert io.read_spectra("no.fits").units == {"TEMPERATURE": "mK^2"}


@pytest.mark.parametrize("suffix", [".fits", ".npz", ".txt"])
def test_commands_read_bandpowers(maps, capsys, suffix):
    run(f"{LINE} --method master -o cl{suffix}")
    run(f"info cl{suffix}")
    said = capsys.readouterr().out
    assert (
        "bandpowers, quantity C_l, bins 2, lmin 2, lmax 15" in said and "error of TT [mK^2]" in said
    )
    run(f"convert cl{suffix} back.npz")
    first, back = io.read_bandpowers(f"cl{suffix}"), io.read_bandpowers("back.npz")
    assert back.units == first.units and back.frame == first.frame == "galactic"
    assert_close(back.values, first.values)
    assert_close(back.errors, first.errors)
    run(f"plot cl{suffix} -o cl.png --field TT,EE --title Bandpowers")
    for line in (
        f"simulate cl{suffix} --n 1 -o skies",
        f"smooth cl{suffix} --fwhm 1deg -o no.fits",
    ):
        assert refused(capsys, line, 1)
    assert "--grid: not applicable" in refused(capsys, f"convert cl{suffix} no.npz --grid mw:4", 2)


def test_text_has_no_windows(maps, capsys):
    run(f"{LINE} --method master -o cl.fits")
    run("convert cl.fits cl.txt --field TT")
    assert "windows" in capsys.readouterr().out
    assert list(io.read_bandpowers("cl.txt").values) == ["TT"]


def test_values_only(maps):
    run(f"{LINE} -o cl.npy")
    assert np.load("cl.npy").shape == (6, 2)


def test_an_output_does_not_replace_an_input(maps, capsys):
    for option in ("--cross", "--half"):
        said = refused(capsys, f"{LINE} {option} two.fits -o two.fits --force", 2)
        assert f"is {option} of this command" in said
