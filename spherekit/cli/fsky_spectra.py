"""``spherekit spectrum --method fsky``: spectra of coefficients, and of masked maps divided by f_sky."""

import numpy as np

from spherekit.cli import analysis, beams, options
from spherekit.cli.measured import Measured, names_and_units

_ADVICE = "--method master decouples them, in bins such as --bins linear:30"


def measure(args, first, second, bins):
    """The `Measured` spectra of one `Input`, or of two."""
    flms, lines = _coefficients(args, first)
    flms2, lines2 = (flms, []) if second is None else _coefficients(args, second)
    spectra = _power(first, flms, second, flms2)
    f_sky = _sky_fraction(first, second)
    spectra = {name: cl / np.expand_dims(f_sky, -1) for name, cl in spectra.items()}
    spectra, line = _corrected(args, spectra, first, second)
    if bins is not None:
        spectra = {name: bins.bin(cl) for name, cl in spectra.items()}
    named, units = names_and_units(first, second, spectra)
    f_sky = f_sky.item() if f_sky.size == 1 else f_sky.tolist()
    if first.weights is not None or (second is not None and second.weights is not None):
        mixed = ", and E and B are mixed" if any(x.spin for x in first.signals) else ""
        lines2.append(f"neighboring degrees are coupled by the mask{mixed}; {_ADVICE}")
    lines = list(
        dict.fromkeys([*first.lines, *lines, *(second.lines if second else ()), *lines2, line])
    )
    windows = {} if bins is None else {name: {name: bins.matrix()} for name in named}
    described = f_sky, first.frame, list(filter(None, lines)), bins
    return Measured(named, units, *described, windows=windows)


def _coefficients(args, source):
    """([coefficients of each signal], lines of the report); of a masked map times its mask."""
    flms = []
    lines = []
    for signal in source.signals:
        flm = signal.values
        if source.grid is not None:
            flm, methods = _of_each_map(args, source, signal)
            label = f"{signal.name}: " if len(source.signals) > 1 else ""
            lines += [f"{label}{text}" for text in methods]
        _refuse_underflow(source.path, flm)
        flms.append(flm)
    return flms, lines


def _of_each_map(args, source, signal):
    """(coefficients, lines of the report) of each map on the axes of a signal, with its own mask."""
    values = signal.values.astype(complex if signal.spin else float)
    leading = values.shape[: values.ndim - len(source.grid.shape)]
    weights = None if source.weights is None else np.broadcast_to(source.weights, values.shape)
    flms = []
    lines = []
    for i in np.ndindex(leading):
        f, mask = values[i], None if weights is None else weights[i]
        if signal.spin == 0 and (args.remove_monopole or args.remove_dipole):
            f, removed = remove_low(f, source.grid, mask, dipole=args.remove_dipole)
            lines.append(removed)
        of_fit = analysis.iterations(args)
        flm, _, method = harmonics(f, source.grid, source.L, mask, signal.spin, **of_fit)
        flms.append(flm)
        lines.append(method)
    return np.reshape(flms, (*leading, source.L**2)), list(dict.fromkeys(lines))


def harmonics(values, grid, L, weights=None, spin=0, threads=None, **iterations):
    """(coefficients, f_sky, report) of a map times its mask; divide C_l by f_sky."""
    import spherekit
    from spherekit.spectra import masked_flm, sky_fraction

    flags = dict(spin=spin, sampling=grid, reality=spin == 0, threads=threads)
    if weights is not None:
        f_sky = sky_fraction(weights, sampling=grid)
        flm = masked_flm(values, L, weights, **flags)
        method = f"masked sky: spectrum C_l / f_sky with f_sky = {f_sky:.4f}, the mean of mask^2"
        return flm, f_sky, method
    if grid.exact:
        return spherekit.forward(values, L, **flags), 1.0, "full sky, exact quadrature"
    flm, residual = analysis.fit(values, L, **flags, **iterations)
    state = "" if residual.converged else " (NOT converged)"
    steps = options.number_of(residual.iterations, "iteration")
    method = f"full sky, least squares: {steps}{state}"
    return flm, 1.0, analysis.residual_lines(method, residual.relative, L)


def remove_low(values, grid, weights=None, *, dipole=False):
    """(map without monopole, or monopole and dipole, of the observed sky; report of the amplitudes)."""
    from spherekit.spectra import remove_monopole_dipole

    cleaned, monopole, vector = remove_monopole_dipole(
        values, sampling=grid, mask=weights, dipole=dipole
    )
    report = f"removed from the observed sky: monopole {monopole:.4g}"
    if dipole:
        report += f", dipole of amplitude {np.linalg.norm(vector):.4g}"
    return cleaned, report


def _sky_fraction(first, second):
    """The mean of the product of the masks, for each map on the axes."""
    from spherekit.spectra import sky_fraction

    grid = first.grid
    leading = first.signals[0].values.shape[: -1 if grid is None else -len(grid.shape)]
    if first.weights is None and (second is None or second.weights is None):
        return np.ones(leading)
    if second is None:
        weights = np.broadcast_to(first.weights, (*leading, *grid.shape))
        fractions = [sky_fraction(weights[i], sampling=grid) for i in np.ndindex(leading)]
        return np.reshape(fractions, leading)
    masks = [1.0 if x.weights is None else x.weights for x in (first, second)]
    return np.asarray(np.sum(grid.weights * masks[0] * masks[1]) / (4 * np.pi))


def _power(first, flms, second, flms2):
    """The spectra of the signals of an `Input`, or of all pairs of a signal of each of two."""
    from spherekit.spectra import cross_power

    signals = _signals(first, flms)
    return cross_power(signals, None if second is None else _signals(second, flms2))


def _signals(source, flms):
    """Coefficients by the names T, and E and B, with the spin of these."""
    pairs = zip(source.signals, flms, strict=True)
    of_spin = {signal.spin: flm for signal, flm in pairs}
    scalar = {"T": of_spin.pop(0)} if 0 in of_spin else {}
    fields = [(flm, spin) for spin, flm in of_spin.items()]
    return scalar | ({("E", "B"): fields[0]} if fields else {})


def _corrected(args, spectra, first, second):
    """(spectra divided by the window functions of beams and pixels, a line that describes them)."""
    if args.beam is None and args.beam2 is None and not args.pixwin:
        return spectra, ""
    windows, line = beams.by_letter(args, "beam", first)
    windows2, line2 = windows, ""
    if second is not None:
        option = "beam" if args.beam2 is None else "beam2"
        windows2, line2 = beams.by_letter(args, option, second)
    corrected = {name: cl / (windows[name[0]] * windows2[name[1]]) for name, cl in spectra.items()}
    return corrected, "; ".join(dict.fromkeys(filter(None, (line, line2))))


def _refuse_underflow(path, flm):
    """Raise ValueError for coefficients whose squares underflow, since C_l would be zero."""
    size = np.abs(flm).max()
    if 0 < size < 1e-150:
        raise ValueError(
            f"{path}: the largest coefficient is {size:.3g}, whose square underflows; rescale the map"
        )
