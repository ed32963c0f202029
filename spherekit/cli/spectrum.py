"""Angular power spectrum of a map, masked or not.

With --mask the map is multiplied by the mask (0 to 1), transformed by one quadrature, and the
spectrum divided by f_sky, the mean of the squared mask: right on average where the spectrum is
smooth; neighbouring degrees stay coupled. Without, C_l is that of `spherekit transform`. A spin
field (--field Q,U --spin 2) gives EE, BB and EB; a mask mixes E and B near its edges. Nothing is
removed from the map unless told, and nothing corrects for beam, pixel window and noise.
"""

import numpy as np

from spherekit.cli import options

COLORS = ("#1f4e79", "#c0504d")  # of EE and BB in one picture


def arguments(parser):
    parser.add_argument("file", metavar="MAP")
    options.band_limit(parser)
    parser.add_argument("-o", "--output", required=True, help="C_l: .fits or .npy (EE, BB, EB)")
    options.source(parser)
    options.spin(parser)
    options.mask(parser, "weights, 1 where samples count")
    parser.add_argument("--remove-monopole", action="store_true", help="of the kept sky")
    parser.add_argument("--remove-dipole", action="store_true", help="and the monopole with it")
    parser.add_argument("--plot", help="picture of l(l+1) C_l / 2 pi: .png, .pdf, .svg, .jpg")
    options.common(parser)


def run(args):
    options.writable(args.output, args.force, (".fits", ".npy"))
    options.writable(args.plot, args.force, options.PICTURES)
    L = options.chosen_L(args)
    samples = options.read_samples(args.file, args, L)
    spin = samples.spin if args.spin is None else args.spin
    values = _signal(args, samples, spin)
    weights = options.read_mask(args.mask, samples) if args.mask else None
    options.refuse_missing(samples, None if weights is None else weights > 0)
    if args.remove_monopole or args.remove_dipole:
        values, said = remove_low(values, samples.grid, weights, dipole=args.remove_dipole)
        print(said)
    spectra, f_sky, said = measure(values, samples.grid, L, weights, spin, args.threads)
    print(said)
    unit = _squared(samples.unit)
    _write(args.output, spectra, unit)
    print(f"wrote {args.output}: {', '.join(spectra)}, l = 0..{L - 1}, {unit or 'no unit'}")
    if args.plot:
        _draw(args.plot, spectra, f_sky, unit)
        print(f"wrote {args.plot}")


def _signal(args, samples, spin):
    values = options.signal(args.file, samples, spin)
    if spin == 0 and np.iscomplexobj(values):
        raise options.Usage(f"{args.file} is complex; a spectrum of spin 0 needs a real map")
    if spin < 0:
        raise options.Usage(f"--spin is {spin}; E and B are those of a spin above 0")
    if spin and (args.remove_monopole or args.remove_dipole):
        raise options.Usage("--remove-monopole and --remove-dipole are for spin 0")
    return values.astype(complex if spin else float)


def _squared(unit):
    if not unit:
        return ""
    return f"{unit}^2" if unit.isalnum() else f"({unit})^2"


def _write(path, spectra, unit):
    from spherekit import io

    if options.is_arrays(path):
        rows = list(spectra.values())
        io.write_arrays(path, values=np.stack(rows) if len(rows) > 1 else rows[0], overwrite=True)
    else:
        io.write_cl(path, spectra, unit=unit, overwrite=True)


def _draw(path, spectra, f_sky, unit):
    from spherekit import plot

    drawn = {name: cl for name, cl in spectra.items() if name != "EB"}  # of either sign
    first = 2 if min(cl.size for cl in drawn.values()) > 2 else 0
    positive = all(cl[first:].min() > 0 for cl in drawn.values())
    look = dict(f_sky=f_sky, unit=unit or None, ell_min=first)
    if len(drawn) > 1:
        look["yscale"] = "log" if positive else "linear"
    made = options.figure(7, 4.4)
    ax = made.add_subplot()
    over = r" / f_{sky}" if f_sky < 1 else ""
    for (name, cl), color in zip(drawn.items(), COLORS, strict=False):
        symbol = r"C_\ell" if len(drawn) == 1 else rf"C_\ell^{{{name}}}"
        plot.spectrum(cl, ax=ax, label=f"${symbol}{over}$", color=color, **look)
    options.save(made, path)


def measure(values, grid, L, weights=None, spin=0, threads=None):
    """(spectra by name, f_sky, what was done) of a map times a mask.

    f_sky is the mean of the squared mask, by which C_l is divided. The names are TEMPERATURE, or
    EE, BB and EB of a spin field.
    """
    import spherekit

    how = dict(spin=spin, sampling=grid, reality=spin == 0, threads=threads)
    f_sky = 1.0
    if weights is not None:
        f_sky = float(np.sum(grid.weights * weights**2) / (4 * np.pi))
        flm = spherekit.forward(np.where(weights > 0, values * weights, 0.0), L, **how)
        said = f"masked: f_sky = {f_sky:.4f} (mean of mask^2); the spectrum is C_l / f_sky"
    elif grid.exact:
        flm = spherekit.forward(values, L, **how)
        said = "full sky, exact quadrature"
    else:
        flm, residual = options.fit(values, L, **how)
        state = "" if residual.converged else " (NOT converged)"
        said = (
            f"full sky, least squares: {residual.iterations} iterations{state}, residual "
            f"{residual.relative:.2e} of the map's rms"
        )
    return {name: cl / f_sky for name, cl in _spectra(flm, spin).items()}, f_sky, said


def _spectra(flm, spin):
    from spherekit.conventions import spin_to_eb
    from spherekit.spectra import power

    if spin == 0:
        return {"TEMPERATURE": power(flm)}
    E, B = spin_to_eb(flm, spin=spin)
    return {"EE": power(E), "BB": power(B), "EB": power(E, B)}


def remove_low(values, grid, weights=None, *, dipole=False):
    """(map without its mean, or mean and dipole, on the kept sky; what was taken away)."""
    theta, phi = grid.theta, grid.phi
    if grid.rectangular:
        theta, phi = theta[:, None], phi[None]
    modes = [np.ones(grid.shape)]
    if dipole:
        s = np.sin(theta)
        axes = (s * np.cos(phi), s * np.sin(phi), np.cos(theta))
        modes += [np.broadcast_to(axis, grid.shape) for axis in axes]
    basis = np.stack(modes)
    weight = np.broadcast_to(grid.weights, grid.shape) * (1.0 if weights is None else weights)
    kept = np.where(weight > 0, values, 0.0)
    weighted = (basis * weight).reshape(len(basis), -1)
    normal = weighted @ basis.reshape(len(basis), -1).T
    x = np.linalg.solve(normal, weighted @ kept.ravel())
    said = f"removed from the kept sky: monopole {x[0]:.4g}"
    if dipole:
        said += f", dipole of amplitude {np.linalg.norm(x[1:]):.4g}"
    return kept - np.tensordot(x, basis, 1), said
