"""Provenance: the command, the seed and the inputs from which a file was made, written into the file.

The command line opens `recording`; readers call `record_input`, and writers put the lines of `history` into
what they write. The lines have neither dates nor folders, so that the same command gives the same bytes.
"""

import collections
import gzip
import hashlib
import itertools
import os
import re
import shlex
import warnings
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import PathLike

import numpy as np

__all__ = ["command_line", "history", "record_input", "recording"]

#: Options that do not change what a command writes, with the number of their values.
_WITHOUT_EFFECT = {"--threads": 1, "--force": 0, "--debug": 0, "--json": 0, "--processes": 1}

#: The length of a HISTORY card, the mark of its continuation, and bytes read at once.
_CARD, _CONTINUED, _BLOCK = 72, "  ", 1 << 20


@dataclass
class _Recording:
    """A command, and its inputs: (path as named, hash) by real path, and the lines of their histories."""

    line: str = ""
    inputs: dict = field(default_factory=dict)
    histories: list = field(default_factory=list)


_PRESENT = ContextVar("the commands that are being recorded", default=())
_COMMAND = []


@contextmanager
def recording(command: str | Sequence[str], seed: int | None = None):
    """Context manager in which the files that are read and written belong to a command.

    A recording within another one, such as that of one file among several, has the inputs of both.

    Parameters
    ----------
    command : str or sequence of str
        The command as it is written to a shell, or its words, which `command_line` joins.
    seed : int, optional
        The seed of its random numbers.

    Examples
    --------
    >>> with recording(["spherekit", "simulate", "/data/cl.fits", "--threads", "4"], seed=1):
    ...     history()[0].split(": ")[1]
    'spherekit simulate cl.fits; seed 1'
    """
    line = _with_seed(command, seed)
    outer = _recordings()
    token = _PRESENT.set((*outer, _Recording(line)))
    if not outer:
        _COMMAND[:] = _PRESENT.get()
    try:
        yield
    finally:
        _PRESENT.reset(token)
        if not outer:
            _COMMAND.clear()


def _with_seed(command, seed):
    line = _ascii(command if isinstance(command, str) else command_line(command))
    return line if seed is None else f"{line}; seed {seed}"


def _recordings():
    """The recordings of this thread, outermost first; in a thread without any, the command of the process."""
    return _PRESENT.get() or tuple(_COMMAND)


def command_line(words: Sequence[str]) -> str:
    """The words of a command as written to a shell: paths without their folders.

    Options that change nothing in the results, such as --threads and --force, are left out.

    >>> command_line(["spherekit", "transform", "/data/a map.fits", "-o", "/out/a.npz", "--force"])
    "spherekit transform 'a map.fits' -o a.npz"
    """
    remaining = []
    omitted = 0
    for word in words:
        option, equals, _ = word.partition("=")
        if omitted or option in _WITHOUT_EFFECT:
            omitted = omitted - 1 if omitted else _WITHOUT_EFFECT[option] * (not equals)
        else:
            remaining.append(_without_folder(word))
    return shlex.join(remaining)


def _without_folder(word):
    """A path, or the path that an option --name=path has, without its folder; other words as they are."""
    option, equals, path = word.partition("=") if word.startswith("--") else ("", "", word)
    folder, name = os.path.split(path.rstrip(os.sep))
    is_path = os.path.isabs(path) or (bool(folder) and os.path.isdir(folder))
    return option + equals + (name or os.sep) if is_path else word


def record_input(path: str | PathLike, history: Iterable[str] = ()) -> None:
    """Note that the present command, if any, has read a file, which has this history.

    Outside of `recording` nothing is done; inside, the file is read once to compute its SHA-256 hash.
    """
    recordings = _recordings()
    if not recordings:
        return
    record = recordings[-1]
    key = os.path.realpath(os.fsdecode(path))
    if not any(key in outer.inputs for outer in recordings):
        record.inputs[key] = os.fsdecode(path), _hash(path)
    present = {line for outer in recordings for line in outer.histories}
    record.histories += [line for line in dict.fromkeys(history) if line not in present]


def inputs() -> list[dict[str, str]]:
    """The files that the present command has read: dicts of ``file``, as it was named, and ``sha256``."""
    entries = [entry for record in _recordings() for entry in record.inputs.values()]
    return [{"file": path, "sha256": digest} for path, digest in entries]


def _hash(path):
    if not os.path.isfile(path):  # a pipe, whose content cannot be read again
        return ""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def history(previous: Iterable[str] | None = None) -> tuple[str, ...]:
    """The lines of provenance of what is written now.

    Parameters
    ----------
    previous : iterable of str, optional
        The history of what the data were made from. By default, that of the inputs of the present command.

    Returns
    -------
    tuple of str
        The previous lines, then one of the form "spherekit VERSION: COMMAND; seed N; input NAME sha256:HEX",
        in printable ASCII. Outside of a command, it is "spherekit VERSION".

    Examples
    --------
    >>> history(["observed in 2009"])[0]
    'observed in 2009'
    """
    from spherekit._core import __version__

    recordings = _recordings()
    if previous is None:
        previous = [line for record in recordings for line in record.histories]
    line = f"spherekit {__version__}"
    if recordings:
        line = "; ".join([f"{line}: {recordings[-1].line}", *map(_described, inputs())])
    lines = [_ascii(text) for text in previous]
    return (*lines, line) if lines[-1:] != [line] else tuple(lines)


