"""Wigner transforms: signals on the rotation group SO(3) <-> their coefficients, on all grids.

    f(alpha, beta, gamma) = sum_lmn (2l+1)/(8 pi^2) f_lmn conj(D^l_mn(alpha, beta, gamma)),
    f_lmn = int f D^l_mn,    D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}

(McEwen et al. 2015, IEEE SPL 22, 2425, eqs. 3-6; the layout and norm of so3 and s2fft.) The coefficients of
each order n are those of a field of spin -n on the sphere of (beta, alpha); a Fourier transform in gamma
combines the fields. `dispatch` selects the engine that transforms them: `engines.by_order` (few orders),
`engines.precomputed` (many orders, with tables that exploit the symmetries of d^l_mn) or `engines.batched`
(many small signals).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit.harmonic import plan
from spherekit.harmonic.dispatch import directions, engine_name
from spherekit.harmonic.transform import warn_beyond_pixels
from spherekit.linear import is_traced, linear_map
from spherekit.sampling import RotationGrid
from spherekit.sampling.base import Grid
from spherekit.wigner import dispatch


def inverse(
    flmn: ArrayLike,
    L: int,
    N: int,
    *,
    sampling: Grid | RotationGrid | str = "mw",
    reality: bool = False,
    steerable: bool = False,
    L_lower: int = 0,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Inverse Wigner transform: the samples of a signal on SO(3) from its coefficients.

    ``f(alpha, beta, gamma) = sum_lmn (2l+1)/(8 pi^2) f_lmn conj(D^l_mn(alpha, beta, gamma))``.

    Parameters
    ----------
    flmn : complex array_like [shape=(..., 2N-1, L*L)]
        Coefficients ``flmn[..., N-1+n, l*l+l+m]``; those of degrees ``l < |n|`` are ignored.
    L : int
        Band-limit: degrees 0..L-1.
    N : int
        Azimuthal band-limit: orders ``|n| < N``, 1 <= N <= L.
    sampling : str, Grid or RotationGrid
        Grid of (beta, alpha), as a grid of the sphere or its name (see `spherekit.sampling.grid`); it may be
        finer than L. A `spherekit.sampling.RotationGrid` determines the angles gamma too, and may be finer
        in both.
    reality : bool
        Whether the signal is real. The coefficients must have the symmetry
        ``f_{l,-m,-n} = (-1)^(m+n) conj(f_lmn)``.
    steerable : bool
        Whether only orders n of the parity of N-1 occur, so that N angles gamma on half the circle are
        enough instead of 2N-1. All other coefficients must be zero.
    L_lower : int
        Degrees below it are ignored; 0 <= L_lower < L.
    threads : int, optional
        Number of threads; the result does not depend on it.
    engine : {"auto", "by_order", "precomputed", "batched"}
        Algorithm of the sums over degrees, in gradients too; for tests and benchmarks. Results agree to
        rounding. ``"auto"`` selects the fastest one for the problem. ``"by_order"`` is usable for all
        problems, ``"precomputed"`` for rectangular grids with small tables, and ``"batched"`` for many small
        real signals.

    Returns
    -------
    ndarray [shape=(..., n_gamma, n_beta, n_alpha)]
        Samples in the precision of ``flmn``: float32 or float64 with ``reality``, else complex64 or
        complex128. Differentiable by ``flmn``.

    Raises
    ------
    ValueError
        An invalid L, N, L_lower, grid or number of threads; an unknown engine, or one that cannot do this
        transform; a ``RotationGrid`` of other orders; a grid coarser than L; a wrong shape; coefficients that
        are NaN or infinite; a broken symmetry with ``reality``; orders of the wrong parity with
        ``steerable``.
    TypeError
        Coefficients that are not numbers; L, N, L_lower or threads that are not integers; a sampling that is
        neither a grid nor a name.
    MemoryError
        The transform needs more memory than is available (see `estimate_memory`).

    References
    ----------
    McEwen, Buettner, Leistedt, Peiris and Wiaux 2015, IEEE SPL 22, 2425, eqs. 3-6.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import wigner
    >>> flmn = np.zeros((3, 16), complex)
    >>> flmn[1, 0] = 8 * np.pi**2                                    # the constant signal 1
    >>> f = wigner.inverse(flmn, 4, 2, reality=True)
    >>> f.shape, f.mean().round(12).item()
    ((3, 4, 7), 1.0)
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    return _synthesis.forward(flmn, checked=not is_traced(flmn), **arguments)


def inverse_adjoint(
    f: ArrayLike,
    L: int,
    N: int,
    *,
    sampling: Grid | RotationGrid | str = "mw",
    reality: bool = False,
    steerable: bool = False,
    L_lower: int = 0,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Conjugate transpose of `inverse`: ``(2l+1)/(8 pi^2) sum_j f_j D^l_mn(rho_j)`` over the samples.

    With ``reality``, `inverse` is ``f -> Re(B f)``, and the adjoint ``x -> B^H x`` is that with respect to
    the real inner product ``Re<u, v>``.

    Parameters
    ----------
    f : array_like [shape=(..., n_gamma, n_beta, n_alpha)]
        Array of the shape of the samples, real with ``reality``.
    L : int
        Band-limit: degrees 0..L-1.
    N : int
        Azimuthal band-limit: orders ``|n| < N``, 1 <= N <= L.
    sampling : str, Grid or RotationGrid
        As in `inverse`.
    reality : bool
        Whether it is the adjoint of the transform of real signals.
    steerable : bool
        Whether only orders n of the parity of N-1 occur, and are sampled at N angles gamma.
    L_lower : int
        Coefficients of degrees below it are zero; 0 <= L_lower < L.
    threads : int, optional
        Number of threads; the result does not depend on it.
    engine : {"auto", "by_order", "precomputed", "batched"}
        As in `inverse`.

    Returns
    -------
    complex ndarray [shape=(..., 2N-1, L*L)]
        In the precision of ``f``; zero for ``l < |n|``, for ``l < L_lower``, and for the orders that a
        steerable signal lacks. Differentiable by ``f``.

    Raises
    ------
    ValueError
        An invalid L, N, L_lower, grid or number of threads; an unknown engine, or one that cannot do this
        transform; a ``RotationGrid`` of other orders; a grid coarser than L; a wrong shape; entries that are
        NaN, infinite or UNSEEN.
    TypeError
        Complex ``f`` with ``reality``; entries that are not numbers; L, N, L_lower or threads that are not
        integers; a sampling that is neither a grid nor a name.
    MemoryError
        The transform needs more memory than is available.

    Examples
    --------
    Both inner products agree, up to rounding:

    >>> import numpy as np
    >>> from spherekit import testing, wigner
    >>> flmn = testing.random_flmn(4, 2, 0)
    >>> x = np.arange(84.0).reshape(3, 4, 7)
    >>> products = np.vdot(x, wigner.inverse(flmn, 4, 2)), np.vdot(wigner.inverse_adjoint(x, 4, 2), flmn)
    >>> bool(np.isclose(*products, rtol=1e-12, atol=0))
    True
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    return _synthesis.adjoint(f, **arguments)


def forward(
    f: ArrayLike,
    L: int,
    N: int,
    *,
    sampling: Grid | RotationGrid | str = "mw",
    reality: bool = False,
    steerable: bool = False,
    L_lower: int = 0,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Wigner transform: the coefficients of a signal on SO(3) from its samples.

    ``f_lmn = int_SO(3) f(rho) D^l_mn(rho) d rho``, exact for band-limited signals on grids with a sampling
    theorem.

    Parameters
    ----------
    f : array_like [shape=(..., n_gamma, n_beta, n_alpha)]
        Finite samples, real with ``reality``; n_gamma is 2N-1, or N with ``steerable``. On HEALPix and
        other unstructured grids the last two axes are one axis of pixels.
    L : int
        Band-limit: degrees 0..L-1.
    N : int
        Azimuthal band-limit: orders ``|n| < N``, 1 <= N <= L.
    sampling : str, Grid or RotationGrid
        As in `inverse`.
    reality : bool
        Whether the signal is real; then the coefficients are computed from the orders n >= 0.
    steerable : bool
        Whether only orders n of the parity of N-1 occur, and are sampled at N angles gamma.
    L_lower : int
        Coefficients of degrees below it are zero; 0 <= L_lower < L.
    threads : int, optional
        Number of threads; the result does not depend on it.
    engine : {"auto", "by_order", "precomputed", "batched"}
        As in `inverse`.

    Returns
    -------
    complex ndarray [shape=(..., 2N-1, L*L)]
        Coefficients in the precision of ``f``; zero for ``l < |n|``, for ``l < L_lower``, and for the orders
        that a steerable signal lacks. Differentiable by ``f``.

    Raises
    ------
    ValueError
        An invalid L, N, L_lower, grid or number of threads; an unknown engine, or one that cannot do this
        transform; a ``RotationGrid`` of other orders; a grid coarser than L; a wrong shape; samples that are
        NaN, infinite or UNSEEN.
    TypeError
        Complex samples with ``reality``; samples that are not numbers; L, N, L_lower or threads that are not
        integers; a sampling that is neither a grid nor a name.
    MemoryError
        The transform needs more memory than is available (see `estimate_memory`).

    Warns
    -----
    UserWarning
        On HEALPix grids, where L > 3 nside and the pixels do not determine the highest degrees.

    References
    ----------
    McEwen, Buettner, Leistedt, Peiris and Wiaux 2015, IEEE SPL 22, 2425, eqs. 3-6.

    Examples
    --------
    The round trip from coefficients to samples and back is exact to rounding:

    >>> import numpy as np
    >>> from spherekit import testing, wigner
    >>> flmn = testing.random_flmn(6, 3, 0)
    >>> f = wigner.inverse(flmn, 6, 3)
    >>> bool(np.allclose(wigner.forward(f, 6, 3), flmn, rtol=0, atol=1e-14))
    True
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    warn_beyond_pixels(arguments["grid"].sphere, arguments["L"])
    return _analysis.forward(f, **arguments)


def forward_adjoint(
    flmn: ArrayLike,
    L: int,
    N: int,
    *,
    sampling: Grid | RotationGrid | str = "mw",
    reality: bool = False,
    steerable: bool = False,
    L_lower: int = 0,
    threads: int | None = None,
    engine: str = "auto",
) -> np.ndarray:
    """Conjugate transpose of `forward`, with ``reality`` the real part of it.

    Parameters
    ----------
    flmn : complex array_like [shape=(..., 2N-1, L*L)]
        Array of the shape of the coefficients; entries of degrees ``l < |n|`` are ignored. With ``reality``
        its symmetric part counts.
    L : int
        Band-limit: degrees 0..L-1.
    N : int
        Azimuthal band-limit: orders ``|n| < N``, 1 <= N <= L.
    sampling : str, Grid or RotationGrid
        As in `inverse`.
    reality : bool
        Whether it is the adjoint of the transform of real signals, ``f -> Re(A^H f)``.
    steerable : bool
        Whether only orders n of the parity of N-1 occur, and are sampled at N angles gamma.
    L_lower : int
        Coefficients of degrees below it are zero; 0 <= L_lower < L.
    threads : int, optional
        Number of threads; the result does not depend on it.
    engine : {"auto", "by_order", "precomputed", "batched"}
        As in `inverse`.

    Returns
    -------
    ndarray [shape=(..., n_gamma, n_beta, n_alpha)]
        In the precision of ``flmn``, real with ``reality``. Differentiable by ``flmn``.

    Raises
    ------
    ValueError
        An invalid L, N, L_lower, grid or number of threads; an unknown engine, or one that cannot do this
        transform; a ``RotationGrid`` of other orders; a grid coarser than L; a wrong shape; NaN or infinite
        entries.
    TypeError
        Entries that are not numbers; L, N, L_lower or threads that are not integers; a sampling that is
        neither a grid nor a name.
    MemoryError
        The transform needs more memory than is available.

    Examples
    --------
    Both inner products agree, up to rounding:

    >>> import numpy as np
    >>> from spherekit import testing, wigner
    >>> flmn = testing.random_flmn(4, 2, 0)
    >>> f = np.arange(84.0).reshape(3, 4, 7)
    >>> products = np.vdot(flmn, wigner.forward(f, 4, 2)), np.vdot(wigner.forward_adjoint(flmn, 4, 2), f)
    >>> bool(np.isclose(*products, rtol=1e-12, atol=0))
    True
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    return _analysis.adjoint(flmn, **arguments)


