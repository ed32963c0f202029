"""Maps and coefficients with metadata where functions take arrays: their grid and spin are checked."""

import numpy as np
import pytest
import tolerances

import spherekit
from spherekit import io, plot, sampling, spectra, wigner
from spherekit.wavelets import Wavelets

L = 8
#: Of the same shape: samples on one are no samples on the other.
GRID, OTHER = sampling.grid("gl", L), sampling.grid("mw", L)

FUNCTIONS = {
    "forward": lambda f, grid: spherekit.forward(f, L, sampling=grid),
    "analyse": lambda f, grid: spherekit.analyse(f, L, sampling=grid, reality=True)[0],
    "mask of analyse": lambda f, grid: spherekit.analyse(
        np.ones(grid.shape), 2, sampling=grid, mask=io.Map(f.values > 0, f.grid)
    )[0],
    "weights of analyse": lambda f, grid: spherekit.analyse(
        np.ones(grid.shape), 2, sampling=grid, weights=io.Map(f.values > 0, f.grid)
    )[0],
    "inverse_adjoint": lambda f, grid: spherekit.harmonic.inverse_adjoint(f, L, sampling=grid),
    "rotate_map": lambda f, grid: wigner.rotate_map(f, L, 0, 1, 0, sampling=grid),
    "Wavelets": lambda f, grid: Wavelets(L, sampling=grid, reality=True).analysis(f)[0],
    "masked_flm": lambda f, grid: spectra.masked_flm(f, 3, np.ones(grid.shape), sampling=grid),
    "masked_power": lambda f, grid: spectra.masked_power(f, 3, np.ones(grid.shape), sampling=grid),
    "monopole": lambda f, grid: spectra.remove_monopole_dipole(f, sampling=grid)[0],
    "sky_fraction": lambda f, grid: spectra.sky_fraction(
        io.Map(f.values > 0, f.grid), sampling=grid
    ),
}

MASKS = ("mask of analyse", "weights of analyse", "sky_fraction")


@pytest.fixture
def sky(rng):
    return io.Map(rng.standard_normal(GRID.shape), GRID)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_map_on_another_grid_is_refused(name, sky):
    with pytest.raises(
        ValueError, match=r"on GL\(L=8.*sampling is MW\(L=8.*sampling=(f|mask|weights).grid"
    ):
        FUNCTIONS[name](sky, OTHER)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in MASKS])
def test_a_map_on_the_grid_is_its_samples(name, sky):
    np.testing.assert_array_equal(FUNCTIONS[name](sky, GRID), FUNCTIONS[name](sky.values, GRID))


def test_a_mask_may_be_a_map(sky):
    mask = sky.values > 0
    expected, _ = spherekit.analyse(np.ones(GRID.shape), 2, sampling=GRID, mask=mask)
    for name in ("mask of analyse", "weights of analyse"):
        np.testing.assert_array_equal(FUNCTIONS[name](sky, GRID), expected)
    fraction = spectra.sky_fraction(mask, sampling=GRID)
    assert FUNCTIONS["sky_fraction"](sky, GRID) == fraction


@pytest.mark.parametrize("text", ["healpix:4", "mwss:8", "cc:8", "gl:8,phi0=0.1rad"])
def test_grids_of_maps(text, rng):
    """The grid may be passed, or its name."""
    grid = sampling.grid(text)
    sky = io.Map(rng.standard_normal(grid.shape), grid)
    expected = spherekit.forward(sky.values, 4, sampling=grid)
    for same in (text, sky.grid):
        np.testing.assert_array_equal(spherekit.forward(sky, 4, sampling=same), expected)
    with pytest.raises(ValueError, match=r"sampling=f\.grid"):
        spherekit.forward(sky, 4)


def test_fields_and_axes_are_leading_axes(rng):
    values = rng.standard_normal((2, 3, *GRID.shape))
    sky = io.Map(values, GRID, ("u", "v"), axes={"level": [200, 500, 850]})
    np.testing.assert_array_equal(
        spherekit.forward(sky, L, sampling=sky.grid), spherekit.forward(values, L, sampling=GRID)
    )


