"""Muon: momentum whose matrices are orthogonalized before they become steps (Jordan et al. 2024)."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

__all__ = ["Muon", "orthogonalize"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_TINY = 1e-7


def orthogonalize(matrix: Any, *, products: str = "float32") -> Any:
    """The nearest matrix with orthonormal rows or columns, nearly, by five Newton-Schulz iterations.

    The matrix is divided by its Frobenius norm, and then X becomes
    a X + (b G + c G²) X with G = X Xᵀ (or the same from the right, where that
    is smaller) and a, b, c = 3.4445, −4.7750, 2.0315. On each singular value s
    that is s ← a s + b s³ + c s⁵, which brings what lies above 0.0016 to between
    0.68 and 1.21 and leaves the singular vectors as they are: the coefficients
    are chosen for speed, not for ending at exactly 1 (Jordan et al. 2024,
    "Muon: an optimizer for hidden layers in neural networks").

    Args:
        matrix: float32 (M, N). Its size does not matter, zeros stay zeros.
        products: Number format of the matrix products, "float32" or "bfloat16".

    Returns:
        float32 (M, N).

    Example:
        >>> found = orthogonalize(tf.constant([[3.0, 0.0], [0.0, 4.0]]))
        >>> bool(tf.reduce_all(tf.abs(tf.linalg.svd(found, compute_uv=False) - 1) < 0.35))
        True
    """
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] >= matrix.shape[1]
    x = tf.cast(matrix / (tf.norm(matrix) + _TINY), products)
    for _ in range(_ITERATIONS):
        gram = tf.matmul(x, x, transpose_a=tall, transpose_b=not tall)
        change = b * gram + c * tf.matmul(gram, gram)
        x = a * x + (tf.matmul(x, change) if tall else tf.matmul(change, x))
    return tf.cast(x, tf.float32)


@keras.saving.register_keras_serializable(package="seewell")
class Muon(keras.optimizers.Optimizer):
    """Muon for the kernels between input and last layer, Nesterov momentum for everything else.

    A kernel of two or more dimensions is seen as a matrix (all that goes in, by
    units or filters). Its momentum is orthogonalized, so every direction moves
    alike; the step is the learning rate times max(1, out / in)^½ times that
    matrix. Biases, BatchNorm's vectors and excluded layers take Nesterov steps
    at the same learning rate. Both keep one buffer, B ← momentum · B + gradient,
    and step along gradient + momentum · B. Keras 3.15's own Muon does not
    orthogonalize the kernels of convolutions.

    Args:
        learning_rate: Of the orthogonalized kernels, and of the rest.
        momentum: In [0, 1).
        weight_decay: Decoupled: kernels lose this fraction of themselves per unit of learning rate.
        exclude: Names of layers whose kernels take Nesterov steps; the last layer should be among them.
        products: Number format of the matrix products, "float32" or "bfloat16".
        name: Of the optimizer.

    Example:
        >>> optimizer = Muon(0.02, momentum=0.95)
        >>> kernel = keras.Variable([[1.0, 0.0], [0.0, 1.0]], name="kernel")
        >>> optimizer.apply([tf.constant([[1e-6, 0.0], [0.0, 1e-6]])], [kernel])
        >>> bool(0.02 * 0.7 < 1 - float(kernel[0, 0]) < 0.02 * 1.2)  # however small the gradient
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.02,
        *,
        momentum: float = 0.95,
        weight_decay: float | None = None,
        exclude: Sequence[str] = ("logits",),
        products: str = "float32",
        name: str = "muon",
    ) -> None:
        super().__init__(learning_rate=learning_rate, weight_decay=weight_decay, name=name)
        self.momentum = momentum
        self.exclude = tuple(exclude)
        self.products = products

    def build(self, variables: Sequence[Any]) -> None:
        """Make a momentum buffer for each variable and settle which are orthogonalized."""
        if self.built:
            return
        vectors = [variable for variable in variables if len(variable.shape) < 2]
        self.exclude_from_weight_decay(var_list=vectors)
        super().build(variables)
        self._buffers = self.add_optimizer_variables(variables, "momentum")
        self._orthogonal = [self._is_hidden_kernel(variable) for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        place = self._get_variable_index(variable)
        buffer = self._buffers[place]
        gradient = tf.cast(gradient, variable.dtype)
        mixed = self.momentum * tf.convert_to_tensor(buffer) + gradient
        self.assign(buffer, mixed)
        direction = gradient + self.momentum * mixed
        if self._orthogonal[place]:
            shape = variable.shape
            inputs, outputs = math.prod(shape[:-1]), shape[-1]
            matrix = orthogonalize(tf.reshape(direction, (inputs, outputs)), products=self.products)
            direction = tf.reshape(matrix, shape) * math.sqrt(max(1.0, outputs / inputs))
        self.assign_sub(variable, tf.cast(learning_rate, variable.dtype) * direction)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` makes it from again."""
        base = super().get_config()
        kept = {name: base[name] for name in ("name", "learning_rate", "weight_decay")}
        return {**kept, "momentum": self.momentum, "exclude": list(self.exclude), "products": self.products}

    def _is_hidden_kernel(self, variable: Any) -> bool:
        excluded = not set(self.exclude).isdisjoint(variable.path.split("/"))
        return len(variable.shape) >= 2 and variable.name != "bias" and not excluded
