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


def judge_undertrained(facts: ResultFacts) -> list[Finding]:
    """A cost that still falls: "warning" where it falls steeply and the network is still far from good.

    Far from good is an accuracy on training images below halfway between chance
    and 1. A short training that has come further is "info"; one that has
    learned its images has nothing left to learn, and there is no finding.
    """
    errors = facts.errors
    if errors.train_count == 0 or facts.falling <= _FALLING or errors.train_error - errors.target_error < _LEFT:
        return []
    halfway = 0.5 * (1 / errors.num_classes + 1)
    poor = 1 - errors.train_error < halfway
    severity: Severity = "warning" if facts.falling > _STEEP and poor else "info"
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
