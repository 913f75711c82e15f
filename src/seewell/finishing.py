"""The end of a training: keep the best network, measure it, judge it, and write everything down."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewell.data.dataset import ImageDataset, Split
from seewell.data.names import printable
from seewell.doctor.outcome import Disputed, ResultFacts
from seewell.doctor.probes.disputed import disputed_labels
from seewell.doctor.probes.result import falling_share, result_facts
from seewell.doctor.verdict import verdict
from seewell.errors import RunError
from seewell.files import write_json
from seewell.findings import Finding
from seewell.runs.checkpoint import best_whole, load
from seewell.runs.evaluation import Evaluation, evaluate
from seewell.runs.folder import RunFolder
from seewell.runs.kept import keep
from seewell.runs.run import Run
from seewell.runs.weights import assign, judged_weights, model_variables
from seewell.training.loop import FitResult
from seewell.training.plan import Plan

__all__ = ["MEASURED_IMAGES", "Job", "finish", "spread"]

MEASURED_IMAGES = 10_000
"""At most so many training images are measured at the end; fewer where a given time is short."""
_ENOUGH_LOSSES = 10
"""Reported costs from which on they say whether the cost still falls (see `falling_share`)."""

Together = Callable[[Sequence[Finding], ResultFacts], list[Finding]]
"""From the verdict's findings, and what was measured, to all findings."""


@dataclass(frozen=True)
class Job:
    """What is trained on what, and where it goes.

    Attributes:
        dataset: The images.
        plan: The settings.
        folder: The run's.
        profile: Whether the time of the updates is measured.
        measured_images: At most so many training images are measured at the end; None for `MEASURED_IMAGES`.
    """

    dataset: ImageDataset
    plan: Plan
    folder: RunFolder
    profile: bool = False
    measured_images: int | None = None

    @property
    def target_given(self) -> bool:
        """Whether the target error is the user's; 0 is nobody's."""
        return self.plan.config.target_error > 0


def spread(split: Split, most: int) -> Split:
    """At most so many images, evenly spread over the split, so that a sorted one is not cut to its first classes."""
    if len(split) <= most:
        return split
    rows = np.linspace(0, len(split) - 1, most).round().astype(np.int64)
    return Split(split.images[rows], split.labels[rows])


def _take_best(kept: Any, folder: RunFolder, fitted: FitResult) -> tuple[tuple[str, ...], int]:
    """Give the network that is kept the best weights; what was passed over for that, and the step they are of."""
    if fitted.best_values is not None:
        assign(model_variables(kept), fitted.best_values)
        return (), fitted.best_step
    best, passed_over = best_whole(folder.checkpoints)
    if best is None:
        raise RunError(
            f"the run {folder.path} has no whole checkpoint left to keep.",
            expected="at least one folder checkpoints/step-… as it was written",
            fix="train again; something else wrote to the folder",
        )
    assign(model_variables(kept), judged_weights(load(best)))
    return passed_over, int(best.name.removeprefix("step-"))


def finish(kept: Any, job: Job, fitted: FitResult, info: dict[str, Any], together: Together) -> None:
    """Keep the best network, measure it, judge it, and write everything down.

    Args:
        kept: The network that is kept; takes the best weights.
        job: What was trained.
        fitted: How the training ended.
        info: ``run.json``; the result is added.
        together: Joins the verdict's findings with the doctor's.
    """
    dataset, plan, folder = job.dataset, job.plan, job.folder
    passed_over, best_step = _take_best(kept, folder, fitted)
    info["passed_over"] = list(passed_over)
    keep(kept, folder)
    measured = _measure(kept, dataset, MEASURED_IMAGES if job.measured_images is None else job.measured_images)
    history = Run(folder.path).history
    settings = {**plan.config.to_dict(), "channels": dataset.image_shape[2]}
    train, held = ((one.probabilities, one.labels) for one in (measured["train"], measured["validation"]))
    losses = [float(entry["loss"]) for entry in history if entry["kind"] == "train"]
    facts = result_facts(
        train,
        held,
        falling=falling_share(losses),
        resting=None if len(losses) >= _ENOUGH_LOSSES else False,
        updates=fitted.steps,
        fell=losses[-1:] < losses[:1],
        target_error=plan.config.target_error,
        target_given=job.target_given,
    )
    facts = dataclasses.replace(facts, disputed=disputed_labels(held))
    found = verdict(facts, settings, dataset.classes)
    write_json(folder.label_issues, _label_issues(facts.disputed, dataset.validation))
    findings = [finding.to_dict() for finding in together(found, facts)]
    test = measured.get("test")
    info["result"] = {
        "run": str(folder.path),
        "network": plan.config.network,
        "parameters": int(kept.count_params()),
        "steps": fitted.steps,
        "epochs": fitted.epochs,
        "seed": plan.config.seed,
        "precision": plan.config.precision,
        "train_loss": _finite(measured["train"].loss),
        "train_accuracy": measured["train"].accuracy,
        "validation_loss": _finite(measured["validation"].loss),
        "validation_accuracy": measured["validation"].accuracy,
        "test_loss": None if test is None else _finite(test.loss),
        "test_accuracy": None if test is None else test.accuracy,
        "test_interval": None if test is None else list(test.interval),
        "seconds_training": fitted.seconds,
        "images_per_second": fitted.images_per_second,
        "best_step": best_step,
        "target_error": plan.config.target_error,
        "stopped": fitted.stopped,
        "findings": findings,
    }
    write_json(folder.findings, findings)
    write_json(folder.info, info)


def _label_issues(disputed: Sequence[Disputed], split: Split) -> list[dict[str, Any]]:
    """The labels that look wrong, as they are written down; the surest first."""
    paths = split.paths
    return [
        {**dataclasses.asdict(one), "path": None if paths is None else printable(paths[one.index])} for one in disputed
    ]


def _finite(loss: float) -> float | None:
    """JSON has no infinity: a cost that overflows on some image is null there."""
    return loss if math.isfinite(loss) else None


def _measure(kept: Any, dataset: ImageDataset, most: int) -> dict[str, Evaluation]:
    splits = {"train": spread(dataset.train, most), "validation": dataset.validation}
    if dataset.test is not None:
        splits["test"] = dataset.test
    return {name: evaluate(kept, split.images, split.labels, dataset.classes, name) for name, split in splits.items()}
