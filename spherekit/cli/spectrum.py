"""Power spectrum of a map, masked or not."""

import numpy as np

from spherekit.cli import options


def arguments(parser):
    parser.add_argument("file", metavar="MAP")
    options.band_limit(parser)
    parser.add_argument("-o", "--output", required=True, help="C_l as FITS")
    parser.add_argument("--mask", help="FITS map of weights, 1 where pixels count")
    parser.add_argument("--grid", help="grid of a .npy map")
    parser.add_argument("--field", default="0", help="column of a FITS map, number or name")
    parser.add_argument("--plot", help="picture of the spectrum")
    options.common(parser)


def run(args):
    from spherekit import io, plot

    for path in (args.output, args.plot):
        options.writable(path, args.force)
    L = options.chosen_L(args)
    values, grid, unit = options.read_samples(args.file, args.grid, args.field)
    mask = None if args.mask is None else io.read_map(args.mask).values
    cl, f_sky = masked_spectrum(values, grid, L, mask, args.threads)
    if mask is not None:
        print(f"masked: f_sky = {f_sky:.4f} (mean squared mask); wrote C_l / f_sky")
    io.write_cl(args.output, cl, unit=f"{unit}^2" if unit else "", overwrite=args.force)
    print(f"wrote {args.output}: l = 0..{L - 1}")
    if args.plot:
        options.headless()
        ax = plot.spectrum(cl, f_sky=f_sky, unit=unit or None)
        options.save_figure(ax, args.plot)
        print(f"wrote {args.plot}")


def masked_spectrum(values, grid, L, mask=None, threads=None):
    """(C_l / f_sky, f_sky) of a map times a mask, f_sky its mean square over the sphere."""
    import spherekit
    from spherekit.spectra import power

    f_sky = 1.0
    if mask is not None:
        if np.shape(mask) != np.shape(values):
            raise ValueError(f"mask has shape {np.shape(mask)}, the map {np.shape(values)}")
        values = np.where(mask == 0, 0, values * np.asarray(mask, float))
        f_sky = float(np.sum(grid.weights * np.asarray(mask, float) ** 2) / (4 * np.pi))
        if f_sky == 0:
            raise ValueError("the mask keeps no pixel")
    options_ = dict(sampling=grid, reality=True, threads=threads)
    if grid.exact or mask is not None:
        flm = spherekit.forward(values, L, **options_)
    else:
        flm, _ = spherekit.analyse(values, L, **options_)
    return power(flm) / f_sky, f_sky
