"""Layers and networks: definitions, equivariance, derivatives, types, refusals, learning."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, value_and_grad
from helpers.networks import (
    MODELS,
    POINTWISE,
    SMALL,
    STRICT,
    F,
    Map,
    leaves,
    output,
    sphere,
    training,
)
from tolerances import CHAIN, IDENTITY, SHORT_SUM, SINGLE

from spherekit import nn, wigner
from spherekit.bench.layer_tables import aliasing_models
from spherekit.conventions import from_real, to_real
from spherekit.nn import clebsch_gordan_products, degree_mixing, fragment_indexing, fragment_linear
from spherekit.nn.inspection import rotate_signals
from spherekit.testing import assert_gradient

ANGLES = 0.3, 1.1, -0.7


def equivariance(net, initial, x):
    """Largest relative error of net(R x) = R net(x)."""
    turned = output(net, initial, rotate_signals(x, net.in_type, ANGLES))
    expected = rotate_signals(output(net, initial, x), net.out_type(), ANGLES)
    return np.abs(turned - expected).max() / np.abs(expected).max()


TAU = (2, 1, 3, 0, 1)


@pytest.mark.parametrize("name", STRICT)
def test_strict_layers(name, rng):
    """To 1e-12 in float64, 1e-5 in float32, the type of the results."""
    net = nn.Sequential(nn.Sphere(6, 4), *STRICT[name])
    x = sphere(6, 4, rng)
    assert equivariance(net, net.init(rng), x) < CHAIN
    initial, single = net.init(rng, dtype=np.float32), x.astype(np.complex64)
    y = output(net, initial, single)
    assert y.dtype in (np.float32, np.complex64)
    assert np.shape(y) == net.out_type().shape(3)
    assert equivariance(net, initial, single) < SINGLE


@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_layers(name, rng):
    """They alias, the less the finer they are sampled."""
    x, errors = sphere(8, 2, rng), []
    for oversample in (1, 2, 4):
        net = nn.Sequential(nn.Sphere(8, 2), *POINTWISE[name](oversample))
        errors.append(equivariance(net, net.init(np.random.default_rng(1)), x))
        single = output(net, net.init(rng, dtype=np.float32), x.astype(np.complex64))
        assert single.dtype in (np.float32, np.complex64)
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.02


@pytest.mark.parametrize("name", ["cohen", "esteves", "spin", "hybrid"])
def test_models_that_alias(name, rng):
    """Their outputs depend on the orientation the less, the finer they are sampled."""
    make, errors = aliasing_models(8)["hybrid, J0 = 1" if name == "hybrid" else name], []
    for oversample in (1, 2, 4):
        net = make(oversample)
        params, state = net.init(np.random.default_rng(3))
        x = sphere(8, 1, np.random.default_rng(4))
        errors.append(nn.equivariance_error(net, params, x, rng, state=state))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.02


@pytest.mark.parametrize(
    "pool", [nn.MeanPool(2), nn.MaxPool(2), nn.MeanPool(size=3), nn.MaxPool(size=4)], ids=str
)
def test_pools_of_samples(pool, rng):
    """Exact of constants; equivariant to a rotation by a coarse sample about the axis."""
    few = 4
    L = few * pool.size
    net = nn.Sequential(nn.Sphere(L, 1), pool)
    one = np.zeros((1, 1, L * L), complex)
    one[..., 0] = 2
    np.testing.assert_allclose(net([{}], one)[0, 0], np.eye(16)[0] * 2, rtol=0, atol=IDENTITY)
    x = sphere(L, 1, rng)
    turned = wigner.rotate(x, 2 * np.pi / (2 * few), 0, 0)
    expected = wigner.rotate(net([{}], x), 2 * np.pi / (2 * few), 0, 0)
    np.testing.assert_allclose(net([{}], turned), expected, rtol=0, atol=CHAIN)


@pytest.mark.parametrize("parts", [[nn.GlobalMax(8)], [nn.Lift(2, 3), nn.GlobalMax(4)]])
def test_maximum(parts, rng):
    x = sphere(6, 2, rng)
    net = nn.Sequential(nn.Sphere(6, 2), *parts)
    assert equivariance(net, net.init(rng), x) < 0.05


# --- definitions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", [True, False])
def test_tensor_products(real, rng):
    """Against the plain sum over Clebsch-Gordan blocks; any two signals, any of the three roles."""
    x, y = nn.Fragments((2, 1, 2), 3, real), nn.Fragments((1, 2, 1, 1), 3, real)
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
    made = nn.Fragments(tau, 3, real)
    a, b, g = (rng.standard_normal(s.shape(2)) for s in (x, y, made))
    if not real:
        a, b, g = (v + 1j * rng.standard_normal(v.shape) for v in (a, b, g))
    got = clebsch_gordan_products.contract(a, b, form, 2, 1)
    by_a, by_b = np.zeros_like(a), np.zeros_like(b)
    seen = dict.fromkeys(range(4), 0)
    for l1, t1, l2, t2, ell in products:
        C = wigner.clebsch_gordan(l1, l2, ell, basis="real" if real else "complex")
        i, j, k = x.rows(l1, t1), y.rows(l2, t2), made.rows(ell, seen[ell])
        seen[ell] += 1
        expected = np.einsum("ijk,bci,bcj->bck", C, a[..., i], b[..., j])
        np.testing.assert_allclose(got[..., k], expected, rtol=0, atol=IDENTITY)
        by_a[..., i] += np.einsum("ijk,bcj,bck->bci", C, b[..., j], g[..., k])
        by_b[..., j] += np.einsum("ijk,bci,bck->bcj", C, a[..., i], g[..., k])
    np.testing.assert_allclose(
        clebsch_gordan_products.contract(b, g, form, 0, 1), by_a, rtol=0, atol=CHAIN
    )
    np.testing.assert_allclose(
        clebsch_gordan_products.contract(a, g, form, 1, 1), by_b, rtol=0, atol=CHAIN
    )
    for role, two in ((2, (a, b)), (0, (b, g)), (1, (a, g))):
        assert_gradient(
            lambda u, v, r=role: clebsch_gordan_products.contract(u, v, form, r, 1), *two
        )


@pytest.mark.parametrize("lanes", [1, 31, 64, 65, 700])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lanes_and_threads(dtype, lanes, rng):
    """Any batch: each signal gets what it gets alone, whatever the threads."""
    layers = F, nn.TensorProduct(), nn.ConstrainedConvolution(2, 2), nn.Invariants()
    net = nn.Sequential(nn.Sphere(5, 1), *layers)
    params, _ = net.init(np.random.default_rng(0), dtype=dtype)
    x = sphere(5, 1, rng, lanes).astype(np.result_type(dtype, np.complex64))
    one, two = (net(params, x, threads=threads) for threads in (1, 2))
    assert (one == two).all()
    alone = net(params, x[-1:])
    np.testing.assert_allclose(
        alone[0], one[-1], rtol=0, atol=SINGLE if dtype == np.float32 else IDENTITY
    )


@pytest.mark.parametrize("kind", fragment_linear.KINDS)
@pytest.mark.parametrize("real", [True, False])
def test_blends(kind, real, rng):
    """Each kind as a sum over fragments and channels; all derivatives."""
    in_type = nn.Fragments((2, 1, 3), 3, real)
    channels = 4 if kind in ("free", "filter", "cross") else 3
    tau = in_type.tau if kind == "cross" else (1, 2, 2)
    plan = fragment_linear.plan(kind, in_type, tau, channels)
    W, x = rng.standard_normal(plan.size), rng.standard_normal(in_type.shape(2))
    g = rng.standard_normal(plan.out_type.shape(2))
    if not real:
        W, x, g = (v + 1j * rng.standard_normal(v.shape) for v in (W, x, g))
    y = fragment_linear.apply_linear(W, x, plan, "y", 1)
    letters = {
        "free": "tdsc,bcsm->bdtm",
        "filter": "tsdc,bcsm->bdtm",
        "uniform": "ts,bcsm->bctm",
        "channelwise": "cts,bcsm->bctm",
        "cross": "tdc,bctm->bdtm",
    }[kind]
    for ell, (shape, degree) in enumerate(zip(plan.shapes, plan.degrees, strict=True)):
        V = W[degree.weights]
        if kind == "free":
            V = V.reshape(tau[ell], channels, in_type.tau[ell], 3)
        elif kind == "uniform":
            V = V.reshape(shape[1:])
        else:
            V = V.reshape(shape)
        fragments = x[..., in_type.rows(ell)].reshape(2, 3, in_type.tau[ell], 2 * ell + 1)
        expected = np.einsum(letters, V, fragments).reshape(2, channels, -1)
        result = y[..., plan.out_type.rows(ell)]
        np.testing.assert_allclose(result, expected, rtol=0, atol=IDENTITY)
    for role, two in (("y", (W, x)), ("x", (W, g)), ("W", (x, g))):
        assert_gradient(lambda u, v, r=role: fragment_linear.apply_linear(u, v, plan, r, 1), *two)


def test_lift_and_correlate_are_those_of_wigner(rng):
    """Up to the factor 8 pi^2/(2l+1), which the filters take in."""
    x = sphere(5, 1, rng, 1)
    net = nn.Sequential(nn.Sphere(5, 1), nn.Lift(1, 4), nn.Correlate(1, 3))
    params, _ = net.init(rng)
    psi = np.zeros(25, complex)
    ell, n = nn.filter_bases._orders(5, 4)
    psi[ell * ell + ell + n] = params[0]["weights"][:, 0] @ nn.filter_bases.on_sphere("free", 5, 4)
    lifted = wigner.lift(x[0, 0], psi, 4)
    scale = 8 * np.pi**2 / (2 * np.repeat(np.arange(5), 2 * np.arange(5) + 1) + 1)
    first = net.layers[0](params[0], x, in_type=net.in_type)[0, 0]
    np.testing.assert_allclose(first * scale, lifted, rtol=0, atol=CHAIN)
    g, at = np.zeros((7, 25), complex), 0  # g_lnk at [3 + k, l*l + l + n]
    values = params[1]["weights"][:, 0] @ nn.filter_bases.on_so3("free", 5, 3, 4)
    for degree in range(5):
        for order in range(-min(degree, 2), min(degree, 2) + 1):
            for k in range(-min(degree, 3), min(degree, 3) + 1):
                g[3 + k, degree * degree + degree + order] = values[at]
                at += 1
    expected = wigner.correlate(first, g, 3)
    np.testing.assert_allclose(net(params, x)[0, 0], expected, rtol=0, atol=CHAIN)


def test_quadratic_activations_are_tensor_products(rng):
    """Square: Gaunt's even couplings; PoissonBracket: odd ones, antisymmetric in the two channels."""
    from spherekit import evaluate

    x = sphere(4, 2, rng, 1)
    theta, phi = rng.uniform(0, np.pi, 20), rng.uniform(0, 6, 20)
    square = nn.Sequential(nn.Sphere(4, 2), nn.Square(L=7))([{}], x)
    f = evaluate(x, theta, phi, reality=True)
    np.testing.assert_allclose(evaluate(square, theta, phi, reality=True), f**2, rtol=0, atol=CHAIN)
    bracket = nn.Sequential(nn.Sphere(4, 2), nn.PoissonBracket())([{}], x)
    np.testing.assert_allclose(bracket[:, 0], -bracket[:, 1], rtol=0, atol=CHAIN)
    swapped = nn.Sequential(nn.Sphere(4, 2), nn.PoissonBracket())([{}], x[:, ::-1])
    np.testing.assert_allclose(swapped[:, 0], -bracket[:, 0], rtol=0, atol=CHAIN)
    # in coefficients it is a sum of the odd products alone
    a, b = (to_real(x[0, c]) for c in (0, 1))
    signal = nn.Fragments((1,) * 4, 1)
    odd = [
        (l1, 0, l2, 0, ell)
        for ell in range(4)
        for l1 in range(4)
        for l2 in range(4)
        if abs(l1 - l2) <= ell <= l1 + l2 and (l1 + l2 + ell) % 2
    ]
    form, tau = clebsch_gordan_products.form(signal, signal, odd, True)
    y = clebsch_gordan_products.contract(a[None, None], b[None, None], form, 2, 1)[0, 0]
    made, target = nn.Fragments(tau, 1), to_real(bracket[0, 0])
    for ell in range(4):
        rows = y[made.rows(ell)].reshape(-1, 2 * ell + 1)
        wanted = target[ell * ell : (ell + 1) ** 2]
        rest = (
            wanted - rows.T @ np.linalg.lstsq(rows.T, wanted, rcond=None)[0]
            if len(rows)
            else wanted
        )
        assert np.abs(rest).max() < 1e-10


