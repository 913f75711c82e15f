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
_STALE_SECONDS = 24 * 3600


@contextlib.contextmanager
def working_folder(out: Path) -> Iterator[Path]:
    """A hidden folder inside ``out``, gone afterwards; those that a kill left a day ago or earlier are removed.

    Raises:
        OSError: ``out`` cannot be made or written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(f"{_PREFIX}*"):
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=_PREFIX) as folder:
        yield Path(folder)


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
        away = made.parent / f"{made.name}.before"
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
