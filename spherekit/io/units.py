"""Units and masks of the arguments of writers, which are written to the file or raise an error."""

import numpy as np

from spherekit._core import checks
from spherekit._core.missing import UNSEEN


def without_unit(values, unit="", name="values"):
    """Separate numbers, or a quantity of astropy or pint, into (array, unit as text).

    Masked samples of real floating-point arrays become UNSEEN.

    Parameters
    ----------
    values : array_like
        Numbers or a quantity.
    unit : str or unit
        The unit of plain numbers; if ``values`` is a quantity, its unit or empty.
    name : str
        Name of the values in error messages.

    Raises
    ------
    TypeError
        Masked integers or complex numbers; Python objects.
    ValueError
        ``unit`` differs from that of the quantity.

    >>> import numpy as np
    >>> without_unit(np.ma.array([1.0, 2.0], mask=[False, True]), "mK")
    (array([ 1.0000e+00, -1.6375e+30]), 'mK')
    """
    unit = _as_text(unit)
    unit_of_values = checks.unit_of(values)
    if unit_of_values is not None:
        unit = _common_unit(unit_of_values, unit, name)
        values = values.value if hasattr(values, "value") else values.magnitude
    return checks.as_array(_fill_masked(values, name), name), unit


def unit_of_each(unit, n):
    """The units of ``n`` fields as text, from one unit for all (text, astropy unit or None) or a list of n.

    >>> unit_of_each("K", 2), unit_of_each(["K", None], 2)
    (['K', 'K'], ['K', ''])
    """
    if unit is None or isinstance(unit, str) or not isinstance(unit, list | tuple):
        return [_as_text(unit)] * n
    if len(unit) != n:
        raise ValueError(
            f"unit has length {len(unit)}; expected one unit, or one for each of the {n} field(s)"
        )
    return [_as_text(u) for u in unit]


def with_units(values, unit, name):
    """Separate one row (n,) or several rows (k, n) into (array, list of the units of the rows as text).

    >>> import numpy as np
    >>> with_units(np.zeros((2, 1)), ["K", "mK"], "values")[1]
    ['K', 'mK']
    """
    if isinstance(values, list | tuple):
        values = checks.as_array(values, name, "pass an array with a single unit")
    units = unit_of_each(unit, len(values) if np.ndim(values) > 1 else 1)
    arrays = {u: without_unit(values, u, name) for u in dict.fromkeys(units)}
    return arrays[units[0]][0] if units else values, [arrays[u][1] for u in units]


def _as_text(unit):
    if unit is None:
        return ""
    return unit if isinstance(unit, str) else unit_text(unit)


def _common_unit(quantity_unit, unit, name):
    """The unit of a quantity as text; raises ValueError if ``unit`` is another one."""
    text = unit_text(quantity_unit)
    if unit and unit.strip() not in (text, str(quantity_unit)):
        if not _same_unit(quantity_unit, unit):
            raise ValueError(
                f"{name} has the unit {text or '(dimensionless)'}, but unit={unit!r}; convert the "
                "quantity with .to, or omit unit"
            )
    return unit or text


def _same_unit(quantity_unit, text):
    """Whether ``text`` is another spelling of a unit of astropy or pint."""
    try:
        if type(quantity_unit).__module__.startswith("astropy"):
            from astropy.units import Unit

            return bool(Unit(text) == quantity_unit)
        return bool(type(quantity_unit)(text) == quantity_unit)
    except Exception:  # astropy and pint raise exceptions of their own
        return False


def unit_text(unit):
    """The spelling of a unit in FITS headers, or that of its package if the FITS standard does not define it.

    >>> from astropy import units
    >>> unit_text(units.uK**2), unit_text(units.dimensionless_unscaled)
    ('uK2', '')
    """
    try:
        return unit.to_string("fits")
    except Exception:  # units outside the FITS standard, and those of pint
        text = f"{unit:~}" if hasattr(unit, "dimensionality") else str(unit)
        return "" if text == "dimensionless" else text


def is_masked(values):
    """Whether a masked array of numpy.ma or astropy has masked entries.

    >>> import numpy as np
    >>> is_masked(np.ma.array([1.0, 2.0], mask=[False, True])), is_masked([1.0])
    (True, False)
    """
    mask = getattr(values, "mask", None)
    return bool(isinstance(mask, np.ndarray | np.bool_) and np.any(mask))


def refuse_masked(values, name):
    """Raise TypeError for masked entries, where a file has no value for missing samples."""
    if is_masked(values) or (isinstance(values, list | tuple) and any(map(is_masked, values))):
        raise TypeError(f"{name} has masked entries, which cannot be written; fill them first")


def _fill_masked(values, name):
    if not is_masked(values):
        return values
    mask = values.mask
    data = values.unmasked if hasattr(values, "unmasked") else values.data
    data = np.asarray(getattr(data, "value", data))
    if data.dtype.kind != "f":
        raise TypeError(
            f"{name} has {np.count_nonzero(mask)} masked entries of dtype {data.dtype}, which has no value "
            "for missing samples; fill them, or convert to float64 first"
        )
    if data.dtype.itemsize < 4:  # UNSEEN is beyond the range of float16
        data = data.astype(np.float32)
    return np.where(mask, data.dtype.type(UNSEEN), data)


def as_floating(values, name):
    """Real numbers as float32 or float64; float16 is converted to float32.

    Raises ValueError for other dtypes. FITS does not support longdouble.

    >>> as_floating(np.ones(2, np.float16), "values").dtype
    dtype('float32')
    """
    native = values.dtype.newbyteorder("=")
    if values.dtype.kind != "f" or values.dtype.itemsize > 8:
        hint = "; convert with .astype(float)" if values.dtype.kind in "fiub" else ""
        hint = "; write its real and imaginary parts" if values.dtype.kind == "c" else hint
        raise ValueError(f"{name} has dtype {values.dtype}; expected float32 or float64{hint}")
    return values.astype(np.float32 if values.dtype.itemsize < 8 else native, copy=False)


#: The dtypes of columns of FITS tables, and the next larger one for dtypes that FITS does not have.
_COLUMN_TYPES = {"b1": "b1", "u1": "u1", "i1": "i2", "i2": "i2", "u2": "i4", "i4": "i4", "u4": "i8"}
_COLUMN_TYPES |= {"i8": "i8", "f2": "f4", "f4": "f4", "f8": "f8"}


def as_column(values, name):
    """Real numbers in native byte order and in a dtype of FITS tables; others are converted to a larger one.

    Raises ValueError for dtypes without a larger one in FITS: uint64, longdouble, complex numbers.

    >>> as_column(np.ones(2, np.uint16), "values").dtype, as_column(np.ones(2, bool), "values").dtype
    (dtype('int32'), dtype('bool'))
    """
    code = _COLUMN_TYPES.get(values.dtype.str[1:])
    if code is None:
        hint = "; write its real and imaginary parts" if values.dtype.kind == "c" else ""
        raise ValueError(
            f"{name} has dtype {values.dtype}; expected float32 or float64, integers of at most 64 bits with "
            f"sign, or booleans{hint}"
        )
    return values.astype(code, copy=False)
