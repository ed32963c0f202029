"""Wigner transforms: signals on the rotation group SO(3) <-> their coefficients, on every grid.

    f(alpha, beta, gamma) = sum_lmn (2l+1)/(8 pi^2) f_lmn conj(D^l_mn(alpha, beta, gamma)),
    f_lmn = int f D^l_mn,    D^l_mn = e^{-i m alpha} d^l_mn(beta) e^{-i n gamma}

(McEwen et al. 2015, IEEE SPL 22, 2425, eqs. 3-6; the layout and norm of so3 and s2fft.) Every order n is a
field of spin -n on the sphere of (beta, alpha); the gamma step joins them. How the fields are transformed
is `engines.by_order` (few orders) or `engines.precomputed` (many: what d^l_mn has in common with d^l_nm is
computed once).
"""

import math

import numpy as np

from spherekit._core import checks
from spherekit._core.chunks import by_maps
from spherekit._core.parallel import thread_count
from spherekit.harmonic import plan
from spherekit.harmonic.engines import batched
from spherekit.harmonic.memory_estimate import routes
from spherekit.harmonic.steps import phi_fft
from spherekit.harmonic.transform import warn_beyond_pixels
from spherekit.linear import is_traced, linear_map
from spherekit.sampling import RotationGrid
from spherekit.sampling.healpix import UNSEEN
from spherekit.wigner import gamma_fft, memory_estimate, packing
from spherekit.wigner.engines import by_order, precomputed


def inverse(flmn, L, N, *, sampling="mw", reality=False, steerable=False, L_lower=0, threads=None):
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

    Returns
    -------
    f : ndarray [shape=(..., n_gamma, n_beta, n_alpha)]
        float32/64 with ``reality``, else complex64/128, as ``flmn``.

    Raises
    ------
    ValueError
        Wrong shape, N > L, NaN or inf, a broken symmetry with ``reality``, orders of the wrong parity with
        ``steerable``.

    >>> import numpy as np
    >>> flmn = np.zeros((3, 16), complex); flmn[1, 0] = 8 * np.pi**2
    >>> f = inverse(flmn, 4, 2, reality=True)
    >>> f.shape, bool(np.allclose(f, 1))
    ((3, 4, 7), True)
    """
    flags = _flags(L, N, sampling, reality, steerable, L_lower, threads)
    return _synthesis.forward(flmn, checked=not is_traced(flmn), **flags)


def inverse_adjoint(
    f, L, N, *, sampling="mw", reality=False, steerable=False, L_lower=0, threads=None
):
    """Conjugate transpose of `inverse`: ``(2l+1)/(8 pi^2) sum_j f_j D^l_mn`` over the samples.

    Arguments as `forward`. With ``reality`` the adjoint is that of Re(B f) in Re<u, v>.

    >>> import numpy as np
    >>> flmn = inverse_adjoint(np.ones((3, 4, 7)), 4, 2)
    >>> bool(np.isclose(flmn[1, 0], 84 / (8 * np.pi**2)))
    True
    """
    flags = _flags(L, N, sampling, reality, steerable, L_lower, threads)
    return _synthesis.adjoint(f, checked=False, **flags)


def forward(f, L, N, *, sampling="mw", reality=False, steerable=False, L_lower=0, threads=None):
    """Coefficients of a signal sampled on SO(3): exact where the grid of the sphere has a theorem.

    Parameters
    ----------
    f : ndarray [shape=(..., n_gamma, n_beta, n_alpha)]
        Finite samples, real with ``reality``; n_gamma is 2N-1, or N of a ``steerable`` signal.
    L, N, sampling, reality, steerable, L_lower, threads
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
    flags = _flags(L, N, sampling, reality, steerable, L_lower, threads)
    warn_beyond_pixels(flags["grid"].sphere, flags["L"])
    return _analysis.forward(f, checked=False, **flags)


def forward_adjoint(
    flmn, L, N, *, sampling="mw", reality=False, steerable=False, L_lower=0, threads=None
):
    """Conjugate transpose of `forward`, with ``reality`` its real part; arguments as `inverse`.

    >>> import numpy as np
    >>> forward_adjoint(np.ones((3, 16)) + 0j, 4, 2, sampling="gl").shape
    (3, 4, 7)
    """
    flags = _flags(L, N, sampling, reality, steerable, L_lower, threads)
    return _analysis.adjoint(flmn, checked=False, **flags)


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
    flags = _flags(L, N, sampling, reality, steerable, 0, threads)
    batch = checks.whole_number(batch, "batch", 0)
    single = checks.sample_type(dtype) in (np.float32, np.complex64)
    given = flags["grid"], flags["L"], flags["N"], flags["reality"], batch, single
    every = (
        memory_estimate.transform(*given, *route, flags["threads"]) for route in routes(direction)
    )
    return int(max(every))


def _flags(L, N, sampling, reality, steerable, L_lower, threads):
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
    lower = checks.whole_number(L_lower, "L_lower", 0, L - 1)
    flags = dict(L=L, N=N, grid=grid, reality=bool(reality), lower=lower)
    return flags | dict(threads=thread_count(threads))


# --- the four maps -----------------------------------------------------------------------------------


def _inverse(flmn, *, L, N, grid, reality, lower, threads, checked=False):
    scale = _synthesis_scale(L, lower)
    return _to_samples(flmn, plan.synthesis_route, scale, L, N, grid, reality, threads, checked)


def _inverse_adjoint(f, *, L, N, grid, reality, lower, threads, checked=False):
    scale = _synthesis_scale(L, lower)
    return _to_coefficients(f, plan.synthesis_route, scale, L, N, grid, reality, threads)


