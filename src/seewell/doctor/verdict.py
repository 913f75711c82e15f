"""After a training: what kind of error is left, with numbers and remedies."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from seewell.doctor.outcome import ResultFacts
from seewell.doctor.remedies import remedies_for
from seewell.doctor.rules.noise import judge_noise
from seewell.doctor.rules.overconfident import judge_overconfident
from seewell.doctor.rules.result import judge_bias, judge_variance
from seewell.doctor.rules.undertrained import judge_undertrained
from seewell.doctor.rules.weak_class import judge_weak_class
from seewell.findings import Finding, by_importance

__all__ = ["verdict"]


def verdict(facts: ResultFacts, settings: Mapping[str, Any], classes: Sequence[str] = ()) -> list[Finding]:
    """Judge a trained network.

    Args:
        facts: What was measured, such as `probes.result.result_facts` gives it.
        settings: The training's settings, to which the remedies are fitted; may be empty.
        classes: The names of the classes; without them their numbers are said.

    Returns:
        Bias and variance always, with their numbers, the larger part of the error
        first (variance only with a validation split); the rest where there is
        something to tell. "info" where nothing is wrong; the most important first.
    """
    errors = facts.errors
    found = [judge_bias(errors)] if errors.train_count else []
    if errors.train_count and errors.validation_count:
        found.append(judge_variance(errors))
    found.sort(key=lambda finding: -float(finding.measured or 0.0))
    noise = [] if facts.noise is None else judge_noise(facts.noise, facts.disputed)
    rest = judge_undertrained(facts)
    rest += [] if facts.calibration is None else judge_overconfident(facts.calibration)
    rest += judge_weak_class(facts.classes, classes, resting=facts.resting)
    return by_importance(
        [dataclasses.replace(one, remedies=remedies_for(one.code, settings)) for one in (*found, *noise, *rest)]
    )
