"""A file or a folder takes the place of another one of its name, whole or not at all."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from seewell.files import fsync_folder

__all__ = ["place", "working_folder"]

_PREFIX = ".export-"
_BEFORE = ".before"
_LOCK = ".lock"
_STALE_SECONDS = 24 * 3600


@contextlib.contextmanager
def working_folder(out: Path) -> Iterator[Path]:
    """A hidden folder inside ``out``, gone afterwards.

    Of those that a kill left, what it had taken from its place comes back, and
    a day later they are removed.

    Raises:
        OSError: ``out`` cannot be made or written to.
    """
    import filelock

    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(f"{_PREFIX}*"):
        _recover(old, out)
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=_PREFIX) as folder, filelock.FileLock(Path(folder) / _LOCK):
        yield Path(folder)


def _recover(old: Path, out: Path) -> None:
    """Put back what a killed process was about to replace, where nothing took its place."""
    import filelock

    taken = [one for one in old.glob(f"*{_BEFORE}") if not (out / one.name.removesuffix(_BEFORE)).exists()]
    if not taken:
        return
    with contextlib.suppress(filelock.Timeout), filelock.FileLock(old / _LOCK, timeout=0):
        for one in taken:
            with contextlib.suppress(FileNotFoundError):  # its process has put it back meanwhile
                one.rename(out / one.name.removesuffix(_BEFORE))
        fsync_folder(out)


def place(made: Path, target: Path) -> None:
    """Move what was made to its place; what was there is replaced.

    A file is replaced in one step. A folder is renamed away before the new one
    is renamed in; if that fails the old one comes back. Everything is on the
    disk before its name is.

    Args:
        made: A file or a folder on the same disk as ``target``.
        target: Its place.

    Raises:
        OSError: The disk is full, a folder is read-only, or a file has the folder's name.
    """
    for one in [*made.rglob("*"), made] if made.is_dir() else [made]:
        _fsync(one)
    if made.is_dir() and target.is_dir():
        away = made.parent / f"{made.name}{_BEFORE}"
        target.rename(away)
        try:
            made.rename(target)
        except BaseException:
            away.rename(target)
            raise
    else:
        made.replace(target)
    fsync_folder(target.parent)


def _fsync(path: Path) -> None:
    if path.is_dir():
        fsync_folder(path)
        return
    with path.open("rb+") as file:
        os.fsync(file.fileno())
