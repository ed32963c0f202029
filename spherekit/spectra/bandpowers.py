"""Decoupled bandpowers of masked fields: all spectra of T, E and B in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.spectra.bins import Bins
from spherekit.spectra.masked_fields import MaskedField
from spherekit.spectra.masked_input import common_frame
from spherekit.spectra.pairs import pairs_by_diagonal
from spherekit.spectra.pseudo_cl import Coupling, check_coupling, pairs_of_signals, pseudo_power

#: Pairs of the signals of skies, of which a dict of spectra may have more than the fields.
_OF_SKIES = ("TT", "EE", "BB", "TE", "EB", "TB", "ET", "BE", "BT")


class Bandpowers(NamedTuple):
    """Bandpowers of masked fields, as `master` returns them.

    Attributes
    ----------
    bins : Bins
        The bins; ``bins.ell`` are their mean degrees.
    values : dict of str to float64 ndarray [shape=(..., bins.n)]
        The bandpowers by pair of signals, such as "TT" and "TE".
    windows : dict of str to dict of str to float64 ndarray [shape=(bins.n, L)]
        ``windows["EE"]["BB"]``: the mean of the bandpowers EE is the sum of their products with the spectra.
        Pairs that do not contribute, whose windows are 0, are absent.
    f_sky : dict of str to float
        The mean of the product of the two masks of each pair.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import Bins, masked_field, master
    >>> grid = HEALPix(16)
    >>> f = np.random.default_rng(0).standard_normal(3072)
    >>> T = masked_field(f, 32, grid.theta < 1.5, sampling=grid)
    >>> result = master(T, bins=Bins.linear(32, 10))
    >>> (result.values["TT"] * 3072 / (4 * np.pi)).round(1)                # white noise, 4 pi / pixels
    array([1.3, 0.7, 1. ])
    >>> result.expected({"TT": np.arange(32.0) >= 2})["TT"].round(2)
    array([1., 1., 1.])
    """

    bins: Bins
    values: dict
    windows: dict
    f_sky: dict

    def expected(self, cl: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        """The mean bandpowers of fields with given spectra.

        Parameters
        ----------
        cl : dict of str to array_like [shape=(n_l,)], n_l >= L
            Spectra of the full sky, without beams, of pairs of the signals; pairs that are absent are zero.

        Returns
        -------
        dict of str to float64 ndarray [shape=(bins.n,)]

        Raises
        ------
        TypeError
            An argument that is not a dict.
        ValueError
            A pair of other signals; fewer degrees than L, or NaN or infinite values.
        """
        spectra = checked_spectra(cl, "".join(self.windows), self.bins.L)
        return {
            name: sum(
                (
                    window @ spectrum_of_pair(spectra, source)
                    for source, window in windows.items()
                    if spectrum_of_pair(spectra, source) is not None
                ),
                np.zeros(self.bins.n),
            )
            for name, windows in self.windows.items()
        }


def master(
    fields: MaskedField | Sequence[MaskedField],
    fields2: MaskedField | Sequence[MaskedField] | None = None,
    *,
    bins: Bins,
    noise: Mapping[str, ArrayLike] | None = None,
    couplings: Mapping[tuple, Coupling] | Coupling | None = None,
) -> Bandpowers:
    """Bandpowers of masked fields, decoupled: MASTER (Hivon et al. 2002, ApJ 567, 2).

    Unbiased if the spectra are constant in each bin, and zero outside of the bins; of other spectra the mean
    is that of `Bandpowers.expected`.

    Parameters
    ----------
    fields : MaskedField or sequence of them
        Such as T, or T and P (E and B), each signal of another name.
    fields2 : MaskedField or sequence of them, optional
        The fields of another map, for cross-spectra: all pairs of a signal of ``fields`` and one of
        ``fields2``. By default all auto- and cross-spectra of ``fields``.
    bins : Bins
        Of the band-limit of the fields.
    noise : dict of str to array_like [broadcasts to (L,)], optional
        Pseudo-spectra of the noise by pair, such as {"TT": N_l}, which are subtracted (see `noise_power`).
    couplings : dict of (int, int) to Coupling, or Coupling, optional
        The couplings of pairs of fields, by their numbers, such as those of earlier maps with the same masks;
        of one pair of fields also its coupling. By default they are computed.

    Returns
    -------
    Bandpowers
        Its values are differentiable by the maps.

    Raises
    ------
    TypeError
        Arguments of other types.
    ValueError
        Band-limits, grids or frames that differ; two signals of the same name; noise of an unknown pair or
        another shape; couplings of an unknown pair of fields, or of another L, of other spins, pure signals,
        beams or masks than those of the fields (masks are compared if their coefficients are known); masks
        that select fewer modes than there are bins, (2l + 1) times their fraction of the sphere; binned
        couplings that cannot be inverted (see `Coupling.decouple`).

    Warns
    -----
    UserWarning
        Bins that are too narrow for the mask, as in `Coupling.decouple`.

    See Also
    --------
    masked_field : fields from maps and masks.
    masked_power : C_l / f_sky, without decoupling.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import Bins, masked_field, master
    >>> grid, rng = HEALPix(8), np.random.default_rng(0)
    >>> I, Q, U = rng.standard_normal((3, 768))
    >>> T = masked_field(I, 16, grid.theta < 1.5, sampling=grid)
    >>> P = masked_field(Q + 1j * U, 16, grid.theta < 1.5, spin=2, sampling=grid)
    >>> list(master([T, P], bins=Bins.linear(16, 7)).values)
    ['TT', 'EE', 'BB', 'TE', 'EB', 'TB']
    """
    if not isinstance(bins, Bins):
        raise TypeError(f"bins is {type(bins).__name__}; expected spherekit.spectra.Bins")
    fields = field_sequence(fields)
    seconds = fields if fields2 is None else field_sequence(fields2)
    names = signal_names(fields, "fields")
    names2 = signal_names(seconds, "fields2")
    noise = checked_noise(noise, names, names2)
    _check_places(fields + seconds)
    if fields2 is None:  # EB is BE
        noise = {name[::-1]: N for name, N in noise.items()} | dict(noise)
    fields, seconds = sharing_masks(fields, seconds)
    pairs = {
        (i, j): (a, b)
        for i, a in enumerate(fields)
        for j, b in enumerate(seconds)
        if fields2 is not None or j >= i
    }
    couplings = _checked_couplings(couplings, pairs)
    values, windows, f_sky = {}, {}, {}
    for key, (a, b) in pairs.items():
        _check_modes(a, b, bins)
        coupling = couplings[key] if key in couplings else Coupling.of(a, b)
        signals = pairs_of_signals(a, b)
        N = spectra_of_pairs(noise, signals, bins.L)
        cl = coupling.decouple(pseudo_power(a, b), bins, N)
        rows = coupling.windows(bins)
        for k, name in enumerate(signals):
            values[name] = cl[..., k, :]
            blocks = zip(signals, rows[k], strict=True)
            windows[name] = {source: window for source, window in blocks if window.any()}
            f_sky[name] = _mean_product(a, b)
    order = pair_names(names, names2, fields2 is None)
    return Bandpowers(bins, *({name: x[name] for name in order} for x in (values, windows, f_sky)))


def field_sequence(fields):
    return [fields] if isinstance(fields, MaskedField) else list(fields)


def sharing_masks(*sequences):
    """The fields with one object for all equal masks, so that its coefficients are computed once."""
    masks = []
    shared = []
    for fields in sequences:
        shared.append([])
        for x in fields:
            mask = next((mask for mask in masks if mask == x.mask), x.mask)
            masks.append(mask)
            shared[-1].append(x._replace(mask=mask))
    return shared


def signal_names(fields, argument):
    for field in fields:
        if not isinstance(field, MaskedField):
            raise TypeError(
                f"{argument} contains {type(field).__name__}; expected fields from "
                "spherekit.spectra.masked_field"
            )
    names = [name for field in fields for name in field.names]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"{argument} has the signals {', '.join(names) or '(none)'}; expected at least one, each of "
            "another name: pass names to masked_field"
        )
    return names


def pair_names(names, names2, is_auto):
    """The pairs in the order of codes: TT EE BB TE EB TB, or TT EE BB TE EB ET BE TB BT."""
    pairs = pairs_by_diagonal(names, None if is_auto else names2)
    return [a + b for a, b in pairs]


def _check_places(fields):
    """Refuse fields on different grids, or in different frames."""
    grids = {x.mask.grid for x in fields}
    if len(grids) > 1:
        raise ValueError(
            f"the fields are on the grids {' and '.join(sorted(map(repr, grids)))}; expected one grid: "
            "change the resolution of maps (spherekit.fields.regrid), and mask them there"
        )
    common_frame(**{x.names[0]: x.mask for x in fields})


def _checked_couplings(couplings, pairs):
    """The argument ``couplings`` as a dict, compared with the pairs of fields by their numbers."""
    if couplings is None:
        return {}
    if isinstance(couplings, Coupling):
        if len(pairs) > 1:
            raise ValueError(
                f"couplings is one coupling, the fields have {len(pairs)} pairs; expected a dict by the "
                f"numbers of two fields, {', '.join(map(str, pairs))}"
            )
        couplings = dict.fromkeys(pairs, couplings)
    if not isinstance(couplings, Mapping):
        raise TypeError(
            f"couplings is {type(couplings).__name__}; expected a dict of couplings by the numbers of two "
            f"fields, {', '.join(map(str, pairs))}"
        )
    for key, coupling in couplings.items():
        if key not in pairs:
            raise ValueError(
                f"couplings has the key {key!r}; expected the numbers of two fields, "
                f"{', '.join(map(str, pairs))}"
            )
        check_coupling(coupling, *pairs[key], f"couplings[{key}]")
    return couplings


def _mean_product(field, field2):
    """The mean of the product of the masks over the sphere."""
    product = field.mask.values * field2.mask.values
    return float(np.sum(field.mask.grid.weights * product) / (4 * np.pi))


def _check_modes(field, field2, bins):
    """Raise ValueError where the masks select fewer modes than there are bins."""
    fraction = min(field.mask.fraction, field2.mask.fraction)
    modes = fraction * (bins.stop**2 - bins.first**2).sum()
    if modes < bins.n:
        raise ValueError(
            f"the mask selects {fraction:.2%} of the sphere, about {modes:.1f} modes of the degrees of the "
            f"bins, fewer than the {bins.n} bins; pass wider bins, or a mask that selects more"
        )


def checked_noise(noise, names, names2):
    if noise is None:
        return {}
    if not isinstance(noise, Mapping):
        raise TypeError(
            f"noise is {type(noise).__name__}; expected a dict of spectra by pair, such as "
            f"{{{names[0] + names2[0]!r}: N_l}}"
        )
    pairs = [a + b for a in names for b in names2]
    unknown = [name for name in noise if name not in pairs]
    if unknown:
        raise ValueError(
            f"noise has the spectra {', '.join(map(str, unknown))}; the fields have {', '.join(pairs)}"
        )
    return noise


def spectra_of_pairs(noise, names, L):
    """The pseudo-spectra of the noise of these pairs (n, L), or None."""
    if not any(name in noise for name in names):
        return None
    return np.stack([_of_degrees(noise.get(name, 0.0), f"the noise {name}", L) for name in names])


def _of_degrees(values, name, L):
    values = checks.as_float_array(values, name)
    if np.iscomplexobj(values) or values.shape not in ((), (1,), (L,)):
        raise ValueError(
            f"{name} has shape {values.shape} and dtype {values.dtype}; expected a real number or ({L},) "
            "values, one for each degree"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinite values; expected finite values")
    return np.broadcast_to(values, (L,))


def checked_spectra(cl, signals, L):
    """Spectra of L degrees by pair of signals, which are checked.

    Of spectra of T, E and B those of absent signals are left out; all other names, and spectra none of which
    is of the signals, are refused.

    >>> checked_spectra({"TT": [1, 2, 3]}, ["T"], 2)
    {'TT': array([1., 2.])}
    """
    pairs = list(dict.fromkeys(a + b for a in signals for b in signals))
    if not isinstance(cl, Mapping):
        raise TypeError(
            f"cl is {type(cl).__name__}; expected a dict of spectra by pair, such as {{{pairs[0]!r}: C_l}}"
        )
    unknown = [name for name in cl if name not in (*pairs, *_OF_SKIES)]
    if not any(name in pairs for name in cl):
        unknown = list(cl)
    if unknown:
        raise ValueError(
            f"cl has the spectra {', '.join(map(str, unknown))}; the pairs of signals are {', '.join(pairs)}"
        )
    return {name: checked_spectrum(cl[name], name, L) for name in cl if name in pairs}


def checked_spectrum(values, name, L):
    values = checks.as_float_array(values, name)
    if np.iscomplexobj(values) or values.ndim != 1 or values.size < L:
        raise ValueError(
            f"the spectrum {name} has shape {values.shape} and dtype {values.dtype}; expected at least {L} "
            f"real values, l = 0..{L - 1}"
        )
    if not np.isfinite(values[:L]).all():
        raise ValueError(f"the spectrum {name} contains NaN or infinite values")
    return values[:L]


def spectrum_of_pair(spectra, name):
    """The spectrum of a pair of signals in either order, or None."""
    return spectra.get(name, spectra.get(name[::-1]))
