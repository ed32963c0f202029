"""Maps of a CSV file: the split into training, validation and test maps, and their harmonic coefficients."""

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

#: Largest default band-limit, suitable for a small network on two CPUs.
DEFAULT_L = 128
#: Version of the arrays in the folder of the coefficients.
_VERSION = 2
#: Largest number of pairs of identical maps that a message lists.
_MAX_LISTED_PAIRS = 3


class LabeledMaps(NamedTuple):
    """Maps of a training.

    Attributes
    ----------
    labels : Labels
    x : complex ndarray [shape=(maps, L*L)]
        Coefficients divided by 2^exponent, in ``unit``.
    monopoles : float64 ndarray [shape=(maps,)]
        Coefficients of degree 0 divided by 2^exponent.
    exponent : int
    subsets : tuple of int ndarray
        Indices of the training, validation and test maps.
    L : int
        Band-limit.
    cut : bool
        Whether degrees >= L were truncated.
    has_upper_half : bool
        Whether the maps have power at degrees >= L/2.
    band_limit : str
        Description of L.
    unit : str
        Unit of all maps; "" if no file states one.
    notes : list of str
        Lines for the user.
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
        """(x, monopoles, exponent) of the maps with these indices."""
        return self.x[rows], self.monopoles[rows], self.exponent


# --- the split ---------------------------------------------------------------------------------------


def split(labels, validation, test, seed):
    """Random split into (training, validation, test) indices, stratified by class.

    Parameters
    ----------
    labels : Labels
    validation, test : float
        Fractions of the maps of each class. A subset with a positive fraction has at least one map of each
        class.
    seed : int

    Returns
    -------
    tuple of int ndarray

    Raises
    ------
    ValueError
        If there are too few maps.
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
        min_training = 1 if labels.classes else 2
        min_total = min_training + (validation > 0) + (test > 0)
        if len(group) < min_total:
            owner = f"of the class {name!r}" if labels.classes else "in total"
            raise ValueError(
                f"{labels.source} lists {len(group)} maps {owner}; expected at least {min_total} for "
                f"training, validation ({validation:g}) and test ({test:g}): add maps, or lower --validation "
                "and --test"
            )
        if len(group) < sum(counts) + min_training:
            owner = f"of the class {name!r}" if labels.classes else "in total"
            raise ValueError(
                f"{labels.source} lists {len(group)} maps {owner}; {counts[0]} for validation "
                f"({validation:g}) and {counts[1]} for the test ({test:g}) leave "
                f"{max(len(group) - sum(counts), 0)} for training; expected at least {min_training}: lower "
                "--validation or --test"
            )
        order = np.random.default_rng([seed, 81, number]).permutation(group)
        ends = np.cumsum(counts)
        pieces = order[ends[1] :], order[: ends[0]], order[ends[0] : ends[1]]
        for subset, indices in zip(subsets, pieces, strict=True):
            subset.append(indices)
    merged = [np.concatenate(subset) for subset in subsets]
    rng = np.random.default_rng([seed, 82])
    return tuple(rng.permutation(indices) for indices in merged)


# --- coefficients ------------------------------------------------------------------------------------


def band_limit(labels, L, read, analysis=None):
    """(L, cut, description) of the maps; for L = None the band-limit is that of the first map.

    With ``cut`` the degrees >= L are truncated; otherwise all maps must have this band-limit.
    """
    if L is not None:
        return L, True, f"degrees < {L}"
    path = labels.paths[0]
    try:
        signal = read(path)
        native = native_band_limit(signal)
        if native > DEFAULT_L:
            description = (
                f"degrees < {DEFAULT_L} of those < {native} of {path}; --L sets another band-limit"
            )
            return DEFAULT_L, True, description
        description = f"degrees < {native}, as in {path}"
        try:
            coefficients(signal, native, analysis)
        except BandLimitError:
            return native, True, description
        return native, False, description
    except (ValueError, TypeError, OSError) as error:
        raise _with_location(labels, 0, error) from None


def gather(labels, folder, values, read, *, analysis=None, progress=None):
    """The `LabeledMaps` of a configuration; the coefficients are cached in ``folder``.

    Parameters
    ----------
    labels : Labels
    folder : path
    values : dict
        Values of the configuration, by section.
    read : callable
        ``read(path)`` returns the `experiments.Signal` of a file.
    analysis : experiments.Analysis, optional
        Parameters of the least-squares analysis. Its number of threads is the number of maps that are
        processed in parallel.
    progress : callable, optional
        Called with (number of maps processed, total number of maps).

    Returns
    -------
    LabeledMaps
    """
    data, fit = values["data"], values["fit"]
    analysis = Analysis() if analysis is None else analysis
    subsets = split(labels, data["validation"], data["test"], data["seed"])
    L, cut, description = band_limit(labels, data["L"], read, analysis)
    dtype = np.result_type(fit["dtype"], np.complex64)
    flm_of = low_coefficients if cut else coefficients

    def measure(indices):
        return [arrays_of(i) for i in indices]

    def arrays_of(i):
        try:
            signal = read(labels.paths[i])
            flm = flm_of(signal, L, analysis._replace(threads=1))
        except BandLimitError as error:
            advice = f"; or pass --L {error.L} to use the degrees < {error.L} of all maps"
            raise _with_location(labels, i, error, advice) from None
        except (ValueError, TypeError, OSError) as error:
            raise _with_location(labels, i, error) from None
        x, monopole, e = split_scale(flm, dtype)
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
                f"{folder} contains coefficients of other maps than {labels.source} lists; choose another "
                "folder with -o"
            ) from None
        raise
    _check_upper_halves(labels, arrays["has_upper_half"], L)
    unit, factors, notes = _common_unit(labels, [str(text) for text in arrays["unit"]])
    x, monopoles, e = _with_common_exponent(arrays, factors)
    notes += _check_copies(labels, subsets, x, monopoles)
    upper = bool(arrays["has_upper_half"][0])
    return LabeledMaps(labels, x, monopoles, e, subsets, L, cut, upper, description, unit, notes)


