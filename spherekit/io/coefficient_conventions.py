"""The normalization and phase of coefficients in files, as defined by the format, the file or the caller."""

from __future__ import annotations

from typing import NamedTuple

NORMALIZATIONS = ("4pi", "ortho", "schmidt", "unnorm")


class Convention(NamedTuple):
    """Normalization and phase of the functions C_lm, S_lm of SHTOOLS.

    Attributes
    ----------
    normalization : {"4pi", "ortho", "schmidt", "unnorm"}
    csphase : {1, -1}
        1: without the Condon-Shortley phase; -1: with it.
    """

    normalization: str | None = None
    csphase: int | None = None

    def __str__(self):
        without = "without" if self.csphase == 1 else "with"
        return f"normalization {self.normalization}, {without} the Condon-Shortley phase"


#: Neither is defined.
UNSPECIFIED = Convention()
#: The defaults of SHTOOLS.
SHTOOLS = Convention("4pi", 1)


def check(requested):
    """Raise ValueError for an unknown normalization or phase."""
    normalization, csphase = requested
    if normalization is not None and normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization is {normalization!r}; expected one of {', '.join(NORMALIZATIONS)}"
        )
    if csphase not in (None, 1, -1):
        raise ValueError(
            f"csphase is {csphase!r}; expected 1 (without the Condon-Shortley phase) or -1 (with it)"
        )


def agreed(path, requested, defined=UNSPECIFIED, default=SHTOOLS):
    """The convention of a file, and a note if part of it is the default.

    Parameters
    ----------
    path : path
    requested, defined, default : Convention
        What the caller requests, what the file or its format defines, and what holds if neither does.

    Returns
    -------
    convention : Convention
    note : str or None

    Raises
    ------
    ValueError
        The request contradicts the file.
    """
    check(requested)
    for name, value, of_file in zip(Convention._fields, requested, defined, strict=True):
        if None not in (value, of_file) and value != of_file:
            raise ValueError(
                f"{name} is {value!r}, but {path} defines {name} = {of_file!r}; omit {name}"
            )
    specified = [b if a is None else a for a, b in zip(requested, defined, strict=True)]
    result = Convention(*(b if a is None else a for a, b in zip(specified, default, strict=True)))
    if None not in specified:
        return result, None
    return result, (
        f"the file does not define its normalization and csphase: read with {result}, the defaults of SHTOOLS"
    )
