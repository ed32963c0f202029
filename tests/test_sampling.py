"""Grids: nodes, weights against the definition, HEALPix geometry, values and refusals."""

import copy
import dataclasses
import itertools
import math
import pickle

import numpy as np
import pytest
from helpers.data import oracle
from scipy.special import lpmv
from tolerances import CHAIN, IDENTITY, LAST_PLACES, SHORT_SUM

from spherekit import forward, inverse
from spherekit.sampling import CC, DH, GL, MW, MWSS, DHPole, HEALPix, Rings, base, grid, healpix
from spherekit.sampling.quadrature import equispaced, fejer2, gauss_legendre
from spherekit.testing import random_flm

STORED = oracle("sampling")
KINDS = [MW, MWSS, DH, DHPole, GL, CC]
#: Nodes by one product: two units in the last place, relative; longitudes to 2 pi by a sum: absolute.
NODES, PHI = 4e-16, 2e-15
SIZES = [1, 2, 3, 7, 16, 33]
# Rectangles of band-limit L: the usual ones, longer rings, and few Clenshaw-Curtis rings.
MAKERS = [
    *KINDS,
    lambda L: MW(L, 2 * L + 3),
    lambda L: GL(L, 2 * L),
    lambda L: CC(L, L + 1),
    lambda L: CC(L, 2 * L + 2, 2 * L + 1),
]
RING_ATTRIBUTES = ["ring_theta", "ring_n_phi", "ring_phi0", "ring_start", "ring_weights"]
ARRAYS = ["theta", "phi", "weights", *RING_ATTRIBUTES]
ANY = [
    *(kind(5) for kind in KINDS),
    HEALPix(3),
    HEALPix(2, "equal"),
    Rings([0.4, 2.0], [3, 8], 0.1),
]


def legendre_column(ell, m, theta):
    """sqrt((2l+1)/4pi (l-m)!/(l+m)!) P_l^m(cos theta), Condon-Shortley phase, m >= 0."""
    log = math.lgamma(ell - m + 1) - math.lgamma(ell + m + 1)
    scale = math.sqrt((2 * ell + 1) / (4 * math.pi)) * math.exp(0.5 * log)
    return scale * lpmv(m, ell, np.cos(theta))


def all_columns(L, theta):
    """Every column with l < L, m >= 0, in the order of two plain loops."""
    pairs = [(ell, m) for ell in range(L) for m in range(ell + 1)]
    return pairs, np.array([legendre_column(ell, m, theta) for ell, m in pairs])


def near(value, target, tolerance):
    """Whether all entries agree to an absolute tolerance."""
    return np.max(np.abs(np.asarray(value) - target)) <= tolerance


# ---------------------------------------------------------------- nodes

FORMULAS = [
    (MW, lambda L: ([(2 * t + 1) / (2 * L - 1) for t in range(L)], 2 * L - 1)),
    (MWSS, lambda L: ([t / L for t in range(L + 1)], 2 * L)),
    (DH, lambda L: ([(2 * t + 1) / (4 * L) for t in range(2 * L)], 2 * L - 1)),
    (DHPole, lambda L: ([t / (2 * L) for t in range(2 * L)], 2 * L)),
    (CC, lambda L: ([t / max(2 * L - 2, 1) for t in range(max(2 * L - 1, 2))], 2 * L - 1)),
]


@pytest.mark.parametrize("L", SIZES)
@pytest.mark.parametrize("kind, formula", FORMULAS)
def test_node_formulas(kind, formula, L):
    turns, n_phi = formula(L)
    one = kind(L)
    assert one.shape == (len(turns), n_phi) and (one.L, one.n_phi) == (L, n_phi)
    np.testing.assert_allclose(one.theta, math.pi * np.array(turns), rtol=NODES, atol=0)
    phi = [2 * math.pi * p / n_phi for p in range(n_phi)]
    np.testing.assert_allclose(one.phi, phi, rtol=NODES, atol=0)


