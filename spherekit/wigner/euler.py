"""Euler angles zyz: composed, inverted, and exchanged with `scipy.spatial.transform.Rotation`.

R(alpha, beta, gamma) = R_z(alpha) R_y(beta) R_z(gamma) turns vectors and signals actively. SciPy's Rotation
has the quaternions, matrices, axes and random rotations.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from spherekit._core.traced import angles as check_angles


def to_rotation(alpha, beta, gamma):
    """SciPy's Rotation of Euler angles (radians), which may be arrays of one shape (n,).

    >>> to_rotation(0, np.pi / 2, 0).apply([0, 0, 1]).round(12)
    array([1., 0., 0.])
    """
    angles = check_angles(alpha=alpha, beta=beta, gamma=gamma)
    return Rotation.from_euler("ZYZ", np.stack(np.broadcast_arrays(*angles), axis=-1))


def from_rotation(rotation):
    """(alpha, beta, gamma) of a Rotation: 0 <= beta <= pi, |alpha|, |gamma| <= pi.

    Where beta is 0 or pi only alpha +- gamma is defined: then gamma is 0.

    >>> angles = from_rotation(to_rotation(0.3, 1.0, -2.0))
    >>> bool(np.allclose(angles, (0.3, 1.0, -2.0)))
    True
    """
    R = np.moveaxis(np.asarray(rotation.as_matrix()), (-2, -1), (0, 1))
    sine = np.hypot(R[0, 2], R[1, 2])
    degenerate = sine < 1e-15
    alpha = np.where(degenerate, np.arctan2(-R[0, 1], R[1, 1]), np.arctan2(R[1, 2], R[0, 2]))
    gamma = np.where(degenerate, 0.0, np.arctan2(R[2, 1], -R[2, 0]))
    return alpha[()], np.arctan2(sine, R[2, 2])[()], gamma[()]


def compose(*rotations):
    """Angles of the product of rotations, each (alpha, beta, gamma); the last acts first.

    >>> bool(np.allclose(compose((0.1, 0, 0), (0.2, 1.0, 0.3)), (0.3, 1.0, 0.3)))
    True
    """
    if not rotations:
        raise ValueError("compose needs at least one rotation (alpha, beta, gamma)")
    product = to_rotation(*rotations[0])
    for angles in rotations[1:]:
        product = product * to_rotation(*angles)
    return from_rotation(product)


def invert(alpha, beta, gamma):
    """Angles of the inverse rotation, 0 <= beta <= pi for 0 <= beta <= pi.

    >>> bool(np.allclose(compose((0.3, 1.0, 2.0), invert(0.3, 1.0, 2.0)), 0, atol=1e-15))
    True
    """
    alpha, beta, gamma = (x[()] for x in check_angles(alpha=alpha, beta=beta, gamma=gamma))
    return np.pi - gamma, beta, -np.pi - alpha
