"""Rotate a map or coefficients, by Euler angles or into another frame of the sky.

(R f)(x) = f(R^-1 x) with R = Rz(A) Ry(B) Rz(C): an active rotation, zyz. With --to the sky stays and its
coordinates change; fields of spin 2 (--field Q,U --spin 2) get the turn of their axes. Maps are analysed
(HEALPix: least squares), rotated in coefficients, exactly, and synthesised; what the degrees below L do
not hold of a map is printed, and is not in the result.
"""

from pathlib import Path

import numpy as np

from spherekit.cli import options
from spherekit.cli.transform import analyse, is_hermitian, read_coefficients, write_coefficients

FRAMES = {"G": "galactic", "E": "ecliptic", "C": "equatorial", "Q": "equatorial"}


def arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a map, or coefficients")
    parser.add_argument("-o", "--output", required=True, help="a file of the same kind")
    names = tuple(dict.fromkeys(FRAMES.values()))
    parser.add_argument(
        "--euler", metavar="A,B,C", help="degrees, as 30,40,50 or --euler=-30,40,50"
    )
    parser.add_argument("--to", choices=names, help="frame of the sky")
    parser.add_argument("--from", dest="source", choices=names, help="default: the file's COORDSYS")
    options.band_limit(parser)
    options.source(parser)
    options.spin(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="draw it before and after")
    options.common(parser)


def run(args):
    if (args.euler is None) == (args.to is None):
        raise options.Usage("say one of --euler A,B,C (degrees) and --to FRAME")
    options.writable(args.plot, args.force, options.PICTURES)
    (_rotate_coefficients if _holds_coefficients(args.file) else _rotate_map)(args)


def _rotate_coefficients(args):
    from spherekit import wigner

    options.writable(args.output, args.force, (".fits", ".npz"))
    angles, words, _ = _angles(args, "")
    flm, spin, unit = read_coefficients(args.file, args.spin)
    turned = wigner.rotate(
        flm, *angles, reality=spin == 0 and is_hermitian(flm), threads=args.threads
    )
    L = int(round(flm.size**0.5))
    write_coefficients(args.output, turned, L, spin, unit)
    print(f"wrote {args.output}: L = {L} (lmax {L - 1}), spin {spin}, {words}")
    if args.plot:
        f, g = (_draw(x, L, spin, args.threads) for x in (flm, turned))
        _picture(args, (f, g), f"mw:{max(L, 128)}", unit, words)


def _rotate_map(args):
    import spherekit
    from spherekit import wigner

    suffixes = (".npz", ".npy") if options.is_arrays(args.file) else (".fits",)
    options.writable(args.output, args.force, suffixes)
    samples = options.read_samples(args.file, args, options.chosen_L(args, required=False))
    grid = samples.grid
    L = options.chosen_L(args, required=False) or (
        2 * grid.nside if grid.name == "healpix" else grid.L
    )
    angles, words, coordsys = _angles(args, _coordsys(args.file))
    spin = samples.spin if args.spin is None else args.spin
    values = options.signal(args.file, samples, spin)
    options.refuse_missing(samples)
    flm, report = analyse(values, L, grid, spin, args.threads)
    print(f"{report} (L = {L})")
    how = dict(reality=not np.iscomplexobj(values), threads=args.threads)
    turned = wigner.rotate(flm, *angles, **how)
    result = spherekit.inverse(turned, L, spin=spin, sampling=grid, **how).astype(values.dtype)
    options.write_samples(
        args.output, result, grid, unit=samples.unit, spin=spin, coordsys=coordsys
    )
    print(f"wrote {args.output}: {options.grid_name(grid)}, {words}")
    if args.plot:
        pair = [np.abs(x) if spin else np.real(x) for x in (values, result)]
        _picture(args, pair, grid, samples.unit, words)


def _holds_coefficients(path):
    from spherekit import io
    from spherekit.io.alm import is_alm

    if Path(path).suffix == ".npy":
        return False
    if options.is_arrays(path):
        return "flm" in io.read_arrays(path)
    return is_alm(io.read_table(path))


def _coordsys(path):
    from spherekit import io

    if options.is_arrays(path):
        return ""
    header = io.read_table(path).header
    return str(header.get("COORDSYS", header.get("SKYCOORD", ""))).strip()


def _angles(args, coordsys):
    """(angles in radians, words for them, COORDSYS of the result)."""
    if args.euler is not None:
        if args.source:
            raise options.Usage("--from goes with --to, not with --euler")
        try:
            alpha, beta, gamma = (float(part) for part in args.euler.split(","))
        except ValueError:
            raise options.Usage(f"--euler is {args.euler!r}; expected A,B,C in degrees") from None
        return (
            np.radians([alpha, beta, gamma]),
            f"rotated by {alpha:g}, {beta:g}, {gamma:g} degrees",
            "",
        )
    from spherekit.wigner import frame_angles

    source = args.source or FRAMES.get(coordsys[:1].upper())
    if source is None:
        said = f"says COORDSYS {coordsys!r}" if coordsys else "does not say its frame (COORDSYS)"
        raise options.Usage(
            f"{args.file} {said}; pass --from {'|'.join(dict.fromkeys(FRAMES.values()))}"
        )
    letter = next(key for key, name in FRAMES.items() if name == args.to)
    return frame_angles(source, args.to), f"from {source} to {args.to} coordinates", letter


def _draw(flm, L, spin, threads):
    import spherekit

    f = spherekit.inverse(flm, L, spin=spin, sampling=f"mw:{max(L, 128)}", threads=threads)
    return np.abs(f) if spin else f.real


def _picture(args, pair, grid, unit, words):
    from spherekit import plot
    from spherekit.plot.maps import colour_range

    vmin, vmax, _, symmetric = colour_range(pair[0])
    made = options.figure(12, 4.1)
    for ax, f, title in zip(made.subplots(1, 2), pair, ("before", words), strict=True):
        plot.show(f, grid, ax=ax, title=title, unit=unit, vmin=vmin, vmax=vmax, symmetric=symmetric)
    options.save(made, args.plot)
    print(f"wrote {args.plot}")
