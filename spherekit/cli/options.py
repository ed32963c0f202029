"""Options that several verbs share, so that the same word means the same everywhere."""

import os
from pathlib import Path

import numpy as np


def band_limit(parser, required=True):
    """--L, or --lmax = L-1."""
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument("--L", type=int, help="band-limit: degrees 0..L-1")
    group.add_argument("--lmax", type=int, help="highest degree, L-1")


def chosen_L(args):
    """The band-limit that was asked for, or None."""
    return args.lmax + 1 if args.lmax is not None else args.L


def common(parser):
    """--threads and --force."""
    parser.add_argument("--threads", type=int, help="threads; default: the CPUs of this process")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def writable(path, force):
    """Refuse to replace a file unless told, before any work is done."""
    if path is not None and os.path.exists(path) and not force:
        raise FileExistsError(f"{path} exists; choose another name or pass --force")
    return path


def read_samples(path, grid_name=None, field="0"):
    """(samples, grid, unit) of a HEALPix FITS map, or of a .npy/.npz array with its grid."""
    from spherekit import io
    from spherekit.sampling import HEALPix, grid

    suffix = Path(path).suffix
    if suffix in (".npy", ".npz"):
        values, stored = _load(path)
        name = grid_name or stored
        if name is None:
            raise ValueError(f"{path} does not say its grid; pass --grid, such as --grid mw:64")
        return values, grid(name), ""
    sky = io.read_map(path, field=int(field) if str(field).isdigit() else field)
    return sky.values, HEALPix(sky.nside), sky.units[0]


def _load(path):
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded, None
    with loaded:
        if "values" not in loaded:
            raise ValueError(f"{path} holds {', '.join(loaded)}; a map is stored as 'values'")
        return loaded["values"], str(loaded["grid"]) if "grid" in loaded else None


def write_samples(path, values, grid, unit, overwrite):
    """Write samples: HEALPix to FITS, any grid to .npz."""
    from spherekit import io

    if Path(path).suffix == ".npz":
        name = f"{grid.name}:{grid.nside if grid.name == 'healpix' else grid.L}"
        np.savez(path, values=values, grid=name)
    elif grid.name == "healpix":
        io.write_map(path, values, unit=unit, overwrite=overwrite)
    else:
        raise ValueError(
            f"{path}: FITS holds HEALPix maps; name a .npz file for the grid {grid.name}"
        )


def save_figure(ax, path):
    """Write the figure of ``ax`` and close it."""
    import matplotlib.pyplot as plt

    ax.figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(ax.figure)


def headless():
    """Draw to files, whatever the screen."""
    import matplotlib

    matplotlib.use("Agg")
