"""Generate new maps with the scattering covariances of one: same texture, other features.

The map is analysed; from Gaussian maps of its power spectrum, L-BFGS brings the normalised scattering
covariances to those of the map. By default these know how features lie towards the poles; with --isotropic
they do not. The distance of the statistics is printed, before and after: of maps with a few strong features
it does not go to zero.
"""

from contextlib import contextmanager

import numpy as np

from spherekit.cli import options
from spherekit.cli.transform import coefficients, read_signal


def arguments(parser):
    parser.add_argument("file", metavar="MAP")
    options.band_limit(parser)
    options.wavelets(parser, J0=0, N=3)
    parser.add_argument("--isotropic", action="store_true", help="averages over orientations")
    options.oversample(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the Gaussian start; default 0")
    parser.add_argument("--iterations", type=int, default=100, help="of L-BFGS; default 100")
    parser.add_argument(
        "-o", "--output", required=True, help="a map on the grid of MAP: .fits, .npz or .npy"
    )
    options.source(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="draw the map, the start, the new map")
    options.common(parser)


def run(args):
    import spherekit
    from spherekit.scattering import Covariances, generate

    suffixes = (".npz", ".npy") if options.is_arrays(args.file) else (".fits",)
    options.writable(args.output, args.force, suffixes)
    options.writable(args.plot, args.force, options.PICTURES)
    if args.iterations < 1 or args.seed < 0:
        raise options.Usage("--iterations is a number from 1 on, --seed one from 0 on")
    L = options.chosen_L(args)
    how = dict(isotropic=args.isotropic, oversample=args.oversample, threads=args.threads)
    C = Covariances(L, args.lam, args.J0, args.N, **how)
    samples, reality = read_signal(args, L)
    if not reality:
        raise options.Usage(f"{args.file} is complex: the covariances are those of real maps")
    flm = coefficients(samples, L, args.threads)
    with _bar(args.iterations) as bar:
        made = generate(
            C, flm, np.random.default_rng(args.seed), iterations=args.iterations, progress=bar
        )
    print(
        f"{sum(x.size for x in C.from_flm(flm))} statistics; distance {made.losses[0]:.2e} of the start, "
        f"{made.losses[-1]:.2e} after {len(made.losses) - 1} iterations"
    )
    grid, whole = samples.grid, dict(reality=True, threads=args.threads)
    f = spherekit.inverse(made.flm, L, sampling=grid, **whole).astype(samples.values.dtype)
    options.write_samples(args.output, f, grid, unit=samples.unit)
    print(f"wrote {args.output}: {options.grid_name(grid)}, degrees < {L}")
    if args.plot:
        _picture(args.plot, made, flm, L, samples.unit, whole)


@contextmanager
def _bar(iterations):
    """A progress bar, as the function that `generate` calls with (iteration, loss)."""
    from tqdm import tqdm

    with tqdm(desc="generate", total=iterations, leave=False, disable=None) as bar:

        def step(_, loss):
            bar.set_postfix_str(f"distance {loss:.1e}", refresh=False)
            bar.update()

        yield step


def _picture(path, made, flm, L, unit, whole):
    import spherekit
    from spherekit import plot
    from spherekit.plot.maps import colour_range

    grid = f"mw:{max(L, 128)}"
    maps = [spherekit.inverse(x, L, sampling=grid, **whole) for x in (flm, made.start, made.flm)]
    titles = "the map", "Gaussian, same spectrum", "generated"
    vmin, vmax, _, symmetric = colour_range(maps[0])
    figure = options.figure(16, 3.9)
    for ax, f, title in zip(figure.subplots(1, 3), maps, titles, strict=True):
        plot.show(f, grid, ax=ax, title=title, unit=unit, vmin=vmin, vmax=vmax, symmetric=symmetric)
    options.save(figure, path)
    print(f"wrote {path}")
