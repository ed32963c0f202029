"""The noise of measured spectra: ``--noise``, ``--noise-pol`` and ``--half``."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from spherekit.cli import files
from spherekit.cli.noise import depth_of
from spherekit.cli.options import Usage


def arguments(parser):
    """--noise, --noise-pol, --noise-field and --half."""
    parser.add_argument(
        "--noise",
        metavar="LEVEL|FILE",
        help="subtract the spectrum of white noise: its level, e.g. 20uK-arcmin, or a map of its standard "
        "deviation per sample",
    )
    parser.add_argument(
        "--noise-pol", metavar="LEVEL", help="level of Q and of U; default: sqrt(2) times that of T"
    )
    parser.add_argument(
        "--noise-field", help="columns of the file of --noise: of T, Q and U as the signals are"
    )
    parser.add_argument(
        "--half",
        metavar="FILE",
        help="the other half of the data, with independent noise: the spectrum is that of both without the "
        "bias of the noise",
    )


def read(args, inputs):
    """Pseudo-spectra of white noise times the mask by pair, such as "TT"; {} without --noise."""
    first = inputs.first
    if args.noise is None:
        present = [name for name in ("noise_pol", "noise_field") if getattr(args, name) is not None]
        if present:
            word = present[0].replace("_", "-")
            raise Usage(f"--{word}: requires --noise, e.g. --noise 20uK-arcmin")
        return {}
    if inputs.second is not None or inputs.half is not None:
        option = "--cross" if inputs.second is not None else "--half"
        raise Usage(
            f"--noise: with {option} there is no bias of noise that is independent; omit --noise"
        )
    is_file = Path(args.noise).exists()
    if not is_file and args.noise_field is not None:
        raise Usage("--noise-field applies to --noise FILE")
    described = _sigmas(args, first) if is_file else _levels(args, first)
    noise = {}
    for signal, amplitude in zip(first.signals, described, strict=True):
        for letter in "EB" if signal.spin else "T":
            is_pure = signal.spin == 2 and args.purify is not None and letter in args.purify
            noise[letter * 2] = _power(first, signal.spin, is_pure, **amplitude)
    return noise


def _power(source, spin, is_pure, **amplitude):
    """The mean pseudo-spectrum of the noise of one signal."""
    from spherekit.spectra import noise_power

    if source.grid is None:
        level = amplitude["level"]
        return np.where(np.arange(source.L) >= abs(spin), level**2, 0.0)
    options = dict(sampling=source.grid, spin=spin, pure=is_pure)
    return noise_power(source.weights, source.L, **options, **amplitude)


def _levels(args, source):
    """The level of each signal, as keyword of `noise_power`."""
    units = [signal.unit for signal in source.signals]
    level = depth_of(args.noise, units[0], "--noise")
    if source.signals[0].spin == 0:
        of_spin = math.sqrt(2) * level
    else:
        of_spin = level
    if args.noise_pol is not None:
        if all(signal.spin == 0 for signal in source.signals):
            raise Usage(
                f"--noise-pol applies to Q and U; {source.path} has {source.signals[0].name}"
            )
        of_spin = depth_of(args.noise_pol, units[-1], "--noise-pol")
    return [dict(level=of_spin if signal.spin else level) for signal in source.signals]


def _sigmas(args, source):
    """The standard deviations of the samples of each signal, as keyword of `noise_power`."""
    if source.grid is None or source.axes:
        raise Usage(f"--noise FILE applies to one map, not to the contents of {source.path}")
    if args.noise_pol is not None:
        raise Usage("--noise-pol applies to --noise LEVEL")
    grid = None if source.grid.name == "healpix" else str(source.grid)
    of_file = SimpleNamespace(grid=grid, field=args.noise_field, hdu=None, ordering=None)
    fields = files.read_fields(args.noise, of_file, source.L, all_columns=args.noise_field is None)
    if fields.grid != source.grid:
        raise ValueError(
            f"the noise {args.noise} is on {fields.grid} and {source.path} on {source.grid}; expected the "
            "same grid"
        )
    sizes = [2 if signal.spin else 1 for signal in source.signals]
    values = np.asarray(fields.values, float)
    if len(values) not in (1, sum(sizes)):
        names = ", ".join(fields.columns) or f"{len(values)} fields"
        raise Usage(
            f"the noise {args.noise} has {names}; expected 1 column, or {sum(sizes)} as the signals "
            f"({'; '.join(signal.name for signal in source.signals)}): select them with --noise-field"
        )
    if len(values) == 1:
        return [dict(sigma=values[0]) for _ in sizes]
    starts = np.cumsum([0, *sizes])
    return [
        dict(sigma=values[start] if size == 1 else _of_pair(args, values[start : start + 2]))
        for start, size in zip(starts, sizes, strict=False)
    ]


def _of_pair(args, sigmas):
    """Those of Q and of U; for pure modes the root of the mean of their squares."""
    return np.sqrt((sigmas**2).mean(axis=0)) if args.purify else sigmas
