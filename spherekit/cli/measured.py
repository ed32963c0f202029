"""The spectra that ``spherekit spectrum`` measures, their names and units."""

from typing import NamedTuple

import numpy as np

from spherekit.io.stokes import stokes_of


class Measured(NamedTuple):
    """Spectra or bandpowers by name.

    Attributes
    ----------
    spectra : dict of str to ndarray [shape=(..., L) or (bins.n,)]
    units : dict of str to str
    f_sky : float or list
        The mean of the product of the masks.
    frame : str
    lines : list of str
        What to print.
    bins : Bins or None
        None: spectra of each degree.
    errors : dict of str to ndarray [shape=(bins.n,)]
        Standard deviations.
    windows : dict of str to dict of str to ndarray [shape=(bins.n, L)]
        Bandpower windows.
    couplings : dict of str to tuple
        The couplings to write, as of `spherekit.cli.spectrum_coupling.read`.
    """

    spectra: dict
    units: dict
    f_sky: object
    frame: str
    lines: list
    bins: object = None
    errors: dict = {}
    windows: dict = {}
    couplings: dict = {}


class Factor(NamedTuple):
    """The factor of the pseudo-spectrum of two signals, 1 / (f_sky B_l B'_l).

    Signals are T, E and B, of a second map t, e and b.
    """

    f_sky: object
    windows: dict
    windows2: dict

    def __call__(self, name, name2):
        factor = 1 / np.expand_dims(self.f_sky, -1)
        for letter in (name, name2):
            windows = self.windows if letter.isupper() else self.windows2
            factor = factor / windows.get(letter.upper(), 1.0)
        return factor


def names_and_units(first, second, spectra, binned=False):
    """(spectra by the names of the file, units by these names), from spectra by pairs of T, E and B."""
    names = name_of_pair(first, second, binned)
    of_first, of_second = _units(first), _units(first if second is None else second)
    units = {
        names.get(name, name): _product(of_first[name[0]], of_second[name[1]]) for name in spectra
    }
    return {names.get(name, name): cl for name, cl in spectra.items()}, units


def name_of_pair(first, second, binned=False):
    """The name of the spectrum of two scalars, by the names of their columns, as {"TT": name}.

    Bandpowers of columns of the Stokes parameter I, such as TEMPERATURE, are TT.
    """
    if any(signal.spin for x in (first, second) if x is not None for signal in x.signals):
        return {}
    columns = [
        x.signals[0].columns[0] if x.signals[0].columns else "SIGNAL"
        for x in (first, second)
        if x is not None
    ]
    if binned and all(stokes_of(name) == "I" for name in columns):
        return {}
    if len(set(columns)) == 1:
        return {"TT": columns[0]}
    if all(stokes_of(name) == "I" for name in columns):
        return {"TT": "TT"}
    return {"TT": "_".join(columns)}


def _units(source):
    """The units of T, E and B."""
    units = {}
    for signal in source.signals:
        units |= dict.fromkeys("EB" if signal.spin else "T", signal.unit)
    return units


def _product(unit, unit2):
    """The unit of a spectrum, from those of its two signals."""
    if unit != unit2:
        return " ".join(u for u in (unit, unit2) if u)
    if not unit:
        return ""
    return f"{unit}^2" if unit.isalnum() else f"({unit})^2"
