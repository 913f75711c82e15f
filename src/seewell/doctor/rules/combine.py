"""Which finding explains which: a cause stands above its symptoms."""

import dataclasses
from collections.abc import Iterable

from seewell.findings import CODES, SEVERITIES, Finding

__all__ = ["combine"]

_SYMPTOMS = frozenset(CODES["symptoms in training"])
_RESULTS = frozenset(CODES["result"]) - {"regularization-too-strong"}

_RANK = (
    *("non-finite-input", "output-size-mismatch", "loss-unsuitable", "output-activation-wrong"),
    *("output-activation-missing", "output-activation-doubled", "loss-sign-flipped", "init-constant"),
    *("init-too-large", "init-too-small", "input-range-too-large", "input-range-too-small"),
    *("hidden-activation-missing", "hidden-activation-saturating", "loss-not-averaged", "optimizer-unstable"),
    *("regularization-too-strong", "learning-rate-too-high", "learning-rate-too-low", "labels-wrong"),
    *("ordered-batches", "class-missing", "train-test-shift", "train-test-leak", "augmentation-harmful"),
    *("train-eval-mismatch", "class-imbalance", "label-noise"),
    *("high-bias", "high-variance", "undertrained", "overconfident", "weak-class"),
    *("non-finite-loss", "loss-diverging", "gradient-exploding", "gradient-vanishing", "dead-units"),
    *("saturated-units", "saturated-output", "loss-oscillating", "loss-stagnant"),
)
"""Causes before symptoms; among causes, what must be mended first for the rest to mean anything."""

_EXPLAINED = {
    "input-range-too-large": {"learning-rate-too-high"},
    "input-range-too-small": {"learning-rate-too-low", "init-too-small"},
    "init-too-large": {
        "non-finite-input",
        "learning-rate-too-high",
        "learning-rate-too-low",
        "regularization-too-strong",
    },
    "init-too-small": {"learning-rate-too-low", "learning-rate-too-high", "regularization-too-strong"},
    "init-constant": {"learning-rate-too-low", "learning-rate-too-high", "init-too-small", "regularization-too-strong"},
    "loss-not-averaged": {"learning-rate-too-high"},
    "optimizer-unstable": {"learning-rate-too-high", "learning-rate-too-low"},
    "loss-sign-flipped": {"learning-rate-too-high", "learning-rate-too-low"},
    "output-activation-missing": {"learning-rate-too-high", "learning-rate-too-low"},
    "output-activation-doubled": {"learning-rate-too-low"},
    "output-activation-wrong": {"learning-rate-too-high", "learning-rate-too-low"},
    "loss-unsuitable": {"learning-rate-too-high", "learning-rate-too-low"},
    "hidden-activation-saturating": {"learning-rate-too-low", "init-too-small"},
    "non-finite-input": {"learning-rate-too-high", "learning-rate-too-low", "init-too-large"},
    "output-size-mismatch": {"loss-sign-flipped"},
}
"""Causes that come of another cause, besides the symptoms, which any cause may explain."""

_POOR_RESULTS = {"high-bias", "undertrained"}
"""What any cause that stands in the way of learning explains."""

_FEW_SYMPTOMS = {
    "labels-wrong": {"loss-stagnant", "learning-rate-too-low", "high-bias", "high-variance", "overconfident"},
    "ordered-batches": {
        *("loss-stagnant", "loss-oscillating", "loss-diverging", "high-bias", "high-variance", "undertrained"),
        *("overconfident", "weak-class", "train-eval-mismatch"),
    },
    "class-imbalance": {"weak-class"},
    "class-missing": {"weak-class"},
    "train-test-shift": {"high-variance", "overconfident", "weak-class"},
    "train-test-leak": set(),
    "train-eval-mismatch": {"high-bias", "high-variance", "overconfident", "weak-class"},
    "label-noise": {"high-bias", "high-variance", "overconfident"},
    "high-bias": set(),
    "high-variance": {"overconfident"},
    "undertrained": set(),
    "overconfident": set(),
    "weak-class": set(),
}
"""Causes of a poor result that explain few or none of the symptoms of the training itself."""

_PROMOTED = {"loss-not-averaged": "learning-rate-too-high"}
"""Harmless by itself (info), but the cause where the other is found."""


def combine(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings, and put symptoms into the evidence of the cause that explains them.

    A cause explains only when it is at least a warning itself. Of several
    findings with one code and layer the most severe is kept.
    """
    kept = _promote(_unique(findings))
    causes = [one for one in kept if _explains_symptoms(one)]
    causes += [one for one in kept if one.code in _SYMPTOMS and one.severity == "critical"]
    told: dict[int, list[Finding]] = {}
    free: list[Finding] = []
    for one in kept:
        above = next((cause for cause in causes if cause is not one and _stands_above(cause, one)), None)
        if above is None:
            free.append(one)
        else:
            told.setdefault(id(above), []).append(one)
    # A cause that became evidence hands its own evidence on.
    return [
        dataclasses.replace(one, evidence=(*one.evidence, *_gather(one, told))) if id(one) in told else one
        for one in sorted(free, key=_importance)
    ]


def _gather(cause: Finding, told: dict[int, list[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    for one in told.get(id(cause), []):
        found += [one, *_gather(one, told)]
    return sorted(found, key=_importance)


def _explains_symptoms(finding: Finding) -> bool:
    return finding.severity != "info" and finding.code not in _SYMPTOMS


def _stands_above(cause: Finding, other: Finding) -> bool:
    """Of two that explain each other, the more important one explains."""
    mutual = _explains_symptoms(other) and _explains(other, cause)
    return _explains(cause, other) and not (mutual and _importance(other) < _importance(cause))


def _explains(cause: Finding, other: Finding) -> bool:
    if other.code in _RESULTS and other.severity == "info":
        return False  # bias and variance are always told with their numbers
    if cause.code in _SYMPTOMS:
        return other.code == "undertrained"  # where nothing can be learned, more updates are no remedy
    if cause.code in _FEW_SYMPTOMS:
        return other.code in _FEW_SYMPTOMS[cause.code]
    if other.code in _POOR_RESULTS:
        return True
    return other.code in _SYMPTOMS or other.code in _EXPLAINED.get(cause.code, set())


def _promote(findings: list[Finding]) -> list[Finding]:
    severities = {one.code: one.severity for one in findings}
    return [
        dataclasses.replace(one, severity=severities[_PROMOTED[one.code]])
        if one.severity == "info" and _PROMOTED.get(one.code) in severities
        else one
        for one in findings
    ]


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    best: dict[str, Finding] = {}
    for one in findings:
        known = best.get(one.code)
        if known is None or SEVERITIES.index(one.severity) < SEVERITIES.index(known.severity):
            best[one.code] = one
    return sorted(best.values(), key=_importance)


def _importance(finding: Finding) -> tuple[int, int]:
    return SEVERITIES.index(finding.severity), _RANK.index(finding.code) if finding.code in _RANK else len(_RANK)
