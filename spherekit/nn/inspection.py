"""What a network is made of, and how well it commutes with rotations."""

import numpy as np

from spherekit._core import checks, scaling
from spherekit.nn.types import Features, Generalized
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
    rotations = checks.whole_number(rotations, "rotations", 1)
    rng, y, squares = checks.generator(rng), net(params, x), []
    if not np.any(y):
        raise ValueError("the network's results are all zero: there is no relative error of these")
    for _ in range(rotations):
        angles = rng.uniform(0, 2 * np.pi), np.arccos(rng.uniform(-1, 1)), rng.uniform(0, 2 * np.pi)
        wanted = turn(y, net.gives, angles).astype(complex)
        rest = net(params, turn(x, net.takes, angles)) - wanted
        squares.append(scaling.ratio(rest, wanted) ** 2)
    return float(np.sqrt(np.mean(squares)))


def count(params):
    """How many real numbers there are in a tree of parameters; a complex one counts twice."""
    if isinstance(params, dict):
        return sum(count(some) for name, some in params.items() if not name.startswith("running"))
    if isinstance(params, list | tuple):
        return sum(map(count, params))
    return params.size * (2 if np.iscomplexobj(params) else 1)


def summary(net):
    """Print a table: layer, signals in and out, parameters, multiplications of one signal.

    >>> from spherekit import nn
    >>> summary(nn.Net(nn.Sphere(4, 1), nn.mean(), nn.dense(2)))
    layer  takes                    gives       parameters  cost
    mean   real S2, L=4, 1 channel  1 feature            0     0
    dense  1 feature                2 features           4     2
    total                                                4     2
    """
    rng = np.random.default_rng(0)
    rows = [("layer", "takes", "gives", "parameters", "cost")]
    for layer in net.layers:
        some = layer.takes, layer.gives, count(layer.init(rng)), layer.cost
        rows.append((layer.name, *map(str, some)))
    rows.append(("total", "", "", *(str(sum(int(row[k]) for row in rows[1:])) for k in (3, 4))))
    width = [max(len(row[k]) for row in rows) for k in range(5)]
    for name, takes, gives, parameters, cost in rows:
        left = f"{name:{width[0]}}  {takes:{width[1]}}  {gives:{width[2]}}"
        print(f"{left}  {parameters:>{width[3]}}  {cost:>{width[4]}}")
