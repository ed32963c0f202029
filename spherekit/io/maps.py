"""HEALPix maps in FITS files: RING, NESTED, part of the sky, UNSEEN, units, several columns."""

from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.io import headers, stokes
from spherekit.io.columns import map_columns, picked_columns, select_table
from spherekit.io.fits import write_table
from spherekit.io.frames import coordsys_of, frame_letter, frame_of, table_frame
from spherekit.io.missing import missing_samples
from spherekit.io.pixel_numbers import is_pixel_name
from spherekit.io.pixels import full_sky, stacked
from spherekit.io.units import floating, unit_of_each, with_units, without_unit
from spherekit.sampling.healpix import nside_of, reorder

_ADVICE = "spherekit.io.read_table gives the column as it is"

__all__ = ["SkyMap", "map_columns", "read_map", "write_map"]


class SkyMap(NamedTuple):
    """What `read_map` reads.

    ``values`` (n_pix,) or (n_fields, n_pix) in RING order, native floats; ``columns`` and
    ``units`` of the fields read; ``ordering`` ("ring" or "nested") and ``coordsys`` of the file;
    ``frame`` ("galactic", "ecliptic", "equatorial", or "" where the file states none);
    ``polcconv``, the convention of the values: "COSMO", or "IAU" of a single column that was left
    as it is since nothing tells whether it is U; ``file_polcconv``, what the file says ("" if
    nothing); ``hdu``, the number of the table; ``stokes``, the Stokes parameter of each field,
    "I", "Q", "U" or "", by its name or else by the header (see `spherekit.io.stokes`); ``spin``,
    what the file says of its two columns (key SPIN): they are the parts of one field of that spin
    or, where it is 0, scalars; None where it says nothing.
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


def read_map(path, *, field=0, ordering=None, hdu=None, frame=None):
    """Read a HEALPix map, brought to RING order and to this package's sign of U.

    Parameters
    ----------
    path : str or path
    field : int, str, sequence of them, or None
        Columns by number (from 0) or name; a sequence gives (n_fields, n_pix), None all columns.
        The column of pixel numbers of a map of part of the sky does not count. Names are taken in
        any case; I (or T), Q and U mean the columns that hold them, such as Q_POLARISATION.
    ordering : {"ring", "nested"}, optional
        For files that do not say; refused where it contradicts the file.
    hdu : int or str, optional
        Number or name of the table; default: the first that holds a map.
    frame : str, optional
        Frame of the sky, instead of what the header says ("" for none).

    Returns
    -------
    SkyMap
        Missing pixels are UNSEEN or NaN: those that a file of part of the sky does not hold, and
        those that the header declares missing (TNULL, BAD_DATA), are UNSEEN; UNSEEN and NaN in the
        file stay as they are. From a file with POLCCONV = IAU, columns of U (and covariances IU,
        QU) have changed their sign.

    Raises
    ------
    ValueError
        A file that is no HEALPix map (with what it is), is truncated, does not state its ordering,
        lacks a column, repeats pixel numbers, or whose keys contradict its contents; an unknown
        frame; infinite samples, and others that cannot be measurements (see
        `spherekit.io.missing.missing_samples`); several columns of an IAU file whose names do not
        tell which one is U.
    FileNotFoundError

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
    picked = picked_columns(path, table, field)
    try:
        order = _ordering(table, ordering)
        values = stacked(table, picked)
        for name, samples in zip(picked, values, strict=True):
            missing_samples(samples, name=f"the column {name}", advice=_ADVICE)
        values = full_sky(table, values)
        convention, signs = _signs(table, picked)
        for samples, sign in zip(values, signs, strict=True):
            if sign < 0:
                samples[:] = stokes.negative(samples)
        where = table_frame(table) if frame is None else frame_of(frame)
        spin, letters = _spin(table), stokes.stokes_of_columns(table, picked)
        if order == "nested":
            values = reorder(values, "nested")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return SkyMap(
        values[0] if single and field is not None else values,
        nside_of(values.shape[-1]),
        tuple(picked),
        tuple(table.units[n] for n in picked),
        order,
        coordsys_of(table),
        where,
        convention,
        stokes.polarization_convention(table),
        table.hdu,
        letters,
        spin,
    )


def _ordering(table, given):
    """ "ring" or "nested", as the headers and the argument say."""
    known = {"RING": "ring", "NESTED": "nested", "NEST": "nested"}
    stated = headers.texts(table, "ORDERING")
    word = stated[0][1] if stated else ""
    if given is not None and given not in ("ring", "nested"):
        raise ValueError(f'ordering is {given!r}; expected "ring" or "nested"')
    if word.upper() in ("NUNIQ", "UNIQ"):
        raise ValueError(
            "it is a multi-order map (ORDERING = NUNIQ), of pixels of many sizes; bring it to one "
            "nside first, with the code that wrote it"
        )
    if word and word.upper() not in known:
        raise ValueError(f"the header says ORDERING = {word!r}; known are RING and NESTED")
    if not word and given is None:
        raise ValueError(
            'it does not state its ORDERING; is it a HEALPix map? If so, pass ordering="ring" or '
            '"nested"'
        )
    headers.refuse_contradiction(stated, [known.get(word.upper()) for _, word in stated])
    order = known.get(word.upper(), given)
    if given not in (None, order):
        raise ValueError(
            f"the header says ORDERING = {word}, and ordering={given!r} was passed; leave it "
            "out, or correct the header"
        )
    return order


