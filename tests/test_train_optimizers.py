"""Optimizers, clipping and schedules: definitions by hand."""

import json
import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from tolerances import LAST_PLACES

from spherekit import train
from spherekit._core import pytree
from spherekit.train import schedules

P, G = [1.0, -2.0], ([0.5, 1.0], [-1.0, 0.25])


def run(optimizer, dtype=float, params=None):
    """Two steps by the gradients G."""
    params = {"w": np.array(P, dtype)} if params is None else params
    state = optimizer.init(params)
    for g in G:
        params, state = optimizer.step(params, {"w": np.array(g, dtype)}, state)
    return params["w"], state


def by_hand(kind, rate=0.1, mu=0.9, b1=0.9, b2=0.999, eps=1e-8, decay=0.0):
    """Number by number."""
    found = []
    for p, *gs in zip(P, *G, strict=True):
        v = m = s = 0.0
        for t, g in enumerate(gs, 1):
            if kind in ("sgd", "nesterov"):
                v = mu * v + g
                p = p - rate * (g + mu * v if kind == "nesterov" else v)
            else:
                m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
                p = p - rate * decay * p
                p = p - rate * (m / (1 - b1**t)) / (math.sqrt(s / (1 - b2**t)) + eps)
        found.append(p)
    return found


@pytest.mark.parametrize(
    "optimizer, expected",
    [
        (train.sgd(0.1), by_hand("sgd", mu=0)),
        (train.sgd(0.1, momentum=0.9), by_hand("sgd")),
        (train.sgd(0.1, momentum=0.9, nesterov=True), by_hand("nesterov")),
        (train.adam(0.1), by_hand("adam")),
        (
            train.adam(0.1, beta1=0.8, beta2=0.9, eps=1e-3),
            by_hand("adam", b1=0.8, b2=0.9, eps=1e-3),
        ),
        (train.adamw(0.1, weight_decay=0.5), by_hand("adam", decay=0.5)),
    ],
    ids=str,
)
def test_hand_worked_steps(optimizer, expected):
    got, state = run(optimizer)
    np.testing.assert_allclose(got, expected, rtol=LAST_PLACES, atol=0)
    assert state["step"] == 2


def test_plain_numbers():
    """Worked out beforehand: sgd 1 - 0.1 0.5 + 0.1 1, with momentum 0.9 v = 0.5, -0.55; adam's first step."""
    np.testing.assert_allclose(run(train.sgd(0.1))[0][0], 1.05, rtol=LAST_PLACES)
    np.testing.assert_allclose(run(train.sgd(0.1, momentum=0.9))[0][0], 1.005, rtol=LAST_PLACES)
    opt, params = train.adam(0.1), {"w": np.array([3.0])}
    after, _ = opt.step(params, {"w": np.array([-7.0])}, opt.init(params))
    np.testing.assert_allclose(after["w"], 3.1, rtol=1e-9)


@pytest.mark.parametrize(
    "optimizer", [train.sgd(0.05, 0.9), train.adam(0.05), train.adamw(0.05, 0.0)], ids=str
)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_quadratic(optimizer, dtype, rng):
    """|A z - b|^2 is brought to its minimum; parameters of 0 and 2 axes, and of real ones beside."""
    A = (rng.standard_normal((6, 3)) + 1j * rng.standard_normal((6, 3))).astype(dtype)
    z0 = (rng.standard_normal(3) + 1j * rng.standard_normal(3)).astype(dtype)
    b = A @ z0
    real = np.dtype(dtype).type(0).real.dtype
    params = [{"z": np.zeros((3, 1), dtype), "c": np.zeros((), dtype), "r": np.zeros(2, real)}]

    def loss(p):
        rest = anp.dot(A, p[0]["z"])[:, 0] - b
        square = anp.sum(anp.real(rest) ** 2 + anp.imag(rest) ** 2)
        c = p[0]["c"] - (1 - 2j)
        return square + anp.real(c) ** 2 + anp.imag(c) ** 2 + anp.sum((p[0]["r"] - 3) ** 2)

    state = optimizer.init(params)
    for step in range(1500):
        scaled = optimizer if step < 1000 else train.Optimizer(
            optimizer.kind, schedules.constant(0.002), optimizer.settings)  # fmt: skip
        params, state = scaled.step(params, grad(loss)(params), state)
    atol = 2e-6 if dtype == np.complex64 else 1e-6  # in float32 eight units in the last place of 3
    np.testing.assert_allclose(params[0]["z"][:, 0], z0, rtol=0, atol=atol)
    np.testing.assert_allclose(params[0]["c"], 1 - 2j, rtol=0, atol=atol)
    np.testing.assert_allclose(params[0]["r"], 3, rtol=0, atol=atol)
    assert params[0]["z"].dtype == dtype and params[0]["r"].dtype == real


