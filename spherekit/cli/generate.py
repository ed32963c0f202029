"""Generate a new map with the scattering covariances of a given map.

Starting from a Gaussian map with the power spectrum of MAP, L-BFGS minimizes the distance between the
normalized scattering covariances of both. The result has the texture of MAP, with other features. By default
the statistics depend on the orientation of features relative to the meridians; --isotropic averages over
orientations. The distance is printed before and after; for maps with few strong features it does not converge
to zero.
"""

import numpy as np

from spherekit._core import progress, scaling
from spherekit.cli import analysis, files, options, output, report


def arguments(parser):
    parser.add_argument("file", metavar="MAP", help="a real map")
    options.band_limit(parser)
    options.wavelets(parser, J0=0, N=3)
    parser.add_argument("--isotropic", action="store_true", help="average over orientations")
    options.oversample(parser)
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the initial Gaussian map; default 0"
    )
    parser.add_argument(
        "--iterations", type=int, default=100, help="maximum L-BFGS iterations; default 100"
    )
    parser.add_argument(
        "-o", "--output", required=True, help="new map on the grid of MAP: .fits, .npz or .npy"
    )
    options.source(parser)
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="plot the given, initial and new map")
    options.common(parser)


def run(args):
    from spherekit.scattering import Covariances, generate

    options.writable(args.output, args.force, output.map_suffixes(args.file))
    options.writable(args.plot, args.force, options.PICTURES)
    if args.iterations < 1 or args.seed < 0:
        raise options.Usage(
            f"--iterations is {args.iterations} and --seed {args.seed}; expected --iterations >= 1 and "
            "--seed >= 0"
        )
    L = options.band_limit_option(args)
    if L < 2:
        raise options.Usage(f"the band-limit is L = {L}, for constant maps only; expected L >= 2")
    settings = dict(isotropic=args.isotropic, oversample=args.oversample, threads=args.threads)
    C = Covariances(L, args.lam, args.J0, args.N, **settings)
    sky = files.read_signal(args, L)
    component = sky.components[0]
    if np.iscomplexobj(component.values):
        raise options.Usage(f"{args.file} is complex; expected a real map")
    flm = analysis.coefficients(args, sky, L)
    with progress.progress_bar("generate", args.iterations, "iterations") as drawn:
        result = generate(
            C,
            flm,
            np.random.default_rng(args.seed),
            iterations=args.iterations,
            progress=lambda _, loss: drawn.update(note=f"distance {loss:.1e}"),
        )
    # scaled, so that squares do not overflow in any unit
    scaled = scaling.ldexp(flm, -scaling.exponent(flm))
    count = sum(x.size for x in C.from_flm(scaled))
    print(
        f"{count} statistics; distance {result.losses[0]:.2e} initially, "
        f"{result.losses[-1]:.2e} after "
        f"{options.number_of(len(result.losses) - 1, 'iteration')}"
    )
    figure = _picture(result, flm, L, sky, args.threads) if args.plot else None
    f = analysis.synthesize(result.flm, L, sky.grid, 0, component.values, args.threads)
    with output.atomic(args.force):
        output.write_map(args.output, [component._replace(values=f)], sky.grid, sky.frame)
        output.save(figure, args.plot)
    losses = dict(initial=result.losses[0], final=result.losses[-1])
    report.add(L=L, grid=analysis.grid_name(sky.grid), statistics=count, distances=losses)
    print(f"wrote {args.output}: {analysis.grid_label(sky.grid)}, degrees < {L}")
    if args.plot:
        print(f"wrote {args.plot}")


def _picture(result, flm, L, sky, threads):
    import spherekit
    from spherekit import plot
    from spherekit.plot.maps import color_range
    from spherekit.plot.signals import default_flip

    grid = f"mw:{max(L, 128)}"
    options_of_grid = dict(sampling=grid, reality=True, threads=threads)
    maps = [spherekit.inverse(x, L, **options_of_grid) for x in (flm, result.start, result.flm)]
    titles = "given map", "Gaussian map, same spectrum", "generated map"
    vmin, vmax, _, symmetric = color_range(maps[0])
    unit, flip = sky.components[0].unit, default_flip(sky.frame)
    style = dict(unit=unit, vmin=vmin, vmax=vmax, symmetric=symmetric, flip=flip)
    figure = options.figure(16, 3.9)
    for ax, f, title in zip(figure.subplots(1, 3), maps, titles, strict=True):
        plot.show(f, grid, ax=ax, title=title, **style)
    return output.validate(figure)
