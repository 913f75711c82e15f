"""The loop: what it measures, keeps and tells, and how it ends."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from seewell.config import TrainConfig
from seewell.data.dataset import Split
from seewell.errors import ConfigError, InterruptedTrainingError, NotFiniteError, TrainingStoppedError
from seewell.runs.checkpoint import folders, latest_complete, load, pointed
from seewell.runs.evaluation import evaluate
from seewell.runs.folder import RunFolder, make_folder
from seewell.runs.weights import assign, judged_weights, model_variables
from seewell.training.estimates import DataFacts
from seewell.training.judging import judge
from seewell.training.loop import Loop
from seewell.training.observers import Observer
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.schedules import rates
from seewell.training.signals import Reason, StopRequest
from seewell.training.trainee import build_for, make_trainee

TRAIN_KEYS = {"kind", "step", "epoch", "loss", "accuracy", "learning_rate", "seconds", "images_per_second"}
VALIDATION_KEYS = {"kind", "step", "epoch", "loss", "accuracy"}


class Watcher:
    """Remembers everything it is told."""

    def __init__(self):
        self.events = []

    def on_start(self, started):
        self.events.append(("start", started))

    def on_progress(self, step, loss, accuracy, images_per_second):
        self.events.append(("progress", step))

    def on_train(self, report):
        self.events.append(("train", report))

    def on_validation(self, report):
        self.events.append(("validation", report))

    def on_end(self):
        self.events.append(("end", None))

    def of(self, kind):
        return [what for name, what in self.events if name == kind]


class StopAt(Watcher):
    """Asks for a stop when a step is reached, as a signal would."""

    def __init__(self, step, number=2):
        super().__init__()
        self.step, self.number, self.request = step, number, StopRequest()

    def on_progress(self, step, loss, accuracy, images_per_second):
        if step >= self.step:
            self.request(self.number, None)


class Job:
    """A loop with all that it needs, in a folder."""

    def __init__(self, dataset, path, observers=(), stop=None, resumed=False, **settings):
        values = {
            "network": "fully-connected",
            "network_arguments": {"widths": "8"},
            "optimizer": "momentum",
            "learning_rate": 0.1,
            "batch_size": 10,
            "precision": "float32",
            **settings,
        }
        height, width, channels = dataset.image_shape
        facts = DataFacts(len(dataset.train), height, width, channels, dataset.num_classes)
        self.plan = resolve(TrainConfig(**values), facts, Hardware("any", 2, frozenset()))
        self.dataset, self.path = dataset, path
        self.folder = RunFolder(path) if resumed else make_folder(path)
        self.trainee = make_trainee(
            self.plan.config, dataset.image_shape, dataset.num_classes, None, tf.distribute.get_strategy()
        )
        self.loop = Loop(
            self.trainee,
            dataset,
            self.plan.config,
            total_steps=self.plan.total_steps,
            folder=self.folder,
            observers=observers,
            stop=stop or StopRequest(),
        )

    @property
    def history(self):
        return [json.loads(line) for line in self.folder.history.read_text().splitlines()]

    @property
    def kept_steps(self):
        return [int(path.name.removeprefix("step-")) for path in folders(self.folder.checkpoints)]

    def bytes_of_last(self):
        last = folders(self.folder.checkpoints)[-1]
        return {name: (last / name).read_bytes() for name in ("weights.safetensors", "optimizer.safetensors")}


@pytest.fixture
def job(small_dataset, tmp_path):
    def make(name="run", dataset=None, **settings):
        return Job(dataset or small_dataset, tmp_path / name, **settings)

    return make


def test_the_history_has_the_lines_of_the_contract(job):
    one = job(epochs=3)
    result = one.loop.run()
    history = one.history
    assert {frozenset(line) for line in history if line["kind"] == "train"} == {frozenset(TRAIN_KEYS)}
    assert {frozenset(line) for line in history if line["kind"] == "validation"} == {frozenset(VALIDATION_KEYS)}
    assert [line["step"] for line in history if line["kind"] == "validation"] == [6, 12, 18]
    assert [line["step"] for line in history if line["kind"] == "train"] == list(range(1, 19))
    for line in history:
        assert line["epoch"] == pytest.approx(line["step"] * 10 / 60)
        assert math.isfinite(line["loss"])
        assert 0 <= line["accuracy"] <= 1
    train = [line for line in history if line["kind"] == "train"]
    assert [line["seconds"] for line in train] == sorted(line["seconds"] for line in train)
    assert all(line["images_per_second"] > 0 for line in train)
    assert (result.steps, result.epochs, result.stopped) == (18, 3.0, "")
    assert result.seconds >= train[-1]["seconds"]
    assert result.images_per_second > 0


def test_what_is_easy_is_learned(job):
    one = job(epochs=20)
    one.loop.run()
    assert one.history[-1]["accuracy"] == 1.0


def test_a_report_is_the_mean_of_the_updates_since_the_last_one(job):
    fine, coarse = job("fine", steps=100, epochs=None), job("coarse", steps=100, epochs=None)
    coarse.loop._pacer._report_every = 20
    fine.loop._pacer._report_every = 1
    fine.loop.run()
    coarse.loop.run()
    each = [line for line in fine.history if line["kind"] == "train"]
    means = [line for line in coarse.history if line["kind"] == "train"]
    assert [line["step"] for line in means] == [20, 40, 60, 80, 100]
    for place, line in enumerate(means):
        part = each[20 * place : 20 * place + 20]
        assert line["loss"] == pytest.approx(np.mean([one["loss"] for one in part]), rel=1e-6)
        assert line["accuracy"] == pytest.approx(np.mean([one["accuracy"] for one in part]), rel=1e-6)


def test_the_learning_rate_told_is_the_schedule_s(job):
    one = job(steps=12, schedule="cosine", warmup=0.25)
    one.loop.run()
    told = [line["learning_rate"] for line in one.history if line["kind"] == "train"]
    planned = rates("cosine", learning_rate=0.1, warmup=0.25, total=12, first=0, count=12)
    assert told == pytest.approx(planned.tolist())


def test_validation_is_an_evaluation_of_the_judged_network_without_augmentation_and_dropout(job, small_dataset):
    one = job(epochs=2, augment=("mixup=1", "shift=2"), dropout=0.5, ema=0.9)
    one.loop.run()
    split = small_dataset.validation
    found = evaluate(one.trainee.average, split.images, split.labels, small_dataset.classes, "validation")
    last = one.history[-1]
    assert (last["kind"], last["accuracy"]) == ("validation", found.accuracy)
    assert last["loss"] == pytest.approx(found.loss, rel=1e-6)


def test_best_is_the_best_validation_accuracy_then_the_lowest_cost(job, small_dataset):
    one = job(epochs=12)
    result = one.loop.run()
    validations = [line for line in one.history if line["kind"] == "validation"]
    best = max(validations, key=lambda line: (line["accuracy"], -line["loss"]))
    assert result.best_step == best["step"]
    path = pointed(one.folder.checkpoints, "BEST")
    assert path.name == f"step-{best['step']:08d}"
    network = build_for(one.plan.config, small_dataset.image_shape, 3, None)
    assign(model_variables(network), judged_weights(load(path)))
    split = small_dataset.validation
    assert evaluate(network, split.images, split.labels, small_dataset.classes, "x").accuracy == best["accuracy"]


def test_the_observers_are_told_everything_in_order(job):
    watcher = Watcher()
    one = job(epochs=2, observers=[watcher])
    one.loop.run()
    (started,) = watcher.of("start")
    assert (started.first_step, started.total_steps, started.batch_size) == (0, 12, 10)
    assert started.steps_per_epoch == 6.0
    assert started.model is one.trainee.model
    assert watcher.events[0][0] == "start"
    assert watcher.events[-1][0] == "end"
    assert watcher.of("progress")[-1] == 12
    assert [report.step for report in watcher.of("validation")] == [6, 12]
    assert watcher.of("validation")[0].best


def test_the_last_checkpoints_and_the_best_stay(job):
    one = job(epochs=8, keep_last=2)
    result = one.loop.run()
    assert one.kept_steps == sorted({result.best_step, 42, 48})
    assert pointed(one.folder.checkpoints, "LATEST").name == "step-00000048"


def test_checkpoints_come_every_so_many_updates_and_at_the_end(job, small_dataset):
    flat = replace(
        small_dataset, validation=Split(small_dataset.validation.images, 0 * small_dataset.validation.labels)
    )
    one = job(dataset=flat, steps=15, checkpoint_every="4", keep_last=99, learning_rate=1e-9)
    result = one.loop.run()
    assert set(one.kept_steps) == {4, 8, 12, 15, result.best_step}


def test_checkpoints_by_time_do_not_come_each_epoch(job):
    one = job(epochs=6, checkpoint_every="10m", keep_last=99, learning_rate=1e-12)
    result = one.loop.run()
    better = {path for path in one.kept_steps if path not in (36, result.best_step)}
    assert len(one.kept_steps) < 6
    assert 36 in one.kept_steps
    assert all(step % 6 == 0 for step in better)


def test_checkpoints_by_time_come_when_the_time_has_passed(job):
    one = job(steps=7, checkpoint_every="0.000001s", keep_last=99)
    one.loop.run()
    assert one.kept_steps == list(range(1, 8))


def only_accuracy_counts(loop):
    judged = loop._judge
    loop._judge = lambda: replace(judged(), objective=1.0)


def test_early_stopping_waits_for_so_many_validations_without_a_better_one(job):
    one = job(epochs=30, early_stop=3)
    only_accuracy_counts(one.loop)
    result = one.loop.run()
    assert result.stopped == "no better validation accuracy in 3 validations"
    assert result.steps == result.best_step + 18
    assert one.kept_steps[-1] == result.steps


def test_a_stop_at_the_very_end_is_none(job):
    watcher = StopAt(12)
    one = job(epochs=2, observers=[watcher], stop=watcher.request)
    assert one.loop.run().stopped == ""


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_a_request_to_stop_saves_and_raises_with_the_signal_s_exit_code(job, number, code):
    watcher = StopAt(4, number)
    one = job(epochs=5, observers=[watcher], stop=watcher.request)
    with pytest.raises(InterruptedTrainingError) as caught:
        one.loop.run()
    assert caught.value.exit_code == code
    assert "4 of 30 updates" in caught.value.what
    assert str(one.path) in caught.value.fix
    assert one.kept_steps == [4]
    assert watcher.events[-1][0] == "end"
    assert load(folders(one.folder.checkpoints)[0]).step == 4


EVERYTHING = {"dropout": 0.4, "augment": ("shift=1", "mixup"), "ema": 0.9, "schedule": "cosine", "warmup": 0.1}


@pytest.mark.parametrize("cut", [1, 7, *(pytest.param(cut, marks=pytest.mark.slow) for cut in (12, 17))])
def test_a_training_that_was_cut_ends_with_the_same_bytes(job, small_dataset, tmp_path, cut):
    straight = job("straight", epochs=3, **EVERYTHING)
    whole = straight.loop.run()
    watcher = StopAt(cut)
    first = job("cut", epochs=3, observers=[watcher], stop=watcher.request, **EVERYTHING)
    with pytest.raises(InterruptedTrainingError):
        first.loop.run()
    newest, _ = latest_complete(first.folder.checkpoints)
    second = Job(small_dataset, tmp_path / "cut", resumed=True, epochs=3, **EVERYTHING)
    rest = second.loop.run(load(newest))
    assert second.bytes_of_last() == straight.bytes_of_last()
    assert (rest.best_step, rest.steps, rest.epochs) == (whole.best_step, whole.steps, whole.epochs)

    def plain(lines):
        return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]

    assert plain(second.history) == plain(straight.history)


def test_best_is_repaired_where_a_kill_came_before_it_was_written(job, small_dataset, tmp_path):
    watcher = StopAt(7)
    one = job(epochs=3, observers=[watcher], stop=watcher.request)
    with pytest.raises(InterruptedTrainingError):
        one.loop.run()
    best = pointed(one.folder.checkpoints, "BEST").name
    (one.folder.checkpoints / "BEST").unlink()
    again = Job(small_dataset, tmp_path / "run", resumed=True, epochs=3, stop=watcher.request)
    with pytest.raises(InterruptedTrainingError):
        again.loop.run(load(latest_complete(one.folder.checkpoints)[0]))
    assert best == "step-00000006"
    assert pointed(one.folder.checkpoints, "BEST").name == best


def test_a_training_that_ran_out_of_patience_does_not_go_on_when_it_is_resumed(job, small_dataset, tmp_path):
    one = job(epochs=30, early_stop=2)
    only_accuracy_counts(one.loop)
    first = one.loop.run()
    again = Job(small_dataset, tmp_path / "run", resumed=True, epochs=30, early_stop=2)
    second = again.loop.run(load(latest_complete(one.folder.checkpoints)[0]))
    assert (second.steps, second.stopped, second.best_step) == (first.steps, first.stopped, first.best_step)


def test_how_updates_are_shared_among_calls_changes_no_byte_and_no_line(job):
    one, other = job("one", epochs=4, **EVERYTHING), job("other", epochs=4, **EVERYTHING)
    for each, seconds in ((one, 1e-6), (other, 10.0)):
        each.loop._pacer._report_every = 9
        each.loop._pacer.measured = lambda steps, spent, pacer=each.loop._pacer, s=seconds: setattr(
            pacer, "_step_seconds", s
        )
        each.loop.run()
    assert one.bytes_of_last() == other.bytes_of_last()
    for line, same in zip(one.history, other.history, strict=True):
        assert (line["loss"], line["accuracy"], line["step"]) == (same["loss"], same["accuracy"], same["step"])


def poisoned(job):
    """A trainee whose weights overflow at once, in the layer fc1."""
    layer = job.trainee.model.get_layer("fc1")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, np.full_like(bias, np.inf)])


class Poison(Watcher):
    """Makes the bias of fc1 infinite when a step is reached."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_start(self, started):
        self.model = started.model

    def on_validation(self, report):
        if report.step == self.step:
            layer = self.model.get_layer("fc1")
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, np.full_like(bias, np.nan)])


