"""Append-only measurements of a training: ``history.jsonl``, a line each."""

import json
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

    def append(self, entry: dict[str, Any]) -> None:
        """Add one measurement.

        Raises:
            RunError: The file cannot be written.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, allow_nan=False) + "\n")
        except OSError as problem:
            raise RunError(
                f"the history cannot be written: {problem.strerror or problem}.",
                fix="make room on the disk",
                details={"file": self._path},
            ) from problem
        self.length += 1