def _forward(f, *, L, N, grid, reality, lower, threads, checked=False):
    scale = _analysis_scale(L, lower, grid)
    return _to_coefficients(f, plan.analysis_route, scale, L, N, grid, reality, threads)


def _forward_adjoint(flmn, *, L, N, grid, reality, lower, threads, checked=False):
    scale = _analysis_scale(L, lower, grid)
    return _to_samples(flmn, plan.analysis_route, scale, L, N, grid, reality, threads, False)


def _synthesis_scale(L, lower):
    """(2l+1)/(8 pi^2) over the sqrt((2l+1)/4pi) that a spin harmonic has and d^l has not."""
    ell = np.arange(L)
    return np.where(ell < lower, 0.0, np.sqrt((2 * ell + 1) / (16 * np.pi**3)))


def _analysis_scale(L, lower, grid):
    ell = np.arange(L)
    scale = np.sqrt(4 * np.pi / (2 * ell + 1)) * (2 * np.pi / grid.n_gamma)
    return np.where(ell < lower, 0.0, scale)


def _to_samples(flmn, route_of, scale, L, N, grid, reality, threads, checked):
    flmn = checks.as_float_array(flmn, "flmn")
    checks.wigner_shape(flmn, L, N)
    single = checks.is_single(flmn)
    tolerance = checks.symmetry_tolerance(single) if checked else None
    orders = packing.orders(N, grid.steerable, reality)
    maps = math.prod(flmn.shape[:-2])
    _fits(grid, L, N, reality, maps, single, True, route_of, threads)
    if memory_estimate.in_bundles(grid, L, N, reality, maps):
        table = batched.tables(grid.sphere, L, N, grid.n_gamma, route_of, True, single)
        f = batched.synthesis(flmn, table, scale, grid.shape, 2, checked, single, threads)
        if f is not None:
            return f
    if by_tables := precomputed.worthwhile(grid, L, N, maps):
        table = precomputed.tables(grid.sphere, L, N, route_of, True)
        rows = table.rows
    else:
        route = route_of(grid.sphere, L)
        rows = route.rows

    def transform(part, f, threads):
        given = L, N, orders, reality, scale, grid.steerable, tolerance
        fields = packing.read(part, *given, by_order=by_tables)
        if by_tables:
            planes = precomputed.synthesis(fields, orders, table, L, N, grid, reality, threads)
        else:
            planes = by_order.synthesis(fields, orders, route, L, grid, reality, threads)
        gamma_fft.synthesis(planes, grid, threads)
        planes, samples = (x.reshape(-1, *x.shape[2:]) for x in (planes, f))
        phi_fft.synthesis(planes, grid.sphere, rows, L, reality, samples, threads)

    kind = checks.result_type(reality, single)
    one = memory_estimate.work_bytes(grid, L, N, reality)
    return by_maps(transform, flmn, 2, grid.shape, kind, one, threads)


def _to_coefficients(f, route_of, scale, L, N, grid, reality, threads):
    f = checks.as_float_array(f, "f")
    if reality:
        checks.real_samples(f)
    _samples_shape(f, grid)
    single, core = checks.is_single(f), len(grid.shape)
    orders = packing.orders(N, grid.steerable, reality)
    maps = math.prod(f.shape[: f.ndim - core])
    _fits(grid, L, N, reality, maps, single, False, route_of, threads)
    if memory_estimate.in_bundles(grid, L, N, reality, maps):
        table = batched.tables(grid.sphere, L, N, grid.n_gamma, route_of, False, single)
        shape = 2 * N - 1, L * L
        flmn = batched.analysis(f, table, scale, grid.shape, shape, single, threads)
        if flmn is not None:
            return flmn
    if by_tables := precomputed.worthwhile(grid, L, N, maps):
        table = precomputed.tables(grid.sphere, L, N, route_of, False)
        rows = table.rows
    else:
        route = route_of(grid.sphere, L)
        rows = route.rows

    def transform(part, flmn, threads):
        samples = part.reshape(-1, *grid.sphere.shape)
        samples = np.ascontiguousarray(samples, float if reality else complex)
        planes, suspect = phi_fft.analysis(samples, grid.sphere, rows, L, reality, threads)
        if suspect:
            checks.bad_samples(samples, UNSEEN, route_of is not plan.analysis_route)
        planes = planes.reshape(len(part), grid.n_gamma, *planes.shape[1:])
        gamma_fft.analysis(planes, grid, threads)
        if by_tables:
            fields = precomputed.analysis(planes, orders, table, L, N, grid, reality, threads)
        else:
            fields = by_order.analysis(planes, orders, route, L, grid, reality, threads)
        packing.write(fields, L, N, orders, reality, scale, flmn, by_order=by_tables)

    kind = checks.result_type(False, single)
    one = memory_estimate.work_bytes(grid, L, N, reality)
    return by_maps(transform, f, core, (2 * N - 1, L * L), kind, one, threads)


def _fits(grid, L, N, reality, maps, *way_and_threads):
    needed = memory_estimate.transform(grid, L, N, reality, maps, *way_and_threads)
    checks.fits_memory(needed, f"this transform at L={L}, N={N}")


_synthesis = linear_map("wigner.inverse", _inverse, _inverse_adjoint)
_analysis = linear_map("wigner.forward", _forward, _forward_adjoint)


def _samples_shape(f, grid):
    n = len(grid.shape)
    if f.shape[-n:] != grid.shape:
        raise ValueError(
            f"samples have shape {f.shape}; {grid!r} needs (..., {', '.join(map(str, grid.shape))}), the "
            "axes being gamma, beta, alpha"
        )
