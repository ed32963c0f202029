"""The number of CPUs that this process may use: its CPU set, the quota of its cgroup, and its Slurm job."""

import functools
import math
import os
from pathlib import Path

#: Numbers of CPUs that Slurm gives a task and a job on this node.
_SLURM = "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"
_CGROUPS = "sys/fs/cgroup"


def usable_cpus():
    """The least of the numbers of CPUs of the CPU set, the quota and the Slurm job; at least 1.

    >>> 1 <= usable_cpus() <= os.cpu_count()
    True
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cpus, limit_of_job()))


@functools.cache
def limit_of_job():
    """The limit of the quota and of the Slurm job, which do not change while a process runs, or infinity."""
    limits = [
        int(text) for text in map(os.environ.get, _SLURM) if text and text.strip().isdecimal()
    ]
    share = quota("/")
    return min([*limits, math.inf if share == math.inf else math.ceil(share)])


def quota(root):
    """The CPUs that the cgroup of this process and those around it allow, of cgroup v1 or v2, or infinity.

    Parameters
    ----------
    root : str or path
        The folder that contains ``proc`` and ``sys``.
    """
    root = Path(root)
    limits = [math.inf]
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, remainder = line.partition(":")
        controllers, _, path = remainder.partition(":")
        if number == "0" and not controllers:
            limits += _up(root / _CGROUPS, path, _limit_v2)
            limits += _up(root / _CGROUPS / "unified", path, _limit_v2)
        elif "cpu" in controllers.split(","):
            for name in {controllers, "cpu", "cpu,cpuacct"}:
                limits += _up(root / _CGROUPS / name, path, _limit_v1)
    return min(limits)


def _up(mount, path, limit):
    """The limits of a cgroup and of those around it, up to the mount."""
    folder = mount / path.strip("/")
    while mount in (folder, *folder.parents):
        yield limit(folder)
        folder = folder.parent


def _limit_v2(folder):
    words = _text(folder / "cpu.max").split()
    return _ratio(words[0], words[1] if len(words) > 1 else "100000") if words else math.inf


def _limit_v1(folder):
    return _ratio(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _ratio(microseconds, period):
    """CPUs of a quota in each period; infinity for "max", -1 and what is not a number."""
    try:
        ratio = int(microseconds) / int(period)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.inf
    return ratio if ratio > 0 else math.inf


def _text(path):
    """The content of a small file, or "" if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
