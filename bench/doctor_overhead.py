"""What the doctor costs: whole trainings with and without it, in turn, on the same network, data and seed.

    .venv/bin/python bench/doctor_overhead.py [--rounds 3] [--networks convnet,vgg-small,resnet20] [--seconds 60]
                                              [--source mnist] [--checkpoints] [--out FILE]

First a training of each network is timed to find how many updates fill `--seconds`. Every round then trains twice,
with the doctor and without, and the order changes from round to round, so that a noisy machine disturbs both alike.
Compared is `seconds_training` (from the first batch asked for to the last update: tracing, validation, checkpoints and
the doctor's probes count; the examination before the first update does not and is printed apart). Every training is a
process of its own. Prints the ratio with/without: median, smallest and largest of the rounds, for each network and for
all; the same of the processor's seconds, which other work on the machine disturbs less; the share that the doctor
itself counted; and the seconds of the examination. With `--checkpoints`, the one without the doctor also writes
no checkpoint but its last, so that both together are told; the other one writes one after each epoch.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

TRAIN = """
import json, sys, time
from seewell.config import config_from_dict
from seewell.training.keeper import Keeper
from seewell.training.observers import Observer
from seewell.workbench import train

class Clock(Observer):
    def on_start(self, started):
        self.began = time.process_time()
    def on_end(self):
        self.seconds = time.process_time() - self.began

source, settings, doctor, checkpoints, out = json.loads(sys.argv[1])
if not checkpoints:
    save = Keeper.save
    Keeper.save = lambda self, state: save(self, state) if state.step == settings["steps"] else None
clock = Clock()
run = train(source, config_from_dict(settings), out=out, doctor=doctor, observers=lambda plan, folder: [clock])
print(json.dumps({**run.summary, "processor_seconds": clock.seconds, "doctor": run.info.get("doctor")}))
"""


def trained(source, settings, *, doctor, checkpoints=True):
    """One training in a process of its own, with all its checkpoints or the last alone; its summary."""
    with tempfile.TemporaryDirectory() as folder:
        given = json.dumps([source, settings, doctor, checkpoints, str(Path(folder) / "run")])
        done = subprocess.run([sys.executable, "-c", TRAIN, given], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def steps_for(source, settings, seconds):
    """How many updates take about so many seconds: from the speed of 30."""
    speed = trained(source, {**settings, "steps": 30}, doctor=False)["images_per_second"]
    return max(30, round(seconds * speed / settings["batch_size"]))


def measure(network, source, seconds, rounds, *, checkpoints):
    settings = {"network": network, "batch_size": 100, "seed": 0}
    settings["steps"] = steps_for(source, settings, seconds)
    rows = []
    for number in range(rounds):
        order = (True, False) if number % 2 == 0 else (False, True)
        found = {one: trained(source, settings, doctor=one, checkpoints=one or not checkpoints) for one in order}
        told = found[True]["doctor"]
        rows.append(
            {
                "with": found[True]["seconds_training"],
                "without": found[False]["seconds_training"],
                "ratio": found[True]["seconds_training"] / found[False]["seconds_training"],
                "processor_ratio": found[True]["processor_seconds"] / found[False]["processor_seconds"],
                "own_share": told["seconds"] / found[True]["seconds_training"],
                "examination_seconds": told["examination_seconds"],
                # with its last checkpoint alone, a training keeps its last weights, not its best
                "same_result": None
                if checkpoints
                else found[True]["validation_loss"] == found[False]["validation_loss"],
                "limits": told["limits"],
                "findings": [one["code"] for one in found[True]["findings"] if one["severity"] != "info"],
            }
        )
    return {"steps": settings["steps"], "rounds": rows}


def told(name, rows):
    ratios = [row["ratio"] for row in rows]
    processor = [row["processor_ratio"] for row in rows]
    shares = [row["own_share"] for row in rows]
    examinations = [row["examination_seconds"] for row in rows]
    return (
        f"  {name:<12} with/without {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})   "
        f"processor's seconds {statistics.median(processor):.3f} ({min(processor):.3f} to {max(processor):.3f})   "
        f"the doctor's own count {100 * statistics.median(shares):.1f} %   "
        f"examination {statistics.median(examinations):.1f} s ({min(examinations):.1f} to {max(examinations):.1f})"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", default="convnet,vgg-small,resnet20")
    parser.add_argument("--seconds", type=float, default=60, help="length of each training")
    parser.add_argument("--source", default="mnist")
    parser.add_argument("--checkpoints", action="store_true", help="against no doctor and no checkpoints")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    against = "no doctor, no checkpoints" if given.checkpoints else "no doctor"
    print(f"{given.source}, batch 100, about {given.seconds:g} s a training, {given.rounds} rounds, against {against}")
    result = {"source": given.source, "seconds": given.seconds, "against": against, "networks": {}}
    every = []
    for network in given.networks.split(","):
        found = result["networks"][network] = measure(
            network, given.source, given.seconds, given.rounds, checkpoints=given.checkpoints
        )
        every += found["rounds"]
        print(told(network, found["rounds"]), flush=True)
    result["median_ratio"] = statistics.median(row["ratio"] for row in every)
    print(told("all", every))
    if not all(row["same_result"] in (True, None) for row in every):
        print("  the doctor changed a result")
    if given.out:
        given.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
