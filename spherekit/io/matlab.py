"""Coefficients in MATLAB files of version 5 and 7, such as those of SSHT. Objects are never constructed."""

import io
import math

import numpy as np

from spherekit._core import checks
from spherekit._core.atomic_files import replacing
from spherekit.conventions import from_shtools
from spherekit.conventions.indexing import degrees_and_orders, hermitian
from spherekit.io import coefficient_rows, provenance
from spherekit.io.arguments import UnsupportedContents, description
from spherekit.io.coefficient_conventions import UNSPECIFIED, agreed
from spherekit.io.frames import frame_of
from spherekit.io.matlab_arrays import variables
from spherekit.io.polarization import to_cosmo
from spherekit.io.records import Coefficients

#: Variables of text that `write` writes.
_TEXTS = ("unit", "name", "frame", "polcconv", "history")
#: The first 116 bytes of a file, in place of those of SciPy, which contain the date.
_DESCRIPTION = b"MATLAB 5.0 MAT-file, written by spherekit".ljust(116)


def read(path, L=None, requested=UNSPECIFIED, name=None, reality=None, spin=None):
    """Read the `Coefficients` of a MATLAB file."""
    contents = variables(path)
    name = _coefficients(path, contents, name)
    provenance.record_input(path)
    flm = _value(path, contents[name]).reshape(-1)
    limit = math.isqrt(flm.size)
    stated_limit = _scalar(path, contents, "L", limit)
    texts = {n: _value(path, v) for n, v in contents.items() if n in _TEXTS and v.kind == "char"}
    if stated_limit != limit:
        raise ValueError(
            f"{path} states L = {stated_limit}, but its array {name} has {flm.size} entries, as of "
            f"L = {limit}"
        )
    invalid = np.count_nonzero(~np.isfinite(flm))
    if invalid:
        raise ValueError(
            f"{path}: {invalid} of {flm.size} entries of {name} are NaN or infinite; expected finite numbers"
        )
    L = coefficient_rows.band_limit(path, limit - 1, L)
    spin = _scalar(path, contents, "spin", spin or 0)
    reality = False if spin else reality
    flm, notes = _in_layout(path, flm[: L * L].astype(complex), L, requested, reality)
    coefficients = Coefficients(
        flm,
        texts.get("name", "" if name == "flm" else name),
        texts.get("unit", ""),
        spins=spin,
        frame=frame_of(texts.get("frame", "")),
        polcconv=texts.get("polcconv", "COSMO"),
        history=tuple(texts["history"].split("\n")) if "history" in texts else (),
        notes=notes,
    )
    return to_cosmo(coefficients)


def _scalar(path, contents, name, default):
    """The integer of a variable, or the default if it is absent."""
    variable = contents.get(name)
    if variable is None:
        return default
    value = _value(path, variable).item() if variable.is_scalar else variable.kind
    if not isinstance(value, int | float) or not math.isfinite(value) or value % 1:
        raise ValueError(f"{path}: its variable {name} is {value!r}; expected an integer")
    return int(value)


def contains_coefficients(path):
    """Whether a MATLAB file has an array that `read` would read."""
    contents = variables(path)
    try:
        _coefficients(path, contents, None)
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
        "the orders m < 0 are zero in the file: completed as those of a real signal; "
        "entries that are C_lm + i S_lm need a normalization (4pi) and csphase too",
    )


def _value(path, variable):
    """The array or string of a variable."""
    try:
        return variable.read()
    except ValueError as error:
        raise ValueError(f"{path} is a damaged MATLAB file: {error}") from None


def _coefficients(path, contents, name):
    """The name of the array of coefficients: ``name``, ``flm``, or the only array of L*L numbers."""
    listed = ", ".join(f"{name} {v.shape} {v.kind}" for name, v in contents.items())
    if name is None and "flm" in contents:
        name = "flm"
    if name is None:
        matches = [n for n, v in contents.items() if _is_square(v) and not v.is_scalar]
        name = matches[0] if len(matches) == 1 else None
    if name not in contents or not _is_square(contents[name]):
        raise ValueError(
            f"{path} contains {listed or 'no variable'}; expected coefficients, an array flm of L*L numbers "
            "(another name is selected by field)"
        )
    checks.fits_memory(64 * math.prod(contents[name].shape), f"the array {name} of {path}")
    return name


def _is_square(variable):
    size = math.prod(variable.shape)
    is_vector = size == max(variable.shape, default=0)
    return variable.is_numeric and is_vector and size > 0 and math.isqrt(size) ** 2 == size


def write(coefficients, path, overwrite=False):
    """Write the coefficients of one signal as ``flm`` (L*L, 1), with ``L``, ``spin`` and their metadata."""
    from scipy.io import savemat

    if len(coefficients) > 1 or coefficients.axes:
        raise UnsupportedContents(
            f"{path} can contain one signal without axes, not {description(coefficients)}; select one, or "
            "write .npz"
        )
    described = {"unit": coefficients.units[0], "name": coefficients.names[0]}
    history = provenance.history(coefficients.history or None)
    described |= {"frame": coefficients.frame, "history": "\n".join(history)}
    described |= {"polcconv": coefficients.polcconv.removeprefix("COSMO")}
    contents = {"flm": coefficients.flm.reshape(-1, 1), "L": float(coefficients.L)}
    contents |= {"spin": float(coefficients.spins[0])}
    contents |= {name: text for name, text in described.items() if text}
    stream = io.BytesIO()
    savemat(stream, contents, appendmat=False)
    content = stream.getvalue()
    with replacing(path, overwrite) as temporary, open(temporary, "wb") as file:
        file.write(_DESCRIPTION + content[len(_DESCRIPTION) :])