@pytest.mark.parametrize("L", [2, 3, 16, 33, 500])
def test_poles_equator_and_mirror_are_exact(L):
    assert MW(L).theta[-1] == np.pi
    assert MWSS(L).theta[0] == 0 and MWSS(L).theta[-1] == np.pi
    for one in (MWSS(L), DH(L), GL(L), CC(L), HEALPix(L)):
        theta, half = one.ring_theta, len(one.ring_theta) // 2
        assert np.array_equal(theta[: -half - 1 : -1], np.pi - theta[:half])
        if len(theta) % 2:
            assert theta[half] == np.pi / 2
    assert np.array_equal(DHPole(L).theta[:L:-1], np.pi - DHPole(L).theta[1:L])
    assert all(np.all(np.diff(one.ring_theta) > 0) for one in (MW(L), GL(L), DH(L), HEALPix(L)))


def test_clenshaw_curtis_with_three_rings_is_simpsons_rule():
    assert near(CC(2).weights.ravel() * 3 / (2 * np.pi) * 3, [1, 4, 1], SHORT_SUM)


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("L", SIZES)
@pytest.mark.parametrize("make", MAKERS)
def test_every_harmonic_is_integrated_exactly(make, L):
    one = make(L)
    assert one.exact and one.rectangular
    assert abs((one.weights * np.ones(one.shape)).sum() - 4 * np.pi) < IDENTITY
    weights = np.broadcast_to(one.weights, one.shape)
    for (ell, m), column in zip(*all_columns(L, one.theta), strict=True):
        for sign in {1, -1} if m else {1}:
            signal = column[:, None] * np.exp(1j * sign * m * one.phi)
            target = math.sqrt(4 * math.pi) if ell == 0 else 0
            assert abs(np.sum(weights * signal) - target) < IDENTITY * math.sqrt(2 * ell + 1)


@pytest.mark.parametrize("L", SIZES)
@pytest.mark.parametrize("make", MAKERS)
def test_products_are_exact_where_period_is_none(make, L):
    one = make(L)
    if one.period is not None:
        assert isinstance(one, MW | MWSS | CC)
        return
    pairs, columns = all_columns(L, one.theta)
    orders = np.array([m for _, m in pairs])
    gram = np.einsum("at,bt,t->ab", columns, columns, one.weights[:, 0] * one.n_phi, optimize=True)
    equal = orders[:, None] == orders  # different orders are orthogonal along the rings
    assert near(gram[equal], np.eye(len(pairs))[equal], IDENTITY)


def test_products_on_mw_need_its_period():
    theta, weights = MW(4).theta, MW(4).weights[:, 0] * 7
    assert abs(np.sum(weights * legendre_column(3, 0, theta) ** 2) - 1) > 0.01
    assert [MW(4).period, MWSS(4).period, CC(4, 5).period, CC(4, 6).period] == [7, 8, 8, 10]
    assert [x.period for x in (CC(4), CC(4, 9), GL(4), DH(4), DHPole(4), HEALPix(4))] == [None] * 6


