"""Kernel initializers of the series, by name (LTFN 3, 5 and 6). Biases start at zero everywhere."""

from typing import Any, Literal, get_args

from seewell.errors import NetworkError, unknown_name

__all__ = ["INITIALIZERS", "Before", "kernel_initializer", "list_initializers"]

Before = Literal["relu", "softmax", "tanh"]

INITIALIZERS: dict[str, str] = {
    "default": "he before ReLU, xavier before softmax or tanh: the rule of LTFN 6",
    "he": "truncated normal, standard deviation sqrt(2 / fan_in) (He et al. 2015)",
    "normal": "normal, standard deviation 1 (LTFN 3 and 5)",
    "small-normal": "normal, standard deviation 0.01 (the second experiment of LTFN 6)",
    "xavier": "uniform, standard deviation sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)",
}
"""The names and what each draws."""


def list_initializers() -> tuple[str, ...]:
    """The names that `kernel_initializer` accepts, sorted.

    Example:
        >>> list_initializers()
        ('default', 'he', 'normal', 'small-normal', 'xavier')
    """
    return tuple(sorted(INITIALIZERS))


def kernel_initializer(name: str, *, before: Before) -> Any:
    """A fresh Keras initializer for the kernel of one layer.

    A Keras initializer draws its seed when it is made and gives the same
    numbers at each call, so two layers must not share one. The seed comes from
    Keras's global state: call `keras.utils.set_random_seed` before.

    ``he`` draws from a normal cut at two standard deviations and widened, so
    that what is left has the standard deviation sqrt(2 / fan_in); for a
    convolution fan_in is kernel height x kernel width x depth in. ``xavier`` is
    the uniform form of Glorot and Bengio (2010), within +-sqrt(6 / (fan_in +
    fan_out)), as TensorFlow 1's ``xavier_initializer`` drew it. ``normal`` and
    ``small-normal`` are not cut.

    Args:
        name: One of `list_initializers`.
        before: The nonlinearity that follows the layer. Only ``default`` asks for it.

    Returns:
        A `keras.initializers.Initializer`.

    Raises:
        ConfigError: There is no such initializer.
        NetworkError: ``before`` is none of "relu", "softmax" and "tanh".

    Example:
        >>> type(kernel_initializer("default", before="relu")).__name__
        'HeNormal'
        >>> type(kernel_initializer("default", before="softmax")).__name__
        'GlorotUniform'
    """
    import keras

    if name not in INITIALIZERS:
        raise unknown_name("initializer", name, INITIALIZERS)
    if before not in get_args(Before):
        raise unknown_name("nonlinearity", before, get_args(Before), error=NetworkError)
    if name == "normal":
        return keras.initializers.RandomNormal(mean=0.0, stddev=1.0)
    if name == "small-normal":
        return keras.initializers.RandomNormal(mean=0.0, stddev=0.01)
    if name == "he" or (name == "default" and before == "relu"):
        return keras.initializers.HeNormal()
    return keras.initializers.GlorotUniform()
