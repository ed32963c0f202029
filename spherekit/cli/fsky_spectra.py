"""``spherekit spectrum --method fsky``: spectra of coefficients, and of masked maps divided by f_sky."""

import numpy as np

from spherekit.cli import analysis, beams, options, spectrum_errors
from spherekit.cli.measured import Factor, Measured, names_and_units

_ADVICE = "--method master decouples them, in bins such as --bins linear:30"


def measure(args, inputs, bins, noise, theory=None):
    """The `Measured` spectra of the `Inputs`, without the noise, by pair, in their pseudo-spectra.

    ``theory``: C_l by pair of the error bars, in place of those that are measured.
    """
    first, second, half = inputs
    of_inputs = [_coefficients(args, x) for x in inputs.present]
    flms = [x[0] for x in of_inputs]
    pseudo, split_noise = _pseudo(inputs, flms)
    pseudo = {name: cl - noise[name] if name in noise else cl for name, cl in pseudo.items()}
    f_sky = _sky_fraction(first, second if half is None else half)
    windows, line = _windows(args, first, second)
    factor = Factor(f_sky, *windows)
    spectra = {
        a + b: cl * factor(a, b if second is None else b.lower()) for (a, b), cl in pseudo.items()
    }
    errors = {}
    if bins is not None:
        if args.errors != "none" and f_sky.ndim == 0:
            of_errors = split_noise if inputs.half is not None else noise
            errors = _errors(inputs, flms, bins, factor, spectra, of_errors, theory)
        spectra = {name: bins.bin(cl) for name, cl in spectra.items()}
    named, units = names_and_units(first, second, spectra, bins is not None)
    errors, _ = names_and_units(first, second, errors, bins is not None)
    lines = [line for x in inputs.present for line in x.lines]
    lines += [line for x in of_inputs for line in x[1]]
    if second is not None and f_sky < 1:
        lines.append(f"cross-spectra / {f_sky:.4f}, the mean of the product of the masks")
    lines += [line, *_on_coupling(inputs)]
    lines += [spectrum_errors.describe(args, inputs, theory)] if errors else []
    lines = list(dict.fromkeys(filter(None, lines)))
    weights = {} if bins is None else {name: {name: bins.matrix()} for name in named}
    f_sky = f_sky.item() if f_sky.size == 1 else f_sky.tolist()
    return Measured(named, units, f_sky, first.frame, lines, bins, errors, weights)


def _on_coupling(inputs):
    """The advice to decouple the spectra of masked maps."""
    if all(x.weights is None for x in inputs.present):
        return []
    mixed = ", and E and B are mixed" if any(x.spin for x in inputs.first.signals) else ""
    return [f"neighboring degrees are coupled by the mask{mixed}; {_ADVICE}"]


def _pseudo(inputs, flms):
    """(pseudo-spectra by pair, those of the noise from halves)."""
    from spherekit.spectra import cross_power, split_power

    signals = [by_name(x, flm) for x, flm in zip(inputs.present, flms, strict=True)]
    if inputs.half is not None:
        return split_power({name: np.stack([x[name] for x in signals]) for name in signals[0]})
    return cross_power(*signals), {}


def _errors(inputs, flms, bins, factor, spectra, noise, theory):
    """Error bars of the bandpowers by pair."""
    f_modes = spectrum_errors.fraction(inputs)
    if inputs.half is not None:
        noise = {name: cl * factor(*name) for name, cl in noise.items()}
        return spectrum_errors.of_halves(bins, f_modes, spectra, noise, theory)
    signals = [by_name(x, flm) for x, flm in zip(inputs.present, flms, strict=True)]
    return spectrum_errors.knox(bins, f_modes, *signals, scale=factor, theory=theory, noise=noise)


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
        if signal.spin == 0 and removes_low(args):
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


def removes_low(args):
    """Whether monopole or dipole are to be removed, and were not together with templates."""
    return args.remove_templates is None and (args.remove_monopole or args.remove_dipole)


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
    fraction = np.sum(grid.weights * masks[0] * masks[1]) / (4 * np.pi)
    if not fraction > 0:
        raise ValueError(
            "the masks do not overlap: their product is 0 at all samples of positive weight"
        )
    return np.asarray(fraction)


def by_name(source, flms):
    """Coefficients of real signals: T, E and B."""
    from spherekit.conventions import spin_to_eb

    signals = {}
    for signal, flm in zip(source.signals, flms, strict=True):
        modes = spin_to_eb(flm, spin=signal.spin) if signal.spin else [flm]
        signals |= dict(zip("EB" if signal.spin else "T", modes, strict=True))
    return {letter: signals[letter] for letter in "TEB" if letter in signals}


def _windows(args, first, second):
    """([window functions of beams and pixels of T, E and B of both maps], a line that describes them)."""
    if args.beam is None and args.beam2 is None and not args.pixwin:
        return [{}, {}], ""
    windows, line = beams.by_letter(args, "beam", first)
    if second is None:
        return [windows, windows], line
    option = "beam" if args.beam2 is None else "beam2"
    windows2, line2 = beams.by_letter(args, option, second)
    return [windows, windows2], "; ".join(dict.fromkeys(filter(None, (line, line2))))


def _refuse_underflow(path, flm):
    """Raise ValueError for coefficients whose squares underflow, since C_l would be zero."""
    size = np.abs(flm).max()
    if 0 < size < 1e-150:
        raise ValueError(
            f"{path}: the largest coefficient is {size:.3g}, whose square underflows; rescale the map"
        )
