"""`export`: a run's network in another format, with the proof that it answers the same."""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import ConfigError, RunError, unknown_name
from seewell.files import sha256_of_file, write_json
from seewell.runs.certificate import (
    ALLOWED,
    Certificate,
    FileRecord,
    compare_accuracy,
    compare_answers,
    difference_from,
)
from seewell.runs.evaluation import predictor_of
from seewell.runs.export_sample import Sample, gather_sample
from seewell.runs.exporters import EXPORTERS, QUANTIZATIONS
from seewell.runs.exporters.base import Exporter, Options, require_extra
from seewell.runs.placing import place, working_folder
from seewell.runs.run import Run

__all__ = ["Export", "check_folder", "check_request", "default_folder", "export", "file_name"]

_PROGRAM = Path(__file__).parent / "exporters" / "answer_alone.py"
_ALWAYS = ("seewell", "tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        path: The file, or the folder of a SavedModel.
        certificate_path: The record beside it.
        certificate: The record.
    """

    path: Path
    certificate_path: Path
    certificate: Certificate


def export(run: Run | str | Path, format: str, *, out: str | Path | None = None, quantize: str | None = None) -> Export:
    """Write a run's network for another runtime, and prove that it answers the same there.

    Preprocessing is inside: every format takes raw uint8 images (N, H, W, C), N
    being free, and gives float32 probabilities (N, K). Before the file gets its
    name it is loaded in its own runtime, in a process of its own, and asked at
    least 256 images; ``<file>.certificate.json`` says what came of it. Nothing
    is written, and an earlier export stays as it is, where that fails.

    Args:
        run: A run or its folder.
        format: "keras", "savedmodel", "onnx" or "litert".
        out: The folder for it; ``RUN/export`` where left out.
        quantize: For "litert": "int8" or "float16". Such a file is meant to differ, so its
            loss of accuracy on the validation split is measured instead.

    Returns:
        Where it is, and its certificate.

    Raises:
        ConfigError: An unknown format or quantization, a missing extra, a folder that cannot be written to.
        RunError: There is no trained network, it cannot be written so, or its answers differ by more than 1e-4.

    Example:
        >>> made = export("runs/digits-convnet-1", "onnx")  # doctest: +SKIP
        >>> made.certificate.parity.largest_difference  # doctest: +SKIP
    """
    exporter = check_request(format, quantize)
    run = run if isinstance(run, Run) else Run(run)
    folder = Path(out) if out is not None else default_folder(run)
    name = file_name(exporter, quantize)
    target = folder / name
    if target.resolve() == (run.path / "network.keras").resolve():
        raise ConfigError(
            f"{target} is the run's own network.", expected="another folder", fix="leave --out out, or choose another"
        )
    check_folder(folder)
    model = run.network
    sample = gather_sample(run, measure=quantize is not None)
    if quantize == "int8" and sample.calibration is None:
        raise RunError(
            f"int8 needs training images, and there are none: {sample.missing}",
            expected="the dataset that the run was trained on",
            fix="put it back where it was, or --quantize float16",
        )
    with _writing(folder), working_folder(folder) as work:
        made = work / name
        _write(exporter, model, made, Options(quantize, sample.calibration))
        found = _ask(exporter, made, sample.images, work)
        certificate = _certificate(exporter, quantize, run, sample, made, found)
        record = folder / f"{name}.certificate.json"
        write_json(work / record.name, certificate.to_dict())
        with _set_aside(record, work / "before.json"):
            place(made, target)
            place(work / record.name, record)
    return Export(target, record, certificate)


def check_request(name: str, quantize: str | None) -> Exporter:
    """Read a format and a quantization, before anything heavy is imported.

    Raises:
        ConfigError: One of them is unknown, they do not go together, or an extra is missing.
    """
    if name not in EXPORTERS:
        raise unknown_name("format", name, EXPORTERS)
    if quantize is not None and quantize not in QUANTIZATIONS:
        raise unknown_name("quantization", quantize, QUANTIZATIONS)
    if quantize is not None and name != "litert":
        raise ConfigError(
            f"the format {name} cannot be quantized.", expected="--format litert", fix="leave --quantize out"
        )
    require_extra(EXPORTERS[name])
    return EXPORTERS[name]


def file_name(exporter: Exporter, quantize: str | None) -> str:
    """The name of an export; a quantized one has its own, so that both can lie in one folder."""
    return exporter.file_name if quantize is None else f"network-{quantize}{Path(exporter.file_name).suffix}"


def default_folder(run: Run) -> Path:
    """``RUN/export``, where exports go that were given no folder."""
    return run.path / "export"


def check_folder(folder: Path) -> None:
    """Make the folder for an export, and see that it can be written to, before any work is done.

    Raises:
        ConfigError: It cannot.
    """
    with _writing(folder), working_folder(folder):
        pass


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise ConfigError(
            f"the export cannot be written to {folder}: {problem.strerror or problem}.",
            expected="a folder that can be written to, and room on the disk",
            fix="choose another --out, or make room; earlier exports are untouched",
        ) from problem


@contextlib.contextmanager
def _set_aside(record: Path, aside: Path) -> Iterator[None]:
    """Take an old record away while its file is replaced: a kill leaves a file without one, never with a wrong one."""
    if record.exists():
        record.replace(aside)
    try:
        yield
    except BaseException:
        if aside.exists():
            aside.replace(record)
        raise


def _write(exporter: Exporter, model: Any, made: Path, options: Options) -> None:
    """Write it; converters raise whatever they like, so everything they raise is said in one message."""
    try:
        exporter.write(model, made, options)
    except (RunError, OSError, MemoryError):
        raise
    except Exception as problem:
        raise RunError(
            f"the network cannot be written as {exporter.name}: {_last_line(str(problem)) or type(problem).__name__}",
            expected="layers that the converter knows",
            fix="export another format; the run itself is untouched",
        ) from problem


def _ask(exporter: Exporter, made: Path, images: NDArray[np.uint8], work: Path) -> dict[str, NDArray[Any]]:
    """What the export answers in its own runtime, in a process of its own."""
    questions, answers = work / "images.npy", work / "answers.npz"
    np.save(questions, images)
    command = [sys.executable, "-P", str(_PROGRAM), exporter.name, str(made), str(questions), str(answers)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, env={**os.environ, **quiet}, capture_output=True, check=False)
    if done.returncode:
        said = _last_line(done.stderr.decode("utf-8", "replace")) or f"it ended with {done.returncode}"
        raise RunError(
            f"the {exporter.name} export does not run in {exporter.runtime}: {said}",
            expected="a file that its own runtime loads",
            fix="nothing was written; export another format",
        )
    with np.load(answers, allow_pickle=False) as loaded:
        return dict(loaded)


def _certificate(
    exporter: Exporter,
    quantize: str | None,
    run: Run,
    sample: Sample,
    made: Path,
    found: dict[str, NDArray[Any]],
) -> Certificate:
    ours = predictor_of(run.network)(sample.images)[1]
    theirs = found["probabilities"]
    if theirs.dtype != np.float32 or theirs.shape != ours.shape:
        raise RunError(
            f"{made.name} gives {theirs.dtype} {theirs.shape}.",
            expected=f"float32 {ours.shape}",
            fix="nothing was written; export another format",
        )
    parity = compare_answers(ours, theirs, sample.source)
    wrong = difference_from(parity, quantized=quantize is not None)
    if wrong:
        raise RunError(
            f"{made.name} does not answer as the run's network does: {wrong}.",
            expected=f"a difference of at most {ALLOWED:g} and the same top class on {parity.images:,} images",
            fix="nothing was written; export another format",
            details={"images": sample.source, "runtime": exporter.runtime},
        )
    files = [one for one in sorted(made.rglob("*")) if one.is_file()] if made.is_dir() else [made]
    listed = tuple(
        FileRecord(str(one.relative_to(made.parent)), one.stat().st_size, sha256_of_file(one)) for one in files
    )
    return Certificate(
        format=exporter.name,
        quantized=quantize,
        certified=True if quantize is None else None,
        run=str(run.info.get("name", run.path.name)),
        network=str(run.info["config"].get("network")),
        classes=run.classes,
        input_shape=tuple(run.info["dataset"]["image_shape"]),
        runtime=exporter.runtime,
        parity=parity,
        allowed_difference=ALLOWED,
        accuracy=compare_accuracy(ours, theirs, sample.labels) if quantize else None,
        milliseconds_alone=round(float(found["alone"]), 4),
        milliseconds_batched=round(float(found["batched"]), 4),
        files=listed,
        bytes=sum(one.bytes for one in listed),
        versions=_versions(exporter),
        machine={"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()},
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _versions(exporter: Exporter) -> dict[str, str]:
    installed = {name: importlib.metadata.version(name) for name in (*_ALWAYS, *exporter.packages)}
    return {"python": platform.python_version(), **installed}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
