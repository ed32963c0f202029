"""Covariance of the bandpowers of masked fields: of Gaussian fields by theory, and of simulations.

For Gaussian fields the covariance of pseudo-spectra is a sum of products of correlators <a_lm c*_l'm'>,

    cov(C^ab_l, C^cd_l') = (sum_mm' <a c*> <b d*>* + <a d*> <b c*>*) / ((2l+1) (2l'+1)).

The narrow-kernel approximation takes the spectrum out of the sum over the degrees that the masks couple, so
that a correlator is the spectrum times the coupling of the product of the two masks (Efstathiou 2004, MNRAS
349, 603, eq. 27; Garcia-Garcia, Alonso and Bellini 2019, JCAP 11, 043, section 2.2). As Nicola et al. 2021,
JCAP 03, 067, section 3, propose, that spectrum is the mean pseudo-spectrum divided by the mean of the product
of the masks, so that it contains what the masks mix into it, such as E into B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement, product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.spectra.bandpowers import (
    checked_noise,
    checked_spectra,
    field_sequence,
    pair_names,
    sharing_masks,
    signal_names,
)
from spherekit.spectra.bins import Bins
from spherekit.spectra.correlators import Correlators, NoisyField
from spherekit.spectra.gaussian import covariance_factors
from spherekit.spectra.masked_fields import MaskedField

#: Degrees below which covariances are exact by default; the cost grows with the fourth power.
EXACT_DEGREES = 24


class Covariance(NamedTuple):
    """Covariance matrix of bandpowers, as `gaussian_covariance` and `sample_covariance` return it.

    Attributes
    ----------
    names : tuple of str
        The n pairs of signals, such as ("TT", "EE", "BB", "TE", "EB", "TB").
    matrix : float64 ndarray [shape=(n, n_bins, n, n_bins)]
        Covariance of bandpower b of pair i and bandpower b' of pair j, at [i, b, j, b'].
    standard_error : float64 ndarray [shape=(n, n_bins, n, n_bins)] or None
        Standard error of each value of the matrix, of simulations; None by theory.
    n_simulations : int or None
        Number of simulations; None by theory.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import sample_covariance
    >>> x = np.random.default_rng(0).standard_normal((1000, 2)) * [1, 10]
    >>> covariance = sample_covariance({"TT": x})
    >>> covariance.errors()["TT"].round()
    array([ 1., 10.])
    >>> covariance.correlation()[0, :, 0].round(1) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """

    names: tuple
    matrix: np.ndarray
    standard_error: np.ndarray | None = None
    n_simulations: int | None = None

    def errors(self) -> dict[str, np.ndarray]:
        """The standard deviation of each bandpower.

        Returns
        -------
        dict of str to float64 ndarray [shape=(n_bins,)]
        """
        variances = np.einsum("ibib->ib", self.matrix)
        return dict(zip(self.names, np.sqrt(np.maximum(variances, 0)), strict=True))

    def block(self, name: str, name2: str | None = None) -> np.ndarray:
        """The covariance of the bandpowers of one pair of signals, or of two pairs.

        Parameters
        ----------
        name, name2 : str
            Names of pairs; ``name2`` is ``name`` by default.

        Returns
        -------
        float64 ndarray [shape=(n_bins, n_bins)]

        Raises
        ------
        ValueError
            A name that is not one of ``names``.
        """
        for pair in (name, name if name2 is None else name2):
            if pair not in self.names:
                raise ValueError(f"{pair!r} is not one of the spectra {', '.join(self.names)}")
        i, j = (self.names.index(pair) for pair in (name, name if name2 is None else name2))
        return self.matrix[i, :, j]

    def correlation(self) -> np.ndarray:
        """The matrix divided by the standard deviations: 1 on the diagonal.

        Returns
        -------
        float64 ndarray [shape=(n, n_bins, n, n_bins)]
            0 for bandpowers whose variance is 0.
        """
        deviations = np.stack(list(self.errors().values()))
        inverse = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0)
        return self.matrix * inverse[..., None, None] * inverse


def gaussian_covariance(
    fields: MaskedField | Sequence[MaskedField],
    fields2: MaskedField | Sequence[MaskedField] | None = None,
    *,
    cl: Mapping[str, ArrayLike],
    bins: Bins,
    noise: Mapping[str, ArrayLike] | None = None,
    noise2: Mapping[str, ArrayLike] | None = None,
    exact_degrees: int | None = None,
) -> Covariance:
    """Covariance of the bandpowers that `master` returns, for Gaussian signal and noise.

    The mean pseudo-spectra of signal and noise, divided by the mean of the product of the masks, take the
    place of the spectra in the narrow-kernel approximation; of two degrees their geometric mean is taken
    (of cross-spectra the arithmetic one).

    The approximation is good where the spectra change little over the width of the coupling, the reciprocal
    of the size of the observed sky; at the lowest degrees the exact sums take its place. These are
    approximated further: the correlator of a scalar and a spin field is taken to be the mean of those of
    either spin; noise is taken to be masked as the signal is (exact for uniform noise); of pure modes the
    pseudo-spectrum of the signal is coupled as that of a scalar, and white noise by the mask and by its
    derivatives each. Where B modes consist of power that the mask mixes into them from E, the variances of
    EB and TB are too large, by up to half. Compare with `sample_covariance` where this matters.

    Parameters
    ----------
    fields, fields2 : MaskedField or sequence of them
        As in `master`. Their masks, beams and spins are used, not their coefficients.
    cl : dict of str to array_like [shape=(n_l,)], n_l >= L
        Spectra of the signal on the full sky, without beams and noise, by pair of the signals; pairs that are
        absent are zero.
    bins : Bins
        Of the band-limit of the fields.
    noise : dict of str to array_like [broadcasts to (L,)], optional
        Mean pseudo-spectra of the noise of ``fields`` by pair, as in `master`.
    noise2 : dict of str to array_like [broadcasts to (L,)], optional
        The same of ``fields2``. The noise of ``fields`` and ``fields2`` is taken to be uncorrelated.
    exact_degrees : int, optional
        The covariance of degrees l and l' below this is computed without the approximation, by sums over all
        orders; not that of pure signals. By default 24; 0 for none. Time and memory grow with its fourth
        power.

    Returns
    -------
    Covariance
        Of the pairs in the order of `master`.

    Raises
    ------
    TypeError
        Arguments of other types.
    ValueError
        Masks on different grids; band-limits that differ; two signals of the same name; spectra with fewer
        degrees than L or with NaN or infinite values; an unknown pair; a negative spectrum of a signal, or a
        cross-spectrum beyond the geometric mean of those of its two signals; ``noise2`` without ``fields2``;
        couplings that cannot be inverted.

    See Also
    --------
    sample_covariance : the covariance of simulated bandpowers.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import Bins, gaussian_covariance, masked_field
    >>> grid = HEALPix(16)
    >>> T = masked_field(np.zeros(3072), 32, grid.theta < 1.5, sampling=grid)
    >>> bins = Bins.linear(32, 10)
    >>> errors = gaussian_covariance(T, cl={"TT": np.ones(32)}, bins=bins).errors()["TT"]
    >>> knox = np.sqrt(2 / ((2 * bins.ell + 1) * 10 * T.mask.fraction))
    >>> (errors / knox).round(1)
    array([1.1, 1.1, 1. ])
    """
    first, second, order = _fields(fields, fields2, bins, (noise, noise2))
    pairs = list(product(first, second))
    if fields2 is None:
        pairs = list(combinations_with_replacement(first, 2))
    if exact_degrees is None:
        exact_degrees = min(EXACT_DEGREES, bins.L)
    exact_degrees = checks.integer(exact_degrees, "exact_degrees", 0, bins.L)
    signals = dict.fromkeys("".join(x.field.names) for x in (*first, *second))
    cl = checked_spectra(cl, "".join(signals), bins.L)
    _check_positive(cl, bins.L)
    correlators = Correlators(cl, bins.L, exact_degrees)
    couplings = [correlators.coupling(*pair) for pair in pairs]
    blocks = {}
    for i, j in combinations_with_replacement(range(len(pairs)), 2):
        left, right = couplings[i], couplings[j]
        block = right.decouple(correlators.covariance(pairs[i], pairs[j]), bins)
        block = left.decouple(block.transpose(2, 3, 0, 1), bins).transpose(2, 3, 0, 1)
        for k, name in enumerate(left.names):
            for k2, name2 in enumerate(right.names):
                blocks[name, name2] = block[k, :, k2]
                blocks[name2, name] = block[k, :, k2].T
    matrix = np.array([[blocks[name, name2] for name2 in order] for name in order])
    return Covariance(tuple(order), matrix.transpose(0, 2, 1, 3))


def _check_positive(cl, L):
    """Refuse a negative spectrum, and a cross-spectrum beyond the geometric mean of those of its signals."""
    for name in cl:
        signals = dict.fromkeys(name)
        spectra = {a + a: cl[a + a] for a in signals if a + a in cl}
        covariance_factors(spectra | {name: cl[name]}, L)


def _fields(fields, fields2, bins, noise):
    """(the `NoisyField` of both arguments; the names of the pairs of signals in the order of `master`)."""
    if not isinstance(bins, Bins):
        raise TypeError(f"bins is {type(bins).__name__}; expected spherekit.spectra.Bins")
    sequences = [field_sequence(fields)]
    if fields2 is not None:
        sequences.append(field_sequence(fields2))
    elif noise[1] is not None:
        raise ValueError("noise2 is the noise of fields2, which are missing; pass noise only")
    names = [
        signal_names(x, argument)
        for x, argument in zip(sequences, ("fields", "fields2"), strict=False)
    ]
    limits = {x.L for sequence in sequences for x in sequence}
    if limits != {bins.L}:
        raise ValueError(
            f"the bins have the band-limit {bins.L}, the fields {' and '.join(map(str, sorted(limits)))}; "
            "pass the same L to all"
        )
    grids = {x.mask.grid for sequence in sequences for x in sequence}
    if len(grids) > 1:
        raise ValueError(
            f"the masks are on the grids {' and '.join(sorted(map(repr, grids)))}; the covariance needs "
            "products of the masks: pass fields on one grid"
        )
    sequences = [
        [NoisyField(x, checked_noise(spectra, signals, signals), group) for x in sequence]
        for group, (sequence, spectra, signals) in enumerate(
            zip(sharing_masks(*sequences), noise, names, strict=False)
        )
    ]
    return sequences[0], sequences[-1], pair_names(names[0], names[-1], fields2 is None)


def sample_covariance(bandpowers: Mapping[str, ArrayLike]) -> Covariance:
    """Covariance of simulated bandpowers, with its statistical error.

        C_ij = 1/(n-1) sum (x_i - <x_i>)(x_j - <x_j>),    standard error^2 = (C_ij^2 + C_ii C_jj) / (n-1)

    The standard error is that of Gaussian bandpowers (Wishart distribution). The inverse of the matrix is
    biased: multiply it by (n - p - 2) / (n - 1), p being the number of bandpowers (Hartlap, Simon and
    Schneider 2007, A&A 464, 399, eq. 17).

    Parameters
    ----------
    bandpowers : dict of str to array_like [shape=(n, n_bins)], n >= 2
        Bandpowers of n simulations by pair of signals, such as ``values`` of the result of `master`.

    Returns
    -------
    Covariance

    Raises
    ------
    TypeError
        An argument that is not a dict, or has arrays of another type.
    ValueError
        Arrays of different shapes; fewer than two simulations; NaN or infinite values.

    See Also
    --------
    gaussian_covariance : the covariance by theory.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import sample_covariance
    >>> x = np.random.default_rng(0).standard_normal((400, 3))
    >>> covariance = sample_covariance({"TT": x})
    >>> covariance.matrix[0, 0, 0, 0].round(2), covariance.standard_error[0, 0, 0, 0].round(2)
    (np.float64(0.96), np.float64(0.07))
    """
    if not isinstance(bandpowers, Mapping) or not bandpowers:
        raise TypeError(
            f"bandpowers is {type(bandpowers).__name__}; expected a dict of arrays by pair of signals, such "
            "as {'TT': values}"
        )
    values = {
        name: checks.as_float_array(x, f"bandpowers of {name}") for name, x in bandpowers.items()
    }
    shapes = {x.shape for x in values.values()}
    shape = min(shapes)
    if len(shapes) > 1 or len(shape) != 2 or shape[0] < 2:
        raise ValueError(
            f"the bandpowers have the shapes {', '.join(map(str, sorted(shapes)))}; expected the same (n, "
            "n_bins) of all, of n >= 2 simulations"
        )
    for name, x in values.items():
        if np.iscomplexobj(x) or not np.isfinite(x).all():
            raise ValueError(
                f"the bandpowers of {name} are complex, or contain NaN or infinite values"
            )
    n, n_bins = shape
    samples = np.concatenate(list(values.values()), axis=1).astype(float)
    deviations = samples - samples.mean(axis=0)
    matrix = deviations.T @ deviations / (n - 1)
    variances = np.diag(matrix)
    error = np.sqrt((matrix**2 + np.outer(variances, variances)) / (n - 1))
    split = (len(values), n_bins) * 2
    return Covariance(tuple(values), matrix.reshape(split), error.reshape(split), n)
