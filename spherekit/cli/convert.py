"""Convert a map, coefficients or power spectra to another format, and a map to another grid.

The format of the input is recognized from its content, that of the output from its suffix: maps .fits, .npz,
.npy, .nc and .csv; coefficients .fits (alm), .npz, .sh or .txt (SHTOOLS), .shc and .mat; power spectra .fits,
.npz and .txt, and so are bandpowers.

Without --grid the samples are those of the input. With --grid a map is analyzed and synthesized on that grid,
exactly for band-limited maps; the residual of the analysis, the part of the map that is not in the result, is
printed.
"""

import re
from dataclasses import replace
from pathlib import Path

from spherekit.cli import (
    analysis,
    arrays,
    bandpower_files,
    files,
    input_spectra,
    names,
    options,
    output,
    records,
    report,
)
from spherekit.cli.options import Usage
from spherekit.io.fits_maps import REARRANGED

SPECTRA = (".fits", ".npz", ".txt", ".dat")
#: Options that apply to one kind of content only, by their attributes.
_OF_MAPS = ("grid", "from_grid", "L", "lmax", "ordering", "lat", "lon", "ordering_out", "partial")
_OF_MAPS += ("max_iter", "allow_unconverged", "spin")
_OF_COEFFICIENTS = ("normalization", "csphase", "normalization_out", "csphase_out")
_OF_SPECTRA = ("kind", "columns")


def arguments(parser):
    options.files(parser, "input, and without -o the output as the last")
    parser.add_argument("-o", "--output", help="the output, or a folder for several inputs")
    options.source(parser, "all fields; of netCDF the only one")
    parser.add_argument("--from-grid", help="grid of an input that does not state it")
    options.band_limit(parser)
    parser.add_argument(
        "--ordering-out",
        choices=("ring", "nested"),
        help="pixel ordering of a HEALPix output; default ring",
    )
    parser.add_argument(
        "--partial", action="store_true", help="write the observed HEALPix pixels only"
    )
    options.spin(parser)
    options.coefficients(parser)
    parser.add_argument(
        "--normalization-out",
        choices=("4pi", "ortho", "schmidt", "unnorm"),
        help="of C_lm, S_lm in the output; default: 4pi",
    )
    parser.add_argument(
        "--csphase-out", type=int, choices=(1, -1), help="as --csphase, of the output"
    )
    input_spectra.declaration(parser)
    options.least_squares(parser)
    options.common(parser)


def prepare(args):
    """Take the last of the files as the output, if there is no -o."""
    if args.output is None:
        if len(args.file) < 2:
            raise Usage("the output is required: spherekit convert IN OUT, or IN ... -o FOLDER/")
        *args.file, args.output = args.file


def run(args):
    from spherekit.io.coefficients import contains_coefficients

    if not Path(args.file).exists():
        raise FileNotFoundError(f"no file {args.file}")
    if bandpower_files.contains(args.file):
        _refuse(args, (*_OF_MAPS, *_OF_COEFFICIENTS, *_OF_SPECTRA), "bandpowers")
        bandpower_files.convert(args)
    elif input_spectra.is_declared(args) and input_spectra.in_file(args, args.file):
        _convert_spectra(args)
    elif contains_coefficients(args.file):
        _convert_coefficients(args)
    elif input_spectra.in_file(args, args.file):
        _convert_spectra(args)
    else:
        _convert_map(args)


def _refuse(args, attributes, contents):
    """Raise Usage for options that do not apply to the contents of the file."""
    values = {name: getattr(args, name) for name in attributes}
    present = [name for name, value in values.items() if value is not None and value is not False]
    if present:
        listed = ", ".join("--" + name.replace("_", "-") for name in present)
        advice = ""
        if contents == "coefficients" and "grid" in present:
            advice = f"; for a map: spherekit transform {args.file} --inverse --grid {args.grid} -o map.npz"
        raise Usage(f"{listed}: not applicable, since {args.file} contains {contents}{advice}")


# --- coefficients and spectra ------------------------------------------------------------------------------


def _convert_coefficients(args):
    from spherekit import io
    from spherekit.io.arguments import UnsupportedContents

    exceptions = ("L", "lmax")
    of_others = [name for name in (*_OF_MAPS, *_OF_SPECTRA) if name not in exceptions]
    _refuse(args, of_others, "coefficients")
    options.writable(args.output, args.force, (*output.COEFFICIENTS, ".gz"))
    convention = dict(normalization=args.normalization, csphase=args.csphase)
    L = options.band_limit_option(args, required=False)
    record = io.read_coefficients(
        args.file,
        L=L,
        field=_item(args.field),
        hdu=files.hdu_of(args.hdu),
        select=arrays.selection(args) or None,
        **convention,
    )
    convention = dict(normalization=args.normalization_out, csphase=args.csphase_out)
    with output.atomic(args.force):
        try:
            io.write_coefficients(record, args.output, **convention, overwrite=True)
        except ValueError as error:
            text = re.sub(r"\bfield='([^']*)'", r"--field \1", str(error))
            kind = UnsupportedContents if isinstance(error, UnsupportedContents) else ValueError
            raise kind(text) from None
        report.wrote(args.output)
    described = zip(record.names, record.spins, record.units, strict=True)
    signals = [dict(name=name, spin=spin, unit=unit or None) for name, spin, unit in described]
    report.add(kind="coefficients", L=record.L, signals=signals, frame=record.frame or None)
    _print(args, record)


