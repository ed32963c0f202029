"""Spin spherical-harmonic transforms on every grid, with their adjoints and gradients.

    f(theta, phi) = sum_lm f_lm sY_lm(theta, phi),
    sY_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta) e^{i m phi}

A transform is a Legendre step (coefficients <-> Fourier coefficients of rings), on MW-like grids a theta
step (rings <-> rings, exact resampling), and a phi step (Fourier coefficients <-> samples). NumPy arrays
are transformed on the CPU, CuPy arrays on their GPU (`device`, `engines.cuda`); `dispatch` picks the engine.
"""

import math
import warnings
from functools import partial

import numpy as np

from spherekit import device
from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit.harmonic import dispatch, plan
from spherekit.linear import is_traced, linear_map
from spherekit.sampling import grid as as_grid


def inverse(flm, L, *, spin=0, sampling="mw", reality=False, threads=None, engine="auto"):
    """Samples of the signal with coefficients ``flm``.

    Parameters
    ----------
    flm : complex ndarray [shape=(..., L*L)]
        ``flm[..., l*l+l+m]``; degrees l < |spin| are ignored.
    L : int
        Band-limit: degrees 0..L-1.
    spin : int
        |spin| < L.
    sampling : str or grid
        A name of `spherekit.sampling.grid`, or a grid, which may be finer than L.
    reality : bool
        Real signal of spin 0: real samples; the coefficients must be Hermitian,
        f_{l,-m} = (-1)^m conj f_lm.
    threads : int, optional
        The result does not depend on it.
    engine : {"auto", "recursion", "precomputed", "batched", "cuda"}
        For tests and benchmarks: how the sums over degrees are done, also in gradients. Results agree to
        rounding. ``"auto"`` takes what is fastest for the problem; ``"recursion"`` fits every problem,
        ``"precomputed"`` small tables on rectangular grids, ``"batched"`` many small real maps, and
        ``"cuda"`` is for arrays on a GPU.

    Returns
    -------
    f : ndarray [shape=(..., *grid.shape)]
        float32/64 with ``reality``, else complex64/128, as ``flm``.

    Raises
    ------
    ValueError
        Wrong shape, NaN or inf, coefficients that are not Hermitian with ``reality``; an engine that cannot
        do this transform.

    >>> import numpy as np
    >>> flm = np.zeros(16, complex); flm[0] = np.sqrt(4 * np.pi)
    >>> bool(np.allclose(inverse(flm, 4, sampling="gl"), 1))
    True
    """
    arguments = checked_arguments(L, spin, sampling, reality, threads, engine)
    return synthesis_map.forward(flm, checked=not is_traced(flm), **arguments)


def inverse_adjoint(f, L, *, spin=0, sampling="mw", reality=False, threads=None, engine="auto"):
    """Conjugate transpose of `inverse`: ``sum_j f_j conj(sY_lm)`` over the samples, without weights.

    Arguments as `forward`. With ``reality`` the adjoint is that of Re(B f) in Re<u, v>, which is B^H.

    >>> import numpy as np
    >>> bool(np.isclose(inverse_adjoint(np.ones((4, 7)), 4)[0], 28 / np.sqrt(4 * np.pi)))
    True
    """
    return synthesis_map.adjoint(
        f, **checked_arguments(L, spin, sampling, reality, threads, engine)
    )


def forward(f, L, *, spin=0, sampling="mw", reality=False, threads=None, engine="auto"):
    """Coefficients of sampled signals: exact for band-limit L where the grid has a sampling theorem.

    On MW, MWSS and coarse CC grids the samples are continued in theta and integrated exactly (McEwen and
    Wiaux 2011); else ``f_lm = sum_j w_j f_j conj(sY_lm)`` with the grid's weights, which is exact on GL,
    DH, DHPole and CC and an approximation on HEALPix and Rings (see `analyse`). On a grid finer than L it
    is the transform at the grid's band-limit, cut off at L.

    Parameters
    ----------
    f : ndarray [shape=(..., *grid.shape)]
        Real or complex samples, finite; real with ``reality``.
    L, spin, sampling, reality, threads, engine
        As in `inverse`.

    Returns
    -------
    flm : complex ndarray [shape=(..., L*L)]
        complex64 for float32 and complex64 input, else complex128. Zero for l < |spin|.

    Raises
    ------
    ValueError
        Wrong shape; NaN, inf or UNSEEN samples (with their count); an engine that cannot do this transform.
    TypeError
        Complex samples with ``reality``; a dtype that is no number.

    >>> import numpy as np
    >>> flm = np.arange(16) + 0j
    >>> bool(np.allclose(forward(inverse(flm, 4), 4), flm))
    True
    """
    arguments = checked_arguments(L, spin, sampling, reality, threads, engine)
    warn_beyond_pixels(arguments["grid"], arguments["L"])
    return analysis_map.forward(f, **arguments)


