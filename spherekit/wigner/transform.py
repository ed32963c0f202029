"""Wigner transforms: signals on the rotation group SO(3) <-> their coefficients, on every grid.

    f(alpha, beta, gamma) = sum_lmn (2l+1)/(8 pi^2) f_lmn conj(D^l_mn(alpha, beta, gamma)),
    f_lmn = int f D^l_mn,    D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}

(McEwen et al. 2015, IEEE SPL 22, 2425, eqs. 3-6; the layout and norm of so3 and s2fft.) Every order n is a
field of spin -n on the sphere of (beta, alpha); the gamma step joins them. `dispatch` picks the engine that
transforms the fields: `engines.by_order` (few orders), `engines.precomputed` (many: what d^l_mn has in common
with d^l_nm is computed once) or `engines.batched` (many small signals).
"""

import math
from functools import partial

import numpy as np

from spherekit._core import checks
from spherekit._core.parallel import thread_count
from spherekit.harmonic import plan
from spherekit.harmonic.dispatch import directions, engine_name
from spherekit.harmonic.transform import warn_beyond_pixels
from spherekit.linear import is_traced, linear_map
from spherekit.sampling import RotationGrid
from spherekit.wigner import dispatch


def inverse(
    flmn,
    L,
    N,
    *,
    sampling="mw",
    reality=False,
    steerable=False,
    L_lower=0,
    threads=None,
    engine="auto",
):
    """Samples of the signal on SO(3) with coefficients ``flmn``.

    Parameters
    ----------
    flmn : complex ndarray [shape=(..., 2N-1, L*L)]
        ``flmn[..., N-1+n, l*l+l+m]``; entries with l < |n| are ignored.
    L, N : int
        Band-limits: degrees l < L, orders |n| < N <= L.
    sampling : str, grid of the sphere, or RotationGrid
        The grid of (beta, alpha), by name or itself; it may be finer than L. A `RotationGrid` says the
        angles gamma too, and may be finer in both.
    reality : bool
        Real signal: real samples; the coefficients must have f_{l,-m,-n} = (-1)^{m+n} conj f_lmn.
    steerable : bool
        Only orders n of the parity of N-1: N angles gamma on half the circle instead of 2N-1. All other
        coefficients must be zero.
    L_lower : int
        Degrees below it are ignored.
    threads : int, optional
        The result does not depend on it.
    engine : {"auto", "by_order", "precomputed", "batched"}
        For tests and benchmarks: how the sums over degrees are done, also in gradients. Results agree to
        rounding. ``"auto"`` takes what is fastest for the problem; ``"by_order"`` fits every problem,
        ``"precomputed"`` small tables on rectangular grids, ``"batched"`` many small real signals.

    Returns
    -------
    f : ndarray [shape=(..., n_gamma, n_beta, n_alpha)]
        float32/64 with ``reality``, else complex64/128, as ``flmn``.

    Raises
    ------
    ValueError
        Wrong shape, N > L, NaN or inf, a broken symmetry with ``reality``, orders of the wrong parity with
        ``steerable``; an engine that cannot do this transform.

    >>> import numpy as np
    >>> flmn = np.zeros((3, 16), complex); flmn[1, 0] = 8 * np.pi**2
    >>> f = inverse(flmn, 4, 2, reality=True)
    >>> f.shape, bool(np.allclose(f, 1))
    ((3, 4, 7), True)
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    return _synthesis.forward(flmn, checked=not is_traced(flmn), **arguments)


def inverse_adjoint(
    f,
    L,
    N,
    *,
    sampling="mw",
    reality=False,
    steerable=False,
    L_lower=0,
    threads=None,
    engine="auto",
):
    """Conjugate transpose of `inverse`: ``(2l+1)/(8 pi^2) sum_j f_j D^l_mn`` over the samples.

    Arguments as `forward`. With ``reality`` the adjoint is that of Re(B f) in Re<u, v>.

    >>> import numpy as np
    >>> flmn = inverse_adjoint(np.ones((3, 4, 7)), 4, 2)
    >>> bool(np.isclose(flmn[1, 0], 84 / (8 * np.pi**2)))
    True
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    return _synthesis.adjoint(f, **arguments)


