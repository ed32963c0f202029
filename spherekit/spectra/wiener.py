"""Wiener filter of maps on part of the sphere, with noise that differs between samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.blas import single_threaded
from spherekit._core.labeled import check_coordinates, stated_sampling
from spherekit._core.missing import missing_samples
from spherekit._core.parallel import thread_count
from spherekit.linear import is_traced
from spherekit.sampling import Grid
from spherekit.sampling import grid as as_grid
from spherekit.spectra.beams import beams_of_signals
from spherekit.spectra.gaussian import covariance_factors
from spherekit.spectra.mask import Mask
from spherekit.spectra.multilevel import Nested, Solution, solver_of
from spherekit.spectra.signal_and_noise import SignalAndNoise

#: The relative residual of `wiener_filter` by default.
TOLERANCE = 2e-7
#: The largest number of its iterations.
MAX_ITERATIONS = 1000


class WienerFit(NamedTuple):
    """Quality of the solution of `wiener_filter`.

    Attributes
    ----------
    relative : float
        The norm of the residual of the linear system, each coefficient in units of its standard deviation
        under noise, relative to that of its right-hand side. The rounding errors of a direct solution are
        included.
    iterations : int
        Number of iterations; 0 for a direct solution.
    converged : bool
        Whether ``relative`` is at most the tolerance.
    observed : float
        The fraction of the samples that are observed.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import wiener_filter
    >>> _, fit = wiener_filter(np.ones(192), 4, np.ones(4), 0.1, sampling="healpix:4")
    >>> fit.iterations, fit.converged, fit.observed
    (0, True, 1.0)
    """

    relative: float
    iterations: int
    converged: bool
    observed: float


def wiener_filter(
    f: ArrayLike,
    L: int,
    cl: ArrayLike | Mapping[str, ArrayLike],
    noise: ArrayLike,
    *,
    spin: int = 0,
    sampling: Grid | str | None = None,
    mask: Mask | ArrayLike | None = None,
    beam: ArrayLike | None = None,
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITERATIONS,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, WienerFit]:
    """The mean of a Gaussian signal of given spectra, given its noisy samples on part of the sphere.

        x = (S^-1 + A^T N^-1 A)^-1 A^T N^-1 d

    for samples d = A x + n: A multiplies by the beam and computes samples, S is the covariance C_l of the
    coefficients, and N the variance of the noise of each sample, infinite where it is masked or missing.
    Where nothing is observed the mean continues the signal by its correlations; its power is below C_l
    (`constrained_realization` adds what is missing). The system is solved directly for up to 1100 unknowns,
    else by conjugate gradients with a preconditioner of several levels (Smith, Zahn and Dore 2007, Phys. Rev.
    D 76, 043510). Their number grows about as the square root of the ratio of signal to noise in C_l: with 40
    percent of the sphere masked, T needs about 50 where the ratio is 15 at the highest degree and 500 at
    l = 10, 130 at 10 times and 360 at 100 times these ratios.

    Parameters
    ----------
    f : array_like [shape=grid.shape or (3, \\*grid.shape)], or Map
        One real map T; a complex field of spin ``spin``, such as Q + iU; or three real maps T, Q and U in the
        COSMO convention, where ``cl`` has both TT and EE. Missing samples are NaN or UNSEEN.
    L : int
        Band-limit: degrees 0..L-1.
    cl : array_like [shape=(n_l,)], or dict of str to array_like [shape=(n_l,)], n_l >= L
        The spectrum of T, which may be 0 at a degree; of a spin field a dict of EE and possibly BB and EB;
        of T, Q and U of TT, EE and possibly BB, TE, TB and EB. Without beam and noise.
    noise : float or array_like
        Standard deviation of the noise of each sample, > 0: a number or [shape=grid.shape]; for Q and U, or
        T, Q and U, also one of these for each, along the first axis.
    spin : int
        Spin of the field, 0 <= spin < L.
    sampling : Grid or str, optional
        Grid of the samples; required unless ``f`` is a `Map`.
    mask : bool array_like [shape=grid.shape or (3, \\*grid.shape)] or Mask, optional
        False for samples that are not used; samples of a `Mask` are used where its weights are > 0.
    beam : array_like [shape=(L,) or (n, L)], optional
        b_l by which the signal was multiplied, of all or of each of the n signals: beam times pixel window.
    tol : float
        Relative residual, 0 < tol < 1, in the norm of `WienerFit`. The default gives each C_l of the result
        to about 1e-3; the error is proportional to it.
    max_iter : int
        Largest number of iterations.
    threads : int, optional
        Number of threads. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(iteration)`` at each iteration.

    Returns
    -------
    flm : complex128 ndarray [shape=(L*L,) or (n, L*L)]
        Coefficients of T, of E and B, or of T, E and B; the beam is corrected for.
    fit : WienerFit

    Raises
    ------
    TypeError
        A complex map of spin 0, or a real one of another spin; a map that autograd traces; arguments of other
        types.
    ValueError
        Shapes that do not match; noise that is not positive and finite at an observed sample; no observed
        sample; a mask with values other than 0 and 1; a negative spectrum, or spectra that contradict each
        other; an invalid L, spin, tol, max_iter, grid or number of threads.
    MemoryError
        The problem does not fit into memory.

    Warns
    -----
    UserWarning
        The iterations have not converged.

    See Also
    --------
    constrained_realization : a random signal instead of the mean.

    Examples
    --------
    White noise of the signal's variance halves the signal; where no sample is observed it is 0:

    >>> import numpy as np
    >>> from spherekit.sampling import GL
    >>> from spherekit.spectra import wiener_filter
    >>> f = np.full(GL(1).shape, 3.0)
    >>> flm, fit = wiener_filter(f, 1, [4 * np.pi], 1.0, sampling="gl:1")
    >>> round(float(flm[0].real / np.sqrt(4 * np.pi)), 6)
    1.5
    """
    system, fields, observed = wiener_system(
        f, L, cl, noise, spin=spin, sampling=sampling, mask=mask, beam=beam, threads=threads
    )
    options = solver_options(tol, max_iter, progress)
    with single_threaded():  # BLAS beside the threads of the transforms is slow
        b = system.right_hand_side(fields)
        y, fit = solve(solver_of(system), system, b, observed, **options)
    flm = system.signal @ y
    return (flm if len(flm) > 1 else flm[0]), fit


def solver_options(tol, max_iter, progress):
    """The options of iterations, which are checked."""
    tol = checks.real_number(tol, "tol", "a number > 0 and < 1, such as 1e-6", lambda x: 0 < x < 1)
    max_iter = checks.integer(max_iter, "max_iter", 1)
    return dict(tol=tol, max_iter=max_iter, progress=progress or (lambda iteration: None))


def solve(solver, system, b, observed, *, tol, max_iter, progress):
    """(the solution y of a system, `WienerFit`); a warning where the iterations have not converged."""
    if isinstance(solver, Nested):
        solution = solver.iterate(b, tol, max_iter, progress)
    else:
        y = solver.solve(b)
        norm = np.linalg.norm(b)
        residual = np.linalg.norm(b - system.matvec(y))
        relative = float(residual / norm) if norm else 0.0
        solution = Solution(y, relative, 0, True)
    fit = WienerFit(solution.relative, solution.iterations, solution.converged, observed)
    if not fit.converged:
        warnings.warn(
            f"the Wiener filter has not converged in {fit.iterations} iterations: its relative residual is "
            f"{fit.relative:.2g}, tol is {tol:g}; pass a larger max_iter, or a larger tol to accept it",
            UserWarning,
            stacklevel=3,
        )
    return solution.y, fit


def wiener_system(f, L, cl, noise, *, spin, sampling, mask, beam, threads):
    """(`SignalAndNoise`, the samples of its fields, the fraction that is observed) of checked arguments."""
    if is_traced(f):
        raise TypeError("f is traced by autograd; the Wiener filter is not differentiable by it")
    grid = as_grid(stated_sampling(f, sampling), L)
    check_coordinates(f, grid)
    f = checks.as_float_array(f, "f")
    L = checks.band_limit(L)
    if grid.L is not None and grid.L < L:
        raise ValueError(f"{grid!r} samples band-limit {grid.L}; L={L} needs a finer grid")
    spins, spectra = _spins_and_spectra(cl, L, spin)
    factors = covariance_factors(spectra, L)
    first = 0
    for field_spin in spins:
        factors[first : first + 1 + (field_spin > 0), :, :field_spin] = 0
        first += 1 + (field_spin > 0)
    response = beams_of_signals(beam, len(factors), L)
    components = _components(f, spins, grid)
    inverse_noise = _inverse_noise(components, noise, mask, grid)
    observed = float(np.count_nonzero(inverse_noise) / inverse_noise.size)
    values = np.where(inverse_noise > 0, components, 0.0)
    required = 16 * (24 * len(factors) * L**2 + 6 * values.size)
    checks.fits_memory(required, f"the Wiener filter at L={L}")
    fields, weights = _by_field(values, spins), _by_field(inverse_noise, spins, as_pairs=True)
    system = SignalAndNoise(grid, L, spins, factors, response, weights, thread_count(threads))
    return system, fields, observed


def _spins_and_spectra(cl, L, spin):
    """(the spins of the fields, the spectra of their signals in order)."""
    spin = checks.integer(spin, "spin", 0, L - 1)
    if not isinstance(cl, Mapping):
        if spin:
            raise TypeError("cl is one spectrum; a spin field needs a dict of EE and BB")
        cl = checks.as_float_array(cl, "cl")
        if cl.ndim != 1:
            raise ValueError(f"cl has shape {cl.shape}; expected one axis of at least {L} values")
        return (0,), {"TT": cl}
    names = {name for name in cl if isinstance(name, str) and len(set(name)) == 1}
    signals = ("EE", "BB") if spin else ("TT", "EE", "BB")
    if "EE" not in names and not spin:
        signals = ("TT",)
    unknown = names - set(signals)
    if unknown or signals[0] not in names:
        raise ValueError(
            f"cl has the spectra {', '.join(sorted(names)) or '(none)'}; expected "
            + ("EE and possibly BB, of a spin field" if spin else "TT, or TT, EE and possibly BB")
        )
    if len(signals) == 3 and L <= 2:
        raise ValueError(f"L is {L}; Q and U have no degrees below 2: expected L > 2")
    spectra = {name: cl.get(name, np.zeros(L)) for name in signals} | dict(cl)
    spins = {1: (0,), 2: (spin,), 3: (0, 2)}[len(signals)]
    return spins, spectra


def _components(f, spins, grid):
    """The real maps (n, \\*grid.shape) of the fields."""
    shape = tuple(grid.shape)
    expected = (3, *shape) if len(spins) == 2 else shape
    if f.shape != expected:
        hint = ": T, Q and U, since cl has TT and EE" if len(spins) == 2 else ", one map"
        raise ValueError(f"f has shape {f.shape}; expected {expected}{hint}")
    is_spin_field = spins[0] > 0
    if is_spin_field != np.iscomplexobj(f):
        kind = "complex samples, such as Q + iU" if is_spin_field else "real samples"
        raise TypeError(f"f has dtype {f.dtype}; expected {kind}")
    components = np.stack([f.real, f.imag]) if is_spin_field else f.reshape(-1, *shape)
    return components.astype(float)


def _inverse_noise(components, noise, mask, grid):
    """The inverse variance of each sample, 0 where it is masked or missing."""
    observed = np.stack([~missing_samples(f, name="f") for f in components])
    if len(components) == 2:  # both parts of a complex number
        observed[:] = observed.all(axis=0)
    if mask is not None:
        observed &= _checked_mask(mask, components.shape, grid)
    if not observed.any():
        raise ValueError("no sample is observed: all are missing or masked; nothing to filter")
    check_coordinates(noise, grid, "noise")
    noise = checks.as_float_array(noise, "noise")
    if np.iscomplexobj(noise):
        raise TypeError(f"noise has dtype {noise.dtype}; expected real standard deviations")
    shape = components.shape
    if noise.shape not in ((), shape[1:], shape, shape[:1]):
        raise ValueError(
            f"noise has shape {noise.shape}; expected a number, or standard deviations of shape {shape[1:]}"
            + (f", {shape[:1]} or {shape}" if shape[0] > 1 else "")
        )
    if noise.shape == shape[:1] and noise.shape != shape[1:]:
        noise = noise.reshape(-1, *(1,) * (len(shape) - 1))
    noise = np.broadcast_to(noise, shape)
    used = noise[observed]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        inverse = 1 / used.astype(float) ** 2
    invalid = ~((used > 0) & (inverse > 0) & np.isfinite(inverse))
    if invalid.any():
        raise ValueError(
            f"{np.count_nonzero(invalid)} of {used.size} observed samples have a noise that is not a finite "
            f"number > 0 (the first is {used[invalid][0]:g}); mask samples that are not observed"
        )
    result = np.zeros(shape)
    result[observed] = inverse
    return result


def _checked_mask(mask, shape, grid):
    if isinstance(mask, Mask):
        if mask.grid != grid:
            raise ValueError(
                f"the mask is of {mask.grid!r}, the samples are of {grid!r}; pass one grid"
            )
        return np.broadcast_to(mask.values > 0, shape)
    check_coordinates(mask, grid, "mask")
    mask = checks.as_float_array(mask, "mask")
    if mask.shape not in (shape, shape[1:]):
        raise ValueError(f"mask has shape {mask.shape}; expected {shape[1:]} or {shape}")
    if not np.isin(mask, (0, 1)).all():
        fractional = mask[~np.isin(mask, (0, 1))]
        raise ValueError(
            f"mask has {fractional.size} values that are neither 0 nor 1 (the first is {fractional[0]:g}); "
            "expected True (1) for observed samples and False (0) for others: of an apodized mask pass "
            "mask > 0, as the weights of samples follow from their noise"
        )
    return np.broadcast_to(mask.astype(bool), shape)


def _by_field(components, spins, as_pairs=False):
    """One array for each field: complex samples of spin fields, or the pairs of their parts."""
    fields = []
    first = 0
    for spin in spins:
        if spin == 0:
            fields.append(components[first])
        elif as_pairs:
            fields.append(components[first : first + 2])
        else:
            fields.append(components[first] + 1j * components[first + 1])
        first += 1 + (spin > 0)
    return fields