@pytest.mark.parametrize("L", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_positive(kind, L):
    weights = kind(L).weights[:, 0]
    assert np.all(weights[1:] > 0) and weights[0] >= (0 if kind is DHPole else 1e-12)


@pytest.mark.parametrize("L", SIZES)
def test_the_pole_of_driscoll_and_healy_weighs_nothing(L):
    assert DHPole(L).weights[0, 0] == 0


def test_driscoll_healy_formula():
    L = 9
    for one in (DH(L), DHPole(L)):
        for theta, weight in zip(one.theta, one.weights[:, 0], strict=True):
            total = sum(math.sin((2 * k + 1) * theta) / (2 * k + 1) for k in range(L))
            expected = 2 / L * math.sin(theta) * total * 2 * math.pi / one.n_phi
            assert abs(weight - expected) < LAST_PLACES


@pytest.mark.parametrize("L", [4, 5])
def test_mw_weights_of_the_paper(L):
    """McEwen and Wiaux 2011: inverse transform of w(m'), folded back by the parity extension."""
    size, one = 2 * L - 1, MW(L)

    def v(t):
        theta = math.pi * (2 * t + 1) / size
        even = [m for m in range(1 - L, L) if m % 2 == 0]  # odd m: sine terms, odd in theta
        return sum(2 / (1 - m * m) * math.cos(m * theta) for m in even) / size

    for t in range(L):
        expected = 2 * math.pi / size * (v(t) + (v(2 * L - 2 - t) if t < L - 1 else 0))
        assert abs(one.weights[t, 0] - expected) < LAST_PLACES


@pytest.mark.parametrize("n", [1, 2, 3, 16, 65, 128, 513, 1024, 2048])
def test_gauss_legendre_against_40_digits(n):
    theta, weights = gauss_legendre(n)
    index = STORED[f"gl/{n}/index"]
    np.testing.assert_allclose(theta[index], STORED[f"gl/{n}"][0], rtol=NODES, atol=0)
    np.testing.assert_allclose(weights[index], STORED[f"gl/{n}"][1], rtol=LAST_PLACES, atol=0)
    assert np.array_equal(weights, weights[::-1]) and abs(weights.sum() - 2) < 2e-15


@pytest.mark.parametrize("kind", KINDS)
def test_large_grids_integrate_zonal_signals(kind):
    L = 4096
    one = kind(L)
    weights = one.weights[:, 0] * one.n_phi / (2 * np.pi)
    assert abs(weights.sum() - 2) < IDENTITY
    # cos(k theta) with k < L is band-limited; its integral is 2/(1-k^2), or 0 for odd k
    for k in (1, 2, 101, 1000, L - 2, L - 1):
        exact = 0 if k % 2 else 2 / (1 - k * k)
        assert abs(np.sum(weights * np.cos(k * one.theta)) - exact) < CHAIN


# ---------------------------------------------------------------- HEALPix


@pytest.mark.parametrize("nside", [1, 2, 3, 4, 5])
def test_healpix_geometry(nside):
    theta, phi = STORED[f"healpix/{nside}"]
    one = HEALPix(nside)
    assert one.shape == theta.shape and one.L is None and not one.exact and not one.rectangular
    assert near(one.theta, theta, LAST_PLACES) and near(one.phi, phi, PHI)
    pixels = np.arange(12 * nside**2)[::-1].reshape(3, -1)
    by_pixel = healpix.pixel_angles(nside, pixels)
    assert near(by_pixel[0], theta[pixels], LAST_PLACES) and near(by_pixel[1], phi[pixels], PHI)


def test_healpix_polar_rings_keep_their_digits():
    nside = 1024
    i = np.arange(1, 6)
    y = i**2 / (3 * nside**2)  # 1 - z
    np.testing.assert_allclose(
        2 * np.sin(HEALPix(nside).ring_theta[:5] / 2) ** 2, y, rtol=LAST_PLACES
    )


@pytest.mark.parametrize("nside", [1, 2, 4, 8])
def test_nested_order(nside):
    expected = STORED[f"nest2ring/{nside}"]
    pixels = np.arange(12 * nside**2)
    assert np.array_equal(healpix.nest2ring(nside, pixels), expected)
    assert np.array_equal(healpix.ring2nest(nside, expected), pixels)
    theta, phi = healpix.pixel_angles(nside, nest=True)
    assert np.array_equal(theta, HEALPix(nside).theta[expected])
    assert near(phi, HEALPix(nside).phi[expected], PHI)


def test_nested_order_at_the_largest_nside(rng):
    nside = 2**13
    pixels = rng.integers(0, 12 * nside**2, 5000)
    assert np.array_equal(healpix.ring2nest(nside, healpix.nest2ring(nside, pixels)), pixels)
    face_corners = np.arange(12)[:, None] * nside**2 + [0, nside**2 - 1]
    ring = healpix.nest2ring(nside, face_corners)
    assert np.array_equal(healpix.ring2nest(nside, ring), face_corners)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.complex128, ">f8"])
def test_reorder(dtype, rng, monkeypatch):
    monkeypatch.setattr(healpix, "_CHUNK", 50)  # several passes, the last one short
    values = rng.integers(-99, 99, (2, 3, 192)).astype(dtype)
    kept = values.copy()
    nested = healpix.reorder(values, "ring")
    assert nested.dtype == values.dtype and nested.shape == values.shape
    assert np.array_equal(nested, values[..., STORED["nest2ring/4"]])
    assert np.array_equal(healpix.reorder(nested, "nested"), values)
    assert np.array_equal(values, kept)


@pytest.mark.parametrize("chunk", [1, 50, 2**16])
@pytest.mark.parametrize("nside", [1, 2, 4, 16, 64])
def test_reorder_of_the_pixel_numbers(nside, chunk, monkeypatch):
    """Also in blocks of few rows, the last one short."""
    monkeypatch.setattr(healpix, "_CHUNK", chunk)
    pixels = np.arange(12 * nside**2)
    assert np.array_equal(healpix.reorder(pixels, "nested"), healpix.ring2nest(nside, pixels))
    assert np.array_equal(healpix.reorder(pixels, "ring"), healpix.nest2ring(nside, pixels))


