"""Spin spherical-harmonic transforms on all grids, with their adjoints and gradients.

    f(theta, phi) = sum_lm f_lm sY_lm(theta, phi),
    sY_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta) e^{i m phi}

A transform consists of a Legendre step (coefficients <-> Fourier coefficients of rings), on MW-like grids of
a theta step (rings <-> rings, exact resampling), and of a phi step (Fourier coefficients <-> samples). NumPy
arrays are transformed on the CPU, CuPy arrays on their GPU (`device`, `engines.cuda`); `dispatch` selects the
engine.
"""

from __future__ import annotations

import math
import warnings
from functools import lru_cache, partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from spherekit import device
from spherekit._core import checks
from spherekit._core.labeled import check_coordinates, check_spins
from spherekit._core.parallel import thread_count
from spherekit.conventions.indexing import orders
from spherekit.harmonic import dispatch, plan
from spherekit.linear import is_traced, linear_map
from spherekit.sampling import grid as as_grid
from spherekit.sampling.base import Grid
from spherekit.sampling.quadrature import read_only
from spherekit.sampling.text import label


def inverse(
    flm: ArrayLike,
    L: int,
    *,
    spin: int = 0,
    sampling: Grid | str = "mw",
    reality: bool = False,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Compute samples from harmonic coefficients.

        f(theta, phi) = sum_lm f_lm sY_lm(theta, phi)

    Parameters
    ----------
    flm : array_like [shape=(..., L*L)]
        Coefficients, ``flm[..., l*l+l+m]``; degrees l < |spin| are ignored.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    sampling : Grid or str
        A grid, which may be finer than L, or the name of one for `spherekit.sampling.grid`.
    reality : bool
        Whether the signal is real (spin 0 only). Then the coefficients must be Hermitian, f_{l,-m} = (-1)^m
        conj f_lm, and the samples are real.
    threads : int, optional
        Number of threads. The result does not depend on it.
    engine : {"auto", "recursion", "precomputed", "batched", "cuda"}
        Algorithm for the sums over degrees, for tests and benchmarks. Results agree up to rounding.
        ``"auto"`` selects the fastest engine for the problem; ``"recursion"`` supports every problem,
        ``"precomputed"`` small tables on rectangular grids, ``"batched"`` many small real maps, and
        ``"cuda"`` arrays on a GPU.

    Returns
    -------
    ndarray [shape=(..., *grid.shape)]
        Samples: float32 or float64 with ``reality``, otherwise complex64 or complex128, in the precision of
        ``flm``.

    Raises
    ------
    ValueError
        A wrong shape; NaN or infinite coefficients; coefficients that are not Hermitian with ``reality``; an
        invalid L, spin, grid or number of threads; a grid coarser than L; an unknown engine, or one that
        cannot solve the problem.
    TypeError
        An unsupported dtype; L, spin or threads that are not integers; a sampling that is neither a grid nor
        a name.
    NotImplementedError
        An array on a GPU with a grid whose rings differ in length.
    RuntimeError
        An array on a GPU where the CUDA kernels are not available.
    MemoryError
        The problem does not fit into memory.

    See Also
    --------
    forward : The inverse of this map.
    evaluate : Values at arbitrary points.

    Examples
    --------
    Y_10 at the north pole is sqrt(3 / (4 pi)):

    >>> import numpy as np
    >>> import spherekit as sk
    >>> flm = np.zeros(4, complex)
    >>> flm[2] = 1
    >>> f = sk.inverse(flm, 2, sampling="mwss", reality=True)
    >>> round(float(f[0, 0]), 6)
    0.488603
    """
    arguments = checked_arguments(L, spin, sampling, reality, threads, engine)
    return synthesis_map.forward(flm, checked=not is_traced(flm), **arguments)


def inverse_adjoint(
    f: ArrayLike,
    L: int,
    *,
    spin: int = 0,
    sampling: Grid | str = "mw",
    reality: bool = False,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Apply the conjugate transpose of `inverse`: sums over the samples without weights.

        f_lm = sum_j f_j conj(sY_lm(theta_j, phi_j))

    With ``reality`` it is the adjoint of Re(B f) in the real inner product Re<u, v>, which is B^H.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Real or complex samples; real with ``reality``.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    sampling : Grid or str
        A grid, which may be finer than L, or the name of one for `spherekit.sampling.grid`.
    reality : bool
        Whether the signal is real (spin 0 only).
    threads : int, optional
        Number of threads. The result does not depend on it.
    engine : {"auto", "recursion", "precomputed", "batched", "cuda"}
        Algorithm for the sums over degrees, for tests and benchmarks. Results agree up to rounding.
        ``"auto"`` selects the fastest engine for the problem; ``"recursion"`` supports every problem,
        ``"precomputed"`` small tables on rectangular grids, ``"batched"`` many small real maps, and
        ``"cuda"`` arrays on a GPU.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Sums: complex64 for float32 and complex64 input, otherwise complex128. Zero for l < |spin|.

    Raises
    ------
    ValueError
        A wrong shape; a `spherekit.io.Map` on another grid than ``sampling``; NaN, infinite or UNSEEN
        samples; an invalid L, spin, grid or number of threads; a grid coarser than L; an unknown engine, or
        one that cannot solve the problem.
    TypeError
        Complex samples with ``reality``; an unsupported dtype; L, spin or threads that are not integers; a
        sampling that is neither a grid nor a name.
    NotImplementedError
        An array on a GPU with a grid whose rings differ in length.
    RuntimeError
        An array on a GPU where the CUDA kernels are not available.
    MemoryError
        The problem does not fit into memory.

    Examples
    --------
    A constant map gives the number of samples times Y_00:

    >>> import numpy as np
    >>> import spherekit as sk
    >>> sums = sk.inverse_adjoint(np.ones((4, 7)), 4)
    >>> round(float(sums[0].real * np.sqrt(4 * np.pi)), 6)
    28.0
    """
    return synthesis_map.adjoint(
        f, **checked_arguments(L, spin, sampling, reality, threads, engine)
    )


def forward(
    f: ArrayLike,
    L: int,
    *,
    spin: int = 0,
    sampling: Grid | str = "mw",
    reality: bool = False,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Compute harmonic coefficients from samples.

    The transform is exact for band-limit L if the grid has a sampling theorem. On MW, MWSS and coarse DH and
    CC grids the samples are continued in theta and integrated exactly (McEwen and Wiaux 2011, IEEE TSP 59,
    5876). On all other grids

        f_lm = sum_j w_j f_j conj(sY_lm(theta_j, phi_j))

    with the weights of the grid, which is exact on GL, DH, DHPole and CC, and an approximation on HEALPix and
    Rings (see `analyse`). On a grid finer than L it is the transform at the band-limit of the grid, truncated
    to L.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)]
        Real or complex samples; real with ``reality``.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    sampling : Grid or str
        A grid, which may be finer than L, or the name of one for `spherekit.sampling.grid`.
    reality : bool
        Whether the signal is real (spin 0 only).
    threads : int, optional
        Number of threads. The result does not depend on it.
    engine : {"auto", "recursion", "precomputed", "batched", "cuda"}
        Algorithm for the sums over degrees, for tests and benchmarks. Results agree up to rounding.
        ``"auto"`` selects the fastest engine for the problem; ``"recursion"`` supports every problem,
        ``"precomputed"`` small tables on rectangular grids, ``"batched"`` many small real maps, and
        ``"cuda"`` arrays on a GPU.

    Returns
    -------
    complex ndarray [shape=(..., L*L)]
        Coefficients, ``flm[..., l*l+l+m]``: complex64 for float32 and complex64 input, otherwise complex128.
        Zero for l < |spin|.

    Raises
    ------
    ValueError
        A wrong shape; a `spherekit.io.Map` on another grid than ``sampling``; NaN, infinite or UNSEEN samples
        (with their number); an invalid L, spin, grid or number of threads; a grid coarser than L; an unknown
        engine, or one that cannot solve the problem.
    TypeError
        Complex samples with ``reality``; an unsupported dtype; L, spin or threads that are not integers; a
        sampling that is neither a grid nor a name.
    NotImplementedError
        An array on a GPU with a grid whose rings differ in length.
    RuntimeError
        An array on a GPU where the CUDA kernels are not available.
    MemoryError
        The problem does not fit into memory.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix.

    See Also
    --------
    inverse : The inverse of this map.
    analyse : Least squares, for HEALPix, arbitrary rings and masked maps.

    Examples
    --------
    A round trip on MW, the equiangular grid with the fewest samples, is exact up to rounding:

    >>> import numpy as np
    >>> import spherekit as sk
    >>> flm = np.arange(16) + 0j
    >>> f = sk.inverse(flm, 4)
    >>> f.shape
    (4, 7)
    >>> bool(abs(sk.forward(f, 4) - flm).max() < 1e-13)
    True
    """
    arguments = checked_arguments(L, spin, sampling, reality, threads, engine)
    warn_beyond_pixels(arguments["grid"], arguments["L"])
    return analysis_map.forward(f, **arguments)


def forward_adjoint(
    flm: ArrayLike,
    L: int,
    *,
    spin: int = 0,
    sampling: Grid | str = "mw",
    reality: bool = False,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Apply the conjugate transpose of `forward`; with ``reality``, its real part.

        f_j = w_j sum_lm f_lm sY_lm(theta_j, phi_j)

    where `forward` is a weighted sum over the samples; on MW, MWSS and coarse DH and CC grids it includes the
    transpose of the continuation in theta.

    Parameters
    ----------
    flm : array_like [shape=(..., L*L)]
        Coefficients, ``flm[..., l*l+l+m]``; degrees l < |spin| are ignored.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        Spin of the field, |spin| < L.
    sampling : Grid or str
        A grid, which may be finer than L, or the name of one for `spherekit.sampling.grid`.
    reality : bool
        Whether the signal is real (spin 0 only). Then the samples are real.
    threads : int, optional
        Number of threads. The result does not depend on it.
    engine : {"auto", "recursion", "precomputed", "batched", "cuda"}
        Algorithm for the sums over degrees, for tests and benchmarks. Results agree up to rounding.
        ``"auto"`` selects the fastest engine for the problem; ``"recursion"`` supports every problem,
        ``"precomputed"`` small tables on rectangular grids, ``"batched"`` many small real maps, and
        ``"cuda"`` arrays on a GPU.

    Returns
    -------
    ndarray [shape=(..., *grid.shape)]
        Samples: float32 or float64 with ``reality``, otherwise complex64 or complex128, in the precision of
        ``flm``.

    Raises
    ------
    ValueError
        A wrong shape; NaN or infinite coefficients; an invalid L, spin, grid or number of threads; a grid
        coarser than L; an unknown engine, or one that cannot solve the problem.
    TypeError
        An unsupported dtype; L, spin or threads that are not integers; a sampling that is neither a grid nor
        a name.
    NotImplementedError
        An array on a GPU with a grid whose rings differ in length.
    RuntimeError
        An array on a GPU where the CUDA kernels are not available.
    MemoryError
        The problem does not fit into memory.

    Examples
    --------
    For the constant harmonic it returns the quadrature weights, times Y_00; they sum to 4 pi:

    >>> import numpy as np
    >>> import spherekit as sk
    >>> weights = sk.forward_adjoint([1.0, 0, 0, 0], 2, sampling="gl", reality=True) * np.sqrt(4 * np.pi)
    >>> round(float(weights.sum() / np.pi), 12)
    4.0
    """
    return analysis_map.adjoint(
        flm, **checked_arguments(L, spin, sampling, reality, threads, engine)
    )


