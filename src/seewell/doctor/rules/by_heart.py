"""Can a few images be learned by heart, and does the learning rate lie where the cost falls?"""

import dataclasses
from collections.abc import Sequence

from seewell.doctor.rules.steps import falls
from seewell.doctor.statistics import LookaheadFacts, OptimizerFacts
from seewell.doctor.update_statistics import HeartFacts, RangeFacts
from seewell.findings import Finding

__all__ = ["judge_by_heart", "judge_range"]

_NOT_LEARNED = 0.8
"""Cross-entropy / what the shares of the classes alone give; sound networks reach 0.5 with dropout 0.5 as well."""
_ABOVE, _BELOW = 10.0, 1000.0
"""Rate / suggested rate and the reverse, where a few updates with the user's rate do not lower the cost either."""
_SOURCE = "Smith 2017: learning-rate range test on copies"


def judge_by_heart(facts: HeartFacts) -> list[Finding]:
    """A network that cannot learn 16 images cannot learn 60,000."""
    if facts.reached <= _NOT_LEARNED * facts.chance:
        return []
    rates = ", ".join(f"{rate:g}" for rate in facts.rates)
    message = (
        f"The network cannot even learn {facts.images} images by heart: {facts.updates} updates of Adam "
        f"(learning rates {rates}) bring their cost to {facts.reached:.3g}, where guessing gives {facts.chance:.2f}."
    )
    return [
        Finding(
            "loss-stagnant",
            "critical",
            None,
            message,
            round(facts.reached, 4),
            f"below {_NOT_LEARNED * facts.chance:.2f}",
            "Karpathy's recipe and TheDeepChecker (learn one batch first); calibrated on sound networks",
        )
    ]


def judge_range(
    steps: Sequence[Finding], facts: RangeFacts, own: LookaheadFacts, optimizer: OptimizerFacts
) -> list[Finding]:
    """Findings about the learning rate with the rate that a range test suggests.

    Args:
        steps: What `judge_steps` found.
        facts: The range test.
        own: Updates with the user's rate.
        optimizer: The user's settings.
    """
    if facts.suggested is None:
        return list(steps)
    about = f"about {facts.suggested:.1g}"
    if steps:
        return [dataclasses.replace(one, expected=about) for one in steps]
    rate = optimizer.learning_rate
    if falls(own) or rate <= 0 or optimizer.scheduled:
        return []
    if rate > _ABOVE * facts.suggested:
        code, word = "learning-rate-too-high", "well above"
    elif rate * _BELOW < facts.suggested:
        code, word = "learning-rate-too-low", "far below"
    else:
        return []
    message = f"The learning rate {rate:g} lies {word} the rates at which the cost falls ({about})."
    return [Finding(code, "warning", None, message, rate, about, _SOURCE)]
