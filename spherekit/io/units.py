"""Units and masks of what writers are given: they go into the file, or are refused."""

import numpy as np

from spherekit._core import checks
from spherekit._core.missing import UNSEEN


def without_unit(values, unit="", name="values"):
    """(array without its unit, the unit as text) of numbers or of a quantity.

    A quantity of astropy or pint carries its unit, which ``unit`` must not contradict; masked
    samples of real floating arrays become UNSEEN.

    Parameters
    ----------
    values : array
    unit : str or unit
        The unit of plain numbers.
    name : str
        Of the values, in messages.

    Raises
    ------
    ValueError
        ``unit`` is not that of the quantity.
    TypeError
        Masked integers or complex numbers; Python objects.

    >>> import numpy as np
    >>> without_unit(np.ma.array([1.0, 2.0], mask=[False, True]), "mK")
    (array([ 1.0000e+00, -1.6375e+30]), 'mK')
    """
    carried, unit = checks.unit_of(values), _as_text(unit)
    if carried is not None:
        unit = _agreed(carried, unit, name)
        values = values.value if hasattr(values, "value") else values.magnitude
    return checks.as_array(_unmasked(values, name), name), unit


def unit_of_each(unit, n):
    """The units of ``n`` fields as text, of one for all (text, an astropy unit, None) or n of them.

    >>> unit_of_each("K", 2), unit_of_each(["K", None], 2)
    (['K', 'K'], ['K', ''])
    """
    if unit is None or isinstance(unit, str) or not isinstance(unit, list | tuple):
        return [_as_text(unit)] * n
    if len(unit) != n:
        raise ValueError(
            f"unit has {len(unit)} entries for {n} of the values; give one, or one for each"
        )
    return [_as_text(u) for u in unit]


def with_units(values, unit, name):
    """(array without its unit, the units of its rows as text), of one row (n,) or several (k, n).

    >>> import numpy as np
    >>> with_units(np.zeros((2, 1)), ["K", "mK"], "values")[1]
    ['K', 'mK']
    """
    if isinstance(values, list | tuple):
        values = checks.as_array(values, name, "pass an array of one unit")
    units = unit_of_each(unit, len(values) if np.ndim(values) > 1 else 1)
    arrays = {u: without_unit(values, u, name) for u in dict.fromkeys(units)}
    return arrays[units[0]][0] if units else values, [arrays[u][1] for u in units]


def _as_text(unit):
    return "" if unit is None else unit if isinstance(unit, str) else unit_text(unit)


def _agreed(carried, unit, name):
    text = unit_text(carried)
    if unit and unit.strip() not in (text, str(carried)) and not _same_unit(carried, unit):
        raise ValueError(
            f"{name} has the unit {text or '(dimensionless)'} and unit= says {unit!r}; convert "
            "the quantity with .to, or leave unit= out"
        )
    return unit or text


def _same_unit(carried, unit):
    """Whether text is another spelling of a unit of astropy or pint."""
    try:
        if type(carried).__module__.startswith("astropy"):
            from astropy.units import Unit

            return bool(Unit(unit) == carried)
        return bool(type(carried)(unit) == carried)
    except Exception:  # each package of units has exceptions of its own
        return False


def unit_text(unit):
    """A unit as FITS headers spell it; as its package does, where FITS has no word for it.

    >>> from astropy import units
    >>> unit_text(units.uK**2), unit_text(units.dimensionless_unscaled)
    ('uK2', '')
    """
    try:
        return unit.to_string("fits")
    except Exception:  # units that FITS does not know, and those of pint
        text = f"{unit:~}" if hasattr(unit, "dimensionality") else str(unit)
        return "" if text == "dimensionless" else text


def is_masked(values):
    """True where an array of numpy.ma, or a Masked one of astropy, has masked entries.

    >>> import numpy as np
    >>> is_masked(np.ma.array([1.0, 2.0], mask=[False, True])), is_masked([1.0])
    (True, False)
    """
    mask = getattr(values, "mask", None)
    return bool(isinstance(mask, np.ndarray | np.bool_) and np.any(mask))


def refuse_masked(values, name):
    """Refuse masked entries where there is no value that means missing."""
    if is_masked(values) or (isinstance(values, list | tuple) and any(map(is_masked, values))):
        raise TypeError(f"{name} has masked entries, for which there is no place; fill them first")


def _unmasked(values, name):
    if not is_masked(values):
        return values
    mask = values.mask
    data = values.unmasked if hasattr(values, "unmasked") else values.data
    data = np.asarray(getattr(data, "value", data))
    if data.dtype.kind != "f":
        raise TypeError(
            f"{name} has {np.count_nonzero(mask)} masked entries of type {data.dtype}, for which "
            "there is no value that means missing; fill them, or convert to float64 first"
        )
    data = data.astype(np.float32) if data.dtype.itemsize < 4 else data  # beyond float16's range
    return np.where(mask, data.dtype.type(UNSEEN), data)


def floating(values, name):
    """Real numbers as float32 or float64; float16 becomes float32, exactly.

    Raises ValueError for other types: there is no place in FITS for longdouble.

    >>> floating(np.ones(2, np.float16), "values").dtype
    dtype('float32')
    """
    native = values.dtype.newbyteorder("=")
    if values.dtype.kind != "f" or values.dtype.itemsize > 8:
        hint = "; convert with .astype(float)" if values.dtype.kind in "fiub" else ""
        hint = "; write its real and imaginary parts" if values.dtype.kind == "c" else hint
        raise ValueError(f"{name} has dtype {values.dtype}; expected float32 or float64{hint}")
    return values.astype(np.float32 if values.dtype.itemsize < 8 else native, copy=False)
