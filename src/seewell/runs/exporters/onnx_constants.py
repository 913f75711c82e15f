"""Inputs of an ONNX graph that become constants, and what can be computed from constants alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["make_constant"]

_FOLDED = frozenset(
    {"Add", "Cast", "Div", "Identity", "Mul", "Neg", "Reciprocal", "Reshape", "Sqrt", "Squeeze", "Sub", "Transpose"}
    | {"Unsqueeze"}
)
"""What happens to weights before they are used: turned kernels, BatchNorm's factors."""


def make_constant(model: Any, values: Mapping[str, NDArray[Any]]) -> None:
    """Give inputs of a graph fixed values, in place, and compute now what depends on constants only.

    Args:
        model: An ONNX ModelProto.
        values: An array for each input that is to be a constant; those that the graph does not have are left out.
    """
    from onnx import NodeProto, numpy_helper

    graph = model.graph
    free = [one for one in graph.input if one.name not in values]
    constants = {one.name: one for one in graph.initializer}
    asked = {name for node in graph.node for name in node.input}
    for name in sorted(asked & set(values)):
        constants[name] = numpy_helper.from_array(values[name], name)
    kept = []
    for node in graph.node:
        if _depends_on(node, constants):
            (name,) = node.output
            constants[name] = numpy_helper.from_array(_compute(model, node, constants), name)
        else:
            kept.append(NodeProto.FromString(node.SerializeToString()))
    asked = {name for node in kept for name in node.input} | {one.name for one in graph.output}
    del graph.node[:], graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(kept)
    graph.input.extend(free)
    graph.initializer.extend(one for name, one in constants.items() if name in asked)


def _depends_on(node: Any, constants: Mapping[str, Any]) -> bool:
    """Whether a node computes one value from constants only."""
    inputs = [name for name in node.input if name]
    return node.op_type in _FOLDED and len(node.output) == 1 and all(name in constants for name in inputs)


def _compute(model: Any, node: Any, constants: Mapping[str, Any]) -> NDArray[Any]:
    from onnx import ValueInfoProto, helper
    from onnx.reference import ReferenceEvaluator

    inputs = [constants[name] for name in dict.fromkeys(node.input) if name]
    graph = helper.make_graph([node], "constant", [], [ValueInfoProto(name=node.output[0])], inputs)
    alone = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    (value,) = ReferenceEvaluator(alone).run(None, {})
    return np.asarray(value)
