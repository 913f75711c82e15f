"""What the layers of a model tell whose connections cannot be read: a subclassed model."""

from typing import Any

import keras
import numpy as np

from seewell.doctor.statistics import LayerValues

__all__ = ["constant_kernels", "kernel_values"]

_WEIGHTED = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)

_MOST = 8


def constant_kernels(model: Any) -> tuple[str, ...]:
    """Layers whose kernel is one single value; not the last, and not zero, which may be a choice."""
    return tuple(
        layer.name
        for layer in _weighted(model)[:-1]
        if (kernel := np.asarray(layer.kernel.value, np.float32)).size > 1 and kernel.min() == kernel.max() != 0
    )


def kernel_values(model: Any, size: float = 1.0) -> tuple[LayerValues, ...]:
    """What the kernels tell of the values, taken in the order in which the layers were made.

    As in `probes.forward.predicted_values`. Nothing where other layers have
    weights as well, such as a normalization or attention, and nothing for
    many layers, whose order and sums would have to be known.

    Args:
        model: A built model.
        size: Root mean square of the images.
    """
    layers = _weighted(model)
    held = {id(weight) for layer in layers for weight in layer.weights}
    if any(id(weight) not in held for weight in model.trainable_variables) or not 0 < len(layers) <= _MOST:
        return ()
    found = []
    for layer in layers:
        kernel = np.asarray(layer.kernel.value, np.float64)
        fan_in = kernel.size // kernel.shape[-1]
        weight = float(np.sqrt(np.mean(np.square(kernel))))
        size *= weight * float(np.sqrt(fan_in))
        own = getattr(layer.activation, "__name__", "linear")
        name = "unknown" if own == "linear" else str(own)
        gain = float(kernel.std() * np.sqrt(fan_in))
        last = layer is layers[-1]
        found.append(LayerValues(layer.name, name, size, 3 * size, True, None, None, None, weight, gain, last=last))
        size = min(size, 1.0) if name in ("tanh", "sigmoid") else size * float(np.sqrt(0.5))
    return tuple(found)


def _weighted(model: Any) -> list[Any]:
    layers = model._flatten_layers(include_self=False)
    return [layer for layer in layers if isinstance(layer, _WEIGHTED) and hasattr(layer, "kernel")]
