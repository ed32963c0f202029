"""The signals among the fields of a map: scalars, and spin fields of two real components."""

from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.io.stokes import pairs, stokes_of

#: The components of winds, by the attribute ``standard_name`` of the CF conventions.
_WINDS = {"eastward_wind": 0, "northward_wind": 1}


class Signal(NamedTuple):
    """A scalar or spin field: samples, spin, and the numbers of its fields in the map."""

    values: np.ndarray
    spin: int
    indices: tuple
    name: str


def signals_of(record, spin=None):
    """The signals of a map.

    A pair of real fields is the real and imaginary part of a spin field where ``spin``, or the spin of the
    map, is stated; else Q and U of the same name have spin 2, and an eastward and a northward wind (by the
    attribute ``standard_name``) spin 1. All other fields are scalars.

    Raises
    ------
    ValueError
        A stated spin, with other than two real fields or one complex field; one component of a spin field
        without the other.

    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> sky = Map(np.zeros((3, 12)), "healpix:1", ("I", "Q", "U"))
    >>> [(signal.name, signal.spin) for signal in signals_of(sky)]
    [('I', 0), ('Q and U', 2)]
    """
    values = checks.as_float_array(record.values, "the values of the map")
    samples = list(values) if len(record) > 1 else [values]
    spin = record.spin if spin is None else checks.integer(spin, "spin", -np.inf)
    names = [name or f"field {i}" for i, name in enumerate(record.names)]
    if np.iscomplexobj(values):
        return [Signal(f, spin or 0, (i,), names[i]) for i, f in enumerate(samples)]
    if spin:
        if len(samples) != 2:
            raise ValueError(
                f"spin is {spin}, with {len(samples)} real field(s), {', '.join(names)}; expected the two "
                "components of the spin field: select them, or leave the spin of the map as None"
            )
        partners = {0: (1, spin)}
    else:
        partners = {} if spin == 0 else _partners(record)
    seconds = {second for second, _ in partners.values()}
    signals = []
    for i, f in enumerate(samples):
        if i in partners:
            j, of_pair = partners[i]
            label = f"{names[i]} and {names[j]}"
            signals.append(Signal(f + 1j * samples[j], of_pair, (i, j), label))
        elif i not in seconds:
            signals.append(Signal(f, 0, (i,), names[i]))
    return signals


def _partners(record):
    """The number of the second component and the spin, by the number of the first component."""
    partners = {q: (u, 2) for q, u in pairs(record.names)}
    standard = [record.attributes.get(name, {}).get("standard_name") for name in record.names]
    winds = [[i for i, name in enumerate(standard) if name == wind] for wind in _WINDS]
    if all(len(indices) == 1 for indices in winds):
        partners[winds[0][0]] = winds[1][0], 1
    of_pairs = {i for first, (second, _) in partners.items() for i in (first, second)}
    letters = [
        record.attributes.get(name, {}).get("stokes", stokes_of(name)) for name in record.names
    ]
    alone = [
        record.names[i]
        for i, letter in enumerate(letters)
        if letter in ("Q", "U") and i not in of_pairs and standard[i] not in _WINDS
    ]
    if alone:
        raise ValueError(
            f"{alone[0]} is one component of a spin-2 field; pass a map of Q and U, or spin=0 for scalars "
            "(for a wind of u and v: spin=1)"
        )
    of_wind = [record.names[i] for i in sum(winds, []) if i not in of_pairs]
    if of_wind:
        raise ValueError(
            f"{of_wind[0]} is one component of a wind; pass a map of both, or spin=0 for scalars"
        )
    return partners


def with_samples(record, results, grid, notes):
    """The map with new samples of its signals, (signal, samples) each, on a grid."""
    samples = [None] * len(record)
    for signal, f in results:
        if len(signal.indices) == 2:
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
