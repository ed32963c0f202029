"""Maps of a CSV file: the split into training, validation and test, and their coefficients."""

import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit._core import scaling
from spherekit._core.parallel import thread_count
from spherekit.experiments import blocks
from spherekit.experiments.maps import units
from spherekit.experiments.maps.labels import Labels
from spherekit.experiments.signals import (
    Analysis,
    BandLimitError,
    coefficients,
    has_upper_half,
    low_coefficients,
    native_band_limit,
)

#: Highest band-limit by default: that of a small network on two CPUs.
DEFAULT_L = 128
#: Of the arrays in the folder of the coefficients.
_VERSION = 2
#: Pairs of copies that a message lists.
_PAIRS = 3


class LabelledMaps(NamedTuple):
    """Maps of a training.

    labels : Labels
    x, exponent : coefficients 2^exponent x, complex (maps, L*L); all in ``unit``
    monopoles : their degree 0 over 2^exponent, float64 (maps,)
    subsets : index arrays of training, validation and test
    L : band-limit
    cut : degrees from L on were cut off
    has_upper_half : the maps hold power at degrees from L/2 on
    band_limit : L in words
    unit : of all maps, "" where no file states one
    notes : lines for the user
    """

    labels: Labels
    x: np.ndarray
    monopoles: np.ndarray
    exponent: int
    subsets: tuple
    L: int
    cut: bool
    has_upper_half: bool
    band_limit: str
    unit: str
    notes: list

    def select(self, rows):
        """(x, monopoles, exponent) of maps."""
        return self.x[rows], self.monopoles[rows], self.exponent


# --- the split ---------------------------------------------------------------------------------------


def split(labels, validation, test, seed):
    """Index arrays of training, validation and test, in random order; shares of each class, or of all.

    Parameters
    ----------
    labels : Labels
    validation, test : float
        Shares. Of each class there is one map at least in each subset whose share is above 0.
    seed : int

    Raises
    ------
    ValueError
        Too few maps.
    """
    if labels.classes is None:
        groups = {"": np.arange(len(labels.targets))}
    else:
        groups = {
            name: np.flatnonzero(labels.targets == number)
            for number, name in enumerate(labels.classes)
        }
    subsets = [], [], []
    for number, (name, group) in enumerate(groups.items()):
        counts = [max(1, round(share * len(group))) if share else 0 for share in (validation, test)]
        least = 1 if labels.classes else 2
        needed = least + (validation > 0) + (test > 0)
        if len(group) < needed:
            owner = f"of the class {name!r}" if labels.classes else "in total"
            raise ValueError(
                f"{labels.source} lists {len(group)} maps {owner}; expected {needed} at the least for "
                f"training, validation ({validation:g}) and test ({test:g}): add maps, or lower --validation "
                "and --test"
            )
        if len(group) < sum(counts) + least:
            owner = f"of the class {name!r}" if labels.classes else "in total"
            raise ValueError(
                f"{labels.source} lists {len(group)} maps {owner}; validation ({validation:g}) takes "
                f"{counts[0]} of them and test ({test:g}) {counts[1]}, which leaves "
                f"{len(group) - sum(counts) or 'nothing'} for training; expected {least} at the least: lower "
                "--validation or --test"
            )
        order = np.random.default_rng([seed, 81, number]).permutation(group)
        ends = np.cumsum(counts)
        chosen = order[ends[1] :], order[: ends[0]], order[ends[0] : ends[1]]
        for subset, indices in zip(subsets, chosen, strict=True):
            subset.append(indices)
    merged = [np.concatenate(subset) for subset in subsets]
    rng = np.random.default_rng([seed, 82])
    return tuple(rng.permutation(indices) for indices in merged)


# --- coefficients ------------------------------------------------------------------------------------


def band_limit(labels, L, read, analysis=None):
    """(L, cut, in words) of the maps: as given, or that of the first map.

    ``cut``: degrees from L on are cut off; otherwise all maps must be of this band-limit.
    """
    if L is not None:
        return L, True, f"degrees < {L}"
    path = labels.paths[0]
    try:
        signal = read(path)
        native = native_band_limit(signal)
        if native > DEFAULT_L:
            words = f"degrees < {DEFAULT_L}, of {path} with those < {native}: --L takes others"
            return DEFAULT_L, True, words
        words = f"degrees < {native}, as {path}"
        try:
            coefficients(signal, native, analysis)
        except BandLimitError:
            return native, True, words
        return native, False, words
    except (ValueError, TypeError, OSError) as error:
        raise _with_place(labels, 0, error) from None


