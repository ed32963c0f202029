"""Maps of a CSV file: their labels, their coefficients, and the split into training, validation and test."""

import csv
import math
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit._core.parallel import thread_count
from spherekit.experiments import blocks
from spherekit.experiments.signals import (
    Analysis,
    BandLimitError,
    coefficients,
    has_upper_half,
    low_coefficients,
    native_band_limit,
)

COLUMNS = "path", "label"
#: Highest band-limit by default: that of a small network on two CPUs.
DEFAULT_L = 128
#: So few different whole numbers look like classes.
_LIKE_CLASSES = 10


class Labels(NamedTuple):
    """The rows of a CSV file.

    source : the file
    paths : of the maps
    rows : line numbers, from 1
    classes : names, sorted; None where labels are numbers
    targets : class indices, or float64 numbers
    """

    source: str
    paths: list
    rows: list
    classes: list | None
    targets: np.ndarray

    def place(self, i):
        """Of a map, for messages."""
        return f"{self.source}, row {self.rows[i]}"


class LabelledMaps(NamedTuple):
    """Maps of a training.

    labels : Labels
    flm : coefficients, complex (maps, 1, L*L)
    subsets : index arrays of training, validation and test
    L : band-limit
    cut : degrees from L on were cut off
    has_upper_half : the maps hold power at degrees from L/2 on
    band_limit : L in words
    """

    labels: Labels
    flm: np.ndarray
    subsets: tuple
    L: int
    cut: bool
    has_upper_half: bool
    band_limit: str


# --- labels ------------------------------------------------------------------------------------------


def read_labels(source, kind=None):
    """`Labels` of a CSV file with the columns path and label; paths are relative to its folder.

    Parameters
    ----------
    source : path
    kind : {"classes", "numbers"}, optional
        By default numbers where all labels are.

    Raises
    ------
    FileNotFoundError
        The file, or a map that it lists.
    ValueError
        A missing column, path or label; a map that is listed twice; labels of which only several are numbers;
        one class only.
    """
    source = Path(source)
    if not source.is_file():
        raise FileNotFoundError(
            f"no file {source}; expected a CSV file that lists maps, with the columns path,label"
        )
    entries = list(_entries(source))
    if not entries:
        raise ValueError(f"{source} lists no maps; expected a row path,label for each")
    _check_paths(source, entries)
    rows, paths = [row for row, _, _ in entries], [path for _, path, _ in entries]
    numbers = [_number(text) for _, _, text in entries]
    if kind is None:
        kind = "classes" if None in numbers else "numbers"
        if None in numbers and any(number is not None for number in numbers):
            raise _mixed(source, entries, numbers)
    if kind == "classes":
        texts = [text for _, _, text in entries]
        classes = sorted(set(texts))
        if len(classes) < 2:
            raise ValueError(
                f"{source}: all {len(texts)} labels are {classes[0]!r}; expected two classes or more"
            )
        targets = np.array([classes.index(text) for text in texts])
        return Labels(str(source), paths, rows, classes, targets)
    for (row, _, text), number in zip(entries, numbers, strict=True):
        if number is None or not math.isfinite(number):
            raise ValueError(
                f"{source}, row {row}: the label is {text!r}; expected a finite number"
            )
    if len(set(numbers)) < 2:
        raise ValueError(
            f"{source}: all {len(numbers)} labels are {numbers[0]:g}; expected numbers that differ"
        )
    return Labels(str(source), paths, rows, None, np.array(numbers))


def look_like_classes(labels):
    """Whether labels that are numbers may be meant as classes: repeated whole numbers, few different ones."""
    values = np.unique(labels.targets)
    return (
        labels.classes is None
        and len(values) <= _LIKE_CLASSES
        and len(values) * 3 <= len(labels.targets)
        and bool(np.all(values == np.round(values)))
    )


def _entries(source):
    """(line number, path, label) of each row that is not empty."""
    try:
        with open(source, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.reader(file, strict=True)
            head = [name.strip() for name in next(reader, [])]
            missing = [name for name in COLUMNS if name not in head]
            if missing:
                raise ValueError(
                    f"{source}: its first row is {','.join(head)[:80]!r}, without "
                    f"{' and '.join(missing)}; expected the names of the columns, path,label"
                )
            places = [head.index(name) for name in COLUMNS]
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(head):
                    raise ValueError(
                        f"{source}, row {reader.line_num}: {len(cells)} cells; the first row names "
                        f"{len(head)} columns"
                    )
                path, label = (cells[place].strip() for place in places)
                yield reader.line_num, path, label
    except csv.Error as error:
        raise ValueError(f"{source} is not a CSV file: {error}") from None


def _check_paths(source, entries):
    """Replace the paths, in place, by those seen from the working folder; refuse what is missing."""
    seen = {}
    for number, (row, path, label) in enumerate(entries):
        for name, cell in zip(COLUMNS, (path, label), strict=True):
            if not cell:
                raise ValueError(
                    f"{source}, row {row}: the {name} is empty; fill it in, or remove the row"
                )
        file = source.parent / path
        if not file.is_file():
            raise FileNotFoundError(
                f"{source}, row {row}: no file {file}; paths are relative to the folder of {source.name}"
            )
        first = seen.setdefault(file.resolve(), row)
        if first != row:
            raise ValueError(
                f"{source}, row {row}: {path} is that of row {first}; list every map once, or a test map may "
                "be one of the training"
            )
        entries[number] = row, str(file), label


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


def _mixed(source, entries, numbers):
    """The error for labels of which several are numbers, naming a row of the rarer kind."""
    are_text = [number is None for number in numbers]
    rare = sum(are_text) * 2 <= len(are_text)
    row, _, text = entries[are_text.index(rare)]
    kinds = ("text", "numbers") if rare else ("a number", "text")
    return ValueError(
        f"{source}, row {row}: the label {text!r} is {kinds[0]}, most others are {kinds[1]}; correct it, or "
        "pass --classes if all labels are names of classes"
    )


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
        if len(group) < sum(counts) + least:
            needed = least + (validation > 0) + (test > 0)
            owner = f"of the class {name!r}" if labels.classes else "in total"
            raise ValueError(
                f"{labels.source} lists {len(group)} maps {owner}; expected {needed} at the least for "
                f"training, validation ({validation:g}) and test ({test:g}): add maps, or lower --validation "
                "and --test"
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
            flm = flm_of(read(labels.paths[i]), L, analysis._replace(threads=1))
        except BandLimitError as error:
            advice = f"; or pass --L {error.L}, to use the degrees < {error.L} of all maps"
            raise _with_place(labels, i, error, advice) from None
        except (ValueError, TypeError, OSError) as error:
            raise _with_place(labels, i, error) from None
        return {"flm": flm.astype(dtype), "has_upper_half": np.array(has_upper_half(flm))}

    n = len(labels.paths)
    manifest = {"maps": n, "files": _fingerprint(labels), "L": L, "cut": cut, "dtype": dtype.name}
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
    flm = arrays["flm"][:, None]
    return LabelledMaps(labels, flm, subsets, L, cut, bool(arrays["has_upper_half"][0]), words)


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
