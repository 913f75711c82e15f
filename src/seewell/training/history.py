"""Append-only measurements of a training: ``history.jsonl``, a line each."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seewell.errors import RunError
from seewell.files import write_atomically
from seewell.runs.measurements import read_lines

__all__ = ["History"]


class History:
    """Appends measurements to a file; each line is whole before the next begins.

    Args:
        path: The file.
        lines: How many lines of it count, where a training is continued; the rest is cut off.

    Attributes:
        length: Lines on the disk; those that wait are not counted.
        lacks: What is missing or damaged of the lines that count, in a sentence each.
    """

    def __init__(self, path: Path, lines: int = 0) -> None:
        self._path = path
        kept, wrong = read_lines(path, lines) if lines else ([], 0)
        with write_atomically(path) as beside:
            beside.write_bytes(b"".join(kept))
        self.length = len(kept)
        self.lacks = tuple(_lacks(len(kept), wrong, lines))
        self._bytes = path.stat().st_size
        self._waiting: list[bytes] = []

    def append(self, entry: dict[str, Any]) -> None:
        """Add one measurement; a line that cannot be written waits for the next.

        Raises:
            RunError: The file cannot be written; it ends with a whole line.
        """
        self.add(entry)
        self.flush()

    def add(self, entry: dict[str, Any]) -> None:
        """Add one measurement to those that wait for `flush`."""
        self._waiting.append(json.dumps(entry, allow_nan=False).encode() + b"\n")

    def flush(self) -> None:
        """Write what waits.

        Raises:
            RunError: The file cannot be written; it ends with a whole line.
        """
        if not self._waiting:
            return
        content = b"".join(self._waiting)
        try:
            with self._path.open("ab") as file:
                file.write(content)
        except OSError as problem:
            with contextlib.suppress(OSError):
                os.truncate(self._path, self._bytes)
            raise RunError(
                f"the history cannot be written: {problem.strerror or problem}.",
                fix="make room on the disk",
                details={"file": self._path},
            ) from problem
        self._bytes += len(content)
        self.length += len(self._waiting)
        self._waiting = []


def _lacks(found: int, damaged: int, wanted: int) -> Iterator[str]:
    if found < wanted:
        yield f"the history had {found} of the {wanted} lines that the checkpoint counts; the others are lost."
    if damaged:
        yield f"{damaged} of the {found} lines of the history are damaged; they are passed over."