def gather(labels, folder, values, read, *, analysis=None, progress=None):
    """`LabelledMaps`; the coefficients are computed once and cached in ``folder``.

    Parameters
    ----------
    labels : Labels
    folder : path
    values : dict
        Of a configuration.
    read : callable
        ``read(path)`` is the `experiments.Signal` of a file.
    analysis : experiments.Analysis, optional
        How maps are fitted, and how many at once: its threads.
    progress : callable, optional
        Called with (maps that are ready, maps in total).
    """
    data, fit = values["data"], values["fit"]
    analysis = Analysis() if analysis is None else analysis
    subsets = split(labels, data["validation"], data["test"], data["seed"])
    L, cut, words = band_limit(labels, data["L"], read, analysis)
    dtype = np.result_type(fit["dtype"], np.complex64)
    flm_of = low_coefficients if cut else coefficients

    def measure(i):
        try:
            signal = read(labels.paths[i])
            flm = flm_of(signal, L, analysis._replace(threads=1))
        except BandLimitError as error:
            advice = f"; or pass --L {error.L}, to use the degrees < {error.L} of all maps"
            raise _with_place(labels, i, error, advice) from None
        except (ValueError, TypeError, OSError) as error:
            raise _with_place(labels, i, error) from None
        x, monopole, e = scaled(flm, dtype)
        return {
            "x": x,
            "monopole": np.array(monopole),
            "exponent": np.array(e),
            "has_upper_half": np.array(has_upper_half(flm)),
            "unit": np.array(units.plain(signal.unit)),
        }

    n = len(labels.paths)
    manifest = {
        "version": _VERSION,
        "maps": n,
        "files": _fingerprint(labels),
        "L": L,
        "cut": cut,
        "dtype": dtype.name,
    }
    manifest |= {name: data[name] for name in ("field", "grid", "hdu", "ordering")}
    options = dict(workers=thread_count(analysis.threads), name="maps")
    if progress is not None:
        options["progress"] = lambda count: progress(count, n)
    try:
        arrays = blocks.fill(folder, manifest, n, measure, **options)
    except ValueError as error:
        if "files = " in str(error):
            raise ValueError(
                f"{folder} holds coefficients of other maps than {labels.source} lists now; choose another "
                "folder by -o"
            ) from None
        raise
    _check_upper_halves(labels, arrays["has_upper_half"], L)
    unit, factors, notes = _one_unit(labels, [str(text) for text in arrays["unit"]])
    x, monopoles, e = _together(arrays, factors)
    notes += _copies(labels, subsets, x, monopoles)
    upper = bool(arrays["has_upper_half"][0])
    return LabelledMaps(labels, x, monopoles, e, subsets, L, cut, upper, words, unit, notes)


def scaled(flm, dtype):
    """(x, monopole, e) of coefficients: 2^e x in the precision ``dtype``, without the real part of degree 0.

    >>> scaled(np.array([3.0, 0, 4e30, 0]) + 0j, np.complex64)[1:]
    (3.0, 102)
    """
    e = scaling.exponent(flm[1:] if flm[1:].any() else flm)
    monopole = float(flm[0].real)
    x = scaling.ldexp(flm, -e)
    x.real[0] = 0
    return x.astype(dtype), monopole, e


def _one_unit(labels, stated):
    """(unit of the first map, factors that convert the others to it, lines for the user)."""
    unit, factors = stated[0], np.ones(len(stated))
    for i, given in enumerate(stated):
        try:
            factors[i] = units.factor(given, unit, f"row {labels.rows[0]}")
        except ValueError as error:
            raise _with_place(labels, i, f"{labels.paths[i]}: {error}") from None
    notes = [f"unit: {unit}"] if unit else []
    for given in dict.fromkeys(stated):
        if given != unit:
            count = stated.count(given)
            notes.append(f"   {count} map{'s' * (count != 1)} in {given}: converted to {unit}")
    return unit, factors, notes


def _together(arrays, factors):
    """(x, monopoles, e): coefficients 2^e x of all maps, with their degree 0, and this by itself over 2^e."""
    fractions, powers = np.frexp(factors)  # 1 = 0.5 2^1
    exponents = arrays["exponent"] + powers - 1
    e, x = int(exponents.max()), arrays["x"]
    for i in np.flatnonzero(factors != 1):
        x[i] *= 2 * fractions[i]
    monopoles = scaling.ldexp(arrays["monopole"] * factors, -e)
    x = scaling.ldexp(x, (exponents - e)[:, None])
    with np.errstate(over="ignore"):
        x.real[:, 0] = monopoles
    return x, monopoles, e


def _copies(labels, subsets, x, monopoles):
    """Lines on maps that are copies of each other; refused where they are of different subsets."""
    names = "training", "validation", "test"
    subset_of = {i: name for name, rows in zip(names, subsets, strict=True) for i in rows.tolist()}
    seen, pairs = {}, []
    for i in range(len(x)):
        key = hashlib.sha256(x[i].tobytes() + monopoles[i].tobytes()).digest()
        first = seen.setdefault(key, i)
        if first != i:
            pairs.append((first, i))

    def listed(chosen):
        words = [
            f"row {labels.rows[a]} ({labels.paths[a]}) and row {labels.rows[b]} ({labels.paths[b]})"
            for a, b in chosen[:_PAIRS]
        ]
        return "; ".join(words) + (f"; {len(chosen) - _PAIRS} more" if len(chosen) > _PAIRS else "")

    apart = [pair for pair in pairs if subset_of[pair[0]] != subset_of[pair[1]]]
    if apart:
        raise ValueError(
            f"{labels.source}: {listed(apart)} hold the same map, and not in the same part of training, "
            "validation and test; list every map once"
        )
    return [f"   the same map twice: {listed(pairs)}"] if pairs else []


def _check_upper_halves(labels, has_upper, L):
    if has_upper.all() or not has_upper.any():
        return
    number = int(np.flatnonzero(~has_upper)[0])
    low = max(L // 2, 1)
    raise ValueError(
        f"{labels.place(number)}: {labels.paths[number]} holds nothing of degrees {low}..{L - 1}, unlike "
        f"other maps: it is of a lower band-limit; pass --L {low} to use lower degrees of all, or remove the "
        "row"
    )


def _fingerprint(labels):
    """Changes with the list of the maps, and with the size or time of a file."""
    checksum = 0
    for path in labels.paths:
        status = Path(path).stat()
        text = f"{Path(path).resolve()} {status.st_size} {status.st_mtime_ns}\n"
        checksum = zlib.crc32(text.encode("utf-8", "surrogateescape"), checksum)
    return f"crc32 {checksum:08x}"


def _with_place(labels, i, error, advice=""):
    """The error with the row of the map."""
    return ValueError(f"{labels.place(i)}: {error}{advice}")
