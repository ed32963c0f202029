"""Values of healpy's pixel functions: computed where healpy is installed, else stored.

``python tests/helpers/healpix_values.py`` wrote ``oracles/healpix_pixels.npz`` (with healpy 1.20.1): for each
nside of `STORED` the directions of `directions` and the results of `pixel_values`, named "nside/name".
"""

import sys

import numpy as np

#: Powers of two and others, small and large.
NSIDES = (
    *range(1, 10),
    12,
    15,
    16,
    17,
    31,
    32,
    33,
    50,
    64,
    100,
    127,
    128,
    255,
    256,
    257,
    512,
    1000,
    1023,
)
NSIDES += (1024, 2047, 2048, 3000, 4096, 5003, 8191, 8192)
#: Beyond the sizes of maps: for pixel numbers only.
HUGE = (2**14, 2**17 + 1, 2**20, 2**24, 2**26 - 1, 2**28 + 1, 2**29 - 1, 2**29)
STORED = (1, 2, 3, 4, 7, 8, 64, 100, 1024, 5003, 8192, 2**29)

_BORDERS = np.arccos([2 / 3, -2 / 3])
#: Colatitudes of edge cases: poles, and where formulas change.
COLATITUDES = (
    0,
    np.pi,
    1e-300,
    1e-12,
    1e-3,
    0.01,
    3.14159 - 0.01,
    np.pi - 0.01,
    np.pi - 1e-12,
    np.pi / 2,
)
COLATITUDES += (
    np.nextafter(0.01, 0),
    np.nextafter(np.pi, 0),
    *_BORDERS,
    *np.nextafter(_BORDERS, 0),
)
#: Longitudes of edge cases: multiples of pi/4, negative, of many turns.
LONGITUDES = (
    -0.0,
    -1e-20,
    1e-20,
    np.nextafter(0, -1),
    1e6,
    -1e6,
    1e15,
    *(np.pi / 4 * np.arange(-8, 25)),
)
#: Just below 2 pi. At some colatitudes healpy returns another pixel in nested order than in ring order, also
#: numbers beyond the last pixel, and in its interpolation a pixel of the next ring.
FULL_TURN = np.nextafter(2 * np.pi, 0)


def is_power_of_two(nside):
    return nside & (nside - 1) == 0


def directions(nside, n):
    """n random directions, edge cases, and n//10 each near poles, on meridians and on borders of pixels."""
    rng = np.random.default_rng(nside)
    count = n // 10
    small = 10 ** rng.uniform(-12, -1, count)
    edges = np.meshgrid(COLATITUDES, [*LONGITUDES, FULL_TURN])
    # on the diagonals of the plane of the projection, x - y or x + y = 2 k/nside
    y = rng.uniform(-1, 1, count)
    x = 2 * rng.integers(0, 4 * nside, count) / nside + rng.choice([-1, 1], count) * y
    random = np.arccos(rng.uniform(-1, 1, n + count))
    theta = [random, small, np.pi - small, edges[0].ravel(), np.arccos(y / 1.5)]
    phi = [
        rng.uniform(-3 * np.pi, 9 * np.pi, n),
        np.pi / (8 * nside) * rng.integers(0, 16 * nside, count),
    ]
    phi += [rng.uniform(0, 2 * np.pi, 2 * count), edges[1].ravel(), x * np.pi / 4]
    return np.concatenate(theta), np.concatenate(phi)


def pixel_values(nside, theta, phi):
    """The pixels of directions, and what healpy returns for them: a dictionary of arrays."""
    import healpy

    pixels = healpy.ang2pix(nside, theta, phi)
    values = {"ring": pixels, "angles": np.array(healpy.pix2ang(nside, pixels))}
    values["neighbours"] = healpy.get_all_neighbours(nside, pixels)
    if is_power_of_two(nside):
        values["nested"] = healpy.ang2pix(nside, theta, phi, nest=True)
        nested = values["nested"]
        values["nested_neighbours"] = healpy.get_all_neighbours(nside, nested, nest=True)
    return values


def boundary_values(nside, pixels, step):
    """Directions on boundaries [shape=(pixels, 4 step, 3)]."""
    import healpy

    return np.moveaxis(healpy.boundaries(nside, pixels, step=step), 1, 2)


def interpolation_values(nside, theta, phi):
    """Pixels and weights of the interpolation."""
    import healpy

    return healpy.get_interp_weights(nside, theta, phi)


def main(path):
    arrays = {}
    for nside in STORED:
        theta, phi = directions(nside, 60)
        picked = np.random.default_rng(0).permutation(theta.size)[:160]
        theta, phi = theta[picked], phi[picked]
        values = pixel_values(nside, theta, phi) | {"theta": theta, "phi": phi}
        values["boundaries"] = boundary_values(nside, values["ring"][:20], 3)
        if nside in NSIDES:
            values["pixels"], values["weights"] = interpolation_values(nside, theta, phi)
        arrays |= {f"{nside}/{name}": value for name, value in values.items()}
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
