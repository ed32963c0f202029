"""Maps, masks and coefficients as the verbs read them."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from spherekit.cli.analysis import grid_name, refuse_beyond_pixels
from spherekit.cli.options import Usage, is_arrays
from spherekit.cli.stokes import Component, components, describes_pixels, polarization_names
from spherekit.io.alm import is_alm
from spherekit.io.columns import chosen_table, is_map, map_columns
from spherekit.io.fits import outlines
from spherekit.io.frames import frame_of
from spherekit.io.missing import is_missing, missing_samples, refuse_missing_weights
from spherekit.io.spectra import is_spectrum
from spherekit.io.stokes import column_of


class Fields(NamedTuple):
    """Fields (n, *grid.shape) as a file holds them, and what is known of them.

    ``columns`` has a name for each or is empty; ``spin`` is what the file says of its complex fields, or
    None; ``unread`` names the other columns of the file.
    """

    values: np.ndarray
    columns: tuple
    units: tuple
    grid: object
    frame: str
    spin: int | None = None
    unread: tuple = ()


class Map(NamedTuple):
    """The signals of a map, its grid, its frame ("" where the file does not say), a note on what was read."""

    components: tuple
    grid: object
    frame: str
    note: str = ""


class Coefficients(NamedTuple):
    """Signals by their coefficients (L*L,), and their frame."""

    components: tuple
    L: int
    frame: str


# --- maps ------------------------------------------------------------------------------------------------


def read_fields(path, args=None, L=None, *, every=False):
    """The `Fields` of a HEALPix FITS map, or of a .npy or .npz file with its grid.

    Parameters
    ----------
    args : options of `spherekit.cli.options.source`
    every : bool
        All columns of a FITS map that are fields on the sphere, where ``--field`` names none; else the
        first one.
    """
    if is_arrays(path):
        return _from_arrays(
            path, getattr(args, "grid", None), getattr(args, "field", None), L, every
        )
    return _from_fits(path, args, L, every)


def read_map(args, L=None, *, every=False):
    """The `Map` of ``args.file``: the signals that ``--field`` and ``--spin`` pick."""
    fields = read_fields(args.file, args, L, every=every)
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
    if not unread:
        return sky
    note = f"{', '.join(fields.columns)} of {args.file}; not {', '.join(unread)} (--field, --hdu)"
    return sky._replace(note=note)


def signals(path, fields, spin=None, takes_spin=False):
    """The `Map` of fields: Q and U are one signal."""
    return Map(tuple(_components(path, fields, spin, takes_spin)), fields.grid, fields.frame)


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


def _components(path, fields, spin, takes_spin):
    if not np.iscomplexobj(fields.values):
        stated = fields.spin or None if spin is None else spin
        known = list(fields.values), fields.columns, fields.units
        return components(path, *known, stated, takes_spin)
    if fields.spin and spin not in (None, fields.spin):
        raise Usage(f"{path} holds a field of spin {fields.spin}; --spin is {spin}")
    spin = (fields.spin or 0) if spin is None else spin
    return [Component(f, spin, fields.columns, fields.units[0]) for f in fields.values]


def _from_fits(path, args, L, every):
    from spherekit import io
    from spherekit.sampling import HEALPix
    from spherekit.sampling import grid as as_grid

    grid, field, ordering, hdu = (
        getattr(args, name, None) for name in ("grid", "field", "ordering", "hdu")
    )
    names = map_columns(chosen_table(path, hdu_of(hdu), ordering))[1]
    wanted = [0] if field is None else _words(field)
    if every and field is None:
        wanted = _every(path, names)
    sky = io.read_map(path, field=wanted, ordering=ordering, hdu=hdu_of(hdu))
    if grid is not None and as_grid(grid, L) != HEALPix(sky.nside):
        raise Usage(f"--grid is {grid}; {path} is a HEALPix map of nside {sky.nside}")
    unread = tuple(name for name in names if name not in sky.columns)
    if hdu is None:
        maps = [table for table in outlines(path) if is_map(table) and table.hdu != sky.hdu]
        unread += tuple(f"HDU {table.hdu} {table.name}".strip() for table in maps)
    known = sky.values, sky.columns, sky.units, HEALPix(sky.nside), sky.frame
    return Fields(*known, unread=unread)


def _every(path, names):
    """All columns, where all are fields."""
    others = [name for name in names if describes_pixels(name)]
    if not others:
        return names
    fields = [name for name in names if name not in others]
    raise Usage(
        f"{path}: {', '.join(others)} describe pixels (counts, errors, masks) and are no fields on the "
        f"sphere; name the columns to take: --field {','.join(fields) or names[0]}"
    )


def _words(text):
    """ "1" -> [1], "Q,U" -> ["Q", "U"]."""
    names = [part.strip() for part in text.split(",")]
    return [int(name) if name.isascii() and name.isdigit() else name for name in names]


def hdu_of(text):
    """A number or a name."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


