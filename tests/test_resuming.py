"""Where a training goes on, what is refused, what may be changed on purpose, and that no recipe is needed for it."""

import json
import os
import resource
import shlex
import shutil
import signal

import numpy as np
import pytest

from resuming_makers import SETTINGS, UNTRAINED, content, edit, killed, outcome, train_small, write_source
from seewell import workbench
from seewell.cli.settings import read_overrides
from seewell.config import TrainConfig, config_from_dict
from seewell.data.loading import load_dataset
from seewell.errors import ConfigError, DataError, InterruptedTrainingError, RunError
from seewell.files import read_json, write_json
from seewell.runs.checkpoint import folders, load, pointed
from seewell.runs.run import open_run
from seewell.training.observers import Observer
from seewell.training.recipes import load_recipe
from seewell.training.schedules import rates
from seewell.workbench import resume, train


@pytest.fixture(scope="module")
def source(small_dataset, tmp_path_factory):
    return write_source(small_dataset.train, tmp_path_factory.mktemp("source") / "small.npz")


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory):
    """A finished run of 17 updates. Read-only."""
    return train_small(source, tmp_path_factory.mktemp("finished"))


@pytest.fixture
def cut(finished, tmp_path):
    return killed(finished, tmp_path / "run", 8)


@pytest.mark.parametrize("step", [4, 12])
def test_a_killed_run_ends_as_if_it_had_never_been_cut(finished, tmp_path, step):
    path = killed(finished, tmp_path / "run", step)
    found = resume(path, doctor=False)
    assert outcome(path) == outcome(finished)
    (entry,) = found.info["resumed"]
    assert entry == {"step": step, "passed_over": [], "notes": []}
    assert "changes" not in found.info


def test_what_a_kill_left_half_written_is_cleared_up(cut):
    for name in (".run.json.ab12.tmp.json", ".network.keras.ab12.tmp.keras"):
        (cut / name).write_text("half")
    resume(cut, doctor=False)
    assert [one.name for one in cut.iterdir() if ".tmp" in one.name] == []


def test_settings_that_were_edited_are_refused_with_the_difference_and_nothing_is_touched(cut):
    edit(cut, learning_rate=0.5, l2=0.1)
    before = content(cut)
    with pytest.raises(RunError, match="trained with other settings") as caught:
        resume(cut)
    assert caught.value.details == {
        "learning_rate": "trained with 0.01, now 0.5",
        "l2": "trained with 0.0, now 0.1",
    }
    assert f"train --resume {cut} --override learning_rate=0.5 --override l2=0.1" in caught.value.fix
    assert content(cut) == before


def test_the_command_that_goes_on_with_edited_settings_works_as_it_is_printed(finished, tmp_path):
    path = killed(finished, tmp_path / "a run", 8)
    edit(path, checkpoint_every="5", augment=["flip", "shift=1"], early_stop=7, epochs=4.0)
    with pytest.raises(RunError) as caught:
        resume(path)
    words = shlex.split(caught.value.fix[caught.value.fix.index("seewell train") :])
    assert words[:4] == ["seewell", "train", "--resume", str(path)]
    assert words[4::2] == ["--override"] * 4
    found = resume(path, overrides=read_overrides(words[5::2]), doctor=False)
    config = found.config
    assert (config.checkpoint_every, config.augment, config.early_stop) == ("5", ("flip", "shift=1"), 7)
    assert found.summary["epochs"] == pytest.approx(4, abs=0.2)


def test_a_setting_that_decides_the_network_is_refused_without_offering_an_override(cut):
    edit(cut, network_arguments={"widths": "9"})
    with pytest.raises(RunError) as caught:
        resume(cut)
    assert caught.value.fix == "put run.json back as it was"


def test_an_override_continues_on_purpose_and_is_written_down(cut, finished):
    edit(cut, learning_rate=0.5)
    found = resume(cut, overrides={"learning_rate": 0.5, "keep_last": 2}, doctor=False)
    assert found.info["changes"] == [
        {"step": 8, "setting": "learning_rate", "before": 0.01, "after": 0.5},
        {"step": 8, "setting": "keep_last", "before": 50, "after": 2},
    ]
    assert found.config.learning_rate == 0.5
    trained = [row for row in found.history if row["kind"] == "train"]
    planned = rates("cosine", learning_rate=0.5, warmup=0.0, total=found.summary["steps"], first=8, count=1)
    assert trained[8]["learning_rate"] == pytest.approx(float(planned[0]))
    assert trained[7] == [row for row in open_run(finished).history if row["kind"] == "train"][7]