@pytest.mark.parametrize("nside", [1, 2, 3, 4, 7, 16, 50])
def test_ring_weights_are_exact_positive_and_close_to_equal(nside):
    one = HEALPix(nside)
    relative = one.ring_weights * one.shape[0] / (4 * np.pi)
    assert 0.7 < relative.min() and relative.max() < 1.2
    assert np.array_equal(relative, relative[::-1])
    mass = one.ring_n_phi * one.ring_weights
    for ell in range(3 * nside):
        zonal = legendre_column(ell, 0, one.ring_theta)
        exact = math.sqrt(4 * math.pi) if ell == 0 else 0
        assert abs(mass @ zonal - exact) < IDENTITY * math.sqrt(2 * ell + 1)


def test_ring_weights_improve_on_equal_ones():
    nside = 32
    theta = HEALPix(nside).theta
    errors = {"ring": [], "equal": []}
    for weights, found in errors.items():
        one = HEALPix(nside, weights)
        for ell in range(2, nside, 2):
            found.append(abs(one.weights @ legendre_column(ell, 0, theta)))
    assert max(errors["equal"]) > 1e-4 and max(errors["ring"]) < IDENTITY
    assert np.all(HEALPix(nside, "equal").weights == 4 * np.pi / (12 * nside**2))


# ---------------------------------------------------------------- Rings


def test_rings_view():
    one = Rings([0.5, 1.0, 2.5], [3, 1, 4], [0.1, 0.2, -0.3])
    assert one.shape == (8,) and one.L is None and not one.exact and one.period is None
    assert one.ring_start.tolist() == [0, 3, 4] and one.ring_n_phi.tolist() == [3, 1, 4]
    assert one.theta.tolist() == [0.5] * 3 + [1.0] + [2.5] * 4
    turns = [0.1 + 2 * math.pi * p / 3 for p in range(3)] + [0.2]
    assert near(one.phi, turns + [-0.3 + math.pi * p / 2 for p in range(4)], LAST_PLACES)
    assert abs(one.weights.sum() - 4 * np.pi) < SHORT_SUM and np.all(one.weights > 0)


def uneven_rings():
    """Rings of many kinds: names, and colatitudes."""
    rng = np.random.default_rng(7)
    cells = np.arange(40)
    yield "jittered", (cells + rng.uniform(0.1, 0.9, 40)) * np.pi / 40
    yield "drawn", np.sort(np.arccos(rng.uniform(-1, 1, 200)))
    yield "no equator", np.delete((cells + 0.5) * np.pi / 40, [19, 20])
    yield "with poles", np.unique([0, *rng.uniform(0, np.pi, 60), np.pi])
    yield "clustered", np.unique([*GL(24).theta, *(GL(24).theta[5] + 1e-9 * np.arange(4))])
    yield "healpix", HEALPix(8).ring_theta
    yield "mw", MW(17).theta


@pytest.mark.parametrize("name, theta", list(uneven_rings()))
def test_rings_weigh_zonal_signals_exactly(name, theta):
    """Below degree pi/h, with h the widest gap on the circle through the poles."""
    one = Rings(theta, 3 + np.arange(len(theta)) % 5)
    assert np.all(one.ring_weights >= 0)
    mass = one.ring_weights * one.ring_n_phi
    assert abs(mass.sum() - 4 * np.pi) < 4 * np.pi * IDENTITY
    widest = max(2 * theta[0], 2 * (np.pi - theta[-1]), np.diff(theta).max())
    for ell in range(math.ceil(np.pi / widest - 1e-9)):
        exact = math.sqrt(4 * math.pi) if ell == 0 else 0
        error = abs(mass @ legendre_column(ell, 0, theta) - exact)
        assert error < IDENTITY * math.sqrt(2 * ell + 1), ell


