"""Bilinear interpolation of HEALPix maps at any points, its weights and its adjoint."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import refuse_labels
from spherekit._core.missing import missing_samples
from spherekit._core.parallel import thread_count
from spherekit._core.traced import as_float_array
from spherekit.linear import is_traced, linear_map
from spherekit.sampling.healpix_arguments import as_directions, check_nside
from spherekit.sampling.healpix_interpolation_kernels import (
    BLOCK,
    add_to_maps,
    interpolate_maps,
    set_interpolation_weights,
)
from spherekit.sampling.healpix_kernels import run_kernel
from spherekit.sampling.healpix_rings import nside_of, ring_table

__all__ = ["interpolate", "interpolate_adjoint", "interpolation_weights"]


#: What to do with a masked map.
MASK_ADVICE = "pass {name}.astype(float).filled(numpy.nan): values near missing samples are NaN"


def __dir__():
    return sorted(__all__)


def interpolation_weights(
    nside: int,
    theta: ArrayLike,
    phi: ArrayLike,
    *,
    nest: bool = False,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and weights of the bilinear interpolation at points.

    The value at a point is ``sum_k weights[k] f[pixels[k]]``: linear in longitude on the ring to the north
    (k = 0, 1) and on that to the south (k = 2, 3), and linear in colatitude between them. Between a pole and
    its nearest ring, the value at the pole is the mean of the four pixels of that ring.

    Parameters
    ----------
    nside : int
        Any nside from 1 to 2^29; a power of two with ``nest``.
    theta, phi : array_like, radians
        Colatitudes in [0, pi] and longitudes, any real numbers, of any shapes that broadcast.
    nest : bool
        Return pixel numbers in nested order instead of ring order.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    pixels : int64 ndarray [shape=(4, ...)]
        Pixel numbers; the further axes are those of the points. Around a pole they may be repeated.
    weights : float64 ndarray [shape=(4, ...)]
        From 0 to 1, of sum 1.

    Raises
    ------
    ValueError
        NaN or infinite angles; colatitudes outside [0, pi]; shapes that do not broadcast; nside out of range,
        or with ``nest`` not a power of two.
    TypeError
        Angles that are not real numbers; nside or threads that are not integers.
    MemoryError
        Results that do not fit into memory.

    Examples
    --------
    Half way between two pixels of the equator:

    >>> import numpy as np
    >>> from spherekit.sampling import healpix
    >>> pixels, weights = healpix.interpolation_weights(1, np.pi / 2, np.pi / 4)
    >>> pixels, weights.round(6)
    (array([4, 5, 8, 9]), array([0.5, 0.5, 0. , 0. ]))
    """
    nside = check_nside(nside, nest)
    theta, phi = as_directions(theta, phi)
    checks.fits_memory(
        64 * theta.size, f"the array of the weights of {theta.size} points", "pass fewer points"
    )
    pixels, weights = np.empty((4, *theta.shape), np.int64), np.empty((4, *theta.shape))
    arguments = nside, bool(nest), ring_table(nside), pixels.reshape(-1), weights.reshape(-1)
    run_kernel(set_interpolation_weights, _blocks(theta), threads, *_flat(theta, phi), *arguments)
    return pixels, weights