def split_scale(flm, dtype):
    """Split coefficients into (x, monopole, e): flm = 2^e x, x of type ``dtype`` without the monopole.

    The monopole is the real part of degree 0; it is not divided by 2^e.

    >>> split_scale(np.array([3.0, 0, 4e30, 0]) + 0j, np.complex64)[1:]
    (3.0, 102)
    """
    e = scaling.exponent(flm[1:] if flm[1:].any() else flm)
    monopole = float(flm[0].real)
    x = scaling.ldexp(flm, -e)
    x.real[0] = 0
    return x.astype(dtype), monopole, e


def _common_unit(labels, map_units):
    """(unit of the first map, factors that convert the maps to it, lines for the user)."""
    unit = map_units[0]
    factors = np.ones(len(map_units))
    for i, map_unit in enumerate(map_units):
        try:
            factors[i] = units.factor(map_unit, unit, f"row {labels.rows[0]}")
        except ValueError as error:
            raise _with_location(labels, i, f"{labels.paths[i]}: {error}") from None
    notes = [f"unit: {unit}"] if unit else []
    for map_unit in dict.fromkeys(map_units):
        if map_unit != unit:
            count = map_units.count(map_unit)
            notes.append(f"   {count} map{'s' * (count != 1)} in {map_unit}: converted to {unit}")
    return unit, factors, notes


def _with_common_exponent(arrays, factors):
    """(x, monopoles, e): coefficients and monopoles of all maps, both divided by the common factor 2^e."""
    fractions, powers = np.frexp(factors)  # 1 = 0.5 2^1
    exponents = arrays["exponent"] + powers - 1
    e = int(exponents.max())
    x = arrays["x"]
    for i in np.flatnonzero(factors != 1):
        x[i] *= 2 * fractions[i]
    monopoles = scaling.ldexp(arrays["monopole"] * factors, -e)
    x = scaling.ldexp(x, (exponents - e)[:, None])
    with np.errstate(over="ignore"):
        x.real[:, 0] = monopoles
    return x, monopoles, e


def _check_copies(labels, subsets, x, monopoles):
    """Lines on identical maps; raises ValueError if they are in different subsets."""
    names = "training", "validation", "test"
    subset_of = {i: name for name, rows in zip(names, subsets, strict=True) for i in rows.tolist()}
    first_of = {}
    pairs = []
    for i in range(len(x)):
        key = hashlib.sha256(x[i].tobytes() + monopoles[i].tobytes()).digest()
        first = first_of.setdefault(key, i)
        if first != i:
            pairs.append((first, i))

    def describe(pairs):
        descriptions = [
            f"row {labels.rows[a]} ({labels.paths[a]}) and row {labels.rows[b]} ({labels.paths[b]})"
            for a, b in pairs[:_MAX_LISTED_PAIRS]
        ]
        return "; ".join(descriptions) + (
            f"; {len(pairs) - _MAX_LISTED_PAIRS} more" if len(pairs) > _MAX_LISTED_PAIRS else ""
        )

    split_pairs = [pair for pair in pairs if subset_of[pair[0]] != subset_of[pair[1]]]
    if split_pairs:
        raise ValueError(
            f"{labels.source}: {describe(split_pairs)} contain the same map, in different subsets of "
            "training, validation and test; list each map once"
        )
    return [f"   identical maps: {describe(pairs)}"] if pairs else []


def _check_upper_halves(labels, has_upper, L):
    if has_upper.all() or not has_upper.any():
        return
    number = int(np.flatnonzero(~has_upper)[0])
    low = max(L // 2, 1)
    raise ValueError(
        f"{labels.location(number)}: {labels.paths[number]} has no power at degrees {low}..{L - 1}, unlike "
        f"other maps: its band-limit is lower; pass --L {low} to use the degrees < {low} of all maps, or "
        "remove the row"
    )


def _fingerprint(labels):
    """Checksum of the paths of the maps and of the sizes and modification times of their files."""
    checksum = 0
    for path in labels.paths:
        status = Path(path).stat()
        text = f"{Path(path).resolve()} {status.st_size} {status.st_mtime_ns}\n"
        checksum = zlib.crc32(text.encode("utf-8", "surrogateescape"), checksum)
    return f"crc32 {checksum:08x}"


def _with_location(labels, i, error, advice=""):
    """The error with the row of the map in its message."""
    return ValueError(f"{labels.location(i)}: {error}{advice}")
