"""Full-sky samples from a HEALPix table: index schemes, rows, and checks of their consistency."""

import math

import numpy as np

from spherekit._core import checks
from spherekit.io import headers
from spherekit.io.binary_tables import stack
from spherekit.io.columns import map_columns
from spherekit.io.pixel_numbers import repeated
from spherekit.sampling.healpix import MAX_NSIDE, UNSEEN, nside_of

#: Samples in each row of a table of a full-sky map, as HEALPix codes write it.
_ROW_SIZE = 1024


def stack_columns(table, names, native=False):
    """The columns as an array (n_fields, n_samples) of floats, or with ``native`` of any real dtype."""
    columns = [table.columns[n] for n in names]
    sizes = {c.size for c in columns}
    kinds = {c.dtype.kind for c in columns}
    if len(sizes) != 1 or not kinds <= set("fiub"):
        raise ValueError(
            f"the columns {', '.join(names) or '(none)'} have sizes {sorted(sizes)} and dtypes "
            f"{sorted(str(c.dtype) for c in columns)}; expected real columns of the same size"
        )
    values = stack(columns)
    if values.dtype.kind != "f" and not native:
        values = values.astype(np.float64)
    for name in names:
        _refuse_cube(table, name)
    return values


def full_sky(table, values):
    """The samples (n_fields, n) of a table on 12 nside^2 pixels, UNSEEN in pixels without a sample.

    Raises
    ------
    ValueError
        Keys (NSIDE, INDXSCHM, OBJECT, OBS_NPIX, FIRSTPIX, LASTPIX, GRAIN) that contradict the contents or
        each other; pixel numbers that are repeated or out of range.
    """
    pixels = _pixel_numbers(table, values.shape[-1])
    if pixels is None:
        return values
    nside = header_nside(headers.MergedHeader(table))
    if nside is None:
        raise ValueError("a map of part of the sky needs the key NSIDE")
    _check_pixels(map_columns(table)[0], pixels, values.shape[-1], nside)
    checks.fits_memory(values.itemsize * len(values) * 12 * nside**2, f"a map of nside {nside}")
    is_floating = values.dtype.kind == "f" or pixels.size == 12 * nside**2
    dtype = (
        values.dtype if is_floating else np.dtype(np.float64)
    )  # integers have no value for missing samples
    full = np.full((len(values), 12 * nside**2), UNSEEN if dtype.kind == "f" else 0, dtype)
    full[:, pixels] = values
    return full


def header_nside(header):
    """The value of the key NSIDE, or None."""
    nside = headers.integer(header, "NSIDE")
    if nside is not None and not 1 <= nside <= MAX_NSIDE:
        raise ValueError(f"the header has NSIDE = {nside}; expected 1 to {MAX_NSIDE}")
    return nside


def _pixel_numbers(table, n):
    """The pixel number of each sample, or None for a full-sky map in the order of the pixels."""
    header = headers.MergedHeader(table)
    column, _ = map_columns(table)
    scheme = headers.text(header, "INDXSCHM").upper()
    if scheme not in ("", "IMPLICIT", "EXPLICIT"):
        raise ValueError(f"the header has INDXSCHM = {scheme!r}; expected IMPLICIT or EXPLICIT")
    observed = headers.integer(header, "OBS_NPIX")
    if column is not None:
        pixels = table.columns[column]
        if scheme == "IMPLICIT" and not np.array_equal(pixels, np.arange(n)):
            raise ValueError(
                f"the header has INDXSCHM = IMPLICIT, but the column {column} contains pixel numbers "
                "in another order; correct the header"
            )
        if (headers.integer(header, "GRAIN") or 0) > 1:
            raise ValueError("the header has GRAIN > 1; rows of several pixels are not supported")
        if observed not in (None, n):
            raise ValueError(
                f"the header has OBS_NPIX = {observed}, but the table has {n} samples; correct the header"
            )
        _check_range(header, pixels)
        return pixels
    return _implicit_pixels(header, n, observed)


