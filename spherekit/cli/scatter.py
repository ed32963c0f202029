"""Compute the scattering coefficients of a map.

Each path, a sequence of wavelet scales, gives a smooth map: the modulus of the wavelet transform at each of
its scales in turn, then smoothing. These maps rotate with the input. The output contains their harmonic
coefficients, the array "coefficients" (paths, L0*L0), and the paths, "scales" (paths, depth), padded with
-1.
"""

import numpy as np

from spherekit.cli import analysis, files, options, output, report

#: Several files are computed two at a time.
OVERLAPS = True


def arguments(parser):
    options.files(parser, "a map", "MAP", ".npz")
    options.band_limit(parser)
    options.wavelets(parser, J0=2, N=1)
    parser.add_argument(
        "--depth", type=int, default=2, help="maximum number of moduli in a path; default 2"
    )
    parser.add_argument(
        "--paths",
        default="descending",
        choices=("descending", "neighbour", "all"),
        help="sequences of scales: descending, descending by one (neighbour) or all; default descending",
    )
    options.oversample(parser)
    parser.add_argument("-o", "--output", required=True, help="scattering coefficients: .npz")
    options.source(parser)
    options.spin(parser)
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="plot the energy of the paths")
    options.common(parser)


def run(args):
    from spherekit.scattering import Scattering

    options.writable(args.output, args.force, (".npz",))
    options.writable(args.plot, args.force, options.PICTURES)
    L = options.band_limit_option(args)
    sky = files.read_signal(args, L)
    values, spin, columns, unit = sky.components[0]
    settings = dict(oversample=args.oversample, spin=spin, threads=args.threads)
    settings["reality"] = not np.iscomplexobj(values)
    S = Scattering(L, args.lam, args.J0, args.depth, args.N, args.paths, **settings)
    flm = analysis.coefficients(args, sky, L)
    coefficients = S.from_flm(flm)
    scales = np.full((len(S.paths), max(S.depth, 1)), -1)
    for row, path in zip(scales, S.paths, strict=True):
        row[: path.order] = path.scales
    metadata = dict(L=L, lam=args.lam, J0=args.J0, N=args.N, L0=S.L0, unit=unit, frame=sky.frame)
    metadata |= dict(columns=columns) if columns else {}
    energy = _energy(coefficients, flm)
    if args.plot and not energy.any():
        raise ValueError(
            f"{args.file} is zero in the degrees < {L}, so that there is nothing to plot; omit --plot"
        )
    figure = _tree(S, energy) if args.plot else None
    with output.atomic(args.force):
        output.write_arrays(args.output, coefficients=coefficients, scales=scales, **metadata)
        output.save(figure, args.plot)
    report.add(L=L, L0=S.L0, grid=analysis.grid_name(sky.grid), paths=len(S.paths))
    output.report_signals(sky.components, sky.frame)
    print(f"wrote {args.output}: {options.number_of(len(S.paths), 'path')}, degrees < L0 = {S.L0}")
    for order in range(S.depth + 1):
        shares = [e for e, path in zip(energy, S.paths, strict=True) if path.order == order]
        share = f"{sum(shares):.3%} of the map's energy" if flm.any() else "the map is zero"
        print(f"   order {order}: {len(shares):3d} path{'s' * (len(shares) != 1)}, {share}")
    if args.plot:
        print(f"wrote {args.plot}")


def _energy(coefficients, flm):
    """The fraction of the map's energy in each path; 0 for a map that is zero."""
    size = np.abs(flm).max() or 1.0
    total = (np.abs(flm / size) ** 2).sum() or 1.0
    return (np.abs(coefficients / size) ** 2).sum(axis=-1) / total


def _tree(S, energy):
    """Plot the energies of the paths: bars for one modulus, an image for two."""
    from matplotlib.colors import LogNorm

    scales = S.first.scales
    by_scales = {path.scales: e for path, e in zip(S.paths, energy, strict=True)}
    figure = options.figure(9.4, 3.8)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    order_1 = [100 * by_scales.get((j,), np.nan) for j in scales]
    left.bar(range(len(scales)), order_1, color="C0", width=0.7)
    left.set_xticks(range(len(scales)), [band(S, j) for j in scales], rotation=45, ha="right")
    left.set(xlabel="degrees", ylabel="% of the map's energy", title="order 1: one modulus")
    left.spines[["top", "right"]].set_visible(False)
    table = [[100 * by_scales.get((a, b), np.nan) for b in scales] for a in scales]
    right.set_title("order 2: two moduli")
    if np.nanmax(table, initial=0) > 0:
        low, high = np.nanmin(table), np.nanmax(table)
        image = right.imshow(table, origin="lower", norm=LogNorm(max(low, 1e-6 * high), high))
        figure.colorbar(image, ax=right, label="% of the map's energy")
    names = [band(S, j) for j in scales]
    right.set_xticks(range(len(scales)), names, rotation=45, ha="right")
    right.set_yticks(range(len(scales)), names)
    right.set(xlabel="degrees of the second scale", ylabel="degrees of the first scale")
    return figure


def band(S, j):
    """The degrees of wavelet scale ``j``, as a label."""
    first, last = S.first.bands[j]
    return f"{first}\N{EN DASH}{last}"
