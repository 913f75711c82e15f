"""Is the network surer than it is right?"""

from seewell.doctor.outcome import Calibration
from seewell.findings import Finding

__all__ = ["judge_overconfident"]

_WARNING = 0.40
"""Certainty − accuracy, lower end of its 99 % interval. Networks that know their training images by heart are too sure
as a rule: Guo et al. 2017 found ECEs of 0.04 to 0.16 for large networks; a small-data network that is right 60 % of the
time and always sure shows 0.40 and is no defect by itself. Conservative; a bench of healthy trainings may lower it."""
_WORTH_SAYING = 0.05
"""The same, from which on the number is told."""


def judge_overconfident(facts: Calibration) -> list[Finding]:
    """Mean certainty above accuracy, beyond chance; the expected calibration error and a better temperature are told.

    Args:
        facts: The calibration on images that were not trained on.
    """
    if facts.surplus_low < _WORTH_SAYING:
        return []
    message = (
        f"On new images the network is {100 * facts.certainty:.0f} % sure on average and right "
        f"{100 * facts.accuracy:.0f} % of the time: its probabilities promise too much (expected calibration error "
        f"{facts.ece:.3f}). Divided by a temperature of {facts.temperature:.2f}, its logits would cost "
        f"{facts.nll_tempered:.3f} instead of {facts.nll:.3f} a new image."
    )
    return [
        Finding(
            "overconfident",
            "warning" if facts.surplus_low > _WARNING else "info",
            None,
            message,
            round(facts.surplus_low, 4),
            f"certainty − accuracy below {_WARNING:g} at the lower end of its 99 % interval",
            "Guo et al. 2017 (definition); set so that overfitted but sound networks stay below it",
        )
    ]
