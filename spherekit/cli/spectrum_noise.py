"""The noise of measured spectra: ``--noise``, ``--noise-pol`` and ``--half``."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from spherekit.cli import files, options
from spherekit.cli.noise import depth_of, root_of_unit, temperature_ratio
from spherekit.cli.options import Usage
from spherekit.io.stokes import words

_SUFFIXES = (".fits", ".gz", ".npz", ".npy", ".txt", ".dat", ".nc")
#: Words of the names of columns that contain variances.
_VARIANCES = {"VAR", "VARIANCE", "COV", "COVARIANCE", "II", "QQ", "UU"}


def arguments(parser):
    """--noise, --noise-pol, --noise-field and --half."""
    parser.add_argument(
        "--noise",
        metavar="LEVEL|FILE",
        help="subtract the spectrum of white noise: its level, e.g. 20uK-arcmin, or a map of its standard "
        "deviation (not variance) per sample",
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
    if not is_file and ("/" in args.noise or options.suffix_of(args.noise) in _SUFFIXES):
        raise FileNotFoundError(f"--noise {args.noise}: no such file")
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
    described = dict(sampling=source.grid, spin=spin, pure=is_pure)
    return noise_power(source.weights, source.L, **described, **amplitude)


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
        _check_one(args, source, fields, sum(sizes))
    factors = _factors(args, source, fields, sizes if len(values) > 1 else [1])
    values = values * np.reshape(factors, (-1, *[1] * (values.ndim - 1)))
    if len(values) == 1:
        return [dict(sigma=values[0]) for _ in sizes]
    starts = np.cumsum([0, *sizes])
    return [
        dict(sigma=values[start] if size == 1 else _of_pair(args, values[start : start + 2]))
        for start, size in zip(starts, sizes, strict=False)
    ]


def _check_one(args, source, fields, count):
    """Raise Usage for one of several columns that is selected for all signals; a line for the only one."""
    if count == 1 or not fields.columns:
        return
    names = [name for name in fields.unread if not name.startswith("HDU ")]
    column = fields.columns[0]
    if len(names) + 1 >= count > 1:
        raise Usage(
            f"--noise-field selects {column} of {args.noise} for {count} signals "
            f"({'; '.join(signal.name for signal in source.signals)}); select {count} of its columns "
            f"{', '.join([column, *names])}"
        )
    signals = ", ".join(signal.name for signal in source.signals)
    source.lines.append(f"noise of {signals}: the column {column} of {args.noise}")


def _factors(args, source, fields, sizes):
    """The factors from the units of the columns to those of the signals, of all signals in that of the first.

    Raises
    ------
    Usage
        Variances, by their unit or name; units of other quantities.
    """
    of_signals = [
        x.unit for x, size in zip(source.signals, sizes, strict=False) for _ in range(size)
    ]
    units = fields.units or [""] * len(of_signals)
    columns = fields.columns or [""] * len(of_signals)
    factors = []
    for column, unit, expected in zip(columns, units, of_signals, strict=True):
        ratio = 1.0 if unit in ("", expected) else temperature_ratio(unit, expected)
        is_square = bool(unit) and ratio is None and bool(root_of_unit(unit))
        if is_square or (not unit and _VARIANCES & set(words(column))):
            raise Usage(
                f"the noise {args.noise} has the column {column} [{unit or 'no unit'}], variances; expected "
                f"standard deviations in {expected or 'the unit of the signals'}: write the square roots, "
                "e.g. by spherekit.io.read_map, numpy.sqrt and spherekit.io.write_map"
            )
        if ratio is None:
            advice = "" if expected else "; pass the unit of the signals with --unit"
            raise Usage(
                f"the noise {args.noise} is in {unit}, and the signals in {expected or 'no unit'}; expected "
                f"the same unit{advice}"
            )
        if expected and not unit:
            source.lines.append(f"{args.noise} states no unit; taken to be in {expected}")
        factors.append(ratio)
    return factors


def warnings(noise, measured):
    """Warnings of noise that exceeds the power in all bins or degrees, of `Measured` spectra."""
    first = 0 if measured.bins is not None else 2
    lines = []
    for pair in noise:
        name = next((x for x in (pair, *measured.spectra) if x in measured.spectra), None)
        values = measured.spectra[name][..., first:]
        if values.size > 1 and (values < 0).all():
            lines.append(
                f"warning: the noise exceeds the power of {name} at all degrees; check the level and the "
                "unit of --noise"
            )
    return list(dict.fromkeys(lines))


def _of_pair(args, sigmas):
    """Those of Q and of U; for pure modes the root of the mean of their squares."""
    return np.sqrt((sigmas**2).mean(axis=0)) if args.purify else sigmas
