"""`network.tflite`: LiteRT, for phones and small boards; in float32, or quantized."""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seewell.runs.exporters.base import INPUT, Exporter, Options
from seewell.runs.exporters.saved_model import SIGNATURE, write_saved_model

__all__ = ["EXPORTER", "QUANTIZATIONS"]

QUANTIZATIONS: dict[str, str] = {
    "float16": "weights in half the bytes, computed in float32",
    "int8": "weights and layers in whole numbers of 8 bits, their ranges taken from training images",
}
"""The quantizations and what each does."""


def _write(model: Any, path: Path, options: Options) -> None:
    import tensorflow as tf

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        write_saved_model(model, Path(folder) / "1")
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder) / "1"), signature_keys=[SIGNATURE])
        if options.quantize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if options.quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if options.quantize == "int8":
            converter.representative_dataset = lambda: _one_by_one(options.calibration)
        with warnings.catch_warnings():
            # The converter's own calibration uses what it warns of (TensorFlow 2.21).
            warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)
            converted = converter.convert()
    path.write_bytes(converted)


def _one_by_one(images: Any) -> Iterator[dict[str, Any]]:
    for index in range(len(images)):
        yield {INPUT: images[index : index + 1]}


EXPORTER = Exporter(
    "litert",
    "network.tflite",
    "ai-edge-litert in a process without TensorFlow",
    _write,
    packages=("ai-edge-litert",),
    extra="litert",
    modules=("ai_edge_litert",),
)
