"""Are labels wrong?"""

from collections.abc import Sequence

from seewell.doctor.outcome import Disputed, NoiseFacts
from seewell.findings import Finding

__all__ = ["judge_noise"]

_WARNING = 0.06
"""Share of labels disputed among the surest quarter of the answers, lower end of its 99 % interval. A network that is
right 70 % of the time is wrong in 1 to 3 % of its surest quarter. Conservative; a bench may lower it."""
_WORTH_SAYING = 0.02
"""The same, from which on the number is told."""
_AS_OFTEN = 0.65
"""Share disputed among the surest / error on all. A network's own mistakes get rarer with certainty, wrong labels do
not: with every fifth label wrong this is 0.7 to 1, for a network that errs by itself 0 to 0.35."""
_SOUND = 0.4
"""Share disputed among the surest above which the network, not the labels, must be doubted."""


def judge_noise(facts: NoiseFacts, disputed: Sequence[Disputed] = ()) -> list[Finding]:
    """Labels that disagree with the network even where it is surest, nearly as often as everywhere.

    Wrong labels in a single class are not seen here: that is a weak class.

    Args:
        facts: The surest quarter of the answers on images that were not trained on.
        disputed: The labels that confident learning would have looked at, where it was asked.
    """
    share = facts.disputed / facts.count
    if facts.low < _WORTH_SAYING or share > _SOUND or share < _AS_OFTEN * facts.error:
        return []
    look = f" {len(disputed):,} labels are worth a look." if disputed else ""
    message = (
        f"Where the network is surest of new images, {facts.disputed:,} of {facts.count:,} labels say something "
        f"else; over all images {100 * facts.error:.0f} % do. A network's own mistakes get rarer "
        f"with certainty, wrong labels do not: about {100 * share:.0f} % of the labels may be wrong.{look}"
    )
    return [
        Finding(
            "label-noise",
            "warning" if facts.low > _WARNING else "info",
            None,
            message,
            round(facts.low, 4),
            f"below {_WARNING:g} at the lower end of the 99 % interval",
            "set so that networks that err by themselves stay below it; disputed labels by Northcutt et al. 2021",
        )
    ]