@pytest.mark.parametrize("spin", [0, 2])
def test_rings_hold_exact_transforms_where_they_are_dense(spin, rng):
    """Products of two signals of band-limit L have degrees <= 2L-2, here below pi/h."""
    theta = (np.arange(40) + rng.uniform(0.2, 0.8, 40)) * np.pi / 40
    widest = max(2 * theta[0], 2 * (np.pi - theta[-1]), np.diff(theta).max())
    L = (int(np.pi / widest) + 1) // 2
    one = Rings(theta, 2 * L - 1 + np.arange(40) % 4, rng.uniform(-1, 1, 40))
    flm = random_flm(L, rng, spin=spin)
    back = forward(inverse(flm, L, spin=spin, sampling=one), L, spin=spin, sampling=one)
    assert L > 10 and near(back, flm, IDENTITY)


@pytest.mark.parametrize("theta", [[0.2, 0.9, 1.5], [1.0], [0.0], [np.pi], [0.0, np.pi]])
def test_rings_with_wide_gaps_weigh_their_zones(theta):
    edges = [0, *((a + b) / 2 for a, b in itertools.pairwise(theta)), np.pi]
    areas = [2 * np.pi * (math.cos(a) - math.cos(b)) for a, b in itertools.pairwise(edges)]
    assert near(Rings(theta, 4).ring_weights * 4, areas, SHORT_SUM)


def test_no_weight_is_negative(rng):
    for _ in range(300):
        theta = np.sort(rng.uniform(0, np.pi, rng.integers(1, 12)))
        for angles in (theta, [0, *theta], [*theta, np.pi]):
            weights = Rings(angles, 1).ring_weights
            assert weights.min() >= 0 and abs(weights.sum() - 4 * np.pi) < CHAIN


def test_rings_take_weights_as_they_are():
    one = Rings([0.5, 1.0], [3, 2], weights=[1.0, -2.0])
    assert one.weights.tolist() == [1, 1, 1, -2, -2]
    assert Rings([0.0, np.pi], 1).weights.sum() == pytest.approx(4 * np.pi, rel=LAST_PLACES)


def test_rings_are_described_in_a_line():
    """However many there are; equal, hashed and pickled by all their numbers."""
    one = Rings(np.linspace(0.001, 3.14, 1000), 1 + np.arange(1000) % 7)
    assert repr(one) == "Rings(1000 rings, 3997 samples, theta from 0.001 to 3.14)"
    assert repr(Rings([1.0], 4)) == "Rings(1 ring, 4 samples, theta from 1 to 1)"
    again = pickle.loads(pickle.dumps(one))
    assert again == one and hash(again) == hash(one) and {one: 1}[again] == 1
    assert one != Rings(one.angles, one.counts, 1e-9) and copy.deepcopy(one) == one
    with pytest.raises(ValueError) as error:
        forward(np.zeros(5), 8, sampling=one)
    assert len(str(error.value)) < 300 and "Rings(1000 rings" in str(error.value)
    with pytest.raises(ValueError) as error:
        Rings(np.append(one.angles, 1.0), 4)
    assert "; ring 1000 at 1 follows 3.14" in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_colatitudes_within_the_rounding_of_their_type(dtype):
    """float32 pi is larger than pi; latitudes of -90 degrees come to it too."""
    lat = np.radians(np.array([90, 45, 0, -45, -90], dtype))
    for theta in (dtype(np.pi / 2) - lat, np.arccos(np.array([1, 0.5, -0.5, -1], dtype))):
        for given in (theta, list(theta), tuple(theta)):
            one = Rings(given, 4)
            assert 0 <= one.angles[0] and one.angles[-1] <= np.pi
            eps = max(np.finfo(dtype).eps, 2.3e-16)
            np.testing.assert_allclose(one.angles, np.asarray(theta, float), rtol=0, atol=4 * eps)
    for beyond in (dtype(np.pi) * (1 + 4 * max(np.finfo(dtype).eps, 2e-16)), dtype(-0.01)):
        with pytest.raises(ValueError, match=r"theta of Rings ranges from .*\[0, pi\], in radians"):
            Rings(np.array([beyond], dtype), 4)


def test_rings_of_angles_with_a_unit():
    units = pytest.importorskip("astropy.units")
    assert Rings([30, 90] * units.deg, 4, 10 * units.deg) == Rings(
        ([30, 90] * units.deg).to_value("rad"), 4, (10 * units.deg).to_value("rad")
    )
    assert Rings(np.array([0, 180], np.float32) * units.deg, 4).angles == (0, np.pi)
    with pytest.raises(ValueError, match="theta of Rings has the unit m"):
        Rings([1] * units.m, 4)
    with pytest.raises(TypeError, match="weights of Rings has the unit sr"):
        Rings([1.0], 4, weights=[1] * units.sr)
    with pytest.raises(ValueError, match="numpy.radians converts degrees"):
        Rings([30.0, 90.0], 4)


