"""Run benchmark cases, each package in processes of its own, alternating between the packages."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence

from spherekit.bench.cases import wigner
from spherekit.bench.cases.harmonic import CODES

_SPHEREKIT = ("spherekit", "spherekit_f64")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")


def measure(
    cases: Sequence[dict],
    peers: Sequence[str] | None = None,
    *,
    rounds: int = 2,
    seconds: float = 0.6,
    timeout: float = 300.0,
    cold: bool = False,
    progress: Callable[[int, int, str], object] | None = None,
    pythons: Mapping[str, str] | None = None,
) -> list[dict]:
    """Measure spherekit and other packages (peers) on each case.

    Parameters
    ----------
    cases : list of dict
        With the keys transform (harmonic, or one of `cases.wigner.CODES`), grid, L, N, spin, signal (real or
        complex), batch, dtype and threads. For float32 spherekit in float64 is measured too.
    peers : list of str, optional
        Names of `known_peers`; by default those that are installed.
    rounds : int
        Number of processes that are started for the times of a package and a case; the minimum over the
        rounds reduces the effect of noise. One more process measures the memory.
    seconds : float
        Duration of the measurement of each direction in each process; at least one call is measured.
    timeout : float
        Time limit for a process, in seconds. When a package exceeds it, larger L are skipped.
    cold : bool
        Whether the first process of spherekit in each case starts without compiled kernels, so that the time
        of the first calls includes compilation. Only kernels that are part of the package are then loaded.
    progress : callable, optional
        Called before each process with (number of finished processes, total number, description).
    pythons : dict, optional
        {peer: interpreter} of peers that are installed in another environment. This needs NumPy, but no other
        dependency of spherekit.

    Returns
    -------
    list of dict
        The case, the code (name of the package), and the results of `spherekit.bench.worker`. Each direction
        also has "memory" and "data", the bytes beyond input and output and of these two; None where the
        operating system does not provide them. Otherwise "incomparable" or "failed", with the reason.

    Raises
    ------
    ValueError
        If a peer is unknown or not installed.

    Examples
    --------
    >>> from spherekit import bench
    >>> case = dict(transform="harmonic", grid="gl", L=8, N=0, spin=0, signal="real", batch=1)
    >>> case |= dict(dtype="float64", threads=1)
    >>> (result,) = bench.measure([case], peers=[], rounds=1)
    >>> result["code"], result["error"] < 1e-13
    ('spherekit', True)
    """
    pythons = pythons or {}
    names = [*installed(), *pythons] if peers is None else list(peers)
    names = list(dict.fromkeys(names))
    for name in names:
        _check(name, pythons)
    jobs = [(n, case, code) for n, case in enumerate(cases) for code in _codes(case, names)]
    passes = [*range(rounds), "memory"]
    results = {}
    for count, (pass_name, (number, case, code)) in enumerate(itertools.product(passes, jobs)):
        if progress:
            description = f"{code}, {case['transform']}, {case['grid']}, L={case['L']}"
            progress(count, len(passes) * len(jobs), description)
        python = pythons.get(code, sys.executable)
        previous = results.get((number, code))
        options = {"seed": number, "seconds": seconds}
        if previous is None:
            reason = _reason_to_skip(case, code, results.values())
            if reason:
                result = {"failed": reason}
            else:
                result = _run_worker(case, code, timeout, python, options, cold=cold)
            results[number, code] = {**case, "code": code, **result}
        elif "inverse" in previous:
            memory = pass_name == "memory"
            result = _run_worker(case, code, timeout, python, options | {"memory": memory})
            (_add_memory if memory else _combine_times)(previous, result)
    return [results[number, code] for number, _, code in jobs]


def installed() -> list[str]:
    """Names of the other packages that are installed.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from spherekit import bench
    >>> peers = {"astropy_healpix", "ducc0", "e3nn", "healpy", "s2fft", "s2scat", "shtns", "spherical"}
    >>> set(bench.installed()) <= peers | {"pymaster", "windspharm"}
    True
    """
    return [name for name in known_peers() if importlib.util.find_spec(name)]


def known_peers():
    """Names of all other packages that can be measured."""
    tables = [CODES, *wigner.CODES.values()]
    names = dict.fromkeys(itertools.chain(*tables))
    return [name for name in names if name not in _SPHEREKIT]


def _check(name, pythons):
    if name not in known_peers():
        raise ValueError(f"peers must be among {', '.join(known_peers())}, or none; got {name!r}")
    if name not in installed() and name not in pythons:
        raise ValueError(
            f"{name} is not installed: pip install {name}"
            + (" (requires a C compiler and the headers of FFTW3)" if name == "shtns" else "")
            + ", or leave it out of --peers, or pass the interpreter of its environment: "
            + f"--python {name}=PYTHON"
        )


def _codes(case, peers):
    """Names of the packages that are measured on a case; spherekit is the first."""
    if case["transform"] == "harmonic":
        codes = CODES
        references = _SPHEREKIT[: 2 if case["dtype"] == "float32" else 1]
    else:
        codes, references = wigner.CODES[case["transform"]], _SPHEREKIT[:1]
    return [*references, *(name for name in peers if name in codes)]


def _reason_to_skip(case, code, results):
    """The reason to skip a case, that a smaller L exceeded the time limit; otherwise None."""
    expected = {**case, "code": code}
    for result in results:
        matches = all(result[key] == value for key, value in expected.items() if key != "L")
        if matches and result.get("slow") and result["L"] < case["L"]:
            return f"skipped, as L={result['L']} exceeded the time limit"


def _run_worker(case, code, timeout, python, options, cold=False):
    """The output of a worker process for one case, or {"failed": reason}."""
    environment = {**os.environ, **{name: str(case["threads"]) for name in _THREAD_VARIABLES}}
    folders = [str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
    environment["SPHEREKIT_QUIET"] = "1"
    if options.get("memory"):
        # glibc reuses freed memory, which would hide allocations of the next call; not above this size
        environment["MALLOC_MMAP_THRESHOLD_"] = "65536"
    argument = json.dumps({**case, "code": code, **options})
    command = [python, "-m", "spherekit.bench.worker", argument]
    with tempfile.TemporaryDirectory() as folder:
        if cold and code in _SPHEREKIT:
            environment["SPHEREKIT_CACHE"] = folder
        try:
            process = subprocess.run(
                command, capture_output=True, text=True, env=environment, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"exceeded the time limit of {timeout:g} s", "slow": True}
    if process.returncode < 0:
        return {"failed": f"terminated by signal {-process.returncode}, possibly out of memory"}
    if process.returncode:
        return {"failed": (process.stderr.strip() or "no message").splitlines()[-1]}
    return json.loads(process.stdout.splitlines()[-1])


def _combine_times(result, new):
    """Update a result in place: the minimum of the times, the maximum of first calls and set-up."""
    if "inverse" not in new:
        return
    pairs = [(result[direction], new[direction]) for direction in ("inverse", "forward")]
    pairs += [
        (result["vjp"][direction], new["vjp"][direction]) for direction in result.get("vjp", ())
    ]
    for times, new_times in pairs:
        for key, choose in (("least", min), ("median", min), ("first", max), ("cpus", max)):
            times[key] = choose(times[key], new_times[key])
    result["setup"] = max(result["setup"], new["setup"])


def _add_memory(result, measurement):
    """Add the memory of each direction to a result, in place."""
    for direction in ("inverse", "forward"):
        values = measurement.get(direction) or {}
        result[direction] |= {"memory": values.get("beyond"), "data": values.get("data")}
