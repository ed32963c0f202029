"""Templates projected out of masked fields, and the bias of their spectra.

The masked field w d minus its projection on the masked templates w t_i is w d', with

    d' = d - sum_i a_i t_i,    a_i = sum_j F_ij <w t_j, w d>,    (F^-1)_ij = <w t_i, w t_j>,

and <x, y> the integral of the product over the sphere (of spin fields of Re(conj(x) y)). The projection also
removes the part of the signal that looks like the templates, so that the pseudo-spectrum has a bias, which
depends on the spectrum of the signal (Elsner, Leistedt and Peiris 2017, MNRAS 465, 1847; Alonso, Sanchez and
Slosar 2019, MNRAS 484, 4127, section 2.1.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit._core.labeled import check_coordinates, is_map
from spherekit.conventions import eb_to_spin, spin_to_eb
from spherekit.conventions.indexing import degrees
from spherekit.harmonic import inverse
from spherekit.linear import cast
from spherekit.sampling.base import Grid
from spherekit.spectra.angular_power import power
from spherekit.spectra.bandpowers import checked_spectra, spectrum_of_pair
from spherekit.spectra.mask import Mask, in_double, iterated_forward, observed_samples
from spherekit.spectra.masked_fields import MaskedField, masked_field
from spherekit.spectra.masked_input import (
    check_observed,
    common_frame,
    grid_of,
    samples_of_spin,
)
from spherekit.spectra.normal_equations import scaled_matrix

#: Largest condition number of the matrix <w t_i, w t_j> of templates with norm 1.
MAX_CONDITION = 1e8


class Deprojected(NamedTuple):
    """Result of `deproject`.

    Attributes
    ----------
    cleaned : ndarray [shape=(..., *grid.shape)]
        The maps without the templates, and 0 where the mask is 0.
    amplitudes : float64 ndarray [shape=(..., n)]
        The amplitude a_i of each template.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.spectra import deproject
    >>> deproject(np.full(12, 3.0), np.ones(12), [np.ones(12)], sampling="healpix:1").amplitudes
    array([3.])
    """

    cleaned: np.ndarray
    amplitudes: np.ndarray


def deproject(
    f: ArrayLike,
    mask: Mask | ArrayLike,
    templates: ArrayLike,
    *,
    spin: int = 0,
    sampling: str | Grid | None = None,
) -> Deprojected:
    """Remove the projection of masked maps on masked templates.

    Parameters
    ----------
    f : array_like [shape=(..., *grid.shape)], or Map
        Maps: real of spin 0, else complex, such as Q + i U, or a `spherekit.io.Map`, as of `masked_field`.
        Samples where ``mask`` is 0 may be missing (NaN, infinite or UNSEEN).
    mask : Mask, or array_like [shape=grid.shape]
        Weights, as in `sky_fraction`.
    templates : array_like [shape=(n, *grid.shape)]
        Templates, real or complex as ``f``, or a `Map` of n real fields of spin 0; both components of a spin
        template have one amplitude. Samples where ``mask`` is 0 may be missing.
    spin : int
        Spin of the maps.
    sampling : str or Grid, optional
        Grid of the maps, as in `spherekit.harmonic.forward`; required unless ``f`` or ``mask`` states it, a
        `Map` or a `Mask`.

    Returns
    -------
    Deprojected
        ``(cleaned, amplitudes)``, differentiable by ``f``, which must not contain missing samples then.

    Raises
    ------
    TypeError
        Maps, templates or a mask of another dtype, with a unit or with masked entries; complex maps or
        templates of spin 0, real ones of another spin.
    ValueError
        Shapes, grids or frames that do not match; missing samples where the mask is not 0; templates that are
        zero where the mask is not, or linearly dependent there (with their numbers); an invalid mask.

    See Also
    --------
    deprojection_bias : the bias of the spectrum.
    remove_templates : templates, monopole and dipole removed from all samples.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit.sampling import HEALPix
    >>> from spherekit.spectra import deproject
    >>> grid = HEALPix(8)
    >>> dust = np.exp(-(((grid.theta - 1.5) / 0.3) ** 2))
    >>> cleaned, amplitudes = deproject(2 * dust, grid.theta < 1.8, [dust, dust**2], sampling=grid)
    >>> bool(abs(cleaned).max() < 1e-12), amplitudes.round(6) + 0.0
    (True, array([2., 0.]))
    """
    grid = grid_of(sampling, f=f, mask=mask)
    common_frame(f=f, mask=mask, templates=templates)
    mask = _as_mask(mask, grid)
    spin = checks.spin_number(spin, mask.L)
    f = observed_samples(f, mask, mask.L, spin)
    projector = _Projector(templates, mask, spin)
    amplitudes = projector.amplitudes(in_double(f))
    kind = checks.real_type(f) if spin == 0 else np.result_type(f)
    n = amplitudes.shape[-1]
    rows = anp.reshape(amplitudes, (-1, n)) + (0j if spin else 0.0)
    model = anp.reshape(anp.dot(rows, projector.templates.reshape(n, -1)), f.shape)
    return Deprojected(f - cast(model, kind), amplitudes)


def deprojection_bias(
    field: MaskedField,
    field2: MaskedField | None = None,
    *,
    cl: Mapping[str, ArrayLike],
    templates: ArrayLike | None = None,
    templates2: ArrayLike | None = None,
) -> np.ndarray:
    """The bias of the pseudo-spectrum of two fields after the deprojection of templates.

    The mean of `pseudo_power` of the deprojected fields is that without deprojection plus the bias, which is
    to be subtracted, for instance as part of ``noise`` of `Coupling.decouple`. It is linear in the spectra,
    and as good as they are.

    Parameters
    ----------
    field, field2 : MaskedField
        Fields; ``field2`` is ``field`` by default. Their masks, spins and purity are used, not their
        coefficients.
    cl : dict of str to array_like [shape=(n_l,)], n_l >= L
        Estimates of the spectra of the maps on the full sky, by pair: signal times beams, and noise (for
        pairs of maps with the same noise). Pairs that are absent are zero.
    templates, templates2 : array_like [shape=(n, *grid.shape)], optional
        The templates that were deprojected from either field; None for none. ``templates2`` is
        ``templates`` if ``field2`` is None.

    Returns
    -------
    float64 ndarray [shape=(n, L)]
        Of the pairs of signals in the order of `pseudo_power`.

    Raises
    ------
    TypeError
        Arguments of other types.
    ValueError
        No templates of either field, or invalid ones, as in `deproject`; fields on different grids or of
        different band-limits; spectra of pairs of other signals, with fewer degrees than L or with NaN or
        infinite values.

    See Also
    --------
    deproject : the deprojection.

    Examples
    --------
    The power of white noise that a template removes:

    >>> import numpy as np
    >>> from spherekit.sampling import GL
    >>> from spherekit.spectra import deproject, deprojection_bias, masked_field
    >>> grid = GL(8)
    >>> template = np.cos(grid.theta)[:, None] * np.ones(grid.shape)              # of degree 1
    >>> T = masked_field(np.zeros(grid.shape), 8, sampling=grid)
    >>> bias = deprojection_bias(T, cl={"TT": np.ones(8)}, templates=[template])
    >>> bias[0, :3].round(6) + 0.0                                                # one of three modes
    array([ 0.      , -0.333333,  0.      ])
    """
    for argument, x in (("field", field), ("field2", field if field2 is None else field2)):
        if not isinstance(x, MaskedField):
            raise TypeError(f"{argument} is {type(x).__name__}; expected a MaskedField")
    if field2 is None:
        field2, templates2 = field, templates
    if templates is None and templates2 is None:
        raise ValueError("templates are missing; pass those of either field, or of both")
    if (field.mask.grid, field.L) != (field2.mask.grid, field2.L):
        raise ValueError(
            f"the fields are of {field.mask.grid!r} with L = {field.L} and of {field2.mask.grid!r} with L = "
            f"{field2.L}; expected the same"
        )
    first, second = (
        None if t is None else _Projector(t, x.mask, x.spin)
        for x, t in ((field, templates), (field2, templates2))
    )
    spectra = _spectra_of_signals(cl, field, field2)
    bias = 0.0
    if first is not None:
        filtered = first.filtered(spectra, field2)
        bias = bias - first.cross(field, _signals(filtered, field2), first.inverse)
    if second is not None:
        filtered = second.filtered(spectra.transpose(1, 0, 2), field)
        pairs = second.cross(field2, _signals(filtered, field), second.inverse)
        shape = len(field2.names), len(field.names), field.L
        bias = bias - pairs.reshape(shape).transpose(1, 0, 2).reshape(-1, field.L)
    if first is not None and second is not None:
        moments = first.products(filtered)
        weights = first.inverse @ moments @ second.inverse
        bias = bias + first.cross(field, _signals(second.templates, field2), weights)
    return bias


class _Projector:
    """Templates, and the inverse F of their normal matrix."""

    def __init__(self, templates, mask, spin):
        self.mask = mask
        grid = mask.grid
        templates = _template_samples(templates, spin, grid)
        if templates.ndim != 1 + len(grid.shape) or templates.shape[1:] != tuple(grid.shape):
            raise ValueError(
                f"templates has shape {templates.shape}; expected (n, {', '.join(map(str, grid.shape))}), of "
                "n templates"
            )
        observed = mask.values > 0
        check_observed(templates, observed, "templates")
        kind = np.complex128 if np.iscomplexobj(templates) else np.float64
        self.templates = np.where(observed, templates, 0).astype(kind)
        self.spin = spin
        self.weights = np.broadcast_to(grid.weights, grid.shape) * mask.values**2
        self.inverse = _inverse(self.products(self.templates))

    def products(self, f):
        """<w t_i, w f_k> of templates and maps [shape=(n, n_maps)]."""
        n = len(self.templates)
        rows = (self.templates.conj() * self.weights).reshape(n, -1)
        return (rows @ f.reshape(len(f), -1).T).real

    def amplitudes(self, f):
        """The amplitudes of maps [shape=(..., n)]; differentiable."""
        rows = np.tensordot(self.inverse, self.templates.conj() * self.weights, axes=1)
        lead = f.shape[: f.ndim - self.weights.ndim]
        flat = anp.reshape(f, (*lead, -1))
        return anp.real(anp.dot(flat, rows.reshape(len(rows), -1).T))

    def filtered(self, spectra, field2):
        """The maps C * (w^2 t_j), in the signals of another field."""
        L = field2.L
        options = dict(sampling=self.mask.grid, threads=self.mask.threads)
        flm = iterated_forward(
            self.templates * self.mask.values**2,
            L,
            self.mask.iterations,
            spin=self.spin,
            reality=self.spin == 0,
            **options,
        )
        signals = np.stack(spin_to_eb(flm, spin=self.spin) if self.spin else [flm])
        filtered = np.einsum("ank,abk->bnk", signals, spectra[..., degrees(L)])
        if field2.spin == 0:
            return inverse(filtered[0], L, reality=True, **options)
        return inverse(eb_to_spin(*filtered, spin=field2.spin), L, spin=field2.spin, **options)

    def cross(self, field, signals, weights):
        """sum_ij weights_ij of the spectra of template i and of signal j [shape=(n_pairs, L)]."""
        coefficients = _signals(self.templates, field)
        combined = np.einsum("ij,jbk->ibk", weights, signals)
        return np.stack(
            [
                power(coefficients[:, a], combined[:, b]).sum(axis=0)
                for a in range(coefficients.shape[1])
                for b in range(combined.shape[1])
            ]
        )


def _signals(f, field):
    """Coefficients of maps, masked and purified as the signals of a field [shape=(n, n_signals, L*L)]."""
    purify = "".join(
        name for name, pure in zip("EB", field.pure, strict=False) if pure and field.spin
    )
    options = dict(spin=field.spin, sampling=field.mask.grid, purify=purify)
    return masked_field(f, field.L, field.mask, threads=field.mask.threads, **options).flm


def _spectra_of_signals(cl, field, field2):
    """The spectra of the signals of two fields [shape=(n, n2, L)]."""
    cl = checked_spectra(cl, (*field.names, *field2.names), field.L)
    zeros = np.zeros(field.L)
    spectra = [[spectrum_of_pair(cl, a + b) for b in field2.names] for a in field.names]
    return np.array([[zeros if x is None else x for x in row] for row in spectra])


def _as_mask(mask, grid):
    if not isinstance(mask, Mask):
        return Mask(mask, grid.default_L, grid)
    if mask.grid != grid:
        raise ValueError(f"the mask is of {mask.grid!r}, the maps are of {grid!r}; pass one grid")
    return mask


def _template_samples(templates, spin, grid):
    """Templates of a spin as an array, of a `Map` of one with a first axis."""
    check_coordinates(templates, grid, "templates")
    of_map = is_map(templates)
    if spin == 0:  # also a Map of fields of any names
        templates = checks.as_float_array(templates, "templates")
    templates = samples_of_spin(templates, spin, grid, "templates")
    return templates[None] if of_map and templates.shape == tuple(grid.shape) else templates


def _inverse(matrix):
    """The inverse of the normal matrix; raises ValueError for templates that are zero or dependent."""
    names = [str(i) for i in range(len(matrix))]
    scaled, norms, _ = scaled_matrix(matrix, names, MAX_CONDITION)
    return np.linalg.inv(scaled) / np.outer(norms, norms)
