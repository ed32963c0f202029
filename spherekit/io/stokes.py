"""Stokes parameters of the columns of a file, and the sign of U.

Two conventions of linear polarization are in use: COSMO (HEALPix, Planck, this package), and IAU, in which
U, and hence B, has the opposite sign. The key POLCCONV of a file names its convention; the default is
COSMO, as in HEALPix.

`stokes_of`, `sign_of_u` and `pairs` identify columns by the same rule. A name is a sequence of words, in
any case, separated by other characters than letters and digits. A word denotes a parameter if it is I, T, Q
or U, by itself or joined to STOKES, POL, POLARISATION or MAP, with or without digits at its end (Q, STOKESQ,
QPOL, Q353). A name with a word for Q or U denotes that parameter, whatever its other words (Q_CMB, SYNCH_Q,
Q_ML_HM1); a name with a word for I or T, or a word such as TEMPERATURE, denotes I. A name denotes none if
it has a word for count, error, covariance, weight or mask, a word of two letters (QU), or words for both Q
and U. If the name is of another kind (SIGNAL), the key STOKES or EXTNAME of the table, or else of the file,
is used.
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

#: Words in names of columns that describe pixels and have no sign.
_PIXEL_WORDS = set(
    "NOBS OBS NHIT NHITS HIT HITS HITMAP COUNT COUNTS EXPOSURE PIX PIXEL COV COVARIANCE VAR VARIANCE "
    "IVAR INVVAR SIGMA STD STDEV STDDEV RMS ERR ERROR SERR SERROR UNC UNCERTAINTY SENSITIVITY WEIGHT "
    "WEIGHTS MASK TMASK PMASK IMASK TMASKINP PMASKINP FLAG FLAGS".split()
)
#: Words that mean "observed" in the name of a Stokes parameter: N_OBS is a count, Q_OBS is Q.
_OBSERVED = {"OBS", "COUNT", "COUNTS"}

#: Components of spin fields: u and v of a wind, gamma_1 and gamma_2 of a shear, real and imaginary part.
_COMPONENT = re.compile(r"[UV]_?\d+M?|[UV]_?WIND|(GAMMA|SHEAR|E|G)_?[12]|REAL|IMAG")


def stokes_of(column):
    """The Stokes parameter of a column, by its name: "I", "Q", "U" or "".

    >>> stokes_of("U-POLARISATION"), stokes_of("Temperature"), stokes_of("U_RMS")
    ('U', 'I', '')
    >>> stokes_of("Q_CMB"), stokes_of("StokesQ"), stokes_of("SIGNAL")
    ('Q', 'Q', '')
    """
    linear = set(_letters(column)) & {"Q", "U"}
    if describes_pixels(column):
        return ""
    if linear:
        return linear.pop()
    return "I" if _letters(column) else ""


def sign_of_u(column):
    """-1 if the sign of a column changes with that of U, 1 if it does not, None if that is unknown.

    >>> sign_of_u("U_STOKES"), sign_of_u("QU_COV"), sign_of_u("Q"), sign_of_u("COLUMN_2")
    (-1, -1, 1, None)
    """
    letters = _letters(column)
    is_statistic = describes_pixels(column)
    if not letters:
        return 1 if is_statistic else None
    if len(letters) == 1 and is_statistic:  # an error or variance of U
        return 1
    return -1 if letters.count("U") % 2 else 1


def describes_pixels(column):
    """Whether a column contains counts, errors, covariances, weights or masks, by its name.

    >>> describes_pixels("N_OBS"), describes_pixels("QU_COV"), describes_pixels("Q_STOKES")
    (True, True, False)
    """
    has_products = any(_PRODUCT.fullmatch(word.rstrip("0123456789")) for word in words(column))
    return has_products or has_pixel_word(column) or {"Q", "U"} <= set(_letters(column))


def has_pixel_word(column):
    """Whether a name has a word for count, error, covariance, weight or mask.

    >>> has_pixel_word("TB_ERR"), has_pixel_word("mask2"), has_pixel_word("TB")
    (True, True, False)
    >>> has_pixel_word("N_OBS"), has_pixel_word("Q_OBS")
    (True, False)
    """
    stripped = {word.rstrip("0123456789") for word in words(column)}
    return bool(stripped & (_PIXEL_WORDS - _OBSERVED if _letters(column) else _PIXEL_WORDS))


def is_spin_component(column):
    """Whether a column is one of the two components of a spin field, by its name.

    >>> [is_spin_component(name) for name in ("Q_CMB", "GAMMA1", "v10", "KAPPA")]
    [True, True, True, False]
    """
    return stokes_of(column) in ("Q", "U") or bool(_COMPONENT.fullmatch("_".join(words(column))))


def pairs(columns):
    """The index pairs (Q, U) of columns whose names differ only in the letter.

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
    """The unique column that a short name I, T, Q or U denotes, or None.

    A name of only the parameter (Q_STOKES) has precedence over others (Q_STOKES_INP).

    >>> column_of("Q", ["I_STOKES", "Q_STOKES", "Q_STOKES_INP"])
    'Q_STOKES'
    """
    short = str(short).strip().upper()
    parameter = stokes_of(short) if len(short) == 1 else ""
    matches = [name for name in names if parameter and stokes_of(name) == parameter]
    plain = [name for name in matches if len(set(words(name)) - _PLAIN) <= 1]
    return next((columns[0] for columns in (plain, matches) if len(columns) == 1), None)


