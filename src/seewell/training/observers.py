"""What the loop tells those who watch it; they change nothing."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = ["Observer", "Started", "TakesWarnings", "TrainReport", "ValidationReport"]


@dataclass(frozen=True)
class Started:
    """A training begins or goes on.

    Attributes:
        model: The network under training, uint8 in.
        first_step: Updates made before.
        total_steps: Updates when it is done.
        steps_per_epoch: Updates in a pass over the training split; not always a whole number.
        batch_size: Images in an update.
    """

    model: Any
    first_step: int
    total_steps: int
    steps_per_epoch: float
    batch_size: int


@dataclass(frozen=True)
class TrainReport:
    """The mean of the updates since the last report.

    Attributes:
        step: Updates made so far.
        epoch: Passes over the training split, as a fraction.
        loss: Mean cross-entropy of the batches, each before its update.
        accuracy: Mean accuracy on the batches as they were trained on.
        learning_rate: Of the last update.
        seconds: Since the training began.
        images_per_second: Over these updates alone, without validation and saving.
    """

    step: int
    epoch: float
    loss: float
    accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class ValidationReport:
    """The validation split was looked at.

    Attributes:
        step: Updates made so far.
        epoch: Passes over the training split, as a fraction.
        loss: Mean cross-entropy.
        accuracy: Share of right answers.
        best: Whether it is the best so far.
    """

    step: int
    epoch: float
    loss: float
    accuracy: float
    best: bool


class Observer:
    """Watches a training; what it is told does nothing unless a subclass makes use of it.

    Attributes:
        label: Under this name its seconds are counted.
    """

    label = "progress"

    def on_start(self, started: Started) -> None:
        """Before the first update."""

    def on_progress(self, step: int, loss: float, accuracy: float, images_per_second: float) -> None:
        """After each call of the compiled step, about twice a second."""

    def on_train(self, report: TrainReport) -> None:
        """At each report."""

    def on_validation(self, report: ValidationReport) -> None:
        """After each validation."""

    def on_end(self) -> None:
        """When the training ended, for whatever reason."""


@runtime_checkable
class TakesWarnings(Protocol):
    """An observer that is told what went wrong without ending the training; not every observer needs to be."""

    def on_warning(self, text: str) -> None:
        """A sentence, such as that a checkpoint could not be written."""
