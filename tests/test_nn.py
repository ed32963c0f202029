"""Layers and networks: definitions, equivariance, derivatives, types, refusals, learning."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, value_and_grad

from spherekit import nn, wigner
from spherekit.bench.layer_tables import aliasing_models
from spherekit.conventions import from_real, to_real
from spherekit.nn import clebsch_gordan_products, degree_mixing, fragment_indexing, fragment_linear
from spherekit.nn.inspection import turn
from spherekit.testing import assert_gradient, random_flm

ANGLES = 0.3, 1.1, -0.7


def sphere(L, channels, rng, batch=3, real=True, dtype=complex):
    return random_flm(L, rng, reality=real, shape=(batch, channels), dtype=dtype)


def equivariance(net, params, x):
    """Largest relative error of net(R x) = R net(x)."""
    one, other = net(params, turn(x, net.takes, ANGLES)), turn(net(params, x), net.gives, ANGLES)
    return np.abs(one - other).max() / np.abs(other).max()


F = nn.fragments()
TAU = (2, 1, 3, 0, 1)
#: Parts that are equivariant to rounding, from real signals of four channels, L = 6.
STRICT = {
    "fragments": [F],
    "fragments of SO(3)": [nn.lift(3, 3), F],
    "signals": [F, nn.convolution(3), nn.signals()],
    "convolution": [F, nn.convolution(3, 2)],
    "constrained": [F, nn.tensor_product("mst"), nn.constrained(3, 2)],
    "tensor_product full": [F, nn.tensor_product()],
    "tensor_product rmst": [F, nn.convolution(2, 2), nn.tensor_product("rmst")],
    "tensor_product lower": [F, nn.tensor_product(L=3)],
    "fragment_norm": [F, nn.tensor_product("mst"), nn.fragment_norm()],
    "zonal": [nn.zonal(3, 4)],
    "lift": [nn.lift(3, 2, L=5)],
    "lift near_identity": [nn.lift(3, kind="near_identity")],
    "lift equatorial": [nn.lift(3, kind="equatorial")],
    "correlate": [nn.lift(3, 3), nn.correlate(2, 4, L=5)],
    "correlate near_identity": [nn.lift(3), nn.correlate(2, kind="near_identity")],
    "spin_convolution": [nn.spin_convolution(3, (0, 1, -2), 4), nn.spin_convolution(2, L=5)],
    "scalars": [nn.spin_convolution(3), nn.scalars()],
    "products": [nn.products()],
    "products lower": [nn.products(L=4)],
    "products higher": [nn.products(L=9)],
    "brackets": [nn.brackets()],
    "batch_norm": [nn.batch_norm()],
    "batch_norm SO(3)": [nn.lift(3, 3), nn.batch_norm()],
    "batch_norm spins": [nn.spin_convolution(3), nn.batch_norm()],
    "spectral_pool": [nn.spectral_pool(4)],
    "spectral_pool SO(3)": [nn.lift(3), nn.spectral_pool(4, 2)],
    "mean": [nn.mean()],
    "mean SO(3)": [nn.lift(3), nn.mean()],
    "invariants": [F, nn.tensor_product("mst"), nn.invariants()],
    "power": [nn.power()],
    "power of fragments": [F, nn.tensor_product("rmst"), nn.power()],
    "bispectrum": [nn.bispectrum()],
    "dense": [nn.mean(), nn.dense(5), nn.relu(), nn.dense(2)],
}
#: Parts that alias.
POINTWISE = {
    "relu": lambda k: [nn.pointwise("relu", k)],
    "tanh SO(3)": lambda k: [nn.lift(3, 3), nn.pointwise("tanh", k)],
    "modulus_phase": lambda k: [nn.spin_convolution(3), nn.modulus_phase(k)],
    "phase_collapse": lambda k: [nn.spin_convolution(3), nn.phase_collapse(k)],
    "scattering": lambda k: [nn.scattering(J0=1, oversample=k)],
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_layers(name, rng):
    """To 1e-12 in float64, 1e-5 in float32, which is kept."""
    net = nn.Net(nn.Sphere(6, 4), *STRICT[name])
    x = sphere(6, 4, rng)
    assert equivariance(net, net.init(rng), x) < 1e-12
    params, single = net.init(rng, np.float32), x.astype(np.complex64)
    y = net(params, single)
    assert y.dtype in (np.float32, np.complex64)
    assert np.shape(y) == net.gives.shape(3)
    assert equivariance(net, params, single) < 1e-5


@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_layers(name, rng):
    """They alias, the less the finer they are sampled."""
    x, errors = sphere(8, 2, rng), []
    for oversample in (1, 2, 4):
        net = nn.Net(nn.Sphere(8, 2), *POINTWISE[name](oversample))
        errors.append(equivariance(net, net.init(np.random.default_rng(1)), x))
        single = net(net.init(rng, np.float32), x.astype(np.complex64))
        assert single.dtype in (np.float32, np.complex64)
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.02


@pytest.mark.parametrize("name", ["cohen", "esteves", "spin", "hybrid"])
def test_models_that_alias(name, rng):
    """Their outputs depend on the orientation the less, the finer they are sampled."""
    make, errors = aliasing_models(8)["hybrid, J0 = 1" if name == "hybrid" else name], []
    for oversample in (1, 2, 4):
        net = make(oversample)
        params = net.init(np.random.default_rng(3))
        errors.append(nn.equivariance(net, params, sphere(8, 1, np.random.default_rng(4)), rng))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.02


@pytest.mark.parametrize("kind, size", [("mean", 2), ("max", 2), ("mean", 3), ("max", 4)])
def test_sample_pool(kind, size, rng):
    """Exact of constants; a rotation by a coarse sample about the axis is kept."""
    few = 4
    L = few * size
    net = nn.Net(nn.Sphere(L, 1), nn.sample_pool(kind, size))
    one = np.zeros((1, 1, L * L), complex)
    one[..., 0] = 2
    np.testing.assert_allclose(net([{}], one)[0, 0], np.eye(16)[0] * 2, rtol=0, atol=1e-13)
    x = sphere(L, 1, rng)
    turned = wigner.rotate(x, 2 * np.pi / (2 * few), 0, 0)
    expected = wigner.rotate(net([{}], x), 2 * np.pi / (2 * few), 0, 0)
    np.testing.assert_allclose(net([{}], turned), expected, rtol=0, atol=1e-12)


def test_maximum(rng):
    x = sphere(6, 2, rng)
    for parts in ([nn.maximum(8)], [nn.lift(2, 3), nn.maximum(4)]):
        net = nn.Net(nn.Sphere(6, 2), *parts)
        assert equivariance(net, net.init(rng), x) < 0.05


# --- definitions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", [True, False])
def test_tensor_products(real, rng):
    """Against the plain sum over Clebsch-Gordan blocks; any two signals, any of the three roles."""
    x, y = nn.Generalized((2, 1, 2), 3, real), nn.Generalized((1, 2, 1, 1), 3, real)
    products = [
        (l1, t1, l2, t2, ell)
        for ell in range(4)
        for l1 in range(3)
        for t1 in range(x.tau[l1])
        for l2 in range(4)
        for t2 in range(y.tau[l2])
        if abs(l1 - l2) <= ell <= l1 + l2
    ]
    form, tau = clebsch_gordan_products.form(x, y, products, real)
    made = nn.Generalized(tau, 3, real)
    a, b, g = (rng.standard_normal((s.size, 2, 3)) for s in (x, y, made))
    if not real:
        a, b, g = (v + 1j * rng.standard_normal(v.shape) for v in (a, b, g))
    got = clebsch_gordan_products.contract(a, b, form, 2, 1)
    by_a, by_b = np.zeros_like(a), np.zeros_like(b)
    seen = dict.fromkeys(range(4), 0)
    for l1, t1, l2, t2, ell in products:
        C = wigner.clebsch_gordan(l1, l2, ell, basis="real" if real else "complex")
        i, j, k = x.rows(l1, t1), y.rows(l2, t2), made.rows(ell, seen[ell])
        seen[ell] += 1
        expected = np.einsum("ijk,ibc,jbc->kbc", C, a[i], b[j])
        np.testing.assert_allclose(got[k], expected, rtol=0, atol=1e-13)
        by_a[i] += np.einsum("ijk,jbc,kbc->ibc", C, b[j], g[k])
        by_b[j] += np.einsum("ijk,ibc,kbc->jbc", C, a[i], g[k])
    np.testing.assert_allclose(
        clebsch_gordan_products.contract(b, g, form, 0, 1), by_a, rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(
        clebsch_gordan_products.contract(a, g, form, 1, 1), by_b, rtol=0, atol=1e-12
    )
    for role, two in ((2, (a, b)), (0, (b, g)), (1, (a, g))):
        assert_gradient(
            lambda u, v, r=role: clebsch_gordan_products.contract(u, v, form, r, 1), *two
        )


@pytest.mark.parametrize("lanes", [1, 31, 64, 65, 700])
def test_lanes_and_threads(lanes, rng):
    """Any batch: each signal gets what it gets alone, whatever the threads."""
    net = nn.Net(nn.Sphere(5, 1), F, nn.tensor_product(), nn.constrained(2, 2), nn.invariants())
    for dtype in (np.float64, np.float32):
        params = net.init(np.random.default_rng(0), dtype)
        x = sphere(5, 1, rng, lanes).astype(np.result_type(dtype, np.complex64))
        one, two = (net(params, x, nn.Mode(threads)) for threads in (1, 2))
        assert (one == two).all()
        alone = net(params, x[-1:])
        np.testing.assert_allclose(
            alone[0], one[-1], rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13
        )


@pytest.mark.parametrize("kind", fragment_linear.KINDS)
@pytest.mark.parametrize("real", [True, False])
def test_blends(kind, real, rng):
    """Each kind as a sum over fragments and channels; all derivatives."""
    takes = nn.Generalized((2, 1, 3), 3, real)
    channels = 4 if kind in ("free", "filter", "cross") else 3
    tau = takes.tau if kind == "cross" else (1, 2, 2)
    plan = fragment_linear.plan(kind, takes, tau, channels)
    W, x = rng.standard_normal(plan.size), rng.standard_normal(takes.shape(2))
    g = rng.standard_normal(plan.gives.shape(2))
    if not real:
        W, x, g = (v + 1j * rng.standard_normal(v.shape) for v in (W, x, g))
    y = fragment_linear.blend(W, x, plan, "y", 1)
    letters = {
        "free": "tdsc,smbc->tmbd",
        "filter": "tsdc,smbc->tmbd",
        "uniform": "ts,smbc->tmbc",
        "channelwise": "cts,smbc->tmbc",
        "cross": "tdc,tmbc->tmbd",
    }[kind]
    for ell, (shape, start) in enumerate(zip(plan.shapes, plan.starts, strict=True)):
        V = W[start : start + np.prod(shape)]
        if kind == "free":
            V = V.reshape(tau[ell], channels, takes.tau[ell], 3)
        elif kind == "uniform":
            V = V.reshape(shape[1:])
        else:
            V = V.reshape(shape)
        some = x[takes.rows(ell)].reshape(takes.tau[ell], 2 * ell + 1, 2, 3)
        expected = np.einsum(letters, V, some).reshape(-1, 2, channels)
        np.testing.assert_allclose(y[plan.gives.rows(ell)], expected, rtol=0, atol=1e-13)
    for role, two in (("y", (W, x)), ("x", (W, g)), ("W", (x, g))):
        assert_gradient(lambda u, v, r=role: fragment_linear.blend(u, v, plan, r, 1), *two)


def test_lift_and_correlate_are_those_of_wigner(rng):
    """Up to the factor 8 pi^2/(2l+1), which the filters take in."""
    x = sphere(5, 1, rng, 1)
    net = nn.Net(nn.Sphere(5, 1), nn.lift(1, 4), nn.correlate(1, 3))
    params = net.init(rng)
    psi = np.zeros(25, complex)
    ell, n = nn.filters._orders(5, 4)
    psi[ell * ell + ell + n] = params[0]["weights"][:, 0] @ nn.filters.on_sphere("free", 5, 4)
    lifted = wigner.lift(x[0, 0], psi, 4)
    scale = 8 * np.pi**2 / (2 * np.repeat(np.arange(5), 2 * np.arange(5) + 1) + 1)
    first = net.layers[0].apply(params[0], x, nn.Mode())[0, 0]
    np.testing.assert_allclose(first * scale, lifted, rtol=0, atol=1e-12)
    g, at = np.zeros((7, 25), complex), 0  # g_lnk at [3 + k, l*l + l + n]
    values = params[1]["weights"][:, 0] @ nn.filters.on_group("free", 5, 3, 4)
    for degree in range(5):
        for order in range(-min(degree, 2), min(degree, 2) + 1):
            for k in range(-min(degree, 3), min(degree, 3) + 1):
                g[3 + k, degree * degree + degree + order] = values[at]
                at += 1
    expected = wigner.correlate(first, g, 3)
    np.testing.assert_allclose(net(params, x)[0, 0], expected, rtol=0, atol=1e-12)


def test_quadratic_activations_are_tensor_products(rng):
    """products: Gaunt's even couplings; brackets: odd ones, antisymmetric in the two channels."""
    from spherekit import evaluate

    x = sphere(4, 2, rng, 1)
    theta, phi = rng.uniform(0, np.pi, 20), rng.uniform(0, 6, 20)
    square = nn.Net(nn.Sphere(4, 2), nn.products(L=7))([{}], x)
    f = evaluate(x, theta, phi, reality=True)
    np.testing.assert_allclose(evaluate(square, theta, phi, reality=True), f**2, rtol=0, atol=1e-12)
    bracket = nn.Net(nn.Sphere(4, 2), nn.brackets())([{}], x)
    np.testing.assert_allclose(bracket[:, 0], -bracket[:, 1], rtol=0, atol=1e-12)
    swapped = nn.Net(nn.Sphere(4, 2), nn.brackets())([{}], x[:, ::-1])
    np.testing.assert_allclose(swapped[:, 0], -bracket[:, 0], rtol=0, atol=1e-12)
    # in coefficients it is a sum of the odd products alone
    a, b = (to_real(x[0, c]) for c in (0, 1))
    signal = nn.Generalized((1,) * 4, 1)
    odd = [
        (l1, 0, l2, 0, ell)
        for ell in range(4)
        for l1 in range(4)
        for l2 in range(4)
        if abs(l1 - l2) <= ell <= l1 + l2 and (l1 + l2 + ell) % 2
    ]
    form, tau = clebsch_gordan_products.form(signal, signal, odd, True)
    y = clebsch_gordan_products.contract(a[:, None, None], b[:, None, None], form, 2, 1)[:, 0, 0]
    made, target = nn.Generalized(tau, 1), to_real(bracket[0, 0])
    for ell in range(4):
        rows = y[made.rows(ell)].reshape(-1, 2 * ell + 1)
        wanted = target[ell * ell : (ell + 1) ** 2]
        rest = (
            wanted - rows.T @ np.linalg.lstsq(rows.T, wanted, rcond=None)[0]
            if len(rows)
            else wanted
        )
        assert np.abs(rest).max() < 1e-10


