"""Spectra of files for the commands, and those of which ``spherekit simulate`` makes skies."""

import re

from spherekit.cli import options


def arguments(parser):
    """--field, --hdu, --kind and --columns."""
    parser.add_argument(
        "--field", help="the spectrum of a scalar, by its column; default: TT, or the only"
    )
    options.hdu(parser)
    declaration(parser)


def declaration(parser):
    """--kind and --columns."""
    parser.add_argument(
        "--kind",
        choices=("cl", "dl"),
        help="of spectra: C_l, or D_l = l (l+1) C_l / 2 pi, if the file does not define it",
    )
    parser.add_argument(
        "--columns",
        help="of spectra: names of the columns of a text without names, e.g. l,TT,EE,BB,TE, or of the rows "
        "of an array",
    )


def in_file(args, path):
    """Whether a file contains spectra; --kind and --columns declare them, positions and grids a map."""
    from spherekit.cli import files
    from spherekit.io.spectrum_content import contains_spectra

    if not is_declared(args):
        grid = "from_grid" if hasattr(args, "from_grid") else "grid"
        has_positions = any(getattr(args, name) is not None for name in ("lat", "lon", grid))
        if has_positions and not _is_certain(path):
            return False
    return contains_spectra(path, files.hdu_of(args.hdu), args.kind, args.columns)


def is_declared(args):
    """Whether --kind or --columns declares spectra."""
    return args.kind is not None or args.columns is not None


def words(args):
    """--hdu, --kind and --columns with their values, as words of a command."""
    values = {f"--{name}": getattr(args, name) for name in ("hdu", "kind", "columns")}
    return [word for item in values.items() if item[1] is not None for word in item]


def _is_certain(path):
    """Whether the format of a file declares its contents, unlike rows of numbers."""
    from spherekit.io import describe
    from spherekit.io.spectrum_text import KINDS

    return describe(path) not in KINDS


#: The spectra of `spherekit wind --spectrum`, whose sum over the degrees is a mean over the sphere.
_OF_ENERGY = ("total", "rotational", "divergent")


def quantity(names):
    """The fact on spectra that are no C_l, by their names.

    >>> quantity(["TT"]), quantity(["total", "rotational", "divergent"])
    ({}, {'quantity': 'kinetic energy of each degree, not C_l'})
    """
    is_energy = tuple(names) == _OF_ENERGY
    return {"quantity": "kinetic energy of each degree, not C_l"} if is_energy else {}


def read_file(args, path, hdu=None):
    """The `spherekit.io.Spectra` of a file, of --hdu or ``hdu``, with errors that name the options."""
    from spherekit import io
    from spherekit.cli import files
    from spherekit.cli.names import split

    columns = None if args.columns is None else list(map(str, split(args.columns)))
    try:
        hdu = files.hdu_of(args.hdu) if hdu is None else hdu
        return io.read_spectra(path, hdu, kind=args.kind, columns=columns)
    except ValueError as error:
        raise ValueError(_with_options(error)) from None


def read(args):
    """(spectra by column name, their units, frame, notes) of the file, or of cmb."""
    if args.spectrum == "cmb":
        from spherekit.datasets import planck2018_cl

        if args.kind or args.columns or args.hdu:
            raise options.Usage("--kind, --columns and --hdu apply to files, not to cmb")
        spectra = planck2018_cl(3001)
        return spectra, dict.fromkeys(spectra, "uK2"), "", ()
    spectra = read_file(args, args.spectrum)
    if quantity(spectra.values):
        raise ValueError(
            f"{args.spectrum} contains the kinetic energy of each degree, not C_l, from which signals are "
            "simulated"
        )
    if spectra.polcconv != "COSMO":
        raise ValueError(
            f"{args.spectrum} follows the IAU convention (POLCCONV), and the names of its columns do not "
            "determine which signs change with B; rename them to TT, EE, BB, TE, TB, EB"
        )
    return spectra.values, spectra.units, spectra.frame, spectra.notes


def _with_options(error):
    """The message of an error of `spherekit.io.read_spectra`, with options in place of arguments."""
    text = re.sub(r'\b(kind|columns|hdu)=(["\'])(\w+)\2', r"--\1 \3", str(error))
    text = re.sub(r"\b(kind|columns|hdu)=", r"--\1 ", text)
    text = re.sub(r"\b(omit|pass) (?=(kind|columns|hdu)\b)(?!columns, such)", r"\1 --", text)
    text = re.sub(r"\bcolumns (is|defines) ", r"--columns \1 ", text)
    names = re.search(r"pass columns, such as \(([^)]*)\)", text)
    if names:
        listed = re.sub(r"[' ]", "", names[1])
        text = text.replace(names[0], f"pass their names, e.g. --columns {listed}")
    return text


def selected(path, spectra, field):
    """The spectra of the names or numbers in --field; by default all, without the multipoles."""
    from spherekit.cli.names import split
    from spherekit.io.multipoles import is_multipole
    from spherekit.io.spectra import spectrum_of

    values = {name: cl for name, cl in spectra.items() if not is_multipole(name)}
    if field is None:
        return values
    names = list(values)
    kinds = {spectrum_of(name): name for name in reversed(names)}
    items = [names[item] if item in range(len(names)) else item for item in split(field)]
    items = [item if item in values else kinds.get(item) for item in items]
    if None in items or len(set(items)) < len(items):
        raise options.Usage(
            f"--field is {field}, but {path} contains the spectra {', '.join(names)}; name each once"
        )
    return {name: values[name] for name in items}


def select(args, spectra):
    """(the argument cl of `gaussian_sky`, the names of the columns)."""
    from spherekit.io.spectra import spectrum_of

    kinds = {}
    for name in spectra:
        kinds.setdefault(spectrum_of(name), name)
    available = ", ".join(spectra)
    if args.pol:
        if args.field is not None:
            raise options.Usage(
                "--field selects the spectrum of a scalar; not applicable with --pol"
            )
        absent = [kind for kind in ("TT", "EE") if kind not in kinds]
        if absent:
            raise options.Usage(
                f"{args.spectrum} contains {available}, not {' and '.join(absent)}, which --pol needs"
            )
        pairs = [kind for kind in ("TT", "EE", "BB", "TE", "TB", "EB") if kind in kinds]
        return {kind: spectra[kinds[kind]] for kind in pairs}, [kinds[kind] for kind in pairs]
    name = "TT" if args.field is None else args.field
    if args.field is None and len(spectra) == 1:
        name = next(iter(spectra))
    name = name if name in spectra else kinds.get(name)
    if name is None:
        reason = "select one with --field" if args.field is None else f"not {args.field}"
        raise options.Usage(f"{args.spectrum} contains the spectra {available}; {reason}")
    return spectra[name], [name]


def check(args, cl, L):
    """Raise ValueError for spectra below L that no signals have."""
    from spherekit.spectra.gaussian import covariance_factors

    try:
        covariance_factors(cl if isinstance(cl, dict) else {"TT": cl}, L)
    except ValueError as error:
        raise ValueError(f"{args.spectrum}: {error}") from None
