"""From findings to advice: causes above symptoms, with remedies fitted to the training."""

import dataclasses
from collections.abc import Iterable

from seewell.doctor.facts import Facts
from seewell.doctor.remedies import remedies_for
from seewell.doctor.rules.combine import combine
from seewell.findings import Finding

__all__ = ["prescribe"]


def prescribe(findings: Iterable[Finding], facts: Facts | None) -> list[Finding]:
    """Combine findings and give each its remedies."""
    settings = {} if facts is None else {"learning_rate": facts.optimizer.learning_rate}
    return [
        dataclasses.replace(one, remedies=one.remedies or remedies_for(one.code, settings)) for one in combine(findings)
    ]
