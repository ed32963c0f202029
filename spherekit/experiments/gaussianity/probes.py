"""Linear probes: how well several features of each sky distinguish the classes.

Features are standardized by the training skies, and a logistic regression with an L2 penalty decides; the
mean accuracy over several splits into training and test skies is reported with its standard error.
"""

import math
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.conventions import band_limit_of, degrees
from spherekit.conventions.indexing import degrees_and_orders
from spherekit.experiments.gaussianity.features import LOW, moments
from spherekit.scattering import Scattering

#: Inverse strength of the penalty, and that where there are more than MANY features.
C, C_MANY, MANY = 0.1, 0.002, 150


class Logistic(NamedTuple):
    """Probability of class 1 = 1/(1 + exp(-(z w + b))), z = (x - mean)/scale."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: float

    def decide(self, x):
        """True where class 1 is the more likely."""
        return (np.asarray(x) - self.mean) / self.scale @ self.weights + self.bias > 0


def logistic(x, y, c=None):
    """Fit: minimises |w|^2/2 + c sum_i log(1 + exp(-t_i (z_i w + b))), t = 1 for class 1, else -1.

    Parameters
    ----------
    x : float ndarray [shape=(skies, features)]
    y : bool ndarray [shape=(skies,)]
    c : float, optional
        Default `C`, and `C_MANY` where there are more than 150 features.

    Returns
    -------
    Logistic

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> logistic(x, np.array([0, 0, 1, 1]), c=10.0).decide([[0.2], [2.8]])
    array([False,  True])
    """
    from scipy.optimize import minimize

    x, y = np.asarray(x, float), np.asarray(y, bool)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            f"x has shape {x.shape} and y {y.shape}; expected (skies, features), (skies,)"
        )
    if not np.isfinite(x).all():
        raise ValueError("the features hold NaN or infinite numbers")
    if y.all() or not y.any():
        raise ValueError("all skies are of one class; there is nothing to distinguish")
    c = (C if x.shape[1] <= MANY else C_MANY) if c is None else c
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    z, sign = np.hstack([(x - mean) / scale, np.ones((len(x), 1))]), np.where(y, 1.0, -1.0)

    def loss(w):
        margin = sign * (z @ w)
        value = c * np.logaddexp(0, -margin).sum() + w[:-1] @ w[:-1] / 2
        slope = -c * sign / (1 + np.exp(np.minimum(margin, 700)))
        gradient = z.T @ slope
        gradient[:-1] += w[:-1]
        return value, gradient

    options = dict(maxiter=2000, maxfun=10000, ftol=1e-14, gtol=1e-8 * max(1.0, c * len(x)))
    result = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options=options)
    return Logistic(mean, scale, result.x[:-1], float(result.x[-1]))


# --- splits into training and test -----------------------------------------------------------------


class Accuracy(NamedTuple):
    """Mean and standard error over the splits, in percent, and the accuracy of each."""

    mean: float
    error: float
    each: tuple


def splits(n_0, n_1, count=5):
    """(training, test) indices of ``count`` permutations, half of each class in each; class 0 comes first."""
    for p in range(checks.integer(count, "count", 1)):
        rng = np.random.default_rng([77, p])
        class_0, class_1 = rng.permutation(n_0), n_0 + rng.permutation(n_1)
        a, b = n_0 // 2, n_1 // 2
        yield np.r_[class_0[:a], class_1[:b]], np.r_[class_0[a:], class_1[b:]]


def accuracy(x_0, x_1, *, c=None, count=5):
    """`Accuracy` of a logistic probe on the features of two classes, (skies, features) each.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> accuracy(rng.standard_normal((50, 2)), 9 + rng.standard_normal((50, 2))).mean
    100.0
    """
    if min(len(x_0), len(x_1)) < 2:
        raise ValueError(f"{len(x_0)} and {len(x_1)} skies; expected at least 2 of each class")
    x = np.concatenate([x_0, x_1])
    y = np.arange(len(x)) >= len(x_0)
    percents = []
    for training, test in splits(len(x_0), len(x_1), count):
        decisions = logistic(x[training], y[training], c).decide(x[test])
        percents.append(100 * float(np.mean(decisions == y[test])))
    return summarise(percents)


def summarise(percents):
    """`Accuracy` of accuracies in percent."""
    count = len(percents)
    error = np.std(percents, ddof=1) / math.sqrt(count) if count > 1 else math.nan
    return Accuracy(float(np.mean(percents)), float(error), tuple(percents))


def chance_band(n_test):
    """(lowest, highest) accuracy of n_test guesses in percent, 50 % +- 2 sigma.

    >>> chance_band(400)
    (45.0, 55.0)
    """
    sigma = 100 * math.sqrt(0.25 / n_test)
    return 50 - 2 * sigma, 50 + 2 * sigma


# --- features of the probes ------------------------------------------------------------------------
# Of the dict of `features.collect` and the scattering network: (skies, features).


def _energies(S, measured):
    """log mean and log variance of the smoothed moduli, (skies, paths above order 0) each; their orders."""
    orders = np.array([path.order for path in S.paths])
    outputs = measured["scattering"][:, orders > 0].astype(complex)
    mean = np.log(outputs[..., 0].real)
    variance = np.log(np.sum(np.abs(outputs[..., 1:]) ** 2, axis=-1) / (4 * np.pi))
    return mean, variance, orders[orders > 0]


def means(measured, S):
    """S0: log of the mean of each path."""
    return _energies(S, measured)[0]


def scattering(measured, S):
    """S1: log mean and log variance of each path."""
    return np.hstack(_energies(S, measured)[:2])


def first_order(measured, S):
    """S1 of the paths of order 1."""
    mean, variance, orders = _energies(S, measured)
    return np.hstack([mean[:, orders == 1], variance[:, orders == 1]])


def first_means(measured, S):
    """S0 of the paths of order 1."""
    mean, _, orders = _energies(S, measured)
    return mean[:, orders == 1]


def spectrum(measured, S):
    """log C_l of every degree from 2 on."""
    return np.log(measured["cl"][:, 2:])


def spectrum_bins(measured, S, bins=24):
    """log of C_l over its mean of all these skies, averaged in 24 bins of even width in log l."""
    logs = spectrum(measured, S)
    edges = np.unique(np.geomspace(2, S.L, bins + 1).round().astype(int)) - 2
    weights = 2 * np.arange(2, S.L) + 1
    sums = np.add.reduceat(logs * weights, edges[:-1], axis=1)
    return sums / np.add.reduceat(weights, edges[:-1])


def low_resolution(measured, S):
    """The coefficients of degrees below 32, as real numbers."""
    ell, m = degrees_and_orders(band_limit_of(measured["low"]))
    low = measured["low"].astype(complex)
    return np.hstack([low[:, (m >= 0) & (ell > 1)].real, low[:, (m > 0) & (ell > 1)].imag])


def low_scattering(measured, S):
    """Of the map of degrees below 32: S1 of its own scattering, and moments of the map and of each band."""
    low = measured["low"].astype(complex)
    L = band_limit_of(low)
    inner = Scattering(L, J0=1, oversample=2, sampling="gl", reality=True, threads=1)
    s1 = scattering({"scattering": inner.from_flm(low)}, inner)
    ell = degrees(L)
    rows = []
    for flm in low:
        rows.append([*moments(flm, L, 1)])
        for j in inner.first.scales[
            1:
        ]:  # the lowest has the dipole, which is empty, and l = 2 and 3
            rows[-1] += moments(flm * inner.first.kappa[j][ell], L, 1)
    return np.hstack([s1, rows])


def one_point(measured, S):
    """Skewness and kurtosis of the map, and their squares."""
    return np.hstack([measured["point"], measured["point"] ** 2])


def band_moments(measured, S):
    """Skewness, kurtosis and squared skewness of every wavelet band."""
    skewness, kurtosis = np.moveaxis(measured["bands"], -1, 0)
    return np.hstack([skewness, kurtosis, skewness**2])


class Probe(NamedTuple):
    """A row of the table: what it is called, and its features; ``control`` where chance is expected."""

    title: str
    features: object
    control: bool = False


#: By name, in the order of the tables.
PROBES = {
    "cl": Probe("realised spectrum, 24 bins", spectrum_bins, True),
    "cl-every": Probe("realised spectrum, every degree", spectrum, True),
    "low": Probe(f"map of degrees < {LOW}", low_resolution),
    "low-scattering": Probe(f"scattering and moments of degrees < {LOW}", low_scattering),
    "point": Probe("skewness, kurtosis of the map", one_point),
    "bands": Probe("skewness, kurtosis of each band", band_moments),
    "depth-1-means": Probe("scattering, order 1, means", first_means),
    "depth-1": Probe("scattering, order 1", first_order),
    "means": Probe("scattering, means alone", means),
    "scattering": Probe("scattering", scattering),
}
