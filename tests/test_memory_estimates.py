"""Memory estimates against what jobs use: peak less prior resident memory, in a process that has compiled."""

import os
import pathlib
import subprocess
import sys

import pytest

import spherekit as sk
from spherekit import wigner

ROOT = pathlib.Path(sk.__file__).parents[1]

#: Prints (estimate, bytes used). What `fits_memory` was asked is the estimate.
PROGRAM = """
import ctypes, gc
import numpy as np
import spherekit as sk
from spherekit import wigner
from spherekit._core import checks
from spherekit.testing import random_flm, random_flmn

def status(key):
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))

rng = np.random.default_rng(0)
{small}
asked, check = [], checks.fits_memory
checks.fits_memory = lambda required, *args: asked.append(required) or check(required, *args)
{data}
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
prior = status("VmRSS")
result = {job}
print(max(asked), status("VmHWM") - prior)
"""

#: (a small job that compiles, the input, the job)
JOBS = {
    "real, inverse": (
        "sk.inverse(np.zeros(1024), 32, sampling='gl', reality=True, threads=1)",
        "flm = np.zeros(2400**2, complex)",
        "sk.inverse(flm, 2400, sampling='gl', reality=True, threads=1)",
    ),
    "complex on mw, forward, two threads": (
        "sk.forward(np.zeros((32, 63), complex), 32, threads=2)",
        "f = np.zeros((2048, 4095), complex)",
        "sk.forward(f, 2048, threads=2)",
    ),
    "first longitude, batch in single precision, forward": (
        "sk.forward(np.zeros((32, 64), np.float32), 32, sampling='gl:32,n_phi=64,phi0=half', reality=True)",
        "f = np.zeros((8, 1024, 2048), np.float32)",
        "sk.forward(f, 1024, sampling='gl:1024,n_phi=2048,phi0=half', reality=True, threads=1)",
    ),
    "HEALPix, spin 2, inverse": (
        "sk.inverse(np.zeros(1024), 32, spin=2, sampling='healpix:16')",
        "flm = np.zeros(1200**2, complex)",
        "sk.inverse(flm, 1200, spin=2, sampling='healpix:600')",
    ),
    "batch in single precision": (
        "sk.inverse(np.zeros((16, 100**2), np.complex64), 100, sampling='gl', reality=True)",
        "flm = np.zeros((400, 200**2), np.complex64)",
        "sk.inverse(flm, 200, sampling='gl', reality=True)",
    ),
    "least squares": (
        "sk.analyse(np.arange(3072.0), 16, sampling='healpix:16', reality=True)",
        "f = rng.standard_normal(12 * 512**2)",
        "sk.analyse(f, 1024, sampling='healpix:512', reality=True, max_iter=20)",
    ),
    "rotations": (
        "wigner.rotate(np.zeros(1024), 0.1, 0.2, 0.3)",
        "flm = np.ones((40, 512**2), complex)",
        "wigner.rotate(flm, 0.1, 0.2, 0.3)",
    ),
    "wigner.inverse": (
        "wigner.inverse(np.zeros((5, 1024)), 32, 3)",
        "flmn = np.zeros((9, 512**2), complex)",
        "wigner.inverse(flmn, 512, 5)",
    ),
    "Clebsch-Gordan": (
        "wigner.clebsch_gordan(4, 4)",
        "",
        "wigner.clebsch_gordan(37, 37)",
    ),
    "matrices D": ("wigner.D(0.1, 0.2, 0.3, 16)", "", "wigner.D(0.1, np.ones(6), 0.3, 128)"),
}


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux' /proc")
@pytest.mark.parametrize("name", JOBS)
def test_estimates_are_near_what_is_used(name):
    small, data, job = JOBS[name]
    program = PROGRAM.format(small=small, data=data, job=job)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    estimate, used = map(float, result.stdout.split())
    assert used > 1.5e8
    assert 1 / 1.3 < estimate / used < 1.3, (estimate, used)


def test_threads_and_directions_count():
    options = dict(sampling="mw", reality=False, spin=2, batch=100)
    alone, together = (sk.estimate_memory(128, threads=n, **options) for n in (1, 8))
    assert alone < together
    ways = [sk.estimate_memory(128, direction=way, **options) for way in ("forward", "inverse")]
    assert max(ways) == sk.estimate_memory(128, **options) and ways[0] != ways[1]
    alone, together = (wigner.estimate_memory(32, 3, batch=100, threads=n) for n in (1, 8))
    assert alone < together


@pytest.mark.parametrize(
    "estimate", [sk.estimate_memory, lambda L, **k: wigner.estimate_memory(L, 2, **k)]
)
def test_precision_and_batch_count(estimate):
    assert estimate(32, batch=200, dtype="complex64") < estimate(32, batch=200, dtype="complex128")
    assert estimate(32, batch=0) == 0
    with pytest.raises(ValueError, match="direction"):
        estimate(32, direction="sideways")
    with pytest.raises(TypeError, match="batch"):
        estimate(32, batch=2.5)


def test_what_an_estimate_says_is_what_a_call_asks(monkeypatch):
    """A job is refused just below its estimate, and runs just above it."""
    import numpy as np

    f = np.zeros((3, 12 * 32**2))
    needed = sk.estimate_memory(
        32, sampling="healpix:32", reality=True, batch=3, direction="forward", threads=1
    )
    call = dict(sampling="healpix:32", reality=True, threads=1)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", str(needed - 1))
    with pytest.raises(MemoryError, match="this transform"):
        sk.forward(f, 32, **call)
    monkeypatch.setenv("SPHEREKIT_MAX_MEMORY", str(needed + 1))
    sk.forward(f, 32, **call)
