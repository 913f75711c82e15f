"""The doctor at our own loop: it finds, it changes nothing, it stops on request, it never breaks a training."""

import json

import pytest

from seewell.config import TrainConfig
from seewell.errors import ConfigError, NotFiniteError, TrainingStoppedError
from seewell.preparing import prepare
from seewell.runs.checkpoint import folders
from seewell.runs.run import open_run
from seewell.watching import LoopDoctor
from seewell.workbench import resume, train

TINY = {"network": "fully-connected", "network_arguments": {"widths": "16"}, "precision": "float32"}
EVERYTHING = {
    "network": "convnet",
    "network_arguments": {"widths": "4", "normalization": "batch"},
    "precision": "float32",
    "dropout": 0.3,
    "augment": ("shift", "mixup"),
    "l2": 1e-4,
    "ema": 0.9,
    "schedule": "cosine",
    "warmup": 0.1,
    "seed": 3,
}


def numbers(path):
    """What a training computes: the last checkpoint's bytes, and the history without times."""
    last = folders(path / "checkpoints")[-1]
    history = [
        {name: value for name, value in entry.items() if name not in ("seconds", "images_per_second")}
        for entry in open_run(path).history
    ]
    return {name: (last / name).read_bytes() for name in ("weights.safetensors", "optimizer.safetensors")}, history


def codes(findings):
    return [one.code for one in findings]


def with_evidence(findings):
    return [*codes(findings), *(symptom.code for one in findings for symptom in one.evidence)]


def test_a_training_is_the_same_to_the_bit_with_and_without_the_doctor(small_dataset, tmp_path):
    config = TrainConfig(**EVERYTHING, batch_size=20, steps=25)
    watched = train(small_dataset, config, out=tmp_path / "with")
    alone = train(small_dataset, config, out=tmp_path / "without", doctor=False)
    assert numbers(watched.path) == numbers(alone.path)
    assert "doctor" not in alone.info
    described = watched.info["doctor"]
    assert described["examination_seconds"] > 0
    assert described["seconds"] > 0
    assert not [limit for limit in described["limits"] if "failed" in limit]


class _BrokenError(Exception):
    pass


@pytest.mark.parametrize(
    "probe",
    [
        "seewell.watching._compiled",
        "seewell.doctor.examination.Examination.run",
        "seewell.doctor.watch.Watch.probe",
        "seewell.doctor.watch.Watch.before_update",
        "seewell.doctor.watch.Watch.after_update",
        "seewell.watching.judge_course",
    ],
)
def test_a_probe_that_fails_is_a_note_in_run_json_and_the_training_goes_on(small_dataset, tmp_path, monkeypatch, probe):
    def broken(*arguments):
        raise _BrokenError("no such thing")

    monkeypatch.setattr(probe, broken)
    run = train(small_dataset, TrainConfig(**TINY, batch_size=20, steps=4), out=tmp_path / "run")
    assert run.summary["steps"] == 4
    assert any("_BrokenError" in limit for limit in run.info["doctor"]["limits"])


def test_a_critical_finding_before_the_first_update_stops_where_that_is_asked_for(digits, tmp_path):
    config = TrainConfig(network="convnet", network_arguments={"widths": "16-32"}, initializer="normal", steps=5)
    with pytest.raises(TrainingStoppedError) as caught:
        train(digits, config, out=tmp_path / "run", stop_on="critical")
    problem = caught.value
    assert problem.exit_code == 3
    assert "before its first update: init-too-large" in problem.what
    assert problem.fix == "--initializer default"
    assert codes(open_run(tmp_path / "run").findings)[0] == "init-too-large"
    assert "init-too-large" in open_run(tmp_path / "run").info["stopped"]
    assert folders(tmp_path / "run" / "checkpoints") == []


@pytest.fixture
def stopped(small_dataset, tmp_path, monkeypatch):
    """A run that the doctor stopped after its first epoch, and the resumable folder."""
    from seewell.findings import Finding, Remedy

    finding = Finding(
        "loss-diverging",
        "critical",
        None,
        "The cost rose.",
        3.0,
        "a falling cost",
        "definition",
        remedies=(Remedy("Less."),),
    )
    with monkeypatch.context() as patch:
        patch.setattr("seewell.watching.judge_course", lambda course: [finding])
        with pytest.raises(TrainingStoppedError) as caught:
            train(small_dataset, TrainConfig(**TINY, batch_size=20, steps=60), out=tmp_path / "run", stop_on="critical")
    return tmp_path / "run", caught.value


