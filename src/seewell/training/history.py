"""Append-only measurements of a training: ``history.jsonl``, a line each."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from seewell.errors import RunError
from seewell.files import write_atomically

__all__ = ["History"]


class History:
    """Appends measurements to a file; each line is whole before the next begins.

    Args:
        path: The file.
        lines: How many lines of it count, where a training is continued; the rest is cut off.
    """

    def __init__(self, path: Path, lines: int = 0) -> None:
        self._path = path
        kept = path.read_text(encoding="utf-8").splitlines(keepends=True)[:lines] if lines and path.exists() else []
        with write_atomically(path) as beside:
            beside.write_text("".join(kept), encoding="utf-8")
        self.length = len(kept)
        self._bytes = path.stat().st_size
        self._waiting = b""

    def append(self, entry: dict[str, Any]) -> None:
        """Add one measurement; a line that cannot be written waits for the next.

        Raises:
            RunError: The file cannot be written; it ends with a whole line.
        """
        self._waiting += json.dumps(entry, allow_nan=False).encode() + b"\n"
        self.length += 1
        self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            RunError: The file cannot be written; it ends with a whole line.
        """
        if not self._waiting:
            return
        try:
            with self._path.open("ab") as file:
                file.write(self._waiting)
        except OSError as problem:
            with contextlib.suppress(OSError):
                os.truncate(self._path, self._bytes)
            raise RunError(
                f"the history cannot be written: {problem.strerror or problem}.",
                fix="make room on the disk",
                details={"file": self._path},
            ) from problem
        self._bytes += len(self._waiting)
        self._waiting = b""
