"""Are the optimizer's own settings sound?"""

from seewell.doctor.statistics import OptimizerFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_optimizer"]

_MOMENTUM = 0.995
"""Steps add up 1 / (1 - momentum) times: 200 times here, 10 at the usual 0.9 (LTFN 7), 100 at 0.99."""
_BETA_1 = 0.99
"""Adam's mean over 1 / (1 - beta_1) steps; 0.9 is usual, 0.95 seen (Kingma and Ba 2015)."""
_BETA_2 = 0.5
"""Below this, Adam divides by little more than the last gradient."""
_CLIP = 1e-4
"""A gradient cut to this length moves nothing; 0.01 to 10 are in use."""
_EPSILON = 1.0
"""Added to the root of the mean square; 1e-8 to 0.1 are usual, 1.0 was used for Inception."""


def judge_optimizer(facts: OptimizerFacts) -> list[Finding]:
    """Momentum, Adam's decays, clipping and epsilon."""
    found: list[Finding] = []
    name = facts.name
    if facts.learning_rate == 0:
        message = f"{name}'s learning rate is 0: no update changes anything."
        source = "definition"
        found.append(Finding("learning-rate-too-low", "critical", None, message, 0.0, "a rate above 0", source))
    if facts.momentum >= _MOMENTUM or facts.beta_1 > _BETA_1:
        value = max(facts.momentum, facts.beta_1)
        message = (
            f"{name} remembers {1 / (1 - value):,.0f} steps: it overshoots long after the slope has turned."
            if (value < 1)
            else f"{name} never forgets a step: its speed grows without bound."
        )
        found.append(_finding("critical" if value >= 1 else "warning", message, value, "about 0.9"))
    if 0 < facts.beta_2 < _BETA_2:
        message = f"{name} divides by the size of the last few gradients alone: its steps jump about."
        found.append(_finding("warning", message, facts.beta_2, "0.9 to 0.999"))
    if facts.epsilon > _EPSILON:
        message = f"{name}'s epsilon is larger than any usual gradient, so it divides its steps away."
        found.append(_finding("warning", message, facts.epsilon, "1e-8 to 0.1"))
    if facts.clip is not None and facts.clip < _CLIP and not facts.adaptive:
        message = f"Gradients are cut to {facts.clip:g}, so that nearly nothing is left of them."
        found.append(_finding("warning", message, facts.clip, "0.01 to 10"))
    return found


def _finding(severity: Severity, message: str, measured: float, expected: str) -> Finding:
    source = "definition: the sum of a geometric series; Kingma and Ba 2015; values in use"
    return Finding("optimizer-unstable", severity, None, message, measured, expected, source)
