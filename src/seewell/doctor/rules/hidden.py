"""Do nonlinearities stand between the layers, and do they let gradients through?"""

from collections.abc import Sequence

from seewell.doctor.statistics import HiddenLayer, LayerValues, Structure
from seewell.findings import Finding

__all__ = ["judge_hidden"]

_SIGMOIDS = ("sigmoid", "hard_sigmoid")
_DEEP = 3
"""From so many sigmoid layers on, the slope has shrunk by at least 4 ** 3: a sigmoid's slope is at most 1 / 4."""
_SHRUNK = 0.1
"""Gradient of the first / of the last hidden kernel; 32 healthy networks gave 0.19 to 4.5 at their start."""
_FULL = 0.3
"""Share of values where tanh is flat, in some layer. Glorot starts stay below 0.05; a judgement call."""
_SOURCE = "Glorot and Bengio 2010 (a sigmoid's slope is at most 1/4); ratio calibrated on healthy networks"


def judge_hidden(structure: Structure, values: Sequence[LayerValues]) -> list[Finding]:
    """Missing and saturating hidden activations."""
    return [*_missing(structure), *_saturating(structure, values)]


def _missing(structure: Structure) -> list[Finding]:
    hidden = structure.hidden
    linear = [layer for layer in hidden if layer.activation == "linear" and not _may_be_linear(layer)]
    if not linear:
        return []
    alone = all(layer.activation == "linear" for layer in hidden)
    flat = [layer for layer in linear if not layer.pooled]
    if not alone and not (len(flat) * 2 >= len(hidden) or any(layer.kind == "dense" for layer in flat)):
        return []
    names = ", ".join(layer.name for layer in linear[:4]) + (" …" if len(linear) > 4 else "")
    message = (
        f"Nothing bends the values behind {names}: layers in a row without a nonlinearity are worth no more than one."
    )
    return [
        Finding(
            "hidden-activation-missing",
            "warning",
            linear[0].name,
            message,
            f"{len(linear)} of {len(hidden)} hidden layers are linear",
            "a nonlinearity such as ReLU behind each",
            "definition: a product of matrices is one matrix",
        )
    ]


def _may_be_linear(layer: HiddenLayer) -> bool:
    """Where leaving the nonlinearity out is a known design: bottlenecks, depthwise halves, residual sums."""
    return layer.residual or layer.pointwise or layer.kind == "depthwise"


def _saturating(structure: Structure, values: Sequence[LayerValues]) -> list[Finding]:
    """A gate only weighs other values, and a frozen layer learns nothing: both are left out."""
    hidden = [layer for layer in structure.hidden if layer.trainable and not layer.gate]
    rivals = [layer for layer in hidden if layer.activation == "softmax"]
    if rivals:
        return [_rivalry(rivals)]
    bent = [layer for layer in hidden if layer.activation in (*_SIGMOIDS, "tanh")]
    sigmoids = sum(layer.activation in _SIGMOIDS for layer in bent)
    # The size of the last layer's gradient depends on the number of classes, not on what lies before it.
    slopes = [value.gradient for value in values if value.gradient is not None and not value.last]
    ratio = slopes[0] / slopes[-1] if len(slopes) > 1 and slopes[-1] > 0 else None
    shrunk = ratio is not None and ratio < _SHRUNK and not any(layer.residual for layer in bent)
    if not bent or not (sigmoids >= _DEEP or (len(bent) >= 2 and shrunk and (sigmoids or _is_full(values)))):
        return []
    kind = bent[0].activation
    message = (
        f"{len(bent)} hidden layers use {kind}, whose slope shrinks the gradient at each layer: "
        "the first layers learn slowly or not at all."
    )
    measured = f"{len(bent)} layers of {kind}" if ratio is None else round(ratio, 6)
    expected = f"fewer than {_DEEP} sigmoid layers, gradients of hidden layers within a factor of {1 / _SHRUNK:g}"
    return [Finding("hidden-activation-saturating", "warning", bent[0].name, message, measured, expected, _SOURCE)]


def _is_full(values: Sequence[LayerValues]) -> bool:
    """Whether many values of a layer lie where tanh is flat: near 0 it shrinks nothing."""
    return any(value.saturated is not None and value.saturated >= _FULL and not value.last for value in values)


def _rivalry(layers: Sequence[HiddenLayer]) -> Finding:
    message = (
        f"{layers[0].name} is a hidden layer with softmax: its values share a sum of 1, so most are nearly 0 and "
        "hardly any gradient comes through. Softmax belongs at the end; hidden layers take ReLU."
    )
    return Finding(
        "hidden-activation-saturating",
        "warning",
        layers[0].name,
        message,
        f"{len(layers)} of softmax",
        "no softmax but at the end, or as a weight for other values",
        "definition: values that sum to 1, whose slopes are at most 1/4",
    )
