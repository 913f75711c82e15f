"""Optimizers by name: Keras's own with the series' settings, and Muon."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seewell.errors import unknown_name

__all__ = [
    "DECAYING",
    "LINEAR_IN_GRADIENT",
    "default_learning_rate",
    "default_momentum",
    "list_optimizers",
    "make_optimizer",
]


@dataclass(frozen=True)
class _Settings:
    learning_rate: float
    momentum: float
    weight_decay: float
    precision: str


@dataclass(frozen=True)
class _Kind:
    make: Callable[[_Settings], Any]
    learning_rate: float
    momentum: float | None = None


def _sgd(settings: _Settings) -> Any:
    import keras

    return keras.optimizers.SGD(settings.learning_rate)


def _momentum(settings: _Settings) -> Any:
    return _with_momentum(settings, nesterov=False)


def _nesterov(settings: _Settings) -> Any:
    return _with_momentum(settings, nesterov=True)


def _with_momentum(settings: _Settings, *, nesterov: bool) -> Any:
    from seewell.training.fused_optimizers import Momentum

    if settings.momentum == 0:
        return _sgd(settings)
    return Momentum(settings.learning_rate, momentum=settings.momentum, nesterov=nesterov, name="sgd")


def _muon(settings: _Settings) -> Any:
    from seewell.training.muon import Muon

    products = "bfloat16" if settings.precision == "bfloat16" else "float32"
    return Muon(
        settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay or None,
        products=products,
    )


def _adam(settings: _Settings) -> Any:
    from seewell.training.fused_optimizers import Adam

    return Adam(settings.learning_rate, epsilon=1e-8, name="adam")


def _adamw(settings: _Settings) -> Any:
    from seewell.training.fused_optimizers import AdamW

    return AdamW(settings.learning_rate, weight_decay=settings.weight_decay, epsilon=1e-8, name="adam_w")


def _rmsprop(settings: _Settings) -> Any:
    import keras

    return keras.optimizers.RMSprop(settings.learning_rate)


_OPTIMIZERS: dict[str, _Kind] = {
    "sgd": _Kind(_sgd, 1e-2),
    "momentum": _Kind(_momentum, 1e-2, momentum=0.9),
    "nesterov": _Kind(_nesterov, 1e-2, momentum=0.9),
    "muon": _Kind(_muon, 2e-2, momentum=0.95),  # Jordan et al. 2024
    "adam": _Kind(_adam, 1e-3),  # Kingma & Ba 2015; epsilon as in the paper and in TensorFlow 1
    "adamw": _Kind(_adamw, 1e-3),  # Loshchilov & Hutter 2019
    "rmsprop": _Kind(_rmsprop, 1e-3),  # Hinton 2012; decay 0.9
}

LINEAR_IN_GRADIENT = ("sgd", "momentum", "nesterov", "muon")
"""Optimizers in which a bias's step grows with its gradient, so that biases can have a rate of their own."""

DECAYING = ("adamw", "muon")
"""Optimizers with a decoupled weight decay."""


def list_optimizers() -> tuple[str, ...]:
    """The names of all optimizers."""
    return tuple(_OPTIMIZERS)


def default_learning_rate(name: str) -> float:
    """The rate that the optimizer takes where none is given.

    Raises:
        ConfigError: The name is unknown.
    """
    return _kind(name).learning_rate


def default_momentum(name: str) -> float | None:
    """The momentum that the optimizer takes where none is given; None where it has none to set.

    Raises:
        ConfigError: The name is unknown.
    """
    return _kind(name).momentum


def make_optimizer(
    name: str,
    *,
    learning_rate: float,
    momentum: float | None = None,
    weight_decay: float = 0.0,
    precision: str = "float32",
) -> Any:
    """A fresh Keras optimizer.

    Args:
        name: One of `list_optimizers`.
        learning_rate: The rate of the first update; the loop sets it before each one.
        momentum: Share of its velocity that an update keeps, in [0, 1); None takes the optimizer's own.
        weight_decay: Decoupled decay; used by those in `DECAYING`.
        precision: "float32", "bfloat16" or "float16". With float16 it is wrapped for loss scaling
            (Micikevicius et al. 2018).

    Returns:
        A ``keras.optimizers.Optimizer``.

    Raises:
        ConfigError: The name is unknown.
    """
    kind = _kind(name)
    chosen = momentum if momentum is not None else kind.momentum or 0.0
    optimizer = kind.make(_Settings(learning_rate, chosen, weight_decay, precision))
    if precision != "float16":
        return optimizer
    import keras

    return keras.optimizers.LossScaleOptimizer(optimizer)


def _kind(name: str) -> _Kind:
    if name not in _OPTIMIZERS:
        raise unknown_name("optimizer", name, _OPTIMIZERS)
    return _OPTIMIZERS[name]
