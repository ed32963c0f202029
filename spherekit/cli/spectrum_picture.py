"""The picture of ``spherekit spectrum``: auto-spectra, or bandpowers in panels."""

from spherekit.cli import options, output, report, spectrum_theory

COLORS = ("#1f4e79", "#c0504d", "#5d8a3a")


def picture(measured, theory=None):
    """The figure of `Measured` spectra, with C_l of a theory by pair of signals."""
    if measured.bins is not None:
        return _of_bandpowers(measured, theory)
    described = measured.spectra, measured.f_sky, measured.units, measured.frame
    return _of_spectra(*described, theory)


def _of_spectra(spectra, f_sky, units, frame="", theory=None):
    """Plot the auto spectra, of fields on a planet from l = 1 on and without the band of cosmic variance.

    Nor is there a band if ``f_sky`` is None, unknown.
    """
    from spherekit import plot

    auto_spectra = {
        name: cl for name, cl in spectra.items() if len(spectra) == 1 or name[0] == name[1]
    }
    on_planet = frame in ("geographic", "horizontal")
    first = 1 if on_planet else 2
    first = first if min(cl.size for cl in auto_spectra.values()) > first else 0
    positive = all(cl[first:].min() > 0 for cl in auto_spectra.values())
    has_band = not on_planet and f_sky is not None
    f_sky = 1.0 if f_sky is None else f_sky
    style = dict(f_sky=f_sky, ell_min=first, cosmic_variance=has_band)
    if len(auto_spectra) > 1:
        style["yscale"] = "log" if positive else "linear"
    figure = options.figure(7, 4.4)
    ax = figure.add_subplot()
    divisor = r" / f_{sky}" if f_sky < 1 else ""
    for (name, cl), color in zip(auto_spectra.items(), COLORS, strict=False):
        symbol = r"C_\ell" if len(auto_spectra) == 1 else rf"C_\ell^{{{name}}}"
        unit = units[name] or None
        if theory is not None:
            style["theory"] = spectrum_theory.of_pair(theory, name)
        plot.spectrum(cl, ax=ax, label=f"${symbol}{divisor}$", color=color, unit=unit, **style)
    return output.validate(figure)


def _of_bandpowers(measured, theory):
    """One panel for each spectrum."""
    from spherekit import plot

    names = list(measured.spectra)
    expected = {} if theory is None else spectrum_theory.expected(measured, theory)
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = options.figure(7 if columns == 1 else 4.4 * columns, 4.4 if rows == 1 else 3.4 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        style = dict(unit=measured.units[name] or None)
        if len(names) > 1:
            style["title"] = name
        else:
            style["label"] = _label(name, measured.f_sky)
        style |= dict(errors=measured.errors.get(name), expected=expected.get(name))
        style["theory"] = None if theory is None else spectrum_theory.of_pair(theory, name)
        plot.bandpowers(measured.spectra[name], measured.bins, ax=ax, **style)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return output.validate(figure)


def _label(name, f_sky):
    """The legend entry of bandpowers: their name, and of masked maps the fraction of the sky."""
    name = name.replace("$", r"\$")
    return f"{name}, $f_{{sky}}$ = {f_sky:.2f}" if isinstance(f_sky, float) and f_sky < 1 else name


def contains_spectra(path):
    """Whether the format of a file declares C_l of each degree, unlike rows of numbers."""
    from spherekit.io import describe
    from spherekit.io.fits_maps import contains_mw
    from spherekit.io.kinds import is_fits
    from spherekit.io.spectrum_content import contains_spectra as is_spectrum
    from spherekit.io.spectrum_text import KINDS

    if describe(path) in KINDS or (is_fits(path) and contains_mw(path, None)):
        return False
    return is_spectrum(path, None, None, None)


def of_file(args):
    """The picture of `spherekit plot` of C_l of a file: those of a signal with itself."""
    from spherekit import io
    from spherekit.cli.input_spectra import quantity, selected
    from spherekit.cli.measured import Measured
    from spherekit.io.spectra import spectrum_of

    table = io.read_spectra(args.file)
    if quantity(table.values):
        raise ValueError(
            f"{args.file} contains the kinetic energy of each degree; spherekit wind --plot draws it beside "
            "the wind"
        )
    values = selected(args.file, table.values, args.field)
    if len(values) > 1:
        pairs = {name: spectrum_of(name) for name in values}
        values = {pair: values[name] for name, pair in pairs.items() if pair in ("TT", "EE", "BB")}
        units = {pair: table.units[name] for name, pair in pairs.items() if pair}
    else:
        units = table.units
    if not values:
        raise options.Usage(
            f"{args.file} contains the spectra {', '.join(table.values)}; select one with --field"
        )
    figure = picture(Measured(values, units, None, table.frame, []))
    if args.title is not None:
        figure.suptitle(args.title)
    with output.atomic(args.force):
        output.save(figure, args.output)
    report.add(spectra=list(values))
    print(f"wrote {args.output}")