def _implicit_pixels(header, n, observed):
    first = headers.integer(header, "FIRSTPIX")
    last = headers.integer(header, "LASTPIX")
    nside = header_nside(header)
    n_pix = n if nside is None else 12 * nside**2
    if n == n_pix and first in (None, 0, -1) and last in (None, n - 1, -1):
        if observed not in (None, n, -1):
            raise ValueError(
                f"the header has OBS_NPIX = {observed}, but the table has {n} samples without pixel "
                "numbers; correct the header"
            )
        partial = headers.text(header, "OBJECT").upper() == "PARTIAL" and nside is None
        if partial:
            raise ValueError("a map of part of the sky needs the key NSIDE and pixel numbers")
        nside_of(n)
        return None
    is_full = headers.text(header, "OBJECT").upper() in ("FULLSKY", "FULL SKY")
    if is_full and nside is not None and n > 0 and 12 * math.isqrt(n // 12) ** 2 == n != n_pix:
        raise ValueError(_size_message(nside, n))
    if first is not None and last is not None and last - first + 1 == n and first >= 0:
        return np.arange(first, last + 1)
    if first in (None, 0) and last in (None, n_pix - 1) and nside is not None:
        raise ValueError(_size_message(nside, n))
    raise ValueError(
        f"the header has FIRSTPIX = {first}, LASTPIX = {last}, NSIDE = {nside}, but the table has {n} "
        "samples without pixel numbers; correct the header, or download the file again"
    )


def _size_message(nside, n):
    try:
        actual = f"as for nside {nside_of(n)}"
    except ValueError as error:
        actual = str(error)
    return (
        f"the header has NSIDE = {nside}, but the table has {n} samples ({actual}); correct the header, or "
        "download the file again"
    )


def _check_range(header, pixels):
    """Check FIRSTPIX and LASTPIX against the range of the pixel numbers or of the rows."""
    first = headers.integer(header, "FIRSTPIX")
    last = headers.integer(header, "LASTPIX")
    if pixels.size == 0 or pixels.dtype.kind not in "iu" or None in (first, last) or last <= 0:
        return
    counts_rows = first in (0, 1) and last in (pixels.size - 1, pixels.size)
    if not counts_rows and (pixels.min() < first or pixels.max() > last):
        raise ValueError(
            f"the header has FIRSTPIX = {first} and LASTPIX = {last}, but the pixel numbers are "
            f"{pixels.min()} to {pixels.max()}; correct the header"
        )


def _check_pixels(name, pixels, n, nside):
    n_pix = 12 * nside**2
    is_valid = pixels.dtype.kind in "iu" and pixels.size == n
    if not is_valid or (pixels.size and (pixels.min() < 0 or pixels.max() >= n_pix)):
        raise ValueError(
            f"the {pixels.size} pixel numbers ({name or 'from the header'}, {pixels.dtype}) do not match "
            f"{n} samples of nside {nside}; expected integers from 0 to {n_pix - 1}"
        )
    n_repeated = repeated(pixels)
    if n_repeated:
        raise ValueError(
            f"{n_repeated} of {pixels.size} pixel numbers are repeated; expected one sample for each pixel: "
            "read all of them with spherekit.io.read_table"
        )


def _refuse_cube(table, name):
    """Raise ValueError for a column with several values per pixel, which is not a map."""
    shape = table.shapes.get(name, (table.columns[name].size,))
    rows = shape[0]
    width = int(np.prod(shape[1:]))
    if width == 1:
        return
    nside = header_nside(headers.MergedHeader(table))
    column, _ = map_columns(table)
    if column is not None:
        is_cube = table.columns[column].size != rows * width
    elif nside is not None:
        is_cube = rows == 12 * nside**2
    else:
        is_cube = not (rows == 1 or width == _ROW_SIZE)
    if is_cube or len(shape) > 2:
        raise ValueError(
            f"the column {name} has {rows} rows of {' x '.join(map(str, shape[1:]))} values, several per "
            "pixel; expected one value per pixel, in rows of 1 or 1024 or with the key NSIDE: "
            "spherekit.io.read_table returns the flattened column, and its shape in .shapes"
        )
