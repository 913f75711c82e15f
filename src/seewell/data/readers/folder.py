"""A folder of class folders of image files, with or without train/, validation/ and test/."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.data.cache import FORMAT, RowWriter, check_memory, load_entry, save_entry
from seewell.data.dataset import Images, Labels, Quarantined, Split
from seewell.data.decode import Decoding
from seewell.data.decode_many import choose_decoding, decode_rows, survey
from seewell.data.labels import check_classes, check_enough_to_split
from seewell.data.names import counted, printable, twins
from seewell.data.readers.base import Contents, Reader, ReadOptions
from seewell.data.readers.listing import IMAGE_ENDINGS, ListedFile, Listing, has_images, list_images
from seewell.data.splits import stratified_order
from seewell.errors import DataError

__all__ = ["IMAGE_ENDINGS", "MOST_LEFT_OUT", "READER"]

MOST_LEFT_OUT = 0.01
"""The share of unusable files above which a folder is refused."""

_SHOWN = 5
_ENDINGS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "GIF": (".gif",),
    "WebP": (".webp",),
    "BMP": (".bmp", ".dib"),
}


@dataclass(frozen=True, eq=False)
class _Rows:
    """All files of a listing in the order in which their pixels are kept: train, validation, test."""

    root: Path
    files: list[ListedFile]
    counts: dict[str, int]
    """How many files each split has, in the order of ``files``."""

    def paths(self) -> list[str]:
        return [os.path.join(self.root, file.relative) for file in self.files]

    def labels(self) -> Labels:
        return np.array([file.label for file in self.files], dtype=np.int64)

    def keys(self) -> list[bytes]:
        return [os.fsencode(file.relative) for file in self.files]


@dataclass(frozen=True, eq=False)
class _Decoded:
    """Pixels, and which rows they belong to."""

    images: Images
    facts: dict[str, Any]


class _MemoryRows:
    """Takes rows as `seewell.data.cache.RowWriter` does, and keeps them in memory."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self._images: Images = np.empty(shape, dtype=np.uint8)
        self._rows = 0

    def append(self, images: Images) -> None:
        self._images[self._rows : self._rows + len(images)] = images
        self._rows += len(images)

    def reorder(self, order: npt.NDArray[np.int64]) -> None:
        self._images = self._images[order]

    def finish(self) -> Images:
        return self._images[: self._rows]


def _recognises(path: Path) -> bool:
    return has_images(path.resolve())


def _read(path: Path, options: ReadOptions) -> Contents:
    root = path.resolve()
    listing = list_images(root)
    name = printable(root.name)
    shown = tuple(printable(each) for each in listing.classes)
    check_classes(shown, name)
    _check_splittable(listing, shown, name)
    rows = _ordered(root, listing, options)
    decoded, notes = _decoded(rows, listing, options)
    return _contents(rows, listing, shown, decoded, notes, options)


def _check_splittable(listing: Listing, shown: tuple[str, ...], name: str) -> None:
    """Say before any decoding that a class has too few images to validate on."""
    if "validation" in listing.splits:
        return
    labels = np.array([file.label for file in listing.splits["train"]], dtype=np.int64)
    check_enough_to_split(labels, shown, name, [file.relative for file in listing.splits["train"]])


def _ordered(root: Path, listing: Listing, options: ReadOptions) -> _Rows:
    files: list[ListedFile] = []
    for split, listed in listing.splits.items():
        if split == "train":
            part = _Rows(root, listed, {})
            order = stratified_order(part.labels(), part.keys(), seed=options.split_seed, purpose="validation")
            files += [listed[row] for row in order.tolist()]
        else:
            files += listed
    return _Rows(root, files, {split: len(listed) for split, listed in listing.splits.items()})


def _decoded(rows: _Rows, listing: Listing, options: ReadOptions) -> tuple[_Decoded, list[str]]:
    """The pixels: from the cache, or decoded into it, or, where it cannot be written, into memory."""
    source_key = hashlib.sha256(os.fsencode(rows.root)).hexdigest()[:16]
    key = _cache_key(rows, options)
    entry = load_entry(source_key, key)
    if entry is not None:
        return _Decoded(entry.images, entry.facts), []
    paths = rows.paths()
    facts, failed = survey(paths, options.progress)
    _check_share(failed, rows, listing)
    decoding, note = choose_decoding(facts, options.image_size)
    known = {"decoding": decoding.to_dict(), "size note": note, **_oddities(rows, facts)}
    usable = [row for row, each in enumerate(facts) if each is not None]
    shape = (len(usable), decoding.height, decoding.width, decoding.channels)

    def write(writer: RowWriter | _MemoryRows) -> dict[str, Any]:
        late = decode_rows([paths[row] for row in usable], decoding, writer.append, options.progress)
        gone = sorted([*failed, *((usable[position], reason) for position, reason in late)])
        _check_share(gone, rows, listing)
        if gone:
            writer.reorder(_order_without(rows, {row for row, _ in gone}, options))
        return {**known, "left out": [[row, reason] for row, reason in gone]}

    try:
        entry = save_entry(source_key, key, shape, write)
    except OSError as error:
        check_memory(shape[0], shape[1:])
        memory = _MemoryRows(shape)
        kept = write(memory)
        cause = (error.strerror or str(error)).lower()
        note = f"the cache folder cannot be written ({cause}), so images are decoded into memory at every start"
        return _Decoded(memory.finish(), kept), [note]
    return _Decoded(entry.images, entry.facts), []