def test_bispectra(rng):
    """Invariant; the selective one is O(L^2), and tells generic signals of one power apart."""
    L = 8
    for kind in ("full", "selective"):
        net = nn.Net(nn.Sphere(L, 1), nn.bispectrum(kind))
        x = sphere(L, 1, rng, 1)
        y = net([{}], x)
        np.testing.assert_allclose(net([{}], turn(x, net.takes, ANGLES)), y, rtol=0, atol=1e-11)
        for _ in range(10):  # the same power of every degree, otherwise another signal
            other = sphere(L, 1, rng, 1)
            for ell in range(L):
                some = slice(ell * ell, (ell + 1) ** 2)
                other[..., some] *= np.linalg.norm(x[..., some]) / np.linalg.norm(other[..., some])
            assert np.linalg.norm(net([{}], other) - y) > 0.1 * np.linalg.norm(y)
        mirrored = from_real(to_real(x) * np.where(_orders_of(L) < 0, -1, 1))
        assert np.linalg.norm(net([{}], mirrored) - y) > 1e-3 * np.linalg.norm(y)
    count = [nn.Net(nn.Sphere(n, 1), nn.bispectrum("selective")).gives.features for n in (16, 32)]
    full = nn.Net(nn.Sphere(32, 1), nn.bispectrum()).gives.features
    assert count[1] < 4.4 * count[0] and count[1] < full / 2


