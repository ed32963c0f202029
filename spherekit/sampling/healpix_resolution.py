"""Change of resolution of HEALPix maps by the means of pixels, for any integer ratio of nsides."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import refuse_labels
from spherekit._core.missing import is_missing
from spherekit._core.parallel import run, thread_count
from spherekit.linear import is_traced, linear_map
from spherekit.sampling.healpix_arguments import check_nside
from spherekit.sampling.healpix_blocks import CHUNK, average_blocks, fill_blocks
from spherekit.sampling.healpix_rings import nside_of

__all__ = ["degrade", "upgrade"]


def __dir__():
    return sorted(__all__)


def degrade(
    f: ArrayLike,
    nside: int,
    *,
    power: float | None = None,
    pessimistic: bool = False,
    threshold: float | None = None,
    nest: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Lower the resolution of HEALPix maps: the means of the samples inside each larger pixel.

    The rules are those of ``healpy.ud_grade``: missing samples (UNSEEN, masked, and NaN, of which healpy
    makes NaN) are ignored, and a pixel without valid samples is UNSEEN. Structure finer than the new pixels
    is aliased; `spherekit.fields.regrid` removes it instead.

    Parameters
    ----------
    f : array_like [shape=(..., 12 nside_in^2)]
        Maps, or boolean masks. A masked array (numpy.ma) remains one.
    nside : int
        The new nside, a divisor of that of the maps; both are powers of two with ``nest``.
    power : float, optional
        The means are multiplied by (nside / nside_in)^power: -2 for counts, whose sum is then unchanged, 2
        for variances of independent samples.
    pessimistic : bool
        A pixel with any missing sample is UNSEEN. Not of boolean masks, unless they are masked arrays.
    threshold : float, optional
        Of boolean masks only, 0 < threshold <= 1: a pixel is True if at least this fraction of its pixels is.
        By default 0.5; 1 requires all pixels, and a tiny number, such as 1e-9, any. (For the fraction itself,
        pass the mask as numbers, ``mask.astype(float)``.)
    nest : bool
        The maps are in nested order, and the result, too.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., 12 nside^2)]
        float32 and complex64 remain so, booleans remain booleans, integers become float64. Sums are computed
        in float64. Differentiable for maps without missing samples.

    Raises
    ------
    ValueError
        A number of samples that is not 12 nside_in^2, an nside that does not divide nside_in, infinite
        samples, missing samples of a map that is differentiated.
    TypeError
        Maps that are not numbers, ``threshold`` with numbers, ``power`` or ``pessimistic`` with masks; a
        Map, or a DataArray with coordinates or attributes (`spherekit.fields.degrade` accepts them).
    MemoryError
        The result does not fit into memory.

    See Also
    --------
    upgrade : the repetition of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import healpix
    >>> healpix.degrade(np.arange(48), 1)[:4]
    array([ 5.5 ,  7.25,  9.  , 10.75])
    """
    nside = check_nside(nside, nest)
    refuse_labels(f, "f", "degrade")
    if is_traced(f):
        _refuse_threshold(threshold)
        k = _ratio(f.shape, nside, nest)
        factor = _power_factor(power, 1 / k) / k**2
        return _block_sums.forward(f, nside=nside, k=k, nest=nest, factor=factor, threads=threads)
    if isinstance(f, np.ma.MaskedArray):
        return _degrade_masked(f, nside, power, pessimistic, threshold, nest, threads)
    f = checks.as_array(f, "f", "pass f.value, and store the unit separately")
    if f.dtype.kind == "b":
        if pessimistic:
            raise TypeError(
                "pessimistic is passed with a boolean mask, none of whose samples are missing; threshold=1 "
                "requires that all pixels of a larger one are True"
            )
        return _degrade_mask(f, nside, power, threshold, nest, threads)
    _refuse_threshold(threshold)
    f = checks.as_float_array(f, "f")
    k = _ratio(f.shape, nside, nest)
    factor = _power_factor(power, 1 / k)
    minimum = k**2 if pessimistic else 1
    if np.iscomplexobj(f):
        missing = is_missing(f)
        f = np.where(missing, np.nan * (1 + 1j), f).astype(f.dtype, copy=False)
        return _of_complex(_averages, f, nside, k, nest, factor, minimum, threads)
    return _averages(f, nside, k, nest, factor, minimum, threads)


