"""Rows of degree, order and coefficients in text: what the text formats of coefficients have in common."""

import gzip
import io
import itertools
import zlib
from typing import NamedTuple

import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_shtools

#: Commas separate numbers as blanks do, and D is an exponent of Fortran.
_PLAIN = bytes.maketrans(b",;Dd", b"  EE")
_BLOCK = 2**22


class Text(NamedTuple):
    """The lines of a file from number ``first``, counted from 1.

    ``content`` may have other characters than the file, such as blanks for commas; ``original`` are its own.
    """

    path: object
    content: bytes
    first: int = 1
    original: bytes = b""

    def line(self, number):
        """The line of this number in the file, shortened, for messages."""
        lines = (self.original or self.content).split(b"\n", number - self.first + 1)
        return lines[number - self.first][:60].decode("latin-1").strip()

    def translated(self, table):
        """The text with other characters in place of those of the file."""
        content = self.content.translate(table)
        return self._replace(content=content, original=self.original or self.content)

    def error(self, number, expected):
        """A ValueError with a line of the file and what was expected."""
        return ValueError(f"{self.path}, line {number}: {self.line(number)!r}; expected {expected}")


def read_text(path, size=None):
    """The `Text` of a file, decompressed by gzip where needed; with ``size``, about its first bytes only.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Damaged compressed data.
    MemoryError
        The text exceeds the memory that may be used.
    """
    blocks = []
    try:
        with open(path, "rb") as file:
            is_compressed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_compressed else open(path, "rb") as file:
            while (size is None or sum(map(len, blocks)) < size) and (block := file.read(_BLOCK)):
                blocks.append(block)
                checks.fits_memory(3 * sum(map(len, blocks)), f"the text of {path}", "cut the file")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path} is damaged or truncated: {error}; expected text compressed by gzip"
        ) from None
    content = b"".join(blocks).removeprefix(b"\xef\xbb\xbf")  # the mark of UTF-8
    return Text(path, content if size is None else content[:size])


def lines(text, count=None):
    """The first ``count`` lines that are neither empty nor comments, as (number, words)."""
    result = []
    for number, line in _numbered(text):
        words = line.split(b"#")[0].translate(_PLAIN).decode("latin-1").split()
        if words:
            result.append((number, words))
        if len(result) == count:
            break
    return result


def comments(text, end):
    """The comments in the lines before number ``end``, without the sign."""
    before = itertools.takewhile(lambda item: item[0] < end, _numbered(text))
    marked = [line.strip() for _, line in before if line.lstrip().startswith(b"#")]
    return [line.lstrip(b"#").strip().decode("utf-8", "replace") for line in marked]


def _numbered(text):
    """Yield the number and the content of each line."""
    start = 0
    for number in itertools.count(text.first):
        end = text.content.find(b"\n", start)
        yield number, text.content[start : end if end >= 0 else None]
        if end < 0:
            return
        start = end + 1


def as_numbers(words):
    """The words as numbers, or None if one is not a finite number."""
    if any("_" in word for word in words):  # which Python permits within numbers
        return None
    try:
        result = [float(word) for word in words]
    except ValueError:
        return None
    return result if np.isfinite(result).all() else None


def is_pair(words):
    """Whether the first two words are a degree l and an order m, with |m| <= l."""
    if len(words) < 2 or not all(word.lstrip("+-").isdecimal() for word in words[:2]):
        return False
    ell, m = (int(word[:12]) for word in words[:2])
    return 0 <= abs(m) <= ell


def table(text, first, expected):
    """The numbers of all rows from line ``first`` on.

    Parameters
    ----------
    text : Text
    first : int
        Number of the first line of numbers.
    expected : str
        What a row contains, for messages.

    Returns
    -------
    rows : float64 ndarray [shape=(n, columns)]
    body : Text
        The lines from ``first`` on.

    Raises
    ------
    ValueError
        A word that is not a finite number, or rows of different lengths; with the number of the line.
    """
    body = after(text, first - 1)
    body = body.translated(_PLAIN)
    if not lines(body, 1):
        raise ValueError(f"{text.path} ends after line {first - 1}; expected {expected}")
    checks.fits_memory(6 * len(body.content), f"the table of {text.path}", "cut the file")
    try:
        stream = io.TextIOWrapper(io.BytesIO(body.content), "latin-1")
        rows = np.loadtxt(stream, comments="#", ndmin=2)
    except (ValueError, OverflowError) as error:
        raise _error_of_row(body, expected, error) from None
    if not np.isfinite(rows).all():
        row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise text.error(line_of(body, row), f"finite numbers: {expected}")
    return rows, body


