"""Probes, the comparison of methods and its pictures."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from tolerances import DEFINITION, IDENTITY, SHORT_SUM

from spherekit.experiments import gaussianity
from spherekit.experiments.gaussianity import compare, plots, probes, skies
from spherekit.experiments.gaussianity.data import folder_name
from spherekit.experiments.gaussianity.features import Settings, collect, measure
from spherekit.spectra import power


def two_clouds(rng, n=40, features=3, apart=1.0):
    x = rng.standard_normal((2 * n, features)) * [1, 10, 0.1][:features] + [5, 0, 0][:features]
    y = np.arange(2 * n) >= n
    x[y, 0] += apart
    return x, y


def test_logistic_is_the_minimum(rng):
    """Against Nelder-Mead's on the definition, with the bias left free."""
    x, y = two_clouds(rng)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    t = np.where(y, 1, -1)

    def loss(w):
        return w[:-1] @ w[:-1] / 2 + 0.1 * np.log1p(np.exp(-t * (z @ w[:-1] + w[-1]))).sum()

    fit = probes.logistic(x, y)
    found = np.append(fit.weights, fit.bias)
    exact = minimize(loss, np.zeros(4), method="Nelder-Mead", options=dict(xatol=1e-9, fatol=1e-13))
    assert loss(found) <= exact.fun + 1e-11
    # near a minimum the loss is flat: Nelder-Mead stops at about the root of its fatol
    np.testing.assert_allclose(found, exact.x, rtol=0, atol=3e-7)
    np.testing.assert_array_equal(fit.decide(x), z @ found[:-1] + found[-1] > 0)


def test_logistic_does_not_see_units(rng):
    x, y = two_clouds(rng)
    one, other = probes.logistic(x, y), probes.logistic(1e6 * x + 3, y)
    np.testing.assert_allclose(one.weights, other.weights, rtol=0, atol=IDENTITY)
    constant = probes.logistic(np.hstack([x, np.ones((80, 1))]), y)
    assert constant.weights[3] == 0 and np.isfinite(constant.weights).all()


def test_penalty_by_number_of_features(rng):
    x, y = rng.standard_normal((20, 151)), np.arange(20) > 9
    np.testing.assert_array_equal(
        probes.logistic(x, y).weights, probes.logistic(x, y, 0.002).weights
    )
    np.testing.assert_array_equal(
        probes.logistic(x[:, :150], y).weights, probes.logistic(x[:, :150], y, 0.1).weights
    )


@pytest.mark.parametrize(
    "x, y, words",
    [
        (np.ones((3, 2)), [0, 0, 0], "one class"),
        (np.ones((3, 2)), [0, 1], "shape"),
        (np.full((2, 1), np.nan), [0, 1], "NaN"),
    ],
)
def test_logistic_refuses(x, y, words):
    with pytest.raises(ValueError, match=words):
        probes.logistic(x, y)


def test_splits_are_halves():
    """Seeded as the recipe says: class 0, then class 1, by one generator."""
    made = list(probes.splits(10, 6))
    assert len(made) == 5
    for p, (training, test) in enumerate(made):
        rng = np.random.default_rng([77, p])
        one, other = rng.permutation(10), 10 + rng.permutation(6)
        assert set(training) == {*one[:5], *other[:3]} and set(test) == {*one[5:], *other[3:]}


def test_accuracy_of_noise_and_of_signal(rng):
    noise = rng.standard_normal((2, 200, 3))
    found = probes.accuracy(*noise)
    low, high = probes.chance_band(200)
    assert low < found.mean < high
    assert found.error == pytest.approx(np.std(found.each, ddof=1) / math.sqrt(5))
    assert probes.accuracy(noise[0], noise[1] + 9).mean == 100
    with pytest.raises(ValueError, match="at least 2 of each"):
        probes.accuracy(noise[0][:1], noise[1])


def test_chance_band():
    low, high = probes.chance_band(100)
    assert (low, high) == (40, 60)


