"""What this process may use of the machine: cores and memory, as its affinity and its control group allow.

A container is given a share of a machine by its control group; the machine's
own figures are then too large. Linux, both versions of the files.
"""

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["limit_threads", "memory_of_group", "quota_of_group", "usable_cores", "usable_memory"]

_GROUPS = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")
_UNLIMITED = 2**60
"""The first version writes about 2**63 where there is no limit."""


def usable_cores() -> int:
    """Cores that may be used at once: those of the affinity, or fewer where the quota of processor time is smaller."""
    cores = _cores_of_affinity()
    quota = quota_of_group()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def limit_threads() -> None:
    """Let TensorFlow compute with no more threads than cores may be used: more of them would be held up together.

    For a command, before its first operation; TensorFlow looks at the affinity by itself, not at the quota.
    """
    cores = usable_cores()
    if cores == _cores_of_affinity():
        return
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):  # something was computed already
        tf.config.threading.set_intra_op_parallelism_threads(cores)
        tf.config.threading.set_inter_op_parallelism_threads(cores)


def usable_memory() -> int:
    """Bytes of memory that may be used: the machine's, or fewer where the group is limited; 0 where unknown."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 0
    limit = memory_of_group()
    return max(0, memory) if limit is None else min(limit, memory) if memory > 0 else limit


def quota_of_group(groups: Path = _GROUPS, own: Path = _SELF) -> float | None:
    """Seconds of processor time a second that the control group may use; None where there is no limit.

    Args:
        groups: Where the control groups are mounted.
        own: The file that says which groups this process is in.
    """
    found = []
    for folder in _folders(groups, own, ""):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        found.append(_share(quota, period))
    for controller in ("cpu", "cpu,cpuacct"):
        for folder in _folders(groups / controller, own, "cpu"):
            found.append(_share(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")))
    return min((one for one in found if one is not None), default=None)


def memory_of_group(groups: Path = _GROUPS, own: Path = _SELF) -> int | None:
    """Bytes that the control group may hold; None where there is no limit.

    Args:
        groups: Where the control groups are mounted.
        own: The file that says which groups this process is in.
    """
    files = [folder / "memory.max" for folder in _folders(groups, own, "")]
    files += [folder / "memory.limit_in_bytes" for folder in _folders(groups / "memory", own, "memory")]
    limits = [int(text) for text in map(_text, files) if text.isdigit()]
    return min((one for one in limits if one < _UNLIMITED), default=None)


def _folders(groups: Path, own: Path, controller: str) -> Iterator[Path]:
    """The folder of this process's group and those above it; in a container the topmost is its own."""
    yield groups
    for line in _text(own).splitlines():
        _, _, rest = line.partition(":")
        names, _, place = rest.partition(":")
        if controller in names.split(","):
            parts = [part for part in place.split("/") if part not in ("", "..")]
            yield from (groups.joinpath(*parts[: depth + 1]) for depth in range(len(parts)))


def _cores_of_affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _share(quota: str, period: str) -> float | None:
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(quota) and int(period) else None


def _text(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return ""
