"""What files other than FITS and NumPy's contain, as facts for `spherekit info`."""

import math
import os
from collections import Counter

import numpy as np

from spherekit._core import checks
from spherekit.cli import input_spectra
from spherekit.cli.arrays import with_options
from spherekit.cli.columns import column

#: Of fields with more samples only the first map is read.
_LARGEST = 2**24
#: Memory that the statistics need, at most.
_BYTES_PER_SAMPLE = 40
_TEXT = ("text", "a gzip file of text")
_PICTURES = ("a PNG picture", "a JPEG picture", "a Radiance picture", "a TIFF picture")
#: What can be done with files that are not read.
_ADVICE = {
    "a GRIB file": "convert it to netCDF first, such as with cdo -f nc copy IN.grib OUT.nc",
    "a Python pickle": "pickles are not loaded, because they can execute any code",
    "a zip archive": "extract it first",
    "a bzip2 file": "decompress it first with bunzip2",
    "an xz file": "decompress it first with unxz",
    "a Zstandard file": "decompress it first with unzstd",
    "an empty file": "it has no content",
}


def folder(path):
    """The number of files of each kind in a folder."""
    from spherekit.io import describe

    names = sorted(os.listdir(path))
    counts = Counter(describe(os.path.join(path, name)) for name in names)
    return {"kind": "folder", "files": len(names), "contents": dict(counts.most_common())}


