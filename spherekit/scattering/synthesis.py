"""Synthesis of maps with given scattering covariances: a maximum-entropy model, sampled by gradient descent.

Starting from a Gaussian map, L-BFGS minimizes the squared difference of the normalized statistics, with
respect to coefficients of unit variance (Bruna and Mallat 2019, arXiv:1801.02013; Mousset et al. 2024, A&A
691, A269, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad
from numpy.typing import ArrayLike

from spherekit._core import checks, scaling
from spherekit.conventions import degrees, from_real
from spherekit.scattering.covariances import Covariances
from spherekit.spectra import power


class Generated(NamedTuple):
    """Result of `generate`.

    Attributes
    ----------
    flm : complex128 ndarray [shape=(L*L,)]
        Coefficients of the new map.
    start : complex128 ndarray [shape=(L*L,)]
        Coefficients of the Gaussian map from which the iteration started.
    losses : float64 ndarray [shape=(n + 1,)]
        The loss of the start, and after each of the n iterations that were performed.
    """

    flm: np.ndarray
    start: np.ndarray
    losses: np.ndarray


def distance(statistics, target):
    """Sum over the families of statistics of |s - t|^2 / |t|^2, which gives all families equal weight.

    Differentiable by ``statistics``, not by ``target``. Families that are empty or zero in ``target`` are
    omitted.

    >>> import numpy as np
    >>> from spherekit.scattering import Statistics
    >>> target = Statistics(*np.ones((6, 2)))
    >>> float(distance(Statistics(*(2 * x for x in target)), target))
    6.0
    """
    sizes = [np.sum(np.square(t)) for t in target]
    families = zip(statistics, target, sizes, strict=True)
    return sum(anp.sum((s - t) ** 2) / size for s, t, size in families if size > 0)


def generate(
    C: Covariances,
    flm: ArrayLike,
    rng: np.random.Generator | np.random.SeedSequence | int,
    *,
    iterations: int = 100,
    tolerance: float = 1e-6,
    progress: Callable[[int, float], object] | None = None,
) -> Generated:
    """Generate a real map with the scattering covariances of a given map.

    Minimizes the `distance` of the normalized statistics by L-BFGS, starting from a Gaussian map with the
    power spectrum of the given one.

    Parameters
    ----------
    C : Covariances
        The statistics.
    flm : complex array_like [shape=(L*L,)]
        Coefficients of the given real map (Hermitian). The new map has the same mean. Degrees without power
        remain zero.
    rng : numpy.random.Generator, SeedSequence or int
        A random generator, or its seed.
    iterations : int
        Largest number of iterations, >= 1.
    tolerance : float
        Loss at which the iteration stops, >= 0.
    progress : callable, optional
        Called as ``progress(iteration, loss)`` after each iteration.

    Returns
    -------
    Generated
        ``flm``, ``start`` and ``losses``.

    Raises
    ------
    TypeError
        An argument of another type.
    ValueError
        A map without power in one of the scales; several maps; NaN, infinite or non-Hermitian coefficients;
        options out of range.

    Examples
    --------
    >>> from spherekit.scattering import Covariances
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> new = generate(Covariances(8, N=1), random_flm(8, rng, reality=True), rng, iterations=30)
    >>> bool(new.losses[-1] < 0.1 * new.losses[0])
    True
    """
    from scipy.optimize import minimize

    rng = checks.generator(rng)
    flm = checks.as_float_array(flm, "flm")
    iterations = checks.integer(iterations, "iterations", 1)
    tolerance = checks.real_number(tolerance, "tolerance", "a number >= 0", lambda x: x >= 0)
    checks.coefficients_shape(flm, C.L)
    invalid = np.count_nonzero(~np.isfinite(flm))
    if flm.ndim != 1 or invalid:
        raise ValueError(
            f"flm has shape {flm.shape} and {invalid} NaN or infinite coefficients; expected finite "
            f"coefficients of one map, ({C.L**2},)"
        )
    exponent = scaling.exponent(flm[1:])
    flm = scaling.ldexp(flm.astype(complex), -exponent)  # prevents overflow of squares
    model = C.from_flm(flm)
    target = C.normalize(model, model)
    scale = np.sqrt(power(flm))[degrees(C.L)]
    scale[0] = 0.0
    mean = np.zeros(C.L**2, complex)
    mean[0] = flm[0].real

    def flm_of(x):
        return from_real(scale * x) + mean

    def loss(x):
        return distance(C.normalize(C.from_flm(flm_of(x)), model), target)

    losses = []

    def callback(intermediate_result):
        losses.append(float(intermediate_result.fun))
        if progress is not None:
            progress(len(losses), losses[-1])
        if losses[-1] < tolerance:
            raise StopIteration

    start = rng.standard_normal(C.L**2)
    initial_loss = float(loss(start))
    options = dict(maxiter=iterations, maxfun=10 * iterations, maxcor=20, ftol=0.0, gtol=0.0)
    result = minimize(
        value_and_grad(loss), start, jac=True, method="L-BFGS-B", callback=callback, options=options
    )
    new, start = (scaling.ldexp(flm_of(x), exponent) for x in (result.x, start))
    return Generated(new, start, np.array([initial_loss, *losses]))