@pytest.mark.parametrize("kind", ["full", "selective"])
def test_bispectra(kind, rng):
    """Invariant; the selective one is O(L^2), and tells generic signals of one power apart."""
    L = 8
    net = nn.Sequential(nn.Sphere(L, 1), nn.Bispectrum(kind))
    x = sphere(L, 1, rng, 1)
    y = net([{}], x)
    # Of third order in coefficients of unit variance.
    np.testing.assert_allclose(
        net([{}], rotate_signals(x, net.in_type, ANGLES)), y, rtol=0, atol=1e-11
    )
    for _ in range(10):  # the same power of every degree, otherwise another signal
        other = sphere(L, 1, rng, 1)
        for ell in range(L):
            some = slice(ell * ell, (ell + 1) ** 2)
            other[..., some] *= np.linalg.norm(x[..., some]) / np.linalg.norm(other[..., some])
        assert np.linalg.norm(net([{}], other) - y) > 0.1 * np.linalg.norm(y)
    mirrored = from_real(to_real(x) * np.where(_orders_of(L) < 0, -1, 1))
    assert np.linalg.norm(net([{}], mirrored) - y) > 1e-3 * np.linalg.norm(y)


def test_sizes_of_bispectra():
    count = [nn.Bispectrum("selective").out_type(nn.Sphere(n, 1)).features for n in (16, 32)]
    full = nn.Bispectrum().out_type(nn.Sphere(32, 1)).features
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
    assert [degree_mixing.multiplications(some) for some in pairs[16][:2]] == [308772, 86697]
    for L, (_, tree, reduced) in pairs.items():
        assert max(map(len, reduced.values())) <= np.log2(L) + 2
        for ell in range(L):
            assert reduced[ell] and set(reduced[ell]) <= set(tree[ell])
        assert {d for some in reduced.values() for pair in some for d in pair} == set(range(L))
    costs = np.array(
        [[degree_mixing.multiplications(some) for some in pairs[L]] for L in (16, 32, 64)], float
    )
    full, tree, reduced = np.log2(costs[2] / costs[1])
    assert 4.8 < full < 5.1 and 3.8 < tree < 4.1 and 2.8 < reduced < 3.4


