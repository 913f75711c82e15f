"""Does the loss point the right way, and is it averaged over the batch?"""

from seewell.doctor.statistics import LossFacts, OptimizerFacts
from seewell.findings import Finding

__all__ = ["judge_loss"]

_AGAINST = -0.3
"""Cosine between the slopes of the loss and of the cross-entropy: -1 where the sign is flipped, 0.84 and more for
Keras's cross-entropies on 32 healthy starts."""
_SUMMED = 1.5
"""Loss of a batch given twice / loss of the batch: 1 averaged, 2 summed."""


def judge_loss(facts: LossFacts | None, optimizer: OptimizerFacts, *, own: bool, short: bool) -> list[Finding]:
    """Sign and reduction.

    Args:
        facts: How the loss behaves; None where it could not be asked.
        optimizer: Its settings: a negative learning rate climbs, too.
        own: Whether the loss is the user's own code; Keras's losses are known to point the right way.
        short: Whether a few updates were tried, lower the cost, and are short: then the sum does no harm.
    """
    found = []
    against = facts is not None and own and facts.agreement is not None and facts.agreement < _AGAINST
    if against or optimizer.learning_rate < 0:
        message = (
            "A step that lowers this loss makes the right class less likely: its sign is flipped."
            if against
            else "The learning rate is negative, so each step climbs instead of descending."
        )
        measured = facts.agreement if against and facts is not None else optimizer.learning_rate
        found.append(
            Finding(
                "loss-sign-flipped",
                "critical",
                None,
                message,
                None if measured is None else round(measured, 4),
                "a slope that agrees with that of the cross-entropy",
                "cosine of the two slopes with respect to the outputs: -1 is the opposite",
            )
        )
    if facts is not None and facts.batch_ratio is not None and facts.batch_ratio > _SUMMED:
        found.append(
            Finding(
                "loss-not-averaged",
                "info" if optimizer.adaptive or short else "warning",
                None,
                "The loss is summed over the batch: a batch of 100 takes steps a hundred times as long.",
                round(facts.batch_ratio, 3),
                "the same loss for a batch given twice",
                "definition of the mean; TheDeepChecker",
            )
        )
    return found
