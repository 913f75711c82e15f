"""The optimizer of a foreign graph: its settings and slots, as Keras's own optimizer keeps them."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.runs.foreign.bundle import Bundle
from seewell.runs.foreign.constants import Constants
from seewell.runs.foreign.evaluate import Evaluator
from seewell.runs.foreign.graph import Graph, Node, Reference
from seewell.runs.foreign.layers import Translated
from seewell.runs.foreign.values import Known
from seewell.runs.foreign.variables import Variables

__all__ = ["Optimizer", "find_optimizer", "fresh_variables", "step_of"]

_OURS = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "momentum": 0.9}
_KINDS = {"ApplyAdam": "adam", "ApplyMomentum": "momentum", "ApplyGradientDescent": "sgd"}


@dataclass(frozen=True, eq=False)
class Optimizer:
    """What a graph was trained with.

    Attributes:
        name: "adam", "momentum", "nesterov" or "sgd".
        learning_rate: Where it is a constant of the graph; else None.
        settings: Further numbers, such as beta_1.
        variables: The optimizer's variables as a checkpoint of seewell names them; empty where slots are missing.
        notes: What could not be taken over, in sentences.
    """

    name: str
    learning_rate: float | None
    settings: Mapping[str, float]
    variables: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def step_of(bundle: Bundle | None) -> int:
    """How many updates a checkpoint had seen, by its global step or its name; 0 where neither says it.

    Args:
        bundle: The checkpoint.
    """
    if bundle is None:
        return 0
    for name in ("global_step", "Variable/global_step", "training/global_step"):
        if name in bundle and bundle.shape(name) == ():
            return max(0, int(bundle.read(name)))
    match = re.search(r"-(\d{1,12})$", bundle.prefix.name)
    return int(match[1]) if match else 0


def find_optimizer(graph: Graph, bundle: Bundle, translated: Translated, step: int) -> Optimizer | None:
    """Find the nodes that update the network's weights, and read what they remember.

    Args:
        graph: The graph.
        bundle: Its checkpoint.
        translated: The network made of it.
        step: Updates made, where the optimizer does not say.

    Returns:
        The optimizer, or None where no node updates a weight of the network.
    """
    constants = Constants(graph)
    variables = Variables(graph, bundle, constants)
    evaluator = Evaluator(graph, variables, constants, {})

    def number(reference: Reference) -> float | None:
        value = evaluator.value(reference)
        if not isinstance(value, Known) or value.array.size != 1:
            return None
        return float(str(value.array.ravel()[0]))  # 0.001 as it was written, not its neighbour in float32

    wanted = set(translated.variables.values())
    updates: dict[str, tuple[Node, int]] = {}
    for node in graph.nodes.values():
        kind = node.op.removeprefix("Resource")
        if kind in _KINDS and node.inputs:
            key = variables.key(node.inputs[0].node)[0]
            if key in wanted:
                updates[key] = (node, 0)
    if not updates:
        return None
    node = next(iter(updates.values()))[0]
    name = _KINDS[node.op.removeprefix("Resource")]
    if name == "adam":
        beta_1, beta_2, epsilon = (number(one) for one in node.inputs[6:9])
        settings = {"beta_1": beta_1 or 0.9, "beta_2": beta_2 or 0.999, "epsilon": epsilon or 1e-8}
        rate = number(node.inputs[5])
        made = _updates_of_adam(number(node.inputs[3]), settings["beta_1"]) or step
        slots = {"momentum": 1, "velocity": 2}
        factor = 1.0
    elif name == "momentum":
        rate = number(node.inputs[2])
        settings = {"momentum": number(node.inputs[4]) or 0.9}
        name = "nesterov" if node.flag("use_nesterov") else name
        made, slots = step, {"momentum": 1}
        factor = -(rate or 0.0)
    else:
        return Optimizer(name, number(node.inputs[1]), {}, fresh_variables(translated.model, name, made=step))

    def slot(key: str, which: str) -> NDArray[Any] | None:
        if key not in updates or (name != "adam" and rate is None):
            return None
        found = variables.read(updates[key][0].inputs[slots[which]].node)
        return np.asarray(found.array * factor, np.float32) if isinstance(found, Known) else None

    arrays, notes = _as_keras(translated, name, made, slot)
    differing = [f"{key} {value:g}" for key, value in settings.items() if not math.isclose(value, _OURS[key])]
    if differing:
        notes = (*notes, f"the optimizer had {', '.join(differing)}; further training takes seewell's own")
    return Optimizer(name, rate, settings, arrays, notes)


def _updates_of_adam(power: float | None, beta: float) -> int:
    """Updates made, by beta to their power and one; 0 where the power became too small to tell."""
    if power is None or not 1e-30 < power < 1 or not 0 < beta < 1:
        return 0
    return max(0, round(math.log(power) / math.log(beta)) - 1)


def _as_keras(
    translated: Translated, name: str, made: int, slot: Callable[[str, str], NDArray[Any] | None]
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """The variables of Keras's optimizer for the network, filled; nothing where a slot is missing."""
    model = translated.model
    places = {id(v): f"{layer.name}/{v.name}" for layer in model.layers for v in layer.trainable_variables}
    keys = [translated.variables.get(places[id(one)], "") for one in model.trainable_variables]
    kinds = ["momentum", "velocity"] if name == "adam" else ["momentum"]
    arrays = fresh_variables(model, name, made=made)
    for place, key in enumerate(list(arrays)[2:]):
        variable, kind = keys[place // len(kinds)], kinds[place % len(kinds)]
        found = slot(variable, kind) if key.endswith(kind) else None
        if found is None or found.shape != arrays[key].shape:
            lost = f'"{variable}"' if variable else "a weight of the graph"
            return {}, (f"the optimizer's memory was left behind: there is none for {lost}",)
        arrays[key] = found
    return arrays, ()


def fresh_variables(model: Any, name: str, *, made: int = 0) -> dict[str, NDArray[Any]]:
    """The variables of Keras's optimizer before it remembers anything, as a checkpoint names them.

    Args:
        model: The network.
        name: "adam", "momentum", "nesterov" or "sgd".
        made: Updates that are counted as made.
    """
    import keras

    from seewell.runs.weights import optimizer_variables

    if name == "adam":
        optimizer = keras.optimizers.Adam()
    else:
        optimizer = keras.optimizers.SGD(momentum=0.0 if name == "sgd" else _OURS["momentum"])
    optimizer.build(model.trainable_variables)
    optimizer.iterations.assign(made)
    return {key: np.asarray(value.value) for key, value in optimizer_variables(optimizer).items()}
