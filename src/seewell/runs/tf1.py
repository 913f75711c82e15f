"""TensorFlow 1 checkpoints and SavedModels: a graph that is read, never run, becomes a network of Keras layers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seewell.data.names import printable
from seewell.errors import ConfigError, FormatError
from seewell.runs.foreign.bundle import Bundle
from seewell.runs.foreign.constants import Constants
from seewell.runs.foreign.evaluate import Evaluator
from seewell.runs.foreign.graph import Graph, Node, Reference
from seewell.runs.foreign.images import fitting_images
from seewell.runs.foreign.layers import Translated, build
from seewell.runs.foreign.names import given_name
from seewell.runs.foreign.values import Data, Known, Step, Unsupported, Value
from seewell.runs.foreign.variables import Variables

__all__ = ["Chosen", "choose", "input_range_is_known", "named_tensors", "translate"]

_IGNORED = ("gradients", "save", "report_uninitialized_variables")


@dataclass(frozen=True)
class Chosen:
    """The ends of a graph between which the network lies.

    Attributes:
        image: The placeholder that takes the images.
        output: Class probabilities, or the values before softmax.
        fed: What other placeholders are fed with.
        notes: What was decided without being asked for, in sentences.
    """

    image: Node
    output: Reference
    fed: Mapping[str, float]
    notes: tuple[str, ...]


def choose(graph: Graph, image: str | None, output: str | None, feeds: Mapping[str, float]) -> Chosen:
    """Find where the images go in and the answer comes out.

    Args:
        graph: A graph that passed the gate.
        image: The placeholder that the user named, or None to take the only one that can be it.
        output: The tensor that the user named, or None to take the only softmax.
        feeds: Values of other placeholders, by name.

    Returns:
        Both ends, and what the other placeholders are: dropout keeps everything, and training is off.

    Raises:
        ConfigError: A name is not in the graph, or there are several candidates or none.
    """
    end = graph.find(output, "output", graph.outputs) if output else _only_output(graph)
    needed = _ancestors(graph, end.node)
    placeholders = [one for one in graph.placeholders if one.name in needed]
    start = graph.nodes[graph.find(image, "input", graph.inputs).node] if image else _only_image(graph, placeholders)
    fed: dict[str, float] = {}
    for name, value in feeds.items():
        fed[graph.find(name, "placeholder", {}).node] = value
    notes = []
    for one in placeholders:
        if one.name in fed or one is start or one.inputs:
            continue
        known = _inference_value(one)
        if known is not None:
            fed[one.name] = known
            notes.append(f'"{printable(one.name)}" was taken to be {known:g}, as in inference')
    return Chosen(start, end, fed, tuple(notes))


def _only_output(graph: Graph) -> Reference:
    if len(graph.outputs) == 1:
        return next(iter(graph.outputs.values()))
    found = [one.name for one in graph.nodes.values() if one.op == "Softmax" and not one.name.startswith(_IGNORED)]
    if len(found) == 1 and not graph.outputs:
        return Reference(found[0])
    known = list(graph.outputs) or found
    raise ConfigError(
        f"the graph has {len(known) or 'no'} {'output' if graph.outputs else 'softmax'}{'s' * (len(known) != 1)}, "
        "so which tensor is the answer is open.",
        expected=f"--output with one of: {', '.join(map(printable, known[:12]))}" if known else "--output NAME",
        fix="list the tensors with: seewell adopt PATH --list",
    )


def _only_image(graph: Graph, placeholders: list[Node]) -> Node:
    likely = [one for one in placeholders if _may_be_image(one)]
    if len(likely) == 1:
        return likely[0]
    names = ", ".join(printable(one.name) for one in likely or placeholders)
    raise ConfigError(
        f"{len(likely) or 'no'} placeholder{'s' * (len(likely) != 1)} of the graph can be what takes the images.",
        expected=f"--input with one of: {names}" if names else "a graph with a placeholder for the images",
        fix="list the tensors with: seewell adopt PATH --list",
    )


def _may_be_image(node: Node) -> bool:
    shape = node.shape()
    return not node.dtype("dtype").startswith("bool") and shape is not None and len(shape) in (2, 3, 4)


def _inference_value(node: Node) -> float | None:
    """What a switch of the training is in inference, by its type and name; None where nobody can know."""
    if node.shape():
        return None
    if node.dtype("dtype") == "bool":
        return 0.0
    name = node.name.lower()
    return 1.0 if "keep" in name else 0.0 if "drop" in name or "rate" in name else None


def _ancestors(graph: Graph, name: str) -> set[str]:
    seen: set[str] = set()
    stack = [name]
    while stack:
        node = graph.nodes.get(stack.pop())
        if node is not None and node.name not in seen:
            seen.add(node.name)
            stack.extend(one.node for one in node.inputs)
    return seen


def input_range_is_known(chosen: Chosen) -> bool:
    """Whether the placeholder itself says what it takes: raw bytes."""
    return chosen.image.dtype("dtype") == "uint8"


def translate(
    graph: Graph, bundle: Bundle | None, chosen: Chosen, *, image_shape: tuple[int, int, int] | None, input_range: str
) -> Translated:
    """Translate a graph into a Keras network that takes raw images.

    Args:
        graph: A graph that passed the gate.
        bundle: The checkpoint with its variables; None for a graph whose weights are constants.
        chosen: Its ends.
        image_shape: Height, width and channels, where the graph leaves them open.
        input_range: What the placeholder was fed with: "0..1", "0..255" or "-1..1".

    Returns:
        The network with its weights, and where they came from.

    Raises:
        ConfigError: The size of the images is open.
        FormatError: An operation has no counterpart; names it and its node.
    """
    declared = chosen.image.shape()
    sides = None if declared is None else declared[1:]
    shape, raw = fitting_images(chosen.image.name, sides, image_shape)
    constants = Constants(graph)
    variables = Variables(graph, bundle, constants)
    fed: dict[str, Value] = {name: _number(graph.nodes[name], value) for name, value in chosen.fed.items()}
    fed[chosen.image.name] = Data(Step("input", (), shape, chosen.image.name))
    found = Evaluator(graph, variables, constants, fed).value(chosen.output)
    if isinstance(found, Data):
        return build(found.step, raw, input_range)
    node = graph.nodes.get(chosen.output.node)
    if isinstance(found, Unsupported):
        raise _untranslatable(graph, found)
    raise FormatError(
        f'"{printable(chosen.output.node)}"{f" ({node.op})" if node else ""} does not depend on the images.',
        expected="an output that is computed from the input",
        fix="choose others with --input and --output; list them with: seewell adopt PATH --list",
    )


def _number(node: Node, value: float) -> Known:
    try:
        dtype = np.dtype(node.dtype("dtype"))
    except TypeError:
        dtype = np.dtype(np.float32)
    return Known(np.array(value, dtype))


def _untranslatable(graph: Graph, found: Unsupported) -> FormatError:
    fix = "choose an --output before it, or take the weights alone with --weights-only"
    if found.op.startswith("Placeholder"):
        fix = f"--feed {printable(found.node)}=VALUE, or choose another --input"
    elif found.op == "ArgMax":
        fix = "choose the probabilities as --output; list the tensors with --list"
    return FormatError(
        f'{printable(graph.path.name)} cannot be translated: "{printable(found.node)}" ({found.op}): {found.why}.',
        expected="a feed-forward image classifier of the operations in docs/adopt.md",
        fix=fix,
        details={"file": printable(graph.path)},
    )


def named_tensors(graph: Graph) -> list[Node]:
    """The nodes that depend on what is fed and that the author named, and every softmax: what can be chosen."""
    fed = {one.name for one in graph.placeholders if not one.inputs}
    return [
        one
        for one in graph.nodes.values()
        if one.inputs
        and not one.name.startswith(_IGNORED)
        and one.op not in ("Assign", "NoOp")
        and (one.op == "Softmax" or ("/" not in one.name and given_name(one.name)))
        and not fed.isdisjoint(_ancestors(graph, one.name))
    ]
