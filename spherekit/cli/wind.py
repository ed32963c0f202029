"""Compute vorticity, divergence, potentials and the rotational and divergent part of a wind.

The wind is that of one file with both components, or of two files, u and v. They are found by standard_name
of the CF conventions (eastward_wind and northward_wind), else by names such as u and v, u10 and v10, uwnd and
vwnd in a unit of velocity; --field names others. All times and levels stay unless --level, --time or --select
select one.

The results are vorticity and divergence (s-1), streamfunction and velocity_potential (m2 s-1), the
divergent wind u_chi, v_chi and the rotational wind u_psi, v_psi (m s-1), and kinetic_energy (m2 s-2). They
are exact for winds of the band-limit, also at the poles. The residual, the part of the wind beyond the
degrees below L, is printed; only kinetic_energy and speed contain it.

Several winds are pairs of files in the same order, such as u*.nc --and v*.nc, or files with both components.
"""

import argparse
from dataclasses import replace

import numpy as np

from spherekit.cli import (
    analysis,
    names,
    options,
    output,
    planets,
    records,
    report,
    stopping,
    wind_files,
)
from spherekit.cli.smooth import check_outputs, check_plot

#: Several files are computed two at a time.
OVERLAPS = True
#: Suffixes of the spectrum.
_SPECTRA = (".fits", ".npz", ".txt", ".npy")
#: The unit of the spectrum.
_ENERGY = "m^2/s^2"
#: Samples of one component that are analyzed together.
_SAMPLES = 2**24


def arguments(parser):
    options.files(parser, "a file with u and v, or two files, U V", "WIND")
    options.further(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help="the results: .nc, .npz, .npy, .csv, or .fits (HEALPix, mw:L and mwss:L); of several winds a "
        "folder",
    )
    parser.add_argument(
        "--quantities",
        metavar="NAMES",
        help="subset of the results, e.g. vorticity,divergence; also u, v, speed, planetary_vorticity, "
        "absolute_vorticity and rossby_wave_source",
    )
    parser.add_argument(
        "--radius",
        default="earth",
        help="of the planet, e.g. 6371.2km, or its name, e.g. mars; default: earth, 6371.2km",
    )
    parser.add_argument(
        "--omega",
        type=float,
        help="angular velocity of the planet, rad/s, for absolute_vorticity; default: that of --radius NAME",
    )
    options.band_limit(parser)
    parser.add_argument(
        "--truncation",
        metavar="T",
        type=_truncation,
        help="highest degree of the results, e.g. 42 or T42",
    )
    parser.add_argument(
        "--spectrum",
        metavar="FILE",
        help="spectrum of the kinetic energy, of the wind and its parts: .fits, .npz, .txt or .npy",
    )
    options.source(parser, default="the only wind")
    options.least_squares(parser)
    parser.add_argument("--plot", metavar="PICTURE", help="plot the results on maps")
    options.projection(parser)
    options.rot(parser)
    options.common(parser)


def _truncation(text):
    """The highest degree of a triangular truncation.

    >>> _truncation("T42"), _truncation("42")
    (42, 42)
    """
    digits = text.removeprefix("T").removeprefix("t")
    try:
        return int(digits)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text} is no triangular truncation; expected the highest degree, e.g. 42 or T42"
        ) from None


def prepare(args):
    """Take two files with a file as the output as those of u and v."""
    wind_files.prepare(args)


def run(args):
    check_outputs(args)
    options.writable(args.spectrum, args.force, _SPECTRA)
    rot = options.center(args.rot)
    L = options.band_limit_option(args, required=False)
    planet = planets.planet(args.radius)
    quantities = _quantities(args, planet)
    u, v, notes = wind_files.read(args, L)
    records.check_output(args.output, u.grid, u.axes)
    check_plot(args, u)
    _check_spectrum(args, u)
    analysis.require_band_limit(args, u.grid)
    _check_truncation(args, u.grid, L)
    computed = quantities
    if args.plot:
        from spherekit.cli import wind_picture

        computed = tuple(dict.fromkeys((*quantities, *wind_picture.QUANTITIES)))
    result, spectra, line = _compute(args, u, v, computed, planet, L)
    figure = wind_picture.picture(result, args.projection, rot) if args.plot else None
    result = result if computed == quantities else result.select(list(quantities))
    with output.atomic(args.force):
        records.write(args.output, result)
        report.wrote(args.output)
        if args.spectrum:
            output.write_spectra(
                args.spectrum, spectra, dict.fromkeys(spectra, _ENERGY), result.frame
            )
        output.save(figure, args.plot)
    report.add_map(result)
    report.add(radius=planet.radius)
    print(*notes, *result.notes, line, sep="\n")
    print(f"wrote {args.output}: {', '.join(result.names)}, {analysis.grid_label(result.grid)}")
    if args.spectrum:
        print(f"wrote {args.spectrum}: kinetic energy, {', '.join(spectra)}, {_ENERGY}")
    if args.plot:
        print(f"wrote {args.plot}")