@pytest.mark.slow
def test_a_run_that_was_changed_on_purpose_and_killed_again_goes_on_from_either_side_of_the_change(
    cut, finished, tmp_path
):
    whole = resume(cut, overrides={"learning_rate": 0.05}, doctor=False).path
    for step in (4, 12):
        again = killed(whole, tmp_path / f"again-{step}", step, finished.parent / UNTRAINED)
        found = resume(again, doctor=False)
        assert found.config.learning_rate == 0.05
        if step >= 8:
            assert outcome(again) == outcome(whole)


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        ({"network": "convnet"}, "cannot be changed"),
        ({"batch_size": 5}, "cannot be changed"),
        ({"learning_rte": 1}, 'no setting "learning_rte"'),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"schedule": "cosin"}, 'no schedule "cosin"'),
        ({"epochs": 1}, "updates are fewer"),
        ({"seed": 1}, "cannot be changed"),
        ({"learning_rate": None}, "cannot become None"),
        ({"schedule": None}, "cannot become None"),
        ({"ema": None}, "cannot become None"),
        ({"augment": None}, "cannot become None"),
        ({"precision": "auto"}, "cannot become 'auto'"),
        ({"precision": None}, "cannot become None"),
        ({"epochs": None}, "neither epochs nor steps"),
        ({"checkpoint_every": "often"}, "not an interval"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_nothing_is_touched(cut, overrides, match):
    before = content(cut)
    with pytest.raises(ConfigError, match=match):
        resume(cut, overrides=overrides)
    assert content(cut) == before


def test_an_override_that_needs_what_the_checkpoint_does_not_hold_names_it(cut):
    before = content(cut)
    with pytest.raises(RunError, match="it is another network's") as caught:
        resume(cut, overrides={"precision": "float16"})
    assert any("missing in the checkpoint" in str(text) for text in caught.value.details.values())
    assert content(cut) == before


def test_an_override_may_lengthen_a_training(cut):
    found = resume(cut, overrides={"epochs": 5}, doctor=False)
    assert found.summary["epochs"] == pytest.approx(5, abs=0.2)
    assert {one["setting"] for one in found.info["changes"]} == {"epochs", "total_steps"}


def test_other_images_are_refused_with_what_differs(finished, source, small_dataset, tmp_path):
    path = killed(finished, tmp_path / "run", 8)
    own = tmp_path / "own.npz"
    shutil.copy(source, own)
    info = read_json(path / "run.json")
    info["dataset"]["source"] = str(own)
    write_json(path / "run.json", info)
    images, labels = small_dataset.train.images.copy(), small_dataset.train.labels
    images[0, 0, 0, 0] ^= 1
    np.savez(own, images=images, labels=labels)
    with pytest.raises(DataError, match="not the dataset") as caught:
        resume(path)
    assert "other pixels or labels" in caught.value.details["differs"]
    np.savez(own, images=np.concatenate([images, images[:20]]), labels=np.concatenate([labels, labels[:20]]))
    with pytest.raises(DataError, match="not the dataset") as caught:
        resume(path)
    assert "images, now" in caught.value.details["train"]


def test_other_images_are_refused_also_where_run_json_says_that_they_are_the_same(finished, source, tmp_path):
    path = killed(finished, tmp_path / "run", 8)
    own = tmp_path / "own.npz"
    found = np.load(source)
    np.savez(own, images=found["images"] ^ 1, labels=found["labels"])
    info = read_json(path / "run.json")
    info["dataset"] |= {"source": str(own), "fingerprint": load_dataset(own).fingerprint()}
    write_json(path / "run.json", info)
    before = content(path)
    with pytest.raises(DataError, match="not the dataset"):
        resume(path)
    assert content(path) == before


def test_while_a_run_is_read_and_built_a_signal_ends_the_process_as_ever(cut, monkeypatch):
    handlers = []

    def reads(*arguments, **options):
        handlers.extend(signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM))
        raise KeyboardInterrupt

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(workbench, "go_on", reads)
    with pytest.raises(KeyboardInterrupt):
        resume(cut)
    assert handlers == before


