"""`savedmodel/1/`: TensorFlow Serving's layout and signature."""

from pathlib import Path
from typing import Any

from seewell.runs.exporters.base import Exporter, Options, image_spec, serving_function

__all__ = ["EXPORTER", "SIGNATURE", "write_saved_model"]

SIGNATURE = "serving_default"
"""What TensorFlow Serving calls where a request names no signature."""


def write_saved_model(model: Any, folder: Path) -> None:
    """Write one version of a SavedModel, with the signature ``serving_default`` (image → probabilities).

    Args:
        model: uint8 (N, H, W, C) in, float32 (N, K) out.
        folder: The version's own folder.
    """
    import tensorflow as tf

    # keras.export.ExportArchive would write every weight twice (Keras 3.15).
    module = tf.Module()
    module.weights = [one.value for one in model.variables]
    module.serve = tf.function(serving_function(model), input_signature=[image_spec(model)])
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: module.serve})


def _write(model: Any, path: Path, options: Options) -> None:
    write_saved_model(model, path / "1")


EXPORTER = Exporter("savedmodel", "savedmodel", "TensorFlow in a process without seewell", _write)
