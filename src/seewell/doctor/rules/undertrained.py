"""Was the training ended while the network was still learning?"""

from seewell.doctor.outcome import ResultFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_undertrained"]

_STEEP = 0.20
"""Share by which the last fifth's cost lies below the fifth before. A geometric fall of this size halves the cost in
another three fifths of the training. Conservative; a bench of healthy trainings may lower it."""
_FALLING = 0.05
"""The same, from which on the curve is not flat."""
_LEFT = 0.05
"""Training error above the target below which there is nothing left to learn for a longer training."""
_BARELY = 0.1
"""Share of the way from guessing to certainty, within which next to nothing was learned."""
_FEW = 100
"""Updates before a cost that does not fall says anything."""


def judge_undertrained(facts: ResultFacts) -> list[Finding]:
    """A cost that still falls, or so few updates that next to nothing was learned.

    "warning" where the cost falls steeply and the network is still far from good: an accuracy on training images below
    halfway between chance and 1. A short training that has come further is "info"; one that has learned its images has
    nothing left to learn, and there is no finding. "warning" as well where all accuracies are close to guessing and the
    cost had not come to rest.
    """
    errors = facts.errors
    if errors.train_count == 0:
        return []
    chance = 1 / errors.num_classes
    # In use a network may lag behind training mode (BatchNorm), which is another finding.
    reached = max(1 - errors.train_error, facts.accuracy or 0.0)
    best = max(reached, 1 - errors.validation_error) if errors.validation_count else reached
    barely = chance + _BARELY * (1 - chance)
    restless = facts.fell if facts.updates >= _FEW else facts.updates > 0
    if best < barely and restless and not facts.resting:
        return [_so_few_updates(facts, best, barely)]
    if facts.falling <= _FALLING or errors.train_error - errors.target_error < _LEFT:
        return []
    halfway = 0.5 * (chance + 1)
    severity: Severity = "warning" if facts.falling > _STEEP and reached < halfway else "info"
    message = (
        f"The training cost of the last fifth lies {100 * facts.falling:.0f} % below that of the fifth before, and "
        f"{100 * errors.train_error:.1f} % of the training images are still wrong: the network was still learning."
    )
    return [
        Finding(
            "undertrained",
            severity,
            None,
            message,
            round(facts.falling, 4),
            f"at most {_STEEP:g}, or a training accuracy of {halfway:.2f} and more (flat: at most {_FALLING:g})",
            "set so that healthy short trainings stay below it",
        )
    ]


def _so_few_updates(facts: ResultFacts, best: float, barely: float) -> Finding:
    message = (
        f"After {facts.updates:,} updates the network is right {100 * best:.0f} % of the time, hardly more often than "
        "guessing, and its cost had not come to rest: so few updates teach it next to nothing. Train for more epochs, "
        "or with smaller batches."
    )
    return Finding(
        "undertrained",
        "warning",
        None,
        message,
        round(best, 4),
        f"an accuracy of {barely:.2f} and more, or a cost at rest",
        "guessing plus a tenth of the way to certainty",
    )