@pytest.mark.parametrize(
    "opt", [train.sgd(0.1, 0.9, True), train.adam(), train.adamw(schedules.cosine(0.1, 10))]
)
def test_types_and_shapes(opt):
    """float32 stays, nothing is changed in place."""
    params = {
        "w": np.ones((2, 3), np.float32),
        "c": np.complex64(1),
    }
    before = {name: np.copy(value) for name, value in params.items()}
    grads = {name: np.ones_like(value) for name, value in params.items()}
    after, state = opt.step(params, grads, opt.init(params))
    after, state = opt.step(after, grads, state)
    assert {n: (v.dtype, v.shape) for n, v in after.items()} == {
        n: (v.dtype, v.shape) for n, v in before.items()
    }
    assert all(a.dtype in (np.float32, np.int64) for _, a in pytree.flatten(state))
    assert (after["w"] != 1).all() and (after["c"] != 1).all()
    assert all((params[n] == before[n]).all() for n in before)
    json.dumps(pytree.treedef(state))


def test_complex_numbers_are_pairs_of_reals():
    """Adam of x + iy is Adam of (x, y)."""
    opt = train.adam(0.1)
    z, zs = {"z": np.array([1 + 2j])}, None
    xy, ps = {"z": np.array([1.0, 2.0])}, None
    zs, ps = opt.init(z), opt.init(xy)
    for k in range(5):
        z, zs = opt.step(z, {"z": np.array([1.0 - k - 0.3j * (k + 1)])}, zs)  # dL/dx - i dL/dy
        xy, ps = opt.step(xy, {"z": np.array([1.0 - k, 0.3 * (k + 1)])}, ps)
    np.testing.assert_array_equal(z["z"].view(float), xy["z"])


def test_clipping():
    grads = [{"a": np.array([3.0, 0.0])}, np.array([4j])]
    assert train.global_norm(grads) == 5
    clipped, norm = train.clip_by_global_norm(grads, 2.5)
    assert norm == 5 and train.global_norm(clipped) == 2.5
    assert train.clip_by_global_norm(grads, 5.0)[0] is grads
    small = train.clip_by_global_norm([np.array([3e30], np.float32)], 1.0)[0][0]
    assert small.dtype == np.float32 and abs(small[0] - 1) < np.finfo(np.float32).eps


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-30, 1e30, 1e200, 1e307])
def test_norms_of_any_scale(scale):
    """Sums of squares would be 0 or infinite."""
    grads = [np.array([3.0, 0.0]) * scale, np.array([4j]) * scale]
    np.testing.assert_allclose(train.global_norm(grads), 5 * scale, rtol=LAST_PLACES)
    clipped, _ = train.clip_by_global_norm(grads, scale)
    np.testing.assert_allclose(train.global_norm(clipped), scale, rtol=LAST_PLACES)
    assert train.global_norm([np.zeros(3)]) == 0 and np.isnan(
        train.global_norm([np.array([np.nan])])
    )


@pytest.mark.parametrize(
    "words, call",
    [
        ("learning_rate is -1", lambda: train.sgd(-1)),
        ("momentum is 1", lambda: train.sgd(0.1, 1)),
        ("nesterov", lambda: train.sgd(0.1, nesterov=True)),
        ("beta2 is 2", lambda: train.adam(beta2=2)),
        ("eps is 0", lambda: train.adam(eps=0)),
        ("weight_decay is -1", lambda: train.adamw(weight_decay=-1)),
    ],
)
def test_refused_optimizers(words, call):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "words, call",
    [
        (
            "gradient with respect to a is missing",
            lambda one, two: one.step(two, {}, one.init(two)),
        ),
        (
            "gradient with respect to a has the shape \\(3,\\)",
            lambda one, two: one.step(two, {"a": np.ones(3)}, one.init(two)),
        ),
    ],
)
def test_refused_steps(words, call):
    one, two = train.sgd(1.0), {"a": np.ones(2)}
    with pytest.raises(ValueError, match=words):
        call(one, two)


