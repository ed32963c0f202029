"""Maps in FITS files as records: HEALPix maps, MW maps of s2let, and images on latitudes and longitudes."""

import numpy as np

from spherekit.io.arguments import ArgumentError, UnsupportedContents
from spherekit.io.car_fits import read_car
from spherekit.io.columns import field_names, is_map
from spherekit.io.fits import Table, first_image, outlines, read_table
from spherekit.io.map_writer import write_map
from spherekit.io.maps import read_map
from spherekit.io.mw_fits import is_mw, read_mw, write_mw
from spherekit.io.records import Map, with_fields, with_frame
from spherekit.io.stokes import describes_pixels
from spherekit.sampling import HEALPix
from spherekit.sampling import grid as as_grid
from spherekit.sampling.text import label

#: The note on a map in NESTED order.
REARRANGED = "pixels in NESTED order were rearranged in RING order"


def read_fits(path, field=None, hdu=None, ordering=None, frame=None, grid=None):
    """The `Map` of a file; by default of all columns that are fields on the sphere."""
    reader = read_mw if contains_mw(path, hdu) else _image_reader(path, hdu)
    if reader is not None:
        return _read_rectangular(reader, path, field, hdu, ordering, frame, grid)
    names = field_names(path, hdu, ordering)
    fields = [name for name in names if not describes_pixels(name)] or names
    if field is None:
        field = fields
    columns = [field] if isinstance(field, str) or np.ndim(field) == 0 else field
    sky = read_map(path, field=columns, hdu=hdu, ordering=ordering, frame=frame, native=True)
    sphere = HEALPix(sky.nside)
    if grid is not None and as_grid(grid) != sphere:
        raise ArgumentError(f"grid={grid}, but {path} is a HEALPix map of nside {sky.nside}")
    attributes = {
        name: {"stokes": letter}
        for name, letter in zip(sky.columns, sky.stokes, strict=True)
        if letter
    }
    return Map(
        sky.values if len(sky.columns) > 1 else sky.values[0],
        sphere,
        sky.columns,
        sky.units,
        frame=sky.frame,
        spin=sky.spin,
        polcconv=sky.polcconv,
        attributes=attributes,
        history=sky.history,
        notes=tuple(_notes(path, names, sky, hdu)),
    )


def contains_mw(path, hdu=None):
    """Whether the selected table of a FITS file, or its first map, is on a grid MW or MWSS."""
    try:
        tables = outlines(path) if hdu is None else [read_table(path, hdu)]
        kinds = [is_mw(table) for table in tables if is_mw(table) or is_map(table)]
    except ValueError:  # a damaged header, of which the reader of HEALPix maps informs
        return False
    return kinds[:1] == [True]


def _image_reader(path, hdu):
    """The function that reads the first image of a file without a table of a map, or None."""
    if hdu is not None:
        return None
    header, _ = first_image(path, has_samples=False)
    if header is None or _has_tables(path):
        return None
    try:
        return read_mw if is_mw(Table(header, {}, {})) else read_car
    except ValueError:
        return read_mw


def _has_tables(path):
    try:
        return bool(outlines(path))
    except ValueError:
        return False


def _read_rectangular(reader, path, field, hdu, ordering, frame, grid):
    sky = reader(path) if hdu is None else reader(path, hdu)
    if ordering is not None:
        raise ArgumentError(
            f"ordering={ordering} applies to HEALPix maps only; {path} is on {label(sky.grid)}"
        )
    if grid is not None and as_grid(grid) != sky.grid:
        raise ArgumentError(f"grid={grid}, but {path} states the grid {label(sky.grid)}")
    return with_frame(with_fields(sky, path, field), frame)


def _notes(path, names, sky, hdu):
    """Notes on what was changed and what was not read."""
    if sky.ordering == "nuniq":
        yield f"the cells of the multi-order map were expanded to nside {sky.nside}"
    if sky.ordering == "nested":
        yield REARRANGED
    if sky.file_polcconv == "IAU" and sky.polcconv == "COSMO":
        yield "the sign of U was changed, from the IAU to the COSMO convention"
    unread = [name for name in names if name not in sky.columns]
    if unread:
        yield f"the columns {', '.join(unread)} were not read"
    if hdu is None:
        maps = [table for table in outlines(path) if is_map(table) and table.hdu != sky.hdu]
        if maps:
            tables = ", ".join(f"HDU {table.hdu} {table.name}".strip() for table in maps)
            yield f"the maps {tables} were not read"


def write_fits(sky, path, overwrite=False):
    """Write a map on HEALPix, MW or MWSS to a FITS file; a complex field as two columns."""
    if sky.grid.name in ("mw", "mwss"):
        write_mw(sky, path, overwrite=overwrite)
        return
    if sky.grid.name != "healpix":
        raise UnsupportedContents(
            f"{path}: FITS files of maps are for HEALPix grids, not {label(sky.grid)}; write .npz or .nc, or "
            "change the grid first (spherekit convert --grid healpix:NSIDE)"
        )
    if sky.axes:
        raise UnsupportedContents(
            f"{path}: FITS files of HEALPix maps have no further axes, and the map has {', '.join(sky.axes)}"
            "; select one position on each, or write .npz or .nc"
        )
    values = sky.values if len(sky) > 1 else sky.values[None]
    names, units = list(sky.names), list(sky.units)
    if np.iscomplexobj(values):
        if len(sky) > 1:
            raise UnsupportedContents(
                f"{path}: FITS files cannot store several complex fields; write .npz"
            )
        names = list(sky.attributes.get(names[0], {}).get("parts", ("REAL", "IMAG")))
        values, units = np.concatenate([values.real, values.imag]), units * 2
    names = [name or f"FIELD{number}" for number, name in enumerate(names)]
    names = ["SIGNAL"] if names == ["FIELD0"] else names
    polcconv = sky.polcconv if sky.polcconv == "IAU" else None
    metadata = dict(column=names, unit=units, coordsys=sky.frame, spin=sky.spin, polcconv=polcconv)
    metadata |= dict(history=sky.history)
    write_map(path, values, **metadata, overwrite=overwrite)
