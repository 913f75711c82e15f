"""`evaluate`, `predict`, `report` and `runs`: what they print, and what they refuse."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from seewell.runs.checkpoint import folders, latest_complete


@pytest.fixture
def pictures(digits, tmp_path):
    """Three test images as files."""
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(digits.test.images[number, :, :, 0]).save(paths[-1])
    return paths


def test_predict_prints_the_top_classes_with_their_probabilities(command, tiny_run, pictures, digits):
    done = command("predict", tiny_run.path, *pictures, "--top", "2", "--json")
    assert done.code == 0, done.err
    expected = tiny_run.predict(digits.test.images[:3])
    assert [one["image"] for one in done.json["predictions"]] == [str(path) for path in pictures]
    for one, shares in zip(done.json["predictions"], expected, strict=True):
        order = shares.argsort()[::-1][:2]
        assert [best["class"] for best in one["top"]] == [digits.classes[index] for index in order]
        np.testing.assert_allclose([best["probability"] for best in one["top"]], shares[order], atol=1e-6)


def test_more_classes_than_there_are_is_all_of_them(command, tiny_run, pictures):
    done = command("predict", tiny_run.path, pictures[0], "--top", "99", "--json")
    assert len(done.json["predictions"][0]["top"]) == 10


def test_without_json_predictions_go_to_people_not_to_stdout_as_json(command, tiny_run, pictures):
    done = command("predict", tiny_run.path, pictures[0])
    assert done.code == 0, done.err
    assert "0.png" in done.err + done.out


def test_evaluate_prints_the_figures_of_the_summary(command, tiny_run):
    done = command("evaluate", tiny_run.path, "--json")
    assert done.code == 0, done.err
    assert done.json["run"] == str(tiny_run.path)
    assert done.json["accuracy"] == tiny_run.summary["test_accuracy"]
    assert done.json["interval"] == tiny_run.summary["test_interval"]
    assert sum(sum(row) for row in done.json["confusion"]) == done.json["count"]


def test_evaluate_takes_a_split_and_another_source(command, tiny_run):
    done = command("evaluate", tiny_run.path, "digits", "--split", "validation", "--json")
    assert done.json["accuracy"] == tiny_run.summary["validation_accuracy"]


@pytest.mark.parametrize("views", ["mirror", "mirror-shift"])
def test_test_time_augmentation_is_reported_apart_and_the_plain_figures_stay(command, tiny_run, views):
    plain = command("evaluate", tiny_run.path, "--json").json
    done = command("evaluate", tiny_run.path, "--tta", views, "--json")
    assert done.code == 0, done.err
    shown = done.json
    apart = shown.pop("tta")
    assert shown == plain
    assert apart["views"] == views
    assert apart["accuracy"] == tiny_run.evaluate(tta=views).accuracy != plain["accuracy"]
    assert "tta" not in tiny_run.summary
    assert f"({views})" in command("evaluate", tiny_run.path, "--tta", views).err


def test_a_test_time_augmentation_that_harms_says_so(command, tiny_run):
    plain, apart = tiny_run.evaluate(), tiny_run.evaluate(tta="mirror-shift")
    assert apart.accuracy < plain.accuracy  # mirrored digits are other signs
    assert "It harms here" in command("evaluate", tiny_run.path, "--tta", "mirror-shift").err


def test_evaluate_prints_a_table_for_people(command, tiny_run):
    done = command("evaluate", tiny_run.path)
    assert done.code == 0, done.err
    assert done.out == ""
    assert "95 %" in done.err


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["evaluate", "{run}", "--split", "tset"], "DataError", 'did you mean "test"?'),
        (["evaluate", "{run}", "--tta", "mirorr"], "ConfigError", 'did you mean "mirror"?'),
        (["evaluate", "nowhere"], "RunError", "there is no run"),
        (["evaluate", "{run}", "nowhere"], "DataError", "nowhere"),
        (["predict", "nowhere", "x.png"], "RunError", "there is no run"),
        (["predict", "{run}", "none.png"], "DataError", "none.png"),
        (["predict", "{run}", "text.png"], "DataError", "text.png"),
        (["predict", "{run}", "."], "DataError", "."),
        (["predict", "{run}", "text.png", "--top", "0"], "ConfigError", "--top 3"),
        (["report", "nowhere"], "RunError", "there is no run"),
        (["runs", "show", "nowhere"], "RunError", "there is no run"),
        (["runs", "prune", "nowhere"], "RunError", "there is no run"),
        (["runs", "prune", "{run}", "--keep-last", "0"], "ConfigError", "--keep-last 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(refused, tiny_run, tmp_path, words, kind, said):
    (tmp_path / "text.png").write_text("no image")
    assert said in refused(*[word.format(run=tiny_run.path) for word in words], kind=kind)


def test_predict_without_images_is_wrong_usage(refused, tiny_run):
    refused("predict", tiny_run.path)


def test_a_damaged_network_is_said_in_one_message(refused, own_run, pictures):
    content = (own_run / "network.keras").read_bytes()
    (own_run / "network.keras").write_bytes(content[: len(content) // 2])
    assert "network.keras" in refused("predict", own_run, pictures[0], kind="RunError")


def test_the_runs_of_a_folder_are_listed_the_newest_last(command, own_run, tmp_path):
    shutil.copytree(own_run, tmp_path / "older")
    info = json.loads((tmp_path / "older" / "run.json").read_text())
    info["created"] = "2020-01-01T00:00:00+00:00"
    info["result"] = None
    (tmp_path / "older" / "run.json").write_text(json.dumps(info))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "something else").mkdir()
    done = command("runs", "list", tmp_path, "--json")
    assert done.code == 0, done.err
    assert [row["run"] for row in done.json["runs"]] == [str(tmp_path / "older"), str(own_run)]
    assert [row["finished"] for row in done.json["runs"]] == [False, True]
    assert done.json["runs"][1]["dataset"] == "digits"
    assert "broken" in done.err


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_no_runs_is_said_with_how_to_make_one(command, folder):
    done = command("runs", "list", folder)
    assert done.code == 0
    assert "seewell train digits" in done.err
    assert command("runs", "list", folder, "--json").json["runs"] == []


def test_a_table_of_runs_is_for_people(command, own_run, tmp_path):
    done = command("runs", "list", tmp_path)
    assert done.code == 0, done.err
    assert "fully-connected" in done.err
    assert done.out == ""


def test_show_prints_all_of_run_json_and_the_checkpoints(command, tiny_run):
    shown = command("runs", "show", tiny_run.path, "--json").json
    checkpoints = shown.pop("checkpoints")
    assert shown == tiny_run.info
    assert len(checkpoints) == len(folders(tiny_run.path / "checkpoints"))
    done = command("runs", "show", tiny_run.path)
    assert done.code == 0, done.err
    assert "digits" in done.err
    assert done.out == ""


def test_prune_removes_old_checkpoints_and_keeps_best_and_latest(command, own_run):
    before = folders(own_run / "checkpoints")
    assert len(before) == 2
    (own_run / "checkpoints" / "BEST").write_text(before[1].name + "\n")
    done = command("runs", "prune", own_run, "--dry-run")
    assert (done.code, len(folders(own_run / "checkpoints"))) == (0, 2)
    assert f"would be removed, 0.0 MB: {before[0].name}" in done.err
    done = command("runs", "prune", own_run)
    assert done.code == 0
    assert folders(own_run / "checkpoints") == [before[1]]
    assert (own_run / "network.keras").exists()


def test_prune_never_removes_the_newest_checkpoint_that_is_whole(command, own_run):
    older, newer = folders(own_run / "checkpoints")
    (newer / "state.json").write_text("{}")
    (own_run / "checkpoints" / "BEST").unlink()
    assert command("runs", "prune", own_run).code == 0
    assert latest_complete(own_run / "checkpoints")[0] == older


def test_the_report_is_one_file(command, own_run):
    done = command("report", own_run, "--json")
    assert done.code == 0, done.err
    assert done.json == {"run": str(own_run), "report": str(own_run / "report.html")}
    assert (own_run / "report.html").read_text(encoding="utf-8").startswith("<!")
