"""Detection of missing samples, shared by readers, transforms, plots and commands.

A sample is missing if it is NaN or UNSEEN, the HEALPix convention for a pixel without data (also after
rounding to single precision). Readers replace the value that the header of a file declares as missing (TNULL,
BAD_DATA) by UNSEEN, so that there is no other sentinel. Other values that cannot be measurements raise an
error with their count: they are never used, and never masked silently.
"""

import math

import numpy as np

#: The value of a pixel without data in HEALPix files.
UNSEEN = -1.6375e30

#: A sample larger than this times the median magnitude of the non-zero samples is not a measurement.
OUTLIER = 1e15

#: Sentinels are separated from the data by a gap: no sample is within this factor below them.
GAP = 1e6

#: UNSEEN times a factor such as 1e-6 (uK to K) is larger; data in common units are smaller.
_HUGE = 1e20

#: Values by which files without a declaration mark missing samples.
_CODES = (
    999.0,
    9999.0,
    99999.0,
    999999.0,
    32767.0,
    32768.0,
    9.999e20,
    1e20,
    1e30,
    1e35,
    9.96921e36,
)

#: Codes of missing values are at least this multiple of the rms of the other samples.
_ABOVE_RMS = 10

#: Samples of a block of `check_samples`, which fits the cache.
_BLOCK = 2**17


def is_missing(values, null=None):
    """Return a boolean array, True where a sample is NaN, UNSEEN or ``null`` (in either part if complex).

    Parameters
    ----------
    values : array of numbers
    null : number, optional
        An additional sentinel, such as BAD_DATA of a header, also after rounding to single precision.

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


def missing_samples(
    values: np.ndarray,
    *,
    null: float | None = None,
    name: str = "the map",
    advice: str = "set them to NaN",
) -> np.ndarray:
    """Return a boolean array, True where a sample is missing; refuse samples that cannot be measurements.

    Parameters
    ----------
    values : ndarray
        Samples.
    null : number, optional
        An additional sentinel, besides NaN and UNSEEN.
    name : str
        Name of the samples in messages.
    advice : str
        Remedy for samples that cannot be measurements, in messages.

    Returns
    -------
    bool ndarray [shape=values.shape]

    Raises
    ------
    ValueError
        Infinite samples; samples larger than 1e15 times the median magnitude of the non-zero samples, such as
        UNSEEN in a map that was multiplied by a factor. The message contains their count. (Samples of a beam
        or kernel, which decreases through all magnitudes, are accepted: a sentinel has no samples within a
        factor of 1e6 below it.)

    Examples
    --------
    >>> import numpy as np
    >>> missing_samples(np.array([1.0, 2.0, np.nan]))
    array([False, False,  True])
    >>> missing_samples(np.array([1e6, 2e6, -1.6375e36]))
    Traceback (most recent call last):
    ...
    ValueError: 1 of 3 samples of the map exceed 1e15 times the median magnitude: the largest is \
