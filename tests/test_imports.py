"""What a transform imports: no large packages that it does not need."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import fft, special
from tolerances import LAST_PLACES, SHORT_SUM

from spherekit._core.bessel import i0e
from spherekit._core.fft_lengths import next_fast_length
from spherekit.sampling import quadrature

PACKAGES = """
import sys
import spherekit
for name in spherekit.__all__:
    getattr(spherekit, name)
"""

#: Transforms on the sphere and on SO(3), on grids with and without a resampling in theta.
TRANSFORMS = """
import sys
import numpy as np
import spherekit
from spherekit import wigner
for sampling in ("mw:4", "mwss:4", "dh:4", "cc:4", "gl:4", "healpix:1"):
    for spin in (0, 1):
        f = np.ones(spherekit.sampling.grid(sampling).shape)
        flm = spherekit.forward(f, 3, spin=spin, sampling=sampling)
        spherekit.inverse(flm, 3, spin=spin, sampling=sampling)
wigner.forward(wigner.inverse(np.zeros((3, 9), complex), 3, 2), 3, 2)
"""

LARGE_PACKAGES = """
parts_of_scipy = ("fft", "linalg", "optimize", "sparse", "spatial", "special")
packages = ("astropy", "matplotlib", *(f"scipy.{name}" for name in parts_of_scipy))
print([name for name in packages if name in sys.modules])
"""


@pytest.mark.parametrize("program", [PACKAGES, TRANSFORMS], ids=["packages", "transforms"])
def test_no_large_packages_are_imported(program):
    """The kernels run as plain Python, because Numba imports `scipy.linalg` where it compiles."""
    environment = os.environ | {"SPHEREKIT_SIMD": "numpy"}
    command = [sys.executable, "-c", program + LARGE_PACKAGES]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.stdout.split("\n")[0] == "[]", result.stdout + result.stderr


def test_grids_need_neither_autograd_nor_numba():
    """As processes that measure other packages, which may have neither."""
    program = "import sys; from spherekit import bench, sampling; sampling.HEALPix(2).shape; " + (
        "print([name for name in ('autograd', 'numba') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stdout + result.stderr


@pytest.mark.parametrize("largest_prime, real", [(5, True), (11, False)])
def test_fast_lengths_are_those_of_scipy(largest_prime, real):
    lengths = [*range(1, 2000), 32767, 65537, 10**6 + 3, 2**24 - 1]
    expected = [fft.next_fast_len(n, real=real) for n in lengths]
    assert [next_fast_length(n, largest_prime) for n in lengths] == expected


def test_bessel_function_is_that_of_scipy():
    x = np.concatenate([np.linspace(0, 700, 20001), [8, np.nextafter(8, 9)]])
    np.testing.assert_allclose(i0e(x), special.i0e(x), rtol=LAST_PLACES)
    assert i0e(8.0) == i0e([8.0])[0]


def test_sine_sums_are_those_of_scipy(monkeypatch):
    """The short FFTs are NumPy's."""
    expected = {}
    for period in (7, 96, 191, 1024):
        with monkeypatch.context() as patch:
            patch.setattr(quadrature, "_SHORT_FFT", 0)
            quadrature._equispaced.cache_clear()
            expected[period] = quadrature.equispaced(period, True)[1]
        quadrature._equispaced.cache_clear()
        weights = quadrature.equispaced(period, True)[1]
        np.testing.assert_allclose(weights, expected[period], rtol=SHORT_SUM)
