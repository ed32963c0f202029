"""Signals of files, and their coefficients of a given band-limit, with checks of the band-limit.

The caller provides the reader of files; that of the commands reads all formats of ``spherekit transform``.
"""

from typing import NamedTuple

import numpy as np

from spherekit._core import scaling
from spherekit.conventions import band_limit_of
from spherekit.harmonic import analyse, forward, inverse
from spherekit.io.missing import missing_samples
from spherekit.sampling.base import Grid

#: Default band-limit of a HEALPix map, divided by nside.
DEGREES_PER_NSIDE = 2
#: Largest residual beyond the band-limit, relative to the rms of the map without its mean.
_MAX_RESIDUAL = 0.01
#: Smallest norm of the degrees >= L/2, relative to that of the degrees >= 1.
_MIN_UPPER_HALF = 1e-6
#: Residual due to rounding of samples to single precision, relative to the rms with the mean.
_ROUNDING = 1e-7


class BandLimitError(ValueError):
    """A signal has another band-limit than expected.

    Attributes
    ----------
    L : int
        A band-limit for which the signal can be used.
    """

    def __init__(self, message, L):
        super().__init__(message)
        self.L = L


class Signal(NamedTuple):
    """A real signal that was read from a file: its samples on a grid, or its harmonic coefficients.

    Attributes
    ----------
    name : str
        Path of the file, for messages.
    values : ndarray
        Samples of the shape of the grid, or complex coefficients [shape=(L*L,)].
    grid : spherekit.sampling.Grid, optional
        None for coefficients.
    unit : str
        Unit stated in the file, or "".

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import experiments
    >>> from spherekit.sampling import MW
    >>> signal = experiments.Signal("map.npz", np.ones((8, 15)), MW(8), "uK")
    >>> signal.values.shape == signal.grid.shape
    True
    """

    name: str
    values: np.ndarray
    grid: Grid | None = None
    unit: str = ""


class Analysis(NamedTuple):
    """Parameters of the least-squares analysis of HEALPix maps by `spherekit.harmonic.analyse`.

    Attributes
    ----------
    max_iter : int
        Largest number of iterations.
    allow_unconverged : bool
        Accept a fit that has not converged; otherwise it raises ValueError.
    threads : int, optional
        By default all that the process may use.

    Examples
    --------
    >>> from spherekit import experiments
    >>> experiments.Analysis(threads=2).max_iter
    100
    """

    max_iter: int = 100
    allow_unconverged: bool = False
    threads: int | None = None


def native_band_limit(signal):
    """Band-limit of the coefficients or of the grid; 2 nside for HEALPix.

    >>> from spherekit.sampling import MW, HEALPix
    >>> native_band_limit(Signal("", np.zeros(12), HEALPix(1))), native_band_limit(Signal("", None, MW(8)))
    (2, 8)
    """
    if signal.grid is None:
        return band_limit_of(signal.values)
    if signal.grid.name == "healpix":
        return DEGREES_PER_NSIDE * signal.grid.nside
    return signal.grid.L


def has_upper_half(flm):
    """Whether coefficients (L*L,) have power at the degrees >= L/2, compared with the degrees >= 1.

    >>> has_upper_half(np.eye(16)[15]), has_upper_half(np.eye(16)[1])
    (True, False)
    """
    L = band_limit_of(flm)
    return L < 2 or bool(scaling.ratio(flm[(L // 2) ** 2 :], flm[1:]) > _MIN_UPPER_HALF)


def _without_mean(relative, flm):
    """Convert a residual relative to the rms of a map to one relative to its rms without the mean.

    A residual at the level of rounding is replaced by 0.
    """
    ratio = scaling.ratio(flm[1:], flm)
    if relative <= _ROUNDING:
        return 0.0
    return relative / ratio if ratio else np.inf


def coefficients(signal, L, analysis=None):
    """Coefficients of a signal that has exactly this band-limit.

    Parameters
    ----------
    signal : Signal
    L : int
    analysis : Analysis, optional

    Returns
    -------
    complex ndarray [shape=(L*L,)]

    Raises
    ------
    BandLimitError
        If the signal has another band-limit.
    ValueError
        If samples are missing, or the fit does not converge.
    """
    name = signal.name
    if signal.grid is None:
        flm = signal.values
        limit = band_limit_of(flm)
        if limit != L:
            message = f"{name} contains degrees < {limit}; expected those < {L}"
            raise BandLimitError(message, min(limit, L))
    else:
        flm, residual = _analyze_samples(signal, L, analysis)
        residual = _without_mean(residual, flm)
        if residual > _MAX_RESIDUAL:
            raise BandLimitError(
                f"{name}: degrees < {L} leave a residual of {residual:.1%} of the map: its band-limit is "
                f"higher, or it is noisy; truncate it first: spherekit transform {name} --L {L} -o alm.fits",
                L,
            )
    if not has_upper_half(flm):
        raise BandLimitError(
            f"{name} has no power at degrees {L // 2}..{L - 1}: its band-limit is too low; expected {L}",
            max(L // 2, 1),
        )
    return flm


def low_coefficients(signal, L, analysis=None):
    """Coefficients (L*L,) of the degrees below L of a signal whose band-limit is at least L.

    Parameters and errors are those of `coefficients`. HEALPix maps are fitted with degrees < 2 L, if their
    resolution permits, which reduces the influence of the degrees >= L.
    """
    if signal.grid is None:
        limit = band_limit_of(signal.values)
        if limit < L:
            message = f"{signal.name} contains degrees < {limit}; expected all degrees < {L}"
            raise BandLimitError(message, limit)
        return signal.values[: L * L]
    limit = L
    if signal.grid.name == "healpix":
        limit = max(L, min(DEGREES_PER_NSIDE * signal.grid.nside, 2 * L))
    return _analyze_samples(signal, limit, analysis, output_L=L)[0][: L * L]


def _analyze_samples(signal, L, analysis, output_L=None):
    """(coefficients, residual relative to the rms); with ``output_L`` it is 0 on exact grids."""
    name, values, grid, _ = signal
    analysis = Analysis() if analysis is None else analysis
    max_L = 3 * grid.nside if grid.name == "healpix" else grid.L
    if max_L < L:
        raise BandLimitError(
            f"{name} is sampled on {_grid_name(grid)}, for degrees < {max_L}; expected a map of all "
            f"degrees < {output_L or L}",
            min(native_band_limit(signal), output_L or L),
        )
    missing = np.count_nonzero(missing_samples(values, name=name))
    if missing:
        raise ValueError(
            f"{name}: {missing} of {values.size} samples are UNSEEN or NaN; expected a complete map: fit the "
            f"valid samples first: spherekit transform {name} --mask missing --L {output_L or L} -o alm.fits"
        )
    options = dict(sampling=grid, reality=True, threads=analysis.threads)
    if grid.name != "healpix":
        flm = forward(values, L, **options)
        if output_L is not None:
            return flm, 0.0
        return flm, scaling.ratio(values - inverse(flm, L, **options), values)
    flm, residual = analyse(values, L, max_iter=analysis.max_iter, **options)
    if not (residual.converged or analysis.allow_unconverged):
        raise ValueError(
            f"{name}: the fit of degrees < {L} did not converge in {residual.iterations} iterations; its "
            f"residual is {residual.relative:.2e} of the map's rms: raise --max-iter, lower --L, or pass "
            "--allow-unconverged"
        )
    return flm, residual.relative


def _grid_name(grid):
    return str(grid)
