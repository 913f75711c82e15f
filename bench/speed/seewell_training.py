"""One training of a seewell recipe, by name, as it comes: accuracy against seconds of training.

The seconds run from before the first batch is asked for, with tracing, checkpoints, the doctor and TensorBoard; only
validation stands apart. Where a time is given (``time=60s``), measuring what fits into it is counted as well.
"""

import contextlib
import tempfile
import time
from pathlib import Path

from seewell.cli.settings import config_from_options, read_overrides
from seewell.preparing import load_as
from seewell.runs.evaluation import evaluate_on_views
from seewell.training import loop
from seewell.training.observers import Observer
from seewell.workbench import train
from speed.conversation import serve

VIEWS = "mirror-shift"
"""Test-time augmentation as the airbench port has it."""


class Watch(Observer):
    """Notes each validation; the seconds that they took are not counted.

    Args:
        augmented: Tell the accuracy with test-time augmentation, too.
    """

    def __init__(self, augmented=False):
        self.curve, self.apart, self.seconds = [], 0.0, 0.0
        self.began = None
        self._augmented, self._on_views = augmented, {}

    def begin(self, plan, folder):
        """Makes the observers of a training: the last thing before the loop, so the clock starts here."""
        self.began = time.perf_counter()
        return [self]

    def on_validation(self, report):
        seconds = time.perf_counter() - self.began - self.apart
        self.curve.append({"epoch": report.epoch, "seconds": seconds, "accuracy": report.accuracy, **self._on_views})
        self.seconds = seconds

    def timed(self, judge):
        """``judge`` with a clock around it, and with the look at several views of each image that goes with it."""

        def run(model, dataset, smoothing):
            began = time.perf_counter()
            try:
                found = judge(model, dataset, smoothing)
                if self._augmented:
                    self._on_views = {"accuracy_augmented": _accuracy_on_views(model, dataset)}
                return found
            finally:
                self.apart += time.perf_counter() - began

        return run

    @contextlib.contextmanager
    def judging(self):
        """Inside, the loop's validations are off the clock."""
        judge = loop.judge
        loop.judge = self.timed(judge)
        try:
            yield
        finally:
            loop.judge = judge


def _accuracy_on_views(model, dataset):
    held = dataset.validation
    return evaluate_on_views(model, held.images, held.labels, dataset.classes, "validation", VIEWS)[1].accuracy


class Training:
    """One training. Settings: "source", "recipe", "network" (instead of the recipe's, or None), "seed", "options"
    (texts such as "epochs=4"), "augmented" (tell also the accuracy with test-time augmentation at each validation)."""

    def __init__(self, settings):
        given = read_overrides([*settings["options"], f"seed={settings['seed']}"])
        self._config = config_from_options(settings["recipe"], settings["network"], given)
        self._dataset = load_as(settings["source"], self._config)
        self._augmented = settings["augmented"]

    def train(self):
        watch = Watch(self._augmented)
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder, watch.judging():
            run = train(self._dataset, self._config, out=Path(folder) / "run", observers=watch.begin)
            summary, settings = run.summary, run.config.to_dict()
            measuring = run.info.get("time", {}).get("measuring", 0.0)
        return {
            "curve": [{**one, "seconds": one["seconds"] + measuring} for one in watch.curve],
            "seconds": watch.seconds + measuring,
            "seconds_before": watch.began - began - measuring,
            "seconds_measuring": measuring,
            "seconds_validating": watch.apart,
            "images_per_second": summary["images_per_second"],
            "precision": summary["precision"],
            "batch_size": settings["batch_size"],
            "parameters": summary["parameters"],
            "kept_accuracy": summary["validation_accuracy"],
            "findings": [one["code"] for one in summary["findings"] if one["severity"] != "info"],
        }


make = Training

if __name__ == "__main__":
    serve(make)
