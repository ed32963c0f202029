"""The picture of ``spherekit spectrum``: auto-spectra, or bandpowers in panels."""

from spherekit.cli import options, output, spectrum_theory

COLORS = ("#1f4e79", "#c0504d", "#5d8a3a")


def picture(measured, theory=None):
    """The figure of `Measured` spectra, with C_l of a theory by pair of signals."""
    if measured.bins is not None:
        return _of_bandpowers(measured, theory)
    described = measured.spectra, measured.f_sky, measured.units, measured.frame
    return _of_spectra(*described, theory)


def _of_spectra(spectra, f_sky, units, frame="", theory=None):
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
