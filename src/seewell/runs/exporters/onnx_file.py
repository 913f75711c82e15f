"""`network.onnx`: written by tf2onnx without the weights, which are put in afterwards.

tf2onnx copies every constant many times over (45 MB of weights took 2.9 GB of
memory and VGG-16's 553 MB could not be written at all), and `model.export`
leaves some constants as inputs of the graph. So the graph that tf2onnx sees
has the weights as inputs; here they become constants again.
"""

from pathlib import Path
from typing import Any

import numpy as np

from seewell.errors import RunError
from seewell.runs.exporters.base import INPUT, OUTPUT, Exporter, Options, image_spec
from seewell.runs.exporters.onnx_constants import make_constant

__all__ = ["EXPORTER"]

OPSET = 17
"""The version of ONNX's operators: understood by onnxruntime 1.12 (2022) and newer."""

_LARGEST = 2**31 - 2**20  # a protocol buffer ends at 2 GB


def _write(model: Any, path: Path, options: Options) -> None:
    import onnx
    import tensorflow as tf
    import tf2onnx

    trainable, fixed = list(model.trainable_variables), list(model.non_trainable_variables)
    variables = {f"weight_{index}": one for index, one in enumerate([*trainable, *fixed])}
    _refuse_too_large(variables)

    def answer(image: Any, *weights: Any) -> dict[str, Any]:
        known, rest = weights[: len(trainable)], weights[len(trainable) :]
        probabilities, _ = model.stateless_call(list(known), list(rest), image, training=False)
        return {OUTPUT: probabilities}

    specs = [image_spec(model)]
    specs += [tf.TensorSpec(one.shape, one.dtype, name=name) for name, one in variables.items()]
    graph = tf.function(answer, input_signature=specs)
    written, _ = tf2onnx.convert.from_function(graph, specs, opset=OPSET)
    make_constant(written, {name: np.asarray(one.value) for name, one in variables.items()})
    _name_the_batch(written)
    written.producer_name = "seewell"
    onnx.save(written, str(path))
    onnx.checker.check_model(str(path), full_check=True)


def _refuse_too_large(variables: dict[str, Any]) -> None:
    size = sum(int(np.prod(one.shape)) * np.dtype(one.dtype).itemsize for one in variables.values())
    if size > _LARGEST:
        raise RunError(
            f"the network's weights take {size / 1e9:.1f} GB.",
            expected="at most 2 GB, the largest ONNX file without others beside it",
            fix="--format savedmodel",
        )


def _name_the_batch(written: Any) -> None:
    """Call the free first dimension "batch"; tf2onnx gives it a number that changes with every call."""
    for value in (*written.graph.input, *written.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    names = ([one.name for one in written.graph.input], [one.name for one in written.graph.output])
    if names != ([INPUT], [OUTPUT]):
        raise RunError(
            f"the ONNX graph has the inputs {names[0]} and the outputs {names[1]}.",
            expected=f"{INPUT} and {OUTPUT}",
            fix="--format savedmodel",
        )


EXPORTER = Exporter(
    "onnx",
    "network.onnx",
    "onnxruntime in a process without TensorFlow",
    _write,
    packages=("onnxruntime", "onnx", "tf2onnx"),
    extra="onnx",
    modules=("onnx", "tf2onnx", "onnxruntime"),
)