def test_rings_of_a_healpix_map_are_that_map():
    one = HEALPix(3)
    same = Rings(one.ring_theta, one.ring_n_phi, one.ring_phi0, one.ring_weights)
    assert all(np.array_equal(getattr(one, key), getattr(same, key)) for key in ARRAYS)


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("one", ANY, ids=repr)
def test_grids_are_immutable_values(one):
    for key in ARRAYS:
        array = getattr(one, key)
        whole_numbers = key in ("ring_n_phi", "ring_start")
        assert array.dtype == (np.int64 if whole_numbers else np.float64)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for field in dataclasses.fields(one):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field.name, 1)
    for twin in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one and hash(twin) == hash(one)
        assert not twin.weights.flags.writeable
    assert np.broadcast_shapes(one.weights.shape, one.shape) == one.shape
    assert grid(one) is one and grid(one, 3) is one


@pytest.mark.parametrize("one", ANY, ids=repr)
def test_the_ring_view_agrees_with_the_samples(one):
    weights = np.broadcast_to(one.weights, one.shape).ravel()
    theta = one.theta if not one.rectangular else np.repeat(one.theta, one.n_phi)
    phi = one.phi if not one.rectangular else np.tile(one.phi, len(one.theta))
    rings = zip(*(getattr(one, key) for key in RING_ATTRIBUTES), strict=True)
    for ring_theta, n_phi, phi0, start, weight in rings:
        own = slice(start, start + n_phi)
        assert np.all(theta[own] == ring_theta) and np.all(weights[own] == weight)
        assert near(phi[own], phi0 + 2 * np.pi * np.arange(n_phi) / n_phi, PHI)
    assert start + n_phi == len(weights)


@pytest.mark.parametrize("key", ["theta", "phi", "weights"])
def test_arrays_of_samples_are_cached_unless_large(key, monkeypatch):
    assert getattr(HEALPix(16), key) is getattr(HEALPix(16), key)
    monkeypatch.setattr(base, "_MAX_CACHED_SAMPLES", 12 * 16**2 - 1)
    one, two = (getattr(HEALPix(16), key) for _ in range(2))
    assert one is not two and np.array_equal(one, two) and not one.flags.writeable


def test_equality_is_by_value_and_kind():
    assert MW(8) == MW(8, 15) == MW(np.int32(8)) and MW(8) != MW(8, 16) and MW(8) != GL(8)
    assert CC(8) == CC(8, 15, 15) and HEALPix(4) != HEALPix(4, "equal")
    assert Rings([1.0], 4) == Rings(np.array([1.0]), [4]) != Rings([1.0], 4, 0.1)
    assert len({MW(8), MW(8, 15), GL(8), DH(8)}) == 3


def test_names():
    for kind in KINDS:
        assert grid(kind.name, 6) == kind(6) == grid(f"{kind.name}:6") == grid(f"{kind.name}:6", 4)
    assert [k.name for k in KINDS] == ["mw", "mwss", "dh", "dhpole", "gl", "cc"]
    assert grid("healpix:6") == HEALPix(6) == grid("healpix:6", 12)
    assert (HEALPix.name, Rings.name) == ("healpix", "rings")


# ---------------------------------------------------------------- refusals

