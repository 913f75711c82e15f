"""What the probes measure and the rules judge: plain values, no TensorFlow."""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CurveFacts",
    "HiddenLayer",
    "InputFacts",
    "Kind",
    "LabelFacts",
    "LayerValues",
    "LookaheadFacts",
    "LossFacts",
    "ModeFacts",
    "OptimizerFacts",
    "OutputFacts",
    "SplitFacts",
    "Structure",
    "WeightChange",
]

Kind = Literal["probabilities", "logits", "binary-probability", "binary-logit", "scores"]
"""What a network's outputs are."""


@dataclass(frozen=True)
class HiddenLayer:
    """A weighted layer that is not the last.

    Attributes:
        name: The layer's name.
        kind: "dense", "conv" or "depthwise".
        activation: Its nonlinearity's name; "linear" where the next weighted layer follows without
            one; "unknown" where it cannot be told.
        pointwise: A 1 × 1 convolution.
        residual: It ends in an addition, so a zero start is a choice, not a fault.
        pooled: A max pooling stands before the next weighted layer, itself a nonlinearity.
        gate: Its activation only weighs other values: what comes out goes into a product and nowhere else.
        trainable: Whether training may change its kernel.
    """

    name: str
    kind: str
    activation: str
    pointwise: bool = False
    residual: bool = False
    pooled: bool = False
    gate: bool = False
    trainable: bool = True


@dataclass(frozen=True)
class Structure:
    """What the compiled model is, as far as it can be read.

    Attributes:
        outputs: Numbers an image gets.
        last_activation: "softmax", "sigmoid", "linear", "relu", …, or "unknown".
        last_layer: Name of the layer that ends the network.
        softmax_axis_wrong: The last softmax does not run over the classes.
        doubled: Whether two softmax or sigmoid stand one after the other.
        loss: "sparse", "categorical", "binary", "regression", "hinge" or "custom".
        loss_name: As the user wrote it.
        from_logits: Whether the loss applies softmax or sigmoid itself; None where it has no such choice.
        hidden: The hidden weighted layers in order; empty where the layers cannot be read.
        readable: Whether the layers' connections can be read.
        trainable: Weights that training may change.
        dropouts: Name and rate of each dropout.
        constant_layers: Hidden weighted layers whose kernel is one single value.
        penalized: Whether any layer adds to the loss.
        bottlenecks: Hidden layers through which a single number passes.
        still_norms: BatchNorm layers under training whose averages can never move (momentum 1).
        first_frozen: Whether training leaves the first weighted layer as it is.
        batch_norm: Whether a BatchNorm is trained, which in training mode normalizes by the batch.
    """

    outputs: int
    last_activation: str
    last_layer: str
    softmax_axis_wrong: bool
    doubled: bool
    loss: str
    loss_name: str
    from_logits: bool | None
    hidden: tuple[HiddenLayer, ...]
    readable: bool
    trainable: int
    dropouts: tuple[tuple[str, float], ...] = ()
    constant_layers: tuple[str, ...] = ()
    penalized: bool = False
    bottlenecks: tuple[str, ...] = ()
    still_norms: tuple[str, ...] = ()
    first_frozen: bool = False
    batch_norm: bool = False


@dataclass(frozen=True)
class OptimizerFacts:
    """The optimizer's settings.

    Attributes:
        name: Class name.
        learning_rate: Of the first update, or the largest of a schedule's first 1,000.
        scheduled: Whether a schedule sets it.
        adaptive: Whether a gradient's size cancels out (Adam and its kin).
        momentum: Of SGD or RMSprop; 0 otherwise.
        beta_1: Adam's decay of the mean; 0 where there is none.
        beta_2: Adam's decay of the square, RMSprop's rho; 0 where there is none.
        epsilon: Added to the root of the mean square; 0 where there is none.
        weight_decay: Decoupled decay; 0 where there is none.
        clip: The smallest of clipnorm, global_clipnorm and clipvalue, or None.
    """

    name: str
    learning_rate: float
    scheduled: bool
    adaptive: bool
    momentum: float = 0.0
    beta_1: float = 0.0
    beta_2: float = 0.0
    epsilon: float = 0.0
    weight_decay: float = 0.0
    clip: float | None = None


