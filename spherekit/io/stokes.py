"""Stokes parameters of the columns of a file, and the sign of U.

Two conventions of linear polarization are in use: COSMO (HEALPix, Planck, this package) and IAU,
whose U has the other sign, and hence B modes. The key POLCCONV says which; a file without it
follows COSMO, as HEALPix has it.
"""

import re

import numpy as np

from spherekit._missing import is_missing
from spherekit.io.headers import merged

#: Names that columns of Stokes maps have in use, by the short name; "-" and "_" are the same.
NAMES = {
    "I": ("I", "T", "TEMPERATURE", "TEMP", "I_STOKES", "STOKES_I", "INTENSITY"),
    "Q": ("Q", "Q_STOKES", "STOKES_Q", "Q_POLARISATION", "Q_POLARIZATION"),
    "U": ("U", "U_STOKES", "STOKES_U", "U_POLARISATION", "U_POLARIZATION"),
}
_BY_NAME = {name: stokes for stokes, names in NAMES.items() for name in names}

#: Words after I_, Q_ or U_ that leave the parameter what it is; after others (RMS) it is another.
_SAME = set(
    "STOKES MAP MEAN ML FULL INP MODEL BESTFIT POL POLARISATION POLARIZATION SIGNAL".split()
)
_COVARIANCES = {f"{a}{b}" for a in "ITQU" for b in "ITQU"}
_UNSIGNED = {"RMS", "STD", "STDDEV", "SIGMA", "ERR", "ERROR", "VAR", "VARIANCE", "MASK", "HITS"}
_UNSIGNED |= {"NOBS", "OBS", "WEIGHT", "WEIGHTS", "TMASK", "PMASK", "SERROR"}


def stokes_of(column):
    """The Stokes parameter in a column, by its name: "I", "Q", "U" or "".

    Names in use are known in any case: U, U_STOKES, U_POLARISATION, U-POLARIZATION, TEMPERATURE,
    Q_MEAN, ...; a name that says error, weight or mask is none.

    >>> stokes_of("U-POLARISATION"), stokes_of("Temperature"), stokes_of("U_RMS")
    ('U', 'I', '')
    """
    name = normal(column)
    if name in _BY_NAME:
        return _BY_NAME[name]
    first, *more = name.split("_")
    return _BY_NAME.get(first, "") if more and set(more) <= _SAME else ""


def sign_of_u(column):
    """-1 where a column changes its sign with U, 1 where it does not, None where that is unknown.

    >>> sign_of_u("U_STOKES"), sign_of_u("QU_COV"), sign_of_u("Q"), sign_of_u("COLUMN_2")
    (-1, -1, 1, None)
    """
    parameter, words = stokes_of(column), normal(column).split("_")
    if parameter:
        return -1 if parameter == "U" else 1
    if set(words) & _UNSIGNED:
        return 1
    if words[0] in _COVARIANCES and set(words[1:]) <= {"COV", *_SAME}:
        return -1 if words[0].count("U") == 1 else 1
    return None


def column_of(short, names):
    """The one column that a short name I, T, Q or U means, or None.

    >>> column_of("Q", ["I_STOKES", "Q_STOKES", "Q_STOKES_INP"])
    'Q_STOKES'
    """
    parameter = _BY_NAME.get(str(short).strip().upper(), "") if len(str(short).strip()) == 1 else ""
    matches = [name for name in names if parameter and _BY_NAME.get(normal(name)) == parameter]
    return matches[0] if len(matches) == 1 else None


def polarization_convention(table):
    """What POLCCONV of a table, or else of the first header of its file, says: "COSMO", "IAU", "".

    >>> from spherekit.io import Table
    >>> polarization_convention(Table({"POLCCONV": "iau "}, {}, {}))
    'IAU'
    """
    convention = merged(["POLCCONV"], table)["POLCCONV"]
    if convention.upper() not in ("COSMO", "IAU", "", "UNKNOWN"):
        raise ValueError(f"the header says POLCCONV = {convention!r}; known are COSMO and IAU")
    return "" if convention.upper() == "UNKNOWN" else convention.upper()


def negative(values):
    """``values`` with the other sign; those that are missing stay as they are.

    >>> import numpy as np
    >>> negative(np.array([1.0, -1.6375e30]))
    array([-1.0000e+00, -1.6375e+30])
    """
    return np.where(is_missing(values), values, -values)


def normal(column):
    """The name of a column in upper case, with one underscore for blanks and hyphens.

    >>> normal("U-Polarisation ")
    'U_POLARISATION'
    """
    return re.sub(r"[\s_-]+", "_", str(column).strip().upper()).strip("_")
