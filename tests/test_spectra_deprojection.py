"""Deprojected templates: the projection, and the bias against the exact mean of all modes."""

import autograd.numpy as anp
import numpy as np
import pytest
from helpers.data import oracle
from tolerances import CHAIN, IDENTITY, NAMASTER, SHORT_SUM, SINGLE_VALUES

import spherekit as sk
from spherekit.conventions import degrees, eb_to_spin, from_real
from spherekit.sampling import GL, HEALPix
from spherekit.spectra import (
    Mask,
    deproject,
    deprojection_bias,
    gaussian_flm,
    masked_field,
    pseudo_power,
    remove_monopole_dipole,
)
from spherekit.testing import assert_gradient

L = 6
GRID = GL(12)
RNG = np.random.default_rng(0)


def mask_of(seed):
    f = sk.inverse(gaussian_flm(np.ones(3), 3, seed), 3, sampling=GRID, reality=True)
    return Mask(f - f.min() + 0.1, L, GRID)


def templates_of(spin, n=2):
    f = RNG.standard_normal((n, *GRID.shape))
    return f if spin == 0 else f + 1j * RNG.standard_normal((n, *GRID.shape))


def field_of(f, mask, spin, purify=""):
    return masked_field(f, L, mask, spin=spin, sampling=GRID, purify=purify)


@pytest.mark.parametrize("spin", [0, 2])
def test_nothing_like_the_templates_remains(spin):
    mask, templates = mask_of(0), templates_of(spin)
    f = templates_of(spin, 3)
    cleaned, amplitudes = deproject(f, mask, templates, spin=spin, sampling=GRID)
    weights = GRID.weights * mask.values**2
    products = np.einsum("nij,kij->nk", templates.conj() * weights, cleaned).real
    assert abs(products).max() < IDENTITY * (weights.sum() * len(f))
    combined = f + np.tensordot([[1.0, 2], [3, 4], [5, 6]], templates, axes=1)
    again = deproject(combined, mask, templates, spin=spin, sampling=GRID)
    assert np.allclose(again.amplitudes, amplitudes + [[1, 2], [3, 4], [5, 6]], rtol=0, atol=CHAIN)
    assert np.allclose(again.cleaned, cleaned, rtol=0, atol=CHAIN)


def test_monopole_and_dipole_are_templates():
    """Weights are the mask in one function, and its square in the other."""
    grid = HEALPix(8)
    x, y, z = grid_directions(grid)
    f = 3 + 2 * x - y + RNG.standard_normal(768)
    mask = (z < 0.7) * 1.0
    expected = remove_monopole_dipole(f, sampling=grid, mask=mask)
    cleaned, amplitudes = deproject(f, mask, np.stack([1 + 0 * x, x, y, z]), sampling=grid)
    assert np.allclose(amplitudes, [expected.monopole, *expected.dipole], rtol=0, atol=CHAIN)
    assert np.allclose(cleaned, np.where(mask > 0, expected.cleaned, 0), rtol=0, atol=CHAIN)


def grid_directions(grid):
    sine = np.sin(grid.theta)
    return sine * np.cos(grid.phi), sine * np.sin(grid.phi), np.cos(grid.theta)


def real_modes(names, cl):
    """Samples of T, and of Q + i U, of every real mode, each with the square root of its spectrum."""
    n = L * L
    basis = from_real(np.eye(n))
    factors = {name: np.sqrt(cl.get(2 * name, np.zeros(L)))[degrees(L)] for name in "TEB"}
    zeros = np.zeros((n, n), complex)
    for name in names:
        signals = {x: zeros for x in "TEB"} | {name: basis * factors[name]}
        T = sk.inverse(signals["T"], L, sampling=GRID, reality=True)
        P = sk.inverse(eb_to_spin(signals["E"], signals["B"], spin=2), L, spin=2, sampling=GRID)
        yield T, P