def _from_arrays(path, grid, field=None, L=None, every=False):
    from spherekit import io
    from spherekit.sampling import grid as as_grid

    arrays = io.read_arrays(path)
    if field is None:
        _refuse_other_arrays(path, arrays)
    stated = scalar(path, arrays, "grid", "U", "")
    if not (grid or stated):
        raise Usage(f"{path} does not say its grid; pass --grid, as --grid mw:64")
    where = as_grid(stated or grid, L)
    if grid and stated and as_grid(grid, L) != where:
        raise Usage(f"--grid is {grid}; {path} says that its grid is {stated}")
    n = len(where.shape)
    stored = [str(column) for column in np.atleast_1d(arrays.get("columns", ()))]
    words = None if field is None else _words(field)
    picked, columns = _pick(path, arrays, stored, n, words, every)
    if picked.shape[1:] != tuple(where.shape):
        wanted = ", ".join(map(str, where.shape))
        raise ValueError(
            f"{path} holds samples of shape {picked.shape[1:]}; the grid {grid_name(where)} has "
            f"({wanted}), or (fields, {wanted}){_that_fit(picked.shape[1:])}"
        )
    picked = _native(path, picked)
    units = _units(arrays, stored, columns, len(picked))
    spin = scalar(path, arrays, "spin", "iu", None)
    named = len(stored) == len(arrays.get("values", ()))
    unread = tuple(name for name in stored if name not in columns) if named else ()
    return Fields(picked, columns, units, where, _frame(path, arrays), spin, unread)


def _refuse_other_arrays(path, arrays):
    """Refuse what is no map, with what it is and the verb that takes it."""
    if "flm" in arrays:
        raise ValueError(
            f"{path} holds harmonic coefficients (flm), no samples: spherekit transform {path} --inverse "
            "--grid GRID -o map.npz makes a map of them; rotate and spectrum take them as they are"
        )
    if "scaling" in arrays and "values" not in arrays:
        raise ValueError(
            f"{path} holds wavelet maps, no map: spherekit wavelets {path} --inverse --grid GRID -o map.npz "
            "makes a map of them"
        )
    if "values" not in arrays:
        raise _no_array(path, arrays, "values")


