"""What is measured by longer trial updates on copies; plain values, as in `statistics`."""

from dataclasses import dataclass

__all__ = ["HeartFacts", "RangeFacts"]


@dataclass(frozen=True)
class HeartFacts:
    """A few images, shown again and again.

    Attributes:
        reached: Mean cross-entropy over the last quarter of the updates, with the best of the rates that were tried.
        chance: What knowing only how often each class occurs among these images gives.
        images: How many images.
        updates: Updates with each rate.
        rates: The learning rates that were tried, with Adam.
    """

    reached: float
    chance: float
    images: int
    updates: int
    rates: tuple[float, ...]


@dataclass(frozen=True)
class RangeFacts:
    """A learning-rate range test (Smith 2017): a little more at each update.

    Attributes:
        rates: The learning rates, rising.
        losses: The cross-entropy before the update with each.
        suggested: A rate at which the cost falls well before it rises; None where it never falls.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggested: float | None
