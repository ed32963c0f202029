"""Stokes parameters of the columns of a file, and the sign of U.

Two conventions of linear polarization are in use: COSMO (HEALPix, Planck, this package) and IAU,
whose U has the other sign, and hence B modes. The key POLCCONV says which; a file without it
follows COSMO, as HEALPix has it.

One rule tells what a column is, for `stokes_of`, `sign_of_u` and `pairs` alike. A name is a row of
words, in any case, with anything but letters and digits between them. A word is a letter where it
is I, T, Q or U, alone or joined to STOKES, POL, POLARISATION or MAP, with digits behind it or not
(Q, STOKESQ, QPOL, Q353). A name with a letter Q or U is that parameter, whatever the words beside
it (Q_CMB, SYNCH_Q, Q_ML_HM1); with a letter I or T, or a word such as TEMPERATURE, it is I. It is
none where a word says count, error, covariance, weight or mask, or where it has two letters in
a word (QU) or both Q and U. Where the name tells nothing (SIGNAL), the header does: the key STOKES,
or EXTNAME, of the table or else of the file.
"""

import re

import numpy as np

from spherekit._core.missing import is_missing
from spherekit.io import headers
from spherekit.io.headers import text

_JOINED = "(?:STOKES|POL|POLARI[SZ]ATION|MAP)"
_LETTER = re.compile(rf"(?:{_JOINED}?([ITQU])|([ITQU]){_JOINED})\d*")
_PRODUCT = re.compile(r"([ITQU]{2})(?:COV)?")
_INTENSITY = {"TEMPERATURE", "TEMP", "INTENSITY"}
_PLAIN = {"STOKES", "POL", "POLARISATION", "POLARIZATION", "MAP"}

#: Words of columns that describe pixels and have no sign.
_OF_PIXELS = set(
    "NOBS OBS NHIT NHITS HIT HITS HITMAP COUNT COUNTS EXPOSURE PIX PIXEL COV COVARIANCE VAR VARIANCE "
    "IVAR INVVAR SIGMA STD STDEV STDDEV RMS ERR ERROR SERR SERROR UNC UNCERTAINTY SENSITIVITY WEIGHT "
    "WEIGHTS MASK TMASK PMASK IMASK TMASKINP PMASKINP FLAG FLAGS".split()
)
#: Words that beside a Stokes parameter say that it was observed: N_OBS is a count, Q_OBS is Q.
_OBSERVED = {"OBS", "COUNT", "COUNTS"}

#: Parts of vectors and shear: u and v of a wind, gamma_1 and gamma_2, real and imaginary.
_PART = re.compile(r"[UV]_?\d+M?|[UV]_?WIND|(GAMMA|SHEAR|E|G)_?[12]|REAL|IMAG")


def stokes_of(column):
    """The Stokes parameter in a column, by its name: "I", "Q", "U" or "".

    >>> stokes_of("U-POLARISATION"), stokes_of("Temperature"), stokes_of("U_RMS")
    ('U', 'I', '')
    >>> stokes_of("Q_CMB"), stokes_of("StokesQ"), stokes_of("SIGNAL")
    ('Q', 'Q', '')
    """
    linear = set(_letters(column)) & {"Q", "U"}
    if describes_pixels(column):
        return ""
    return linear.pop() if linear else "I" if _letters(column) else ""


def sign_of_u(column):
    """-1 where a column changes its sign with U, 1 where it does not, None where that is unknown.

    >>> sign_of_u("U_STOKES"), sign_of_u("QU_COV"), sign_of_u("Q"), sign_of_u("COLUMN_2")
    (-1, -1, 1, None)
    """
    letters, of_pixels = _letters(column), describes_pixels(column)
    if not letters:
        return 1 if of_pixels else None
    if len(letters) == 1 and of_pixels:  # an error of U, or its own variance
        return 1
    return -1 if letters.count("U") % 2 else 1


def describes_pixels(column):
    """Whether a name is that of counts, errors, covariances, weights or masks, no field on the sphere.

    >>> describes_pixels("N_OBS"), describes_pixels("QU_COV"), describes_pixels("Q_STOKES")
    (True, True, False)
    """
    products = any(_PRODUCT.fullmatch(word.rstrip("0123456789")) for word in words(column))
    return products or has_word_of_pixels(column) or {"Q", "U"} <= set(_letters(column))


def has_word_of_pixels(column):
    """Whether a word of a name says count, error, covariance, weight or mask.

    >>> has_word_of_pixels("TB_ERR"), has_word_of_pixels("mask2"), has_word_of_pixels("TB")
    (True, True, False)
    >>> has_word_of_pixels("N_OBS"), has_word_of_pixels("Q_OBS")
    (True, False)
    """
    named = {word.rstrip("0123456789") for word in words(column)}
    return bool(named & (_OF_PIXELS - _OBSERVED if _letters(column) else _OF_PIXELS))


def is_part(column):
    """Whether a name is that of one of the two parts of a field of spin, which is no scalar.

    >>> [is_part(name) for name in ("Q_CMB", "GAMMA1", "v10", "KAPPA")]
    [True, True, True, False]
    """
    return stokes_of(column) in ("Q", "U") or bool(_PART.fullmatch("_".join(words(column))))


