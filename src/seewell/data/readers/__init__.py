"""Readers: one file a format. `READERS` asks each in turn whether a path is its own."""

from pathlib import Path

from seewell.data.names import printable
from seewell.data.readers.base import Reader
from seewell.data.readers.cifar import READERS as CIFAR
from seewell.data.readers.folder import IMAGE_ENDINGS
from seewell.data.readers.folder import READER as FOLDER
from seewell.data.readers.idx import READER as IDX
from seewell.data.readers.npz import READER as NPZ
from seewell.errors import DataError

__all__ = ["READERS", "reader_for"]

READERS: tuple[Reader, ...] = (NPZ, IDX, *CIFAR, FOLDER)
"""Asked in this order: the folder of class folders is the least specific, so it comes last."""


def reader_for(path: Path) -> Reader:
    """The reader of a path that exists.

    Raises:
        DataError: No reader knows it; says what was looked for and what is there.
    """
    for reader in READERS:
        if reader.recognises(path):
            return reader
    looked_for = "; ".join(reader.layout for reader in READERS)
    if not path.is_dir():
        raise DataError(
            f"{printable(path)} is a file of a kind that is not read.",
            expected=looked_for,
            fix="give a folder or an .npz file; unpack an archive first",
        )
    entries = sorted(printable(entry.name) for entry in path.iterdir())
    if not entries:
        raise DataError(f"{printable(path)} is an empty folder.", expected=looked_for, fix="check the path")
    there = ", ".join(entries[:5]) + (f" and {len(entries) - 5:,} more" if len(entries) > 5 else "")
    raise DataError(
        f"{printable(path)} holds nothing that is read.",
        expected=looked_for,
        fix=_advice(path),
        details={"there is": there},
    )


def _advice(path: Path) -> str:
    if any(entry.suffix.lower() in IMAGE_ENDINGS for entry in path.iterdir()):
        return "images need a folder for each class: move them into such folders"
    if any(entry.is_symlink() and entry.is_dir() for entry in path.iterdir()):
        return "links to folders are not followed: give the folder they lead to"
    return "check the path; a folder of images needs a subfolder for each class"
