"""From what a user gives to `fit` to a small batch of images with class numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.probes.datasets import read_batches
from seewell.doctor.probes.labels import sorted_share
from seewell.errors import DataError

__all__ = ["Sample", "class_numbers", "label_form", "take_sample"]

_IMAGES = 512
_BATCHES = 16
_SORTED = 0.5
"""As in the rule for `ordered-batches`."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some images, with their labels in two forms.

    Attributes:
        images: (n, …), spread evenly over the data where these are arrays.
        targets: Labels as the loss gets them, (n, …).
        labels: Class numbers, int64 (n,).
        all_labels: Class numbers of all that was read, in the order in which training sees it. Empty where
            only the start of sorted data could be read and training sees another order: it says nothing of the rest.
        form: "sparse", "one-hot", "soft" or "binary".
        complete: Whether ``all_labels`` are all there are.
        arrays: Whether the data are arrays, which `fit` shuffles by default.
        source: The data, where images can be looked up: an array, or None.
    """

    images: Array
    targets: Array
    labels: npt.NDArray[np.int64]
    all_labels: npt.NDArray[np.int64]
    form: str
    complete: bool
    arrays: bool
    source: Array | None = None

    def __len__(self) -> int:
        return len(self.images)


def take_sample(x: Any, y: Any, outputs: int, what: str = "x", *, ordered: bool = True) -> Sample | None:
    """A sample of the data.

    Args:
        x: Images as an array or tensor; or a `tf.data.Dataset` or `PyDataset` of batches.
        y: Labels; None for a data set.
        outputs: Numbers that the network gives an image.
        what: How to name the data in an error.
        ordered: Whether the order of the data counts: it does in training, not in validation.

    Returns:
        The sample, or None where a data set cannot be read without changing what training reads.

    Raises:
        DataError: The data are not images with one label each.
    """
    if _is_dataset(x):
        return _from_batches(x, y, outputs, what, ordered=ordered)
    if y is None:
        raise DataError(
            f"{what} came without labels.",
            expected="images and labels, or a tf.data.Dataset or PyDataset of both",
            fix="give the labels as well: examine(model, x, y)",
        )
    if isinstance(x, dict | list | tuple) and not _is_plain(x):
        raise DataError(
            f"{what} has several parts.",
            expected="one array of images",
            fix="give a model with one input, and its images",
        )
    if hasattr(x, "__next__"):
        raise DataError(
            f"{what} is a generator: reading it would take batches away from training.",
            expected="arrays, a tf.data.Dataset or a PyDataset",
            fix="give the doctor some images of their own: x, y = next(another_generator)",
        )
    images, targets = _one_array(x, what, "images"), _one_array(y, what, "labels")
    if len(images) != len(targets):
        raise DataError(
            f"{what} has {len(images):,} images and {len(targets):,} labels.",
            expected="one label an image",
            fix="give the labels that belong to these images",
        )
    if len(images) == 0:
        raise DataError(f"{what} is empty.", expected="some images", fix="check how the data were read")
    _refuse_words(images, what)
    form = label_form(targets, outputs)
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), _IMAGES)).round().astype(np.int64))
    every = class_numbers(targets, form)
    return Sample(np.asarray(images[rows]), targets[rows], every[rows], every, form, True, True, images)


def label_form(targets: Array, outputs: int) -> str:
    """How labels are written: "sparse", "one-hot", "soft" or "binary".

    Raises:
        DataError: They are no labels of one class an image: fractions (a regression), or several classes at once.
    """
    if targets.dtype.kind not in "biuf":
        raise DataError(
            f"the labels are of type {targets.dtype}.",
            expected="class numbers or one-hot rows",
            fix="number the classes from 0",
        )
    wide = targets.ndim == 2 and targets.shape[1] > 1
    if targets.ndim > 2:
        raise DataError(
            f"the labels have the shape {targets.shape}: the doctor judges one class an image.",
            expected="(N,), (N, 1) or (N, classes)",
            fix="give a classifier of whole images",
        )
    if wide:
        return _wide_form(targets)
    values = targets.reshape(-1)
    if values.dtype.kind == "f" and np.isfinite(values).all() and not (values == np.round(values)).all():
        if outputs == 1 and values.min() >= 0 and values.max() <= 1:
            return "binary"
        raise DataError(
            "the labels are fractions: this is a regression, and the doctor judges classifiers.",
            expected="class numbers from 0, or one-hot rows",
            fix="use the doctor with a classifier",
        )
    return "binary" if outputs == 1 else "sparse"


def _wide_form(targets: Array) -> str:
    sums = targets.sum(axis=1, dtype=np.float64)
    if not np.allclose(sums, 1.0, atol=1e-3):
        raise DataError(
            "the label rows do not sum to 1: several classes an image, or none, or not labels at all.",
            expected="one class an image: class numbers, or rows with a single 1",
            fix="the doctor judges classifiers with one class an image; check the one-hot encoding",
        )
    return "one-hot" if ((targets == 0) | (targets == 1)).all() else "soft"


def class_numbers(targets: Array, form: str) -> npt.NDArray[np.int64]:
    """Labels of any form as int64 (N,)."""
    if form in ("one-hot", "soft"):
        return targets.argmax(axis=1).astype(np.int64)
    values = targets.reshape(-1)
    finite = np.where(np.isfinite(values), values, -1) if values.dtype.kind == "f" else values
    return np.round(finite).astype(np.int64)


def _from_batches(x: Any, y: Any, outputs: int, what: str, *, ordered: bool) -> Sample | None:
    if y is not None:
        raise DataError(
            f"{what} is a data set and labels were given besides.",
            expected="labels inside the data set",
            fix="leave out y",
        )
    try:
        reading = read_batches(x, _BATCHES)
        pairs = [] if reading is None else [(_as_array(a), _as_array(b)) for a, b in reading.batches]
    except Exception as problem:  # whatever the user's own mappings raise
        first = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
        raise DataError(
            f"{what} does not give pairs of images and labels: {first}.",
            expected="batches of (images, labels)",
            fix="check the elements of the data set",
        ) from problem
    if reading is None:
        return None
    if not pairs or any(a.ndim < 2 or b.ndim < 1 or len(a) != len(b) for a, b in pairs):
        raise DataError(
            f"{what} gives no batches.", expected="batches of (images, labels)", fix="call .batch(…) on the data set"
        )
    if len({a.shape[1:] for a, _ in pairs}) > 1 or len({b.shape[1:] for _, b in pairs}) > 1:
        raise DataError(
            f"{what} has images or labels of several shapes.",
            expected="one shape in all batches",
            fix="resize the images: data.map(lambda x, y: (tf.image.resize(x, size), y))",
        )
    images = np.concatenate([a for a, _ in pairs])
    targets = np.concatenate([b for _, b in pairs])
    _refuse_words(images, what)
    form = label_form(targets, outputs)
    every = class_numbers(targets, form)
    complete = len(pairs) < _BATCHES if reading.complete is None else reading.complete
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), _IMAGES)).round().astype(np.int64))
    if (reading.mixed or not ordered) and sorted_share(every) > _SORTED:
        if not complete:
            return Sample(images[rows], targets[rows], every[rows], every[:0], form, False, False)
        order = np.random.default_rng(0).permutation(len(images))
        images, targets, every = images[order], targets[order], every[order]
    return Sample(images[rows], targets[rows], every[rows], every, form, complete, False, images)


def _is_dataset(x: Any) -> bool:
    return hasattr(x, "element_spec") or (hasattr(x, "__getitem__") and hasattr(x, "num_batches"))


def _is_plain(x: Any) -> bool:
    return isinstance(x, list | tuple) and len(x) > 0 and np.isscalar(np.asarray(x[0]).reshape(-1)[0])


def _one_array(values: Any, what: str, part: str) -> Array:
    try:
        return _as_array(values)
    except (TypeError, ValueError) as problem:
        raise DataError(
            f"the {part} of {what} are no single array: {problem}.",
            expected="one array, all images of one shape",
            fix="give one array of images and one of labels; resize the images to one shape",
        ) from problem


def _refuse_words(images: Array, what: str) -> None:
    if images.dtype.kind not in "biuf":
        raise DataError(
            f"{what} is of type {images.dtype}.",
            expected="numbers: images as arrays",
            fix="read the image files first, for example with seewell.load_dataset",
        )


def _as_array(values: Any) -> Array:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if isinstance(values, dict):
        raise TypeError("a dictionary instead of an array")
    return np.asarray(values)
