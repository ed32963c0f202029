"""Harmonic analysis and synthesis for the commands, with a report of the method and its residual."""

import numpy as np

from spherekit._core import progress, scaling
from spherekit.cli import report, stopping
from spherekit.cli.options import Usage, band_limit_option, number_of, refuse_grid_in_fits

#: The default band-limit of a HEALPix map, in units of its nside.
DEGREES_PER_NSIDE = 2


class Unconverged(ValueError):
    """The least-squares iteration did not converge within the maximum number of iterations."""


def grid_name(grid):
    """The text from which `spherekit.sampling.grid` constructs the grid."""
    return str(grid)


def grid_label(grid):
    """The text of a grid for messages, shortened for many rings; the report has that of `grid_name`."""
    from spherekit.sampling.text import label

    return label(grid)


#: For commands with the options of `spherekit.cli.options.least_squares`.
_ADVICE = "raise --max-iter, lower --L or --lmax, or accept the result with --allow-unconverged"


def fit(f, L, *, max_iter=100, allow_unconverged=False, advice=_ADVICE, **options):
    """Run `spherekit.analyse` with its progress on standard error.

    The residual is added to the report. Raises `Unconverged` unless ``allow_unconverged``.
    """
    import spherekit

    with progress.progress_bar("fit", unit="iterations") as progress_bar:

        def step(*_):
            stopping.check()
            progress_bar.update()

        flm, residual = spherekit.analyse(f, L, progress=step, max_iter=max_iter, **options)
    if not (residual.converged or allow_unconverged):
        raise Unconverged(
            f"the least-squares fit of degrees < {L} did not converge in "
            f"{number_of(residual.iterations, 'iteration')} "
            f"(residual {residual.relative:.2e} of the map's rms); {advice}"
        )
    facts = dict(iterations=residual.iterations, converged=residual.converged)
    _report_fit(options.get("method", "lsq"), options["sampling"], residual.relative, **facts)
    return flm, residual


def _report_fit(method, grid, relative, **facts):
    """Add a fit to the report: its residual is relative to the rms of the map."""
    report.append("fits", dict(method=method, grid=grid_name(grid), residual=relative, **facts))


def band_limit(args, grid):
    """(band-limit of --L or --lmax, by default that of the grid; lines on the default and on gaps, or "")."""
    L = band_limit_option(args, required=False)
    line = ""
    if L is None:
        require_band_limit(args, grid)
        L = grid.default_L
        line = (
            f"L = {L} (lmax {L - 1}), the default for {grid_label(grid)}; choose another with --L"
        )
    line = "\n".join(filter(None, (line, _note_on_gaps(grid, L))))
    report.add(L=L, grid=grid_name(grid))
    refuse_beyond_pixels(grid, L)
    return L, line


def _note_on_gaps(grid, L):
    """The warning of gaps between rings, without an import of `spherekit.fields` where there are none."""
    from spherekit.sampling.coverage import wide_gaps

    if not wide_gaps(grid, L):
        return ""
    from spherekit.fields.analysis import note_on_gaps

    return note_on_gaps(grid, L)


def require_band_limit(args, grid):
    """Raise Usage without --L and --lmax on rings that do not cover the sphere, as those of a region."""
    from spherekit.sampling.coverage import band_limit_problem

    problem = band_limit_problem(grid) if band_limit_option(args, required=False) is None else ""
    if problem:
        raise Usage(
            f"{args.file}: {problem}; pass --L to choose the degrees < L that are fitted elsewhere"
        )


def iterations(args):
    """Keyword arguments of `fit`, from `spherekit.cli.options.least_squares` and --threads."""
    max_iter = 100 if args.max_iter is None else args.max_iter
    if max_iter < 1:
        raise Usage(f"--max-iter is {max_iter}; expected 1 or more")
    return dict(max_iter=max_iter, allow_unconverged=args.allow_unconverged, threads=args.threads)