@pytest.mark.parametrize(
    ("spins", "purify"),
    [((0, 0), ""), ((2, 2), ""), ((2, 2), "B"), ((2, 2), "EB"), ((0, 2), "B"), ((0, 2), "")],
)
@pytest.mark.parametrize("deprojected", [(True, True), (True, False), (False, True)])
def test_bias_is_the_exact_mean(spins, purify, deprojected):
    """The sum over independent modes, T and E fully correlated, is the mean of pseudo-spectra."""
    ell = np.arange(L)
    cl = {"TT": 1 / (ell + 1.0), "EE": 2 / (ell + 2.0) ** 2, "BB": 1 / (ell + 4.0)}
    cl["EE"][:2] = cl["BB"][:2] = 0
    cl["TE"] = np.sqrt(cl["TT"] * cl["EE"])
    masks = mask_of(1), mask_of(2)
    templates = [
        templates_of(s) if used else None for s, used in zip(spins, deprojected, strict=True)
    ]
    T_modes, E_modes, B_modes = (list(real_modes(name, cl))[0] for name in "TEB")
    skies = (T_modes[0], E_modes[1]), (0 * T_modes[0], B_modes[1])
    total = 0.0
    for sky in skies:
        for sign, used in ((1, templates), (-1, [None, None])):
            fields = []
            for spin, mask, t in zip(spins, masks, used, strict=True):
                f = sky[0] if spin == 0 else sky[1]
                if t is not None:
                    f = deproject(f, mask, t, spin=spin, sampling=GRID).cleaned
                fields.append(field_of(f, mask, spin, purify if spin else ""))
            total = total + sign * pseudo_power(*fields).sum(axis=0)
    fields = [
        field_of(np.zeros(GRID.shape) + (0j if s else 0), mask, s, purify if s else "")
        for s, mask in zip(spins, masks, strict=True)
    ]
    bias = deprojection_bias(*fields, cl=cl, templates=templates[0], templates2=templates[1])
    assert np.allclose(bias, total, rtol=0, atol=CHAIN * abs(total).max())


def test_one_field():
    mask, templates = mask_of(3), templates_of(2)
    P = field_of(np.zeros(GRID.shape) + 0j, mask, 2)
    cl = {"EE": np.ones(L), "BB": np.full(L, 0.1)}
    expected = deprojection_bias(P, P, cl=cl, templates=templates, templates2=templates)
    assert (deprojection_bias(P, cl=cl, templates=templates) == expected).all()
    assert expected[[0, 3]].sum() < 0


def test_missing_samples_and_single_precision():
    grid = HEALPix(4)
    mask = grid.theta < 2
    f, template = RNG.standard_normal((2, 192))
    f[~mask] = np.nan
    expected = deproject(f, mask, [np.where(mask, template, np.inf)], sampling=grid)
    assert (expected.cleaned[~mask] == 0).all()
    single = deproject(f.astype(np.float32), mask, [template], sampling=grid)
    assert single.cleaned.dtype == np.float32
    assert np.allclose(single.cleaned, expected.cleaned, rtol=0, atol=10 * SINGLE_VALUES)


