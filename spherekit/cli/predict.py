"""Tell the classes of maps by a model that `spherekit train` has made.

MAPS are what `spherekit transform` reads or writes: coefficients (alm .fits, or .npz with flm), HEALPix
maps, samples in .npz or .npy. They must have the band-limit of the model. The output is a table: file, the
likeliest class, and the probability of each.
"""

from pathlib import Path

import numpy as np

from spherekit._core import scaling
from spherekit.cli import analysis, coefficients, files, options, output

#: What a map may hold beyond the band-limit of the model, of its rms; and in its upper half at the least.
_REST, _EMPTY = 0.01, 1e-6


def arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model.npz of spherekit train")
    parser.add_argument("maps", nargs="+", metavar="MAPS", help="maps, or coefficients")
    parser.add_argument("-o", "--output", required=True, help=".csv")
    options.source(parser)
    options.least_squares(parser)
    options.common(parser)


def run(args):
    from tqdm import tqdm

    from spherekit._core.parallel import thread_count
    from spherekit.experiments.gaussianity import classifier

    options.writable(args.output, args.force, (".csv",))
    model = classifier.load(args.model)
    for path in args.maps:
        if not Path(path).exists():
            raise FileNotFoundError(f"no file {path}")
    S, rows = model.scattering(thread_count(args.threads)), []
    for path in tqdm(args.maps, desc="maps", leave=False, disable=None):
        flm = read_flm(path, model.L, args.threads, args)
        probabilities = model.probabilities(S.from_flm(flm)[None], args.threads)[0]
        output.refuse_not_finite(args.output, probabilities=probabilities)
        rows.append(
            [path, model.classes[probabilities.argmax()], *(f"{p:.6f}" for p in probabilities)]
        )
    head = ["file", "class", *(f"p_{name}" for name in model.classes)]
    with output.together(args.force):
        output.write_table(args.output, head, rows)
    predicted = [row[1] for row in rows]
    counts = ", ".join(f"{predicted.count(name)} {name}" for name in model.classes)
    print(f"wrote {args.output}: {len(rows)} maps, {counts}")


def read_flm(path, L, threads=None, args=None):
    """Coefficients (L*L,) of a real map of just this band-limit; refuses others, with a message.

    args : of `options.source` and `options.least_squares`
    """
    from spherekit.conventions import band_limit_of

    hdu = getattr(args, "hdu", None)
    if coefficients.in_file(path, hdu):
        flm = _stored(path, args)
    else:
        flm = _analysed(path, L, threads, args)
    stored = band_limit_of(flm)
    if stored != L:
        raise ValueError(f"{path} holds degrees < {stored}; the model takes those < {L}")
    if scaling.ratio(flm[(L // 2) ** 2 :], flm) <= _EMPTY:
        raise ValueError(
            f"{path} holds nothing of degrees {L // 2}..{L - 1}: a map of a lower band-limit than the "
            f"model's, {L}"
        )
    return flm


def _stored(path, args):
    """The coefficients that a file holds."""
    from spherekit.conventions.indexing import is_hermitian

    stored = coefficients.read(path, args)
    signal = stored.components[0]
    if signal.spin or len(stored.components) > 1 or not is_hermitian(signal.values):
        names = "; ".join(f"{s.name}, spin {s.spin}" for s in stored.components)
        raise ValueError(f"{path} holds {names}; the model takes one real map")
    return signal.values


def _analysed(path, L, threads, args):
    """The coefficients of a map whose band-limit is L."""
    import spherekit
    from spherekit.io.missing import missing_samples

    fields = files.read_fields(path, args, L)
    sky = files.single(path, files.signals(path, fields))
    values, grid = sky.components[0].values, sky.grid
    if sky.components[0].spin or np.iscomplexobj(values):
        raise ValueError(f"{path} holds a spin or complex field; the model takes real maps")
    highest = 3 * grid.nside if grid.name == "healpix" else grid.L
    if highest < L:
        raise ValueError(
            f"{path} is sampled on {analysis.grid_name(grid)}, for degrees < {highest}; the model takes "
            f"a map of all degrees < {L}"
        )
    missing = np.count_nonzero(missing_samples(values, name=path))
    if missing:
        raise ValueError(
            f"{path}: {missing} of {values.size} samples are UNSEEN or NaN; the model takes whole skies"
        )
    options_of_grid = dict(sampling=grid, reality=True, threads=threads)
    if grid.name == "healpix":
        iterations = {"advice": "transform it first, and look at its residual"}
        if args is not None:
            iterations = analysis.iterations(args) | dict(threads=threads)
        flm, residual = analysis.fit(values, L, **options_of_grid | iterations)
        unexplained = residual.relative
    else:
        flm = spherekit.forward(values, L, **options_of_grid)
        difference = values - spherekit.inverse(flm, L, **options_of_grid)
        unexplained = scaling.ratio(difference, values)
    if unexplained > _REST:
        raise ValueError(
            f"{path}: degrees < {L}, which the model takes, leave {unexplained:.1%} of the map over: it is "
            f"of a higher band-limit, or noisy; cut it first: spherekit transform {path} --L {L} -o alm.fits"
        )
    return flm
