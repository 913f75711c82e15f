"""Those who watch a training, told one after the other; what each takes is counted."""

import warnings
from collections.abc import Callable, Sequence

from seewell.training.observers import Observer, Started, TakesWarnings, TrainReport, ValidationReport
from seewell.training.stopwatch import Stopwatch

__all__ = ["Audience"]


class Audience:
    """Tells all observers.

    Args:
        observers: Who is told, in this order.
        clock: Counts their seconds, by their ``label``.

    Attributes:
        warnings: What they were warned of.
    """

    def __init__(self, observers: Sequence[Observer], clock: Stopwatch) -> None:
        self._observers, self._clock = observers, clock
        self.warnings: list[str] = []

    def start(self, started: Started) -> None:
        """Before the first update."""
        self._each(lambda one: one.on_start(started))

    def progress(self, step: int, loss: float, accuracy: float, images_per_second: float) -> None:
        """After a call of the compiled step."""
        self._each(lambda one: one.on_progress(step, loss, accuracy, images_per_second))

    def report(self, report: TrainReport) -> None:
        """At a report."""
        self._each(lambda one: one.on_train(report))

    def validation(self, report: ValidationReport) -> None:
        """After a validation."""
        self._each(lambda one: one.on_validation(report))

    def end(self) -> None:
        """The training ended, for whatever reason."""
        self._each(lambda one: one.on_end())

    def warn(self, text: str) -> None:
        """Pass on a sentence; where nobody takes warnings, Python's own way is taken."""
        self.warnings.append(text)
        told = [observer for observer in self._observers if isinstance(observer, TakesWarnings)]
        for observer in told:
            observer.on_warning(text)
        if not told:
            warnings.warn(text, RuntimeWarning, stacklevel=2)

    def _each(self, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            with self._clock.section(getattr(observer, "label", Observer.label)):
                tell(observer)