def forward(
    f,
    L,
    N,
    *,
    sampling="mw",
    reality=False,
    steerable=False,
    L_lower=0,
    threads=None,
    engine="auto",
):
    """Coefficients of a signal sampled on SO(3): exact where the grid of the sphere has a theorem.

    Parameters
    ----------
    f : ndarray [shape=(..., n_gamma, n_beta, n_alpha)]
        Finite samples, real with ``reality``; n_gamma is 2N-1, or N of a ``steerable`` signal.
    L, N, sampling, reality, steerable, L_lower, threads, engine
        As in `inverse`.

    Returns
    -------
    flmn : complex ndarray [shape=(..., 2N-1, L*L)]
        Zero for l < |n|, for l < L_lower, and for the orders that a steerable signal lacks.

    Raises
    ------
    ValueError, TypeError
        As `spherekit.harmonic.forward`.

    >>> import numpy as np
    >>> from spherekit.testing import random_flmn
    >>> flmn = random_flmn(6, 3, np.random.default_rng(0))
    >>> bool(np.allclose(forward(inverse(flmn, 6, 3), 6, 3), flmn))
    True
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    warn_beyond_pixels(arguments["grid"].sphere, arguments["L"])
    return _analysis.forward(f, **arguments)


def forward_adjoint(
    flmn,
    L,
    N,
    *,
    sampling="mw",
    reality=False,
    steerable=False,
    L_lower=0,
    threads=None,
    engine="auto",
):
    """Conjugate transpose of `forward`, with ``reality`` its real part; arguments as `inverse`.

    >>> import numpy as np
    >>> forward_adjoint(np.ones((3, 16)) + 0j, 4, 2, sampling="gl").shape
    (3, 4, 7)
    """
    arguments = _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine)
    return _analysis.adjoint(flmn, **arguments)


def estimate_memory(
    L,
    N,
    *,
    sampling="mw",
    reality=False,
    steerable=False,
    batch=1,
    dtype=np.complex128,
    threads=None,
    direction=None,
):
    """Bytes that a transform of ``batch`` signals needs beside its input, output and tables included.

    Parameters
    ----------
    L, N, sampling, reality, steerable, threads
        As in `inverse`.
    batch : int
        Signals, all leading axes together.
    dtype : dtype
        Of the input or of the output: what counts is whether it is single or double precision.
    direction : {"forward", "inverse"}, optional
        By default the larger of the two; the adjoint of either needs what the opposite direction does.

    Returns
    -------
    int

    >>> samples = 127 * 64 * 127 * 16
    >>> estimate_memory(64, 64) < 4 * samples, estimate_memory(64, 64, batch=10) < 25 * samples
    (True, True)
    """
    arguments = _arguments(L, N, sampling, reality, steerable, 0, threads)
    batch = checks.integer(batch, "batch", 0)
    single = checks.sample_type(dtype) in (np.float32, np.complex64)
    grid, L, N = (arguments[name] for name in ("grid", "L", "N"))
    fields = grid, L, N, 0, arguments["reality"], arguments["threads"]
    problems = [dispatch.Problem(*fields, *kind, batch, single) for kind in directions(direction)]
    return int(max(map(dispatch.required_bytes, problems)))


def _arguments(L, N, sampling, reality, steerable, L_lower, threads, engine="auto"):
    """The arguments of a public function, checked: keywords of the linear maps."""
    L = checks.band_limit(L)
    N = checks.azimuthal_limit(N, L)
    if isinstance(sampling, RotationGrid):
        grid = sampling
        if grid.L < L or grid.N < N or grid.steerable != bool(steerable):
            raise ValueError(
                f"{grid!r} does not hold L={L}, N={N}, steerable={bool(steerable)}: it needs a grid at "
                "least as fine, and of the same gamma sampling"
            )
        if grid.steerable and (grid.N - N) % 2:
            raise ValueError(f"{grid!r} holds orders of the other parity than N={N}")
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
    maps, single = math.prod(flmn.shape[:-2]), checks.is_single(flmn)
    fields = grid, L, N, lower, reality, threads, plan_of, True, maps, single
    problem, chosen, needed = dispatch.prepare(engine, *fields)
    checks.fits_memory(needed, f"this transform at L={L}, N={N}")
    return chosen.synthesis(flmn, problem, checked)


def _to_coefficients(
    f, plan_of, *, L, N, grid, reality, lower, threads, engine="auto", checked=False
):
    """``forward`` or ``inverse_adjoint``; ``checked`` means the transpose."""
    f = checks.as_float_array(f, "f")
    if reality:
        checks.real_samples(f)
    _samples_shape(f, grid)
    maps, single = math.prod(f.shape[: f.ndim - len(grid.shape)]), checks.is_single(f)
    fields = grid, L, N, lower, reality, threads, plan_of, False, maps, single
    problem, chosen, needed = dispatch.prepare(engine, *fields)
    checks.fits_memory(needed, f"this transform at L={L}, N={N}")
    return chosen.analysis(f, problem)


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
            f"samples have shape {f.shape}; {grid!r} needs (..., {', '.join(map(str, grid.shape))}), the "
            "axes being gamma, beta, alpha"
        )
