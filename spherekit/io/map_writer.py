"""Write HEALPix maps to FITS files: full sky or part of it, in RING or NESTED order, of any real dtype."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.io import stokes
from spherekit.io.fits import write_table
from spherekit.io.frames import frame_letter
from spherekit.io.missing import is_missing
from spherekit.io.pixel_numbers import is_pixel_name, repeated
from spherekit.io.units import as_column, unit_of_each, with_units, without_unit
from spherekit.sampling.healpix import MAX_NSIDE, nside_of, reorder, ring2nest

#: Samples in each row of a table of a full-sky map, as HEALPix codes write it.
_ROW_SIZE = 1024


def write_map(
    path: str | PathLike,
    values: ArrayLike | dict[str, ArrayLike],
    *,
    column: str | Sequence[str] = "TEMPERATURE",
    unit: str | Sequence[str] = "",
    coordsys: str = "",
    spin: int | None = None,
    polcconv: Literal["COSMO", "IAU"] | None = None,
    ordering: Literal["ring", "nested"] = "ring",
    pixels: ArrayLike | None = None,
    nside: int | None = None,
    partial: bool = False,
    history: Sequence[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write one or several HEALPix maps to a FITS file.

    NaN and UNSEEN are written unchanged, masked samples as UNSEEN. The unit of a quantity (astropy, pint)
    is written to the file. For maps of Q and U (by their names, or of spin 2) the key POLCCONV = COSMO is
    written, the convention of this package.

    Parameters
    ----------
    path : str or path
        The file. A file with the suffix ``.gz`` is compressed.
    values : real array_like [shape=(n_pix,) or (n_fields, n_pix)]
        The maps in RING order, or a dict of name to (n_pix,). Each field of a list or dict is written in its
        own dtype: float64, float32, int64, int32, int16, uint8 or bool. float16, int8, uint16 and uint32 are
        converted to the next larger one of these.
    column : str or sequence of str
        The name of the field, or one for each field. Not used with a dict.
    unit : str or sequence of str
        One unit for all fields, or one for each field.
    coordsys : str
        The coordinate frame of the sky in any spelling that `spherekit.io.frame_of` accepts, such as
        "galactic" or "G"; written as G, E or C.
    spin : int, optional
        The fields are the real and the imaginary part of one field of this spin, as Q and U of spin 2; 0
        declares them scalars, whatever their names. Written to the key SPIN, and returned by `read_map`.
    polcconv : {"COSMO", "IAU"}, optional
        The polarization convention of the values, such as the ``polcconv`` of the result of `read_map`. The
        values are not changed. By default COSMO for polarized maps.
    ordering : {"ring", "nested"}
        The order of the pixels in the file, to which the values are reordered.
    pixels : int array_like [shape=(n,)], optional
        The values are those of a part of the sky: samples (n,) or (n_fields, n) of the pixels with these
        distinct RING numbers. The file has a column PIXEL, in ascending order, and INDXSCHM = EXPLICIT.
    nside : int, optional
        Required with ``pixels``.
    partial : bool
        Write only the pixels in which a field has a sample other than NaN and UNSEEN, with a column PIXEL.
    history : sequence of str, optional
        How the map was made, oldest entry first, to which the version of spherekit and the present command
        are added; written as HISTORY cards. By default, that of the inputs of the command.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Masked integers or complex numbers; Python objects; a column that is not a name; a spin that is not an
        integer; pixel numbers that are not integers.
    ValueError
        A size other than 12 nside^2, other dtypes, infinite samples, names or units that do not match the
        fields, a unit that differs from that of the quantity, an unknown frame or convention; a spin other
        than 0 for other than two fields; pixel numbers that are repeated, out of range, or without nside; no
        observed pixel in a map of part of the sky; NESTED order of an nside that is not a power of two.

    See Also
    --------
    read_map : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.io import read_map
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, {"Q": np.zeros(12), "U": np.ones(12)}, unit="uK", coordsys="galactic", spin=2)
    >>> sky = read_map(path, field="Q")
    >>> sky.frame, sky.file_polcconv, sky.spin, sky.stokes
    ('galactic', 'COSMO', 2, ('Q',))
    >>> write_map(path, [1.0, 2.0], pixels=[7, 5], nside=1, overwrite=True)
    >>> read_map(path).values[5]
    np.float64(2.0)
    """
    names, fields, units = _named_fields(values, column, unit)
    _check_names(names)
    _check_finite(names, fields)
    if ordering not in ("ring", "nested"):
        raise ValueError(f'ordering must be "ring" or "nested"; got {ordering!r}')
    if pixels is None and not partial:
        nside = _checked_nside(nside, nside_of(fields[0].size))
        columns = [] if ordering == "ring" else [reorder(field, "ring") for field in fields]
        columns = [(*c, _ROW_SIZE) for c in zip(names, columns or fields, units, strict=True)]
    else:
        nside, pixels, fields = _part_of_sky(fields, pixels, nside)
        pixels, fields = _sorted_pixels(nside, pixels, fields, ordering)
        columns = [("PIXEL", pixels, ""), *zip(names, fields, units, strict=True)]
    header = _geometry(nside, ordering, columns[0][1].size, pixels is not None or partial)
    if frame_letter(coordsys):
        header["COORDSYS"] = frame_letter(coordsys)
    header |= _polarization(names, spin, polcconv)
    write_table(path, columns, header, history=history, overwrite=overwrite)