def estimate_memory(
    L: int,
    N: int,
    *,
    sampling: Grid | RotationGrid | str = "mw",
    reality: bool = False,
    steerable: bool = False,
    batch: int = 1,
    dtype: DTypeLike = np.complex128,
    threads: int | None = None,
    direction: Literal["forward", "inverse"] | None = None,
) -> int:
    """Estimate the memory that a transform needs in addition to its input.

    Parameters
    ----------
    L : int
        Band-limit: degrees 0..L-1.
    N : int
        Azimuthal band-limit: orders ``|n| < N``, 1 <= N <= L.
    sampling : str, Grid or RotationGrid
        As in `inverse`.
    reality, steerable : bool
        As in `inverse`.
    batch : int
        Number of signals: the product of all leading axes.
    dtype : dtype
        Type of the input or of the output; only its precision, single or double, matters.
    threads : int, optional
        Number of threads; by default as many as a transform would use.
    direction : {"forward", "inverse"}, optional
        By default the larger estimate of the two. The adjoint of either needs as much as the opposite
        direction.

    Returns
    -------
    int
        Bytes of output, tables and work arrays.

    Raises
    ------
    ValueError
        An invalid L, N, grid or number of threads; a ``RotationGrid`` of other orders; a grid coarser than L;
        a negative batch; an unknown direction.
    TypeError
        A dtype other than float32, float64, complex64 and complex128; L, N, batch or threads that are not
        integers; a sampling that is neither a grid nor a name.

    Examples
    --------
    >>> from spherekit import wigner
    >>> output = 16 * 127 * 64 * 127
    >>> wigner.estimate_memory(64, 64) < 4 * output
    True
    """
    arguments = _arguments(L, N, sampling, reality, steerable, 0, threads)
    batch = checks.integer(batch, "batch", 0)
    single = checks.sample_type(dtype) in (np.float32, np.complex64)
    grid, L, N = (arguments[name] for name in ("grid", "L", "N"))
    fields = grid, L, N, 0, arguments["reality"], arguments["threads"]
    problems = [dispatch.Problem(*fields, *kind, batch, single) for kind in directions(direction)]
    return int(max(map(dispatch.required_bytes, problems)))


