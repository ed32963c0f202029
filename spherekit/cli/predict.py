"""Predict classes or values of maps with a model trained by `spherekit train`.

MAPS are coefficients (alm .fits, or .npz with the array flm), HEALPix maps, or samples in .npz or .npy,
with the band-limit of the training. Column, table, grid and ordering default to those of the training, and
units are converted to those of the training. The output is a table with the most likely class of each file
and all class probabilities, or the predicted values.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from spherekit._core import progress
from spherekit.cli import analysis, coefficients, files, options, output
from spherekit.cli.options import is_arrays

#: The options of `options.source`.
OPTIONS = "grid", "field", "ordering", "hdu"


def arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model.npz from spherekit train")
    parser.add_argument("maps", nargs="+", metavar="MAPS", help="maps or coefficients")
    parser.add_argument("-o", "--output", required=True, help="table: .csv")
    options.source(parser, default="that of the training, else the first column")
    options.coefficients(parser)
    options.least_squares(parser)
    options.common(parser)


def run(args):
    from spherekit import experiments

    options.writable(args.output, args.force, (".csv",))
    model = experiments.load(args.model)
    for line in _differences(args, model.description):
        print(line)
    for path in args.maps:
        if not Path(path).exists():
            raise FileNotFoundError(f"no file {path}")
    settings = dict(read=Reader(args), analysis=analysis_of(args))
    with progress.progress_bar("predict", unit="maps") as draw:
        table = model.experiment.predict(model, args.maps, **settings, progress=draw)
    with output.atomic(args.force):
        output.write_table(args.output, table.head, table.rows)
    print(f"wrote {args.output}: {table.summary}")


def _differences(args, description):
    """Lines that list the options adopted from the training, and those that differ from it."""
    adopted, differing = [], []
    for name in OPTIONS:
        trained = description.get(name)
        value = getattr(args, name)
        if value is None and trained is not None:
            adopted.append(f"--{name} {trained}")
        elif value is not None and name in description and value != trained:
            differing.append(f"--{name} {value} (training: {trained or 'default'})")
    if adopted:
        yield f"options of the training: {', '.join(adopted)}"
    if differing:
        yield f"options that differ from the training: {', '.join(differing)}"


def analysis_of(args):
    """The `experiments.Analysis` of `options.least_squares` and --threads."""
    from spherekit.experiments import Analysis

    return Analysis(**analysis.iterations(args))


class Reader:
    """Read files as `experiments.Signal`, with the options of `options.source` that the command has.

    Options on the command line apply to every file. The defaults of a call apply where possible: field and
    hdu to files that have them, grid and ordering to files that do not state their own.
    """

    def __init__(self, args):
        self.options = {name: getattr(args, name, None) for name in OPTIONS}

    def __call__(self, path, **defaults):
        path = str(path)
        explicit = {name: value for name, value in self.options.items() if value is not None}
        fallbacks = {name: x for name, x in defaults.items() if name in ("grid", "ordering")}
        selection = {name: x for name, x in defaults.items() if name not in fallbacks}
        if is_arrays(path):
            selection.pop("hdu", None)
        try:
            return self._read(path, selection | explicit)
        except ValueError as error:
            candidates = fallbacks.keys() - explicit.keys()
            if not any(f"pass --{name}" in str(error) for name in candidates):
                raise
        return self._read(path, selection | fallbacks | explicit)

    def _read(self, path, selection):
        from spherekit.experiments import Signal

        args = SimpleNamespace(**self.options | selection)
        if coefficients.in_file(path, args.hdu):
            if not is_arrays(path) and self.options["field"] is None:
                args.field = None
            return Signal(path, *_coefficients(path, args))
        return Signal(path, *_samples(path, args))


def _coefficients(path, args):
    """The coefficients of a file, None for their grid, and their unit."""
    from spherekit.conventions.indexing import is_hermitian

    components = coefficients.read(path, args).components
    signal = components[0]
    if signal.spin or len(components) > 1 or not is_hermitian(signal.values):
        names = "; ".join(f"{s.name}, spin {s.spin}" for s in components)
        raise ValueError(f"{path} contains {names}; expected the coefficients of one real map")
    return signal.values, None, signal.unit


def _samples(path, args):
    """The samples of a real map, their grid and their unit."""
    sky = files.single(path, files.signals(path, files.read_fields(path, args)))
    component = sky.components[0]
    values = component.values
    if component.spin or np.iscomplexobj(values):
        raise ValueError(f"{path} contains a spin or complex field; expected a real map")
    return values, sky.grid, component.unit
