"""Mode-coupling matrices in files: ``--coupling`` of ``spherekit spectrum``."""

import os
from pathlib import Path

import numpy as np

from spherekit.cli import report
from spherekit.cli.options import Usage, suffix_of


def arguments(parser):
    """--coupling."""
    parser.add_argument(
        "--coupling",
        metavar="FILE.npz",
        help="of --method master: the coupling of the masks, read if the file exists, else written, for "
        "further maps with the same masks; one of other masks is rewritten with --force",
    )


def check(args):
    """Raise Usage or FileNotFoundError for a file that cannot be written."""
    if args.coupling is None:
        return
    if args.method != "master":
        raise Usage("--coupling applies to --method master, with --bins")
    if suffix_of(args.coupling) != ".npz":
        raise Usage(f"--coupling is {args.coupling}; expected a file name that ends in .npz")
    if not Path(args.coupling).parent.is_dir():
        raise FileNotFoundError(
            f"no folder {Path(args.coupling).parent} for {args.coupling}; create it"
        )


def read(args, fields, fields2):
    """(couplings by the numbers of two fields, {path: (coupling, masks)} of those to write, lines)."""
    if args.coupling is None:
        return None, {}, []
    from spherekit.spectra import Coupling

    seconds = fields if fields2 is None else fields2
    pairs = {
        (i, j): (a, b)
        for i, a in enumerate(fields)
        for j, b in enumerate(seconds)
        if fields2 is not None or j >= i
    }
    couplings = {}
    new = {}
    lines = []
    for key, (a, b) in pairs.items():
        path = _path(args.coupling, a, b, len(pairs))
        if os.path.exists(path):
            coupling, problem = _read(path, a, b)
            if problem and not args.force:
                raise ValueError(
                    f"{path} {problem}; choose another file, or replace it with --force"
                )
            if not problem:
                couplings[key] = coupling
                lines.append(f"read {path}, the coupling of the masks")
                continue
            lines.append(f"{path} is rewritten, since it {problem}")
        couplings[key] = Coupling.of(a, b)
        new[path] = couplings[key], (a.mask, b.mask)
    return couplings, new, lines


def write(new):
    """Write the couplings of `read`."""
    from spherekit.spectra import write_coupling

    for path, (coupling, masks) in new.items():
        write_coupling(path, coupling, masks=masks, overwrite=True)
        report.wrote(path)


def _path(path, a, b, count):
    """The file of one of several pairs of fields: coupling_TE.npz for coupling.npz."""
    if count == 1:
        return path
    return f"{path[: -len('.npz')]}_{a.names[0]}{b.names[0]}.npz"


def _read(path, a, b):
    """(the coupling in a file, or None; why it is not that of two fields, or "")."""
    from spherekit.spectra import read_coupling

    try:
        coupling = read_coupling(path, masks=(a.mask, b.mask))
    except ValueError:
        coupling = _of_others(path)  # raises the error of a file of other contents
        if coupling.L != a.L:
            return None, f"is a coupling of L = {coupling.L}, and that of this command is {a.L}"
        return None, "is the coupling of other masks"
    beam = (a.beam[:, None] * b.beam[None]).reshape(-1, a.L)
    names = tuple(x + y for x in a.names for y in b.names)
    present = (coupling.spins, coupling.pure, coupling.names)
    if present != ((a.spin, b.spin), (a.pure, b.pure), names) or not np.array_equal(
        coupling.beam, beam
    ):
        return None, (
            f"is the coupling of {', '.join(coupling.names)} with other beams, spins or pure modes than "
            "those of this command"
        )
    return coupling, ""


def _of_others(path):
    """The coupling of a file, of any masks."""
    from spherekit.spectra import read_coupling

    try:
        return read_coupling(path)
    except ValueError as error:
        text = str(error).replace("a network or checkpoint of spherekit", "a coupling of masks")
        raise ValueError(f"--coupling: {text}; choose another file") from None
