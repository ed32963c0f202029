"""The one or two inputs of ``spherekit spectrum``: maps with their masks, or coefficients."""

import copy
from typing import NamedTuple

import numpy as np

from spherekit.cli import (
    analysis,
    apodization,
    coefficients,
    files,
    options,
    spectrum_templates,
)
from spherekit.cli.options import Usage


class Inputs(NamedTuple):
    """The `Input` of the file, and those of --cross and --half, or None."""

    first: object
    second: object = None
    half: object = None

    @property
    def present(self):
        """Those that are there."""
        return [x for x in self if x is not None]


class Input(NamedTuple):
    """Signals of a file: samples with weights on a grid, or coefficients.

    Attributes
    ----------
    path : str
    signals : tuple of Component
        One scalar, one spin field, or one of each.
    grid : Grid or None
        That of samples; None for coefficients, of shape (..., L*L).
    weights : ndarray or None
        The mask.
    L : int
    frame : str
    lines : list of str
        What to print.
    axes : dict
        Named leading axes.
    """

    path: str
    signals: tuple
    grid: object
    weights: np.ndarray | None
    L: int
    frame: str
    lines: list
    axes: dict


def arguments(parser):
    """--cross and the options that select in its file."""
    parser.add_argument(
        "--cross",
        metavar="FILE",
        help="cross-spectra with the map or the coefficients of another file, all pairs of signals",
    )
    parser.add_argument("--cross-field", help="columns of that file; default: as --field")
    parser.add_argument("--cross-mask", metavar="FILE", help="its mask; default: that of --mask")
    parser.add_argument("--cross-mask-field", help="column of the file of --cross-mask")


def read(args):
    """The `Inputs` of the file and of --cross or --half."""
    if args.cross is not None and args.half is not None:
        raise Usage(
            "--cross and --half: pass one of them, another map or the other half of the data"
        )
    present = [
        name
        for name in ("cross_field", "cross_mask", "cross_mask_field", "beam2")
        if getattr(args, name) is not None
    ]
    if args.cross is None and present:
        words = ", ".join("--" + name.replace("_", "-") for name in present)
        raise Usage(f"{words}: requires the other file, --cross FILE")
    first = _read(args)
    return Inputs(first, _read_other(args, first, "cross"), _read_other(args, first, "half"))


def _read(args, first=None):
    """The `Input` of ``args.file``; of --cross and --half on the grid of ``first``."""
    if coefficients.in_file(args.file, args.hdu):
        return _of_coefficients(args)
    return _of_map(args, first)


def _read_other(args, first, option):
    """The `Input` of an option, of the kind, grid and frame of ``first``, or None without the option."""
    path = getattr(args, option)
    if path is None:
        return None
    second = _read(_options_of_other(args, first, path), first)
    if (first.grid is None) != (second.grid is None):
        kinds = ["a map" if x.grid is not None else "coefficients" for x in (first, second)]
        raise Usage(
            f"{first.path} contains {kinds[0]} and {path} {kinds[1]}; convert the map first, with "
            "spherekit transform MAP -o alm.fits"
        )
    files.refuse_frames(first.path, first.frame, path, second.frame)
    if list(first.axes) or list(second.axes):
        raise Usage(
            f"--{option}: {first.path if first.axes else path} has the axes "
            f"{', '.join(first.axes or second.axes)}; select one map of each"
        )
    _check_half(option, first, second)
    _check_same(option, first, second)
    return second


def _check_same(option, first, second):
    """Raise Usage for halves with the same values; of --cross a line that tells it."""
    pairs = list(zip(first.signals, second.signals, strict=False))
    is_same = len(first.signals) == len(second.signals) and all(
        x.spin == y.spin and np.array_equal(x.values, y.values) for x, y in pairs
    )
    if not is_same:
        return
    if option == "half":
        raise Usage(
            f"--half: {first.path} and {second.path} have the same values; expected two halves of the data "
            "with independent noise"
        )
    first.lines.append(
        f"{first.path} and {second.path} have the same values: these are auto-spectra, with their noise"
    )


def _check_half(option, first, second):
    """Raise Usage for halves of different signals or units."""
    described = [[(x.spin, x.unit) for x in source.signals] for source in (first, second)]
    if option == "half" and described[0] != described[1]:
        names = [
            "; ".join(f"{x.name} [{x.unit or 'no unit'}]" for x in source.signals)
            for source in (first, second)
        ]
        raise Usage(
            f"--half: {first.path} has {names[0]} and {second.path} {names[1]}; expected the same signals "
            "and units in both halves of the data"
        )


