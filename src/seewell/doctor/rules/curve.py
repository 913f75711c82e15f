"""Does the cost fall?"""

import math

from seewell.doctor.statistics import CurveFacts
from seewell.findings import Finding

__all__ = ["judge_curve"]

_FEWEST = 30
"""Updates before a curve is judged."""
_LONG_ENOUGH = 100
"""Updates before a cost that does not fall is a symptom."""
_FALLEN = 0.97
"""Last cost / first cost that still counts as not fallen; TheDeepChecker asks for 5 % in five checks."""
_NEAR_CHANCE = 0.95
"""Cost / ln K."""
_RISEN = 2.0
"""Last / best cost (TheDeepChecker: 2)."""
_JUMPS = 5
"""Times that the smoothed cost rises by half."""


def judge_curve(facts: CurveFacts) -> list[Finding]:
    """Not finite, rising, not falling or jumping; the first that holds."""
    if facts.first_not_finite is not None:
        message = (
            f"The cost stopped being finite within the first {facts.first_not_finite:,} updates "
            "(the first report in which it was seen)."
        )
        found = ("non-finite-loss", "critical", message, float(facts.first_not_finite), "a finite cost", "definition")
        code, _, text, measured, expected, source = found
        return [Finding(code, "critical", None, text, measured, expected, source)]
    if facts.updates < _FEWEST or not math.isfinite(facts.last):
        return []
    floor = facts.chance if facts.chance is not None else facts.start
    if facts.last > _RISEN * facts.best and facts.last > max(floor, facts.start) and facts.updates >= _FEWEST:
        message = f"The cost rose to {facts.last:.3g}, from {facts.best:.3g} at its best."
        expected = f"at most {_RISEN:g} times the best"
        return [
            Finding(
                "loss-diverging", "critical", None, message, round(facts.last, 4), expected, "TheDeepChecker (2 times)"
            )
        ]
    if facts.jumps >= _JUMPS and facts.level > 0.5 * facts.start:
        message = f"The cost jumped up by half or more {facts.jumps} times instead of falling steadily."
        return [
            Finding(
                "loss-oscillating",
                "warning",
                None,
                message,
                float(facts.jumps),
                f"fewer than {_JUMPS} jumps",
                "smoothed over at most 40 stretches; calibrated on healthy trainings",
            )
        ]
    return _stagnant(facts)


def _stagnant(facts: CurveFacts) -> list[Finding]:
    if facts.updates < _LONG_ENOUGH:
        return []
    above_guessing = facts.accuracy is not None and facts.accuracy > 2 / facts.classes
    if facts.chance is not None:
        stuck = facts.level > _NEAR_CHANCE * facts.chance and facts.last > _NEAR_CHANCE * facts.chance
    else:
        stuck = facts.level > _FALLEN * facts.start and facts.last > _FALLEN * facts.start
    if not stuck or above_guessing:
        return []
    against = "" if facts.chance is None else f" (guessing gives ln K = {facts.chance:.2f})"
    message = f"After {facts.updates:,} updates the cost is {facts.last:.3g}{against}: nothing is learned."
    return [
        Finding(
            "loss-stagnant",
            "critical",
            None,
            message,
            round(facts.last, 4),
            f"below {_NEAR_CHANCE:g} of guessing",
            "ln K is the cost of knowing nothing; TheDeepChecker (5 %)",
        )
    ]
