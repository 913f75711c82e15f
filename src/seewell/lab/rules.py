"""The update rules of LTFN 7, written out: plain gradient descent, momentum and Adam, as Keras has them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["RULES", "Adam", "Momentum", "PlainDescent", "Rule", "walk"]

Floats = NDArray[np.float64]
Rule = Callable[[Floats, Floats], Floats]
"""From the weights and the gradient there to the new weights; may remember earlier gradients."""


@dataclass
class PlainDescent:
    """SGD: step against the gradient.

    Attributes:
        learning_rate: Length of the step for a gradient of 1.
    """

    learning_rate: float

    def __call__(self, weights: Floats, gradient: Floats) -> Floats:
        """The weights after one update."""
        return weights - self.learning_rate * gradient


@dataclass
class Momentum:
    """SGD with momentum (Polyak 1964): a velocity gathers the gradients and fades by a factor each update.

    Attributes:
        learning_rate: As for plain descent.
        factor: What is kept of the velocity.
    """

    learning_rate: float
    factor: float = 0.9
    _velocity: Floats | float = field(default=0.0, repr=False)

    def __call__(self, weights: Floats, gradient: Floats) -> Floats:
        """The weights after one update."""
        self._velocity = self.factor * self._velocity - self.learning_rate * gradient
        return weights + self._velocity


@dataclass
class Adam:
    """Adam (Kingma & Ba 2015): momentum, divided by the recent size of each weight's gradient.

    The constant ``epsilon`` is added where Keras adds it, after the correction of
    the bias was moved into the step length ("epsilon hat" in section 2 of the paper).

    Attributes:
        learning_rate: About the length of a step.
        first: What is kept of the mean gradient.
        second: What is kept of the mean squared gradient.
        epsilon: Keeps the division finite.
    """

    learning_rate: float
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-7
    _mean: Floats | float = field(default=0.0, repr=False)
    _square: Floats | float = field(default=0.0, repr=False)
    _updates: int = field(default=0, repr=False)

    def __call__(self, weights: Floats, gradient: Floats) -> Floats:
        """The weights after one update."""
        self._updates += 1
        self._mean = self._mean + (1 - self.first) * (gradient - self._mean)
        self._square = self._square + (1 - self.second) * (gradient * gradient - self._square)
        corrected = np.sqrt(1 - self.second**self._updates) / (1 - self.first**self._updates)
        return weights - self.learning_rate * corrected * self._mean / (np.sqrt(self._square) + self.epsilon)


RULES = ("SGD", "momentum", "Adam")
"""The names in the order of the series."""


def walk(rule: Rule, gradient: Callable[[Floats], Floats], start: Floats, steps: int) -> Floats:
    """The path of the weights under a rule.

    Args:
        rule: A fresh rule; it is used up.
        gradient: The gradient of the cost at given weights, float64 (D,) to (D,).
        start: float64 (D,).
        steps: Number of updates.

    Returns:
        float64 (steps + 1, D), the start first.

    Example:
        >>> walk(PlainDescent(0.5), lambda weights: weights, np.array([8.0]), 3).ravel().tolist()
        [8.0, 4.0, 2.0, 1.0]
    """
    path = np.empty((steps + 1, len(start)))
    path[0] = start
    for step in range(steps):
        path[step + 1] = rule(path[step], gradient(path[step]))
    return path
