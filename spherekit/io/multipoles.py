"""Multipoles of tables of spectra, and the two kinds of spectra: C_l and D_l = l (l+1) C_l / 2 pi."""

import re

import numpy as np

#: Names of the column of multipoles, in lower case.
_MULTIPOLE = {"l", "ell", "multipole", "lmean", "l_mean", "\u2113"}
#: The words C_l and D_l, also with a sign or d for an error: Dl, C_ell, -dDl, Cl_TT.
WORD = re.compile(
    r"(?i)(?<![a-z])([+-]?(?:d|delta)?_?)([cd])(_?\(?(?:ell|l)\)?s?)(?![a-z]|\^(?:dd|gg|pp|phi))"
)

#: "l (l+1) C_l" and its variants, which are D_l.
PRODUCT = re.compile(
    r"(?i)((?<![a-z])d_?l\s*=\s*)?\[?\s*(l|ell)\s*\*?\s*\(\s*(l|ell)\s*\+\s*1\s*\)"
    r"\s*(/?\s*\(?\s*2\s*\*?\s*(pi|\u03c0)\s*\)?)?\s*\]?\s*\*?\s*c_?\(?(l|ell)\)?(?![a-z_^])('?s)?"
)


def is_multipole(name):
    """Whether the name of a column denotes l.

    >>> is_multipole("ELL"), is_multipole("TT")
    (True, False)
    """
    return name.strip().lower() in _MULTIPOLE


def checked_multipoles(ell):
    """The multipoles as integers from 0, 1 or 2 on, in ascending order without gaps.

    Raises ValueError for others, such as the fractional ones of bandpowers.

    >>> checked_multipoles(np.array([2.0, 3.0]))
    array([2, 3])
    """
    fractions = ell[~(ell == np.round(ell))]
    if fractions.size:
        raise ValueError(
            f"the multipoles are not integers (l = {fractions[0]:g}): the table contains bandpowers; "
            "expected a value for each l"
        )
    if not ell.size or not 0 <= ell[0] <= 2 or np.any(np.diff(ell) != 1):
        limits = f"{ell[0]:g} to {ell[-1]:g}" if ell.size else "absent"
        raise ValueError(
            f"the multipoles are {limits} in {ell.size} rows; expected l = 0, 1, 2, ..., or from 1 or 2 on, "
            "in ascending order without gaps"
        )
    return ell.astype(int)


def from_zero(values, first):
    """The values of l = ``first``, ... with zeros in front, so that they begin at l = 0.

    >>> from_zero(np.array([5.0]), 2)
    array([0., 0., 5.])
    """
    return np.concatenate([np.zeros(first), values])


def notes_of(first, kind, columns):
    """The notes on what a reader changed: values of l < ``first``, and D_l.

    >>> notes_of(2, "cl", "the columns")
    ['the table begins at l = 2; the values of smaller l are set to 0']
    """
    notes = (
        [f"the table begins at l = {first}; the values of smaller l are set to 0"] if first else []
    )
    if kind == "dl":
        notes.append(f"{columns} are D_l = l (l+1) C_l / 2 pi; they are converted to C_l")
    return notes


def kind_of_name(name):
    """The kind "cl" or "dl" that the name of a column denotes, or "".

    >>> kind_of_name("Dl_TT"), kind_of_name("l(l+1)Cl/2pi"), kind_of_name("C_l"), kind_of_name("TT")
    ('dl', 'dl', 'cl', '')
    """
    if PRODUCT.search(name):
        return "dl"
    match = WORD.search(name)
    return f"{match[2].lower()}l" if match else ""


def name_of_cl(name):
    """The name of the C_l of a column.

    >>> name_of_cl("Dl_TT"), name_of_cl("-dDl"), name_of_cl("TE"), name_of_cl("l(l+1)Cl/2pi")
    ('Cl_TT', '-dCl', 'TE', 'Cl')
    """
    if PRODUCT.search(name):
        return "Cl"
    return WORD.sub(lambda m: m[1] + ("C" if m[2].isupper() else "c") + m[3], name, count=1)


def cl_of_dl(dl):
    """C_l = 2 pi D_l / (l (l+1)) of an array that begins at l = 0, where D_l is 0.

    >>> cl_of_dl(np.array([0.0, 1.0])) / np.pi
    array([0., 1.])
    """
    if dl.size and dl[0]:
        raise ValueError(
            f"D_l of l = 0 is {dl[0]:g}; expected 0, because it does not define C_l there"
        )
    ell = np.arange(dl.size)
    return 2 * np.pi * dl / np.maximum(ell * (ell + 1.0), 1)
