"""Findings: what is wrong, why, and what to do; no TensorFlow, no NumPy."""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["CODES", "SEVERITIES", "Finding", "Remedy", "Severity", "by_importance", "finding_from_dict"]

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")

CODES: dict[str, tuple[str, ...]] = {
    "result": ("high-bias", "high-variance"),
}
"""The codes that rules can give, by the question they answer; grows with the rules."""


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