def _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine="auto"):
    """Check the arguments of a public function; return the keywords of the linear maps."""
    L = checks.band_limit(L)
    N = checks.azimuthal_limit(N, L)
    if isinstance(sampling, RotationGrid):
        grid = sampling
        if grid.L < L or grid.N < N or grid.steerable != bool(steerable):
            raise ValueError(
                f"sampling is {grid!r}; L={L}, N={N}, steerable={bool(steerable)} need a grid at least as "
                "fine, with the same steerable"
            )
        if grid.steerable and (grid.N - N) % 2:
            raise ValueError(
                f"sampling is {grid!r}, which samples only orders n of the parity of {grid.N - 1}; N={N} "
                f"needs those of the parity of {N - 1}"
            )
    else:
        grid = RotationGrid(L, N, sampling, steerable)
    lower = checks.integer(L_lower, "L_lower", 0, L - 1)
    return {
        "L": L,
        "N": N,
        "grid": grid,
        "reality": bool(reality),
        "lower": lower,
        "threads": thread_count(threads),
        "engine": engine_name(engine, dispatch.NAMES),
    }


# --- the four maps -----------------------------------------------------------------------------------


def _to_samples(
    flmn, plan_of, *, L, N, grid, reality, lower, threads, engine="auto", checked=False
):
    """``inverse`` or ``forward_adjoint``, which differ in their plan."""
    flmn = checks.as_float_array(flmn, "flmn")
    checks.wigner_shape(flmn, L, N)
    maps = math.prod(flmn.shape[:-2])
    fields = grid, L, N, lower, reality, threads, plan_of, True, maps, checks.is_single(flmn)
    problem, selected, required = dispatch.prepare(engine, *fields)
    checks.fits_memory(required, f"this transform at L={L}, N={N}")
    return selected.synthesis(flmn, problem, checked)


