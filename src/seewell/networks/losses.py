"""The cost: softmax cross-entropy on logits, as the series has it."""

from typing import Any

__all__ = ["cross_entropy", "soft_labels"]


def soft_labels(labels: Any, num_classes: int, smoothing: float = 0.0) -> Any:
    """One-hot labels, each giving the share ``smoothing`` evenly to all classes (Szegedy et al. 2016).

    Args:
        labels: integers (N,).
        num_classes: K.
        smoothing: In [0, 1).

    Returns:
        float32 (N, K); each row sums to 1.
    """
    import tensorflow as tf

    return tf.one_hot(labels, num_classes) * (1.0 - smoothing) + smoothing / num_classes


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Softmax cross-entropy in nats, one value an image, computed in float32.

    Args:
        labels: float32 (N, K), rows that sum to 1.
        logits: any float (N, K), before the softmax.

    Returns:
        float32 (N,). ln K where the logits are equal.
    """
    import tensorflow as tf

    return tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=tf.cast(logits, tf.float32))
