"""Which image files a folder holds: classes, splits, and what is not followed or left out.

Nothing is opened here. Links to folders are never followed; a link to a file is
followed only where its target lies inside the source.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seewell.data.dataset import Quarantined
from seewell.data.names import counted, printable
from seewell.errors import DataError
from seewell.files import within

__all__ = ["IMAGE_ENDINGS", "ListedFile", "Listing", "has_images", "list_images"]

# fmt: off
IMAGE_ENDINGS = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".psd",
    ".eps", ".heic", ".heif", ".avif", ".jp2", ".ico", ".svg", ".ppm", ".pgm", ".pbm", ".pnm", ".tga",
})
# fmt: on
"""Endings that make a file one of the images of a class. Content then decides: some of these formats are refused."""

_SPLITS = {"train": "train", "test": "test", "validation": "validation", "val": "validation", "valid": "validation"}
_NOT_CLASSES = frozenset({"__MACOSX", "lost+found", "@eaDir"})


@dataclass(frozen=True, slots=True)
class ListedFile:
    """An image file as the folder lists it.

    Attributes:
        relative: Its path inside the source, as the operating system names it.
        label: The index of its class.
        size: In bytes.
        modified: In nanoseconds.
    """

    relative: str
    label: int
    size: int
    modified: int


@dataclass
class Listing:
    """What `list_images` finds.

    Attributes:
        classes: The class folders' names, sorted.
        splits: "train", and "validation" and "test" where there are such folders; files sorted by path.
        not_followed: Links.
        unusable: Files that were gone before they could be looked at.
        ignored: How many other files lie in the class folders.
        notes: Sentences for the user.
    """

    classes: tuple[str, ...] = ()
    splits: dict[str, list[ListedFile]] = field(default_factory=dict)
    not_followed: list[Quarantined] = field(default_factory=list)
    unusable: list[Quarantined] = field(default_factory=list)
    ignored: int = 0
    notes: list[str] = field(default_factory=list)


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """The entries that are not hidden, sorted by name."""
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{printable(folder)} cannot be listed: {(error.strerror or str(error)).lower()}.",
            expected="a folder that may be read",
            fix="check its permissions",
        ) from error


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_ENDINGS


def _folders(folder: Path | str) -> list[os.DirEntry[str]]:
    return [
        entry for entry in _entries(folder) if entry.is_dir(follow_symlinks=False) and entry.name not in _NOT_CLASSES
    ]


def _any_image_below(folder: str) -> bool:
    waiting = [folder]
    while waiting:
        entries = _entries(waiting.pop())
        if any(_is_image(entry.name) and not entry.is_dir(follow_symlinks=False) for entry in entries):
            return True
        waiting.extend(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    return False


def has_images(path: Path) -> bool:
    """Whether a folder has a subfolder with an image file somewhere below it."""
    return path.is_dir() and any(_any_image_below(entry.path) for entry in _folders(path))


def list_images(root: Path) -> Listing:
    """List the image files of a folder of class folders.

    Args:
        root: The folder, with every link resolved.

    Returns:
        Classes and files.

    Raises:
        DataError: A class without images, splits whose classes differ, a split layout without
            ``train``, or a folder that may not be read.
    """
    listing = Listing()
    folders = _split_folders(root, listing)
    for split, folder in folders.items():
        class_folders = _folders(folder)
        names = tuple(entry.name for entry in class_folders)
        if split == "train":
            listing.classes = names
        elif set(names) != set(listing.classes):
            raise _other_classes(split, folder, names, listing.classes)
        listing.not_followed += [
            Quarantined(printable(os.path.relpath(entry.path, root)), "a link to a folder; not followed")
            for entry in _entries(folder)
            if entry.is_symlink() and entry.is_dir()
        ]
        outside = sum(1 for entry in _entries(folder) if _is_image(entry.name))
        if outside:
            listing.notes.append(f"left out {counted(outside, 'image file')} outside the class folders")
        files: list[ListedFile] = []
        for label, entry in enumerate(class_folders):
            found = sorted(_files_below(root, entry.path, label, listing), key=lambda file: os.fsencode(file.relative))
            if not found:
                raise _empty_class(entry, listing)
            files += found
        listing.splits[split] = files
    return listing


def _split_folders(root: Path, listing: Listing) -> dict[str, str]:
    """The folder of each split; the source itself as "train" where it has class folders directly."""
    folders = _folders(root)
    named: dict[str, list[os.DirEntry[str]]] = {}
    for entry in folders:
        split = _SPLITS.get(entry.name.lower())
        if split is not None and _has_class_folders(entry.path):
            named.setdefault(split, []).append(entry)
    if not named:
        return {"train": str(root)}
    if "train" not in named:
        there = ", ".join(printable(entries[0].name) for entries in named.values())
        raise DataError(
            f"{printable(root)} has {there}, but no train folder.",
            expected="train, and possibly test and validation, each with the same class folders",
            fix="name the folder of training images train, or give the folder that holds the class folders",
        )
    for split, entries in named.items():
        if len(entries) > 1:
            raise DataError(
                f"{printable(root)} has more than one {split} folder: "
                + " and ".join(printable(entry.name) for entry in entries)
                + ".",
                expected="one folder for each split",
                fix="remove or merge one of them",
            )
    used = {entries[0].name for entries in named.values()}
    others = [printable(entry.name) for entry in folders if entry.name not in used]
    if others:
        listing.notes.append(f"beside train, these folders were left out: {', '.join(others[:5])}")
    order = ("train", "validation", "test")
    return {split: named[split][0].path for split in order if split in named}


def _has_class_folders(folder: str) -> bool:
    """Subfolders with images and no image directly inside: then ``folder`` is a split, not a class."""
    if any(_is_image(entry.name) for entry in _entries(folder)):
        return False
    return any(_any_image_below(entry.path) for entry in _folders(folder))


def _files_below(root: Path, folder: str, label: int, listing: Listing) -> Iterator[ListedFile]:
    waiting = [folder]
    base = len(str(root)) + 1
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_symlink():
                reason = _why_not_followed(root, entry)
                if reason:
                    listing.not_followed.append(Quarantined(printable(entry.path[base:]), reason))
                    continue
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            if not _is_image(entry.name):
                listing.ignored += 1
                continue
            try:
                facts = entry.stat()
            except OSError as error:  # removed while the folder was being listed
                reason = (error.strerror or str(error)).lower()
                listing.unusable.append(Quarantined(printable(entry.path[base:]), reason))
                continue
            yield ListedFile(entry.path[base:], label, facts.st_size, facts.st_mtime_ns)


def _why_not_followed(root: Path, link: os.DirEntry[str]) -> str:
    """Why a link is not followed; empty for a link to a file inside the source."""
    try:
        target = Path(link.path).resolve(strict=True)
    except (OSError, RuntimeError):  # a loop, or a target that does not exist
        return "a link that leads nowhere; not followed"
    if target.is_dir():
        return "a link to a folder; not followed"
    return "" if within(target, root) else "a link out of the source; not followed"


def _empty_class(entry: os.DirEntry[str], listing: Listing) -> DataError:
    name = printable(entry.name)
    links = [found for found in listing.not_followed if f"{name}/" in found.path]
    return DataError(
        f'the class "{name}" has no image.',
        expected="at least one image file in each class folder",
        fix="add images to it, or remove the folder",
        details={
            "folder": printable(entry.path),
            **({"links": f"{counted(len(links), 'link')} in it, out of the source or to folders"} if links else {}),
        },
    )


def _other_classes(split: str, folder: str, names: tuple[str, ...], classes: tuple[str, ...]) -> DataError:
    missing = [printable(name) for name in classes if name not in names]
    extra = [printable(name) for name in names if name not in classes]
    parts = [f"lacks {', '.join(missing[:5])}"] if missing else []
    parts += [f"has {', '.join(extra[:5])} beyond them"] if extra else []
    return DataError(
        f"the {split} folder has other classes than train: it {' and '.join(parts)}.",
        expected="the same class folders in each split",
        fix="rename, add or remove class folders until they agree (case and accents count)",
        details={"folder": printable(folder)},
    )
