"""Detection of the column of pixel numbers of a table."""

import re

import numpy as np

_PIXEL = "(?:PIX|PIXELS?|HPX|HEALPIX)"
_NUMBER = "(?:INDEX|INDICES|IDX|NUM|NUMBER|NR|NO|ID)"
_ORDER = "(?:I|H|HP|HPX|HEALPIX|RING|NESTED|NEST)"
_NAMES = re.compile(f"{_ORDER}?{_PIXEL}{_NUMBER}?|(?:HP|RING|NESTED|NEST){_NUMBER}")
_INDEX = re.compile("(INDEX|INDICES|IDX)S?")


def is_pixel_name(name):
    """Whether a column name denotes pixel numbers: PIXEL, IPIX, HPX_INDEX, Pixel number, ...

    >>> [is_pixel_name(name) for name in ("Pixel", "IPIX", "HPX_INDEX", "pixidx", "PIXEL_VAR")]
    [True, True, True, True, False]
    """
    return bool(_NAMES.fullmatch(_plain(name))) or is_uniq_name(name)


def is_uniq_name(name):
    """Whether a column name denotes the cells of a multi-order map.

    >>> is_uniq_name("UNIQ"), is_uniq_name("PIXEL")
    (True, False)
    """
    return _plain(name) == "UNIQ"


def is_pixel_numbers(name, values):
    """Whether a column contains pixel numbers: by its name, or because it is INDEX and has distinct integers.

    INDEX with other numbers is a field, such as a spectral index.

    >>> import numpy as np
    >>> [is_pixel_numbers("INDEX", np.array(x)) for x in ([5, 3], [3, 3], [0.5, 0.7])]
    [True, False, False]
    """
    if is_pixel_name(name) or not _INDEX.fullmatch(_plain(name)):
        return is_pixel_name(name)
    values = np.asarray(values)
    return values.dtype.kind in "iu" and not repeated(values.reshape(-1))


def repeated(integers):
    """The number of integers in excess of the distinct ones.

    >>> import numpy as np
    >>> repeated(np.array([5, 3, 5]))
    1
    """
    if np.all(integers[1:] > integers[:-1]):
        return 0
    ordered = np.sort(integers)  # np.unique is an order of magnitude slower
    return int(np.count_nonzero(ordered[1:] == ordered[:-1]))


def may_be_pixel_numbers(name):
    """Whether the values of a column decide whether it contains pixel numbers, because its name is INDEX.

    >>> may_be_pixel_numbers("INDEX"), may_be_pixel_numbers("PIXEL")
    (True, False)
    """
    return bool(_INDEX.fullmatch(_plain(name)))


def pixel_column(columns, is_explicit=False):
    """The name of the column of pixel numbers among ``columns`` {name: values}, or None.

    In this order: a column with such a name; a column INDEX of distinct integers; the first column, if the
    header declares pixel numbers (``is_explicit``: INDXSCHM = EXPLICIT).

    >>> import numpy as np
    >>> pixel_column({"T": np.ones(2), "INDEX": np.array([5, 3])})
    'INDEX'
    """
    named = [name for name in columns if is_pixel_name(name)]
    index = [name for name, values in columns.items() if is_pixel_numbers(name, values)]
    first = list(columns)[:1] if is_explicit else []
    return next(iter(named + index + first), None)


def _plain(name):
    return re.sub("[^A-Z0-9]", "", str(name).upper())
