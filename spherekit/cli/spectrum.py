"""Compute the angular power spectrum of a map, with or without a mask, or of coefficients.

With --mask the map is multiplied by the mask (0 to 1), transformed by one quadrature, and the spectrum is
divided by f_sky, the mean of the squared mask. This is unbiased for smooth spectra; neighboring degrees
remain coupled, and E and B mix near the edges of the mask. Without a mask, C_l is that of the coefficients
from `spherekit transform`.

A spin field (--field Q,U) gives EE, BB and EB; together with a scalar (--field I,Q,U) also TT, TE and TB. Of
a wind (--field u,v), EE is the power of the divergent part and BB that of the rotational part. By default
neither monopole nor dipole is removed. There is no correction for beam, pixel window or noise.
"""

import numpy as np

from spherekit.cli import analysis, coefficients, files, options, output, report

#: Several files are computed two at a time.
OVERLAPS = True
COLORS = ("#1f4e79", "#c0504d", "#5d8a3a")


def arguments(parser):
    options.files(parser, "a map or coefficients", suffix=".fits")
    options.further(parser)
    options.band_limit(parser)
    parser.add_argument("-o", "--output", required=True, help="C_l: .fits, .npz, .txt or .npy")
    options.source(parser)
    options.coefficients(parser)
    options.spin(parser)
    options.mask(parser, "weights from 0 (excluded) to 1 (included)")
    parser.add_argument(
        "--remove-monopole", action="store_true", help="remove the monopole of the observed sky"
    )
    parser.add_argument(
        "--remove-dipole",
        action="store_true",
        help="remove the monopole and dipole of the observed sky",
    )
    options.least_squares(parser)
    parser.add_argument(
        "--plot", metavar="PICTURE", help="plot l(l+1) C_l / 2 pi: .png, .pdf, .svg or .jpg"
    )
    options.common(parser)


def run(args):
    options.writable(args.output, args.force, (".fits", ".npz", ".txt", ".npy"))
    options.writable(args.plot, args.force, options.PICTURES)
    if coefficients.in_file(args.file, args.hdu):
        spectra, units, f_sky, frame, lines = _of_coefficients(args)
    else:
        spectra, units, f_sky, frame, lines = _of_map(args)
    output.refuse_not_finite(args.output, **spectra)
    figure = picture(spectra, f_sky, units, frame) if args.plot else None
    with output.atomic(args.force):
        output.write_spectra(args.output, spectra, units, frame)
        output.save(figure, args.plot)
    L = next(iter(spectra.values())).shape[-1]
    report.add(L=L, spectra=list(spectra), units=units, f_sky=f_sky, frame=frame or None)
    units = ", ".join(dict.fromkeys(unit or "no unit" for unit in units.values()))
    print(*lines, f"wrote {args.output}: {', '.join(spectra)}, l = 0..{L - 1}, {units}", sep="\n")
    if args.plot:
        print(f"wrote {args.plot}")


def _of_coefficients(args):
    reason = f"not applicable, since {args.file} contains coefficients, not a map"
    options.refuse_options_of_maps(args, reason, exclude=("field",))
    contents = coefficients.read(args.file, args)
    _check_axes(args, contents.axes)
    L = coefficients.requested_band_limit(args, contents)
    signals = [
        signal._replace(values=signal.values[..., : L * L]) for signal in contents.components
    ]
    names = ", ".join(signal.name for signal in signals)
    lines = [*contents.notes, f"coefficients of {names}"]
    return *_spectra(args.file, signals), 1.0, contents.frame, lines


def _check_axes(args, axes, attributes=None):
    """Raise Usage for spectra of several maps in a picture or in another file than .npy."""
    if axes and (args.plot or options.suffix_of(args.output) != ".npy"):
        raise options.Usage(
            f"{args.file} has the axes {', '.join(axes)}; write the spectra of all coordinates to .npy "
            f"without --plot, or select one map, e.g. {options.selection_of(axes, attributes)}"
        )


def _of_map(args):
    sky = files.read_map(args, options.band_limit_option(args, required=False), axes=True)
    _check_axes(args, sky.axes, sky.attributes)
    L, line = analysis.band_limit(args, sky.grid)
    _check(args, sky)
    weights = files.read_mask(args, sky)
    files.refuse_missing(args, sky, None if weights is None else weights > 0)
    signals = []
    lines = [note for note in (sky.note, line) if note]
    for component in sky.components:
        flm, f_sky, methods = _harmonics_of_each(args, sky, component, L, weights)
        label = f"{component.name}: " if len(sky.components) > 1 else ""
        lines += [f"{label}{text}" for text in methods]
        signals.append(component._replace(values=flm))
    spectra, units = _spectra(args.file, signals)
    spectra = {name: cl / np.expand_dims(f_sky, -1) for name, cl in spectra.items()}
    return spectra, units, f_sky.item() if f_sky.size == 1 else f_sky.tolist(), sky.frame, lines


def _harmonics_of_each(args, sky, component, L, weights):
    """(coefficients, f_sky, lines of the report) of each map on the axes of a signal, with its own mask."""
    values = component.values.astype(complex if component.spin else float)
    leading = values.shape[: values.ndim - len(sky.grid.shape)]
    weights = None if weights is None else np.broadcast_to(weights, values.shape)
    flms, fractions, lines = [], [], []
    for i in np.ndindex(leading):
        f, mask = values[i], None if weights is None else weights[i]
        if component.spin == 0 and (args.remove_monopole or args.remove_dipole):
            f, removed = remove_low(f, sky.grid, mask, dipole=args.remove_dipole)
            lines.append(removed)
        options_of_fit = analysis.iterations(args)
        flm, f_sky, method = harmonics(f, sky.grid, L, mask, component.spin, **options_of_fit)
        flms.append(flm)
        fractions.append(f_sky)
        lines.append(method)
    flms = np.reshape(flms, (*leading, L * L))
    return flms, np.reshape(fractions, leading), list(dict.fromkeys(lines))


