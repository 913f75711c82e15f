"""Foreign Keras networks: loaded after the gate, then rebuilt so that they take raw images and show their logits."""

from pathlib import Path
from typing import Any

from seewell.data.names import printable
from seewell.errors import FormatError, NetworkError
from seewell.networks.graph import calls
from seewell.runs.foreign.images import fitting_images
from seewell.runs.foreign.layers import Translated, adapted
from seewell.runs.gate import check_keras_file, check_keras_h5

__all__ = ["load_foreign", "rebuild", "takes_bytes"]

_LEGACY = (".h5", ".hdf5")


def load_foreign(path: Path) -> Any:
    """Load a ``.keras`` or ``.h5`` file, after the gate.

    Args:
        path: The file.

    Returns:
        The Keras model: one input, one output.

    Raises:
        FormatError: The gate refuses it, Keras cannot load it, or it has several inputs or outputs.
    """
    import keras

    check = check_keras_h5 if path.suffix.lower() in _LEGACY else check_keras_file
    check(path)
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as problem:  # a file that somebody made up can raise anything
        raise FormatError(
            f"{printable(path.name)} cannot be loaded: {printable(' '.join(str(problem).split())[:200])}",
            expected="a network that Keras 3 loads",
            fix="save it again with a current Keras",
            details={"file": printable(path)},
        ) from problem
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise _unusable(path, f"it has {len(model.inputs)} inputs and {len(model.outputs)} outputs")
    return model


def takes_bytes(model: Any) -> bool:
    """Whether the network's own input says that it takes raw bytes."""
    return str(model.inputs[0].dtype) == "uint8"


def rebuild(model: Any, path: Path, *, image_shape: tuple[int, int, int] | None, input_range: str) -> Translated:
    """The same layers behind an adapter for raw images, with the softmax apart from the logits.

    Args:
        model: A Keras model with one input and one output.
        path: The file it came from.
        image_shape: Of the raw images, where the network leaves it open.
        input_range: What it was trained on: "0..1", "0..255" or "-1..1".

    Returns:
        The network; its layers and weights are the model's own.

    Raises:
        ConfigError: The size of the images is open.
        FormatError: Its output is not one number a class, or its layers cannot be read.
    """
    import keras

    sides = tuple(model.inputs[0].shape[1:])
    shape, raw = fitting_images(model.inputs[0].name, sides, image_shape)
    output = model.outputs[0].shape
    if len(output) != 2 or output[1] is None or output[1] < 2:
        raise _unusable(path, f"its output has the shape {tuple(output[1:])} for each image, not one number a class")
    _as_float32(model)
    image = keras.Input(raw, dtype="uint8", name=_free("image", model))
    try:
        logits, softmax = _replayed(model, adapted(image, input_range, shape))
    except (NetworkError, ValueError, TypeError, AttributeError) as problem:
        raise _unusable(path, f"its layers cannot be put together again: {problem}") from problem
    if getattr(logits, "name", "") != "logits":
        logits = keras.layers.Activation("linear", dtype="float32", name="logits")(logits)
    probabilities = keras.layers.Activation("softmax", dtype="float32", name="probabilities")(logits)
    return Translated(keras.Model(image, probabilities, name="adopted"), {}, {}, not softmax)


def _free(name: str, model: Any) -> str:
    return name if all(layer.name != name for layer in model.layers) else f"raw_{name}"


def _as_float32(model: Any) -> None:
    import keras

    for layer in model.layers:
        if getattr(layer, "compute_dtype", "float32") not in ("float32", "uint8"):
            layer.dtype_policy = keras.DTypePolicy("float32")
        if isinstance(layer, keras.Model):
            _as_float32(layer)


def _replayed(model: Any, start: Any) -> tuple[Any, bool]:
    """Apply the model's layers to another tensor; a softmax at its end is left out."""
    import keras

    last = list(calls(model))[-1]
    values: dict[int, Any] = {}
    found = False
    for call in calls(model):
        if call.node.is_input:
            values[id(call.output)] = start
            continue
        args, kwargs = call.node.arguments.fill_in(values)
        if call.inner is not None:
            inner, softmax = _replayed(call.layer, args[0])
            if softmax:
                found = call.node is last.node
                inner = inner if found else keras.layers.Activation("softmax")(inner)
            values[id(call.output)] = inner
            continue
        if call.node is last.node and _is_softmax(call.layer):
            found = True
            if not hasattr(call.layer, "kernel"):
                values[id(call.output)] = args[0]
                continue
            call.layer.activation = keras.activations.linear
        values[id(call.output)] = call.layer(*args, **kwargs)
    return values[id(model.outputs[0])], found


def _is_softmax(layer: Any) -> bool:
    """A softmax layer or operation, or a layer that ends in one."""
    import keras

    return type(layer).__name__ == "Softmax" or getattr(layer, "activation", None) is keras.activations.softmax


def _unusable(path: Path, what: str) -> FormatError:
    return FormatError(
        f"{printable(path.name)} cannot be used: {printable(what)}.",
        expected="a Functional or Sequential image classifier with one input and one output",
        fix="save the part of the network that goes from images to class probabilities",
        details={"file": printable(path)},
    )
