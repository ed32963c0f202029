"""Reading maps and masks for the commands."""

import os
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from spherekit.cli import arrays, stokes_files, wind_files
from spherekit.cli.analysis import grid_label, grid_name, refuse_beyond_pixels
from spherekit.cli.arrays import Fields
from spherekit.cli.names import join, split
from spherekit.cli.options import Usage, is_arrays
from spherekit.cli.stokes import Component, components, note_on_components, note_on_spin
from spherekit.io.bandpower_formats import contains_bandpowers
from spherekit.io.columns import field_names, is_map
from spherekit.io.fits import outlines
from spherekit.io.fits_maps import contains_mw
from spherekit.io.kinds import is_fits
from spherekit.io.missing import is_missing, missing_samples, refuse_missing_weights
from spherekit.io.stokes import describes_pixels

#: The options that select the mask in its file.
MASK_OPTIONS = ("mask-field", "mask-hdu", "mask-ordering")
#: Largest part of a weight below 0 or above 1 that is a rounding error.
ROUNDING = 1e-6


class Map(NamedTuple):
    """Signals of shape (*axes, *grid.shape), grid, frame ("" if not stated), a note, axes, attributes."""

    components: tuple
    grid: object
    frame: str
    note: str = ""
    axes: dict = {}
    attributes: dict = {}


def read_fields(path, args=None, L=None, *, all_columns=False, pair=False, axes=False):
    """Read the `Fields` of a map in any format.

    Parameters
    ----------
    args : argparse.Namespace
        The options of `spherekit.cli.options.source`.
    all_columns : bool
        Without ``--field``, read all columns of a FITS map that are fields on the sphere, not only the first.
    pair : bool
        Without ``--field``, read both columns of a map that declares them a spin field.
    axes : bool
        Accept named axes, such as times and levels. By default each must be selected.
    """
    if getattr(args, "further", None):
        if hasattr(args, "spin") and stokes_files.is_polarization(args, read_fields, L):
            fields = stokes_files.read_both(args, read_fields, L)
        else:
            fields = arrays.fields_of(wind_files.read_both(args, L))
        if fields.axes and not axes:
            raise _axes_error(path, fields)
        return fields
    if is_fits(path) and not contains_mw(path, hdu_of(getattr(args, "hdu", None))):
        return _from_fits(path, args, L, all_columns, pair)
    if getattr(args, "hdu", None) is not None and not is_fits(path):
        raise Usage(f"--hdu applies to FITS files only; select a field of {path} with --field")
    fields = arrays.read_fields(path, args, L, all_columns, pair)
    if fields.axes and not axes:
        raise _axes_error(path, fields)
    return fields


def _axes_error(path, fields):
    """The error for a map with named axes, of which the command requires a single position."""
    axes = {
        name: texts(values, fields.attributes.get(name)) for name, values in fields.axes.items()
    }
    listed = "; ".join(f"{name} ({_coordinates(values)})" for name, values in axes.items())
    advice = " ".join(f"--select {name}={values[0]}" for name, values in axes.items())
    return Usage(f"{path} has several maps, on the axes {listed}; select one, e.g. {advice}")


def _coordinates(values):
    first = ", ".join(values[:8])
    return first + (", ..." if len(values) > 8 else "")


def texts(values, attributes):
    """The coordinates of an axis as text, dates of any calendar included."""
    from spherekit.io.cf import coordinate_texts

    dates = coordinate_texts(values, attributes or {})
    return [str(value).removesuffix("T00:00:00") for value in (values if dates is None else dates)]


def read_map(args, L=None, *, all_columns=False, axes=False):
    """The `Map` of ``args.file``, with the signals that ``--field`` and ``--spin`` select.

    ``axes``: accept named axes, such as times and levels.
    """
    if os.path.isfile(args.file) and contains_bandpowers(args.file):
        raise ValueError(
            f"{args.file} contains bandpowers; expected a map (spherekit plot draws bandpowers)"
        )
    fields = read_fields(args.file, args, L, all_columns=all_columns, pair=True, axes=axes)
    return checked(args, fields, all_columns=all_columns)


