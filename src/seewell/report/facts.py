"""What a report needs of a run: measured once, each part allowed to be missing."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seewell.errors import SeewellError
from seewell.files import read_json
from seewell.runs.folder import RunFolder

if TYPE_CHECKING:
    from seewell.data.dataset import ImageDataset, Split
    from seewell.networks.layer_table import LayerRow
    from seewell.runs.evaluation import Evaluation
    from seewell.runs.run import Run

__all__ = ["Facts", "best_step", "gather"]


@dataclass(frozen=True, eq=False)
class Facts:
    """A run and what was measured on it for the report.

    Attributes:
        run: The run.
        split: The split that is shown: "test", or "validation" where there is no test split.
        evaluation: The kept network on that split; None where it could not be measured.
        shown: The images of that split; None where they could not be read.
        training: The training images; None where they could not be read.
        layers: The rows of the layer table; empty without a kept network.
        notes: What is missing in the report, and why.
        validation: The validation images; None where they could not be read.
        label_issues: Validation images whose labels look wrong, the surest first, as the run wrote them.
    """

    run: "Run"
    split: str
    evaluation: "Evaluation | None" = None
    shown: "Split | None" = None
    training: "Split | None" = None
    layers: "tuple[LayerRow, ...]" = ()
    notes: tuple[str, ...] = ()
    validation: "Split | None" = None
    label_issues: tuple[dict[str, Any], ...] = ()


def gather(run: "Run", dataset: "ImageDataset | None" = None) -> Facts:
    """Measure what a report shows.

    A run that stopped early may have no kept network, and its images may be gone:
    the report is written all the same and says what is missing.

    Args:
        run: The run.
        dataset: Its data, where the caller has it; read from the run's source otherwise.
    """
    notes: list[str] = []
    if dataset is None:
        dataset = _read_dataset(run, notes)
    elif _differs(run, dataset):
        notes.append("The dataset given is not the one the run was trained on; it is not shown.")
        dataset = None
    split = "test" if (run.info.get("dataset") or {}).get("counts", {}).get("test") else "validation"
    layers = _read_layers(run, notes)
    evaluation = _evaluate(run, dataset, split, notes) if dataset is not None and layers else None
    shown = None if dataset is None else dataset.test if split == "test" else dataset.validation
    return Facts(
        run=run,
        split=split,
        evaluation=evaluation,
        shown=shown,
        training=None if dataset is None else dataset.train,
        validation=None if dataset is None else dataset.validation,
        label_issues=() if dataset is None else _read_label_issues(run, len(dataset.validation), dataset.num_classes),
        layers=layers,
        notes=tuple(notes),
    )


def best_step(run: "Run") -> int | None:
    """The update whose weights were kept, by the run's summary or its checkpoint pointer; None where unknown."""
    told = run.summary.get("best_step")
    if told is not None:
        return int(told)
    pointer = run.path / "checkpoints" / "BEST"
    if not pointer.is_file():
        return None
    found = re.fullmatch(r"step-(\d+)", pointer.read_text(encoding="utf-8", errors="replace").strip())
    return int(found[1]) if found else None


def _read_dataset(run: "Run", notes: list[str]) -> "ImageDataset | None":
    try:
        dataset = run.dataset()
    except SeewellError as problem:
        notes.append(f"The images could not be read, so no picture of them is shown: {problem.what}")
        return None
    if _differs(run, dataset):
        notes.append("The data has changed since the training, so it was not measured again and is not shown.")
        return None
    return dataset


def _differs(run: "Run", dataset: "ImageDataset") -> bool:
    told = (run.info.get("dataset") or {}).get("fingerprint")
    return bool(told) and told != dataset.fingerprint()


def _read_label_issues(run: "Run", images: int, classes: int) -> tuple[dict[str, Any], ...]:
    """What the run wrote down; entries that do not fit its images are left out."""
    try:
        entries = read_json(RunFolder(run.path).label_issues)
    except (OSError, ValueError):
        return ()
    limits = {"index": images, "given": classes, "suggested": classes}
    return tuple(
        one
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, dict)
        and all(isinstance(one.get(key), int) and 0 <= one[key] < limit for key, limit in limits.items())
        and isinstance(one.get("probability"), int | float)
    )


def _read_layers(run: "Run", notes: list[str]) -> "tuple[LayerRow, ...]":
    try:
        network: Any = run.network
    except SeewellError as problem:
        notes.append(f"There is no kept network to show: {problem.what}")
        return ()
    from seewell.networks.layer_table import layer_table

    return tuple(layer_table(network))


def _evaluate(run: "Run", dataset: "ImageDataset", split: str, notes: list[str]) -> "Evaluation | None":
    try:
        return run.evaluate(dataset, split=split)
    except SeewellError as problem:
        notes.append(f"The {split} split could not be measured: {problem.what}")
        return None