MIXING_SET = {0: [(0, 0), (1, 1)], 1: [(1, 0)], 2: [(1, 1), (0, 2)]}


def test_a_mixing_set_of_ones_own():
    net = nn.Sequential(nn.Sphere(3, 1), F, nn.TensorProduct(MIXING_SET))
    assert net.out_type().tau == (2, 1, 2)


@pytest.mark.parametrize(
    "words, other",
    [
        ("no pair of the degrees \\[2\\]", {0: [(0, 0)], 1: [(0, 1)]}),
        ("pair \\(0, 0\\) of degree 1", MIXING_SET | {1: [(0, 0)]}),
        ("twice", MIXING_SET | {1: [(0, 1), (1, 0)]}),
        (
            "no pair of the mixing set contains the degrees \\[2\\]",
            {0: [(0, 0)], 1: [(1, 1)], 2: [(1, 1)]},
        ),
        ("degrees \\[5\\]", MIXING_SET | {5: [(0, 0)]}),
        ("one of full, mst, rmst, or a dict .*got 'all'", "all"),
    ],
)
def test_mixing_sets_that_are_refused(words, other):
    with pytest.raises(ValueError, match=words):
        nn.Sequential(nn.Sphere(3, 1), F, nn.TensorProduct(other))


# --- derivatives -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("trained", [False, True])
def test_gradients(trained, name, rng):
    """In parameters and signals, used and in training, both modes."""
    net = nn.Sequential(nn.Sphere(3, 2), *SMALL[name])
    params, state = net.init(rng)
    x = rng.standard_normal((2, 2, 9))  # as real harmonics: free numbers

    def loss(p, u):
        y, _ = net.apply(p, state, from_real(u), training() if trained else None)
        return anp.sum(anp.abs(y) ** 2)

    assert_gradient(lambda u: loss(params, u), x, order=2)
    found = grad(loss)(params, x)
    step = 1e-6
    for number, some in enumerate(leaves(params)):
        if some.size == 0:
            continue
        direction = rng.standard_normal(some.shape)
        kept = some.copy()
        some[...] = kept + step * direction
        above = loss(params, x)
        some[...] = kept - step * direction
        below = loss(params, x)
        some[...] = kept
        slope = np.sum(np.real(list(leaves(found))[number]) * direction)
        # Central differences of step 1e-6.
        assert abs((above - below) / (2 * step) - slope) < 1e-5 * (1 + abs(slope))


