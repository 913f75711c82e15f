"""What a ``.keras`` file may hold: three members of known names and honest sizes."""

import contextlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from seewell.runs.gates.refusal import refusal

__all__ = ["CONFIG", "WEIGHTS", "opened_archive", "read_member"]

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
_MEMBERS = frozenset({CONFIG, WEIGHTS, "metadata.json"})
_FACTOR = 16
_FREE = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_EXPECTED = "config.json, metadata.json and model.weights.h5"


@contextlib.contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ``.keras`` file whose members are the expected ones, each once, and not blown up.

    Raises:
        FormatError: It is no such file; names the member.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise refusal(path, "it is no regular file.", expected="a .keras file", fix="copy the file again")
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, status.st_size, path)
            yield archive
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as problem:
        raise refusal(
            path,
            f"it cannot be read: {str(problem).splitlines()[0] if str(problem) else type(problem).__name__}.",
            expected="a whole .keras file",
            fix="copy the file again",
        ) from problem


def _check_members(archive: zipfile.ZipFile, size: int, path: Path) -> None:
    names = [one.filename for one in archive.infolist()]
    strange = [name for name in names if name not in _MEMBERS]
    if strange:
        raise refusal(path, f'it contains "{strange[0]}".', expected=_EXPECTED)
    if len(set(names)) != len(names):
        raise refusal(path, "it contains the same name twice.", expected=_EXPECTED)
    missing = {CONFIG, WEIGHTS} - set(names)
    if missing:
        raise refusal(path, f"it lacks {', '.join(sorted(missing))}.", expected=_EXPECTED, fix="copy the file again")
    for one in archive.infolist():
        kind = stat.S_IFMT(one.external_attr >> 16)
        if one.flag_bits & 1 or one.compress_type not in _METHODS or kind not in (0, stat.S_IFREG):
            raise refusal(path, f'"{one.filename}" is encrypted, a link, or packed in another way.', expected=_EXPECTED)
        if one.file_size > _FACTOR * size + _FREE:
            raise refusal(
                path,
                f'"{one.filename}" would take {one.file_size:,} bytes, and the file has {size:,}.',
                expected=f"at most {_FACTOR} times the file's size",
            )


def read_member(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    """The bytes of a member, never more than its header promised.

    Raises:
        FormatError: It holds more than ``most``, or more than its header says.
    """
    info = archive.getinfo(name)
    if info.file_size > most:
        raise refusal(path, f'"{name}" has {info.file_size:,} bytes.', expected=f"at most {most:,}")
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise refusal(path, f'"{name}" is not as large as its header says.', expected="a whole .keras file")
    return content
