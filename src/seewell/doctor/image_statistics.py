"""What is measured of images against other images; plain values, as in `statistics`."""

from dataclasses import dataclass

__all__ = ["AugmentationFacts", "DriftFacts"]


@dataclass(frozen=True)
class AugmentationFacts:
    """Augmented against plain images, both as the first weights see them.

    Attributes:
        not_finite: Share of augmented images with NaN or infinity.
        flat: Share of images that became nearly one colour, beyond those that are so anyway.
        change: Mean absolute change / deviation of the plain images.
        outside: Share of values that lie half the plain range or more outside it.
        lost: Share of plain values that lie outside the range of all augmented ones: they are cut off.
        mean_shift: Difference of the means, in plain deviations.
        scale_ratio: Deviation augmented / plain.
        recognized: Share of images whose nearest plain image, their own original among them, has their class.
        chance: What guessing the commonest label gives.
        count: Images compared.
    """

    not_finite: float
    flat: float
    change: float
    outside: float
    lost: float
    mean_shift: float
    scale_ratio: float
    recognized: float
    chance: float
    count: int


@dataclass(frozen=True)
class DriftFacts:
    """Validation images against training images, beyond their mean and spread.

    Attributes:
        near_copies: Share of validation images that are training images brightened, flipped, shifted or saved again.
        near_count: Validation images that this rests on; 0 where it was not asked.
        swapped: Whether red and blue stand the other way round.
        inverted: Whether light and dark do.
        sharpness: Difference of neighbouring pixels, validation / training; None where it cannot be told.
        outside: Share of the values of one split that lie outside the range of the other.
        flat_train: Share of training images that are nearly one colour.
        flat_validation: The same of validation images.
        plain: Whether training images are as they are, not augmented by a pipeline.
        count: Images looked at in the smaller split.
    """

    near_copies: float
    near_count: int
    swapped: bool
    inverted: bool
    sharpness: float | None
    outside: float
    flat_train: float
    flat_validation: float
    plain: bool
    count: int
