"""``engine=``: which engine does a transform, on the sphere and on the rotation group."""

import pathlib
import re

import autograd.numpy as anp
import numpy as np
import pytest
import tolerances
from autograd import grad

import spherekit as sk
from spherekit import wigner
from spherekit.harmonic import dispatch, plan
from spherekit.harmonic.engines import precomputed
from spherekit.sampling import GL, MW, HEALPix, RotationGrid
from spherekit.testing import random_flm, random_flmn
from spherekit.wigner import dispatch as wigner_dispatch

MAPS = 8


def close(got, expected):
    scale = np.abs(expected).max()
    return np.abs(got - expected).max() <= tolerances.DEFINITION[np.dtype(float)] * scale


def chosen(grid, L, maps, spin=0, reality=True):
    problem = dispatch.Problem(grid, L, spin, reality, 1, plan.synthesis_plan, True, maps)
    return dispatch.choose(problem).name


def test_auto_takes_the_fastest_that_is_usable():
    assert chosen(GL(16), 16, MAPS) == "batched"
    assert chosen(GL(16), 16, 1) == chosen(MW(16), 16, MAPS, 2, False) == "precomputed"
    assert chosen(GL(256), 256, 1) == chosen(HEALPix(8), 16, MAPS) == "recursion"


def test_the_architecture_states_the_largest_band_limits():
    """That the tables of `precomputed` permit, for one map and for a batch."""
    page = pathlib.Path(__file__).parent.parent / "tutorials" / "architecture.md"
    rows = re.findall(
        r"^\| `(\w+)`, spin (\d) \| (\d+) \| (\d+) \|$", page.read_text("utf-8"), re.M
    )
    assert len(rows) == 4
    for name, spin, *limits in rows:
        for maps, largest in zip((1, MAPS), map(int, limits), strict=True):
            for L, usable in ((largest, True), (largest + 1, False)):
                case = {"MW": MW, "GL": GL}[name](L), L, int(spin), False, 1
                problem = dispatch.Problem(*case, plan.synthesis_plan, True, maps)
                assert precomputed.is_usable_for(problem) is usable, (name, spin, maps, L)


@pytest.mark.parametrize("grid", [GL(12), MW(12)], ids=str)
def test_engines_agree(grid, rng):
    flm, options = (
        random_flm(12, rng, reality=True, shape=(MAPS,)),
        dict(sampling=grid, reality=True),
    )
    f = rng.standard_normal((MAPS, *grid.shape))
    for transform, x in (
        (sk.inverse, flm),
        (sk.forward, f),
        (sk.inverse_adjoint, f),
        (sk.forward_adjoint, flm),
    ):
        expected = transform(x, 12, engine="recursion", **options)
        for engine in ("precomputed", "batched", "auto"):
            assert close(transform(x, 12, engine=engine, **options), expected), transform.__name__
        automatic = transform(x, 12, **options)
        assert np.array_equal(automatic, transform(x, 12, engine="batched", **options))


def test_engines_of_the_rotation_group_agree(rng):
    L, N, grid = 8, 3, RotationGrid(8, 3, MW(8))
    flmn, options = random_flmn(L, N, rng, reality=True, shape=(MAPS,)), dict(reality=True)
    f = rng.standard_normal((MAPS, *grid.shape))
    for transform, x in (
        (wigner.inverse, flmn),
        (wigner.forward, f),
        (wigner.inverse_adjoint, f),
        (wigner.forward_adjoint, flmn),
    ):
        expected = transform(x, L, N, engine="by_order", **options)
        for engine in ("precomputed", "batched", "auto"):
            got = transform(x, L, N, engine=engine, **options)
            assert close(got, expected), transform.__name__


