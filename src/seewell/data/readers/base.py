"""What every reader is: a name, a question (is this yours?) and a way to read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seewell.data.dataset import Progress, Quarantined, Split
from seewell.data.decode import Decoding

__all__ = ["Contents", "ReadOptions", "Reader"]


@dataclass(frozen=True)
class ReadOptions:
    """What a reader may want to know.

    Attributes:
        image_size: (height, width) asked for, or None.
        split_seed: The seed that a validation split will be drawn with.
        progress: Called as ``progress(what, done, total)``, or None.
        classes: Class names that the catalogue knows for this source, or None.
    """

    image_size: tuple[int, int] | None = None
    split_seed: int = 0
    progress: Progress | None = None
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class Contents:
    """What a reader finds, before a validation split is drawn.

    Attributes:
        classes: The class names.
        train: All training images.
        validation: The source's own validation split, or None.
        test: The source's own test split, or None.
        decoding: The size and channels of the images.
        notes: Sentences for the user.
        quarantined: Files left out.
        train_is_stratified: Whether ``train`` lies in the order of `seewell.data.splits.stratified_order`
            for ``split_seed``, so that a slice of it is a split.
    """

    classes: tuple[str, ...]
    train: Split
    validation: Split | None
    test: Split | None
    decoding: Decoding
    notes: tuple[str, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    train_is_stratified: bool = False


@dataclass(frozen=True)
class Reader:
    """One layout of files.

    Attributes:
        name: Short, such as "idx".
        layout: What it looks for, as a phrase for messages.
        recognises: Whether a path has this layout, cut or incomplete files included; reads next to nothing.
        read: Path and options to contents; raises DataError.
    """

    name: str
    layout: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], Contents]
