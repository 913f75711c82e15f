"""How good a network is on a split: predictions, cost, accuracy with its interval, classes, confusion."""

import weakref
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.intervals import wilson
from seewell.runs.views import Answers, answers_on_views

__all__ = ["ClassResult", "Evaluation", "Predictor", "evaluate", "evaluate_on_views", "wilson_interval"]


@dataclass(frozen=True)
class ClassResult:
    """One class's part of an evaluation.

    Attributes:
        name: The class.
        count: Images of it.
        accuracy: Share of them that were recognised; None where there are none.
        interval: 95 % Wilson interval of the accuracy.
    """

    name: str
    count: int
    accuracy: float | None
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network does on a split.

    Attributes:
        split: "train", "validation" or "test".
        loss: Mean cross-entropy in nats.
        accuracy: Share of right answers, in [0, 1].
        interval: 95 % Wilson interval of the accuracy.
        count: Number of images.
        labels: int64 (N,).
        probabilities: float32 (N, K).
        confusion: int64 (K, K); rows are the truth, columns the answers.
        per_class: One entry a class, in the order of the classes.
    """

    split: str
    loss: float
    accuracy: float
    interval: tuple[float, float]
    count: int
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    confusion: NDArray[np.int64]
    per_class: tuple[ClassResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values, without the predictions."""
        return {
            "split": self.split,
            "count": self.count,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "per_class": [
                {"name": one.name, "count": one.count, "accuracy": one.accuracy, "interval": list(one.interval)}
                for one in self.per_class
            ],
            "confusion": self.confusion.tolist(),
        }


def wilson_interval(right: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927).

    Args:
        right: Number of successes.
        count: Number of trials; 0 gives (0, 1).
        confidence: Coverage.

    Returns:
        Lower and upper end, in [0, 1].

    Example:
        >>> low, high = wilson_interval(355, 360)
        >>> round(low, 4), round(high, 4)
        (0.9679, 0.9941)
    """
    return wilson(right / count if count else 0.0, count, NormalDist().inv_cdf((1 + confidence) / 2))


class Predictor:
    """A network's answers on many images, a fixed-size batch at a time through one graph.

    Args:
        model: uint8 (N, H, W, C) in, probabilities (N, K) out.

    Attributes:
        most: Images in a batch, where there are so many.
    """

    def __init__(self, model: Any) -> None:
        import keras
        import tensorflow as tf

        names = {layer.name for layer in model.layers}
        self._has_logits = "logits" in names
        end = model.outputs[0]
        both = keras.Model(model.inputs[0], [model.get_layer("logits").output if self._has_logits else end, end])
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)]
        self._call = tf.function(lambda images: both(images, training=False), input_signature=signature)
        height, width = int(model.input_shape[1]), int(model.input_shape[2])
        # About half a gigabyte for the widest layer (64 filters at full size, float32).
        self.most = max(1, min(1000, 2**29 // (height * width * 256)))

    def __call__(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict.

        Args:
            images: uint8 (N, H, W, C).

        Returns:
            float32 (N, K) log-probabilities and float32 (N, K) probabilities.
        """
        import tensorflow as tf

        count = len(images)
        size = min(self.most, _few_sizes(count))
        logs, probabilities = [], []
        for start in range(0, count, size):
            part = np.asarray(images[start : start + size])
            rows = len(part)
            if rows < size:
                part = np.concatenate([part, np.zeros((size - rows, *part.shape[1:]), part.dtype)])
            scores, shares = self._call(tf.constant(part))
            scores = tf.cast(scores, tf.float32)
            log = tf.nn.log_softmax(scores) if self._has_logits else tf.math.log(tf.maximum(scores, 1e-30))
            logs.append(log.numpy()[:rows])
            probabilities.append(tf.cast(shares, tf.float32).numpy()[:rows])
        if not logs:
            empty = np.zeros((0, 0), np.float32)
            return empty, empty
        return np.concatenate(logs), np.concatenate(probabilities)


def _few_sizes(count: int) -> int:
    """A batch that holds so many images, one of eight sizes an octave: kernels are made anew for each size."""
    step = 1 << max(0, (count - 1).bit_length() - 4)
    return max(1, -(-count // step) * step)


_PREDICTORS: "weakref.WeakKeyDictionary[Any, Predictor]" = weakref.WeakKeyDictionary()


def predictor_of(model: Any) -> Predictor:
    """The model's `Predictor`, made once; it reads the weights anew at each call."""
    if model not in _PREDICTORS:
        _PREDICTORS[model] = Predictor(model)
    return _PREDICTORS[model]


def evaluate(
    model: Any,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    split: str,
) -> Evaluation:
    """Measure a network on images with known labels.

    Args:
        model: uint8 (N, H, W, C) in, float32 probabilities (N, K) out.
        images: uint8 (N, H, W, C).
        labels: int64 (N,), in [0, K).
        classes: K names.
        split: What the images are, for the record.

    Returns:
        The evaluation.
    """
    return _judged(Answers(*predictor_of(model)(images)), labels, classes, split)


def evaluate_on_views(
    model: Any,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    split: str,
    tta: str,
) -> tuple[Evaluation, Evaluation]:
    """Measure a network as it is and with test-time augmentation, in one pass.

    Args:
        model: As for `evaluate`.
        images: uint8 (N, H, W, C).
        labels: int64 (N,), in [0, K).
        classes: K names.
        split: What the images are, for the record.
        tta: One of `seewell.runs.views.VIEWS`.

    Returns:
        The plain evaluation, and that of the answers averaged over the views.
    """
    predict = predictor_of(model)
    plain, averaged = answers_on_views(predict, images, tta, most=predict.most)
    return _judged(plain, labels, classes, split), _judged(averaged, labels, classes, split)


def _judged(found: Answers, labels: NDArray[np.int64], classes: tuple[str, ...], split: str) -> Evaluation:
    logs, probabilities = found.logs, found.probabilities
    answers = probabilities.argmax(axis=1)
    count, kinds = len(labels), len(classes)
    confusion = np.bincount(labels * kinds + answers, minlength=kinds * kinds).reshape(kinds, kinds).astype(np.int64)
    right = int(np.trace(confusion))
    per_class = []
    for index, name in enumerate(classes):
        total, hit = int(confusion[index].sum()), int(confusion[index, index])
        per_class.append(ClassResult(name, total, hit / total if total else None, wilson_interval(hit, total)))
    return Evaluation(
        split=split,
        loss=float(-logs[np.arange(count), labels].mean(dtype=np.float64)),
        accuracy=right / count,
        interval=wilson_interval(right, count),
        count=count,
        labels=labels,
        probabilities=probabilities,
        confusion=confusion,
        per_class=tuple(per_class),
    )
