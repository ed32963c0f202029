"""Missing samples in files: what the header declares becomes UNSEEN, the one sentinel left.

`missing_samples` and `is_missing` are the package's one rule (see `spherekit._core.missing`).
"""

import numpy as np

from spherekit._core.missing import UNSEEN, is_missing, missing_samples
from spherekit.io.headers import number

__all__ = ["UNSEEN", "is_missing", "missing_samples", "refuse_missing_weights", "replace_nulls"]


def replace_nulls(values, null, bad_data):
    """``values`` with UNSEEN where ``null`` (bool array or None) is set or they are ``bad_data``.

    Values of an integer type without a null stay as they are; with one they become float64.

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
    """The value that a header declares missing by its key BAD_DATA, or None."""
    return number(header, "BAD_DATA")


def refuse_missing_weights(mask, name="the mask"):
    """Refuse a mask with samples that are missing: whether they count is not known.

    HEALPix codes write 0 where a sample is masked. NaN or UNSEEN in a mask says neither "masked"
    nor "counts"; both readings are in use, so none is chosen.

    >>> import numpy as np
    >>> refuse_missing_weights(np.array([0.0, 1.0]))
    >>> refuse_missing_weights(np.array([0.0, np.nan]))
    Traceback (most recent call last):
    ...
    ValueError: 1 of 2 samples of the mask are NaN or UNSEEN; set them to 0 (left out) or 1
    """
    missing = np.count_nonzero(missing_samples(mask, name=name))
    if missing:
        raise ValueError(
            f"{missing} of {mask.size} samples of {name} are NaN or UNSEEN; set them to 0 (left "
            "out) or 1"
        )
