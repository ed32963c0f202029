"""Arguments of functions of masked maps: grid, coordinates, samples of scalar and spin fields."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval

from spherekit._core.labeled import check_coordinates, is_map, stated_sampling
from spherekit._core.missing import is_missing, missing_samples
from spherekit._core.traced import as_float_array
from spherekit.io import stokes
from spherekit.io.winds import winds
from spherekit.sampling.base import Grid
from spherekit.sampling.grids import grid as as_grid

#: The grid of arrays, where no grid is stated.
DEFAULT_SAMPLING = "mw"


def grid_of(sampling, L=None, **inputs):
    """The grid ``sampling``, or if it is None that of the first map or mask that states one, or else MW.

    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> grid_of(None, 4, f=np.ones(12), mask=Map(np.ones(12), "healpix:1"))
    HEALPix(nside=1, weighting='ring')
    >>> grid_of(None, 4, f=np.ones((4, 7))).name
    'mw'
    """
    if sampling is not None:
        return as_grid(sampling, L)
    for x in inputs.values():
        if isinstance(getattr(x, "grid", None), Grid):
            return x.grid
    if L is None:
        name, x = next(iter(inputs.items()))
        return as_grid(stated_sampling(x, None, name))
    grid = as_grid(DEFAULT_SAMPLING, L)
    for name, x in inputs.items():
        _check_default_shape(x, grid, name)
    return grid


def _check_default_shape(x, grid, name):
    if x is None:
        return
    try:
        shape = np.shape(x)
    except ValueError:  # lists of different lengths, which are refused as samples
        return
    expected = tuple(grid.shape)
    if shape[-len(expected) :] != expected:
        raise ValueError(
            f"{name} has shape {shape}, and no sampling was passed, so that it is {DEFAULT_SAMPLING!r} by "
            f"default: {grid!r} needs (..., {', '.join(map(str, expected))}); pass the grid of the samples, "
            "such as sampling='healpix:64'"
        )


def common_frame(**inputs):
    """The frame, such as "galactic", of the maps and masks that state one, or "".

    Raises
    ------
    ValueError
        Two frames.

    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> common_frame(f=np.ones(12), mask=Map(np.ones(12), "healpix:1", frame="galactic"))
    'galactic'
    """
    frames = {name: frame for name, x in inputs.items() if (frame := _frame(x))}
    if len(set(frames.values())) > 1:
        described = " and ".join(f"{name} is {frame}" for name, frame in frames.items())
        raise ValueError(
            f"the coordinates differ: {described}; rotate one to the frame of the other "
            "(spherekit.wigner.rotate_map), or pass .values if the frame that it states is wrong"
        )
    return next(iter(frames.values()), "")


def _frame(x):
    frame = getattr(x, "frame", "") if isinstance(getattr(x, "grid", None), Grid) else ""
    return frame if isinstance(frame, str) else ""


def samples_of_spin(f, spin, grid, name="f"):
    """The samples of maps of a spin as an array: complex, or real of spin 0.

    The two real components of a spin field in a `spherekit.io.Map` become complex: Q + i U (of the IAU
    convention with -U), the wind -v + i u of spin 1, or the first plus i times the second.

    Raises
    ------
    TypeError
        Complex maps of spin 0, real ones of another spin.
    ValueError
        A map on another grid, of another spin or without two components.

    >>> import numpy as np
    >>> from spherekit.io import Map
    >>> sky = Map(np.ones((2, 12)), "healpix:1", ("Q", "U"), polcconv="IAU")
    >>> samples_of_spin(sky, 2, sky.grid)[0]
    np.complex128(1-1j)
    """
    check_coordinates(f, grid, name)
    if is_map(f):
        f = _signal_of_map(f, spin, name)
    f = as_float_array(f, name)
    if spin == 0 and anp.iscomplexobj(f):
        raise TypeError(
            f"{name} is complex; maps of spin 0 are real: pass spin for spin fields, or {name}.real"
        )
    if spin and not anp.iscomplexobj(f):
        example = {1: "-v + 1j * u", 2: "Q + 1j * U"}.get(abs(spin), "the first + 1j * the second")
        raise TypeError(
            f"{name} is real ({np.result_type(getval(f))}); maps of spin {spin} are complex: pass {example}"
        )
    return f


def _signal_of_map(sky, spin, name):
    """The samples of a `Map`, as one complex signal where its spin is not 0."""
    sky_spin = getattr(sky, "spin", None)
    if sky_spin is not None and sky_spin != spin:
        raise ValueError(
            f"{name} is a map of spin {sky_spin}, and spin is {spin}; pass spin={sky_spin}, or "
            f"{name}.values for its plain numbers"
        )
    values = as_float_array(sky.values, name)
    if spin == 0:
        if stokes.pairs(sky.names) and sky.frame != "geographic":
            raise ValueError(
                f"{name} is a map of {', '.join(sky.names)}; select I for spin 0, or Q and U for spin 2, or "
                f"pass {name}.values for its plain numbers"
            )
        return values
    if not np.iscomplexobj(values):
        if len(sky.names) != 2:
            raise ValueError(
                f"{name} has the field(s) {', '.join(sky.names)}; expected the two components of a field of "
                f"spin {spin}: select them"
            )
        values = _complex_signal(sky, values, spin)
    return np.conj(values) if getattr(sky, "polcconv", "") == "IAU" and abs(spin) == 2 else values


def _complex_signal(sky, values, spin):
    if abs(spin) == 1:
        standard = [sky.attributes.get(x, {}).get("standard_name") for x in sky.names]
        for u, v in winds(sky.names, sky.units, standard, any_unit=True).items():
            return -values[v] + 1j * values[u]
    first, second = next(iter(stokes.pairs(sky.names)), (0, 1))
    return values[first] + 1j * values[second]


def check_observed(f, observed, name="f"):
    """Refuse missing samples of maps where a mask is not 0.

    Raises
    ------
    ValueError
        NaN, infinite or UNSEEN samples there, with their number.

    >>> import numpy as np
    >>> check_observed(np.array([np.nan, 1.0]), np.array([False, True]))
    """
    f = f[..., observed]
    if (np.abs(f) < 1e15).all():
        return
    nonfinite = f.size - np.count_nonzero(np.isfinite(f))
    unseen = np.count_nonzero(is_missing(f) & np.isfinite(f))
    if nonfinite or unseen:
        raise ValueError(
            f"{nonfinite} samples of {name} are NaN or infinite and {unseen} are UNSEEN, of the {f.size} "
            "where mask is not 0; pass a mask that is 0 at missing samples"
        )
    missing_samples(f, name=name)  # also UNSEEN times a factor


def warn_beyond_pixels(grid, L):
    """Warn where L is beyond 3 nside on HEALPix.

    >>> from spherekit.sampling import MW
    >>> warn_beyond_pixels(MW(4), 4)
    """
    if grid.name == "healpix" and L > 3 * grid.nside:
        warnings.warn(
            f"L={L} is beyond 3 nside = {3 * grid.nside}: the pixels do not determine the highest degrees of "
            f"the masked maps; pass L <= {3 * grid.nside}",
            UserWarning,
            stacklevel=3,
        )


@contextmanager
def without_warnings_of_pixels(grid, L):
    """The warnings of transforms beyond 3 nside are not repeated.

    >>> from spherekit.sampling import HEALPix
    >>> with without_warnings_of_pixels(HEALPix(1), 4):
    ...     warnings.warn("L=4 is beyond 3 nside = 3", UserWarning)
    """
    if grid.name != "healpix" or L <= 3 * grid.nside:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"L=\d+ is beyond 3 nside", UserWarning)
        yield
