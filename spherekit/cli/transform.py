"""Transform a map into harmonic coefficients, or back with --inverse.

On grids with a sampling theorem (mw, mwss, gl, dh, dhpole, cc) the transform is exact; on HEALPix
it is a least-squares fit (--method lsq), Jacobi iterations or one quadrature. The residual, what
the coefficients do not explain of the map, is printed.
"""

from pathlib import Path

import numpy as np

from spherekit import _scale
from spherekit.cli import options

METHODS = ("lsq", "jacobi", "quadrature")


def arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a map; coefficients with --inverse")
    options.band_limit(parser)
    parser.add_argument(
        "-o", "--output", required=True, help="alm .fits or .npz; with --inverse a map"
    )
    options.source(parser)
    options.spin(parser)
    options.mask(parser, "samples count where it is above 0.5")
    parser.add_argument("--method", choices=METHODS, help="default: lsq where no theorem holds")
    parser.add_argument("--max-iter", type=int, default=100, help="of lsq and jacobi")
    parser.add_argument("--inverse", action="store_true", help="from coefficients to a map")
    options.common(parser)


def run(args):
    (_to_map if args.inverse else _to_coefficients)(args)


def _to_coefficients(args):
    options.writable(args.output, args.force, (".fits", ".npz"))
    L = options.chosen_L(args)
    samples = options.read_samples(args.file, args, L)
    spin = samples.spin if args.spin is None else args.spin
    values = options.signal(args.file, samples, spin)
    if Path(args.output).suffix == ".fits" and np.iscomplexobj(values):
        raise _needs_npz(args.output)
    keep = None
    if args.mask:
        keep = options.read_mask(args.mask, samples) > 0.5
    options.refuse_missing(samples, keep)
    if args.max_iter < 1:
        raise options.Usage(f"--max-iter is {args.max_iter}; expected 1 or more")
    how = dict(keep=keep, method=args.method, max_iter=args.max_iter)
    flm, report = analyse(values, L, samples.grid, spin, args.threads, **how)
    print(report)
    write_coefficients(args.output, flm, L, spin, samples.unit)
    print(f"wrote {args.output}: L = {L} (lmax {L - 1}), spin {spin}")


def _needs_npz(path):
    return options.Usage(
        f"{path}: an alm FITS file holds the coefficients of a real signal; name a .npz file for "
        "those of a complex or spin field"
    )


def analyse(values, L, grid, spin, threads, *, keep=None, method=None, max_iter=100):
    """(coefficients, a line on how they were found and what they leave over)."""
    import spherekit

    method = method or ("quadrature" if grid.exact and keep is None else "lsq")
    how = dict(spin=spin, sampling=grid, reality=not np.iscomplexobj(values), threads=threads)
    name = options.grid_name(grid)
    if method != "quadrature":
        flm, residual = options.fit(values, L, mask=keep, method=method, max_iter=max_iter, **how)
        state = "converged" if residual.converged else "NOT converged (raise --max-iter?)"
        report = f"{method} on {name}: {residual.iterations} iterations, {state}"
        return flm, f"{report}; residual {residual.relative:.2e} of the map's rms"
    if keep is not None:
        raise options.Usage("--mask needs --method lsq: one quadrature takes the whole sphere")
    flm = spherekit.forward(values, L, **how)
    rest = values - spherekit.inverse(flm, L, **how)
    relative = _scale.ratio(rest, values)
    theorem = "exact for band-limited maps" if grid.exact else "no theorem holds here"
    return flm, f"quadrature on {name} ({theorem}); residual {relative:.2e} of the map's rms"


def read_signal(args, L):
    """`Samples` of the one signal of ``args.file``, and whether it is real."""
    samples = options.read_samples(args.file, args, L)
    if samples.grid.name == "healpix" and L > 3 * samples.grid.nside:
        raise options.Usage(
            f"--L {L} is beyond 3 nside = {3 * samples.grid.nside}: these pixels do not determine the "
            "highest degrees"
        )
    spin = samples.spin if getattr(args, "spin", None) is None else args.spin
    values = options.signal(args.file, samples, spin)
    options.refuse_missing(samples)
    return samples._replace(values=values, spin=spin), not np.iscomplexobj(values)


def coefficients(samples, L, threads):
    """Those of `read_signal`; prints what they leave over."""
    flm, report = analyse(samples.values, L, samples.grid, samples.spin, threads)
    print(report)
    return flm


def write_coefficients(path, flm, L, spin, unit):
    from spherekit import io

    if options.is_arrays(path):
        io.write_arrays(path, flm=flm, L=L, spin=spin, unit=unit, overwrite=True)
    else:
        io.write_alm(path, flm, unit=unit, overwrite=True)


def read_coefficients(path, spin):
    """(flm, spin, unit) of an alm FITS file, or of the array ``flm`` of a .npz file."""
    from spherekit import io

    if not options.is_arrays(path):
        if spin:
            raise _needs_npz(path)
        flm, units = io.read_alm(path), io.read_table(path).units
        return flm, 0, next((u for name, u in units.items() if name.lower() == "real"), "")
    arrays = io.read_arrays(path)
    flm = arrays.get("flm", arrays.get("values"))
    L = 0 if flm is None or flm.ndim != 1 else int(round(flm.size**0.5))
    if L < 1 or L * L != flm.size:
        raise ValueError(f"{path} holds no coefficients: one array flm (L*L,) is expected")
    stored = int(arrays.get("spin", 0))
    return flm, stored if spin is None else spin, str(arrays.get("unit", ""))


def _to_map(args):
    import spherekit
    from spherekit.sampling import grid as as_grid

    options.writable(args.output, args.force, (".fits", ".npz", ".npy"))
    if args.mask or args.method or args.field or args.ordering:
        raise options.Usage("--mask, --method, --field, --ordering: of maps, not with --inverse")
    if args.grid is None:
        raise options.Usage("say the grid of the map: --grid mw:256 or --grid healpix:64")
    flm, spin, unit = read_coefficients(args.file, args.spin)
    stored = int(round(flm.size**0.5))
    L = options.chosen_L(args, required=False) or stored
    if L > stored:
        raise ValueError(f"{args.file} holds degrees below {stored}; --L {L} asks for more")
    grid = as_grid(args.grid, L)
    if grid.name != "healpix" and Path(args.output).suffix == ".fits":
        raise options.Usage(f"{args.output}: FITS holds HEALPix maps; name a .npz file")
    reality = spin == 0 and is_hermitian(flm)
    how = dict(spin=spin, sampling=grid, reality=reality, threads=args.threads)
    f = spherekit.inverse(flm[: L * L], L, **how)
    options.write_samples(args.output, f, grid, unit=unit, spin=spin)
    print(f"wrote {args.output}: {options.grid_name(grid)}, {f.size} samples, degrees < {L}")


def is_hermitian(flm):
    from spherekit.conventions import to_healpy

    try:
        to_healpy(flm)
    except ValueError:
        return False
    return True
