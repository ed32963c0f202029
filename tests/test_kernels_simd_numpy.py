"""Kernels as plain Python (SPHEREKIT_SIMD=numpy), without LLVM, against the compiled ones."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import spherekit as sk
from spherekit import nn, scattering, wigner
from spherekit.experiments.gaussianity import skies
from spherekit.harmonic import transform
from spherekit.kernels import fft as lane_fft
from spherekit.kernels import simd, simd_numpy, transpose, work_queue
from spherekit.testing import random_flm

GRIDS = ["mw", "mwss", "gl", "dh", "healpix:3"]
FIELDS = [(0, True), (0, False), (2, False)]


def harmonic(results):
    """All four directions, odd and even L; rings of a sphere and single maps, and batches."""
    rng = np.random.default_rng(0)
    for L, shape in ((4, ()), (5, ()), (8, ()), (4, (3, 9))):
        for grid in GRIDS:
            for spin, reality in FIELDS:
                flags = dict(spin=spin, reality=reality, sampling=grid, threads=1)
                flm = random_flm(L, rng, shape=shape, spin=spin, reality=reality)
                for dtype in (np.complex128, np.complex64)[: 1 + bool(shape)]:
                    key = f"harmonic {L} {grid} {spin} {reality} {shape} {np.dtype(dtype)}"
                    f = sk.inverse(flm.astype(dtype), L, **flags)
                    results[f"{key} inverse"] = f
                    results[f"{key} forward"] = sk.forward(f, L, **flags)
                    results[f"{key} inverse_adjoint"] = transform.inverse_adjoint(f, L, **flags)
                    results[f"{key} forward_adjoint"] = transform.forward_adjoint(
                        flm.astype(dtype), L, **flags
                    )


def rotation_group(results):
    rng = np.random.default_rng(1)
    for L, N, reality, batch in (
        (5, 1, True, 1),
        (5, 3, False, 1),
        (6, 4, True, 9),
        (9, 9, True, 1),
    ):
        for grid in ("mw", "gl"):
            flags = dict(sampling=grid, reality=reality, threads=1)
            shape = batch, 2 * N - 1, *sk.sampling.grid(grid, L).shape
            f = rng.standard_normal(shape) + (0 if reality else 1j * rng.standard_normal(shape))
            key = f"wigner {L} {N} {reality} {grid}"
            flmn = wigner.forward(f, L, N, **flags)
            results[f"{key} forward"] = flmn
            results[f"{key} inverse"] = wigner.inverse(flmn, L, N, **flags)
            results[f"{key} inverse_adjoint"] = wigner.inverse_adjoint(f, L, N, **flags)
            results[f"{key} forward_adjoint"] = wigner.forward_adjoint(flmn, L, N, **flags)
    flm = random_flm(7, rng)
    results["rotate"] = wigner.rotate(flm, 0.3, 1.2, 2.0)
    results["d_column"] = wigner.d_column(1, -2, 0.7, 8)
    results["evaluate"] = sk.evaluate(flm, [0.0, 0.4, 3.0], [0.1, 1.0, 2.0])
    results["evaluate_adjoint"] = sk.evaluate_adjoint(np.ones(3), [0.0, 0.4, 3.0], [0.1, 1, 2], 7)


def lane_ffts(results):
    """Every radix, dense primes and Bluestein's convolution."""
    lanes = simd.Lanes(4)
    for n in (1, 2, 3, 4, 5, 7, 8, 11, 12, 23, 30, 64, 199):
        for back in (0, 1):
            tables = lane_fft.tables(n, lanes)
            work = np.zeros(4 * tables.work_points)
            work[: 4 * n] = np.random.default_rng(n).standard_normal(4 * n)
            re, im = lane_fft.transform(lanes, work, back, tables)
            results[f"fft {n} {back}"] = np.stack([work[at : at + 4 * n] for at in (re, im)])


def layers(results):
    """Kernels of what stands on the transforms."""
    rng = np.random.default_rng(2)
    flm = random_flm(8, rng, reality=True)
    results["sky"] = skies.sky("strings", 8, 0, strength=0.5, cl=np.ones(8))
    results["power"] = sk.spectra.power(flm)
    results["scattering"] = scattering.Scattering(8, J0=1, reality=True).from_flm(flm)
    covariances = scattering.Covariances(6, N=2).from_flm(flm[:36])
    results["covariances"] = np.concatenate([np.ravel(x) for x in covariances])
    nets = {
        "fragments": (
            nn.ToFragments(),
            nn.Convolution(2, 2),
            nn.TensorProduct("mst"),
            nn.Invariants(),
        ),
        "samples": (nn.SpinConvolution(2), nn.BatchNorm(), nn.ScalarPart()),
    }
    for name, steps in nets.items():
        net = nn.Sequential(nn.Sphere(4, 2), *steps)
        x = random_flm(4, rng, reality=True, shape=(3, 2))
        params, state = net.init(np.random.default_rng(3))
        results[f"net {name}"] = net(params, x, state=state)


