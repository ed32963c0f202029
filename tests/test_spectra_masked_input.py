"""Maps and masks as arguments of masked fields: spin, grid, frame, missing samples, precision."""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from tolerances import IDENTITY

from spherekit.io import Map
from spherekit.sampling import HEALPix
from spherekit.spectra import (
    Bins,
    Mask,
    apodize,
    deproject,
    masked_field,
    masked_flm,
    masked_power,
    master,
    pure_coefficients,
)

L = 16
GRID = HEALPix(8)
CAP = GRID.theta < 1.5
SMOOTH = Mask(apodize(CAP, 0.6, sampling=GRID), L, GRID)
Q, U = np.random.default_rng(0).standard_normal((2, GRID.theta.size))
TEMPLATE = np.exp(1j * GRID.theta)[None]
#: Functions of maps of spin 2 that return an array; the grid is that of the mask.
OF_SPIN_2 = {
    "masked_field": lambda f: masked_field(f, L, SMOOTH, spin=2).flm,
    "pure field": lambda f: masked_field(f, L, SMOOTH, spin=2, purify="B").flm,
    "pure_coefficients": lambda f: pure_coefficients(f, L, SMOOTH)[1],
    "deproject": lambda f: deproject(f, SMOOTH, TEMPLATE, spin=2)[0],
}


@pytest.mark.parametrize("name", OF_SPIN_2)
def test_maps_of_spin_2_are_complex_or_name_their_components(name):
    function = OF_SPIN_2[name]
    expected = function(Q + 1j * U)
    assert np.array_equal(function(Map([Q, U], GRID, ("Q", "U"))), expected)
    assert np.array_equal(function(Map([U, Q], GRID, ("U_STOKES", "Q_STOKES"))), expected)
    assert np.array_equal(function(Map([Q, -U], GRID, ("Q", "U"), polcconv="IAU")), expected)
    assert np.array_equal(function(Map(Q - 1j * U, GRID, "P", polcconv="IAU")), expected)
    batch = Map(np.array([[Q, U], [U, Q]]), GRID, ("Q", "U"), axes={"time": [0, 1]})
    np.testing.assert_allclose(function(batch)[0], expected, rtol=0, atol=IDENTITY)
    for real in (np.array([Q, U]), Q, Q.astype(np.float32), CAP, CAP.astype(int)):
        with pytest.raises(TypeError, match=r"maps of spin 2 are complex: pass Q \+ 1j \* U"):
            function(real)
    with pytest.raises(TypeError, match="maps of spin 2 are complex"):
        grad(lambda f: anp.sum(anp.abs(function(f))))(Q)
    for sky in (Map(Q, GRID, "Q"), Map([Q, Q, U], GRID, ("I", "Q", "U"))):
        with pytest.raises(ValueError, match="expected the two components"):
            function(sky)
    with pytest.raises(ValueError, match="is a map of spin 1, and spin is 2"):
        function(Map([Q, U], GRID, ("Q", "U"), spin=1))


def test_templates_of_spin_2_are_complex():
    with pytest.raises(TypeError, match="templates is real"):
        deproject(Q + 1j * U, SMOOTH, TEMPLATE.real, spin=2)


def test_templates_are_a_map():
    of_array = deproject(Q, SMOOTH, [U])
    assert np.array_equal(deproject(Q, SMOOTH, Map(U, GRID, "dust")).cleaned, of_array.cleaned)
    P = Map([TEMPLATE[0].real, TEMPLATE[0].imag], GRID, ("Q", "U"))
    result = deproject(Q + 1j * U, SMOOTH, P, spin=2).cleaned
    assert np.array_equal(result, OF_SPIN_2["deproject"](Q + 1j * U))


def test_maps_of_spin_0():
    sky = Map([Q, U], GRID, ("Q", "U"))
    with pytest.raises(ValueError, match="Q and U for spin 2"):
        masked_field(sky, L)
    assert masked_field(sky.values, L, sampling=GRID).flm.shape == (2, 1, L * L)
    with pytest.raises(TypeError, match="f is complex; maps of spin 0 are real"):
        masked_field(Q + 1j * U, L, SMOOTH)


def test_a_wind_is_a_field_of_spin_1():
    u, v = Q, U
    expected = masked_field(-v + 1j * u, L, CAP, spin=1, sampling=GRID).flm
    for names, values in ((("u", "v"), [u, v]), (("v10", "u10"), [v, u])):
        assert np.array_equal(masked_field(Map(values, GRID, names), L, CAP, spin=1).flm, expected)
    by_order = masked_field(Map([-v, u], GRID, ("a", "b"), polcconv="IAU"), L, CAP, spin=1)
    assert np.array_equal(by_order.flm, expected)
    with pytest.raises(TypeError, match=r"pass -v \+ 1j \* u"):
        masked_field(np.array([u, v]), L, CAP, spin=1, sampling=GRID)


#: Functions of (map, mask) without a sampling.
OF_MAP_AND_MASK = {
    "masked_field": lambda f, mask: masked_field(f, L, mask).flm,
    "masked_flm": lambda f, mask: masked_flm(f, L, mask),
    "masked_power": lambda f, mask: masked_power(f, L, mask),
    "deproject": lambda f, mask: deproject(f, mask, [np.ones(GRID.shape)])[0],
}


