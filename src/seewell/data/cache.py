"""The user's cache folder: downloaded sets, and decoded images as memory-mapped arrays.

One entry of decoded images is a folder, complete or absent (it is renamed into
place), that holds ``images.npy`` and ``index.json``: format version, shape,
size and SHA-256 of the array, and what was found out while decoding. An entry
that does not hold what its index says is thrown away and made again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Images
from seewell.errors import DataError
from seewell.files import fsync_folder, read_json, sha256_of_file, write_json

__all__ = ["FORMAT", "Entry", "cache_root", "check_memory", "load_entry", "save_entry"]

FORMAT = 1
"""Raised whenever the layout of an entry or the rule of decoding changes."""

_KEPT_PER_SOURCE = 3
_MEMORY_SHARE = 0.8


@dataclass(frozen=True, eq=False)
class Entry:
    """Decoded images with what is worth remembering about them.

    Attributes:
        images: uint8 (N, H, W, C), a read-only memory map.
        facts: Plain values, as given to `save_entry`.
    """

    images: Images
    facts: dict[str, Any]


def cache_root() -> Path:
    """The cache folder: ``$SEEWELL_CACHE``, or the user's cache folder of the system. It may not exist yet."""
    given = os.environ.get("SEEWELL_CACHE")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("seewell"))


def load_entry(source_key: str, key: str) -> Entry | None:
    """A whole and verified entry, or None.

    Args:
        source_key: Hexadecimal digits that stand for the source.
        key: Hexadecimal digits that stand for the files and the decoding.
    """
    folder = cache_root() / "images" / source_key / key
    array = folder / "images.npy"
    try:
        index = read_json(folder / "index.json")
        if index["format"] != FORMAT or index["bytes"] != array.stat().st_size:
            return None
        if index["sha256"] != sha256_of_file(array) or index["facts sha256"] != _digest(index["facts"]):
            return None
        images: npt.NDArray[Any] = np.load(array, mmap_mode="r", allow_pickle=False)
        if images.dtype != np.uint8 or list(images.shape) != index["shape"]:
            return None
    except (OSError, ValueError, KeyError, TypeError):  # absent, cut or written by something else
        return None
    with contextlib.suppress(OSError):  # a read-only cache can still be read; the time only helps to clear up
        os.utime(folder)
    return Entry(images, index["facts"])


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def save_entry(
    source_key: str,
    key: str,
    shape: tuple[int, int, int, int],
    write: Callable[["RowWriter"], dict[str, Any]],
) -> Entry:
    """Make an entry: ``write`` puts the rows and returns the facts; then it is verified, renamed and opened.

    Args:
        source_key: See `load_entry`.
        key: See `load_entry`.
        shape: The most rows there can be, and the shape of one. Disk space is reserved for all before the first.
        write: Called once with the writer.

    Raises:
        OSError: The folder is read-only, the disk is full, and so on; nothing is left behind.
    """
    parent = cache_root() / "images" / source_key
    parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=parent, prefix=".tmp-"))
    try:
        with RowWriter.create(beside / "images.npy", shape) as writer:
            facts = write(writer)
            rows = writer.finish()
        array = beside / "images.npy"
        index = {
            "format": FORMAT,
            "bytes": array.stat().st_size,
            "sha256": sha256_of_file(array),
            "shape": [rows, *shape[1:]],
            "facts": facts,
            "facts sha256": _digest(facts),
        }
        write_json(beside / "index.json", index)
        _into_place(beside, parent / key)
        fsync_folder(parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    _clear_up(parent)
    images: Images = np.load(parent / key / "images.npy", mmap_mode="r", allow_pickle=False)
    return Entry(images, facts)


def _into_place(beside: Path, target: Path) -> None:
    """Rename ``beside`` to ``target``; what stands there was found damaged, or another process was faster."""
    try:
        beside.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=".tmp-"))
        target.rename(old / "old")
        beside.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _clear_up(parent: Path) -> None:
    """Keep the entries of a source that were used last; a process that reads an older one keeps its pages."""
    with contextlib.suppress(OSError):  # clearing up may fail without harm
        entries = sorted(
            (entry for entry in parent.iterdir() if not entry.name.startswith(".")),
            key=lambda entry: entry.stat().st_mtime_ns,
        )
        for entry in entries[:-_KEPT_PER_SOURCE]:
            shutil.rmtree(entry, ignore_errors=True)


class RowWriter:
    """Writes rows of a ``.npy`` file one block after another, through plain writes.

    A full disk is then an OSError; through a memory map it would be a SIGBUS.
    """

    def __init__(self, file: Any, path: Path, shape: tuple[int, int, int, int]) -> None:
        self._file = file
        self._path = path
        self._shape = shape
        self._rows = 0
        self._head = 0

    @classmethod
    @contextlib.contextmanager
    def create(cls, path: Path, shape: tuple[int, int, int, int]) -> Iterator["RowWriter"]:
        """A new file with room for all rows."""
        with path.open("wb+") as file:
            writer = cls(file, path, shape)
            writer._write_header(shape[0])
            writer._head = file.tell()
            file.flush()
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, writer._head + int(np.prod(shape, dtype=np.int64)))
            yield writer

    def _write_header(self, rows: int) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (rows, *self._shape[1:])}
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, images: Images) -> None:
        """Add rows, uint8 (n, H, W, C)."""
        self._file.write(np.ascontiguousarray(images).data)
        self._rows += len(images)

    def reorder(self, order: npt.NDArray[np.int64]) -> None:
        """Bring the rows written so far into another order; row i becomes the former row ``order[i]``."""
        self._file.flush()
        former: Images = np.memmap(
            self._path, dtype=np.uint8, mode="r", offset=self._head, shape=(self._rows, *self._shape[1:])
        )
        with self._path.with_suffix(".new").open("wb+") as other:
            other.write(b"\0" * self._head)
            for start in range(0, len(order), 256):
                other.write(np.ascontiguousarray(former[order[start : start + 256]]).data)
            del former
            other.flush()
            self._path.with_suffix(".new").replace(self._path)
            os.dup2(other.fileno(), self._file.fileno())

    def finish(self) -> int:
        """Write the header for the rows there are, cut the file to them and fsync it; returns their number."""
        end = self._head + self._rows * int(np.prod(self._shape[1:], dtype=np.int64))
        self._file.flush()
        self._file.seek(0)
        self._write_header(self._rows)
        if self._file.tell() != self._head:
            raise OSError(f"the header of {self._path} changed its length")
        self._file.flush()
        self._file.truncate(end)
        os.fsync(self._file.fileno())
        return self._rows


def check_memory(count: int, shape: tuple[int, int, int]) -> None:
    """Raise where images that cannot be cached on disk would not fit into memory either.

    Raises:
        DataError: More than 80 % of the available memory would be needed.
    """
    needed = count * int(np.prod(shape, dtype=np.int64))
    available = _available_memory()
    if available is not None and needed > _MEMORY_SHARE * available:
        raise DataError(
            f"{count:,} images of {shape[0]} x {shape[1]} need {needed / 2**30:.1f} GB, "
            f"and {available / 2**30:.1f} GB of memory are free.",
            expected="a cache folder with enough space, or enough memory",
            fix="set SEEWELL_CACHE to a folder on a disk with space, or ask for smaller images",
        )


def _available_memory(lines: Iterable[str] | None = None) -> int | None:
    """Bytes of memory that can be had without swapping; None where the system does not say."""
    try:
        text = lines if lines is not None else Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in text:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
