"""Resumed against uncut: differing bytes, and the seconds from the start of the process to the first resumed update.

    .venv/bin/python bench/resume.py [--cuts 8] [--precisions float32,bfloat16,float16] [--source digits] [--json]

Trains a small ConvNet with Adam, dropout, augmentation, a cosine schedule with warm-up and a moving average once in
each precision, every checkpoint kept. For each of `--cuts` steps, evenly spread, the folder is laid out as a kill
after that step leaves it, and a process of its own goes on with it, as `seewell train --resume` does. Counted are the
bytes that differ at the end in the last checkpoint's weights and optimizer, in BEST, in the kept network's weights and
in the history but for its times.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

STEPS = 60
SETTINGS = {
    "network": "convnet",
    "network_arguments": {"widths": "8", "normalization": "batch"},
    "optimizer": "adam",
    "schedule": "cosine",
    "warmup": 0.1,
    "dropout": 0.3,
    "augment": ["shift", "rotate", "mixup"],
    "ema": 0.99,
    "early_stop": 30,
    "batch_size": 50,
    "steps": STEPS,
    "keep_last": 1000,
    "checkpoint_every": "1",
    "seed": 5,
}

PROGRAM = """
import json, shutil, sys, time
from seewell.config import config_from_dict
from seewell.training.observers import Observer
from seewell.workbench import resume, train

class First(Observer):
    at = None
    def __init__(self, folder):
        self.folder = folder
    def on_start(self, started):
        if settings:
            shutil.copy(self.folder.network, path + ".untrained.keras")
    def on_progress(self, step, loss, accuracy, images_per_second):
        First.at = First.at or time.time()

path, source, settings, began = json.loads(sys.argv[1])
watch = {"observers": lambda plan, folder: [First(folder)]}
if settings:
    train(source, config_from_dict(settings), out=path, **watch)
else:
    resume(path, **watch)
print(json.dumps(First.at - began))
"""


def process(path, source=None, settings=None):
    """Train or go on in a process of its own; seconds until its first update."""
    given = json.dumps([str(path), source, settings, time.time()])
    done = subprocess.run([sys.executable, "-c", PROGRAM, given], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def killed_after(step, whole, path):
    """Lay a run out as a kill after ``step`` updates leaves it."""
    from seewell.files import read_json, write_json
    from seewell.runs.checkpoint import point

    shutil.copytree(whole, path)
    shutil.copy(f"{whole}.untrained.keras", path / "network.keras")
    info = read_json(path / "run.json")
    del info["result"]
    write_json(path / "run.json", info)
    for one in (path / "checkpoints").glob("step-*"):
        if int(one.name.removeprefix("step-")) > step:
            shutil.rmtree(one)
    newest = path / "checkpoints" / f"step-{step:08d}"
    best = read_json(newest / "state.json")["best_step"]
    point(newest.parent, "LATEST", newest)
    (newest.parent / "BEST").unlink()
    if best:
        point(newest.parent, "BEST", newest.with_name(f"step-{best:08d}"))


def parts(path):
    import numpy as np

    from seewell.runs.checkpoint import folders
    from seewell.runs.run import open_run

    last = folders(path / "checkpoints")[-1]
    run = open_run(path)
    rows = [{k: v for k, v in row.items() if k not in ("seconds", "images_per_second")} for row in run.history]
    return {
        "weights": (last / "weights.safetensors").read_bytes(),
        "optimizer": (last / "optimizer.safetensors").read_bytes(),
        "network": b"".join(np.asarray(value).tobytes() for value in run.network.get_weights()),
        "history": json.dumps(rows).encode(),
        "best": (path / "checkpoints" / "BEST").read_bytes(),
    }


def differing(one, other):
    return sum(
        abs(len(one[name]) - len(other[name])) + sum(a != b for a, b in zip(one[name], other[name], strict=False))
        for name in one
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--precisions", default="float32,bfloat16,float16")
    parser.add_argument("--source", default="digits")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    steps = sorted({max(1, round(STEPS * (place + 0.5) / given.cuts)) for place in range(given.cuts)})
    rows = []
    with tempfile.TemporaryDirectory() as root:
        for precision in given.precisions.split(","):
            whole = Path(root) / precision
            process(whole, given.source, {**SETTINGS, "precision": precision})
            expected = parts(whole)
            for step in steps:
                path = Path(root) / f"{precision}-{step}"
                killed_after(step, whole, path)
                seconds = process(path)
                rows.append({"precision": precision, "step": step, "differing": differing(parts(path), expected)})
                rows[-1] |= {"bytes": sum(map(len, expected.values())), "seconds": seconds}
                if not given.json:
                    print("  {precision} cut after step {step}: {differing} of {bytes} bytes differ".format(**rows[-1]))
                shutil.rmtree(path)
    seconds = [row["seconds"] for row in rows]
    total = sum(row["differing"] for row in rows)
    if given.json:
        print(json.dumps({"rows": rows, "differing": total, "seconds_to_first_update": statistics.median(seconds)}))
    else:
        print(f"{len(rows)} cuts: {total} bytes differ")
        print(
            f"seconds from the start of the process to the first resumed update (with the doctor's examination): "
            f"median {statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        )
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
