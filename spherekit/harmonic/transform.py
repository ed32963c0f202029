"""Spin spherical-harmonic transforms on every grid, with their adjoints and gradients.

    f(theta, phi) = sum_lm f_lm sY_lm(theta, phi),
    sY_lm = (-1)^s sqrt((2l+1)/4pi) d^l_{m,-s}(theta) e^{i m phi}

A transform is a Legendre step (coefficients <-> Fourier coefficients of rings), on MW-like grids a theta
step (rings <-> rings, exact resampling), and a phi step (Fourier coefficients <-> samples). NumPy arrays
are transformed on the CPU, CuPy arrays on their GPU (`device`, `engines.cuda`).
"""

import math
import warnings

import numpy as np

from spherekit import device
from spherekit._core import checks
from spherekit._core.chunks import by_maps
from spherekit._core.parallel import thread_count
from spherekit.harmonic import memory_estimate, plan
from spherekit.harmonic.engines import batched, precomputed, recursion
from spherekit.harmonic.steps import phi_fft
from spherekit.linear import is_traced, linear_map
from spherekit.sampling import grid as as_grid
from spherekit.sampling.healpix import UNSEEN


def inverse(flm, L, *, spin=0, sampling="mw", reality=False, threads=None):
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

    Returns
    -------
    f : ndarray [shape=(..., *grid.shape)]
        float32/64 with ``reality``, else complex64/128, as ``flm``.

    Raises
    ------
    ValueError
        Wrong shape, NaN or inf, coefficients that are not Hermitian with ``reality``.

    >>> import numpy as np
    >>> flm = np.zeros(16, complex); flm[0] = np.sqrt(4 * np.pi)
    >>> bool(np.allclose(inverse(flm, 4, sampling="gl"), 1))
    True
    """
    flags = _flags(L, spin, sampling, reality, threads)
    return _synthesis.forward(flm, checked=not is_traced(flm), **flags)


def inverse_adjoint(f, L, *, spin=0, sampling="mw", reality=False, threads=None):
    """Conjugate transpose of `inverse`: ``sum_j f_j conj(sY_lm)`` over the samples, without weights.

    Arguments as `forward`. With ``reality`` the adjoint is that of Re(B f) in Re<u, v>, which is B^H.

    >>> import numpy as np
    >>> bool(np.isclose(inverse_adjoint(np.ones((4, 7)), 4)[0], 28 / np.sqrt(4 * np.pi)))
    True
    """
    return _synthesis.adjoint(f, checked=False, **_flags(L, spin, sampling, reality, threads))


def forward(f, L, *, spin=0, sampling="mw", reality=False, threads=None):
    """Coefficients of sampled signals: exact for band-limit L where the grid has a sampling theorem.

    On MW, MWSS and coarse CC grids the samples are continued in theta and integrated exactly (McEwen and
    Wiaux 2011); else ``f_lm = sum_j w_j f_j conj(sY_lm)`` with the grid's weights, which is exact on GL,
    DH, DHPole and CC and an approximation on HEALPix and Rings (see `analyse`). On a grid finer than L it
    is the transform at the grid's band-limit, cut off at L.

    Parameters
    ----------
    f : ndarray [shape=(..., *grid.shape)]
        Real or complex samples, finite; real with ``reality``.
    L, spin, sampling, reality, threads
        As in `inverse`.

    Returns
    -------
    flm : complex ndarray [shape=(..., L*L)]
        complex64 for float32 and complex64 input, else complex128. Zero for l < |spin|.

    Raises
    ------
    ValueError
        Wrong shape; NaN, inf or UNSEEN samples (with their count).
    TypeError
        Complex samples with ``reality``; a dtype that is no number.

    >>> import numpy as np
    >>> flm = np.arange(16) + 0j
    >>> bool(np.allclose(forward(inverse(flm, 4), 4), flm))
    True
    """
    flags = _flags(L, spin, sampling, reality, threads)
    warn_beyond_pixels(flags["grid"], flags["L"])
    return _analysis.forward(f, checked=False, **flags)


def forward_adjoint(flm, L, *, spin=0, sampling="mw", reality=False, threads=None):
    """Conjugate transpose of `forward`, with ``reality`` its real part; arguments as `inverse`.

    >>> import numpy as np
    >>> forward_adjoint(np.ones(16) + 0j, 4, sampling="gl").shape
    (4, 7)
    """
    return _analysis.adjoint(flm, checked=False, **_flags(L, spin, sampling, reality, threads))


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
    flags = _flags(L, spin, sampling, reality, threads)
    batch, single = checks.whole_number(batch, "batch", 0), _is_single(dtype)
    routes = memory_estimate.routes(direction)
    return int(max(_needed(batch, single, *route, **flags) for route in routes))


def _needed(maps, single, to_samples, route_of, *, L, spin, grid, reality, threads):
    given = grid, L, spin, reality, maps, single, to_samples, route_of, threads
    return memory_estimate.transform(*given)


def _is_single(dtype):
    return checks.sample_type(dtype) in (np.float32, np.complex64)


def _flags(L, spin, sampling, reality, threads):
    L = checks.band_limit(L)
    grid = as_grid(sampling, L)
    if grid.L is not None and grid.L < L:
        raise ValueError(
            f"{grid!r} samples band-limit {grid.L}; L={L} needs a grid at least as fine"
        )
    spin = checks.spin_number(spin, L, reality)
    return dict(L=L, spin=spin, grid=grid, reality=bool(reality), threads=thread_count(threads))


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


def _inverse(flm, *, L, spin, grid, reality, threads, checked=False):
    return _to_samples(flm, plan.synthesis_route, L, spin, grid, reality, threads, checked)


def _inverse_adjoint(f, *, L, spin, grid, reality, threads, checked=False):
    return _to_coefficients(f, plan.synthesis_route, L, spin, grid, reality, threads)


def _forward(f, *, L, spin, grid, reality, threads, checked=False):
    return _to_coefficients(f, plan.analysis_route, L, spin, grid, reality, threads)


def _forward_adjoint(flm, *, L, spin, grid, reality, threads, checked=False):
    return _to_samples(flm, plan.analysis_route, L, spin, grid, reality, threads, False)


def _to_samples(flm, route_of, L, spin, grid, reality, threads, checked):
    if device.on_gpu(flm, "flm"):
        from spherekit.harmonic.engines.cuda import to_samples

        return to_samples(flm, route_of, L, spin, grid, reality, checked)
    flm, single = _coefficients(flm, L)
    maps, narrow = math.prod(flm.shape[:-1]), False
    flags = dict(L=L, spin=spin, grid=grid, reality=reality, threads=threads)
    checks.fits_memory(_needed(maps, single, True, route_of, **flags), f"this transform at L={L}")
    if batched.worthwhile(grid, L, 1, 1, reality, maps):
        table = batched.tables(grid, L, 1, 1, route_of, True, single)
        f = batched.synthesis(flm, table, np.ones(L), grid.shape, 1, checked, single, threads)
        if f is not None:
            return f
    if by_tables := precomputed.worthwhile(grid, L, spin, maps):
        narrow = single and maps >= precomputed.BATCH_MAPS
        table = precomputed.tables(grid, L, spin, route_of, True, narrow)
        rows = table.rows
    else:
        route = route_of(grid, L)
        rows = route.rows

    def transform(part, f, threads):
        part = np.ascontiguousarray(part, np.complex64 if narrow else complex)
        if by_tables:
            planes, guard = precomputed.synthesis(part, table, L, spin, reality, threads)
        else:
            planes, guard = recursion.synthesis(part, route, L, spin, reality, threads)
        checks.check_coefficients(guard, part, checked and reality, single)
        phi_fft.synthesis(planes, grid, rows, L, reality, f, threads)

    kind = checks.result_type(reality, single)
    one = plan.work_bytes(grid, L, reality, 4 if narrow else 8)
    return by_maps(transform, flm, 1, grid.shape, kind, one, threads)


def _to_coefficients(f, route_of, L, spin, grid, reality, threads):
    if device.on_gpu(f, "f"):
        from spherekit.harmonic.engines.cuda import to_coefficients

        return to_coefficients(f, route_of, L, spin, grid, reality)
    f, single = _samples(f, grid, L, reality)
    core = len(grid.shape)
    maps, narrow = math.prod(f.shape[: f.ndim - core]), False
    flags = dict(L=L, spin=spin, grid=grid, reality=reality, threads=threads)
    checks.fits_memory(_needed(maps, single, False, route_of, **flags), f"this transform at L={L}")
    if batched.worthwhile(grid, L, 1, 1, reality, maps):
        table = batched.tables(grid, L, 1, 1, route_of, False, single)
        flm = batched.analysis(f, table, np.ones(L), grid.shape, (L * L,), single, threads)
        if flm is not None:
            return flm
    if by_tables := precomputed.worthwhile(grid, L, spin, maps):
        narrow = single and maps >= precomputed.BATCH_MAPS
        table = precomputed.tables(grid, L, spin, route_of, False, narrow)
        rows = table.rows
    else:
        route = route_of(grid, L)
        rows = route.rows

    def transform(part, flm, threads):
        kind = part.real.dtype if reality else np.result_type(part, np.complex64)
        part = np.ascontiguousarray(part, kind)
        planes, suspect = phi_fft.analysis(part, grid, rows, L, reality, threads, narrow)
        if suspect:
            checks.bad_samples(part, UNSEEN, route_of is not plan.analysis_route)
        if by_tables:
            precomputed.analysis(planes, table, L, spin, reality, threads, flm)
            return
        double = flm if flm.dtype == complex else np.empty(flm.shape, complex)
        recursion.analysis(planes, route, L, spin, reality, threads, double)
        if double is not flm:
            flm[:] = double

    kind = checks.result_type(False, single)
    one = plan.work_bytes(grid, L, reality, 4 if narrow else 8)
    return by_maps(transform, f, core, (L * L,), kind, one, threads)


_synthesis = linear_map("harmonic.inverse", _inverse, _inverse_adjoint)
_analysis = linear_map("harmonic.forward", _forward, _forward_adjoint)


# --- borders -----------------------------------------------------------------------------------------


def _coefficients(flm, L):
    flm = checks.as_float_array(flm, "flm")
    checks.coefficients_shape(flm, L)
    return flm, checks.is_single(flm)


def _samples(f, grid, L, reality):
    f = checks.as_float_array(f, "f")
    if reality:
        checks.real_samples(f)
    checks.samples_shape(f, grid, L)
    return f, checks.is_single(f)
