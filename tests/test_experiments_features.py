"""What is measured of skies, and its cache."""

import json
import os
import threading

import numpy as np
import pytest
from tolerances import CHAIN

import spherekit
from spherekit.experiments import blocks
from spherekit.experiments.blocks import load
from spherekit.experiments.gaussianity import features, skies
from spherekit.experiments.gaussianity.features import Settings, collect, measure, moments
from spherekit.sampling import GL
from spherekit.spectra import power
from spherekit.testing import random_flm
from spherekit.wavelets import Wavelets

SMALL = Settings(16, "strings", 0.5, J0=2, oversample=1)


def same(one, other):
    for name in one:
        if name != "seconds":
            np.testing.assert_array_equal(one[name], other[name])


def test_measured_by_definition():
    S, flm = SMALL.scattering(), skies.sky("strings", 16, 0)
    found = measure(flm, S)
    np.testing.assert_array_equal(found["scattering"], S.from_flm(flm).astype(np.complex64))
    np.testing.assert_array_equal(found["cl"], power(flm))
    np.testing.assert_array_equal(found["low"], flm.astype(np.complex64))
    assert found["point"].tolist() == list(moments(flm, 16))
    w, fine = Wavelets(16, J0=2, reality=True), GL(40)
    assert len(found["bands"]) == len(w.scales)
    for (skewness, kurtosis), kappa in zip(found["bands"], w.kappa.values(), strict=True):
        band = flm * np.repeat(kappa, 2 * np.arange(16) + 1)
        f = spherekit.inverse(band, 16, sampling=fine, reality=True)
        f, weights = f / np.sqrt(power(band) @ (2 * np.arange(16) + 1)), 4 * np.pi * fine.weights
        assert skewness == pytest.approx(np.sum(weights * f**3) * (4 * np.pi) ** -0.5, abs=CHAIN)
        limit = np.flatnonzero(kappa)[-1] + 1
        assert (skewness, kurtosis) == moments(band[: limit**2], limit, oversample=1.5)


@pytest.mark.parametrize("oversample, grid", [(1, GL(12)), (1.5, GL(18)), (2, GL(24)), (2, GL(40))])
def test_moments_by_definition(oversample, grid):
    flm = skies.sky("oscillator", 12, 0)
    grid = grid.quick()
    f = spherekit.inverse(flm, 12, sampling=grid, reality=True)
    w = np.broadcast_to(grid.weights, grid.shape) / (4 * np.pi)
    deviation = np.sqrt(np.average(f**2, weights=w))
    wanted = [np.average((f / deviation) ** k, weights=w) for k in (3, 4)]
    found = moments(flm, 12, oversample=oversample)
    np.testing.assert_allclose(found, (wanted[0], wanted[1] - 3), rtol=0, atol=CHAIN)


def test_a_constant_has_no_moments():
    with pytest.raises(ValueError, match="constant"):
        moments(np.zeros(9, complex), 3)


@pytest.mark.parametrize("L, J0", [(16, 2), (64, 3), (128, 4)])
def test_features_of_a_batch_are_those_of_single_skies(L, J0):
    """Bit by bit, so that the results do not depend on which skies are missing in a folder."""
    S = Settings(L, J0=J0).scattering()
    flm = np.stack([skies.sky("gaussian", L, i) for i in range(features.batch_size(L))])
    assert len(flm) > 1 and features.batch_size(2 * 128) == 1
    for arrays, x in zip(features.measure_batch(flm, S), flm, strict=True):
        expected = measure(x, S)
        assert arrays.keys() == expected.keys()
        for name in expected.keys() - {"seconds"}:
            np.testing.assert_array_equal(arrays[name], expected[name], err_msg=name)


def test_blocks_are_computed_ahead(tmp_path):
    """The next block is started before the current one is complete; errors stop the pool."""
    second_block = threading.Event()

    def measure_of(indices):
        if 4 in indices:
            second_block.set()
        elif 3 in indices:
            assert second_block.wait(60)
        return [{"x": np.array(i)} for i in indices]

    options = dict(workers=2, block=4, batch=2)
    assert blocks.fill(tmp_path / "a", {}, 9, measure_of, **options)["x"].tolist() == [*range(9)]
    calls = []

    def fail(indices):
        calls.append(indices[0])
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        blocks.fill(tmp_path / "b", {}, 1000, fail, workers=1, block=2)
    assert len(calls) <= 6