def analyze(values, L, grid, spin, *, threads=None, observed=None, method=None, **iterations):
    """Harmonic coefficients of samples, and a one-line report of the method and the residual.

    Parameters
    ----------
    values : ndarray [shape=(..., *grid.shape)]
    observed : bool array or None
        True where the samples are used; None: everywhere.
    method : "lsq", "jacobi", "quadrature" or None
        None: quadrature on a full sky with a sampling theorem, else lsq.
    """
    import spherekit

    method = method or ("quadrature" if grid.exact and observed is None else "lsq")
    options = dict(spin=spin, sampling=grid, reality=not np.iscomplexobj(values), threads=threads)
    name = grid_label(grid)
    if method != "quadrature":
        flm, residuals = _fit_each(values, L, observed, method=method, **iterations, **options)
        iterations = max(residual.iterations for residual in residuals)
        converged = all(residual.converged for residual in residuals)
        state = "converged" if converged else "NOT converged"
        steps = f"{method} on {name}: {number_of(iterations, 'iteration')}, {state}"
        relative = max(residual.relative for residual in residuals)
        return flm, residual_lines(steps, relative, L)
    if observed is not None:
        raise Usage("--method quadrature requires the full sky; with --mask use --method lsq")
    flm = spherekit.forward(values, L, **options)
    difference = values - spherekit.inverse(flm, L, **options)
    about_mean = values if spin else values - values.mean()  # as that of `spherekit.analyse`
    relative = scaling.ratio(difference, about_mean if about_mean.any() else values)
    _report_fit("quadrature", grid, relative)
    theorem = "exact for band-limited maps" if grid.exact else "approximate: no sampling theorem"
    return flm, residual_lines(f"quadrature on {name} ({theorem})", relative, L)


#: A residual that is larger than this part of the rms is warned of.
_LARGE_RESIDUAL = 0.1


def residual_lines(description, relative, L, noun="map"):
    """A description of an analysis with its residual, and a second line, a warning, if that is large."""
    line = f"{description}; residual {relative:.2e} of the {noun}'s rms"
    return "\n".join([line, *residual_warnings(relative, L, noun)])


def residual_warnings(relative, L, noun="map"):
    """The warning of a residual, relative to the rms of a map, that is large; none otherwise.

    >>> residual_warnings(0.01, 8)
    []
    """
    if not relative > _LARGE_RESIDUAL:
        return []
    return [
        f"warning: the degrees < {L} do not describe {100 * relative:.0f} % of the {noun}'s rms. That is so "
        "of white noise, most of which is at higher degrees; of other maps check that the grid is that of "
        "the samples and that none of them is a code of missing values, such as -9999, "
        "or raise --L or --lmax where the grid allows it"
    ]


def _fit_each(values, L, observed, **options):
    """(coefficients, residuals) of the least-squares fit of each map on the leading axes of ``values``."""
    n = len(options["sampling"].shape)
    leading = values.shape[: values.ndim - n]
    observed = None if observed is None else np.broadcast_to(observed, values.shape)
    fits = [
        fit(values[i], L, mask=None if observed is None else observed[i], **options)
        for i in np.ndindex(leading)
    ]
    flm = np.stack([flm for flm, _ in fits])
    return flm.reshape(*leading, L * L), [residual for _, residual in fits]


def refuse_beyond_pixels(grid, L):
    """Raise Usage for degrees that the pixels of a HEALPix map do not determine."""
    if grid.name == "healpix" and L > 3 * grid.nside:
        raise Usage(
            f"L = {L} exceeds 3 nside = {3 * grid.nside}, beyond which the pixels do not determine the "
            f"coefficients; lower --L or --lmax (recommended: L = {DEGREES_PER_NSIDE * grid.nside} or less)"
        )


def require_grid(args):
    """Raise Usage for an inverse transform without ``--grid``."""
    if args.grid is None:
        raise Usage("the grid of the map is required, e.g. --grid mw:256 or --grid healpix:64")


def synthesis_grid(args, L):
    """The grid of ``--grid`` for a map in the file ``args.output``."""
    from spherekit.sampling import grid as as_grid

    grid = as_grid(args.grid, L)
    refuse_grid_in_fits(args.output, grid)
    return grid


def coefficients(args, sky, L):
    """Analyze the only signal of a map, and print the report."""
    component = sky.components[0]
    flm, line = analyze(component.values, L, sky.grid, component.spin, **iterations(args))
    print(*filter(None, [sky.note, line]), sep="\n")
    return flm


def synthesize(flm, L, grid, spin, like=None, threads=None):
    """Samples from coefficients.

    Real and single precision follow the samples ``like``; without these, samples are real where the
    coefficients are those of a real signal. The result never has an integer dtype.
    """
    import spherekit
    from spherekit._core import checks
    from spherekit.conventions.indexing import is_hermitian

    real = spin == 0 and (is_hermitian(flm) if like is None else not np.iscomplexobj(like))
    f = spherekit.inverse(flm, L, spin=spin, sampling=grid, reality=real, threads=threads)
    return f if like is None else f.astype(checks.result_type(real, checks.is_single(like)))
