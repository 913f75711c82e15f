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


def chosen() -> list[Any]:
    """Every third kind of fault of the calibration half, and some healthy trainings, all of digits and short."""
    every = plan.trials("calibration", second=0, healthy_count=HEALTHY, datasets=("digits",))
    kinds = sorted({one.fault for one in every if one.fault})
    kept = kinds[:: max(1, len(kinds) // FAULTY)]
    found = [one for one in every if one.fault in kept or (not one.fault and "/healthy/" in one.key)]
    return [dataclasses.replace(one, setup=shorter(one.setup)) for one in sorted(found, key=lambda one: one.key)]


def shorter(setup: Any) -> Any:
    return dataclasses.replace(setup, count=min(setup.count, 600), epochs=min(setup.epochs, 4))


def verdict(one: Any) -> list[str]:
    """The codes of the first three warnings, most important first."""
    record = trials.run(one)
    assert not [limit for limit in record["limits"] if "failed" in limit]
    return [finding["code"] for finding in figures.alarms(record["findings"])][:3]


def known() -> dict[str, list[str]]:
    return json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}


@pytest.mark.parametrize("one", chosen(), ids=lambda one: one.key)
def test_the_verdict_on_a_training_does_not_change(one: Any) -> None:
    assert verdict(one)[:1] == known()[one.key][:1]


def test_the_kept_verdicts_are_right() -> None:
    wrong = {key for key, codes in known().items() if "/faulty" in key and not codes}
    assert wrong == set()
    assert [key for key, codes in known().items() if "/healthy" in key and codes] == []


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
