"""One measurement in a process of its own: ``python -m spherekit.bench.worker '{"code": ..., ...}'``.

Prints one JSON object, with times in milliseconds. Each direction has the time of the first call, the minimum
("least") and median of the following calls, and the average number of CPUs in use. The object also has the
seconds of import and set-up, the maximum error of a round trip (null if it is not finite), the peak memory of
the process, and for spherekit the times of the vector-Jacobian products. With "memory" in the argument it has
instead the bytes of each direction beyond input and output. If the package does not support the case, it has
only "incomparable", with the reason.
"""

import json
import statistics
import sys
import time
import warnings

import numpy as np

#: Default duration of the measurement of one direction, in seconds.
SECONDS = 0.6


def run(case):
    """Measure one case; see the documentation of the module."""
    from spherekit.bench.cases import wigner
    from spherekit.bench.cases.harmonic import CODES, UnsupportedCase

    start = time.perf_counter()
    try:
        is_harmonic = case["transform"] == "harmonic"
        code = CODES[case["code"]](case) if is_harmonic else wigner.prepare(case)
    except UnsupportedCase as reason:
        return {"incomparable": str(reason)}
    setup_seconds = time.perf_counter() - start
    coefficients = code.random_input(np.random.default_rng(case.get("seed", 0)))
    samples, first_inverse = _first(code.inverse, coefficients)
    round_trip, first_forward = _first(code.forward, samples)
    if case.get("memory"):
        if case["code"] == "spherekit":
            from spherekit._core.workspace import release

            release()  # count the work memory that is reused between calls
        return {
            "inverse": _memory(code.inverse, coefficients),
            "forward": _memory(code.forward, samples),
        }
    seconds = case.get("seconds")
    error = np.nan
    if not code.one_way:
        error = np.abs(np.asarray(round_trip) - np.asarray(coefficients)).max()
    del round_trip
    result = {
        "inverse": {"first": first_inverse, **times(code.inverse, coefficients, seconds)},
        "forward": {"first": first_forward, **times(code.forward, samples, seconds)},
        "setup": setup_seconds,
        "error": float(error) if np.isfinite(error) else None,
        "one_way": code.one_way,
        "remark": code.remark,
        "peak": _status("VmHWM"),
    }
    if case["code"] == "spherekit" and not code.one_way and isinstance(samples, np.ndarray):
        result["vjp"] = {
            "inverse": _vjp(code.inverse, coefficients, samples, seconds),
            "forward": _vjp(code.forward, samples, coefficients, seconds),
        }
    return result


def _first(call, argument):
    """The result of a call, and its time in ms."""
    start = time.perf_counter()
    value = call(argument)
    return value, 1e3 * (time.perf_counter() - start)


def times(call, argument, seconds=None):
    """Minimum and median time of a call in ms, number of runs, and average number of CPUs in use."""
    seconds = SECONDS if seconds is None else seconds
    milliseconds = []
    start, start_cpu = time.perf_counter(), time.process_time()
    while not milliseconds or (time.perf_counter() - start < seconds and len(milliseconds) < 20000):
        start_call = time.perf_counter()
        call(argument)
        milliseconds.append(1e3 * (time.perf_counter() - start_call))
    cpus = (time.process_time() - start_cpu) / (time.perf_counter() - start)
    return {
        "least": min(milliseconds),
        "median": statistics.median(milliseconds),
        "runs": len(milliseconds),
        "cpus": round(cpus, 2),
    }


def _vjp(call, point, cotangent, seconds):
    """Times of the vector-Jacobian product, without the forward pass."""
    from autograd import make_vjp

    pullback, _ = make_vjp(call)(point)
    first = _first(pullback, cotangent)[1]
    return {"first": first, **times(pullback, cotangent, seconds)}


def _memory(call, argument):
    """Peak resident memory of a call beyond its input and output, and the size of these two, in bytes."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # reset the peak
    except OSError:
        return None
    before = _status("VmRSS")
    output = call(argument)
    peak = _status("VmHWM")
    size = _size(output)
    beyond = max(peak - before - size, 0)
    return {"beyond": beyond, "data": size + _size(argument)}


def _size(output):
    """Bytes of an array, or of all arrays and numbers in a list or dict."""
    if isinstance(output, dict | list | tuple):
        values = output.values() if isinstance(output, dict) else output
        return sum(map(_size, values))
    return np.asarray(output).nbytes


def _status(key):
    """A value of /proc/self/status in bytes; None if the system does not provide it."""
    try:
        with open("/proc/self/status") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith(key))
    except (OSError, StopIteration):
        return None


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(run(json.loads(sys.argv[1]))))
