"""Multi-order maps (NUNIQ): cells of several sizes, as those of LIGO and Virgo, and coverage maps (MOC)."""

import numpy as np
import pytest
from astropy.io import fits
from helpers.fits_tables import table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spherekit import io
from spherekit.io.multi_order import cells
from spherekit.sampling.healpix import UNSEEN, reorder


def random_cells(rng, largest, coverage=1.0):
    """Orders and nested pixels of cells that do not overlap, in random order."""
    found = []
    open_cells = [(0, pixel) for pixel in range(12)]
    while open_cells:
        order, pixel = open_cells.pop()
        if order == largest or rng.random() < 0.4:
            if rng.random() < coverage:
                found.append((order, pixel))
        else:
            open_cells += [(order + 1, 4 * pixel + child) for child in range(4)]
    found = found or [(0, 3)]
    return np.array(found)[rng.permutation(len(found))].T


def expanded(order, pixel, values, target):
    """By definition: a loop over the cells; smaller ones are averaged."""
    total = np.zeros(12 * 4**target)
    area = np.zeros(12 * 4**target)
    for o, p, value in zip(order, pixel, values, strict=True):
        if o <= target:
            children = slice(p * 4 ** (target - o), (p + 1) * 4 ** (target - o))
            part = 1.0
        else:
            children = p // 4 ** (o - target)
            part = 0.25 ** (o - target)
        total[children] += part * value
        area[children] += part
    return reorder(np.where(area > 0, total / np.maximum(area, 1e-300), UNSEEN), "nested")


def write(path, order, pixel, columns, **header):
    uniq = 4 * 4**order + pixel
    columns = [fits.Column("UNIQ", "K", array=uniq), *columns]
    header = dict(PIXTYPE="HEALPIX", ORDERING="NUNIQ", COORDSYS="C", INDXSCHM="EXPLICIT") | header
    return table(path, columns, **{k: v for k, v in header.items() if v is not None})


@pytest.mark.parametrize("coverage", [1.0, 0.6])
@pytest.mark.parametrize("nside", [None, 1, 4, 32, 64])
def test_a_multi_order_map_is_expanded(tmp_path, rng, coverage, nside):
    """As in LIGO and Virgo files: probabilities per area, distances, and cells without data."""
    order, pixel = random_cells(rng, 4, coverage)
    values = rng.random((2, order.size))
    columns = [
        fits.Column("PROBDENSITY", "D", array=values[0], unit="sr-1"),
        fits.Column("DISTMU", "D", array=values[1], unit="Mpc"),
    ]
    path = write(tmp_path / "map.fits", order, pixel, columns, MOCORDER=4)
    sky = io.read_map(path, field=None, nside=nside)
    assert sky.nside == (nside or 2 ** order.max()) and sky.ordering == "nuniq"
    assert sky.columns == ("PROBDENSITY", "DISTMU") and sky.units == ("sr-1", "Mpc")
    assert sky.frame == "equatorial"
    target = sky.nside.bit_length() - 1
    for field, samples in zip(sky.values, values, strict=True):
        expected = expanded(order, pixel, samples, target)
        exact = target >= order.max()
        assert (
            np.array_equal(field, expected) if exact else np.allclose(field, expected, rtol=1e-14)
        )
    one = io.read_map(path, field="DISTMU", nside=nside)
    assert np.array_equal(one.values, sky.values[1])


def test_the_integral_is_that_of_the_cells(tmp_path, rng):
    order, pixel = random_cells(rng, 5)
    density = rng.random(order.size)
    path = write(tmp_path / "m.fits", order, pixel, [fits.Column("P", "D", array=density)])
    expected = np.sum(density * 4 * np.pi / (12 * 4.0**order))
    for nside in (None, 2, 64):
        values = io.read_map(path, nside=nside).values
        assert values.mean() * 4 * np.pi == pytest.approx(expected, rel=1e-13)


def test_missing_samples_have_no_part_in_averages(tmp_path):
    order, pixel = np.array([1, 1, 1, 1, 0]), np.array([0, 1, 2, 3, 5])
    values = np.array([1.0, np.nan, 3.0, UNSEEN, np.nan])
    path = write(tmp_path / "m.fits", order, pixel, [fits.Column("P", "D", array=values)])
    nested = reorder(io.read_map(path, nside=1).values, "ring")
    assert nested[0] == 2.0 and np.isnan(nested[5]) and (nested[[1, 2, 3, 4]] == UNSEEN).all()
    all_missing = np.array([np.nan, np.nan, UNSEEN, UNSEEN, 1.0])
    path = write(tmp_path / "n.fits", order, pixel, [fits.Column("P", "D", array=all_missing)])
    assert reorder(io.read_map(path, nside=1).values, "ring")[0] == UNSEEN


