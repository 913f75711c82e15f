"""Open files that somebody else made: regular files only, and never wait."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from seewell.data.names import printable
from seewell.errors import DataError

__all__ = ["open_regular"]


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file for reading; a pipe or a device is refused at once instead of waited for.

    Raises:
        DataError: There is no such file, it may not be read, or it is not a regular file.
    """
    name = printable(path)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(
            f"{name} cannot be opened: {(reason or 'unknown cause').lower()}.",
            expected="a file that may be read",
            fix="check that it is still there and that you may read it",
        ) from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise DataError(
            f"{name} is not a regular file but {_kind_of_file(mode)}.",
            expected="a file",
            fix="remove it from the folder",
        )
    with os.fdopen(handle, "rb") as file:
        yield file


def _kind_of_file(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