def test_types_of_gradients(rng):
    net = nn.models.cobb(4, 2)
    (params, state), x = net.init(rng, dtype=np.float32), sphere(4, 1, rng, dtype=np.complex64)
    gradient = grad(lambda p: anp.sum(net(p, x, state=state) ** 2))(params)
    assert all(array.dtype == np.float32 for array in leaves(gradient))


# --- training ----------------------------------------------------------------------------------------


def test_running_means(rng):
    """After many steps on one batch the running means are its own, and both ways agree."""
    block = nn.Sequential(F, nn.FragmentNorm(momentum=0.5))
    net = nn.Sequential(nn.Sphere(4, 2), nn.Zonal(3), nn.BatchNorm(momentum=0.5), block)
    (params, state), x = net.init(rng), sphere(4, 2, rng, 8)
    for _ in range(60):
        trained, state = net.apply(params, state, x, training(rng))
    np.testing.assert_allclose(net(params, x, state=state), trained, rtol=0, atol=CHAIN)
    assert abs(np.mean(trained[..., :1].real)) < 1e-10


def test_dropout(rng):
    net = nn.Sequential(nn.Features(1000), nn.Dropout(0.25))
    x = np.ones((4, 1000))
    assert (net([{}], x) == x).all()
    y, _ = net.apply([{}], None, x, training(rng))
    assert set(np.unique(y)) == {0, 4 / 3} and abs(y.mean() - 1) < 0.05