def _signs(table, names):
    """(convention of the values, 1 or -1 for every field): from IAU, U changes its sign."""
    if stokes.polarization_convention(table) != "IAU":
        return "COSMO", [1] * len(names)
    signs = stokes.signs_of_u(table, names)
    if signs == [None]:
        return "IAU", [1]
    unknown = [name for name, sign in zip(names, signs, strict=True) if sign is None]
    if unknown:
        raise ValueError(
            f"its polarization follows the IAU convention (POLCCONV), and the name of "
            f"{', '.join(unknown)} does not tell whether the sign of U is to be changed; rename "
            "the columns I_STOKES, Q_STOKES, U_STOKES (a single column is read as it is, and the "
            'polcconv of the result is "IAU")'
        )
    return "COSMO", signs


def _spin(table):
    """The spin of the table's two columns, as the key SPIN has it, or None."""
    spin = headers.integer(headers.merged(table), "SPIN")
    n = len(map_columns(table)[1])
    if spin and n != 2:
        raise ValueError(
            f"the header says SPIN = {spin}, and the table holds {n} fields; a field of spin has "
            "two, its real and imaginary part"
        )
    return spin


def write_map(
    path,
    values,
    *,
    column="TEMPERATURE",
    unit="",
    coordsys="",
    spin=None,
    polcconv=None,
    overwrite=False,
):
    """Write one map (n_pix,) or several (n_fields, n_pix) in RING order.

    NaN stays NaN, and UNSEEN is UNSEEN; masked samples are written as UNSEEN, and the unit of a
    quantity (astropy, pint) goes into the file. Maps of Q and U (by their names, or of spin 2) get
    the key POLCCONV = COSMO, which is this package's convention.

    Parameters
    ----------
    path : str or path
        ``.gz`` at its end packs the file.
    values : array of float64, float32 or float16 [shape=(n_pix,) or (n_fields, n_pix)]
        Or a dict of name to (n_pix,). float16 is written as float32.
    column : str or sequence of str
        A name, or one for each field; not with a dict.
    unit : str or sequence of str
        One for all fields, or one for each.
    coordsys : str
        A frame of the sky in any spelling that `spherekit.io.frames.frame_of` knows, such as
        "galactic" or "G"; the file gets G, E or C.
    spin : int, optional
        The fields are the real and imaginary part of one field of this spin, as Q and U are of
        spin 2; 0 says that they are scalars, whatever their names. It goes into the key SPIN,
        which `read_map` gives back.
    polcconv : {"COSMO", "IAU"}, optional
        The convention that the values follow, such as the ``polcconv`` of what `read_map` has
        read; they are written as they are. Default: COSMO where there is polarization.
    overwrite : bool

    Raises
    ------
    ValueError
        A size that is not 12 nside^2, other types, infinite samples, names or units that do not
        match the fields, a unit that is not that of the quantity, an unknown frame or convention;
        a spin other than 0 of other than two fields.
    TypeError
        Masked integers or complex numbers; a spin that is no whole number.
    FileExistsError

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "map.fits")
    >>> write_map(path, {"Q": np.zeros(12), "U": np.ones(12)}, unit="uK", coordsys="galactic", spin=2)
    >>> sky = read_map(path, field="Q")
    >>> sky.frame, sky.file_polcconv, sky.spin, sky.stokes
    ('galactic', 'COSMO', 2, ('Q',))
    """
    if isinstance(values, dict):
        column, values = list(values), list(values.values())
    if not isinstance(column, str) and not np.iterable(column):
        raise TypeError(f"column is {column!r}; expected a name, or one for each field")
    names = [column] if isinstance(column, str) else list(column)
    fields, units = _fields(values, unit)
    if fields.ndim != 2 or len(names) != len(fields) or not names:
        raise ValueError(
            f"values have shape {np.shape(values)}, with {len(names)} column names; give real "
            "floating maps (n_pix,) or (n_fields, n_pix) and a name for each"
        )
    _refuse_names(names)
    nside = nside_of(fields.shape[-1])
    for name, samples in zip(names, fields, strict=True):
        infinite = np.count_nonzero(np.isinf(samples))
        if infinite:
            raise ValueError(
                f"{infinite} of {samples.size} samples of the field {name} are infinite; set them "
                "to NaN where they are missing"
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


def _refuse_names(names):
    """Refuse columns that would be read as something else than fields."""
    pixels = [name for name in names if is_pixel_name(name)]
    if pixels:
        raise ValueError(
            f"the column name {pixels[0]!r} is one of pixel numbers, and the file would be read as a map "
            "of part of the sky; choose another"
        )
    if {"index", "real", "imag"} <= {str(name).strip().lower() for name in names}:
        raise ValueError(
            "the column names index, real and imag are those of coefficients (alm); choose others"
        )


def _polarization(names, spin, polcconv):
    """The keys SPIN and POLCCONV of these columns."""
    header = {}
    if spin is not None:
        header["SPIN"] = checks.integer(spin, "spin", -(10**6), 10**6)
        if header["SPIN"] and len(names) != 2:
            raise ValueError(
                f"spin is {spin}, of {len(names)} fields; a field of spin has two, its real and "
                "imaginary part"
            )
    is_polarized = spin in (2, -2) or any(map(_is_polarization, names))
    return header | stokes.convention_key(polcconv, is_polarized)


def _is_polarization(name):
    return stokes.stokes_of(name) in ("Q", "U") or stokes.sign_of_u(name) == -1


def _fields(values, unit):
    """(array of the fields, their units) of what `write_map` was given."""
    if isinstance(values, list | tuple) and any(np.ndim(v) for v in values):
        units = unit_of_each(unit, len(values))
        pairs = [without_unit(v, u) for v, u in zip(values, units, strict=True)]
        array, units = checks.as_array([v for v, _ in pairs], "values"), [u for _, u in pairs]
        return floating(array, "values"), units
    array, units = with_units(values, unit, "values")
    return np.atleast_2d(floating(array, "values")), units
