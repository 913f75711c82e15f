"""A network's variables by name, to and from the arrays of a checkpoint."""

import itertools
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import RunError
from seewell.runs.checkpoint import Checkpoint

__all__ = ["AVERAGE", "arrays_of", "assign", "check_fits", "judged_weights", "model_variables", "optimizer_variables"]

AVERAGE = "average/"
"""What the names of a moving average begin with, among the optimizer's arrays."""

_MOST_LISTED = 8


def model_variables(model: Any) -> dict[str, Any]:
    """Every variable of a network by ``layer/name``: weights, BatchNorm statistics, seed generators.

    The names are the layers' own; Keras numbers its paths anew in each process.
    Where a layer is made of others (attention, a network in a network) and they
    name their variables alike, the others' names stand between:
    ``attention/query/kernel``. What is still alike is numbered: ``kernel~2``.

    Raises:
        RunError: A variable belongs to no layer, so that it would be lost.
    """
    found: dict[str, Any] = {}
    for layer in model.layers:
        variables = list({id(one): one for one in layer.variables}.values())
        often = Counter(one.name for one in variables)
        places = _places(layer) if len(often) < len(variables) else {}
        for one in variables:
            place = places.get(id(one), "") if often[one.name] > 1 else ""
            found[_free(found, f"{layer.name}/{place}{one.name}")] = one
    lost = {id(one): one.path for one in model.variables}
    for one in found.values():
        lost.pop(id(one), None)
    if lost:
        listed = ", ".join(list(lost.values())[:_MOST_LISTED])
        raise RunError(
            f"the network has variables of its own, outside its layers: {listed}.",
            expected="a network whose layers hold all of its variables",
            fix="put them into a layer",
        )
    return found


def _places(layer: Any) -> dict[int, str]:
    """Where the variables of a layer lie in it: identity → the names of the layers inside, each with a slash."""
    places: dict[int, str] = {}
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        within = _places(inner)
        for one in inner.variables:
            places.setdefault(id(one), f"{inner.name}/{within.get(id(one), '')}")
    return places


def _free(taken: Collection[str], name: str) -> str:
    """The name, with the first number that makes it unlike those that are taken."""
    numbered = (f"{name}~{number}" for number in itertools.count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def optimizer_variables(optimizer: Any) -> dict[str, Any]:
    """Every variable of a built optimizer by its place and name."""
    return {f"{place:04d}/{variable.name}": variable for place, variable in enumerate(optimizer.variables)}


def arrays_of(variables: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The present values of variables, as references where the processor holds them: nothing is copied.

    TensorFlow writes an update to new memory while somebody else refers to a
    variable's value, so the arrays stay as they are while the training goes
    on. They cannot be written to.
    """
    return {name: np.asarray(variable.value.read_value()) for name, variable in variables.items()}


def check_fits(variables: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays of another network.

    Raises:
        RunError: A name is missing or a shape differs; lists the first of them.
    """
    wrong: dict[str, object] = {}
    for name, variable in variables.items():
        shape = tuple(variable.shape)
        if name not in arrays:
            wrong[name] = f"{shape} in the network, missing in the checkpoint"
        elif shape != arrays[name].shape:
            wrong[name] = f"{shape} in the network, {arrays[name].shape} in the checkpoint"
    if wrong:
        first = next(iter(wrong))
        said = f'has no "{first}"' if first not in arrays else f'has the shape {arrays[first].shape} for "{first}"'
        raise RunError(
            f"the checkpoint {said}: it is another network's.",
            expected="the network that the checkpoint was made of",
            fix="use the run's own network and settings",
            details=dict(list(wrong.items())[:_MOST_LISTED]),
        )


def assign(variables: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give each variable the array of its name.

    Raises:
        RunError: A name is missing or a shape differs; nothing was assigned then.
    """
    check_fits(variables, arrays)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def judged_weights(checkpoint: Checkpoint) -> dict[str, NDArray[Any]]:
    """The weights that are kept of a checkpoint: the moving average where there is one."""
    averages = {k.removeprefix(AVERAGE): v for k, v in checkpoint.optimizer.items() if k.startswith(AVERAGE)}
    return averages or dict(checkpoint.weights)
