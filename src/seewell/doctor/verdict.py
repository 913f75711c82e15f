"""After a training: what kind of error is left, with numbers and remedies."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from seewell.doctor.remedies import remedies_for
from seewell.doctor.rules.result import ErrorFacts, judge_bias, judge_variance
from seewell.findings import Finding, by_importance

__all__ = ["verdict"]


def verdict(facts: ErrorFacts, settings: Mapping[str, Any]) -> list[Finding]:
    """Bias and variance as findings, the larger part of the error first within each severity.

    Args:
        facts: Errors, counts and target.
        settings: The training's settings, to which the remedies are fitted.

    Returns:
        Two findings, always with their numbers; "info" where nothing is wrong.
    """
    found = [judge_bias(facts), judge_variance(facts)]
    found.sort(key=lambda finding: -float(finding.measured or 0.0))
    return by_importance(
        [dataclasses.replace(finding, remedies=remedies_for(finding.code, settings)) for finding in found]
    )
