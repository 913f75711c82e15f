"""A described network as a TensorFlow 1 graph, as the series wrote it: placeholders, variables, `tf.nn`."""

import tensorflow as tf

v1 = tf.compat.v1

_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": tf.nn.relu,
    "gelu": tf.nn.gelu,
    "silu": tf.nn.silu,
    "softmax": tf.nn.softmax,
    "tanh": tf.nn.tanh,
}


class Tf1Network:
    """Variables of a described network in the present graph; call it on a batch.

    Args:
        description: From `speed.description`.
        weights: Its weights, by "layer/variable".
    """

    def __init__(self, description, weights):
        self._layers = description["layers"]
        self._variables = {}
        self.updates = []
        learned = {layer["name"]: layer.get("trainable", True) for layer in self._layers}
        for name, value in weights.items():
            layer, _, variable = name.partition("/")
            trainable = learned[layer] and not variable.startswith("moving_")
            self._variables[name] = v1.get_variable(
                name.replace("/", "_"), initializer=value, trainable=trainable, use_resource=True
            )

    def __call__(self, images, *, training):
        """Logits and probabilities; what BatchNorm's statistics need is then in `updates`."""
        values = {self._layers[0]["name"]: images}
        for layer in self._layers[1:]:
            values[layer["name"]] = self._step(layer, [values[name] for name in layer["inputs"]], training)
        return values["logits"], values[self._layers[-1]["name"]]

    def constrain(self):
        """What is to be done after each update: filters scaled to norm 1, where the network asks for it."""
        kernels = [self._get(layer, "kernel") for layer in self._layers if layer.get("unit_norm")]
        norms = [tf.sqrt(tf.reduce_sum(tf.square(one), axis=(0, 1, 2))) for one in kernels]
        return [v1.assign(one, one / (1e-7 + norm)) for one, norm in zip(kernels, norms, strict=True)]

    def _get(self, layer, name):
        return self._variables[f"{layer['name']}/{name}"]

    def _step(self, layer, inputs, training):
        x, kind = inputs[0], layer["kind"]
        if kind == "convolution":
            return self._finish(layer, tf.nn.conv2d(x, self._get(layer, "kernel"), layer["strides"], _rule(layer)))
        if kind == "fully connected":
            return self._finish(layer, tf.matmul(x, self._get(layer, "kernel")))
        if kind == "normalization":
            return self._normalize(layer, x, training and layer["trainable"])
        return _STEPS[kind](layer, inputs)

    def _finish(self, layer, x):
        if layer["bias"]:
            x = tf.nn.bias_add(x, self._get(layer, "bias"))
        return _ACTIVATIONS[layer["activation"]](x)

    def _normalize(self, layer, x, training):
        channels = x.shape[-1]
        scale = self._get(layer, "gamma") if layer["scale"] else tf.ones(channels)
        offset = self._get(layer, "beta") if layer["center"] else tf.zeros(channels)
        mean, variance = self._get(layer, "moving_mean"), self._get(layer, "moving_variance")
        if not training:
            y, _, _ = v1.nn.fused_batch_norm(x, scale, offset, mean, variance, layer["epsilon"], is_training=False)
            return y
        y, batch_mean, batch_variance = v1.nn.fused_batch_norm(x, scale, offset, epsilon=layer["epsilon"])
        for kept, new in ((mean, batch_mean), (variance, batch_variance)):
            self.updates.append(v1.assign_sub(kept, (kept - new) * (1 - layer["momentum"])))
        return y


def _rule(layer):
    """TensorFlow's own name of the padding; for a pool it also leaves what is padded out of the result."""
    return "SAME" if any(map(any, layer["padding"])) else "VALID"


def _pool(function):
    return lambda layer, inputs: function(inputs[0], layer["size"], layer["strides"], _rule(layer))


_STEPS = {
    "rescaling": lambda layer, inputs: inputs[0] * layer["scale"] + layer["offset"],
    "pad": lambda layer, inputs: tf.pad(inputs[0], [[0, 0], *layer["padding"], [0, 0]]),
    "pad channels": lambda layer, inputs: tf.pad(inputs[0], [[0, 0], [0, 0], [0, 0], layer["padding"]]),
    "subsample": lambda layer, inputs: inputs[0][:, :: layer["strides"][0], :: layer["strides"][1]],
    "activation": lambda layer, inputs: _ACTIVATIONS[layer["activation"]](inputs[0]),
    "max pool": _pool(tf.nn.max_pool2d),
    "average pool": _pool(tf.nn.avg_pool2d),
    "global max pool": lambda layer, inputs: tf.reduce_max(inputs[0], [1, 2]),
    "global average pool": lambda layer, inputs: tf.reduce_mean(inputs[0], [1, 2]),
    "flatten": lambda layer, inputs: tf.reshape(inputs[0], [-1, layer["shape"][0]]),
    "add": lambda layer, inputs: tf.add_n(inputs),
}