def _orders_of(L):
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    return np.arange(L * L) - ell * ell - ell


# --- degree-mixing sets ------------------------------------------------------------------------------


def test_sizes_of_mixing_sets():
    """Full and MST as counted beforehand; RMST O(log L) pairs of each degree, cost about L^3 log L."""
    pairs = {
        L: [degree_mixing.mixing_set(kind, L) for kind in degree_mixing.NAMES]
        for L in (8, 16, 32, 64)
    }
    sizes = {L: [sum(map(len, some.values())) for some in sets] for L, sets in pairs.items()}
    assert sizes[16][:2] == [1124, 417] and sizes[32][:2] == [8584, 1729]
    assert [degree_mixing.cost(some) for some in pairs[16][:2]] == [308772, 86697]
    for L, (_, tree, reduced) in pairs.items():
        assert max(map(len, reduced.values())) <= np.log2(L) + 2
        for ell in range(L):
            assert reduced[ell] and set(reduced[ell]) <= set(tree[ell])
        assert {d for some in reduced.values() for pair in some for d in pair} == set(range(L))
    costs = np.array([[degree_mixing.cost(some) for some in pairs[L]] for L in (16, 32, 64)], float)
    full, tree, reduced = np.log2(costs[2] / costs[1])
    assert 4.8 < full < 5.1 and 3.8 < tree < 4.1 and 2.8 < reduced < 3.4