def pairs(columns):
    """The numbers (of Q, of U) of the columns that belong together: one name but for the letter.

    >>> pairs(["I", "Q_CMB", "U_CMB", "Q_DUST"])
    [(1, 2)]
    """
    stems = [(stokes_of(name), _stem(name)) for name in columns]
    return [
        (q, stems.index(("U", stem)))
        for q, (letter, stem) in enumerate(stems)
        if letter == "Q" and stems.count(("Q", stem)) == stems.count(("U", stem)) == 1
    ]


def column_of(short, names):
    """The one column that a short name I, T, Q or U means, or None.

    A name of nothing but the parameter (Q_STOKES) goes before others (Q_STOKES_INP).

    >>> column_of("Q", ["I_STOKES", "Q_STOKES", "Q_STOKES_INP"])
    'Q_STOKES'
    """
    short = str(short).strip().upper()
    parameter = stokes_of(short) if len(short) == 1 else ""
    matches = [name for name in names if parameter and stokes_of(name) == parameter]
    plain = [name for name in matches if len(set(words(name)) - _PLAIN) <= 1]
    return next((each[0] for each in (plain, matches) if len(each) == 1), None)


def stokes_of_columns(table, columns):
    """The Stokes parameter of each column, by its name or else by what the headers say.

    >>> from spherekit.io import Table
    >>> table = Table({}, {}, {}, primary={"STOKES": "Q"})
    >>> stokes_of_columns(table, ["BESTFIT", "VARIANCE", "U_STOKES"])
    ('Q', '', 'U')
    """
    stated = _stated(table)
    return tuple(stated if sign_of_u(name) is None else stokes_of(name) for name in columns)


def _stated(table):
    """What STOKES says, or EXTNAME."""
    header = headers.merged(table)
    return next(filter(None, (stokes_of(text(header, key)) for key in ("STOKES", "EXTNAME"))), "")


def signs_of_u(table, columns):
    """`sign_of_u` of each column, by its name or else by what the headers say.

    >>> from spherekit.io import Table
    >>> signs_of_u(Table({"EXTNAME": "U"}, {}, {}), ["SIGNAL", "HITS"])
    [-1, 1]
    """
    of_header = {"": None, "I": 1, "Q": 1, "U": -1}[_stated(table)]
    signs = [sign_of_u(name) for name in columns]
    return [of_header if sign is None else sign for sign in signs]


def polarization_convention(table):
    """What POLCCONV of a table or of the first header of its file says: "COSMO", "IAU", "".

    >>> from spherekit.io import Table
    >>> polarization_convention(Table({"POLCCONV": "iau "}, {}, {}))
    'IAU'
    """
    stated = [pair for pair in headers.texts(table, "POLCCONV") if pair[1].upper() != "UNKNOWN"]
    for _, word in stated:
        if word.upper() not in ("COSMO", "IAU"):
            raise ValueError(f"the header says POLCCONV = {word!r}; known are COSMO and IAU")
    conventions = [word.upper() for _, word in stated]
    headers.refuse_contradiction(stated, conventions)
    return conventions[0] if conventions else ""


def convention_key(given, is_polarized):
    """The key POLCCONV of a file: as ``given``, or else COSMO where there is polarization.

    >>> convention_key(None, True), convention_key("IAU", False), convention_key(None, False)
    ({'POLCCONV': 'COSMO'}, {'POLCCONV': 'IAU'}, {})
    """
    if given not in (None, "COSMO", "IAU"):
        raise ValueError(f'polcconv is {given!r}; expected "COSMO" or "IAU"')
    return {"POLCCONV": given or "COSMO"} if given or is_polarized else {}


def negative(values):
    """``values`` with the other sign; those that are missing stay as they are.

    >>> import numpy as np
    >>> negative(np.array([1.0, -1.6375e30]))
    array([-1.0000e+00, -1.6375e+30])
    """
    return np.where(is_missing(values), values, -values)


def words(column):
    """The words of a name in upper case.

    >>> words("U-Polarisation (uK)")
    ['U', 'POLARISATION', 'UK']
    """
    return re.findall("[A-Z0-9]+", str(column).upper())


def _letters(column):
    """The letters I, Q and U in a name, both of a product such as QU."""
    letters = []
    for word in words(column):
        letter, product = _LETTER.fullmatch(word), _PRODUCT.fullmatch(word.rstrip("0123456789"))
        if letter:
            letters.append(letter[1] or letter[2])
        elif product:
            letters.extend(product[1])
    if not letters and set(words(column)) & _INTENSITY:
        return ["I"]
    return ["I" if letter == "T" else letter for letter in letters]


def _stem(column):
    """The words of a name with a star for the letter Q or U."""
    stem = []
    for word in words(column):
        match = _LETTER.fullmatch(word)
        letter = match and (match[1] or match[2])
        at = match.start(1 if match[1] else 2) if letter in ("Q", "U") else None
        stem.append(word if at is None else f"{word[:at]}*{word[at + 1 :]}")
    return tuple(stem)
