"""The layers of a model in order, what follows each, and their values on a batch."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from seewell.doctor.statistics import HiddenLayer
from seewell.networks.graph import Call, calls, replay
from seewell.networks.taps import Point, logits_point, weighted_points

__all__ = ["Anatomy", "Following", "is_trainable"]

_OPERATIONS = frozenset(
    {
        *("relu", "relu6", "leakyrelu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "glu", "softplus"),
        *("sigmoid", "tanh", "hardsigmoid", "hardtanh", "hardsilu", "hardswish", "softsign", "softmax", "logsoftmax"),
    }
)
_PASS = ("Normalization", "Dropout", "Pool", "Flatten", "Reshape", "Padding", "Cropping", "UpSampling", "Rescaling")
_PASS_TOO = frozenset({"Identity", "Permute", "GaussianNoise", "ActivityRegularization", "SpatialDropout2D", "Cast"})
_JOIN = frozenset({"Add", "Average", "Concatenate", "add", "concatenate"})
_SIDE_BY_SIDE = frozenset({"Concatenate", "concatenate"})
_PRODUCTS = frozenset({"Multiply", "Dot", "Matmul", "Einsum", "Tensordot"})
_SHAPED = frozenset({"ExpandDims", "Squeeze", "Transpose", "BroadcastTo", "Repeat", "Tile", "Cast"})


@dataclass(frozen=True, eq=False)
class Following:
    """What a layer's values go into.

    Attributes:
        activation: The next nonlinearity; "linear" where a weighted layer or the end comes first; "unknown".
        residual: They are added to or joined with others before.
        pooled: A max pooling comes before.
        end: No weighted layer comes after.
        gate: What the nonlinearity gives goes into a product with other values and nowhere else.
        summed: They are added to others before the next weights: the end of a residual branch.
    """

    activation: str
    residual: bool = False
    pooled: bool = False
    end: bool = False
    gate: bool = False
    summed: bool = False


class Anatomy:
    """Reads a Functional or built Sequential model; raises NetworkError for others.

    Attributes:
        model: The model.
        points: Where each weighted layer is read, in order.
        names: Their names.
        following: What follows each.
        logits: Where the values before the last softmax are read.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._alias: dict[int, int] = {}
        self._calls = tuple(self._walk(model))
        self._consumers: dict[int, list[Call]] = {}
        for call in self._calls:
            for tensor in call.inputs:
                self._consumers.setdefault(self._same(tensor), []).append(call)
        self.points: tuple[Point, ...] = tuple(weighted_points(model))
        self._weighted = frozenset(id(point.call.node) for point in self.points)
        self.names = tuple(point.name for point in self.points)
        self._followed: dict[int, Following] = {}
        for call in reversed(self._calls):
            for tensor in call.node.outputs:
                self._followed[self._same(tensor)] = self._follow(self._same(tensor))
        self.following = tuple(self._follow_point(point) for point in self.points)
        self.logits: Point = logits_point(model)
        self._around = keras.layers.Lambda(lambda images: replay(model, images), name="doctor", autocast=False)

    def values(self, images: Any, *, training: bool) -> dict[int, Any]:
        """Every value in the network on a batch, by ``id`` of its Keras tensor; nothing of the model changes."""
        with keras.StatelessScope(collect_losses=True):
            return self._around(images, training=training)

    def first_input(self, values: dict[int, Any]) -> Any | None:
        """What reaches the first weighted layer, after the network's own preprocessing."""
        return values[id(self.points[0].call.inputs[0])] if self.points else None

    def takes_words(self) -> bool:
        """Whether what goes in goes straight into an Embedding."""
        start = self._same(self.model.inputs[0])
        after = self._consumers.get(start, [])
        return any(isinstance(call.layer, keras.layers.Embedding) for call in after)

    def augmentations(self) -> tuple[Any, ...]:
        """The random layers before the first weights, dropout aside."""
        return tuple(call.layer for call in self._before_weights() if _is_random(call.layer))

    def before_weights(self, images: Any, *, augmented: bool) -> Any:
        """The images on their way to the first weights, before they are flattened; the rest is not run.

        With or without the random layers' changes. Run it in a stateless scope, which takes their draws.
        """
        values, last = {self._same(self.model.inputs[0]): images}, images
        for call in self._before_weights():
            known = {id(tensor): values[self._same(tensor)] for tensor in call.inputs}
            args, kwargs = call.node.arguments.fill_in(known)
            if getattr(call.layer, "_call_has_training_arg", False):
                kwargs = kwargs | {"training": augmented and _is_random(call.layer)}
            outputs = keras.tree.flatten(call.layer(*args, **kwargs))
            values.update((self._same(t), value) for t, value in zip(call.node.outputs, outputs, strict=True))
            last = outputs[0] if len(outputs[0].shape) > 2 else last
        return last

    def _before_weights(self) -> list[Call]:
        """The calls that the first weighted layer's input is made of."""
        wanted, found = {self._same(self.points[0].call.inputs[0])} if self.points else set(), []
        for call in reversed(self._calls):
            if not call.node.is_input and any(self._same(tensor) in wanted for tensor in call.node.outputs):
                wanted |= {self._same(tensor) for tensor in call.inputs}
                found.append(call)
        return found[::-1]

    def bottlenecks(self) -> tuple[str, ...]:
        """Hidden weighted layers that pass a single number on, in a network that is one chain of layers."""
        if any(len(call.inputs) > 1 for call in self._calls):
            return ()
        sizes = (tuple(point.call.output.shape[1:]) for point in self.points)
        return tuple(
            name
            for name, size, following in zip(self.names, sizes, self.following, strict=True)
            if not following.end and None not in size and int(np.prod(size)) == 1
        )

    def first_normalized(self) -> bool:
        """Whether a normalization stands directly behind the first weighted layer."""
        if not self.points:
            return False
        after = self._consumers.get(self._same(self.points[0].call.output), [])
        return any("Normalization" in type(call.layer).__name__ for call in after)

    def ending(self) -> tuple[str, str, bool, bool]:
        """The last activation, the layer that holds it, whether its softmax axis is wrong, whether it is doubled."""
        wanted = self._same(self.model.outputs[0])
        chain: list[tuple[str, Call]] = []
        while (call := self._maker(wanted)) is not None and len(chain) < 8:
            name = _activation(call.layer)
            weighted = id(call.node) in self._weighted
            if name not in (None, "linear"):
                chain.append((str(name), call))
            elif not weighted and not _passes(call.layer):
                chain.append(("unknown", call))
                break
            if weighted or call.node.is_input or not call.inputs:
                break
            wanted = self._same(call.inputs[0])
        last_call = self._maker(self._same(self.model.outputs[0]))
        layer = last_call.layer.name if last_call is not None else self.model.name
        if not chain:
            return "linear", layer, False, False
        last, at = chain[0]
        rank = len(at.output.shape)
        axis = getattr(at.layer, "axis", -1) if last == "softmax" else -1
        wrong = isinstance(axis, int) and axis not in (-1, rank - 1)
        squashing = [name for name, _ in chain if name in ("softmax", "sigmoid", "log_softmax", "logsoftmax")]
        relu_inside = last == "softmax" and len(chain) > 1 and chain[1][0] in ("relu", "tanh")
        return (f"{chain[1][0]}+softmax" if relu_inside else last), at.layer.name, wrong, len(squashing) > 1

    def hidden(self) -> tuple[HiddenLayer, ...]:
        """The weighted layers that another weighted layer follows."""
        found = []
        for point, following in zip(self.points, self.following, strict=True):
            if following.end:
                continue
            layer = point.call.layer
            kernel = getattr(layer, "kernel_size", None)
            kind = "dense" if kernel is None else "depthwise" if "Depthwise" in type(layer).__name__ else "conv"
            found.append(
                HiddenLayer(
                    point.name,
                    kind,
                    following.activation,
                    pointwise=kernel is not None and all(size == 1 for size in kernel),
                    residual=following.residual,
                    pooled=following.pooled,
                    gate=following.gate,
                    trainable=is_trainable(layer),
                )
            )
        return tuple(found)

    def constant(self) -> tuple[str, ...]:
        """Hidden layers whose kernel is one single value; those that end in an addition are left out."""
        return tuple(
            point.name
            for point, following in zip(self.points, self.following, strict=True)
            if not following.end and not following.residual and _one_value(point.call.layer.kernel)
        )

    def _walk(self, model: Any) -> Iterator[Call]:
        for call in calls(model):
            if call.inner is None:
                yield call
                continue
            for inside, outside in zip(call.inner.inputs, call.inputs, strict=False):
                self._alias.setdefault(id(inside), self._same(outside))
            yield from self._walk(call.layer)
            for outside, inside in zip(call.node.outputs, call.inner.outputs, strict=False):
                self._alias[id(outside)] = self._same(inside)

    def _same(self, tensor: Any) -> int:
        """One number for a tensor, whether seen from inside or outside a nested model."""
        number = id(tensor)
        while number in self._alias and self._alias[number] != number:
            number = self._alias[number]
        return number

    def _maker(self, number: int) -> Call | None:
        for call in reversed(self._calls):
            if not call.node.is_input and any(self._same(tensor) == number for tensor in call.node.outputs):
                return call
        return None

    def _follow_point(self, point: Point) -> Following:
        inside = _activation(point.call.layer)
        after = self._followed[self._same(point.call.output)]
        if inside not in (None, "linear"):
            gate = self._is_gate(self._same(point.call.output))
            return dataclasses.replace(after, activation=str(inside), gate=gate)
        return after

    def _follow(self, number: int) -> Following:
        """Looks ahead from a tensor until a nonlinearity, a weighted layer or the end."""
        consumers = self._consumers.get(number, [])
        if not consumers:
            return Following("linear", end=True)
        found = [self._through(call) for call in consumers]
        plain = [one for one in found if not one.gate] or found
        first = next((one for one in plain if one.activation not in ("linear", "unknown")), plain[0])
        return Following(
            first.activation,
            residual=len(consumers) > 1 or any(one.residual for one in found),
            pooled=any(one.pooled for one in found),
            end=all(one.end for one in found),
            gate=first.gate,
            summed=any(one.summed for one in found),
        )

    def _through(self, call: Call) -> Following:
        layer = call.layer
        name, kind = _activation(layer), type(layer).__name__
        number = self._same(call.output)
        # Later calls were looked at first; one that was not is a nested model's that is used twice.
        after = self._followed.get(number, Following("unknown"))
        if id(call.node) in self._weighted:
            return Following("linear")
        if name is not None and name != "linear":
            return Following(name, end=after.end, gate=self._is_gate(number))
        joins = self._joins(call)
        summed = after.summed or (joins and kind not in _SIDE_BY_SIDE)
        if kind in _JOIN:
            return dataclasses.replace(after, residual=True, summed=summed)
        if _passes(layer) or name == "linear":
            return dataclasses.replace(after, pooled=after.pooled or "MaxPool" in kind)
        return Following("unknown", after.residual or joins, after.pooled, after.end, summed=summed)

    def _joins(self, call: Call) -> bool:
        """Whether a call brings several values together."""
        return len({self._same(tensor) for tensor in call.inputs}) > 1

    def _is_gate(self, number: int) -> bool:
        """Whether a tensor goes into products with other values, at most put into shape before, and nowhere else."""
        consumers = self._consumers.get(number, [])
        return bool(consumers) and all(self._gates(call) for call in consumers)

    def _gates(self, call: Call) -> bool:
        kind = type(call.layer).__name__
        if kind in _PRODUCTS and self._joins(call):
            return True
        shaped = kind in _SHAPED or kind in _PRODUCTS or _activation(call.layer) == "linear" or _passes(call.layer)
        return shaped and self._is_gate(self._same(call.output))


def _activation(layer: Any) -> str | None:
    """The name of the nonlinearity that a layer or operation is or holds; None where it is none."""
    inside = getattr(layer, "activation", None)
    if callable(inside):
        return str(getattr(inside, "__name__", type(inside).__name__)).lower()
    kind = type(layer).__name__.lower()
    if kind == "leakyrelu":
        return "leaky_relu"
    return kind if kind in _OPERATIONS else None


def is_trainable(layer: Any) -> bool:
    """Whether training may change a layer's kernel."""
    return bool(layer.trainable and layer.kernel.trainable)


def _is_random(layer: Any) -> bool:
    if "Dropout" in type(layer).__name__ or not isinstance(layer, keras.layers.Layer):
        return False
    return any(inner._seed_generators for inner in layer._flatten_layers())


def _passes(layer: Any) -> bool:
    kind = type(layer).__name__
    return kind in _PASS_TOO or any(word in kind for word in _PASS)


def _one_value(kernel: Any) -> bool:
    values = np.asarray(kernel.value, np.float32)
    return values.size > 1 and bool(values.max() == values.min())
