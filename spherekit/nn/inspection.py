"""What a network consists of, and how well it commutes with rotations."""

import numpy as np

from spherekit._core import checks, scaling
from spherekit._core.pytree import flatten
from spherekit.nn.network import ConcatReadouts
from spherekit.nn.types import Features, Fragments
from spherekit.wigner import D, real_basis, rotate


def rotate_signals(x, signals, angles):
    """A batch of signals, rotated by Euler angles; in the precision of ``x``.

    Parameters
    ----------
    x : array
        Of the shape of ``signals``.
    signals : Sphere, SpinFields, SO3, Fragments or Features
        Their type.
    angles : (alpha, beta, gamma)
        In radians.

    >>> from spherekit.nn import Fragments
    >>> rotate_signals(np.ones((1, 1, 4)), Fragments((1, 1), 1), (0.0, 0.0, np.pi))[0, 0].round(6).tolist()
    [1.0, -1.0, 1.0, -1.0]
    """
    if isinstance(signals, Features):
        return x
    if not isinstance(signals, Fragments):
        return rotate(x, *angles)
    result = np.empty_like(x)
    for ell, matrix in enumerate(D(*angles, signals.L)):
        if signals.real:
            U = real_basis(ell)
            matrix = (U.conj() @ matrix @ U.T).real
        for t in range(signals.tau[ell]):
            rows = signals.rows(ell, t)
            result[..., rows] = np.einsum("mn,bcn->bcm", matrix, x[..., rows])
    return result


def equivariance_error(net, params, x, rng, *, state=None, rotations=4) -> float:
    """Relative error |net(R x) - R net(x)| / |net(x)|, root mean square over random rotations R.

    Parameters
    ----------
    net : Sequential
        With the type of its input.
    params : list
        From ``net.init``, or trained.
    x : array
        A batch of signals of the type ``net.in_type``.
    rng : numpy Generator or int
        An int is a seed.
    state : list, optional
        Running state, of networks that have one.
    rotations : int
        Uniform on SO(3).

    Returns
    -------
    float
        About the rounding error (1e-13 in float64) where the network is strictly equivariant.

    Raises
    ------
    ValueError
        Results that are all zero.

    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> net = nn.models.cobb(5, 4)
    >>> params, state = net.init(rng)
    >>> x = random_flm(5, rng, reality=True, shape=(2, 1))
    >>> nn.equivariance_error(net, params, x, rng, state=state) < 1e-12
    True
    """
    rotations = checks.integer(rotations, "rotations", 1)
    rng, y, squares = checks.generator(rng), net(params, x, state=state), []
    if not np.any(y):
        raise ValueError("the network's results are all zero: they have no relative error")
    for _ in range(rotations):
        angles = rng.uniform(0, 2 * np.pi), np.arccos(rng.uniform(-1, 1)), rng.uniform(0, 2 * np.pi)
        expected = rotate_signals(y, net.out_type(), angles).astype(complex)
        difference = net(params, rotate_signals(x, net.in_type, angles), state=state) - expected
        squares.append(scaling.ratio(difference, expected) ** 2)
    return float(np.sqrt(np.mean(squares)))


def count_parameters(params) -> int:
    """Number of real parameters in a tree of arrays; a complex one counts twice.

    >>> count_parameters([{"weights": np.ones((2, 3)), "bias": np.ones(3) + 0j}])
    12
    """
    return sum(array.size * (1 + np.iscomplexobj(array)) for _, array in flatten(params))


def summary(net) -> "Summary":
    """A table of a network: each layer, its output, parameters, and multiplications of one signal.

    Layers inside others are indented; real numbers are counted, running state apart.

    Parameters
    ----------
    net : Sequential
        With the type of its input.

    Returns
    -------
    Summary
        Prints as the table; ``rows`` has it as tuples.

    >>> from spherekit import nn
    >>> nn.summary(nn.Sequential(nn.Sphere(4, 1), nn.GlobalMean(), nn.Dense(2)))
    layer         output                   parameters  state  multiplications
    input         real S2, L=4, 1 channel
    GlobalMean()  1 feature                         0      0                0
    Dense(2)      2 features                        4      0                2
    total                                           4      0                2
    """
    params, state = net.init(0)
    rows = [("input", str(net.in_type), "", "", "")]
    rows += _rows(net, net.in_type, params, state, "")
    total = count_parameters(params), count_parameters(state), net.multiplications(net.in_type)
    return Summary([*rows, ("total", "", *total)])


class Summary:
    """The table of `summary`; ``rows`` of (layer, output, parameters, state, multiplications)."""

    def __init__(self, rows):
        self.rows = rows

    def __repr__(self):
        head = ("layer", "output", "parameters", "state", "multiplications")
        rows = [head, *(tuple(f"{cell:,}" if isinstance(cell, int) else cell for cell in row)
                        for row in self.rows)]  # fmt: skip
        width = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = []
        for layer, output, *numbers in rows:
            cells = [f"{n:>{w}}" for n, w in zip(numbers, width[2:], strict=True)]
            lines.append(
                "  ".join([f"{layer:{width[0]}}", f"{output:{width[1]}}", *cells]).rstrip()
            )
        return "\n".join(lines)


def _rows(net, in_type, params, state, indent):
    if isinstance(net, ConcatReadouts):
        params, state = params[0], state[0]
    rows = []
    for (_, layer, before, after, *_), p, s in zip(net.stages(in_type), params, state, strict=True):
        cells = count_parameters(p), count_parameters(s), layer.multiplications(before)
        rows.append((indent + _label(layer), str(after), *cells))
        if layer.is_composite:
            rows += _rows(layer, before, p, s, indent + "   ")
    return rows


def _label(layer):
    """A layer in one line."""
    if isinstance(layer, ConcatReadouts):
        return f"{type(layer).__name__}({_label(layer.readout)}, ...)"
    if layer.is_composite:
        return type(layer).__name__
    text = " ".join(repr(layer).split())
    return text if len(text) <= 60 else f"{text[:56]}...)"
