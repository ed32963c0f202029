"""Rotations between the frames of the sky, by astropy."""

import numpy as np
from scipy.spatial.transform import Rotation

from spherekit.wigner.euler import from_rotation

#: astropy's names: ecliptic and equatorial are those of J2000, with the barycentre's directions.
FRAMES = {"galactic": "galactic", "ecliptic": "barycentricmeanecliptic", "equatorial": "icrs"}


def frame_angles(source, target):
    """(alpha, beta, gamma) by which `rotate` takes a signal from the coordinates of one frame to another's.

    The sky stays, its coordinates change: a source at (lon, lat) of ``source`` is found at its place in
    ``target``. Spin fields (Q + iU) get the turn of their axes with it.

    Parameters
    ----------
    source, target : "galactic", "ecliptic" or "equatorial"
        IAU 1958 galactic; mean ecliptic and equinox of J2000; ICRS.

    >>> alpha, beta, gamma = np.degrees(frame_angles("equatorial", "galactic"))
    >>> round(float(beta), 3)                               # of the galactic pole from the celestial one
    62.872
    """
    from astropy.coordinates import SkyCoord

    for name in (source, target):
        if name not in FRAMES:
            raise ValueError(f"unknown frame {name!r}; known are {', '.join(FRAMES)}")
    axes = SkyCoord([0, 90, 0], [0, 0, 90], unit="deg", frame=FRAMES[source])
    matrix = axes.transform_to(FRAMES[target]).cartesian.xyz.value
    return from_rotation(Rotation.from_matrix(np.asarray(matrix)))