@pytest.mark.parametrize("name", OF_MAP_AND_MASK)
def test_maps_and_masks_of_two_frames_are_refused(name):
    function = OF_MAP_AND_MASK[name]
    f = Map(Q, GRID, "T", frame="galactic")
    for mask in (CAP, Map(CAP, GRID), Map(CAP, GRID, frame="galactic")):
        assert np.array_equal(function(f, mask), function(Map(Q, GRID), Map(CAP, GRID)))
    with pytest.raises(ValueError, match="f is galactic and mask is equatorial; rotate one"):
        function(f, Map(CAP, GRID, frame="equatorial"))


def test_masks_state_their_frame():
    mask = Mask(Map(CAP, GRID, frame="equatorial"), L)
    assert (mask.frame, mask.grid) == ("equatorial", GRID)
    f = Map(Q, GRID, "T", frame="galactic")
    P = Map([Q, U], GRID, ("Q", "U"), frame="galactic")
    for function in (
        lambda: masked_field(f, L, mask),
        lambda: pure_coefficients(P, L, mask),
        lambda: deproject(f, mask, [np.ones(GRID.shape)]),
    ):
        with pytest.raises(ValueError, match="galactic and mask is equatorial"):
            function()
    with pytest.raises(ValueError, match="f is galactic and templates is ecliptic"):
        deproject(f, CAP, Map(np.ones(768), GRID, "dust", frame="ecliptic"))
    fields = [masked_field(Q, L, mask), masked_field(P, L, CAP, spin=2)]
    assert [x.mask.frame for x in fields] == ["equatorial", "galactic"]
    for pair in (fields, (fields[0], fields[1])):
        with pytest.raises(ValueError, match="is equatorial and .* is galactic"):
            master(*((pair,) if isinstance(pair, list) else pair), bins=Bins.linear(L, 7))


def test_the_grid_is_stated_by_the_map_or_the_mask():
    expected = masked_field(Q, L, CAP, sampling=GRID)
    for f, mask in ((Map(Q, GRID), CAP), (Q, Map(CAP, GRID)), (Q, Mask(CAP, L, GRID))):
        T = masked_field(f, L, mask)
        assert T.mask.grid == GRID and np.array_equal(T.flm, expected.flm)
    with pytest.raises(ValueError, match="the mask is of HEALPix.nside=8."):
        masked_field(np.ones((L, 2 * L - 1)), L, Mask(CAP, L, GRID), sampling="mw")
    with pytest.raises(ValueError, match="the mask is of HEALPix.nside=8."):
        pure_coefficients(np.ones((L, 2 * L - 1)) + 0j, L, Mask(CAP, L, GRID), sampling="mw")


@pytest.mark.parametrize(
    "function",
    [
        lambda: masked_field(Q, L, CAP),
        lambda: pure_coefficients(Q + 1j * U, L, CAP),
        lambda: masked_flm(Q, L, CAP),
        lambda: Mask(CAP, L),
    ],
)
def test_the_default_grid_is_named(function):
    with pytest.raises(ValueError, match="no sampling was passed, so that it is 'mw' by default"):
        function()


def test_a_grid_is_missing():
    with pytest.raises(TypeError, match="sampling is missing: pass the grid of f"):
        deproject(Q, CAP, [np.ones(GRID.shape)])


@pytest.mark.parametrize("name", OF_MAP_AND_MASK)
def test_the_remedy_for_missing_samples_is_the_mask(name):
    f = Map(np.where(CAP, np.nan, Q), GRID)
    with pytest.raises(ValueError, match="f are NaN .* where mask is not 0; pass a mask") as error:
        OF_MAP_AND_MASK[name](f, Map(CAP, GRID))
    assert "analyse" not in str(error.value)


def test_degrees_beyond_the_pixels_are_warned_of_once():
    mask = apodize(CAP, 0.6, sampling=GRID)
    for options in ({}, dict(spin=2), dict(spin=2, purify="B")):
        f = Q + 1j * U if options else Q
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            masked_field(f, 26, mask, sampling=GRID, **options)
        messages = [str(w.message) for w in caught]
        assert len(messages) == 1 and "beyond 3 nside = 24" in messages[0], messages
        assert "analyse" not in messages[0] and caught[0].filename == __file__


def test_a_width_is_no_window():
    with pytest.raises(ValueError, match=r"of a width pass gaussian_beam\(width, L\)"):
        masked_field(Q, L, CAP, sampling=GRID, beam=0.1)


@pytest.mark.parametrize("name", [*OF_SPIN_2, "deproject T", "masked_field T"])
def test_gradients_have_the_precision_of_the_map(name):
    single = Q.astype(np.float32)
    functions = {
        **{key: lambda f, key=key: OF_SPIN_2[key](f + 1j * f) for key in OF_SPIN_2},
        "deproject T": lambda f: OF_MAP_AND_MASK["deproject"](f, SMOOTH),
        "masked_field T": lambda f: OF_MAP_AND_MASK["masked_field"](f, SMOOTH),
    }
    function = functions[name]
    result = grad(lambda f: anp.sum(anp.abs(function(f)) ** 2))(single)
    assert result.dtype == np.float32
