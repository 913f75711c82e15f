"""TensorFlow graphs as plain nodes: parsed from ``.meta`` and ``saved_model.pb``, gated, never run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from seewell.data.names import printable
from seewell.data.opening import open_regular
from seewell.errors import ConfigError, DataError, FormatError, did_you_mean
from seewell.runs.gates.graph import check_graph
from seewell.runs.gates.refusal import refusal

__all__ = ["Function", "Graph", "Node", "Reference", "read_frozen", "read_meta", "read_saved_model"]

LARGEST = 1 << 30
"""Bytes of a graph file above which it is refused (a protobuf message has at most 2 GB)."""

_OUTPUTS: dict[str, tuple[str, ...]] = {
    "Switch": ("output_false", "output_true"),
    "Merge": ("output", "value_index"),
}
_OUTPUTS |= {f"FusedBatchNorm{v}": ("y", "batch_mean", "batch_variance") for v in ("", "V2", "V3")}


@dataclass(frozen=True)
class Reference:
    """One output of a node.

    Attributes:
        node: The node's name, or the name of a function's argument.
        output: Which of its outputs, from 0.
    """

    node: str
    output: int = 0


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes:
        name: Unique in its graph or function.
        op: The operation.
        inputs: Where its data comes from; control inputs are left out.
        attributes: Protobuf ``AttrValue`` by name.
    """

    name: str
    op: str
    inputs: tuple[Reference, ...]
    attributes: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """An attribute that is a string."""
        return self.attributes[name].s.decode("utf-8", "replace") if name in self.attributes else default

    def flag(self, name: str, default: bool = False) -> bool:
        """An attribute that is true or false."""
        return bool(self.attributes[name].b) if name in self.attributes else default

    def whole(self, name: str, default: int = 0) -> int:
        """An attribute that is a whole number."""
        return int(self.attributes[name].i) if name in self.attributes else default

    def real(self, name: str, default: float) -> float:
        """An attribute that is a number."""
        return float(self.attributes[name].f) if name in self.attributes else default

    def wholes(self, name: str) -> tuple[int, ...]:
        """An attribute that is a list of whole numbers; empty where it is missing."""
        return tuple(self.attributes[name].list.i) if name in self.attributes else ()

    def dtype(self, name: str) -> str:
        """An attribute that is a type, such as "float32"; "unknown" where it is none."""
        import tensorflow as tf

        try:
            return str(tf.as_dtype(self.attributes[name].type).base_dtype.name)
        except (KeyError, TypeError):
            return "unknown"

    def shape(self, name: str = "shape") -> tuple[int | None, ...] | None:
        """An attribute that is a shape; None where its rank is unknown."""
        if name not in self.attributes or self.attributes[name].shape.unknown_rank:
            return None
        return tuple(None if one.size < 0 else int(one.size) for one in self.attributes[name].shape.dim)


@dataclass(frozen=True, eq=False)
class Function:
    """A function of a graph's library.

    Attributes:
        name: Its name in the library.
        arguments: The names of its arguments, in order.
        nodes: Its body by name.
        results: What it returns, in order.
    """

    name: str
    arguments: tuple[str, ...]
    nodes: Mapping[str, Node]
    results: tuple[Reference, ...]


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph that passed the gate.

    Attributes:
        path: The file it was read from.
        nodes: By name.
        functions: The library, by name.
        inputs: Tensors that a signature names as inputs, by key; empty in a ``.meta`` without one.
        outputs: The same for outputs.
        size: Bytes of the file.
    """

    path: Path
    nodes: Mapping[str, Node]
    functions: Mapping[str, Function]
    inputs: Mapping[str, Reference] = field(default_factory=dict)
    outputs: Mapping[str, Reference] = field(default_factory=dict)
    size: int = 0

    @cached_property
    def placeholders(self) -> tuple[Node, ...]:
        """The nodes that are fed, in the order of the file."""
        return tuple(one for one in self.nodes.values() if one.op.startswith("Placeholder"))

    def find(self, name: str, what: str, keys: Mapping[str, Reference]) -> Reference:
        """The tensor that a user named: "predictions", "predictions:0" or a key of the signature.

        Raises:
            ConfigError: There is none; names the nearest.
        """
        if name in keys:
            return keys[name]
        match = re.fullmatch(r"(.+):(\d+)", name)
        reference = Reference(match[1], int(match[2])) if match else Reference(name)
        if reference.node not in self.nodes:
            near = did_you_mean(name, [*keys, *self.nodes])
            raise ConfigError(
                f'there is no tensor "{printable(name)}" for the {what}.',
                expected="the name of a tensor of the graph",
                fix=f"{near} (all of them: seewell adopt PATH --list)" if near else "see: seewell adopt PATH --list",
            )
        return reference


def read_meta(path: Path) -> Graph:
    """Read the graph of a ``.meta`` file, after the gate.

    Args:
        path: A serialized ``MetaGraphDef``.

    Returns:
        The graph; nothing of it was run.

    Raises:
        FormatError: It is no such file, or holds an operation that is not on the list.
    """
    from tensorflow.core.protobuf import meta_graph_pb2

    meta = meta_graph_pb2.MetaGraphDef()
    size = _parse(path, meta, "a MetaGraph, as tf.train.Saver writes it")
    return _gated(path, meta, size, required=False)


def read_frozen(path: Path) -> Graph:
    """Read a frozen graph (``.pb``), whose weights are constants, after the gate.

    Args:
        path: A serialized ``GraphDef``.

    Raises:
        FormatError: It is no such file, or holds an operation that is not on the list.
    """
    from tensorflow.core.protobuf import meta_graph_pb2

    meta = meta_graph_pb2.MetaGraphDef()
    size = _parse(path, meta.graph_def, "a frozen graph (GraphDef)")
    return _gated(path, meta, size, required=False)


def read_saved_model(folder: Path) -> Graph:
    """Read the graph of a SavedModel's ``serving_default`` signature, after the gate.

    Args:
        folder: The folder with ``saved_model.pb``.

    Raises:
        FormatError: It is no SavedModel, holds an operation that is not on the list, or no such signature.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel()
    size = _parse(path, saved, "a SavedModel")
    served = [one for one in saved.meta_graphs if "serve" in one.meta_info_def.tags] or list(saved.meta_graphs)
    if not served:
        raise refusal(path, "it holds no graph.", expected="a SavedModel", fix="export the network again")
    for one in saved.meta_graphs:
        check_graph(one.graph_def, path)
    return _gated(path, served[0], size, required=True)