def test_a_cost_that_is_not_finite_stops_naming_layer_and_batch_and_the_last_good_checkpoint_stays(job):
    watcher = Poison(12)
    one = job(epochs=5, observers=[watcher])
    with pytest.raises(NotFiniteError) as caught:
        one.loop.run()
    problem = caught.value
    assert problem.exit_code == 3
    assert problem.details["layer"] == "fc1"
    assert "fc1" in problem.what
    assert "learning-rate" in problem.fix
    assert all(np.isfinite(value).all() for value in load(latest_complete(one.folder.checkpoints)[0]).weights.values())
    assert watcher.events[-1][0] == "end"


def test_the_batch_named_is_the_one_whose_cost_was_not_finite(job):
    one = job(epochs=5)
    real = one.trainee.steps.run
    calls = []

    def run(chunk, planned):
        calls.append((chunk.first_step, chunk.steps))
        if chunk.first_step >= 8:
            poisoned(one)
        return real(chunk, planned)

    one.trainee.steps.run = run
    with pytest.raises(NotFiniteError, match="the cost of batch") as caught:
        one.loop.run()
    number = calls[-1][0] + 1
    assert f"the cost of batch {number} is" in caught.value.what
    assert str(caught.value.details["batch"]).startswith(f"{number} (epoch ")
    assert caught.value.details["layer"] == "fc1"
    assert caught.value.details["kept"] == "the checkpoint of step 6"
    assert one.kept_steps == [6]


