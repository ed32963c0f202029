"""One measurement in a process of its own: ``python -m spherekit.bench.worker '{"code": ..., ...}'``.

Prints one JSON object: milliseconds (first call, least, median) of both directions and the error of the round
trip; with "memory" the bytes beyond input and output instead; or why the case cannot be compared.
"""

import json
import statistics
import sys
import time
import warnings

import numpy as np

#: Seconds that one direction is measured.
BUDGET = 0.6


def run(case):
    from spherekit.bench.codes import CODES, Incomparable

    rng = np.random.default_rng(case.get("seed", 0))
    try:
        inverse, forward, start, error = CODES[case["code"]](case, rng)
    except Incomparable as reason:
        return {"incomparable": str(reason)}
    if case.get("memory"):
        samples = inverse(start)
        forward(samples)
        return {"inverse": _memory(inverse, start), "forward": _memory(forward, samples)}
    began = time.perf_counter()
    samples = inverse(start)
    first = time.perf_counter() - began
    result = {"inverse": {"first": 1e3 * first, **_times(inverse, start)}}
    began = time.perf_counter()
    forward(samples)
    first = time.perf_counter() - began
    result["forward"] = {"first": 1e3 * first, **_times(forward, samples)}
    result["error"] = error()
    return result


def _times(call, argument):
    times, began = [], time.perf_counter()
    while not times or (time.perf_counter() - began < BUDGET and len(times) < 500):
        start = time.perf_counter()
        call(argument)
        times.append(1e3 * (time.perf_counter() - start))
    return {"least": min(times), "median": statistics.median(times), "runs": len(times)}


def _memory(call, argument):
    """Peak resident bytes of a call beyond its input and output; None where Linux does not tell."""
    from spherekit._scratch import release

    release()  # what spherekit keeps between calls counts
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # forget the peak so far
        before = _status("VmRSS")
        output = call(argument)
        size = sum(np.asarray(part).nbytes for part in output)
        return max(_status("VmHWM") - before - size, 0)
    except OSError:
        return None


def _status(key):
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(key))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(run(json.loads(sys.argv[1]))))
