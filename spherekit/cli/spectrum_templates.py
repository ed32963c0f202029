"""Templates that are fitted to the maps of ``spherekit spectrum`` and removed: ``--remove-templates``."""

import copy

import numpy as np

from spherekit.cli import files
from spherekit.cli.options import Usage


def arguments(parser):
    """--remove-templates."""
    parser.add_argument(
        "--remove-templates",
        nargs="+",
        metavar="FILE",
        help="fit the columns of maps to the observed sky, and remove them: scalars from T, pairs of Q and "
        "U from Q and U; together with the monopole and dipole of --remove-dipole",
    )


def cleaned(args, sky, weights):
    """(signals without the templates, monopole and dipole; lines that describe the fit)."""
    from spherekit.spectra import remove_templates

    templates = _read(args, sky)
    signals = []
    lines = []
    for signal in sky.components:
        of_signal = templates.get(signal.spin, {})
        low = {}
        if signal.spin == 0:
            low["monopole"] = args.remove_monopole or args.remove_dipole
            low["dipole"] = args.remove_dipole
        if not of_signal:
            raise Usage(
                f"--remove-templates {' '.join(args.remove_templates)} has no template for {signal.name} of "
                f"spin {signal.spin}; select signals with --field"
            )
        values = signal.values.astype(complex if signal.spin else float)
        fit = remove_templates(values, of_signal, sampling=sky.grid, mask=weights, **low)
        errors = np.sqrt(np.diag(fit.covariance))
        amplitudes = zip(fit.names, np.atleast_1d(fit.amplitudes), errors, strict=True)
        text = ", ".join(f"{name} {x:.4g} +- {error:.2g}" for name, x, error in amplitudes)
        lines.append(f"removed from {signal.name} of the observed sky: {text}")
        signals.append(signal._replace(values=fit.cleaned))
    return tuple(signals), lines


def _read(args, sky):
    """The templates by spin and name; of several files with the name of the file."""
    templates = {}
    for path in args.remove_templates:
        for component in _components(args, path, sky):
            name = component.name
            if len(args.remove_templates) > 1:
                name = f"{name} of {path}"
            templates.setdefault(component.spin, {})[name] = component.values
    return templates


def _components(args, path, sky):
    """The signals of a file, on the grid and in the frame of the maps."""
    of_file = copy.copy(args)
    of_file.file, of_file.further, of_file.spin = path, None, None
    of_file.field, of_file.hdu, of_file.ordering = None, None, None
    if sky.grid.name != "healpix":
        of_file.grid = None
    contents = files.read_map(of_file, None, all_columns=True)
    if contents.grid != sky.grid:
        raise ValueError(
            f"the templates {path} are on {contents.grid} and {args.file} on {sky.grid}; expected the same "
            "grid"
        )
    files.refuse_frames(path, contents.frame, args.file, sky.frame)
    return contents.components
