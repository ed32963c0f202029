"""Functions of the degree that multiply coefficients: beams and tapers."""

import numpy as np

from spherekit._core import checks


def of_entries(window):
    """A window function (L,) for each entry of coefficients (L*L,).

    >>> of_entries(np.array([1.0, 0.5]))
    array([1. , 0.5, 0.5, 0.5])
    """
    return np.repeat(window, 2 * np.arange(len(window)) + 1)


def checked_window(window, L, name):
    """The first L values of a window function, which must be finite real numbers.

    >>> checked_window([1, 0.5, 0.25], 2, "beam").tolist()
    [1.0, 0.5]
    """
    window = checks.as_float_array(window, name)
    if np.iscomplexobj(window) or window.ndim != 1 or window.size < L:
        raise ValueError(
            f"{name} has dtype {window.dtype} and shape {window.shape}; expected real b_l of at least "
            f"L = {L} degrees"
        )
    if not np.isfinite(window[:L]).all():
        raise ValueError(f"{name} contains NaN or infinite values; expected finite values")
    return window[:L]