def test_what_the_system_refuses_while_a_run_is_read_is_one_message(cut, monkeypatch):
    def fails(*arguments, **options):
        raise PermissionError(13, "Permission denied", "weights.safetensors")

    monkeypatch.setattr(workbench, "go_on", fails)
    with pytest.raises(RunError, match="cannot be read: Permission denied") as caught:
        resume(cut)
    assert caught.value.details == {"file": "weights.safetensors"}


def test_a_history_that_is_damaged_or_cut_ends_no_training_and_is_told(cut, finished):
    lines = (cut / "history.jsonl").read_bytes().splitlines(keepends=True)
    lines[2] = bytes([lines[2][0] ^ 0x80]) + lines[2][1:]
    (cut / "history.jsonl").write_bytes(b"".join(lines[:4]))
    assert len(open_run(cut).history) == 3
    with pytest.warns(RuntimeWarning, match="history"):
        found = resume(cut, doctor=False)
    counted = read_json(finished / "checkpoints" / "step-00000008" / "state.json")["history_lines"]
    assert found.info["warnings"] == [
        f"the history had 4 of the {counted} lines that the checkpoint counts; the others are lost.",
        "1 of the 4 lines of the history are damaged; they are passed over.",
    ]
    assert outcome(cut)[:-1] == outcome(finished)[:-1]
    assert [row["step"] for row in found.history][:4] == [1, 2, 4, 9]


