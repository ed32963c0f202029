"""Predict the classes or numbers of maps by a model that `spherekit train` has written.

MAPS are what `spherekit transform` reads or writes: coefficients (alm .fits, or .npz with flm), HEALPix
maps, samples in .npz or .npy. They must have the band-limit of the maps that the model was trained on. The
output is a table: file, the most likely class and the probability of each; or file and value.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output


def arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model.npz of spherekit train")
    parser.add_argument("maps", nargs="+", metavar="MAPS", help="maps, or coefficients")
    parser.add_argument("-o", "--output", required=True, help=".csv")
    options.source(parser)
    options.least_squares(parser)
    options.common(parser)


def run(args):
    from tqdm import tqdm

    from spherekit import experiments

    options.writable(args.output, args.force, (".csv",))
    model = experiments.load(args.model)
    for path in args.maps:
        if not Path(path).exists():
            raise FileNotFoundError(f"no file {path}")
    with tqdm(desc="maps", leave=False, disable=None) as bar:
        options_of_maps = dict(read=Reader(args), analysis=analysis_of(args))
        table = model.experiment.predict(
            model, args.maps, **options_of_maps, progress=progress(bar)
        )
    with output.together(args.force):
        output.write_table(args.output, table.head, table.rows)
    print(f"wrote {args.output}: {table.summary}")


def analysis_of(args):
    """The options of `options.least_squares` and --threads, as experiments use them."""
    from spherekit.experiments import Analysis

    return Analysis(**analysis.iterations(args))


def progress(bar):
    """A function of (ready, total) that draws a bar."""

    def update(ready, total):
        bar.total = total
        bar.update(ready - bar.n)

    return update


class Reader:
    """Reads files as `experiments.Signal`, by the options of `options.source`, where the verb has them."""

    def __init__(self, args):
        self.options = {
            name: getattr(args, name, None) for name in ("grid", "field", "ordering", "hdu")
        }

    def __call__(self, path, **defaults):
        from spherekit.experiments import Signal

        given = {name: value for name, value in self.options.items() if value is not None}
        chosen = SimpleNamespace(**self.options | defaults | given)
        path = str(path)
        if coefficients.in_file(path, chosen.hdu):
            return Signal(path, _coefficients(path, chosen))
        return Signal(path, *_samples(path, chosen))


def _coefficients(path, args):
    """The coefficients that a file holds."""
    from spherekit.conventions.indexing import is_hermitian

    stored = coefficients.read(path, args)
    signal = stored.components[0]
    if signal.spin or len(stored.components) > 1 or not is_hermitian(signal.values):
        names = "; ".join(f"{s.name}, spin {s.spin}" for s in stored.components)
        raise ValueError(f"{path} holds {names}; expected one real map")
    return signal.values


def _samples(path, args):
    """The samples of one real map, and their grid."""
    sky = files.single(path, files.signals(path, files.read_fields(path, args)))
    values = sky.components[0].values
    if sky.components[0].spin or np.iscomplexobj(values):
        raise ValueError(f"{path} holds a spin or complex field; expected real maps")
    return values, sky.grid
