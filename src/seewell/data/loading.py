"""`load_dataset`: from a name or a path to images, labels and three splits."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seewell.data.catalogue import CATALOGUE, find
from seewell.data.dataset import ImageDataset, Images, Labels, Progress, Split
from seewell.data.decode import Decoding, fit_pixels
from seewell.data.labels import check_classes, check_enough_to_split
from seewell.data.names import printable
from seewell.data.readers import reader_for
from seewell.data.readers.base import Contents, ReadOptions
from seewell.data.readers.digits import read_digits
from seewell.data.splits import held_out_total, stratified_rows
from seewell.errors import ConfigError, DataError

__all__ = ["load_dataset"]

_LARGEST_SIDE = 4096


def load_dataset(
    source: str | Path,
    *,
    validation_fraction: float = 0.1,
    split_seed: int = 0,
    image_size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> ImageDataset:
    """Read a set of labelled images.

    The validation split is drawn from the training images, stratified, unless
    the source brings one; the test split is whatever the source calls so, and
    depends on no argument.

    Args:
        source: A catalogue name ("digits", "mnist", "fashion-mnist", "cifar10", "cifar100"), or
            the path of a folder or .npz file (docs/data.md shows the layouts).
        validation_fraction: The share of the training images to validate on, between 0 and 1.
        split_seed: Which images that are. Not the seed of a training.
        image_size: (height, width) to cut and resize to. By default the images' own size, where
            all have one (image files: of at most 256 x 256 pixels).
        progress: Called as ``progress(what, done, total)`` now and then.

    Returns:
        The dataset; its ``notes`` say what was left out or assumed.

    Raises:
        DataError: The source cannot be found or used.
        ConfigError: An argument has an impossible value.

    Example:
        >>> dataset = load_dataset("digits")
        >>> dataset.image_shape, len(dataset.train) + len(dataset.validation) + len(dataset.test)
        ((8, 8, 1), 1797)
    """
    _check_arguments(validation_fraction, image_size)
    options = ReadOptions(image_size=image_size, split_seed=split_seed, progress=progress)
    contents, name = _contents(source, options)
    if image_size is not None and (contents.decoding.height, contents.decoding.width) != image_size:
        contents = _resized(contents, image_size)
    _check_classes(contents, name)
    if contents.validation is None:
        train, validation = _carve(contents, validation_fraction, split_seed)
    else:
        train, validation = contents.train, contents.validation
    return ImageDataset(
        name=name,
        source=str(source),
        classes=contents.classes,
        train=train,
        validation=validation,
        test=contents.test,
        decoding=contents.decoding,
        notes=contents.notes,
        quarantined=contents.quarantined,
    )


def _check_arguments(validation_fraction: float, image_size: tuple[int, int] | None) -> None:
    if not 0 < validation_fraction < 1:
        raise ConfigError(
            f"a validation fraction of {validation_fraction} is not possible.",
            expected="a number between 0 and 1",
            fix="0.1 is the default",
        )
    if image_size is not None and not (
        len(image_size) == 2 and all(isinstance(side, int) and 1 <= side <= _LARGEST_SIDE for side in image_size)
    ):
        raise ConfigError(
            f"an image size of {image_size} is not possible.",
            expected=f"(height, width), each from 1 to {_LARGEST_SIDE}",
            fix="(64, 64), for example",
        )


def _contents(source: str | Path, options: ReadOptions) -> tuple[Contents, str]:
    """What the source holds, and its short name."""
    text = str(source)
    if text == "digits":
        return read_digits(), "digits"
    found = find(source, progress=options.progress)
    options = ReadOptions(
        image_size=options.image_size,
        split_seed=options.split_seed,
        progress=options.progress,
        classes=found.classes,
    )
    contents = reader_for(found.path).read(found.path, options)
    if text in CATALOGUE:
        return contents, text
    return contents, printable(found.path.stem if found.path.is_file() else found.path.name)


def _check_classes(contents: Contents, name: str) -> None:
    """At least two classes, and an image of each to train and to validate on."""
    check_classes(contents.classes, name)
    if contents.validation is None:
        check_enough_to_split(contents.train.labels, contents.classes, name, contents.train.paths)
        return
    for which, split in (("training", contents.train), ("validation", contents.validation)):
        counts = np.bincount(split.labels, minlength=len(contents.classes))
        if not counts.all():
            raise DataError(
                f'the class "{contents.classes[int(np.argmin(counts))]}" of {name} has no {which} image.',
                expected="at least one image for each class",
                fix="add images of it, or remove the class",
            )


def _carve(contents: Contents, fraction: float, seed: int) -> tuple[Split, Split]:
    """Train and validation, from the training images."""
    labels = contents.train.labels
    if contents.train_is_stratified:
        cut = held_out_total(labels, fraction)
        return _slice(contents.train, cut, None), _slice(contents.train, 0, cut)
    kept, held_out = stratified_rows(labels, fraction, seed=seed, purpose="validation")
    return _taken_apart(contents.train, kept, held_out)


def _slice(split: Split, start: int, stop: int | None) -> Split:
    paths = None if split.paths is None else split.paths[start:stop]
    return Split(split.images[start:stop], split.labels[start:stop], paths)


def _taken_apart(split: Split, kept: Labels, held_out: Labels) -> tuple[Split, Split]:
    """Copy out the few rows, then close the gaps in place: the large array is never held twice."""
    images, labels = split.images, split.labels
    small = images[held_out]
    for start, stop in _blocks(len(kept)):
        images[start:stop] = images[kept[start:stop]]
    return Split(images[: len(kept)], labels[kept]), Split(small, labels[held_out])


def _blocks(count: int, size: int = 4096) -> Iterator[tuple[int, int]]:
    for start in range(0, count, size):
        yield start, min(start + size, count)


def _resized(contents: Contents, size: tuple[int, int]) -> Contents:
    """Every image cut and resized by the rule for image files."""
    decoding = Decoding(channels=contents.decoding.channels, height=size[0], width=size[1])

    def resize(split: Split | None) -> Split | None:
        if split is None:
            return None
        images: Images = np.empty((len(split), *size, decoding.channels), dtype=np.uint8)
        for row, image in enumerate(split.images):
            images[row] = fit_pixels(image, decoding)
        return Split(images, split.labels, split.paths)

    train = resize(contents.train)
    if train is None:
        return contents
    return Contents(
        classes=contents.classes,
        train=train,
        validation=resize(contents.validation),
        test=resize(contents.test),
        decoding=decoding,
        notes=contents.notes,
        quarantined=contents.quarantined,
    )
