"""The CUDA twin: dispatch, its checks in the simulator and on a GPU, and the kernels compiled without one."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import spherekit
from spherekit import device

HERE = pathlib.Path(__file__).parent


def run(*command, **environment):
    """Output of a Python process of its own, which must succeed."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=HERE.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_checks_in_the_simulator():
    checks = "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "cuda_checks.py")
    assert "passed" in run(*checks, NUMBA_ENABLE_CUDASIM="1")


def test_checks_on_a_gpu():
    # Without a GPU the same checks run in the simulator, above; the reason says what is missing.
    if device.unavailable_reason() is not None:
        pytest.skip(device.unavailable_reason())
    assert "passed" in run("-m", "pytest", "-q", str(HERE / "cuda_checks.py"))


@pytest.mark.parametrize("capability", ["8.0", "9.0"])
def test_kernels_compile_without_spills(capability):
    try:
        device.target()
        from cuda.bindings import nvjitlink, nvvm

        nvjitlink.version()
        nvvm.version()
    except Exception as error:
        pytest.skip(f"no compiler for CUDA kernels: {error}")
    lines = run(str(HERE / "cuda_compile.py"), capability).splitlines()
    print("kernel arch registers spilled stack shared calls", *lines, sep="\n")
    assert len(lines) >= 2
    for line in lines:
        name, _, registers, spilled, *_ = line.split()
        assert 0 < int(registers) <= 80 and int(spilled) == 0, line


class Elsewhere:
    """An array that lies on a GPU, as far as its interface says."""

    __cuda_array_interface__ = {"shape": (16,), "typestr": "<c16", "data": (0, False), "version": 3}
    shape = (16,)


@pytest.mark.skipif(device.unavailable_reason() is None, reason="CUDA kernels can run here")
def test_a_cuda_array_is_never_copied_silently():
    for transform in (spherekit.inverse, spherekit.forward):
        with pytest.raises(RuntimeError, match=r"CUDA array \(test_cuda.Elsewhere\)") as refused:
            transform(Elsewhere(), 4)
        assert device.unavailable_reason() in str(refused.value) and "NumPy array" in str(
            refused.value
        )


def test_numpy_arrays_stay_on_the_cpu():
    assert not device.on_gpu(np.zeros(3)) and not device.on_gpu([1.0])


def test_importing_the_package_loads_no_cuda():
    code = (
        "import sys, numpy, spherekit; spherekit.forward(numpy.ones((2, 3)), 2);"
        "print([m for m in sys.modules if m.startswith(('cupy', 'numba.cuda', 'numba_cuda'))])"
    )
    assert run("-c", code).strip() == "[]"
