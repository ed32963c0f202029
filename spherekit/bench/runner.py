"""Run the cases, each code in a process of its own, in turns."""

import importlib.util
import itertools
import json
import os
import pathlib
import subprocess
import sys

from spherekit.bench.cases import wigner
from spherekit.bench.cases.harmonic import CODES

_OURS = ("spherekit", "spherekit_f64")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")


def measure(cases, peers=None, *, rounds=2, patience=300.0, progress=None, pythons=None):
    """Measurements of spherekit and of ``peers`` on every case.

    Parameters
    ----------
    cases : list of dict
        Each with transform (harmonic, or one of `cases.wigner.CODES`), grid, L, N, spin, signal (real or
        complex), batch, dtype and threads. In float32 our own float64 is measured too.
    peers : list of str, optional
        Names of `known_peers`; default: those that are installed.
    rounds : int
        Times each code is started for its times, of which the least counts, so that noise hits all
        alike; once more for its memory.
    patience : float
        Seconds after which one start is given up; the larger L of that code are then left out.
    progress : callable, optional
        Called before each start with (number so far, number in all, words).
    pythons : dict, optional
        {peer: interpreter} of those that live in an environment of their own, which needs nothing of
        spherekit's but NumPy.

    Returns
    -------
    list of dict
        The case, the code, and what `spherekit.bench.worker` measured; in each direction also
        "memory" and "data" (bytes beyond input and output, and of these two; None where the system
        does not tell). Or "incomparable" or "failed", with the reason.

    Raises
    ------
    ValueError
        A peer that is unknown or not installed.
    """
    pythons = pythons or {}
    names = [*installed(), *pythons] if peers is None else list(peers)
    names = list(dict.fromkeys(names))
    for name in names:
        _check(name, pythons)
    jobs = [(n, case, code) for n, case in enumerate(cases) for code in _codes(case, names)]
    turns = [*range(rounds), "memory"]
    found = {}
    for done, (turn, (number, case, code)) in enumerate(itertools.product(turns, jobs)):
        if progress:
            words = f"{code}, {case['transform']}, {case['grid']}, L={case['L']}"
            progress(done, len(turns) * len(jobs), words)
        before = found.get((number, code))
        if before is None:
            why = _hopeless(case, code, found.values())
            python = pythons.get(code, sys.executable)
            result = {"failed": why} if why else _child(case, code, number, patience, python)
            found[number, code] = {**case, "code": code, **result}
        elif "inverse" in before:
            memory, python = turn == "memory", pythons.get(code, sys.executable)
            result = _child(case, code, number, patience, python, memory=memory)
            (_add_memory if memory else _least)(before, result)
    return [found[number, code] for number, _, code in jobs]


def installed():
    """The peers that can be imported."""
    return [name for name in known_peers() if importlib.util.find_spec(name)]


def known_peers():
    """Every peer's name."""
    every = [CODES, *wigner.CODES.values()]
    return [name for name in dict.fromkeys(itertools.chain(*every)) if name not in _OURS]


def _check(name, pythons):
    if name not in known_peers():
        raise ValueError(f"no peer {name!r}; known: {', '.join(known_peers())}, or none")
    if name not in installed() and name not in pythons:
        raise ValueError(
            f"{name} is not installed here: pip install {name}"
            + (" (needs a C compiler and FFTW3's headers)" if name == "shtns" else "")
            + f", or leave it out of --peers, or say where it is: --python {name}=PYTHON"
        )


def _codes(case, peers):
    if case["transform"] == "harmonic":
        codes = CODES
        ours = _OURS[: 2 if case["dtype"] == "float32" else 1]
    else:
        codes, ours = wigner.CODES[case["transform"]], _OURS[:1]
    return [*ours, *(name for name in peers if name in codes)]


def _hopeless(case, code, results):
    """Why a larger L need not be tried: a smaller one took too long."""
    alike = {**case, "code": code}
    for result in results:
        same = all(result[key] == value for key, value in alike.items() if key != "L")
        if same and result.get("slow") and result["L"] < case["L"]:
            return f"left out: L={result['L']} already took too long"


def _child(case, code, number, patience, python, memory=False):
    """What the worker says of one case, or why it says nothing."""
    environment = {**os.environ, **{name: str(case["threads"]) for name in _THREAD_VARIABLES}}
    places = [str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    if memory:
        # glibc keeps what is freed, which would hide it from the next call; not so beyond this size
        environment["MALLOC_MMAP_THRESHOLD_"] = "65536"
    said = json.dumps({**case, "code": code, "seed": number, "memory": memory})
    command = [python, "-m", "spherekit.bench.worker", said]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=patience
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {patience:g} s", "slow": True}
    if done.returncode < 0:
        return {"failed": f"ended by signal {-done.returncode}: not enough memory?"}
    if done.returncode:
        return {"failed": (done.stderr.strip() or "no message").splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def _least(one, other):
    """Take the lesser times of two starts into the first; of what comes first the longer."""
    if "inverse" not in other:
        return
    pairs = [(one[way], other[way]) for way in ("inverse", "forward")]
    pairs += [(one["vjp"][way], other["vjp"][way]) for way in one.get("vjp", ())]
    for mine, theirs in pairs:
        for key, choose in (("least", min), ("median", min), ("first", max), ("cpus", max)):
            mine[key] = choose(mine[key], theirs[key])
    one["setup"] = max(one["setup"], other["setup"])


def _add_memory(one, result):
    for way in ("inverse", "forward"):
        told = result.get(way) or {}
        one[way] |= {"memory": told.get("beyond"), "data": told.get("data")}
