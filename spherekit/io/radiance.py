"""Pictures in Radiance's format RGBE (.hdr): a shared exponent for red, green and blue, run lengths."""

import re

import numpy as np

from spherekit._core import checks

_MOST_PIXELS = 2**28
_RESOLUTION = re.compile(rb"-Y (\d{1,9}) \+X (\d{1,9})")


def read_pixels(path):
    """Red, green and blue, linear in the light [shape=(height, width, 3)], float32."""
    with open(path, "rb") as file:
        header, data = _split(path, file.read())
    width, height = header
    checks.fits_memory(40.0 * width * height, f"the picture {path}", "reduce it first")
    pixels = np.empty((height, width, 4), np.uint8)
    position = 0
    for row in range(height):
        position = _read_row(path, data, position, pixels[row])
    exponent = pixels[..., 3:].astype(np.int32)
    scale = np.where(exponent > 0, np.ldexp(np.float32(1), exponent - 136), np.float32(0))
    return pixels[..., :3] * scale.astype(np.float32)


def _split(path, contents):
    """((width, height), data) of a file."""
    header, _, remainder = contents.partition(b"\n\n")
    resolution, _, data = remainder.partition(b"\n")
    match = _RESOLUTION.fullmatch(resolution.strip())
    if b"32-bit_rle_rgbe" not in header or match is None:
        raise ValueError(
            f"{path} has the header {header[:60]!r} and the resolution {resolution[:40]!r}; expected "
            "FORMAT=32-bit_rle_rgbe and rows from the top, -Y HEIGHT +X WIDTH"
        )
    height, width = int(match[1]), int(match[2])
    if not 0 < height * width < _MOST_PIXELS or len(data) < 4 * height:
        raise ValueError(
            f"{path} states {width} x {height} pixels and has {len(data)} bytes of them: it is truncated or "
            "damaged"
        )
    return (width, height), np.frombuffer(data, np.uint8)


def _read_row(path, data, position, row):
    """Decode a row of pixels, and return the position after it."""
    width = len(row)
    start = data[position : position + 4]
    has_runs = 8 <= width < 2**15 and start[:2].tolist() == [2, 2] and len(start) == 4
    if has_runs and int(start[2]) * 256 + int(start[3]) == width:
        position += 4
        for channel in range(4):
            position = _read_runs(path, data, position, row[:, channel])
        return position
    plain = data[position : position + 4 * width]
    if len(plain) < 4 * width:
        raise _truncated(path)
    row[:] = plain.reshape(width, 4)
    return position + 4 * width


def _read_runs(path, data, position, channel):
    """Decode one channel of a row: runs of one value (length above 128), and sequences of values."""
    column = 0
    while column < len(channel):
        if position + 1 >= len(data):
            raise _truncated(path)
        count = int(data[position])
        is_run = count > 128
        length = count - 128 if is_run else count
        values = data[position + 1 : position + 2 if is_run else position + 1 + length]
        if not length or column + length > len(channel) or len(values) < (1 if is_run else length):
            raise _truncated(path)
        channel[column : column + length] = values
        column += length
        position += 1 + len(values)
    return position


def _truncated(path):
    return ValueError(f"{path} is a Radiance picture that is truncated or damaged")