@dataclass(frozen=True)
class InputFacts:
    """The numbers of a sample of images, as they are given and as the first weights see them.

    Attributes:
        not_finite: Share of images with NaN or infinity.
        low: Smallest value at the first weights (at the input where that cannot be read).
        high: Largest.
        mean: Mean.
        deviation: Standard deviation.
        given_low: Smallest value as given.
        given_high: Largest value as given.
        normalized: Whether a normalization undoes the scale, at the input or right behind the first weights.
        judged: Whether the values at the first weights could be read.
        same: Whether all images are equal.
        flat_channels: Channels that hold one value in all images; empty where there is one channel only.
    """

    not_finite: float
    low: float
    high: float
    mean: float
    deviation: float
    given_low: float
    given_high: float
    normalized: bool
    judged: bool
    same: bool = False
    flat_channels: tuple[int, ...] = ()


@dataclass(frozen=True)
class LabelFacts:
    """Labels as class numbers.

    Attributes:
        counts: Images a class, by class number, up to the largest.
        negative: Labels below zero.
        form: "sparse", "one-hot", "soft" or "binary".
        complete: Whether all labels were read, not a sample.
        sorted_share: Neighbours with the same label, above what chance gives: 0 shuffled, 1 sorted.
        shuffled_by_fit: Whether the data are arrays, which `fit` shuffles unless told not to.
        neighbour_accuracy: Share of images whose nearest other image (or a linear rule) has their label.
        neighbour_chance: What guessing the commonest label gives.
        neighbour_count: Images that this rests on; 0 where it was not measured.
    """

    counts: tuple[int, ...]
    negative: int
    form: str
    complete: bool
    sorted_share: float
    shuffled_by_fit: bool
    neighbour_accuracy: float = 0.0
    neighbour_chance: float = 0.0
    neighbour_count: int = 0


@dataclass(frozen=True)
class SplitFacts:
    """Validation against training images.

    Attributes:
        copies: Share of validation images that are also training images.
        mean_shift: Difference of the means, in training standard deviations.
        scale_ratio: Validation deviation / training deviation.
        label_distance: Half the summed difference of the class shares, from 0 to 1.
        label_noise: What chance alone gives for that distance, at such counts.
        missing: Classes of the training labels that validation has none of.
        unknown: Classes of the validation labels that training has none of.
        count: Validation images read.
        unknown_expected: Images that the commonest unknown class would have among the training labels read, did they
            have its share in validation.
    """

    copies: float
    mean_shift: float
    scale_ratio: float
    label_distance: float
    label_noise: float
    missing: tuple[int, ...]
    unknown: tuple[int, ...]
    count: int
    unknown_expected: float = 0.0


@dataclass(frozen=True)
class OutputFacts:
    """The network's answers on a batch.

    Attributes:
        finite: Whether all are finite.
        probabilities: Whether each row is non-negative and sums to 1.
        unit_range: Whether all lie in [0, 1].
        logit_deviation: Standard deviation of the logits; None where only probabilities can be read.
        certainty: Mean of the largest probability (after softmax or sigmoid).
        depends: Spread of an image's answer over images, relative to the spread over everything; 0: the same for all.
        entropy: Mean entropy of the probabilities / ln K.
        collapsed: Share of images with the commonest predicted class.
    """

    finite: bool
    probabilities: bool
    unit_range: bool
    logit_deviation: float | None
    certainty: float
    depends: float
    entropy: float
    collapsed: float


@dataclass(frozen=True)
class LossFacts:
    """How the user's loss behaves on a batch, and the cross-entropy that goes with it.

    Attributes:
        value: The user's loss.
        cross_entropy: Of the network's probabilities, in nats.
        chance: ln K.
        batch_ratio: Loss of the batch given twice / loss of the batch: 1 averaged, 2 summed.
        agreement: Cosine between the slopes of the user's loss and of the cross-entropy, both with respect
            to the outputs; None where one of them is zero.
        penalty: What layers add to the loss.
    """

    value: float
    cross_entropy: float
    chance: float
    batch_ratio: float | None
    agreement: float | None
    penalty: float