def test_a_set_of_ones_own(rng):
    given = {0: [(0, 0), (1, 1)], 1: [(1, 0)], 2: [(1, 1), (0, 2)]}
    net = nn.Net(nn.Sphere(3, 1), F, nn.tensor_product(given))
    assert net.gives.tau == (2, 1, 2)
    for words, other in [
        ("leaves the degrees \\[2\\]", {0: [(0, 0)], 1: [(0, 1)]}),
        ("makes degree 1 from", given | {1: [(0, 0)]}),
        ("twice", given | {1: [(0, 1), (1, 0)]}),
        ("makes no use", {0: [(0, 0)], 1: [(1, 1)], 2: [(1, 1)]}),
        ("degrees \\[5\\]", given | {5: [(0, 0)]}),
        ("known are full", "all"),
    ]:
        with pytest.raises(ValueError, match=words):
            nn.Net(nn.Sphere(3, 1), F, nn.tensor_product(other))


# --- derivatives -------------------------------------------------------------------------------------

SMALL = {
    "tapped": [F, nn.tapped(nn.invariants(), nn.tensor_product("mst"), nn.constrained(2))],
    "fragment_norm": [F, nn.tensor_product(), nn.fragment_norm(), nn.convolution(1), nn.power()],
    "zonal": [nn.zonal(2, 2), nn.pointwise("tanh", 2)],
    "group": [nn.lift(2), nn.pointwise("square"), nn.correlate(2, 2, L=2), nn.batch_norm()],
    "grids": [nn.lift(1, kind="near_identity"), nn.correlate(1, kind="near_identity")],
    "spins": [nn.spin_convolution(2, (0, 1), 2), nn.batch_norm(), nn.modulus_phase()],
    "phase_collapse": [nn.spin_convolution(2), nn.phase_collapse(), nn.scalars(), nn.mean()],
    "quadratic": [nn.products(), nn.brackets(), nn.power(), nn.dense(2)],
    "bispectrum": [nn.bispectrum(), nn.dense(2)],
    # not J0=0 before a norm: of one number a channel and two signals it makes +1 and -1, whose derivatives
    # are the rounding of zero
    "scattering": [nn.scattering(J0=1), nn.batch_norm(), nn.power()],
    "scattering to means": [nn.scattering(J0=0), nn.mean(), nn.dense(2)],
    "pool": [nn.spectral_pool(2), nn.sample_pool(), nn.batch_norm()],
}


