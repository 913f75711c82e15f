"""Whether a model is one that the doctor can judge, and what to say where it is not."""

from dataclasses import dataclass
from typing import Any

from seewell.errors import NetworkError

__all__ = ["Subject", "check_model"]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that can be judged.

    Attributes:
        model: The compiled, built Keras model.
        outputs: Numbers that an image gets.
        anatomy: Its layers (`probes.anatomy.Anatomy`), or None where they cannot be read.
        limits: What cannot be judged, and why.
    """

    model: Any
    outputs: int
    anatomy: Any
    limits: tuple[str, ...]


def check_model(model: Any, image_shape: tuple[int, ...] | None = None) -> Subject:
    """Take a model in.

    Args:
        model: What the user gave.
        image_shape: Shape of one image, to find the outputs of a model that does not know them.

    Raises:
        NetworkError: It is not a compiled, built Keras classifier on TensorFlow with one input and one output.
    """
    import keras

    from seewell.doctor.probes.anatomy import Anatomy

    if keras.backend.backend() != "tensorflow":
        raise NetworkError(
            f"Keras runs on {keras.backend.backend()} here.",
            expected="the TensorFlow backend",
            fix="set KERAS_BACKEND=tensorflow before keras is imported",
        )
    if not isinstance(model, keras.Model):
        raise NetworkError(
            f"{type(model).__name__} is not a Keras model.",
            expected="a compiled keras.Model",
            fix="give the model that is trained with fit",
        )
    if not model.built or not model.weights:  # Keras may call a subclassed model built that has no weights yet
        raise NetworkError(
            f'"{model.name}" is not built: it has no weights yet.',
            expected="a model that knows its input's shape",
            fix="begin with keras.Input(shape), or call the model once on a batch",
        )
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise NetworkError(
            f'"{model.name}" is not compiled.',
            expected="a model with an optimizer and a loss",
            fix="call model.compile(optimizer=…, loss=…) first",
        )
    limits: list[str] = []
    try:
        anatomy = Anatomy(model)
    except NetworkError as problem:
        _refuse_several(model)
        anatomy = None
        limits.append(f"layers: {problem.what} Their values and activations are not judged.")
    if anatomy is not None and anatomy.takes_words():
        raise NetworkError(
            f'"{model.name}" begins with an Embedding: it takes words, not images.',
            expected="a network that takes images",
            fix="use the doctor with an image classifier",
        )
    outputs = _outputs(model, image_shape)
    return Subject(model, outputs, anatomy, tuple(limits))


def _refuse_several(model: Any) -> None:
    for what, tensors in (("inputs", _listed(model, "inputs")), ("outputs", _listed(model, "outputs"))):
        if len(tensors) > 1:
            raise NetworkError(
                f'"{model.name}" has {len(tensors)} {what}.',
                expected="one input (images) and one output (classes)",
                fix="give the part of the model that classifies images",
            )


def _listed(model: Any, name: str) -> list[Any]:
    try:
        return list(getattr(model, name) or [])
    except (AttributeError, TypeError, ValueError):
        return []


def _outputs(model: Any, image_shape: tuple[int, ...] | None) -> int:
    _refuse_several(model)
    known = _listed(model, "outputs")
    if known:
        shape = tuple(known[0].shape)
    elif image_shape is not None:
        shape = _called_shape(model, image_shape)
    else:
        return 0
    if len(shape) != 2 or shape[1] is None:
        raise NetworkError(
            f'the output of "{model.name}" has the shape {shape}.',
            expected="(N, classes): one class an image",
            fix="give a model that classifies whole images",
        )
    return int(shape[1])


def _called_shape(model: Any, image_shape: tuple[int, ...]) -> tuple[int, ...]:
    import keras
    import numpy as np

    try:
        with keras.StatelessScope(collect_losses=True):
            answer = model(np.zeros((1, *image_shape), "float32"), training=False)
    except Exception as problem:  # whatever the user's own layers raise
        first = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
        raise NetworkError(
            f'"{model.name}" cannot be called on an image of the shape {image_shape}: {first}',
            expected="images as the network takes them",
            fix="try model(x[:1]) on the same data",
        ) from problem
    if isinstance(answer, list | tuple | dict):
        raise NetworkError(
            f'"{model.name}" gives {len(answer)} answers an image.',
            expected="one output (classes)",
            fix="give the part of the model that classifies images",
        )
    return tuple(answer.shape)
