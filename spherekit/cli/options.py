"""What several verbs share: options, files in and out, the bar of the iterations.

The same word means the same everywhere.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit.plot.figure import figure as figure

PICTURES = (".png", ".pdf", ".svg", ".jpg")


class Usage(ValueError):
    """The command was not used as it should be: exit code 2."""


class Samples(NamedTuple):
    """A map as a file holds it: values (..., *grid.shape), and what is known of them."""

    values: np.ndarray
    grid: object
    unit: str
    spin: int


def band_limit(parser):
    """--L, or --lmax = L-1."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--L", type=int, help="band-limit: degrees 0..L-1")
    group.add_argument("--lmax", type=int, help="highest degree, L-1")


def chosen_L(args, *, required=True):
    """The band-limit that was asked for, or None where none is required."""
    L = args.L if args.lmax is None else args.lmax + 1
    if L is None and required:
        raise Usage("say the band-limit: --L 65, or --lmax 64")
    if L is not None and L < 1:
        raise Usage(f"the band-limit is L = {L} (lmax = {L - 1}); expected L >= 1")
    return L


def wavelets(parser, *, J0, N):
    """--lam, --J0 and --N, with these defaults."""
    parser.add_argument("--lam", type=float, default=2.0, help="dilation, > 1; default 2")
    parser.add_argument("--J0", type=int, default=J0, help=f"lowest scale; default {J0}")
    parser.add_argument("--N", type=int, default=N, help=f"directions; default {N}")


def oversample(parser):
    """--oversample."""
    said = "of the moduli, times the band-limit; default 2"
    parser.add_argument("--oversample", type=float, default=2.0, help=said)


def source(parser):
    """--grid, --field and --ordering."""
    parser.add_argument("--grid", help="grid of the samples, as mw:256 or healpix:64")
    parser.add_argument(
        "--field", help="columns by number or name, as 0 or Q,U; default: the first one"
    )
    parser.add_argument(
        "--ordering", choices=("ring", "nested"), help="of a HEALPix file that does not say"
    )


def spin(parser):
    parser.add_argument(
        "--spin", type=int, help="spin of the field of two columns, as --field Q,U; default 0"
    )


def mask(parser, meaning):
    said = f"map of the same grid: {meaning}; the word 'missing' leaves out UNSEEN and NaN"
    parser.add_argument("--mask", help=said)


def common(parser):
    """--threads and --force."""
    parser.add_argument("--threads", type=int, help="threads; default: the CPUs of this process")
    force(parser)


def force(parser):
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def writable(path, replace, suffixes):
    """Refuse, before any work is done, an output that cannot be written or would be replaced."""
    if path is None:
        return
    path = Path(path)
    if path.suffix not in suffixes:
        raise Usage(f"{path}: the output is one of {', '.join(suffixes)}; name it so")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} for the output {path.name}; make it")
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists; choose another name or pass --force")


def grid_name(grid):
    """The name by which `spherekit.sampling.grid` makes the grid again."""
    return f"{grid.name}:{grid.nside if grid.name == 'healpix' else grid.L}"


def is_arrays(path):
    """True for the files of NumPy, .npy and .npz."""
    return Path(path).suffix in (".npy", ".npz")


def read_samples(path, args=None, L=None):
    """The `Samples` of a HEALPix FITS map, or of a .npy/.npz array with its grid; args: of `source`."""
    grid, field, ordering = (getattr(args, name, None) for name in ("grid", "field", "ordering"))
    if is_arrays(path):
        return _from_arrays(path, grid, field, L)
    return _from_fits(path, grid, field, L, ordering)


def _from_fits(path, grid=None, field=None, L=None, ordering=None):
    from spherekit import io
    from spherekit.sampling import HEALPix
    from spherekit.sampling import grid as as_grid

    sky = io.read_map(path, field=0 if field is None else _fields(field), ordering=ordering)
    if grid is not None and as_grid(grid, L) != HEALPix(sky.nside):
        raise Usage(f"--grid is {grid}; {path} is a HEALPix map of nside {sky.nside}")
    return Samples(sky.values, HEALPix(sky.nside), sky.units[0], 0)


def _fields(text):
    """ "1" -> 1, "Q" -> "Q", "Q,U" -> ("Q", "U")."""
    names = [part.strip() for part in text.split(",")]
    picked = tuple(int(n) if n.isascii() and n.isdigit() else n for n in names)
    return picked if "," in text else picked[0]


def _from_arrays(path, grid, field=None, L=None):
    from spherekit import io
    from spherekit.sampling import grid as as_grid

    arrays = io.read_arrays(path)
    name = grid or str(arrays.get("grid", "")) or None
    if name is None:
        raise Usage(f"{path} does not say its grid; pass --grid, as --grid mw:64")
    where = as_grid(name, L)
    values = _pick(path, arrays, None if field is None else _fields(field))
    n = len(where.shape)
    if values.shape[-n:] != tuple(where.shape) or values.ndim > n + 1:
        wanted = ", ".join(map(str, where.shape))
        raise ValueError(
            f"{path} holds samples of shape {values.shape}; the grid {grid_name(where)} has "
            f"({wanted}), or (fields, {wanted}){_that_fit(values.shape)}"
        )
    if values.dtype.kind not in "fciub":
        raise ValueError(f"{path} holds {values.dtype}; expected real or complex samples")
    return Samples(values, where, str(arrays.get("unit", "")), int(arrays.get("spin", 0)))


