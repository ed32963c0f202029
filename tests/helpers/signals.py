"""Signals and coefficients of tests."""

import autograd.numpy as anp
import numpy as np


def hermitian(flm):
    """The part of coefficients that belongs to a real signal; differentiable."""
    L = int(round(flm.shape[-1] ** 0.5))
    ell = np.repeat(np.arange(L), 2 * np.arange(L) + 1)
    m = np.arange(L * L) - ell * ell - ell
    return (flm + (1.0 - 2.0 * (m % 2)) * anp.conj(flm[..., ell * ell + ell - m])) / 2
