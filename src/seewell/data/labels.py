"""Labels as a file gives them: checked, each error naming the row."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Labels
from seewell.data.names import printable
from seewell.errors import DataError

__all__ = ["check_classes", "check_counts", "check_enough_to_split", "check_range", "class_names", "count_classes"]


def check_counts(images: int, labels: int, *, images_in: str, labels_in: str) -> None:
    """Raise unless there is one label for each image, and at least one.

    Raises:
        DataError: Names both counts and where they stand.
    """
    if images != labels:
        raise DataError(
            f"{images_in} holds {images:,} images, but {labels_in} holds {labels:,} labels.",
            expected="one label for each image, in the same order",
            fix="the two files probably belong to different sets; copy or download both again",
        )
    if images == 0:
        raise DataError(f"{images_in} holds no images.", expected="at least one image", fix="check the source")


def check_range(labels: npt.NDArray[np.integer], classes: int, *, where: str, names: str = "") -> Labels:
    """The labels as int64, each in [0, classes).

    Args:
        labels: Integers (N,).
        classes: How many classes there are.
        where: The file or array, for messages.
        names: Where the number of classes comes from, for messages.

    Raises:
        DataError: Names the first row, counted from 0, that is out of range.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        row = int(wrong[0])
        source = f" ({names})" if names else ""
        raise DataError(
            f"{where}: row {row:,} has label {int(labels[row])}, and there are {classes} classes{source}.",
            expected=f"labels from 0 to {classes - 1}",
            fix=f"correct the label of row {row:,}; rows count from 0"
            + (f"; {len(wrong):,} rows are out of range" if len(wrong) > 1 else ""),
        )
    return labels.astype(np.int64)


def count_classes(labels: npt.NDArray[np.integer], *, where: str) -> int:
    """The number of classes of a training set: its labels are 0, 1, 2 ... without gaps.

    Raises:
        DataError: A label is negative, or a number is missing; names a row.
    """
    if len(labels) == 0:
        raise DataError(f"{where} holds no labels.", expected="at least one label", fix="check the source")
    present, first_rows = np.unique(labels, return_index=True)
    for expected, (label, row) in enumerate(zip(present.tolist(), first_rows.tolist(), strict=True)):
        if label < 0:
            raise DataError(
                f"{where}: row {row:,} has label {label}.",
                expected="labels from 0 upwards",
                fix=f"correct the label of row {row:,}; rows count from 0",
            )
        if label != expected:
            raise DataError(
                f"{where}: no training image has label {expected}, yet row {row:,} has label {label}.",
                expected="labels 0, 1, 2 ... without gaps",
                fix=f"number the classes from 0 without gaps, or correct row {row:,}; rows count from 0",
            )
    return len(present)


def class_names(known: tuple[str, ...] | None, labels: npt.NDArray[np.integer], *, where: str) -> tuple[str, ...]:
    """The known class names, or the numbers of the classes as names.

    Raises:
        DataError: A label lies beyond the known names, or, where none are known, see `count_classes`.
    """
    if known is None:
        return tuple(str(number) for number in range(count_classes(labels, where=where)))
    check_range(labels, len(known), where=where, names="named " + ", ".join(known[:3]) + " ...")
    return known


def check_classes(classes: Sequence[str], name: str) -> None:
    """Raise unless there are at least two classes with names of their own.

    Args:
        classes: The class names.
        name: The dataset, for messages.

    Raises:
        DataError: One class, none, or a name twice.
    """
    if len(classes) < 2:
        only = f': "{classes[0]}"' if classes else ""
        raise DataError(
            f"{name} has only one class{only}.",
            expected="at least two classes; with one there is nothing to tell apart",
            fix="add the images of another class",
        )
    if len(set(classes)) != len(classes):
        twice = next(each for each in classes if list(classes).count(each) > 1)
        raise DataError(
            f'{name} has two classes called "{twice}".', expected="a name of its own for each class", fix="rename one"
        )


def check_enough_to_split(labels: Labels, classes: Sequence[str], name: str, paths: Sequence[str] | None) -> None:
    """Raise unless each class has at least two training images, one of them to validate on.

    Args:
        labels: int64 (N,) of all training images.
        classes: The class names.
        name: The dataset, for messages.
        paths: The files, for messages.

    Raises:
        DataError: Names the class, and its only image.
    """
    counts = np.bincount(labels, minlength=len(classes))
    if (counts >= 2).all():
        return
    label = int(np.argmin(counts))
    if counts[label] == 0:
        raise DataError(
            f'the class "{classes[label]}" of {name} has no training image.',
            expected="at least two training images for each class",
            fix="add images of it, or remove the class",
        )
    row = int(np.flatnonzero(labels == label)[0])
    where = printable(paths[row]) if paths else f"row {row:,}"
    raise DataError(
        f'the class "{classes[label]}" of {name} has a single training image ({where}), '
        "so a split into training and validation images is impossible.",
        expected="at least two training images for each class",
        fix="add images of it, remove the class, or bring a validation split of your own",
    )
