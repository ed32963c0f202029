"""The noise bias of power spectra: the mean spectrum of the noise, from its level or from splits of the
data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.missing import UNSEEN
from spherekit.conventions.indexing import flat
from spherekit.sampling.base import Grid
from spherekit.spectra.angular_power import cross_power
from spherekit.spectra.bandpowers import field_sequence, signal_names
from spherekit.spectra.mask import Mask, mask_values
from spherekit.spectra.masked_fields import MaskedField
from spherekit.spectra.purification import derivative_factors


def noise_power(
    mask: Mask | ArrayLike | None,
    L: int,
    *,
    sampling: str | Grid | None = None,
    level: float | None = None,
    sigma: ArrayLike | None = None,
    spin: int = 0,
    pure: bool = False,
) -> np.ndarray:
    """Mean pseudo-spectrum N_l of white noise that is multiplied by a mask.

        N_l = level^2 1/(4 pi) int mask^2,    N_l = 1/(4 pi) sum_p (w_p mask_p sigma_p)^2

    with the quadrature weights w_p; on HEALPix, the area of a pixel times the mean of ``(mask sigma)^2``. So
    it is the noise bias of `masked_flm` and `masked_field`, to be subtracted from `pseudo_power`; divided by
    `sky_fraction`, that of `masked_power`. It does not depend on beams and windows of pixels.

    The second formula is exact for one quadrature (``iterations=0``) on HEALPix and on GL, DH and CC grids.
    After the iterations on HEALPix it holds to 0.3 % up to l = 2 nside, and N_l is up to 12 % smaller near
    3 nside, that of pure signals up to 14 %: pass ``iterations=0`` to `Mask` or `masked_field` if degrees
    beyond 2 nside matter. On MW grids it holds to 2.5 %.

    For pure E or B signals (see `pure_coefficients`), with N = sqrt((l-2)!/(l+2)!), the square of the mask is
    replaced by

        mask^2 + 4 l(l+1) N^2 abs(eth mask)^2 + N^2 abs(eth eth mask)^2.

    Parameters
    ----------
    mask : Mask or array_like [shape=grid.shape], or None
        Weights, as in `sky_fraction`; None: 1 everywhere.
    L : int
        Band-limit.
    sampling : str or Grid, optional
        Grid of the mask, as in `spherekit.harmonic.forward`; required unless ``mask`` is a `Mask`.
    level : float, optional
        Level of the noise, as ``noise`` of `gaussian_sky`: its standard deviation per unit solid angle, in
        the unit of the map times radians.
    sigma : float or array_like [shape=grid.shape or (2, *grid.shape)], optional
        Standard deviation of the independent noise of each sample; of a spin field that of each of its two
        components, such as Q and U, or of both. Samples where the mask is 0 may be missing (NaN, infinite or
        UNSEEN). Either ``level`` or ``sigma`` is required.
    spin : int
        Spin of the field, |spin| < L.
    pure : bool
        Whether the signals are pure, of a field of spin 2.

    Returns
    -------
    float64 ndarray [shape=(L,)]
        N_l, of a spin field that of E and of B, whose noise is not correlated; 0 at degrees l < |spin|. (Of
        pure signals and different ``sigma`` of Q and U, the mean of that of E and of B.)

    Raises
    ------
    TypeError
        Arguments of other types; complex values or values with a unit.
    ValueError
        Neither or both of ``level`` and ``sigma``; a level or values of ``sigma`` that are negative or not
        finite; other shapes; an invalid mask, L, spin or grid; ``pure`` of another spin than 2.

    See Also
    --------
    split_power : the noise from splits of the data.

    Examples
    --------
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import noise_power
    >>> grid = HEALPix(64)
    >>> north = grid.theta < 1.0472
    >>> noise_power(north, 4, sampling=grid, level=2.0).round(3)
    array([1.01, 1.01, 1.01, 1.01])
    >>> per_pixel = 2.0 / (4 * 3.14159 / 49152) ** 0.5
    >>> noise_power(north, 4, sampling=grid, sigma=per_pixel, spin=2).round(3)
    array([0.  , 0.  , 1.01, 1.01])
    """
    L = checks.band_limit(L)
    spin = abs(checks.spin_number(spin, L))
    weights, grid = mask_values(mask, sampling, L)
    if (level is None) == (sigma is None):
        number = "both" if sigma is not None else "neither"
        raise ValueError(f"got {number} of level and sigma; expected one of them")
    if level is not None:
        expected = "a number >= 0, in the unit of the map times radians"
        density = checks.real_number(level, "level", expected, lambda x: 0 <= x < math.inf) ** 2
    else:
        density = grid.weights * _variance(sigma, weights, grid, spin)
    density = density * grid.weights / (4 * math.pi)
    bias = np.full(L, np.sum(density * weights**2))
    if pure:
        if spin != 2:
            raise ValueError(f"pure signals are those of spin 2; got spin {spin}")
        mask = mask if isinstance(mask, Mask) else Mask(weights, L, grid)
        for factor, values in zip(derivative_factors(L), mask.derivatives, strict=True):
            bias += factor**2 * np.sum(density * abs(values) ** 2)
    return np.where(np.arange(L) < spin, 0.0, bias)


def _variance(sigma, mask, grid, spin):
    """The variance of each sample, of a spin field the mean of both components, and 0 where the mask is 0."""
    sigma = checks.as_float_array(sigma, "sigma")
    if np.iscomplexobj(sigma):
        raise TypeError("sigma is complex; expected real standard deviations")
    shape = tuple(grid.shape)
    shapes = [(), shape, (2, *shape)][: 3 if spin else 2]
    if sigma.shape not in shapes:
        raise ValueError(
            f"sigma has shape {sigma.shape}; expected a number or {' or '.join(map(str, shapes[1:]))}"
        )
    sigma = np.broadcast_to(sigma.astype(float), sigma.shape if sigma.ndim > len(shape) else shape)
    observed = sigma[..., mask > 0]
    is_valid = np.isfinite(observed) & (observed >= 0)
    if not is_valid.all():
        n_unseen = np.count_nonzero(observed == UNSEEN)
        raise ValueError(
            f"sigma is negative or not finite at {np.count_nonzero(~is_valid)} of the {observed.size} "
            f"samples that the mask selects ({n_unseen} are UNSEEN); expected finite values >= 0"
        )
    variance = np.where(mask > 0, sigma, 0) ** 2
    return variance.mean(axis=0) if variance.ndim > len(shape) else variance


class SplitPower(NamedTuple):
    """Result of `split_power`.

    Attributes
    ----------
    signal : dict of str to float64 ndarray [shape=(..., L)]
        The mean of the cross-spectra of different splits, by pair of signals.
    noise : dict of str to float64 ndarray [shape=(..., L)]
        The spectra of the noise of the mean map.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import split_power
    >>> {name: cl["TT"] for name, cl in split_power({"T": np.array([[1.0], [3.0]])})._asdict().items()}
    {'signal': array([3.]), 'noise': array([1.])}
    """

    signal: dict
    noise: dict


def split_power(
    signals: (
        Mapping[str | tuple[str, str], ArrayLike | tuple[ArrayLike, int]]
        | Sequence[MaskedField | Sequence[MaskedField]]
    ),
    *,
    weights: ArrayLike | None = None,
) -> SplitPower:
    """Spectra of the signal and of the noise from splits of the data whose noise is independent.

        signal_l = sum_{i != j} a_i a_j C_l^ij / sum_{i != j} a_i a_j,    noise_l = C_l of sum_i a_i f_i -
        signal_l

    with weights a_i of sum 1, for the splits f_i. The signal is the mean of all cross-spectra (Tristram et
    al. 2005, MNRAS 358, 833), which have no noise bias; what the spectrum of the mean map has more is its
    noise. Of two halves, signal_l is their cross-spectrum, and noise_l the spectrum of their half-difference
    (f_1 - f_2)/2.

    Parameters
    ----------
    signals : sequence of n MaskedField or of n sequences of them, or dict; n >= 2
        The fields of each split, of the same signals and masks, such as T, or T and P. Their spectra are
        pseudo-spectra: ``noise`` is that of `master` for the field of the mean map, whose bandpowers are
        those of ``signal``. Or signals as in `cross_power`, with the splits on the first axis of the
        coefficients, (n, ..., L*L), and equal leading axes for all signals.
    weights : array_like [shape=(n,)], optional
        Weights of the splits, >= 0 and at least two above 0, such as their inverse variances. By default
        equal.

    Returns
    -------
    SplitPower
        ``(signal, noise)``, dicts by pair of signals. Differentiable by the coefficients.

    Raises
    ------
    TypeError
        Signals as in `cross_power`; splits that are not masked fields; weights that are not real numbers.
    ValueError
        Signals as in `cross_power`; fewer than two splits; splits of other signals or masks than the first;
        leading axes that differ; weights of another shape, negative, not finite, or with fewer than two above
        0.

    See Also
    --------
    noise_power : the noise bias from a level of white noise.
    master : of two halves, ``master(half_1, half_2, bins=bins)`` has no noise bias.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import gaussian_flm, split_power
    >>> sky, *noise = (gaussian_flm(np.full(64, cl), 64, seed) for seed, cl in enumerate([9.0, 2, 2]))
    >>> signal, noise = split_power({"T": sky + np.array(noise)})
    >>> round(float(signal["TT"][20:].mean()), 1), round(float(noise["TT"][20:].mean()), 1)
    (8.9, 1.0)

    Two halves with a mask: the cross-spectrum, and the spectrum of the mean without its noise, are equal.

    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import Bins, Mask, gaussian_sky, masked_field, master
    >>> grid, cl = HEALPix(16), np.full(32, 9.0)
    >>> sky = gaussian_sky(cl, 32, 0, sampling=grid)
    >>> maps = sky + [gaussian_sky(0 * cl, 32, k, noise=2, sampling=grid) for k in (1, 2)]
    >>> mask = Mask(grid.theta < 2, 32, grid)
    >>> options, bins = dict(mask=mask, sampling=grid), Bins.linear(32, 10)
    >>> halves = [masked_field(f, 32, **options) for f in maps]
    >>> master(*halves, bins=bins).values["TT"].round(2)
    array([8.09, 8.15, 7.24])
    >>> mean = masked_field(maps.mean(axis=0), 32, **options)
    >>> master(mean, bins=bins, noise=split_power(halves).noise).values["TT"].round(2)
    array([8.09, 8.15, 7.24])
    """
    mean, n = {}, None
    if not isinstance(signals, Mapping):
        signals = _signals_of_fields(signals)
    for key, value in signals.items():
        name = ", ".join(map(str, key)) if isinstance(key, tuple) else key
        flm = flat(value[0] if isinstance(value, tuple) and value else value, name)[0]
        if n is None:
            leading, n = flm.shape[:-1], flm.shape[0] if flm.ndim > 1 else 0
            weights = _split_weights(weights, n, name, flm)
        if flm.shape[:-1] != leading:
            raise ValueError(
                f"{name} has shape {flm.shape}; expected the leading axes {leading} of the first signal, the "
                "first of which is that of the splits"
            )
        average = anp.tensordot(weights, flm, 1)
        mean[key] = (average, *value[1:]) if isinstance(value, tuple) else average
    total, of_splits = cross_power(mean), cross_power(signals)
    squares = weights**2
    signal, noise = {}, {}
    for name, cl in total.items():
        autos = anp.tensordot(squares, of_splits[name], 1)
        signal[name] = (cl - autos) / (1 - squares.sum())
        noise[name] = cl - signal[name]
    return SplitPower(signal, noise)


def _signals_of_fields(splits):
    """The coefficients of each signal of splits, with the splits on the first axis."""
    try:
        splits = [field_sequence(fields) for fields in splits]
        names = [signal_names(fields, f"split {i}") for i, fields in enumerate(splits)]
    except TypeError as error:
        raise TypeError(
            "expected a dict of coefficients by name, or a sequence with the MaskedField of each split, or "
            f"several; {error}"
        ) from None
    for i, fields in enumerate(splits):
        if len(fields) != len(splits[0]) or not all(map(_are_alike, fields, splits[0])):
            raise ValueError(
                f"split {i} has the signals {', '.join(names[i])}, split 0 {', '.join(names[0])}; expected "
                "the same signals, with the same shapes, masks, beams and purity"
            )
    coefficients = [
        [x.flm[..., i, :] for x in fields for i in range(len(x.names))] for fields in splits
    ]
    signals = zip(*coefficients, strict=True)
    return {
        name: anp.stack(flm) for name, flm in zip(names[0] if names else (), signals, strict=True)
    }


def _are_alike(field, field2):
    """Whether two masked fields have the same mean spectra."""
    kinds = [(x.names, x.spin, x.pure, x.flm.shape) for x in (field, field2)]
    return (
        kinds[0] == kinds[1]
        and field.mask == field2.mask
        and np.array_equal(field.beam, field2.beam)
    )


def _split_weights(weights, n, name, flm):
    """The weights of n splits, of sum 1."""
    if n < 2:
        raise ValueError(
            f"{name} has shape {flm.shape}; expected at least two splits, on the first axis: (n, ..., L*L)"
        )
    if weights is None:
        return np.full(n, 1 / n)
    weights = checks.as_float_array(weights, "weights")
    if np.iscomplexobj(weights):
        raise TypeError("weights is complex; expected real numbers")
    if weights.shape != (n,):
        raise ValueError(f"weights has shape {weights.shape}; expected ({n},), one for each split")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and np.count_nonzero(weights) > 1):
        raise ValueError(
            f"weights is {weights}; expected finite values >= 0, at least two of them above 0"
        )
    return weights / weights.sum(dtype=float)
