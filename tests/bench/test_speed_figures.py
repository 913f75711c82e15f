"""The arithmetic, the plans and the bookkeeping of the speed benches."""

import doctest
import json
import math
import sys
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from speed import attempts, calibration, contenders, conversation, description, figures, record, rivals

POSITIVE = st.floats(0.01, 100)


@pytest.mark.parametrize("module", [attempts, calibration, figures, rivals], ids=lambda module: module.__name__)
def test_the_examples_run(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


@given(st.lists(POSITIVE, min_size=2, max_size=8))
def test_a_ratio_lies_in_its_interval_and_turns_over(ratios):
    middle, low, high = figures.ratio_interval(ratios)
    assert low <= middle * (1 + 1e-12)
    assert middle <= high * (1 + 1e-12)
    turned = figures.ratio_interval([1 / one for one in ratios])
    assert turned == pytest.approx((1 / middle, 1 / high, 1 / low), rel=1e-6)


def test_the_interval_is_students():
    middle, low, high = figures.ratio_interval([math.e**-1, math.e])  # logarithms -1 and 1: t(0.975, 1) = 12.706
    assert (math.log(middle), math.log(low), math.log(high)) == pytest.approx((0, -12.706, 12.706), abs=1e-3)
    assert figures.ratio_interval([3.0]) == (pytest.approx(3.0), None, None)
    assert figures.mean_interval([1.0, 3.0]) == pytest.approx((2, 2 - 12.706, 2 + 12.706), abs=1e-3)


@given(st.lists(st.tuples(POSITIVE, st.floats(0, 1)), max_size=10), st.floats(0, 1))
def test_seconds_to_an_accuracy_are_the_first_that_reach_it(points, target):
    curve = [{"seconds": seconds, "accuracy": accuracy} for seconds, accuracy in points]
    found = figures.seconds_to(curve, target)
    reached = [seconds for seconds, accuracy in points if accuracy >= target]
    assert found == (reached[0] if reached else None)


def test_seconds_with_augmentation_pass_over_points_without_it():
    curve = [{"seconds": 1.0, "accuracy": 0.99}, {"seconds": 2.0, "accuracy_augmented": 0.94}]
    assert figures.seconds_to(curve, 0.935, "accuracy_augmented") == 2.0


def entry(name, maker, precision="float32"):
    return contenders.Entry(name, maker, "module", precision)


def test_ours_is_what_the_machine_chooses_and_the_best_rival_the_fastest_of_two():
    speeds = {
        entry("seewell float32", "seewell"): [100.0, 100.0],
        entry("seewell bfloat16", "seewell", "bfloat16"): [240.0, 120.0],
        entry("Keras", "Keras", "bfloat16"): [120.0, 60.0],
        entry("PyTorch", "PyTorch"): [80.0, 90.0],
        entry("graph", "series"): [500.0, 500.0],
    }
    rows, best = contenders.summarize(
        speeds, "bfloat16", peaks={"float32": 1000.0, "bfloat16": 3000.0}, multiply_adds=5
    )
    assert best["name"] == "Keras"
    assert best["ours_to_theirs"] == [2.0, 2.0]
    assert [row["name"] for row in rows if row["ours"]] == ["seewell bfloat16"]
    assert [round(row["share_of_peak"], 3) for row in rows] == [0.5, 0.3, 0.15, 0.425, 2.5]


def test_without_seewell_there_are_no_ratios_and_no_best_rival():
    speeds = {entry("Keras", "Keras"): [10.0], entry("PyTorch", "PyTorch"): [20.0]}
    rows, best = contenders.summarize(speeds, "float32", peaks={"float32": None}, multiply_adds=5)
    assert best is None
    assert [(row["ours_to_theirs"], row["ours"], row["share_of_peak"]) for row in rows] == [(None, False, None)] * 2
    assert contenders.summarize({}, "float32", peaks={}, multiply_adds=5) == ([], None)


@given(fixed=st.floats(0, 0.5), each=st.floats(1e-4, 10), at_once=st.integers(1, 20))
def test_a_timing_takes_about_as_long_as_is_wanted_whatever_a_call_costs_once(fixed, each, at_once):
    wanted = 5.0

    def prepare(count):
        return count - count % min(at_once, count)

    def spent_on(count):
        return fixed + each * count

    count = calibration.updates_that_take(wanted, prepare=prepare, spent_on=spent_on)
    assert count == prepare(count)
    assert spent_on(count) >= 0.4 * wanted
    assert count <= calibration.FEWEST or spent_on(count) <= 2 * wanted + each * at_once


def test_bfloat16_is_left_out_where_the_processor_only_imitates_it():
    assert contenders.precisions("auto", False) == ("float32",)
    assert contenders.precisions("auto", True) == ("float32", "bfloat16")
    assert contenders.precisions("bfloat16", False) == ("bfloat16",)


def test_everybody_takes_part_in_each_precision():
    training = contenders.entries("training", ("float32", "bfloat16"), torch=True, onednn_by_default=False)
    counts = {maker: sum(one.maker == maker for one in training) for maker in ("seewell", "Keras", "PyTorch", "series")}
    assert counts == {"seewell": 2, "Keras": 8, "PyTorch": 4, "series": 1}
    with_onednn = {one.name for one in training if one.variables == {"TF_ENABLE_ONEDNN_OPTS": "1"}}
    assert with_onednn == {
        one.name for one in training if one.maker == "seewell" or (one.maker == "Keras" and "oneDNN" in one.name)
    }
    inference = contenders.entries("inference", ("float32",), torch=False, onednn_by_default=True)
    assert [one.name for one in inference] == [
        "seewell float32",
        "Keras predict float32, oneDNN",
        "Keras compiled call float32, oneDNN",
        "TensorFlow 1 graph, feed_dict",
    ]
    assert len({one.name for one in training}) == len(training)


@pytest.mark.parametrize("text", ["seewell", "airbensch", "airbench:epochs", "keras:fast", "keras:epoch=3"])
def test_a_contender_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=text.partition(":")[0]):
        rivals.parse(text)