@pytest.mark.parametrize("name", SMALL)
def test_gradients(name, rng):
    """In parameters and signals, used and in training, both modes."""
    net = nn.Net(nn.Sphere(3, 2), *SMALL[name])
    params = net.init(rng)
    x = rng.standard_normal((2, 2, 9))  # as real harmonics: free numbers
    for training in (False, True):

        def loss(p, u, training=training):
            mode = nn.Training(np.random.default_rng(0)) if training else None
            return anp.sum(anp.abs(net(p, from_real(u), mode)) ** 2)

        assert_gradient(lambda u, f=loss: f(params, u), x, order=2)
        found = grad(loss)(params, x)
        step = 1e-6
        for number, some in enumerate(_leaves(params)):
            if some.size == 0:
                continue
            direction = rng.standard_normal(some.shape)
            kept = some.copy()
            some[...] = kept + step * direction
            above = loss(params, x)
            some[...] = kept - step * direction
            below = loss(params, x)
            some[...] = kept
            slope = np.sum(np.real(list(_leaves(found))[number]) * direction)
            assert abs((above - below) / (2 * step) - slope) < 1e-5 * (1 + abs(slope))


def _leaves(params):
    if isinstance(params, dict):
        for name in sorted(params):
            if not name.startswith("running"):
                yield from _leaves(params[name])
    elif isinstance(params, list | tuple):
        for some in params:
            yield from _leaves(some)
    else:
        yield params


