"""Findings: plain values, there and back, in order of importance."""

import json

import pytest

from seewell.findings import CODES, SEVERITIES, Finding, Remedy, by_importance, finding_from_dict


def finding(code="high-bias", severity="info", **more):
    values = {
        "layer": None,
        "message": "m",
        "measured": 0.5,
        "expected": "e",
        "threshold_source": "t",
        **more,
    }
    return Finding(code=code, severity=severity, **values)


def test_a_finding_goes_round_through_json():
    symptom = finding("high-variance", layer="fc1", measured="all zero")
    cause = finding(evidence=(symptom,), remedies=(Remedy("more", "keras", "--epochs 2"), Remedy("less")))
    assert finding_from_dict(json.loads(json.dumps(cause.to_dict()))) == cause


def test_a_finding_that_lacks_a_field_is_a_key_error():
    values = finding().to_dict()
    del values["evidence"]
    with pytest.raises(KeyError):
        finding_from_dict(values)


def test_critical_comes_before_warning_before_info_and_the_order_within_stays():
    given = [finding("a", "info"), finding("b", "critical"), finding("c", "warning"), finding("d", "critical")]
    assert [one.code for one in by_importance(given)] == ["b", "d", "c", "a"]
    assert [one.code for one in given] == ["a", "b", "c", "d"]


def test_the_severities_are_these():
    assert SEVERITIES == ("critical", "warning", "info")


def test_codes_are_unique_and_written_in_one_way():
    codes = [code for group in CODES.values() for code in group]
    assert len(set(codes)) == len(codes)
    assert all(code == code.lower() and "_" not in code and " " not in code for code in codes)


def test_findings_import_neither_numpy_nor_tensorflow(run_python):
    done = run_python("import sys, seewell.findings; print([m for m in ('numpy', 'tensorflow') if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr
