"""Errors: what, expected, fix, in one text; exit codes; near misses."""

import pytest

from seewell import errors
from seewell.errors import (
    ConfigError,
    DataError,
    InterruptedTrainingError,
    NetworkError,
    NotFiniteError,
    RunError,
    SeewellError,
    TrainingStoppedError,
    did_you_mean,
    unknown_name,
)


def test_the_text_has_each_part_on_a_line_of_its_own():
    problem = DataError(
        "a.png is empty.", expected="an image", fix="copy it again", details={"file": "a.png (0 bytes)"}
    )
    assert str(problem).splitlines() == [
        "DataError: a.png is empty.",
        "  file:      a.png (0 bytes)",
        "  expected:  an image",
        "  fix:       copy it again",
    ]


def test_parts_that_are_empty_are_left_out():
    assert str(RunError("gone.")) == "RunError: gone."
    assert str(RunError("gone.", fix="look elsewhere")).splitlines()[1:] == ["  fix:       look elsewhere"]


def test_the_parts_can_be_read_one_by_one():
    problem = NetworkError("what", expected="this", fix="that", details={"layer": "fc1"})
    assert (problem.what, problem.expected, problem.fix, problem.details) == ("what", "this", "that", {"layer": "fc1"})


def test_details_are_copied():
    details = {"file": "a"}
    problem = DataError("x", details=details)
    details["file"] = "b"
    assert problem.details == {"file": "a"}


@pytest.mark.parametrize("kind", [SeewellError, ConfigError, DataError, NetworkError, RunError])
def test_what_a_user_gave_wrong_has_exit_code_2(kind):
    assert kind("x").exit_code == 2
    assert issubclass(kind, SeewellError)


def test_a_training_that_stopped_itself_has_exit_code_3():
    assert TrainingStoppedError("x").exit_code == 3
    assert NotFiniteError("x").exit_code == 3


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_an_interrupted_training_has_the_exit_code_of_its_signal(number, code):
    problem = InterruptedTrainingError("x", signal_number=number, fix="resume", details={"run": "r"})
    assert problem.exit_code == code
    assert isinstance(problem, TrainingStoppedError)
    assert "resume" in str(problem)


def test_every_public_class_is_in_the_hierarchy_drawn_at_the_top():
    for name in errors.__all__:
        if name[0].isupper():
            assert name in (errors.__doc__ or "")


def test_a_near_miss_is_answered_with_the_right_name():
    assert did_you_mean("convent", ["convnet", "vgg16"]) == 'did you mean "convnet"?'
    assert did_you_mean("zzz", ["convnet"]) == ""


def test_an_unknown_name_lists_what_there_is():
    problem = unknown_name("network", "vgg15", ["vgg16", "convnet"])
    assert isinstance(problem, ConfigError)
    assert problem.what == 'there is no network "vgg15".'
    assert problem.expected == "convnet, vgg16"
    assert problem.fix == 'did you mean "vgg16"?'


def test_an_unknown_name_that_is_near_nothing_still_says_what_to_do():
    problem = unknown_name("network", "zzz", ["vgg16", "convnet"], error=NetworkError)
    assert isinstance(problem, NetworkError)
    assert problem.fix == "choose one of the 2 names above"
