"""``spherekit spectrum --method master``: bandpowers of masked maps, decoupled."""

from spherekit.cli import beams, report
from spherekit.cli.fsky_spectra import remove_low
from spherekit.cli.measured import Measured, names_and_units
from spherekit.cli.options import Usage


def measure(args, first, second, bins):
    """The `Measured` bandpowers of one `Input`, or of two."""
    from spherekit.spectra import master

    if first.axes:
        raise Usage(
            f"--method master: {first.path} has the axes {', '.join(first.axes)}; select one map of each"
        )
    fields, lines = _fields(args, first, "beam")
    fields2, lines2 = None, []
    if second is not None:
        option = "beam" if args.beam2 is None else "beam2"
        fields2, lines2 = _fields(args, second, option)
    result = master(fields, fields2, bins=bins)
    named, units = names_and_units(first, second, result.values)
    names = dict(zip(result.values, named, strict=True))
    windows = {
        names[name]: {names.get(source, source): rows for source, rows in of_name.items()}
        for name, of_name in result.windows.items()
    }
    f_sky = next(iter(result.f_sky.values()))
    text = f"masked sky: decoupled bandpowers (MASTER), f_sky = {f_sky:.4f}"
    report.add(method="master")
    lines = list(
        dict.fromkeys([*first.lines, *lines, *(second.lines if second else ()), *lines2, text])
    )
    return Measured(named, units, f_sky, first.frame, lines, bins, windows=windows)


def _fields(args, source, option):
    """([MaskedField of each signal], lines of the report) of an `Input`."""
    from spherekit.spectra import Mask, masked_field

    windows, line = beams.by_spin(args, option, source)
    lines = [line] if line else []
    mask = None
    if source.weights is not None:
        mask = Mask(source.weights, source.L, source.grid, threads=args.threads)
    fields = []
    for signal in source.signals:
        values = signal.values.astype(complex if signal.spin else float)
        if signal.spin == 0 and (args.remove_monopole or args.remove_dipole):
            weights = source.weights
            values, removed = remove_low(values, source.grid, weights, dipole=args.remove_dipole)
            lines.append(removed)
        described = dict(spin=signal.spin, sampling=source.grid, beam=windows[signal.spin])
        if signal.spin == 2 and args.purify is not None:
            described["purify"] = args.purify
            lines.append(f"pure {' and '.join(args.purify)} of {signal.name}")
        fields.append(masked_field(values, source.L, mask, **described, threads=args.threads))
    return fields, lines