def _check(args, sky):
    for component in sky.components:
        if component.spin == 0 and np.iscomplexobj(component.values):
            raise options.Usage(f"{args.file} is complex; expected a real map, or pass --spin 2")
        if component.spin < 0:
            raise options.Usage(f"--spin is {component.spin}; expected a positive spin for E and B")
    removes = args.remove_monopole or args.remove_dipole
    if removes and all(component.spin for component in sky.components):
        raise options.Usage("--remove-monopole and --remove-dipole apply to spin 0 only")


def harmonics(values, grid, L, weights=None, spin=0, threads=None, **iterations):
    """(coefficients, f_sky, report) of a map times its mask; divide C_l by f_sky."""
    import spherekit
    from spherekit.spectra import masked_flm, sky_fraction

    flags = dict(spin=spin, sampling=grid, reality=spin == 0, threads=threads)
    if weights is not None:
        f_sky = sky_fraction(weights, sampling=grid)
        flm = masked_flm(values, L, weights, **flags)
        method = f"masked sky: spectrum C_l / f_sky with f_sky = {f_sky:.4f}, the mean of mask^2"
        return flm, f_sky, method
    if grid.exact:
        return spherekit.forward(values, L, **flags), 1.0, "full sky, exact quadrature"
    flm, residual = analysis.fit(values, L, **flags, **iterations)
    state = "" if residual.converged else " (NOT converged)"
    steps = options.number_of(residual.iterations, "iteration")
    method = f"full sky, least squares: {steps}{state}"
    return flm, 1.0, analysis.residual_lines(method, residual.relative, L)


def _spectra(path, signals):
    """(spectra by name, units by name) of one signal, or of a scalar and a spin field."""
    from spherekit.spectra import polarization_power, power

    scalars = [signal for signal in signals if signal.spin == 0]
    fields = [signal for signal in signals if signal.spin]
    if len(scalars) > 1 or len(fields) > 1:
        names = "; ".join(signal.name for signal in signals)
        raise options.Usage(
            f"{path}: got {names}; expected one scalar, one spin field, or one of each; select with "
            f"{options.selecting_option(path)}"
        )
    for signal in signals:
        _refuse_underflow(path, signal)
    if not fields:
        name = scalars[0].columns[0] if scalars[0].columns else "SIGNAL"
        return {name: power(scalars[0].values)}, {name: _product(scalars[0].unit, scalars[0].unit)}
    T = scalars[0].values if scalars else None
    spectra = polarization_power(fields[0].values, T, spin=fields[0].spin)
    units = {"E": fields[0].unit, "B": fields[0].unit, "T": scalars[0].unit if scalars else ""}
    return spectra, {name: _product(units[name[0]], units[name[1]]) for name in spectra}


def _refuse_underflow(path, signal):
    """Raise ValueError for coefficients whose squares underflow, since C_l would be zero."""
    size = np.abs(signal.values).max()
    if 0 < size < 1e-150:
        raise ValueError(
            f"{path}: the largest coefficient is {size:.3g}, whose square underflows; rescale the map"
        )


def _product(unit, unit2):
    """The unit of a spectrum, from those of its two signals."""
    if unit != unit2:
        return " ".join(u for u in (unit, unit2) if u)
    if not unit:
        return ""
    return f"{unit}^2" if unit.isalnum() else f"({unit})^2"


def picture(spectra, f_sky, units, frame=""):
    """Plot the auto spectra, of fields on a planet from l = 1 on and without the band of cosmic variance."""
    from spherekit import plot

    auto_spectra = {
        name: cl for name, cl in spectra.items() if len(spectra) == 1 or name[0] == name[1]
    }
    on_planet = frame in ("geographic", "horizontal")
    first = 1 if on_planet else 2
    first = first if min(cl.size for cl in auto_spectra.values()) > first else 0
    positive = all(cl[first:].min() > 0 for cl in auto_spectra.values())
    style = dict(f_sky=f_sky, ell_min=first, cosmic_variance=not on_planet)
    if len(auto_spectra) > 1:
        style["yscale"] = "log" if positive else "linear"
    figure = options.figure(7, 4.4)
    ax = figure.add_subplot()
    divisor = r" / f_{sky}" if f_sky < 1 else ""
    for (name, cl), color in zip(auto_spectra.items(), COLORS, strict=False):
        symbol = r"C_\ell" if len(auto_spectra) == 1 else rf"C_\ell^{{{name}}}"
        unit = units[name] or None
        plot.spectrum(cl, ax=ax, label=f"${symbol}{divisor}$", color=color, unit=unit, **style)
    return output.validate(figure)


def remove_low(values, grid, weights=None, *, dipole=False):
    """(map without monopole, or monopole and dipole, of the observed sky; report of the amplitudes)."""
    from spherekit.spectra import remove_monopole_dipole

    cleaned, monopole, vector = remove_monopole_dipole(
        values, sampling=grid, mask=weights, dipole=dipole
    )
    report = f"removed from the observed sky: monopole {monopole:.4g}"
    if dipole:
        report += f", dipole of amplitude {np.linalg.norm(vector):.4g}"
    return cleaned, report
