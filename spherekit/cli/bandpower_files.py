"""Files of bandpowers in the commands that describe, convert and plot files of any contents."""

import os

from spherekit.cli import options, output, report
from spherekit.cli.columns import column

SUFFIXES = (".fits", ".npz", ".txt", ".dat")


def contains(path):
    """Whether a file exists and is one of bandpowers."""
    from spherekit.io.bandpower_formats import contains_bandpowers

    return os.path.isfile(path) and contains_bandpowers(path)


def facts(path):
    """The facts of `spherekit info`."""
    from spherekit import io

    try:
        table = io.read_bandpowers(path)
    except ValueError as error:
        return {"kind": "bandpowers", "problem": str(error), "columns": []}
    columns = [column(name, x, table.units[name]) for name, x in table.values.items()]
    columns += [
        column(f"error of {name}", x, table.units.get(name, "")) for name, x in table.errors.items()
    ]
    quantity = "D_l = l(l+1) C_l / 2 pi" if table.kind == "dl" else "C_l"
    return {
        "kind": "bandpowers",
        "quantity": quantity,
        "bins": len(table.ell),
        "lmin": int(table.first[0]),
        "lmax": int(table.last[-1]),
        "windows": ", ".join(table.windows) or None,
        "coordinates": table.frame or None,
        "history": list(table.history),
        "columns": columns,
    }


def convert(args):
    """Write the bandpowers of ``args.file`` in the format of the suffix of ``args.output``."""
    from spherekit import io

    options.writable(args.output, args.force, (*SUFFIXES, ".npy"))
    table = _selected(args)
    if options.suffix_of(args.output) == ".npy":
        with output.atomic(args.force):
            output.write_spectra(args.output, table.values, table.units, table.frame)
        print(
            f"wrote {args.output}: bandpowers of {', '.join(table.values)}, without bins and errors"
        )
        return
    described = dict(errors=table.errors, windows=table.windows, unit=table.units)
    described |= dict(coordsys=table.frame, history=table.history)
    with output.atomic(args.force):
        bins = bins_of(table)
        io.write_bandpowers(args.output, table.values, bins, **described, overwrite=True)
        report.wrote(args.output)
    names = ", ".join(table.values)
    report.add(kind="bandpowers", spectra=list(table.values), bins=len(table.ell))
    lost = options.suffix_of(args.output) in (".txt", ".dat") and table.windows
    notes = [f"{args.output}: text has no columns of the windows of the bins"] if lost else []
    count = options.number_of(len(table.ell), "bin")
    print(*notes, f"wrote {args.output}: bandpowers of {names}, {count}", sep="\n")


def plot(args):
    """The picture of `spherekit plot`."""
    from spherekit.cli import spectrum_picture
    from spherekit.cli.measured import Measured

    table = _selected(args)
    described = table.values, table.units, 1.0, table.frame, [], bins_of(table)
    measured = Measured(*described, errors=table.errors, windows=table.windows)
    figure = spectrum_picture.picture(measured)
    if args.title is not None:
        figure.suptitle(args.title)
    with output.atomic(args.force):
        output.save(figure, args.output)
    report.add(spectra=list(table.values))
    print(f"wrote {args.output}")


def bins_of(table):
    """The `spherekit.spectra.Bins` of a `spherekit.io.BandpowerTable`, of equal weights.

    >>> from spherekit import io
    >>> table = io.BandpowerTable([2.5, 4.0], [2, 4], [3, 4], {}, {}, {})
    >>> bins_of(table).ell
    array([2.5, 4. ])
    """
    import numpy as np

    from spherekit.spectra import Bins

    lengths = [rows.shape[1] for of_name in table.windows.values() for rows in of_name.values()]
    first, stop = np.asarray(table.first), np.asarray(table.last) + 1
    return Bins(first, stop, max([*lengths, int(stop[-1])]), dl=table.kind == "dl")


def _selected(args):
    """The bandpowers of ``args.file``, of the spectra in --field."""
    from spherekit import io
    from spherekit.cli.input_spectra import selected

    table = io.read_bandpowers(args.file)
    values = selected(args.file, table.values, args.field)
    errors = {name: x for name, x in table.errors.items() if name in values}
    windows = {name: x for name, x in table.windows.items() if name in values}
    return table._replace(values=values, errors=errors, windows=windows)
