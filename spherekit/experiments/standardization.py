"""Channels of signals with mean 0 and variance 1, by the statistics of the training signals."""

import numpy as np


def statistics(x):
    """(mean, scale) of each channel over the sphere and all signals, in float64.

    Parameters
    ----------
    x : complex ndarray [shape=(signals, channels, L*L)]
        Coefficients of real signals.

    Returns
    -------
    mean : float64 ndarray [shape=(channels,)]
        Mean of the coefficients of degree 0.
    scale : float64 ndarray [shape=(channels,)]
        Root of the variance over the sphere and the signals.

    Raises
    ------
    ValueError
        A channel that is the same constant in all signals.
    """
    mean = x[..., 0].real.mean(axis=0, dtype=float)
    square = np.sum(np.abs(x) ** 2, axis=-1, dtype=float).mean(axis=0) - mean**2
    constant = np.flatnonzero(~(square > 0))
    if constant.size:
        raise ValueError(
            f"the channels {constant.tolist()} are the same constant in all {len(x)} signals: there is no "
            "variance to divide by"
        )
    return mean, np.sqrt(square / (4 * np.pi))


def standardize(x, mean, scale):
    """Signals (..., channels, L*L) less these means, over these scales; in the precision of the signals.

    >>> x = np.array([[[1.0, 0, 2, 0]], [[3.0, 0, 0, 0]]]) + 0j
    >>> y = standardize(x, *statistics(x))
    >>> round(float(np.sum(np.abs(y) ** 2) / 2 / (4 * np.pi)), 6), abs(y[..., 0].sum()) < 1e-6
    (1.0, np.True_)
    """
    result = x.copy()
    result[..., 0] -= mean
    result /= np.asarray(scale)[:, None]
    return result
