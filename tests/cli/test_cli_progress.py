"""How a training is shown: the series' lines in a log, a bar on a terminal."""

import io

from rich.console import Console

from seewell.cli.output import fail, print_json
from seewell.cli.progress import Bar, Lines
from seewell.errors import DataError, InterruptedTrainingError
from seewell.training.observers import Started, TrainReport, ValidationReport

STARTED = Started(model=None, first_step=0, total_steps=200, steps_per_epoch=50.0, batch_size=100)
REPORT = TrainReport(100, 2.0, 979579.125, 0.1234, 1e-7, 12.5, 1234.6)
VALIDATION = ValidationReport(100, 2.0, 0.0945, 0.9729, True)


def drive(watcher):
    watcher.on_start(STARTED)
    watcher.on_progress(100, 0.5, 0.25, 1000.0)
    watcher.on_train(REPORT)
    watcher.on_validation(VALIDATION)
    watcher.on_end()


def test_a_log_has_cost_and_accuracy_at_each_report_as_the_series_prints_them(capsys):
    drive(Lines())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "200 updates of 100 images",
        "step 100: cost 979579, accuracy 0.1234, 1235 images/s",
        "epoch 2: validation cost 0.0945, accuracy 0.9729 (best so far)",
    ]


def test_going_on_is_said(capsys):
    Lines().on_start(Started(None, 50, 200, 50.0, 100))
    assert capsys.readouterr().err == "goes on after 50 of 200 updates\n"


def test_a_terminal_has_a_bar_with_cost_accuracy_validation_and_speed():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=160, highlight=False)
    bar = Bar(console)
    bar.on_start(STARTED)
    bar.on_progress(60, 0.5, 0.25, 1000.0)
    bar.on_train(REPORT)
    bar.on_validation(VALIDATION)
    bar.on_progress(100, 0.5, 0.25, 1000.0)
    bar.on_end()
    shown = file.getvalue()
    assert "cost 0.5" in shown
    assert "acc 25.0%" in shown
    assert "val 97.3%" in shown
    assert "1,000 img/s" in shown
    assert "100/200" in shown


def test_json_is_one_line_and_what_is_not_finite_is_null(capsys):
    print_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": -float("inf")}, "e": ("é", None)})
    assert capsys.readouterr().out == ('{"a": null, "b": [null, 1.5], "c": {"d": null}, "e": ["\\u00e9", null]}\n')


def test_an_error_is_its_own_text_whatever_it_holds(capsys):
    problem = DataError("[bold]a[/] 50% {x}: \x1b[31m.", expected="b", details={"file": "c" * 300})
    assert fail(problem) == 2
    err = capsys.readouterr().err
    assert err.splitlines()[0].startswith("DataError: [bold]a[/] 50% {x}: ")
    assert "c" * 300 in err
    assert fail(InterruptedTrainingError("x", signal_number=15)) == 143
