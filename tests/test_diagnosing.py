"""Diagnosis without training: before the first update, and of runs that are over."""

import shutil

import numpy as np
import pytest

from seewell.config import TrainConfig
from seewell.diagnosing import diagnose, diagnose_before
from seewell.errors import NotFiniteError
from seewell.runs.run import open_run
from seewell.workbench import train


def codes(findings):
    return [one.code for one in findings if one.severity != "info"]


@pytest.mark.parametrize(
    ("initializer", "expected"), [("normal", ["init-too-large"]), ("small-normal", ["init-too-small"]), ("he", [])]
)
def test_the_series_initializers_are_named_before_the_first_update(digits, initializer, expected):
    config = TrainConfig(network="convnet", initializer=initializer, optimizer="adam")
    found = diagnose_before(digits, config)
    assert codes(found.findings) == expected
    assert found.network == "convnet"
    for finding in found.findings[: len(expected)]:
        assert any(remedy.option == "--initializer default" for remedy in finding.remedies)


def test_a_finished_run_is_judged_again_and_nothing_of_it_changes(own_run):
    before = {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()}
    found = diagnose(own_run)
    assert {"high-bias", "high-variance"} <= {one.code for one in found.findings}
    assert set(codes(found.findings)) <= {"high-bias", "undertrained"}
    assert {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()} == before


def test_of_a_run_whose_images_are_gone_its_own_findings_are_shown_and_that_is_said(tmp_path, digits):
    path = tmp_path / "images.npz"
    np.savez(path, images=digits.train.images[:100], labels=digits.train.labels[:100])
    config = TrainConfig(network="fully-connected", network_arguments={"widths": "8"}, steps=2, precision="float32")
    run = train(path, config, out=tmp_path / "run", doctor=False)
    path.unlink()
    found = diagnose(run.path)
    assert found.findings == tuple(run.findings)
    assert found.limits[0].startswith("the images: ")


def test_a_run_that_ended_with_a_cost_that_was_not_finite_keeps_that_finding(digits, tmp_path):
    config = TrainConfig(
        **{"network": "fully-connected", "network_arguments": {"widths": "16"}, "precision": "float32"},
        **{"optimizer": "sgd", "learning_rate": 1e20, "steps": 20},
    )
    with pytest.raises(NotFiniteError):
        train("digits", config, out=tmp_path / "run")
    stored = open_run(tmp_path / "run").findings
    found = diagnose(tmp_path / "run").findings
    assert found[0].code == stored[0].code == "learning-rate-too-high"
    assert "non-finite-loss" in {one.code for one in found[0].evidence}


def test_a_run_without_findings_json_is_judged_from_its_checkpoint(own_run):
    (own_run / "findings.json").unlink()
    shutil.rmtree(own_run / "tensorboard")
    assert codes(diagnose(own_run).findings) == []
