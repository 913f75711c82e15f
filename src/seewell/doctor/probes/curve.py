"""The shape of a cost curve, from the running means that `fit` reports."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from seewell.doctor.statistics import CurveFacts

__all__ = ["Record", "curve_facts"]

_BINS = 40
_JUMP, _BEYOND = 1.5, 2.0


@dataclass
class Record:
    """The costs of a training, batch by batch or interval by interval.

    Attributes:
        losses: Mean cost of each interval.
        widths: Updates in it.
        accuracies: Mean accuracy of each interval; empty where it is not reported.
        validation: Validation accuracy of each epoch.
        epochs: Finished epochs.
        starts: Number of intervals before each epoch.
        results: Updates so far, mean accuracy and validation accuracy of each epoch; None where they are not reported.
    """

    losses: list[float] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    epochs: int = 0
    starts: list[int] = field(default_factory=list)
    results: list[tuple[int, float | None, float | None]] = field(default_factory=list)
    _batch: int = 0
    _sums: tuple[float, float] = (0.0, 0.0)

    def start_epoch(self) -> None:
        """The running means begin again."""
        self._batch, self._sums = 0, (0.0, 0.0)
        self.starts.append(len(self.losses))

    def add(self, batches: int, loss: float, accuracy: float | None) -> None:
        """Take in the running means after so many batches of this epoch.

        Example:
            >>> record = Record()
            >>> record.start_epoch(); record.add(1, 4.0, None); record.add(2, 3.0, None)
            >>> record.losses
            [4.0, 2.0]
        """
        width = batches - self._batch
        if width <= 0:
            return
        sums = (loss * batches, (accuracy or 0.0) * batches)
        self.losses.append((sums[0] - self._sums[0]) / width)
        if accuracy is not None:
            self.accuracies.append((sums[1] - self._sums[1]) / width)
        self.widths.append(width)
        self._batch, self._sums = batches, sums

    def append(self, updates: int, loss: float, accuracy: float) -> None:
        """Take in the means of so many updates alone."""
        if updates <= 0:
            return
        self.losses.append(loss)
        self.accuracies.append(accuracy)
        self.widths.append(updates)

    @property
    def updates(self) -> int:
        """Updates so far."""
        return sum(self.widths)


def curve_facts(record: Record, *, classes: int, chance: float | None, family: str = "custom") -> CurveFacts | None:
    """Statistics of the curve, or None where there is none yet.

    Args:
        record: What was reported.
        classes: K.
        chance: ln K where the loss is a cross-entropy.
        family: The loss, as `Structure` calls it.
    """
    if not record.losses:
        return None
    bad = next((index for index, loss in enumerate(record.losses) if not math.isfinite(loss)), None)
    fine = record.losses[:bad]
    first_bad = None if bad is None else sum(record.widths[: bad + 1])
    bins = _bins(fine) if fine else [math.nan]
    tenth, fifth = max(1, len(bins) // 10), max(1, len(bins) // 5)
    before = float(np.mean(bins[-2 * fifth : -fifth] or bins[:1]))
    accuracies = _bins(record.accuracies) if record.accuracies else []
    return CurveFacts(
        updates=record.updates,
        start=float(np.mean(fine[:3])) if fine else math.nan,
        best=min(bins),
        last=float(np.mean(bins[-tenth:])),
        level=float(np.mean(bins[len(bins) // 2 :])),
        jumps=_jumps(fine),
        first_not_finite=first_bad,
        chance=chance,
        accuracy=float(np.mean(accuracies[-tenth:])) if accuracies else None,
        classes=classes,
        epochs=record.epochs,
        falling=1 - float(np.mean(bins[-fifth:])) / before if before > 0 else 0.0,
        validation_accuracy=record.validation[-1] if record.validation else None,
        first=record.losses[0] if record.widths[0] == 1 else None,
        family=family,
        last_error=_standard_error(fine[-max(1, len(fine) * tenth // len(bins)) :]),
    )


def _bins(values: Sequence[float]) -> list[float]:
    """Means of at most 40 stretches, each at least five values long where there are so many."""
    count = max(1, min(_BINS, len(values) // 5))
    return [float(np.mean(part)) for part in np.array_split(np.asarray(values, np.float64), count)]


def _jumps(values: Sequence[float]) -> int:
    """How often the mean of a stretch lies above the one before by half, and by more than the costs scatter.

    Small batches scatter much: of one image, a cost may be ten times the mean.
    """
    if not values:
        return 0
    parts = np.array_split(np.asarray(values, np.float64), max(1, min(_BINS, len(values) // 5)))
    means = [float(part.mean()) for part in parts]
    sizes = [max(abs(mean), 1e-12) for mean in means]
    spread = math.sqrt(float(np.mean([part.var() / size**2 for part, size in zip(parts, sizes, strict=True)])))
    errors = [spread * size / math.sqrt(len(part)) for part, size in zip(parts, sizes, strict=True)]
    return sum(
        means[i] > _JUMP * means[i - 1] and means[i] - means[i - 1] > _BEYOND * math.hypot(errors[i], errors[i - 1])
        for i in range(1, len(means))
    )


def _standard_error(values: Sequence[float]) -> float:
    """Of their mean; 0 where there are too few to say."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
