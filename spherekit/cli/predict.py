"""Tell the classes of maps by a model that `spherekit train` has made.

MAPS are what `spherekit transform` reads or writes: coefficients (alm .fits, or .npz with flm), HEALPix
maps, samples in .npz or .npy. They must have the band-limit of the model. The output is a table: file, the
likeliest class, and the probability of each.
"""

from pathlib import Path

import numpy as np

from spherekit import _scale
from spherekit.cli import options

#: What a map may hold beyond the band-limit of the model, of its rms; and in its upper half at the least.
_REST, _EMPTY = 0.01, 1e-6


def arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model.npz of spherekit train")
    parser.add_argument("maps", nargs="+", metavar="MAPS", help="maps, or coefficients")
    parser.add_argument("-o", "--output", required=True, help=".csv")
    options.source(parser)
    options.common(parser)


def run(args):
    from tqdm import tqdm

    from spherekit._threads import thread_count
    from spherekit.experiments import models

    options.writable(args.output, args.force, (".csv",))
    model = models.load(args.model)
    for path in args.maps:
        if not Path(path).exists():
            raise FileNotFoundError(f"no file {path}")
    S, rows = model.scattering(thread_count(args.threads)), []
    for path in tqdm(args.maps, desc="maps", leave=False, disable=None):
        flm = read_flm(path, model.L, args.threads, args)
        found = model.probabilities(S.from_flm(flm)[None], args.threads)[0]
        rows.append([path, model.classes[found.argmax()], *(f"{p:.6f}" for p in found)])
    options.write_table(
        args.output, ["file", "class", *(f"p_{name}" for name in model.classes)], rows
    )
    told = [row[1] for row in rows]
    counts = ", ".join(f"{told.count(name)} {name}" for name in model.classes)
    print(f"wrote {args.output}: {len(rows)} maps, {counts}")


def read_flm(path, L, threads=None, args=None):
    """Coefficients (L*L,) of a real map of just this band-limit; refuses others, with words.

    args : with grid, field, ordering, as of `options.source`
    """
    flm = _stored(path)
    if flm is None:
        flm = _analysed(path, L, threads, args)
    held = int(round(flm.size**0.5))
    if held != L:
        raise ValueError(f"{path} holds degrees < {held}; the model takes those < {L}")
    if _scale.ratio(flm[(L // 2) ** 2 :], flm) <= _EMPTY:
        raise ValueError(
            f"{path} holds nothing of degrees {L // 2}..{L - 1}: a map of a lower band-limit than the "
            f"model's, {L}"
        )
    return flm


def _stored(path):
    """The coefficients that a file holds, or None where it is a map."""
    from spherekit import io
    from spherekit.cli.transform import is_hermitian, read_coefficients
    from spherekit.io.alm import is_alm

    if options.is_arrays(path):
        if "flm" not in io.read_arrays(path):
            return None
    elif not is_alm(io.read_table(path)):
        return None
    flm, spin, _ = read_coefficients(path, None)
    if not np.isfinite(flm).all():
        raise ValueError(f"{path} holds NaN or infinite coefficients")
    if spin or not is_hermitian(flm):
        raise ValueError(
            f"{path} holds a field of spin {spin} or complex; the model takes real maps"
        )
    return flm


def _analysed(path, L, threads, args):
    """The coefficients of a map whose band-limit is L."""
    import spherekit
    from spherekit.plot.projection import valid_samples

    samples = options.read_samples(path, args, L)
    values, grid = options.signal(path, samples, samples.spin), samples.grid
    if samples.spin or np.iscomplexobj(values):
        raise ValueError(f"{path} holds a spin or complex field; the model takes real maps")
    highest = 3 * grid.nside if grid.name == "healpix" else grid.L
    if highest < L:
        raise ValueError(
            f"{path} is sampled on {options.grid_name(grid)}, for degrees < {highest}; the model takes "
            f"a map of all degrees < {L}"
        )
    lost = np.count_nonzero(~valid_samples(values))
    if lost:
        raise ValueError(
            f"{path}: {lost} of {values.size} samples are UNSEEN, NaN or infinite; the model takes "
            "whole skies"
        )
    how = dict(sampling=grid, reality=True, threads=threads)
    if grid.name == "healpix":
        flm, residual = options.fit(values, L, **how)
        rest = residual.relative
    else:
        flm = spherekit.forward(values, L, **how)
        rest = _scale.ratio(values - spherekit.inverse(flm, L, **how), values)
    if rest > _REST:
        raise ValueError(
            f"{path}: degrees < {L}, which the model takes, leave {rest:.1%} of the map over: it is of a "
            f"higher band-limit, or noisy; cut it first: spherekit transform {path} --L {L} -o alm.fits"
        )
    return flm
