"""From the image to the output: each node becomes a known value, a step of the network, or a reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seewell.data.names import printable
from seewell.errors import FormatError
from seewell.runs.foreign import arithmetic, geometry
from seewell.runs.foreign.constants import Constants
from seewell.runs.foreign.fold import fold
from seewell.runs.foreign.geometry import UntranslatableError
from seewell.runs.foreign.graph import Function, Graph, Node, Reference
from seewell.runs.foreign.values import BATCH, Data, Dead, Handle, Known, Random, Step, Unsupported, Value
from seewell.runs.foreign.variables import Variables, joined
from seewell.runs.gates.listed import listed

__all__ = ["Evaluator"]

_PASSING = frozenset({"Identity", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics", "EnsureShape"})
_RANDOM = frozenset({"RandomUniform", "RandomStandardNormal", "TruncatedNormal"})
_RANDOM |= {f"StatelessRandom{v}" for v in ("Uniform", "UniformV2", "Normal", "NormalV2")}
_MASKING = listed(
    "Add AddV2 Sub Mul Div RealDiv Floor Cast GreaterEqual Greater Less LessEqual LogicalNot Identity Reshape"
)
_ACTIVATIONS = listed("Relu Relu6 LeakyRelu Elu Selu Softplus Softsign Sigmoid Tanh Softmax")
_RESHAPING = ("Reshape", "Squeeze", "ExpandDims", "Cast")
_REMEMBERED = ("Add", "AddV2", "Sub", "Mul", "Rsqrt", "Neg")
_MOST = 200_000
_DEEPEST = 32


@dataclass(frozen=True, eq=False)
class _Frame:
    """A body that is being read: the graph itself or one call of a function."""

    nodes: Mapping[str, Node]
    given: Mapping[str, Value]
    values: dict[str, tuple[Value, ...]]
    depth: int


class Evaluator:
    """Reads a graph from its outputs back to the image.

    Args:
        graph: The graph.
        variables: Its variables.
        constants: Its constants.
        fed: What placeholders are: the image by name, and numbers for others.
    """

    def __init__(self, graph: Graph, variables: Variables, constants: Constants, fed: Mapping[str, Value]) -> None:
        self._graph, self._variables, self._constants = graph, variables, constants
        self._fed = fed
        self._read = 0
        self._main = _Frame(graph.nodes, {}, {}, 0)

    def value(self, reference: Reference) -> Value:
        """What a tensor of the graph is.

        Raises:
            FormatError: The graph is a circle, or larger than any network.
        """
        return self._value(self._main, reference)

    def _value(self, frame: _Frame, reference: Reference) -> Value:
        self._fill(frame, reference.node)
        if reference.node in frame.given:
            return frame.given[reference.node]
        outputs = frame.values.get(reference.node, ())
        if reference.output < len(outputs):
            return outputs[reference.output]
        return Unsupported(reference.node, "?", "there is no such tensor in the graph")

    def _fill(self, frame: _Frame, name: str) -> None:
        """Evaluate a node after everything that it needs, without recursion: graphs are deep."""
        stack, begun = [name], set()
        while stack:
            top = stack[-1]
            node = frame.nodes.get(top)
            if top in frame.values or top in frame.given or node is None:
                stack.pop()
                continue
            needed = [] if self._is_fed(frame, top) else [one.node for one in node.inputs]
            waiting = [one for one in needed if one not in frame.values and one not in frame.given]
            waiting = [one for one in waiting if one in frame.nodes]
            if not waiting or top in begun:
                if waiting:
                    raise self._refused(f'the graph runs in a circle at "{printable(top)}".', "a feed-forward network")
                frame.values[top] = self._evaluate(frame, node)
                stack.pop()
                continue
            begun.add(top)
            stack.extend(waiting)

    def _is_fed(self, frame: _Frame, name: str) -> bool:
        return frame is self._main and name in self._fed

    def _refused(self, what: str, expected: str) -> FormatError:
        return FormatError(
            f"{printable(self._graph.path.name)} cannot be translated: {what}",
            expected=expected,
            fix="the weights alone can be taken with --weights-only",
            details={"file": printable(self._graph.path)},
        )

    def _evaluate(self, frame: _Frame, node: Node) -> tuple[Value, ...]:
        self._read += 1
        if self._read > _MOST:
            raise self._refused(f"more than {_MOST:,} operations lead to its output.", "a network of fewer operations")
        if self._is_fed(frame, node.name):
            return (self._fed[node.name],)
        inputs = [self._value(frame, one) for one in node.inputs]
        if node.op in ("Merge", "RefMerge"):
            return _merge(node, inputs)
        if any(isinstance(one, Dead) for one in inputs):
            return (Dead(), Dead())
        if node.op in _RANDOM:
            return (Random(),)
        first = next((one for one in inputs if isinstance(one, Unsupported)), None)
        if first is not None and not (node.op == "If" or node.op.endswith("PartitionedCall")):
            return (first,)
        try:
            return self._apply(frame, node, inputs)
        except UntranslatableError as problem:
            return (Unsupported(node.name, node.op, str(problem)),)
        except (ValueError, IndexError, TypeError, AttributeError):
            return (Unsupported(node.name, node.op, "its inputs are not what the operation takes"),)

    def _apply(self, frame: _Frame, node: Node, inputs: list[Value]) -> tuple[Value, ...]:
        op = node.op
        if op == "Const":
            array = self._constants.read(node)
            return (Unsupported(node.name, op, "its value is not read") if array is None else Known(array),)
        if op in ("Variable", "VariableV2"):
            return (self._variables.read(node.name),)
        if op == "VarHandleOp":
            return (Handle(node.name),)
        if op == "ReadVariableOp" and isinstance(inputs[0], Handle):
            return (self._variables.read(inputs[0].name),)
        if op.startswith("Placeholder"):
            return (inputs[0] if inputs else Unsupported(node.name, op, "it is fed from outside"),)
        if op in _PASSING or op == "IdentityN":
            return tuple(inputs)
        if op in ("Switch", "RefSwitch"):
            return _switch(node, inputs)
        if op in ("PartitionedCall", "StatefulPartitionedCall"):
            return self._call(frame, node, node.attributes["f"].func.name, inputs)
        if op in ("If", "StatelessIf"):
            branch = "then_branch" if _truth(inputs[0]) else "else_branch"
            return self._call(frame, node, node.attributes[branch].func.name, inputs[1:])
        return _computed(node, inputs)

    def _call(self, frame: _Frame, node: Node, name: str, inputs: Sequence[Value]) -> tuple[Value, ...]:
        function: Function | None = self._graph.functions.get(name)
        if function is None:
            return (Unsupported(node.name, node.op, f'the function "{printable(name)}" is missing'),)
        if frame.depth >= _DEEPEST:
            raise self._refused(f"functions call each other more than {_DEEPEST} deep.", "a feed-forward network")
        given = dict(zip(function.arguments, inputs, strict=True))
        inner = _Frame(function.nodes, given, {}, frame.depth + 1)
        return tuple(self._value(inner, one) for one in function.results)


def _truth(value: Value) -> bool:
    if not isinstance(value, Known) or value.array.size != 1:
        raise UntranslatableError("which branch is taken depends on the image, or on what is fed")
    return bool(value.array.ravel()[0])


def _switch(node: Node, inputs: list[Value]) -> tuple[Value, ...]:
    taken = _truth(inputs[1])
    return (Dead(), inputs[0]) if taken else (inputs[0], Dead())


def _merge(node: Node, inputs: list[Value]) -> tuple[Value, ...]:
    alive = [(place, one) for place, one in enumerate(inputs) if not isinstance(one, Dead)]
    if len(alive) != 1:
        return (Unsupported(node.name, node.op, "it joins branches of which not just one is taken"),)
    return (alive[0][1], Known(np.array(alive[0][0], np.int32)))


def _computed(node: Node, inputs: list[Value]) -> tuple[Value, ...]:
    known = [one for one in inputs if isinstance(one, Known)]
    data = [one for one in inputs if isinstance(one, Data)]
    if len(known) == len(inputs):
        return _folded(node, known)
    if any(isinstance(one, Random) for one in inputs):
        if data:
            if node.op in ("Mul", "Select", "SelectV2") and not any(one.array.any() for one in known):
                return (arithmetic.drop(node, data[0]),)
            raise UntranslatableError("random values are mixed in, not as dropout does it")
        if node.op in _MASKING:
            return (Random(),)
        raise UntranslatableError("random values are used, not as dropout does it")
    if len(known) + len(data) != len(inputs) or not data:
        raise UntranslatableError("it has no counterpart among the layers")
    found = _translated(node, inputs, known, data)
    return (found,)


def _folded(node: Node, known: list[Known]) -> tuple[Value, ...]:
    found = fold(node, [one.array for one in known])
    if found is None:
        return (Unsupported(node.name, node.op, "it is not computed on known values"),)
    variable = known[0].variable if node.op in _RESHAPING else None
    if node.op == "ConcatV2":
        variable = joined(known[:-1], found[0])
    if node.op == "Cast" and known[0].array.dtype == found[0].dtype:
        return (known[0],)
    made = (node.op, *known) if node.op in _REMEMBERED else ()
    return tuple(Known(array, variable, made) for array in found)


def _translated(node: Node, inputs: list[Value], known: list[Known], data: list[Data]) -> Value:
    op, first = node.op, data[0]
    if op in ("Add", "AddV2", "BiasAdd", "BiasAddV1", "AddN"):
        if node.text("data_format", "NHWC") != "NHWC":
            raise UntranslatableError("channels come first in it; only channels last is read")
        if not known:
            return arithmetic.sum_of(node, data)
        if len(known) == len(data) == 1:
            return arithmetic.add(node, first, known[0])
    if op in ("ConcatV2", "Concat") and len(known) == 1:
        return arithmetic.join(node, data, known[0])
    if len(data) != 1:
        raise UntranslatableError("it combines feature maps in a way that has no counterpart among the layers")
    if op == "Shape":
        return Known(np.array([BATCH, *first.step.shape], np.int32))
    if op == "Rank":
        return Known(np.array(len(first.step.shape) + 1, np.int32))
    if op in _ACTIVATIONS:
        return arithmetic.activation(node, first)
    if op in ("Conv2D", "DepthwiseConv2dNative") and inputs[0] is first:
        return arithmetic.convolve(node, first, known[0])
    if op == "MatMul" and inputs[0] is first:
        return arithmetic.multiply_matrix(node, first, known[0])
    if op == "Mul":
        return arithmetic.multiply(node, first, known[0])
    if op in ("Sub", "Div", "RealDiv") and all(isinstance(one, Data | Known) for one in inputs):
        left, right = (one for one in inputs if isinstance(one, Data | Known))
        return arithmetic.subtract(node, left, right) if op == "Sub" else arithmetic.divide(node, left, right)
    if op == "Maximum" and not known[0].array.any():
        return Data(Step("activation", (first.step,), first.step.shape, node.name, {"function": "Relu"}))
    if op.startswith("FusedBatchNorm") and inputs[0] is first:
        return arithmetic.normalize(node, first, known)
    if op == "Cast" and node.dtype("DstT").startswith(("float", "bfloat")):
        return first
    return _moved(node, first, known)


def _moved(node: Node, data: Data, known: list[Known]) -> Value:
    op = node.op
    if op in ("MaxPool", "AvgPool"):
        return geometry.pool(node, data, "max_pool" if op == "MaxPool" else "average_pool")
    if op == "Mean":
        return arithmetic.global_average(node, data, known[0])
    if op == "Reshape":
        return geometry.reshape(node, data, known[0])
    if op == "Squeeze":
        return geometry.squeeze(node, data)
    if op == "ExpandDims":
        return geometry.expand(node, data, known[0])
    if op == "Transpose":
        return geometry.transpose(node, data, known[0])
    if op in ("Pad", "PadV2"):
        return geometry.pad(node, data, known[0], known[1] if op == "PadV2" else None)
    if op == "Slice":
        return geometry.crop(node, data, *known)
    if op == "StridedSlice":
        return geometry.strided_crop(node, data, *known)
    raise UntranslatableError("it has no counterpart among the layers")