def checked(args, fields, *, all_columns=False):
    """The `Map` of the fields of ``args.file``; raise Usage where ``--field`` or ``--spin`` is needed."""
    spin = getattr(args, "spin", None)
    several = len(fields.values) > 1 and not fields.columns and args.field is None
    if several and spin is None and not fields.spin:
        advice = "select one with --field"
        if all_columns:
            advice = "pass --spin 0 for scalars, or --spin 2 for Q and U"
        raise Usage(f"{args.file} contains {len(fields.values)} fields without names; {advice}")
    sky = signals(args.file, fields, spin, hasattr(args, "spin"))
    tables = [name for name in fields.unread if name.startswith("HDU ")]
    unread = fields.unread if args.field is None and not all_columns else tables
    if tables and all_columns:
        raise Usage(
            f"{args.file} also contains the maps {', '.join(tables)}; select one table with --hdu"
        )
    notes = list(fields.notes)
    if spin is None and fields.spin is None:
        notes.append(note_on_components(sky.components, hasattr(args, "spin")))
    notes.append(note_on_spin(sky.components))
    if unread:
        columns = ", ".join(fields.columns)
        omitted = ", ".join(unread)
        notes.append(
            f"reading {columns} of {args.file}, not {omitted} (select with --field or --hdu)"
        )
    return sky._replace(note="\n".join(filter(None, notes)))


def signals(path, fields, spin=None, accepts_spin=False):
    """The `Map` of fields, with Q and U as one signal."""
    components = tuple(_components(path, fields, spin, accepts_spin))
    return Map(
        components, fields.grid, fields.frame, axes=fields.axes, attributes=fields.attributes
    )


def read_signal(args, L):
    """The `Map` of a single signal without missing samples, on pixels that determine the degrees below L."""
    sky = single(args.file, read_map(args, L))
    refuse_beyond_pixels(sky.grid, L)
    refuse_missing(args, sky)
    return sky


def single(path, sky):
    """Return ``sky`` if it contains a single signal; raise Usage otherwise."""
    if len(sky.components) > 1:
        names = "; ".join(component.name for component in sky.components)
        raise Usage(
            f"{path}: got {len(sky.components)} maps ({names}); expected one; select it with --field"
        )
    return sky


def _components(path, fields, spin, accepts_spin):
    if fields.spin and spin not in (None, fields.spin):
        raise Usage(f"--spin is {spin}, but {path} contains a field of spin {fields.spin}")
    if not np.iscomplexobj(fields.values):
        spin = fields.spin if spin is None else spin
        refuse_unknown_sign(path, fields, spin, accepts_spin)
        described = list(fields.values), fields.columns, fields.units
        cf = [fields.attributes.get(name, {}).get("standard_name") for name in fields.columns]
        return components(path, *described, spin, accepts_spin, fields.stokes, cf)
    spin = (fields.spin or 0) if spin is None else spin
    return [Component(f, spin, fields.columns, fields.units[0]) for f in fields.values]


def refuse_unknown_sign(path, signal, spin, accepts_spin=True):
    """Raise Usage for a signal in the IAU convention that may be U, whose sign would have to change.

    ``signal`` has the attributes ``polcconv`` and ``columns``.
    """
    if signal.polcconv == "IAU" and spin is None:
        name = ", ".join(signal.columns) or "the signal"
        scalar = "pass --spin 0 if it is a scalar, or " if accepts_spin else ""
        raise Usage(
            f"{path} follows the IAU convention (POLCCONV), and it is ambiguous whether {name} is U (or B), "
            f"whose sign would have to change; {scalar}rename the column (TEMPERATURE, Q_STOKES, U_STOKES)"
        )


def _from_fits(path, args, L, all_columns, pair):
    from spherekit import io
    from spherekit.sampling import HEALPix
    from spherekit.sampling import grid as as_grid

    grid, field, ordering, hdu = (
        getattr(args, name, None) for name in ("grid", "field", "ordering", "hdu")
    )
    names = field_names(path, hdu_of(hdu), ordering)
    fields = [0] if field is None else split(field)
    if all_columns and field is None:
        fields = _field_columns(path, names)
    try:
        sky = io.read_map(path, field=fields, ordering=ordering, hdu=hdu_of(hdu))
    except ValueError as error:
        raise _with_options(error) from None
    if pair and sky.spin and field is None and not all_columns:
        sky = io.read_map(path, field=None, ordering=ordering, hdu=hdu_of(hdu))
    if grid is not None and as_grid(grid, L) != HEALPix(sky.nside):
        raise Usage(f"--grid is {grid}, but {path} is a HEALPix map of nside {sky.nside}")
    unread = tuple(name for name in names if name not in sky.columns)
    if hdu is None:
        maps = [table for table in outlines(path) if is_map(table) and table.hdu != sky.hdu]
        unread += tuple(f"HDU {table.hdu} {table.name}".strip() for table in maps)
    described = sky.values, sky.columns, sky.units, HEALPix(sky.nside), sky.frame
    return Fields(*described, sky.spin, unread, sky.stokes, sky.polcconv)