def test_a_contender_of_seewell_keeps_its_settings_as_texts():
    found = rivals.parse("seewell:speed,time=60s,epochs=4")
    assert (found.recipe, found.options, found.module) == ("speed", ("time=60s", "epochs=4"), "seewell_training")


def test_a_misspelt_option_of_a_rival_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r'airbench has no option "epoch"; it has: epochs, .*Did you mean "epochs"'):
        rivals.parse("airbench:compile=true,epoch=4")
    with pytest.raises(ValueError, match=r"series-vgg has no option .* none"):
        rivals.parse("series-vgg:epochs=2")


def done(seconds, spent=100.0):
    """What a training gave that reached 90 % after so many seconds, or never."""
    curve = [] if seconds is None else [{"seconds": seconds, "accuracy": 0.9}]
    return {"curve": curve, "seconds": spent, "seconds_before": 2.0}


def test_the_best_got_there_most_often_and_then_soonest():
    found = {
        "quick but seldom": attempts.attempts([done(1.0), done(None), done(1.0)], 0.9),
        "slow": attempts.attempts([done(50.0), done(60.0), done(70.0)], 0.9),
        "best": attempts.attempts([done(40.0), done(90.0), done(50.0)], 0.9),
        "never": attempts.attempts([done(None), None], 0.9),
    }
    assert attempts.best(found) == "best"
    assert attempts.best({"never": found["never"]}) is None


def test_who_did_not_get_there_counts_with_all_that_it_took():
    ours = attempts.attempts([done(10.0), done(20.0), done(None), None], 0.9)
    theirs = attempts.attempts([done(30.0), done(None, spent=80.0), done(5.0), done(5.0)], 0.9)
    assert attempts.compare(theirs, ours) == attempts.Comparison((3.0, 4.0), bounds=1, missed=1)


def test_every_default_contender_can_be_read():
    for plan in rivals.SOURCES.values():
        assert len({rivals.parse(text).text for text in plan["contenders"]}) == len(plan["contenders"])


def test_results_survive_and_other_settings_are_refused(tmp_path):
    path = tmp_path / "found" / "out.json"
    first = record.Record(path, {"rounds": 2})
    first.add("cell", [1, 2])
    again = record.Record(path, {"rounds": 2})
    assert "cell" in again
    assert "another" not in again
    again.add("another", 3)
    assert json.loads(path.read_text())["results"] == {"cell": [1, 2], "another": 3}
    with pytest.raises(SystemExit, match="other settings"):
        record.Record(path, {"rounds": 3})
    assert "cell" not in record.Record(path, {"rounds": 3}, anew=True)


def test_results_of_another_machine_are_not_mixed_in(tmp_path, monkeypatch, capsys):
    path = tmp_path / "out.json"
    record.Record(path, {}).add("cell", 1)
    here = record.machine()
    for name, other in (("cores", 999), ("processor", "another"), ("variables", {}), ("versions", {"tensorflow": "1"})):
        monkeypatch.setattr(record, "machine", lambda name=name, other=other: {**here, name: other})
        with pytest.raises(SystemExit, match=f"other {name}"):
            record.Record(path, {})
    monkeypatch.setattr(record, "machine", lambda: {**here, "commit": "another"})
    assert not capsys.readouterr().err
    again = record.Record(path, {})
    assert "mixes results of the commits" in capsys.readouterr().err
    again.add("next", 2)
    found = json.loads(path.read_text())
    assert [found["machines"][found["made_by"][key]]["commit"] for key in ("cell", "next")] == [
        here["commit"],
        "another",
    ]