@pytest.mark.parametrize(
    "words, call",
    [
        ("learning_rate is True", lambda: train.adam(True)),
        ("learning_rate is 'x'", lambda: train.schedules.constant("x")),
        ("momentum is '0.9'", lambda: train.sgd(0.1, "0.9")),
        ("beta1 is None", lambda: train.adam(beta1=None)),
        ("eps is '1e-8'", lambda: train.adam(eps="1e-8")),
        ("weight_decay is \\[0\\]", lambda: train.adamw(weight_decay=[0])),
        ("max_norm is '1'", lambda: train.clip_by_global_norm([np.ones(2)], "1")),
        (
            "gradients.0.b has dtype <U1; expected numbers",
            lambda: train.global_norm([{"a": np.ones(2), "b": "x"}]),
        ),
        (
            "gradients.a has dtype object",
            lambda: train.clip_by_global_norm({"a": np.array([None])}, 1.0),
        ),
        ("steps is 10.5", lambda: train.schedules.cosine(1.0, 10.5)),
        ("warmup is True", lambda: train.schedules.cosine(1.0, 10, True)),
        ("floor is 'low'", lambda: train.schedules.cosine(1.0, 10, floor="low")),
        ("factor is 'half'", lambda: train.schedules.exponential(1.0, "half")),
        ("decay_steps is 2.0", lambda: train.schedules.exponential(1.0, 0.5, 2.0)),
        ("expected a sequence", lambda: train.schedules.steps(1.0, 5)),
        ("at is 5.5", lambda: train.schedules.steps((1.0, 0.1), (5.5,))),
    ],
)
def test_refused_types_of_numbers(words, call):
    with pytest.raises(TypeError, match=words):
        call()


def test_optimizers_compare_and_print():
    numpy = train.schedules.cosine(np.float32(0.5), np.int64(10))
    assert numpy == train.schedules.cosine(0.5, 10) and "np" not in str(numpy)
    assert train.adam(0.1) == train.adam(0.1) != train.adam(0.2)
    assert (
        str(train.sgd(schedules.constant(0.5)))
        == "sgd(constant(learning_rate=0.5), momentum=0.0, nesterov=False)"
    )


def test_schedules():
    cosine = schedules.cosine(2.0, 110, warmup=10, floor=1.0)
    assert [cosine(t) for t in (0, 4, 9, 10, 60, 110, 999)] == [0.2, 1.0, 2.0, 2.0, 1.5, 1.0, 1.0]
    assert [schedules.steps((3, 2, 1), (5, 7))(t) for t in (0, 4, 5, 6, 7, 99)] == [
        3,
        3,
        2,
        2,
        1,
        1,
    ]
    assert schedules.exponential(1.0, 0.5, 2)(4) == 0.25 and schedules.constant(7)(99) == 7
    opt = train.sgd(schedules.steps((1.0, 0.0), (1,)))
    params, state = [np.zeros(1)], opt.init([np.zeros(1)])
    for _ in range(3):
        params, state = opt.step(params, [np.ones(1)], state)
    assert params[0] == -1


@pytest.mark.parametrize(
    "words, call",
    [
        ("warmup is 9 of 9", lambda: schedules.cosine(1, 9, 9)),
        ("floor is 2", lambda: schedules.cosine(1, 9, floor=2)),
        ("steps is 0", lambda: schedules.cosine(1, 0)),
        ("2 learning rates at the steps \\(3, 1\\)", lambda: schedules.steps((1, 2), (3, 1))),
        ("factor is 0", lambda: schedules.exponential(1, 0)),
        ("learning_rate is nan", lambda: schedules.constant(math.nan)),
    ],
)
def test_refused_schedules(words, call):
    with pytest.raises(ValueError, match=words):
        call()
