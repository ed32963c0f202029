"""The samples of a HEALPix table on the whole sky: index schemes, rows, and what contradicts them."""

import numpy as np

from spherekit._core import checks
from spherekit.io import headers
from spherekit.io.columns import map_columns
from spherekit.sampling.healpix import MAX_NSIDE, UNSEEN, nside_of

#: Samples in a row of a table, as HEALPix codes write full maps.
_BLOCK = 1024


def stacked(table, names):
    """The columns (n_fields, n_samples) as floats."""
    columns = [table.columns[n] for n in names]
    sizes = {c.size for c in columns}
    kinds = {c.dtype.kind for c in columns}
    if len(sizes) != 1 or not kinds <= set("fiub"):
        raise ValueError(
            f"the columns {', '.join(names) or '(none)'} have sizes {sorted(sizes)} and types "
            f"{sorted(str(c.dtype) for c in columns)}; a map has real columns of one size"
        )
    values = np.stack(columns)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    for name in names:
        _refuse_cube(table, name)
    return values


def full_sky(table, values):
    """The samples (n_fields, n) of a table on 12 nside^2 pixels, UNSEEN where it holds none.

    Raises
    ------
    ValueError
        Keys (NSIDE, INDXSCHM, OBJECT, OBS_NPIX, FIRSTPIX, LASTPIX, GRAIN) that contradict the
        contents or each other; pixel numbers that repeat or do not exist.
    """
    pixels = _pixel_numbers(table, values.shape[-1])
    if pixels is None:
        return values
    nside = _stated_nside(headers.merged(table))
    if nside is None:
        raise ValueError("a map of part of the sky needs the key NSIDE")
    _check_pixels(map_columns(table)[0], pixels, values.shape[-1], nside)
    checks.fits_memory(values.itemsize * len(values) * 12 * nside**2, f"a map of nside {nside}")
    full = np.full((len(values), 12 * nside**2), UNSEEN, values.dtype)
    full[:, pixels] = values
    return full


def _stated_nside(header):
    nside = headers.integer(header, "NSIDE")
    if nside is not None and not 1 <= nside <= MAX_NSIDE:
        raise ValueError(f"the header says NSIDE = {nside}; expected 1 to {MAX_NSIDE}")
    return nside


def _pixel_numbers(table, n):
    """The pixel of every sample, or None where they are all pixels in order."""
    header, (column, _) = headers.merged(table), map_columns(table)
    scheme = headers.text(header, "INDXSCHM").upper()
    if scheme not in ("", "IMPLICIT", "EXPLICIT"):
        raise ValueError(f"the header says INDXSCHM = {scheme!r}; known are IMPLICIT and EXPLICIT")
    observed = headers.integer(header, "OBS_NPIX")
    if column is not None:
        pixels = table.columns[column]
        if scheme == "IMPLICIT" and not np.array_equal(pixels, np.arange(n)):
            raise ValueError(
                f"the header says INDXSCHM = IMPLICIT, and the column {column} holds pixel numbers "
                "in another order; correct the header"
            )
        if (headers.integer(header, "GRAIN") or 0) > 1:
            raise ValueError("the header says GRAIN > 1: rows of several pixels are not read")
        if observed not in (None, n):
            raise ValueError(f"the header says OBS_NPIX = {observed}; the table holds {n} samples")
        _check_range(header, pixels)
        return pixels
    return _implicit(header, n, observed)


def _implicit(header, n, observed):
    first = headers.integer(header, "FIRSTPIX")
    last = headers.integer(header, "LASTPIX")
    nside = _stated_nside(header)
    n_pix = n if nside is None else 12 * nside**2
    if n == n_pix and first in (None, 0, -1) and last in (None, n - 1, -1):
        if observed not in (None, n, -1):
            raise ValueError(
                f"the header says OBS_NPIX = {observed}, and the table holds {n} samples without "
                "pixel numbers"
            )
        partial = headers.text(header, "OBJECT").upper() == "PARTIAL" and nside is None
        if partial:
            raise ValueError("a map of part of the sky needs the key NSIDE and pixel numbers")
        nside_of(n)
        return None
    if first is not None and last is not None and last - first + 1 == n and first >= 0:
        return np.arange(first, last + 1)
    if first in (None, 0) and last in (None, n_pix - 1) and nside is not None:
        raise ValueError(_wrong_size(nside, n))
    raise ValueError(
        f"the header says FIRSTPIX = {first}, LASTPIX = {last}, NSIDE = {nside}, and the table "
        f"holds {n} samples without pixel numbers; correct the header, or fetch the file again"
    )


def _wrong_size(nside, n):
    try:
        those = f"those of nside {nside_of(n)}"
    except ValueError as error:
        those = f"which is no map: {error}"
    return (
        f"the table says NSIDE = {nside} and holds {n} samples, {those}; correct the "
        "header, or fetch the file again"
    )


def _check_range(header, pixels):
    """FIRSTPIX and LASTPIX beside pixel numbers: their range, or that of the rows."""
    first = headers.integer(header, "FIRSTPIX")
    last = headers.integer(header, "LASTPIX")
    if pixels.size == 0 or pixels.dtype.kind not in "iu" or None in (first, last) or last <= 0:
        return
    rows = first in (0, 1) and last in (pixels.size - 1, pixels.size)
    if not rows and (pixels.min() < first or pixels.max() > last):
        raise ValueError(
            f"the header says FIRSTPIX = {first} and LASTPIX = {last}; the pixel numbers are "
            f"{pixels.min()} to {pixels.max()}"
        )


def _check_pixels(name, pixels, n, nside):
    n_pix = 12 * nside**2
    legal = pixels.dtype.kind in "iu" and pixels.size == n
    if not legal or (pixels.size and (pixels.min() < 0 or pixels.max() >= n_pix)):
        raise ValueError(
            f"its column of {pixels.size} pixel numbers ({name or 'by the header'}, {pixels.dtype}) "
            f"does not fit {n} samples of nside {nside}; expected whole numbers from 0 to {n_pix - 1}"
        )
    repeated = pixels.size - np.unique(pixels).size
    if repeated:
        raise ValueError(
            f"{repeated} of {pixels.size} pixel numbers occur before, and which of their samples "
            "counts is not known; spherekit.io.read_table gives them all"
        )


def _refuse_cube(table, name):
    """Refuse a column of several values a pixel, which would be read as a map of another nside."""
    shape = table.shapes.get(name, (table.columns[name].size,))
    rows, width = shape[0], int(np.prod(shape[1:]))
    if width == 1:
        return
    nside = _stated_nside(headers.merged(table))
    column, _ = map_columns(table)
    if column is not None:
        cube = table.columns[column].size != rows * width
    elif nside is not None:
        cube = rows == 12 * nside**2
    else:
        cube = not (rows == 1 or width == _BLOCK)
    if cube or len(shape) > 2:
        raise ValueError(
            f"the column {name} has {rows} rows of {' x '.join(map(str, shape[1:]))} values, "
            "several a pixel; spherekit.io.read_table gives it flattened, and its shape by .shapes. "
            "(A map has one value a pixel, in rows of 1 or 1024 or with the key NSIDE)"
        )