@pytest.mark.parametrize("name", MODELS)
def test_models_learn(name, rng):
    """Every model can be brought to any 32 numbers."""
    net = getattr(nn.models, name)(**MODELS[name])
    x = sphere(net.in_type.L, net.in_type.channels, rng, 32)
    target = rng.choice([-1.0, 1.0], (32, 1))
    params, state = net.init(rng)
    loss = value_and_grad(lambda p: anp.mean((net(p, x, state=state) - target) ** 2))
    moments = [(np.zeros_like(p), np.zeros(p.shape)) for p in leaves(params)]
    for step in range(1, 800):
        value, found = loss(params)
        if value < 0.05:
            break
        for p, g, (m, v) in zip(leaves(params), leaves(found), moments, strict=True):
            g = np.conj(g)
            m += 0.1 * (g - m)
            v += 0.01 * (np.abs(g) ** 2 - v)
            p -= 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    assert value < 0.05, f"{value} after {step} steps"


@pytest.mark.parametrize("name", ["kondor", "cobb"])
def test_strict_models(name, rng):
    net = getattr(nn.models, name)(**MODELS[name])
    x = sphere(net.in_type.L, 1, rng)
    assert equivariance(net, net.init(rng), x) < CHAIN
    single = net.init(rng, dtype=np.float32)
    assert equivariance(net, single, x.astype(np.complex64)) < SINGLE