@dataclass(frozen=True)
class LayerValues:
    """A weighted layer on a batch.

    Attributes:
        name: The layer's name.
        activation: What follows it, as in `HiddenLayer`.
        deviation: Standard deviation of its pre-activations.
        largest: Largest absolute pre-activation.
        finite: Whether all are finite.
        silent: Share of units (channels) that give zero on every image; None where no ReLU follows directly.
        saturated: Share of values beyond the bend of a sigmoid or tanh; None where there is neither, or it is a gate.
        gradient: Root mean square of the kernel's gradient; None where it was not asked for, or the layer is frozen.
        weight: Root mean square of the kernel.
        penalty: Root mean square of the gradient of the kernel's regularizer.
        fading: Slope of that regularizer at half the kernel / at the kernel: 0.5 for L2, 1 for L1.
        depends: Spread of an image's values over images / over everything; None where no images were run.
        gain: Deviation of the kernel times the root of its fan-in: what the layer multiplies values by.
        last: Whether it is the layer that gives the logits.
        residual: Whether it is added to other values before the next weights, where it may begin as zero.
        trainable: Whether training may change its kernel.
    """

    name: str
    activation: str
    deviation: float
    largest: float
    finite: bool
    silent: float | None
    saturated: float | None
    gradient: float | None
    weight: float
    gain: float
    penalty: float = 0.0
    last: bool = False
    residual: bool = False
    trainable: bool = True
    fading: float = 0.5
    depends: float | None = None


@dataclass(frozen=True)
class LookaheadFacts:
    """A few updates on a copy of the weights, with a copy of the optimizer.

    Attributes:
        scale: Factor on the user's learning rate.
        losses: The cost of the fixed batch before the first update and after each.
        ratios: Root mean square of each layer's first update / of its weights, by layer name.
    """

    scale: float
    losses: tuple[float, ...]
    ratios: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class ModeFacts:
    """The same batch, judged in training and in inference mode.

    Attributes:
        train_loss: Cross-entropy in training mode.
        inference_loss: Cross-entropy in inference mode.
        train_accuracy: Accuracy in training mode.
        inference_accuracy: Accuracy in inference mode.
        warm_up: BatchNorm's largest momentum ** updates: the share of its start still in its averages.
        layer: A BatchNorm layer's name, or None where there is none.
        count: Images.
    """

    train_loss: float
    inference_loss: float
    train_accuracy: float
    inference_accuracy: float
    warm_up: float
    layer: str | None
    count: int


@dataclass(frozen=True)
class WeightChange:
    """How weights changed.

    Attributes:
        layer: Whose kernel.
        first: Root mean square of the first update / of the weights before it.
        largest: The largest such ratio that was seen.
        total: Root mean square of the whole change since the start / of the weights at the start.
        growth: Root mean square of the weights now / at the start.
        finite: Whether all weights are finite.
        late: The largest ratio from the tenth update on; 0 where none was measured.
    """

    layer: str
    first: float
    largest: float
    total: float
    growth: float
    finite: bool
    late: float = 0.0


@dataclass(frozen=True)
class CurveFacts:
    """The cost over a training, from the running means that `fit` reports.

    Attributes:
        updates: Updates made.
        start: Mean cost of the first few.
        best: Lowest smoothed cost.
        last: Mean cost of the last tenth.
        level: Mean cost of the last half.
        jumps: Times that the smoothed cost rose by half or more.
        first_not_finite: The update (of the reported interval) where the cost stopped being finite, or None.
        chance: ln K where the loss is a cross-entropy, else None.
        accuracy: Mean accuracy of the last tenth, None where it is not reported.
        classes: K.
        epochs: Passes over the data.
        falling: Share by which the last fifth lies below the fifth before.
        validation_accuracy: The last one reported.
        last_error: Standard error of ``last``, from how much the reported costs scatter.
        first: Cost of the very first batch, before any update; None where it was not reported alone.
        family: The loss: see `Structure`.
    """

    updates: int
    start: float
    best: float
    last: float
    level: float
    jumps: int
    first_not_finite: int | None
    chance: float | None
    accuracy: float | None
    classes: int
    epochs: int
    falling: float
    validation_accuracy: float | None = None
    last_error: float = 0.0
    first: float | None = None
    family: str = "custom"