def test_types_of_gradients(rng):
    net = nn.models.cobb(4, 2)
    params, x = net.init(rng, np.float32), sphere(4, 1, rng, dtype=np.complex64)
    found = grad(lambda p: anp.sum(net(p, x) ** 2))(params)
    assert all(some.dtype == np.float32 for some in _leaves(found))


# --- training ----------------------------------------------------------------------------------------


def test_running_means(rng):
    """After many steps on one batch the running means are its own, and both ways agree."""
    net = nn.Net(nn.Sphere(4, 2), nn.zonal(3), nn.batch_norm(), nn.chain(F, nn.fragment_norm()))
    params, x = net.init(rng), sphere(4, 2, rng, 8)
    mode = nn.Training(rng, momentum=0.5)
    for _ in range(60):
        trained = net(params, x, mode)
        params = mode.updated(params)
    np.testing.assert_allclose(net(params, x), trained, rtol=0, atol=1e-12)
    assert abs(np.mean(trained[:1].real)) < 1e-10


def test_dropout(rng):
    net = nn.Net(nn.Features(1000), nn.dropout(0.25))
    x = np.ones((4, 1000))
    assert (net([{}], x) == x).all()
    y = net([{}], x, nn.Training(rng))
    assert set(np.unique(y)) == {0, 4 / 3} and abs(y.mean() - 1) < 0.05


