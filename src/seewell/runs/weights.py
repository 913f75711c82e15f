"""A network's variables by name, to and from the arrays of a checkpoint."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import RunError
from seewell.runs.checkpoint import Checkpoint

__all__ = ["AVERAGE", "arrays_of", "assign", "judged_weights", "model_variables", "optimizer_variables"]

AVERAGE = "average/"
"""What the names of a moving average begin with, among the optimizer's arrays."""


def model_variables(model: Any) -> dict[str, Any]:
    """Every variable of a network by ``layer/name``: weights, BatchNorm statistics, seed generators.

    The names are the layers' own; Keras numbers its paths anew in each process.
    """
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.variables}


def optimizer_variables(optimizer: Any) -> dict[str, Any]:
    """Every variable of a built optimizer by its place and name."""
    return {f"{place:04d}/{variable.name}": variable for place, variable in enumerate(optimizer.variables)}


def arrays_of(variables: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The present values of variables."""
    return {name: np.asarray(variable.value) for name, variable in variables.items()}


def assign(variables: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give each variable the array of its name.

    Raises:
        RunError: A name is missing or a shape differs; nothing was assigned then.
    """
    for name, variable in variables.items():
        if name not in arrays:
            raise RunError(
                f'the checkpoint has no "{name}".',
                expected="the network that the checkpoint was made of",
                fix="use the run's own network and settings",
                details={"it has": ", ".join(list(arrays)[:8])},
            )
        if tuple(variable.shape) != arrays[name].shape:
            raise RunError(
                f'"{name}" has the shape {arrays[name].shape} in the checkpoint.',
                expected=str(tuple(variable.shape)),
                fix="use the run's own network and settings",
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def judged_weights(checkpoint: Checkpoint) -> dict[str, NDArray[Any]]:
    """The weights that are kept of a checkpoint: the moving average where there is one."""
    averages = {k.removeprefix(AVERAGE): v for k, v in checkpoint.optimizer.items() if k.startswith(AVERAGE)}
    return averages or dict(checkpoint.weights)