def stokes_of_columns(table, columns):
    """The Stokes parameter of each column, by its name or else by the headers.

    >>> from spherekit.io import Table
    >>> table = Table({}, {}, {}, primary={"STOKES": "Q"})
    >>> stokes_of_columns(table, ["BESTFIT", "VARIANCE", "U_STOKES"])
    ('Q', '', 'U')
    """
    default = _stokes_of_header(table)
    return tuple(default if sign_of_u(name) is None else stokes_of(name) for name in columns)


def _stokes_of_header(table):
    """The Stokes parameter that the key STOKES or else EXTNAME defines, or ""."""
    header = headers.MergedHeader(table)
    return next(filter(None, (stokes_of(text(header, key)) for key in ("STOKES", "EXTNAME"))), "")


def signs_of_u(table, columns):
    """`sign_of_u` of each column, by its name or else by the headers.

    >>> from spherekit.io import Table
    >>> signs_of_u(Table({"EXTNAME": "U"}, {}, {}), ["SIGNAL", "HITS"])
    [-1, 1]
    """
    default = {"": None, "I": 1, "Q": 1, "U": -1}[_stokes_of_header(table)]
    signs = [sign_of_u(name) for name in columns]
    return [default if sign is None else sign for sign in signs]


def polarization_convention(table):
    """The value of POLCCONV in the header of a table or in the primary header: "COSMO", "IAU" or "".

    >>> from spherekit.io import Table
    >>> polarization_convention(Table({"POLCCONV": "iau "}, {}, {}))
    'IAU'
    """
    texts = [pair for pair in headers.texts(table, "POLCCONV") if pair[1].upper() != "UNKNOWN"]
    for _, word in texts:
        if word.upper() not in ("COSMO", "IAU"):
            raise ValueError(f"the header has POLCCONV = {word!r}; expected COSMO or IAU")
    conventions = [word.upper() for _, word in texts]
    headers.refuse_contradiction(texts, conventions)
    return conventions[0] if conventions else ""


def convention_key(polcconv, is_polarized):
    """The key POLCCONV for a file: ``polcconv``, or else COSMO if the data are polarized.

    >>> convention_key(None, True), convention_key("IAU", False), convention_key(None, False)
    ({'POLCCONV': 'COSMO'}, {'POLCCONV': 'IAU'}, {})
    """
    if polcconv is not None:
        valid_convention(polcconv)
    return {"POLCCONV": polcconv or "COSMO"} if polcconv or is_polarized else {}


def valid_convention(polcconv):
    """Return ``polcconv``; raises ValueError unless it is "COSMO" or "IAU".

    >>> valid_convention("IAU")
    'IAU'
    """
    if not isinstance(polcconv, str) or polcconv not in ("COSMO", "IAU"):
        raise ValueError(f'polcconv must be "COSMO" or "IAU"; got {polcconv!r}')
    return polcconv


def negative(values):
    """The negative of ``values``, except for missing values, which are not changed.

    >>> import numpy as np
    >>> negative(np.array([1.0, -1.6375e30]))
    array([-1.0000e+00, -1.6375e+30])
    """
    return np.where(is_missing(values), values, -values)


def words(column):
    """The words of a name, in upper case.

    >>> words("U-Polarisation (uK)")
    ['U', 'POLARISATION', 'UK']
    """
    return re.findall("[A-Z0-9]+", str(column).upper())


def _letters(column):
    """The letters I, Q and U that a name denotes; two of them for a product such as QU."""
    letters = []
    for word in words(column):
        letter = _LETTER.fullmatch(word)
        product = _PRODUCT.fullmatch(word.rstrip("0123456789"))
        if letter:
            letters.append(letter[1] or letter[2])
        elif product:
            letters.extend(product[1])
    if not letters and set(words(column)) & _INTENSITY:
        return ["I"]
    return ["I" if letter == "T" else letter for letter in letters]


def _stem(column):
    """The words of a name, with the letter Q or U replaced by a star."""
    stem = []
    for word in words(column):
        match = _LETTER.fullmatch(word)
        letter = match and (match[1] or match[2])
        position = match.start(1 if match[1] else 2) if letter in ("Q", "U") else None
        stem.append(word if position is None else f"{word[:position]}*{word[position + 1 :]}")
    return tuple(stem)
