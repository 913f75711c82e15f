"""Atomic writes, checksums and path containment."""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "fsync_file",
    "fsync_folder",
    "json_bytes",
    "read_json",
    "sha256_of_file",
    "temporary_pattern",
    "within",
    "write_atomically",
    "write_json",
]


@contextlib.contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success fsync it, rename it over ``path``, fsync the folder.

    A reader sees the old file or the whole new one, never a part. On an exception
    the temporary file is removed and ``path`` is as it was.

    Args:
        path: The file to replace. Its folder must exist.

    Yields:
        The temporary path to write to.

    Raises:
        OSError: The disk is full, the folder is read-only, and so on.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with write_atomically(folder / "a.txt") as beside:
        ...     _ = beside.write_text("whole")
        >>> (folder / "a.txt").read_text()
        'whole'
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp{path.suffix}")
    # Not tempfile's: it makes files that nobody else may read, and the process's umask cannot be asked in a thread.
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def temporary_pattern(path: Path) -> str:
    """What the temporary files of `write_atomically` are called beside ``path``, for ``glob``; a kill leaves them.

    Example:
        >>> temporary_pattern(Path("run.json"))
        '.run.json.*.tmp.json'
    """
    return f".{path.name}.*.tmp{path.suffix}"


def fsync_file(path: Path) -> None:
    """Make a file's content durable; nothing where there is no such file."""
    try:
        with Path(path).open("rb+") as file:
            os.fsync(file.fileno())
    except FileNotFoundError:
        pass


def fsync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable (a rename is only that after its folder was fsynced)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def json_bytes(value: Any) -> bytes:
    """``value`` as the JSON of a file: in the order given, indented, UTF-8, with a final newline.

    Raises:
        TypeError: ``value`` holds something that JSON cannot.
        ValueError: It holds NaN or an infinity; None says so.

    Example:
        >>> json_bytes({"step": 3}).decode().split()
        ['{', '"step":', '3', '}']
    """
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    # A path that is not UTF-8 holds lone surrogates; their escape is JSON's own.
    return text.encode("utf-8", "backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, atomically.

    Raises:
        TypeError, ValueError: See `json_bytes`.
        OSError: See `write_atomically`.
    """
    content = json_bytes(value)
    with write_atomically(path) as beside:
        beside.write_bytes(content)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: The file is not JSON (cut, for example).
        OSError: The file cannot be read.
    """
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def within(path: Path, root: Path) -> bool:
    """Whether ``path``, every symbolic link followed, lies inside ``root``."""
    return Path(path).resolve().is_relative_to(Path(root).resolve())
