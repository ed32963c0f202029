"""Bandpowers of simulated skies against theory: a small run here, the one of the documentation if slow."""

import numpy as np
import pytest
from helpers.data import real_file
from tolerances import IDENTITY

from spherekit.bench import bandpowers
from spherekit.bench.bandpower_statistics import compare, table
from spherekit.bench.bandpowers import CHUNK, SPECTRA, Survey, run, tensor_bb

#: Standard errors that no bin may exceed, and the smallest probability of a chi-square.
WORST, SMALLEST = 4.5, 1e-3


def check(results, names=SPECTRA):
    for name in names:
        result = results[name]
        assert result.p_value > SMALLEST, name
        assert abs(result.pulls).max() < WORST, name
        assert abs(result.variance_pulls).max() < WORST, name


def test_small_run(tmp_path, capsys):
    """On few pixels pure B modes contain E modes by the quadrature: they are compared in the full run."""
    arguments = ["-o", str(tmp_path), "--nside", "16", "--width", "6", "--noise", "30"]
    bandpowers.main([*arguments, "--simulations", str(5 * CHUNK)])
    assert capsys.readouterr().out.count("\n") == 2 + len(SPECTRA)
    results = run(Survey(nside=16, width=6, noise=30.0), 5 * CHUNK, tmp_path)
    check(results, SPECTRA[:-1])
    assert abs(np.mean([results[name].ratios.mean() for name in SPECTRA[:-1]]) - 1) < 0.1
    assert (tmp_path / "comparison.png").read_bytes()[1:4] == b"PNG"
    assert (tmp_path / "comparison.txt").read_text(encoding="utf-8") == table(results)


@pytest.mark.slow
def test_full_run(tmp_path):
    """400 skies of nside 64 behind the Planck galactic mask, r = 0.01: bias, variances and pure B modes."""
    mask = str(real_file("sky_maps", "GAL_PlanckMasks_64.npz"))
    results = run(Survey(mask=mask, mask_field="GAL060"), 400, tmp_path)
    check(results)
    for name, result in results.items():
        assert abs(result.ratios.mean() - 1) < 0.05, name


def test_a_stopped_run_goes_on(tmp_path, monkeypatch):
    survey = Survey(nside=8, width=4, apodization=30.0)
    first = run(survey, 2 * CHUNK, tmp_path)
    (tmp_path / "simulations_00020.npz").unlink()
    simulated = []
    original = Survey.simulate

    def counted(self, numbers):
        simulated.append(list(numbers))
        return original(self, numbers)

    monkeypatch.setattr(Survey, "simulate", counted)
    again = run(survey, 2 * CHUNK, tmp_path)
    assert simulated == [list(range(CHUNK, 2 * CHUNK))]
    for name in SPECTRA:
        assert np.allclose(again[name].mean, first[name].mean, rtol=IDENTITY, atol=0)


def test_a_folder_with_another_survey_is_refused(tmp_path):
    run(Survey(nside=8, width=4, apodization=30.0), CHUNK, tmp_path)
    with pytest.raises(ValueError, match=r"another width \(width=4\); pass another folder"):
        run(Survey(nside=8, width=5, apodization=30.0), CHUNK, tmp_path)


def test_masks_of_files(tmp_path):
    path = tmp_path / "masks.npz"
    mask = np.arange(12 * 16**2) > 1000
    np.savez(path, a=mask, b=~mask)
    weights = {
        nside: Survey(nside=nside, mask=str(path), mask_field="a").weights for nside in (8, 16, 32)
    }
    fractions = [w.fraction for w in weights.values()]
    assert np.ptp(fractions) < 0.02
    with pytest.raises(ValueError, match="has the masks a, b"):
        _ = Survey(mask=str(path)).weights


def test_tensor_modes_grow_with_r():
    assert np.allclose(tensor_bb(0.02, 64), 2 * tensor_bb(0.01, 64), rtol=IDENTITY, atol=0)
    assert (tensor_bb(0.01, 64)[2:] > 0).all() and (tensor_bb(0.01, 64)[:2] == 0).all()


def test_statistics_of_gaussian_numbers():
    """The distribution of the p-value is uniform, and the pulls have variance 1."""
    rng = np.random.default_rng(0)
    results = [
        compare(rng.standard_normal((40, 4)) * [1, 2, 3, 4], np.zeros(4), np.arange(1.0, 5))
        for _ in range(400)
    ]
    p = np.array([x.p_value for x in results])
    assert abs(p.mean() - 0.5) < 4.5 / np.sqrt(12 * 400)
    assert abs(np.std([x.pulls for x in results]) - 1) < 0.1
    assert abs(np.mean([x.ratios for x in results]) - 1) < 0.1