def estimate_memory(
    L: int,
    *,
    sampling: Grid | str = "mw",
    spin: int = 0,
    reality: bool = False,
    batch: int = 1,
    dtype: DTypeLike = np.complex128,
    threads: int | None = None,
    direction: Literal["forward", "inverse"] | None = None,
) -> int:
    """Estimate the peak memory of a transform, in bytes.

    The estimate includes the result, work memory and tables, but not the input.

    Parameters
    ----------
    L : int
        Band-limit: degrees 0..L-1.
    sampling : Grid or str
        A grid, or the name of one for `spherekit.sampling.grid`.
    spin : int
        Spin of the field, |spin| < L.
    reality : bool
        Whether the signal is real (spin 0 only).
    batch : int
        Number of maps: the product of all leading axes.
    dtype : dtype_like
        Dtype of the input or of the output; only its precision matters.
    threads : int, optional
        Number of threads, which need work memory.
    direction : {"forward", "inverse"}, optional
        By default the larger of the two. The adjoint of either needs as much as the opposite direction.

    Returns
    -------
    int
        Estimated peak memory in bytes.

    Raises
    ------
    ValueError
        An invalid L, spin, batch, number of threads or direction; a grid coarser than L.
    TypeError
        L, spin, batch or threads that are not integers; a sampling that is neither a grid nor a name; an
        unsupported dtype.

    Examples
    --------
    A transform of one real map needs about three times the memory of its samples:

    >>> import spherekit as sk
    >>> sample_bytes = 8 * 1024 * 2047
    >>> round(sk.estimate_memory(1024, sampling="gl", reality=True, threads=1) / sample_bytes)
    3
    """
    arguments = checked_arguments(L, spin, sampling, reality, threads)
    batch = checks.integer(batch, "batch", 0)
    single = checks.sample_type(dtype) in (np.float32, np.complex64)
    return peak_required_bytes(direction, batch, single, **arguments)


