"""Error bars of power spectra by the number of independent modes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.sampling.base import Grid
from spherekit.spectra.bins import Bins
from spherekit.spectra.mask import Mask, mask_values
from spherekit.spectra.pairs import pair_name, pairs_by_diagonal, signals_of


def mode_fraction(
    mask: Mask | ArrayLike,
    mask2: Mask | ArrayLike | None = None,
    *,
    sampling: str | Grid | None = None,
) -> float:
    """The fraction f of the 2l + 1 modes of each degree that a mask leaves independent.

        f = <mask mask2>^2 / <mask^2 mask2^2>,    of one mask <mask^2>^2 / <mask^4>

    with means over the sphere: f_sky w_2^2 / w_4 of Hivon et al. 2002, ApJ 567, 2, eq. 17. It is the
    fraction of the sky for weights 0 and 1, and less for apodized masks. (`sky_fraction` is the mean of the
    square, by which spectra of masked maps are divided.)

    Parameters
    ----------
    mask, mask2 : Mask or array_like [shape=grid.shape]
        Weights, as in `sky_fraction`, of the two maps of a cross-spectrum; ``mask2`` is ``mask`` by default.
    sampling : str or Grid, optional
        Grid of the masks, as in `spherekit.harmonic.forward`; required unless ``mask`` is a `Mask`.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        Masks of another dtype, with a unit or with masked entries; a sampling that is neither a grid nor a
        name.
    ValueError
        Invalid masks, as in `sky_fraction`; masks that do not overlap.

    See Also
    --------
    knox_errors : error bars from this fraction.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import mode_fraction
    >>> grid = HEALPix(16)
    >>> north = grid.theta < np.pi / 2
    >>> apodized = np.clip(4 * np.cos(grid.theta), 0, 1)
    >>> tuple(round(mode_fraction(m, sampling=grid), 2) for m in (north, apodized))
    (0.49, 0.43)
    """
    mask, grid = mask_values(mask, sampling)
    mask2 = mask if mask2 is None else mask_values(mask2, grid)[0]
    product = (mask / mask.max()) * (mask2 / mask2.max())
    weights = grid.weights / (4 * math.pi)
    square = float(np.sum(weights * product**2))
    if not square > 0:
        raise ValueError(
            "the masks do not overlap: their product is 0 at all samples of positive weight"
        )
    return min(float(np.sum(weights * product)) ** 2 / square, 1.0)


def knox_errors(
    spectra: Mapping[str, ArrayLike],
    f_sky: float | Mapping[str, float] = 1.0,
    *,
    noise: Mapping[str, ArrayLike] | None = None,
    noise2: Mapping[str, ArrayLike] | None = None,
    splits: int | None = None,
    bins: Bins | None = None,
) -> dict[str, np.ndarray]:
    """Error bars of power spectra of Gaussian signals and noise: the formula of Knox (1995, Phys. Rev. D 52,
    4307).

        var C_l^ab = ((C^aa + N^aa)(C^bb + N^bb) + (C^ab + N^ab)^2) / ((2l + 1) f_sky)

    for auto- and cross-spectra (Kamionkowski, Kosowsky & Stebbins 1997, Phys. Rev. D 55, 7368); exact on the
    full sky, otherwise for spectra that are smooth over the width of the coupling of degrees by the mask,
    and for bins that are wider than it.

    Parameters
    ----------
    spectra : dict of str to array_like [shape=(L,)]
        The true spectra by pair of signals, as in `correlated_flm`: "TT", "EE", "TE", or "100x143". Pairs
        that are absent are not correlated.
    f_sky : float, or dict of str to float
        Fraction of independent modes, in (0, 1], see `mode_fraction`; of all pairs or by pair.
    noise : dict of str to array_like [shape=(L,)], or numbers, optional
        Spectra of the noise by pair, with the same factors as ``spectra``: those of a map divided by the
        square of its beam if ``spectra`` is that of the sky.
    noise2 : dict of str to array_like [shape=(L,)], or numbers, optional
        For cross-spectra of two maps with independent noise: that of the second map, N^bb, whereas N^aa is
        ``noise`` and N^ab is 0.
    splits : int, optional
        The errors of `split_power` of that many splits of equal noise, n >= 2; ``noise`` is that of the mean
        map. (N^aa N^bb + N^ab^2) / (n - 1) is added to the numerator.
    bins : Bins, optional
        The errors of bandpowers instead.

    Returns
    -------
    dict of str to float64 ndarray [shape=(L,) or (bins.n,)]
        Standard deviations for all pairs of the signals, those of two maps in both orders (TE and ET).

    Raises
    ------
    TypeError
        Arguments of other types.
    ValueError
        A name that is not a pair, or a pair without the spectra of its signals; spectra that are negative,
        not finite or of different lengths; fractions out of range; fewer than two splits; both ``noise2``
        and ``splits``; bins of another band-limit.

    See Also
    --------
    mode_fraction : the fraction of modes of a mask.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import knox_errors
    >>> errors = knox_errors({"TT": [4.0, 4.0], "EE": [1.0, 1.0]}, 0.5, noise={"TT": 1.0})
    >>> {name: sigma.round(3) for name, sigma in errors.items()}
    {'TT': array([10.   ,  5.774]), 'EE': array([2.   , 1.155]), 'TE': array([3.162, 1.826])}
    """
    if noise2 is not None and splits is not None:
        raise ValueError("got noise2 and splits; expected one of them: two maps, or splits of one")
    spectra, L = _checked_spectra(spectra)
    names = [a for a, b in spectra if a == b]
    _check_bins(bins, L)
    noise = _noise(noise, "noise", names, L)
    is_cross = noise2 is not None
    noise2 = _noise(noise2, "noise2", names, L) if is_cross else noise
    per_pair = 0 if splits is None else 1 / (checks.integer(splits, "splits", 2) - 1)
    result = {}
    for a, b in pairs_by_diagonal(names, names if is_cross else None):
        cross = 0 if is_cross else _of_pair(noise, a, b)
        noise_a, noise_b = _of_pair(noise, a, a), _of_pair(noise2, b, b)
        total = (spectra[a, a] + noise_a) * (spectra[b, b] + noise_b)
        total = total + (_of_pair(spectra, a, b) + cross) ** 2
        total = total + per_pair * (noise_a * noise_b + cross**2)
        name = pair_name(a, b)
        variance = total / ((2 * np.arange(L) + 1) * _fraction(f_sky, name))
        result[name] = np.sqrt(variance if bins is None else bins.matrix() ** 2 @ variance)
    return result


def _of_pair(spectra, a, b):
    """The spectrum of a pair in either order; 0 if it is absent."""
    return spectra.get((a, b), spectra.get((b, a), 0.0))


def _checked_spectra(spectra):
    """(spectra by pair of signals, their length), checked."""
    spectra = _by_pair(spectra, "spectra")
    lengths = {name: values.shape for name, values in spectra.items()}
    shape = next(iter(lengths.values()), ())
    if len(shape) != 1 or not shape[0] or set(lengths.values()) != {shape}:
        shapes = ", ".join(f"{pair_name(*pair)} {length}" for pair, length in lengths.items())
        raise ValueError(
            f"spectra has {shapes or '(none)'}; expected at least one such as TT, all of shape (L,)"
        )
    for a, b in spectra:
        absent = [pair_name(x, x) for x in (a, b) if (x, x) not in spectra]
        if absent:
            raise ValueError(
                f"spectra has {pair_name(a, b)}, but not {' and '.join(absent)}; pass these spectra, too"
            )
    return spectra, shape[0]


def _noise(noise, argument, names, L):
    """Spectra of the noise by pair of signals, checked."""
    spectra = {} if noise is None else _by_pair(noise, argument)
    for (a, b), values in spectra.items():
        if a not in names or b not in names:
            raise ValueError(
                f"{argument} has {pair_name(a, b)}; the signals of spectra are {', '.join(names)}"
            )
        if values.shape not in ((), (1,), (L,)):
            raise ValueError(
                f"{argument} has {pair_name(a, b)} of shape {values.shape}; expected a number or ({L},)"
            )
    return spectra


def _by_pair(spectra, argument):
    """Spectra as arrays by pair of signals: finite, and not negative for the pair of a signal with itself."""
    if not isinstance(spectra, Mapping):
        raise TypeError(
            f"{argument} is {type(spectra).__name__}; expected a dict of spectra by pair, such as "
            '{"TT": ..., "TE": ...}'
        )
    result = {}
    for name, values in spectra.items():
        a, b = signals_of(name)
        values = checks.as_float_array(values, f"{argument}[{name!r}]")
        if np.iscomplexobj(values):
            raise TypeError(f"{argument} has {name} of dtype {values.dtype}; expected real numbers")
        if (b, a) in result and a != b:
            raise ValueError(f"{argument} has {pair_name(b, a)} and {name}; expected one of them")
        if not np.isfinite(values).all() or (a == b and (values < 0).any()):
            condition = "finite values >= 0" if a == b else "finite values"
            raise ValueError(f"{argument} has {name} with other values than {condition}")
        result[a, b] = values.astype(float)
    return result


def _fraction(f_sky, name):
    """The fraction of modes of a pair."""
    if isinstance(f_sky, Mapping):
        if name not in f_sky:
            raise ValueError(f"f_sky has {', '.join(map(str, f_sky))}, not {name}; pass all pairs")
        return _fraction(f_sky[name], name)
    return checks.real_number(f_sky, "f_sky", "a number > 0 and <= 1", lambda x: 0 < x <= 1)


def _check_bins(bins, L):
    if bins is None:
        return
    if not isinstance(bins, Bins):
        raise TypeError(f"bins is {type(bins).__name__}; expected spherekit.spectra.Bins")
    if bins.L != L:
        raise ValueError(f"the bins have L = {bins.L}, and spectra {L} degrees; expected the same")