def _geometry(nside, ordering, n, is_partial):
    """The keys that describe the pixels of a table of ``n`` samples."""
    header = dict(PIXTYPE="HEALPIX", ORDERING=ordering.upper(), NSIDE=nside)
    if is_partial:
        return header | dict(INDXSCHM="EXPLICIT", OBJECT="PARTIAL", OBS_NPIX=n)
    last = dict(FIRSTPIX=0, LASTPIX=n - 1)
    return header | last | dict(INDXSCHM="IMPLICIT", OBJECT="FULLSKY")


def _checked_nside(nside, actual):
    """The nside of full-sky values, which the argument ``nside`` must not contradict."""
    if nside is not None and checks.integer(nside, "nside", 1, MAX_NSIDE) != actual:
        raise ValueError(f"nside is {nside}, but the values are those of nside {actual}")
    return actual


def _part_of_sky(fields, pixels, nside):
    """(nside, RING numbers, samples) of the observed pixels."""
    if pixels is None:
        nside = _checked_nside(nside, nside_of(fields[0].size))
        observed = np.flatnonzero(~np.logical_and.reduce([is_missing(f) for f in fields]))
        if not observed.size:
            raise ValueError(
                "all samples are missing; expected an observed pixel in a map of part of the sky"
            )
        return nside, observed, [field[observed] for field in fields]
    if nside is None:
        raise ValueError("pixels needs nside, which the number of samples does not determine")
    nside = checks.integer(nside, "nside", 1, MAX_NSIDE)
    pixels = checks.as_array(pixels, "pixels")
    if pixels.dtype.kind not in "iu":
        raise TypeError(f"pixels has dtype {pixels.dtype}; expected integers")
    if pixels.shape != fields[0].shape or not pixels.size:
        raise ValueError(
            f"pixels has shape {pixels.shape}, with {fields[0].size} samples in each field; expected a "
            "pixel number for each sample, at least one"
        )
    n_pix = 12 * nside**2
    n_repeated = repeated(pixels)
    if pixels.min() < 0 or pixels.max() >= n_pix or n_repeated:
        raise ValueError(
            f"pixels has numbers {pixels.min()} to {pixels.max()}, {n_repeated} of them repeated; expected "
            f"distinct numbers from 0 to {n_pix - 1} of nside {nside}"
        )
    return nside, pixels.astype(np.int64), fields


def _sorted_pixels(nside, pixels, fields, ordering):
    """(pixel numbers of the file in ascending order, samples in that order)."""
    pixels = ring2nest(nside, pixels) if ordering == "nested" else pixels
    order = np.argsort(pixels)
    dtype = np.int32 if 12 * nside**2 <= 2**31 else np.int64
    return pixels[order].astype(dtype), [field[order] for field in fields]


def _check_finite(names, fields):
    for name, samples in zip(names, fields, strict=True):
        infinite = samples.dtype.kind == "f" and np.count_nonzero(np.isinf(samples))
        if infinite:
            raise ValueError(
                f"{infinite} of {samples.size} samples of the field {name} are infinite; set missing "
                "samples to NaN"
            )


def _check_names(names):
    """Raise ValueError for names of columns that would not be read as fields."""
    pixels = [name for name in names if is_pixel_name(name)]
    if pixels:
        raise ValueError(
            f"the column name {pixels[0]!r} denotes pixel numbers, and the file would be read as a map of "
            "part of the sky; choose another name"
        )
    if {"index", "real", "imag"} <= {str(name).strip().lower() for name in names}:
        raise ValueError(
            "the column names index, real and imag denote coefficients (alm); choose other names"
        )


def _polarization(names, spin, polcconv):
    """The keys SPIN and POLCCONV for these columns."""
    header = {}
    if spin is not None:
        header["SPIN"] = checks.integer(spin, "spin", -(10**6), 10**6)
        if header["SPIN"] and len(names) != 2:
            raise ValueError(
                f"spin is {spin}, with {len(names)} field(s); expected two, the real and the imaginary part"
            )
    is_polarized = spin in (2, -2) or any(map(_is_polarization, names))
    return header | stokes.convention_key(polcconv, is_polarized)


def _is_polarization(name):
    return stokes.stokes_of(name) in ("Q", "U") or stokes.sign_of_u(name) == -1


def _named_fields(values, column, unit):
    """(names, fields as 1-D arrays of dtypes that FITS has, units) from the arguments of `write_map`."""
    if isinstance(values, dict):
        column = list(values)
        values = list(values.values())
    if not isinstance(column, str) and not np.iterable(column):
        raise TypeError(f"column is {column!r}; expected a name, or one name for each field")
    names = [column] if isinstance(column, str) else list(column)
    if isinstance(values, list | tuple) and any(np.ndim(v) for v in values):
        units = unit_of_each(unit, len(values))
        pairs = [without_unit(v, u) for v, u in zip(values, units, strict=True)]
        fields = [v for v, _ in pairs]
        units = [u for _, u in pairs]
    else:
        array, units = with_units(values, unit, "values")
        fields = list(np.atleast_2d(array))
    shapes = {field.shape for field in fields}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or len(names) != len(fields):
        raise ValueError(
            f"values have shape {np.shape(values) if len(shapes) == 1 else sorted(shapes)}, with "
            f"{len(names)} column name(s); expected maps (n_pix,) or (n_fields, n_pix), and a name for each"
        )
    return names, [as_column(field, "values") for field in fields], units