@pytest.mark.parametrize("spin", [0, 2])
def test_gradients(spin):
    mask, templates = mask_of(4), templates_of(spin)
    f = templates_of(spin, 1)[0]

    def spectrum(x):
        cleaned, amplitudes = deproject(x, mask, templates, spin=spin, sampling=GRID)
        return anp.sum(pseudo_power(field_of(cleaned, mask, spin))) + anp.sum(amplitudes**2)

    assert_gradient(spectrum, f, order=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            dict(templates=[np.ones(48), np.full(48, 3.0)]),
            ValueError,
            "0, 1 are linearly dependent",
        ),
        (dict(templates=[np.r_[np.zeros(40), np.ones(8)]]), ValueError, "template.s. 0 are zero"),
        (dict(templates=np.ones(48)), ValueError, "templates has shape"),
        (dict(templates=np.ones((1, 47))), ValueError, "templates has shape"),
        (dict(templates=[np.full(48, np.nan)]), ValueError, "NaN"),
        (dict(templates=[np.ones(48) + 0j]), TypeError, "templates is complex"),
        (dict(f=np.ones(48) + 0j), TypeError, "f is complex"),
        (dict(f=np.ones(47)), ValueError, "shape"),
        (dict(mask=-np.ones(48)), ValueError, "weights >= 0"),
        (dict(mask=Mask(np.ones(12), 2, "healpix:1")), ValueError, "pass one grid"),
    ],
)
def test_invalid_arguments(options, error, message):
    mask = np.r_[np.ones(40), np.zeros(8)]
    arguments = dict(f=np.ones(48), mask=mask, templates=[np.ones(48)], sampling="healpix:2")
    with pytest.raises(error, match=message):
        deproject(**arguments | options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(templates=None), ValueError, "templates are missing"),
        (dict(field=3), TypeError, "expected a MaskedField"),
        (dict(cl={"TT": np.ones(L - 1)}), ValueError, "at least 6"),
        (
            dict(field2=masked_field(np.ones(48), L, sampling="healpix:2")),
            ValueError,
            "expected the same",
        ),
    ],
)
def test_invalid_arguments_of_the_bias(options, error, message):
    T = field_of(np.zeros(GRID.shape), mask_of(5), 0)
    arguments = dict(field=T, cl={"TT": np.ones(L)}, templates=templates_of(0)) | options
    with pytest.raises(error, match=message):
        deprojection_bias(**arguments)


def test_a_template_of_one_degree_removes_one_mode():
    template = np.cos(GRID.theta)[:, None] * np.ones(GRID.shape)
    T = field_of(np.zeros(GRID.shape), None, 0)
    bias = deprojection_bias(T, cl={"TT": np.full(L, 2.0)}, templates=[template])
    assert np.allclose(bias[0], [0, -2 / 3, 0, 0, 0, 0], rtol=0, atol=SHORT_SUM)


@pytest.mark.parametrize("iterations", [0, 3])
@pytest.mark.parametrize(("a", "b"), ["TT", "TP", "PP", "BB"])
def test_values_of_namaster(iterations, a, b):
    """Amplitudes, pseudo-spectra and their bias; not the bias of purified fields, where NaMaster's is not the
    exact mean (see `test_bias_is_the_exact_mean`)."""
    stored = oracle("namaster")
    grid = HEALPix(16, weights="equal")
    mask = Mask(stored["apodized_C1"], 48, grid, iterations)
    T, Q, U = stored["maps"] / 256.0
    of_T, of_Q, of_U = stored["templates"].swapaxes(0, 1) / 256.0
    fields, templates, amplitudes = [], [], []
    for name in (a, b):
        f, t, spin = (T, of_T, 0) if name == "T" else (Q + 1j * U, of_Q + 1j * of_U, 2)
        cleaned, fitted = deproject(f, mask, t, spin=spin, sampling=grid)
        options = dict(spin=spin, sampling=grid, purify="B" if name == "B" else "")
        fields.append(masked_field(cleaned, 48, mask, **options))
        templates.append(t)
        amplitudes.append(fitted)
    label = f"{a}d_{b}d"
    expected = {x: stored[f"iter{iterations}_{x}_{label}"] for x in ("alphas", "pseudo", "bias")}
    cl = dict(zip(("TT", "EE", "BB", "TE"), stored["guess"], strict=True))
    results = {"alphas": np.stack(amplitudes), "pseudo": pseudo_power(*fields)}
    if b != "B":
        options = dict(templates=templates[0], templates2=templates[1])
        results["bias"] = deprojection_bias(*fields, cl=cl, **options)
    for name, result in results.items():
        scale = abs(expected[name]).max()
        assert np.allclose(result, expected[name], rtol=0, atol=NAMASTER * scale), name
