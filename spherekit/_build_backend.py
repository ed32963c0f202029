"""The build backend (PEP 517): that of setuptools, and machine code in the wheel on request.

By default a wheel contains Python only, and kernels are compiled when they are first called. With the
environment variable SPHEREKIT_BUILD_KERNELS=1, `build_wheel` compiles them for the common levels of
processors that this machine can run, and adds them to a wheel for this platform and version of Python. They
are used where the installed version of Numba is that of the build; elsewhere kernels are compiled as by
default.

This file imports nothing of the package, since the build environment has none of its dependencies by default.
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile

#: Print the levels of processors that this machine can run, with their features.
_LEVELS = """
import json
from spherekit._core.compiler import host_processor
from spherekit._core.kernel_cache import LEVELS

features = set(host_processor().features.split(","))
print(json.dumps({cpu: text for cpu, text in LEVELS.items() if features.issuperset(text.split(","))}))
"""


def _with_kernels():
    """Return whether the wheel is to contain machine code."""
    return os.environ.get("SPHEREKIT_BUILD_KERNELS", "").strip() not in ("", "0")


# --- hooks ------------------------------------------------------------------------------------------


def get_requires_for_build_wheel(config_settings=None):
    from setuptools import build_meta

    requirements = build_meta.get_requires_for_build_wheel(config_settings)
    if _with_kernels():  # those of the package, which is run
        project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))
        requirements = requirements + project["project"]["dependencies"]
    return requirements


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    from setuptools import build_meta

    return build_meta.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    from setuptools import build_meta

    if not _with_kernels():
        return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        name = build_meta.build_wheel(str(folder), config_settings, metadata_directory)
        package = folder / "package"
        with zipfile.ZipFile(folder / name) as wheel:
            wheel.extractall(package)
        files = compile_kernels(package, folder / "kernels")
        return add_files(folder / name, files, pathlib.Path(wheel_directory))


def get_requires_for_build_sdist(config_settings=None):
    from setuptools import build_meta

    return build_meta.get_requires_for_build_sdist(config_settings)


def build_sdist(sdist_directory, config_settings=None):
    from setuptools import build_meta

    return build_meta.build_sdist(sdist_directory, config_settings)


def get_requires_for_build_editable(config_settings=None):
    from setuptools import build_meta

    return build_meta.get_requires_for_build_editable(config_settings)


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    from setuptools import build_meta

    return build_meta.prepare_metadata_for_build_editable(metadata_directory, config_settings)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    from setuptools import build_meta

    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


# --- kernels ----------------------------------------------------------------------------------------


def compile_kernels(package, cache):
    """Compile the kernels of an unpacked wheel for each level of processors; return {path in a wheel: bytes}.

    The kernels are run while they are compiled, so that only levels of this machine are possible.
    """
    folders = [str(package), os.environ.get("PYTHONPATH", "")]
    unset = "SPHEREKIT_BUILD_KERNELS", "SPHEREKIT_COMPILER", "SPHEREKIT_SIMD"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in unset and not name.startswith("NUMBA_")  # e.g. NUMBA_OPT changes the code
    }
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, folders)),
        "SPHEREKIT_CACHE": str(cache),
    }
    levels = subprocess.run(
        [sys.executable, "-P", "-c", _LEVELS],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    for cpu, features in json.loads(levels.stdout).items():
        print(f"compiling kernels for {cpu}", flush=True)
        target = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features}
        subprocess.run(
            [sys.executable, "-P", "-m", "spherekit", "warmup"],
            env=environment | target,
            check=True,
        )
    files = [
        path for path in sorted(cache.glob("*/*/*")) if path.suffix in (".kernel", ".complete")
    ]
    if not files:
        raise RuntimeError(
            "no kernels were compiled: this machine runs none of the levels of processors"
        )
    prefix = pathlib.PurePosixPath("spherekit/machine_code")
    return {str(prefix / path.relative_to(cache).as_posix()): path.read_bytes() for path in files}


# --- wheels -----------------------------------------------------------------------------------------


def platform_tag():
    """Return the tag of wheels for this Python and this platform, e.g. cp311-cp311-linux_x86_64."""
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{version}-{version}{getattr(sys, 'abiflags', '')}-{platform}"


def add_files(path, files, folder):
    """Write the wheel ``path`` with more files, for this platform only, into a folder; return its name.

    Parameters
    ----------
    path : pathlib.Path
        A wheel for all platforms.
    files : dict of bytes
        The content of files by their paths in the wheel.
    folder : pathlib.Path
    """
    tag = platform_tag()
    name = path.name.replace("py3-none-any", tag)
    with zipfile.ZipFile(path) as wheel:
        content = {
            entry: wheel.read(entry) for entry in wheel.namelist() if not entry.endswith("/")
        }
    (description,) = (entry for entry in content if entry.endswith(".dist-info/WHEEL"))
    record = description.removesuffix("WHEEL") + "RECORD"
    text = content[description].decode()
    text = text.replace("Root-Is-Purelib: true", "Root-Is-Purelib: false")
    content[description] = text.replace("Tag: py3-none-any", f"Tag: {tag}").encode()
    content |= files
    del content[record]
    lines = [f"{entry},{_digest(data)},{len(data)}" for entry, data in content.items()]
    content[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for entry, data in content.items():
            wheel.writestr(entry, data)
    return name


def _digest(data):
    """The digest of a file in the record of a wheel."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
