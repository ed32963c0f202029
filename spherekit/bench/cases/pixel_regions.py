"""Regions and changes of resolution of HEALPix of spherekit and of other packages, prepared for timing.

nside is the largest power of two of at most L/2. Regions have random centers; polygons are quadrilaterals.
The other packages use one thread.
"""

import numpy as np

from spherekit.bench.cases.harmonic import PreparedCase
from spherekit.bench.cases.pixels import nside_of

#: Discs and polygons of a measurement.
_COUNT = 100
_SMALL = np.radians(5)
_LARGE = np.radians(60)
#: The ratio of the nsides of a change of resolution.
_RATIO = 8


def _centers(rng):
    """Random colatitudes and longitudes."""
    return np.arccos(rng.uniform(-0.9, 0.9, _COUNT)), rng.uniform(0, 2 * np.pi, _COUNT)


def _corners(theta, phi):
    """The corners of quadrilaterals of about 6 degrees around points."""
    offsets = 0.05 * np.array([-1, -1, 1, 1]), 0.05 * np.array([-1, 1, 1, -1])
    return [(a + offsets[0], b + offsets[1] / np.sin(a)) for a, b in zip(theta, phi, strict=True)]


def _spherekit(case):
    """The pairs of functions by name of the transform."""
    from spherekit.sampling import HEALPix

    nside = nside_of(case["L"])
    grid = HEALPix(nside)
    rng = np.random.default_rng(0)
    centers = [(float(a), float(b)) for a, b in zip(*_centers(rng), strict=True)]
    corners = _corners(*_centers(np.random.default_rng(0)))
    f, coarse = rng.standard_normal(12 * nside**2), max(1, nside // _RATIO)
    low = rng.standard_normal(12 * coarse**2)

    def discs(radius, **flags):
        return lambda: [grid.disc(*center, radius, **flags) for center in centers]

    def polygons(**flags):
        return lambda: [grid.polygon(*points, **flags) for points in corners]

    def degrade(nest):
        return lambda: grid.degrade(f, coarse, nest=nest, threads=case["threads"])

    def upgrade(nest):
        raised = HEALPix(coarse)
        return lambda: raised.upgrade(low, nside, nest=nest, threads=case["threads"])

    return {
        "discs": (discs(_SMALL), discs(_SMALL, inclusive=True)),
        "nested-discs": (discs(_SMALL, nest=True), discs(_SMALL, nest=True, inclusive=True)),
        "large-regions": (
            lambda: grid.disc(*centers[0], _LARGE),
            lambda: grid.strip(_LARGE, 2 * _LARGE),
        ),
        "polygons": (polygons(), polygons(inclusive=True)),
        "resolution": (degrade(False), upgrade(False)),
        "nested-resolution": (degrade(True), upgrade(True)),
    }


def _healpy(case):
    import healpy as hp

    nside = nside_of(case["L"])
    rng = np.random.default_rng(0)
    centers = hp.ang2vec(*_centers(rng))
    corners = [hp.ang2vec(*points) for points in _corners(*_centers(np.random.default_rng(0)))]
    f, coarse = rng.standard_normal(12 * nside**2), max(1, nside // _RATIO)
    low = rng.standard_normal(12 * coarse**2)

    def discs(radius, **flags):
        return lambda: [hp.query_disc(nside, center, radius, **flags) for center in centers]

    def polygons(**flags):
        return lambda: [hp.query_polygon(nside, points, **flags) for points in corners]

    def change(x, target, order):
        return lambda: hp.ud_grade(x, target, order_in=order)

    return {
        "discs": (discs(_SMALL), discs(_SMALL, inclusive=True)),
        "nested-discs": (discs(_SMALL, nest=True), discs(_SMALL, nest=True, inclusive=True)),
        "large-regions": (
            lambda: hp.query_disc(nside, centers[0], _LARGE),
            lambda: hp.query_strip(nside, _LARGE, 2 * _LARGE),
        ),
        "polygons": (polygons(), polygons(inclusive=True)),
        "resolution": (change(f, coarse, "RING"), change(low, nside, "RING")),
        "nested-resolution": (change(f, coarse, "NEST"), change(low, nside, "NEST")),
    }


def _prepare(functions, name):
    def prepare(case):
        first, second = functions(case)[name]
        remark = "uses one thread"
        if case["code"] == "spherekit":
            remark = (
                f"nside {nside_of(case['L'])}; {_COUNT} discs of 5 degrees or polygons of 6 degrees"
            )
        return PreparedCase(
            lambda _: first(), lambda _: second(), lambda rng: [0], remark, one_way=True
        )

    return prepare


_NAMES = ("discs", "nested-discs", "large-regions", "polygons", "resolution", "nested-resolution")

CODES = {
    name: {"spherekit": _prepare(_spherekit, name), "healpy": _prepare(_healpy, name)}
    for name in _NAMES
}