def _native(path, values):
    """Samples or coefficients in a type of the transforms; float16 becomes float32, exactly."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind not in "fciub" or (kind == "f" and size > 8) or (kind == "c" and size > 16):
        raise ValueError(
            f"{path} holds values of type {values.dtype}; expected integers, float16 to float64, complex64 "
            "or complex128"
        )
    if not values.size:
        raise ValueError(f"{path} holds no number: its array has shape {values.shape}")
    if values.dtype == np.float16:
        return values.astype(np.float32)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def scalar(path, arrays, name, kinds, default):
    """The one value of an array of a file, whose type is of these kinds, or the default."""
    value = arrays.get(name)
    if value is None:
        return default
    if value.ndim or value.dtype.kind not in kinds:
        raise ValueError(
            f"{path}: its array {name} has shape {value.shape} and type {value.dtype}; expected one "
            f"{'text' if kinds == 'U' else 'number'}"
        )
    return value.item()


def _pick(path, arrays, stored, n, field, every):
    """(arrays by name, or entries of the first axis of ``values``; their names)."""
    values = arrays.get("values")
    if field is None:
        complex_pair = np.iscomplexobj(values) and len(stored) == 2
        fields = values[None] if values.ndim <= n else values
        if len(stored) == len(fields) > 1 and not every:
            return fields[:1], tuple(stored[:1])
        return fields, tuple(stored) if len(stored) == len(fields) or complex_pair else ()
    picked = [_pick_one(path, arrays, stored, n, word) for word in field]
    if len({array.shape for array, _ in picked}) > 1:
        raise ValueError(f"{path}: the arrays picked differ in shape")
    names = tuple(name for _, name in picked)
    return np.stack([array for array, _ in picked]), names if all(names) else ()


def _pick_one(path, arrays, stored, n, word):
    values = arrays.get("values", np.zeros(0))
    if isinstance(word, str):
        name = word if word in stored else column_of(word, stored)
        if name is None:
            if word in arrays:
                return arrays[word], word
            raise _no_array(path, arrays, word)
        word = stored.index(name)
    if values.ndim <= n or word >= len(values):
        raise ValueError(f"{path} has no field {word}: its samples have shape {values.shape}")
    return values[word], stored[word] if len(stored) == len(values) else f"FIELD{word}"


def _no_array(path, arrays, name):
    return ValueError(f"{path} has no array {name!r}; it holds {', '.join(arrays)}; use --field")


def _units(arrays, stored, columns, count):
    """The unit of each field that was picked."""
    units = [str(unit) for unit in np.atleast_1d(arrays.get("unit", ""))]
    if len(units) == len(stored) and set(columns) <= set(stored):
        units = [units[stored.index(name)] for name in columns]
    return tuple(units) if len(units) == count else tuple(units[:1] * count)


def _frame(path, arrays):
    try:
        return frame_of(scalar(path, arrays, "frame", "U", ""))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _that_fit(shape):
    """A hint with the named grids whose samples have this shape."""
    from spherekit.sampling import grid as as_grid

    n = shape[-2] if len(shape) > 1 else 0
    tries = [f"{name}:{n}" for name in ("mw", "gl")] + [f"mwss:{n - 1}", f"cc:{(n + 1) // 2}"]
    tries += [f"{name}:{n // 2}" for name in ("dh", "dhpole")]
    tries += [f"healpix:{int(round((shape[-1] / 12) ** 0.5))}"] if shape else []
    fitting = []
    for name in tries:
        try:
            here = tuple(as_grid(name).shape)
        except (ValueError, TypeError):
            continue
        if shape[-len(here) :] == here:
            fitting.append(name)
    return f"; --grid {' or '.join(fitting)} would fit" if fitting else ""


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
    """Weights 0..1 of the mask ``args.mask``, a file or the word "missing" (0 where a sample is missing)."""
    path, shape = args.mask, tuple(sky.grid.shape)
    if path == "missing":
        if args.mask_field is not None or args.mask_hdu is not None:
            raise Usage("--mask-field and --mask-hdu go with a mask in a file")
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
    if not (values.min() >= 0 and 0 < values.max() <= 1):
        raise ValueError(
            f"the mask {path} lies in {values.min():.4g}..{values.max():.4g}; expected weights "
            "from 0 (left out) to 1 (kept), not all 0"
        )
    return values


def _mask_fields(path, args, grid):
    """The one field of a mask file."""
    from spherekit import io

    states_grid = not is_arrays(path) or "grid" in io.read_arrays(path)
    grid = None if states_grid else grid
    picked = SimpleNamespace(grid=grid, field=args.mask_field, hdu=args.mask_hdu)
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
        raise ValueError(
            f"{path} is in {frame} coordinates and {other_path} in {other_frame}; bring them to one frame "
            f"first: spherekit rotate {other_path} --to {frame} -o rotated.fits"
        )


# --- coefficients ----------------------------------------------------------------------------------------


def holds_coefficients(path, hdu=None):
    """Whether a file holds harmonic coefficients, not samples."""
    from spherekit import io

    if str(path).endswith(".npy"):
        return False
    if is_arrays(path):
        return "flm" in io.read_arrays(path)
    listed = outlines(path)
    if hdu is not None:
        listed = [io.read_table(path, hdu_of(word)) for word in hdu.split(",")]
    return any(is_alm(table) for table in listed) and not any(is_map(table) for table in listed)


def read_coefficients(path, args=None):
    """The `Coefficients` of an alm FITS file, or of the array ``flm`` of a .npz file.

    E and B of an alm file are the field Q + iU of spin 2.
    """
    spin = getattr(args, "spin", None)
    if is_arrays(path):
        stored = _npz_coefficients(path, spin)
    else:
        stored = _alm(path, getattr(args, "hdu", None))
    for component in stored.components:
        if spin not in (None, component.spin):
            raise Usage(f"{path} holds {component.name} of spin {component.spin}; --spin is {spin}")
        if not np.isfinite(component.values).all():
            raise ValueError(f"{path} holds NaN or infinite coefficients")
    return stored


def _alm(path, hdu):
    from spherekit import io
    from spherekit.conventions import eb_to_spin

    _refuse_other_tables(path, hdu)
    alm = io.read_alms(path, None if hdu is None else [hdu_of(word) for word in hdu.split(",")])
    sets = dict(zip(alm.components, zip(alm.flm, alm.units, alm.names, strict=True), strict=True))
    signals = []
    for name, (flm, unit, table) in sets.items():
        if name not in ("E", "B") or not {"E", "B"} <= set(sets):
            signals.append(Component(flm, 0, (table or name,) if table or name else (), unit))
        elif name == "E":
            if unit != sets["B"][1]:
                raise ValueError(f"{path}: E is in {unit!r} and B in {sets['B'][1]!r}")
            columns = polarization_names(sets["T"][2] if "T" in sets else "")
            signals.append(Component(eb_to_spin(flm, sets["B"][0], spin=2), 2, columns, unit))
    return Coefficients(tuple(signals), int(round(alm.flm.shape[-1] ** 0.5)), alm.frame)


def _refuse_other_tables(path, hdu):
    """Refuse a map or spectra where coefficients are meant."""
    listed = outlines(path) if hdu is None else ()
    if any(is_alm(table) for table in listed) or not listed:
        return
    if any(is_map(table) for table in listed):
        raise ValueError(
            f"{path} is no alm file: it holds a map; spherekit transform {path} --L L -o alm.fits makes "
            "coefficients of it"
        )
    if any(is_spectrum(table) for table in listed):
        raise ValueError(f"{path} is no alm file: it holds power spectra (C_l), not coefficients")


def _npz_coefficients(path, spin):
    """``spin`` is that of a file that does not say."""
    from spherekit import io

    arrays = io.read_arrays(path)
    flm = arrays.get("flm")
    if flm is None and np.ndim(arrays.get("values")) == 1 and "grid" not in arrays:
        flm = arrays["values"]
    L = 0 if flm is None or flm.ndim not in (1, 2) else int(round(flm.shape[-1] ** 0.5))
    if L < 1 or L * L != flm.shape[-1] or not flm.size:
        raise ValueError(
            f"{path} holds no coefficients: one array flm (L*L,) is expected; it holds "
            f"{', '.join(f'{name} {array.shape}' for name, array in arrays.items())}"
        )
    flm = np.atleast_2d(_native(path, flm))
    spins, columns, units = (
        _for_each(arrays.get(name, default), len(flm))
        for name, default in (("spin", spin or 0), ("columns", ""), ("unit", ""))
    )
    if not all(np.asarray(spin).dtype.kind in "iu" for spin in spins):
        raise ValueError(f"{path}: its array spin holds {arrays['spin']!r}; expected whole numbers")
    parts = zip(flm, spins, columns, units, strict=True)
    signals = tuple(
        Component(f, int(spin), tuple(filter(None, str(names).split(","))), str(unit))
        for f, spin, names, unit in parts
    )
    return Coefficients(signals, L, _frame(path, arrays))


def _for_each(values, count):
    values = list(np.atleast_1d(values))
    return values if len(values) == count else values[:1] * count