MODELS = {
    "cohen": dict(L=6, channels=(6, 40), limits=(4, 3), outputs=1),
    "esteves": dict(L=8, channels=(8, 8, 8), anchors=4, outputs=1),
    "spin": dict(L=8, channels=(8, 8, 8), anchors=(4, 4, 4), outputs=1),
    "kondor": dict(L=5, tau=4, depth=2, outputs=1, hidden=32),
    "cobb": dict(L=5, channels=6, depth=2),
    "hybrid": dict(L=16, J0=2, channels=6, depth=1, outputs=1),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_learn(name, rng):
    """Every model can be brought to any 32 numbers."""
    net = getattr(nn.models, name)(**MODELS[name])
    x = sphere(net.takes.L, net.takes.channels, rng, 32)
    target = rng.choice([-1.0, 1.0], (32, 1))
    params, mode = net.init(rng), nn.Mode()
    loss = value_and_grad(lambda p: anp.mean((net(p, x, mode) - target) ** 2))
    state = [(np.zeros_like(p), np.zeros(p.shape)) for p in _leaves(params)]
    for step in range(1, 800):
        value, found = loss(params)
        if value < 0.05:
            break
        for p, g, (m, v) in zip(_leaves(params), _leaves(found), state, strict=True):
            g = np.conj(g)
            m += 0.1 * (g - m)
            v += 0.01 * (np.abs(g) ** 2 - v)
            p -= 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    assert value < 0.05, f"{value} after {step} steps"


@pytest.mark.parametrize("name", ["kondor", "cobb"])
def test_strict_models(name, rng):
    net = getattr(nn.models, name)(**MODELS[name])
    x = sphere(net.takes.L, 1, rng)
    assert equivariance(net, net.init(rng), x) < 1e-12
    assert equivariance(net, net.init(rng, np.float32), x.astype(np.complex64)) < 1e-5


def test_the_measure_of_equivariance(rng):
    """It sees what is equivariant, and what is not."""
    net = nn.Net(nn.Sphere(6, 2), F, nn.tensor_product("mst"))
    assert nn.equivariance(net, net.init(rng), sphere(6, 2, rng), rng) < 1e-12
    broken = nn.Net(
        nn.Sphere(6, 2), lambda s: nn.network.named("cut", s, s, lambda x, _: x.real + 0j)
    )
    assert nn.equivariance(broken, [{}], sphere(6, 2, rng), rng) > 0.1


def test_summary(capsys):
    nn.summary(nn.models.cobb())
    said = capsys.readouterr().out.splitlines()
    net = nn.models.cobb()
    assert said[0].split() == ["layer", "takes", "gives", "parameters", "cost"]
    assert int(said[-1].split()[1]) == nn.count(net.init(np.random.default_rng(0)))


def test_refusals(rng):
    x = sphere(4, 2, rng)
    net = nn.Net(nn.Sphere(4, 2), nn.zonal(3), nn.mean())
    params = net.init(rng)
    for words, call in [
        ("1, tensor_product: takes Generalized; what comes is real S2",
         lambda: nn.Net(nn.Sphere(4, 2), nn.zonal(3), nn.tensor_product())),
        ("layer 0, pointwise", lambda: nn.Net(nn.Sphere(4, 2, False, 1), nn.pointwise())),
        ("complex, real=False", lambda: nn.Sphere(4, 2, spin=1)),
        ("the network takes real S2, L=4, 2 channels", lambda: net(params, x[:, :1])),
        ("NaN", lambda: net(params, np.full_like(x, np.nan))),
        ("L is 9", lambda: nn.Net(nn.Sphere(4, 2), nn.lift(3, L=9))),
        ("N is 9", lambda: nn.Net(nn.Sphere(4, 2), nn.lift(3, 9))),
        ("anchors", lambda: nn.Net(nn.Sphere(4, 2), nn.zonal(3, 9))),
        ("filters is", lambda: nn.Net(nn.Sphere(4, 2), nn.lift(3, kind="round"))),
        ("known are relu", lambda: nn.pointwise("sharp")),
        ("of which none come", lambda: nn.Net(nn.Generalized((1, 0, 1), 2), nn.convolution(2, (1, 1, 1)))),
        ("has 2 degrees", lambda: nn.Net(nn.Generalized((1, 0, 1), 2), nn.convolution(2, (1, 1)))),
        ("channels is 0", lambda: nn.Net(nn.Sphere(4, 2), nn.zonal(0))),
        ("complex",
         lambda: nn.Net(nn.Generalized((1, 1), 1), nn.convolution(1))([], 1j * np.ones((4, 1, 1)))),
        ("is no number of sets", lambda: nn.Net(nn.Features(2), nn.set_sum(3))([{}], np.ones((4, 2)))),
        ("rate", lambda: nn.dropout(1)),
        ("oversample is 0.5", lambda: nn.pointwise("relu", 0.5)),
        ("oversample is 99", lambda: nn.maximum(99)),
        ("two channels at least", lambda: nn.Net(nn.Sphere(4, 1), nn.brackets())),
        ("break the symmetry .* the network takes real S2", lambda: net(params, x * 1j)),
        ("the network takes real SO",
         lambda: nn.Net(nn.Group(2, 2, 1), nn.mean())([{}], np.ones((1, 1, 3, 4), complex))),
        ("an L that 3 divides", lambda: nn.Net(nn.Sphere(4, 1), nn.sample_pool(size=3))),
        ("size is 1", lambda: nn.sample_pool(size=1)),
        ("even L", lambda: nn.Net(nn.Sphere(3, 1), nn.sample_pool())),
    ]:  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=words):
            call()


