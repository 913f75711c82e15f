"""Can the network learn at all, as it is built?"""

from seewell.doctor.statistics import Structure
from seewell.findings import Finding

__all__ = ["judge_bottleneck", "judge_trainable"]


def judge_trainable(structure: Structure) -> list[Finding]:
    """A network all of whose layers are frozen learns nothing."""
    if structure.trainable > 0:
        return []
    message = "No weight of the network may change: every layer has trainable=False."
    return [
        Finding("loss-stagnant", "critical", None, message, 0.0, "at least one layer that is trainable", "definition")
    ]


def judge_bottleneck(structure: Structure) -> list[Finding]:
    """One number cannot tell many classes apart."""
    if not structure.bottlenecks or structure.outputs <= 2:
        return []
    name = structure.bottlenecks[0]
    message = (
        f"All that the network knows of an image passes through the one value of {name}, which cannot tell "
        f"{structure.outputs} classes apart: the layer is too small."
    )
    return [Finding("high-bias", "critical", name, message, 1.0, "more units than one", "definition")]