def forward_adjoint(flm, L, *, spin=0, sampling="mw", reality=False, threads=None, engine="auto"):
    """Conjugate transpose of `forward`, with ``reality`` its real part; arguments as `inverse`.

    >>> import numpy as np
    >>> forward_adjoint(np.ones(16) + 0j, 4, sampling="gl").shape
    (4, 7)
    """
    return analysis_map.adjoint(
        flm, **checked_arguments(L, spin, sampling, reality, threads, engine)
    )


def estimate_memory(
    L,
    *,
    sampling="mw",
    spin=0,
    reality=False,
    batch=1,
    dtype=np.complex128,
    threads=None,
    direction=None,
):
    """Bytes that a transform of ``batch`` maps needs beside its input, output and tables included.

    Parameters
    ----------
    L, sampling, spin, reality, threads
        As in `inverse`.
    batch : int
        Maps, all leading axes together.
    dtype : dtype
        Of the input or of the output: what counts is whether it is single or double precision.
    direction : {"forward", "inverse"}, optional
        By default the larger of the two; the adjoint of either needs what the opposite direction does.

    Returns
    -------
    int

    >>> estimate_memory(64, sampling="gl", reality=True) < 5e6
    True
    """
    arguments = checked_arguments(L, spin, sampling, reality, threads)
    batch = checks.integer(batch, "batch", 0)
    single = checks.sample_type(dtype) in (np.float32, np.complex64)
    return peak_required_bytes(direction, batch, single, **arguments)


def peak_required_bytes(direction, maps, single, *, grid, L, spin, reality, threads, engine):
    """Bytes that one direction of a transform needs, or, for None, the larger of both."""
    problems = [
        dispatch.Problem(grid, L, spin, reality, threads, *kind, maps, single)
        for kind in dispatch.directions(direction)
    ]
    return int(max(dispatch.required_bytes(problem, engine) for problem in problems))


def checked_arguments(L, spin, sampling, reality, threads, engine="auto"):
    """The arguments of a public function, checked: keywords of the linear maps."""
    L = checks.band_limit(L)
    grid = as_grid(sampling, L)
    if grid.L is not None and grid.L < L:
        raise ValueError(
            f"{grid!r} samples band-limit {grid.L}; L={L} needs a grid at least as fine"
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
    """Warn where the pixels of a HEALPix map do not determine the highest degrees."""
    if grid.name == "healpix" and L > 3 * grid.nside:
        warnings.warn(
            f"L={L} is beyond 3 nside = {3 * grid.nside}: the pixels do not determine the highest "
            "degrees; look at the residual that spherekit.analyse returns",
            UserWarning,
            stacklevel=3,
        )


# --- the four maps -----------------------------------------------------------------------------------


def _to_samples(flm, plan_of, *, L, spin, grid, reality, threads, engine="auto", checked=False):
    """``inverse`` or ``forward_adjoint``, which differ in their plan."""
    flm, on_gpu = _numbers(flm, "flm")
    checks.coefficients_shape(flm, L)
    maps, single = math.prod(flm.shape[:-1]), checks.is_single(flm)
    fields = grid, L, spin, reality, threads, plan_of, True, maps, single, on_gpu
    problem, chosen, needed = dispatch.prepare(engine, *fields)
    checks.fits_memory(needed, f"this transform at L={L}")
    return chosen.synthesis(flm, problem, checked)


def _to_coefficients(f, plan_of, *, L, spin, grid, reality, threads, engine="auto", checked=False):
    """``forward`` or ``inverse_adjoint``; ``checked`` means the transpose."""
    f, on_gpu = _numbers(f, "f")
    if reality:
        checks.real_samples(f)
    checks.samples_shape(f, grid, L)
    maps, single = math.prod(f.shape[: f.ndim - len(grid.shape)]), checks.is_single(f)
    fields = grid, L, spin, reality, threads, plan_of, False, maps, single, on_gpu
    problem, chosen, needed = dispatch.prepare(engine, *fields)
    checks.fits_memory(needed, f"this transform at L={L}")
    return chosen.analysis(f, problem)


def _numbers(x, name):
    """(the array, in a type that transforms take; whether it lies on a GPU)."""
    if device.on_gpu(x, name):
        from spherekit.harmonic.engines import cuda

        return cuda.numbers(x, name), True
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
