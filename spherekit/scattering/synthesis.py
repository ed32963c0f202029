"""New maps with the scattering covariances of one: a maximum-entropy model, sampled by descent.

From a Gaussian map, L-BFGS goes down the squared difference of normalised statistics, in coefficients of
unit variance (Bruna and Mallat 2019, arXiv:1801.02013; Mousset et al. 2024, A&A 691, A269, section 4).
"""

from collections import namedtuple

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from spherekit._core import checks, scaling
from spherekit.conventions import degrees, from_real
from spherekit.spectra import power

#: Coefficients of the new map; those it started from; the losses on the way, the start's first.
Generated = namedtuple("Generated", "flm start losses")


def distance(statistics, target):
    """Sum over the families of |s - t|^2 / |t|^2: a skewness counts as much as a power, however small.

    ``target`` is a number for autograd; families that are empty or zero there are left out.

    >>> import numpy as np
    >>> from spherekit.scattering import Statistics
    >>> one = Statistics(*np.ones((6, 2)))
    >>> float(distance(Statistics(*(2 * x for x in one)), one))
    6.0
    """
    sizes = [np.sum(np.square(t)) for t in target]
    parts = zip(statistics, target, sizes, strict=True)
    return sum(anp.sum((s - t) ** 2) / size for s, t, size in parts if size > 0)


def generate(C, flm, rng, *, iterations=100, tolerance=1e-6, progress=None):
    """A new real map with the scattering covariances of a given one.

    Parameters
    ----------
    C : Covariances
    flm : complex ndarray [shape=(L*L,)]
        Coefficients of the real map that is the model. The new map keeps its mean, and starts as a Gaussian
        map of its power spectrum; degrees without power stay so.
    rng : numpy Generator, or int
        A whole number is the seed of one.
    iterations : int
        Of L-BFGS, at the most.
    tolerance : float
        The loss, `distance`, at which to stop.
    progress : callable, optional
        Called with (iteration, loss).

    Returns
    -------
    Generated
        ``.flm`` and ``.start`` (L*L,), and ``.losses``, of the start and after each iteration.

    Raises
    ------
    ValueError
        A map without power in some scale; a batch; NaN or inf.

    >>> from spherekit.scattering import Covariances
    >>> from spherekit.testing import random_flm
    >>> rng = np.random.default_rng(0)
    >>> new = generate(Covariances(8, N=1), random_flm(8, rng, reality=True), rng, iterations=30)
    >>> bool(new.losses[-1] < 0.1 * new.losses[0])
    True
    """
    from scipy.optimize import minimize

    rng, flm = checks.generator(rng), checks.as_float_array(flm, "flm")
    iterations = checks.integer(iterations, "iterations", 1)
    tolerance = checks.real_number(tolerance, "tolerance", "a number >= 0", lambda x: x >= 0)
    checks.coefficients_shape(flm, C.L)
    if flm.ndim != 1 or not np.isfinite(flm).all():
        raise ValueError(f"flm of shape {flm.shape}: expected one map, without NaN or inf")
    unit = scaling.exponent(flm[1:])
    flm = scaling.ldexp(flm.astype(complex), -unit)  # the statistics are squares
    model = C.from_flm(flm)
    target = C.normalise(model, model)
    scale = np.sqrt(power(flm))[degrees(C.L)]
    scale[0] = 0.0
    mean = np.zeros(C.L**2, complex)
    mean[0] = flm[0].real

    def flm_of(x):
        return from_real(scale * x) + mean

    def loss(x):
        return distance(C.normalise(C.from_flm(flm_of(x)), model), target)

    losses = []

    def after(intermediate_result):
        losses.append(float(intermediate_result.fun))
        if progress is not None:
            progress(len(losses), losses[-1])
        if losses[-1] < tolerance:
            raise StopIteration

    start = rng.standard_normal(C.L**2)
    first = float(loss(start))
    options = dict(maxiter=iterations, maxfun=10 * iterations, maxcor=20, ftol=0.0, gtol=0.0)
    result = minimize(
        value_and_grad(loss), start, jac=True, method="L-BFGS-B", callback=after, options=options
    )
    new, start = (scaling.ldexp(flm_of(x), unit) for x in (result.x, start))
    return Generated(new, start, np.array([first, *losses]))
