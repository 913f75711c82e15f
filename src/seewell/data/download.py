"""Official files over HTTP(S): nothing is kept whose size and SHA-256 were not checked.

All files of a set are fetched into a folder beside the target, which is then
renamed: a set is there whole or not at all. Archives are never extracted by
the names inside them: the few members that are wanted are copied out, one by
one, to names of ours.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from seewell.data.dataset import Progress
from seewell.data.names import printable
from seewell.errors import DataError
from seewell.files import fsync_folder

__all__ = ["Archive", "File", "fetch", "unpack"]

_BLOCK = 2**18
_SECONDS = 30
_SPARE_BYTES = 2**20


@dataclass(frozen=True)
class File:
    """A file to download.

    Attributes:
        name: What it is called here; no folder.
        urls: The official address, then mirrors.
        size: Its bytes.
        sha256: 64 hexadecimal digits.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str


@dataclass(frozen=True)
class Archive:
    """A tar.gz file to download and take members from.

    Attributes:
        name: What it is called.
        urls: The official address, then mirrors.
        size: Its bytes.
        sha256: 64 hexadecimal digits.
        members: Base name of each wanted member, and the most bytes it may have.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str
    members: Mapping[str, int]


def fetch(files: Sequence[File | Archive], target: Path, *, progress: Progress | None = None) -> None:
    """Download a set into ``target``, a folder that does not exist yet.

    Args:
        files: What to download.
        target: The folder to make.
        progress: Called as ``progress("downloading NAME", bytes done, bytes in all)``.

    Raises:
        DataError: Unreachable, not found, cut, another content than the official one, or the folder
            cannot be written. Nothing is left behind.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".tmp-"))
    except OSError as error:
        raise _not_writable(target.parent, error) from error
    try:
        ready = beside / "set"
        ready.mkdir()
        for file in files:
            _download(file, beside / file.name, progress)
            if isinstance(file, Archive):
                unpack(beside / file.name, ready, file.members)
            else:
                (beside / file.name).rename(ready / file.name)
        fsync_folder(ready)
        with contextlib.suppress(FileExistsError):
            _rename(ready, target)
        fsync_folder(target.parent)
    except OSError as error:
        raise _not_writable(target.parent, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _rename(ready: Path, target: Path) -> None:
    """Rename, unless another process was faster: its folder passed the same checks."""
    if target.is_dir() and any(target.iterdir()):
        return
    ready.rename(target)


def _not_writable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"{printable(folder)} cannot be written: {(error.strerror or str(error)).lower()}.",
        expected="a folder with space that may be written",
        fix="set SEEWELL_CACHE to such a folder",
    )


def _download(file: File | Archive, path: Path, progress: Progress | None) -> None:
    """Try the addresses in turn; the last failure is the one that is raised."""
    failures: list[DataError] = []
    for url in file.urls:
        try:
            _download_from(url, file, path, progress)
        except DataError as error:
            failures.append(error)
        else:
            return
    raise failures[-1]


def _download_from(url: str, file: File | Archive, path: Path, progress: Progress | None) -> None:
    digest, done = hashlib.sha256(), 0
    with path.open("wb") as out:
        with _answer(url) as answer:
            while block := answer.read(_BLOCK):
                done += len(block)
                if done > file.size:
                    break
                out.write(block)
                digest.update(block)
                if progress is not None:
                    progress(f"downloading {file.name}", done, file.size)
        out.flush()
        os.fsync(out.fileno())
    if done != file.size:
        raise DataError(
            f"{url} gave {'more than ' if done > file.size else ''}{min(done, file.size):,} bytes.",
            expected=f"{file.size:,} bytes",
            fix="try again; if it happens again, the address no longer holds the official file",
        )
    if digest.hexdigest() != file.sha256:
        raise DataError(
            f"{url} gave another file than the official one; it was thrown away.",
            expected=f"SHA-256 {file.sha256}",
            fix="get the file elsewhere, and check its SHA-256",
            details={"SHA-256": digest.hexdigest()},
        )


@contextlib.contextmanager
def _answer(url: str) -> Iterator[IO[bytes]]:
    """The body behind an address; what goes wrong on the way becomes a DataError."""
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(f"{url} answered {error.code} {error.reason}.", fix="try again later") from error
    except urllib.error.URLError as error:
        raise DataError(
            f"{url} cannot be reached: {error.reason}.", fix="check the connection, or put the files there by hand"
        ) from error
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise DataError(f"{url} broke off: {error or type(error).__name__}.", fix="try again") from error


def unpack(archive: Path, folder: Path, members: Mapping[str, int]) -> None:
    """Copy the wanted members of a tar.gz file into a folder.

    Only regular files are copied, only those whose base name is wanted, to that
    base name, and no more bytes than allowed. Links, devices and paths that
    lead out of the archive are never followed or made.

    Args:
        archive: The tar.gz file.
        folder: An existing folder.
        members: Base name of each wanted member, and the most bytes it may have.

    Raises:
        DataError: A member is missing, too large, twice there, or no regular file; the archive is
            damaged or unpacks to far more than it should.
    """
    left = set(members)
    budget = 2 * sum(members.values()) + _SPARE_BYTES
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                budget -= max(0, member.size)
                if budget < 0:
                    raise _bad_archive(archive, "it unpacks to far more than the files that are wanted")
                name = PurePosixPath(member.name).name
                if name not in members or ".." in PurePosixPath(member.name).parts:
                    continue
                if not member.isreg():
                    raise _bad_archive(archive, f"{name} in it is not a regular file")
                if member.size > members[name] or name not in left:
                    raise _bad_archive(archive, f"{name} in it is too large or there twice")
                left.discard(name)
                _copy_member(tar, member, folder / name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _bad_archive(archive, " ".join(str(error).split())) from error
    if left:
        raise _bad_archive(archive, f"it lacks {', '.join(sorted(left))}")


def _copy_member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    with source, path.open("xb") as out:
        shutil.copyfileobj(source, out, _BLOCK)
        out.flush()
        os.fsync(out.fileno())


def _bad_archive(archive: Path, why: str) -> DataError:
    return DataError(
        f"{printable(archive.name)} cannot be used: {printable(why[:200])}.",
        expected="the official archive, whole",
        fix="download it again from its official page",
    )