def upgrade(
    f: ArrayLike,
    nside: int,
    *,
    power: float | None = None,
    nest: bool = False,
    threads: int | None = None,
) -> np.ndarray:
    """Raise the resolution of HEALPix maps: each sample is repeated in all smaller pixels.

    The rules are those of ``healpy.ud_grade``; UNSEEN, however, remains UNSEEN with ``power``, too.
    `spherekit.fields.regrid` interpolates smoothly instead.

    Parameters
    ----------
    f : array_like [shape=(..., 12 nside_in^2)]
        Maps, or boolean masks. A masked array (numpy.ma) remains one.
    nside : int
        The new nside, a multiple of that of the maps; both are powers of two with ``nest``.
    power : float, optional
        The samples are multiplied by (nside / nside_in)^power: -2 for counts, whose sum is then unchanged.
    nest : bool
        The maps are in nested order, and the result, too.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray [shape=(..., 12 nside^2)]
        float32 and complex64 remain so, booleans remain booleans, integers become float64. Differentiable.

    Raises
    ------
    ValueError
        A number of samples that is not 12 nside_in^2, an nside that is no multiple of nside_in.
    TypeError
        Maps that are not numbers, ``power`` with masks; a Map, or a
        DataArray with coordinates or attributes (`spherekit.fields.upgrade` accepts them).
    MemoryError
        The result does not fit into memory.

    See Also
    --------
    degrade : the means of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import healpix
    >>> healpix.upgrade(np.arange(12), 2)[:8]
    array([0., 1., 2., 3., 0., 0., 1., 1.])
    """
    nside = check_nside(nside, nest)
    refuse_labels(f, "f", "upgrade")
    if is_traced(f):
        k, source = _multiple(f.shape, nside, nest)
        factor = _power_factor(power, k)
        return _block_sums.adjoint(f, nside=source, k=k, nest=nest, factor=factor, threads=threads)
    if isinstance(f, np.ma.MaskedArray):
        options = dict(nest=nest, threads=threads)
        mask = upgrade(np.ma.getmaskarray(f), nside, **options)
        values = upgrade(f.data, nside, power=power, **options)
        return np.ma.array(values, mask=mask, fill_value=f.fill_value)
    f = checks.as_array(f, "f", "pass f.value, and store the unit separately")
    k, source = _multiple(f.shape, nside, nest)
    factor = _power_factor(power, k)
    if f.dtype.kind == "b":
        _refuse_power(power)
        f = np.ascontiguousarray(f).view(np.uint8)
        return _fill(f, source, k, nest, 1, True, threads).view(bool)
    return _of_complex(_fill, checks.as_float_array(f, "f"), source, k, nest, factor, True, threads)


def _degrade_masked(f, nside, power, pessimistic, threshold, nest, threads):
    """The means of the samples that are not masked; a masked array."""
    valid = ~np.ma.getmaskarray(f)
    options = dict(nest=nest, threads=threads)
    if f.dtype.kind == "b":
        _refuse_power(power)
        values = np.where(valid, f.data, np.nan)
        values = degrade(values, nside, pessimistic=pessimistic, **options)
        mask = is_missing(values)
        return np.ma.array(_reaches(values, threshold), mask=mask, fill_value=f.fill_value)
    _refuse_threshold(threshold)
    data = checks.as_float_array(f.data, "f")
    data = np.where(valid, data, data.dtype.type(np.nan))
    values = degrade(data, nside, power=power, pessimistic=pessimistic, **options)
    return np.ma.array(values, mask=is_missing(values))


def _degrade_mask(f, nside, power, threshold, nest, threads):
    """Whether the fraction of True in each pixel reaches the threshold."""
    _refuse_power(power)
    k = _ratio(f.shape, nside, nest)
    f = np.ascontiguousarray(f).view(np.uint8)
    return _reaches(_averages(f, nside, k, nest, 1.0, 1, threads), threshold)


def _reaches(fractions, threshold):
    threshold = 0.5 if threshold is None else threshold
    expected = (
        "a fraction of pixels, above 0 and at most 1 (1e-9 selects pixels of which any is True)"
    )
    threshold = checks.real_number(threshold, "threshold", expected, lambda x: 0 < x <= 1)
    return fractions >= threshold


