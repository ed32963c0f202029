"""The number of threads from the CPU set, the quota of a cgroup and a Slurm job."""

import math
import os

import pytest

from spherekit._core import cpus, parallel


def system(root, files):
    """A folder with ``proc`` and ``sys`` of these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


V2 = {"proc/self/cgroup": "0::/job/task\n"}
V1 = {"proc/self/cgroup": "5:memory:/other\n4:cpu,cpuacct:/docker/abc\n"}
CPU = "sys/fs/cgroup/cpu,cpuacct"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, math.inf),
        (V2, math.inf),
        (V2 | {"sys/fs/cgroup/job/task/cpu.max": "max 100000\n"}, math.inf),
        (V2 | {"sys/fs/cgroup/job/task/cpu.max": "150000 100000\n"}, 1.5),
        (V2 | {"sys/fs/cgroup/job/task/cpu.max": "300000\n"}, 3),
        (
            V2
            | {
                "sys/fs/cgroup/job/task/cpu.max": "max 100000\n",
                "sys/fs/cgroup/job/cpu.max": "400000 100000\n",
            },
            4,
        ),
        # the path on the host, seen from within a container
        (V2 | {"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        (V2 | {"sys/fs/cgroup/cpu.max": "two 100000\n"}, math.inf),
        (V2 | {"sys/fs/cgroup/cpu.max": "200000 0\n"}, math.inf),
        (V2 | {"sys/fs/cgroup/cpu.max": b"\xff\xfe\n"}, math.inf),
        (V2 | {"sys/fs/cgroup/cpu.max": "\n"}, math.inf),
        ({"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/cpu.max": "200000 100000"}, 2),
        ({"proc/self/cgroup": "nonsense\n::\n"}, math.inf),
        (V1, math.inf),
        (V1 | {f"{CPU}/docker/abc/cpu.cfs_quota_us": "-1"}, math.inf),
        (
            V1
            | {
                f"{CPU}/docker/abc/cpu.cfs_quota_us": "250000\n",
                f"{CPU}/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            V1
            | {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
    ],
)
def test_quota(tmp_path, files, expected):
    assert cpus.quota(system(tmp_path, files)) == expected


@pytest.fixture
def eight_cpus(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(cpus, "quota", lambda root: math.inf)
    for name in ("SPHEREKIT_NUM_THREADS", "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        monkeypatch.delenv(name, raising=False)
    cpus.limit_of_job.cache_clear()
    yield
    cpus.limit_of_job.cache_clear()


@pytest.mark.parametrize(
    ("quota", "variables", "expected"),
    [
        (math.inf, {}, 8),
        (2.5, {}, 3),
        (0.5, {}, 1),
        (100, {}, 8),
        (math.inf, {"SLURM_CPUS_PER_TASK": "4"}, 4),
        (math.inf, {"SLURM_CPUS_PER_TASK": "16", "SLURM_CPUS_ON_NODE": "6"}, 6),
        (2, {"SLURM_CPUS_ON_NODE": "6"}, 2),
        (math.inf, {"SLURM_CPUS_PER_TASK": "", "SLURM_CPUS_ON_NODE": "4(x2)"}, 8),
        (math.inf, {"SLURM_CPUS_PER_TASK": "0"}, 1),
        (2, {"SLURM_CPUS_PER_TASK": "4", "SPHEREKIT_NUM_THREADS": "5"}, 5),
    ],
)
def test_threads(eight_cpus, monkeypatch, quota, variables, expected):
    monkeypatch.setattr(cpus, "quota", lambda root: quota)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert parallel.thread_count() == expected
    assert parallel.thread_count(7) == 7


def test_a_changed_cpu_set(eight_cpus, monkeypatch):
    assert parallel.thread_count() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert parallel.thread_count() == 2
