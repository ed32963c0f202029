"""Options that several commands share."""

import numpy as np
import pytest

from spherekit.cli import options


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("30arcmin", 0.5),
        ("1.5 deg", 1.5),
        ("-2DEG", None),
        ("1e1arcsec", 1 / 360),
        (".5rad", np.degrees(0.5)),
        ("30'", 0.5),
        ("36mas", 1e-5),
        ("-3deg", -3.0),
        ("1", None),
        ("", None),
        ("deg", None),
        ("nan deg", None),
        ("1e999deg", None),
        ("1deg2", None),
    ],
)
def test_angles(text, degrees):
    if degrees is None:
        with pytest.raises(options.Usage, match="--fwhm is .*30arcmin"):
            options.angle(text, "--fwhm")
    else:
        np.testing.assert_allclose(np.degrees(options.angle(text, "--fwhm")), degrees, rtol=1e-14)


def test_an_angle_with_a_default_unit():
    assert options.angle("0.5", default="rad") == 0.5