def test_a_report_reads_whatever_is_there_and_measures_nothing(tmp_path, monkeypatch):
    path = tmp_path / "out.json"
    with pytest.raises(SystemExit, match="is not there"):
        record.Record(path, {}, report=True)
    record.Record(path, {"rounds": 2}).add("case, 1", 5)
    before = path.read_text()
    monkeypatch.setattr(record, "machine", lambda: pytest.fail("a report looks at no machine"))
    assert record.Record(path, {"rounds": 3}, report=True).rounds("case", 3) == [5]
    assert path.read_text() == before


def test_what_is_said_of_the_machine_names_no_host_and_no_folder():
    said = record.machine()
    assert {"processor", "cores", "has_bfloat16", "versions", "commit", "load"} <= set(said)
    assert said["versions"]["tensorflow"]
    assert "/" not in json.dumps(said["versions"])


def test_a_contender_that_ends_says_why():
    with pytest.raises(conversation.ContenderError, match=r"ended with 1: .*No module named speed\.nothing"):
        conversation.Contender("nothing", {})


def test_pytorch_is_there_when_its_setup_has_ended_or_another_interpreter_imports_it(tmp_path, monkeypatch):
    asked = conversation.has_torch.__wrapped__
    own = tmp_path / "bin" / "python"
    monkeypatch.setattr(conversation, "_OWN_PYTHON", own)
    monkeypatch.setattr(conversation, "BENCH_PYTHON", own)
    own.parent.mkdir()
    own.write_text("")
    assert not asked()
    (tmp_path / ".seewell-setup").write_text("")
    assert asked()
    monkeypatch.setattr(conversation, "BENCH_PYTHON", tmp_path / "nothing")
    assert not asked()
    other = tmp_path / "other"
    for code in (0, 1):
        other.write_text(f"#!/bin/sh\nexit {code}\n")
        other.chmod(0o755)
        monkeypatch.setattr(conversation, "BENCH_PYTHON", other)
        assert asked() == (code == 0)


ECHO = """
import json, os, sys, time
print('"ready"', flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked["what"] == "hang":
        time.sleep(60)
    if asked["what"] == "die":
        sys.exit(3)
    print(json.dumps(os.environ.get(asked["what"])), flush=True)
"""


@pytest.fixture
def echo(monkeypatch):
    """Contenders that tell a variable of their environment, hang, or die."""
    monkeypatch.setattr(conversation, "command_of", lambda module, *given: [sys.executable, "-c", ECHO])


def test_onednn_is_left_to_tensorflow_unless_a_contender_says_otherwise(echo, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    for variables, expected in ((None, None), (conversation.ONEDNN, "1")):
        contender = conversation.Contender("echo", {}, variables)
        assert contender.ask("TF_ENABLE_ONEDNN_OPTS") == expected
        contender.close()


def test_a_contender_that_hangs_or_dies_is_an_error_and_can_be_closed(echo, monkeypatch):
    contender = conversation.Contender("echo", {})
    monkeypatch.setattr(conversation, "ANSWER_SECONDS", 0.2)
    with pytest.raises(conversation.ContenderError, match="no answer"):
        contender.ask("hang")
    contender.close()
    monkeypatch.setattr(conversation, "ANSWER_SECONDS", 60)
    contender = conversation.Contender("echo", {})
    for _ in range(2):
        with pytest.raises(conversation.ContenderError, match="ended with 3"):
            contender.ask("die")
    contender.close()


def test_validation_is_not_counted_as_training(monkeypatch):
    from speed.seewell_training import Watch

    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    watch = Watch()

    def judge(model, dataset, smoothing):
        now[0] += 10.0
        return model, dataset, smoothing

    def report(epoch, accuracy):
        from seewell.training.observers import ValidationReport

        return ValidationReport(step=1, epoch=epoch, loss=1.0, accuracy=accuracy, best=True)

    assert watch.begin("plan", "folder") == [watch]
    now[0] += 1.0  # what other observers do before the first update is counted
    for epoch, accuracy in ((1, 0.5), (2, 0.8)):
        now[0] += 3.0
        assert watch.timed(judge)("model", "dataset", 0.1) == ("model", "dataset", 0.1)
        watch.on_validation(report(epoch, accuracy))
    assert [(one["seconds"], one["accuracy"]) for one in watch.curve] == [(4.0, 0.5), (7.0, 0.8)]
    assert (watch.seconds, watch.apart) == (7.0, 20.0)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=3, max_size=8, unique_by=lambda one: one[0]))
def test_the_slope_of_a_line_lies_in_its_interval(points):
    (slope, low, high), _ = figures.line(*zip(*points, strict=True))
    assert low <= slope <= high


def test_two_points_give_a_line_without_an_interval():
    assert figures.line([1, 2], [5, 7]) == ((2.0, None, None), 3.0)


def test_the_images_of_a_network_are_those_of_its_examples():
    assert description.shape_of("convnet:widths=4") == (28, 28, 1)
    assert description.shape_of("speed") == (32, 32, 3)
