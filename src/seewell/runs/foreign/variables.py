"""Which tensor of the checkpoint each variable of a graph is, by the graph's own restoring nodes."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.runs.foreign.bundle import Bundle
from seewell.runs.foreign.constants import Constants
from seewell.runs.foreign.graph import Function, Graph, Node, Reference
from seewell.runs.foreign.values import Known, Unsupported

__all__ = ["Variables", "joined"]

_PASSING = ("Identity", "Cast")
_DEEPEST = 8


class Variables:
    """Reads the variables of a graph from a checkpoint.

    A saver may have given them other names, or saved a part of a tensor: what
    the nodes that restore them say counts, then the variable's own name.

    Args:
        graph: The graph.
        bundle: The checkpoint, or None where there is none.
        constants: Reads the names in the restoring nodes.
    """

    def __init__(self, graph: Graph, bundle: Bundle | None, constants: Constants) -> None:
        self._bundle = bundle
        self._constants = constants
        self._graph = graph
        self._keys: dict[str, tuple[str, str]] = {}
        self._whole: dict[str, NDArray[Any]] = {}
        for variable, key, part in self._restored(graph.nodes, {}, 0):
            self._keys.setdefault(variable, (key, part))

    def read(self, node: str) -> Known | Unsupported:
        """The values of the variable that a node of the main graph is.

        Returns:
            Its values with its name in the checkpoint, or why they cannot be had.
        """
        proto = self._graph.nodes.get(node)
        op = proto.op if proto else "Variable"
        if self._bundle is None:
            return Unsupported(node, op, "there is no checkpoint with its values")
        key, part = self.key(node)
        if not key:
            return Unsupported(node, op, "the checkpoint has no tensor of its name")
        if key not in self._whole:
            self._whole[key] = self._bundle.read(key)
        array = self._whole[key]
        place = _slice(part, array.shape)
        if place is None:
            return Known(array, key)
        return Known(array[place], None, ("part", key, array))

    def key(self, node: str) -> tuple[str, str]:
        """The name in the checkpoint of the variable that a node is, and which part; empty where there is none."""
        if self._bundle is None:
            return "", ""
        key, part = self._keys.get(node, ("", ""))
        if key in self._bundle:
            return key, part
        proto = self._graph.nodes.get(node)
        own = [node] if proto is None else [node, proto.text("shared_name")]
        return next((name for name in own if name in self._bundle), ""), ""

    def _restored(
        self, nodes: Mapping[str, Node], arguments: Mapping[str, str], depth: int
    ) -> Iterator[tuple[str, str, str]]:
        """Variable, key and part for each assignment of a restored tensor; ``arguments`` names handles given in."""
        if depth > _DEEPEST:
            return
        for node in nodes.values():
            if node.op in ("Assign", "AssignVariableOp") and len(node.inputs) == 2:
                source = _source(node.inputs[1], nodes)
                if source is None:
                    continue
                names, parts = (self._texts(nodes, one) for one in source[0].inputs[1:3])
                place = source[1]
                if place < len(names):
                    variable = node.inputs[0].node
                    part = parts[place] if place < len(parts) else ""
                    yield arguments.get(variable, variable), names[place], part
            function = self._called(node)
            if function is not None:
                given = {
                    name: arguments.get(one.node, one.node)
                    for name, one in zip(function.arguments, node.inputs, strict=False)
                }
                yield from self._restored(function.nodes, given, depth + 1)

    def _called(self, node: Node) -> Function | None:
        """The function that a node calls, where it restores something."""
        if node.op not in ("PartitionedCall", "StatefulPartitionedCall") or "f" not in node.attributes:
            return None
        function = self._graph.functions.get(node.attributes["f"].func.name)
        if function is None or not any(one.op == "RestoreV2" for one in function.nodes.values()):
            return None
        return function

    def _texts(self, nodes: Mapping[str, Node], reference: Reference) -> list[str]:
        node = nodes.get(reference.node)
        array = self._constants.read(node) if node is not None and node.op == "Const" else None
        if array is None:
            return []
        return [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in array.ravel()]


def _source(reference: Reference, nodes: Mapping[str, Node]) -> tuple[Node, int] | None:
    """The RestoreV2 node that a value comes from and which of its outputs it is."""
    for _ in range(_DEEPEST):
        node = nodes.get(reference.node)
        if node is None:
            return None
        if node.op == "RestoreV2" and len(node.inputs) == 3:
            return node, reference.output
        if node.op not in _PASSING or not node.inputs:
            return None
        reference = node.inputs[0]
    return None


def _slice(text: str, shape: tuple[int, ...]) -> tuple[slice, ...] | None:
    """The part of a tensor that a saver's "4 10 0,2:-" means; None for all of it."""
    words = text.split()
    if not words or len(words) != len(shape) + 1:
        return None
    places = []
    for one, size in zip(words[-1].split(":"), shape, strict=False):
        start, _, length = one.partition(",")
        if one == "-":
            places.append(slice(0, size))
        elif start.isdigit() and length.isdigit():
            places.append(slice(int(start), int(start) + int(length)))
        else:
            return None
    return tuple(places) if len(places) == len(shape) and _inside(places, shape) else None


def _inside(places: list[slice], shape: tuple[int, ...]) -> bool:
    return all(one.stop <= size for one, size in zip(places, shape, strict=True)) and math.prod(shape) > 0


def joined(parts: list[Known], array: NDArray[Any]) -> str | None:
    """The name of the tensor in the checkpoint whose parts were put together again, or None."""
    made = [one.made for one in parts]
    if not made or not all(one and one[0] == "part" and one[1] == made[0][1] for one in made):
        return None
    whole = made[0][2]
    return str(made[0][1]) if whole.shape == array.shape and np.array_equal(whole, array) else None
