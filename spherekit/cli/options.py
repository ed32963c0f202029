"""Command-line options that several commands share, and checks of their use."""

import contextlib
import os
import re
from pathlib import Path

import numpy as np

PICTURES = (".png", ".pdf", ".svg", ".jpg")


#: Endings of compressed and plain files of FITS tables.
_FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.bz2")


class Usage(ValueError):
    """A usage error, with exit code 2."""


def figure(width, height):
    """A matplotlib Figure of this size in inches, without a display."""
    from spherekit.plot.figure import (
        figure as new_figure,  # Matplotlib is imported where it is needed
    )

    return new_figure(width, height)


def files(parser, text, metavar="FILE", suffix=None):
    """One or several input files, and --suffix, by default ``suffix`` or .fits or .npz as the input."""
    parser.add_argument("file", metavar=metavar, nargs="+", help=f"{text}; several: -o is a folder")
    parser.add_argument(
        "--suffix",
        help="suffix of the outputs in a folder, e.g. .npz; default: "
        + (suffix or "that of the input, .fits or .npz"),
    )
    parser.set_defaults(default_suffix=suffix)


def further(parser):
    """--and."""
    parser.add_argument(
        "--and",
        dest="further",
        metavar="FILE",
        nargs="+",
        help="the file of v beside that of u; of several inputs one for each, in their order",
    )


def suffix(args, path):
    """The suffix of the output for the input ``path`` in a folder."""
    if args.suffix is not None:
        return args.suffix if args.suffix.startswith(".") else f".{args.suffix}"
    return args.default_suffix or (".fits" if str(path).lower().endswith(_FITS) else ".npz")


def suffix_of(path):
    """The last suffix of a file, in lower case.

    >>> suffix_of("maps/SKY.FITS"), suffix_of("a.b.npz"), suffix_of("sky")
    ('.fits', '.npz', '')
    """
    return Path(path).suffix.lower()


def stem(path):
    """The name of a file without its folder and its suffixes, also that of compression.

    >>> stem("maps/a.b.fits.gz"), stem("topography.npz"), stem(".hidden")
    ('a.b', 'topography', '.hidden')
    """
    name = Path(path).name
    for compression in (".gz", ".bz2"):
        name = name.removesuffix(compression) or name
    return Path(name).stem


def number_of(count, noun):
    """A count with its noun, in the plural unless the count is 1.

    >>> number_of(1, "iteration"), number_of(0, "path")
    ('1 iteration', '0 paths')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def alternatives(words):
    """A list of alternatives, as a phrase for messages.

    >>> alternatives([".fits", ".npz", ".npy"]), alternatives([".csv"])
    ('.fits, .npz or .npy', '.csv')
    """
    *words, last = words
    return f"{', '.join(words)} or {last}" if words else last


#: Units of angles in radians.
_ANGLES = {"rad": 1.0, "deg": np.pi / 180, "arcmin": np.pi / 10800, "arcsec": np.pi / 648000}
_ANGLES |= {"\N{DEGREE SIGN}": _ANGLES["deg"], "'": _ANGLES["arcmin"], '"': _ANGLES["arcsec"]}
_ANGLES |= {"mas": _ANGLES["arcsec"] / 1000, "degree": _ANGLES["deg"], "degrees": _ANGLES["deg"]}
_ANGLE = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def angle(text, option="", default=None):
    """An angle in radians, from a number and its unit.

    Parameters
    ----------
    text : str
        Such as "30arcmin", "1.5 deg", "0.01rad", "20arcsec".
    option : str
        The option, for messages, such as "--fwhm".
    default : str, optional
        The unit of a number without a unit. By default, that is an error.

    Raises
    ------
    Usage
        Anything else.

    >>> round(angle("60arcmin") * 180, 12) == round(np.pi, 12), angle("0.5", default="rad")
    (True, 0.5)
    """
    match = _ANGLE.fullmatch(str(text))
    unit = (match.group(2) or default) if match else None
    value = float(match.group(1)) * _ANGLES[unit] if unit in _ANGLES else np.nan
    if not np.isfinite(value):
        raise Usage(
            f"{option or 'the angle'} is {text!r}; expected a number and a unit of deg, arcmin, arcsec and "
            "rad, e.g. 30arcmin"
        )
    return value


def band_limit(parser):
    """--L, or --lmax = L-1."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--L", type=int, help="band-limit: degrees 0 to L-1")
    group.add_argument("--lmax", type=int, help="highest degree, L-1")


#: Options that apply to maps only, by their attributes, with their defaults.
_OF_MAPS = dict(grid=None, field=None, ordering=None, mask=None, mask_field=None, mask_hdu=None)
_OF_MAPS |= dict(mask_ordering=None, method=None, max_iter=None, allow_unconverged=False)
_OF_MAPS |= dict(remove_monopole=False, remove_dipole=False, further=None)


