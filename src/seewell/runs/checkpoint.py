"""Checkpoints: safetensors and one manifest, written beside and renamed, never pickle.

    checkpoints/step-00001000/manifest.json         written last; names, shapes, dtypes, SHA-256 and size of each file
                              weights.safetensors
                              optimizer.safetensors
                              state.json
    checkpoints/LATEST, checkpoints/BEST            hold a folder's name, replaced atomically

A checkpoint counts only when its manifest is complete and every checksum holds.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import RunError
from seewell.files import fsync_folder, read_json, sha256_of_file, write_atomically, write_json

__all__ = ["Checkpoint", "latest_complete", "load", "point", "pointed", "prune", "save", "superfluous"]

Arrays = Mapping[str, NDArray[Any]]
_NAME = re.compile(r"step-(\d{8,})")
_FILES = ("weights.safetensors", "optimizer.safetensors", "state.json")


@dataclass(frozen=True)
class Checkpoint:
    """All that exact resumption needs.

    Attributes:
        step: Updates made.
        weights: Every variable of the network by ``layer/name``, seed generators included.
        optimizer: Every variable of the optimizer, and the moving average of the weights where there is one.
        state: Position, best so far, length of the history: plain values.
    """

    step: int
    weights: Arrays
    optimizer: Arrays
    state: Mapping[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint; a reader finds all of it or nothing.

    Args:
        folder: The run's ``checkpoints`` folder.
        checkpoint: What to keep.

    Returns:
        The checkpoint's own folder.

    Raises:
        RunError: It could not be written (disk full, read-only); earlier checkpoints are as they were.
    """
    from safetensors.numpy import save as to_bytes

    target = folder / f"step-{checkpoint.step:08d}"
    if target.exists() and not _damage(target):
        return target
    beside = folder / f".{target.name}.tmp"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        for name, arrays in (("weights", checkpoint.weights), ("optimizer", checkpoint.optimizer)):
            contiguous = {key: np.asarray(value, order="C") for key, value in arrays.items()}  # keeps scalars scalars
            with write_atomically(beside / f"{name}.safetensors") as path:
                path.write_bytes(to_bytes(contiguous))
        write_json(beside / "state.json", dict(checkpoint.state))
        write_json(beside / "manifest.json", _manifest(beside, checkpoint))
        fsync_folder(beside)
        if target.exists():
            shutil.rmtree(target)
        beside.rename(target)
        fsync_folder(folder)
    except OSError as problem:
        shutil.rmtree(beside, ignore_errors=True)
        raise RunError(
            f"the checkpoint of step {checkpoint.step} could not be written: {problem.strerror or problem}.",
            expected="room on the disk and a folder that can be written to",
            fix="make room; earlier checkpoints are untouched",
            details={"folder": folder},
        ) from problem
    return target


def _manifest(folder: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    def described(arrays: Arrays) -> dict[str, Any]:
        return {key: {"shape": list(value.shape), "dtype": str(value.dtype)} for key, value in arrays.items()}

    return {
        "format": 1,
        "step": checkpoint.step,
        "weights": described(checkpoint.weights),
        "optimizer": described(checkpoint.optimizer),
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of_file(folder / name)} for name in _FILES
        },
    }


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, after every checksum was found to hold.

    Raises:
        RunError: A file is missing, cut or changed; names it.
    """
    from safetensors.numpy import load_file

    damage = _damage(path)
    if damage:
        raise RunError(
            f"the checkpoint {path.name} cannot be used: {damage}.",
            expected="the files that its manifest lists, byte for byte",
            fix="use an earlier checkpoint of the run",
            details={"folder": path},
        )
    return Checkpoint(
        step=int(read_json(path / "manifest.json")["step"]),
        weights=load_file(path / "weights.safetensors"),
        optimizer=load_file(path / "optimizer.safetensors"),
        state=read_json(path / "state.json"),
    )


def _damage(path: Path) -> str:
    try:
        files = read_json(path / "manifest.json")["files"]
        for name in _FILES:
            said = files[name]
            if (path / name).stat().st_size != said["bytes"]:
                return f"{name} has {(path / name).stat().st_size} bytes instead of {said['bytes']}"
            if sha256_of_file(path / name) != said["sha256"]:
                return f"{name} does not have the checksum in its manifest"
    except (OSError, ValueError, KeyError, TypeError) as problem:
        return f"{type(problem).__name__}: {problem}"
    return ""


def folders(folder: Path) -> list[Path]:
    """The checkpoints in a run's ``checkpoints`` folder, by step; half-written ones are not among them."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))


def latest_complete(folder: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The newest checkpoint that is whole, and what was wrong with newer ones.

    Returns:
        Its folder or None, and a sentence for each that was passed over.
    """
    skipped: list[str] = []
    for path in reversed(folders(folder)):
        damage = _damage(path)
        if not damage:
            return path, tuple(skipped)
        skipped.append(f"checkpoint {path.name} was passed over: {damage}")
    return None, tuple(skipped)


def point(folder: Path, name: str, target: Path) -> None:
    """Let ``LATEST`` or ``BEST`` name a checkpoint, atomically."""
    with write_atomically(folder / name) as beside:
        beside.write_text(target.name + "\n", encoding="utf-8")


def pointed(folder: Path, name: str) -> Path | None:
    """The whole checkpoint that ``LATEST`` or ``BEST`` names, or None."""
    try:
        target = (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    path = folder / target
    return path if _NAME.fullmatch(target) and not _damage(path) else None


def superfluous(folder: Path, keep_last: int) -> list[Path]:
    """The checkpoints that are neither among the last ``keep_last`` nor the one that ``BEST`` names."""
    try:
        best = (folder / "BEST").read_text(encoding="utf-8").strip()
    except OSError:
        best = ""
    return [path for path in folders(folder)[:-keep_last] if path.name != best]


def prune(folder: Path, keep_last: int) -> None:
    """Remove the checkpoints that `superfluous` names, and what a killed process left half-written."""
    for path in [*superfluous(folder, keep_last), *folder.glob(".step-*.tmp")]:
        shutil.rmtree(path, ignore_errors=True)
