"""The build backend: wheels of Python only, and wheels with machine code, built without a network."""

import csv
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from spherekit import _build_backend as backend

ROOT = pathlib.Path(__file__).parents[1]
INFO = "spherekit-1.0.dist-info"


@pytest.fixture
def clone(tmp_path):
    """A copy of the sources to build from; building needs the setuptools of pyproject.toml."""
    setuptools = pytest.importorskip("setuptools", reason="setuptools is not installed")
    required = re.search(r'"setuptools>=(\d+)"', (ROOT / "pyproject.toml").read_text())[1]
    if int(setuptools.__version__.split(".")[0]) < int(required):
        pytest.skip(f"setuptools {setuptools.__version__} is installed; building needs {required}")
    folder = tmp_path / "clone"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "spherekit", folder / "spherekit", ignore=ignore)
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def build(clone, program, **environment):
    """Run a program in a clone with the backend as b; return the last line that it prints."""
    program = (
        f"import sys; sys.path.insert(0, '.'); from spherekit import _build_backend as b; {program}"
    )
    command = [sys.executable, "-P", "-c", program]
    variables = {k: v for k, v in os.environ.items() if k != "SPHEREKIT_BUILD_KERNELS"}
    variables |= environment
    process = subprocess.run(command, env=variables, cwd=clone, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()[-1]


def test_the_wheel_is_pure_by_default(clone, tmp_path):
    name = build(clone, f"print(b.build_wheel({str(tmp_path)!r}))")
    assert name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(tmp_path / name) as wheel:
        names = wheel.namelist()
    assert "spherekit/_build_backend.py" in names and "spherekit/py.typed" in names
    assert not [
        name for name in names if "machine_code" in name or name.endswith((".so", ".kernel"))
    ]


def test_the_wheel_with_machine_code(clone, tmp_path):
    compile_kernels = "lambda package, cache: {'spherekit/machine_code/k/t/a.kernel': b'code'}"
    program = f"b.compile_kernels = {compile_kernels}; print(b.build_wheel({str(tmp_path)!r}))"
    name = build(clone, program, SPHEREKIT_BUILD_KERNELS="1")
    assert name.endswith(f"-{backend.platform_tag()}.whl")
    with zipfile.ZipFile(tmp_path / name) as wheel:
        assert wheel.read("spherekit/machine_code/k/t/a.kernel") == b"code"
        assert "spherekit/harmonic/transform.py" in wheel.namelist()


@pytest.mark.parametrize("setting, expected", [("", False), ("0", False), ("1", True)])
def test_numba_is_required_for_kernels_only(setting, expected, clone):
    program = "print(*b.get_requires_for_build_wheel())"
    assert ("numba" in build(clone, program, SPHEREKIT_BUILD_KERNELS=setting)) is expected


def test_the_other_hooks(clone, tmp_path):
    sdist = build(clone, f"print(b.build_sdist({str(tmp_path)!r}))")
    assert sdist.endswith(".tar.gz")
    assert build(clone, f"print(b.prepare_metadata_for_build_wheel({str(tmp_path)!r}))").endswith(
        ".dist-info"
    )
    assert "editable" in build(clone, f"print(b.build_editable({str(tmp_path)!r}))")
    program = (
        "print(*b.get_requires_for_build_sdist(), *b.get_requires_for_build_editable(), 'end')"
    )
    assert build(clone, program).endswith("end")


def test_files_are_added_to_a_wheel(tmp_path):
    """The record has the digest of every file, and the tags are those of this platform."""
    path = tmp_path / "spherekit-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("spherekit/__init__.py", "x = 1\n")
        wheel.writestr(
            f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{INFO}/RECORD", "spherekit/__init__.py,,\n")
    target = tmp_path / "target"
    target.mkdir()
    name = backend.add_files(path, {"spherekit/machine_code/a.kernel": b"\0code"}, target)
    assert name == f"spherekit-1.0-{backend.platform_tag()}.whl"
    with zipfile.ZipFile(target / name) as wheel:
        content = {entry: wheel.read(entry) for entry in wheel.namelist()}
    description = content[f"{INFO}/WHEEL"].decode()
    assert (
        "Root-Is-Purelib: false" in description and f"Tag: {backend.platform_tag()}" in description
    )
    rows = list(csv.reader(io.StringIO(content[f"{INFO}/RECORD"].decode())))
    assert {row[0] for row in rows} == set(content)
    for entry, digest, size in rows:
        if not entry.endswith("/RECORD"):
            assert int(size) == len(content[entry])
            assert digest == "sha256=" + backend.base64.urlsafe_b64encode(
                hashlib.sha256(content[entry]).digest()
            ).decode().rstrip("=")


def test_kernels_are_compiled_for_each_level(tmp_path, monkeypatch):
    """In processes of their own, with the sources of the wheel and a cache of their own."""
    cache, calls = tmp_path / "cache", []

    def run_process(command, *, env, **options):
        calls.append((command, env))
        if "warmup" in command:
            folder = cache / "kernels-0" / env["NUMBA_CPU_NAME"]
            folder.mkdir(parents=True)
            for name in ("a.kernel", "demo.complete", ".lock"):
                (folder / name).write_bytes(b"code")
        return subprocess.CompletedProcess(command, 0, '{"v4": "+avx512f", "v3": "+avx2"}')

    monkeypatch.setattr(backend.subprocess, "run", run_process)
    for name in ("SPHEREKIT_COMPILER", "SPHEREKIT_SIMD", "NUMBA_OPT", "NUMBA_BOUNDSCHECK"):
        monkeypatch.setenv(name, "1")
    files = backend.compile_kernels(tmp_path / "package", cache)
    folder = "spherekit/machine_code/kernels-0"
    names = "a.kernel", "demo.complete"
    assert set(files) == {f"{folder}/{level}/{name}" for level in ("v3", "v4") for name in names}
    for _, environment in calls:
        assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(tmp_path / "package")
        assert environment["SPHEREKIT_CACHE"] == str(cache)
        assert not {"SPHEREKIT_COMPILER", "SPHEREKIT_SIMD"} & set(environment)
        numba_variables = {name for name in environment if name.startswith("NUMBA_")}
        assert numba_variables <= {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"}
    assert [environment.get("NUMBA_CPU_FEATURES") for _, environment in calls[1:]] == [
        "+avx512f",
        "+avx2",
    ]


def test_a_machine_of_no_level_is_refused(tmp_path, monkeypatch):
    empty = subprocess.CompletedProcess([], 0, "{}")
    monkeypatch.setattr(backend.subprocess, "run", lambda *arguments, **options: empty)
    with pytest.raises(RuntimeError, match="no kernels were compiled"):
        backend.compile_kernels(tmp_path / "package", tmp_path / "cache")
