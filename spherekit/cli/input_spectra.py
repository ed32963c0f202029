"""The spectra of which ``spherekit simulate`` makes skies: those of a file, or of cmb."""

import re

from spherekit.cli import options


def arguments(parser):
    """--field, --hdu, --kind and --columns."""
    parser.add_argument(
        "--field", help="the spectrum of a scalar, by its column; default: TT, or the only"
    )
    options.hdu(parser)
    parser.add_argument(
        "--kind",
        choices=("cl", "dl"),
        help="C_l, or D_l = l (l+1) C_l / 2 pi, if SPECTRUM does not define it",
    )
    parser.add_argument(
        "--columns", help="names of the columns of a text without names, e.g. l,TT,EE,BB,TE"
    )


def read(args):
    """(spectra by column name, their units, frame, notes) of the file, or of cmb."""
    if args.spectrum == "cmb":
        from spherekit.datasets import planck2018_cl

        if args.kind or args.columns or args.hdu:
            raise options.Usage("--kind, --columns and --hdu apply to files, not to cmb")
        spectra = planck2018_cl(3001)
        return spectra, dict.fromkeys(spectra, "uK2"), "", ()
    from spherekit import io
    from spherekit.cli import files
    from spherekit.cli.names import split

    columns = None if args.columns is None else list(map(str, split(args.columns)))
    try:
        spectra = io.read_spectra(
            args.spectrum, files.hdu_of(args.hdu), kind=args.kind, columns=columns
        )
    except ValueError as error:
        raise ValueError(_with_options(error)) from None
    if spectra.polcconv != "COSMO":
        raise ValueError(
            f"{args.spectrum} follows the IAU convention (POLCCONV), and the names of its columns do not "
            "determine which signs change with B; rename them to TT, EE, BB, TE, TB, EB"
        )
    return spectra.values, spectra.units, spectra.frame, spectra.notes


def _with_options(error):
    """The message of an error of `spherekit.io.read_spectra`, with options in place of arguments."""
    text = re.sub(r"\b(kind|columns|hdu)=", r"--\1 ", str(error))
    names = re.search(r"pass columns, such as \(([^)]*)\)", text)
    if names:
        listed = re.sub(r"[' ]", "", names[1])
        text = text.replace(names[0], f"pass their names, e.g. --columns {listed}")
    return text


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
