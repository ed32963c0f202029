"""Theoretical spectra in the picture of ``spherekit spectrum``: ``--theory``."""

from types import SimpleNamespace

from spherekit.cli import input_spectra
from spherekit.cli.noise import root_of_unit, temperature_ratio
from spherekit.cli.options import Usage


def arguments(parser):
    """--theory and --unit."""
    parser.add_argument(
        "--theory",
        metavar="FILE|cmb",
        help="C_l drawn in the picture, with the bandpowers that they predict: a file, or cmb (Planck 2018)",
    )
    parser.add_argument("--unit", help="unit of maps that do not state it, e.g. mK")


def read(args, inputs):
    """C_l by pair of T, E and B, such as "TE", in the unit of the signals; None without --theory."""
    from spherekit.io.spectra import spectrum_of

    if args.theory is None:
        return None
    if not args.plot:
        raise Usage("--theory is drawn in the picture; pass --plot, e.g. --plot cl.png")
    source = SimpleNamespace(spectrum=args.theory, kind=None, columns=None, hdu=None)
    spectra, units, *_ = input_spectra.read(source)
    theory = {}
    for name, cl in spectra.items():
        pair = spectrum_of(name) or ("TT" if len(spectra) == 1 else "")
        if pair:
            theory.setdefault(pair, cl * _factor(args, units[name], inputs))
    if not theory:
        raise Usage(
            f"--theory {args.theory} has the spectra {', '.join(spectra)}, not TT, EE, BB or TE"
        )
    return theory


def _factor(args, unit, inputs):
    """The factor from the unit of a theory to that of the measured spectra."""
    of_signals = [signal.unit for source in inputs.present for signal in source.signals]
    root = root_of_unit(unit)
    factor = 1.0
    for unit_of_signal in of_signals[:1] + of_signals[-1:]:
        ratio = 1.0 if unit_of_signal == root else temperature_ratio(root, unit_of_signal)
        if ratio is None:
            raise Usage(
                f"--theory {args.theory} has the unit {unit or 'none'}, and the signals "
                f"{unit_of_signal or 'none'}, which cannot be compared; pass the unit of maps that "
                "state none with --unit, e.g. --unit mK"
            )
        factor *= ratio
    return factor


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