def _with_options(error):
    """An error of `io.read_map`, with the command-line option in place of the argument."""
    text = str(error)
    for argument, option in (
        ('pass ordering="ring" or "nested"', "pass --ordering ring or nested"),
        ("but ordering=", "but --ordering is "),
        ("omit ordering,", "omit --ordering,"),
    ):
        text = text.replace(argument, option)
    return error if text == str(error) else ValueError(text)


def _field_columns(path, names):
    """All columns, if all are fields on the sphere."""
    pixel_columns = [name for name in names if describes_pixels(name)]
    if not pixel_columns or len(names) == 1:
        return names
    fields = [name for name in names if name not in pixel_columns]
    raise Usage(
        f"{path} contains columns that are not fields on the sphere (counts, errors or masks of pixels): "
        f"{', '.join(pixel_columns)}; select the columns with --field {join(fields or names[:1])}"
    )


def hdu_of(text):
    """A table number as int, or a name."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


# --- missing samples and masks ---------------------------------------------------------------------------


def refuse_missing(args, sky, observed=None):
    """Raise ValueError for samples that are missing where ``observed`` is True, or infinite anywhere."""
    for component in sky.components:
        values = component.values
        missing = missing_samples(values, name=args.file)
        missing = missing if observed is None else missing & observed
        count = np.count_nonzero(missing)
        if count:
            nan = np.count_nonzero(missing & np.isnan(values))
            raise ValueError(
                f"{args.file}: of {values.size} samples of {component.name}, {count - nan} are UNSEEN and "
                f"{nan} are NaN; {_advice(args)}"
            )


def _advice(args):
    if hasattr(args, "mask"):
        return "exclude them with --mask missing, or with a mask that is 0 at these samples, --mask MASK.fits"
    return (
        f"{args.command} requires a full sky; fit the observed samples first, with spherekit transform "
        f"{args.file} --mask missing --L L -o alm.fits and spherekit transform alm.fits --inverse --grid "
        "GRID -o map.fits"
    )


def read_mask(args, sky, notes=None):
    """Weights from 0 to 1 of the mask ``args.mask``, or None without a mask.

    The mask is a file, or "missing", which is 0 where a sample is missing. To the list ``notes`` a line is
    added if only one of map and mask states its frame.
    """
    path = args.mask
    shape = tuple(sky.grid.shape)
    of_file = [name for name in MASK_OPTIONS if getattr(args, name.replace("-", "_")) is not None]
    if path in (None, "missing") and of_file:
        raise Usage(f"--{', --'.join(of_file)}: requires a mask file, --mask FILE")
    if path is None:
        return None
    if path == "missing":
        observed = np.all([~is_missing(component.values) for component in sky.components], axis=0)
        if not observed.any():
            raise ValueError(
                f"{args.file}: all {observed.size} samples are missing (UNSEEN or NaN)"
            )
        return observed.astype(float)
    name = grid_name(sky.grid)
    fields = _mask_fields(path, args, sky.grid)
    refuse_frames(path, fields.frame, args.file, sky.frame)
    if notes is not None and bool(fields.frame) != bool(sky.frame):
        pair = (path, args.file) if fields.frame else (args.file, path)
        frame = fields.frame or sky.frame
        notes.append(
            f"{pair[0]} is in {frame} coordinates; {pair[1]} states none, taken to be the same"
        )
    values = fields.values[0]
    refuse_missing_weights(values, name=f"the mask {path}")
    on_grid = grid_name(fields.grid) == name
    if values.shape != shape or np.iscomplexobj(values) or not on_grid:
        raise ValueError(
            f"the mask {path} has dtype {values.dtype} and shape {values.shape} on "
            f"{grid_label(fields.grid)}; expected real weights of shape {shape} on "
            f"{grid_label(sky.grid)}, as the map"
            + _advice_on_resolution(args, fields.grid, sky.grid)
        )
    low, high = float(values.min()), float(values.max())
    if high == low == 0:
        raise ValueError(
            f"the mask {path} is 0 at all samples; expected weights from 0 (excluded) to 1 (included)"
        )
    if low < -ROUNDING or high > 1 + ROUNDING or not high > 0:
        advice = (
            "; apply numpy.clip(mask, 0, 1) after smoothing"
            if low > -0.2 and 0 < high < 1.2
            else ""
        )
        raise ValueError(
            f"the mask {path} has values from {low:.4g} to {high:.4g}; expected weights "
            f"from 0 (excluded) to 1 (included), not all 0{advice}"
        )
    values = values.astype(float)
    return values if low >= 0 and high <= 1 else np.clip(values, 0, 1)


def _advice_on_resolution(args, grid, grid_of_map):
    """The command that changes the resolution of a HEALPix mask to that of the map, or nothing."""
    if {grid.name, grid_of_map.name} != {"healpix"} or grid == grid_of_map:
        return ""
    words = [args.mask]
    words += [] if args.mask_field is None else ["--field", args.mask_field]
    words += [] if args.mask_hdu is None else ["--hdu", args.mask_hdu]
    words += [] if args.mask_ordering is None else ["--ordering", args.mask_ordering]
    words += ["--from-grid", str(grid)] if is_arrays(args.mask) else []
    target = ["--pixels", "--grid", str(grid_of_map), "-o", "mask.fits"]
    return f": change its resolution first, with {shlex.join(['spherekit', 'regrid', *words, *target])}"


def _refuse_resolution(path, args, arrays_of_file, grid):
    """Raise ValueError for an array without a grid that is a HEALPix map of another nside."""
    from spherekit.sampling import HEALPix

    name = (
        args.mask_field if args.mask_field in arrays_of_file else next(iter(arrays_of_file), None)
    )
    values = arrays_of_file.get(name)
    if "grid" in arrays_of_file or values is None or np.ndim(values) != 1:
        return
    nside = round((values.size / 12) ** 0.5)
    if grid.name != "healpix" or 12 * nside**2 != values.size or nside in (0, grid.nside):
        return
    advice = _advice_on_resolution(args, HEALPix(nside), grid)
    raise ValueError(
        f"the mask {path} has {values.size} samples, those of healpix:{nside}, and the map is on {grid}"
        f"{advice}"
    )


def _mask_fields(path, args, grid):
    """The selected field of a mask file."""
    from spherekit import io

    contents = io.read_arrays(path) if is_arrays(path) else {"grid": None}
    field = args.mask_field
    is_named = not {"grid", "values", "flm"} & contents.keys()
    if field is None and is_named and len(contents) == 1:
        field = next(iter(contents))
    elif field is None and is_named:
        names = ", ".join(contents)
        raise Usage(
            f"the mask {path} contains several fields ({names}); select one with --mask-field"
        )
    _refuse_resolution(path, args, contents if is_arrays(path) else {}, grid)
    grid = None if "grid" in contents else grid_name(grid)
    options = SimpleNamespace(
        grid=grid, field=field, hdu=args.mask_hdu, ordering=args.mask_ordering
    )
    try:
        fields = read_fields(path, options)
    except ValueError as error:
        raise _with_options_of_mask(error) from None
    tables = [name for name in fields.unread if name.startswith("HDU ")]
    if tables:
        raise Usage(
            f"the mask {path} also contains the maps {', '.join(tables)}; select one with --mask-hdu"
        )
    if field is None and (fields.unread or len(fields.values) > 1):
        names = ", ".join(fields.columns + fields.unread) or f"{len(fields.values)} without names"
        raise Usage(
            f"the mask {path} contains several fields ({names}); select one with --mask-field"
        )
    if len(fields.values) > 1:
        raise Usage(
            f"--mask-field {args.mask_field} selects {len(fields.values)} fields; expected one"
        )
    return fields


def _with_options_of_mask(error):
    """An error of reading a map, with the options that select the mask in its file."""
    text = re.sub(r"--(field|hdu|ordering)\b", r"--mask-\1", str(error))
    return (Usage if isinstance(error, Usage) else ValueError)(text)


def refuse_frames(path, frame, other_path, other_frame):
    """Raise ValueError for two files in different coordinate frames."""
    if frame and other_frame and frame != other_frame:
        suffix = Path(other_path).suffix if is_arrays(other_path) else ".fits"
        raise ValueError(
            f"{path} is in {frame} coordinates and {other_path} in {other_frame}; convert one of them first, "
            f"with spherekit rotate {other_path} --to {frame} -o rotated{suffix}"
        )
