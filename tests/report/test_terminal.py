import io

import pytest
from report_fakes import CONVNET_ROWS, NASTY, Row, make_dataset, make_evaluation, make_finding, make_run
from rich.console import Console

from seewell.report import tables, terminal

MARKUP = "[bold red]not markup[/] [link=x]\x1b[31m"


def printed(show, *arguments, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(console, *arguments)
    return console.file.getvalue()


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "digits-convnet-1")


def test_the_end_of_a_training_says_result_errors_findings_next_step_and_place(run):
    text = printed(terminal.print_result, run, width=100)
    for words in (
        "92.0 % of the 50 test images are classified correctly.",
        "95 % interval 81.0 to 97.0 %",
        "bias 0.1 points over the target of 0 %",
        "variance 6.9 points over training",
        "high-variance",
        "measured 0.123",
        "first remedy: Vary the training images.",
        "\n    --augment flip,shift",
        "Try next",
        "  seewell train digits --network convnet:widths=64-128 --augment flip,shift\n",
        f"  {run.path}\n",
        f"seewell report {run.path}",
    ):
        assert words in text, words


def test_eighty_columns_are_enough_and_commands_are_not_broken(tmp_path):
    run = make_run(tmp_path)
    run.info["dataset"]["source"] = "folder/" * 20
    lines = printed(terminal.print_result, run).splitlines()
    long = [line for line in lines if len(line.rstrip()) > 80]
    assert all(line.lstrip().startswith(("seewell ", str(tmp_path)[:10])) for line in long)
    assert any("folder/" * 20 in line and "--augment" in line for line in lines)


def test_a_run_without_anything_measured_prints(tmp_path):
    run = make_run(tmp_path, summary={"stopped": "The cost is not finite."}, findings=[], history=[])
    text = printed(terminal.print_result, run)
    assert "Training stopped before its result was measured." in text
    assert "The cost is not finite." in text
    assert "Findings" not in text
    assert "stopped" in printed(terminal.print_run, run)


def test_a_perfect_network_has_no_bar_of_its_errors(tmp_path):
    run = make_run(tmp_path)
    run.summary.update(train_accuracy=1.0, validation_accuracy=1.0)
    assert "█" not in printed(terminal.print_result, run)


def test_nothing_from_users_is_read_as_markup_or_sent_to_the_terminal(tmp_path):
    run = make_run(tmp_path / "[red]run", findings=[make_finding(message=MARKUP, layer=MARKUP, code=MARKUP)])
    run.info["name"] = MARKUP
    run.info["dataset"]["name"] = MARKUP
    classes = (MARKUP, NASTY)
    found = make_evaluation(make_dataset(classes).test, classes)
    text = printed(terminal.print_result, run, width=200) + printed(terminal.print_run, run, width=200)
    text += printed(tables.print_evaluation, found, MARKUP, width=200)
    text += printed(tables.print_predictions, [(MARKUP, [(MARKUP, 0.9), (MARKUP, 0.1)])], width=200)
    text += printed(tables.print_runs, [(MARKUP, {"result": {"network": MARKUP}})], width=200)
    text += printed(tables.print_layers, CONVNET_ROWS, MARKUP, width=200)
    assert "\x1b" not in text
    assert text.count("[bold red]not markup[/] [link=x]\\x1b[31m") >= 10


def test_show_tells_what_the_run_is(run):
    text = printed(terminal.print_run, run)
    assert "321,000" in text
    assert "200 (10 epochs)" in text
    assert "2026-11-20 10:11" in text


def test_the_layer_table_has_its_sums():
    text = printed(tables.print_layers, CONVNET_ROWS, "convnet")
    assert "14×14×128" in text
    assert "72,767,744" in text
    assert "321,738 parameters: 321,344 weights, 394 biases" in text


def test_the_layers_of_a_residual_network_fit_into_eighty_columns():
    row = Row("stage1_block1_conv1_norm", "global average pool", (112, 112, 64), 11_683_712, 5_800, 1_814_073_344)
    lines = printed(tables.print_layers, [row], "resnet18").splitlines()
    assert any("stage1_block1_conv1_norm" in line for line in lines)
    assert not any("…" in line for line in lines)


def test_an_evaluation_shows_the_worst_class_first_and_what_it_was_taken_for():
    classes = ("ant", "bee")
    found = make_evaluation(make_dataset(classes).test, classes)
    found.confusion[:] = [[3, 2], [0, 5]]
    lines = printed(tables.print_evaluation, found, "run").splitlines()
    rows = [line for line in lines if line.startswith(classes)]
    assert len(rows) == 2
    assert "bee (2)" in next(row for row in rows if row.startswith("ant"))


def test_a_hundred_classes_are_cut_and_that_is_said():
    classes = tuple(f"class {place}" for place in range(100))
    text = printed(tables.print_evaluation, make_evaluation(make_dataset(classes).test, classes), "run")
    assert "and 70 classes that do better" in text


def test_runs_that_are_not_finished_are_listed_as_such():
    text = printed(tables.print_runs, [("a", {"result": {"test_accuracy": 0.9}}), ("b", {}), ("c", {"stopped": "x"})])
    assert "b (not finished)" in text
    assert "c (stopped)" in text
    assert "90.0 %" in text


def test_no_runs_says_how_to_make_one():
    assert "seewell train digits" in printed(tables.print_runs, [])