def test_a_critical_finding_during_training_stops_with_a_checkpoint_that_can_be_gone_on_from(
    stopped, small_dataset, monkeypatch
):
    path, problem = stopped
    step = int(folders(path / "checkpoints")[-1].name.removeprefix("step-"))
    assert 0 < step < 60
    assert f"after {step} of 60 updates: loss-diverging. The cost rose." in problem.what
    assert problem.details["kept"] == f"the checkpoint of step {step}"
    assert "loss-diverging" in with_evidence(open_run(path).findings)
    monkeypatch.setattr("seewell.preparing.load_as", lambda *arguments: small_dataset)
    finished = resume(path, stop_on="critical")
    assert finished.summary["steps"] == 60
    assert "stopped" not in finished.info
    assert "doctor" in finished.info
    assert "loss-diverging" not in with_evidence(finished.findings)


def test_without_being_asked_a_critical_finding_stops_nothing(digits, tmp_path):
    config = TrainConfig(network="convnet", network_arguments={"widths": "4-8"}, initializer="small-normal", steps=3)
    run = train(digits, config, out=tmp_path / "run")
    assert run.summary["steps"] == 3
    assert run.findings[0].code == "init-too-small"
    assert {"high-bias", "high-variance"} <= set(with_evidence(run.findings))
    assert [one.to_dict() for one in run.findings] == run.summary["findings"]


@pytest.mark.parametrize("doctor", [True, False])
def test_a_cost_that_is_not_finite_is_a_finding_with_layer_and_batch_under_its_cause(digits, tmp_path, doctor):
    config = TrainConfig(**{**TINY, "precision": "float32"}, optimizer="sgd", learning_rate=1e20, steps=20)
    with pytest.raises(NotFiniteError) as caught:
        train(digits, config, out=tmp_path / "run", doctor=doctor)
    findings = open_run(tmp_path / "run").findings
    (found,) = [
        one
        for one in (*findings, *(symptom for cause in findings for symptom in cause.evidence))
        if one.code == "non-finite-loss"
    ]
    assert found.layer == caught.value.details["layer"]
    assert str(caught.value.details["batch"]) in str(found.measured)
    assert findings[0].severity == "critical"
    assert (findings[0].code == "learning-rate-too-high") == doctor


def test_stopping_needs_the_doctor_and_a_severity_that_stops(small_dataset, tmp_path):
    with pytest.raises(ConfigError, match="without the doctor"):
        train(small_dataset, TrainConfig(**TINY), out=tmp_path / "run", doctor=False, stop_on="critical")
    with pytest.raises(ConfigError, match="critcal") as caught:
        train(small_dataset, TrainConfig(**TINY), out=tmp_path / "run", stop_on="critcal")
    assert "critical" in caught.value.fix
    assert not (tmp_path / "run").exists()


def test_findings_are_kept_as_soon_as_they_are_known(digits, tmp_path):
    seen = []

    def look(plan, folder):
        seen.append(json.loads(folder.findings.read_text()))
        return []

    config = TrainConfig(network="convnet", network_arguments={"widths": "4-8"}, initializer="small-normal", steps=1)
    train(digits, config, out=tmp_path / "run", observers=look)
    assert seen[0][0]["code"] == "init-too-small"


@pytest.mark.parametrize(
    ("augment", "harmful"), [(("shift=7",), True), (("shift", "mixup"), False), (("mixup",), False)]
)
def test_the_loops_augmentation_is_judged_against_the_plain_images(augment, harmful):
    prepared = prepare("digits", TrainConfig(**TINY, augment=augment, steps=10))
    doctor = LoopDoctor(prepared)
    doctor.examine()
    assert ("augmentation-harmful" in codes(doctor.findings)) is harmful
    assert not [limit for limit in doctor.limits if "augmentation" in limit]