def test_analyse_takes_the_grid_of_a_map(sky):
    expected, _ = spherekit.analyse(sky.values, L, sampling=GRID)
    np.testing.assert_array_equal(spherekit.analyse(sky, L)[0], expected)
    with pytest.raises(TypeError, match="sampling is missing: pass the grid of f"):
        spherekit.analyse(sky.values, L)


def test_the_default_grid_is_not_assumed_for_a_map(rng):
    """Samples on GL have the shape of those on MW, the default of `forward`."""
    flm = spherekit.forward(rng.standard_normal(OTHER.shape), L, reality=True)
    sky = io.Map(spherekit.inverse(flm, L, sampling=GRID, reality=True), GRID)
    with pytest.raises(ValueError, match=r"sampling=f\.grid"):
        spherekit.forward(sky, L, reality=True)
    again = spherekit.forward(sky, L, sampling=sky.grid, reality=True)
    assert np.abs(again - flm).max() <= tolerances.IDENTITY


def test_the_spin_of_coefficients(rng):
    coefficients = io.Coefficients(
        spherekit.forward(rng.standard_normal(OTHER.shape), L, spin=2), spins=2
    )
    expected = spherekit.inverse(coefficients.flm, L, spin=2)
    np.testing.assert_array_equal(spherekit.inverse(coefficients, L, spin=2), expected)
    with pytest.raises(ValueError, match="of spin 2, but spin is 0"):
        spherekit.inverse(coefficients, L)
    with pytest.raises(ValueError, match="64"):
        spherekit.inverse(coefficients, 7, spin=2)


def test_a_map_is_no_array_of_coefficients(rng):
    sky = io.Map(rng.standard_normal((5, 9)), "mw:5")
    with pytest.raises(TypeError, match=r"flm is a map on MW\(L=5"):
        spherekit.inverse(sky, 3)


def test_plots_refuse_another_grid(sky):
    with pytest.raises(ValueError, match="the map is on"):
        plot.project(sky, OTHER)


# --- functions of pixels ---------------------------------------------------------------------------

PIXEL_FUNCTIONS = {
    "degrade": (lambda f: sampling.healpix.degrade(f, 1), "spherekit.fields.degrade"),
    "upgrade": (lambda f: sampling.healpix.upgrade(f, 4), "spherekit.fields.upgrade"),
    "interpolate": (lambda f: sampling.healpix.interpolate(f, 1.0, 0.5), r"values, .* ring order"),
    "reorder": (lambda f: sampling.healpix.reorder(f, "nested"), r"values, .* ring order"),
    "HEALPix.degrade": (lambda f: PIXELS.degrade(f, 1), "spherekit.fields.degrade"),
    "HEALPix.upgrade": (lambda f: PIXELS.upgrade(f, 4), "spherekit.fields.upgrade"),
    "HEALPix.interpolate": (lambda f: PIXELS.interpolate(f, 1.0, 0.5), r"values, .* ring order"),
}
PIXELS = sampling.HEALPix(2)


@pytest.mark.parametrize("name", PIXEL_FUNCTIONS)
def test_functions_of_pixels_refuse_to_drop_metadata(name, rng):
    function, remedy = PIXEL_FUNCTIONS[name]
    sky = io.Map(rng.standard_normal(48), PIXELS, "T", "K")
    with pytest.raises(TypeError, match=f"is a Map, whose grid, names and units .*{remedy}"):
        function(sky)
    function(sky.values)
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    array = io.to_xarray(sky)
    for labeled in (
        array,
        array.drop_attrs(),
        array.drop_vars(list(array.coords)),
        array.to_dataset(),
    ):
        with pytest.raises(TypeError, match=f"is a Data.*, whose coordinates .*{remedy}"):
            function(labeled)
    unlabeled = function(xarray.DataArray(sky.values, dims="pixel"))
    np.testing.assert_array_equal(unlabeled, function(sky.values))