def _pick(path, arrays, field):
    """One map or several: arrays by name, or entries of the first axis of ``values``."""
    if isinstance(field, tuple):
        return np.stack([_pick(path, arrays, one) for one in field])
    name = field if isinstance(field, str) else "values"
    if name not in arrays:
        raise ValueError(f"{path} has no array {name!r}; it holds {', '.join(arrays)}; use --field")
    values = arrays[name]
    if not isinstance(field, int):
        return values
    if values.ndim < 2 or field >= len(values):
        raise ValueError(f"{path} has no field {field}: its samples have shape {values.shape}")
    return values[field]


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
        except ValueError:
            continue
        if shape[-len(here) :] == here:
            fitting.append(name)
    return f"; --grid {' or '.join(fitting)} would fit" if fitting else ""


def signal(path, samples, spin):
    """The one signal of `samples`: real or complex, or map0 + i map1 of a spin field."""
    values, n = samples.values, len(samples.grid.shape)
    if spin == 0 and values.ndim > n:
        raise Usage(f"{path}: {len(values)} maps were picked; choose one by --field")
    if spin == 0 or (values.ndim == n and np.iscomplexobj(values)):
        return values
    if np.iscomplexobj(values) or values.ndim != n + 1 or len(values) != 2:
        raise Usage(f"{path}: spin {spin} needs two columns; name them, as --field Q,U")
    return values[0] + 1j * values[1]


def read_mask(path, samples):
    """Weights 0..1 of a mask file, or of the word "missing": 0 where no sample is valid."""
    from spherekit.plot.projection import valid_samples

    shape = tuple(samples.grid.shape)
    if path == "missing":
        lead = tuple(range(samples.values.ndim - len(shape)))
        return np.all(valid_samples(samples.values), axis=lead).astype(float)
    name = grid_name(samples.grid)
    mask = _from_arrays(path, name) if is_arrays(path) else _from_fits(path)
    values = mask.values.astype(float)
    if values.shape != shape:
        raise ValueError(
            f"the mask {path} has shape {values.shape} on {grid_name(mask.grid)}; the map needs "
            f"{shape} on {name}"
        )
    if not (values.min() >= 0 and 0 < values.max() <= 1):
        raise ValueError(
            f"the mask {path} lies in {values.min():.4g}..{values.max():.4g}; expected weights "
            "from 0 (left out) to 1 (kept), not all 0"
        )
    return values


def refuse_missing(samples, keep=None):
    """Refuse UNSEEN, NaN and infinite samples that no mask covers."""
    from spherekit.plot.projection import valid_samples

    values = samples.values
    kept = np.ones(values.shape, bool) if keep is None else np.broadcast_to(keep, values.shape)
    bad = kept & ~valid_samples(values)
    if bad.any():
        unseen = np.count_nonzero(bad & np.isfinite(values))
        lost = np.count_nonzero(bad) - unseen
        raise ValueError(
            f"of {np.count_nonzero(kept)} samples {unseen} are UNSEEN and {lost} are NaN or "
            "infinite; mask them: --mask MASK.fits (0 there), or --mask missing"
        )


def fit(f, L, **how):
    """`spherekit.analyse` with a bar of its iterations on standard error, if a terminal."""
    from tqdm import tqdm

    import spherekit

    with tqdm(desc="iterations", unit="", leave=False, disable=None) as bar:
        return spherekit.analyse(f, L, progress=lambda *_: bar.update(), **how)


def write_samples(path, values, grid, *, unit="", spin=0, coordsys=""):
    """Write a map to .fits (HEALPix; a spin field as two columns), .npz or .npy."""
    from spherekit import io

    if Path(path).suffix == ".fits":
        parts, names = values, "TEMPERATURE"
        if np.iscomplexobj(values):
            parts = np.stack([values.real, values.imag])
            names = ["Q", "U"] if spin == 2 else ["REAL", "IMAG"]
        io.write_map(path, parts, column=names, unit=unit, coordsys=coordsys, overwrite=True)
    elif Path(path).suffix == ".npy":
        io.write_arrays(path, values=values, overwrite=True)
    else:
        named = dict(grid=grid_name(grid), spin=spin, unit=unit)
        io.write_arrays(path, values=values, **named, overwrite=True)


def write_table(path, head, rows):
    """Write a .csv file, whole or not at all."""
    from spherekit.io._replace import replacing

    with replacing(path, True) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def save(made, path):
    made.savefig(path, dpi=150, facecolor="white", bbox_inches="tight", pad_inches=0.12)