def test_sums_of_sets(rng):
    net = nn.Net(nn.Features(2), nn.set_sum(3))
    x = rng.standard_normal((6, 2))
    np.testing.assert_allclose(net([{}], x), x.reshape(2, 3, 2).sum(axis=1))


def test_deep_sets(rng):
    """The order within a set does not count; which set does."""
    net = nn.Net(nn.Features(2), nn.deep_sets(3, (4, 5), (6, 2)))
    params, x = net.init(rng), rng.standard_normal((6, 2))
    y = net(params, x)
    np.testing.assert_allclose(net(params, x[[2, 0, 1, 5, 4, 3]]), y, rtol=0, atol=1e-13)
    assert y.shape == (2, 2) and np.abs(net(params, x[[3, 1, 2, 0, 4, 5]]) - y).max() > 1e-3


def test_complex_signals(rng):
    """Complex weights where signals are complex; the paper's count of parameters, each counted twice."""
    net = nn.models.kondor(L=4, tau=3, depth=1, outputs=2, hidden=8, real=False)
    x = sphere(4, 1, rng, real=False)
    params = net.init(rng)
    assert equivariance(net, params, x) < 1e-12
    assert np.iscomplexobj(params[1][0][0][2]["weights"])
    single = net(net.init(rng, np.float32), x.astype(np.complex64))
    assert single.dtype == np.float32


def test_orders_and_places(rng):
    x = rng.standard_normal((4, 2))
    assert fragment_indexing.widths((0, 1)) == (1, 3)
    got = fragment_indexing.sum_orders.forward(x, widths=(1, 3))
    np.testing.assert_allclose(got, [x[0], x[1:].sum(axis=0)])
    places = fragment_indexing.Places(3, range(-1, 2))
    y = rng.standard_normal((1 + 9 + 15, 2, 3))
    back = fragment_indexing.scatter.adjoint(
        fragment_indexing.scatter.forward(y, places=places), places=places
    )
    assert (back == y).all()
