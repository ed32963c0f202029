"""``spherekit spectrum --method master``: bandpowers of masked maps, decoupled."""

import numpy as np

from spherekit.cli import beams, report, spectrum_coupling, spectrum_errors
from spherekit.cli.fsky_spectra import remove_low, removes_low
from spherekit.cli.measured import Factor, Measured, name_of_pair, names_and_units
from spherekit.cli.options import Usage


def measure(args, inputs, bins, noise, theory=None):
    """The `Measured` bandpowers of the `Inputs`, without the noise, by pair, in their pseudo-spectra.

    ``theory``: C_l by pair of the error bars, in place of those that are measured.
    """
    from spherekit.spectra import master

    first, second, half = inputs
    if first.axes:
        raise Usage(
            f"--method master: {first.path} has the axes {', '.join(first.axes)}; select one map of each"
        )
    of_inputs = [_fields(args, x, _beam_option(args, x is second)) for x in inputs.present]
    fields = of_inputs[0][0]
    fields2 = of_inputs[1][0] if second is not None else None
    if half is not None:
        fields, noise = _of_halves(fields, of_inputs[1][0])
    couplings, new, on_couplings = spectrum_coupling.read(args, fields, fields2)
    result = master(fields, fields2, bins=bins, noise=noise or None, couplings=couplings)
    names = name_of_pair(first, second, binned=True)
    named, units = names_and_units(first, second, result.values, binned=True)
    windows = {
        names.get(name, name): {names.get(source, source): rows for source, rows in of_name.items()}
        for name, of_name in result.windows.items()
    }
    errors = _errors(args, inputs, fields, fields2, bins, noise, result, theory)
    line = spectrum_errors.describe(args, inputs, theory)
    errors, _ = names_and_units(first, second, errors, binned=True)
    f_sky = next(iter(result.f_sky.values()))
    lines = [line for x in inputs.present for line in x.lines]
    lines += [line for x in of_inputs for line in x[1]] + on_couplings
    sky = "full" if all(x.weights is None for x in inputs.present) else "masked"
    lines += [f"{sky} sky: decoupled bandpowers (MASTER), f_sky = {f_sky:.4f}", line]
    report.add(method="master")
    lines = list(dict.fromkeys(filter(None, lines)))
    return Measured(named, units, f_sky, first.frame, lines, bins, errors, windows, new)


def _beam_option(args, is_second):
    return "beam2" if is_second and args.beam2 is not None else "beam"


def _of_halves(fields, fields2):
    """(the fields of the mean of two halves of the data, pseudo-spectra of its noise by pair)."""
    from spherekit.spectra import split_power

    signals = {
        name: np.stack([x.flm[i], y.flm[i]])
        for x, y in zip(fields, fields2, strict=True)
        for i, name in enumerate(x.names)
    }
    means = [x._replace(flm=(x.flm + y.flm) / 2) for x, y in zip(fields, fields2, strict=True)]
    return means, split_power(signals).noise


def _errors(args, inputs, fields, fields2, bins, noise, result, theory):
    """Error bars by pair."""
    if args.errors == "none":
        return {}
    signals, windows = _by_name(fields)
    signals2, windows2 = (None, windows) if fields2 is None else _by_name(fields2)
    scale = Factor(next(iter(result.f_sky.values())), windows, windows2)
    measured = {name: bins.unbin(values) for name, values in result.values.items()}
    if args.errors == "gaussian":
        from spherekit.spectra import gaussian_covariance

        keywords = dict(cl=_signal(measured, theory), bins=bins, noise=noise or None)
        if fields2 is not None or (theory is not None and not noise):
            keywords["noise"] = _noise_of_one(bins, signals, windows, scale, keywords["cl"])
        if fields2 is not None:
            keywords["noise2"] = _noise_of_one(bins, signals2, windows2, scale, keywords["cl"])
        return gaussian_covariance(fields, fields2, **keywords).errors()
    f_modes = spectrum_errors.fraction(inputs)
    if inputs.half is not None:
        of_noise = {name: cl * scale(*name) for name, cl in noise.items()}
        return spectrum_errors.of_halves(bins, f_modes, measured, of_noise, theory)
    models = dict(theory=theory, noise=noise)
    return spectrum_errors.knox(bins, f_modes, signals, signals2, scale=scale, **models)


def _signal(measured, theory=None):
    """The spectra of a theory, or else the measured ones: >= 0 of a signal with itself, the mean of both
    orders of others.

    Where the noise makes a cross-spectrum larger than the geometric mean of those of its signals, it is
    reduced to that.
    """
    spectra = {}
    for name, cl in measured.items():
        if name[::-1] in spectra:
            continue
        expected = spectrum_errors.of_pair(theory, name)
        if expected is not None:
            spectra[name] = expected
            continue
        mean = (cl + measured.get(name[::-1], cl)) / 2
        spectra[name] = np.maximum(mean, 0) if name[0] == name[1] else mean
    for a, b in spectra:
        if a != b and {a + a, b + b} <= set(spectra):
            largest = np.sqrt(spectra[a + a] * spectra[b + b])
            spectra[a + b] = np.clip(spectra[a + b], -largest, largest)
    return spectra


def _noise_of_one(bins, signals, windows, scale, signal):
    """Pseudo-spectra of the noise of one of two maps: what its auto-spectra have more than the signal."""
    from spherekit.spectra import power

    noise = {}
    for name, flm in signals.items():
        factor = 1 / (scale.f_sky * windows[name] ** 2)
        total = power(flm) * factor
        expected = signal.get(name * 2, np.zeros_like(total))
        noise[name * 2] = spectrum_errors.excess(total, expected, bins) / factor
    return noise


def _by_name(fields):
    """(coefficients, window functions) by T, E and B, 1 where a window is 0."""
    flms = {name: x.flm[i] for x in fields for i, name in enumerate(x.names)}
    windows = {
        name: np.where(x.beam[i] > 0, x.beam[i], 1.0)
        for x in fields
        for i, name in enumerate(x.names)
    }
    return flms, windows


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
        if signal.spin == 0 and removes_low(args):
            weights = source.weights
            values, removed = remove_low(values, source.grid, weights, dipole=args.remove_dipole)
            lines.append(removed)
        described = dict(spin=signal.spin, sampling=source.grid, beam=windows[signal.spin])
        if signal.spin == 2 and args.purify is not None:
            described["purify"] = args.purify
            lines.append(f"pure {' and '.join(args.purify)} of {signal.name}")
        fields.append(masked_field(values, source.L, mask, **described, threads=args.threads))
    return fields, lines
