"""The steps of a warm-up: small computations that together call the kernels in common use.

Each step calls few kernels that no earlier step calls, so that processes can share the work.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

#: What can be prepared separately: commands of `spherekit`, and kinds of calls.
NAMES = (
    ("demo", "convert", "transform", "spectrum", "rotate", "smooth", "regrid", "wind", "wavelets")
    + ("scatter", "generate", "simulate", "train", "predict", "batches", "float32", "wigner", "nn")
)  # fmt: skip


class Step(NamedTuple):
    """A part of a warm-up.

    Attributes
    ----------
    title : str
    names : tuple of str
        The entries of `NAMES` that need its kernels.
    run : callable
        Calls the kernels, which compiles those that are not cached.
    """

    title: str
    names: tuple
    run: Callable


def select(names=()):
    """Return the steps that these names need; all steps if there are no names.

    Parameters
    ----------
    names : sequence of str
        Entries of `NAMES`.

    Returns
    -------
    tuple of Step

    >>> [step.title for step in select(["rotate"])][-1]
    'rotations'
    """
    return tuple(step for step in STEPS if not names or not set(names).isdisjoint(step.names))


def _transform(L, grid, spin=0, dtype=complex, maps=1, *, reality=None):
    """Call the transform and its inverse; maps of spin 0 are real by default."""
    import spherekit
    from spherekit.testing import random_flm

    reality = spin == 0 if reality is None else reality
    flags = dict(spin=spin, sampling=grid, reality=reality, threads=1)
    rng = np.random.default_rng(0)
    flm = random_flm(L, rng, spin=spin, reality=reality, shape=(maps,), dtype=dtype)
    spherekit.forward(spherekit.inverse(flm, L, **flags), L, **flags)


def _batch(L, dtype=complex, spin=0):
    _transform(L, "gl", spin, dtype, maps=8)


def _single_precision():
    _transform(8, "gl", dtype=_SINGLE)
    for grid in ("gl", "healpix:48"):
        _transform(96, grid, dtype=_SINGLE)
    _transform(96, "gl", spin=2, dtype=_SINGLE)


def _points():
    import spherekit

    spherekit.evaluate(np.zeros(64, complex), [0.5], [0.0], threads=1)


def _pixels():
    from spherekit.sampling import HEALPix

    grid = HEALPix(2)
    pixels = grid.to_ring(grid.to_nested(grid.pixel_of([0.5, 1.0], 0.0)))
    grid.angles_of(pixels)
    grid.neighbours(pixels)
    grid.boundaries(pixels)
    grid.interpolation_weights(0.5, 0.0)
    for dtype in (np.float64, np.float32):
        values = grid.interpolate(np.zeros(48, dtype), 0.5, 0.0)
        grid.interpolate_adjoint(values, 0.5, 0.0)


def _pixel_regions():
    from spherekit.sampling import HEALPix

    grid = HEALPix(2)
    for flags in (dict(), dict(inclusive=True, nest=True)):
        grid.disc(0.5, 0.0, 0.5, **flags)
        grid.disc([0.5], 0.0, 0.5, **flags, threads=1)
        grid.strip(0.5, 1.0, **flags)
        grid.polygon([0.5, 0.5, 1.0, 1.0], [0.0, 0.5, 0.5, 0.0], **flags)
    for dtype in (np.float64, np.float32, bool):
        coarse = grid.degrade(np.zeros(48, dtype), 1, threads=1)
        HEALPix(1).upgrade(coarse, 2, threads=1)


def _polar_rings():
    """Transform at the lowest band-limit that needs the difference form, for a ring close to a pole."""
    import spherekit

    L = 246
    for spin in (0, 2):
        flags = dict(spin=spin, threads=1)
        values = spherekit.evaluate(np.zeros(L * L, complex), [1e-4], [0.0], **flags)
        spherekit.evaluate_adjoint(values, [1e-4], [0.0], L, **flags)


def _wigner_transforms():
    _wigner_transform(10, 10)


def _steerable_transform():
    _wigner_transform(96, 2, reality=False, steerable=True)


def _wigner_transform(L, N, reality=True, steerable=False):
    from spherekit import wigner
    from spherekit.testing import random_flmn

    flags = dict(reality=reality, steerable=steerable)
    flmn = random_flmn(L, N, np.random.default_rng(0), **flags)
    wigner.forward(wigner.inverse(flmn, L, N, **flags, threads=1), L, N, **flags, threads=1)


def _rotations():
    from spherekit import wigner
    from spherekit.testing import random_flm

    for reality in (True, False):
        flm = random_flm(8, np.random.default_rng(0), reality=reality)
        wigner.rotate(flm, 0.1, 0.2, 0.3, reality=reality, threads=1)


def _functions():
    from spherekit import wigner

    wigner.d_column(1, 0, 0.1, 4)
    wigner.D(0.1, 0.2, 0.3, 4)
    wigner.clebsch_gordan(1, 1, 1)
    wigner.clebsch_gordan_blocks(3)
    wigner.wigner_3j(1, 1, 2, 0, 0, 0)
    wigner.clebsch_gordan_by_order(1, 1, 1)


def _wavelets(N):
    from spherekit.wavelets import Wavelets

    wavelets = Wavelets(8, N=N, threads=1)
    wavelets.synthesis_flm(*wavelets.analysis_flm(np.zeros(64, complex)))


def _covariances():
    import autograd.numpy as anp
    from autograd import grad

    from spherekit.scattering import Covariances

    covariances = Covariances(8, N=1, threads=1)
    grad(lambda flm: anp.sum(covariances.from_flm(flm).C11))(np.zeros(64, complex))


def _power_spectra():
    from spherekit.spectra import power

    for dtype in (np.complex128, np.complex64, np.float64):
        power(np.zeros(4, dtype))


def _masks():
    from spherekit.spectra import apodize, coupling_matrix

    apodize(np.arange(48) > 0, 0.1, sampling="healpix:2", threads=1)
    coupling_matrix(np.ones(4), 4, 2, threads=1)


def _winds(dtype):
    """Quantities of winds: at several times and at one, and of rings close to a pole."""
    from spherekit import fields, sampling

    for L, times in ((20, 12), (72, 12), (120, 5), (72, 1), (400, 1)):
        grid = sampling.MWSS(L)
        u = np.zeros((times, *grid.shape), dtype)
        fields.Wind(u, u.copy(), grid, threads=1).to_map()


def _skies():
    from spherekit.experiments.gaussianity import features, skies

    for recipe in ("strings", "oscillator", "modulated"):
        flm = skies.sky(recipe, 16, 0, threads=1)
    features.moments(flm, 16, threads=1)


def _gradients(net, dtype):
    """Differentiate a network with respect to its parameters, in training."""
    import autograd.numpy as anp
    from autograd import grad

    from spherekit import nn

    params, state = net.init(np.random.default_rng(0), dtype=dtype)
    x = np.zeros(net.in_type.shape(2), np.result_type(dtype, np.complex64))
    context = nn.Context(training=True, rng=np.random.default_rng(0), threads=1)
    grad(lambda p: anp.sum(anp.abs(net.apply(p, state, x, context)[0])))(params)


def _layers(dtype):
    from spherekit import nn

    sphere = nn.Sphere(4, 2)
    _gradients(nn.models.cobb(4, 2, depth=1), dtype)
    _gradients(nn.Sequential(sphere, nn.Zonal(2), nn.BatchNorm(), nn.Pointwise()), dtype)
    _gradients(nn.Sequential(sphere, nn.Lift(2), nn.BatchNorm(), nn.ToFragments()), dtype)
    _gradients(nn.Sequential(sphere, nn.ToFragments(), nn.FragmentNorm()), dtype)


_SINGLE = np.complex64
_COMMANDS = NAMES[: NAMES.index("batches")]
_RESAMPLING = "convert", "smooth", "regrid", "wind"
_POLARIZATION = "transform", "spectrum", "rotate", *_RESAMPLING, "simulate", "wavelets", "nn"
_NETWORKS = "train", "predict", "nn"
_BATCHES = "demo", "batches", *_NETWORKS
_WAVELETS = "wavelets", "scatter", "generate", *_NETWORKS
_SKIES = "demo", "simulate", "train"

#: All steps. Each process compiles the inner kernels that it needs: steps that share many are neighbors. Two
#: processes begin at the ends, where the longest steps are, and meet in the middle.
STEPS = (
    Step("real maps", _COMMANDS, partial(_transform, 96, "gl")),
    Step("spin fields", _POLARIZATION, partial(_transform, 96, "gl", 2)),
    Step("batches of real maps", _BATCHES, partial(_batch, 8)),
    Step("single maps, float32", ("float32",), _single_precision),
    Step("McEwen-Wiaux grid", _COMMANDS, partial(_transform, 96, "mw")),
    Step("real maps, low band-limits", _COMMANDS, partial(_transform, 8, "gl")),
    Step("complex maps", ("transform", "rotate"), partial(_transform, 96, "mw", reality=False)),
    Step("HEALPix", _COMMANDS, partial(_transform, 96, "healpix:48")),
    Step("pixels of HEALPix", _COMMANDS, _pixels),
    Step("regions of HEALPix", (), _pixel_regions),
    Step("spin fields, HEALPix", _POLARIZATION, partial(_transform, 96, "healpix:48", 2)),
    Step("winds", ("wind",), partial(_winds, np.float64)),
    Step("simulated skies", _SKIES, _skies),
    Step("scattering covariances", ("generate",), _covariances),
    Step("wavelets", ("demo", *_WAVELETS), partial(_wavelets, 1)),
    Step("directional wavelets", _WAVELETS, partial(_wavelets, 2)),
    Step("evaluation at points", (), _points),
    Step("rings close to a pole", ("transform",), _polar_rings),
    Step("power spectra", ("spectrum", "wind", "generate", *_SKIES), _power_spectra),
    Step("masks", ("spectrum",), _masks),
    Step("layers, float32", ("demo", *_NETWORKS), partial(_layers, np.float32)),
    Step("layers, float64", _NETWORKS, partial(_layers, np.float64)),
    Step("Wigner functions, Clebsch-Gordan coefficients", ("wigner", *_NETWORKS), _functions),
    Step("rotations", ("rotate", "wigner"), _rotations),
    Step("Wigner transforms, steerable", ("wigner", *_WAVELETS), _steerable_transform),
    Step("Wigner transforms", ("wigner", *_WAVELETS), _wigner_transforms),
    Step("winds, float32", ("wind",), partial(_winds, np.float32)),
    Step("long batches, float32", ("float32", "batches"), partial(_batch, 128, _SINGLE)),
    Step("batches of spin fields, float32", ("float32", "nn"), partial(_batch, 8, _SINGLE, 2)),
    Step("batches of real maps, float32", ("float32", *_BATCHES), partial(_batch, 8, _SINGLE)),
)  # fmt: skip