def after(text, number):
    """The lines of a text after that of this number."""
    position = 0
    for _ in range(number + 1 - text.first):
        position = text.content.find(b"\n", position) + 1
        if not position:
            return Text(text.path, b"", number + 1)
    return Text(text.path, text.content[position:], number + 1, text.original[position:])


def _error_of_row(body, expected, error):
    """The error for the first row that is not one of numbers, or not as long as the rows before it."""
    length = 0
    for number, words in lines(body):
        length = length or len(words)
        if len(words) != length:
            return body.error(number, f"{length} numbers, as in the rows before it: {expected}")
        if as_numbers(words) is None:
            return body.error(number, f"finite numbers: {expected}")
    return ValueError(f"{body.path}: {error}; expected {expected}")


def line_of(body, row):
    """The number of the line of a row of numbers."""
    return lines(body, row + 1)[row][0]


def degrees_and_orders(rows, body, *, signed=False):
    """Degree and order in the first two columns, as integers.

    Raises ValueError for numbers that are not a degree l >= 0 and an order m from 0 (``signed``: -l) to l,
    with the number of the line.
    """
    ell, m = rows[:, 0], rows[:, 1]
    lowest = -ell if signed else 0
    valid = (ell >= 0) & (ell % 1 == 0) & (m % 1 == 0) & (m >= lowest) & (m <= ell)
    if not valid.all():
        orders = "an order m from -l to l" if signed else "an order m from 0 to l"
        raise body.error(line_of(body, int(np.argmin(valid))), f"a degree l >= 0 and {orders}")
    highest = int(np.argmax(ell))
    if ell[highest] >= checks.MAX_BAND_LIMIT:
        raise body.error(
            line_of(body, highest), f"a degree below {checks.MAX_BAND_LIMIT}, the largest supported"
        )
    return ell.astype(np.int64), m.astype(np.int64)


def refuse_repetitions(ell, m, body):
    """Raise ValueError for a row whose degree and order are those of an earlier row."""
    index = ell * ell + ell + m
    order = np.argsort(index, kind="stable")
    repeated = order[1:][index[order][1:] == index[order][:-1]]
    if repeated.size:
        row = int(repeated.min())
        raise body.error(
            line_of(body, row), f"each pair once, but l = {ell[row]}, m = {m[row]} was given before"
        )


def band_limit(path, highest, L=None):
    """The band-limit of a file with degrees to ``highest``, or the lower one that was requested."""
    if L is None:
        return highest + 1
    L = checks.band_limit(L)
    if L > highest + 1:
        raise ValueError(
            f"L is {L}, but {path} contains degrees below {highest + 1}; lower or omit L"
        )
    return L


def coefficients(ell, m, cosine, sine, L, *, normalization, csphase):
    """Coefficients in the flat layout, from columns of C_lm and S_lm of the degrees and orders m >= 0.

    Rows of degrees from L on are ignored, and pairs without a row are zero.

    Parameters
    ----------
    ell, m : int64 ndarray [shape=(n,)]
    cosine, sine : ndarray [shape=(..., n)]
    L : int
    normalization, csphase
        As in `spherekit.conventions.from_shtools`.

    Returns
    -------
    complex128 ndarray [shape=(..., L*L)]
    """
    count = int(np.prod(cosine.shape[:-1]))
    checks.fits_memory(80 * count * L * L, f"{count} set(s) of coefficients of L = {L}", "pass L")
    below = ell < L
    index = ell[below], m[below]
    cilm = np.zeros((*cosine.shape[:-1], 2, L, L))
    cilm[..., 0, *index] = cosine[..., below]
    cilm[..., 1, *index] = sine[..., below]
    return from_shtools(cilm, normalization=normalization, csphase=csphase)
