"""Projections as arrays, colour ranges, and what is drawn on the Axes."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from tolerances import CHAIN, IDENTITY, SHORT_SUM

from spherekit import plot
from spherekit.io import Map
from spherekit.plot import projection, projection_formulas
from spherekit.plot.figure import figure as new_figure
from spherekit.plot.figure import save
from spherekit.plot.maps import color_range, show
from spherekit.plot.projection import project_points, valid_samples
from spherekit.plot.units import pretty_unit
from spherekit.sampling import GL, MW, MWSS, HEALPix, Rings
from spherekit.sampling.healpix import UNSEEN


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def _angles(grid):
    if grid.rectangular:
        return np.meshgrid(grid.theta, grid.phi, indexing="ij")
    return grid.theta, grid.phi


def _longitude(phi):
    """Degrees in [-180, 180)."""
    return (np.degrees(phi) + 180) % 360 - 180


GRIDS = (MW(40), GL(40), HEALPix(16), MWSS(30), Rings(np.linspace(0.05, 3.1, 50), 60))


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
@pytest.mark.parametrize("projection", ["mollweide", "orthographic", "cartesian"])
def test_each_pixel_shows_the_function_at_its_place(grid, projection):
    theta, phi = _angles(grid)
    f = np.cos(theta) + 0.5 * np.sin(theta) * np.cos(phi - 1)
    p = plot.project(f, grid, projection=projection, rot=(40, -25), size=160)
    expected = np.cos(p.theta) + 0.5 * np.sin(p.theta) * np.cos(p.phi - 1)
    inside = np.isfinite(p.theta)
    assert np.array_equal(inside, np.isfinite(p.values))
    assert inside.all() == (projection == "cartesian")
    assert np.abs(p.values - expected)[inside].max() < 0.12  # the size of a sample


@pytest.mark.parametrize("flip, sign", [("astro", -1), ("geo", 1)])
def test_mollweide_at_known_points(flip, sign):
    """(longitude, latitude) -> (2 sqrt2/pi lon cos t, sqrt2 sin t), scaled to a height of 2."""
    p = plot.project(np.zeros(12), "healpix:1", size=20, flip=flip)
    lon, lat = np.array([0.0, 90, -90, 0, 0]), np.array([0.0, 0, 0, 90, -90])
    xy = [project_points(p, lon[i : i + 1], lat[i : i + 1])[0] for i in range(5)]
    expected = [(0, 0), (sign, 0), (-sign, 0), (0, 1), (0, -1)]
    # At the poles the equation of the angle has a triple root: half the digits are lost.
    np.testing.assert_allclose(xy, expected, rtol=0, atol=1e-4)
    # t = 30 degrees: half the height, at sin(lat) = (pi/3 + sqrt(3)/2) / pi.
    lat = np.degrees(np.arcsin((np.pi / 3 + np.sqrt(3) / 2) / np.pi))
    (point,) = project_points(p, np.array([120.0]), np.array([lat]))
    assert point == pytest.approx((sign * 4 / 3 * np.cos(np.pi / 6), 0.5), abs=CHAIN)


def test_mollweide_is_equal_area():
    p = plot.project(np.zeros(12), "healpix:1", size=800)
    inside = np.isfinite(p.theta)
    assert inside.mean() == pytest.approx(np.pi / 4, abs=1e-3)  # an ellipse in its box
    north = np.mean(p.theta[inside] < np.arccos(0.5))
    assert north == pytest.approx(0.25, abs=2e-3)  # the cap z > 1/2 is a quarter of the sphere


def test_orthographic_centre_and_hemispheres():
    p = plot.project(np.zeros(12), "healpix:1", projection="orthographic", rot=(70, 30), size=401)
    column = np.argmin(np.abs(p.x + 1.04))
    row = np.argmin(np.abs(p.y))
    assert _longitude(p.phi[row, column]) == pytest.approx(70, abs=1)
    assert 90 - np.degrees(p.theta[row, column]) == pytest.approx(30, abs=1)
    column = np.argmin(np.abs(p.x - 1.04))  # the far side shows the antipode
    assert _longitude(p.phi[row, column]) == pytest.approx(-110, abs=1)
    assert 90 - np.degrees(p.theta[row, column]) == pytest.approx(-30, abs=1)
    half = plot.project(np.zeros(12), "healpix:1", projection="orthographic", half=True, size=50)
    assert half.values.shape == (50, 50)


@pytest.mark.parametrize("flip, sign", [("astro", -1), ("geo", 1)])
def test_cartesian_axes_are_degrees(flip, sign):
    p = plot.project(np.zeros(12), "healpix:1", projection="cartesian", size=36, flip=flip)
    assert p.extent == (-180, 180, -90, 90)
    np.testing.assert_allclose(_longitude(p.phi[0]), sign * p.x, rtol=0, atol=1e-9)
    np.testing.assert_allclose(90 - np.degrees(p.theta[:, 0]), p.y, rtol=0, atol=1e-9)


def test_samples_without_value_are_nan():
    f = np.ones(12)
    f[[0, 5]] = UNSEEN, np.nan
    p = plot.project(f, "healpix:1", size=100)
    inside = np.isfinite(p.theta)
    assert np.isnan(p.values[inside]).mean() == pytest.approx(2 / 12, abs=0.03)
    masked = np.ma.masked_array(np.ones(12), mask=np.arange(12) == 3)
    assert np.isnan(plot.project(masked, "healpix:1", size=100).values[inside]).any()
    assert np.isfinite(f).sum() == 11  # the input is as it was
    assert valid_samples(np.array([1, UNSEEN * (1 + 1j)])).tolist() == [True, False]


def test_graticule_lies_in_the_picture():
    p = plot.project(np.zeros(12), "healpix:1", projection="mollweide", rot=(20, 50), size=50)
    curves = plot.graticule(p, step=(90, 45))
    assert len(curves) == 4 + 3
    for curve in curves:
        assert np.nanmax((curve[:, 0] / 2) ** 2 + curve[:, 1] ** 2) <= 1 + 1e-6
    with pytest.raises(ValueError, match="step is"):
        plot.graticule(p, step=(0, 30))


BAD_VIEWS = [
    (dict(projection="mercator"), "mollweide, orthographic, cartesian"),
    (dict(flip="left"), "astro"),
    (dict(half=True), "orthographic"),
    (dict(size=1), "size is 1; .*>= 2"),
    (dict(rot=(0, 91)), "degrees"),
    (dict(rot=(np.nan, 0)), "degrees"),
]


@pytest.mark.parametrize("view, message", BAD_VIEWS, ids=lambda v: str(v)[:20])
def test_views_that_are_refused(view, message):
    with pytest.raises(ValueError, match=message):
        plot.project(np.zeros(12), "healpix:1", **view)


def test_signals_that_are_refused():
    with pytest.raises(TypeError, match="f.real"):
        plot.project(np.zeros(12, complex), "healpix:1")
    with pytest.raises(TypeError, match="f.real"):
        plot.project(np.ma.zeros(12, complex), "healpix:1")
    with pytest.raises(ValueError, match=r"has shape \(2, 12\)"):
        plot.project(np.zeros((2, 12)), "healpix:1")
    with pytest.raises(ValueError, match="must be one of .*mwss.*healpix:NSIDE.*hex:1"):
        plot.project(np.zeros(12), "hex:1")
    with pytest.raises(ValueError, match="at least one valid sample"):
        plot.show(np.full(12, UNSEEN), "healpix:1", size=20)
    with pytest.raises(ValueError, match="vmin < vmax"):
        plot.show(np.arange(12), "healpix:1", size=20, vmin=2, vmax=1)
    with pytest.raises(ValueError, match="viridis"):
        plot.show(np.arange(12), "healpix:1", size=20, cmap="foo")


def test_colour_range():
    f = np.linspace(-1, 1, 1001)
    assert color_range(f) == (-0.98, 0.98, "both", True)
    assert color_range(f + 1)[3] is False  # no negative sample: not symmetric
    assert color_range(f, vmin=-2, vmax=2) == (-2, 2, "neither", True)
    low, high, _, _ = color_range(np.full(5, 3.0))
    assert low < 3 < high


@pytest.mark.parametrize("projection", ["mollweide", "orthographic", "cartesian"])
def test_show_draws_on_the_axes_it_is_given(projection):
    ax = plt.figure().add_subplot()
    f = np.arange(48.0)
    f[3] = np.nan
    drawn = plot.show(f, "healpix:2", projection=projection, ax=ax, title="t", unit="uK", size=80)
    assert drawn is ax and ax.get_title() == "t"
    image = ax.images[0]
    assert image.get_array().mask.any() and image.get_array().shape[1] == 80
    assert image.colorbar.ax.get_xlabel() == "µK"
    ax.figure.canvas.draw()


def test_show_makes_its_own_figure():
    before = plt.get_fignums()
    ax = plot.show(np.arange(12.0), "healpix:1", size=20, colorbar=False, graticule=False)
    assert len(plt.get_fignums()) == len(before) + 1 and not ax.lines


def test_units_on_axes():
    assert pretty_unit("uK^2") == "µK²" and pretty_unit(None) == "" and pretty_unit("mK") == "mK"
    units = "m**2 s**-2", "kg m-2 s-1", "uK^2_CMB", "m^1.5", "MJy/sr"
    assert [*map(pretty_unit, units)] == ["m² s⁻²", "kg m⁻² s⁻¹", "µK²_CMB", "m^1.5", "MJy/sr"]


def test_spectrum_draws_d_ell_and_its_band():
    cl = 1 / np.arange(1, 101.0) ** 2
    ax = plot.spectrum(cl, theory=cl, f_sky=0.5, label="data", unit="uK^2")
    theory, data = ax.lines
    ell = np.arange(2, 100)
    np.testing.assert_allclose(data.get_xdata(), ell, rtol=SHORT_SUM, atol=0)
    np.testing.assert_allclose(
        data.get_ydata(), cl[2:] * ell * (ell + 1) / (2 * np.pi), rtol=SHORT_SUM, atol=0
    )
    np.testing.assert_allclose(theory.get_ydata(), data.get_ydata(), rtol=SHORT_SUM, atol=0)
    top = ax.collections[0].get_paths()[0].vertices[:, 1].max()
    sigma = np.sqrt(2 / ((2 * ell + 1) * 0.5))
    assert top == pytest.approx(np.max(data.get_ydata() * (1 + sigma)))
    assert "µK²" in ax.get_ylabel()


def test_several_spectra_share_one_axes():
    cl = 1 / np.arange(1, 51.0) ** 2
    ax = plt.figure().add_subplot()
    plot.spectrum(cl, ax=ax, label="EE", color="k")
    plot.spectrum(10 * cl, ax=ax, label="BB", color="r")
    assert ax.get_ylim()[1] > ax.lines[1].get_ydata().max()
    assert ax.get_legend_handles_labels()[1].count("cosmic variance") == 1
    assert [line.get_color() for line in ax.lines] == ["k", "r"]


@pytest.mark.parametrize(
    "cl", [np.ones((2, 5)), np.ones(2), [1, 2, np.nan], 3.0, np.full(9, 1e308)]
)
def test_spectra_that_are_refused(cl):
    with pytest.raises(ValueError, match="cl |spectrum"):
        plot.spectrum(cl)


@pytest.mark.parametrize("draw", [plot.spectrum, plot.cosmic_variance])
@pytest.mark.parametrize(
    "cl", [np.ones(5, complex), np.ones(5, bool), list("abcde"), np.ones(5) * u.K]
)
def test_spectra_that_are_no_real_numbers(cl, draw):
    with pytest.raises(TypeError, match=r"\bcl\b"):
        draw(cl)


@pytest.mark.parametrize("draw", [plot.spectrum, plot.cosmic_variance])
def test_spectra_with_nan(draw):
    with pytest.raises(ValueError, match="NaN"):
        draw(np.array([1, 2, 3, np.nan]))


@pytest.mark.parametrize("bad", ["x", None, True, 1j, [0.5], 0.5 * u.one])
def test_single_numbers_of_another_kind(bad):
    calls = [
        ("f_sky", lambda: plot.cosmic_variance(np.ones(3), bad)),
        ("f_sky", lambda: plot.spectrum(np.ones(5), f_sky=bad)),
        ("ell_min", lambda: plot.spectrum(np.ones(5), ell_min=bad)),
        ("ell_min", lambda: plot.spectrum(np.ones(5), ell_min=2.0)),
        ("rot", lambda: plot.project(np.zeros(12), "healpix:1", rot=bad)),
        (
            "step",
            lambda: plot.graticule(plot.project(np.zeros(12), "healpix:1", size=20), step=bad),
        ),
    ]
    if not isinstance(bad, u.Quantity):
        calls.append(("rot", lambda: plot.project(np.zeros(12), "healpix:1", rot=(bad, 0))))
    if bad is not None:
        show = lambda **how: plot.show(np.arange(12.0), "healpix:1", size=20, **how)  # noqa: E731
        calls += [("vmin", lambda: show(vmin=bad)), ("vmax", lambda: show(vmax=bad))]
    for name, call in calls:
        with pytest.raises(TypeError, match=rf"\b{name} is .*expected"):
            call()


def test_a_colormap_of_another_kind():
    with pytest.raises(TypeError, match="cmap is 3 .*expected a name or a Colormap"):
        plot.show(np.arange(12), "healpix:1", size=20, cmap=3)


@pytest.mark.parametrize("name", ["xscale", "yscale"])
def test_scales_that_are_unknown(name):
    with pytest.raises(
        ValueError, match=f"{name} must be one of 'linear', 'log', None; got 'cube'"
    ):
        plot.spectrum(np.ones(5), **{name: "cube"})


@pytest.mark.parametrize(
    "rot",
    [
        (30 * u.deg, -10 * u.deg),
        [30, -10] * u.deg,
        np.radians([30, -10]) * u.rad,
        np.array([30, -10]),
        (np.int8(30), np.float32(-10)),
    ],
)
def test_the_centre_of_the_picture_takes_its_unit(rot):
    plain = plot.project(np.arange(12.0), "healpix:1", rot=(30, -10), size=40)
    p = plot.project(np.arange(12.0), "healpix:1", rot=rot, size=40)
    assert p.rot == pytest.approx(plain.rot, abs=IDENTITY)
    np.testing.assert_array_equal(p.values, plain.values)


def test_the_centre_of_the_picture_is_no_temperature():
    with pytest.raises(ValueError, match="rot has .*K"):
        plot.project(np.zeros(12), "healpix:1", rot=(30 * u.K, 0))


class Labelled(np.ndarray):
    """A subclass, as those of units and tables."""


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32, ">f4"])
def test_samples_of_any_type_are_drawn(dtype):
    f = np.arange(12) % 2
    drawn = plot.show(f.astype(float), "healpix:1", size=20).images[0]
    image = plot.show(f.astype(dtype), "healpix:1", size=20).images[0]
    assert image.get_clim() == drawn.get_clim()
    np.testing.assert_array_equal(image.get_array(), drawn.get_array())


def test_samples_of_a_subclass_are_drawn():
    plot.show(np.arange(12.0).view(Labelled), "healpix:1", size=20)


@pytest.mark.parametrize("dtype", ["U3", "M8[s]", [("a", float)], object])
def test_samples_of_no_numbers_are_refused(dtype):
    with pytest.raises(TypeError, match="the signal has dtype"):
        plot.show(np.zeros(12).astype(dtype), "healpix:1", size=20)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e306])
def test_numbers_of_any_size_are_drawn(scale):
    ax = plot.show(np.linspace(-1, 1, 12) * scale, "healpix:1", size=20)
    ax.figure.canvas.draw()


@pytest.mark.parametrize("how", [dict(), dict(vmin=-1.7e308, vmax=1.7e308)])
def test_a_range_beyond_numbers_is_refused(how):
    with pytest.raises(ValueError, match="too wide for float64.*rescale the signal"):
        plot.show(np.linspace(-1, 1, 12) * 1.7e308, "healpix:1", size=20, **how)


def test_cosmic_variance():
    assert plot.cosmic_variance(np.full(3, 4.0), 0.5)[2] == pytest.approx(4 * np.sqrt(4 / 5))
    with pytest.raises(ValueError, match="fraction of the sky"):
        plot.cosmic_variance(np.ones(3), 0)


def test_images_are_as_large_as_their_axes():
    """Twice as many pixels as the axes have."""
    axes = plt.subplots(1, 3, figsize=(12, 3))[1]
    f = np.arange(12.0)
    for ax in axes:
        plot.show(f, "healpix:1", ax=ax, colorbar=False)
    width = axes[0].images[0].get_array().shape[1]
    assert 1.5 < width / axes[0].get_window_extent().width < 2.5
    assert plot.show(f, "healpix:1").images[0].get_array().shape[1] == 1600


def test_directions_of_pixels_are_computed_once(monkeypatch):
    """For panels of one view, and the nearest samples for those of one grid as well."""
    calls = []
    nearest_sample = projection.nearest_sample
    monkeypatch.setattr(
        projection, "nearest_sample", lambda *a: calls.append(a) or nearest_sample(*a)
    )
    view = dict(rot=(12.25, -3.5), size=60)
    first = plot.project(np.arange(12.0), "healpix:1", **view)
    second = plot.project(np.arange(12.0)[::-1], HEALPix(1), **view)
    assert len(calls) == 1
    np.testing.assert_array_equal(
        first.values + second.values, np.where(first.theta > 0, 11, np.nan)
    )
    first.theta[:], first.phi[:], first.values[:] = 0, 0, 0  # the arrays of the caller
    plot.graticule(first)[0][:] = 0
    third = plot.project(np.arange(12.0)[::-1], HEALPix(1), **view)
    for a, b in zip(third[:5], second[:5], strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(np.nan_to_num(plot.graticule(third)[0])).max() > 0.5
    plot.project(np.arange(48.0), "healpix:2", **view)
    assert len(calls) == 2


@pytest.mark.parametrize("size, count", [(60, 1), (2100, 2)])
def test_caches_of_pixels_are_bounded(size, count, monkeypatch):
    """By bytes: the directions of a large image are not cached."""
    calls = []
    angles = projection_formulas.angles
    monkeypatch.setattr(projection_formulas, "angles", lambda v: calls.append(v.shape) or angles(v))
    for nside in (1, 2):
        plot.project(np.arange(12.0 * nside**2), f"healpix:{nside}", rot=(1.5, 0), size=size)
    assert len(calls) == count


def test_figure_without_axes_is_saved(tmp_path):
    options = dict(dpi=50, bbox_inches="tight", pad_inches=0.1)
    save(new_figure(3, 2), tmp_path / "empty.png", **options)
    new_figure(3, 2).savefig(tmp_path / "expected.png", **options)
    pictures = [plt.imread(tmp_path / name) for name in ("empty.png", "expected.png")]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("layout", ["constrained", None])
def test_saved_picture_is_that_of_matplotlib(layout, tmp_path):
    """The same pixels, although the figure is drawn once only; and the figure is unchanged."""

    def new():
        figure = plt.figure(figsize=(5, 3), layout=layout)
        axes = figure.subplots(1, 2)
        plot.show(np.arange(48.0), "healpix:2", ax=axes[0], title="map", unit="uK")
        axes[1].plot([1, 5], label="curve")
        axes[1].legend(loc="upper left", bbox_to_anchor=(0.9, 1.2))
        return figure

    options = dict(dpi=130, bbox_inches="tight", pad_inches=0.1, facecolor="white")
    figure, reference = new(), new()
    for number in range(2):
        save(figure, tmp_path / f"{number}.png", **options)
        reference.savefig(tmp_path / "expected.png", **options)
        expected = plt.imread(tmp_path / "expected.png")
        np.testing.assert_array_equal(plt.imread(tmp_path / f"{number}.png"), expected)
    assert figure.dpi == plt.figure().dpi
    assert (figure.get_layout_engine() is None) == (layout is None)


# --- signals that state their grid -----------------------------------------------------------------


def test_maps_and_pixels_are_plotted_without_a_grid(rng):
    from spherekit.io import Map

    sky = Map(rng.standard_normal((2, 4, 7)), "mw:4", ("T", "Q"), ("mK", "K"))
    ax = plot.show(sky["T"], size=40)
    assert ax.get_title() == "T"
    assert ax.figure.axes[-1].get_xlabel() == "mK"
    assert plot.show(sky["T"], size=40, title="title", unit="").get_title() == "title"
    expected = plot.project(sky.values[0], "mw:4", size=40).values
    np.testing.assert_array_equal(plot.project(sky["T"], size=40).values, expected)
    np.testing.assert_array_equal(plot.project(sky["T"], "mw:4", size=40).values, expected)
    pixels = np.arange(48.0)
    expected = plot.project(pixels, "healpix:2", size=40).values
    np.testing.assert_array_equal(plot.project(pixels, size=40).values, expected)
    plt.close("all")


def test_signals_that_do_not_state_one_map(rng):
    from spherekit.io import Map

    sky = Map(rng.standard_normal((2, 4, 7)), "mw:4", ("T", "Q"))
    months = Map(sky.values, "mw:4", axes={"month": [1, 7]})
    for signal, grid, words in (
        (sky, None, r"fields T, Q; plot one of them, such as sky\['T'\]"),
        (months, None, r"axes month; .* sky.select\(month=1\)"),
        (sky["T"], "gl:4", "grid is gl:4, but the map is on mw:4"),
    ):
        with pytest.raises(ValueError, match=words):
            plot.show(signal, grid)
    for samples in (np.ones(47), np.ones((4, 7)), 1.0):
        with pytest.raises(TypeError, match="the grid is missing"):
            plot.project(samples)


def test_arrays_of_xarray_are_plotted(rng):
    xarray = pytest.importorskip("xarray")
    f = rng.standard_normal((5, 8))
    coordinates = {"lat": np.linspace(-90, 90, 5), "lon": np.arange(8) * 45.0 - 180}
    data = xarray.DataArray(
        f, coordinates, ("lat", "lon"), "T", {"units": "K", "long_name": "heat"}
    )
    ax = plot.show(data, size=40)
    assert ax.get_title() == "heat" and ax.figure.axes[-1].get_xlabel() == "K"
    expected = plot.project(np.roll(f[::-1], 4, axis=1), "mwss:4", size=40, flip="geo").values
    np.testing.assert_array_equal(plot.project(data, size=40).values, expected)
    np.testing.assert_array_equal(plot.project(data.T, size=40).values, expected)
    with pytest.raises(ValueError, match="latitudes from -90 to 90"):
        plot.show(data, "mwss:4")
    with pytest.raises(ValueError, match="select one position on the others"):
        plot.show(data.expand_dims(time=2))
    plt.close("all")


def test_sphere_beyond_a_band_of_rings_is_gray():
    """Pixels farther from a ring than its neighbor are NaN; those of grids of the whole sphere never are."""
    band = Rings(np.radians(np.arange(30, 71, 2.0)), 90)
    p = plot.project(band.theta, band, projection="cartesian", size=360)
    colatitude = np.degrees(p.theta)
    inside = (colatitude > 28) & (colatitude < 72)
    assert np.isfinite(p.values[inside]).all() and np.isnan(p.values[~inside]).all()
    two = Rings(np.radians([*np.arange(20, 41, 2.0), *np.arange(120, 141, 2.0)]), 90)
    colatitude = np.degrees(p.theta[:, 0])
    values = plot.project(two.theta, two, projection="cartesian", size=360).values[:, 0]
    covered = [np.abs(colatitude - center) < 12 for center in (30, 130)]
    assert (np.isfinite(values) == covered[0] | covered[1]).all()
    for grid in GRIDS:
        assert np.isfinite(
            plot.project(np.ones(grid.shape), grid, projection="cartesian").values
        ).all()


def test_default_titles():
    """Of maps: the name and the coordinates of the position; of plain arrays: none."""
    axes = {"month": np.array([6, 7]), "level": np.array([200.0, 500.0])}
    values = np.arange(4 * 48.0).reshape(2, 2, 48)
    sky = Map(values, "healpix:2", ("z",), ("m2 s-2",), axes).select(month=7, level=500)
    assert plot.show(sky, size=40).get_title() == "z, month 7, level 500"
    assert plot.show(sky, size=40, title="").get_title() == ""
    assert plot.show(sky.values, size=40).get_title() == ""


def test_longitudes_of_the_cartesian_projection_end_at_180():
    """Both edges of the axis are labelled by their own longitude."""
    f = np.arange(12.0)
    labels = [
        x.get_text() for x in plot.show(f, projection="cartesian", flip="geo").get_xticklabels()
    ]
    assert labels == ["−180°", "−120°", "−60°", "0°", "60°", "120°", "180°"]
    ax = plot.show(f, projection="cartesian", flip="geo", rot=(180, 0))
    labels = [x.get_text() for x in ax.get_xticklabels()]
    assert labels == ["0°", "60°", "120°", "180°", "−120°", "−60°", "0°"]


def test_the_power_of_ten_is_in_the_unit(rng):
    grid = MW(8)
    ax = show(3e-5 * rng.standard_normal(grid.shape), grid, unit="s-1", size=200)
    bar = ax.figure.axes[-1]
    ax.figure.canvas.draw()
    assert bar.get_xlabel() == "10⁻⁵ s⁻¹" and not bar.xaxis.get_offset_text().get_text()
    ticks = [
        float(text.get_text().replace("\N{MINUS SIGN}", "-")) for text in bar.get_xticklabels()
    ]
    np.testing.assert_allclose(ticks, bar.get_xticks() / 1e-5, rtol=1e-6, atol=1e-9)
    ax = show(101325 + rng.standard_normal(grid.shape), grid, unit="Pa", size=200)
    bar = ax.figure.axes[-1]
    ax.figure.canvas.draw()
    assert bar.get_xlabel() == "Pa" and not bar.xaxis.get_offset_text().get_text()
    assert any(text.get_text().startswith("10132") for text in bar.get_xticklabels())


def test_a_given_bound_of_a_constant_signal_stays():
    assert color_range(np.zeros(3), vmin=0.0)[:2] == (0.0, 1.0)
    assert color_range(np.full(3, 2.0), vmax=2.0)[:2] == (1.0, 2.0)
    assert color_range(np.zeros(3))[:2] == (-1.0, 1.0)


def test_titles_have_the_unit_of_the_level():
    attributes = {"level": {"value": 500.0, "units": "hPa"}}
    sky = Map(np.zeros(MW(4).shape), "mw:4", "z", "m", attributes=attributes)
    assert show(sky, size=100).get_title() == "z, level 500 hPa"


# --- bandpowers --------------------------------------------------------------------------------------------


def test_bandpowers_have_ranges_and_error_bars():
    from spherekit.spectra import Bins

    bins = Bins([2, 10], [10, 30], 40)
    factor = Bins([2, 10], [10, 30], 40, dl=True).bin(np.ones(40))
    ax = plot.bandpowers([3.0, 1.0], bins, errors=[0.5, 0.2], label="data", unit="uK^2", title="TT")
    points, _, (ranges, bars) = ax.containers[0]
    np.testing.assert_allclose(points.get_xydata(), np.c_[bins.ell, factor * [3, 1]])
    low, high = np.moveaxis(np.array([x for x in bars.get_segments()]), 1, 0)
    np.testing.assert_allclose((high - low)[:, 1], 2 * factor * [0.5, 0.2])
    np.testing.assert_allclose([x[:, 0] for x in ranges.get_segments()], [[2, 9], [10, 29]])
    assert ax.get_title() == "TT" and "K" in ax.get_ylabel()
    plt.close("all")
    dl = Bins([2, 10], [10, 30], 40, dl=True)
    ax = plot.bandpowers([3.0, -1.0], dl, theory=np.ones(50), expected=[2.0, 1.0])
    curve, expected = ax.lines[:2]
    assert curve.get_xdata()[[0, -1]].tolist() == [2, 29]
    np.testing.assert_allclose(expected.get_ydata(), [2, 1])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "theory",
        "theory, in the bins",
    ]
    plt.close("all")
    ax = plot.bandpowers([3.0, 1.0], bins, D_ell=False, yscale="log", xscale="log")
    np.testing.assert_allclose(ax.containers[0][0].get_ydata(), [3, 1])
    assert ax.get_yscale() == ax.get_xscale() == "log"
    plt.close("all")


def test_noisy_last_bins_do_not_rule_the_limits():
    from spherekit.spectra import Bins

    bins = Bins.linear(62, 10, dl=True)
    values, errors = [1.0, 2, 1, 2, -40, 60], [0.1, 0.1, 0.1, 0.2, 30, 50]
    ax = plot.bandpowers(values, bins, errors=errors, label="BB")
    low, high = ax.get_ylim()
    assert -1 < low <= 0 and 2.2 < high < 4
    assert sorted(line.get_marker() for line in ax.lines[-2:]) == ["^", "v"]
    ax = plot.bandpowers([30.0, 2, 1, 2, 1, 1], bins, errors=[20.0, 0.2, 0.1, 0.2, 0.1, 0.1])
    assert ax.get_ylim()[1] > 50  # the first bins are not omitted


def test_the_first_of_logarithmic_bins_is_within_the_axes():
    from spherekit.spectra import Bins

    bins = Bins.log(200, 12)
    ax = plot.bandpowers(np.ones(12), bins, errors=np.full(12, 0.1))
    assert ax.get_xscale() == "log" and ax.get_xlim()[0] < 1.8


def test_windows_of_bandpowers():
    from spherekit.spectra import Bins

    bins = Bins([2, 10], [10, 30], 40)
    ax = plot.bandpower_windows(bins.matrix(), bins, title="TT")
    np.testing.assert_allclose(ax.lines[1].get_ydata(), bins.matrix()[1, 2:])
    assert ax.get_ylabel() == "weight"
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (dict(values=[1.0]), ValueError, "one value for each bin"),
        (dict(values=[1.0, np.nan]), ValueError, "NaN"),
        (dict(values=[1.0, 1j]), TypeError, "values.real"),
        (dict(errors=[1.0, -1.0]), ValueError, "standard deviations >= 0"),
        (dict(errors=[1.0]), ValueError, "errors has shape"),
        (dict(expected=[1.0]), ValueError, "expected has shape"),
        (dict(theory=[1.0]), ValueError, "degrees beyond 2"),
        (dict(xscale="cube"), ValueError, "xscale"),
        (dict(bins=[2, 5]), TypeError, "expected spherekit.spectra.Bins"),
    ],
)
def test_bandpowers_that_cannot_be_drawn(options, error, said):
    from spherekit.spectra import Bins

    bins = Bins([2, 10], [10, 30], 40)
    with pytest.raises(error, match=said):
        plot.bandpowers(**dict(values=[3.0, 1.0], bins=bins) | options)
    with pytest.raises(ValueError, match="D_ell"):
        plot.bandpowers([3.0, 1.0], Bins([2, 10], [10, 30], 40, dl=True), D_ell=False)
    with pytest.raises(ValueError, match="windows has shape"):
        plot.bandpower_windows(np.ones((2, 3)), bins)
