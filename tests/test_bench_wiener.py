"""Time and accuracy of the Wiener filter: a small run."""

import re

import numpy as np
import pytest

from spherekit.bench import wiener
from spherekit.sampling import HEALPix

#: What `wiener_filter` promises of each C_l at its default tolerance, relative.
SPECTRUM_ERROR = 1e-3


def test_small_run(tmp_path, capsys):
    path = tmp_path / "masks.npz"
    np.savez(path, north=np.cos(HEALPix(16).theta) > -0.2)
    options = ["--nside", "32", "--noise", "100", "--reference"]
    wiener.main(["--mask", str(path), "--mask-field", "north", *options])
    output = capsys.readouterr().out
    observed = re.search(r"fraction (\S+),", output)[1]
    assert float(observed) == pytest.approx(0.6, abs=1 / 32)
    assert float(re.search(r"C_l: (\S+) at l", output)[1]) < SPECTRUM_ERROR


def test_masks_that_are_not_in_the_file(tmp_path, capsys):
    path = tmp_path / "masks.npz"
    np.savez(path, north=np.ones(12))
    with pytest.raises(SystemExit):
        wiener.main(["--mask", str(path), "--mask-field", "south"])
    assert "has north, not 'south'" in capsys.readouterr().err
