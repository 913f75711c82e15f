"""Do gradients reach the first layers, and are they of a sensible size?"""

from collections.abc import Sequence

from seewell.doctor.statistics import LayerValues
from seewell.findings import Finding

__all__ = ["judge_gradients"]

_VANISHED = 1e-3
"""Gradient of the first / of the largest later kernel (AutoTrainer: 1e-3). 31 healthy starts gave 0.19 and more."""
_EXPLODED = 1000.0
"""Root mean square of a kernel's gradient / of the kernel: a step of 0.001 replaces the weights. 32 healthy starts
gave at most 4, and 42 with a mean image subtracted from raw images; LTFN 6's normal start 24,000."""
_FEWEST = 3


def judge_gradients(values: Sequence[LayerValues]) -> list[Finding]:
    """Vanishing and exploding gradients.

    A last kernel that starts at zero lets no gradient through before the first
    update; that is a known design, and left alone.
    """
    known = [value for value in values if value.gradient is not None and value.finite]
    found = []
    zero_start = any(value.last and value.gain == 0.0 for value in values)
    if len(known) >= _FEWEST and not zero_start:
        first = known[0].gradient or 0.0
        largest = max(known[1:], key=lambda value: value.gradient or 0.0)
        ratio = first / largest.gradient if largest.gradient else None
        if ratio is not None and ratio < _VANISHED:
            message = f"The gradient is {ratio:.1g} times as large at {known[0].name} as at {largest.name}."
            found.append(
                Finding(
                    "gradient-vanishing",
                    "warning",
                    known[0].name,
                    message,
                    float(f"{ratio:.3g}"),
                    f"above {_VANISHED:g}",
                    "AutoTrainer (1e-3), far below healthy networks",
                )
            )
    large = [v for v in known if v.weight > 0 and (v.gradient or 0.0) / v.weight > _EXPLODED]
    if large:
        worst = max(large, key=lambda value: (value.gradient or 0.0) / value.weight)
        ratio = (worst.gradient or 0.0) / worst.weight
        message = f"The gradient of {worst.name} is {ratio:,.0f} times as large as its weights."
        found.append(
            Finding(
                "gradient-exploding",
                "warning",
                worst.name,
                message,
                float(f"{ratio:.3g}"),
                f"below {_EXPLODED:g}",
                "a step of 0.001 would replace the weights; calibrated on healthy networks",
            )
        )
    return found
