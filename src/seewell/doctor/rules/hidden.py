"""Do nonlinearities stand between the layers, and do they let gradients through?"""

from collections.abc import Sequence

from seewell.doctor.statistics import HiddenLayer, LayerValues, Structure
from seewell.findings import Finding

__all__ = ["judge_hidden"]

_SIGMOIDS = ("sigmoid", "hard_sigmoid")
_DEEP = 3
"""From so many sigmoid layers on, the slope has shrunk by at least 4 ** 3: a sigmoid's slope is at most 1 / 4."""
_SHRUNK = 0.1
"""Gradient of the first / of the last kernel; 32 healthy networks gave 0.19 to 4.5 at their start."""
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
    bent = [layer for layer in structure.hidden if layer.activation in (*_SIGMOIDS, "tanh")]
    sigmoids = sum(layer.activation in _SIGMOIDS for layer in bent)
    slopes = [value.gradient for value in values if value.gradient is not None]
    shrunk = len(slopes) > 2 and slopes[0] < _SHRUNK * slopes[-1] and any(layer.residual for layer in bent) is False
    if not bent or not (sigmoids >= _DEEP or (len(bent) >= 2 and shrunk)):
        return []
    kind = bent[0].activation
    ratio = slopes[0] / slopes[-1] if slopes and slopes[-1] > 0 else None
    message = (
        f"{len(bent)} hidden layers use {kind}, whose slope shrinks the gradient at each layer: "
        "the first layers learn slowly or not at all."
    )
    return [
        Finding(
            "hidden-activation-saturating",
            "warning",
            bent[0].name,
            message,
            f"{len(bent)} layers of {kind}" if ratio is None else round(ratio, 6),
            f"fewer than {_DEEP} sigmoid layers, first and last gradient within a factor of {1 / _SHRUNK:g}",
            _SOURCE,
        )
    ]