def peak_required_bytes(direction, maps, single, *, grid, L, spin, reality, threads, engine):
    """Return the bytes that one direction of a transform needs or, for None, the larger of both."""
    sphere, phi0 = _from_meridian_zero(grid)
    required = 0
    for plan_of, to_samples in dispatch.directions(direction):
        is_rounded = single and (to_samples or not phi0)
        fields = sphere, L, spin, reality, threads, plan_of, to_samples, maps, is_rounded
        direction_bytes = dispatch.required_bytes(dispatch.Problem(*fields), engine)
        direction_bytes += _phase_bytes(L, maps, single, to_samples) if phi0 else 0
        required = max(required, direction_bytes)
    return int(required)


def checked_arguments(L, spin, sampling, reality, threads, engine="auto"):
    """Check the arguments of a public function; returns the keywords of the linear maps."""
    L = checks.band_limit(L)
    grid = as_grid(sampling, L)
    if grid.L is not None and grid.L < L:
        raise ValueError(
            f"the grid {label(grid)} samples band-limit {grid.L}; L={L} needs a grid at least as fine"
        )
    spin = checks.spin_number(spin, L, reality)
    return {
        "L": L,
        "spin": spin,
        "grid": grid,
        "reality": bool(reality),
        "threads": thread_count(threads),
        "engine": dispatch.engine_name(engine),
    }