def all_results():
    results = {}
    for part in (harmonic, rotation_group, lane_ffts, layers):
        part(results)
    return results


def python(program, *arguments, **environment):
    """Run a program without a compiler."""
    path = os.pathsep.join(
        [os.path.dirname(os.path.dirname(sk.__file__)), os.path.dirname(__file__)]
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("switch", [{"SPHEREKIT_SIMD": "numpy"}, {"NUMBA_DISABLE_JIT": "1"}])
def test_kernels_as_plain_python(switch, tmp_path):
    """Every result of the compiled kernels, to rounding; and nothing is compiled."""
    if "NUMBA_DISABLE_JIT" in switch:  # the same kernels: only the switch is tried
        program = (
            "import numpy as np, spherekit as sk; print(sk.forward(np.ones((4, 7)), 4)[0].real)"
        )
        result = python(program, **switch)
        assert result.returncode == 0, result.stderr
        assert abs(float(result.stdout) - np.sqrt(4 * np.pi)) < 1e-14
        return
    program = (
        "import sys, numpy as np, test_kernels_simd_numpy as t; np.savez(sys.argv[1], **t.all_results());"
        "from numba.core import event; import numba;"
        "print(sum(hasattr(k, 'signatures') for m in list(sys.modules.values()) if m.__name__."
        "startswith('spherekit') for k in vars(m).values()))"
    )
    result = python(program, str(tmp_path / "results.npz"), **switch)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "0"
    plain = np.load(tmp_path / "results.npz")
    compiled = all_results()
    assert plain.files == list(compiled)
    for name, expected in compiled.items():
        single = expected.dtype in (np.float32, np.complex64)
        atol = (1e-5 if single else 1e-13) * max(np.abs(expected).max(), 1)
        np.testing.assert_allclose(plain[name], expected, rtol=0, atol=atol, err_msg=name)
        assert plain[name].dtype == expected.dtype


def test_the_same_operations():
    """What kernels can import is there in NumPy too, by the same arguments."""
    modules = (simd, transpose, work_queue)
    intrinsics = {
        name: operation
        for module in modules
        for name, operation in vars(module).items()
        if type(operation).__name__ == "_Intrinsic"
    }
    assert len(intrinsics) > 20
    for name, operation in intrinsics.items():
        arguments = list(inspect.signature(operation._defn).parameters)[
            1:
        ]  # the first: Numba's typing
        assert list(inspect.signature(getattr(simd_numpy, name)).parameters) == arguments, name
    assert set(simd.__all__) <= set(vars(simd_numpy))


def test_arrays_have_ends():
    """Compiled code does not notice; this is what it is for."""
    lanes, x = simd_numpy.Lanes(4), np.arange(6.0)
    np.testing.assert_array_equal(simd_numpy.load(lanes, x, 2), [2, 3, 4, 5])
    for index in (-1, 3):
        with pytest.raises(IndexError):
            simd_numpy.load(lanes, x, index)
        with pytest.raises(IndexError):
            simd_numpy.store(x, index, simd_numpy.splat(lanes, 0.0))


def test_a_vector_is_a_value():
    """Of two names of one vector the other does not change by +=, as compiled."""
    a = b = simd_numpy.splat(simd_numpy.Lanes(4), 1.0)
    a += b
    np.testing.assert_array_equal(b, np.ones(4))
    np.testing.assert_array_equal(a, 2 * np.ones(4))


@pytest.mark.parametrize(
    "environment", [{"SPHEREKIT_SIMD": "avx"}, {"SPHEREKIT_SIMD": "llvm", "NUMBA_DISABLE_JIT": "1"}]
)
def test_a_switch_that_says_nothing_is_refused(environment):
    program = "import numpy as np, spherekit; spherekit.forward(np.ones((4, 7)), 4)"
    result = python(program, **environment)
    assert result.returncode == 1
    assert "ValueError: SPHEREKIT_SIMD is" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "environment, arguments, code, message",
    [
        (dict(SPHEREKIT_SIMD="foo"), ["--version"], 2, "SPHEREKIT_SIMD is 'foo'"),
        (dict(SPHEREKIT_SIMD="numpy"), ["warmup"], 2, "nothing to compile"),
    ],
)
def test_commands_say_what_the_switch_does(environment, arguments, code, message):
    program = f"import sys; from spherekit.cli import main; sys.exit(main({arguments!r}))"
    result = python(program, **environment)
    assert result.returncode == code
    assert message in result.stderr and "Traceback" not in result.stderr
