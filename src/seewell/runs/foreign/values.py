"""What a tensor of a foreign graph can be when the graph is read instead of run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["BATCH", "Data", "Dead", "Handle", "Known", "Random", "Step", "Unsupported", "Value", "Weight"]

BATCH = -1_000_003
"""The number of images in a batch, where a graph computes with shapes; no size of any tensor."""


@dataclass(frozen=True, eq=False)
class Weight:
    """Numbers that a layer takes over.

    Attributes:
        array: The values.
        variable: The name in the checkpoint, where they are one of its tensors as it is; else None.
    """

    array: NDArray[Any]
    variable: str | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that is done to the images; becomes one Keras layer.

    Attributes:
        kind: Such as "convolution" or "affine".
        inputs: The steps before it.
        shape: Of its output, without the batch.
        node: The name of the graph's node.
        settings: Plain values, such as strides.
        weights: Numbers by name, such as "kernel".
    """

    kind: str
    inputs: tuple["Step", ...]
    shape: tuple[int, ...]
    node: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Known:
    """A tensor whose values do not depend on the images.

    Attributes:
        array: The values.
        variable: The name in the checkpoint, where it is one of its tensors as it is.
        made: The operation and what it was applied to; lets batch normalization be recognized.
    """

    array: NDArray[Any]
    variable: str | None = None
    made: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Data:
    """A tensor that depends on the images: the output of a step, one row an image."""

    step: Step


@dataclass(frozen=True)
class Random:
    """A random mask, as dropout draws it."""


@dataclass(frozen=True)
class Handle:
    """A variable, not yet read."""

    name: str


@dataclass(frozen=True)
class Dead:
    """What the branch that is not taken gives."""


@dataclass(frozen=True)
class Unsupported:
    """What cannot be translated; an error only where the output needs it.

    Attributes:
        node: The node at which it began.
        op: Its operation.
        why: A part of a sentence.
    """

    node: str
    op: str
    why: str


Value = Known | Data | Random | Handle | Dead | Unsupported
