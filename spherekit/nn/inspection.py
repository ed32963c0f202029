"""Properties of networks: layers, number of parameters, and equivariance error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit._core.pytree import flatten
from spherekit.nn.network import ConcatReadouts, Sequential
from spherekit.nn.types import Features, Fragments
from spherekit.wigner import D, real_basis, rotate


def rotate_signals(x, signals, angles):
    """Rotate a batch of signals by Euler angles; in the precision of ``x``.

    Parameters
    ----------
    x : array
        Signals, of the shape of ``signals``.
    signals : Sphere, SpinFields, SO3, Fragments or Features
        Their type.
    angles : tuple of float
        Euler angles alpha, beta, gamma in radians.

    Returns
    -------
    array
        The rotated signals.

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


def equivariance_error(
    net: Sequential,
    params: list,
    x: ArrayLike,
    rng: np.random.Generator | int,
    *,
    state: list | None = None,
    rotations: int = 4,
) -> float:
    r"""Relative equivariance error of a network under random rotations.

    .. math:: \Bigl\langle \frac{\|net(R x) - R\, net(x)\|^2}{\|net(x)\|^2} \Bigr\rangle_R^{1/2}

    Parameters
    ----------
    net : Sequential
        A network, with ``in_type``.
    params : list
        Parameters, from ``net.init`` or from training.
    x : array_like
        A batch of signals of type ``net.in_type``.
    rng : numpy.random.Generator or int
        Random numbers; an int is a seed.
    state : list, optional
        Running state; may be omitted for networks without running state.
    rotations : int
        Number of random rotations R, uniform on SO(3).

    Returns
    -------
    float
        Root mean square of the relative error; about the rounding error (1e-13 in float64) if the network is
        exactly equivariant.

    Raises
    ------
    ValueError
        If the results of the network are all zero, if ``rotations`` is less than 1, or if signals or
        parameters do not fit the network.
    TypeError
        If an argument is not of its type.

    Examples
    --------
    A network of Clebsch-Gordan products is equivariant up to rounding errors:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> net = nn.models.cobb(5, 4)
    >>> params, state = net.init(rng)
    >>> x = random_flm(5, rng, reality=True, shape=(2, 1))
    >>> nn.equivariance_error(net, params, x, rng, state=state) < 1e-12
    True
    """
    _check_network(net)
    rotations = checks.integer(rotations, "rotations", 1)
    rng = checks.generator(rng)
    y = net(params, x, state=state)
    squares = []
    if not np.any(y):
        raise ValueError(
            "the results of the network are all zero and have no relative error; pass other signals"
        )
    for _ in range(rotations):
        angles = rng.uniform(0, 2 * np.pi), np.arccos(rng.uniform(-1, 1)), rng.uniform(0, 2 * np.pi)
        expected = rotate_signals(y, net.out_type(), angles).astype(complex)
        difference = net(params, rotate_signals(x, net.in_type, angles), state=state) - expected
        squares.append(scaling.ratio(difference, expected) ** 2)
    return float(np.sqrt(np.mean(squares)))


def count_parameters(params: list | dict) -> int:
    """Number of real parameters in a tree of arrays; a complex parameter counts twice.

    Parameters
    ----------
    params : list or dict
        Tree of arrays, such as the parameters that ``net.init`` returns.

    Returns
    -------
    int
        Number of real parameters.

    Raises
    ------
    TypeError
        If a leaf of the tree is not an array.

    Examples
    --------
    Six real parameters and three complex ones:

    >>> import numpy as np
    >>> from spherekit import nn
    >>> nn.count_parameters([{"weights": np.ones((2, 3)), "bias": np.ones(3, complex)}])
    12
    """
    return sum(array.size * (1 + np.iscomplexobj(array)) for _, array in flatten(params))


def summary(net: Sequential) -> Summary:
    """Table of the layers of a network: outputs, parameters, and multiplications for a single signal.

    Layers within others are indented. Parameters and running state are counted as real numbers, separately.

    Parameters
    ----------
    net : Sequential
        A network, with ``in_type``.

    Returns
    -------
    Summary
        Its representation is the table; ``rows`` has the entries as tuples.

    Raises
    ------
    TypeError
        If ``net`` is not a `Sequential` with ``in_type``.

    Examples
    --------
    A readout of two features:

    >>> from spherekit import nn
    >>> nn.summary(nn.Sequential(nn.Sphere(4, 1), nn.GlobalMean(), nn.Dense(2)))
    layer         output                   parameters  state  multiplications
    input         real S2, L=4, 1 channel
    GlobalMean()  1 feature                         0      0                0
    Dense(2)      2 features                        4      0                2
    total                                           4      0                2
    """
    _check_network(net)
    params, state = net.init(0)
    rows = [("input", str(net.in_type), "", "", "")]
    rows += _rows(net, net.in_type, params, state, "")
    total = count_parameters(params), count_parameters(state), net.multiplications(net.in_type)
    return Summary([*rows, ("total", "", *total)])


def _check_network(net):
    if not isinstance(net, Sequential):
        raise TypeError(f"net is {net!r}; expected a Sequential")


class Summary:
    """Table of `summary`; ``rows`` of (layer, output, parameters, state, multiplications)."""

    def __init__(self, rows):
        self.rows = rows

    def __repr__(self):
        head = ("layer", "output", "parameters", "state", "multiplications")
        rows = [head, *(tuple(f"{cell:,}" if isinstance(cell, int) else cell for cell in row)
                        for row in self.rows)]  # fmt: skip
        width = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = []
        for layer, output, *counts in rows:
            cells = [f"{n:>{w}}" for n, w in zip(counts, width[2:], strict=True)]
            lines.append(
                "  ".join([f"{layer:{width[0]}}", f"{output:{width[1]}}", *cells]).rstrip()
            )
        return "\n".join(lines)


def _rows(net, in_type, params, state, indent):
    if isinstance(net, ConcatReadouts):
        params, state = params[0], state[0]
    rows = []
    for (_, layer, layer_in, layer_out, *_), p, s in zip(
        net.stages(in_type), params, state, strict=True
    ):
        cells = count_parameters(p), count_parameters(s), layer.multiplications(layer_in)
        rows.append((indent + _label(layer), str(layer_out), *cells))
        if layer.is_composite:
            rows += _rows(layer, layer_in, p, s, indent + "   ")
    return rows


def _label(layer):
    """Representation of a layer on a single line."""
    if isinstance(layer, ConcatReadouts):
        return f"{type(layer).__name__}({_label(layer.readout)}, ...)"
    if layer.is_composite:
        return type(layer).__name__
    text = " ".join(repr(layer).split())
    return text if len(text) <= 60 else f"{text[:56]}...)"
