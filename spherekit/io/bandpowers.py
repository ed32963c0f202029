"""Read and write bandpowers: tables of ranges of degrees, values and error bars, with their windows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from spherekit.io import bandpower_formats, stokes
from spherekit.io.blocks import naming_the_file
from spherekit.io.frames import frame_letter, frame_of
from spherekit.io.spectra import spectrum_of
from spherekit.io.units import as_floating, refuse_masked, without_unit


class BandpowerTable(NamedTuple):
    """Bandpowers of a file, as returned by `read_bandpowers`.

    Attributes
    ----------
    ell : float64 ndarray [shape=(n,)]
        The mean degree of each bin.
    first, last : int64 ndarray [shape=(n,)]
        Its lowest and highest degree.
    values : dict of str to float64 ndarray [shape=(n,)]
        The bandpowers by spectrum, such as "TT".
    errors : dict of str to float64 ndarray [shape=(n,)]
        Their standard deviations; none if the file has none.
    windows : dict of str to dict of str to float64 ndarray [shape=(n, L)]
        ``windows["EE"]["BB"]``: the mean of the bandpowers EE is the sum of their products with the spectra.
    kind : {"cl", "dl"}
        Whether the bandpowers are means of C_l, or of D_l = l(l+1) C_l / 2 pi.
    units : dict of str to str
        The units by spectrum, "" if there is none.
    frame : str
        "galactic", "ecliptic", "equatorial", or "" if the file does not define a frame.
    history : tuple of str
        How the file was made, oldest entry first.

    Examples
    --------
    >>> import os, tempfile
    >>> from spherekit.spectra import Bins
    >>> path = os.path.join(tempfile.mkdtemp(), "bandpowers.fits")
    >>> write_bandpowers(path, {"TT": [3.0, 1.0]}, Bins.from_edges([2, 10, 30]), unit="uK^2")
    >>> table = read_bandpowers(path)
    >>> table.ell, table.last, table.values["TT"]
    (array([ 5.5, 19.5]), array([ 9, 29]), array([3., 1.]))
    """

    ell: np.ndarray
    first: np.ndarray
    last: np.ndarray
    values: dict
    errors: dict
    windows: dict
    kind: str = "cl"
    units: dict = {}
    frame: str = ""
    history: tuple = ()


@naming_the_file
def read_bandpowers(path: str | PathLike) -> BandpowerTable:
    """Read bandpowers from a file of `write_bandpowers`, or a FITS table with the columns LMIN and LMAX.

    Parameters
    ----------
    path : str or path
        FITS, text or .npz, possibly compressed by gzip.

    Returns
    -------
    BandpowerTable

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A damaged file, or one of other contents; ranges that are not degrees in increasing order; values
        that are not finite.

    See Also
    --------
    read_spectra : spectra of each degree.

    Examples
    --------
    >>> import os, tempfile
    >>> from spherekit.spectra import Bins
    >>> path = os.path.join(tempfile.mkdtemp(), "bandpowers.txt")
    >>> write_bandpowers(path, {"TT": [3.0, 1.0]}, Bins.from_edges([2, 10, 30]), errors={"TT": [0.5, 0.1]})
    >>> read_bandpowers(path).errors["TT"]
    array([0.5, 0.1])
    """
    contents = bandpower_formats.read(path)
    first, last = _degrees(contents.first, "LMIN"), _degrees(contents.last, "LMAX")
    if (last < first).any() or (first[1:] <= last[:-1]).any():
        raise ValueError("LMIN and LMAX are not ranges of degrees in increasing order")
    for group in (contents.values, contents.errors):
        for name, values in group.items():
            _check(name, values, len(first))
    ell = (first + last) / 2 if contents.ell is None else np.asarray(contents.ell, float)
    kind = contents.kind or "cl"
    if kind not in ("cl", "dl"):
        raise ValueError(f"the kind of the bandpowers is {kind!r}; expected cl or dl")
    units = {name: contents.units.get(name, "") for name in contents.values}
    described = kind, units, frame_of(contents.frame), tuple(contents.history)
    return BandpowerTable(
        ell, first, last, contents.values, contents.errors, contents.windows, *described
    )


def write_bandpowers(
    path: str | PathLike,
    values: Mapping[str, ArrayLike],
    bins: object,
    *,
    errors: Mapping[str, ArrayLike] | None = None,
    windows: Mapping[str, Mapping[str, ArrayLike]] | None = None,
    unit: str | Mapping[str, str] = "",
    coordsys: str = "",
    polcconv: Literal["COSMO", "IAU"] | None = None,
    history: Sequence[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write bandpowers: FITS, text if the suffix is .txt or .dat, or .npz.

    The FITS table BANDPOWERS has the columns L, LMIN and LMAX (mean, lowest and highest degree of each bin),
    one for each spectrum, such as TT, and its error bars TT_ERR; the key KIND is CL or DL. The table WINDOWS
    has a row of L values for each bin, in columns such as EE_BB, that of the bandpowers EE from the spectrum
    BB. Text has the same columns without windows, .npz the arrays ``ell, lmin, lmax, bandpowers, errors,
    columns, windows, window_pairs, kind, unit, frame, polcconv, history``.

    Parameters
    ----------
    path : str or path
        The file. A file with the suffix ``.gz`` is compressed.
    values : dict of str to array_like [shape=(n,)]
        Finite bandpowers by spectrum, such as those of `spherekit.spectra.Bandpowers`.
    bins : spherekit.spectra.Bins
        The n bins.
    errors : dict of str to array_like [shape=(n,)], optional
        Standard deviations of some or all of the bandpowers.
    windows : dict of str to dict of str to array_like [shape=(n, L)], optional
        Bandpower windows, such as those of `spherekit.spectra.Bandpowers`.
    unit : str, or dict of str to str
        The unit of all spectra, or the units by name.
    coordsys : str
        The coordinate frame of the sky in any spelling that `spherekit.io.frame_of` accepts.
    polcconv : {"COSMO", "IAU"}, optional
        The polarization convention of the spectra, which are not changed. By default COSMO if there are
        spectra of E or B.
    history : sequence of str, optional
        How the bandpowers were made, oldest entry first, as of `write_cl`.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists, and ``overwrite`` is False.
    TypeError
        Masked entries; Python objects; bins of another type.
    ValueError
        Values, errors or windows of other shapes than those of the bins, or not finite; no values; another
        suffix; an unknown frame or convention.

    See Also
    --------
    read_bandpowers : read such a file.
    write_cl : spectra of each degree.

    Examples
    --------
    >>> import os, tempfile
    >>> from spherekit.spectra import Bins
    >>> path = os.path.join(tempfile.mkdtemp(), "bandpowers.npz")
    >>> write_bandpowers(path, {"EE": [3.0, 1.0], "BB": [0.1, 0.1]}, Bins.from_edges([2, 10, 30]))
    >>> list(read_bandpowers(path).values)
    ['EE', 'BB']
    """
    if not all(hasattr(bins, name) for name in ("first", "stop", "ell", "dl", "L")):
        raise TypeError(f"bins is {type(bins).__name__}; expected spherekit.spectra.Bins")
    n = len(bins.first)
    columns = {name: _values(x, f"the bandpowers {name}", (n,)) for name, x in values.items()}
    if not columns:
        raise ValueError("values is empty; expected the bandpowers of at least one spectrum")
    errors = {name: _values(x, f"the errors of {name}", (n,)) for name, x in (errors or {}).items()}
    windows = {
        name: {
            source: _values(x, f"the windows of {name}", (n, bins.L)) for source, x in of.items()
        }
        for name, of in (windows or {}).items()
    }
    unknown = [name for name in (*errors, *windows) if name not in columns]
    if unknown:
        raise ValueError(
            f"errors or windows have the spectra {', '.join(unknown)}; values has {', '.join(columns)}"
        )
    is_polarized = any(spectrum_of(name) not in ("", "TT") for name in columns)
    convention = stokes.convention_key(polcconv, is_polarized)
    units = {name: unit.get(name, "") if isinstance(unit, Mapping) else unit for name in columns}
    contents = bandpower_formats.Contents(
        np.asarray(bins.ell, float),
        np.asarray(bins.first),
        np.asarray(bins.stop) - 1,
        columns,
        errors,
        windows,
        "dl" if bins.dl else "cl",
        units,
        frame_letter(coordsys),
        convention.get("POLCCONV", ""),
        history,
    )
    bandpower_formats.write(os.fsdecode(path), contents, overwrite=overwrite)


def _values(x, label, shape):
    refuse_masked(x, label)
    x, _ = without_unit(x, "", label)
    x = as_floating(x.astype(float) if x.dtype.kind in "iub" else x, label).astype(float)
    if x.shape != shape:
        raise ValueError(f"{label} have shape {x.shape}; expected {shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{label} contain NaN or infinite values; expected finite values")
    return x


def _check(name, values, n):
    if values.shape != (n,) or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise ValueError(
            f"the column {name} has shape {values.shape} and dtype {values.dtype}; expected {n} finite "
            "numbers, one for each bin"
        )


def _degrees(values, name):
    values = np.asarray(values, float)
    if values.ndim != 1 or not values.size or not (values == np.round(values)).all():
        raise ValueError(f"the column {name} does not contain degrees; expected integers")
    if values.min() < 0:
        raise ValueError(
            f"the column {name} has the degree {values.min():g}; expected degrees >= 0"
        )
    return values.astype(np.int64)
