"""Pseudo-spectra of masked fields, and their coupling to the spectra of the full sky.

The mean spectrum of masked fields is ``M C``, with the mode-coupling matrix M of their masks (Hivon et al.
2002, ApJ 567, 2; Kogut et al. 2003, ApJS 148, 161, appendix A, for spin 2). Bandpowers solve this equation
for spectra that are constant in each bin.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core.traced import as_float_array
from spherekit.spectra.angular_power import power
from spherekit.spectra.bins import Bins
from spherekit.spectra.decoupling import flat_matrix, solve
from spherekit.spectra.masked_fields import MaskedField
from spherekit.spectra.masked_input import common_frame
from spherekit.spectra.mode_coupling import coupling_matrix

#: Largest difference of the spectra of the same masks, relative to their largest value.
SAME_MASKS = 1e-9


def pseudo_power(field: MaskedField, field2: MaskedField | None = None) -> np.ndarray:
    """Spectra of masked fields: those of the signals of ``field`` with those of ``field2``.

    Parameters
    ----------
    field, field2 : MaskedField
        Fields of the same band-limit; ``field2`` is ``field`` by default.

    Returns
    -------
    float64 ndarray [shape=(..., n, L)]
        Of the pairs of signals in the order TT; TE, TB; ET, BT; or EE, EB, BE, BB. Differentiable.

    Raises
    ------
    TypeError
        An argument that is not a `MaskedField`.
    ValueError
        Band-limits that differ.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import masked_field, pseudo_power
    >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
    >>> round(float(pseudo_power(T)[0, 0] / (4 * np.pi)), 6)
    1.0
    """
    field2 = field if field2 is None else field2
    _check_fields(field, field2)
    pairs = [
        power(field.flm[..., i, :], field2.flm[..., j, :])
        for i in range(len(field.names))
        for j in range(len(field2.names))
    ]
    return anp.stack(pairs, axis=-2)


@dataclass(frozen=True, eq=False)
class Coupling:
    """The coupling of the spectra of two fields by their masks.

    `Coupling.of` returns that of two masked fields. It depends on the masks, spins and beams only, so one
    object serves all maps of the same masks.

    Attributes
    ----------
    mask_power : float64 ndarray [shape=(n_l,)]
        Cross-spectrum of the two masks. Read-only, as ``beam``.
    L : int
        Band-limit of the spectra.
    spins : tuple of int
        The spins of the two fields.
    pure : tuple of tuple of bool
        Whether each signal of each field is pure.
    beam : float64 ndarray [shape=(n, L)]
        Product of the window functions of each pair of signals.
    names : tuple of str
        The n pairs of signals, such as ("EE", "EB", "BE", "BB").

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import Bins, Coupling, masked_field, pseudo_power
    >>> grid = HEALPix(16)
    >>> T = masked_field(np.random.default_rng(0).standard_normal(3072), 32, grid.theta < 1.5, sampling=grid)
    >>> coupling = Coupling.of(T)
    >>> bandpowers = coupling.decouple(pseudo_power(T), Bins.linear(32, 10))
    >>> (bandpowers * 3072 / (4 * np.pi)).round(1)                         # white noise, 4 pi / pixels
    array([[1.3, 0.7, 1. ]])
    """

    mask_power: np.ndarray = field(repr=False)
    L: int
    spins: tuple
    pure: tuple
    beam: np.ndarray = field(repr=False)
    names: tuple

    def __post_init__(self):
        for name in ("mask_power", "beam"):
            object.__setattr__(self, name, _read_only(getattr(self, name)))

    @classmethod
    def of(cls, field: MaskedField, field2: MaskedField | None = None) -> Coupling:
        """The coupling of two masked fields, or of one with itself.

        Parameters
        ----------
        field, field2 : MaskedField
            Fields of the same band-limit; ``field2`` is ``field`` by default.

        Returns
        -------
        Coupling

        Raises
        ------
        TypeError
            An argument that is not a `MaskedField`.
        ValueError
            Band-limits that differ.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Coupling, masked_field
        >>> P = masked_field(np.ones(768) + 0j, 16, spin=2, sampling="healpix:8")
        >>> Coupling.of(P).names
        ('EE', 'EB', 'BE', 'BB')
        """
        field2 = field if field2 is None else field2
        _check_fields(field, field2)
        mask_power = field.mask.power(field2.mask)
        beam = _product_of_beams(field, field2)
        names = pairs_of_signals(field, field2)
        spins = field.spin, field2.spin
        return cls(mask_power, field.L, spins, (field.pure, field2.pure), beam, names)

    @cached_property
    def _matrix(self):
        matrix = (
            coupling_matrix(self.mask_power, self.L, *self.spins, **self._pure) * self.beam[:, None]
        )
        matrix.flags.writeable = False
        return matrix

    @property
    def _pure(self):
        return dict(pure=self.pure[0], pure2=self.pure[1])

    def matrix(self) -> np.ndarray:
        """The mode-coupling matrix, times the beams: pseudo-spectrum i at l from spectrum j at l'.

        Returns
        -------
        float64 ndarray [shape=(n, n, L, L)]
            Read-only; computed once.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Coupling, masked_field
        >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
        >>> bool(np.allclose(Coupling.of(T).matrix()[0, 0], np.eye(16)))
        True
        """
        return self._matrix

    def with_matrix(self, matrix: np.ndarray) -> Coupling:
        """This coupling with its matrix, as `matrix` returned it, such as one from a file.

        Parameters
        ----------
        matrix : float64 ndarray [shape=(n, n, L, L)]
            It is not copied: do not change it later.

        Returns
        -------
        Coupling

        Raises
        ------
        ValueError
            A matrix of another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Coupling, masked_field
        >>> coupling = Coupling.of(masked_field(np.ones(768), 16, sampling="healpix:8"))
        >>> bool((coupling.with_matrix(np.zeros((1, 1, 16, 16))).matrix() == 0).all())
        True
        """
        expected = (len(self.names),) * 2 + (self.L,) * 2
        if matrix.shape != expected:
            raise ValueError(f"matrix has shape {matrix.shape}; expected {expected}")
        coupling = replace(self)
        vars(coupling)["_matrix"] = matrix.view()
        coupling.matrix().flags.writeable = False
        return coupling

    def binned(self, bins: Bins) -> np.ndarray:
        """The rows of the matrix summed over the degrees of each bin, with its weights.

        Parameters
        ----------
        bins : Bins
            Of the same band-limit.

        Returns
        -------
        float64 ndarray [shape=(n, n, bins.n, L)]

        Raises
        ------
        TypeError, ValueError
            Bins of another type or band-limit.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Bins, Coupling, masked_field
        >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
        >>> Coupling.of(T).binned(Bins.linear(16, 7)).shape
        (1, 1, 2, 16)
        """
        rows = self._checked_bins(bins).matrix()
        if "_matrix" in vars(self):
            return np.matmul(rows, self._matrix)
        matrix = coupling_matrix(self.mask_power, self.L, *self.spins, **self._pure, bins=rows)
        return matrix * self.beam[:, None]

    def couple(self, cl: ArrayLike) -> np.ndarray:
        """The mean pseudo-spectra of fields with given spectra.

        Parameters
        ----------
        cl : array_like [shape=(..., n, L)]
            Spectra of the full sky, without beams, in the order of ``names``.

        Returns
        -------
        float64 ndarray [shape=(..., n, L)]
            Differentiable.

        Raises
        ------
        TypeError, ValueError
            Arrays of another type or shape.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Coupling, masked_field
        >>> T = masked_field(np.ones(768), 16, np.full(768, 0.5), sampling="healpix:8")
        >>> Coupling.of(T).couple(np.ones((1, 16)))[0, :3].round(4)
        array([0.25, 0.25, 0.25])
        """
        return _apply(self.matrix(), self._checked_spectra(cl, "cl"))

    def decouple(self, pseudo: ArrayLike, bins: Bins, noise: ArrayLike | None = None) -> np.ndarray:
        """Bandpowers of the full sky from pseudo-spectra.

        The solution of ``bin(pseudo - noise) = bin(M unbin(bandpowers))`` (Hivon et al. 2002, eq. 18-20).
        Degrees outside of the bins are taken to have no power.

        Parameters
        ----------
        pseudo : array_like [shape=(..., n, L)]
            Pseudo-spectra, in the order of ``names``.
        bins : Bins
            Of the same band-limit.
        noise : array_like, broadcasts to (n, L), optional
            Pseudo-spectra of the noise, which are subtracted.

        Returns
        -------
        float64 ndarray [shape=(..., n, bins.n)]
            Corrected for the beams. Differentiable.

        Raises
        ------
        TypeError
            Arrays or bins of another type.
        ValueError
            Shapes that do not match; a binned matrix that cannot be inverted, with the bins; a bin at whose
            degrees the product of the beams is below 1e-12 of its largest value, as in `beam_window`.

        Warns
        -----
        UserWarning
            Bins that are too narrow for the mask: their errors are more than 10 times those that the sky
            fraction gives. For white spectra and masks of zeros and ones the covariance of the
            pseudo-spectra is proportional to the coupling matrix K, so that the variances of the bandpowers
            are those of uncoupled bins times K_bb (K^-1)_bb. The message names the bins and the number of
            degrees that the observed region resolves, pi / its radius.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Bins, Coupling, masked_field
        >>> T = masked_field(np.ones(768), 16, np.full(768, 0.5), sampling="healpix:8")
        >>> Coupling.of(T).decouple(np.full((1, 16), 0.25), Bins.linear(16, 7)).round(4)
        array([[1., 1.]])
        """
        pseudo = self._checked_spectra(pseudo, "pseudo")
        if noise is not None:
            pseudo = pseudo - self._checked_spectra(noise, "noise")
        bins = self._checked_bins(bins)
        return _apply(self._solution(bins).inverse, bins.bin(pseudo))

    def windows(self, bins: Bins) -> np.ndarray:
        """Bandpower windows: the mean bandpowers of fields with given spectra are ``windows . spectra``.

        Parameters
        ----------
        bins : Bins
            Of the same band-limit.

        Returns
        -------
        float64 ndarray [shape=(n, n, bins.n, L)]
            Bandpower b of pair i from spectrum j at l; of spectra without beams.

        Raises
        ------
        TypeError, ValueError
            As `decouple`.

        Examples
        --------
        >>> import numpy as np
        >>> from spherekit.spectra import Bins, Coupling, masked_field
        >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
        >>> Coupling.of(T).windows(Bins.linear(16, 7))[0, 0, 0, :11].round(2) + 0.0
        array([0.  , 0.  , 0.14, 0.14, 0.14, 0.14, 0.14, 0.14, 0.14, 0.  , 0.  ])
        """
        return self._solution(bins).windows

    def _solution(self, bins):
        """The `_Solution` of the bins, that of the last call if they are equal."""
        latest = vars(self).get("_latest")
        if latest is None or latest[0] != bins:
            latest = bins, solve(self.binned(bins), self.names, bins, self.beam, self._narrowest())
            vars(self)["_latest"] = latest
        return latest[1]

    def _narrowest(self):
        """The number of degrees of bins that the observed region can resolve, pi / its radius."""
        ell = np.arange(self.mask_power.size)
        square = (2 * ell + 1) @ self.mask_power
        fraction = self.mask_power[0] / square if square > 0 else 1.0  # of the sphere
        return round(float(np.pi / np.arccos(1 - 2 * np.clip(fraction, 1e-9, 1))))

    def _checked_bins(self, bins):
        if not isinstance(bins, Bins):
            raise TypeError(f"bins is {type(bins).__name__}; expected spherekit.spectra.Bins")
        if bins.L != self.L:
            raise ValueError(
                f"the bins have the band-limit {bins.L}, the fields {self.L}; pass L={self.L} to the bins"
            )
        return bins

    def _checked_spectra(self, cl, name):
        cl = as_float_array(cl, name)
        expected = len(self.names), self.L
        if anp.iscomplexobj(cl) or np.shape(cl)[-2:] != expected:
            raise ValueError(
                f"{name} has shape {np.shape(cl)} and dtype {cl.dtype}; expected real spectra of shape "
                f"(..., {expected[0]}, {expected[1]}), of {', '.join(self.names)} at l = 0..{self.L - 1}"
            )
        return cl


def _apply(matrix, cl):
    """The product of a matrix (n, n, rows, columns) and spectra (..., n, columns)."""
    n, _, rows, columns = matrix.shape
    shape = np.shape(cl)[:-2]
    product = anp.dot(anp.reshape(cl, (*shape, n * columns)), flat_matrix(matrix).T)
    return anp.reshape(product, (*shape, n, rows))


def _read_only(x):
    """A read-only copy of an array, or the array if it and what it is a view of are read-only."""
    if x.flags.writeable or x.base is not None:
        x = x.copy()
    x.flags.writeable = False
    return x


def pairs_of_signals(field, field2):
    """The pairs of signals of two masked fields, in the order of `pseudo_power`.

    >>> from spherekit.spectra import masked_field
    >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
    >>> pairs_of_signals(T, T)
    ('TT',)
    """
    return tuple(a + b for a in field.names for b in field2.names)


def _product_of_beams(field, field2):
    return (field.beam[:, None] * field2.beam[None]).reshape(-1, field.L)


def check_coupling(coupling, field, field2, name):
    """Refuse a coupling of other fields; masks are compared if their coefficients are known.

    Raises
    ------
    TypeError
        Not a `Coupling`.
    ValueError
        Another band-limit, other spins, pure signals, beams or masks.

    >>> from spherekit.spectra import masked_field
    >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
    >>> check_coupling(Coupling.of(T), T, T, "coupling")
    """
    if not isinstance(coupling, Coupling):
        raise TypeError(f"{name} is {type(coupling).__name__}; expected spherekit.spectra.Coupling")
    expected = dict(
        L=field.L, spins=(field.spin, field2.spin), pure=(tuple(field.pure), tuple(field2.pure))
    )
    for attribute, value in expected.items():
        present = getattr(coupling, attribute)
        if present != value:
            raise ValueError(
                f"{name} has {attribute} = {present}, the fields {value}; expected their coupling, "
                "Coupling.of(field, field2)"
            )
    if not np.array_equal(coupling.beam, _product_of_beams(field, field2)):
        raise ValueError(f"{name} has another beam than the fields; expected that of their beams")
    if field.mask.has_coefficients and field2.mask.has_coefficients:
        if not has_mask_power(coupling, field.mask, field2.mask):
            raise ValueError(
                f"{name} is that of other masks: its mask_power differs from that of the masks of the fields"
            )


def has_mask_power(coupling, mask, mask2):
    """Whether the ``mask_power`` of a coupling is the cross-spectrum of two masks, up to rounding.

    >>> from spherekit.spectra import masked_field
    >>> T = masked_field(np.ones(768), 16, sampling="healpix:8")
    >>> has_mask_power(Coupling.of(T), T.mask, T.mask)
    True
    """
    expected = mask.power(mask2)
    if coupling.mask_power.size != expected.size:
        return False
    difference = np.abs(coupling.mask_power - expected).max()
    return bool(difference <= SAME_MASKS * np.abs(expected).max())


def _check_fields(field, field2):
    for x in (field, field2):
        if not isinstance(x, MaskedField):
            raise TypeError(
                f"got {type(x).__name__}; expected fields from spherekit.spectra.masked_field"
            )
    if field.L != field2.L:
        raise ValueError(
            f"the fields have the band-limits {field.L} and {field2.L}; expected the same"
        )
    common_frame(**{"the first field": field.mask, "the second": field2.mask})
