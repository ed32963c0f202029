"""``spherekit spectrum --method fsky``: spectra of coefficients, and of masked maps divided by f_sky."""

import numpy as np

from spherekit.cli import analysis, beams, options
from spherekit.cli.measured import Measured, names_and_units

_ADVICE = "--method master decouples them, in bins such as --bins linear:30"


def measure(args, first, second, bins):
    """The `Measured` spectra of one `Input`, or of two."""
    flms, lines = _coefficients(args, first)
    flms2, lines2 = (flms, []) if second is None else _coefficients(args, second)
    spectra = _auto(first, flms) if second is None else _cross(first, flms, second, flms2)
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


def _auto(source, flms):
    """The spectra of a scalar, a spin field, or one of each."""
    from spherekit.spectra import polarization_power, power

    of_spin = {signal.spin: flm for signal, flm in zip(source.signals, flms, strict=True)}
    T = of_spin.pop(0, None)
    if not of_spin:
        return {"TT": power(T)}
    [(spin, flm)] = of_spin.items()
    return polarization_power(flm, T, spin=spin)


def _cross(first, flms, second, flms2):
    """The spectra of all pairs of a signal of each of two inputs."""
    from spherekit.spectra import power

    a, b = _by_letter(first, flms), _by_letter(second, flms2)
    numbers = {letter: i for i, letter in enumerate("TEB")}
    pairs = sorted(
        (abs(numbers[x] - numbers[y]), numbers[y] < numbers[x], numbers[x], x, y)
        for x in a
        for y in b
    )
    return {x + y: power(a[x], b[y]) for *_, x, y in pairs}


def _by_letter(source, flms):
    """Coefficients of real signals by letter: T, E and B."""
    from spherekit.conventions import spin_to_eb

    letters = {}
    for signal, flm in zip(source.signals, flms, strict=True):
        parts = (
            zip("EB", spin_to_eb(flm, spin=signal.spin), strict=True)
            if signal.spin
            else [("T", flm)]
        )
        letters |= dict(parts)
    return {letter: letters[letter] for letter in "TEB" if letter in letters}


def _corrected(args, spectra, first, second):
    """(spectra divided by the window functions of beams and pixels, a line that describes them)."""
    if args.beam is None and args.beam2 is None and not args.pixwin:
        return spectra, ""
    windows, line = beams.by_letter(args, "beam", first)
    windows2, line2 = windows, ""
    if second is not None:
        option = "beam" if args.beam2 is None else "beam2"
        windows2, line2 = beams.by_letter(args, option, second)
    corrected = {
        name: _divided(args, cl, windows[name[0]] * windows2[name[1]], name)
        for name, cl in spectra.items()
    }
    return corrected, "; ".join(dict.fromkeys(filter(None, (line, line2))))


def _divided(args, cl, window, name):
    """C_l divided by a window function, and 0 where both are 0, as below the spin of a field."""
    lost = np.flatnonzero((window <= 0) & (np.abs(cl) > 0).reshape(-1, window.size).any(axis=0))
    if lost.size:
        raise ValueError(
            f"the window function of beam and pixels of {name} is not positive at l = {lost[0]}, where the "
            f"spectrum cannot be corrected; lower the band-limit, e.g. --L {lost[0]}"
        )
    return np.divide(cl, window, out=np.zeros_like(cl), where=window > 0)


def _refuse_underflow(path, flm):
    """Raise ValueError for coefficients whose squares underflow, since C_l would be zero."""
    size = np.abs(flm).max()
    if 0 < size < 1e-150:
        raise ValueError(
            f"{path}: the largest coefficient is {size:.3g}, whose square underflows; rescale the map"
        )
