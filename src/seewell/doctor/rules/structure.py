"""Is there anything that training may change?"""

from seewell.doctor.statistics import Structure
from seewell.findings import Finding

__all__ = ["judge_trainable"]


def judge_trainable(structure: Structure) -> list[Finding]:
    """A network all of whose layers are frozen learns nothing."""
    if structure.trainable > 0:
        return []
    message = "No weight of the network may change: every layer has trainable=False."
    return [
        Finding("loss-stagnant", "critical", None, message, 0.0, "at least one layer that is trainable", "definition")
    ]
