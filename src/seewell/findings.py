"""Findings: what is wrong, why, and what to do; no TensorFlow, no NumPy."""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["CODES", "SEVERITIES", "Finding", "Remedy", "Severity", "by_importance", "finding_from_dict"]

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")

CODES: dict[str, dict[str, str]] = {
    "data": {
        "input-range-too-large": "the numbers that reach the first weights are large (raw 0 to 255)",
        "input-range-too-small": "the numbers that reach the first weights hardly differ (divided by 255 twice)",
        "non-finite-input": "images hold NaN or infinity",
        "labels-wrong": "labels do not belong to their images, or are no class numbers",
        "label-noise": "some labels are wrong",
        "class-imbalance": "some classes have far fewer images than others",
        "class-missing": "a class has no images",
        "train-test-shift": "validation images differ in kind from training images",
        "train-test-leak": "validation images are also training images",
        "ordered-batches": "images come sorted by class",
        "augmentation-harmful": "augmentation changes the images beyond recognition",
    },
    "structure": {
        "output-activation-missing": "the loss wants probabilities and is given logits",
        "output-activation-doubled": "softmax or sigmoid is applied twice",
        "output-activation-wrong": "the last activation cannot express one probability a class",
        "output-size-mismatch": "the number of outputs is not the number of classes",
        "hidden-activation-missing": "layers follow each other with no nonlinearity between them",
        "hidden-activation-saturating": "sigmoid or tanh in a deep stack shrinks the gradient at each layer",
        "init-constant": "all weights of a layer start equal",
        "init-too-large": "values grow from layer to layer at the start",
        "init-too-small": "values shrink from layer to layer at the start",
        "train-eval-mismatch": "the network answers differently in training and in use",
    },
    "loss and optimizer": {
        "loss-unsuitable": "the loss does not fit the labels or a classifier",
        "loss-sign-flipped": "the updates raise the cost instead of lowering it",
        "loss-not-averaged": "the loss is summed over the batch, not averaged",
        "learning-rate-too-high": "steps are so long that they miss the valley",
        "learning-rate-too-low": "steps are so short that the weights hardly move",
        "optimizer-unstable": "the optimizer's own settings make its steps grow",
    },
    "symptoms in training": {
        "gradient-exploding": "gradients are far too large",
        "gradient-vanishing": "gradients do not reach the first layers",
        "dead-units": "units give zero for every image and cannot recover",
        "saturated-units": "sigmoid or tanh units sit at their limits",
        "saturated-output": "the network answers with 0 or 1 before it has learned anything",
        "non-finite-loss": "the cost is NaN or infinite",
        "loss-stagnant": "the cost does not fall",
        "loss-diverging": "the cost rises",
        "loss-oscillating": "the cost jumps up and down",
    },
    "result": {
        "regularization-too-strong": "the penalty on the weights, or dropout, outweighs the images",
        "high-variance": "new images are judged much worse than training images",
        "high-bias": "even training images are judged poorly",
        "undertrained": "the cost was still falling when training ended",
        "overconfident": "the network is surer than it is right",
        "weak-class": "one class is judged much worse than the others",
    },
}
"""The codes that rules can give, by the question they answer, each with its meaning (design.md, section 7)."""


@dataclass(frozen=True)
class Remedy:
    """What to change: in words, as Keras code, and as a seewell option.

    Attributes:
        text: A sentence for a person.
        keras: The change in plain Keras; may be empty.
        option: The change as an option of ``seewell train``; may be empty.
    """

    text: str
    keras: str = ""
    option: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing, with its measurement and its remedies.

    Attributes:
        code: One of `CODES`.
        severity: "critical", "warning" or "info".
        layer: The layer's name, or None where it concerns the whole training.
        message: A sentence that a newcomer understands.
        measured: What was measured.
        expected: What a healthy training shows.
        threshold_source: Where the threshold comes from: a paper, a definition, a calibration.
        evidence: The symptoms that this finding explains.
        remedies: What to do, in order of expected gain.
    """

    code: str
    severity: Severity
    layer: str | None
    message: str
    measured: float | str | None
    expected: str
    threshold_source: str
    evidence: tuple["Finding", ...] = ()
    remedies: tuple[Remedy, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values, ready for JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "layer": self.layer,
            "message": self.message,
            "measured": self.measured,
            "expected": self.expected,
            "threshold_source": self.threshold_source,
            "evidence": [finding.to_dict() for finding in self.evidence],
            "remedies": [{"text": r.text, "keras": r.keras, "option": r.option} for r in self.remedies],
        }


def finding_from_dict(values: dict[str, Any]) -> Finding:
    """The inverse of `Finding.to_dict`.

    Raises:
        KeyError: A field is missing.
    """
    return Finding(
        code=values["code"],
        severity=values["severity"],
        layer=values["layer"],
        message=values["message"],
        measured=values["measured"],
        expected=values["expected"],
        threshold_source=values["threshold_source"],
        evidence=tuple(finding_from_dict(one) for one in values["evidence"]),
        remedies=tuple(Remedy(**one) for one in values["remedies"]),
    )


def by_importance(findings: list[Finding]) -> list[Finding]:
    """Critical before warning before info; the given order within each."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