def some(L=40, n=3, J0=2):
    S = Settings(L, J0=J0, oversample=1).scattering()
    made = [skies.sky("strings", L, i) for i in range(n)]
    found = [measure(flm, S) for flm in made]
    return {key: np.stack([one[key] for one in found]) for key in found[0]}, S, made


def test_features_by_definition():
    found, S, made = some()
    outputs = np.stack([S.from_flm(flm) for flm in made])[:, 1:]
    mean, variance = (
        np.log(outputs[..., 0].real),
        np.log((np.abs(outputs[..., 1:]) ** 2).sum(-1) / 4 / np.pi),
    )
    orders = np.array([path.order for path in S.paths[1:]])
    close = dict(
        rtol=0, atol=DEFINITION[np.dtype(np.float32)]
    )  # logs of what is stored as complex64
    np.testing.assert_allclose(probes.means(found, S), mean, **close)
    np.testing.assert_allclose(probes.scattering(found, S), np.hstack([mean, variance]), **close)
    first = np.hstack([mean[:, orders == 1], variance[:, orders == 1]])
    np.testing.assert_allclose(probes.first_order(found, S), first, **close)
    cl = np.stack([power(flm) for flm in made])
    np.testing.assert_allclose(probes.spectrum(found, S), np.log(cl[:, 2:]), rtol=0, atol=SHORT_SUM)
    skewness, kurtosis = found["bands"][..., 0], found["bands"][..., 1]
    np.testing.assert_array_equal(
        probes.band_moments(found, S), np.hstack([skewness, kurtosis, skewness**2])
    )
    assert probes.one_point(found, S).shape == (3, 4)


def test_spectrum_in_bins():
    """Means of log C_l over bins that cover every degree once, weighted by 2l+1."""
    found, S, _ = some(L=64)
    made = probes.spectrum_bins(found, S, bins=4)
    edges = np.unique(np.geomspace(2, 64, 5).round().astype(int))
    for k in range(4):
        ell = np.arange(edges[k], edges[k + 1])
        wanted = np.average(np.log(found["cl"][:, ell]), axis=1, weights=2 * ell + 1)
        np.testing.assert_allclose(made[:, k], wanted, rtol=SHORT_SUM)
    assert edges[0] == 2 and edges[-1] == 64


def test_low_resolution_holds_the_map_below_32():
    found, S, made = some()
    x = probes.low_resolution(found, S)
    assert x.shape == (3, 32 * 32 - 4)
    norm = [np.linalg.norm(flm[: 32 * 32]) for flm in made]
    ell = np.repeat(np.arange(32), 2 * np.arange(32) + 1)
    m = np.arange(1024) - ell * ell - ell
    zonal = np.linalg.norm([flm[:1024][m == 0].real for flm in made], axis=1)
    single = DEFINITION[np.dtype(np.float32)]  # stored as complex64
    np.testing.assert_allclose(2 * np.sum(x**2, axis=1) - zonal**2, np.square(norm), rtol=single)
    assert np.isfinite(probes.low_scattering(found, S)).all()


# --- the comparison ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Strong strings at L = 32: every method but the controls sees them."""
    seen = []
    options = dict(strength=0.9, n=60, J0=2, oversample=1, progress=lambda *step: seen.append(step))
    folder = tmp_path_factory.mktemp("skies")
    return folder, options, compare(folder, "strings", 32, **options), seen


def test_comparison(small):
    folder, options, found, seen = small
    low, high = found.band
    assert (low, high) == probes.chance_band(60)
    assert found.row("scattering").accuracy.mean > 85
    for name in ("cl", "cl-every"):
        assert low < found.row(name).accuracy.mean < high
    assert all(low - 4 < row.null.mean < high + 4 for row in found.rows)
    assert seen[-1] == (180, 180) and len(seen) == 180
    assert sorted(path.name for path in folder.iterdir()) == [
        "L32-gaussian-0-J2-d2-o1-seed0",
        "L32-strings-0-J2-d2-o1-seed0",
        "L32-strings-0.9-J2-d2-o1-seed0",
    ]
    again = compare(folder, "strings", 32, **options)
    assert again == found and len(seen) == 180