def interpolate(
    f: ArrayLike,
    theta: ArrayLike,
    phi: ArrayLike,
    *,
    nest: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Interpolate maps at points, bilinearly (`interpolation_weights`).

    Parameters
    ----------
    f : array_like [shape=(..., 12 nside^2)]
        Maps, real or complex.
    theta, phi : array_like, radians
        Colatitudes in [0, pi] and longitudes, any real numbers, of any shapes that broadcast.
    nest : bool
        The maps are in nested order instead of ring order.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray
        Values, in the precision of ``f``: the leading axes of ``f``, then those of the points. They are NaN
        where a pixel of weight > 0 is missing (NaN or UNSEEN). Differentiable with respect to ``f``, not to
        the angles (`spherekit.evaluate` is).

    Raises
    ------
    ValueError
        A number of pixels that is not 12 nside^2; infinite samples, or UNSEEN times a factor, in use; NaN or
        infinite angles; colatitudes outside [0, pi]; shapes that do not broadcast.
    TypeError
        Unsupported dtypes; a Map, or a DataArray with coordinates or attributes; angles that are not real
        numbers, or that autograd traces.
    MemoryError
        Values that do not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix, healpix
    >>> f = np.cos(HEALPix(64).theta)
    >>> healpix.interpolate(f, [0.0, 1.0], 0.3).round(3)
    array([1.  , 0.54])
    """
    refuse_labels(f, "f")
    checks.refuse_masked(f, "f", MASK_ADVICE)
    f = as_float_array(f, "f")
    nside = check_nside(nside_of(f.shape[-1] if f.ndim else 1), nest)
    flags = _flags(theta, phi, nside, nest, threads, is_traced(f))
    values = interpolation.forward(f, **flags)
    return values if is_traced(values) else values[()]


def interpolate_adjoint(
    values: ArrayLike,
    theta: ArrayLike,
    phi: ArrayLike,
    nside: int,
    *,
    nest: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Apply the transpose of `interpolate`: add each value to four pixels, times their weights.

    Parameters
    ----------
    values : array_like
        Leading axes, then the axes of the points.
    theta, phi : array_like, radians
        Colatitudes in [0, pi] and longitudes, any real numbers, of any shapes that broadcast.
    nside : int
        Any nside of maps that fit into memory.
    nest : bool
        Return maps in nested order instead of ring order.
    threads : int, optional
        Number of threads, which process separate maps. The result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., 12 nside^2)]
        Maps, in the precision of ``values``; sums are computed in double precision.
        Differentiable with respect to ``values``.

    Raises
    ------
    ValueError
        Values whose last axes are not those of the points, or that are NaN or infinite; NaN or infinite
        angles; colatitudes outside [0, pi]; shapes that do not broadcast; nside out of range.
    TypeError
        Unsupported dtypes; angles that are not real numbers, or that autograd traces; nside that is not an
        integer.
    MemoryError
        Maps that do not fit into memory.

    Examples
    --------
    >>> from spherekit.sampling import healpix
    >>> healpix.interpolate_adjoint([1.0], [0.0], [0.0], 1)[:5]
    array([0.25, 0.25, 0.25, 0.25, 0.  ])
    """
    values = as_float_array(values, "values")
    flags = _flags(theta, phi, check_nside(nside, nest), nest, threads, is_traced(values))
    return interpolation.adjoint(values, **flags)


def _flags(theta, phi, nside, nest, threads, traced):
    for name, angle in (("theta", theta), ("phi", phi)):
        if is_traced(angle):
            raise TypeError(
                f"{name} is traced by autograd, and the interpolation is differentiable with respect to "
                "the map only; spherekit.evaluate is differentiable with respect to the angles"
            )
    theta, phi = as_directions(theta, phi)
    if traced:  # the gradient is computed later
        theta, phi = theta.copy(), phi.copy()
    return dict(theta=theta, phi=phi, nside=nside, nest=bool(nest), threads=thread_count(threads))


def _forward(f, *, theta, phi, nside, nest, threads):
    f = checks.as_float_array(f, "f")
    shape = *f.shape[:-1], *theta.shape
    noun = f"interpolation to an array of shape {shape}"
    checks.fits_memory(f.itemsize * math.prod(shape), noun, "pass fewer points or maps at once")
    values = np.empty(shape, f.dtype)
    arrays = _components(f, 12 * nside**2), _components(values, theta.size)
    arguments = *_flat(theta, phi), nside, nest, ring_table(nside), *arrays
    if not run_kernel(interpolate_maps, _blocks(theta), threads, *arguments, buffers=_work_memory):
        missing_samples(f, name="f")  # refuses samples that are neither measurements nor missing
    return values


def _adjoint(values, *, theta, phi, nside, nest, threads):
    values = checks.as_float_array(values, "values")
    leading = values.ndim - theta.ndim
    if leading < 0 or values.shape[leading:] != theta.shape:
        raise ValueError(
            f"values have shape {values.shape}; {theta.size} points of shape {theta.shape} need values of "
            f"shape (..., {', '.join(map(str, theta.shape))})"
        )
    checks.finite_samples(values, adjoint=True)
    shape = *values.shape[:leading], 12 * nside**2
    wide = np.result_type(values, np.float64)
    noun = f"the adjoint of the interpolation, an array of shape {shape},"
    required = (wide.itemsize + values.itemsize) * math.prod(shape)
    checks.fits_memory(required, noun, "lower nside, pass fewer maps at once")
    maps = np.zeros(shape, wide)
    arrays = _components(maps, shape[-1]), _components(values, theta.size)
    group = -(-len(arrays[0]) // threads) or 1
    arguments = *_flat(theta, phi), nside, nest, ring_table(nside), *arrays, group
    run_kernel(add_to_maps, -(-len(arrays[0]) // group), threads, *arguments, buffers=_work_memory)
    return maps.astype(values.dtype, copy=False)


interpolation = linear_map("sampling.interpolate", _forward, _adjoint, real=True)


def _components(x, count):
    """Return a contiguous array [shape=(maps, count, components)]; complex numbers have 2 components."""
    components = 2 if np.iscomplexobj(x) else 1
    maps = x.size // count if count else 0
    return np.ascontiguousarray(x).view(x.real.dtype).reshape(maps, count, components)


def _flat(theta, phi):
    return theta.size, theta.reshape(-1), phi.reshape(-1)


def _blocks(theta):
    return -(-theta.size // BLOCK)


def _work_memory():
    return np.empty((4, BLOCK), np.int64), np.empty((4, BLOCK))
