"""How soon seewell is there: --help, import, from the start of a process to its first update, and resuming.

    .venv/bin/python bench/startup.py [--rounds 10] [--source digits] [--network convnet] [--out FILE] [--anew]

Every round starts each in a process of its own, in turn and from another one on each time. `first update` and `resumed`
run what `seewell train` and `seewell train --resume` run, with the doctor (who examines network and data before the
first update) and without, and end with the first update; the resumed training was interrupted by Ctrl-C before. Beside
them stands what Python and TensorFlow take by themselves. Prints the mean with its 95 % interval.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed import pictures
from speed.conversation import environment
from speed.figures import interval_text, mean_interval
from speed.processes import SEEWELL
from speed.record import Record, add_arguments

TO_FIRST_UPDATE = """
import json, os, signal, sys, time
given = json.loads(sys.argv[1])

import seewell.cli.main
from seewell.quiet import import_tensorflow
import_tensorflow()
from seewell.cli.settings import config_from_options
from seewell.training.observers import Observer
from seewell.workbench import resume, train

class First(Observer):
    def on_progress(self, step, loss, accuracy, images_per_second):
        if given["interrupt"]:
            os.kill(os.getpid(), signal.SIGINT)
            return
        print(json.dumps(time.time() - given["began"]), flush=True)
        os._exit(0)

watch = {"observers": lambda plan, folder: [First()], "doctor": given["doctor"]}
if given["resume"]:
    resume(given["path"], **watch)
else:
    options = {"epochs": 3.0, "seed": 0}
    train(given["source"], config_from_options(None, given["network"], options), out=given["path"], **watch)
"""

FLOORS = {
    "python": [sys.executable, "-c", "pass"],
    "import numpy": [sys.executable, "-c", "import numpy"],
    "import tensorflow": [sys.executable, "-c", "import tensorflow"],
    "import tensorflow, by a command": [
        sys.executable,
        "-c",
        "from seewell.quiet import import_tensorflow; import_tensorflow()",
    ],
}
OURS = {
    "import seewell": [sys.executable, "-c", "import seewell"],
    "seewell --help": [SEEWELL, "--help"],
    "seewell train --help": [SEEWELL, "train", "--help"],
}


def seconds_of(command):
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-3000:]}")
    return seconds


class Trainings:
    """Trainings that end with their first update."""

    def __init__(self, source, network, folder):
        self._given = {"source": source, "network": network}
        self._folder = Path(folder)
        self._interrupted = self._folder / "interrupted"

    def interrupt(self):
        """Lay a run out as Ctrl-C leaves it."""
        done = self._run(path=self._interrupted, doctor=False, resume=False, interrupt=True)
        if not (self._interrupted / "checkpoints" / "LATEST").exists():
            sys.exit(done.stderr[-3000:])

    def first_update(self, *, doctor):
        return self._seconds(doctor=doctor, resume=False)

    def resumed(self, *, doctor):
        shutil.copytree(self._interrupted, self._folder / "run")
        return self._seconds(doctor=doctor, resume=True)

    def _seconds(self, **how):
        path = self._folder / "run"
        done = self._run(path=path, interrupt=False, **how)
        shutil.rmtree(path, ignore_errors=True)
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    def _run(self, *, path, **how):
        given = json.dumps({**self._given, "path": str(path), **how, "began": time.time()})
        command = [sys.executable, "-c", TO_FIRST_UPDATE, given]
        return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def cases(trainings):
    """What is measured: name to a function that gives its seconds."""
    found = {name: lambda command=command: seconds_of(command) for name, command in (FLOORS | OURS).items()}
    for doctor in (True, False):
        said = "with the doctor" if doctor else "without"
        found[f"first update, {said}"] = lambda doctor=doctor: trainings.first_update(doctor=doctor)
        found[f"resumed update, {said}"] = lambda doctor=doctor: trainings.resumed(doctor=doctor)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--source", default="digits")
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--only", default="", help="a part of the names of what is measured")
    add_arguments(parser, "startup")
    given = parser.parse_args()
    settings = {"source": given.source, "network": given.network}
    record = Record(given.out, settings, anew=given.anew, report=given.report)
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(given.source, given.network, folder)
        wanted = {name: case for name, case in cases(trainings).items() if given.only in name}
        lacking = [name for name in wanted if len(record.rounds(name, given.rounds)) < given.rounds]
        if given.report:
            lacking = []
        if any("resumed" in name for name in lacking):
            trainings.interrupt()
        for name in lacking:
            wanted[name]()  # files into the cache
        for number in range(given.rounds):
            start = number % len(lacking) if lacking else 0
            for name in lacking[start:] + lacking[:start]:
                if f"{name}, {number}" not in record:
                    record.add(f"{name}, {number}", wanted[name]())
    rows = []
    for name in wanted:
        values = record.rounds(name, given.rounds)
        if not values:
            continue
        rows.append((name, *mean_interval(values)))
        print(
            f"{name:<34} {interval_text(rows[-1][1:], ' s')}   {min(values):.2f} to {max(values):.2f}, n={len(values)}"
        )
    if not rows:
        sys.exit(f"{given.out} holds nothing of what was asked for")
    pictures.bars(rows, given.out.with_suffix(".png"), title="from the start of a process", unit="seconds")


if __name__ == "__main__":
    main()
