"""What is measured from the figures that `fit` itself reports; plain values, as in `statistics`."""

from dataclasses import dataclass

__all__ = ["OrderFacts", "ReportFacts"]


@dataclass(frozen=True)
class OrderFacts:
    """Whether neighbouring batches are alike, from the cost and accuracy of each batch.

    Attributes:
        rhythm: Correlation of each batch's cost (or accuracy) with the next one's, what falls steadily taken out; 0
            where batches are shuffled.
        batches: Batches that this rests on.
        epochs: Passes over the data in which they were seen.
        repeats: Correlation of a pass with the one before, batch by batch; None for a single pass.
        jumps: Times that the cost doubled from one batch to the next, to more than guessing costs.
        peaks: Times that the cost swung above its level, in the pass with the fewest.
    """

    rhythm: float
    batches: int
    epochs: int
    repeats: float | None
    jumps: int
    peaks: int


@dataclass(frozen=True)
class ReportFacts:
    """The accuracies of the epochs that were validated, oldest first.

    Attributes:
        accuracies: Mean over an epoch's batches, in training mode.
        validation: On the validation split behind each of these epochs.
        train_count: At least so many training images.
        validation_count: At least so many validation images.
        plain: Whether training mode is no harder than use: no dropout and no augmentation in the network.
        layer: A BatchNorm layer's name, or None where there is none. Epochs in which its averages were still warming
            up are left out.
        averaged: Whether the optimizer keeps moving averages of the weights, which may be what was validated.
    """

    accuracies: tuple[float, ...]
    validation: tuple[float | None, ...]
    train_count: int
    validation_count: int
    plain: bool = True
    layer: str | None = None
    averaged: bool = False
