"""Checkpoints: safetensors and one manifest, written beside and renamed, never pickle.

    checkpoints/step-00001000/manifest.json         written last; names, shapes, dtypes, SHA-256 and size of each file
                              weights.safetensors   or weights-00001-of-00003.safetensors and so on
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

from seewell.errors import RunError
from seewell.files import fsync_folder, json_bytes, read_json, write_atomically
from seewell.runs.manifest import KINDS, MANIFEST, STATE, Manifest, damage, manifest_bytes, read_manifest
from seewell.runs.tensorfile import Arrays, Written, read_size, shards, write_bytes, write_tensors

__all__ = [
    "SHARD_BYTES",
    "Checkpoint",
    "best_whole",
    "clear_stale",
    "folders",
    "latest_complete",
    "listed",
    "load",
    "point",
    "pointed",
    "pointed_name",
    "prune",
    "save",
    "set_aside",
    "superfluous",
]

SHARD_BYTES = read_size("2GB")
"""The most that one file holds, unless a single array is larger."""

_NAME = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True)
class Checkpoint:
    """All that exact resumption needs.

    Attributes:
        step: Updates made.
        weights: Every variable of the network by ``layer/name``, seed generators included.
        optimizer: Every variable of the optimizer, and the moving average of the weights where there is one.
        state: Position, best so far, length of the history: plain values.
        only: The layers that it is limited to, such as "conv*"; no training can go on from such a part.
    """

    step: int
    weights: Arrays
    optimizer: Arrays
    state: Mapping[str, Any]
    only: str | None = None


def save(folder: Path, checkpoint: Checkpoint, *, shard_bytes: int = SHARD_BYTES) -> Path:
    """Write a checkpoint; a reader finds all of it or nothing.

    Args:
        folder: The run's ``checkpoints`` folder.
        checkpoint: What to keep.
        shard_bytes: The most that one file holds; what is larger is divided among several.

    Returns:
        The checkpoint's own folder.

    Raises:
        RunError: It could not be written (disk full, read-only); earlier checkpoints are as they were.
    """
    target = folder / f"step-{checkpoint.step:08d}"
    if target.exists() and not damage(target):
        return target
    beside = folder / f".{target.name}.tmp"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        _fill(beside, checkpoint, shard_bytes)
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
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return target


def _fill(beside: Path, checkpoint: Checkpoint, shard_bytes: int) -> None:
    files: dict[str, Written] = {}
    for kind, arrays in zip(KINDS, (checkpoint.weights, checkpoint.optimizer), strict=True):
        parts = shards(arrays, shard_bytes)
        for place, part in enumerate(parts):
            which = f"-{place + 1:05d}-of-{len(parts):05d}" if len(parts) > 1 else ""
            name = f"{kind}{which}.safetensors"
            files[name] = write_tensors(beside / name, part)
    files[STATE] = write_bytes(beside / STATE, json_bytes(dict(checkpoint.state)))
    content = manifest_bytes(
        step=checkpoint.step,
        only=checkpoint.only,
        weights=checkpoint.weights,
        optimizer=checkpoint.optimizer,
        files=files,
    )
    write_bytes(beside / MANIFEST, content)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, after every checksum was found to hold.

    Raises:
        RunError: A file is missing, cut or changed; names it.
    """
    wrong = damage(path)
    if wrong:
        raise RunError(
            f"the checkpoint {path.name} cannot be used: {wrong}.",
            expected="the files that its manifest lists, byte for byte",
            fix="use an earlier checkpoint of the run",
            details={"folder": path},
        )
    manifest = read_manifest(path)
    weights, optimizer = (_load_all(path, manifest, kind) for kind in KINDS)
    return Checkpoint(manifest.step, weights, optimizer, read_json(path / STATE), manifest.only)


def _load_all(path: Path, manifest: Manifest, kind: str) -> Arrays:
    from safetensors.numpy import load_file

    return {name: array for file in manifest.files_of(kind) for name, array in load_file(path / file).items()}


def listed(folder: Path) -> list[tuple[Path, Manifest | None]]:
    """The checkpoints in a run's ``checkpoints`` folder by step, each with its manifest, None where that is damaged.

    Checksums of the files are not computed: this is for showing what there is.
    """
    found: list[tuple[Path, Manifest | None]] = []
    for path in folders(folder):
        try:
            found.append((path, read_manifest(path)))
        except (OSError, ValueError):
            found.append((path, None))
    return found


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
        wrong = damage(path)
        if not wrong:
            return path, tuple(skipped)
        skipped.append(f"checkpoint {path.name} was passed over: {wrong}")
    return None, tuple(skipped)


def best_whole(folder: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The checkpoint that ``BEST`` names or, where that is damaged, the newest whole one.

    Returns:
        Its folder or None, and a sentence for each that was passed over.
    """
    best = pointed(folder, "BEST")
    if best is not None:
        return best, ()
    newest, passed_over = latest_complete(folder)
    return newest, passed_over or (("the best checkpoint is damaged or missing",) if newest else ())


def point(folder: Path, name: str, target: Path) -> None:
    """Let ``LATEST`` or ``BEST`` name a checkpoint, atomically."""
    with write_atomically(folder / name) as beside:
        beside.write_text(target.name + "\n", encoding="utf-8")


def pointed_name(folder: Path, name: str) -> str:
    """The folder name that ``LATEST`` or ``BEST`` holds, or an empty text; nothing is checked."""
    try:
        return (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def pointed(folder: Path, name: str) -> Path | None:
    """The whole checkpoint that ``LATEST`` or ``BEST`` names, or None."""
    target = pointed_name(folder, name)
    path = folder / target
    return path if _NAME.fullmatch(target) and not damage(path) else None


def set_aside(folder: Path, step: int) -> None:
    """Rename checkpoints beyond ``step``: a training that goes on from there found them damaged and writes its own."""
    for path in folders(folder):
        if int(path.name.removeprefix("step-")) > step:
            path.rename(path.with_name(f"damaged-{path.name}-{path.stat().st_mtime_ns}"))


def superfluous(folder: Path, keep_last: int, keep_every: int | None = None) -> list[Path]:
    """The checkpoints that nothing keeps.

    Args:
        folder: The run's ``checkpoints`` folder.
        keep_last: So many of the latest stay.
        keep_every: The first checkpoint at or after each multiple of so many updates stays.

    Returns:
        Their folders; the one that ``BEST`` names is never among them.
    """
    best = pointed_name(folder, "BEST")
    every = folders(folder)
    milestones: dict[int, Path] = {}
    for path in every:
        stretch = int(path.name.removeprefix("step-")) // keep_every if keep_every else 0
        if stretch:
            milestones.setdefault(stretch, path)
    return [path for path in every[:-keep_last] if path.name != best and path not in milestones.values()]


def prune(folder: Path, keep_last: int, keep_every: int | None = None) -> None:
    """Remove the checkpoints that `superfluous` names, and what a killed process left half-written."""
    for path in superfluous(folder, keep_last, keep_every):
        shutil.rmtree(path, ignore_errors=True)
    clear_stale(folder)


def clear_stale(folder: Path) -> tuple[str, ...]:
    """Remove what a killed process left half-written.

    Returns:
        The names of what was removed.
    """
    stale = [path for path in folder.glob(".*.tmp") if path.name.startswith((".step-", ".LATEST.", ".BEST."))]
    for path in stale:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return tuple(path.name for path in stale)