def test_distances_that_are_not_defined(tmp_path):
    """LIGO and Virgo write an infinite DISTMU where the posterior has no distance."""
    columns = [fits.Column(name, "D", array=[1.0, np.inf]) for name in ("DISTMU", "OTHER")]
    path = write(tmp_path / "map.fits", np.array([0, 0]), np.array([3, 4]), columns)
    values = reorder(io.read_map(path, field="DISTMU").values, "ring")
    assert values[3] == 1 and (np.delete(values, 3) == UNSEEN).all()
    with pytest.raises(ValueError, match="of the column OTHER are infinite"):
        io.read_map(path, field="OTHER")


def test_a_coverage_map(tmp_path, rng):
    """A MOC has no other column than UNIQ: 1 inside, 0 outside; a part of a pixel counts by its area."""
    order, pixel = random_cells(rng, 3, 0.5)
    path = write(tmp_path / "moc.fits", order, pixel, [], INDXSCHM=None, MOCORDER=3)
    sky = io.read_map(path)
    expected = expanded(order, pixel, np.ones(order.size), int(order.max()))
    assert np.array_equal(sky.values, expected == 1) and sky.columns == ("COVERAGE",)


def test_the_largest_order():
    order, pixel = cells(np.array([4, 15, 16, 4**30, 16 * 4**29 - 1]))
    assert order.tolist() == [0, 0, 1, 29, 29]
    assert pixel.tolist() == [0, 11, 0, 0, 12 * 4**29 - 1]


def test_the_memory_is_checked_first(tmp_path):
    """One cell of the highest order: a map of nside 2^29 would need 10^19 bytes."""
    columns = [fits.Column("P", "D", array=[1.0, 2.0])]
    path = write(tmp_path / "map.fits", np.array([29, 0]), np.array([0, 11]), columns)
    with pytest.raises(MemoryError, match=r"nside 536870912.* 8.3e\+10 GB .* pass a smaller nside"):
        io.read_map(path)
    assert io.read_map(path, nside=1).values[11] == 2.0


@pytest.mark.parametrize(
    ("uniq", "header", "message"),
    [
        ([4, 16], {}, "1 of 2 cells overlap"),
        ([4, 4], {}, "1 of 2 cells overlap"),
        ([3, 5], {}, "has 3 to 5; expected numbers 4 nside"),
        ([-4, 5], {}, "has -4 to 5"),
        ([2**62, 5], {}, "expected numbers 4 nside"),
        ([64, 5], dict(MOCORDER=0), "MOCORDER = 0, but the table has cells of order 2"),
        ([4, 5], dict(MOCORDER="x"), "MOCORDER = 'x'"),
        ([4, 5], dict(NSIDE="x"), None),
    ],
)
def test_cells_that_are_refused(tmp_path, uniq, header, message):
    columns = [
        fits.Column("UNIQ", "K", array=uniq),
        fits.Column("P", "D", array=np.ones(len(uniq))),
    ]
    path = table(tmp_path / "map.fits", columns, ORDERING="NUNIQ", **header)
    if message is None:
        assert io.read_map(path).nside == 1
        return
    with pytest.raises(ValueError, match=message) as refusal:
        io.read_map(path)
    assert "map.fits" in str(refusal.value)


def test_the_nside_of_other_maps_is_not_changed(tmp_path):
    io.write_map(tmp_path / "map.fits", np.ones(48))
    assert io.read_map(tmp_path / "map.fits", nside=2).nside == 2
    with pytest.raises(ValueError, match="the map has nside 2, but nside=4; only multi-order"):
        io.read_map(tmp_path / "map.fits", nside=4)
    path = write(tmp_path / "u.fits", np.zeros(12, int), np.arange(12), [])
    with pytest.raises(ValueError, match="nside is 3; a multi-order map needs a power of two"):
        io.read_map(path, nside=3)
    with pytest.raises(ValueError, match="ORDERING = NUNIQ, but ordering='ring'"):
        io.read_map(path, ordering="ring")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    uniq=st.lists(st.integers(-2, 400) | st.integers(-(2**63), 2**63 - 1), max_size=8),
    nside=st.sampled_from([None, 1, 8]),
    order=st.sampled_from([None, 0, 3, -1, 10**9]),
    code=st.sampled_from(["K", "J", "D"]),
)
def test_any_numbers_are_expanded_right_or_refused(tmp_path_factory, uniq, nside, order, code):
    numbers = np.array(uniq, np.int64).astype({"K": ">i8", "J": ">i4", "D": ">f8"}[code])
    values = np.arange(1.0, len(uniq) + 1)
    columns = [fits.Column("UNIQ", code, array=numbers), fits.Column("P", "D", array=values)]
    header = {} if order is None else dict(MOCORDER=order)
    path = tmp_path_factory.mktemp("u") / "map.fits"
    table(path, columns, ORDERING="NUNIQ", **header)
    try:
        sky = io.read_map(path, nside=nside)
    except (ValueError, MemoryError) as error:
        assert "map.fits" in str(error) or isinstance(error, MemoryError)
        return
    assert code != "D" and len(uniq) and min(uniq) >= 4
    orders, pixels = cells(numbers.astype(np.int64))
    target = sky.nside.bit_length() - 1
    expected = expanded(orders.tolist(), pixels.tolist(), values, target)
    assert np.allclose(sky.values, expected, rtol=1e-14)
