"""On which devices a training runs."""

from typing import Any

from seewell.errors import ConfigError
from seewell.training.precision import Choice

__all__ = ["choose_strategy"]


def choose_strategy(batch_size: int) -> tuple[Any, Choice]:
    """TensorFlow's default strategy on one device, a mirrored one on several GPUs.

    Args:
        batch_size: Images in one update; several GPUs share them.

    Returns:
        A ``tf.distribute.Strategy`` and the choice with its reason.

    Raises:
        ConfigError: The batch cannot be shared evenly.
    """
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if len(gpus) < 2:
        device = "the GPU" if gpus else "the processor"
        return tf.distribute.get_strategy(), Choice("strategy", "default", f"one device: {device}")
    if batch_size % len(gpus):
        raise ConfigError(
            f"{len(gpus)} GPUs cannot share a batch of {batch_size} images evenly.",
            expected=f"a multiple of {len(gpus)}",
            fix=f"--batch-size {batch_size - batch_size % len(gpus) + len(gpus)}",
        )
    return tf.distribute.MirroredStrategy(), Choice("strategy", "mirrored", f"{len(gpus)} GPUs on this machine")
