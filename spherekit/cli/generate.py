"""Generate new maps with the scattering covariances of one: same texture, other features.

The map is analysed; from Gaussian maps of its power spectrum, L-BFGS brings the normalised scattering
covariances to those of the map. By default these know how features lie towards the poles; with --isotropic
they do not. The distance of the statistics is printed, before and after: of maps with a few strong features
it does not go to zero.
"""

from contextlib import contextmanager

import numpy as np

from spherekit._core import scaling
from spherekit.cli import analysis, files, options, output


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
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="draw the map, the start, the new map")
    options.common(parser)


def run(args):
    from spherekit.scattering import Covariances, generate

    suffixes = (".npz", ".npy") if options.is_arrays(args.file) else (".fits",)
    options.writable(args.output, args.force, suffixes)
    options.writable(args.plot, args.force, options.PICTURES)
    if args.iterations < 1 or args.seed < 0:
        raise options.Usage("--iterations is a number from 1 on, --seed one from 0 on")
    L = options.band_limit_option(args)
    if L < 2:
        raise options.Usage(
            f"--L is {L}: a map of this degree alone is constant; expected 2 or more"
        )
    settings = dict(isotropic=args.isotropic, oversample=args.oversample, threads=args.threads)
    C = Covariances(L, args.lam, args.J0, args.N, **settings)
    sky = files.read_signal(args, L)
    component = sky.components[0]
    if np.iscomplexobj(component.values):
        raise options.Usage(f"{args.file} is complex: the covariances are those of real maps")
    flm = analysis.coefficients(args, sky, L)
    with _bar(args.iterations) as bar:
        result = generate(
            C, flm, np.random.default_rng(args.seed), iterations=args.iterations, progress=bar
        )
    ordinary = scaling.ldexp(flm, -scaling.exponent(flm))  # of any unit: squares do not overflow
    count = sum(x.size for x in C.from_flm(ordinary))
    print(
        f"{count} statistics; distance {result.losses[0]:.2e} of the start, "
        f"{result.losses[-1]:.2e} after {len(result.losses) - 1} iterations"
    )
    figure = _picture(result, flm, L, component, args.threads) if args.plot else None
    f = analysis.synthesise(result.flm, L, sky.grid, 0, component.values, args.threads)
    with output.together(args.force):
        output.write_map(args.output, [component._replace(values=f)], sky.grid, sky.frame)
        output.save(figure, args.plot)
    print(f"wrote {args.output}: {analysis.grid_name(sky.grid)}, degrees < {L}")
    if args.plot:
        print(f"wrote {args.plot}")


@contextmanager
def _bar(iterations):
    """A progress bar, as the function that `generate` calls with (iteration, loss)."""
    from tqdm import tqdm

    with tqdm(desc="generate", total=iterations, leave=False, disable=None) as bar:

        def step(_, loss):
            bar.set_postfix_str(f"distance {loss:.1e}", refresh=False)
            bar.update()

        yield step


def _picture(result, flm, L, component, threads):
    import spherekit
    from spherekit import plot
    from spherekit.plot.maps import color_range

    grid = f"mw:{max(L, 128)}"
    options_of_grid = dict(sampling=grid, reality=True, threads=threads)
    maps = [spherekit.inverse(x, L, **options_of_grid) for x in (flm, result.start, result.flm)]
    titles = "the map", "Gaussian, same spectrum", "generated"
    vmin, vmax, _, symmetric = color_range(maps[0])
    look = dict(unit=component.unit, vmin=vmin, vmax=vmax, symmetric=symmetric)
    figure = options.figure(16, 3.9)
    for ax, f, title in zip(figure.subplots(1, 3), maps, titles, strict=True):
        plot.show(f, grid, ax=ax, title=title, **look)
    return output.sound(figure)
