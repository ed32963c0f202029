"""The default reader of signals, for experiments that run from Python."""

import os
from collections.abc import Callable

import numpy as np

from spherekit import io
from spherekit.conventions.indexing import is_hermitian
from spherekit.experiments.signals import Signal
from spherekit.io.alm import is_alm
from spherekit.io.columns import is_map
from spherekit.io.fits import outlines
from spherekit.sampling import grid as as_grid
from spherekit.sampling.healpix import HEALPix, reorder


def reader(
    *,
    field: int | str | None = None,
    grid: str | None = None,
    hdu: int | str | None = None,
    ordering: str | None = None,
) -> Callable[..., Signal]:
    """Create a function that reads a real signal from a file, as ``read`` of experiments requires.

    It reads HEALPix maps and coefficients from FITS files, like `spherekit.io.read_map` and
    `spherekit.io.read_alm`; from ``.npz`` files coefficients ``flm``, or samples ``values`` with ``grid``;
    and samples from ``.npy`` files. (The reader of the commands has more options.)

    Parameters
    ----------
    field : int or str, optional
        The column of a map or the array of an ``.npz`` file, by number or name; by default the first column,
        or ``values``.
    grid : str, optional
        Grid of samples whose file does not state it, such as "mw:64".
    hdu : int or str, optional
        The table of a FITS file.
    ordering : {"ring", "nested"}, optional
        Order of HEALPix pixels whose file does not state it.

    Returns
    -------
    callable
        ``read(path, **options)`` returns a `Signal`. Its options are those of `reader`, which take
        precedence.

    Raises
    ------
    ValueError, TypeError, OSError
        By the returned function, if the file does not contain one real signal, or an option does not apply.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit import experiments, io
    >>> path = os.path.join(tempfile.mkdtemp(), "map.npz")
    >>> io.write_arrays(path, values=np.zeros((4, 7)), grid="mw:4")
    >>> experiments.reader()(path).grid.L
    4
    """
    fixed = {"field": field, "grid": grid, "hdu": hdu, "ordering": ordering}
    fixed = {name: value for name, value in fixed.items() if value is not None}

    def read(path, **defaults):
        unknown = defaults.keys() - {"field", "grid", "hdu", "ordering"}
        if unknown:
            raise TypeError(
                f"options must be among field, grid, hdu, ordering; got {', '.join(sorted(unknown))}"
            )
        options = {name: value for name, value in (defaults | fixed).items() if value is not None}
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
        return Signal(path, _check_real_signal(path, flm), unit=alm.units[0] or "")
    sky = io.read_map(path, field=_number(field), ordering=ordering, hdu=hdu)
    healpix = HEALPix(sky.nside)
    if grid is not None and as_grid(grid) != healpix:
        raise ValueError(f"grid is {grid}; {path} is a HEALPix map of nside {sky.nside}")
    if sky.values.ndim > 1 or sky.spin:
        raise ValueError(
            f"{path} contains {len(sky.columns)} columns of spin {sky.spin}; expected one real signal: "
            "choose a column by field"
        )
    return Signal(path, sky.values, healpix, sky.units[0] or "")


def _number(name):
    """Convert text of digits, as the commands pass it, to an integer; otherwise return the name."""
    return int(name) if isinstance(name, str) and name.isascii() and name.isdigit() else name


def _from_arrays(path, field="values", grid=None, hdu=None, ordering=None):
    if hdu is not None:
        raise ValueError(f"hdu applies to FITS files only; choose an array of {path} by field")
    arrays = io.read_arrays(path)
    if np.any(arrays.get("spin", 0)):
        raise ValueError(
            f"{path} contains a field of spin {arrays['spin']}; expected a real signal"
        )
    if "flm" in arrays and field in ("values", "flm"):
        return Signal(path, _check_real_signal(path, arrays["flm"]), unit=_unit(arrays))
    file_grid = str(arrays["grid"]) if "grid" in arrays else None
    if file_grid is None and grid is None:
        raise ValueError(f'{path} does not state its grid; pass grid, such as grid="mw:64"')
    sampling = as_grid(file_grid or grid)
    values = _select(path, arrays, _number(field), len(sampling.shape))
    if file_grid and grid and as_grid(grid) != sampling:
        raise ValueError(f"grid is {grid}; {path} states the grid {file_grid}")
    if values.shape != tuple(sampling.shape) or values.dtype.kind not in "fiub":
        raise ValueError(
            f"{path}: {field} has shape {values.shape} and type {values.dtype}; expected real samples of "
            f"shape {tuple(sampling.shape)}: choose one of several signals by field"
        )
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        values = values.astype(np.float32 if values.dtype == np.float16 else np.float64)
    order = str(arrays.get("ordering", "ring" if file_grid else ordering or "ring")).lower()
    if ordering is not None and (sampling.name != "healpix" or ordering != order):
        raise ValueError(
            f"ordering is {ordering}; {path} contains samples on {sampling} in the order {order}"
        )
    if order == "nested":
        values = reorder(values, "nested")
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return Signal(path, native, sampling, _unit(arrays))


def _unit(arrays):
    """The unit that an ``.npz`` file states, or ""."""
    unit = arrays.get("unit")
    return str(unit) if unit is not None and np.ndim(unit) == 0 else ""


def _check_real_signal(path, flm):
    """Return the coefficients if they are finite and those of one real signal; otherwise raise ValueError."""
    if not np.isfinite(flm).all():
        raise ValueError(f"{path} contains NaN or infinite coefficients; expected finite values")
    if flm.ndim != 1 or not is_hermitian(flm):
        raise ValueError(
            f"{path} contains coefficients of shape {flm.shape}; expected those of one real signal, (L*L,); "
            "choose a table of a FITS file by hdu"
        )
    return flm


def _select(path, arrays, field, ndim):
    """The array with this name, or the signal with this number or column name; samples have ``ndim`` axes."""
    stack = np.asarray(arrays.get("values", ()))
    columns = [str(name) for name in np.atleast_1d(arrays.get("columns", ()))]
    if field in arrays:
        values = arrays[field]
        is_first = len(values) == 1 or (field == "values" and len(columns) == len(values))
        return values[0] if values.ndim == ndim + 1 and is_first else values
    number = columns.index(field) if field in columns else field
    if isinstance(number, int) and stack.ndim == ndim + 1 and 0 <= number < len(stack):
        return stack[number]
    names = ", ".join([*arrays, *columns])[:80]
    raise ValueError(f"{path} has no signal {field!r}; it contains {names}")
