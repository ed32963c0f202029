"""Rotations between celestial coordinate frames, computed by astropy."""

from typing import Literal

import numpy as np

from spherekit.wigner.euler import from_rotation

#: astropy's names: ecliptic and equatorial are those of J2000, with the directions from the barycenter.
FRAMES = {"galactic": "galactic", "ecliptic": "barycentricmeanecliptic", "equatorial": "icrs"}


def frame_angles(
    source: Literal["galactic", "ecliptic", "equatorial"],
    target: Literal["galactic", "ecliptic", "equatorial"],
) -> tuple[float, float, float]:
    """Euler angles by which `rotate` converts a signal from one celestial frame to another.

    The sky remains fixed and its coordinates change: a source at longitude and latitude of ``source`` appears
    at its coordinates in ``target``. The polarization axes of spin fields (Q + iU) are rotated accordingly.

    Parameters
    ----------
    source, target : {"galactic", "ecliptic", "equatorial"}
        IAU 1958 galactic; mean ecliptic and equinox of J2000; ICRS.

    Returns
    -------
    alpha, beta, gamma : float, radians
        Euler angles zyz.

    Raises
    ------
    ValueError
        An unknown frame.

    Examples
    --------
    The angle beta is that between the galactic and the celestial pole:

    >>> import numpy as np
    >>> from spherekit import wigner
    >>> alpha, beta, gamma = np.degrees(wigner.frame_angles("equatorial", "galactic"))
    >>> round(float(beta), 3)
    62.872
    """
    from astropy.coordinates import SkyCoord
    from scipy.spatial.transform import Rotation

    for argument, name in (("source", source), ("target", target)):
        if name not in FRAMES:
            raise ValueError(f"{argument} must be one of {', '.join(FRAMES)}; got {name!r}")
    axes = SkyCoord([0, 90, 0], [0, 0, 90], unit="deg", frame=FRAMES[source])
    matrix = axes.transform_to(FRAMES[target]).cartesian.xyz.value
    return from_rotation(Rotation.from_matrix(np.asarray(matrix)))