1.64e+36, the median 1.5e+06. They cannot be measurements (UNSEEN times a factor?); set them to NaN
    """
    missing = is_missing(values, null)
    if values.dtype.kind in "iub":
        return missing
    infinite = np.count_nonzero(np.isinf(values))
    if infinite:
        raise ValueError(
            f"{infinite} of {values.size} samples of {name} are infinite; expected finite values; {advice}"
        )
    sizes = np.abs(values)[~missing]
    outliers, median = _outliers(sizes)
    if outliers:
        raise ValueError(
            f"{outliers} of {values.size} samples of {name} exceed 1e15 times the median magnitude: "
            f"the largest is {sizes.max():.3g}, the median {median:.3g}. They cannot be measurements "
            f"(UNSEEN times a factor?); {advice}"
        )
    return missing


def check_samples(values: np.ndarray, *, name: str = "the map", advice: str = "set them to NaN"):
    """Refuse samples that cannot be measurements, as `missing_samples` does, without an array of the result.

    One pass over blocks that fit the cache is sufficient if more than half of the samples are within a factor
    of 1e15 of the largest one, as in most maps.

    Raises
    ------
    ValueError
        As `missing_samples`.

    >>> check_samples(np.array([1.0, -1.6375e30, np.nan]))
    >>> check_samples(np.array([1.0, np.inf]))
    Traceback (most recent call last):
    ...
    ValueError: 1 of 2 samples of the map are infinite; expected finite values; set them to NaN
    """
    if values.dtype.kind != "f":
        return
    flat = values.reshape(-1)
    magnitudes = Magnitudes(flat.size)
    for first in range(0, flat.size, _BLOCK):
        magnitudes.add(flat[first : first + _BLOCK])
    if not magnitudes.are_similar:
        missing_samples(values, name=name, advice=advice)


def codes_of_missing(values: np.ndarray) -> list[float]:
    """The common codes of missing values, such as -9999, among samples far below them.

    Codes are 999, 9999, 99999, 999999, 32767, 32768, 1e20, 9.999e20, 1e30, 1e35 and 9.96921e36, of either
    sign, also after rounding to single precision, and at least 10 times the rms of all other samples. They
    are no values where the quantity has none of this size, as a wind; counts, for example, can have them.

    Parameters
    ----------
    values : real ndarray
        Samples, of which missing ones are ignored.

    Returns
    -------
    list of float
        The codes, as they are in the array.

    Examples
    --------
    >>> codes_of_missing(np.array([3.0, -9999.0, 12.0]))
    [-9999.0]
    >>> codes_of_missing(np.array([990.0, 999.0, 1003.0]))
    []
    """
    codes = np.array(_CODES + tuple(-code for code in _CODES))
    with np.errstate(over="ignore"):
        codes = np.unique([codes, codes.astype(np.float32).astype(float)])
    is_code = np.isin(values, codes)
    if not is_code.any():
        return []
    present = np.unique(values[is_code]).astype(float)
    ordinary = values[np.isfinite(values) & ~(is_code | is_missing(values))].astype(float)
    scale = np.sqrt(np.mean(ordinary**2)) if ordinary.size else 0.0
    return [float(code) for code in present if abs(code) >= _ABOVE_RMS * scale]


class Magnitudes:
    """The magnitudes of samples, collected block by block, such as while a file is read.

    Parameters
    ----------
    size : int
        The number of all samples.

    >>> magnitudes = Magnitudes(4)
    >>> magnitudes.add(np.array([1.0, np.nan]))
    >>> magnitudes.add(np.array([-1.6375e30, 2.0]))
    >>> magnitudes.are_similar
    True
    """

    def __init__(self, size):
        self._size = size
        self._largest = 0.0
        self._threshold = 0.0
        self._observed = 0  # samples that are not missing
        self._above = 0  # those of them of at least the threshold
        self._has_huge = False

    def add(self, block):
        """Add a block of floating-point samples."""
        low, high = block.min(), block.max()
        if not (-_HUGE < low and high < _HUGE):  # also if they are NaN
            block = block[~is_missing(block)]
            if not block.size:
                return
            low, high = block.min(), block.max()
            self._has_huge |= not (-_HUGE < low and high < _HUGE)
        self._largest = max(self._largest, -float(low), float(high))
        self._threshold = self._threshold or self._largest * 1e-9
        self._observed += block.size
        if self._threshold and self._above <= self._size // 2:
            self._above += np.count_nonzero(
                (block >= self._threshold) | (block <= -self._threshold)
            )

    @property
    def are_similar(self):
        """Whether all samples are finite or missing, and more than half are within 1e15 of the largest."""
        if self._has_huge or _is_unseen_in_another_unit(self._largest):
            return False
        is_majority = self._above > self._observed // 2
        return not self._largest or (is_majority and self._threshold >= self._largest / OUTLIER)


def _outliers(sizes):
    """Return the number of magnitudes above OUTLIER times the median of the non-zero ones, and the median.

    If there are smaller magnitudes, the median excludes those that only a sentinel can have, so that
    sentinels are detected even if they are the majority: magnitudes above _HUGE, and the largest one if it is
    UNSEEN times a power of ten.
    """
    if not sizes.size:
        return 0, None
    largest = float(sizes.max())
    scaled = _is_unseen_in_another_unit(largest)
    reach = largest / OUTLIER
    if largest < _HUGE and not scaled and np.count_nonzero(sizes >= reach) > sizes.size // 2:
        return 0, None  # the usual case: more than half reach this size, hence also the median
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
    """Return the number of sorted outliers above a gap; a beam falls off without a gap."""
    if below == 0:
        return outliers.size
    steps = outliers / GAP > np.concatenate([[below], outliers[:-1]])
    return outliers.size - int(np.argmax(steps)) if steps.any() else 0


def _is_unseen_in_another_unit(size):
    """Return whether a magnitude is that of UNSEEN times a power of ten, such as uK converted to K."""
    if not size:
        return False
    digits = math.log10(size) - math.log10(-UNSEEN)
    return abs(digits - round(digits)) < 1e-5