def test_the_measure_of_equivariance(rng):
    """It sees what is equivariant, and what is not."""
    net = nn.Sequential(nn.Sphere(6, 2), F, nn.TensorProduct("mst"))
    assert nn.equivariance_error(net, net.init(rng)[0], sphere(6, 2, rng), rng) < CHAIN
    broken = nn.Sequential(nn.Sphere(6, 2), Map(lambda x: x.real + 0j))
    assert nn.equivariance_error(broken, [{}], sphere(6, 2, rng), rng) > 0.1


@pytest.mark.parametrize("name", MODELS)
def test_summary(name, capsys):
    """A line a layer, those inside others too, and the totals: what the parameters count."""
    net = getattr(nn.models, name)(**MODELS[name])
    summary, (params, state) = nn.summary(net), net.init(np.random.default_rng(0))
    print(summary)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "state", "multiplications"]
    counts = nn.count_parameters(params), nn.count_parameters(state)
    assert counts[0] == sum(p.size * (2 if np.iscomplexobj(p) else 1) for p in leaves(params))
    total = *counts, net.multiplications(net.in_type)
    assert tuple(int(n.replace(",", "")) for n in lines[-1].split()[1:]) == total
    assert summary.rows[-1][2:] == total and len(lines) == len(summary.rows) + 1
    for _, layer, _, after, *_ in net.stages():
        name = type(layer).__name__
        assert any(row[0].startswith(name) and row[1] == str(after) for row in summary.rows), layer


@pytest.mark.parametrize(
    "words, call",
    [
        (
            "^layer 1, TensorProduct: accepts Fragments; its input is real S2",
            lambda: nn.Sequential(nn.Sphere(4, 2), nn.Zonal(3), nn.TensorProduct()),
        ),
        ("^layer 0, Pointwise", lambda: nn.Sequential(nn.Sphere(4, 2, False, 1), nn.Pointwise())),
        ("complex; pass real=False", lambda: nn.Sphere(4, 2, spin=1)),
        ("L is 9", lambda: nn.Sequential(nn.Sphere(4, 2), nn.Lift(3, L=9))),
        ("N is 9", lambda: nn.Sequential(nn.Sphere(4, 2), nn.Lift(3, 9))),
        ("anchors", lambda: nn.Sequential(nn.Sphere(4, 2), nn.Zonal(3, 9))),
        (
            "filters must be one of",
            lambda: nn.Sequential(nn.Sphere(4, 2), nn.Lift(3, filters="round")),
        ),
        ("one of relu, .* got 'sharp'", lambda: nn.Pointwise("sharp")),
        (
            "tau has fragments of the degrees \\[1\\]",
            lambda: nn.Sequential(nn.Fragments((1, 0, 1), 2), nn.Convolution(2, (1, 1, 1))),
        ),
        (
            "has 2 entries",
            lambda: nn.Sequential(nn.Fragments((1, 0, 1), 2), nn.Convolution(2, (1, 1))),
        ),
        ("channels is 0", lambda: nn.Sequential(nn.Sphere(4, 2), nn.Zonal(0))),
        (
            "complex",
            lambda: nn.Sequential(nn.Fragments((1, 1), 1), nn.Convolution(1))(
                [], 1j * np.ones((1, 1, 4))
            ),
        ),
        (
            "the batch has 4 .* set_size=3",
            lambda: nn.Sequential(nn.Features(2), nn.SetSum(3))([{}], np.ones((4, 2))),
        ),
        ("rate", lambda: nn.Dropout(1)),
        ("oversample is 0.5", lambda: nn.Pointwise("relu", 0.5)),
        ("oversample is 99", lambda: nn.GlobalMax(99)),
        ("at least two channels", lambda: nn.Sequential(nn.Sphere(4, 1), nn.PoissonBracket())),
        (
            "the network accepts real SO",
            lambda: nn.Sequential(nn.SO3(2, 2, 1), nn.GlobalMean())(
                [{}], np.ones((1, 1, 3, 4), complex)
            ),
        ),
        ("L a multiple of size=3", lambda: nn.Sequential(nn.Sphere(4, 1), nn.MeanPool(size=3))),
        ("size is 1", lambda: nn.MeanPool(size=1)),
        ("L a multiple of size=2", lambda: nn.Sequential(nn.Sphere(3, 1), nn.MeanPool())),
    ],
)
def test_refusals(words, call):
    with pytest.raises((ValueError, TypeError), match=words):
        call()