REFUSALS = [
    (lambda: MW(0), ValueError, r"L is 0; .*>= 1"),
    (lambda: GL(-3), ValueError, r"L is -3"),
    (lambda: GL(10**9), ValueError, r"L is 1000000000"),
    (lambda: DH(3.0), TypeError, r"3\.0.*integer"),
    (lambda: DH(True), TypeError, r"True.*integer"),
    (lambda: DH("3"), TypeError, r"'3'.*integer"),
    (lambda: CC(None), TypeError, r"None.*integer"),
    (lambda: MW(4, 6), ValueError, r"n_phi is 6; .*2L-1 = 7"),
    (lambda: MWSS(4, 7.0), TypeError, r"n_phi is 7.0 .*integer"),
    (lambda: CC(4, 4), ValueError, r"n_theta is 4; .*n_theta >= L\+1"),
    (lambda: HEALPix(0), ValueError, r"nside is 0"),
    (lambda: HEALPix(2.5), TypeError, r"nside"),
    (lambda: HEALPix(2, "pixel"), ValueError, r'"ring" or "equal"'),
    (lambda: Rings([], 4), ValueError, r"strictly increasing"),
    (lambda: Rings([0.5, 0.5], 4), ValueError, r"strictly increasing"),
    (lambda: Rings([0.5, 4.0], 4), ValueError, r"\[0, pi\]"),
    (lambda: Rings([-0.1], 4), ValueError, r"\[0, pi\]"),
    (lambda: Rings([np.nan], 4), ValueError, r"finite"),
    (lambda: Rings([[0.5, 1.0]], 4), ValueError, r"list of"),
    (lambda: Rings([0.5, 1.0], 0), ValueError, r"n_phi is 0"),
    (lambda: Rings([0.5, 1.0], [1, 2, 3]), ValueError, r"n_phi of Rings has shape \(3,\)"),
    (lambda: Rings([0.5, 1.0], 4, [1.0]), ValueError, r"phi0 of Rings has shape \(1,\)"),
    (lambda: Rings([0.5, 1.0], 4, np.inf), ValueError, r"finite"),
    (lambda: Rings([0.5], 4, weights=[np.nan]), ValueError, r"finite"),
    (lambda: grid("sphere", 4), ValueError, r"mw, mwss, dh, dhpole, gl, cc, healpix"),
    (lambda: grid("mw"), ValueError, r"band-limit"),
    (lambda: grid("mw:four"), ValueError, r"integer"),
    (lambda: grid("mw:²"), ValueError, r"integer"),
    (lambda: grid("healpix", 8), ValueError, r"nside"),
    (lambda: grid(8), TypeError, r"grid or one of mw"),
    (lambda: healpix.nside_of(13), ValueError, r"12 nside\^2"),
    (lambda: healpix.nest2ring(3, [0]), ValueError, r"power of two"),
    (lambda: healpix.ring2nest(2, [48]), ValueError, r"0\.\.47"),
    (lambda: healpix.ring2nest(2, [-1]), ValueError, r"0\.\.47"),
    (lambda: healpix.ring2nest(2, [0.5]), TypeError, r"integers"),
    (lambda: healpix.reorder(np.zeros(48), "up"), ValueError, r'"ring" or "nested"'),
    (lambda: healpix.reorder(np.zeros(108), "ring"), ValueError, r"power of two"),
    (lambda: healpix.reorder(np.zeros(50), "ring"), ValueError, r"not a HEALPix map"),
    (lambda: healpix.reorder(3.0, "ring"), ValueError, r"not a HEALPix map"),
    (lambda: gauss_legendre(0), ValueError, r"n is 0; .*>= 1"),
    (lambda: gauss_legendre(-1), ValueError, r"n is -1"),
    (lambda: [gauss_legendre(n) for n in (2, 2.0)], TypeError, r"n is 2\.0 .*integer"),
    (lambda: equispaced(0, False), ValueError, r"period is 0; .*>= 1"),
    (lambda: [equispaced(n, True) for n in (3, 3.0)], TypeError, r"period is 3\.0 .*integer"),
    (lambda: fejer2(0), ValueError, r"n is 0; .*>= 2"),
    (lambda: fejer2(3), ValueError, r"n is 3; .*even"),
    (lambda: fejer2("4"), TypeError, r"n is '4' .*integer"),
    (lambda: [healpix.rings(n) for n in (2, 2.0)], TypeError, r"nside is 2\.0 .*integer"),
    (lambda: healpix.ring_weights([2]), TypeError, r"nside is \[2\] .*integer"),
    (lambda: Rings([0.5], 4, np.nan), ValueError, r"finite"),
]


@pytest.mark.parametrize("call, error, message", REFUSALS)
def test_refusals_name_the_cause(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_tables_beyond_the_memory_are_refused(monkeypatch):
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", "1e6")
    for call in (
        lambda: healpix.pixel_angles(5001),
        lambda: healpix.pixel_angles(5001, [0]),
        lambda: healpix.ring_weights(5001),
    ):
        with pytest.raises(MemoryError, match="at nside 5001 needs .*SPHEREKIT_MAX_MEMORY"):
            call()
