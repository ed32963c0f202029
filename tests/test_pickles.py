"""Operators as values: pickled, copied, compared, hashed; and the same bits from every copy."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from spherekit.sampling import CC, GL, MW, HEALPix, Rings, RotationGrid
from spherekit.scattering import Covariances, Scattering
from spherekit.testing import random_flm
from spherekit.wavelets import Wavelets


def results(operator):
    """Arrays that an operator computes, or that a grid holds."""
    if isinstance(operator, Wavelets):
        flm = random_flm(operator.L, np.random.default_rng(0), reality=operator.reality)
        scaling, maps = operator.analysis_flm(flm)
        return [scaling, *maps, operator.synthesis_flm(scaling, maps)]
    if isinstance(operator, Scattering | Covariances):
        outputs = operator.from_flm(random_flm(operator.L, np.random.default_rng(0), reality=True))
        return list(outputs) if isinstance(outputs, tuple) else [outputs]
    names = ("alpha", "beta", "gamma") if isinstance(operator, RotationGrid) else ("theta", "phi")
    return [getattr(operator, name) for name in (*names, "weights")]


#: Each with the arguments of another that is not equal.
OPERATORS = [
    (Wavelets, (8,), dict(N=2), dict(N=3)),
    (Wavelets, (8,), dict(reality=True, sampling="healpix:8"), dict(reality=True)),
    (Wavelets, (8,), dict(family="curvelet"), dict(N=8)),
    (Wavelets, (8, 1.5), dict(J0=1), dict(J0=0)),
    (Wavelets, (8,), dict(multiresolution=False), dict()),
    (Wavelets, (8,), dict(spin=1), dict(spin=-1)),
    (Scattering, (8,), dict(J0=1, reality=True), dict(J0=2, reality=True)),
    (Scattering, (8,), dict(J0=1, N=3, directional="full"), dict(J0=1, N=3, directional="slices")),
    (Scattering, (8,), dict(depth=1), dict(depth=2)),
    (Scattering, (8,), dict(paths="all"), dict(paths="descending")),
    (Scattering, (8,), dict(oversample=1), dict(oversample=2)),
    (Covariances, (8,), dict(N=1), dict(N=2)),
    (Covariances, (8,), dict(N=1, isotropic=True), dict(N=1)),
    (Covariances, (8,), dict(N=3, directions=7), dict(N=3)),
    (RotationGrid, (4, 2), dict(), dict(steerable=True)),
    (RotationGrid, (4, 2, "healpix:4"), dict(), dict(steerable=True)),
    (MW, (4,), dict(), None),
    (GL, (4,), dict(), None),
    (CC, (4,), dict(n_theta=9), dict(n_theta=7)),
    (HEALPix, (4,), dict(), dict(weights="equal")),
    (Rings, ([0.5, 1.5], [3, 4], [0, 1]), dict(), None),
]


@pytest.fixture(params=OPERATORS, ids=lambda row: f"{row[0].__name__} {row[2]}")
def row(request):
    return request.param


def test_copies_are_equal_and_compute_the_same_bits(row):
    kind, args, options, _ = row
    operator = kind(*args, **options)
    expected = results(operator)
    copies = [copy.copy(operator), copy.deepcopy(operator), kind(*args, **options)]
    copies += [pickle.loads(pickle.dumps(operator, p)) for p in range(2, pickle.HIGHEST_PROTOCOL)]
    for twin in copies:
        assert type(twin) is kind and twin == operator and not twin != operator
        assert hash(twin) == hash(operator) and {operator: "a"}[twin] == "a"
        assert repr(twin) == repr(operator)
        for x, y in zip(results(twin), expected, strict=True):
            assert x.dtype == y.dtype and np.array_equal(x, y)


def test_what_differs_is_not_equal(row):
    kind, args, options, others = row
    operator = kind(*args, **options)
    if others is not None:
        assert operator != kind(*args, **others)
    for stranger in (None, args[0], Wavelets(7), repr(operator), object()):
        assert operator != stranger and not operator == stranger


def test_in_another_process():
    """A pickle from here computes there what it does here, to the bit."""
    kinds = [(Wavelets, dict(N=2)), (Scattering, dict(J0=1)), (Covariances, dict(N=1))]
    operators = [kind(8, **options) for kind, options in kinds]
    program = (
        "import pickle, sys; sys.path.insert(0, sys.argv[1]); from test_pickles import results; "
        "operators = pickle.load(sys.stdin.buffer); "
        "pickle.dump([results(x) for x in operators], sys.stdout.buffer)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, os.path.dirname(__file__)],
        input=pickle.dumps(operators),
        capture_output=True,
        check=True,
    )
    for operator, arrays in zip(operators, pickle.loads(done.stdout), strict=True):
        for x, y in zip(results(operator), arrays, strict=True):
            assert np.array_equal(x, y)