def warn_beyond_pixels(grid, L):
    """Warn if the pixels of a HEALPix map do not determine the highest degrees."""
    if grid.name == "healpix" and L > 3 * grid.nside:
        warnings.warn(
            f"L={L} is beyond 3 nside = {3 * grid.nside}: the pixels do not determine the highest "
            "degrees; check the residual that spherekit.analyse returns",
            UserWarning,
            stacklevel=3,
        )


# --- the four maps -----------------------------------------------------------------------------------


def _to_samples(flm, plan_of, *, L, spin, grid, reality, threads, engine="auto", checked=False):
    """Compute ``inverse`` or ``forward_adjoint``, which differ in their plan."""
    check_spins(flm, spin)
    flm, on_gpu = _as_array(flm, "flm")
    checks.coefficients_shape(flm, L)
    maps, single = math.prod(flm.shape[:-1]), checks.is_single(flm)
    sphere, phi0 = _from_meridian_zero(grid)
    fields = sphere, L, spin, reality, threads, plan_of, True, maps, single, on_gpu
    problem, selected, required = dispatch.prepare(engine, *fields)
    required += _phase_bytes(L, maps, single, True) if phi0 else 0
    checks.fits_memory(required, f"this transform at L={L}")
    if phi0:
        with np.errstate(invalid="ignore"):  # infinite coefficients, which the engines refuse
            flm = flm * _phases(L, phi0, on_gpu)
    return selected.synthesis(flm, problem, checked)


