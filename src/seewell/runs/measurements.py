"""The lines of ``history.jsonl``, also of one that was cut or damaged."""

import json
from pathlib import Path
from typing import Any

__all__ = ["read_lines", "read_measurements"]

_KEYS = frozenset({"kind", "step", "epoch", "loss", "accuracy"})
_KINDS = ("train", "validation")


def read_measurements(path: Path) -> list[dict[str, Any]]:
    """The measurements that can be read, in order; none where there is no such file."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    return [entry for line in content.split(b"\n") if (entry := _entry(line)) is not None]


def read_lines(path: Path, most: int) -> tuple[list[bytes], int]:
    """The first lines of the file as they are, without one that was cut, and how many of them are damaged.

    Raises:
        OSError: The file is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    lines = [line + b"\n" for line in content.split(b"\n")[:-1]][:most]
    return lines, sum(_entry(line) is None for line in lines)


def _entry(line: bytes) -> dict[str, Any] | None:
    """What a line says, or None where it is no measurement."""
    try:
        entry = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    if not isinstance(entry, dict) or not set(entry) >= _KEYS or entry["kind"] not in _KINDS:
        return None
    numbers = [entry["step"], entry["epoch"], entry["accuracy"], *([] if entry["loss"] is None else [entry["loss"]])]
    return entry if all(type(one) in (int, float) for one in numbers) else None
