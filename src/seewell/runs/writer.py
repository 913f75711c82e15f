"""Checkpoints written in the background while the training goes on, one at a time."""

import contextlib
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from seewell.errors import RunError
from seewell.files import fsync_file
from seewell.runs.checkpoint import SHARD_BYTES, Checkpoint, clear_stale, point, prune, save
from seewell.runs.folder import RunFolder

__all__ = ["CheckpointWriter", "Keeping"]


@dataclass(frozen=True)
class Keeping:
    """Which checkpoints stay, and in what form.

    Attributes:
        last: So many of the latest.
        every: The first at or after each multiple of so many updates; None for none.
        shard_bytes: The most that one file holds.
    """

    last: int = 3
    every: int | None = None
    shard_bytes: int = SHARD_BYTES


class CheckpointWriter:
    """Saves checkpoints in a thread; at most one is under way.

    The arrays of a checkpoint are references to values that no update changes
    (`seewell.runs.weights.arrays_of`), so handing it over copies nothing.

    Args:
        folder: The run's.
        keeping: Which checkpoints stay.

    Example:
        >>> writer = CheckpointWriter(folder, Keeping(last=3))  # doctest: +SKIP
        >>> writer.submit(checkpoint, best=True)  # doctest: +SKIP
        >>> writer.wait()  # None where it was written  # doctest: +SKIP
    """

    def __init__(self, folder: RunFolder, keeping: Keeping) -> None:
        self._folder, self._keeping = folder, keeping
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seewell-checkpoints", initializer=_step_back)
        self._under_way: Future[None] | None = None
        clear_stale(folder.checkpoints)

    def submit(self, checkpoint: Checkpoint, *, best: bool) -> None:
        """Begin to write a checkpoint; call `wait` first.

        Args:
            checkpoint: What to keep.
            best: Whether ``BEST`` is to name it.
        """
        self._under_way = self._pool.submit(self._write, checkpoint, best)

    def wait(self) -> RunError | None:
        """Wait for the save that is under way.

        Returns:
            Why it failed, or None where it was written or there is none.
        """
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return None
        try:
            under_way.result()
        except RunError as problem:
            return problem
        return None

    def close(self) -> None:
        """Wait for the save that is under way and end the thread."""
        self._pool.shutdown()

    def _write(self, checkpoint: Checkpoint, best: bool) -> None:
        folder = self._folder.checkpoints
        try:
            fsync_file(self._folder.history)
            target = save(folder, checkpoint, shard_bytes=self._keeping.shard_bytes)
            point(folder, "LATEST", target)
            if best:
                point(folder, "BEST", target)
            prune(folder, self._keeping.last, self._keeping.every)
        except RunError:
            raise
        except Exception as problem:  # whatever it is, the training goes on and its user is told
            said = problem.strerror if isinstance(problem, OSError) else None
            said = said or f"{type(problem).__name__}: {problem}".removesuffix(": ")
            raise RunError(
                f"the checkpoint of step {checkpoint.step} could not be written: {said}.",
                expected="room in memory and on the disk, and a folder that can be written to",
                fix="make room; earlier checkpoints are untouched",
            ) from problem


def _step_back() -> None:
    """Let this thread run where the training leaves a processor idle, where a system can do so for a thread (Linux)."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
