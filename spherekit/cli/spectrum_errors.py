"""Error bars of measured bandpowers: ``--errors``."""

import numpy as np

from spherekit.cli.options import Usage


def arguments(parser):
    """--errors."""
    parser.add_argument(
        "--errors",
        choices=("knox", "gaussian", "none"),
        help="error bars of bandpowers: by the number of modes (default), or the Gaussian covariance with "
        "the mask (of --method master)",
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


def knox(bins, f_modes, signals, signals2=None, *, scale):
    """Standard deviations of bandpowers by pair, from the spectra of signal and noise that were measured.

    Parameters
    ----------
    bins : Bins
    f_modes : float
    signals, signals2 : dict of str to ndarray [shape=(L*L,)]
        Coefficients of T, E and B of one map, or of two.
    scale : callable
        (name, name2, whether the second map is meant) to the factor of the pseudo-spectrum.
    """
    from spherekit.spectra import cross_power, knox_errors

    lower = {name.lower(): flm for name, flm in (signals2 or {}).items()}
    pseudo = cross_power({**signals, **lower})
    spectra = {name: _smooth(cl * scale(*name), bins, name) for name, cl in pseudo.items()}
    errors = knox_errors(spectra, f_modes, bins=bins)
    if signals2 is None:
        return errors
    of_pairs = {name: x for name, x in errors.items() if name[0].isupper() and name[1].islower()}
    return {name.upper(): x for name, x in of_pairs.items()}


def of_halves(bins, f_modes, signal, noise):
    """Standard deviations of bandpowers of two halves, from the spectra of signal and noise by pair."""
    from spherekit.spectra import knox_errors

    signal = {name: _smooth(cl, bins, name) for name, cl in signal.items()}
    noise = {name: _smooth(cl, bins, name) for name, cl in noise.items()}
    return knox_errors(signal, f_modes, noise=noise, splits=2, bins=bins)


def _smooth(cl, bins, name):
    """The spectrum that is constant in each bin, >= 0 of a signal with itself."""
    smooth = bins.unbin(bins.bin(cl))
    return np.maximum(smooth, 0) if name[0] == name[1] else smooth