def test_collect_goes_on(tmp_path):
    """After a failure nothing whole is lost; whatever the workers and blocks, the numbers are the same."""
    whole = collect(tmp_path / "one", SMALL, 7, workers=2, block=3)
    assert {len(x) for x in whole.values()} == {7} and whole["seconds"].shape == (7, 3)

    def stop(held):
        if held == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(tmp_path / "two", SMALL, 7, block=2, progress=stop)
    assert len(load(tmp_path / "two")["cl"]) == 4
    seen = []
    same(whole, collect(tmp_path / "two", SMALL, 7, block=5, progress=seen.append))
    assert seen == [5, 6, 7]
    more = collect(tmp_path / "two", SMALL, 9)
    same(whole, {name: x[:7] for name, x in more.items()})
    same(whole, collect(tmp_path / "two", SMALL, 7))
    assert not [name for name in os.listdir(tmp_path / "two") if "tmp" in name]


def test_a_lost_block_is_made_again(tmp_path):
    whole = collect(tmp_path, SMALL, 6, block=2)
    os.remove(tmp_path / "skies-000002-000004.npz")
    with pytest.raises(ValueError, match="contains 4 signals"):
        load(tmp_path, 6)
    same(whole, collect(tmp_path, SMALL, 6, block=4))


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(L=17), "L = 16; expected L = 17"),
        (dict(strength=0.25), "strength = 0.5; expected strength = 0.25"),
        (dict(seed=1), "seed"),
        (dict(oversample=2), "oversample = 1.0; expected oversample = 2.0"),
        (dict(equalised=False), "equalised"),
    ],
)
def test_other_settings_are_refused(tmp_path, change, words):
    collect(tmp_path, SMALL, 1)
    with pytest.raises(ValueError, match=words):
        collect(tmp_path, SMALL._replace(**change), 1)


def test_two_runs_may_measure_at_once(tmp_path):
    """Blocks that overlap are read once; the manifest of either is that of both."""
    whole = collect(tmp_path, SMALL, 6, block=6)
    os.rename(tmp_path / "skies-000000-000006.npz", tmp_path / "aside")
    collect(tmp_path, SMALL, 4, block=2)
    os.rename(tmp_path / "aside", tmp_path / "skies-000000-000006.npz")
    assert len(list(tmp_path.glob("*.npz"))) == 3
    same(whole, load(tmp_path, 6))
    same(whole, load(tmp_path))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".manifest.json.0123.tmp").touch()  # that another run is writing
    collect(tmp_path / "b", SMALL, 1)


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    collect(tmp_path / "a", SMALL, 1)
    path = tmp_path / "a" / "skies-000000-000001.npz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="skies-000000-000001.npz"):
        collect(tmp_path / "a", SMALL, 1)
    (tmp_path / "a" / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        collect(tmp_path / "a", SMALL, 1)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").touch()
    with pytest.raises(ValueError, match="no manifest.json"):
        collect(tmp_path / "b", SMALL, 1)
    with pytest.raises(ValueError, match="contains no signals"):
        load(tmp_path / "b")
    with pytest.raises(ValueError, match="expected an integer >= 1"):
        collect(tmp_path / "c", SMALL, 0)


def test_manifest_names_the_settings(tmp_path):
    collect(tmp_path, Settings(16, "strings", J0=2), 1)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["settings"]["strength"] == skies.default_strength("strings", 16)
    assert Settings(**manifest["settings"]) == Settings(16, "strings", J0=2).validate()
    assert list(blocks.runs([1, 2, 3, 5, 6], 2)) == [[1, 2], [3], [5, 6]]


@pytest.mark.parametrize(
    "change", [dict(J0=7), dict(depth=-1), dict(oversample=0.5), dict(recipe="x"), dict(strength=2)]
)
def test_impossible_settings(change):
    with pytest.raises(ValueError):
        SMALL._replace(**change).validate()


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-300, 2.0**300, 2.0**900])
def test_moments_of_any_scale(scale, rng):
    """Skewness and kurtosis have no unit; cubes and fourth powers of the samples need not be numbers."""
    flm = random_flm(8, rng, reality=True)
    assert moments(scale * flm, 8) == moments(flm, 8)


@pytest.mark.parametrize(
    "n, options", [(2.0, {}), ("2", {}), (2, dict(workers=True)), (2, dict(block=1.5))]
)
def test_numbers_that_are_none(n, options, tmp_path):
    with pytest.raises(TypeError, match="expected an integer >= 1"):
        collect(tmp_path / "a", SMALL, n, **options)


@pytest.mark.parametrize(
    "change", [dict(strength="0.5"), dict(strength=True), dict(seed=1.0), dict(oversample="2")]
)
def test_settings_that_are_none(change):
    with pytest.raises(TypeError, match="is .*; expected"):
        SMALL._replace(**change).validate()
