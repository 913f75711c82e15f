"""How long a training stands still for a checkpoint: written in the background against at once.

    .venv/bin/python bench/checkpoint_stall.py [--network vgg-small] [--saves 4] [--steps 10]
                                               [--rounds 5] [--batch-size 20] [--out FOLDER] [--json]

Stall = (time of N updates with saves - time of N updates without) / saves. Three kinds of stretch are timed in turn,
`--rounds` times, on one traced network with Adam: without saves; with a save every `--steps` updates, each written in
the background from references to the weights; the same, each waited for. Also told: what a synchronous save takes
alone, the time until the background save is handed over, and the sizes of the files.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def make(network, batch):
    """A network on random images of CIFAR's size, its updates, and what captures it."""
    import numpy as np
    import tensorflow as tf

    from seewell.config import TrainConfig
    from seewell.data.batches import Chunk
    from seewell.training.plan import DataFacts, resolve
    from seewell.training.precision import detect_hardware
    from seewell.training.schedules import rates
    from seewell.training.trainee import make_trainee

    rng = np.random.default_rng(0)
    images = tf.constant(rng.integers(0, 256, (1000, 32, 32, 3), np.uint8))
    labels = tf.constant(rng.integers(0, 10, 1000).astype(np.int32))
    config = TrainConfig(network=network, optimizer="adam", batch_size=batch, steps=10)
    config = resolve(config, DataFacts(1000, 32, 32, 3, 10), detect_hardware()).config
    trainee = make_trainee(config, (32, 32, 3), 10, None, tf.distribute.get_strategy())

    def update(first, steps):
        indices = rng.integers(0, 1000, (steps, batch)).astype(np.int32)
        planned = rates("constant", learning_rate=1e-4, warmup=0.0, total=10**6, first=first, count=steps)
        trainee.steps.run(Chunk(first, images, labels, indices), planned)

    return trainee, update, config.precision


class Stretch:
    """N updates with or without saves."""

    def __init__(self, trainee, update, root):
        self.trainee, self.update, self.root = trainee, update, root
        self.step = 0
        self.waits, self.handed = [], []

    def run(self, kind, saves, steps):
        from seewell.runs.folder import make_folder
        from seewell.runs.writer import CheckpointWriter, Keeping
        from seewell.training.keeper import first_not_finite

        path = Path(tempfile.mkdtemp(dir=self.root))
        path.rmdir()
        folder = make_folder(path)
        writer = CheckpointWriter(folder, Keeping(last=2))
        began = time.perf_counter()
        for _ in range(saves):
            self.update(self.step, steps)
            self.step += steps
            if kind == "without":
                continue
            clock = time.perf_counter()
            problem = writer.wait()
            if problem is not None:
                raise problem
            self.waits.append(time.perf_counter() - clock)
            clock = time.perf_counter()
            checkpoint = self.trainee.capture(self.step, {"step": self.step, "best_step": self.step})
            assert first_not_finite(checkpoint.weights) is None
            writer.submit(checkpoint, best=True)
            self.handed.append(time.perf_counter() - clock)
            if kind == "at once":
                writer.wait()
        # The last save still runs: updates go on beside it, as they would in a longer training.
        self.update(self.step, steps)
        self.step += steps
        spent = time.perf_counter() - began
        writer.close()
        sizes = [
            {file.name: file.stat().st_size for file in sorted(one.iterdir())}
            for one in sorted(folder.checkpoints.glob("step-*"))[-1:]
        ]
        shutil.rmtree(path)
        return spent, (sizes or [{}])[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="vgg-small")
    parser.add_argument("--saves", type=int, default=4)
    parser.add_argument("--steps", type=int, default=10, help="updates between saves")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=20)
    parser.add_argument("--out", type=Path, help="where to write (a real disk, not memory)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    trainee, update, precision = make(given.network, given.batch_size)
    if not given.json:
        print(f"{given.network}, {precision}, Adam, {given.steps} updates of {given.batch_size} images between saves")
    with tempfile.TemporaryDirectory(dir=given.out) as root:
        stretch = Stretch(trainee, update, root)
        stretch.run("at once", 1, 2)
        stretch.waits, stretch.handed = [], []
        rows, sizes = [], {}
        for number in range(given.rounds):
            kinds = ["without", "background", "at once"]
            kinds = kinds[number % 3 :] + kinds[: number % 3]
            row = {}
            for kind in kinds:
                row[kind], found = stretch.run(kind, given.saves, given.steps)
                sizes = found or sizes
            row["stall"] = (row["background"] - row["without"]) / given.saves
            row["stall at once"] = (row["at once"] - row["without"]) / given.saves
            rows.append(row)
            if not given.json:
                print("  " + ", ".join(f"{kind} {seconds:.3f} s" for kind, seconds in row.items()), flush=True)
    stall = statistics.median(row["stall"] for row in rows)
    at_once = statistics.median(row["stall at once"] for row in rows)
    handed = statistics.median(stretch.handed)
    if given.json:
        said = {"precision": precision, "rounds": rows, "stall": stall, "at once": at_once, "handed": handed}
        print(json.dumps({"network": given.network, **said, "ratio": stall / at_once, "sizes": sizes}))
        return
    print(f"stall of a save in the background {1e3 * stall:.0f} ms, at once {1e3 * at_once:.0f} ms")
    print(f"background / at once: {stall / at_once:.3f}")
    print(f"handing over: {1e3 * handed:.1f} ms; waiting for the save before: most {1e3 * max(stretch.waits):.0f} ms")
    for name, size in sizes.items():
        print(f"  {name}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