def _item(field):
    """The only field of --field, by number or name."""
    items = [None] if field is None else names.split(field)
    if len(items) > 1:
        raise Usage(f"--field {field} selects {len(items)} signals; select one, or omit --field")
    return items[0]


def _convert_spectra(args):
    from spherekit import io

    of_others = ("level", "time", "select")
    _refuse(args, (*_OF_MAPS, *_OF_COEFFICIENTS, *of_others), "power spectra")
    options.writable(args.output, args.force, SPECTRA)
    spectra = input_spectra.read_file(args, args.file)
    values = input_spectra.selected(args.file, spectra.values, args.field)
    units = {name: spectra.units[name] for name in values}
    convention = spectra.polcconv if spectra.polcconv == "IAU" else None
    with output.atomic(args.force):
        described = dict(unit=units, coordsys=spectra.frame, polcconv=convention)
        io.write_cl(args.output, values, **described, history=spectra.history, overwrite=True)
        report.wrote(args.output)
    L = next(iter(values.values())).shape[-1]
    frame = spectra.frame or None
    report.add(kind="spectra", L=L, spectra=list(values), units=units, frame=frame)
    line = f"wrote {args.output}: C_l of {', '.join(values)}, l = 0..{L - 1}"
    print(*spectra.notes, line, sep="\n")


# --- maps --------------------------------------------------------------------------------------------------


def _convert_map(args):
    _refuse(args, (*_OF_COEFFICIENTS, *_OF_SPECTRA), "a map")
    options.writable(args.output, args.force, (*output.MAPS, ".gz"))
    record = read_map(args)
    if args.grid is not None:
        record = _on_grid(args, record)
    elif any(option is not None for option in (args.L, args.lmax, args.spin)):
        raise Usage("--L, --lmax and --spin apply with --grid only")
    with output.atomic(args.force):
        _write_map(args, record)
        report.wrote(args.output)
    if args.ordering_out == "nested":  # as in the input
        record = replace(record, notes=tuple(n for n in record.notes if n != REARRANGED))
    report.add(kind="map")
    report.add_map(record)
    _print(args, record)


def read_map(args):
    """The `spherekit.io.Map` of ``args.file``, with the selection of the options."""
    from spherekit import io
    from spherekit.io.arguments import ArgumentError

    keywords = dict(lat=args.lat, lon=args.lon, ordering=args.ordering, grid=args.from_grid)
    items = None if args.field is None else names.split(args.field)
    selected = arrays.selection(args) or None
    try:
        return io.read(
            args.file, field=items, select=selected, hdu=files.hdu_of(args.hdu), **keywords
        )
    except ArgumentError as error:
        raise Usage(_with_options(error)) from None
    except (ValueError, ImportError) as error:
        raise ValueError(_with_options(error)) from None


def _with_options(error):
    text = arrays.with_options(error).replace("--grid ", "--from-grid ")
    return re.sub(
        r"\(spectra are read with .*\)", "(for spectra pass --kind cl or --kind dl)", text
    )


def _on_grid(args, record):
    """A map on the grid of --grid."""
    from spherekit import fields
    from spherekit._core.progress import progress_bar
    from spherekit.sampling import grid as as_grid

    L = options.band_limit_option(args, required=False)
    grid = as_grid(args.grid, L)
    iterations = analysis.iterations(args)
    with progress_bar("least squares", unit="iterations") as progress:
        iterations["progress"] = lambda _: progress.update()
        try:
            return fields.regrid(record, grid, L=L, spin=args.spin, **iterations)
        except ValueError as error:
            raise records.with_options(error) from None


def _write_map(args, record):
    from spherekit import io

    name = Path(args.output).name.lower().removesuffix(".gz")
    if not (name.endswith(".fits") and record.grid.name == "healpix"):
        if args.ordering_out is not None or args.partial:
            raise Usage("--ordering-out and --partial apply to HEALPix FITS outputs only")
        io.write(record, args.output, overwrite=True)
        return
    ordering = args.ordering_out or "ring"
    if (ordering, args.partial) == ("ring", False):
        io.write(record, args.output, overwrite=True)
        return
    if record.axes or record.values.dtype.kind == "c":
        raise Usage("--ordering-out and --partial: write real maps without further axes")
    values = list(record.values) if len(record) > 1 else [record.values]
    described = dict(column=_columns(record.names), unit=record.units, coordsys=record.frame)
    convention = record.polcconv if record.polcconv == "IAU" else None
    described |= dict(spin=record.spin, polcconv=convention, history=record.history)
    form = dict(ordering=ordering, partial=args.partial)
    io.write_map(args.output, values, **described, **form, overwrite=True)


def _columns(names_of_fields):
    if tuple(names_of_fields) == ("",):
        return ["SIGNAL"]
    return [name or f"FIELD{number}" for number, name in enumerate(names_of_fields)]


def _print(args, record):
    from spherekit import io

    named = zip(record.names, record.units, strict=True)
    described = [", ".join(f"{name or 'unnamed'} [{unit or 'no unit'}]" for name, unit in named)]
    described += [f"{name} {len(values)}" for name, values in record.axes.items()]
    described.append(str(record.grid) if isinstance(record, io.Map) else f"L = {record.L}")
    print(*record.notes, f"wrote {args.output}: {'; '.join(described)}", sep="\n")
