"""Arguments that select the contents of a file, and the error of those that do not match it."""

from importlib import import_module

import numpy as np

from spherekit.io.stokes import column_of


class ArgumentError(ValueError):
    """An argument of a reader does not match the file, or a required one is missing."""


class UnsupportedContents(ValueError):
    """The format of an output cannot represent its contents."""


def description(coefficients):
    """The signals and axes of coefficients, as a phrase for messages.

    >>> import numpy as np
    >>> from spherekit.io import Coefficients
    >>> description(Coefficients(np.zeros((2, 9)), "g", "nT", {"time": [1900, 1905]}))
    'g with the axis time'
    >>> description(Coefficients(np.zeros((2, 9)), ("T", "wind"), spins=(0, 1)))
    'T and wind of spin 1'
    """
    signals = [
        (name or f"signal {i}") + (f" of spin {spin}" if spin else "")
        for i, (name, spin) in enumerate(zip(coefficients.names, coefficients.spins, strict=True))
    ]
    axes = list(coefficients.axes)
    noun = "the axis" if len(axes) == 1 else "the axes"
    text = " and ".join(signals)
    return f"{text} with {noun} {', '.join(axes)}" if axes else text


def select_names(path, field, names, described=None):
    """The names of the selected fields, from names and numbers (one or a sequence).

    >>> select_names("wind.nc", [1, "u"], ["u", "v"])
    ('v', 'u')
    """
    return tuple(names[i] for i in select_numbers(path, field, names, described))


def select_numbers(path, field, names, described=None):
    """The numbers of the selected fields, from names and numbers (one or a sequence).

    I, T, Q and U select the only Stokes parameter of this kind, as in `stokes.column_of`.

    >>> select_numbers("iqu.fits", ["Q", 0], ["I_STOKES", "Q_STOKES", "U_STOKES"])
    [1, 0]
    """
    items = [field] if isinstance(field, str) or not np.iterable(field) else list(field)
    names = list(names)
    selected = []
    for item in items:
        is_number = isinstance(item, int | np.integer) and not isinstance(item, bool)
        if is_number and 0 <= item < len(names):
            selected.append(int(item))
            continue
        name = item if item in names else column_of(str(item), names)
        if name is None:
            choices = "; ".join(described or names) or "(none)"
            raise ArgumentError(f"{path} has no field {item!r}; its fields are {choices}")
        selected.append(names.index(name))
    if not selected:
        raise ArgumentError(f"field is empty; select one or several of {'; '.join(names)}")
    return selected


def optional_module(name, extra, reason):
    """Import an optional package.

    >>> optional_module("json", "netcdf", "test").__name__
    'json'
    """
    try:
        return import_module(name)
    except ImportError:
        raise ImportError(
            f"{reason}, for which {name} is needed; pip install 'spherekit[{extra}]'"
        ) from None
