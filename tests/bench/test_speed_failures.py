"""A contender that fails costs its own figures, not those of the others."""

import argparse
import json

import pytest

import memory
import scaling
import startup
import throughput
import time_to_accuracy
from speed.conversation import ContenderError

SECONDS = {"seewell_contender": 1.0, "keras_contender": 2.0, "tf1_contender": 4.0, "peak_contender": 1.0}
MACHINE = {"has_bfloat16": False, "has_onednn_by_default": True}
GIVEN = argparse.Namespace(rounds=3, seconds=1.0, steps=2, precisions="auto", only="", peak_size=8)


class Scripted:
    """A contender that answers at once, and fails where the test says so."""

    fails = ()
    closed = 0

    def __init__(self, module, settings, variables=None):
        self._module, self._way, self._asked = module, settings.get("way"), 0
        self._fail("start")

    def _fail(self, what):
        for module, way, where in self.fails:
            if (module, where) == (self._module, what) and way in (None, self._way):
                raise ContenderError(f"{module} ended with 1")

    def ask(self, what, **details):
        self._asked += 1
        self._fail(what)
        self._fail((what, self._asked))
        if what == "losses":
            return [1.0, float("nan")] if self._module == "keras_contender" else [1.0, 0.5]
        if what == "peak":
            return 100.0
        return details["count"] if what == "prepare" else SECONDS[self._module]

    def close(self):
        Scripted.closed += 1


@pytest.fixture
def cell(monkeypatch):
    monkeypatch.setattr(throughput, "Contender", Scripted)
    monkeypatch.setattr(throughput, "has_torch", lambda: False)
    monkeypatch.setattr(Scripted, "closed", 0)

    def run(*fails):
        monkeypatch.setattr(Scripted, "fails", fails)
        told = {"network": "net", "multiply_adds": {"training": 1}}
        return throughput.measure(told, "folder", "training", 10, GIVEN, MACHINE)

    return run


def test_nobody_fails(cell, capsys):
    found = cell()
    assert [row["images_per_second"] for row in found["rows"]] == [[20.0] * 3, [10.0] * 3, [10.0] * 3, [5.0] * 3]
    assert found["best_rival"]["ratio"] == pytest.approx((2, 2, 2))
    assert found["best_rival"]["lacks"] == "PyTorch is not there"
    throughput.tell(found)
    assert "[PyTorch is not there]: 2.00 (2.00 to 2.00)" in capsys.readouterr().out
    assert Scripted.closed == 5


@pytest.mark.parametrize("where", ["start", "prepare", ("seconds", 4)], ids=str)  # the 4th: the second round
def test_one_that_fails_leaves_the_cell_and_is_told(cell, capsys, where):
    found = cell(("keras_contender", "usual", where))
    assert [row["name"] for row in found["rows"]] == [
        "seewell float32",
        "Keras fit tuned float32, oneDNN",
        "TensorFlow 1 graph, feed_dict",
    ]
    assert found["failed"] == {"Keras fit float32, oneDNN": "keras_contender ended with 1"}
    assert Scripted.closed == (4 if where == "start" else 5)
    throughput.tell(found)
    assert "failed: keras_contender ended with 1" in capsys.readouterr().out


def test_without_ours_there_is_nothing_to_compare_with(cell, capsys):
    found = cell(("seewell_contender", None, "start"))
    assert found["best_rival"] is None
    assert all(row["ratio"] is None for row in found["rows"])
    throughput.tell(found)
    assert "ours / theirs" not in capsys.readouterr().out


def test_where_all_fail_the_bench_goes_on(cell):
    fails = [(module, None, "start") for module in SECONDS]
    found = cell(*fails)
    assert found["rows"] == []
    assert len(found["failed"]) == 5
    throughput.tell(found)


def test_without_a_peak_there_is_no_share_of_it(cell, capsys):
    found = cell(("peak_contender", None, "peak"))
    assert all(row["share_of_peak"] is None for row in found["rows"])
    throughput.tell(found)
    assert "of the peak" not in capsys.readouterr().out


