"""Examine a model and its data before training."""

from typing import Any

import numpy as np

from seewell.doctor.examination import Examination
from seewell.doctor.guard import Guard
from seewell.doctor.inert import untouched
from seewell.doctor.prescribe import prescribe
from seewell.doctor.probes.sample import Sample, take_sample
from seewell.doctor.subject import Subject, check_model
from seewell.errors import DataError
from seewell.findings import Finding

__all__ = ["examine", "prepare"]

_SECONDS = 10.0


def examine(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    target_error: float = 0.0,
    thorough: bool = False,
) -> list[Finding]:
    """Say what is wrong with a training before it begins.

    Nothing of the model changes: not its weights, its optimizer, its metrics,
    nor the next random number of Python, NumPy, TensorFlow or Keras. Updates
    are tried on copies.

    Args:
        model: A compiled Keras image classifier.
        x: Training images: an array, a `tf.data.Dataset` or a `PyDataset` of batches.
        y: Their labels, class numbers (N,) or one-hot (N, K); None for a data set.
        validation_data: A pair of arrays, or a data set.
        target_error: The error that could be reached at best, in [0, 1].
        thorough: Lift the budget of 10 seconds.

    Returns:
        Findings, most important first, each with its symptoms and remedies;
        empty where nothing is wrong.

    Raises:
        NetworkError: The model is not one that the doctor can judge.
        DataError: The data do not fit the model, or are no images with one class each.

    Example:
        >>> for finding in examine(model, x_train, y_train):  # doctest: +SKIP
        ...     print(finding.code, finding.message)
    """
    guard = Guard()
    examination = prepare(
        model, x, y, validation_data=validation_data, target_error=target_error, thorough=thorough, guard=guard
    )
    return prescribe(examination.run(), examination.facts)


def prepare(
    model: Any,
    x: Any,
    y: Any,
    *,
    validation_data: Any,
    target_error: float,
    thorough: bool,
    guard: Guard,
    seconds: float | None = None,
) -> Examination:
    """Check what was given and take the samples; as `examine`, with a budget of so many ``seconds``, 10 by default."""
    if not 0 <= target_error < 1:
        raise DataError(
            f"target_error is {target_error:g}.", expected="a share from 0 to 1, such as 0.05", fix="give 5 % as 0.05"
        )
    with untouched():
        subject = check_model(model, _image_shape(x))
        for limit in subject.limits:
            guard.note(limit)
        sample = take_sample(x, y, subject.outputs)
        held = None if validation_data is None else _validation(validation_data, subject.outputs)
        if sample is None:
            guard.note("the data: the data set cannot be read without changing the order that training will see.")
        else:
            _check_fit(subject, sample, "x")
        if held is not None:
            _check_fit(subject, held, "validation_data", several=False)
        budget = _SECONDS if seconds is None else seconds
        return Examination(subject, sample, held, guard, None if thorough else budget)


def _image_shape(x: Any) -> tuple[int, ...] | None:
    shape = getattr(x, "shape", None)
    if shape is not None and len(shape) > 1:
        return tuple(int(size) for size in shape[1:])
    spec = getattr(x, "element_spec", None)
    if isinstance(spec, tuple) and hasattr(spec[0], "shape") and spec[0].shape.rank:
        sizes = tuple(spec[0].shape[1:])
        return None if None in sizes else tuple(int(size) for size in sizes)
    return None


def _validation(data: Any, outputs: int) -> Sample | None:
    if isinstance(data, list | tuple) and len(data) in (2, 3):
        return take_sample(data[0], data[1], outputs, "validation_data", ordered=False)
    return take_sample(data, None, outputs, "validation_data", ordered=False)


def _check_fit(subject: Subject, sample: Sample, what: str, *, several: bool = True) -> None:
    wanted = getattr(subject.model, "input_shape", None) if subject.anatomy is not None else None
    got = sample.images.shape
    if isinstance(wanted, tuple) and (
        len(wanted) != len(got) or any(w not in (None, g) for w, g in zip(wanted[1:], got[1:], strict=True))
    ):
        raise DataError(
            f"{what} has images of the shape {got[1:]}.",
            expected=f"{tuple(wanted[1:])}, as the network takes them",
            fix="reshape or resize the images, or build the network for them",
        )
    width = sample.targets.shape[1] if sample.targets.ndim == 2 else 1
    if width > 1 and width != subject.outputs:
        raise DataError(
            f"the labels of {what} have {width} columns, but the network gives {subject.outputs} numbers.",
            expected=f"(N, {subject.outputs}) or class numbers",
            fix="give the last layer one output a class",
        )
    if subject.outputs == 1 and sample.all_labels.max(initial=0) > 1 and _is_regression(subject.model):
        raise DataError(
            "the labels are quantities: this is a regression, and the doctor judges classifiers.",
            expected="class numbers from 0, or one-hot rows",
            fix="use the doctor with a classifier",
        )
    if several and sample.complete and len(np.unique(sample.all_labels)) < 2:
        raise DataError(
            f"all labels of {what} are {int(sample.all_labels[0])}: there is one class only.",
            expected="two classes or more",
            fix="check how the labels were read",
        )


def _is_regression(model: Any) -> bool:
    from seewell.doctor.probes.structure import loss_family

    return loss_family(model)[0] == "regression"
