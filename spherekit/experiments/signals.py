"""Signals of files as coefficients of one band-limit, or a refusal that says what to do.

How a file is read is the caller's: the commands read all that ``spherekit transform`` reads.
"""

from typing import NamedTuple

import numpy as np

from spherekit._core import scaling
from spherekit.conventions import band_limit_of
from spherekit.harmonic import analyse, forward, inverse
from spherekit.io.missing import missing_samples

#: Of the samples of a HEALPix map of this nside, the degrees that are taken by default.
DEGREES_PER_NSIDE = 2
#: What a map may hold beyond its band-limit, of its rms without its mean; and in its upper half at the least.
_BEYOND, _EMPTY = 0.01, 1e-6
#: What the rounding of samples in single precision leaves, of the rms with the mean.
_ROUNDING = 1e-7


class BandLimitError(ValueError):
    """A signal is of another band-limit than expected; ``L``: a band-limit up to which it can be used."""

    def __init__(self, message, L):
        super().__init__(message)
        self.L = L


class Signal(NamedTuple):
    """A real signal of a file: its samples on a grid, or its coefficients (L*L,), with ``grid`` None.

    unit : as the file states it, or ""
    """

    name: str
    values: np.ndarray
    grid: object = None
    unit: str = ""


class Analysis(NamedTuple):
    """How maps without a sampling theorem are fitted, as by `spherekit.analyse`."""

    max_iter: int = 100
    allow_unconverged: bool = False
    threads: int | None = None


def native_band_limit(signal):
    """Band-limit of the coefficients, of the grid, or of HEALPix pixels 2 nside.

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
    """Whether coefficients (L*L,) hold power at degrees from L/2 on, beside that of degrees from 1 on.

    >>> has_upper_half(np.eye(16)[15]), has_upper_half(np.eye(16)[1])
    (True, False)
    """
    L = band_limit_of(flm)
    return L < 2 or bool(scaling.ratio(flm[(L // 2) ** 2 :], flm[1:]) > _EMPTY)


def _without_mean(relative, flm):
    """A share of the rms of a map as one of its rms without its mean; 0 where rounding explains it."""
    size = scaling.ratio(flm[1:], flm)
    if relative <= _ROUNDING:
        return 0.0
    return relative / size if size else np.inf


def coefficients(signal, L, analysis=None):
    """Coefficients (L*L,) of a signal of exactly this band-limit.

    Parameters
    ----------
    signal : Signal
    L : int
    analysis : Analysis, optional

    Raises
    ------
    BandLimitError
        Another band-limit.
    ValueError
        Missing samples; a fit that did not converge.
    """
    name = signal.name
    if signal.grid is None:
        flm = signal.values
        stored = band_limit_of(flm)
        if stored != L:
            message = f"{name} holds degrees < {stored}; expected those < {L}"
            raise BandLimitError(message, min(stored, L))
    else:
        flm, unexplained = _analysed(signal, L, analysis)
        unexplained = _without_mean(unexplained, flm)
        if unexplained > _BEYOND:
            raise BandLimitError(
                f"{name}: degrees < {L} leave {unexplained:.1%} of the map unexplained: it is of a higher "
                f"band-limit, or noisy; cut it first: spherekit transform {name} --L {L} -o alm.fits",
                L,
            )
    if not has_upper_half(flm):
        raise BandLimitError(
            f"{name} holds nothing of degrees {L // 2}..{L - 1}: it is of a lower band-limit than the one "
            f"expected, {L}",
            max(L // 2, 1),
        )
    return flm


def low_coefficients(signal, L, analysis=None):
    """Coefficients (L*L,) of the degrees below L of a signal of this band-limit or a higher one.

    Parameters and errors as those of `coefficients`. HEALPix maps are fitted up to degree 2 L, where their
    pixels have so many, so that what lies above L hardly enters.
    """
    if signal.grid is None:
        stored = band_limit_of(signal.values)
        if stored < L:
            message = f"{signal.name} holds degrees < {stored}; expected all degrees < {L}"
            raise BandLimitError(message, stored)
        return signal.values[: L * L]
    limit = L
    if signal.grid.name == "healpix":
        limit = max(L, min(DEGREES_PER_NSIDE * signal.grid.nside, 2 * L))
    return _analysed(signal, limit, analysis, wanted=L)[0][: L * L]


def _analysed(signal, L, analysis, wanted=None):
    """(coefficients, what they leave unexplained of the rms) of the samples."""
    name, values, grid, _ = signal
    analysis = Analysis() if analysis is None else analysis
    highest = 3 * grid.nside if grid.name == "healpix" else grid.L
    if highest < L:
        raise BandLimitError(
            f"{name} is sampled on {_grid_name(grid)}, for degrees < {highest}; expected a map of all "
            f"degrees < {wanted or L}",
            min(native_band_limit(signal), wanted or L),
        )
    missing = np.count_nonzero(missing_samples(values, name=name))
    if missing:
        raise ValueError(
            f"{name}: {missing} of {values.size} samples are UNSEEN or NaN; expected all of them: fit the "
            f"others first: spherekit transform {name} --mask missing --L {wanted or L} -o alm.fits"
        )
    options = dict(sampling=grid, reality=True, threads=analysis.threads)
    if grid.name != "healpix":
        flm = forward(values, L, **options)
        if wanted is not None:
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
    return f"{grid.name}:{grid.nside if grid.name == 'healpix' else grid.L}"
