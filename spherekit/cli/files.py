"""Maps and masks as the verbs read them."""

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from spherekit.cli import arrays
from spherekit.cli.analysis import grid_name, refuse_beyond_pixels
from spherekit.cli.arrays import Fields
from spherekit.cli.names import join, split
from spherekit.cli.options import Usage, is_arrays
from spherekit.cli.stokes import Component, components, note_on_parts
from spherekit.io.columns import is_map, map_columns, select_table
from spherekit.io.fits import outlines
from spherekit.io.missing import is_missing, missing_samples, refuse_missing_weights
from spherekit.io.stokes import describes_pixels

#: The options that say which map of a file the mask is.
MASK_OPTIONS = ("mask-field", "mask-hdu", "mask-ordering")


class Map(NamedTuple):
    """The signals of a map, its grid, its frame ("" where the file does not say), a note on what was read."""

    components: tuple
    grid: object
    frame: str
    note: str = ""


def read_fields(path, args=None, L=None, *, every=False, pair=False):
    """The `Fields` of a HEALPix FITS map, or of a .npy or .npz file with its grid.

    Parameters
    ----------
    args : options of `spherekit.cli.options.source`
    every : bool
        All columns of a FITS map that are fields on the sphere, where ``--field`` names none; else the
        first one.
    pair : bool
        Both columns of a FITS map that says that they are one field of spin.
    """
    if not is_arrays(path):
        return _from_fits(path, args, L, every, pair)
    if getattr(args, "hdu", None) is not None:
        raise Usage(f"--hdu is of FITS files; choose an array of {path} by --field")
    grid, field, ordering = (getattr(args, name, None) for name in ("grid", "field", "ordering"))
    return arrays.read_fields(path, grid, field, L, every, ordering)


def read_map(args, L=None, *, every=False):
    """The `Map` of ``args.file``: the signals that ``--field`` and ``--spin`` pick."""
    fields = read_fields(args.file, args, L, every=every, pair=True)
    spin = getattr(args, "spin", None)
    several = len(fields.values) > 1 and not fields.columns and args.field is None
    if several and spin is None and not fields.spin:
        advice = "say --spin 0 of scalars, --spin 2 of Q and U" if every else "choose by --field"
        raise Usage(f"{args.file} holds {len(fields.values)} fields without names; {advice}")
    sky = signals(args.file, fields, spin, hasattr(args, "spin"))
    tables = [name for name in fields.unread if name.startswith("HDU ")]
    unread = fields.unread if args.field is None and not every else tables
    if tables and every:
        raise Usage(f"{args.file} holds other maps: {', '.join(tables)}; choose one table by --hdu")
    notes = [note_on_parts(sky.components)] if spin is None and fields.spin is None else []
    if unread:
        columns = ", ".join(fields.columns)
        notes.append(f"{columns} of {args.file}; not {', '.join(unread)} (--field, --hdu)")
    return sky._replace(note="\n".join(filter(None, notes)))


def signals(path, fields, spin=None, accepts_spin=False):
    """The `Map` of fields: Q and U are one signal."""
    return Map(tuple(_components(path, fields, spin, accepts_spin)), fields.grid, fields.frame)


def read_signal(args, L):
    """The `Map` of one signal whose degrees below L its pixels determine, and which misses no sample."""
    sky = single(args.file, read_map(args, L))
    refuse_beyond_pixels(sky.grid, L)
    refuse_missing(args, sky)
    return sky


def single(path, sky):
    """``sky`` itself, where it holds one signal."""
    if len(sky.components) > 1:
        names = "; ".join(component.name for component in sky.components)
        raise Usage(
            f"{path}: {len(sky.components)} maps were picked ({names}); choose one by --field"
        )
    return sky


def _components(path, fields, spin, accepts_spin):
    if fields.spin and spin not in (None, fields.spin):
        raise Usage(f"{path} holds a field of spin {fields.spin}; --spin is {spin}")
    if not np.iscomplexobj(fields.values):
        stated = fields.spin if spin is None else spin
        refuse_unknown_sign(path, fields, stated, accepts_spin)
        known = list(fields.values), fields.columns, fields.units
        return components(path, *known, stated, accepts_spin, fields.stokes)
    spin = (fields.spin or 0) if spin is None else spin
    return [Component(f, spin, fields.columns, fields.units[0]) for f in fields.values]


def refuse_unknown_sign(path, signal, spin, accepts_spin=True):
    """Refuse what follows the IAU convention and may be U, whose sign would have to change.

    signal : with ``polcconv`` and ``columns``
    """
    if signal.polcconv == "IAU" and spin is None:
        name = ", ".join(signal.columns) or "the signal"
        scalar = "say --spin 0 if it is a scalar, or " if accepts_spin else ""
        raise Usage(
            f"{path} follows the IAU convention (POLCCONV), and nothing tells whether {name} is U (or B), "
            f"whose sign would have to change; {scalar}rename it (TEMPERATURE, Q_STOKES, U_STOKES)"
        )


