"""Compute angular power spectra of a map, with or without a mask, or of coefficients, and of pairs of them.

The spectra of T are TT, of a spin field (--field Q,U) EE, BB and EB, of both (--field T,Q,U) also TE and TB;
of a wind (--field u,v), EE is the power of the divergent part and BB that of the rotational part. With
--cross they are those of all pairs of a signal of FILE and one of the other file. Q and U may be in two
files: q.fits --and u.fits, or q.fits u.fits --spin 2 with a file as the output. With a folder as the output,
several files are computed one by one.

With --method fsky, the default, a map with --mask is multiplied by it (0 to 1), transformed by one
quadrature, and the spectrum is divided by f_sky, the mean of the squared mask. This is unbiased for smooth
spectra; neighboring degrees remain coupled, and E and B mix near the edges of the mask. With --method master
the bandpowers of --bins are decoupled (Hivon et al. 2002): unbiased in each bin, E and B separate on average.
Without a mask, C_l is that of the coefficients from `spherekit transform`.

By default neither monopole nor dipole is removed, and there is no correction for beam (--beam) and pixel
window (--pixwin).
"""

from spherekit.cli import (
    apodization,
    beams,
    bins,
    options,
    output,
    report,
    spectrum_coupling,
    spectrum_errors,
    spectrum_input,
    spectrum_noise,
    spectrum_purify,
    spectrum_templates,
    spectrum_theory,
    stokes_files,
)

#: Several files are computed two at a time.
OVERLAPS = True
SUFFIXES = (".fits", ".npz", ".txt", ".npy")


def arguments(parser):
    options.files(parser, "a map or coefficients", suffix=".fits")
    options.further(parser)
    options.band_limit(parser)
    parser.add_argument(
        "-o", "--output", required=True, help="C_l or bandpowers: .fits, .npz, .txt or .npy"
    )
    options.source(parser)
    options.coefficients(parser)
    options.spin(parser)
    options.mask(parser, "weights from 0 (excluded) to 1 (included)")
    parser.add_argument(
        "--method",
        choices=("fsky", "master"),
        help="of a masked map: C_l / f_sky (default), or decoupled bandpowers (with --bins)",
    )
    apodization.arguments(parser)
    spectrum_purify.arguments(parser)
    bins.arguments(parser)
    spectrum_input.arguments(parser)
    beams.arguments(parser)
    parser.add_argument(
        "--remove-monopole", action="store_true", help="remove the monopole of the observed sky"
    )
    parser.add_argument(
        "--remove-dipole",
        action="store_true",
        help="remove the monopole and dipole of the observed sky",
    )
    spectrum_templates.arguments(parser)
    options.least_squares(parser)
    parser.add_argument(
        "--plot",
        metavar="PICTURE",
        help="plot l(l+1) C_l / 2 pi, bandpowers with error bars: .png, .pdf, .svg or .jpg",
    )
    spectrum_noise.arguments(parser)
    spectrum_errors.arguments(parser)
    spectrum_coupling.arguments(parser)
    spectrum_theory.arguments(parser)
    options.common(parser)


def prepare(args):
    """Take two inputs with --spin and a file as the output as the two components of one field."""
    stokes_files.prepare(args, SUFFIXES)


def run(args):
    options.writable(args.output, args.force, SUFFIXES)
    options.writable(args.plot, args.force, options.PICTURES)
    spectrum_coupling.check(args)
    inputs = spectrum_input.read(args)
    first = inputs.first
    _check(args)
    lines = spectrum_purify.check(args, inputs)
    of_option = bins.read(args, first.L)
    lines += [*bins.on_width(of_option), *bins.on_last(args.bins, of_option)]
    spectrum_errors.check(args, of_option)
    noise = spectrum_noise.read(args, inputs)
    theory, on_theory = spectrum_theory.read(args, inputs)
    lines += on_theory
    of_errors = spectrum_theory.for_errors(args, theory, first.L)
    measured = _measure(args, inputs, of_option, noise, of_errors)
    measured.lines.extend([*lines, *spectrum_noise.warnings(noise, measured)])
    output.refuse_not_finite(args.output, **measured.spectra)
    figure = _picture(args, measured, None if theory is None else theory.spectra)
    with output.atomic(args.force):
        _write(args, measured)
        spectrum_coupling.write(measured.couplings)
        output.save(figure, args.plot)
    _report(args, measured, first.L)


def _check(args):
    """Raise Usage for options that do not apply together."""
    if args.method == "master" and args.bins is None:
        raise options.Usage(
            "--method master decouples bandpowers; pass their bins, e.g. --bins linear:30 or --bins log:20"
        )


def _measure(args, inputs, of_option, noise, theory):
    """The `Measured` spectra by the method of the options."""
    if args.method == "master":
        from spherekit.cli import master_spectra

        return master_spectra.measure(args, inputs, of_option, noise, theory)
    from spherekit.cli import fsky_spectra

    return fsky_spectra.measure(args, inputs, of_option, noise, theory)


def _picture(args, measured, theory):
    """The figure of --plot, or None."""
    if not args.plot:
        return None
    from spherekit.cli import spectrum_picture

    return spectrum_picture.picture(measured, theory)


def _write(args, measured):
    """Write spectra or bandpowers."""
    from spherekit import io

    if measured.bins is None or options.suffix_of(args.output) == ".npy":
        output.write_spectra(args.output, measured.spectra, measured.units, measured.frame)
        return
    of_bins = dict(errors=measured.errors, windows=measured.windows, unit=measured.units)
    of_bins |= dict(coordsys=measured.frame, overwrite=True)
    io.write_bandpowers(args.output, measured.spectra, measured.bins, **of_bins)
    report.wrote(args.output)


def _report(args, measured, L):
    """Print what was done, and add it to the report."""
    units = ", ".join(dict.fromkeys(unit or "no unit" for unit in measured.units.values()))
    names = ", ".join(measured.spectra)
    facts = dict(L=L, spectra=list(measured.spectra), units=measured.units, f_sky=measured.f_sky)
    degrees = f"l = 0..{L - 1}"
    if measured.bins is not None:
        first, last = int(measured.bins.first[0]), int(measured.bins.stop[-1]) - 1
        count = options.number_of(measured.bins.n, "bin")
        degrees = f"{count}, l = {first}..{last}{', D_l' if measured.bins.dl else ''}"
        facts["bins"] = measured.bins.n
    report.add(**facts, frame=measured.frame or None)
    written = [f"wrote {path}, the coupling of the masks" for path in measured.couplings]
    print(*measured.lines, *written, f"wrote {args.output}: {names}, {degrees}, {units}", sep="\n")
    if args.plot:
        print(f"wrote {args.plot}")