def refuse_options_of_maps(args, reason, *, exclude=(), include=()):
    """Raise Usage for options of maps, without ``exclude`` and with ``include``, that do not apply."""
    defaults = {name: x for name, x in _OF_MAPS.items() if name not in exclude}
    defaults |= dict.fromkeys(include)
    present = [name for name, x in defaults.items() if getattr(args, name, x) != x]
    if present:
        words = ("and" if name == "further" else name.replace("_", "-") for name in present)
        names = ", ".join(f"--{word}" for word in words)
        raise Usage(f"{names}: {reason}")


def band_limit_option(args, *, required=True):
    """The band-limit of --L or --lmax, or None if it is absent and not ``required``."""
    L = args.L if args.lmax is None else args.lmax + 1
    if L is None and required:
        raise Usage("the band-limit is required, e.g. --L 65 or --lmax 64")
    if L is not None and L < 1:
        raise Usage(f"the band-limit is L = {L} (lmax = {L - 1}); expected L >= 1")
    return L


def wavelets(parser, *, J0, N):
    """--lam, --J0 and --N, with these defaults."""
    parser.add_argument("--lam", type=float, default=2.0, help="dilation factor, > 1; default 2")
    parser.add_argument("--J0", type=int, default=J0, help=f"lowest wavelet scale; default {J0}")
    parser.add_argument(
        "--N", type=int, default=N, help=f"azimuthal band-limit (directions); default {N}"
    )


def oversample(parser):
    """--oversample."""
    text = "sampling of the moduli, in units of their band-limit; default 2"
    parser.add_argument("--oversample", type=float, default=2.0, help=text)


def source(parser, default="the first column", grid="--grid"):
    """--grid, --field, --ordering, --hdu, and --lat, --lon, --level, --time and --select.

    ``grid`` is the name of the option of the grid of the file.
    """
    of_file = "" if grid == "--grid" else " of a file that does not state it"
    parser.add_argument(
        grid,
        help=f"sampling grid{of_file}, e.g. mw:256, healpix:64, or dh:180,n_theta=180,n_phi=360,phi0=half "
        "for latitudes 89.5 ... -89.5; see the book, Which grid is it?",
    )
    parser.add_argument(
        "--field", help=f"columns by number or name, e.g. 0, T or Q,U; default: {default}"
    )
    parser.add_argument(
        "--ordering",
        choices=("ring", "nested"),
        help="pixel ordering of a HEALPix file that does not state it",
    )
    hdu(parser)
    parser.add_argument(
        "--lat", metavar="FILE", help="latitudes of the rows of a text file, degrees"
    )
    parser.add_argument("--lon", metavar="FILE", help="longitudes of its columns, degrees")
    parser.add_argument("--level", help="coordinate on the vertical axis, e.g. 500")
    parser.add_argument(
        "--time", help="coordinate on the time axis, e.g. 7 or 2018-07, or epoch of coefficients"
    )
    parser.add_argument(
        "--select",
        action="append",
        metavar="NAME=VALUE",
        help="coordinate on an axis by its name, e.g. member=3",
    )


def hdu(parser):
    """--hdu."""
    parser.add_argument(
        "--hdu", help="table of a FITS file, by number or name (listed by spherekit info)"
    )


def coefficients(parser):
    """--normalization and --csphase."""
    parser.add_argument(
        "--normalization",
        choices=("4pi", "ortho", "schmidt", "unnorm"),
        help="of coefficients C_lm, S_lm whose file does not define it; default: 4pi",
    )
    parser.add_argument(
        "--csphase",
        type=int,
        choices=(1, -1),
        help="1: C_lm, S_lm without the Condon-Shortley phase (default); -1: with it",
    )


def spin(parser):
    """--spin."""
    parser.add_argument(
        "--spin",
        type=int,
        help="spin of a field of two columns, 0 for scalars; default: 2 for Q,U, 1 for winds, else 0",
    )


def projection(parser):
    """--projection."""
    parser.add_argument(
        "--projection",
        default="mollweide",
        choices=("mollweide", "orthographic", "cartesian"),
        help="of the picture; default mollweide",
    )


def rot(parser):
    """--rot, which `center` reads."""
    parser.add_argument(
        "--rot",
        metavar="LON,LAT",
        default="0,0",
        help="center of the picture in degrees, e.g. --rot=-30,10; default 0,0",
    )


def center(text):
    """Longitude and latitude of --rot in degrees.

    >>> center("-30,10")
    (-30.0, 10.0)
    """
    try:
        lon, lat = (float(angle) for angle in text.split(","))
    except ValueError:
        raise Usage(f"--rot is {text!r}; expected LON,LAT in degrees") from None
    return lon, lat