def test_a_cost_that_is_not_finite_at_once_leaves_no_checkpoint_and_says_so(job):
    one = job(epochs=2)
    poisoned(one)
    with pytest.raises(NotFiniteError) as caught:
        one.loop.run()
    assert caught.value.details["kept"] == "no checkpoint was written yet"
    assert one.kept_steps == []


def test_weights_that_the_last_update_made_infinite_are_never_kept(job):
    one = job(steps=1, optimizer="sgd", learning_rate=1e38, initializer="normal", network_arguments={"widths": "64-64"})
    one.loop._learning_rate = 3e38
    with pytest.raises(NotFiniteError) as caught:
        one.loop.run()
    assert one.kept_steps == []
    assert "layer" in caught.value.details


def test_a_network_without_a_finite_validation_cost_is_never_the_best(job, monkeypatch):
    from seewell.training import judging as module

    real = module.evaluate
    monkeypatch.setattr(module, "evaluate", lambda *given: replace(real(*given), loss=math.inf))
    one = job(epochs=2)
    with pytest.raises(NotFiniteError, match="validation images"):
        one.loop.run()
    assert pointed(one.folder.checkpoints, "BEST") is None
    assert [line["loss"] for line in one.history if line["kind"] == "validation"] == [None, None]


def test_label_smoothing_decides_between_equal_accuracies_by_the_cost_it_minimizes(job):
    one = job(epochs=1, label_smoothing=0.2)
    found = evaluate(
        one.trainee.model, one.dataset.validation.images, one.dataset.validation.labels, ("a", "b", "c"), "v"
    )
    soft = np.eye(3)[found.labels] * 0.8 + 0.2 / 3
    expected = -(soft * np.log(found.probabilities)).sum(axis=1).mean()
    assert judge(one.trainee.model, one.dataset, 0.2).objective == pytest.approx(expected, rel=1e-5)
    assert judge(one.trainee.model, one.dataset, 0.0).objective == found.loss