def test_rows_are_probes_of_the_stored_skies(small):
    folder, _, found, _ = small
    sets = [
        Settings(32, r, s, J0=2, oversample=1) for r, s in (("gaussian", 0.0), ("strings", 0.9))
    ]
    stored = [collect(folder / folder_name(s.validate()), s, 60) for s in sets]
    S = sets[0].scattering()
    wanted = probes.accuracy(*(probes.band_moments(one, S) for one in stored))
    assert found.row("bands").accuracy == wanted


def test_networks_are_rows_too(small):
    folder, options, found, _ = small
    networks = dict(epochs=2, batch_size=30, count=2)
    rows = compare(folder, "strings", 32, **options, networks=networks).rows
    assert rows[:-2] == found.rows
    assert [row.name for row in rows[-2:]] == ["network-low", "network"]
    assert [row.title for row in rows[-2:]] == [
        "small network, map of degrees < 4",
        "small network, scattering",
    ]
    assert all(len(row.accuracy.each) == 2 and row.null is None for row in rows[-2:])


def test_table(small):
    lines = list(gaussianity.table(small[2]))
    assert lines[0].startswith("strings, strength 0.9, L = 32, 60 skies of each class")
    assert len(lines) == 5 + len(probes.PROBES)
    row = small[2].row("scattering")
    assert f"{row.accuracy.mean:5.1f} +- {row.accuracy.error:.1f}" in lines[-2]


def test_without_equalising_the_spectrum_tells(tmp_path):
    """Pitfall 2 of the recipe: that is what the exchange of C_l is for."""
    options = dict(strength=0.4, n=60, J0=2, oversample=1, methods=["cl"], null=False)
    for equalised in (True, False):
        found = compare(tmp_path, "modulated", 32, equalised=equalised, **options)
        accuracy = found.row("cl").accuracy.mean
        assert accuracy > 80 if not equalised else accuracy < found.band[1]


def test_figures(small, tmp_path):
    result = small[2]
    for name, ax in (("bars", plots.bars(result)), ("strengths", plots.strengths([result]))):
        ax.figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10000
    extra = [gaussianity.Row("net", "network", result.rows[0].accuracy, None)]
    assert len(plots.bars(result, extra=extra).get_yticks()) == len(result.rows) + 1


def test_threshold():
    """Where the line between two strengths passes the level, in whatever order they come."""
    assert gaussianity.threshold([0.3, 0.1, 0.2], [90, 50, 70], 75) == pytest.approx(0.225)
    assert math.isnan(gaussianity.threshold([0.1, 0.2], [50, 60], 75))
    assert gaussianity.threshold([0.1, 0.2], [80, 60], 75) == 0.1
    for accuracies in ([80], [80, 60, 50]):
        words = (
            f"strengths has 2 entries and accuracies {len(accuracies)}; expected the same number"
        )
        with pytest.raises(ValueError, match=words):
            gaussianity.threshold([0.1, 0.2], accuracies, 75)


def test_a_table_of_something_else():
    with pytest.raises(TypeError, match="result is 3; expected a Comparison"):
        gaussianity.table(3)


def test_comparison_refuses(tmp_path):
    with pytest.raises(ValueError, match="methods must be among cl"):
        compare(tmp_path, methods=["x"])
    with pytest.raises(ValueError, match="n is .; expected an integer >= 4"):
        compare(tmp_path, n=3)
    with pytest.raises(ValueError, match="no method 'x'"):
        compare(tmp_path, L=16, n=4, J0=2, oversample=1, null=False, methods=["cl"]).row("x")
    assert len(list(tmp_path.iterdir())) == 2