def _described(entry):
    """An input in a line of history."""
    digest = f" sha256:{entry['sha256']}" if entry["sha256"] else ""
    return f"input {_ascii(os.path.basename(entry['file']))}{digest}"


def _ascii(text):
    """Text in printable ASCII; other characters as escape sequences."""
    return "".join(c if c.isascii() and c.isprintable() else _escaped(c) for c in str(text))


def _escaped(character):
    return character.encode("unicode_escape", "surrogatepass").decode()


# --- reading back ------------------------------------------------------------------------------------------

_INPUT = re.compile(r"; input (.*?) sha256:([0-9a-f]{64})")


def is_of(
    path: str | PathLike, command: Sequence[str], seed: int | None, paths: Sequence[str]
) -> bool:
    """Whether the last line of the history of a file is that of a command of this version.

    Parameters
    ----------
    path : str or path
        The file.
    command : sequence of str
        The words of the command.
    seed : int or None
        The seed of its random numbers.
    paths : sequence of str
        The files that the command reads. Those that ``command`` names as values of options are found there.

    Raises
    ------
    ValueError or OSError
        A damaged file, or one without a readable history.
    """
    from spherekit._core import __version__

    line = of_file(path)[-1]
    start = f"spherekit {__version__}: {_with_seed(command, seed)}"
    recorded = _INPUT.findall(line)
    expected = start + "".join(f"; input {name} sha256:{digest}" for name, digest in recorded)
    candidates = filter(os.path.isfile, (*command, *paths))
    present = {_ascii(os.path.basename(candidate)): candidate for candidate in candidates}
    required = {_ascii(os.path.basename(name)) for name in paths}
    return (
        line == expected
        and required <= {name for name, _ in recorded}
        and all(name in present and _hash(present[name]) == digest for name, digest in recorded)
    )


def of_file(path: str | PathLike) -> tuple[str, ...]:
    """The lines of provenance in a file of this package: FITS, .npz, netCDF, text, PNG or JPEG.

    Raises
    ------
    ValueError or OSError
        A damaged or truncated file, or one without a readable history.
    """
    name = os.fsdecode(path).lower()
    read = next(reader for suffixes, reader in _READERS.items() if name.endswith(suffixes))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # astropy warns of a truncated file
            lines = read(path)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} has no readable history: {error}") from None
    if not lines:
        raise ValueError(f"{path} has no history")
    return tuple(lines)


def _of_fits(path):
    from astropy.io import fits

    with _opened(path, "rb") as file, fits.open(file, lazy_load_hdus=False) as hdus:
        end = max(hdu.fileinfo()["datLoc"] + hdu.fileinfo()["datSpan"] for hdu in hdus)
        file.seek(end - 1)
        if not file.read(1):
            raise ValueError(f"it is truncated: its tables end at byte {end}")
        while isinstance(file, gzip.GzipFile) and file.read(_BLOCK):
            pass  # up to its checksum
        return from_cards(hdus[0].header.get("HISTORY", ()))


def _of_npz(path):
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return [str(line) for line in np.atleast_1d(arrays["history"])]


def _of_picture(path):
    from PIL import Image

    with Image.open(path) as picture:
        picture.load()
        content = picture.info.get("Description") or picture.info["comment"].decode()
    return content.split("\n")


def _of_netcdf(path):
    from scipy.io import netcdf_file

    with netcdf_file(path, mmap=False) as file:
        return file.history.decode().split("\n")


def _opened(path, mode, **options):
    return (gzip.open if os.fspath(path).endswith(".gz") else open)(path, mode, **options)


def _of_text(path):
    """The lines ``# history: ...`` or ``# spherekit ...`` at the start of a text, also of gzip."""
    with _opened(path, "rt", encoding="ascii") as file:
        comments = [line[1:].strip() for line in itertools.takewhile(lambda x: x[:1] == "#", file)]
        end = collections.deque(file, maxlen=1)
    if not "".join(end).endswith("\n"):
        raise ValueError("it is truncated: its last line does not end")
    start = "history: "
    lines = [line.removeprefix(start) for line in comments if line.startswith(start)]
    return lines or [line for line in comments if line.startswith("spherekit ")]


_READERS = {
    (".fits", ".fits.gz"): _of_fits,
    (".npz",): _of_npz,
    (".nc",): _of_netcdf,
    (".png", ".jpg"): _of_picture,
    ("",): _of_text,
}


# --- HISTORY cards of FITS ---------------------------------------------------------------------------------


def to_cards(lines):
    """The texts of HISTORY cards, at most 72 characters, for lines of history.

    >>> [len(card) for card in to_cards(["spherekit 0.2.0: " + "x" * 100])]
    [72, 47]
    """
    cards = []
    for line in lines:
        remainder = line
        start = ""
        while remainder or not start:
            card = (start + remainder)[:_CARD]
            if len(card) < len(start + remainder):  # FITS drops blanks at the end of a card
                card = card.rstrip(" ") if card.strip(" ") else card
            cards.append(card)
            remainder = remainder[len(card) - len(start) :]
            start = _CONTINUED
    return cards


def from_cards(cards):
    """The lines of history of the texts of HISTORY cards.

    >>> line = "spherekit 0.2.0: spherekit rotate" + "  x" * 30 + " y"
    >>> from_cards(to_cards(["made by hand", line])) == ("made by hand", line)
    True
    """
    lines = []
    for card in map(str, cards):
        if card.startswith(_CONTINUED) and lines and lines[-1].startswith("spherekit "):
            lines[-1] += card[len(_CONTINUED) :]
        else:
            lines.append(card)
    return tuple(lines)
