"""The calls that make up a Keras model, in the order they run; the one place that reads Keras's graph."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from seewell.errors import NetworkError

__all__ = ["Call", "calls", "calls_at_any_depth", "functional_of", "replay"]


@dataclass(frozen=True, eq=False)
class Call:
    """One layer (or bare operation) applied once. A shared layer has several.

    Attributes:
        layer: The Keras layer or operation; may itself be a model.
        node: Keras's own record of the call.
    """

    layer: Any
    node: Any

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The Keras tensors that go in."""
        return tuple(self.node.input_tensors)

    @property
    def output(self) -> Any:
        """The (first) Keras tensor that comes out."""
        return self.node.outputs[0]

    @property
    def inner(self) -> Any | None:
        """The graph of the nested model that this call runs, where its layers can be seen."""
        return functional_of(self.layer)


def functional_of(layer: Any) -> Any | None:
    """The graph of a Functional or a built Sequential model; None for anything else.

    A subclassed model keeps its layers' connections in Python code, where
    nothing can read them.
    """
    if isinstance(layer, keras.Sequential):
        return getattr(layer, "_functional", None)
    return layer if isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth") else None


def calls(model: Any) -> Iterator[Call]:
    """The calls of ``model`` from the inputs on; a nested model is one call.

    Args:
        model: A Functional or built Sequential Keras model.

    Yields:
        A call a layer use, inputs included, in the order Keras runs them.

    Raises:
        NetworkError: A subclassed model, or a Sequential model that was never built.
    """
    graph = functional_of(model)
    if graph is None:
        raise NetworkError(
            f'the layers of "{getattr(model, "name", model)}" cannot be read.',
            expected="a Functional model, or a Sequential model that is built",
            fix="give a Sequential model an Input layer; write a subclassed model with keras.Input and keras.Model",
        )
    order = {id(operation): index for index, operation in enumerate(graph.operations)}
    for _, nodes in sorted(graph._nodes_by_depth.items(), reverse=True):
        for node in sorted(nodes, key=lambda node: order[id(node.operation)]):
            yield Call(node.operation, node)


def calls_at_any_depth(model: Any, prefix: str = "") -> Iterator[tuple[str, Call]]:
    """The calls of ``model`` with nested models opened, each with its name: "layer" or "model/layer".

    The inputs of nested models are left out. Raises as `calls`.
    """
    for call in calls(model):
        if call.inner is not None:
            yield from calls_at_any_depth(call.layer, f"{prefix}{call.layer.name}/")
        elif not (prefix and call.node.is_input):
            yield f"{prefix}{call.layer.name}", call


def _itself(layer: Any) -> Any:
    return layer


def replay(model: Any, images: Any, *, instead: Callable[[Any], Callable[..., Any]] = _itself) -> dict[int, Any]:
    """Run a model on a batch, layer by layer, keeping every value.

    Run it inside a `tf.function`: what nobody asks for is then not computed.
    Whether layers train or infer is up to the Keras call that surrounds it.

    Args:
        model: A Functional or built Sequential model with one input.
        images: What goes in.
        instead: What is called in a layer's place, from the layer; the layer itself where left out.

    Returns:
        ``id`` of each Keras tensor of the model and of nested models, to its
        value. Where a nested model is used twice, of its first use.
    """
    graph = functional_of(model)
    kept: dict[int, Any] = {}
    if graph is None:
        return kept
    values = {id(tensor): value for tensor, value in zip(graph.inputs, keras.tree.flatten(images), strict=True)}
    for call in calls(model):
        if call.node.is_input:
            continue
        args, kwargs = call.node.arguments.fill_in(values)
        kwargs.pop("training", None)  # noted when the model was built; the surrounding call decides, as in Keras
        if call.inner is not None:
            inside = replay(call.layer, args[0], instead=instead)
            kept = inside | kept
            outputs = [inside[id(tensor)] for tensor in call.inner.outputs]
        else:
            outputs = keras.tree.flatten(instead(call.layer)(*args, **kwargs))
        values.update((id(tensor), value) for tensor, value in zip(call.node.outputs, outputs, strict=True))
    return values | kept
