"""How the user's loss behaves: its value, whether it is averaged, which way it points."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.doctor.probes.answers import cross_entropy
from seewell.doctor.statistics import Kind, LossFacts

__all__ = ["loss_facts"]

Array = npt.NDArray[Any]


def loss_facts(loss: Any, outputs: Array, targets: Array, labels: Array, kind: Kind, penalty: float) -> LossFacts:
    """Measure a loss on answers that are already there; the network is not run.

    Args:
        loss: Labels and outputs to one number.
        outputs: The network's answers, (N, K).
        targets: Labels as the loss takes them.
        labels: Class numbers.
        kind: What the answers are.
        penalty: What the layers add to the loss.
    """
    value, slope = _slope(lambda answers: loss(targets, answers), outputs)
    twice, _ = _slope(
        lambda answers: loss(np.concatenate([targets, targets]), answers), np.concatenate([outputs, outputs])
    )
    entropy, ideal = _slope(lambda answers: cross_entropy(labels, answers, kind), outputs)
    sizes = float(np.linalg.norm(slope) * np.linalg.norm(ideal))
    classes = max(2, outputs.shape[-1])
    return LossFacts(
        value=value,
        cross_entropy=entropy,
        chance=float(np.log(classes)),
        batch_ratio=twice / value if np.isfinite(value) and value != 0 else None,
        agreement=float((slope * ideal).sum()) / sizes if sizes > 0 and np.isfinite(sizes) else None,
        penalty=penalty,
    )


def _slope(cost: Any, outputs: Array) -> tuple[float, npt.NDArray[np.float64]]:
    answers = tf.convert_to_tensor(outputs)
    with tf.GradientTape() as tape:
        tape.watch(answers)
        value = tf.reduce_sum(tf.cast(cost(answers), tf.float32))
    slope = tape.gradient(value, answers)
    flat = np.zeros(outputs.shape) if slope is None else np.asarray(slope, np.float64)
    return float(value), flat