def _refuse_threshold(threshold):
    if threshold is not None:
        raise TypeError(
            "threshold is passed with numbers, of which means are computed; it is for boolean masks: pass "
            "mask.astype(bool)"
        )


def _refuse_power(power):
    if power is not None:
        raise TypeError("power is passed with a boolean mask; expected numbers, or no power")


def _ratio(shape, nside, nest):
    """nside_in / nside, of maps of a shape that are degraded."""
    source = _source_nside(shape, nest)
    if nside > source or source % nside:
        remedy = "; upgrade raises it" if nside > source else ""
        raise ValueError(
            f"nside is {nside}, of maps of nside {source}; expected a divisor of {source}{remedy}"
        )
    return source // nside


def _multiple(shape, nside, nest):
    """nside / nside_in and nside_in, of maps of a shape that are upgraded."""
    source = _source_nside(shape, nest)
    if nside % source:
        remedy = "; degrade lowers it" if nside < source else ""
        raise ValueError(
            f"nside is {nside}, of maps of nside {source}; expected a multiple of {source}{remedy}"
        )
    return nside // source, source


def _source_nside(shape, nest):
    if not shape:
        raise ValueError("f is one number; expected maps of 12 nside^2 samples")
    return check_nside(nside_of(shape[-1]), nest)


def _power_factor(power, ratio):
    """ratio^power, or 1."""
    if power is None:
        return 1.0
    return ratio ** checks.real_number(power, "power", "a finite number")


# --- calls of the loops -----------------------------------------------------------------------------


def _of_complex(function, f, *arguments):
    """Apply a function of real arrays, to real and imaginary parts where ``f`` is complex."""
    if not np.iscomplexobj(f):
        return function(f, *arguments)
    real, imaginary = (function(np.ascontiguousarray(x), *arguments) for x in (f.real, f.imag))
    return (real + 1j * imaginary).astype(f.dtype, copy=False)


def _averages(f, nside, k, nest, factor, minimum, threads):
    """The means of blocks, in the precision of ``f`` (of uint8: float64)."""
    dtype = f.dtype if f.dtype.kind == "f" else np.dtype(float)
    results = _results(f.shape, nside, dtype)
    arguments = nside, k, nest, factor, minimum, np.ascontiguousarray(f), results
    if not _run(average_blocks, f.shape, nside, threads, *arguments):
        count = np.count_nonzero(np.isinf(f))
        raise ValueError(
            f"{count} of {f.size} samples of f are infinite, or sums overflow; set missing samples to NaN"
        )
    return results


def _fill(f, nside, k, nest, factor, keep_missing, threads):
    """The samples, repeated in blocks."""
    results = _results(f.shape, nside * k, f.dtype)
    arguments = nside, k, nest, factor, keep_missing, np.ascontiguousarray(f), results
    _run(fill_blocks, f.shape, nside, threads, *arguments)
    return results


def _results(shape, nside, dtype):
    shape = (*shape[:-1], 12 * nside**2)
    required = math.prod(shape) * dtype.itemsize
    noun = f"an array of maps of nside {nside}"
    checks.fits_memory(required, noun, "lower nside, pass fewer maps at once")
    return np.empty(shape, dtype)


def _run(kernel, shape, nside, threads, *arguments):
    """Call a loop in threads; return whether it returns no False."""
    maps = math.prod(shape[:-1])
    counter = np.zeros(1, np.int64)
    threads = min(thread_count(threads), max(1, maps * 12 * nside**2 // CHUNK))
    valid = []
    run(lambda _: valid.append(kernel(counter, maps, *arguments) is not False), threads)
    return all(valid)


def _sum_blocks(f, *, nside, k, nest, factor, threads):
    """The linear map of `degrade`, which accepts no missing samples."""
    if is_missing(f).any():
        raise ValueError(
            "f has missing samples, and is differentiated; degrade is linear without them only"
        )
    return _of_complex(_averages, f, nside, k, nest, factor, 0, threads)


def _repeat_blocks(g, *, nside, k, nest, factor, threads):
    return _of_complex(_fill, g, nside, k, nest, factor, False, threads)


_block_sums = linear_map("sampling.block_sums", _sum_blocks, _repeat_blocks, real=True)