def _to_coefficients(f, plan_of, *, L, spin, grid, reality, threads, engine="auto", checked=False):
    """Compute ``forward`` or ``inverse_adjoint``, which differ in their plan.

    ``checked`` has no effect; it exists because a linear map and its adjoint take the same keywords.
    """
    check_coordinates(f, grid)
    f, on_gpu = _as_array(f, "f")
    if reality:
        checks.real_samples(f)
    checks.samples_shape(f, grid, L)
    maps, single = math.prod(f.shape[: f.ndim - len(grid.shape)]), checks.is_single(f)
    sphere, phi0 = _from_meridian_zero(grid)
    # With a phase, coefficients in single precision are rounded once, after it.
    is_rounded = single and not phi0
    fields = sphere, L, spin, reality, threads, plan_of, False, maps, is_rounded, on_gpu
    problem, selected, required = dispatch.prepare(engine, *fields)
    required += _phase_bytes(L, maps, single, False) if phi0 else 0
    checks.fits_memory(required, f"this transform at L={L}")
    flm = selected.analysis(f, problem)
    if phi0:
        flm *= _phases(L, -phi0, on_gpu)
        flm = flm.astype(checks.result_type(False, single), copy=False)
    return flm


def _from_meridian_zero(grid):
    """Return (the grid with its first column at longitude 0; the longitude of its first column).

    Grids of rings of different lengths are returned as they are, with 0. The signal f(theta, phi + phi0) has
    the coefficients f_lm e^{i m phi0}, so that engines only see grids whose first longitude is 0.
    """
    phi0 = grid.phi0 if grid.rectangular else 0.0
    return (grid.with_phi0(0.0), phi0) if phi0 else (grid, 0.0)


def _phases(L, phi0, on_gpu):
    """Return e^{i m phi0} of all coefficients [shape=(L*L,)]; cached for small L."""
    phases = (_phase_table if L <= 512 else _phase_table.__wrapped__)(L, phi0)
    return device.array_module().asarray(phases) if on_gpu else phases


@lru_cache(maxsize=8)
def _phase_table(L, phi0):
    return read_only(np.exp(1j * phi0 * np.arange(1 - L, L))[orders(L) + (L - 1)])


def _phase_bytes(L, maps, single, to_samples):
    """Return the bytes of the phases, and of the copy of the coefficients (double or single)."""
    copy_bytes = 16 * maps if to_samples else 8 * maps * single
    return (16 + copy_bytes) * L * L


def _as_array(x, name):
    """Return (the array, in a dtype that transforms support; whether it is on a GPU)."""
    if device.on_gpu(x, name):
        from spherekit.harmonic.engines import cuda

        return cuda.as_array(x, name), True
    return checks.as_float_array(x, name), False


synthesis_map = linear_map(
    "harmonic.inverse",
    partial(_to_samples, plan_of=plan.synthesis_plan),
    partial(_to_coefficients, plan_of=plan.synthesis_plan),
)
analysis_map = linear_map(
    "harmonic.forward",
    partial(_to_coefficients, plan_of=plan.analysis_plan),
    partial(_to_samples, plan_of=plan.analysis_plan),
)
