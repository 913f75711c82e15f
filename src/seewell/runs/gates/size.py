"""Whether the layers that a configuration describes fit the weights that are present, before memory is taken."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seewell.runs.gates.refusal import refusal

__all__ = ["check_size"]

_FREE = 64 * 2**20
_LARGEST_ACTIVATION = 2**30


def check_size(config: Any, stored: int, path: Path, *, legacy: bool = False) -> None:
    """Refuse a network whose variables would take more memory than the file accounts for.

    The layers are made without their values (Keras's `StatelessScope`), so that
    a configuration of ten billion units costs nothing here.

    Args:
        config: A configuration that passed `seewell.runs.gates.config.check_config`.
        stored: Bytes of all arrays in the file.
        path: The file, for the message.
        legacy: Whether it is of the older ``.h5`` format, whose classes come without modules.

    Raises:
        FormatError: Its variables or the values between its layers would not fit, or it cannot be built.
    """
    import keras
    from keras.src.backend.common import global_state

    waiting = list(global_state.get_global_attribute("uninitialized_variables") or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = _made(config, legacy)
            variables = [tuple(one.shape) for one in model.variables]
            outputs = [tuple(one.shape) for layer in _layers(model) for one in _outputs(layer)]
    except Exception as problem:  # a configuration that somebody made up can raise anything
        raise refusal(
            path,
            f"its layers cannot be built: {problem}",
            expected="a Keras 3 network of stock layers",
            fix="save it again with a current Keras",
        ) from problem
    finally:
        # Else the next scope that Keras opens would give values to variables of a network that nobody keeps.
        global_state.set_global_attribute("uninitialized_variables", waiting)
    needed = sum(4 * math.prod(shape) for shape in variables)
    if needed > 4 * stored + _FREE:
        raise refusal(
            path,
            f"its layers would take {needed:,} bytes, and {stored:,} are stored.",
            expected="weights for every layer",
        )
    largest = max((math.prod(side or 1 for side in shape) for shape in outputs), default=0)
    if largest > _LARGEST_ACTIVATION:
        raise refusal(path, f"a layer gives {largest:,} values an image.", expected=f"at most {_LARGEST_ACTIVATION:,}")


def _made(config: Any, legacy: bool) -> Any:
    import keras

    if not legacy:
        return keras.saving.deserialize_keras_object({**config, "compile_config": None}, safe_mode=True)
    from keras.src.legacy.saving import saving_utils

    return saving_utils.model_from_config(config)


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those of nested networks too."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)


def _outputs(layer: Any) -> list[Any]:
    import keras

    try:
        return list(keras.tree.flatten(layer.output))
    except (AttributeError, ValueError):
        return []
