"""Read and write HEALPix maps in FITS files."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit._core import checks
from spherekit.io import headers, stokes
from spherekit.io.columns import map_columns, select_columns, select_table
from spherekit.io.fits import write_table
from spherekit.io.frames import coordsys_of, frame_letter, frame_of, table_frame
from spherekit.io.missing import missing_samples
from spherekit.io.pixel_numbers import is_pixel_name
from spherekit.io.pixels import full_sky, stack_columns
from spherekit.io.units import as_floating, unit_of_each, with_units, without_unit
from spherekit.sampling.healpix import nside_of, reorder

_ADVICE = "spherekit.io.read_table returns the column without this check"

__all__ = ["SkyMap", "map_columns", "read_map", "write_map"]


class SkyMap(NamedTuple):
    """A HEALPix map, as returned by `read_map`.

    Attributes
    ----------
    values : float32 or float64 ndarray [shape=(n_pix,) or (n_fields, n_pix)]
        Samples in RING order.
    nside : int
        n_pix = 12 nside^2.
    columns : tuple of str
        Names of the fields.
    units : tuple of str
        Units of the fields, "" if there is none.
    ordering : {"ring", "nested"}
        The ordering in the file.
    coordsys : str
        The value of COORDSYS or SKYCOORD in the file.
    frame : str
        "galactic", "ecliptic", "equatorial", or "" if the file does not define a frame.
    polcconv : {"COSMO", "IAU"}
        The polarization convention of ``values``. "IAU" only for a single column that may or may not be U,
        whose sign was not changed.
    file_polcconv : str
        The value of POLCCONV in the file, "" if there is none.
    hdu : int
        The number of the HDU.
    stokes : tuple of {"I", "Q", "U", ""}
        The Stokes parameter of each field, by its name or else by the header (see `spherekit.io.stokes`).
    spin : int or None
        The key SPIN: the two columns are the real and imaginary part of one field of that spin or, if it is
        0, scalars. None if there is no such key.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, {"Q": np.zeros(12), "U": np.ones(12)}, unit="uK", coordsys="G")
    >>> sky = read_map(path, field=None)
    >>> sky.values.shape, sky.nside, sky.columns, sky.units, sky.frame
    ((2, 12), 1, ('Q', 'U'), ('uK', 'uK'), 'galactic')
    """

    values: np.ndarray
    nside: int
    columns: tuple
    units: tuple
    ordering: str
    coordsys: str
    frame: str = ""
    polcconv: str = "COSMO"
    file_polcconv: str = ""
    hdu: int = 1
    stokes: tuple = ()
    spin: int | None = None


def read_map(
    path: str | PathLike,
    *,
    field: int | str | Sequence[int | str] | None = 0,
    ordering: Literal["ring", "nested"] | None = None,
    hdu: int | str | None = None,
    frame: str | None = None,
) -> SkyMap:
    """Read a HEALPix map, and convert it to RING order and to the COSMO polarization convention.

    Parameters
    ----------
    path : str or path
        The file, possibly compressed by gzip.
    field : int, str, sequence of them, or None
        Columns by number (from 0) or name. A sequence selects several columns, (n_fields, n_pix), and None
        all columns. The column of pixel numbers of a map of part of the sky is not counted. Names are
        case-insensitive; I (or T), Q and U select the columns of these parameters, such as Q_POLARISATION.
    ordering : {"ring", "nested"}, optional
        The ordering of a file whose header does not define it. It must not contradict the header.
    hdu : int or str, optional
        Number or name of the table. By default, the first that contains a map.
    frame : str, optional
        The coordinate frame of the sky, which overrides the header ("" for none).

    Returns
    -------
    SkyMap
        Missing pixels are UNSEEN or NaN. Pixels that are absent from a file of part of the sky, and those
        that the header declares missing (TNULL, BAD_DATA), are UNSEEN; UNSEEN and NaN in the file are not
        changed. If the file has POLCCONV = IAU, the sign of U (and of the covariances IU and QU) is
        changed.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError
        ``field`` or ``hdu`` is neither a number nor a name.
    ValueError
        A damaged file; a file of another format or without a HEALPix map (the message names its content); no
        ordering; no such column; repeated pixel numbers; keys that contradict the data; an unknown frame;
        infinite samples, and others that cannot be measurements (see `spherekit.io.missing_samples`); several
        columns of an IAU file whose names do not identify U.

    See Also
    --------
    write_map : write such a file.
    read_table : read the columns without conversions.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, np.arange(48.0), unit="mK")
    >>> sky = read_map(path)
    >>> sky.nside, sky.units, sky.values[-1]
    (2, ('mK',), np.float64(47.0))
    """
    table = select_table(path, hdu, ordering)
    single = field is None or isinstance(field, str) or not np.iterable(field)
    names = select_columns(path, table, field)
    try:
        order = _ordering(table, ordering)
        values = stack_columns(table, names)
        for name, samples in zip(names, values, strict=True):
            missing_samples(samples, name=f"the column {name}", advice=_ADVICE)
        values = full_sky(table, values)
        convention, signs = _signs(table, names)
        for samples, sign in zip(values, signs, strict=True):
            if sign < 0:
                samples[:] = stokes.negative(samples)
        frame = table_frame(table) if frame is None else frame_of(frame)
        spin = _spin(table)
        letters = stokes.stokes_of_columns(table, names)
        if order == "nested":
            values = reorder(values, "nested")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return SkyMap(
        values[0] if single and field is not None else values,
        nside_of(values.shape[-1]),
        tuple(names),
        tuple(table.units[n] for n in names),
        order,
        coordsys_of(table),
        frame,
        convention,
        stokes.polarization_convention(table),
        table.hdu,
        letters,
        spin,
    )


def _ordering(table, ordering):
    """The ordering "ring" or "nested", from the headers or the argument ``ordering`` of `read_map`."""
    orderings = {"RING": "ring", "NESTED": "nested", "NEST": "nested"}
    pairs = headers.texts(table, "ORDERING")
    word = pairs[0][1] if pairs else ""
    if ordering is not None and ordering not in ("ring", "nested"):
        raise ValueError(f'ordering must be "ring" or "nested"; got {ordering!r}')
    if word.upper() in ("NUNIQ", "UNIQ"):
        raise ValueError(
            "the file has a multi-order map (ORDERING = NUNIQ), with pixels of several sizes; expected a "
            "single nside: convert it first with the code that wrote it"
        )
    if word and word.upper() not in orderings:
        raise ValueError(f"the header has ORDERING = {word!r}; expected RING or NESTED")
    if not word and ordering is None:
        raise ValueError(
            "the header has no ORDERING, which a HEALPix map needs; if it is one, pass "
            'ordering="ring" or "nested"'
        )
    headers.refuse_contradiction(pairs, [orderings.get(word.upper()) for _, word in pairs])
    file_ordering = orderings.get(word.upper(), ordering)
    if ordering not in (None, file_ordering):
        raise ValueError(
            f"the header has ORDERING = {word}, but ordering={ordering!r}; omit ordering, or correct the "
            "header"
        )
    return file_ordering


def _signs(table, names):
    """(polarization convention of the values, factor 1 or -1 of each field): U of IAU changes its sign."""
    if stokes.polarization_convention(table) != "IAU":
        return "COSMO", [1] * len(names)
    signs = stokes.signs_of_u(table, names)
    if signs == [None]:
        return "IAU", [1]
    unknown = [name for name, sign in zip(names, signs, strict=True) if sign is None]
    if unknown:
        raise ValueError(
            f"the file has POLCCONV = IAU, and the name of {', '.join(unknown)} does not determine whether "
            "its sign changes with U; rename the columns to I_STOKES, Q_STOKES, U_STOKES (the sign of a "
            'single column is not changed, and the polcconv of the result is "IAU")'
        )
    return "COSMO", signs


def _spin(table):
    """The value of the key SPIN, or None."""
    spin = headers.integer(headers.MergedHeader(table), "SPIN")
    n = len(map_columns(table)[1])
    if spin and n != 2:
        raise ValueError(
            f"the header has SPIN = {spin}, but the table has {n} field(s); expected two, the real and "
            "the imaginary part"
        )
    return spin


def write_map(
    path: str | PathLike,
    values: ArrayLike | dict[str, ArrayLike],
    *,
    column: str | Sequence[str] = "TEMPERATURE",
    unit: str | Sequence[str] = "",
    coordsys: str = "",
    spin: int | None = None,
    polcconv: Literal["COSMO", "IAU"] | None = None,
    overwrite: bool = False,
) -> None:
    """Write one or several HEALPix maps in RING order to a FITS file.

    NaN and UNSEEN are written unchanged, masked samples as UNSEEN. The unit of a quantity (astropy, pint)
    is written to the file. For maps of Q and U (by their names, or of spin 2) the key POLCCONV = COSMO is
    written, the convention of this package.

    Parameters
    ----------
    path : str or path
        The file. A file with the suffix ``.gz`` is compressed.
    values : float64, float32 or float16 array_like [shape=(n_pix,) or (n_fields, n_pix)]
        The maps, or a dict of name to (n_pix,). float16 is written as float32.
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
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Masked integers or complex numbers; Python objects; a column that is not a name; a spin that is not an
        integer.
    ValueError
        A size other than 12 nside^2, other dtypes, infinite samples, names or units that do not match the
        fields, a unit that differs from that of the quantity, an unknown frame or convention; a spin other
        than 0 for other than two fields.

    See Also
    --------
    read_map : read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, {"Q": np.zeros(12), "U": np.ones(12)}, unit="uK", coordsys="galactic", spin=2)
    >>> sky = read_map(path, field="Q")
    >>> sky.frame, sky.file_polcconv, sky.spin, sky.stokes
    ('galactic', 'COSMO', 2, ('Q',))
    """
    if isinstance(values, dict):
        column = list(values)
        values = list(values.values())
    if not isinstance(column, str) and not np.iterable(column):
        raise TypeError(f"column is {column!r}; expected a name, or one name for each field")
    names = [column] if isinstance(column, str) else list(column)
    fields, units = _fields_and_units(values, unit)
    if fields.ndim != 2 or len(names) != len(fields) or not names:
        raise ValueError(
            f"values have shape {np.shape(values)}, with {len(names)} column name(s); expected maps (n_pix,) "
            "or (n_fields, n_pix), and a name for each"
        )
    _check_names(names)
    nside = nside_of(fields.shape[-1])
    for name, samples in zip(names, fields, strict=True):
        infinite = np.count_nonzero(np.isinf(samples))
        if infinite:
            raise ValueError(
                f"{infinite} of {samples.size} samples of the field {name} are infinite; set missing "
                "samples to NaN"
            )
    header = dict(
        PIXTYPE="HEALPIX",
        ORDERING="RING",
        NSIDE=nside,
        FIRSTPIX=0,
        LASTPIX=12 * nside**2 - 1,
        INDXSCHM="IMPLICIT",
        OBJECT="FULLSKY",
    )
    if frame_letter(coordsys):
        header["COORDSYS"] = frame_letter(coordsys)
    header |= _polarization(names, spin, polcconv)
    write_table(path, list(zip(names, fields, units, strict=True)), header, overwrite=overwrite)


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


def _fields_and_units(values, unit):
    """(array of the fields, their units) from the arguments of `write_map`."""
    if isinstance(values, list | tuple) and any(np.ndim(v) for v in values):
        units = unit_of_each(unit, len(values))
        pairs = [without_unit(v, u) for v, u in zip(values, units, strict=True)]
        array = checks.as_array([v for v, _ in pairs], "values")
        return as_floating(array, "values"), [u for _, u in pairs]
    array, units = with_units(values, unit, "values")
    return np.atleast_2d(as_floating(array, "values")), units
