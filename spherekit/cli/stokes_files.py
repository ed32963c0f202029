"""Q and U, or the two components of another spin field, each in a file of its own."""

import copy
import os

import numpy as np

from spherekit.cli import names
from spherekit.cli.options import Usage
from spherekit.io.stokes import stokes_of


def prepare(args, suffixes):
    """Take two inputs with --spin and a file as the output as the two components of one field."""
    paths = args.file
    is_file = not (args.output.endswith(("/", os.sep)) or os.path.isdir(args.output))
    is_file = is_file and args.output.lower().endswith(suffixes)
    if args.further is None and args.spin and len(paths) == 2 and is_file:
        args.file, args.further = paths[:1], paths[1:]


def is_polarization(args, read, L=None):
    """Whether ``args.file`` and the file of --and are Q and U rather than the components of a wind."""
    spin = getattr(args, "spin", None)
    if spin is not None:
        return abs(spin) == 2
    return _letters(_components(args, read, L)) in (["Q", "U"], ["U", "Q"])


def read_both(args, read, L=None):
    """The `Fields` of Q of ``args.file`` and U of the file of --and, by ``read(path, args, L)``.

    Raises
    ------
    Usage
        The same component twice, U before Q, more than one field in a file.
    ValueError
        Fields on different grids, axes, frames or in different units.
    """
    q, u = _components(args, read, L)
    paths = args.file, args.further[0]
    letters = _letters((q, u))
    if letters[0] == "U" or letters[1] == "Q" or "I" in letters:
        named = " and ".join(
            f"{letter or 'unknown'} in {path}" for letter, path in zip(letters, paths, strict=True)
        )
        raise Usage(f"the files have {named}; expected Q and U, in this order: Q.fits --and U.fits")
    if os.path.samefile(*paths) and q.columns == u.columns:
        raise Usage(f"{paths[0]} is passed twice; expected the files of Q and U")
    _check_agreement(paths, q, u)
    _check_columns(args, paths, q, u)
    columns = _names(q, u, letters)
    notes = [*q.notes, *u.notes]
    unread = [x for x in dict.fromkeys([*q.unread, *u.unread]) if not x.startswith("HDU ")]
    if unread and args.field is None:
        read_columns = ", ".join(dict.fromkeys([*q.columns, *u.columns]))
        notes.append(
            f"reading {read_columns} of both files, not {', '.join(unread)} (select with --field)"
        )
    if "" in letters:
        notes.append(
            f"{columns[0]} is of {paths[0]}, {columns[1]} of {paths[1]}, in the order of the files"
        )
    values = np.concatenate([q.values, u.values])
    if u.polcconv == "IAU":  # of a column that is not recognized as U
        values[1] *= -1
        notes.append(f"{paths[1]} follows the IAU convention (POLCCONV); the sign of U is changed")
    return q._replace(
        values=values,
        columns=columns,
        units=(*q.units, *u.units),
        spin=args.spin or 2,
        unread=(),
        stokes=("Q", "U"),
        polcconv="",
        notes=tuple(dict.fromkeys(notes)),
    )


def _components(args, read, L):
    """The `Fields` of both files, of one field each."""
    if len(args.further) != 1:
        raise Usage(
            f"--and has {len(args.further)} files for {args.file}; expected one, that of U beside Q"
        )
    selected = [None, None] if args.field is None else names.split(args.field)
    selected = selected * 2 if len(selected) == 1 else selected
    if len(selected) != 2:
        raise Usage(f"--field is {args.field}; expected one name, or one for each of the two files")
    fields = []
    for path, item in zip((args.file, *args.further), selected, strict=True):
        of_file = copy.copy(args)
        of_file.file, of_file.further, of_file.spin = path, None, None
        of_file.field = (
            None
            if item is None
            else names.join([str(item)])
            if isinstance(item, str)
            else str(item)
        )
        fields.append(read(path, of_file, L))
        if len(fields[-1].values) != 1 or np.iscomplexobj(fields[-1].values):
            raise Usage(
                f"{path}: got {', '.join(fields[-1].columns) or 'several or complex fields'}; expected one "
                "real component; select it with --field"
            )
    return fields


def _letters(fields):
    """The Stokes parameter of each of two fields, by the header or the name."""
    letters = [
        field.stokes[0] if field.stokes else stokes_of(field.columns[0]) if field.columns else ""
        for field in fields
    ]
    return [letter if letter in ("I", "Q", "U") else "" for letter in letters]


def _names(q, u, letters):
    """Names of the components: those of the columns if they differ, else Q and U."""
    columns = (*q.columns, *u.columns)
    return columns if len(set(columns)) == 2 and letters != ["Q", "U"] else ("Q", "U")


def _check_columns(args, paths, q, u):
    """Raise Usage for different columns of two files that have the same columns, such as BESTFIT and MEAN."""
    first, second = q.columns[:1], u.columns[:1]
    if first != second and first and second and first[0] in u.unread and second[0] in q.unread:
        raise Usage(
            f"--field {args.field}: {first[0]} of {paths[0]} and {second[0]} of {paths[1]}, and both files "
            f"have both; expected the same column of both, e.g. --field {first[0]}"
        )


def _check_agreement(paths, q, u):
    """Raise ValueError for components that are not of one field."""
    for noun, first, second in (
        ("grid", q.grid, u.grid),
        ("axes", {k: list(x) for k, x in q.axes.items()}, {k: list(x) for k, x in u.axes.items()}),
        ("frame", q.frame, u.frame),
        ("unit", q.units[0], u.units[0]),
    ):
        if first != second:
            raise ValueError(
                f"{paths[0]} has the {noun} {first or 'unknown'} and {paths[1]} {second or 'unknown'}; both "
                "components need the same"
            )
