"""Euler angles zyz: composition, inversion, and conversion to and from SciPy's ``Rotation``.

``R(alpha, beta, gamma) = R_z(alpha) R_y(beta) R_z(gamma)`` rotates vectors and signals actively.
`scipy.spatial.transform.Rotation` converts to quaternions, matrices and axes, and generates random rotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core.traced import angles as check_angles

if TYPE_CHECKING:  # its import takes longer than a transform of a small map
    from scipy.spatial.transform import Rotation

__all__ = ["compose", "from_rotation", "invert", "to_rotation"]


def to_rotation(alpha: ArrayLike, beta: ArrayLike, gamma: ArrayLike) -> Rotation:
    """SciPy's ``Rotation`` of Euler angles zyz.

    Parameters
    ----------
    alpha, beta, gamma : array_like [shape=() or (n,)], radians
        Euler angles, broadcast against each other.

    Returns
    -------
    scipy.spatial.transform.Rotation
        One rotation, or n.

    Raises
    ------
    ValueError
        Angles that are NaN or infinite, or do not broadcast.
    TypeError
        Angles that are not real numbers.

    Examples
    --------
    A rotation by 90 degrees about y maps the z axis to the x axis:

    >>> import numpy as np
    >>> from spherekit.wigner import euler
    >>> euler.to_rotation(0, np.pi / 2, 0).apply([0, 0, 1]).round(12)
    array([1., 0., 0.])
    """
    from scipy.spatial.transform import Rotation

    angles = check_angles(alpha=alpha, beta=beta, gamma=gamma)
    return Rotation.from_euler("ZYZ", np.stack(np.broadcast_arrays(*angles), axis=-1))


def from_rotation(rotation: Rotation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Euler angles zyz of SciPy's ``Rotation``.

    Parameters
    ----------
    rotation : scipy.spatial.transform.Rotation
        One rotation, or n.

    Returns
    -------
    alpha, beta, gamma : float64 ndarray or scalar [shape=() or (n,)], radians
        ``|alpha| <= pi``, ``0 <= beta <= pi``, ``|gamma| <= pi``. Where beta is 0 or pi, only
        alpha + gamma or alpha - gamma is defined, and gamma is 0.

    Raises
    ------
    TypeError
        ``rotation`` is not a ``Rotation`` of SciPy.

    Examples
    --------
    >>> from spherekit.wigner import euler
    >>> angles = euler.from_rotation(euler.to_rotation(0.3, 1.0, -2.0))
    >>> [round(float(angle), 12) for angle in angles]
    [0.3, 1.0, -2.0]
    """
    from scipy.spatial.transform import Rotation

    if not isinstance(rotation, Rotation):
        raise TypeError(
            f"rotation is {rotation!r} ({type(rotation).__name__}); expected a "
            "scipy.spatial.transform.Rotation, such as to_rotation(alpha, beta, gamma) returns"
        )
    R = np.moveaxis(np.asarray(rotation.as_matrix()), (-2, -1), (0, 1))
    sine = np.hypot(R[0, 2], R[1, 2])
    degenerate = sine < 1e-15
    alpha = np.where(degenerate, np.arctan2(-R[0, 1], R[1, 1]), np.arctan2(R[1, 2], R[0, 2]))
    gamma = np.where(degenerate, 0.0, np.arctan2(R[2, 1], -R[2, 0]))
    return alpha[()], np.arctan2(sine, R[2, 2])[()], gamma[()]


def compose(
    *rotations: tuple[ArrayLike, ArrayLike, ArrayLike],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Euler angles of a product of rotations.

    Parameters
    ----------
    *rotations : tuple of array_like, radians
        Angles (alpha, beta, gamma) of each rotation, one or more; the last one acts first.

    Returns
    -------
    alpha, beta, gamma : float64 ndarray or scalar, radians
        As `from_rotation` returns them.

    Raises
    ------
    ValueError
        No rotation, or angles that are NaN or infinite.
    TypeError
        Angles that are not real numbers.

    Examples
    --------
    Consecutive rotations about z add up:

    >>> from spherekit.wigner import euler
    >>> [round(float(angle), 12) for angle in euler.compose((0.1, 0, 0), (0.2, 1.0, 0.3))]
    [0.3, 1.0, 0.3]
    """
    if not rotations:
        raise ValueError("compose needs at least one rotation (alpha, beta, gamma)")
    product = to_rotation(*rotations[0])
    for angles in rotations[1:]:
        product = product * to_rotation(*angles)
    return from_rotation(product)


def invert(
    alpha: ArrayLike, beta: ArrayLike, gamma: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Euler angles of the inverse rotation.

    ``R(alpha, beta, gamma)^{-1} = R(pi - gamma, beta, -pi - alpha)``, so that 0 <= beta <= pi is preserved.

    Parameters
    ----------
    alpha, beta, gamma : array_like, radians
        Euler angles zyz.

    Returns
    -------
    alpha, beta, gamma : float64 ndarray or scalar, radians
        Angles of the inverse.

    Raises
    ------
    ValueError
        Angles that are NaN or infinite.
    TypeError
        Angles that are not real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.wigner import euler
    >>> identity = euler.compose((0.3, 1.0, 2.0), euler.invert(0.3, 1.0, 2.0))
    >>> bool(np.max(np.abs(identity)) < 1e-15)
    True
    """
    alpha, beta, gamma = (x[()] for x in check_angles(alpha=alpha, beta=beta, gamma=gamma))
    return np.pi - gamma, beta, -np.pi - alpha


def __dir__():
    return sorted(__all__)
