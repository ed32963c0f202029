"""The bins of ``--bins``: linear or logarithmic, edges, or those of a file."""

import os
import re

import numpy as np

from spherekit.cli.options import Usage

_RULE = re.compile(r"(linear|log):(\d+)(?:,start=(\d+))?")
_EXPECTED = (
    "linear:30 (degrees in a bin), log:20 (number of bins), both also with another lowest degree than "
    "2, such as linear:30,start=10, edges such as 2,10,30,100, or a file of edges or of bandpowers"
)

#: The bins in which l(l+1) changes by more than this factor are wide.
_WIDE = 4


def arguments(parser):
    """--bins and --dl."""
    parser.add_argument(
        "--bins",
        help="bandpowers of bins: linear:30 (degrees in a bin; the last bin has up to twice as many), "
        "log:20 (number of bins), edges such as 2,10,30,100, or a file of edges or of bandpowers",
    )
    parser.add_argument(
        "--dl",
        action="store_true",
        help="bandpowers of D_l = l(l+1) C_l / 2 pi instead of C_l; of spectra such as those of the CMB",
    )


def read(args, L):
    """The `spherekit.spectra.Bins` of --bins below L, or None without the option."""
    if args.bins is None:
        if args.dl:
            raise Usage("--dl applies to bandpowers; pass --bins, e.g. --bins linear:30")
        return None
    try:
        return _bins(args.bins, L, args.dl)
    except Usage:
        raise
    except (ValueError, TypeError) as error:
        raise Usage(f"--bins {args.bins}: {error}") from None


def on_width(bins):
    """The advice to take bandpowers of D_l, where l(l+1) changes much within bins of C_l; else nothing."""
    if bins is None or bins.dl:
        return []
    first, last = np.maximum(bins.first, 1), bins.stop - 1
    wide = np.flatnonzero(last * (last + 1) > _WIDE * first * (first + 1))
    if not wide.size:
        return []
    degrees = f"l = {first[wide[0]]}..{last[wide[0]]}"
    return [
        f"bandpowers of C_l in wide bins such as {degrees}: the lowest degrees rule those of steep spectra; "
        "--dl averages l(l+1) C_l / 2 pi"
    ]


def on_last(text, bins):
    """The width of the last of linear bins, if it is wider than the others."""
    if bins is None or not text.startswith("linear:"):
        return []
    widths = bins.stop - bins.first
    if widths[-1] == widths[0]:
        return []
    return [f"the last bin, l = {bins.first[-1]}..{bins.stop[-1] - 1}, is wider than the others"]


def _bins(text, L, dl):
    from spherekit.spectra import Bins

    rule = _RULE.fullmatch(text)
    if rule:
        start = 2 if rule[3] is None else int(rule[3])
        if start >= L:
            raise Usage(f"--bins {text}: the bins begin at l = {start}, but L is {L}; raise --L")
        make = Bins.linear if rule[1] == "linear" else Bins.log
        return make(L, int(rule[2]), start=start, dl=dl)
    if re.fullmatch(r"\d+(,\d+)+", text):
        return Bins.from_edges([int(word) for word in text.split(",")], L, dl=dl)
    if os.path.exists(text):
        return _of_file(text, L, dl)
    raise Usage(f"--bins is {text!r}, which is not a file; expected {_EXPECTED}")


def _of_file(path, L, dl):
    """The bins of a text of edges, of one of lowest and highest degrees, or of bandpowers."""
    from spherekit import io
    from spherekit.io.bandpower_formats import contains_bandpowers
    from spherekit.io.spectrum_content import contains_spectra
    from spherekit.spectra import Bins

    if contains_bandpowers(path):
        table = io.read_bandpowers(path)
        return Bins(table.first, table.last + 1, L, dl=dl)
    if contains_spectra(path, None, None, None):
        raise ValueError(
            f"the file contains C_l of each degree, without bins; expected {_EXPECTED}"
        )
    try:
        rows = np.loadtxt(path, ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"the file is not a table of numbers: {error}; expected {_EXPECTED}"
        ) from None
    if rows.size and min(rows.shape) == 1:
        return Bins.from_edges(rows.ravel(), L, dl=dl)
    if rows.ndim == 2 and rows.shape[1] == 2:
        return Bins(rows[:, 0], rows[:, 1] + 1, L, dl=dl)
    raise ValueError(
        f"the table has {rows.shape[0]} rows and {rows.shape[1]} columns; expected one of edges, or two "
        "columns, the lowest and the highest degree of each bin"
    )
