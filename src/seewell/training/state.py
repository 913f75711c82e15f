"""What changes from update to update besides the weights."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

__all__ = ["SETTINGS", "Speed", "State"]

SETTINGS = "settings"
"""Under this name, a checkpoint's state says what it was trained with."""


@dataclass
class State:
    """Position, best so far and sums since the last report; the checkpoint's ``state.json``.

    ``best_step``, ``best_accuracy`` and ``best_loss`` are those of the best
    checkpoint that is kept; ``peak_accuracy`` and ``peak_loss``, of which
    patience is the measure, stay where that checkpoint is lost.
    """

    step: int = 0
    seconds: float = 0.0
    best_step: int = 0
    best_accuracy: float = -1.0
    best_loss: float = math.inf
    peak_accuracy: float = -1.0
    peak_loss: float = math.inf
    since_best: int = 0
    history_lines: int = 0
    sum_loss: float = 0.0
    sum_accuracy: float = 0.0
    sum_steps: int = 0
    checkpoint_step: int = -1

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        values = asdict(self)
        for name in ("best_loss", "peak_loss"):
            values[name] = None if math.isinf(values[name]) else values[name]
        return values

    @property
    def ever_finite(self) -> bool:
        """Whether the cost on the validation images was finite at least once; a ``best_step`` of 0 was lost then."""
        return math.isfinite(self.peak_loss)

    def count_patience(self, accuracy: float, loss: float) -> None:
        """Take in a validation, whose cost may be infinite: ``since_best`` are those since the best of all."""
        if math.isfinite(loss) and (accuracy, -loss) > (self.peak_accuracy, -self.peak_loss):
            self.peak_accuracy, self.peak_loss, self.since_best = accuracy, loss, 0
        else:
            self.since_best += 1

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "State":
        """From a checkpoint's ``state.json``; what it does not say is as at the beginning."""
        names = {one.name for one in fields(State)}
        state = State(**{name: value for name, value in values.items() if name in names})
        state.best_loss = math.inf if state.best_loss is None else state.best_loss
        state.peak_loss = math.inf if state.peak_loss is None else state.peak_loss
        if "peak_accuracy" not in values:
            state.peak_accuracy, state.peak_loss = state.best_accuracy, state.best_loss
        return state


@dataclass
class Speed:
    """Time and images of the updates, the tracing call left out."""

    seconds: float = 0.0
    images: int = 0
    window_seconds: float = 0.0
    window_images: int = 0
    traced: bool = field(default=False)

    def add(self, seconds: float, images: int) -> None:
        """Take in a call of the compiled step."""
        if self.traced:
            self.seconds += seconds
            self.images += images
        self.traced = True
        self.window_seconds += seconds
        self.window_images += images

    def window(self) -> float:
        """Images a second since this was last asked."""
        rate = self.window_images / max(self.window_seconds, 1e-9)
        self.window_seconds, self.window_images = 0.0, 0
        return rate

    def mean(self) -> float:
        """Images a second over all calls but the tracing one."""
        return self.images / self.seconds if self.images else self.window_images / max(self.window_seconds, 1e-9)
