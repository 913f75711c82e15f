"""What a source becomes: images as uint8, labels as integers, three splits, and what was left out."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seewell.data.decode import Decoding

__all__ = ["ImageDataset", "Images", "Labels", "Progress", "Quarantined", "Split"]

Images = npt.NDArray[np.uint8]
"""uint8 (N, H, W, C), C being 1 or 3; in memory, or a read-only `numpy.memmap`."""

Labels = npt.NDArray[np.int64]
"""int64 (N,), each in [0, number of classes)."""

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)`` from the thread that loads."""

_HASHED_AT_ONCE = 64 * 2**20


@dataclass(frozen=True)
class Quarantined:
    """A file that was left out.

    Attributes:
        path: The file, escaped so that it prints on one line (see `seewell.data.names.printable`).
        reason: Why, in a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels.

    Attributes:
        images: uint8 (N, H, W, C); may be a read-only memory map larger than memory.
        labels: int64 (N,).
        paths: The file of each image, as the operating system names it (it may hold bytes that are
            not UTF-8: print it through `seewell.data.names.printable`); None where a source has no such files.
    """

    images: Images
    labels: Labels
    paths: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """The number of images."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """A source, read: three splits, the class names, and how an image file becomes such an image.

    Attributes:
        name: Short: a catalogue name, or the name of the folder or file.
        source: What was asked for, as given.
        classes: The class names; a label is an index into them.
        train: What weights, mean image and everything else is fitted on.
        validation: What choices are made on. Never part of ``test``.
        test: What is measured once, at the end; None where the source has no such split.
        decoding: Size and channels; `seewell.data.decode.decode_image` makes such images from files.
        notes: Sentences worth telling, such as "3 of 4,000 files were left out".
        quarantined: The files that were left out.
    """

    name: str
    source: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split | None
    decoding: Decoding
    notes: tuple[str, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every image."""
        return (self.decoding.height, self.decoding.width, self.decoding.channels)

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.classes)

    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any pixel, label, class name or split.

        Reads every pixel once; the answer is kept.
        """
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(b"seewell dataset 1\n")
        for name in self.classes:
            encoded = name.encode("utf-8", "surrogateescape")
            digest.update(b"class %d " % len(encoded) + encoded)
        for which, split in (("train", self.train), ("validation", self.validation), ("test", self.test)):
            if split is None:
                continue
            digest.update(f"\n{which} {split.images.shape}\n".encode())
            digest.update(split.labels.astype("<i8").tobytes())
            rows = max(1, _HASHED_AT_ONCE // max(1, split.images[:1].nbytes))
            for start in range(0, len(split), rows):
                digest.update(np.ascontiguousarray(split.images[start : start + rows]).data)
        return digest.hexdigest()
