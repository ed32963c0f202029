"""Real signals: one basis, and one tolerance of the symmetry, wherever coefficients are taken."""

import numpy as np
import pytest
from tolerances import LAST_PLACES

import spherekit as sk
from spherekit import nn, wigner
from spherekit.conventions import from_real, to_healpy, to_real, to_shtools
from spherekit.conventions.indexing import is_hermitian
from spherekit.harmonic import synthesis_operator
from spherekit.sampling import GL, HEALPix, Rings
from spherekit.testing import random_flm, random_flmn

L = 6

#: Everything that takes the coefficients of a real signal, and refuses those of a complex one.
TAKERS = {
    "inverse": lambda flm: sk.inverse(flm, L, reality=True),
    "inverse, no tables": lambda flm: sk.inverse(flm, L, sampling=GL(200), reality=True),
    "inverse, HEALPix": lambda flm: sk.inverse(flm, L, sampling=HEALPix(4), reality=True),
    "inverse, rings": lambda flm: sk.inverse(
        flm, L, sampling=Rings([0.5, 1.0], [7, 11]), reality=True
    ),
    "inverse, lanes": lambda flm: sk.inverse(np.stack([flm] * 16), L, reality=True),
    "rotate": lambda flm: wigner.rotate(flm, 0.1, 0.2, 0.3, reality=True),
    "to_healpy": to_healpy,
    "to_shtools": to_shtools,
    "network": lambda flm: nn.types.check_real(flm[None, None], nn.Sphere(L, 1)),
}
GROUP = {
    "wigner.inverse": lambda flmn: wigner.inverse(flmn, L, 3, reality=True),
    "wigner.inverse, lanes": lambda flmn: wigner.inverse(np.stack([flmn] * 16), L, 3, reality=True),
}


def judged(take, coefficients, single, share, at):
    """Whether coefficients are taken whose symmetry is broken by that share of the tolerance."""
    tolerance = 1e-5 if single else 1e-11
    broken = coefficients.copy()
    broken[at] += share * tolerance * np.abs(coefficients).max()
    try:
        take(broken.astype(np.complex64 if single else complex))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", TAKERS)
def test_one_tolerance_on_the_sphere(name, single, rng):
    flm = random_flm(L, rng, reality=True)
    flm[20] = 4.0  # the largest: its modulus is its real part
    assert judged(TAKERS[name], flm, single, 0.7, 9)
    assert not judged(TAKERS[name], flm, single, 1.5, 9)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", GROUP)
def test_one_tolerance_on_the_rotation_group(name, single, rng):
    flmn = random_flmn(L, 3, rng, reality=True)
    flmn[2, 20] = 8.0
    assert judged(GROUP[name], flmn, single, 0.7, (1, 9))
    assert not judged(GROUP[name], flmn, single, 1.5, (1, 9))


@pytest.mark.parametrize("share, expected", [(0.7, True), (1.5, False)])
def test_the_command_asks_as_the_library_does(share, expected, rng):
    flm = random_flm(L, rng, reality=True)
    flm[20] = 4.0
    flm[9] += share * 4e-11
    assert is_hermitian(flm) is expected


def test_one_real_basis(rng):
    """Of the converters, of Wigner matrices and of the operator of least squares."""
    x = rng.standard_normal(L * L)
    flm = from_real(x)
    for ell in range(L):
        degree = slice(ell * ell, (ell + 1) ** 2)
        U = wigner.real_basis(ell)
        assert np.abs(U.T @ x[degree] - flm[degree]).max() < LAST_PLACES
    operator = synthesis_operator(L, sampling="gl", reality=True)
    assert np.array_equal(
        operator.matvec(x), sk.inverse(flm, L, sampling="gl", reality=True).ravel()
    )
    assert np.abs(to_real(flm) - x).max() < LAST_PLACES


def test_complex_coefficients_of_the_real_harmonics_are_refused():
    with pytest.raises(
        TypeError, match="x is complex .*coefficients of the real harmonics are real"
    ):
        from_real(np.zeros(9, complex))
