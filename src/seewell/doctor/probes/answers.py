"""From a network's outputs to class probabilities and their cross-entropy, whatever the outputs are."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.doctor.statistics import Kind, OutputFacts

__all__ = ["cross_entropy", "kind_of", "output_facts", "probabilities"]

_SMALLEST = 1e-7  # Keras's epsilon: the least probability that its own cross-entropy sees


def kind_of(outputs: npt.NDArray[Any], last_activation: str, from_logits: bool | None) -> Kind:
    """What the outputs are, from their values first and from what is known of the model second."""
    outputs = np.asarray(outputs, np.float64)
    finite = outputs[np.isfinite(outputs).all(axis=-1)]
    unit = finite.size > 0 and finite.min() >= 0 and finite.max() <= 1
    if outputs.shape[-1] == 1:
        bounded = last_activation in ("sigmoid", "softmax", "hard_sigmoid") or (last_activation == "unknown" and unit)
        return "binary-probability" if bounded and unit else "binary-logit"
    if unit and np.allclose(finite.sum(axis=-1), 1.0, atol=1e-2):
        return "probabilities"
    if last_activation in ("sigmoid", "hard_sigmoid") or (last_activation == "unknown" and unit and not from_logits):
        return "scores"
    return "logits"


def probabilities(outputs: Any, kind: Kind) -> Any:
    """Class probabilities as a float32 tensor (N, K); two columns where there is one output."""
    outputs = tf.cast(outputs, tf.float32)
    if kind == "binary-probability":
        return tf.concat([1 - outputs, outputs], axis=-1)
    if kind == "binary-logit":
        share = tf.sigmoid(outputs)
        return tf.concat([1 - share, share], axis=-1)
    if kind == "logits":
        return tf.nn.softmax(outputs)
    if kind == "scores":
        return outputs / tf.maximum(tf.reduce_sum(outputs, axis=-1, keepdims=True), _SMALLEST)
    return outputs


def cross_entropy(labels: Any, outputs: Any, kind: Kind) -> Any:
    """Mean cross-entropy in nats of class numbers (N,), as a scalar tensor; from logits where there are any."""
    outputs = tf.cast(outputs, tf.float32)
    labels = tf.cast(labels, tf.int64)
    if kind == "logits":
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs))
    if kind == "binary-logit":
        wanted = tf.cast(labels, tf.float32)[:, None]
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, outputs))
    shares = tf.clip_by_value(probabilities(outputs, kind), _SMALLEST, 1.0)
    return -tf.reduce_mean(tf.math.log(tf.gather(shares, labels, batch_dims=1)))


def output_facts(outputs: npt.NDArray[Any], kind: Kind, logits: npt.NDArray[Any] | None) -> OutputFacts:
    """Statistics of a batch of answers.

    Args:
        outputs: What the network gives, (N, K).
        kind: What that is.
        logits: The values before the last softmax or sigmoid, where they can be read.
    """
    outputs = np.asarray(outputs, np.float64)
    shares = np.asarray(probabilities(outputs, kind), np.float64)
    classes = shares.shape[-1]
    finite = bool(np.isfinite(outputs).all())
    seen = logits if logits is not None else outputs if kind in ("logits", "binary-logit") else None
    spread = float(np.nanstd(outputs))
    across = float(np.sqrt(np.nanmean(np.nanvar(outputs, axis=0))))
    known = np.clip(np.nan_to_num(shares), 1e-12, 1.0)
    entropy = float(-(known * np.log(known)).sum(axis=-1).mean() / np.log(classes))
    best = np.nan_to_num(shares).argmax(axis=-1)
    return OutputFacts(
        finite=finite,
        probabilities=kind == "probabilities",
        unit_range=finite and bool(outputs.min() >= 0 and outputs.max() <= 1),
        logit_deviation=float(np.std(np.asarray(seen, np.float64))) if seen is not None and finite else None,
        certainty=float(np.nan_to_num(shares).max(axis=-1).mean()),
        depends=across / spread if spread > 0 else 0.0,
        entropy=entropy,
        collapsed=float(np.bincount(best).max() / len(best)),
    )