class Stops(Observer):
    """An observer that lets a signal come after an update, on a disk that is full from then on."""

    def __init__(self, step, full=False):
        self.step, self.full = step, full
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def on_progress(self, step, loss, accuracy, images_per_second):
        if step == self.step:
            if self.full:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1, self.before[1]))
            os.kill(os.getpid(), signal.SIGTERM)

    def on_warning(self, text):
        """Told; what it says is looked for in run.json."""

    def on_end(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_an_interrupt_on_a_full_disk_is_an_interrupt(cut, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    real = workbench.write_json

    def write(path, value):
        real(path, value) if "stopped" not in value else full()

    monkeypatch.setattr(workbench, "write_json", write)
    monkeypatch.setattr(workbench, "_write_findings", full)
    with pytest.raises(InterruptedTrainingError) as caught:
        resume(cut, doctor=False, observers=lambda plan, folder: [Stops(10)])
    assert caught.value.exit_code == 143
    assert "No space left" in caught.value.details["not written down"]
    assert "stopped" not in read_json(cut / "run.json")


def test_what_was_warned_of_before_an_interrupt_stands_in_run_json(cut):
    with pytest.raises(InterruptedTrainingError, match="could not be saved"):
        resume(cut, doctor=False, observers=lambda plan, folder: [Stops(10, full=True)])
    warned = read_json(cut / "run.json")["warnings"]
    assert any("the checkpoint of step 10 could not be written" in text for text in warned)
    assert any("TensorBoard: File too large" in text for text in warned)
    assert "stopped" in read_json(cut / "run.json")


def test_a_finished_run_goes_on_for_so_many_more_epochs_with_a_schedule_of_its_own(finished, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    before = open_run(path)
    steps = before.summary["steps"]
    found = resume(path, more_epochs=2, doctor=False)
    total = found.summary["steps"]
    assert total > steps
    assert found.summary["epochs"] == pytest.approx(before.summary["epochs"] + 2, abs=0.2)
    assert found.info["schedule_start"] == steps
    assert found.info["results_before"] == [before.summary]
    assert found.history[: len(before.history)] == before.history
    added = [row["learning_rate"] for row in found.history if row["kind"] == "train" and row["step"] > steps]
    planned = rates("cosine", learning_rate=0.01, warmup=0.0, total=total - steps, first=0, count=total - steps)
    np.testing.assert_allclose(added, planned, rtol=1e-6)


@pytest.mark.slow
def test_a_continuation_that_is_killed_ends_as_one_that_is_not(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "whole")
    whole = resume(tmp_path / "whole", more_epochs=2, doctor=False).path
    steps = open_run(finished).summary["steps"]
    for step in (steps, steps + 3):
        path = killed(whole, tmp_path / f"cut-{step}", step, finished / "network.keras")
        resume(path, doctor=False)
        assert outcome(path) == outcome(whole)


def test_until_a_continuation_is_finished_the_network_answers_with_the_best_so_far(finished, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(finished, path)
    kept = load(pointed(path / "checkpoints", "BEST")).weights["fc1/kernel"]

    class Dies(Observer):
        def on_start(self, started):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume(path, more_epochs=2, doctor=False, observers=lambda plan, folder: [Dies()])
    assert open_run(path).summary == {}
    np.testing.assert_array_equal(open_run(path).network.get_layer("fc1").kernel.numpy(), kept)


def test_a_run_that_is_not_finished_takes_no_more_epochs_and_a_finished_one_says_how(cut, finished):
    with pytest.raises(RunError, match="is not finished"):
        resume(cut, more_epochs=2)
    with pytest.raises(RunError, match="is finished") as caught:
        resume(finished)
    assert "--epochs +10" in caught.value.fix


def test_other_versions_are_noted(cut):
    info = read_json(cut / "run.json")
    info["versions"]["keras"] = "3.0.0"
    write_json(cut / "run.json", info)
    (entry,) = resume(cut, doctor=False).info["resumed"]
    assert len(entry["notes"]) == 1
    assert "keras is" in entry["notes"][0]
    assert "was 3.0.0" in entry["notes"][0]


def test_other_kernels_and_a_seewell_that_rounds_otherwise_are_noted(cut):
    info = read_json(cut / "run.json")
    assert info["versions"].pop("arithmetic") > 1  # runs of before it was written down
    info["machine"]["onednn"] = not info["machine"]["onednn"]
    write_json(cut / "run.json", info)
    (entry,) = resume(cut, doctor=False).info["resumed"]
    assert len(entry["notes"]) == 2
    assert "this seewell rounds otherwise" in entry["notes"][0]
    assert "onednn is" in entry["notes"][1]


def test_a_part_of_the_network_alone_is_kept_on_wish_and_no_training_goes_on_from_it(source, tmp_path):
    path = train_small(source, tmp_path, only="fc*")
    run = open_run(path)
    for one in folders(path / "checkpoints"):
        kept = load(one)
        assert kept.only == "fc*"
        assert {name.partition("/")[0] for name in kept.weights} == {"fc1", "fc1_dropout"}
        assert kept.optimizer == {}
    best = load(pointed(path / "checkpoints", "BEST")).weights["fc1/kernel"]
    np.testing.assert_array_equal(run.network.get_layer("fc1").kernel.numpy(), best)
    whole = train(source, TrainConfig(**SETTINGS), out=tmp_path / "whole", doctor=False)
    assert whole.summary["validation_loss"] == run.summary["validation_loss"]
    for more in ({"more_epochs": 1}, {}):
        path = killed(path, tmp_path / "cut", 8) if not more else path
        with pytest.raises(RunError, match='hold the layers "fc\\*" alone'):
            resume(path, **more)
    with pytest.raises(RunError, match="--only"):
        _ = open_run(path).network


def test_neither_recipe_nor_any_code_is_needed_to_open_predict_evaluate_and_go_on(tmp_path, run_python):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'network = "convnet"\nnetwork_arguments = { widths = "4", normalization = "batch" }\noptimizer = "adam"\n'
        'precision = "float32"\nsteps = 6\nbatch_size = 50\ndropout = 0.1\npreprocess = "per-channel"\n'
    )
    train("digits", config_from_dict(load_recipe(str(recipe))), out=tmp_path / "run", doctor=False)
    recipe.unlink()
    after = (
        "import json, sys\nimport numpy as np\nfrom seewell.runs.run import open_run\n"
        "from seewell.workbench import resume\n"
        "run = open_run(sys.argv[1])\n"
        "answer = run.predict(np.zeros((2, 8, 8, 1), np.uint8)).shape\n"
        "test = run.evaluate().accuracy\n"
        "more = resume(sys.argv[1], more_epochs=0.1, doctor=False)\n"
        "print(json.dumps([answer, test == run.summary['test_accuracy'], more.summary['steps'] > 6]))\n"
    )
    done = run_python(after, tmp_path / "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[2, 10], True, True]