def _options_of_other(args, first, path):
    """The options with which the file of --cross or --half is read."""
    of_second = copy.copy(args)
    of_second.file, of_second.further, of_second.hdu = path, None, None
    of_second.field = args.field if args.cross_field is None else args.cross_field
    of_second.L, of_second.lmax = first.L, None
    if first.grid is None:
        of_second.field = args.cross_field
    of_second.spin = None if args.further else args.spin
    if args.cross_mask is not None:
        of_second.mask, of_second.mask_field = args.cross_mask, args.cross_mask_field
        of_second.mask_hdu = of_second.mask_ordering = None
    elif args.cross_mask_field is not None:
        of_second.mask_field = args.cross_mask_field
    return of_second


def _of_coefficients(args):
    reason = f"not applicable, since {args.file} contains coefficients, not a map"
    of_maps = ("apodize", "apodization", "purify", "remove_templates")
    options.refuse_options_of_maps(args, reason, exclude=("field",), include=of_maps)
    contents = coefficients.read(args.file, args)
    _check_axes(args, contents.axes)
    L = coefficients.requested_band_limit(args, contents)
    signals = tuple(
        signal._replace(values=signal.values[..., : L * L]) for signal in contents.components
    )
    _check_signals(args.file, signals)
    names = ", ".join(signal.name for signal in signals)
    lines = [*contents.notes, f"coefficients of {names}"]
    described = signals, None, None, L, contents.frame, lines, contents.axes
    return _in_unit(args, Input(args.file, *described))


def _check_grid(first, path, grid):
    """Raise ValueError for a map of --cross or --half on another grid than the first."""
    if first is not None and first.grid is not None and grid != first.grid:
        raise ValueError(
            f"{first.path} is on {analysis.grid_label(first.grid)} and {path} on "
            f"{analysis.grid_label(grid)}; expected the same grid: convert one of them, with "
            f"spherekit regrid {path} --grid {first.grid} -o other.fits"
        )


def _of_map(args, first=None):
    sky = files.read_map(args, options.band_limit_option(args, required=False), axes=True)
    _check_grid(first, args.file, sky.grid)
    _check_axes(args, sky.axes, sky.attributes)
    L, line = analysis.band_limit(args, sky.grid)
    _check(args, sky)
    _check_signals(args.file, sky.components)
    on_frames = []
    weights = files.read_mask(args, sky, on_frames)
    weights, tapered = apodization.apodized(args, weights, sky.grid)
    files.refuse_missing(args, sky, None if weights is None else weights > 0)
    lines = [note for note in (sky.note, line, *on_frames, tapered) if note]
    signals = sky.components
    if args.remove_templates is not None:
        signals, removed = spectrum_templates.cleaned(args, sky, weights)
        lines += removed
    described = signals, sky.grid, weights, L, sky.frame, lines, sky.axes
    return _in_unit(args, Input(args.file, *described))


def _in_unit(args, source):
    """An `Input` with the unit of --unit, where its file states none."""
    if args.unit is None:
        return source
    units = {signal.unit for signal in source.signals} - {"", args.unit}
    if units:
        raise Usage(
            f"--unit is {args.unit}, but {source.path} states {', '.join(sorted(units))}; --unit is that of "
            "maps that state none and does not convert: omit it"
        )
    return source._replace(signals=tuple(x._replace(unit=args.unit) for x in source.signals))


def _check_axes(args, axes, attributes=None):
    """Raise Usage for spectra of several maps in a picture or in another file than .npy."""
    if axes and (args.plot or options.suffix_of(args.output) != ".npy"):
        raise Usage(
            f"{args.file} has the axes {', '.join(axes)}; write the spectra of all coordinates to .npy "
            f"without --plot, or select one map, e.g. {options.selection_of(axes, attributes)}"
        )


def _check(args, sky):
    for component in sky.components:
        if component.spin == 0 and np.iscomplexobj(component.values):
            raise Usage(f"{args.file} is complex; expected a real map, or pass --spin 2")
        if component.spin < 0:
            raise Usage(f"--spin is {component.spin}; expected a positive spin for E and B")
    removes = args.remove_monopole or args.remove_dipole
    if removes and all(component.spin for component in sky.components):
        raise Usage("--remove-monopole and --remove-dipole apply to spin 0 only")


def _check_signals(path, signals):
    """Raise Usage for other signals than a scalar, a spin field, or one of each."""
    scalars = [signal for signal in signals if signal.spin == 0]
    if len(scalars) > 1 or len(signals) - len(scalars) > 1:
        names = "; ".join(signal.name for signal in signals)
        raise Usage(
            f"{path}: got {names}; expected one scalar, one spin field, or one of each; select with "
            f"{options.selecting_option(path)}"
        )
