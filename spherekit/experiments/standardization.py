"""Standardization of channels to mean 0 and variance 1, by the statistics of the training signals."""

import numpy as np

from spherekit._core import scaling

#: Below this ratio of variance to squared mean, the variance is computed from the centered signals instead of
#: a difference of mean squares, which would cancel.
_CANCELLATION = 1e-4
#: Means larger than this multiple of the scale are subtracted in double precision.
_LARGE_MEAN = 1e3


def statistics(x):
    """Mean and scale of each channel over the sphere and all signals.

    Parameters
    ----------
    x : complex ndarray [shape=(signals, channels, L*L)]
        Coefficients of real signals.

    Returns
    -------
    mean : float64 ndarray [shape=(channels,)]
        Mean of the coefficients of degree 0.
    scale : float64 ndarray [shape=(channels,)]
        Standard deviation over the sphere and the signals.

    Raises
    ------
    ValueError
        If a channel is the same constant in all signals.
    """
    e = scaling.exponent(x)
    x = scaling.ldexp(x, -e)  # so that squares are of order one
    mean = x[..., 0].real.mean(axis=0, dtype=float)
    square = np.sum(np.abs(x) ** 2, axis=-1, dtype=float).mean(axis=0) - mean**2
    constant = []
    for channel in np.flatnonzero(~(square > _CANCELLATION * mean**2)):
        y = x[:, channel].astype(complex)
        if not y[:, 1:].any() and not np.ptp(y[:, 0].real):
            constant.append(int(channel))
        y[:, 0] -= mean[channel]
        square[channel] = np.sum(np.abs(y) ** 2, axis=-1).mean()
    if constant:
        raise ValueError(
            f"the channels {constant} are the same constant in all {len(x)} signals; expected signals that "
            "vary, as they are divided by their standard deviation"
        )
    return scaling.ldexp(mean, e), scaling.ldexp(np.sqrt(square / (4 * np.pi)), e)


def standardize(x, mean, scale):
    """Subtract the means of the channels of signals (..., channels, L*L) and divide by the scales.

    The result has the precision of the signals.

    >>> x = np.array([[[1.0, 0, 2, 0]], [[3.0, 0, 0, 0]]]) + 0j
    >>> y = standardize(x, *statistics(x))
    >>> round(float(np.sum(np.abs(y) ** 2) / 2 / (4 * np.pi)), 6), abs(y[..., 0].sum()) < 1e-6
    (1.0, np.True_)
    """
    result = x.copy()
    result[..., 0] -= mean
    result /= np.asarray(scale)[:, None]
    return result


class Amplitudes:
    """Mean and scale of signals of one channel; large means are subtracted in double precision.

    For means that are not large the results are bit-identical to those of `statistics` and `standardize`.

    Attributes
    ----------
    mean, scale : float

    >>> x = np.array([[0, 0, 2, 0], [0, 0, 1, 0]], np.complex64)
    >>> monopoles = np.array([1e9, 1e9 + 2])
    >>> y = Amplitudes.of(x, monopoles).standardize(x, monopoles)
    >>> y.dtype, y.shape, round(float(np.sum(np.abs(y) ** 2) / 2 / (4 * np.pi)), 6)
    (dtype('complex64'), (2, 1, 4), 1.0)
    """

    def __init__(self, mean, scale):
        self.mean, self.scale = float(mean), float(scale)

    @classmethod
    def of(cls, x, monopoles, e=0):
        """Statistics of coefficients 2^e x (signals, L*L) with 2^e ``monopoles`` (float64) at degree 0."""
        center = monopoles.mean()
        if not x[:, 1:].any() and not np.ptp(monopoles):
            raise ValueError(
                f"all {len(x)} training maps are the same constant; expected maps that vary"
            )
        _, (scale,) = statistics(_with_degree_0(x, monopoles - center))
        if abs(center) <= _LARGE_MEAN * scale:
            (center,), (scale,) = statistics(_with_degree_0(x, monopoles))
        return cls(*scaling.ldexp(np.array([center, scale]), e))

    def standardize(self, x, monopoles, e=0):
        """Signals (signals, 1, L*L) from coefficients 2^e x, as in `of`; in the precision of ``x``."""
        mean, scale = scaling.ldexp(np.array([self.mean, self.scale]), -e)
        if abs(mean) > _LARGE_MEAN * scale:
            mean, monopoles = 0.0, monopoles - mean
        with np.errstate(all="ignore"):  # callers check for overflow
            return standardize(_with_degree_0(x, monopoles), [mean], [scale])


def _with_degree_0(x, monopoles):
    """Signals (signals, 1, L*L) from coefficients (signals, L*L), with these real parts at degree 0."""
    result = x[:, None].copy()
    with np.errstate(over="ignore"):
        result.real[:, 0, 0] = monopoles
    return result
