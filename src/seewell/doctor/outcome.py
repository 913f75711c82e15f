"""What is measured of a network that was trained: plain values, no TensorFlow, no NumPy."""

from dataclasses import dataclass

__all__ = ["Calibration", "ClassRecall", "Disputed", "ErrorFacts", "NoiseFacts", "ResultFacts"]


@dataclass(frozen=True)
class ErrorFacts:
    """How often the network is wrong; what bias and variance rest on.

    Attributes:
        train_error: Error on training images, in inference mode without augmentation, in [0, 1].
        train_count: On how many; 0 where they could not be looked at.
        validation_error: Error on the validation split.
        validation_count: On how many; 0 where there is none.
        num_classes: K.
        target_error: The error that could be reached at best.
        target_given: Whether the user said so.
        flat: Whether the training cost has stopped falling.
        reported: Whether these are the figures that `fit` reports, not measured on the finished network.
    """

    train_error: float
    train_count: int
    validation_error: float
    validation_count: int
    num_classes: int
    target_error: float = 0.0
    target_given: bool = False
    flat: bool = True
    reported: bool = False


@dataclass(frozen=True)
class Calibration:
    """How far the network's certainty can be believed, on images that it did not learn from.

    Attributes:
        count: Images.
        accuracy: Share of right answers.
        certainty: Mean of the largest probability.
        surplus_low: Lower end of the 99 % interval of certainty − accuracy.
        ece: Expected calibration error over 15 bins of equal width (Guo et al. 2017).
        nll: Mean negative log-likelihood in nats.
        nll_tempered: The same with all logits divided by the temperature that makes it lowest.
        temperature: That temperature; above 1 the network is too sure.
    """

    count: int
    accuracy: float
    certainty: float
    surplus_low: float
    ece: float
    nll: float
    nll_tempered: float
    temperature: float


@dataclass(frozen=True)
class ClassRecall:
    """How well images of one class are recognised.

    Attributes:
        label: The class's number.
        right: Images of it that were recognised.
        count: Images of it.
        low: Lower end of the 95 % Wilson interval of right / count.
        high: Upper end.
        confused_with: The class that is answered most often instead; None where no answer is wrong.
        confused: How often.
        behind: Recall of the other classes together − recall of this one.
        behind_low: Lower end of its interval: 95 % for all classes together (Bonferroni), by Newcombe's method 10.
    """

    label: int
    right: int
    count: int
    low: float
    high: float
    confused_with: int | None
    confused: int
    behind: float
    behind_low: float


@dataclass(frozen=True)
class NoiseFacts:
    """Where the network is surest, how often does the label say something else?

    A network that has learned is right there, however often it errs elsewhere;
    a wrong label does not become rarer with certainty.

    Attributes:
        count: Images in the surest quarter, without those of the answer that is disputed most.
        disputed: Those of them whose label is not the network's answer.
        low: Lower end of the 99 % Wilson interval of disputed / count.
        error: Error on all images.
    """

    count: int
    disputed: int
    low: float
    error: float


@dataclass(frozen=True)
class Disputed:
    """A label that looks wrong.

    Attributes:
        index: The image's place in its split.
        given: The label that it has.
        suggested: The class that the network gives it.
        probability: The network's probability of that class.
    """

    index: int
    given: int
    suggested: int
    probability: float


@dataclass(frozen=True)
class ResultFacts:
    """A trained network's answers, measured.

    Attributes:
        errors: How often it is wrong.
        falling: Share by which the training cost of the last fifth lies below that of the fifth before.
        calibration: On the validation split; None without one.
        classes: Each class that the validation split has images of.
        noise: The surest quarter of the validation split; None where it has too few images.
        disputed: Labels of the validation split that look wrong, the surest first; empty where they were not sought.
        resting: Whether the training cost has come to rest: what is not learned yet will not come by itself.
        updates: Updates that were made; 0 where they were not counted.
        fell: Whether the cost fell at all.
        accuracy: Accuracy in training mode at the end; None where it is not reported.
    """

    errors: ErrorFacts
    falling: float = 0.0
    calibration: Calibration | None = None
    classes: tuple[ClassRecall, ...] = ()
    noise: NoiseFacts | None = None
    disputed: tuple[Disputed, ...] = ()
    resting: bool = True
    updates: int = 0
    fell: bool = False
    accuracy: float | None = None