def test_losses_that_are_not_finite_or_not_there_are_not_the_same_work(cell, capsys, monkeypatch):
    monkeypatch.setattr(Scripted, "fails", [("tf1_contender", None, "losses")])
    found = throughput.compare_losses("folder", 10, 2, 1e-3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["losses"]["Keras"] == [1.0, None]
    assert found["largest_difference"] == {"seewell": 0.0, "Keras": None}
    assert found["failed"] == {"series": "tf1_contender ended with 1"}
    throughput.tell_losses("net", found)
    said = capsys.readouterr().out
    assert "Keras: not finite" in said
    assert "series gave none" in said


@pytest.fixture
def trainings(monkeypatch, tmp_path):
    """time_to_accuracy with trainings that take no time; gives its exit code."""
    spent = {"seewell_training": 10.0, "keras_training": 30.0}

    class Trains(Scripted):
        def ask(self, what, **details):
            self._fail(what)
            seconds = spent[self._module]
            return {"curve": [{"epoch": 1, "seconds": seconds, "accuracy": 0.95}], "seconds": seconds}

    def run(*arguments, fails=()):
        monkeypatch.setattr(Scripted, "fails", fails)
        monkeypatch.setattr(time_to_accuracy, "Contender", Trains)
        monkeypatch.setattr(time_to_accuracy, "has_torch", lambda: False)
        out = tmp_path / "out.json"
        monkeypatch.setattr("sys.argv", ["time_to_accuracy", "--out", str(out), "--sources", "digits", *arguments])
        return time_to_accuracy.main(), out

    return run


def test_a_training_that_fails_is_told_by_the_exit_code_and_made_good_later(trainings, capsys):
    asked = ("--contenders", "seewell:quick;keras", "--seeds", "2", "--targets", "0.9,0.99")
    code, out = trainings(*asked, fails=[("keras_training", None, "train")])
    assert code == 1
    assert "2 trainings failed" in capsys.readouterr().err
    code, out = trainings(*asked)
    said = capsys.readouterr().out
    assert code == 0
    assert "best rival / best of ours 3.00 (3.00 to 3.00)   (keras / seewell:quick)" in said
    assert "digits, 99.00% validation accuracy: nobody" in said
    results = json.loads(out.read_text())["results"]
    assert [one["contender"] for one in results.values()].count("keras") == 2
    assert out.with_suffix(".png").stat().st_size > 0
    before = out.read_text()
    code, _ = trainings("--targets", "0.9", "--report")
    assert code == 0
    assert "best rival / best of ours 3.00" in capsys.readouterr().out
    assert out.read_text() == before


def test_another_recipe_of_the_same_name_is_trained_again(trainings, monkeypatch):
    asked = ("--contenders", "seewell:quick", "--seeds", "1")
    _, out = trainings(*asked)
    monkeypatch.setattr(time_to_accuracy, "recipe_of", lambda rival: "changed")
    _, out = trainings(*asked)
    assert [one["recipe"] for one in json.loads(out.read_text())["results"].values()][1:] == ["changed"]


def test_where_nobody_can_take_part_that_is_said(trainings, capsys):
    code, _ = trainings("--contenders", "airbench")
    assert code == 0
    assert "digits: none of the contenders can take part" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["keras:epoch=2", "seewell:quick,epoch=2"])
def test_a_misspelt_option_is_refused_before_anything_is_trained(trainings, capsys, text):
    with pytest.raises(SystemExit) as ended:
        trainings("--contenders", text)
    assert ended.value.code == 2
    assert "epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seewell:speed,network=sped:widths=8-8-8", "speed"),
        ("seewell:speed,network=speed:widths", "widths"),
        ("seewell:speed,network=speed,network=convnet", "one network"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_before_anything_is_trained(trainings, capsys, text, said):
    with pytest.raises(SystemExit) as ended:
        trainings("--contenders", text)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_was_trained_without_test_time_augmentation_is_trained_again_where_that_is_asked(trainings, monkeypatch):
    plan = {"targets": (0.9,), "augmented_targets": (0.9,), "contenders": ("keras",)}
    monkeypatch.setitem(time_to_accuracy.SOURCES, "digits", plan)
    asked = ("--contenders", "keras", "--seeds", "1")
    _, out = trainings(*asked, "--targets", "0.9")
    before = next(iter(json.loads(out.read_text())["results"].values()))
    assert before["augmented"] is False
    trainings(*asked)
    again = json.loads(out.read_text())["results"]
    assert [one["augmented"] for one in again.values()] == [True]
    trainings(*asked, "--targets", "0.9")
    assert json.loads(out.read_text())["results"] == again


TRAINED = {
    "command_seconds": 3.0,
    "training_seconds": 2.0,
    "images_per_second": 10.0,
    "seconds_an_update": 0.5,
    "peak_megabytes": 400.0,
}


@pytest.mark.parametrize(
    ("bench", "results", "said"),
    [
        (startup, {"import numpy, 1": 0.25}, "import numpy                       0.25 s   0.25 to 0.25, n=1"),
        (memory, {"1000, 0": 500.0, "50000, 2": 800.0}, "each byte of images costs 2.09 bytes; without images 494 MB"),
        (scaling, {"batch 1, 0": TRAINED, "batch 100, 1": TRAINED}, "seconds an update grows with an exponent of 0.00"),
    ],
    ids=["startup", "memory", "scaling"],
)
def test_a_report_of_what_is_not_whole_tells_what_is_there(bench, results, said, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.json"
    out.write_text(json.dumps({"settings": {}, "machines": [{"commit": "one"}], "results": results}))
    monkeypatch.setattr("sys.argv", ["bench", "--out", str(out), "--report"])
    bench.main()
    assert said in capsys.readouterr().out
    assert out.with_suffix(".png").stat().st_size > 0


def test_small_batches_get_more_updates_along_the_batch():
    assert [scaling.updates("batch", {"batch": batch}, 100) for batch in (1, 10, 100)] == [3000, 300, 100]
    assert scaling.updates("size", {"batch": 1}, 100) == 100


def test_a_rival_that_does_not_get_there_is_bounded(capsys):
    ours = {"curve": [{"seconds": 10.0, "accuracy": 0.9}], "seconds": 20.0, "seconds_before": 3.0}
    theirs = {"curve": [{"seconds": 40.0, "accuracy": 0.8}], "seconds": 40.0}
    there = {"curve": [{"seconds": 40.0, "accuracy": 0.9}], "seconds": 40.0}
    time_to_accuracy.tell({"seewell:a": [ours, ours], "keras": [theirs, there]}, 0.9, "accuracy", "90 %")
    said = capsys.readouterr().out
    assert "3.0 s before" in said
    assert "theirs / seewell:a at least 4.00 (1 of 2 did not get there)" in said
    time_to_accuracy.tell({"seewell:a": [ours], "keras": [theirs]}, 0.9, "accuracy", "90 %")
    assert "no rival got there" in capsys.readouterr().out
