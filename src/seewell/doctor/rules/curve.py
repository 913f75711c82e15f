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
_NEGATIVE = -0.05
"""Mean cost, below rounding errors."""
_ACCURACY, _ABOVE = 1.3, 0.1
"""Accuracy / chance up to which answers are guesses; share of the way from chance to 1 from which on they are none."""
_JUMPS = 5
"""Times that the smoothed cost rises by half."""


def judge_curve(facts: CurveFacts) -> list[Finding]:
    """Not finite, below zero, rising, not falling or jumping; the first that holds."""
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
    below = _below_zero(facts)
    if below:
        return below
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


def _below_zero(facts: CurveFacts) -> list[Finding]:
    """A cross-entropy is never negative; another loss may be, but not while the answers get no better."""
    if facts.last >= _NEGATIVE:
        return []
    learned = facts.accuracy is not None and facts.accuracy > _ACCURACY * _guess(facts)
    if facts.family in ("sparse", "categorical", "binary"):
        code: tuple[str, str] = ("output-size-mismatch", "labels beyond 1 and a single output, or outputs too few")
        if facts.family == "categorical" or facts.classes > 2:
            code = ("labels-wrong", "labels that are no class numbers or one-hot rows")
        message = f"The cost fell to {facts.last:.3g}, and a cross-entropy is never negative: {code[1]}."
        return [Finding(code[0], "critical", None, message, round(facts.last, 4), "a cost of 0 and more", "definition")]
    if learned or facts.accuracy is None or facts.last >= facts.start:
        return []
    message = (
        f"The cost fell to {facts.last:.3g} while {100 * facts.accuracy:.0f} % of the answers are right: "
        "its sign is wrong, so training makes the network worse."
    )
    return [
        Finding("loss-sign-flipped", "critical", None, message, round(facts.last, 4), "a cost that falls as the "
                "accuracy rises", "definition")
    ]  # fmt: skip


def _guess(facts: CurveFacts) -> float:
    return 1 / facts.classes


def _stagnant(facts: CurveFacts) -> list[Finding]:
    if facts.updates < _LONG_ENOUGH:
        return []
    guess = _guess(facts)
    above_guessing = facts.accuracy is not None and facts.accuracy > guess + _ABOVE * (1 - guess)
    limit = min(_ACCURACY * guess, guess + 0.5 * _ABOVE * (1 - guess))
    guessing = facts.accuracy is not None and facts.accuracy < limit
    if facts.chance is not None:
        stuck = facts.level > _NEAR_CHANCE * facts.chance and facts.last > _NEAR_CHANCE * facts.chance
    else:
        stuck = facts.level > _FALLEN * facts.start and facts.last > _FALLEN * facts.start
    if above_guessing or not (stuck or guessing):
        return []
    against = "" if facts.chance is None else f" (guessing gives ln K = {facts.chance:.2f})"
    right = "" if facts.accuracy is None else f", and {100 * facts.accuracy:.0f} % of the answers are right"
    message = f"After {facts.updates:,} updates the cost is {facts.last:.3g}{against}{right}: nothing is learned."
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