def _cache_key(rows: _Rows, options: ReadOptions) -> str:
    """Changes with any file, its time, the decoding, its rule, its library, or the order of rows."""
    import PIL

    digest = hashlib.sha256()
    seed = "own validation" if "validation" in rows.counts else options.split_seed
    digest.update(repr((FORMAT, PIL.__version__, options.image_size, seed, rows.counts)).encode())
    for file in rows.files:
        digest.update(os.fsencode(file.relative) + b"\0%d %d %d\n" % (file.label, file.size, file.modified))
    return digest.hexdigest()[:32]


def _check_share(failed: list[tuple[int, str]], rows: _Rows, listing: Listing) -> None:
    """Refuse the folder where more than `MOST_LEFT_OUT` of its files cannot be used."""
    reasons = [reason for _, reason in failed] + [f"{each.path}: {each.reason}" for each in listing.unusable]
    total = len(rows.files) + len(listing.unusable)
    if len(reasons) <= MOST_LEFT_OUT * total:
        return
    first = {f"{number}.": reason for number, reason in enumerate(reasons[:_SHOWN], start=1)}
    more = {"and": f"{len(reasons) - _SHOWN:,} more"} if len(reasons) > _SHOWN else {}
    raise DataError(
        f"{len(reasons):,} of {total:,} image files cannot be used.",
        expected=f"at most {MOST_LEFT_OUT:.0%}; as few as that are left out and listed",
        fix="remove or mend these files",
        details={**first, **more},
    )


def _order_without(rows: _Rows, gone: set[int], options: ReadOptions) -> npt.NDArray[np.int64]:
    """How the rows that are left must be ordered so that slices of train stay exact splits."""
    count = rows.counts["train"]
    train = [row for row in range(count) if row not in gone]
    labels, keys = rows.labels(), rows.keys()
    order = stratified_order(labels[train], [keys[row] for row in train], seed=options.split_seed, purpose="validation")
    rest = len(rows.files) - count - sum(1 for row in gone if row >= count)
    return np.concatenate([order, np.arange(len(train), len(train) + rest)])


def _oddities(rows: _Rows, facts: list[Any]) -> dict[str, list[int]]:
    """Rows whose ending does not fit their content, and rows with more than one frame."""
    known = [(row, each) for row, each in enumerate(facts) if each is not None]
    return {
        "other ending": [
            row
            for row, each in known
            if os.path.splitext(rows.files[row].relative)[1].lower() not in _ENDINGS[each.format]
        ],
        "animated": [row for row, each in known if each.animated],
    }


def _contents(
    rows: _Rows, listing: Listing, classes: tuple[str, ...], decoded: _Decoded, notes: list[str], options: ReadOptions
) -> Contents:
    facts = decoded.facts
    gone = {int(row): str(reason) for row, reason in facts["left out"]}
    kept = [row for row in range(len(rows.files)) if row not in gone]
    if gone:
        kept = [kept[position] for position in _order_without(rows, set(gone), options).tolist()]
    paths, labels = rows.paths(), rows.labels()
    splits: dict[str, Split] = {}
    start, first_row = 0, 0
    for split, count in rows.counts.items():
        stop = start + count - sum(1 for row in gone if first_row <= row < first_row + count)
        part = kept[start:stop]
        splits[split] = Split(decoded.images[start:stop], labels[part], tuple(paths[row] for row in part))
        start, first_row = stop, first_row + count
    quarantined = [Quarantined(printable(rows.files[row].relative), reason) for row, reason in sorted(gone.items())]
    return Contents(
        classes=classes,
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits.get("test"),
        decoding=Decoding.from_dict(facts["decoding"]),
        notes=(*_notes(rows, listing, facts, quarantined), *notes),
        quarantined=tuple(quarantined + listing.unusable + listing.not_followed),
        train_is_stratified=True,
    )


def _notes(rows: _Rows, listing: Listing, facts: dict[str, Any], left_out: list[Quarantined]) -> list[str]:
    """What is worth telling about a folder, a sentence each."""
    notes = list(listing.notes)
    missing = len(left_out) + len(listing.unusable)
    if missing:
        first = (left_out + listing.unusable)[0]
        total = len(rows.files) + len(listing.unusable)
        notes.append(
            f"left out {missing:,} of {counted(total, 'image file')}, the first: {first.path} ({first.reason})"
        )
    if listing.not_followed:
        first = listing.not_followed[0]
        number = counted(len(listing.not_followed), "link")
        notes.append(f"did not follow {number}, the first: {first.path} ({first.reason})")
    if listing.ignored:
        notes.append(f"passed over {counted(listing.ignored, 'file')} without an image ending in the class folders")
    for group in twins(listing.classes):
        alike = " and ".join(f'"{printable(name)}"' for name in group)
        notes.append(f"the classes {alike} differ only in case or in the form of their accents: is that meant?")
    for row, what in (("other ending", "with the ending of another format"), ("animated", "with several frames")):
        found = facts[row]
        if found:
            example = printable(rows.files[int(found[0])].relative)
            done = "content decides" if row == "other ending" else "the first one is used"
            notes.append(f"{counted(len(found), 'file')} {what} ({done}), the first: {example}")
    if facts["size note"]:
        notes.append(str(facts["size note"]))
    return notes


READER = Reader(
    name="folder",
    layout="a folder of class folders of image files, with or without train, validation and test",
    recognises=_recognises,
    read=_read,
)
