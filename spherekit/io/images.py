"""Panoramas in pictures: equirectangular, the first row at the north pole."""

import warnings

import numpy as np

from spherekit import sampling
from spherekit._core import checks
from spherekit.io import radiance
from spherekit.io.arguments import optional_module, select_names
from spherekit.io.records import Map

_CHANNELS = {1: ("gray",), 2: ("gray", "A"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}


def read_panorama(path, kind, field=None):
    """The `Map` of a panorama, whose fields are its channels.

    Row t of h is at the colatitude pi (t + 1/2) / h, and column p of w at the longitude 2 pi (p + 1/2) / w.
    """
    pixels = radiance.read_pixels(path) if kind == "a Radiance picture" else _pixels(path, kind)
    height, width = pixels.shape[:2]
    if width != 2 * height:
        raise ValueError(
            f"{path} has {width} x {height} pixels; expected an equirectangular panorama, twice "
            "as wide as high"
        )
    pixels = pixels.reshape(height, width, -1)
    names = _CHANNELS.get(pixels.shape[-1])
    if names is None:
        raise ValueError(f"{path} has {pixels.shape[-1]} channels; expected 1 to 4")
    selected = select_names(path, list(range(len(names))) if field is None else field, names)
    layout = sampling.LatLon(
        90 - (np.arange(height) + 0.5) * (180 / height), (np.arange(width) + 0.5) * (360 / width)
    )
    channels = [layout.to_grid(pixels[..., names.index(name)]) for name in selected]
    notes = ["the first row is the one at the north pole, and longitudes increase with the columns"]
    if pixels.dtype.kind in "iu":
        notes.append(
            "values are as in the file, sRGB for most pictures, which are not linear in the light"
        )
    values = np.stack(channels) if len(channels) > 1 else np.ascontiguousarray(channels[0])
    return Map(values, layout.grid, selected, frame="horizontal", notes=tuple(notes))


def _pixels(path, kind):
    """The samples of a picture [shape=(height, width) or (height, width, channels)]."""
    iio = optional_module("imageio.v3", "images", f"{path} is {kind}")
    try:
        with warnings.catch_warnings():  # of pictures that are large or have damaged metadata
            warnings.simplefilter("ignore")
            shape = iio.improps(path, plugin="pillow").shape
            checks.fits_memory(2.0 * np.prod(shape) * 8, f"the picture {path}", "reduce it first")
            return np.asarray(iio.imread(path, plugin="pillow"))
    except MemoryError:
        raise
    except Exception as error:  # each plugin raises exceptions of its own
        reason = str(error).split("\n")[0]
        raise ValueError(
            f"{path} cannot be read as a map: it is {kind}, truncated or damaged ({reason})"
        ) from None
