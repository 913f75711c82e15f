"""Findings without training: of a run that is over or was stopped, and of a training that has not begun."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seewell.config import TrainConfig
from seewell.data.dataset import ImageDataset, Progress
from seewell.errors import DataError
from seewell.findings import CODES, Finding
from seewell.preparing import Prepared, prepare, rebuild, same_dataset
from seewell.runs.checkpoint import latest_complete, load
from seewell.runs.folder import RunFolder
from seewell.runs.run import Run
from seewell.watching import LoopDoctor

__all__ = ["Diagnosis", "diagnose", "diagnose_before"]

_SECONDS = 10.0
"""The budget of an examination that was asked for."""
_MEASURED_AGAIN = frozenset([*CODES["data"], *CODES["structure"]])
"""What an examination settles anew; all else the run may have seen at a time of which nothing is kept."""


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, and what could not be judged.

    Attributes:
        network: The architecture's name.
        findings: The most important first; a cause before its symptoms.
        limits: What could not be judged, and why.
        seconds: What the examination took.
    """

    network: str
    findings: tuple[Finding, ...]
    limits: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        return {
            "network": self.network,
            "findings": [finding.to_dict() for finding in self.findings],
            "limits": list(self.limits),
            "seconds": self.seconds,
        }


def diagnose_before(
    source: str | Path | ImageDataset,
    config: TrainConfig,
    *,
    thorough: bool = False,
    progress: Progress | None = None,
) -> Diagnosis:
    """Say what is wrong with a training before its first update; nothing is written.

    Args:
        source: A catalogue name, a path, or a dataset.
        config: The settings, as `seewell.train` takes them.
        thorough: Lift the time budget and try more.
        progress: Called as ``progress(what, done, total)`` while the source is read.

    Raises:
        ConfigError: A setting is wrong.
        DataError: The source cannot be used.
        NetworkError: The architecture does not fit the images.
    """
    prepared = prepare(source, config, progress)
    doctor = LoopDoctor(prepared)
    doctor.examine(seconds=_SECONDS, thorough=thorough)
    return _diagnosis(prepared, doctor, doctor.findings)


def diagnose(path: str | Path, *, thorough: bool = False, progress: Progress | None = None) -> Diagnosis:
    """Judge a finished or stopped run again, from what it keeps.

    Network, settings and images are examined as they were before the first
    update, the course is read from the history, and the layers are looked at
    with the newest checkpoint's weights. What only the training itself could
    see (bias and variance, the batch that was not finite) is taken from its
    own findings. Nothing is written.

    Args:
        path: The run's folder.
        thorough: Lift the time budget and try more.
        progress: Called while the source is read.

    Returns:
        The diagnosis. Where the run's images are gone or have changed, its own
        findings, and a limit that says so.

    Raises:
        RunError: There is no run in the folder.
    """
    run = Run(path)
    try:
        dataset = same_dataset(run, progress)
    except DataError as problem:
        limit = f"the images: {problem.what} What follows was found during the training."
        return Diagnosis(run.config.network or "", tuple(run.findings), (limit,), 0.0)
    prepared = rebuild(run, dataset)
    doctor = LoopDoctor(prepared)
    doctor.examine(seconds=_SECONDS, thorough=thorough)
    newest, passed_over = latest_complete(RunFolder(run.path).checkpoints)
    if newest is not None:
        checkpoint = load(newest)
        prepared.trainee.restore(checkpoint)
        doctor.recall(run.history)
        doctor.look()
    kept = [one for one in _all_of(run.findings) if one.code not in _MEASURED_AGAIN]
    return _diagnosis(prepared, doctor, doctor.with_others(kept), passed_over)


def _all_of(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Findings and, after each, what stands in its evidence."""
    for finding in findings:
        yield finding
        yield from _all_of(finding.evidence)


def _diagnosis(
    prepared: Prepared, doctor: LoopDoctor, findings: Sequence[Finding], more_limits: Sequence[str] = ()
) -> Diagnosis:
    limits = (*doctor.limits, *more_limits)
    return Diagnosis(prepared.plan.config.network or "", tuple(findings), limits, round(doctor.examination_seconds, 3))
