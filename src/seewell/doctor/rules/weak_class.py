"""Is one class judged much worse than the others?"""

from collections.abc import Sequence

from seewell.data.names import printable
from seewell.doctor.outcome import ClassRecall
from seewell.findings import Finding

__all__ = ["judge_weak_class"]

_WARNING = 0.50
"""Recall of the other classes − of this one, lower end of an interval that holds for all classes together. The hardest
class of a sound network lies behind by up to 0.3 (cats in CIFAR-10). Conservative; a bench may lower it."""
_WORTH_SAYING = 0.15
"""The same, from which on the class is named."""
_OTHERS = 0.75
"""Recall of the other classes below which the whole network is poor, not one class: a short, healthy training of 600
digits left one class behind by more than 0.4 (bench/doctor)."""


def judge_weak_class(
    classes: Sequence[ClassRecall], names: Sequence[str] = (), *, resting: bool = True
) -> list[Finding]:
    """The class that lies furthest behind the others, where few images cannot explain it.

    Args:
        classes: Each class of the validation split.
        names: The names of all classes; their numbers are said where there are none.
        resting: Whether the cost has come to rest; while it falls, a rare class may only be learned later.
    """
    if len(classes) < 2:
        return []
    worst = max(classes, key=lambda one: one.behind_low)
    others = worst.right / worst.count + worst.behind
    if worst.behind_low < _WORTH_SAYING:
        return []
    instead = ""
    if worst.confused_with is not None:
        instead = f" It is taken for {_name(worst.confused_with, names)} most often ({worst.confused:,} times)."
    message = (
        f"Of class {_name(worst.label, names)} {worst.right:,} of {worst.count:,} new images are recognised "
        f"(95 % interval {100 * worst.low:.0f} to {100 * worst.high:.0f} %), of the others "
        f"{100 * others:.0f} %.{instead}"
    )
    return [
        Finding(
            "weak-class",
            "warning" if worst.behind_low > _WARNING and others >= _OTHERS and resting else "info",
            None,
            message,
            round(worst.behind_low, 4),
            f"behind the other classes by less than {_WARNING:g} at the lower end of the interval",
            "Newcombe 1998, method 10, corrected for the number of classes; set so that hard classes stay below it",
        )
    ]


def _name(label: int, names: Sequence[str]) -> str:
    return printable(names[label]) if label < len(names) else str(label)
