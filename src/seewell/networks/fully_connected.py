"""The fully connected network of LTFN 3: 784-500-500-10 on MNIST."""

from dataclasses import dataclass
from typing import Any

import keras

from seewell.networks.arguments import argument, widths
from seewell.networks.layers import Settings, add_logits, fully_connected

__all__ = ["FullyConnectedArguments", "build"]


@dataclass(frozen=True)
class FullyConnectedArguments:
    """Arguments of ``fully-connected``."""

    widths: tuple[int, ...] = argument((500, 500), widths, "units of each hidden layer, such as 500-500")


def build(x: Any, num_classes: int, settings: Settings, arguments: FullyConnectedArguments) -> Any:
    """Hidden layers with ReLU over the image as one row of numbers, then the logits."""
    x = keras.layers.Flatten(name="flatten")(x)
    for index, width in enumerate(arguments.widths, start=1):
        x = fully_connected(x, width, name=f"fc{index}", settings=settings)
    return add_logits(x, num_classes, settings=settings)
