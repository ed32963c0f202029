"""Models of the magnetic field of the Earth in the SHC format, such as IGRF and CHAOS."""

from dataclasses import replace

import numpy as np

from spherekit._core.atomic_files import replacing
from spherekit.conventions import to_shtools
from spherekit.io import coefficient_rows, provenance
from spherekit.io.arguments import UnsupportedContents, description
from spherekit.io.coefficient_conventions import UNSPECIFIED, Convention, agreed
from spherekit.io.records import Coefficients

#: Schmidt semi-normalized functions without the Condon-Shortley phase.
CONVENTION = Convention("schmidt", 1)
_RADIUS = 6371200.0
_EXPECTED = "degree, order (m < 0: coefficients of sines) and one coefficient for each epoch"


def is_shc(text):
    """Whether the first lines are those of SHC: five to seven numbers, then the epochs.

    The numbers are the lowest and highest degree, the number of epochs, the order of the splines, the number
    of steps, and optionally the first and the last epoch.
    """
    start = coefficient_rows.lines(text, 2)
    if len(start) < 2 or not 5 <= len(start[0][1]) <= 7:
        return False
    counts = start[0][1][:5]
    return (
        all(word.isdecimal() and len(word) < 12 for word in counts)
        and not coefficient_rows.is_pair(start[0][1])
        and str(len(start[1][1])) == counts[2].lstrip("0")
    )


def read(path, text, L=None, requested=UNSPECIFIED):
    """Read the `Coefficients` of a file in the SHC format, with an axis ``time`` of decimal years.

    They are those of the scalar potential on the reference sphere divided by its radius, in nT.
    """
    agreed(path, requested, CONVENTION)
    (header, counts), (line, epochs) = coefficient_rows.lines(text, 2)
    lowest, highest, n_epochs, order, _ = map(int, counts[:5])
    times = coefficient_rows.as_numbers(epochs)
    if times is None or len(times) != n_epochs or np.any(np.diff(times) <= 0):
        raise text.error(line, f"{n_epochs} increasing epochs in decimal years")
    rows, body = coefficient_rows.table(text, line + 1, _EXPECTED)
    if rows.shape[1] != n_epochs + 2:
        raise body.error(coefficient_rows.line_of(body, 0), f"{n_epochs + 2} numbers: {_EXPECTED}")
    ell, m = coefficient_rows.degrees_and_orders(rows, body, signed=True)
    coefficient_rows.refuse_repetitions(ell, m, body)
    required = (highest + 1) ** 2 - lowest**2
    if len(rows) != required or ell.min() < lowest or ell.max() > highest:
        raise ValueError(
            f"{path} contains {len(rows)} rows of degrees {ell.min()} to {ell.max()}; expected "
            f"{required} rows of degrees {lowest} to {highest} after its line {header}"
        )
    return model(path, ell, m, rows[:, 2:].T, times, L, spline_order=order)


def model(path, ell, m, values, times, L=None, *, spline_order=2, notes=()):
    """The `Coefficients` of a magnetic model.

    Parameters
    ----------
    path : path
    ell, m : int64 ndarray [shape=(n,)]
        Degree and order, m < 0 for coefficients of sines; each pair once.
    values : float64 ndarray [shape=(len(times), n)]
        In nT, Schmidt semi-normalized.
    times : list of float
        Decimal years.
    L : int, optional
        The band-limit, by default that of all degrees.
    spline_order : int
        The order of the splines between the epochs.
    notes : tuple of str
    """
    L = coefficient_rows.band_limit(path, int(ell.max()), L)
    cosine, sine = _cosines_and_sines(values, ell, m)
    flm = coefficient_rows.coefficients(ell, abs(m), cosine, sine, L, **CONVENTION._asdict())
    if ell.min():
        notes = (*notes, f"degrees below {ell.min()} are not in the file: set to zero")
    return Coefficients(
        flm,
        "potential",
        "nT",
        {"time": np.array(times)},
        frame="geographic",
        attributes={
            "": {"radius": _RADIUS, "spline_order": spline_order},
            "potential": {"long_name": "magnetic scalar potential divided by the reference radius"},
            "time": {"units": "decimal year"},
        },
        notes=notes,
    )


def _cosines_and_sines(values, ell, m):
    """The coefficients of cosines and of sines in every row, those of the pair (l, |m|)."""
    L = int(ell.max()) + 1
    grid = np.zeros((len(values), 2, L, L))
    grid[:, (m < 0).astype(int), ell, abs(m)] = values
    return grid[:, 0, ell, abs(m)], grid[:, 1, ell, abs(m)]


def at_time(model, time):
    """The coefficients at a time in decimal years, interpolated linearly between two epochs.

    Only models of splines of order 2 are interpolated; of others, ``time`` must be an epoch.
    """
    times = model.axes["time"]
    try:
        year = float(time)
    except (TypeError, ValueError):
        year = np.nan
    linear = model.attributes[""]["spline_order"] == 2
    if year in times or not linear or not times[0] <= year <= times[-1]:
        return model.select(time=time)
    after = int(np.searchsorted(times, year))
    start, end = times[after - 1 : after + 1]
    weight = (year - start) / (end - start)
    flm = (1 - weight) * model.flm[after - 1] + weight * model.flm[after]
    note = f"interpolated linearly to {year:g} between the epochs {start:g} and {end:g}"
    time = {**model.attributes.get("time", {}), "value": year}
    attributes = {**model.attributes, "time": time}
    return replace(model, flm=flm, axes={}, attributes=attributes, notes=(*model.notes, note))


def _times(coefficients):
    """The epochs on the axis time, or the only one of coefficients that were selected on it."""
    if "time" in coefficients.axes:
        return coefficients.axes["time"]
    return coefficients.attributes.get("time", {}).get("value", "")


def write(coefficients, path, requested=UNSPECIFIED, overwrite=False):
    """Write the coefficients of one real signal at one or several epochs in the SHC format."""
    agreed(path, requested, CONVENTION)
    times = np.atleast_1d(_times(coefficients))
    if len(coefficients) > 1 or set(coefficients.axes) - {"time"} or times.dtype.kind not in "iuf":
        raise UnsupportedContents(
            f"{path}: SHC files contain one real signal with an axis time of decimal years, not "
            f"{description(coefficients)}; write .npz"
        )
    if any(coefficients.spins) or np.any(np.diff(times) <= 0):
        raise UnsupportedContents(
            f"{path}: SHC files contain signals of spin 0 at increasing epochs; write .npz"
        )
    flm = coefficients.flm.reshape(len(times), -1)
    cilm = to_shtools(flm, **CONVENTION._asdict())
    lowest = 0 if np.any(cilm[:, 0, 0, 0]) else 1
    L = coefficients.L
    order = coefficients.attributes.get("", {}).get("spline_order", 2)
    lines = [f"# {line}" for line in provenance.history(coefficients.history or None)]
    ends = f"{times[0]:.17g} {times[-1]:.17g}"
    lines.append(f"{lowest} {L - 1} {len(times)} {order} 1 {ends}")
    lines.append(" ".join(f"{time:.17g}" for time in times))
    for ell in range(lowest, L):
        for m in (0, *(sign * m for m in range(1, ell + 1) for sign in (1, -1))):
            values = cilm[:, int(m < 0), ell, abs(m)].tolist()
            lines.append(f"{ell} {m} " + " ".join(map("{:.17g}".format, values)))
    with replacing(path, overwrite) as temporary:
        with open(temporary, "w", encoding="ascii", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
