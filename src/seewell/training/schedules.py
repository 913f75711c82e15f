"""Learning-rate schedules: pure functions of the update's number, each with a warm-up.

The rates of a stretch of updates are computed here and handed to the compiled
step, so a schedule needs neither a graph nor any state.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seewell.errors import ConfigError, unknown_name

__all__ = ["list_schedules", "rates"]


def _constant(progress: float) -> float:
    return 1.0


def _linear(progress: float) -> float:
    return 1 - progress


def _cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _one_cycle(progress: float) -> float:
    peak, first, last = 0.25, 0.1, 0.001
    if progress < peak:
        return first + (1 - first) * progress / peak
    return 1 + (last - 1) * (progress - peak) / (1 - peak)


def _steps(progress: float) -> float:
    return 0.1 ** ((progress >= 0.5) + (progress >= 0.75))


_SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": _constant,
    "linear": _linear,
    # Loshchilov & Hutter 2017, without restarts.
    "cosine": _cosine,
    # Smith 2018, with straight lines: up from a tenth over the first quarter, down to a thousandth.
    "one-cycle": _one_cycle,
    # He et al. 2015: a tenth at half and again at three quarters of the updates.
    "steps": _steps,
}


def list_schedules() -> tuple[str, ...]:
    """The names of all schedules."""
    return tuple(_SCHEDULES)


def rates(name: str, *, learning_rate: float, warmup: float, total: int, first: int, count: int) -> NDArray[np.float32]:
    """The learning rates of a stretch of updates.

    Args:
        name: "constant", "linear", "cosine", "one-cycle" or "steps".
        learning_rate: The highest rate.
        warmup: Fraction of ``total`` over which the rate first rises in a straight line from 0 to where the
            schedule begins; the schedule proper runs over the rest.
        total: Updates in the whole training.
        first: Number of the first update wanted, from 0.
        count: How many.

    Returns:
        float32 (count,).

    Raises:
        ConfigError: The name is unknown, or ``first`` is below 0.

    Example:
        >>> rates("cosine", learning_rate=1.0, warmup=0.0, total=4, first=0, count=5).round(2).tolist()
        [1.0, 0.8500000238418579, 0.5, 0.15000000596046448, 0.0]
    """
    if name not in _SCHEDULES:
        raise unknown_name("schedule", name, _SCHEDULES)
    if first < 0:
        raise ConfigError(f"the schedule has no rate for the update {first}.", expected="updates from 0 on")
    rise = warmup * total
    values = []
    for step in range(first, first + count):
        if step < rise:
            values.append(_SCHEDULES[name](0.0) * (step + 1) / (rise + 1))
        else:
            values.append(_SCHEDULES[name](min(1.0, (step - rise) / max(1.0, total - rise))))
    return (learning_rate * np.array(values)).astype(np.float32)
