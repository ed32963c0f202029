"""Signals on part of the sphere: the harmonic coefficients of a map times its mask."""

from __future__ import annotations

from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.conventions import spin_to_eb
from spherekit.linear import is_traced
from spherekit.sampling.base import Grid
from spherekit.spectra.beams import beams_of_signals
from spherekit.spectra.mask import Mask, in_double, iterated_forward, mask_on, observed_samples
from spherekit.spectra.masked_input import common_frame, grid_of, warn_beyond_pixels
from spherekit.spectra.purification import pure_signals, warn_of_edges


class MaskedField(NamedTuple):
    """A scalar or spin field times its mask, in harmonic space: the input of `pseudo_power` and `master`.

    `masked_field` returns it.

    Attributes
    ----------
    names : tuple of str
        The signals: of a scalar one, of a spin field E and B.
    spin : int
        Spin of the field, >= 0.
    flm : complex ndarray [shape=(..., n, L*L)]
        Coefficients of the n signals. Read-only, as ``beam``.
    mask : Mask
        The mask, with the grid of the maps.
    beam : float64 ndarray [shape=(n, L)]
        Window function of each signal, of beam and pixels.
    pure : tuple of bool
        Whether each signal is pure (see `masked_field`).

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import masked_field
    >>> grid = HEALPix(8)
    >>> T = masked_field(np.ones(768), 16, grid.theta < 1.5, sampling=grid)
    >>> T.names, T.L, T.flm.shape
    (('T',), 16, (1, 256))
    """

    names: tuple
    spin: int
    flm: np.ndarray
    mask: Mask
    beam: np.ndarray
    pure: tuple

    @property
    def L(self) -> int:
        """The band-limit."""
        return self.beam.shape[-1]


def masked_field(
    f: ArrayLike,
    L: int,
    mask: Mask | ArrayLike | None = None,
    *,
    spin: int = 0,
    sampling: str | Grid | None = None,
    beam: ArrayLike | None = None,
    names: tuple | None = None,
    purify: str = "",
    iterations: int | None = None,
    threads: int | None = None,
) -> MaskedField:
    """A scalar or spin field times its mask, in harmonic space.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)], or Map
        Maps: real of spin 0, else complex, such as Q + i U of spin 2 (COSMO); or a `spherekit.io.Map`, also
        of the two real components of a spin field: Q and U (of the IAU convention with -U), u and v of a
        wind, -v + i u of spin 1. Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    L : int
        Band-limit.
    mask : Mask or array_like [shape=grid.shape], optional
        Weights >= 0 or booleans, as in `sky_fraction`; a `Mask` serves several fields. By default 1
        everywhere.
    spin : int
        Spin of the maps, 0 <= spin < L.
    sampling : str or Grid, optional
        Grid of the maps, as in `spherekit.harmonic.forward`. By default that of a `Map` or `Mask` among the
        arguments, else "mw".
    beam : array_like [shape=(L,) or (2, L)], optional
        Window function by which the coefficients of the signal were multiplied, such as that of the beam
        times that of the pixels; of E and B each, or of both.
    names : tuple of str, optional
        One letter for each signal. By default ("T",), or ("E", "B").
    purify : {"", "E", "B", "EB"}
        Signals of a field of spin 2 that are pure: free of the power that the mask mixes into them from the
        other (Smith 2006, Phys. Rev. D 74, 083002). The mask must go smoothly to 0 (`apodize`). Samples
        where it is 0 are not used; NaMaster uses them, weighted with the derivatives of the mask, which ring
        there.
    iterations : int, optional
        Iterations of the quadrature, as of `Mask`: those of healpy are the default with
        ``HEALPix(nside, weights="equal")``.
    threads : int, optional
        Number of threads, as in `spherekit.harmonic.forward`.

    Returns
    -------
    MaskedField
        Its ``flm`` is differentiable by ``f``, which must not contain missing samples then.

    Raises
    ------
    TypeError
        Maps or a mask of another dtype, with a unit or with masked entries; complex maps of spin 0, real ones
        of another spin; L, spin, iterations or threads that are not integers; a sampling that is neither a
        grid nor a name.
    ValueError
        Invalid masks, as in `sky_fraction`; maps of another shape; a mask on another grid or in another
        frame; missing samples where the mask is not 0; a beam of another shape, or not finite; names of
        another number; ``purify`` of another spin than 2; an invalid L, spin, grid or number of threads.

    Warns
    -----
    UserWarning
        L is larger than 3 nside on HEALPix; pure signals with a mask that has a step at its edge.

    See Also
    --------
    master : decoupled bandpowers.
    pseudo_power : the spectra of the masked fields.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> grid, rng = HEALPix(8), np.random.default_rng(0)
    >>> Q, U = rng.standard_normal((2, 768))
    >>> P = masked_field(Q + 1j * U, 16, grid.theta < 1.5, spin=2, sampling=grid)
    >>> P.names, P.flm.shape
    (('E', 'B'), (2, 256))
    """
    L = checks.band_limit(L)
    grid = grid_of(sampling, L, f=f, mask=mask)
    spin = checks.integer(spin, "spin", 0, L - 1)
    names = _checked_names(names, spin)
    pure = _checked_purify(purify, spin)
    frame = common_frame(f=f, mask=mask)
    mask = mask_on(grid, mask, L, iterations, threads, frame)
    f = observed_samples(f, mask, L, spin)
    warn_beyond_pixels(grid, L)
    options = dict(iterations=mask.iterations, sampling=grid, threads=threads)
    if any(pure):
        warn_of_edges(mask)
        signals = pure_signals(f, L, mask, purify, **options)
    else:
        flm = iterated_forward(
            in_double(f) * mask.values, L, spin=spin, reality=spin == 0, **options
        )
        signals = spin_to_eb(flm, spin=spin) if spin else (flm,)
    beam = beams_of_signals(beam, len(names), L)
    flm = anp.stack(signals, axis=-2)
    for x in (beam,) if is_traced(flm) else (beam, flm):
        x.flags.writeable = False
    return MaskedField(names, spin, flm, mask, beam, pure)


def _checked_names(names, spin):
    default = ("E", "B") if spin else ("T",)
    if names is None:
        return default
    names = tuple(names)
    letters = all(isinstance(name, str) and len(name) == 1 for name in names)
    if len(names) != len(default) or not letters or len(set(names)) < len(names):
        raise ValueError(
            f"names is {names!r}; expected {len(default)} letter(s), one for each signal of a field of spin "
            f"{spin}, such as {default}"
        )
    return names


def _checked_purify(purify, spin):
    pure = tuple(name in purify for name in "EB") if spin else (False,)
    if purify not in ("", "E", "B", "EB"):
        raise ValueError(f"purify is {purify!r}; expected 'E', 'B', 'EB' or ''")
    if purify and spin != 2:
        raise ValueError(
            f"purify is {purify!r}, and spin {spin}; only fields of spin 2 have pure signals"
        )
    return pure