def _quantities(args, planet):
    """The names of the results. Raises Usage for unknown ones, and for those that need the rotation."""
    from spherekit.fields.wind_quantities import DEFAULT, QUANTITIES

    selected = DEFAULT if args.quantities is None else names.split(args.quantities)
    unknown = [str(name) for name in selected if name not in QUANTITIES]
    if unknown:
        raise options.Usage(
            f"--quantities has {', '.join(unknown)}; expected some of {', '.join(QUANTITIES)}"
        )
    if len(set(selected)) < len(selected):
        raise options.Usage(f"--quantities {args.quantities} names a quantity twice")
    of_rotation = {"planetary_vorticity", "absolute_vorticity", "rossby_wave_source"}
    rotating = [name for name in selected if name in of_rotation]
    if rotating and args.omega is None and planet.omega is None:
        raise options.Usage(
            f"{rotating[0]} depends on the rotation of the planet; pass --omega in rad/s, or --radius NAME "
            f"with one of {', '.join(planets.PLANETS)}"
        )
    return tuple(selected)


def _check_spectrum(args, sky):
    """Raise Usage for spectra of several maps in another file than .npy."""
    if args.spectrum and sky.axes and options.suffix_of(args.spectrum) != ".npy":
        raise options.Usage(
            f"--spectrum: the wind has the axes {', '.join(sky.axes)}; write the spectra of all coordinates "
            f"to .npy, or select one wind, e.g. {options.selection_of(sky.axes, sky.attributes)}"
        )


def _check_truncation(args, grid, L):
    """Raise Usage for a truncation that is not a degree of the analysis."""
    from spherekit.fields.analysis import default_band_limit

    T = args.truncation
    largest = (default_band_limit(grid) if L is None else L) - 1
    if T is not None and not 0 <= T <= largest:
        raise options.Usage(
            f"--truncation is {T}; expected a degree from 0 to {largest}, the highest of the analysis"
        )


def _compute(args, u, v, computed, planet, L):
    """(map of the quantities that are computed, spectra by name, the line that describes the analysis)."""
    from spherekit._core import checks
    from spherekit._core.progress import progress_bar

    advice = "select a part with --time, --level or --select, or fewer --quantities"
    checks.fits_memory(2.0 * len(computed) * u.values.nbytes, "spherekit wind", advice)
    omega = planet.omega if args.omega is None else args.omega
    arguments = dict(truncation=args.truncation) | ({} if omega is None else dict(omega=omega))
    results = []
    squares = []
    energies = []
    chunks = _chunks(u)
    title = ("chunks", len(chunks)) if u.grid.exact else ("least squares", None, "iterations")
    with progress_bar(*title) as progress:

        def step(*_):
            stopping.check()
            progress.update()

        for chunk in chunks:
            wind = _wind(args, _part(u, chunk), _part(v, chunk), planet, L, step)
            try:
                results.append(wind.to_map(*computed, **arguments))
            except ValueError as error:  # of a fit that has not converged
                raise records.with_options(error) from None
            square = sum(np.sum(x.values**2, dtype=float) for x in (wind.u, wind.v))
            squares.append((wind.residual**2 * square, square))
            if args.spectrum:
                energies.append(wind.kinetic_energy_spectrum())
            step()
    result = _joined(results, u)
    history = tuple(dict.fromkeys((*u.history, *v.history)))
    line = f"{u.labels[0]} and {v.labels[0]}, degrees < {wind.L}, radius {planet.radius / 1e3:g} km"
    residual = _ratio(*np.sum(squares, axis=0))
    report.add(L=wind.L, residual=residual)
    line = analysis.residual_lines(line, residual, wind.L, "wind")
    return replace(result, history=history), _spectra(energies), line


def _spectra(energies):
    """The spectra of all chunks by name."""
    names_of_parts = energies[0]._fields if energies else ()
    return {name: np.concatenate([getattr(x, name) for x in energies]) for name in names_of_parts}


def _ratio(square, square_of_all):
    return float(np.sqrt(square / square_of_all)) if square_of_all else 0.0


def _wind(args, u, v, planet, L, step):
    """The `spherekit.fields.Wind`; each iteration of its analysis calls ``step``."""
    from spherekit import fields

    common = analysis.iterations(args)
    try:
        return fields.Wind(u, v, radius=planet.radius, L=L, progress=step, **common)
    except ValueError as error:
        raise ValueError(f"{args.file}: {error}") from None


def _chunks(sky):
    """Slices of the first axis, of about `_SAMPLES` samples; or one, None, of a map without axes."""
    if not sky.axes:
        return [None]
    n = len(sky.values)
    count = max(1, _SAMPLES // sky.values[0].size)
    return [slice(i, i + count) for i in range(0, n, count)]


def _part(sky, chunk):
    """A chunk of a map on its first axis."""
    if chunk is None:
        return sky
    first = next(iter(sky.axes))
    axes = {**sky.axes, first: sky.axes[first][chunk]}
    return replace(sky, values=sky.values[chunk], axes=axes)


def _joined(chunks, like):
    """The map of all chunks, on the axes of ``like``."""
    if len(chunks) == 1:
        return chunks[0]
    first = chunks[0]
    axis = int(len(first) > 1)
    values = np.concatenate([chunk.values for chunk in chunks], axis)
    notes = tuple(dict.fromkeys(note for chunk in chunks for note in chunk.notes))
    return replace(first, values=values, axes=like.axes, notes=notes)
