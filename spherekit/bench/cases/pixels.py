"""Pixel functions of HEALPix of spherekit and of other packages, prepared for timing.

"inverse" and "forward" are two functions of the same random points or pixels. There are as many as a map has
pixels, and at most 10^7; nside is the largest power of two of at most L/2. The other packages use one thread.
"""

from collections import namedtuple

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase

_MAX_POINTS = 10**7
#: Pixels of the measurement of boundaries, relative to the points.
_FEWER = 10

#: Computations whose size is nside.
TRANSFORMS = (
    "pixels",
    "nested-pixels",
    "orders",
    "neighbours",
    "boundaries",
    "interpolate",
    "discs",
    "nested-discs",
    "large-regions",
    "polygons",
    "resolution",
    "nested-resolution",
)


def nside_of(L):
    """The largest power of two of at most L/2.

    >>> nside_of(100)
    32
    """
    return 1 << max(L // 2, 1).bit_length() - 1


Input = namedtuple("Input", "nside theta phi latitude pixels f")


def _input(case):
    """Random points and pixels, and a random map."""
    nside = nside_of(case["L"])
    rng = np.random.default_rng(0)
    n_pix = 12 * nside**2
    count = min(_MAX_POINTS, n_pix)
    theta, phi = np.arccos(rng.uniform(-1, 1, count)), rng.uniform(0, 2 * np.pi, count)
    pixels = rng.integers(0, n_pix, count)
    return Input(nside, theta, phi, np.pi / 2 - theta, pixels, rng.standard_normal(n_pix))


def _spherekit(case, x):
    """The pairs of functions by name of the transform."""
    from spherekit.sampling import HEALPix

    grid, points, n = HEALPix(x.nside), (x.theta, x.phi), len(x.pixels) // _FEWER
    options = dict(threads=case["threads"])
    nested = dict(nest=True, **options)
    return {
        "pixels": (
            lambda: grid.pixel_of(*points, **options),
            lambda: grid.angles_of(x.pixels, **options),
        ),
        "nested-pixels": (
            lambda: grid.pixel_of(*points, **nested),
            lambda: grid.angles_of(x.pixels, **nested),
        ),
        "orders": (
            lambda: grid.to_nested(x.pixels, **options),
            lambda: grid.to_ring(x.pixels, **options),
        ),
        "neighbours": (
            lambda: grid.neighbours(x.pixels, **options),
            lambda: grid.neighbours(x.pixels, **nested),
        ),
        "boundaries": (
            lambda: grid.boundaries(x.pixels[:n], **options),
            lambda: grid.boundaries(x.pixels[:n], **nested),
        ),
        "interpolate": (
            lambda: grid.interpolation_weights(*points, **options),
            lambda: grid.interpolate(x.f, *points, **options),
        ),
    }


def _healpy(case, x):
    import healpy as hp

    nside, points, n = x.nside, (x.theta, x.phi), len(x.pixels) // _FEWER
    return {
        "pixels": (lambda: hp.ang2pix(nside, *points), lambda: hp.pix2ang(nside, x.pixels)),
        "nested-pixels": (
            lambda: hp.ang2pix(nside, *points, nest=True),
            lambda: hp.pix2ang(nside, x.pixels, nest=True),
        ),
        "orders": (lambda: hp.ring2nest(nside, x.pixels), lambda: hp.nest2ring(nside, x.pixels)),
        "neighbours": (
            lambda: hp.get_all_neighbours(nside, x.pixels),
            lambda: hp.get_all_neighbours(nside, x.pixels, nest=True),
        ),
        "boundaries": (
            lambda: hp.boundaries(nside, x.pixels[:n]),
            lambda: hp.boundaries(nside, x.pixels[:n], nest=True),
        ),
        "interpolate": (
            lambda: hp.get_interp_weights(nside, *points),
            lambda: hp.get_interp_val(x.f, *points),
        ),
    }


def _astropy_healpix(case, x):
    """With plain numbers as Quantities, which are not copied."""
    import astropy_healpix as ah
    from astropy import units
    from astropy_healpix.core import nested_to_ring, ring_to_nested

    nside, n = x.nside, len(x.pixels) // _FEWER
    points = (units.Quantity(x.phi, "rad", copy=False), units.Quantity(x.latitude, "rad"))
    return {
        "pixels": (
            lambda: ah.lonlat_to_healpix(*points, nside),
            lambda: ah.healpix_to_lonlat(x.pixels, nside),
        ),
        "nested-pixels": (
            lambda: ah.lonlat_to_healpix(*points, nside, order="nested"),
            lambda: ah.healpix_to_lonlat(x.pixels, nside, order="nested"),
        ),
        "orders": (
            lambda: ring_to_nested(x.pixels, nside),
            lambda: nested_to_ring(x.pixels, nside),
        ),
        "neighbours": (
            lambda: ah.neighbours(x.pixels, nside),
            lambda: ah.neighbours(x.pixels, nside, order="nested"),
        ),
        "boundaries": (
            lambda: ah.boundaries_lonlat(x.pixels[:n], 1, nside),
            lambda: ah.boundaries_lonlat(x.pixels[:n], 1, nside, order="nested"),
        ),
        "interpolate": (
            lambda: ah.bilinear_interpolation_weights(*points, nside),
            lambda: ah.interpolate_bilinear_lonlat(*points, x.f),
        ),
    }


def _prepare(functions, name):
    def prepare(case):
        x = _input(case)
        first, second = functions(case, x)[name]
        remark = "uses one thread"
        if case["code"] == "spherekit":
            points = f"{len(x.pixels)} random points or pixels, a tenth of them for boundaries"
            remark = f"pixel functions: nside {x.nside}, {points}"
        return PreparedCase(
            lambda _: first(), lambda _: second(), lambda _: [x.theta, x.phi], remark, one_way=True
        )

    return prepare


_CODES = {"spherekit": _spherekit, "healpy": _healpy, "astropy_healpix": _astropy_healpix}
_NAMES = ("pixels", "nested-pixels", "orders", "neighbours", "boundaries", "interpolate")

CODES = {
    name: {code: _prepare(functions, name) for code, functions in _CODES.items()} for name in _NAMES
}
