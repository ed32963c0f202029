"""Panoramas: the orientation, the channels, and Radiance's run lengths."""

import numpy as np
import pytest
from tolerances import SHORT_SUM

from spherekit import io


def write_radiance(path, rgbe, runs=True):
    """Write pixels of bytes red, green, blue and exponent, with or without run lengths."""
    height, width = rgbe.shape[:2]
    data = b"#?RADIANCE\n# a comment\nFORMAT=32-bit_rle_rgbe\n\n" + b"-Y %d +X %d\n" % (
        height,
        width,
    )
    for row in rgbe:
        if not runs:
            data += row.tobytes()
            continue
        data += bytes([2, 2, width >> 8, width & 255])
        for channel in row.T:
            data += run_lengths(channel)
    path.write_bytes(data)


def run_lengths(channel):
    encoded = b""
    position = 0
    while position < len(channel):
        length = 1
        while channel[position : position + length + 1].tolist() == [channel[position]] * (
            length + 1
        ):
            length += 1
            if length == 127:
                break
        if length > 2:
            encoded += bytes([128 + length, channel[position]])
        else:
            encoded += bytes([length]) + channel[position : position + length].tobytes()
        position += length
    return encoded


def assert_orientation(grid, height):
    """The first row is that of the north; both angles start at half a step."""
    steps = np.pi / height
    np.testing.assert_allclose(
        grid.theta, (np.arange(height) + 0.5) * steps, rtol=0, atol=SHORT_SUM
    )
    np.testing.assert_allclose(
        grid.phi, (np.arange(2 * height) + 0.5) * steps, rtol=0, atol=SHORT_SUM
    )


@pytest.mark.parametrize("runs", [True, False])
def test_radiance(here, rng, runs):
    rgbe = rng.integers(0, 256, (8, 16, 4)).astype(np.uint8)
    rgbe[2:4, :, :3] = 7  # long runs
    rgbe[0, 0, 3] = 0
    write_radiance(here / "sky.hdr", rgbe, runs)
    sky = io.read("sky.hdr")
    expected = rgbe[..., :3] * np.where(rgbe[..., 3:] > 0, 2.0 ** (rgbe[..., 3:] - 136.0), 0)
    assert sky.names == ("R", "G", "B") and sky.values.dtype == np.float32
    np.testing.assert_array_equal(sky.values, expected.transpose(2, 0, 1).astype(np.float32))
    assert_orientation(sky.grid, 8)
    np.testing.assert_array_equal(io.read("sky.hdr", field="G").values, sky.values[1])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png(here, rng, channels):
    imageio = pytest.importorskip("imageio.v3")
    pixels = rng.integers(0, 256, (8, 16, channels)).astype(np.uint8)
    imageio.imwrite("sky.png", pixels[..., 0] if channels == 1 else pixels)
    sky = io.read("sky.png")
    values = sky.values.reshape(channels, 8, 16)
    np.testing.assert_array_equal(values, pixels.transpose(2, 0, 1))
    assert (
        sky.names == {1: ("gray",), 2: ("gray", "A"), 3: tuple("RGB"), 4: tuple("RGBA")}[channels]
    )
    assert "not linear" in sky.notes[1]
    assert_orientation(sky.grid, 8)


def test_jpeg_and_other_shapes(here, rng):
    imageio = pytest.importorskip("imageio.v3")
    imageio.imwrite("sky.jpg", np.full((8, 16, 3), 100, np.uint8))
    assert io.read("sky.jpg").values.shape == (3, 8, 16)
    imageio.imwrite("photo.png", np.zeros((8, 12, 3), np.uint8))
    with pytest.raises(ValueError, match="12 x 8 pixels; expected an equirectangular panorama"):
        io.read("photo.png")
    with pytest.raises(ValueError, match="no field 'H'; its fields are R; G; B"):
        io.read("sky.jpg", field="H")
    (here / "bad.png").write_bytes((here / "photo.png").read_bytes()[:40])
    with pytest.raises(ValueError, match="bad.png cannot be read as a map: it is a PNG picture"):
        io.read("bad.png")
    write_radiance(here / "photo.hdr", np.zeros((8, 12, 4), np.uint8))
    with pytest.raises(ValueError, match="12 x 8 pixels"):
        io.read("photo.hdr")