def _from_fits(path, args, L, every, pair):
    from spherekit import io
    from spherekit.sampling import HEALPix
    from spherekit.sampling import grid as as_grid

    grid, field, ordering, hdu = (
        getattr(args, name, None) for name in ("grid", "field", "ordering", "hdu")
    )
    names = map_columns(select_table(path, hdu_of(hdu), ordering))[1]
    fields = [0] if field is None else split(field)
    if every and field is None:
        fields = _every(path, names)
    sky = io.read_map(path, field=fields, ordering=ordering, hdu=hdu_of(hdu))
    if pair and sky.spin and field is None and not every:
        sky = io.read_map(path, field=None, ordering=ordering, hdu=hdu_of(hdu))
    if grid is not None and as_grid(grid, L) != HEALPix(sky.nside):
        raise Usage(f"--grid is {grid}; {path} is a HEALPix map of nside {sky.nside}")
    unread = tuple(name for name in names if name not in sky.columns)
    if hdu is None:
        maps = [table for table in outlines(path) if is_map(table) and table.hdu != sky.hdu]
        unread += tuple(f"HDU {table.hdu} {table.name}".strip() for table in maps)
    known = sky.values, sky.columns, sky.units, HEALPix(sky.nside), sky.frame
    return Fields(*known, sky.spin, unread, sky.stokes, sky.polcconv)


def _every(path, names):
    """All columns, where all are fields."""
    others = [name for name in names if describes_pixels(name)]
    if not others or len(names) == 1:  # of one column there is nothing to choose
        return names
    fields = [name for name in names if name not in others]
    raise Usage(
        f"{path} holds columns that are no fields on the sphere (counts, errors, masks of pixels): "
        f"{', '.join(others)}; name the columns to take: --field {join(fields or names[:1])}"
    )


def hdu_of(text):
    """A number or a name."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


# --- missing samples and masks ---------------------------------------------------------------------------


def refuse_missing(args, sky, keep=None):
    """Refuse samples that are missing (UNSEEN, NaN) and that no mask covers; infinite ones always."""
    for component in sky.components:
        values = component.values
        missing = missing_samples(values, name=args.file)
        missing = missing if keep is None else missing & keep
        count = np.count_nonzero(missing)
        if count:
            nan = np.count_nonzero(missing & np.isnan(values))
            raise ValueError(
                f"of {values.size} samples of {component.name} in {args.file} {count - nan} are UNSEEN "
                f"and {nan} are NaN; {_advice(args)}"
            )


def _advice(args):
    if hasattr(args, "mask"):
        return "mask them: --mask MASK.fits (0 there), or --mask missing"
    return (
        f"spherekit {args.verb} takes whole skies; fit what is observed first: spherekit transform "
        f"{args.file} --mask missing --L L -o alm.fits, and back: spherekit transform alm.fits --inverse "
        "--grid GRID -o map.fits"
    )


def read_mask(args, sky):
    """Weights 0..1 of the mask ``args.mask``, or None where there is none.

    The mask is a file, or the word "missing": 0 where a sample is missing.
    """
    path, shape = args.mask, tuple(sky.grid.shape)
    of_file = [name for name in MASK_OPTIONS if getattr(args, name.replace("-", "_")) is not None]
    if path in (None, "missing") and of_file:
        raise Usage(f"--{', --'.join(of_file)}: of a mask in a file, --mask FILE")
    if path is None:
        return None
    if path == "missing":
        keep = np.all([~is_missing(component.values) for component in sky.components], axis=0)
        if not keep.any():
            raise ValueError(f"{args.file}: all {keep.size} samples are missing (UNSEEN or NaN)")
        return keep.astype(float)
    name = grid_name(sky.grid)
    fields = _mask_fields(path, args, name)
    refuse_frames(path, fields.frame, args.file, sky.frame)
    values = fields.values[0]
    refuse_missing_weights(values, name=f"the mask {path}")
    same = grid_name(fields.grid) == name
    if values.shape != shape or np.iscomplexobj(values) or not same:
        raise ValueError(
            f"the mask {path} has shape {values.shape} on {grid_name(fields.grid)}; the map needs "
            f"real weights of shape {shape} on {name}"
        )
    values = values.astype(float)
    weights = np.clip(values, 0, 1)
    if np.abs(values - weights).max() > 1e-6 or not weights.any():  # beyond what rounding does
        raise ValueError(
            f"the mask {path} lies in {values.min():.4g}..{values.max():.4g}; expected weights "
            "from 0 (left out) to 1 (kept), not all 0; numpy.clip(mask, 0, 1) cuts off what smoothing adds"
        )
    return weights


def _mask_fields(path, args, grid):
    """The one field of a mask file."""
    from spherekit import io

    stored = io.read_arrays(path) if is_arrays(path) else {"grid": None}
    if args.mask_field is None and not {"grid", "values", "flm"} & stored.keys():
        names = ", ".join(stored)
        raise Usage(f"the mask {path} holds several fields ({names}); choose one by --mask-field")
    grid = None if "grid" in stored else grid
    picked = SimpleNamespace(
        grid=grid, field=args.mask_field, hdu=args.mask_hdu, ordering=args.mask_ordering
    )
    fields = read_fields(path, picked)
    tables = [name for name in fields.unread if name.startswith("HDU ")]
    if tables:
        raise Usage(f"the mask {path} holds other maps: {', '.join(tables)}; choose by --mask-hdu")
    if args.mask_field is None and (fields.unread or len(fields.values) > 1):
        names = ", ".join(fields.columns + fields.unread) or f"{len(fields.values)} without names"
        raise Usage(f"the mask {path} holds several fields ({names}); choose one by --mask-field")
    if len(fields.values) > 1:
        raise Usage(f"--mask-field {args.mask_field}: one mask is needed")
    return fields


def refuse_frames(path, frame, other_path, other_frame):
    """Refuse two files whose frames differ."""
    if frame and other_frame and frame != other_frame:
        suffix = Path(other_path).suffix if is_arrays(other_path) else ".fits"
        raise ValueError(
            f"{path} is in {frame} coordinates and {other_path} in {other_frame}; bring them to one frame "
            f"first: spherekit rotate {other_path} --to {frame} -o rotated{suffix}"
        )
