"""Spectra of polarized HEALPix maps by healpy, stored.

``python tests/helpers/healpy_spectra.py`` wrote ``oracles/healpy_spectra.npz`` (with healpy 1.20.1):
``anafast`` of the three maps of `sky`(0), of them with those of `sky`(1), and ``alm2cl`` of
``map2alm_spin``.
"""

from pathlib import Path

import numpy as np

NSIDE = 16
LMAX = 31
PATH = Path(__file__).parents[1] / "oracles" / "healpy_spectra.npz"


def sky(number):
    """I, Q and U: numbers without order from -1 to 1, the same on all machines."""
    pixel = np.arange(12 * NSIDE**2)
    stokes = np.arange(3)[:, None] + 3 * number
    return (pixel * (7919 + 104729 * stokes) + pixel**2 * 31) % 2003 / 1001 - 1


def write():
    import healpy

    values = {}
    for iterations in (0, 3):
        options = dict(lmax=LMAX, iter=iterations)
        values[f"auto/{iterations}"] = healpy.anafast(sky(0), **options)
        values[f"cross/{iterations}"] = healpy.anafast(sky(0), sky(1), **options)
    for spin in (1, 2, 3):
        first, second = (healpy.map2alm_spin(sky(k)[1:], spin, lmax=LMAX) for k in (0, 1))
        values[f"spin/{spin}"] = healpy.alm2cl(first)
        values[f"spin cross/{spin}"] = healpy.alm2cl(first, second)
    np.savez_compressed(PATH, **values)


if __name__ == "__main__":
    write()
