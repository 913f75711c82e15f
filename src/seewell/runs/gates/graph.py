"""What a serialized TensorFlow graph may hold: every operation, in functions and constants too, from one list."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seewell.runs.gates.operations import ALLOWED
from seewell.runs.gates.refusal import refusal

__all__ = ["check_graph"]

_DEEPEST = 4
_MOST_NODES = 500_000
_OPERATION = re.compile(r"[A-Z_][A-Za-z0-9_>.]{0,99}")
_STRING = 7  # DT_STRING


def check_graph(graph: Any, path: Path) -> None:
    """Refuse a graph with an operation that is not on the list, wherever it hides.

    Looked at are the nodes, the bodies of all functions in the library, and
    graphs that are serialized in string constants and attributes.

    Args:
        graph: A parsed ``GraphDef``; nothing of it is run.
        path: The file it came from, for the message.

    Raises:
        FormatError: Names the operation and its node.
    """
    _check(graph, path, 0, "")


def _check(graph: Any, path: Path, depth: int, where: str) -> None:
    if depth > _DEEPEST:
        raise refusal(path, f"graphs in constants of graphs, {depth} deep.", expected=f"at most {_DEEPEST}")
    for count, (name, node) in enumerate(_nodes(graph)):
        if count >= _MOST_NODES:
            raise refusal(path, f"it has more than {_MOST_NODES:,} nodes.", expected="a network of fewer nodes")
        if node.op not in ALLOWED:
            raise refusal(
                path,
                f'the node "{name}"{where} is the operation "{node.op}".',
                expected="operations of a feed-forward image classifier and of its training",
                fix="the weights alone can be taken, if it has a checkpoint: seewell adopt PATH --weights-only",
            )
        for text in _texts(node):
            inner = _graph_in(text)
            if inner is not None:
                _check(inner, path, depth + 1, f' in a graph inside the constant "{name}"{where}')


def _nodes(graph: Any) -> Iterator[tuple[str, Any]]:
    for node in graph.node:
        yield node.name, node
    for function in graph.library.function:
        for node in function.node_def:
            yield f"{function.signature.name}/{node.name}", node


def _texts(node: Any) -> Iterator[bytes]:
    """The byte strings in a node's attributes."""
    for value in node.attr.values():
        kind = value.WhichOneof("value")
        if kind == "s":
            yield value.s
        elif kind == "list":
            yield from value.list.s
            for tensor in value.list.tensor:
                yield from tensor.string_val
        elif kind == "tensor" and value.tensor.dtype == _STRING:
            yield from value.tensor.string_val
            if value.tensor.tensor_content:
                yield value.tensor.tensor_content


def _graph_in(text: bytes) -> Any:
    """The graph that a byte string is, or None: one that parses and whose nodes look like nodes."""
    if len(text) < 4:
        return None
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework import graph_pb2

    graph = graph_pb2.GraphDef()
    try:
        graph.ParseFromString(text)
    except DecodeError:
        return None
    found = [node for _, node in _nodes(graph)]
    likely = bool(found) and all(node.name and _OPERATION.fullmatch(node.op) for node in found)
    return graph if likely else None
