"""Are units dead or saturated, and are the answers?"""

from collections.abc import Sequence

from seewell.doctor.statistics import LayerValues, LossFacts, OutputFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_answers", "judge_units"]

_DEAD, _ALL_DEAD = 0.8, 0.98
"""Share of units that give zero on every probe image. 32 healthy starts left at most 38 % so (AutoTrainer: 70 %, which
trained networks reach)."""
_SATURATED = 0.7
"""Share of values beyond the bend of a sigmoid or tanh (DeepDiagnosis: 50 %, on trained networks too)."""
_CERTAIN = 0.99
"""Mean of the largest probability before training; 0.1 to 0.4 for ten classes with inputs near [0, 1], 0.98
with a mean image subtracted from raw images."""
_LOST = 2.0
"""Cross-entropy / ln K that goes with it."""
_SAME = 1e-6
"""Spread of the answers over images / over everything."""


def judge_units(values: Sequence[LayerValues]) -> list[Finding]:
    """Dead ReLU units and saturated sigmoid or tanh units, the worst layer named."""
    found = []
    dead = [value for value in values if value.silent is not None and value.silent >= _DEAD and not value.last]
    if dead:
        worst = max(dead, key=lambda value: value.silent or 0.0)
        share = worst.silent or 0.0
        message = (
            f"{100 * share:.0f} % of the units of {worst.name} give zero on every image: "
            "no gradient comes through them any more."
        )
        severity: Severity = "critical" if share >= _ALL_DEAD else "warning"
        source = "share of silent units; healthy starts stay below 0.4"
        found.append(Finding("dead-units", severity, worst.name, message, round(share, 4), f"below {_DEAD:g}", source))
    full = [
        value for value in values if value.saturated is not None and value.saturated >= _SATURATED and not value.last
    ]
    if full:
        worst = max(full, key=lambda value: value.saturated or 0.0)
        share = worst.saturated or 0.0
        message = f"{100 * share:.0f} % of the values at {worst.name} lie where {worst.activation} is flat."
        source = "slope below 7 % of its largest; DeepDiagnosis (50 %), calibrated"
        found.append(
            Finding("saturated-units", "warning", worst.name, message, round(share, 4), f"below {_SATURATED:g}", source)
        )
    return found


def judge_answers(answers: OutputFacts, loss: LossFacts | None, *, last_constant: bool) -> list[Finding]:
    """Before training: is the network certain already, or the same for every image?

    Args:
        answers: On a batch.
        loss: The cost that goes with them.
        last_constant: Whether the last kernel is one value (a zero start there is sound, and gives equal answers).
    """
    found = []
    lost = loss is not None and loss.cross_entropy > _LOST * loss.chance
    if answers.certainty > _CERTAIN and lost and loss is not None:
        message = (
            f"Before any training the network gives its first choice {100 * answers.certainty:.0f} % on average, "
            f"and the cost is {loss.cross_entropy:.3g} where knowing nothing gives ln K = {loss.chance:.2f}."
        )
        source = "LTFN 6: overconfident, so each mistake costs enormously"
        expected = f"below {_CERTAIN:g}, a cost near ln K"
        found.append(
            Finding("saturated-output", "warning", None, message, round(answers.certainty, 4), expected, source)
        )
    if answers.finite and answers.depends < _SAME and not last_constant:
        message = "The network gives every image the same answer: what it is shown does not reach its end."
        found.append(
            Finding(
                "loss-stagnant",
                "critical",
                None,
                message,
                float(f"{answers.depends:.3g}"),
                f"answers that differ by more than {_SAME:g} of their size",
                "rounding errors of float32; Karpathy's recipe",
            )
        )
    return found
