"""All that was measured of one training, before and during it; what the judgement rests on."""

from dataclasses import dataclass, field

from seewell.doctor.course_statistics import OrderFacts, ReportFacts
from seewell.doctor.image_statistics import AugmentationFacts, DriftFacts
from seewell.doctor.statistics import (
    CurveFacts,
    InputFacts,
    Kind,
    LabelFacts,
    LayerValues,
    LookaheadFacts,
    LossFacts,
    ModeFacts,
    OptimizerFacts,
    OutputFacts,
    SplitFacts,
    Structure,
    WeightChange,
)
from seewell.doctor.update_statistics import HeartFacts, RangeFacts

__all__ = ["CourseFacts", "Facts"]


@dataclass
class Facts:
    """What was measured before training; None and empty where it could not be.

    Attributes:
        structure: The compiled model.
        optimizer: Its optimizer.
        kind: What its outputs are.
        form: How labels are written; None without data.
        images: The numbers that reach the first weights.
        labels: The labels.
        splits: Validation against training.
        drift: The same, beyond mean, spread and classes.
        augmentation: What the network's own random layers do to images.
        answers: The network's answers on a batch.
        loss: How the loss behaves on it.
        values: Each weighted layer on it, in training mode.
        lookaheads: Trial updates; the first with the user's learning rate.
        by_heart: A few images shown again and again.
        range: A learning-rate range test.
        predicted: What weights alone tell of each layer, for inputs of size 1; only where no images were seen.
    """

    structure: Structure
    optimizer: OptimizerFacts
    kind: Kind = "logits"
    form: str | None = None
    images: InputFacts | None = None
    labels: LabelFacts | None = None
    splits: SplitFacts | None = None
    drift: DriftFacts | None = None
    augmentation: AugmentationFacts | None = None
    answers: OutputFacts | None = None
    loss: LossFacts | None = None
    values: tuple[LayerValues, ...] = ()
    lookaheads: list[LookaheadFacts] = field(default_factory=list)
    by_heart: HeartFacts | None = None
    range: RangeFacts | None = None
    predicted: tuple[LayerValues, ...] = ()


@dataclass(frozen=True)
class CourseFacts:
    """What was measured during training.

    Attributes:
        curve: The shape of the cost; None before the first report.
        changes: How far each kernel moved.
        values: Each weighted layer on the kept batch at the last look, in inference mode.
        modes: The kept batch in both modes at the last look.
        not_finite_layer: The first layer whose weights were not finite when the cost stopped being so.
        images_seen: Whether the images were examined.
        growth: How much the weights alone enlarge values, where no images were seen; None where that is not known.
        mean_rate: Mean of a schedule's rates over the updates made / the largest of them; None without a schedule.
        probed: Updates that were made when values and modes were looked at; None where that is not known.
        order: Whether neighbouring batches are alike; None where single batches were not seen.
        report: The accuracies that fit reports; None where there are none.
        scheduled: Whether the learning rate changes from batch to batch.
        orthogonal: Whether the optimizer orthogonalizes its steps (Muon), so that their size is the rate's alone.
    """

    curve: CurveFacts | None
    changes: tuple[WeightChange, ...] = ()
    values: tuple[LayerValues, ...] = ()
    modes: ModeFacts | None = None
    not_finite_layer: str | None = None
    images_seen: bool = True
    growth: float | None = None
    mean_rate: float | None = None
    probed: int | None = None
    order: OrderFacts | None = None
    report: ReportFacts | None = None
    scheduled: bool = False
    orthogonal: bool = False

    @property
    def stale(self) -> bool:
        """Whether more than half of the training went by since values and modes were looked at."""
        return self.probed is not None and self.curve is not None and 2 * self.probed < self.curve.updates
