"""Scattering coefficients of a map: what each path of scales leaves after its moduli and smoothing.

The output holds "coefficients" (paths, L0*L0), harmonic coefficients of smooth maps that follow the
rotations of the sky, and "scales" (paths, depth; -1 where a path has ended).
"""

import numpy as np

from spherekit.cli import analysis, files, options, output


def arguments(parser):
    parser.add_argument("file", metavar="MAP")
    options.band_limit(parser)
    options.wavelets(parser, J0=2, N=1)
    parser.add_argument("--depth", type=int, default=2, help="moduli in a row; default 2")
    parser.add_argument(
        "--paths",
        default="descending",
        choices=("descending", "neighbour", "all"),
        help="of scales",
    )
    options.oversample(parser)
    parser.add_argument("-o", "--output", required=True, help=".npz")
    options.source(parser)
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="draw the energy of the paths")
    options.common(parser)


def run(args):
    from spherekit.scattering import Scattering

    options.writable(args.output, args.force, (".npz",))
    options.writable(args.plot, args.force, options.PICTURES)
    L = options.band_limit_option(args)
    sky = files.read_signal(args, L)
    values, spin, columns, unit = sky.components[0]
    settings = dict(oversample=args.oversample, spin=spin, threads=args.threads)
    settings |= dict(reality=not np.iscomplexobj(values))
    S = Scattering(L, args.lam, args.J0, args.depth, args.N, args.paths, **settings)
    flm = analysis.coefficients(args, sky, L)
    coefficients = S.from_flm(flm)
    scales = np.full((len(S.paths), max(S.depth, 1)), -1)
    for row, path in zip(scales, S.paths, strict=True):
        row[: path.order] = path.scales
    known = dict(L=L, lam=args.lam, J0=args.J0, N=args.N, L0=S.L0, unit=unit, frame=sky.frame)
    known |= dict(columns=columns) if columns else {}
    energy = _energy(coefficients, flm)
    if args.plot and not energy.any():
        raise ValueError(f"{args.file} has no energy of degrees < {L} to draw; leave --plot out")
    figure = _tree(S, energy) if args.plot else None
    with output.together(args.force):
        output.write_arrays(args.output, coefficients=coefficients, scales=scales, **known)
        output.save(figure, args.plot)
    print(f"wrote {args.output}: {len(S.paths)} paths, degrees < L0 = {S.L0}")
    for order in range(S.depth + 1):
        shares = [e for e, path in zip(energy, S.paths, strict=True) if path.order == order]
        share = f"{sum(shares):.3%} of the map's energy" if flm.any() else "the map is zero"
        print(f"   order {order}: {len(shares):3d} paths, {share}")
    if args.plot:
        print(f"wrote {args.plot}")


def _energy(coefficients, flm):
    """The share of the map's energy in every path, in any unit; 0 of a map that is zero."""
    size = np.abs(flm).max() or 1.0
    total = (np.abs(flm / size) ** 2).sum() or 1.0
    return (np.abs(coefficients / size) ** 2).sum(axis=-1) / total


def _tree(S, energy):
    """Energy of every path: the first scale down, the second across."""
    from matplotlib.colors import LogNorm

    scales, of_path = S.first.scales, {p.scales: e for p, e in zip(S.paths, energy, strict=True)}
    figure = options.figure(9.4, 3.8)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    single = [100 * of_path.get((j,), np.nan) for j in scales]
    left.bar(range(len(scales)), single, color="C0", width=0.7)
    left.set_xticks(range(len(scales)), [band(S, j) for j in scales], rotation=45, ha="right")
    left.set(ylabel="% of the map's energy", title="one modulus, by its degrees")
    left.spines[["top", "right"]].set_visible(False)
    table = [[100 * of_path.get((a, b), np.nan) for b in scales] for a in scales]
    right.set_title("two moduli: first and second scale")
    if np.nanmax(table, initial=0) > 0:
        low, high = np.nanmin(table), np.nanmax(table)
        image = right.imshow(table, origin="lower", norm=LogNorm(max(low, 1e-6 * high), high))
        figure.colorbar(image, ax=right, label="% of the map's energy")
    names = [band(S, j) for j in scales]
    right.set_xticks(range(len(scales)), names, rotation=45, ha="right")
    right.set_yticks(range(len(scales)), names)
    right.set(xlabel="second", ylabel="first")
    return figure


def band(S, j):
    first, last = S.first.bands[j]
    return f"{first}\N{EN DASH}{last}"
