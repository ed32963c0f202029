"""One measurement in a process of its own: ``python -m spherekit.bench.worker '{"code": ..., ...}'``.

Prints one JSON object, times in milliseconds. Of either direction: the first call, the least and the
median of the others, and the CPUs kept busy; then the seconds of import and set-up, the largest error of
the round trip (null where it is not finite), the peak memory of the process, and for spherekit the times
of the vector-Jacobian products. With "memory" instead the bytes of either direction beyond input and
output. Or why the case cannot be compared.
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
    """Measure one case; see the module."""
    from spherekit.bench.cases import wigner
    from spherekit.bench.cases.harmonic import CODES, Incomparable

    began = time.perf_counter()
    try:
        harmonic = case["transform"] == "harmonic"
        code = CODES[case["code"]](case) if harmonic else wigner.prepare(case)
    except Incomparable as reason:
        return {"incomparable": str(reason)}
    setup = time.perf_counter() - began
    start = code.start(np.random.default_rng(case.get("seed", 0)))
    samples, first_inverse = _first(code.inverse, start)
    back, first_forward = _first(code.forward, samples)
    if case.get("memory"):
        if case["code"] == "spherekit":
            from spherekit._core.workspace import release

            release()  # what it keeps between calls counts
        return {"inverse": _memory(code.inverse, start), "forward": _memory(code.forward, samples)}
    error = np.nan if code.one_way else np.abs(np.asarray(back) - np.asarray(start)).max()
    del back
    result = {
        "inverse": {"first": first_inverse, **times(code.inverse, start)},
        "forward": {"first": first_forward, **times(code.forward, samples)},
        "setup": setup,
        "error": float(error) if np.isfinite(error) else None,
        "one_way": code.one_way,
        "remark": code.remark,
        "peak": _status("VmHWM"),
    }
    if case["code"] == "spherekit" and not code.one_way and isinstance(samples, np.ndarray):
        result["vjp"] = {
            "inverse": _vjp(code.inverse, start, samples),
            "forward": _vjp(code.forward, samples, start),
        }
    return result


def _first(call, argument):
    began = time.perf_counter()
    value = call(argument)
    return value, 1e3 * (time.perf_counter() - began)


def times(call, argument):
    """Least and median ms of a call, how often it ran, and the CPUs that it kept busy."""
    found, began, busy = [], time.perf_counter(), time.process_time()
    while not found or (time.perf_counter() - began < BUDGET and len(found) < 20000):
        start = time.perf_counter()
        call(argument)
        found.append(1e3 * (time.perf_counter() - start))
    cpus = (time.process_time() - busy) / (time.perf_counter() - began)
    middle = statistics.median(found)
    return {"least": min(found), "median": middle, "runs": len(found), "cpus": round(cpus, 2)}


def _vjp(call, point, cotangent):
    """Times of one pull-back: the forward pass that made it is not in them."""
    from autograd import make_vjp

    pullback, _ = make_vjp(call)(point)
    first = _first(pullback, cotangent)[1]
    return {"first": first, **times(pullback, cotangent)}


def _memory(call, argument):
    """Peak resident bytes of a call beyond its input and output, and the bytes of these two."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # forget the peak so far
    except OSError:
        return None
    before = _status("VmRSS")
    output = call(argument)
    peak = _status("VmHWM")
    size = _size(output)
    beyond = max(peak - before - size, 0)
    return {"beyond": beyond, "data": size + _size(argument)}


def _size(output):
    """Bytes of an array, or of the arrays and numbers in a list or dict."""
    if isinstance(output, dict | list | tuple):
        parts = output.values() if isinstance(output, dict) else output
        return sum(_size(part) for part in parts)
    return np.asarray(output).nbytes


def _status(key):
    """Bytes that Linux tells of this process, or None."""
    try:
        with open("/proc/self/status") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith(key))
    except (OSError, StopIteration):
        return None


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(run(json.loads(sys.argv[1]))))