def of_file(path, args):
    """The facts of a file that is neither FITS nor one of NumPy's, or its kind and the problem."""
    from spherekit.io import describe

    kind = describe(path)
    try:
        return _facts(path, kind, args)
    except (ValueError, ImportError, OSError, MemoryError) as error:
        problem = with_options(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
        return {"kind": _noun(kind), "problem": problem, "columns": []}


def _facts(path, kind, args):
    from spherekit.io.coefficients import contains_coefficients

    is_declared = input_spectra.is_declared(args) and input_spectra.in_file(args, path)
    if "NumPy" in kind or is_declared:
        return spectra(path, args)
    if contains_coefficients(path):
        return coefficients(path)
    if kind in ("a netCDF-3 file", "an HDF5 or netCDF-4 file"):
        return _netcdf(path)
    if kind in _TEXT:
        return _text(path, args)
    if kind in (*_PICTURES, "a MATLAB file"):
        return of_map(_read(path, args))
    raise ValueError(_ADVICE.get(kind, "no command reads this format"))


def _noun(kind):
    """A kind without its article."""
    return kind.removeprefix("a ").removeprefix("an ")


def _read(path, args, **options):
    from spherekit import io

    return io.read(path, lat=args.lat, lon=args.lon, grid=args.grid, **options)


def of_map(record):
    """The facts of a `spherekit.io.Map`."""
    from spherekit.sampling.coverage import area_weights

    several = len(record) > 1
    fields = list(record.values) if several else [record.values]
    described = zip(record.names, fields, record.units, strict=True)
    weights = area_weights(record.grid)
    columns = [
        {**column(name or "unnamed", f, unit, weights), **cf_name(record.attributes.get(name, {}))}
        for name, f, unit in described
    ]
    return {
        "kind": "map",
        "grid": str(record.grid),
        "coordinates": record.frame or None,
        "spin": record.spin,
        "polcconv": record.polcconv if record.spin or record.polcconv == "IAU" else None,
        "axes": axes(record.axes, record.attributes),
        "notes": list(record.notes),
        "history": list(record.history),
        "columns": columns,
    }


def cf_name(attributes):
    """The standard name of a field, if it has one."""
    text = attributes.get("standard_name")
    return {"standard_name": str(text)} if text else {}


def grid_label(text):
    """The text of a grid, shortened for many rings; as it is if it is that of no grid."""
    from spherekit.cli import analysis
    from spherekit.sampling import grid

    try:
        return analysis.grid_label(grid(text))
    except ValueError:
        return text


def number_of_axes(text):
    """The number of axes of samples on a grid, by its text in a file; 0 if it is that of no grid.

    >>> number_of_axes("mw:4"), number_of_axes("healpix:2"), number_of_axes("text")
    (2, 1, 0)
    """
    from spherekit.sampling import grid

    try:
        return len(grid(text).shape)
    except ValueError:
        return 0


def weights_of(arrays):
    """The weights of the mean of the array ``values`` on the grid of the same file; None if it fits none."""
    from spherekit.sampling import grid
    from spherekit.sampling.coverage import area_weights

    try:
        weights = area_weights(grid(str(arrays["grid"])))
        np.broadcast_to(weights, arrays["values"].shape)
    except ValueError:
        return None
    return weights


def axes(coordinates, attributes):
    """The coordinates of each axis as numbers and texts; dates by the attributes of the axes."""
    return {
        name: _plain(np.atleast_1d(values), attributes.get(name, {}))
        for name, values in coordinates.items()
    }


def _plain(values, attributes):
    from spherekit.io.cf import coordinate_texts

    values = values.astype("M8[s]") if values.dtype.kind == "M" else values
    dates = coordinate_texts(values, attributes)
    if dates is not None:
        return [date.removesuffix("T00:00:00") for date in dates]
    return values.tolist()


def coefficients(path):
    """The facts of harmonic coefficients, with the spectrum of the lowest degrees."""
    from spherekit import io

    record = io.read_coefficients(path)
    flms = list(record.flm) if len(record) > 1 else [record.flm]
    described = zip(record.names, flms, record.units, strict=True)
    return {
        "kind": "coefficients",
        "L": record.L,
        "lmax": record.L - 1,
        "spin": record.spins[0] if len(set(record.spins)) == 1 else list(record.spins),
        "coordinates": record.frame or None,
        "axes": axes(record.axes, record.attributes),
        "notes": list(record.notes),
        "history": list(record.history),
        "columns": [column(name or "flm", flm, unit) for name, flm, unit in described],
        "power": [lowest_power(flm) for flm in flms],
    }


def lowest_power(flm):
    """C_l of l = 0 to 4, of the first signal along the leading axes; None of what are no coefficients."""
    from spherekit.spectra import power

    flm = np.asarray(flm)
    is_square = flm.size and flm.ndim and math.isqrt(flm.shape[-1]) ** 2 == flm.shape[-1]
    if not is_square or flm.dtype.kind not in "iufc":
        return None
    first = flm.reshape(-1, flm.shape[-1])[0]
    if not np.isfinite(first).all():
        return None
    return power(first)[:5].tolist()


def _netcdf(path):
    """The facts of all fields of a netCDF file; of the axes and the grid, those of the last one."""
    from spherekit import io
    from spherekit.io import netcdf_parts

    facts = {"kind": "netCDF file without maps"}
    outlines = netcdf_parts.outlines(path)
    if not outlines:
        io.read(path)  # raises the error, which says what the file contains
    columns = []
    for outline in outlines:
        if is_readable(math.prod(outline.shape)):
            facts = of_map(io.read(path, field=outline.name))
        else:
            facts = _of_first_map(path, outline)
        columns += facts["columns"]
    return {**facts, "columns": columns}


def is_readable(size):
    """Whether info reads all of ``size`` samples for their statistics, or a part of them only."""
    return size <= min(_LARGEST, checks.memory_limit() / _BYTES_PER_SAMPLE)


def _of_first_map(path, outline):
    """The facts of a large field, with statistics of its first map if that is small enough."""
    from spherekit.io.netcdf_parts import read_first

    n = math.prod(map(len, outline.axes.values()))
    described = {"name": outline.name, "unit": outline.unit or None, "type": str(outline.dtype)}
    described |= {
        "shape": list(outline.shape),
        **cf_name({"standard_name": outline.standard_name}),
    }
    if not is_readable(math.prod(outline.shape) // n):
        facts = {"kind": "map", "axes": axes(outline.axes, outline.attributes)}
        return {**facts, "columns": [{**described, "missing": 0, "read": False}]}
    facts = of_map(read_first(path, outline.name))
    first = ((name, values[0]) for name, values in axes(outline.axes, outline.attributes).items())
    part = ", ".join(f"{name} {value}" for name, value in first)
    shape = [*map(len, outline.axes.values()), *facts["columns"][0]["shape"][len(outline.axes) :]]
    columns = [{**facts["columns"][0], "shape": shape, "part": part}]
    return {**facts, "axes": axes(outline.axes, outline.attributes), "columns": columns}


def _text(path, args):
    """The facts of a text: spectra, points, or rows of numbers with or without latitudes and longitudes."""
    from spherekit.io import points

    if input_spectra.in_file(args, path):
        return spectra(path, args)
    has_positions = any(x is not None for x in (args.lat, args.lon, args.grid))
    if has_positions or points.is_table(path):
        return of_map(_read(path, args))
    return _text_of_numbers(path)


def _text_of_numbers(path):
    from spherekit.io.latlon_text import read_numbers

    problem = (
        "it has no latitudes and longitudes; pass --lat FILE and --lon FILE, or --kind cl or --kind dl if "
        "the numbers are spectra"
    )
    columns = [column("values", read_numbers(path), "")]
    return {"kind": "text of numbers", "problem": problem, "columns": columns}


def spectra(path, args):
    """The facts of power spectra in a file."""
    contents = input_spectra.read_file(args, path)
    described = contents.values.items()
    return {
        "kind": "spectrum",
        **input_spectra.quantity(contents.values),
        "L": max(cl.size for cl in contents.values.values()),
        "coordinates": contents.frame or None,
        **polcconv(contents),
        "notes": list(contents.notes),
        "history": list(contents.history),
        "columns": [column(name, cl, contents.units[name]) for name, cl in described],
    }


def polcconv(contents):
    """The polarization convention of the file, and a note where U and B are shown with the opposite sign."""
    facts = {"polcconv": contents.file_polcconv or None}
    if contents.file_polcconv == "IAU" and contents.polcconv == "COSMO":
        facts["shown"] = "in the COSMO convention"
    return facts


def matching_grids(arrays):
    """Notes with the grids that have the shape of each array, or with what else it seems to be."""
    from spherekit.sampling import grids_of_shape
    from spherekit.sampling.theorem_grids import advice_on_shape

    shapes = {array.shape: name for name, array in arrays.items() if array.dtype.kind in "iufc"}
    notes = []
    for shape, name in shapes.items():
        advice = advice_on_shape(shape)
        grids = grids_of_shape(shape) if shape else ()
        if advice:
            notes.append(f"{name}: {advice}")
        if grids:
            listed = "; ".join(f"{grid} ({text})" for grid, text in grids)
            notes.append(f"{name} has the shape of samples on {listed}")
    return notes