def test_a_configuration_that_is_not_resolved_is_refused(job, small_dataset):
    one = job(epochs=1)
    with pytest.raises(ConfigError, match="not resolved"):
        Loop(
            one.trainee,
            small_dataset,
            TrainConfig(network="convnet"),
            total_steps=1,
            folder=one.folder,
            observers=(),
            stop=StopRequest(),
        )


def test_the_test_split_is_not_touched(job, small_dataset):
    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError("the test split was looked at")

    job(dataset=replace(small_dataset, test=Untouchable()), epochs=1).loop.run()


class Refuses(Observer):
    """Asks for a stop at the first validation."""

    def __init__(self, request):
        self.request = request

    def on_validation(self, report):
        self.request.ask(Reason("it is no use.", "some use", "do something else"))


@pytest.mark.parametrize(
    "problem", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")]
)
def test_too_little_memory_is_one_error_with_a_smaller_batch(job, problem, monkeypatch):
    training = job(steps=10)

    def full(chunk, rates):
        raise problem

    monkeypatch.setattr(training.trainee.steps, "run", full)
    with pytest.raises(TrainingStoppedError, match="not enough memory for batches of 10 images") as caught:
        training.loop.run()
    assert caught.value.exit_code == 3
    assert caught.value.fix == "--batch-size 5"
    assert caught.value.details["kept"] == "no checkpoint was written yet"


def test_an_observer_s_wish_to_stop_is_an_error_of_its_words_after_saving(job):
    request = StopRequest()
    one = job(epochs=3, stop=request, observers=[Refuses(request)])
    with pytest.raises(TrainingStoppedError) as caught:
        one.loop.run()
    step = one.kept_steps[-1]
    assert caught.value.what == f"the training was stopped after {step} of 18 updates: it is no use."
    assert (caught.value.expected, caught.value.fix, caught.value.exit_code) == ("some use", "do something else", 3)
    assert caught.value.details["kept"] == f"the checkpoint of step {step}"


def test_a_wish_that_comes_with_the_last_update_stops_nothing(job):
    request = StopRequest()
    one = job(epochs=1, stop=request, observers=[Refuses(request)])
    assert one.loop.run().steps == 6