def _parse(path: Path, message: Any, kind: str) -> int:
    from google.protobuf.message import DecodeError

    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
    except DataError as problem:
        raise FormatError(
            problem.what, expected=problem.expected, fix=problem.fix, details={"file": printable(path)}
        ) from problem
    if len(content) > LARGEST:
        raise refusal(path, f"it is larger than {LARGEST:,} bytes.", expected="a graph; weights lie in other files")
    try:
        message.ParseFromString(content)
    except DecodeError as problem:
        raise FormatError(
            f"{printable(path.name)} cannot be read: it is cut, damaged, or something else.",
            expected=kind,
            fix="copy the file again",
            details={"file": printable(path)},
        ) from problem
    return len(content)


def _gated(path: Path, meta: Any, size: int, *, required: bool) -> Graph:
    check_graph(meta.graph_def, path)
    signatures = dict(meta.signature_def)
    usable = {key: one for key, one in signatures.items() if one.inputs and one.outputs}
    chosen = usable.get("serving_default") or (next(iter(usable.values())) if len(usable) == 1 else None)
    if required and chosen is None:
        raise FormatError(
            f"{printable(path.parent.name)} has no signature serving_default.",
            expected="a SavedModel that was exported for serving",
            fix="export it again with a signature",
            details={"it has": ", ".join(map(printable, signatures)) or "none", "file": printable(path)},
        )
    nodes = {one.name: _node(one) for one in meta.graph_def.node}
    if not nodes:
        raise FormatError(
            f"{printable(path.name)} holds no graph.",
            expected="a graph with at least one node",
            fix="take another file",
            details={"file": printable(path)},
        )
    inputs = {} if chosen is None else {key: _tensor(one.name) for key, one in chosen.inputs.items() if one.name}
    outputs = {} if chosen is None else {key: _tensor(one.name) for key, one in chosen.outputs.items() if one.name}
    functions = {one.signature.name: _function(one) for one in meta.graph_def.library.function}
    return Graph(path, nodes, functions, inputs, outputs, size)


def _tensor(name: str) -> Reference:
    node, _, output = name.partition(":")
    return Reference(node, int(output) if output.isdigit() else 0)


def _node(proto: Any) -> Node:
    inputs = tuple(_tensor(one) for one in proto.input if not one.startswith("^"))
    return Node(proto.name, proto.op, inputs, dict(proto.attr))


def _function(proto: Any) -> Function:
    operations = {one.name: one.op for one in proto.node_def}

    def reference(text: str) -> Reference:
        node, *rest = text.split(":")
        if len(rest) < 2:
            return Reference(node, int(rest[0]) if rest and rest[0].isdigit() else 0)
        names = _OUTPUTS.get(operations.get(node, ""), ())
        place = int(rest[1]) if rest[1].isdigit() else 0
        return Reference(node, names.index(rest[0]) if rest[0] in names else place)

    nodes = {
        one.name: Node(
            one.name, one.op, tuple(reference(text) for text in one.input if not text.startswith("^")), dict(one.attr)
        )
        for one in proto.node_def
    }
    arguments = tuple(one.name for one in proto.signature.input_arg)
    results = tuple(reference(proto.ret[one.name]) for one in proto.signature.output_arg)
    return Function(proto.signature.name, arguments, nodes, results)
