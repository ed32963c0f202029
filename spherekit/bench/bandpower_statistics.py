"""Statistics of simulated bandpowers against their theory, as a table and as a figure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from spherekit.plot.figure import figure as new_figure
from spherekit.plot.figure import save


class Comparison(NamedTuple):
    """Simulated bandpowers of one spectrum, compared with theory.

    Attributes
    ----------
    n : int
        Number of simulations.
    mean : float64 ndarray [shape=(n_bins,)]
        Their mean.
    expected : float64 ndarray [shape=(n_bins,)]
        The mean by theory.
    variance : float64 ndarray [shape=(n_bins,)]
        Variance of a simulation.
    variance_error : float64 ndarray [shape=(n_bins,)]
        Standard error of ``variance``, by the fourth moment of the simulations: bandpowers of few modes are
        not Gaussian.
    expected_variance : float64 ndarray [shape=(n_bins,)]
        The variance by theory.
    chi_square : float
        (mean - expected)^T (C / n)^-1 (mean - expected), with the covariance C of the simulations:
        Hotelling's T^2.
    p_value : float
        Probability of a larger one, by the F distribution.
    """

    n: int
    mean: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    variance_error: np.ndarray
    expected_variance: np.ndarray
    chi_square: float
    p_value: float

    @property
    def pulls(self) -> np.ndarray:
        """Deviations of the mean, in units of its standard error."""
        return (self.mean - self.expected) / np.sqrt(self.variance / self.n)

    @property
    def ratios(self) -> np.ndarray:
        """Variance by theory over that of the simulations."""
        return self.expected_variance / self.variance

    @property
    def variance_pulls(self) -> np.ndarray:
        """Deviations of the variance by theory, in units of the standard error of that of the simulations."""
        return (self.expected_variance - self.variance) / self.variance_error


def compare(simulated: np.ndarray, expected: np.ndarray, errors: np.ndarray) -> Comparison:
    """Compare simulated bandpowers with theory.

    Parameters
    ----------
    simulated : float64 ndarray [shape=(n, n_bins)]
        Bandpowers of n simulations; ``n > n_bins + 1``.
    expected, errors : float64 ndarray [shape=(n_bins,)]
        Mean and standard deviation by theory.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.bench.bandpower_statistics import compare
    >>> x = np.random.default_rng(0).standard_normal((1000, 4))
    >>> result = compare(x, np.zeros(4), np.ones(4))
    >>> bool(result.p_value > 0.01), bool(abs(result.pulls).max() < 4)
    (True, True)
    """
    from scipy.stats import f

    n, n_bins = simulated.shape
    mean = simulated.mean(axis=0)
    covariance = np.cov(simulated.T).reshape(n_bins, n_bins)
    deviation = mean - expected
    chi_square = float(n * deviation @ np.linalg.solve(covariance, deviation))
    p_value = float(f.sf(chi_square * (n - n_bins) / (n_bins * (n - 1)), n_bins, n - n_bins))
    variance = np.diag(covariance)
    moment = ((simulated - mean) ** 4).mean(axis=0)
    variance_error = np.sqrt((moment - variance**2 * (n - 3) / (n - 1)) / n)
    return Comparison(n, mean, expected, variance, variance_error, errors**2, chi_square, p_value)


def table(results: Mapping[str, Comparison]) -> str:
    """The comparisons as text.

    Parameters
    ----------
    results : dict of str to Comparison
        By spectrum.

    Returns
    -------
    str
    """
    header = (
        "spectrum   n    bins  chi^2    p        worst bin  variance, theory/simulations  worst bin"
    )
    lines = [header]
    for name, x in results.items():
        worst, worst_variance = (abs(pulls).max() for pulls in (x.pulls, x.variance_pulls))
        lines.append(
            f"{name:9} {x.n:4d}  {x.mean.size:4d}  {x.chi_square:6.1f}  {x.p_value:7.4f}  {worst:5.2f}      "
            f"{x.ratios.mean():8.3f}                      {worst_variance:5.2f}"
        )
    lines.append("worst bin: deviation in units of the standard error of the simulations")
    return "\n".join(lines) + "\n"


def figure(results: Mapping[str, Comparison], ell: np.ndarray, path: str | os.PathLike) -> None:
    """Plot the bandpowers, the deviations of their mean, and the ratio of the variances.

    Parameters
    ----------
    results : dict of str to Comparison
        By spectrum.
    ell : float64 ndarray [shape=(n_bins,)]
        Mean degrees of the bins.
    path : str or path
        File to write: .png, .pdf or .svg.
    """
    fig = new_figure(2.7 * len(results), 6.5)
    axes = fig.subplots(3, len(results), squeeze=False, sharex=True)
    factor = ell * (ell + 1) / (2 * np.pi)
    for (name, x), column in zip(results.items(), axes.T, strict=True):
        error = np.sqrt(x.variance / x.n)
        column[0].plot(ell, factor * x.expected, color="0.5")
        column[0].errorbar(ell, factor * x.mean, factor * error, fmt=".", color="C0")
        column[0].set_title(name)
        if (x.expected > 0).all():
            column[0].set_yscale("log")
        column[1].axhspan(-1, 1, color="0.9")
        column[1].plot(ell, x.pulls, ".", color="C0")
        column[1].set_ylim(-4.5, 4.5)
        column[2].axhline(1, color="0.8")
        spread = x.variance_error / x.expected_variance
        column[2].errorbar(ell, 1 / x.ratios, spread, fmt=".", color="C0")
        column[2].set_ylim(0, 2)
        column[2].set_xlabel("l")
    labels = (
        "l(l+1) C_l / 2 pi [uK^2]",
        "mean: deviation / error",
        "variance / theory",
    )
    for ax, label in zip(axes[:, 0], labels, strict=True):
        ax.set_ylabel(label)
    save(fig, path, dpi=120)
