"""Theoretical spectra in the picture and the error bars of ``spherekit spectrum``: ``--theory``."""

from types import SimpleNamespace
from typing import NamedTuple

from spherekit.cli import input_spectra
from spherekit.cli.noise import root_of_unit, temperature_ratio
from spherekit.cli.options import Usage


class Theory(NamedTuple):
    """C_l by pair of T, E and B, such as "TE", in the unit of the signals.

    Attributes
    ----------
    name : str
        That of the file, or cmb.
    spectra : dict of str to ndarray
    is_stated : bool
        Whether the units of the theory and of the signals are known.
    """

    name: str
    spectra: dict
    is_stated: bool


def arguments(parser):
    """--theory, --theory-unit and --unit."""
    parser.add_argument(
        "--theory",
        metavar="FILE|cmb",
        help="C_l of each degree, of a file or cmb (Planck 2018), drawn in the picture with the bandpowers "
        "that they predict; the error bars of bandpowers are then those of this theory",
    )
    parser.add_argument(
        "--theory-unit", help="unit of a theory whose file does not state it, e.g. uK^2"
    )
    parser.add_argument("--unit", help="unit of maps that do not state it, e.g. mK")


def read(args, inputs):
    """(`Theory` or None without --theory, lines that describe it)."""
    from spherekit.cli import bandpower_files
    from spherekit.io.spectra import spectrum_of

    if args.theory is None:
        if args.theory_unit is not None:
            raise Usage("--theory-unit: requires --theory FILE")
        return None, []
    if not args.plot and (args.bins is None or args.errors == "none"):
        raise Usage(
            "--theory is drawn in the picture, and gives the error bars of bandpowers; pass --plot, e.g. "
            "--plot cl.png, or --bins"
        )
    if bandpower_files.contains(args.theory):
        raise Usage(
            f"--theory {args.theory} has bandpowers; expected C_l of each degree, or cmb (the picture of "
            f"bandpowers is that of spherekit plot {args.theory} -o picture.png)"
        )
    source = SimpleNamespace(spectrum=args.theory, kind=None, columns=None, hdu=None)
    spectra, units, *_ = input_spectra.read(source)
    theory = {}
    of_pairs = {}
    for name, cl in spectra.items():
        pair = spectrum_of(name) or ("TT" if len(spectra) == 1 else "")
        if pair:
            of_pairs[pair] = _unit(args, units[name])
            theory.setdefault(pair, cl * _factor(args, of_pairs[pair], inputs))
    if not theory:
        raise Usage(
            f"--theory {args.theory} has the spectra {', '.join(spectra)}, not TT, EE, BB or TE"
        )
    is_stated = all(of_pairs.values())
    lines = []
    if not is_stated:
        lines = [
            f"neither {args.theory} nor {inputs.first.path} states a unit; taken to be the same (pass "
            "--theory-unit and --unit)"
        ]
    return Theory(args.theory, theory, is_stated), lines


def _unit(args, unit):
    """The unit of a theory: that of the file, else that of --theory-unit."""
    if args.theory_unit is None:
        return unit
    if unit and root_of_unit(unit) != root_of_unit(args.theory_unit):
        raise Usage(
            f"--theory-unit is {args.theory_unit}, but {args.theory} states {unit}; omit --theory-unit"
        )
    if not root_of_unit(args.theory_unit):
        raise Usage(f"--theory-unit is {args.theory_unit}; expected a square, e.g. uK^2")
    return args.theory_unit


def _factor(args, unit, inputs):
    """The factor from the unit of a theory to that of the measured spectra."""
    of_signals = [signal.unit for source in inputs.present for signal in source.signals]
    root = root_of_unit(unit)
    factor = 1.0
    for unit_of_signal in of_signals[:1] + of_signals[-1:]:
        ratio = 1.0 if unit_of_signal == root else temperature_ratio(root, unit_of_signal)
        if ratio is None:
            advice = "pass the unit of maps that state none with --unit, e.g. --unit mK"
            if not unit:
                advice = "pass that of the theory with --theory-unit, e.g. --theory-unit uK^2"
            raise Usage(
                f"--theory {args.theory} has the unit {unit or 'none'}, and the signals "
                f"{unit_of_signal or 'none'}, which cannot be compared; {advice}"
            )
        factor *= ratio
    return factor


def for_errors(args, theory, L):
    """C_l by pair, such as "TE", of the error bars; None if they are those of the measured spectra."""
    if theory is None or not theory.is_stated or args.errors == "none":
        return None
    spectra = {name: cl[:L] for name, cl in theory.spectra.items() if len(cl) >= L}
    return spectra if any(name[0] == name[1] for name in spectra) else None


def expected(measured, theory):
    """The bandpowers that a theory predicts by name, of `Measured` bandpowers."""
    predicted = {}
    for name, windows in measured.windows.items():
        terms = [
            rows @ cl[: rows.shape[1]]
            for source, rows in windows.items()
            if (cl := of_pair(theory, source)) is not None and len(cl) >= rows.shape[1]
        ]
        if terms and of_pair(theory, name) is not None:
            predicted[name] = sum(terms)
    return predicted


def of_pair(theory, name):
    """The theory of a spectrum by its name, in either order of the signals, or None."""
    from spherekit.io.spectra import spectrum_of
    from spherekit.io.stokes import stokes_of

    pair = spectrum_of(name) or ("TT" if stokes_of(name) == "I" else "")
    return theory.get(pair, theory.get(pair[::-1]))
