"""Does the network answer in use as it does in training?"""

import math
from collections.abc import Sequence

from seewell.doctor.statistics import ModeFacts
from seewell.findings import Finding

__all__ = ["judge_modes", "judge_still_norms"]

_WORSE = 1.5
"""Cost in inference mode / in training mode (TheDeepChecker). Healthy trainings whose averages had warmed up gave at
most 1.1 (bench/doctor, calibration half)."""
_LOST, _STILL_LOST = 0.2, 0.1
"""Fall of the accuracy; and where averages cannot move (momentum 1), so that any fall is theirs."""
_WARM = 0.1
"""BatchNorm's momentum ** updates above which its averages still hold their start (design.md, section 7)."""


def judge_still_norms(layers: Sequence[str]) -> list[Finding]:
    """BatchNorm whose momentum is 1 normalizes in use by averages that were never made.

    Args:
        layers: Their names.
    """
    if not layers:
        return []
    message = (
        f"The momentum of {layers[0]} is 1: its averages keep their start for ever, so in use it does something else "
        "than in training. 0.9 or 0.99 is usual."
    )
    return [Finding("train-eval-mismatch", "warning", layers[0], message, 1.0, "a momentum below 1", "definition")]


def judge_modes(facts: ModeFacts) -> list[Finding]:
    """Worse in inference than in training mode, beyond what the size of the batch explains."""
    error = math.sqrt(0.25 / max(1, facts.count))
    loss = facts.train_accuracy - facts.inference_accuracy
    never = facts.warm_up >= 1
    worse = not math.isfinite(facts.inference_loss) or facts.inference_loss > _WORSE * facts.train_loss
    worse = worse or (never and facts.inference_loss > facts.train_loss)
    if not worse or loss < (_STILL_LOST + error if never else _LOST + 2 * error):
        return []
    warming = _WARM < facts.warm_up < 1
    why = (
        "BatchNorm's averages still hold part of their start; that mends itself."
        if warming
        else "BatchNorm's averages do not fit what it does in training (batches too small, or momentum too close to 1)."
    )
    message = (
        f"The same images are right {100 * facts.train_accuracy:.0f} % of the time in training mode and "
        f"{100 * facts.inference_accuracy:.0f} % in use. {why}"
    )
    return [
        Finding(
            "train-eval-mismatch",
            "info" if warming else "warning",
            facts.layer,
            message,
            round(loss, 4),
            f"an accuracy within {_LOST:g}, a cost within a factor of {_WORSE:g}",
            "TheDeepChecker (cost 1.5 times); design.md, section 7, for the warm-up",
        )
    ]
