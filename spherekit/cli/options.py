"""What several verbs share: their options, and what is wrong with how they are used.

The same word means the same everywhere.
"""

import os
from pathlib import Path

from spherekit.plot.figure import figure as figure

PICTURES = (".png", ".pdf", ".svg", ".jpg")


class Usage(ValueError):
    """The command was not used as it should be: exit code 2."""


def band_limit(parser):
    """--L, or --lmax = L-1."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--L", type=int, help="band-limit: degrees 0..L-1")
    group.add_argument("--lmax", type=int, help="highest degree, L-1")


#: Options of what is a map, by their attributes, with what they are where they are not given.
_OF_MAPS = dict(grid=None, field=None, ordering=None, mask=None, mask_field=None, mask_hdu=None)
_OF_MAPS |= dict(mask_ordering=None, method=None, max_iter=None, allow_unconverged=False)
_OF_MAPS |= dict(remove_monopole=False, remove_dipole=False)


def refuse_given(args, reason, *, but=(), also=()):
    """Refuse options of maps (but these, and also those) that were given where they mean nothing."""
    unset = {name: x for name, x in _OF_MAPS.items() if name not in but} | dict.fromkeys(also)
    given = [name for name, x in unset.items() if getattr(args, name, x) != x]
    if given:
        words = ", ".join("--" + name.replace("_", "-") for name in given)
        raise Usage(f"{words}: {reason}")


def band_limit_option(args, *, required=True):
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
    text = "of the moduli, times the band-limit; default 2"
    parser.add_argument("--oversample", type=float, default=2.0, help=text)


def source(parser, default="the first one"):
    """--grid, --field, --ordering and --hdu."""
    parser.add_argument("--grid", help="grid of the samples, as mw:256 or healpix:64")
    parser.add_argument(
        "--field", help=f"columns by number or name, as 0, T or Q,U; default: {default}"
    )
    parser.add_argument(
        "--ordering", choices=("ring", "nested"), help="of a HEALPix file that does not say"
    )
    hdu(parser)


def hdu(parser):
    parser.add_argument("--hdu", help="table of a FITS file, by number or name; see spherekit info")


def spin(parser):
    parser.add_argument(
        "--spin", type=int, help="spin of the field of two columns; default: 2 of Q,U, else 0"
    )


def mask(parser, meaning):
    """--mask, --mask-field, --mask-hdu and --mask-ordering."""
    text = f"map of the same grid: {meaning}; the word 'missing' leaves out UNSEEN and NaN"
    parser.add_argument("--mask", help=text)
    parser.add_argument(
        "--mask-field", help="column of a mask file that holds several, by number or name"
    )
    parser.add_argument("--mask-hdu", help="table of a mask file that holds several")
    parser.add_argument(
        "--mask-ordering", choices=("ring", "nested"), help="of a HEALPix mask that does not say"
    )


def least_squares(parser):
    """--max-iter and --allow-unconverged."""
    parser.add_argument("--max-iter", type=int, help="of least squares (HEALPix); default 100")
    parser.add_argument(
        "--allow-unconverged", action="store_true", help="go on where they have not converged"
    )


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
    if os.path.islink(os.path.realpath(path)):  # which follows all others
        raise ValueError(f"{path} is a symbolic link that leads to itself; name another file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} for the output {path.name}; make it")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file")
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists; choose another name or pass --force")


def folder(path):
    """A folder for results, made where it is missing."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Usage(f"{path} is not a folder, or lies in a file; name a folder") from None
    return path


def choice(path):
    """The option that chooses among the signals of a file."""
    return "--field (as --field 0)" if is_arrays(path) else "--field, or of coefficients by --hdu"


def is_arrays(path):
    """True for the files of NumPy, .npy and .npz."""
    return Path(path).suffix in (".npy", ".npz")
