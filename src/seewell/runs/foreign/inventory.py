"""What a foreign file holds, for those who have to choose from it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seewell.data.names import printable
from seewell.runs.foreign.graph import Graph, Node
from seewell.runs.foreign.sources import open_foreign, open_weights
from seewell.runs.tf1 import named_tensors

__all__ = ["Inventory", "Tensor", "take_inventory"]


@dataclass(frozen=True)
class Tensor:
    """One row.

    Attributes:
        name: As it is given to ``--input`` or ``--output``.
        op: Its operation, or an empty text.
        dtype: Its type.
        shape: Its sides, None where one is open; None where nothing is known.
    """

    name: str
    op: str
    dtype: str
    shape: tuple[int | None, ...] | None

    @property
    def shape_text(self) -> str:
        """The shape for people."""
        if self.shape is None:
            return ""
        return "x".join("?" if side is None else str(side) for side in self.shape) or "one number"


@dataclass(frozen=True)
class Inventory:
    """What was found.

    Attributes:
        path: Where.
        kind: In words.
        inputs: What can be fed.
        outputs: What can be the answer: softmax, and the tensors that the author named.
        weights: The tensors of the checkpoint.
    """

    path: str
    kind: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def take_inventory(path: Path) -> Inventory:
    """List what a foreign file holds, after the gate.

    Args:
        path: See `seewell.runs.foreign.sources.open_foreign`.

    Raises:
        FormatError: It is refused, damaged, or nothing that is known.
    """
    if path.suffix not in (".keras", ".h5", ".hdf5", ".npz", ".safetensors") and _has_no_graph(path):
        bundle = open_weights(path)
        rows = tuple(Tensor(printable(one), "", bundle.dtype(one), bundle.shape(one)) for one in bundle.names)
        return Inventory(printable(bundle.prefix), "TensorFlow checkpoint without a graph", (), (), rows)
    found = open_foreign(path)
    weights = tuple(Tensor(printable(name), "", dtype, shape) for name, (shape, dtype) in sorted(found.arrays.items()))
    if found.graph is not None:
        return Inventory(printable(found.path), found.kind, *_ends(found.graph), weights)
    ends = [
        tuple(Tensor(printable(one.name), "", str(one.dtype), tuple(one.shape)) for one in side)
        for side in (found.model.inputs, found.model.outputs)
    ]
    return Inventory(printable(found.path), found.kind, ends[0], ends[1], weights)


def _has_no_graph(path: Path) -> bool:
    if path.is_dir():
        return not (path / "saved_model.pb").exists() and not any(path.glob("*.meta"))
    name = path.name.removesuffix(".index").removesuffix(".meta")
    has_index = path.with_name(f"{name}.index").exists()
    return has_index and not path.with_name(f"{name}.meta").exists()


def _ends(graph: Graph) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    if graph.outputs:
        inputs = tuple(_row(key, graph.nodes.get(one.node)) for key, one in graph.inputs.items())
        return inputs, tuple(_row(key, graph.nodes.get(one.node)) for key, one in graph.outputs.items())
    inputs = tuple(_row(f"{one.name}:0", one) for one in graph.placeholders if not one.inputs)
    return inputs, tuple(_row(f"{one.name}:0", one) for one in named_tensors(graph))


def _row(name: str, node: Node | None) -> Tensor:
    if node is None:
        return Tensor(printable(name), "", "", None)
    kind = "dtype" if "dtype" in node.attributes else "DstT" if "DstT" in node.attributes else "T"
    return Tensor(printable(name), node.op, node.dtype(kind), node.shape())
