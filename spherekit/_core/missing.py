"""Which samples are missing: one rule for every reader, transform, picture and command.

Missing is NaN, and UNSEEN, the value that HEALPix files give to a pixel without data (also after
rounding to single precision). Readers replace what the header of a file declares missing (TNULL,
BAD_DATA) by UNSEEN, so that no other sentinel is left. Whatever else cannot be a measurement is
refused, with its count: it is never used, and never masked silently.
"""

import math

import numpy as np

#: The value that HEALPix files give to a pixel without data.
UNSEEN = -1.6375e30

#: A sample larger than this times the median magnitude of the non-zero samples is no measurement.
OUTLIER = 1e15

#: Sentinels stand apart: nothing lies within this factor below them.
GAP = 1e6

#: UNSEEN times a factor such as 1e-6 (K for uK) is larger; data in the units of their field are not.
_HUGE = 1e20


def is_missing(values, null=None):
    """True where a sample is NaN, UNSEEN or ``null`` (in either part if complex).

    Parameters
    ----------
    values : array of numbers
    null : number, optional
        A further value that means "missing", such as BAD_DATA of a header, also after rounding to
        single precision.

    Returns
    -------
    bool ndarray [shape=values.shape]

    >>> import numpy as np
    >>> is_missing(np.array([1.0, np.nan, -1.6375e30, np.inf]))
    array([False,  True,  True, False])
    >>> is_missing(np.array([7, -99]), null=-99)
    array([False,  True])
    """
    if np.iscomplexobj(values):
        return is_missing(values.real, null) | is_missing(values.imag, null)
    if values.dtype.kind in "iub":
        counts = null is not None and values.dtype.kind != "b"
        return values == null if counts else np.zeros(values.shape, bool)
    if values.dtype.itemsize < 4:  # UNSEEN is beyond the range of float16
        values = values.astype(np.float32)
    missing = np.isnan(values) | (np.abs(values - UNSEEN) < 1e-5 * abs(UNSEEN))
    if null is not None:
        with np.errstate(over="ignore"):
            missing |= (values == np.float64(null)) | (values == np.float32(null))
    return missing


def missing_samples(values, *, null=None, name="the map", advice="set them to NaN"):
    """True where a sample is missing; samples that cannot be measurements are refused.

    Parameters
    ----------
    values : array of numbers
    null : number, optional
        A value that means "missing" beside NaN and UNSEEN.
    name : str
        What the samples are, in messages.
    advice : str
        What to do about samples that cannot be measurements, in messages.

    Returns
    -------
    bool ndarray [shape=values.shape]

    Raises
    ------
    ValueError
        Infinite samples; samples of more than 1e15 times the median magnitude of the non-zero
        ones, as UNSEEN becomes when a map is multiplied by a factor. The message has their count.
        (Not those of a beam or kernel, which falls off through all magnitudes: nothing of the map lies
        within a factor of 1e6 below a sentinel.)

    >>> import numpy as np
    >>> missing_samples(np.array([1.0, 2.0, np.nan]))
    array([False, False,  True])
    >>> missing_samples(np.array([1e6, 2e6, -1.6375e36]))
    Traceback (most recent call last):
    ...
    ValueError: 1 of 3 samples of the map exceed 1e15 times the median magnitude: the largest is \
1.64e+36, the median 1.5e+06. They are no measurements (UNSEEN times a factor?); set them to NaN
    """
    missing = is_missing(values, null)
    if values.dtype.kind in "iub":
        return missing
    infinite = np.count_nonzero(np.isinf(values))
    if infinite:
        raise ValueError(
            f"{infinite} of {values.size} samples of {name} are infinite, which no measurement is; "
            f"{advice}"
        )
    sizes = np.abs(values)[~missing]
    outliers, median = _outliers(sizes)
    if outliers:
        raise ValueError(
            f"{outliers} of {values.size} samples of {name} exceed 1e15 times the median magnitude: "
            f"the largest is {sizes.max():.3g}, the median {median:.3g}. They are no measurements "
            f"(UNSEEN times a factor?); {advice}"
        )
    return missing


def _outliers(sizes):
    """(number of magnitudes beyond OUTLIER medians of the non-zero ones, that median).

    Magnitudes that only a sentinel has do not count for the median where there are smaller ones, so
    that they are seen even where they are the majority: those beyond _HUGE, and the largest where
    it is UNSEEN times a power of ten.
    """
    if not sizes.size:
        return 0, None
    largest = float(sizes.max())
    scaled = _is_unseen_in_another_unit(largest)
    reach = largest / OUTLIER
    if largest < _HUGE and not scaled and np.count_nonzero(sizes >= reach) > sizes.size // 2:
        return 0, None  # more than half reach that size, so the median does: the usual case
    sizes = sizes[sizes > 0]
    below = largest * (1 - 2e-5) if scaled else np.inf
    for limit in (min(_HUGE, below), below):
        ordinary = sizes[sizes < limit]
        if ordinary.size:
            break
    half = 0.5 * (ordinary if ordinary.size else sizes)  # a mean of the largest numbers is finite
    median = 2 * float(np.median(half))
    above = sizes > np.float64(OUTLIER * median)
    return _beyond_gap(np.sort(sizes[above]), sizes[~above].max(initial=0)), median


def _beyond_gap(outliers, below):
    """How many sorted outliers stand apart: a beam falls off through all magnitudes between."""
    if below == 0:
        return outliers.size
    steps = outliers / GAP > np.concatenate([[below], outliers[:-1]])
    return outliers.size - int(np.argmax(steps)) if steps.any() else 0


def _is_unseen_in_another_unit(size):
    """Whether a magnitude is that of UNSEEN times a power of ten, as of K for uK."""
    if not size:
        return False
    digits = math.log10(size) - math.log10(-UNSEEN)
    return abs(digits - round(digits)) < 1e-5
