"""Optimizers by name: Keras's own, with the series' settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seewell.errors import unknown_name

__all__ = ["default_learning_rate", "list_optimizers", "make_optimizer"]


@dataclass(frozen=True)
class _Kind:
    make: Callable[[float, float], Any]
    learning_rate: float


def _sgd(learning_rate: float, decay: float) -> Any:
    import keras

    return keras.optimizers.SGD(learning_rate)


def _momentum(learning_rate: float, decay: float) -> Any:
    import keras

    return keras.optimizers.SGD(learning_rate, momentum=0.9)


def _nesterov(learning_rate: float, decay: float) -> Any:
    import keras

    return keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True)


def _adam(learning_rate: float, decay: float) -> Any:
    import keras

    return keras.optimizers.Adam(learning_rate, epsilon=1e-8)


def _adamw(learning_rate: float, decay: float) -> Any:
    import keras

    return keras.optimizers.AdamW(learning_rate, weight_decay=decay, epsilon=1e-8)


def _rmsprop(learning_rate: float, decay: float) -> Any:
    import keras

    return keras.optimizers.RMSprop(learning_rate)


_OPTIMIZERS: dict[str, _Kind] = {
    "sgd": _Kind(_sgd, 1e-2),
    "momentum": _Kind(_momentum, 1e-2),
    "nesterov": _Kind(_nesterov, 1e-2),
    "adam": _Kind(_adam, 1e-3),  # Kingma & Ba 2015; epsilon as in the paper and in TensorFlow 1
    "adamw": _Kind(_adamw, 1e-3),  # Loshchilov & Hutter 2019
    "rmsprop": _Kind(_rmsprop, 1e-3),  # Hinton 2012; decay 0.9
}


def list_optimizers() -> tuple[str, ...]:
    """The names of all optimizers."""
    return tuple(_OPTIMIZERS)


def default_learning_rate(name: str) -> float:
    """The rate that the optimizer takes where none is given.

    Raises:
        ConfigError: The name is unknown.
    """
    return _kind(name).learning_rate


def make_optimizer(name: str, *, learning_rate: float, weight_decay: float = 0.0, scaled: bool = False) -> Any:
    """A fresh Keras optimizer.

    Args:
        name: One of `list_optimizers`.
        learning_rate: The rate of the first update; the loop sets it before each one.
        weight_decay: Decoupled decay; used by "adamw".
        scaled: Wrap it for loss scaling, as float16 needs (Micikevicius et al. 2018).

    Returns:
        A ``keras.optimizers.Optimizer``.

    Raises:
        ConfigError: The name is unknown.
    """
    optimizer = _kind(name).make(learning_rate, weight_decay)
    if not scaled:
        return optimizer
    import keras

    return keras.optimizers.LossScaleOptimizer(optimizer)


def _kind(name: str) -> _Kind:
    if name not in _OPTIMIZERS:
        raise unknown_name("optimizer", name, _OPTIMIZERS)
    return _OPTIMIZERS[name]
