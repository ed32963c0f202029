"""Missing samples in files: values that a header declares missing are replaced by UNSEEN.

`missing_samples` and `is_missing` are the common rule of the package (see `spherekit._core.missing`).
"""

import numpy as np

from spherekit._core.missing import UNSEEN, Magnitudes, check_samples, is_missing, missing_samples
from spherekit.io.headers import number

__all__ = [
    "UNSEEN",
    "Magnitudes",
    "check_samples",
    "is_missing",
    "missing_samples",
    "refuse_missing_weights",
    "replace_nulls",
]


def replace_nulls(values, null, bad_data):
    """Replace values where the boolean array ``null`` is True, or that equal ``bad_data``, by UNSEEN.

    Integers become float64 if any value is missing, and are returned unchanged otherwise.

    >>> import numpy as np
    >>> replace_nulls(np.array([3, -99]), np.array([False, True]), None)
    array([ 3.0000e+00, -1.6375e+30])
    """
    if values.dtype.kind not in "iufb":
        return values
    if bad_data is not None:
        declared = is_missing(values, bad_data) & ~is_missing(values)
        null = declared if null is None else null | declared
    if null is None or not null.any():
        return values
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    return np.where(null, values.dtype.type(UNSEEN), values)


def bad_data(header):
    """The value of the key BAD_DATA of a header, which marks missing samples, or None."""
    return number(header, "BAD_DATA")


def refuse_missing_weights(mask, name="the mask"):
    """Raise ValueError for a mask with missing samples.

    HEALPix codes write 0 for masked samples. The meaning of NaN or UNSEEN in a mask is ambiguous: both
    interpretations are in use.

    >>> import numpy as np
    >>> refuse_missing_weights(np.array([0.0, 1.0]))
    >>> refuse_missing_weights(np.array([0.0, np.nan]))
    Traceback (most recent call last):
    ...
    ValueError: 1 of 2 samples of the mask are NaN or UNSEEN; set them to 0 (masked) or 1
    """
    missing = np.count_nonzero(missing_samples(mask, name=name))
    if missing:
        raise ValueError(
            f"{missing} of {mask.size} samples of {name} are NaN or UNSEEN; set them to 0 (masked) or 1"
        )
