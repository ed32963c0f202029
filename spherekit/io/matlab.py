"""Coefficients in MATLAB files of version 5 and 7, such as those of SSHT. Objects are never constructed."""

import io
import math
import warnings
import zlib

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.conventions import from_shtools
from spherekit.conventions.indexing import degrees_and_orders, hermitian
from spherekit.io import coefficient_rows, provenance
from spherekit.io.coefficient_conventions import UNSPECIFIED, agreed
from spherekit.io.frames import frame_of
from spherekit.io.records import Coefficients

_DAMAGED = ValueError, TypeError, KeyError, IndexError, EOFError, OSError, NotImplementedError
_DAMAGED += AttributeError, zlib.error, OverflowError, UnicodeDecodeError
#: Classes of MATLAB that are arrays of numbers.
_NUMERIC = {"double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"}
_NUMERIC |= {"uint64"}
#: Variables of text that `write` writes.
_TEXTS = ("unit", "name", "frame", "history")
#: The first 116 bytes of a file, in place of those of SciPy, which contain the date.
_DESCRIPTION = b"MATLAB 5.0 MAT-file, written by spherekit".ljust(116)


def read(path, L=None, requested=UNSPECIFIED, name=None, reality=None, spin=None):
    """Read the `Coefficients` of a MATLAB file."""
    variables = _outline(path)
    name = _coefficients(path, variables, name)
    scalars = [n for n in ("L", "spin") if _is_scalar(variables.get(n))]
    texts = [n for n in _TEXTS if variables.get(n, ((), ""))[1] == "char"]
    arrays = _load(path, [name, *scalars, *texts])
    flm = np.asarray(arrays[name]).reshape(-1)
    limit = math.isqrt(flm.size)
    if "L" in arrays and arrays["L"].item() != limit:
        raise ValueError(
            f"{path} states L = {arrays['L'].item()}, but its array {name} has {flm.size} entries, as of "
            f"L = {limit}"
        )
    invalid = np.count_nonzero(~np.isfinite(flm))
    if invalid:
        raise ValueError(
            f"{path}: {invalid} of {flm.size} entries of {name} are NaN or infinite; expected finite numbers"
        )
    L = coefficient_rows.band_limit(path, limit - 1, L)
    flm, notes = _in_layout(path, flm[: L * L].astype(complex), L, requested, reality)
    provenance.record_input(path)
    texts = {n: "".join(arrays[n].reshape(-1).tolist()) for n in texts}
    return Coefficients(
        flm,
        texts.get("name", "" if name == "flm" else name),
        texts.get("unit", ""),
        spins=_spin(path, arrays, spin),
        frame=frame_of(texts.get("frame", "")),
        history=tuple(texts["history"].split("\n")) if "history" in texts else (),
        notes=notes,
    )


def _spin(path, arrays, spin):
    """The spin in the file, or else ``spin``."""
    value = arrays["spin"].item() if "spin" in arrays else spin or 0
    if value % 1:
        raise ValueError(f"{path}: its variable spin is {value!r}; expected an integer")
    return int(value)


def contains_coefficients(path):
    """Whether a MATLAB file has an array that `read` would read."""
    try:
        _coefficients(path, _outline(path), None)
    except (ValueError, MemoryError):
        return False
    return True


def _in_layout(path, flm, L, requested, reality):
    """(coefficients, notes): the half m >= 0 of a real signal completed, or converted from C_lm + i S_lm."""
    ell, m = degrees_and_orders(L)
    is_half = L > 1 and not flm[m < 0].any() and flm[m > 0].any()
    if requested != UNSPECIFIED:
        convention, _ = agreed(path, requested)
        if not is_half and L > 1:
            raise ValueError(
                f"{path} contains orders m < 0, hence coefficients of complex functions; normalization and "
                "csphase apply to C_lm + i S_lm in the orders m >= 0 only: omit them"
            )
        cilm = np.zeros((2, L, L))
        index = ell[m >= 0], m[m >= 0]
        cilm[0, *index] = flm[m >= 0].real
        cilm[1, *index] = flm[m >= 0].imag
        return from_shtools(cilm, **convention._asdict()), (
            f"the orders m >= 0 were read as C_lm + i S_lm, {convention}",
        )
    if not is_half or reality is False:
        return flm, ()
    half = m >= 0
    return hermitian(flm[half], ell[half], m[half], L), (
        "the orders m < 0 are zero in the file: completed as those of a real signal (reality=False omits "
        "this); if its entries are C_lm + i S_lm, pass normalization and csphase",
    )


def _is_scalar(variable):
    return variable is not None and variable[0] == (1, 1) and variable[1] in _NUMERIC


def _outline(path):
    """(shape, class) of the variables by name, from the headers only."""
    from scipy.io import whosmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {name: (shape, kind) for name, shape, kind in whosmat(path, appendmat=False)}
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _load(path, names):
    from scipy.io import loadmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return loadmat(path, variable_names=names, appendmat=False)
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _damaged(path, error):
    if "HDF" in str(error):
        return ValueError(
            f"{path} is a MATLAB file of version 7.3, which is HDF5; save it with version 7: "
            "save('file.mat', 'flm', '-v7')"
        )
    return ValueError(f"{path} is a damaged MATLAB file: {type(error).__name__}: {error}")


def _coefficients(path, variables, name):
    """The name of the array of coefficients: ``name``, ``flm``, or the only array of L*L numbers."""
    listed = ", ".join(f"{n} {shape} {kind}" for n, (shape, kind) in variables.items())
    if name is None and "flm" in variables:
        name = "flm"
    if name is None:
        matches = [n for n, variable in variables.items() if _is_square(variable)]
        name = matches[0] if len(matches) == 1 else None
    if name not in variables or not _is_square(variables[name]):
        raise ValueError(
            f"{path} contains {listed or 'no variable'}; expected coefficients, an array flm of L*L numbers "
            "(another name is selected by field)"
        )
    checks.fits_memory(64 * math.prod(variables[name][0]), f"the array {name} of {path}")
    return name


def _is_square(variable):
    shape, kind = variable
    size = math.prod(shape)
    is_vector = size == max(shape, default=0)
    return kind in _NUMERIC and is_vector and size > 1 and math.isqrt(size) ** 2 == size


def write(coefficients, path, overwrite=False):
    """Write the coefficients of one signal as ``flm`` (L*L, 1), with ``L``, ``spin`` and their metadata."""
    from scipy.io import savemat

    if len(coefficients) > 1 or coefficients.axes:
        raise ValueError(
            f"{path} can contain one signal without axes, not {coefficients!r}; select one, or write .npz"
        )
    described = {"unit": coefficients.units[0], "name": coefficients.names[0]}
    history = provenance.history(coefficients.history or None)
    described |= {"frame": coefficients.frame, "history": "\n".join(history)}
    variables = {"flm": coefficients.flm.reshape(-1, 1), "L": float(coefficients.L)}
    variables |= {"spin": float(coefficients.spins[0])}
    variables |= {name: text for name, text in described.items() if text}
    stream = io.BytesIO()
    savemat(stream, variables, appendmat=False)
    content = stream.getvalue()
    with replacing(path, overwrite) as temporary, open(temporary, "wb") as file:
        file.write(_DESCRIPTION + content[len(_DESCRIPTION) :])
