"""The modes E and B of a wind in harmonic space, and coefficients that are multiples of them by degree.

E and B are the coefficients of two real signals, with those of the field u + i v, of spin 1,

    g_lm = i E_lm - B_lm

(the field -v + i u is i times it, with the coefficients -(E + iB) of `conventions.eb_to_spin`).
"""

from typing import NamedTuple

import numpy as np

from spherekit._core.jit import leaf
from spherekit.conventions import band_limit_of
from spherekit.fields.potentials import degree_table
from spherekit.linear import linear_map

#: Numbers of the modes.
E, B = 0, 1


class Multiple(NamedTuple):
    """A mode times factor (l(l+1))^power; 0 for l = 0.

    Attributes
    ----------
    mode : int
        E or B.
    power : float
    factor : complex
    """

    mode: int
    power: float
    factor: complex


def modes_of(flm):
    """E and B [shape=(2, ..., L*L)] of the coefficients of u + i v; 0 for l = 0.

    E = -i/2 (g - M g) and B = -(g + M g)/2, where (M g)_lm = (-1)^m conj(g_{l,-m}).

    >>> modes_of(np.array([9, 0, 1 + 2j, 0]))[:, 2].real
    array([ 2., -1.])
    """
    return _modes.forward(flm)


def multiples_of(modes, multiples):
    """Coefficients [shape=(n, ..., L*L)] of n multiples of the modes [shape=(2, ..., L*L)]."""
    return _multiples.forward(modes, multiples=tuple(multiples))


def _split(flm):
    flm = np.ascontiguousarray(flm)
    L = band_limit_of(flm)
    modes = np.empty((2, *flm.shape), flm.dtype)
    _split_kernel(flm.reshape(-1, L * L), modes.reshape(2, -1, L * L), L)
    return modes


def _join(modes):
    """The transpose: i H(E) - H(B), where H = (1 + M)/2 projects onto real signals."""
    modes = np.ascontiguousarray(modes)
    L = band_limit_of(modes)
    flm = np.empty(modes.shape[1:], modes.dtype)
    _join_kernel(modes.reshape(2, -1, L * L), flm.reshape(-1, L * L), L)
    return flm


@leaf
def _split_kernel(flm, modes, L):
    for q in range(flm.shape[0]):
        modes[0, q, 0] = 0
        modes[1, q, 0] = 0
        for ell in range(1, L):
            center = ell * ell + ell
            sign = 1
            for m in range(ell + 1):
                x = flm[q, center + m]
                mirror = sign * flm[q, center - m].conjugate()
                electric = -0.5j * (x - mirror)
                magnetic = -0.5 * (x + mirror)
                modes[0, q, center + m] = electric
                modes[1, q, center + m] = magnetic
                modes[0, q, center - m] = sign * electric.conjugate()
                modes[1, q, center - m] = sign * magnetic.conjugate()
                sign = -sign


@leaf
def _join_kernel(modes, flm, L):
    for q in range(flm.shape[0]):
        flm[q, 0] = 0
        for ell in range(1, L):
            center = ell * ell + ell
            sign = 1
            for m in range(ell + 1):
                electric = 0.5 * (
                    modes[0, q, center + m] + sign * modes[0, q, center - m].conjugate()
                )
                magnetic = 0.5 * (
                    modes[1, q, center + m] + sign * modes[1, q, center - m].conjugate()
                )
                flm[q, center + m] = 1j * electric - magnetic
                flm[q, center - m] = sign * (1j * electric.conjugate() - magnetic.conjugate())
                sign = -sign


def _multiply(modes, *, multiples):
    result = np.empty((len(multiples), *modes.shape[1:]), modes.dtype)
    for multiple, flm in zip(multiples, result, strict=True):
        np.multiply(modes[multiple.mode], _factors(multiple, modes), out=flm)
    return result


def _multiply_transposed(flms, *, multiples):
    modes = np.zeros((2, *flms.shape[1:]), flms.dtype)
    for multiple, flm in zip(multiples, flms, strict=True):
        modes[multiple.mode] += np.conj(_factors(multiple, flms)) * flm
    return modes


def _factors(multiple, flm):
    """The factors of all entries, in the precision of the coefficients."""
    if not multiple.power:
        return flm.dtype.type(multiple.factor)
    return degree_table(band_limit_of(flm), multiple.power, multiple.factor, flm.dtype)


_modes = linear_map("fields.modes of winds", _split, _join)
_multiples = linear_map("fields.multiples of modes", _multiply, _multiply_transposed)
