"""Samples of the components of a wind: missing ones, where they are, and warnings on poles and gaps."""

import numpy as np

from spherekit._core.missing import codes_of_missing, missing_samples
from spherekit.fields.analysis import note_on_gaps, note_on_resolution
from spherekit.io.positions import texts_of

#: The deviation of samples at a pole from those of a vector, relative to the rms wind, that notes state.
_DEVIATION = 0.01

#: Samples below this speed, m/s, need no further check: the codes of missing values are larger.
_LARGEST = 999

_ADVICE = "a wind is needed on all of the sphere: fill it, such as by spherekit.fields.fill"


def check_samples(x, name, record=None):
    """Raise ValueError for samples that are missing, or cannot be those of a wind.

    Parameters
    ----------
    x : ndarray [shape=(..., \\*grid.shape)]
    name : str
        For messages.
    record : Map, optional
        The map of the samples, whose axes tell where samples are missing.
    """
    if -_LARGEST < x.min(initial=0) and x.max(initial=0) < _LARGEST:
        return
    missing = missing_samples(x, name=name, advice=_ADVICE)
    if missing.any():
        where = _where(missing, record)
        raise ValueError(
            f"{np.count_nonzero(missing)} of {x.size} samples of {name} are missing{where}; {_ADVICE}"
        )
    check_codes(x, name, record)


def check_codes(x, name, record=None):
    """Raise ValueError for codes of missing values, such as -9999, among samples of a component of a wind.

    The parameters are those of `check_samples`; samples may be missing.
    """
    if -_LARGEST < x.min(initial=0) and x.max(initial=0) < _LARGEST:
        return
    codes = codes_of_missing(x)
    if codes:
        coded = np.isin(x, codes)
        listed = " or ".join(f"{code:.6g}" for code in codes)
        raise ValueError(
            f"{np.count_nonzero(coded)} of {x.size} samples of {name} are {listed}{_where(coded, record)}, "
            "far beyond all others: a code of missing values; set them to NaN, and fill them, such as by "
            "spherekit.fields.fill"
        )


def _where(missing, record):
    """The first coordinates of the maps with missing samples; empty without axes."""
    if record is None or not record.axes:
        return ""
    flags = missing.reshape(*map(len, record.axes.values()), -1).any(axis=-1)
    positions = np.argwhere(flags)
    texts = {
        name: texts_of(values, record.attributes.get(name, {}))
        for name, values in record.axes.items()
    }
    listed = [
        " ".join(f"{name} {texts[name][i]}" for name, i in zip(texts, position, strict=True))
        for position in positions[:3]
    ]
    remaining = f" and {len(positions) - 3} more" if len(positions) > 3 else ""
    return f", at {', '.join(listed)}{remaining}"


def warnings_of(u, v, grid, L):
    """Warnings of samples at the poles, and of gaps between rings; a tuple of str."""
    gaps = note_on_gaps(grid, L) or note_on_resolution(grid, L)
    return *_of_poles(u, v, grid), *filter(None, [gaps])


def _of_poles(u, v, grid):
    """Warnings of poles at which the samples are not the components of one vector.

    A vector at a pole has the components -v + i u proportional to e^{-i phi} at the north pole, and to
    e^{i phi} at the south pole.
    """
    poles = ("north", 0, 0.0, 1), ("south", -1, np.pi, -1)
    poles = [pole for pole in poles if grid.ring_theta[pole[1]] == pole[2]]
    if not poles:
        return ()
    u, v = (x.reshape(*x.shape[: x.ndim - len(grid.shape)], -1) for x in (u, v))
    scale = np.hypot(_rms(u), _rms(v))
    scale = np.where(scale > 0, scale, 1)
    notes = []
    for name, ring, _, sign in poles:
        first, n_phi = grid.ring_start[ring], grid.ring_n_phi[ring]
        row = slice(first, first + n_phi)
        f = 1j * u[..., row] - v[..., row]
        wave = np.exp(1j * sign * (grid.ring_phi0[ring] + 2 * np.pi * np.arange(n_phi) / n_phi))
        vector = np.mean(f * wave, axis=-1, keepdims=True) * wave.conj()
        deviation = np.max(_rms(f - vector) / scale, initial=0)
        if deviation > _DEVIATION:
            notes.append(
                f"warning: the wind at the {name} pole is not one vector, by {_percent(deviation)} of the "
                "rms wind; results near the pole are affected"
            )
    return tuple(notes)


def _percent(ratio):
    """A ratio in percent, of two digits.

    >>> _percent(2.9), _percent(0.0123)
    ('290 %', '1.2 %')
    """
    return f"{float(f'{100 * ratio:.2g}'):.15g} %"


def _rms(x):
    return np.sqrt(np.mean(np.abs(x) ** 2, axis=-1))
