"""The layout of a run folder, and the lock that keeps a second writer out."""

import contextlib
import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seewell.errors import RunError
from seewell.files import temporary_pattern

__all__ = ["RunFolder", "clear_half_written", "clear_unused", "free_folder", "lock", "make_folder", "refuse_used"]

FORMAT = 1
"""The version of the layout, kept in ``run.json``."""


@dataclass(frozen=True)
class RunFolder:
    """Where everything of a run lies.

    Args:
        path: The run's folder.
    """

    path: Path

    @property
    def info(self) -> Path:
        """``run.json``: configuration, automatic choices, versions, machine, dataset, result."""
        return self.path / "run.json"

    @property
    def history(self) -> Path:
        """``history.jsonl``: a line a measurement."""
        return self.path / "history.jsonl"

    @property
    def findings(self) -> Path:
        """``findings.json``."""
        return self.path / "findings.json"

    @property
    def label_issues(self) -> Path:
        """``label-issues.json``: validation images whose labels look wrong, the surest first."""
        return self.path / "label-issues.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def network(self) -> Path:
        """``network.keras``: the kept network."""
        return self.path / "network.keras"

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard's files."""
        return self.path / "tensorboard"

    @property
    def profile(self) -> Path:
        """``profile.json``: where the time of the updates went, of a training with ``--profile``."""
        return self.path / "profile.json"

    @property
    def report(self) -> Path:
        """``report.html``."""
        return self.path / "report.html"


def free_folder(parent: Path, stem: str) -> Path:
    """The first of ``stem-1``, ``stem-2``, … that does not exist in ``parent``.

    Example:
        >>> free_folder(Path("nowhere"), "digits-convnet").name
        'digits-convnet-1'
    """
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "run"
    number = 1
    while (parent / f"{clean}-{number}").exists():
        number += 1
    return parent / f"{clean}-{number}"


def refuse_used(path: Path) -> None:
    """Refuse a folder for a new run that holds something, before any work is done.

    Raises:
        RunError: There is something in it, or it is no folder.
    """
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        kind = "folder" if path.is_dir() else "file"
        raise RunError(
            f"the {kind} {path} {'is not empty' if kind == 'folder' else 'exists'}.",
            expected="a new or an empty folder, so that nothing is overwritten",
            fix="choose another --out, or leave it out",
        )


def make_folder(path: Path) -> RunFolder:
    """Make the folder of a new run.

    Raises:
        RunError: There is something in it already, or it cannot be written to.
    """
    path = Path(path)
    try:
        refuse_used(path)
        path.mkdir(parents=True, exist_ok=True)
        folder = RunFolder(path)
        folder.checkpoints.mkdir()
        return folder
    except OSError as problem:
        raise RunError(
            f"the run folder {path} cannot be made: {problem.strerror or problem}.",
            expected="a folder that can be written to",
            fix="choose another --out, or make room on the disk",
        ) from problem


def clear_unused(folder: RunFolder) -> None:
    """Remove the folder of a run that never began (it has no ``run.json``), so that the same ``--out`` can be used."""
    if folder.info.exists():
        return
    (folder.path / ".lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # what somebody else put there stays, and so does its folder
        folder.checkpoints.rmdir()
        folder.path.rmdir()


def clear_half_written(folder: RunFolder) -> tuple[str, ...]:
    """Remove what a killed training left beside the files that it replaces; hold the lock.

    Returns:
        The names of what was removed.
    """
    files = (folder.info, folder.history, folder.findings, folder.label_issues, folder.network)
    stale = [one for file in files for one in folder.path.glob(temporary_pattern(file))]
    for one in stale:
        one.unlink(missing_ok=True)
    return tuple(sorted(one.name for one in stale))


@contextlib.contextmanager
def lock(folder: RunFolder) -> Iterator[None]:
    """Hold the run's lock: one writer at a time; a dead holder's lock is free.

    Raises:
        RunError: Another process writes to this run; names its process and machine.
    """
    import filelock

    held = filelock.FileLock(folder.path / ".lock", timeout=0)
    owner = folder.path / ".lock-owner"
    try:
        held.acquire()
    except OSError as problem:
        if isinstance(problem, filelock.Timeout):
            raise RunError(
                f"the run {folder.path} is being written by another process.",
                expected="one writer at a time",
                fix="wait for it to end, or choose another run",
                details={"holder": _owner(owner)},
            ) from problem
        raise RunError(
            f"the run {folder.path} cannot be written to: {problem.strerror or problem}.",
            expected="a folder that can be written to",
            fix="change its permissions, or copy the run elsewhere",
        ) from problem
    try:
        with contextlib.suppress(OSError):  # on a full disk nobody is told who writes; the lock holds all the same
            owner.write_text(json.dumps({"process": os.getpid(), "machine": socket.gethostname()}), encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            owner.unlink(missing_ok=True)
        held.release()


def _owner(path: Path) -> str:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return f"process {said['process']} on {said['machine']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
