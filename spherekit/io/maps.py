"""Read and write HEALPix maps in FITS files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from os import PathLike
from typing import Literal, NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.io import headers, multi_order, stokes
from spherekit.io.blocks import naming_the_file
from spherekit.io.columns import map_columns, select_columns, select_table
from spherekit.io.frames import coordsys_of, frame_of, table_frame
from spherekit.io.missing import Magnitudes, check_samples
from spherekit.io.pixels import full_sky, stack_columns
from spherekit.sampling.healpix import MAX_NSIDE, nside_of, reorder

_ADVICE = "spherekit.io.read_table returns the column without this check"

__all__ = ["SkyMap", "map_columns", "read_map"]


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
    ordering : {"ring", "nested", "nuniq"}
        The ordering in the file; "nuniq" for a multi-order map.
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
    history : tuple of str
        The HISTORY cards of the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from spherekit.io import write_map
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
    history: tuple = ()


@naming_the_file
def read_map(
    path: str | PathLike,
    *,
    field: int | str | Sequence[int | str] | None = 0,
    ordering: Literal["ring", "nested"] | None = None,
    hdu: int | str | None = None,
    frame: str | None = None,
    native: bool = False,
    nside: int | None = None,
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
    native : bool
        Return integers and booleans in their dtype in the file (for several columns, their common dtype)
        unless samples are missing. By default they are converted to float64.
    nside : int, optional
        The nside of the result for a multi-order map (ORDERING = NUNIQ). By default that of its smallest
        cells. The nside of other maps is not changed.

    Returns
    -------
    SkyMap
        Missing pixels are UNSEEN or NaN. Pixels that are absent from a file of part of the sky, and those
        that the header declares missing (TNULL, BAD_DATA), are UNSEEN; UNSEEN and NaN in the file are not
        changed. If the file has POLCCONV = IAU, the sign of U (and of the covariances IU and QU) is
        changed. A multi-order map of densities (values per area, such as PROBDENSITY) is expanded to one
        nside: each pixel has the value of the cell that contains it, and if nside is smaller, the mean of the
        cells in it by area. Pixels outside of all cells are UNSEEN. Values that are sums over cells, such as
        counts or probabilities, are not divided among pixels: divide them by the area of their cells first.

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
    >>> from spherekit.io import write_map
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, np.arange(48.0), unit="mK")
    >>> sky = read_map(path)
    >>> sky.nside, sky.units, sky.values[-1]
    (2, ('mK',), np.float64(47.0))
    """
    magnitudes = {}
    table = select_table(path, hdu, ordering, field, partial(_add_magnitudes, magnitudes))
    single = field is None or isinstance(field, str) or not np.iterable(field)
    names = select_columns(path, table, field)
    try:
        order = _ordering(table, ordering)
        if order == "nuniq":
            names, values = multi_order.full_sky(table, names, nside)
        else:
            values = full_sky(table, stack_columns(table, names, native))
        for name, samples in zip(names, values, strict=True):
            if order == "nuniq" or name not in magnitudes or not magnitudes[name].are_similar:
                check_samples(samples, name=f"the column {name}", advice=_ADVICE)
        convention, signs = _signs(table, names)
        values = _with_signs(values, signs)
        frame = table_frame(table) if frame is None else frame_of(frame)
        spin = _spin(table)
        letters = stokes.stokes_of_columns(table, names)
        if order == "nested":
            values = reorder(values, "nested")
        _check_nside(values, nside)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return SkyMap(
        values[0] if single and field is not None else values,
        nside_of(values.shape[-1]),
        tuple(names),
        tuple(table.units.get(n, "") for n in names),
        order,
        coordsys_of(table),
        frame,
        convention,
        stokes.polarization_convention(table),
        table.hdu,
        letters,
        spin,
        headers.history(table),
    )


def _add_magnitudes(magnitudes, column, block, size):
    """Add a block of floating-point samples to the magnitudes of its column."""
    if block.dtype.kind == "f":
        magnitudes.setdefault(column, Magnitudes(size)).add(block)


def _ordering(table, ordering):
    """The ordering "ring", "nested" or "nuniq", from the headers or the argument ``ordering``."""
    orderings = {"RING": "ring", "NESTED": "nested", "NEST": "nested"}
    orderings |= {"NUNIQ": "nuniq", "UNIQ": "nuniq"}
    pairs = headers.texts(table, "ORDERING")
    word = pairs[0][1] if pairs else ""
    if ordering is not None and ordering not in ("ring", "nested"):
        raise ValueError(f'ordering must be "ring" or "nested"; got {ordering!r}')
    if word and word.upper() not in orderings:
        raise ValueError(f"the header has ORDERING = {word!r}; expected RING, NESTED or NUNIQ")
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


def _check_nside(values, nside):
    """Raise ValueError for another ``nside`` than that of the values, which are not resampled."""
    actual = nside_of(values.shape[-1])
    if nside is not None and checks.integer(nside, "nside", 1, MAX_NSIDE) != actual:
        raise ValueError(
            f"the map has nside {actual}, but nside={nside}; only multi-order maps are read at another nside"
        )


def _with_signs(values, signs):
    """The fields times 1 or -1, except for missing samples. Booleans and unsigned integers become float64."""
    if min(signs, default=1) < 0 and values.dtype.kind in "bu":
        values = values.astype(np.float64)
    for samples, sign in zip(values, signs, strict=True):
        if sign < 0:
            samples[:] = stokes.negative(samples)
    return values


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
