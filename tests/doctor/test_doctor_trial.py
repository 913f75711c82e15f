"""A small form of the doctor's trial (`bench/doctor`): the verdicts on trainings of digits do not change.

Meant changes: `.venv/bin/python tests/doctor/test_doctor_trial.py` writes the verdicts anew; read the difference.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "doctor"
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "doctor-trial.json"
sys.path.insert(0, str(BENCH))

import faults  # noqa: E402
import figures  # noqa: E402
import plan  # noqa: E402
import trial as trials  # noqa: E402

FAULTY, HEALTHY = 12, 8
AT_THE_END = ("a class weighted to nothing", "validation labels shuffled")
"""Kinds that show in the result alone, which the callback leaves out where a busy machine has used up its seconds."""
NOT_SETTLED = tuple(f"calibration/healthy/{number}" for number in ("004", "006", "007"))
"""Small, imbalanced or overfitted trainings with findings of the result group: the bench has to say which are sound."""
HEAVY = ("resnet",)
"""Networks whose trainings take longest; they are slow."""
LATER = tuple(f"calibration/{name}" for name in ("healthy/001", "healthy/002", "negative", "noise", "relu"))
"""So the keys of others begin that are slow as well."""
KNOWN_MISSES = ("half the labels drawn at random",)
"""Kinds that the doctor does not name yet in so small a training."""


def chosen() -> list[Any]:
    """Every third kind of fault of the calibration half, and some healthy trainings, all of digits and short."""
    every = plan.trials("calibration", second=0, healthy_count=HEALTHY, datasets=("digits",))
    kinds = sorted({one.fault for one in every if one.fault})
    kept = kinds[:: max(1, len(kinds) // FAULTY)]
    found = [one for one in every if one.fault in kept or (not one.fault and "/healthy/" in one.key)]
    found = [one for one in found if one.fault not in AT_THE_END and one.key not in NOT_SETTLED]
    return [dataclasses.replace(one, setup=shorter(one.setup)) for one in sorted(found, key=lambda one: one.key)]


def shorter(setup: Any) -> Any:
    return dataclasses.replace(setup, count=min(setup.count, 600), epochs=min(setup.epochs, 4))


def is_slow(one: Any) -> bool:
    return one.setup.network in HEAVY or one.key.startswith(LATER)


def verdict(one: Any) -> dict[str, Any]:
    """The codes of the first three warnings, and whether a training without a fault is healthy beyond the doctor."""
    record = trials.run(one)
    assert not [limit for limit in record["limits"] if "failed" in limit]
    codes = [finding["code"] for finding in figures.alarms(record["findings"])][:3]
    return {"codes": codes, "healthy": not one.fault and figures.state(record) == "healthy"}


def known() -> dict[str, dict[str, Any]]:
    return json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=one.key, marks=[pytest.mark.slow] if is_slow(one) else []) for one in chosen()],
)
def test_the_verdict_on_a_training_does_not_change(one: Any) -> None:
    assert verdict(one)["codes"][:1] == known()[one.key]["codes"][:1]


def test_the_kept_verdicts_are_right() -> None:
    for one in chosen():
        codes = known()[one.key]["codes"]
        if one.fault and one.fault not in KNOWN_MISSES:
            assert set(codes) & set(faults.FAULTS[one.fault].codes), one.key
        if known()[one.key]["healthy"]:
            assert codes == [], one.key


def test_the_halves_share_no_kind_of_fault_and_no_architecture() -> None:
    halves = {half: plan.trials(half) for half in ("calibration", "unseen")}
    for what in (lambda one: one.fault, lambda one: one.setup.network):
        first, second = ({what(one) for one in halves[half]} - {""} for half in ("calibration", "unseen"))
        assert not first & second
    assert len(faults.FAULTS) >= 60
    for trials_of_half in halves.values():
        assert sum(not one.fault for one in trials_of_half) >= 150
        keys = [one.key for one in trials_of_half]
        assert len(set(keys)) == len(keys)


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({one.key: verdict(one) for one in chosen()}, indent=1) + "\n")
