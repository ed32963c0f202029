"""Coefficients of maps for the verbs: by quadrature or least squares, and how well they fit."""

from pathlib import Path

import numpy as np

from spherekit._core import scaling
from spherekit.cli.options import Usage

#: Of the samples of a HEALPix map of this nside, the degrees that a verb takes by default.
DEGREES_PER_NSIDE = 2


class Unconverged(ValueError):
    """Least squares did not converge within the iterations."""


def grid_name(grid):
    """The name by which `spherekit.sampling.grid` makes the grid again."""
    return f"{grid.name}:{grid.nside if grid.name == 'healpix' else grid.L}"


#: What the verbs with the options of `spherekit.cli.options.least_squares` can do.
_ADVICE = "raise --max-iter, lower --L, or take it as it is by --allow-unconverged"


def fit(f, L, *, max_iter=100, allow_unconverged=False, advice=_ADVICE, **options):
    """`spherekit.analyse` with a bar of its iterations on standard error, if a terminal.

    Raises `Unconverged` unless ``allow_unconverged``.
    """
    from tqdm import tqdm

    import spherekit

    with tqdm(desc="iterations", unit="", leave=False, disable=None) as bar:
        flm, residual = spherekit.analyse(
            f, L, progress=lambda *_: bar.update(), max_iter=max_iter, **options
        )
    if not (residual.converged or allow_unconverged):
        raise Unconverged(
            f"the fit of degrees < {L} did not converge in {residual.iterations} iterations; its residual is "
            f"{residual.relative:.2e} of the map's rms: {advice}"
        )
    return flm, residual


def iterations(args):
    """The options of `spherekit.cli.options.least_squares` and --threads, as `analyse` takes them."""
    max_iter = 100 if args.max_iter is None else args.max_iter
    if max_iter < 1:
        raise Usage(f"--max-iter is {max_iter}; expected 1 or more")
    return dict(max_iter=max_iter, allow_unconverged=args.allow_unconverged, threads=args.threads)


def analyse(values, L, grid, spin, *, threads=None, keep=None, method=None, **iterations):
    """(coefficients, a line on the method and on what they leave over).

    Parameters
    ----------
    keep : bool array or None
        True where samples count.
    method : "lsq", "jacobi", "quadrature" or None
        None: quadrature where a sampling theorem holds and all samples count, else lsq.
    """
    import spherekit

    method = method or ("quadrature" if grid.exact and keep is None else "lsq")
    options = dict(spin=spin, sampling=grid, reality=not np.iscomplexobj(values), threads=threads)
    name = grid_name(grid)
    if method != "quadrature":
        flm, residual = fit(values, L, mask=keep, method=method, **iterations, **options)
        state = "converged" if residual.converged else "NOT converged"
        report = f"{method} on {name}: {residual.iterations} iterations, {state}"
        return flm, f"{report}; residual {residual.relative:.2e} of the map's rms"
    if keep is not None:
        raise Usage("--mask needs --method lsq: one quadrature takes the whole sphere")
    flm = spherekit.forward(values, L, **options)
    difference = values - spherekit.inverse(flm, L, **options)
    about_mean = values if spin else values - values.mean()  # as that of `spherekit.analyse`
    relative = scaling.ratio(difference, about_mean if about_mean.any() else values)
    theorem = "exact for band-limited maps" if grid.exact else "no theorem holds here"
    return flm, f"quadrature on {name} ({theorem}); residual {relative:.2e} of the map's rms"


def refuse_beyond_pixels(grid, L):
    """Refuse degrees that the pixels of a HEALPix map do not determine."""
    if grid.name == "healpix" and L > 3 * grid.nside:
        raise Usage(
            f"--L {L} is beyond 3 nside = {3 * grid.nside}: these pixels do not determine the highest "
            "degrees"
        )


def synthesis_grid(args, L):
    """The grid of ``--grid`` for a map in the file ``args.output``."""
    from spherekit.sampling import grid as as_grid

    if args.grid is None:
        raise Usage("say the grid of the map: --grid mw:256 or --grid healpix:64")
    grid = as_grid(args.grid, L)
    if grid.name != "healpix" and Path(args.output).suffix == ".fits":
        raise Usage(f"{args.output}: FITS holds HEALPix maps; name a .npz file")
    return grid


def coefficients(args, sky, L):
    """Those of the one signal of a map; prints what they leave over."""
    component = sky.components[0]
    flm, report = analyse(component.values, L, sky.grid, component.spin, **iterations(args))
    print(*filter(None, [sky.note, report]), sep="\n")
    return flm


def synthesise(flm, L, grid, spin, like=None, threads=None):
    """Samples of coefficients.

    Real and in single precision where the samples ``like`` are, never of an integer type; without these,
    real where the coefficients are those of a real signal.
    """
    import spherekit
    from spherekit._core import checks
    from spherekit.conventions.indexing import is_hermitian

    real = spin == 0 and (is_hermitian(flm) if like is None else not np.iscomplexobj(like))
    f = spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=real, threads=threads)
    return f if like is None else f.astype(checks.result_type(real, checks.is_single(like)))
