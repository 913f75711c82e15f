"""One training of a seewell recipe, by name, as it comes: accuracy against seconds of training.

The seconds run from the first batch asked for, with tracing, checkpoints and the doctor; only validation stands apart.
"""

import inspect
import tempfile
import time
from pathlib import Path

from seewell.cli.settings import config_from_options, read_overrides
from seewell.preparing import load_as
from seewell.training import loop
from seewell.training.observers import Observer
from seewell.workbench import train
from speed.conversation import serve


class Watch(Observer):
    """Notes each validation; the seconds that they took are not counted."""

    def __init__(self):
        self.curve, self.apart, self.seconds = [], 0.0, 0.0
        self.began = None

    def on_start(self, started):
        self.began = time.perf_counter()

    def on_validation(self, report):
        seconds = time.perf_counter() - self.began - self.apart
        self.curve.append({"epoch": report.epoch, "seconds": seconds, "accuracy": report.accuracy})
        self.seconds = seconds

    def timed(self, evaluate):
        """``evaluate`` with a clock around it."""

        def run(*given, **named):
            began = time.perf_counter()
            try:
                return evaluate(*given, **named)
            finally:
                self.apart += time.perf_counter() - began

        return run


class Training:
    """One training. Settings: "source", "recipe", "seed", "options" (texts such as "epochs=4"), "augmented" (tell also
    the kept network's accuracy with test-time augmentation)."""

    def __init__(self, settings):
        given = read_overrides([*settings["options"], f"seed={settings['seed']}"])
        self._config = config_from_options(settings["recipe"], None, given)
        self._dataset = load_as(settings["source"], self._config)
        self._augmented = settings["augmented"]

    def train(self):
        watch = Watch()
        loop.evaluate = watch.timed(loop.evaluate)
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            run = train(self._dataset, self._config, out=Path(folder) / "run", observers=lambda plan, folder: [watch])
            summary, settings = run.summary, run.config.to_dict()
            if self._augmented and "tta" in inspect.signature(run.evaluate).parameters:
                found = run.evaluate(self._dataset, split="validation", tta="mirror-shift").accuracy
                watch.curve.append({"epoch": None, "seconds": watch.seconds, "accuracy_augmented": found})
        return {
            "curve": watch.curve,
            "seconds": watch.seconds,
            "seconds_before": watch.began - began,
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