def test_gradients_go_by_the_same_engine(rng):
    """To the last bit, in which engines differ."""
    L, options = 10, dict(sampling="gl", reality=True)
    f = rng.standard_normal((MAPS, L, 2 * L - 1))
    weights = random_flm(L, rng, shape=(MAPS,))
    gradients = {}
    for engine in ("recursion", "precomputed", "batched"):

        def loss(x, engine=engine):
            return anp.sum(anp.real(weights * sk.forward(x, L, engine=engine, **options)))

        gradients[engine] = grad(loss)(f)
        expected = sk.forward_adjoint(weights.conj(), L, engine=engine, **options)
        assert np.array_equal(gradients[engine], expected)
    assert not np.array_equal(gradients["recursion"], gradients["batched"])
    flmn = random_flmn(4, 2, rng)
    samples = rng.standard_normal((3, 4, 7))
    for engine in ("by_order", "precomputed"):
        gradient = grad(
            lambda x, e=engine: anp.sum(samples * anp.real(wigner.inverse(x, 4, 2, engine=e)))
        )(flmn)
        expected = wigner.inverse_adjoint(samples + 0j, 4, 2, engine=engine).conj()
        assert np.array_equal(gradient, expected)


@pytest.mark.parametrize("engine", ["fast", "by_order", "", None, 3, ["recursion"]])
def test_unknown_names_are_refused(engine):
    names = '"auto", "batched", "precomputed", "recursion", "cuda"'
    for transform in (sk.inverse, sk.forward_adjoint):
        with pytest.raises(ValueError, match=f"engine is .*; expected one of {names}"):
            transform(np.zeros(16, complex), 4, engine=engine)
    for transform in (sk.forward, sk.inverse_adjoint):
        with pytest.raises(ValueError, match="engine is"):
            transform(np.zeros((4, 7)), 4, engine=engine)
    name = "recursion" if engine == "by_order" else engine
    for transform in (wigner.inverse, wigner.forward_adjoint):
        with pytest.raises(ValueError, match='expected one of .*"by_order"'):
            transform(np.zeros((3, 16), complex), 4, 2, engine=name)
    for transform in (wigner.forward, wigner.inverse_adjoint):
        with pytest.raises(ValueError, match="engine is"):
            transform(np.zeros((3, 4, 7)), 4, 2, engine=name)


@pytest.mark.parametrize(
    "engine, shape, options, reason",
    [
        ("cuda", (16,), {}, "is on the CPU"),
        ("batched", (8, 16), {}, "reality=True"),
        ("batched", (2, 16), dict(reality=True), "at least 8 maps, not 2"),
        ("batched", (8, 10000), dict(reality=True), "at most 193 samples per ring"),
        ("batched", (8, 16), dict(reality=True, sampling="healpix:2"), "rectangular grids"),
        ("precomputed", (16,), dict(sampling="healpix:2"), "rectangular grids, not HEALPix"),
        ("precomputed", (65536,), dict(sampling="gl"), "bytes; the limit is 1.2e"),
    ],
)
def test_engines_say_why_they_cannot(engine, shape, options, reason):
    L = int(shape[-1] ** 0.5)
    words = f'engine="{engine}" cannot do this transform: .*{reason}'
    with pytest.raises(ValueError, match=words):
        sk.inverse(np.zeros(shape, complex), L, engine=engine, **options)


@pytest.mark.parametrize(
    "engine, maps, options, reason",
    [
        ("batched", 8, dict(reality=True, steerable=True), "steerable=False"),
        ("batched", 1, dict(reality=True), "at least 8 maps"),
        ("precomputed", 1, dict(sampling="healpix:2"), "rectangular"),
    ],
)
def test_engines_of_the_rotation_group_say_why_they_cannot(engine, maps, options, reason):
    words = f'engine="{engine}" cannot do this transform: .*{reason}'
    with pytest.raises(ValueError, match=words):
        wigner.forward_adjoint(np.zeros((maps, 3, 16), complex), 4, 2, engine=engine, **options)


@pytest.mark.parametrize("room", [dispatch, wigner_dispatch])
def test_every_engine_has_the_protocol(room):
    """The last one of the list does everything."""
    assert room.ENGINES[-1].unusable_reason(None) is None
    for engine in room.ENGINES:
        assert engine.name in room.NAMES
        for function in ("is_usable_for", "required_bytes", "synthesis", "analysis"):
            assert callable(getattr(engine, function))
