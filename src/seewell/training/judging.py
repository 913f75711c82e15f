"""What the validation images say of the present weights."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewell.data.dataset import ImageDataset
from seewell.runs.evaluation import Evaluation, evaluate

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True)
class Judgement:
    """Of a network on the validation images.

    Attributes:
        loss: Mean cross-entropy; infinite where the network overflows, which is then never the best.
        objective: What decides between equal accuracies: the cost that training minimizes.
        accuracy: Share of right answers.
    """

    loss: float
    objective: float
    accuracy: float


def judge(model: Any, dataset: ImageDataset, smoothing: float) -> Judgement:
    """Look at the validation images.

    Args:
        model: uint8 images in, probabilities out.
        dataset: Only its validation split is read.
        smoothing: The training's label smoothing.
    """
    split = dataset.validation
    found = evaluate(model, split.images, split.labels, dataset.classes, "validation")
    loss = found.loss if math.isfinite(found.loss) else math.inf
    return Judgement(loss, _objective(loss, found, smoothing), found.accuracy)


def _objective(loss: float, found: Evaluation, smoothing: float) -> float:
    """The cost with label smoothing: the plain one would prefer an early, overconfident network."""
    if not smoothing or math.isinf(loss):
        return loss
    spread = -np.log(np.maximum(found.probabilities, 1e-30)).mean(dtype=np.float64)
    return (1 - smoothing) * loss + smoothing * float(spread)
