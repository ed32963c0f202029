"""Change of resolution of fields on HEALPix grids, by means of pixels and by repetition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.io import Map
from spherekit.linear import is_traced
from spherekit.sampling import Grid, HEALPix
from spherekit.sampling import grid as as_grid

if TYPE_CHECKING:
    import xarray


def degrade(
    f: ArrayLike | Map | xarray.DataArray,
    nside: int,
    *,
    power: float | None = None,
    pessimistic: bool = False,
    threshold: float | None = None,
    sampling: Grid | str | None = None,
    threads: int | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """Lower the resolution of a field on a HEALPix grid: the means of the samples in each larger pixel.

    Missing samples are ignored (`spherekit.sampling.healpix.degrade`). Of Q and U, and of other spin fields,
    the components are averaged as if they were scalars, as ``healpy.ud_grade`` does, although the directions
    to which they refer differ from pixel to pixel, most of all near the poles; `regrid` is exact.

    Parameters
    ----------
    f : array_like [shape=(..., 12 nside_in^2)], Map, DataArray or Dataset
        Samples in ring order, or boolean masks. The variables of a Dataset on HEALPix pixels are averaged.
    nside : int
        The new nside, a divisor of that of the field.
    power : float, optional
        The means are multiplied by (nside / nside_in)^power: -2 for counts, 2 for variances.
    pessimistic : bool
        A pixel with any missing sample is UNSEEN.
    threshold : float, optional
        Of boolean masks only, 0 < threshold <= 1: a pixel is True if at least this fraction of its pixels is,
        by default 0.5.
    sampling : HEALPix or str
        The grid of an array, or its name.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray, Map, DataArray or Dataset
        As ``f``. Arrays are differentiable, if no samples are missing.

    Raises
    ------
    ValueError
        A grid that is not HEALPix, an nside that does not divide that of the field, infinite samples.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`; ``threshold`` with numbers, ``power`` or
        ``pessimistic`` with boolean masks; arguments of other types.
    MemoryError
        The result does not fit into memory.

    See Also
    --------
    regrid : the change of grid of band-limited fields.
    upgrade : the repetition of samples.

    Examples
    --------
    >>> from spherekit import datasets, fields
    >>> f = datasets.wmap_w()
    >>> coarse = fields.degrade(f, 8, sampling="healpix:32")
    >>> f"{f.std():.3f} mK, means of 16 pixels {coarse.std():.3f} mK"
    '0.246 mK, means of 16 pixels 0.188 mK'
    """
    options = dict(power=power, pessimistic=pessimistic, threshold=threshold, threads=threads)
    return _convert("degrade", f, nside, sampling, options)


def upgrade(
    f: ArrayLike | Map | xarray.DataArray,
    nside: int,
    *,
    power: float | None = None,
    sampling: Grid | str | None = None,
    threads: int | None = None,
) -> np.ndarray | Map | xarray.DataArray:
    """Raise the resolution of a field on a HEALPix grid: each sample is repeated in the smaller pixels.

    Parameters
    ----------
    f : array_like [shape=(..., 12 nside_in^2)], Map, DataArray or Dataset
        Samples in ring order, or boolean masks.
    nside : int
        The new nside, a multiple of that of the field.
    power : float, optional
        The samples are multiplied by (nside / nside_in)^power: -2 for counts.
    sampling : HEALPix or str
        The grid of an array, or its name.
    threads : int, optional
        Number of threads. The result does not depend on it.

    Returns
    -------
    ndarray, Map, DataArray or Dataset
        As ``f``. Arrays are differentiable.

    Raises
    ------
    ValueError
        A grid that is not HEALPix, an nside that is no multiple of that of the field.
    TypeError
        ``sampling`` missing for an array or passed with a `Map`; arguments of other types.
    MemoryError
        The result does not fit into memory.

    See Also
    --------
    regrid : the change of grid of band-limited fields, which is smooth.
    degrade : the means of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from spherekit import fields
    >>> fields.upgrade(np.arange(12), 2, sampling="healpix:1")[:8]
    array([0., 1., 2., 3., 0., 0., 1., 1.])
    """
    return _convert("upgrade", f, nside, sampling, dict(power=power, threads=threads))


def _convert(method, f, nside, sampling, options):
    """Apply a method of the grid to an array, a map, or the maps of xarray."""
    if type(f).__module__.split(".")[0] == "xarray":
        from spherekit.io.xarray_conversion import with_fields

        return with_fields(f, lambda record: _convert(method, record, nside, sampling, options))
    if isinstance(f, Map):
        if sampling is not None:
            raise TypeError("sampling is passed with a Map, which has its grid; omit it")
        source = _healpix(f.grid)
        values = getattr(source, method)(f.values, nside, **options)
        note = f"{method}d from nside {source.nside} to {nside}"
        target = HEALPix(nside, weights=source.weighting)
        return replace(f, values=values, grid=target, layout=None, notes=(*f.notes, note))
    if sampling is None:
        raise TypeError(
            'sampling is required for an array: its grid, such as sampling="healpix:64"'
        )
    f = f if is_traced(f) else checks.as_array(f, "f")
    return getattr(_healpix(as_grid(sampling)), method)(f, nside, **options)


def _healpix(grid):
    if not isinstance(grid, HEALPix):
        raise ValueError(
            f"the grid of the field is {grid}, not HEALPix; spherekit.fields.regrid changes its resolution"
        )
    return grid