def _to_coefficients(
    f, plan_of, *, L, N, grid, reality, lower, threads, engine="auto", checked=False
):
    """``forward`` or ``inverse_adjoint``; ``checked`` is ignored."""
    f = checks.as_float_array(f, "f")
    if reality:
        checks.real_samples(f)
    _samples_shape(f, grid)
    maps = math.prod(f.shape[: f.ndim - len(grid.shape)])
    fields = grid, L, N, lower, reality, threads, plan_of, False, maps, checks.is_single(f)
    problem, selected, required = dispatch.prepare(engine, *fields)
    checks.fits_memory(required, f"this transform at L={L}, N={N}")
    return selected.analysis(f, problem)


_synthesis = linear_map(
    "wigner.inverse",
    partial(_to_samples, plan_of=plan.synthesis_plan),
    partial(_to_coefficients, plan_of=plan.synthesis_plan),
)
_analysis = linear_map(
    "wigner.forward",
    partial(_to_coefficients, plan_of=plan.analysis_plan),
    partial(_to_samples, plan_of=plan.analysis_plan),
)


def _samples_shape(f, grid):
    n = len(grid.shape)
    if f.shape[-n:] != grid.shape:
        raise ValueError(
            f"samples have shape {f.shape}; {grid!r} needs (..., {', '.join(map(str, grid.shape))}), with "
            "axes gamma, beta, alpha"
        )
