"""`seewell diagnose`, and what `seewell train` says of findings."""

import json

import pytest

NORMAL = ("--network", "convnet:widths=16-32", "--initializer", "normal")


def test_before_training_the_finding_is_named_with_its_option_and_the_exit_code_is_0(command, tmp_path):
    done = command("diagnose", *NORMAL, "digits", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["source"], found["network"]) == ("digits", "convnet")
    assert found["findings"][0]["code"] == "init-too-large"
    assert "--initializer default" in [one["option"] for one in found["findings"][0]["remedies"]]
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_diagnosed_for_people_on_stderr(command, tiny_run):
    done = command("diagnose", tiny_run.path)
    assert done.code == 0, done.err
    assert done.out == ""
    assert "high-bias" in done.err


def test_a_source_without_a_network_is_answered_with_the_command(refused):
    assert "seewell diagnose --network convnet digits" in refused("diagnose", "digits", kind="ConfigError")


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (["nowhere"], "RunError", "there is no run"),
        (["--network", "convent", "digits"], "ConfigError", 'did you mean "convnet"?'),
        (["--network", "convnet", "digit"], "DataError", "digits"),
        (["--recipe", "quik", "digits"], "ConfigError", 'did you mean "quick"?'),
        (["--augment", "flop", "digits"], "ConfigError", 'did you mean "flip"?'),
    ],
)
def test_what_cannot_be_diagnosed_is_said(refused, arguments, kind, said):
    assert said in refused("diagnose", *arguments, kind=kind)


def test_a_training_that_stops_on_a_critical_finding_is_exit_code_3_with_the_remedy(command, tmp_path):
    done = command("train", "digits", *NORMAL, "--stop-on", "critical", "--out", "run", "--json")
    assert done.code == 3, done.err
    assert done.out == ""
    message = done.err[done.err.index("TrainingStoppedError") :]
    assert "init-too-large" in message
    assert "--initializer default" in message
    assert "Findings" in done.err
    stored = json.loads((tmp_path / "run" / "findings.json").read_text())
    assert stored[0]["code"] == "init-too-large"
    shown = command("runs", "show", "run")
    assert "init-too-large" in shown.err


def test_findings_before_training_are_said_when_it_begins_and_not_without_the_doctor(command):
    tiny = ("train", "digits", "--network", "convnet:widths=4-8", "--initializer", "small-normal", "--steps", "1")
    said = command(*tiny, "--out", "with", "--json")
    assert "critical: init-too-small: " in said.err
    assert said.json["findings"][0]["code"] == "init-too-small"
    silent = command(*tiny, "--out", "without", "--json", "--no-doctor")
    assert "init-too-small" not in silent.err + silent.out
