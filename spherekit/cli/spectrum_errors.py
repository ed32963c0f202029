"""Error bars of measured bandpowers: ``--errors``."""

import numpy as np

from spherekit.cli.options import Usage


def arguments(parser):
    """--errors."""
    parser.add_argument(
        "--errors",
        choices=("knox", "gaussian", "none"),
        help="error bars of bandpowers: by the number of modes (knox, default; too small in the first bins "
        "of masked maps), or the Gaussian covariance with the mask (of --method master); those of the "
        "measured spectra, or of --theory",
    )


def check(args, bins):
    """Raise Usage for error bars that do not apply."""
    if args.errors == "gaussian" and args.method != "master":
        raise Usage("--errors gaussian applies to --method master; pass --errors knox")
    if args.errors in ("knox", "gaussian") and bins is None:
        raise Usage(
            f"--errors {args.errors} are those of bandpowers; pass --bins, e.g. --bins linear:30"
        )


def fraction(inputs):
    """The fraction of the modes that the masks leave."""
    from spherekit.spectra import mode_fraction

    masks = [x.weights for x in inputs.present]
    grid = inputs.first.grid
    if all(mask is None for mask in masks):
        return 1.0
    masks = [np.ones(grid.shape) if mask is None else mask for mask in masks]
    return mode_fraction(*masks[:2], sampling=grid)


def describe(args, inputs, theory):
    """The line that describes error bars by their method, spectrum and what to pass for better ones."""
    if args.errors == "none":
        return ""
    of = f"of --theory {args.theory}" if theory is not None else "of the measured bandpowers"
    if args.errors == "gaussian":
        advice = "" if theory is not None else "; of few modes better ones are those of --theory"
        return f"error bars: Gaussian covariance with the mask, {of}{advice}"
    advice = ""
    if args.method == "master" and any(x.weights is not None for x in inputs.present):
        advice = (
            "; too small in the first bins, and of steep spectra, by a factor of 2 and more: pass "
            "--errors gaussian"
        )
    return f"error bars: by the number of modes (Knox), {of}{advice}"


def excess(total, theory, bins):
    """The spectrum that is constant in each bin by which a measured one exceeds a theory, >= 0."""
    return np.maximum(bins.unbin(bins.bin(total)) - bins.unbin(bins.bin(theory)), 0)


def knox(bins, f_modes, signals, signals2=None, *, scale, theory=None, noise=None):
    """Standard deviations of bandpowers by pair, from the spectra of signal and noise that were measured.

    Parameters
    ----------
    bins : Bins
    f_modes : float
    signals, signals2 : dict of str to ndarray [shape=(L*L,)]
        Coefficients of T, E and B of one map, or of two.
    scale : callable
        (name, name2, whether the second map is meant) to the factor of the pseudo-spectrum.
    theory : dict of str to ndarray, optional
        The spectra of the signals by pair, in place of those that were measured.
    noise : dict of str to ndarray, optional
        With a theory: pseudo-spectra of the noise; by default what is measured beyond the theory.
    """
    from spherekit.spectra import cross_power, knox_errors

    lower = {name.lower(): flm for name, flm in (signals2 or {}).items()}
    pseudo = cross_power({**signals, **lower})
    spectra = {}
    for name, cl in pseudo.items():
        total = cl * scale(*name)
        expected = of_pair(theory, name.upper())
        if expected is None:
            spectra[name] = _smooth(total, bins, name)
        elif name[0] != name[1]:
            spectra[name] = expected
        elif noise:
            spectra[name] = expected + noise.get(name.upper(), 0) * scale(*name)
        else:
            spectra[name] = expected + excess(total, expected, bins)
    errors = knox_errors(spectra, f_modes, bins=bins)
    if signals2 is None:
        return errors
    of_pairs = {name: x for name, x in errors.items() if name[0].isupper() and name[1].islower()}
    return {name.upper(): x for name, x in of_pairs.items()}


def of_pair(theory, name):
    """The spectrum of a pair, in either order; zero of pairs of a theory with both signals, else None."""
    if not theory:
        return None
    if name in theory or name[::-1] in theory:
        return theory.get(name, theory.get(name[::-1]))
    if name[0] != name[1] and name[0] * 2 in theory and name[1] * 2 in theory:
        return np.zeros_like(theory[name[0] * 2])
    return None


def of_halves(bins, f_modes, signal, noise, theory=None):
    """Standard deviations of bandpowers of two halves, from the spectra of signal and noise by pair.

    The signal is that of a ``theory`` where it has the pair.
    """
    from spherekit.spectra import knox_errors

    expected = {name: of_pair(theory, name) for name in signal}
    signal = {
        name: _smooth(cl, bins, name) if expected[name] is None else expected[name]
        for name, cl in signal.items()
    }
    noise = {name: _smooth(cl, bins, name) for name, cl in noise.items()}
    return knox_errors(signal, f_modes, noise=noise, splits=2, bins=bins)


def _smooth(cl, bins, name):
    """The spectrum that is constant in each bin, >= 0 of a signal with itself."""
    smooth = bins.unbin(bins.bin(cl))
    return np.maximum(smooth, 0) if name[0] == name[1] else smooth
