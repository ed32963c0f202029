"""Coefficients in the netCDF files of pyshtools: a variable ``coeffs`` on degrees and orders."""

import numpy as np

from spherekit._core import checks
from spherekit.conventions import from_shtools, to_shtools
from spherekit.io import coefficient_rows, netcdf, provenance, shtools
from spherekit.io.attributes import as_json, attributes_of
from spherekit.io.coefficient_conventions import SHTOOLS, UNSPECIFIED, Convention, agreed, check
from spherekit.io.frames import frame_of
from spherekit.io.polarization import to_cosmo
from spherekit.io.records import Coefficients
from spherekit.io.variables import Variables, variable

_NAME = "coeffs"
_DIMENSIONS = ("degree", "order")


def contains_coefficients(path, kind):
    """Whether a netCDF file has the variable of coefficients; False without the packages that read it."""
    try:
        with _opened(path, kind) as contents:
            return _is_coefficients(contents)
    except ImportError:
        return False


def _opened(path, kind):
    is_version_3 = kind == "a netCDF-3 file"
    return netcdf.open_netcdf3(path) if is_version_3 else netcdf.open_netcdf4(path)


def _is_coefficients(contents):
    return _NAME in contents.variables and contents.variables[_NAME].dims == _DIMENSIONS


def read(path, kind, L=None, requested=UNSPECIFIED):
    """Read the `Coefficients` of a netCDF file of pyshtools.

    The entry (l, m) of the matrix is C_lm for m <= l, and the entry (m-1, l) is S_lm.
    """
    with _opened(path, kind) as contents:
        if not _is_coefficients(contents):
            names = ", ".join(f"{n} ({', '.join(v.dims)})" for n, v in contents.variables.items())
            raise ValueError(
                f"{path} contains {names or 'no variable'}; expected coefficients, a variable coeffs "
                "(degree, order)"
            )
        coeffs = contents.variables[_NAME]
        size = coeffs.shape[0]
        if coeffs.shape != (size, size) or not size or coeffs.dtype.kind not in "fiu":
            raise ValueError(
                f"{path}: coeffs has shape {coeffs.shape} and dtype {coeffs.dtype}; expected real numbers of "
                "shape (L, L)"
            )
        checks.fits_memory(120 * size * size, f"coefficients of L = {size}", "pass a smaller file")
        matrix = np.asarray(coeffs.values, float)
        attributes = contents.attributes | coeffs.attributes
    if not np.isfinite(matrix).all():
        raise ValueError(f"{path} contains NaN or infinite coefficients; expected finite numbers")
    convention, note = agreed(path, requested, _convention(path, attributes))
    L = coefficient_rows.band_limit(path, size - 1, L)
    cilm = np.stack([np.tril(matrix), np.zeros_like(matrix)])
    cilm[1, :, 1:] = np.triu(matrix, 1)[:-1].T if size > 1 else 0
    flm = from_shtools(cilm[:, :L, :L], **convention._asdict())
    history = str(attributes.get("history", ""))
    provenance.record_input(path, history.splitlines())
    coefficients = Coefficients(
        flm,
        _text(attributes, "long_name"),
        _text(attributes, "units"),
        frame=frame_of(attributes.get("frame", "geographic")),
        polcconv=_text(attributes, "polcconv") or "COSMO",
        attributes=_attributes(path, attributes),
        history=tuple(history.splitlines()),
        notes=(note,) if note else (),
    )
    return to_cosmo(coefficients)


def _convention(path, attributes):
    """The convention in the attributes."""
    csphase = attributes.get("csphase")
    convention = Convention(
        _text(attributes, "normalization") or None,
        csphase if csphase is None else int(np.asarray(csphase).reshape(-1)[0]),
    )
    try:
        check(convention)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return convention


def _text(attributes, name):
    value = attributes.get(name, "")
    return value if isinstance(value, str) else ""


def _attributes(path, attributes):
    try:
        return attributes_of(_text(attributes, "attributes") or "{}")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write(coefficients, path, requested=UNSPECIFIED, overwrite=False):
    """Write the coefficients of one real signal to a netCDF-3 file, which pyshtools reads."""
    convention, _ = agreed(path, requested, default=SHTOOLS)
    shtools.refuse_several(path, coefficients)
    cilm = to_shtools(coefficients.flm, **convention._asdict())
    matrix = cilm[0] + np.vstack([cilm[1].T[1:], cilm[1].T[:1]])
    described = {"units": coefficients.units[0], "long_name": coefficients.names[0]}
    described |= {"frame": coefficients.frame, "attributes": as_json(coefficients.attributes)}
    described |= {"polcconv": coefficients.polcconv.removeprefix("COSMO")}
    described = {name: text for name, text in described.items() if text not in ("", "{}")}
    degrees = np.arange(coefficients.L, dtype=np.int32)
    contents = {name: variable((name,), degrees, {}) for name in _DIMENSIONS}
    contents[_NAME] = variable(_DIMENSIONS, matrix, described | convention._asdict())
    history = "\n".join(provenance.history(coefficients.history or None))
    netcdf.write_variables(Variables(contents, {"history": history}, path), path, overwrite)
