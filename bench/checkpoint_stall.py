"""How long a training stands still for a checkpoint: written in the background against at once.

    .venv/bin/python bench/checkpoint_stall.py [--network vgg-small] [--saves 12] [--steps 8] [--batch-size 20]
                                               [--optimizer adam] [--out FOLDER] [--json]

Stall = time of N updates with a save at their beginning - time of N updates without. Stretches of `--steps` updates
follow each other: without, in the background, without, at once, without, held (the values are kept as for a save and
nothing is written: the first update then copies what it changes), and so on, and each is compared with the mean of the
two without beside it, so that a machine that gets slower disturbs neither. The stretches are long enough
for a save to end within its own (how often it did not is told). Median and range over `--saves` saves of each kind,
the time until a background save is handed over, and the sizes of the files.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def make(network, optimizer, batch):
    """A network on random images of CIFAR's size, its updates, and what captures it."""
    import numpy as np
    import tensorflow as tf

    from seewell.config import TrainConfig
    from seewell.data.batches import BatchOrder
    from seewell.training.estimates import DataFacts
    from seewell.training.plan import resolve
    from seewell.training.precision import detect_hardware
    from seewell.training.schedules import rates
    from seewell.training.trainee import make_trainee

    rng = np.random.default_rng(0)
    images = tf.constant(rng.integers(0, 256, (1000, 32, 32, 3), np.uint8))
    labels = tf.constant(rng.integers(0, 10, 1000).astype(np.int32))
    config = TrainConfig(network=network, optimizer=optimizer, batch_size=batch, steps=10)
    config = resolve(config, DataFacts(1000, 32, 32, 3, 10), detect_hardware()).config
    trainee = make_trainee(config, (32, 32, 3), 10, None, tf.distribute.get_strategy())

    order = BatchOrder(1000, batch, 0)

    def update(first, steps):
        planned = rates("constant", learning_rate=1e-4, warmup=0.0, total=10**6, first=first, count=steps)
        trainee.steps.run(order.chunk(first, steps, images, labels), planned)

    return trainee, update, config.precision


KINDS = ("background", "at once", "held")


class Measured:
    """Stretches of updates, each without or with a save at its beginning."""

    def __init__(self, trainee, update, folder, steps):
        from seewell.runs.writer import CheckpointWriter, Keeping

        self.trainee, self.update, self.steps = trainee, update, steps
        self.writer = CheckpointWriter(folder, Keeping(last=2))
        self.step, self.handed, self.late = 0, [], 0

    def run(self, kind):
        """The seconds of one stretch."""
        began = time.perf_counter()
        held = self.captured() if kind == "held" else None
        if kind in ("background", "at once"):
            self.save()
            self.handed.append(time.perf_counter() - began)
        if kind == "at once":
            self.handed.pop()
            self.writer.wait()
        for _ in range(self.steps):
            self.update(self.step, 1)
            self.step += 1
        spent = time.perf_counter() - began
        del held
        clock = time.perf_counter()
        problem = self.writer.wait()
        if problem is not None:
            raise problem
        self.late += time.perf_counter() - clock > 0.01
        return spent

    def captured(self):
        from seewell.training.keeper import first_not_finite

        checkpoint = self.trainee.capture(self.step, {"step": self.step, "best_step": self.step})
        assert first_not_finite(checkpoint.weights) is None
        return checkpoint

    def save(self):
        self.writer.submit(self.captured(), best=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="vgg-small")
    parser.add_argument("--optimizer", default="adam")
    parser.add_argument("--saves", type=int, default=12, help="of each kind")
    parser.add_argument("--steps", type=int, default=8, help="updates in a stretch")
    parser.add_argument("--batch-size", type=int, default=20)
    parser.add_argument("--out", type=Path, help="where to write (a real disk, not memory)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.runs.folder import make_folder

    trainee, update, precision = make(given.network, given.optimizer, given.batch_size)
    with tempfile.TemporaryDirectory(dir=given.out) as root:
        folder = make_folder(Path(root) / "run")
        measured = Measured(trainee, update, folder, given.steps)
        for kind in ("without", *KINDS):
            measured.run(kind)
        measured.handed, measured.late = [], 0
        stalls = {kind: [] for kind in KINDS}
        before = measured.run("without")
        for number in range(len(KINDS) * given.saves):
            kind = KINDS[number % len(KINDS)]
            spent = measured.run(kind)
            after = measured.run("without")
            stalls[kind].append(spent - (before + after) / 2)
            before = after
        measured.writer.close()
        newest = sorted(folder.checkpoints.glob("step-*"))[-1]
        sizes = {file.name: file.stat().st_size for file in sorted(newest.iterdir())}
    middle = {kind: statistics.median(found) for kind, found in stalls.items()}
    ratio, handed = middle["background"] / middle["at once"], statistics.median(measured.handed)
    if given.json:
        said = {"network": given.network, "precision": precision, "stalls": stalls, "median": middle}
        print(json.dumps({**said, "ratio": ratio, "handed": handed, "late": measured.late, "sizes": sizes}))
        return
    print(f"{given.network}, {precision}, {given.optimizer}, a save before {given.steps} x {given.batch_size} images")
    for kind, found in stalls.items():
        low, high = (f"{1e3 * end:.0f}" for end in (min(found), max(found)))
        what = "values held, nothing written" if kind == "held" else f"a save {kind}"
        print(f"  stall of {what}: median {1e3 * middle[kind]:.0f} ms ({low} to {high}, n={len(found)})")
    print(f"  background / at once: {ratio:.2f}; handing over: {1e3 * handed:.1f} ms")
    print(f"  saves that took longer than their stretch: {measured.late} of {2 * given.saves}")
    for name, size in sizes.items():
        print(f"  {name}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
