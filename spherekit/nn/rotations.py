"""How well networks commute with rotations, measured."""

import numpy as np

from spherekit import _check, _scale
from spherekit.nn.signals import Features, Generalized
from spherekit.wigner import D, real_basis, rotate


def turn(x, signal, angles):
    """A batch of signals of that kind, rotated by Euler angles; in the precision of ``x``.

    >>> from spherekit.nn import Generalized
    >>> x = np.ones((4, 1, 1))
    >>> turn(x, Generalized((1, 1), 1), (0.0, 0.0, np.pi))[:, 0, 0].round(6).tolist()
    [1.0, -1.0, 1.0, -1.0]
    """
    if isinstance(signal, Features):
        return x
    if not isinstance(signal, Generalized):
        return rotate(x, *angles)
    result = np.empty_like(x)
    for ell, matrix in enumerate(D(*angles, signal.L)):
        if signal.real:
            U = real_basis(ell)
            matrix = (U.conj() @ matrix @ U.T).real
        for t in range(signal.tau[ell]):
            rows = signal.rows(ell, t)
            result[rows] = np.einsum("mn,nbc->mbc", matrix, x[rows])
    return result


def equivariance(net, params, x, rng, rotations=4):
    """Relative error |net(R x) - R net(x)| / |net(x)|, root mean square over random rotations.

    Parameters
    ----------
    net : Net
    params : its parameters
    x : a batch of its signals
    rng : numpy Generator, or int
        A whole number is the seed of one.
    rotations : int

    Raises
    ------
    ValueError
        Results that are all zero.

    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> net = nn.models.cobb(5, 4)
    >>> x = random_flm(5, rng, reality=True, shape=(2, 1))
    >>> nn.equivariance(net, net.init(rng), x, rng) < 1e-12
    True
    """
    rotations = _check.whole_number(rotations, "rotations", 1)
    rng, y, squares = _check.generator(rng), net(params, x), []
    if not np.any(y):
        raise ValueError("the network's results are all zero: there is no relative error of these")
    for _ in range(rotations):
        angles = rng.uniform(0, 2 * np.pi), np.arccos(rng.uniform(-1, 1)), rng.uniform(0, 2 * np.pi)
        wanted = turn(y, net.gives, angles).astype(complex)
        rest = net(params, turn(x, net.takes, angles)) - wanted
        squares.append(_scale.ratio(rest, wanted) ** 2)
    return float(np.sqrt(np.mean(squares)))
