"""The signals among the fields of a map: scalars, and spin fields of two real components."""

from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.fields.wind_samples import check_codes
from spherekit.io.stokes import pairs, stokes_of
from spherekit.io.winds import is_velocity, is_wind_component, winds


class Signal(NamedTuple):
    """A scalar or spin field: samples, spin, and the numbers of its fields in the map.

    A wind is the field -v + i u, and its numbers are those of u and v.
    """

    values: np.ndarray
    spin: int
    indices: tuple
    name: str
    is_wind: bool = False


def signals_of(record, spin=None):
    """The signals of a map.

    A pair of real fields is the real and imaginary part of a spin field where ``spin``, or the spin of the
    map, is stated; else Q and U of the same name have spin 2. The components u and v of a wind
    (`spherekit.io.winds`) are the field -v + i u of spin 1, whether that is stated or not. All other fields
    are scalars.

    Raises
    ------
    ValueError
        A stated spin, with other than two real fields or one complex field; one component of a spin field
        without the other; codes of missing values, such as -9999, in a wind.

    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> sky = Map(np.zeros((3, 12)), "healpix:1", ("I", "Q", "U"))
    >>> [(signal.name, signal.spin) for signal in signals_of(sky)]
    [('I', 0), ('Q and U', 2)]
    """
    values = checks.as_float_array(record.values, "the values of the map")
    samples = list(values) if len(record) > 1 else [values]
    spin = record.spin if spin is None else checks.integer(spin, "spin", -np.inf)
    names = record.labels
    if np.iscomplexobj(values):
        return [Signal(f, spin or 0, (i,), names[i]) for i, f in enumerate(samples)]
    if spin:
        if len(samples) != 2:
            raise ValueError(
                f"spin is {spin}, with {len(samples)} real field(s), {', '.join(names)}; expected the two "
                "components of the spin field: select them, or leave the spin of the map as None"
            )
    of_winds = _winds(record, any_unit=spin == 1) if spin in (None, 1) else {}
    if spin and not of_winds:
        partners = {0: 1}
    else:
        partners = {} if spin is not None else _partners(record, of_winds)
    seconds = {*partners.values(), *of_winds.values()}
    signals = []
    for i, f in enumerate(samples):
        if i in of_winds:
            j = of_winds[i]
            for component in (i, j):
                check_codes(samples[component], names[component], record)
            field = -samples[j] + 1j * f
            signals.append(Signal(field, 1, (i, j), f"{names[i]} and {names[j]}", is_wind=True))
        elif i in partners:
            j = partners[i]
            label = f"{names[i]} and {names[j]}"
            signals.append(Signal(f + 1j * samples[j], spin or 2, (i, j), label))
        elif i not in seconds:
            signals.append(Signal(f, 0, (i,), names[i]))
    return signals


def _standard_names(record):
    """The CF name of each field, or None."""
    return [record.attributes.get(name, {}).get("standard_name") for name in record.names]


def _winds(record, any_unit):
    """The number of the northward component of each wind, by that of its eastward component."""
    return winds(record.names, record.units, _standard_names(record), any_unit)


def _partners(record, of_winds):
    """The number of U by that of its Q; raise ValueError for one component without the other."""
    of_wind = {*of_winds, *of_winds.values()}
    if record.frame == "geographic":
        of_wind |= set(_winds(record, any_unit=True))
    partners = {q: u for q, u in pairs(record.names) if _is_polarization(record, q, u, of_wind)}
    paired = {*partners, *partners.values(), *of_winds, *of_winds.values()}
    described = zip(record.names, record.units, _standard_names(record), strict=True)
    for i, (name, unit, standard_name) in enumerate(described):
        if i in paired:
            continue
        if is_wind_component(name, unit, standard_name):
            raise ValueError(
                f"{name} is one component of a wind; pass a map of both, or spin=0 for scalars"
            )
        letter = record.attributes.get(name, {}).get("stokes", _stokes_letter(record, name))
        if letter in ("Q", "U") and not is_velocity(unit):
            raise ValueError(
                f"{name} is one component of a spin-2 field; pass a map of Q and U, or spin=0 for scalars "
                "(for a wind of u and v: spin=1)"
            )
    return partners


def _is_polarization(record, q, u, of_wind):
    """Whether two fields named Q and U are those of Stokes: not the humidity q and a wind u."""
    return not {q, u} & of_wind and record.units[q] == record.units[u]


def _stokes_letter(record, name):
    """The Stokes parameter of a name; empty on planets, where q is the humidity."""
    return "" if record.frame == "geographic" else stokes_of(name)


def with_samples(record, results, grid, notes):
    """The map with new samples of its signals, (signal, samples) each, on a grid."""
    samples = [None] * len(record)
    for signal, f in results:
        if signal.is_wind:
            u, v = signal.indices
            samples[u] = f.imag
            samples[v] = -f.real
        elif len(signal.indices) == 2:
            samples[signal.indices[0]] = f.real
            samples[signal.indices[1]] = f.imag
        else:
            samples[signal.indices[0]] = f
    values = np.stack(samples) if len(samples) > 1 else samples[0]
    changes = dict(values=values, notes=(*record.notes, *notes))
    if grid != record.grid:
        changes["grid"] = grid
        if "layout" in {field.name for field in fields(record)}:  # the order of the source
            changes["layout"] = None
    return replace(record, **changes)
