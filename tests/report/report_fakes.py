"""A run as the report sees it, without TensorFlow: the attributes of `seewell.runs.run.Run`, made of plain numbers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seewell.data.dataset import ImageDataset, Split
from seewell.data.decode import Decoding
from seewell.errors import DataError, RunError
from seewell.findings import Finding, Remedy
from seewell.report.facts import Facts
from seewell.runs.evaluation import ClassResult, Evaluation

NASTY = """<script>alert("x")</script>&'"""


@dataclass(frozen=True)
class Row:
    name: str
    kind: str
    output_shape: tuple[int, ...]
    weights: int = 0
    biases: int = 0
    multiply_adds: int = 0


CONVNET_ROWS = (
    Row("image", "input", (28, 28, 1)),
    Row("conv1_1", "Conv2D", (28, 28, 64), 576, 64, 451_584),
    Row("conv1_2", "Conv2D", (28, 28, 64), 36_864, 64, 28_901_376),
    Row("pool1", "MaxPooling2D", (14, 14, 64)),
    Row("conv2_1", "Conv2D", (14, 14, 128), 73_728, 128, 14_450_688),
    Row("conv2_2", "Conv2D", (14, 14, 128), 147_456, 128, 28_901_376),
    Row("pool2", "MaxPooling2D", (7, 7, 128)),
    Row("logits", "Dense", (10,), 62_720, 10, 62_720),
)


@dataclass
class FakeRun:
    path: Path
    info: dict[str, Any]
    classes: tuple[str, ...]
    history: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = None
    data: ImageDataset | None = None
    has_network: bool = False

    @property
    def network(self) -> Any:
        if not self.has_network:
            raise RunError("there is no network.keras.")
        return object()

    def dataset(self) -> ImageDataset:
        if self.data is None:
            raise DataError("there is no folder my/digits.")
        return self.data

    def evaluate(self, source: Any = None, *, split: str = "test") -> Evaluation:
        if self.evaluation is None:
            raise RunError("there is no network.keras.")
        return self.evaluation

    def predict(self, images: Any) -> Any:
        return self.evaluate().probabilities


def make_split(count: int, num_classes: int, seed: int = 0, size: int = 8) -> Split:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, size, size, 1), dtype=np.uint8)
    return Split(images, np.arange(count, dtype=np.int64) % num_classes)


def make_dataset(classes: tuple[str, ...], *, test: bool = True) -> ImageDataset:
    return ImageDataset(
        name="digits",
        source="digits",
        classes=classes,
        train=make_split(120, len(classes)),
        validation=make_split(40, len(classes), 1),
        test=make_split(5 * len(classes), len(classes), 2) if test else None,
        decoding=Decoding(1, 8, 8),
    )


def make_evaluation(split: Split, classes: tuple[str, ...], name: str = "test", right: float = 0.9) -> Evaluation:
    rng = np.random.default_rng(3)
    count, kinds = len(split), len(classes)
    answers = np.where(rng.random(count) < right, split.labels, (split.labels + 1) % kinds)
    probabilities = np.full((count, kinds), 0.1 / max(kinds - 1, 1), np.float32)
    probabilities[np.arange(count), answers] = 0.9
    confusion = np.bincount(split.labels * kinds + answers, minlength=kinds**2).reshape(kinds, kinds).astype(np.int64)
    per_class = tuple(
        ClassResult(
            one,
            total := int(confusion[place].sum()),
            confusion[place, place] / total if total else None,
            (0.5, 1.0),
        )
        for place, one in enumerate(classes)
    )
    accuracy = float((answers == split.labels).mean())
    return Evaluation(name, 0.1, accuracy, (0.8, 0.95), count, split.labels, probabilities, confusion, per_class)


def make_history(steps: int = 200) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        loss = 2.3 * 0.98**step + 0.02
        lines.append({"kind": "train", "step": step, "epoch": step / 20, "loss": loss, "accuracy": 1 - loss / 3})
        if step % 20 == 0:
            lines.append({"kind": "validation", "step": step, "epoch": step / 20, "loss": loss, "accuracy": 0.9})
    return lines


def make_finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "code": "high-variance",
        "severity": "warning",
        "layer": None,
        "message": "The network does worse on new images than on those it trained on.",
        "measured": 0.123,
        "expected": "a gap below 0.1",
        "threshold_source": "design.md, section 7",
        "remedies": (
            Remedy("Vary the training images.", "keras.layers.RandomFlip()", "--augment flip,shift"),
            Remedy("Hold the weights small.", "", "--l2 1e-4"),
        ),
    }
    return Finding(**{**values, **changes})


def make_run(path: Path, *, num_classes: int = 10, test: bool = True, **changes: Any) -> FakeRun:
    classes = tuple(f"class {place}" for place in range(num_classes))
    counts = {"train": 120, "validation": 40, "test": 5 * num_classes if test else None}
    summary = {
        "run": str(path),
        "network": "convnet",
        "parameters": 321_000,
        "steps": 200,
        "epochs": 10.0,
        "seed": 0,
        "precision": "bfloat16",
        "train_loss": 0.02,
        "train_accuracy": 0.999,
        "validation_loss": 0.2,
        "validation_accuracy": 0.93,
        "test_loss": 0.21 if test else None,
        "test_accuracy": 0.92 if test else None,
        "test_interval": [0.81, 0.97] if test else None,
        "seconds_training": 33.3,
        "images_per_second": 1234.5,
        "findings": [],
        "target_error": 0.0,
    }
    info = {
        "format": 1,
        "name": path.name,
        "created": "2026-11-20T10:11:12+00:00",
        "config": {"network": "convnet", "network_arguments": {"widths": "64-128"}, "seed": 0, "batch_size": 100},
        "choices": [{"setting": "batch_size", "value": 100, "reason": "the network's own default"}],
        "versions": {"tensorflow": "2.21.0", "seewell": "0.1.0"},
        "machine": {"processor": "a CPU", "cores": 2},
        "dataset": {
            "name": "digits",
            "source": "digits",
            "classes": list(classes),
            "image_shape": [8, 8, 1],
            "counts": counts,
            "fingerprint": "",
            "decoding": {},
            "notes": ["3 of 4,000 files were left out."],
        },
        "result": summary,
    }
    values: dict[str, Any] = {
        "path": path,
        "info": info,
        "classes": classes,
        "history": make_history(),
        "findings": [make_finding()],
        "summary": summary,
    }
    return FakeRun(**{**values, **changes})


def make_facts(run: FakeRun, *, test: bool = True) -> Facts:
    dataset = make_dataset(run.classes, test=test)
    shown = dataset.test if dataset.test is not None else dataset.validation
    name = "test" if test else "validation"
    return Facts(
        run=run,
        split=name,
        evaluation=make_evaluation(shown, run.classes, name),
        shown=shown,
        training=dataset.train,
        layers=CONVNET_ROWS,
    )
