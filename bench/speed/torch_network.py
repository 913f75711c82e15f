"""A described network as a PyTorch module: channels first in name, channels last in memory.

Images come as uint8 (N, H, W, C), which is the memory of channels-last; what was flattened in Keras's order is
flattened in the same order here, at no cost.
"""

import torch
import torch.nn.functional as F
from torch import nn

_IN_PLACE = {"convolution", "normalization", "add"}
"""Layers whose output their own gradient does not need: a ReLU may overwrite it, as PyTorch's own networks do."""

_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softmax": lambda x: F.softmax(x.float(), dim=1),
    "tanh": torch.tanh,
}


class TorchNetwork(nn.Module):
    """Logits of a described network.

    Args:
        description: From `speed.description`.
        weights: Its weights, by "layer/variable".
    """

    def __init__(self, description, weights):
        super().__init__()
        layers = description["layers"]
        end = next(place for place, layer in enumerate(layers) if layer["name"] == "logits")
        self._layers = layers[1 : end + 1]
        self._first = layers[0]["name"]
        self.parts = nn.ModuleDict()
        kinds = {layer["name"]: layer["kind"] for layer in layers}
        uses = [name for layer in self._layers for name in layer["inputs"]]
        self._overwrite = set()
        for layer in self._layers:
            own = {
                key.partition("/")[2]: value for key, value in weights.items() if key.startswith(f"{layer['name']}/")
            }
            if layer["kind"] in _MAKE:
                self.parts[layer["name"]] = _MAKE[layer["kind"]](layer, own)
            source = layer["inputs"][0]
            relu = layer["kind"] == "activation" and layer["activation"] == "relu"
            if relu and kinds[source] in _IN_PLACE and uses.count(source) == 1:
                self._overwrite.add(layer["name"])
        last = {name: place for place, layer in enumerate(self._layers) for name in layer["inputs"]}
        self._done_after = [[name for name, at in last.items() if at == place] for place in range(len(self._layers))]

    @torch.no_grad()
    def constrain(self):
        """After each update: filters scaled to norm 1, where the network asks for it."""
        for layer in self._layers:
            if layer.get("unit_norm"):
                kernel = self.parts[layer["name"]].weight
                kernel.div_(torch.linalg.vector_norm(kernel, dim=(1, 2, 3), keepdim=True) + 1e-7)

    def forward(self, images):
        values = {self._first: images.permute(0, 3, 1, 2).float()}
        for layer, done in zip(self._layers, self._done_after, strict=True):
            values[layer["name"]] = self._step(layer, [values[name] for name in layer["inputs"]])
            for name in done:
                del values[name]
        return values["logits"]

    def _step(self, layer, inputs):
        name, kind = layer["name"], layer["kind"]
        x = inputs[0]
        if kind == "convolution":
            if any(before != after for before, after in layer["padding"]):
                x = F.pad(x, [*layer["padding"][1], *layer["padding"][0]])
            return _ACTIVATIONS[layer["activation"]](self.parts[name](x))
        if kind == "fully connected":
            return _ACTIVATIONS[layer["activation"]](self.parts[name](x))
        if kind == "normalization":
            part = self.parts[name]
            return part(x) if layer["trainable"] or not part.training else part.eval()(x)
        if name in self._overwrite:
            return F.relu_(x)
        return _STEPS[kind](layer, inputs)


def _parameter(value, trainable):
    return nn.Parameter(torch.from_numpy(value.copy()), requires_grad=trainable)


def _convolution(layer, own):
    kernel = own["kernel"].transpose(3, 2, 0, 1)
    even = all(before == after for before, after in layer["padding"])
    made = nn.Conv2d(
        kernel.shape[1],
        kernel.shape[0],
        kernel.shape[2:],
        stride=tuple(layer["strides"]),
        padding=tuple(one[0] for one in layer["padding"]) if even else 0,
        bias=layer["bias"],
    )
    made.weight = _parameter(kernel, layer["trainable"])
    if layer["bias"]:
        made.bias = _parameter(own["bias"], layer["trainable"])
    return made


def _dense(layer, own):
    kernel = own["kernel"].T
    made = nn.Linear(kernel.shape[1], kernel.shape[0], bias=layer["bias"])
    made.weight = _parameter(kernel, layer["trainable"])
    if layer["bias"]:
        made.bias = _parameter(own["bias"], layer["trainable"])
    return made


def _normalization(layer, own):
    made = nn.BatchNorm2d(len(own["moving_mean"]), eps=layer["epsilon"], momentum=1 - layer["momentum"])
    made.running_mean = torch.from_numpy(own["moving_mean"].copy())
    made.running_var = torch.from_numpy(own["moving_variance"].copy())
    for name, keras_name, learned in (("weight", "gamma", layer["scale"]), ("bias", "beta", layer["center"])):
        if learned:
            setattr(made, name, _parameter(own[keras_name], layer["trainable"]))
        else:
            getattr(made, name).requires_grad_(False)
    return made


_MAKE = {"convolution": _convolution, "fully connected": _dense, "normalization": _normalization}


def _max_pool(layer, inputs):
    x, padding = inputs[0], layer["padding"]
    if any(map(any, padding)):
        x = F.pad(x, [*padding[1], *padding[0]], value=float("-inf"))
    return F.max_pool2d(x, layer["size"], layer["strides"])


_STEPS = {
    "rescaling": lambda layer, inputs: inputs[0] * layer["scale"] + layer["offset"],
    "pad": lambda layer, inputs: F.pad(inputs[0], [*layer["padding"][1], *layer["padding"][0]]),
    "pad channels": lambda layer, inputs: F.pad(inputs[0], [0, 0, 0, 0, *layer["padding"]]),
    "subsample": lambda layer, inputs: inputs[0][:, :, :: layer["strides"][0], :: layer["strides"][1]],
    "activation": lambda layer, inputs: _ACTIVATIONS[layer["activation"]](inputs[0]),
    "max pool": _max_pool,
    "average pool": lambda layer, inputs: F.avg_pool2d(inputs[0], layer["size"], layer["strides"]),
    "global max pool": lambda layer, inputs: torch.amax(inputs[0], (2, 3)),
    "global average pool": lambda layer, inputs: torch.mean(inputs[0], (2, 3)),
    "flatten": lambda layer, inputs: inputs[0].permute(0, 2, 3, 1).reshape(len(inputs[0]), -1),
    "add": lambda layer, inputs: inputs[0] + inputs[1],
}
