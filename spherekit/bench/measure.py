"""Run the cases, each code in a process of its own, in turns."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys

from spherekit.bench.codes import CODES

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(cases, peers=None, *, rounds=2, progress=None):
    """Measurements of spherekit and of ``peers`` on every case.

    Parameters
    ----------
    cases : list of dict
        Each with grid, L, spin, batch, dtype and threads.
    peers : list of str, optional
        Names of `CODES`; default: those that are installed.
    rounds : int
        Times each code is started; the least of all times counts, so that noise hits all alike.
    progress : callable, optional
        Called after each process.

    Returns
    -------
    list of dict
        The case, the code, and what `spherekit.bench.worker` measured.

    Raises
    ------
    ValueError
        A peer that is unknown or not installed.
    """
    peers = installed() if peers is None else peers
    for name in peers:
        if name not in CODES or name == "spherekit":
            raise ValueError(f"no peer {name!r}; known: {', '.join(list(CODES)[1:])}")
        if name not in installed():
            raise ValueError(f"{name} is not installed here; pip install {name}, or leave it out")
    found = {}
    for turn, (number, case) in itertools.product(range(rounds), enumerate(cases)):
        for code in ["spherekit", *peers]:
            result = _child({**case, "code": code, "seed": number})
            if progress:
                progress()
            key = number, code
            if turn:
                _least(found[key], result)
                continue
            found[key] = {**case, "code": code, **result}
            if "inverse" in result:
                memory = _child({**case, "code": code, "memory": True})
                for way in ("inverse", "forward"):
                    found[key][way]["memory"] = memory.get(way)
    return [
        found[key] for key in sorted(found, key=lambda key: (key[0], list(CODES).index(key[1])))
    ]


def installed():
    """The peers that can be imported."""
    return [name for name in list(CODES)[1:] if importlib.util.find_spec(name)]


def _child(case):
    environment = {**os.environ, **{name: str(case["threads"]) for name in _THREAD_VARIABLES}}
    if case.get("memory"):
        # glibc keeps what is freed, which would hide it from the next call; not so beyond this size
        environment["MALLOC_MMAP_THRESHOLD_"] = "65536"
    command = [sys.executable, "-m", "spherekit.bench.worker", json.dumps(case)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        return {"failed": (done.stderr.strip() or "no message").splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def _least(one, other):
    """Take the lesser times of two runs into the first."""
    if "inverse" not in one or "inverse" not in other:
        return
    for way in ("inverse", "forward"):
        for key in ("least", "median"):
            one[way][key] = min(one[way][key], other[way][key])
        one[way]["first"] = max(one[way]["first"], other[way]["first"])
