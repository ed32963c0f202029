"""The SIMD type: arithmetic, exp2 and transposed rows against NumPy."""

import ast
import pathlib

import numpy as np
import pytest
from numba.core.errors import TypingError

from spherekit._core import kernel_cache
from spherekit._core.jit import jit
from spherekit.kernels import simd, transpose


@jit
def _arithmetic(lanes, a, b, out):
    v, w = simd.load(lanes, a, 0), simd.load(lanes, b, 0)
    simd.store(out, 0, v * w + simd.splat(lanes, 2.0))
    simd.store(out, a.size, simd.exp2(v))
    simd.store(out, 2 * a.size, v / w)
    return simd.largest(v)


@jit
def _there_and_back(lanes, source, offsets, block, back, spare):
    transpose.load_rows(lanes, source, offsets, 0, 3, block, 0)
    transpose.store_rows(lanes, block, 0, back, offsets, 0, 3, spare)


def test_arithmetic_and_exp2(rng):
    for width in (8, 32):
        a, b = rng.uniform(-900, 0, width), rng.standard_normal(width)
        a[0] = -1001.0
        out = np.empty(3 * width)
        assert _arithmetic(simd.Lanes(width), a, b, out) == np.abs(a).max()
        np.testing.assert_allclose(out[:width], a * b + 2, rtol=1e-13, atol=1e-12)
        assert out[width] == 0.0
        np.testing.assert_array_equal(out[2 * width :], a / b)
        np.testing.assert_allclose(out[width + 1 : 2 * width], np.exp2(a[1:]), rtol=5e-16, atol=0)


def test_rows_are_transposed_and_dead_rows_left_alone(rng):
    source, block, spare = rng.standard_normal(160), np.empty(64), np.empty(8)
    offsets = np.arange(8) * 20
    back = np.zeros(160)
    _there_and_back(simd.Lanes(8), source, offsets, block, back, spare)
    expected = source.reshape(8, 20)[:, 3:11]
    np.testing.assert_array_equal(block.reshape(8, 8).T, expected)
    np.testing.assert_array_equal(back.reshape(8, 20)[:, 3:11], expected)
    dead = np.where(np.arange(8) == 5, -1, offsets)
    back = np.zeros(160)
    simd_rows = simd.Lanes(8)
    _store_only(simd_rows, block, back, dead, spare)
    assert not back.reshape(8, 20)[5].any() and back.reshape(8, 20)[4].any()


@jit
def _store_only(lanes, block, back, offsets, spare):
    transpose.store_rows(lanes, block, 0, back, offsets, 0, 3, spare)


@jit
def _read_through_pointers(lanes, array, out):
    p = simd.pointer(simd.pointer(array, 3), 2)
    simd.store(simd.pointer(out, 1), 0, simd.load(lanes, p, 1))
    out[0] = p[0]


def test_pointers_lead_to_the_elements_of_arrays(rng):
    for dtype in (np.float64, np.float32):
        array, out = rng.standard_normal((4, 8)).astype(dtype), np.empty(9)
        _read_through_pointers(simd.Lanes(8), array, out)
        np.testing.assert_array_equal(out, array.ravel()[5:14])
    with pytest.raises(TypingError):
        _read_through_pointers(simd.Lanes(8), array.T, out)


def test_the_cache_of_kernels_sees_them():
    """Compiled kernels are kept in a folder named after every file that they are made of."""
    package = pathlib.Path(kernel_cache.__file__).parents[1]
    marked = [path for path in package.rglob("*.py") if has_mark(path)]
    assert len(marked) > 30
    missing = []
    for path in marked:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = names_in_kernels(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spherekit"):
                for alias in node.names:
                    if (alias.asname or alias.name) in names:
                        source = file_of(package.parent, node.module, alias.name)
                        missing += [] if has_mark(source) else [f"{path}: {alias.name}"]
    assert not missing, "kernels use names of files that the cache does not see:\n" + "\n".join(
        missing
    )


def has_mark(path):
    source = path.read_bytes()
    return any(mark in source for mark in kernel_cache._MARKS)


def names_in_kernels(tree):
    """All names in functions that are decorated by a name, such as jit, leaf or intrinsic."""
    return {
        node.id
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.decorator_list
        if {getattr(d, "id", "") for d in function.decorator_list} & {"jit", "leaf", "intrinsic"}
        for node in ast.walk(function)
        if isinstance(node, ast.Name)
    }


def file_of(root, module, name):
    """The file of a module, or of a name that a package exports from one."""
    path = root.joinpath(*module.split("."))
    for candidate in (path / f"{name}.py", path / name / "__init__.py", path.with_suffix(".py")):
        if candidate.exists():
            return candidate
    return path / "__init__.py"