@pytest.mark.parametrize(
    "words, call",
    [
        (
            "the network accepts real S2, L=4, 2 channels",
            lambda x, net, params: net(params, x[:, :1]),
        ),
        ("NaN", lambda x, net, params: net(params, np.full_like(x, np.nan))),
        (
            "break the symmetry .* the network accepts real S2",
            lambda x, net, params: net(params, x * 1j),
        ),
    ],
)
def test_signals_that_are_refused(words, call, rng):
    x = sphere(4, 2, rng)
    net = nn.Sequential(nn.Sphere(4, 2), nn.Zonal(3), nn.GlobalMean())
    params, _ = net.init(rng)
    with pytest.raises((ValueError, TypeError), match=words):
        call(x, net, params)


def test_sums_of_sets(rng):
    net = nn.Sequential(nn.Features(2), nn.SetSum(3))
    x = rng.standard_normal((6, 2))
    np.testing.assert_allclose(net([{}], x), x.reshape(2, 3, 2).sum(axis=1), rtol=SHORT_SUM, atol=0)


def test_deep_sets(rng):
    """The order within a set does not count; which set does."""
    net = nn.Sequential(nn.Features(2), nn.models.deep_sets(3, (4, 5), (6, 2)))
    (params, _), x = net.init(rng), rng.standard_normal((6, 2))
    y = net(params, x)
    np.testing.assert_allclose(net(params, x[[2, 0, 1, 5, 4, 3]]), y, rtol=0, atol=IDENTITY)
    assert y.shape == (2, 2) and np.abs(net(params, x[[3, 1, 2, 0, 4, 5]]) - y).max() > 1e-3


def test_complex_signals(rng):
    """Complex weights where signals are complex; the paper's count of parameters, each counted twice."""
    net = nn.models.kondor(L=4, tau=3, depth=1, outputs=2, hidden=8, real=False)
    x = sphere(4, 1, rng, real=False)
    initial = params, _ = net.init(rng)
    assert equivariance(net, initial, x) < CHAIN
    assert np.iscomplexobj(params[1][0][0][2]["weights"])
    single = output(net, net.init(rng, dtype=np.float32), x.astype(np.complex64))
    assert single.dtype == np.float32


def test_orders_and_places(rng):
    x = rng.standard_normal((2, 4))
    assert fragment_indexing.widths((0, 1)) == (1, 3)
    got = fragment_indexing.sum_orders.forward(x, widths=(1, 3))
    expected = np.stack([x[:, 0], x[:, 1:].sum(axis=1)], axis=1)
    np.testing.assert_allclose(got, expected, rtol=SHORT_SUM, atol=0)
    indices = fragment_indexing.CoefficientIndices(3, range(-1, 2))
    y = rng.standard_normal((2, 3, 1 + 9 + 15))
    back = fragment_indexing.scatter.adjoint(
        fragment_indexing.scatter.forward(y, indices=indices), indices=indices
    )
    assert (back == y).all()
