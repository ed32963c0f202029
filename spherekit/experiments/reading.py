"""The default reader of signals, for experiments that run from Python."""

import os

import numpy as np

from spherekit import io
from spherekit.conventions.indexing import is_hermitian
from spherekit.experiments.signals import Signal
from spherekit.io.alm import is_alm
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.sampling import grid as as_grid
from spherekit.sampling.healpix import HEALPix, reorder


def reader(*, field=None, grid=None, hdu=None, ordering=None):
    """A function that reads a real signal of a file, as ``read=`` of experiments expects.

    FITS files: HEALPix maps, as `spherekit.io.read_map` reads them, and coefficients, as
    `spherekit.io.read_alm`. ``.npz``: coefficients ``flm``, or samples ``values`` with ``grid``; ``.npy``:
    samples. (The commands read with more options.)

    Parameters
    ----------
    field : int or str, optional
        The column of a map, or the array of an ``.npz`` file, by number or name; by default the first one, or
        ``values``.
    grid : str, optional
        Of samples whose file does not say it, such as "mw:64".
    hdu : int or str, optional
        The table of a FITS file.
    ordering : {"ring", "nested"}, optional
        Of HEALPix pixels whose file does not say it.

    Returns
    -------
    callable
        Of a path, and of the same options in place of those; returns a `Signal`.

    >>> import tempfile
    >>> from spherekit import experiments
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npz")
    >>> io.write_arrays(path, values=np.zeros((4, 7)), grid="mw:4")
    >>> experiments.reader()(path).grid.L
    4
    """
    given = {"field": field, "grid": grid, "hdu": hdu, "ordering": ordering}
    given = {name: value for name, value in given.items() if value is not None}

    def read(path, **defaults):
        unknown = defaults.keys() - {"field", "grid", "hdu", "ordering"}
        if unknown:
            raise TypeError(f"no option {', '.join(unknown)}; known are field, grid, hdu, ordering")
        options = {name: value for name, value in (defaults | given).items() if value is not None}
        path = os.fspath(path)
        if path.endswith((".npy", ".npz")):
            return _from_arrays(path, **options)
        return _from_fits(path, **options)

    return read


def _from_fits(path, field=0, grid=None, hdu=None, ordering=None):
    hdu = _number(hdu)
    tables = outlines(path) if hdu is None else [io.read_table(path, hdu)]
    if any(map(is_alm, tables)) and not any(map(is_map, tables)):
        alm = io.read_alms(path, hdu)
        flm = alm.flm[0] if len(alm.flm) == 1 else alm.flm
        return Signal(path, _of_one_signal(path, flm), unit=alm.units[0] or "")
    sky = io.read_map(path, field=_number(field), ordering=ordering, hdu=hdu)
    stored = HEALPix(sky.nside)
    if grid is not None and as_grid(grid) != stored:
        raise ValueError(f"grid is {grid}; {path} is a HEALPix map of nside {sky.nside}")
    if sky.values.ndim > 1 or sky.spin:
        raise ValueError(
            f"{path} holds {len(sky.columns)} columns of spin {sky.spin}; choose a column by field"
        )
    return Signal(path, sky.values, stored, sky.units[0] or "")


def _number(name):
    """The number that text may be, as the commands pass it; else the name."""
    return int(name) if isinstance(name, str) and name.isascii() and name.isdigit() else name


def _from_arrays(path, field="values", grid=None, hdu=None, ordering=None):
    if hdu is not None:
        raise ValueError(f"hdu is of FITS files; choose an array of {path} by field")
    arrays = io.read_arrays(path)
    if np.any(arrays.get("spin", 0)):
        raise ValueError(f"{path} holds a field of spin {arrays['spin']}; expected a real signal")
    if "flm" in arrays and field in ("values", "flm"):
        return Signal(path, _of_one_signal(path, arrays["flm"]), unit=_unit(arrays))
    stated = str(arrays["grid"]) if "grid" in arrays else None
    if stated is None and grid is None:
        raise ValueError(f'{path} does not say its grid; pass grid, as grid="mw:64"')
    where = as_grid(stated or grid)
    values = _picked(path, arrays, _number(field), len(where.shape))
    if stated and grid and as_grid(grid) != where:
        raise ValueError(f"grid is {grid}; {path} says that its grid is {stated}")
    if values.shape != tuple(where.shape) or values.dtype.kind not in "fiub":
        raise ValueError(
            f"{path}: {field} has shape {values.shape} and type {values.dtype}; expected real samples of "
            f"shape {tuple(where.shape)}; of several signals choose one by field"
        )
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        values = values.astype(np.float32 if values.dtype == np.float16 else np.float64)
    order = str(arrays.get("ordering", "ring" if stated else ordering or "ring")).lower()
    if ordering is not None and (where.name != "healpix" or ordering != order):
        raise ValueError(
            f"ordering is {ordering}; {path} holds samples of {where} in order {order}"
        )
    if order == "nested":
        values = reorder(values, "nested")
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return Signal(path, native, where, _unit(arrays))


def _unit(arrays):
    """The unit that an ``.npz`` file states, or ""."""
    unit = arrays.get("unit")
    return str(unit) if unit is not None and np.ndim(unit) == 0 else ""


def _of_one_signal(path, flm):
    """Coefficients that are finite, of one real signal."""
    if not np.isfinite(flm).all():
        raise ValueError(f"{path} holds NaN or infinite coefficients")
    if flm.ndim != 1 or not is_hermitian(flm):
        raise ValueError(
            f"{path} holds coefficients of shape {flm.shape}; expected those of one real signal, (L*L,); of "
            "a FITS file choose a table by hdu"
        )
    return flm


def _picked(path, arrays, field, n):
    """The array of a name, or the signal of a number or a name of ``columns``; samples have n axes."""
    stored = np.asarray(arrays.get("values", ()))
    columns = [str(name) for name in np.atleast_1d(arrays.get("columns", ()))]
    if field in arrays:
        values = arrays[field]
        is_first = len(values) == 1 or (field == "values" and len(columns) == len(values))
        return values[0] if values.ndim == n + 1 and is_first else values
    number = columns.index(field) if field in columns else field
    if isinstance(number, int) and stored.ndim == n + 1 and 0 <= number < len(stored):
        return stored[number]
    names = ", ".join([*arrays, *columns])[:80]
    raise ValueError(f"{path} has no signal {field!r}; it holds {names}")
