"""Linear probes: logistic regressions, which measure how well features of the skies separate the classes.

The features are standardized by the training skies, and the regression has an L2 penalty. The reported
accuracy is the mean over several splits into training and test skies, with its standard error.
"""

import math
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.conventions import band_limit_of, degrees
from spherekit.conventions.indexing import degrees_and_orders
from spherekit.experiments.gaussianity.features import LOW, moments
from spherekit.scattering import Scattering

#: Inverse regularization strength, for up to `FEATURE_LIMIT` features.
C = 0.1
#: Inverse regularization strength for more features.
C_HIGH_DIMENSION = 0.002
FEATURE_LIMIT = 150


class Logistic(NamedTuple):
    """A logistic regression: probability of class 1 = 1/(1 + exp(-(z w + b))), z = (x - mean)/scale.

    Attributes
    ----------
    mean, scale, weights : float64 ndarray [shape=(features,)]
    bias : float
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: float

    def decide(self, x):
        """True where class 1 is more probable than class 0."""
        return (np.asarray(x) - self.mean) / self.scale @ self.weights + self.bias > 0


def logistic(x, y, c=None):
    """Fit a logistic regression: minimize |w|^2/2 + c sum_i log(1 + exp(-t_i (z_i w + b))).

    Here t_i is 1 for class 1 and -1 for class 0, and z_i are the standardized features.

    Parameters
    ----------
    x : float ndarray [shape=(skies, features)]
    y : bool ndarray [shape=(skies,)]
    c : float, optional
        Inverse regularization strength; by default `C`, and `C_HIGH_DIMENSION` for more than 150 features.

    Returns
    -------
    Logistic

    Raises
    ------
    ValueError
        If the shapes do not match, features are not finite, or all skies are of one class.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> logistic(x, np.array([0, 0, 1, 1]), c=10.0).decide([[0.2], [2.8]])
    array([False,  True])
    """
    from scipy.optimize import minimize

    x, y = np.asarray(x, float), np.asarray(y, bool)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            f"x has shape {x.shape} and y {y.shape}; expected (skies, features) and (skies,)"
        )
    if not np.isfinite(x).all():
        raise ValueError("the features contain NaN or infinite values")
    if y.all() or not y.any():
        raise ValueError("all skies are of one class; expected two classes")
    c = (C if x.shape[1] <= FEATURE_LIMIT else C_HIGH_DIMENSION) if c is None else c
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    z = np.hstack([(x - mean) / scale, np.ones((len(x), 1))])
    sign = np.where(y, 1.0, -1.0)

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
    """Accuracy of a method, in percent.

    Attributes
    ----------
    mean, error : float
        Mean over the splits, and its standard error.
    each : tuple of float
        Accuracy of each split.
    """

    mean: float
    error: float
    each: tuple


def splits(n_0, n_1, count=5):
    """(training, test) indices of ``count`` random splits of each class in halves; class 0 comes first."""
    for p in range(checks.integer(count, "count", 1)):
        rng = np.random.default_rng([77, p])
        class_0 = rng.permutation(n_0)
        class_1 = n_0 + rng.permutation(n_1)
        half_0, half_1 = n_0 // 2, n_1 // 2
        training = np.r_[class_0[:half_0], class_1[:half_1]]
        test = np.r_[class_0[half_0:], class_1[half_1:]]
        yield training, test


def accuracy(x_0, x_1, *, c=None, count=5):
    """`Accuracy` of a logistic regression on the features (skies, features) of two classes.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> accuracy(rng.standard_normal((50, 2)), 9 + rng.standard_normal((50, 2))).mean
    100.0
    """
    if min(len(x_0), len(x_1)) < 2:
        raise ValueError(f"got {len(x_0)} and {len(x_1)} skies; expected at least 2 of each class")
    x = np.concatenate([x_0, x_1])
    y = np.arange(len(x)) >= len(x_0)
    percents = []
    for training, test in splits(len(x_0), len(x_1), count):
        decisions = logistic(x[training], y[training], c).decide(x[test])
        percents.append(100 * float(np.mean(decisions == y[test])))
    return summarize(percents)


def summarize(percents):
    """The `Accuracy` of the accuracies of several splits, in percent."""
    count = len(percents)
    error = np.std(percents, ddof=1) / math.sqrt(count) if count > 1 else math.nan
    return Accuracy(float(np.mean(percents)), float(error), tuple(percents))


def chance_band(n_test):
    """Range of the accuracy of random guesses for n_test skies, in percent: 50 % +- 2 standard deviations.

    >>> chance_band(400)
    (45.0, 55.0)
    """
    sigma = 100 * math.sqrt(0.25 / n_test)
    return 50 - 2 * sigma, 50 + 2 * sigma


# --- features of the probes ------------------------------------------------------------------------
# Functions of the arrays that `features.collect` returns and of the scattering transform S; they return
# arrays of shape (skies, features).


def _energies(S, features):
    """Log mean and log variance of the smoothed moduli, each (skies, paths above order 0), and the orders."""
    orders = np.array([path.order for path in S.paths])
    outputs = features["scattering"][:, orders > 0].astype(complex)
    mean = np.log(outputs[..., 0].real)
    variance = np.log(np.sum(np.abs(outputs[..., 1:]) ** 2, axis=-1) / (4 * np.pi))
    return mean, variance, orders[orders > 0]


def means(features, S):
    """Log of the mean of each path."""
    return _energies(S, features)[0]


def scattering(features, S):
    """Log mean and log variance of each path."""
    return np.hstack(_energies(S, features)[:2])


def first_order(features, S):
    """Log mean and log variance of each path of order 1."""
    mean, variance, orders = _energies(S, features)
    return np.hstack([mean[:, orders == 1], variance[:, orders == 1]])


def first_means(features, S):
    """Log of the mean of each path of order 1."""
    mean, _, orders = _energies(S, features)
    return mean[:, orders == 1]


def spectrum(features, S):
    """log C_l of the degrees l >= 2."""
    return np.log(features["cl"][:, 2:])


def spectrum_bins(features, S, bins=24):
    """Average of log C_l in 24 bins of equal width in log l, with weights 2l+1."""
    logs = spectrum(features, S)
    edges = np.unique(np.geomspace(2, S.L, bins + 1).round().astype(int)) - 2
    weights = 2 * np.arange(2, S.L) + 1
    sums = np.add.reduceat(logs * weights, edges[:-1], axis=1)
    return sums / np.add.reduceat(weights, edges[:-1])


def low_resolution(features, S):
    """Real and imaginary parts of the coefficients of degrees 2 <= l < 32."""
    ell, m = degrees_and_orders(band_limit_of(features["low"]))
    low = features["low"].astype(complex)
    return np.hstack([low[:, (m >= 0) & (ell > 1)].real, low[:, (m > 0) & (ell > 1)].imag])


def low_scattering(features, S):
    """Scattering of the map of degrees below 32, and skewness and kurtosis of this map and of its bands."""
    low = features["low"].astype(complex)
    L = band_limit_of(low)
    low_S = Scattering(L, J0=1, oversample=2, sampling="gl", reality=True, threads=1)
    energies = scattering({"scattering": low_S.from_flm(low)}, low_S)
    ell = degrees(L)
    rows = []
    for flm in low:
        rows.append([*moments(flm, L, 1)])
        # without the lowest scale, whose only degrees above the dipole, which is 0, are l = 2 and 3
        for j in low_S.first.scales[1:]:
            rows[-1] += moments(flm * low_S.first.kappa[j][ell], L, 1)
    return np.hstack([energies, rows])


def one_point(features, S):
    """Skewness and kurtosis of the map, and their squares."""
    return np.hstack([features["point"], features["point"] ** 2])


def band_moments(features, S):
    """Skewness, kurtosis and squared skewness of each wavelet band."""
    skewness, kurtosis = np.moveaxis(features["bands"], -1, 0)
    return np.hstack([skewness, kurtosis, skewness**2])


class Probe(NamedTuple):
    """A row of the table of accuracies.

    Attributes
    ----------
    title : str
    features : callable
        Function of the features of the skies and of the scattering transform.
    control : bool
        Whether an accuracy at chance level is expected.
    """

    title: str
    features: object
    control: bool = False


#: Probes by name, in the order of the tables.
PROBES = {
    "cl": Probe("realized spectrum, 24 bins", spectrum_bins, True),
    "cl-every": Probe("realized spectrum, each degree", spectrum, True),
    "low": Probe(f"map of degrees < {LOW}", low_resolution),
    "low-scattering": Probe(f"scattering and moments of degrees < {LOW}", low_scattering),
    "point": Probe("skewness, kurtosis of the map", one_point),
    "bands": Probe("skewness, kurtosis of each band", band_moments),
    "depth-1-means": Probe("scattering, order 1, means", first_means),
    "depth-1": Probe("scattering, order 1", first_order),
    "means": Probe("scattering, means only", means),
    "scattering": Probe("scattering", scattering),
}
