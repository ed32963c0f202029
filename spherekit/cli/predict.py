"""Predict the classes or numbers of maps by a model that `spherekit train` has written.

MAPS are what `spherekit transform` reads or writes: coefficients (alm .fits, or .npz with flm), HEALPix
maps, samples in .npz or .npy. They must have the band-limit of the maps that the model was trained on;
column, table, grid and ordering are those of the training where no options say others, and units are
converted to that of the training. The output is a table: file, the most likely class and the probability of
each; or file and value.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output
from spherekit.cli.options import is_arrays

#: Those of `options.source`.
OPTIONS = "grid", "field", "ordering", "hdu"


def arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model.npz of spherekit train")
    parser.add_argument("maps", nargs="+", metavar="MAPS", help="maps, or coefficients")
    parser.add_argument("-o", "--output", required=True, help=".csv")
    options.source(parser)
    options.least_squares(parser)
    options.common(parser)


def run(args):
    from spherekit import experiments

    options.writable(args.output, args.force, (".csv",))
    model = experiments.load(args.model)
    for line in _choices(args, model.description):
        print(line)
    for path in args.maps:
        if not Path(path).exists():
            raise FileNotFoundError(f"no file {path}")
    settings = dict(read=Reader(args), analysis=analysis_of(args))
    with output.bar("maps") as draw:
        table = model.experiment.predict(model, args.maps, **settings, progress=draw)
    with output.together(args.force):
        output.write_table(args.output, table.head, table.rows)
    print(f"wrote {args.output}: {table.summary}")


def _choices(args, description):
    """Lines on the options of the training that are used, and on those that differ."""
    used, others = [], []
    for name in OPTIONS:
        trained, given = description.get(name), getattr(args, name)
        if given is None and trained is not None:
            used.append(f"--{name} {trained}")
        elif given is not None and name in description and given != trained:
            others.append(f"--{name} {given}, not {trained or 'the default'}")
    if used:
        yield f"as in the training: {', '.join(used)}"
    if others:
        yield f"other than in the training, as given: {'; '.join(others)}"


def analysis_of(args):
    """The options of `options.least_squares` and --threads, as experiments use them."""
    from spherekit.experiments import Analysis

    return Analysis(**analysis.iterations(args))


class Reader:
    """Reads files as `experiments.Signal`, by the options of `options.source`, where the verb has them.

    Options that are given hold for every file. Defaults of a call are used where they mean something: field
    and hdu where the file has such, grid and ordering where it does not state its own.
    """

    def __init__(self, args):
        self.options = {name: getattr(args, name, None) for name in OPTIONS}

    def __call__(self, path, **defaults):
        path = str(path)
        given = {name: value for name, value in self.options.items() if value is not None}
        unstated = {name: x for name, x in defaults.items() if name in ("grid", "ordering")}
        chosen = {name: x for name, x in defaults.items() if name not in unstated}
        if is_arrays(path):
            chosen.pop("hdu", None)
        try:
            return self._read(path, chosen | given)
        except ValueError as error:
            message = _with_options(error)
            if not any(f"pass --{name}" in str(message) for name in unstated.keys() - given.keys()):
                raise message from None
        return self._read(path, chosen | unstated | given)

    def _read(self, path, chosen):
        from spherekit.experiments import Signal

        chosen = SimpleNamespace(**self.options | chosen)
        if coefficients.in_file(path, chosen.hdu):
            if not is_arrays(path) and self.options["field"] is None:
                chosen.field = None
            return Signal(path, *_coefficients(path, chosen))
        return Signal(path, *_samples(path, chosen))


def _with_options(error):
    """An error of the library with the option of the command in place of the argument."""
    text = str(error).replace('pass ordering="ring" or "nested"', "pass --ordering ring or nested")
    return error if text == str(error) else ValueError(text)


def _coefficients(path, args):
    """The coefficients that a file holds, no grid, and their unit."""
    from spherekit.conventions.indexing import is_hermitian

    stored = coefficients.read(path, args)
    signal = stored.components[0]
    if signal.spin or len(stored.components) > 1 or not is_hermitian(signal.values):
        names = "; ".join(f"{s.name}, spin {s.spin}" for s in stored.components)
        raise ValueError(f"{path} holds {names}; expected one real map")
    return signal.values, None, signal.unit


def _samples(path, args):
    """The samples of one real map, their grid and their unit."""
    sky = files.single(path, files.signals(path, files.read_fields(path, args)))
    component = sky.components[0]
    values = component.values
    if component.spin or np.iscomplexobj(values):
        raise ValueError(f"{path} holds a spin or complex field; expected real maps")
    return values, sky.grid, component.unit