def mask(parser, meaning):
    """--mask, --mask-field, --mask-hdu and --mask-ordering."""
    text = f"mask on the same grid: {meaning}; or 'missing' to exclude UNSEEN and NaN samples"
    parser.add_argument("--mask", help=text)
    parser.add_argument("--mask-field", help="column of the mask file, by number or name")
    parser.add_argument("--mask-hdu", help="table of the mask file, by number or name")
    parser.add_argument(
        "--mask-ordering",
        choices=("ring", "nested"),
        help="pixel ordering of a HEALPix mask that does not state it",
    )


def least_squares(parser):
    """--max-iter and --allow-unconverged."""
    parser.add_argument(
        "--max-iter", type=int, help="maximum least-squares iterations (HEALPix); default 100"
    )
    parser.add_argument(
        "--allow-unconverged",
        action="store_true",
        help="accept a least-squares fit that has not converged",
    )


def threads(parser):
    """--threads."""
    parser.add_argument(
        "--threads", type=int, help="number of threads; default: the CPUs of this process"
    )


def common(parser):
    """--threads and --force."""
    threads(parser)
    force(parser)


def force(parser):
    """--force."""
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def writable(path, replace, suffixes):
    """Check, before any computation, that an output can be written and would not be overwritten.

    Raises Usage or OSError.
    """
    if path is None:
        return
    path = Path(path)
    if suffix_of(path) not in suffixes:
        received = f"has the suffix {path.suffix}" if path.suffix else "has no suffix"
        raise Usage(f"the output {path} {received}; expected {alternatives(suffixes)}")
    if os.path.islink(os.path.realpath(path)):  # realpath follows all links but loops
        raise ValueError(f"{path} is a symbolic link that leads to itself; choose another file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} for the output {path.name}; create it")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected a file name")
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists; choose another name or pass --force")


def selection_of(axes, attributes=None):
    """The options that select the first position on each axis; dates by the attributes of the axes.

    >>> selection_of({"month": [1, 7], "level": [500]})
    '--select month=1 --select level=500'
    """
    from spherekit.io.cf import coordinate_texts

    advice = []
    for name, values in axes.items():
        dates = coordinate_texts(np.asarray(values[:1]), (attributes or {}).get(name, {}))
        first = str((values if dates is None else dates)[0]).removesuffix("T00:00:00")
        advice.append(f"--select {name}={first}")
    return " ".join(advice)


def refuse_grid_in_fits(path, grid):
    """Raise Usage for a FITS file of a map on a grid that the format does not have."""
    from spherekit.sampling import MW, MWSS
    from spherekit.sampling.text import label

    is_mw = isinstance(grid, MW | MWSS) and grid == type(grid)(grid.L)
    if suffix_of(path) == ".fits" and grid.name != "healpix" and not is_mw:
        raise Usage(
            f"{path}: FITS output is for HEALPix grids and mw:L and mwss:L, not {label(grid)}; write .npz or "
            ".nc instead"
        )


def refuse_output_over_input(args):
    """Raise Usage for an output that would replace an input of the command, even with ``--force``."""
    names = (
        "file",
        "mask",
        "beam",
        "lat",
        "lon",
        "cross",
        "cross_mask",
        "half",
        "noise",
        "theory",
    )
    inputs = {
        name.replace("_", "-"): getattr(args, name, None) for name in (*names, "beam2", "bins")
    }
    inputs["and"] = next(iter(getattr(args, "further", None) or ()), None)
    pairs = list(inputs.items())
    pairs += [("remove-templates", x) for x in getattr(args, "remove_templates", None) or ()]
    for option in ("output", "plot", "spectrum"):
        target = getattr(args, option, None)
        if not isinstance(target, str) or not os.path.isfile(target):
            continue
        for name, path in pairs:
            if isinstance(path, str) and os.path.isfile(path) and os.path.samefile(path, target):
                noun = "the input" if name == "file" else f"--{name}"
                raise Usage(f"the output {target} is {noun} of this command; choose another name")


def folder(path):
    """A folder for results, created if missing."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Usage(f"{path} or one of its parents is a file; expected a folder") from None
    return path


@contextlib.contextmanager
def without_empty_folders(paths):
    """Context manager that removes, after an error, the folders that its block has created and left empty."""
    created = [
        folder
        for path in paths
        for folder in (Path(path), *Path(path).parents)
        if not folder.exists()
    ]
    try:
        yield
    except BaseException:
        for folder in created:
            with contextlib.suppress(OSError):  # it has files, or was not created
                folder.rmdir()
        raise


def selecting_option(path):
    """The option that selects among the signals of a file, as a phrase for messages."""
    return "--field (e.g. --field 0)" if is_arrays(path) else "--field, or --hdu for coefficients"


def is_arrays(path):
    """Whether a file is one of NumPy's, .npy or .npz."""
    return suffix_of(path) in (".npy", ".npz")
