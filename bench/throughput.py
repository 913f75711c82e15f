"""Images a second of seewell beside Keras, PyTorch and the series' own way: same network, same weights, same work.

    .venv/bin/python bench/throughput.py [--networks convnet,vgg-small,resnet20,speed] [--modes training,inference]
        [--batch-sizes 1,10,100,1000] [--rounds 5] [--seconds 5] [--precisions auto] [--only REGEX] [--out FILE]

First the networks' losses are compared: from equal weights, 20 float32 updates of Adam on the same batches must give
losses that agree within 1 % (the bench says so and goes on if they do not). Then, for each network, mode and batch
size, every contender lives in a process of its own, is warmed up, and is timed once a round for about `--seconds`, in
turn and from another one on in each round, so that a noisy machine disturbs all alike; ratios are taken within a round.
In each round a large matrix product tells the machine's peak, and with it the share that a step reaches.

Contenders: seewell as its loop runs (float32 and, where the processor has it, bfloat16; `auto` is what counts as ours)
and as `Run.predict` answers; Keras's `fit` and `predict` on arrays, and tuned (whole batches gathered ahead by tf.data,
20 updates a call; a compiled call); PyTorch channels-last with autocast and a fused Adam, with and without
`torch.compile`; the series' TensorFlow 1 graph with feed_dict, in float32. The images are random bytes, which cost
the same as real ones. PyTorch needs `scripts/setup --bench`. What is in OUT already is not measured again.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

from speed import pictures
from speed.contenders import entries, precisions, summarize
from speed.conversation import Contender, ContenderError, has_torch
from speed.figures import interval_text, largest_difference, ratio_interval
from speed.processes import describe
from speed.record import Record, add_arguments

ORDERED = ("convnet", "vgg-small", "resnet20", "speed")
FEWEST = 3
"""Updates in a timing, however long they take."""


def compare_losses(folder, batch_size, steps, rate):
    """The losses of each framework from equal weights, and the largest relative difference to ours."""
    makers = {"seewell": "seewell_contender", "Keras": "keras_contender", "series": "tf1_contender"}
    if has_torch():
        makers["PyTorch"] = "torch_contender"
    given = {"folder": str(folder), "mode": "losses", "way": "usual", "batch_size": batch_size, "steps": steps}
    losses = {}
    for maker, module in makers.items():
        contender = Contender(module, {**given, "rate": rate})
        losses[maker] = contender.ask("losses")
        contender.close()
    apart = {maker: largest_difference(losses["seewell"], found) for maker, found in losses.items()}
    return {"losses": losses, "largest_difference": apart, "batch_size": batch_size, "rate": rate}


class Cell:
    """The contenders of one network, mode and batch size, alive and warm."""

    def __init__(self, wanted, common, given):
        self.alive, self.counts, self.failed = {}, {}, {}
        self._seconds, self._steps, self._batch_size = given.seconds, given.steps, common["batch_size"]
        self._peaks = [Contender("peak_contender", {"size": given.peak_size})]
        if has_torch():
            self._peaks.append(Contender("torch_contender", {"mode": "peak", "size": given.peak_size}))
        for entry in wanted:
            try:
                self.alive[entry] = Contender(entry.module, {**common, **entry.settings})
                self.counts[entry] = self._count(self.alive[entry])
            except ContenderError as problem:
                self.failed[entry.name] = str(problem)
                self.alive.pop(entry, None)
                print(f"  left out: {entry.name}: {str(problem).strip().splitlines()[-1]}", file=sys.stderr)

    def _count(self, contender):
        """How many updates take about so many seconds; the first ones trace and compile."""
        contender.ask("seconds", count=2)
        once = contender.ask("seconds", count=2) / 2
        return contender.ask("prepare", count=self._steps or max(FEWEST, round(self._seconds / once)))

    def speeds(self, number):
        """A round: images a second of each contender, beginning with another one each time."""
        order = list(self.alive)
        found = {}
        for entry in order[number % len(order) :] + order[: number % len(order)]:
            count = self.counts[entry]
            found[entry] = count * self._batch_size / self.alive[entry].ask("seconds", count=count)
        return {entry: found[entry] for entry in order}

    def peak(self, precision):
        """Multiply-adds a second of a large matrix product: the better of TensorFlow's and PyTorch's."""
        return max(one.ask("peak", precision=precision) for one in self._peaks)

    def close(self):
        for one in [*self.alive.values(), *self._peaks]:
            one.close()


def measure(told, folder, mode, batch_size, given, machine):
    """One cell: all rounds, as rows."""
    formats = precisions(given.precisions, machine["has_bfloat16"])
    wanted = [one for one in entries(mode, formats, torch=has_torch()) if re.search(given.only, one.name)]
    common = {"folder": str(folder), "mode": mode, "batch_size": batch_size}
    cell = Cell(wanted, common, given)
    try:
        speeds = {entry: [] for entry in cell.alive}
        peaks = {one: [] for one in ("float32", "bfloat16")}
        for number in range(given.rounds):
            for entry, speed in cell.speeds(number).items():
                speeds[entry].append(speed)
            for one, values in peaks.items():
                values.append(cell.peak(one))
    finally:
        cell.close()
    middle = {one: statistics.median(values) for one, values in peaks.items()}
    chosen = "bfloat16" if machine["has_bfloat16"] and mode == "training" else "float32"
    rows, rival = summarize(speeds, chosen, peaks=middle, multiply_adds=told["multiply_adds"][mode])
    for row in rows:
        row["ratio"] = ratio_interval(row["ours_to_theirs"])
    best = None if rival is None else {"name": rival["name"], "ratio": rival["ratio"]}
    return {
        "network": told["network"],
        "mode": mode,
        "batch_size": batch_size,
        "rows": rows,
        "best_rival": best,
        "peak_multiply_adds_per_second": peaks,
        "counts": {entry.name: count for entry, count in cell.counts.items()},
        "failed": cell.failed,
    }


def tell(found):
    print(f"\n{found['network']}, {found['mode']}, batch {found['batch_size']}")
    for row in sorted(found["rows"], key=lambda row: -row["median"]):
        against = "" if row["ours"] else f"   ours / theirs {interval_text(row['ratio'])}"
        share = f"{row['share_of_peak']:4.0%} of the peak in {row['precision']}"
        print(f"  {row['name']:<32} {row['median']:9.1f} images/s   {share}{against}")
    if found["best_rival"]:
        print(
            f"  against the best rival ({found['best_rival']['name']}): {interval_text(found['best_rival']['ratio'])}"
        )
    sys.stdout.flush()


def networks(asked):
    """The networks to measure: those that were named, or those of the issue that the registry has."""
    if asked:
        return asked.split(";" if ":" in asked else ",")
    from seewell.networks.registry import list_networks

    return [name for name in ORDERED if name in list_networks()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", help="names; with arguments, joined by ; as in convnet:widths=32-64;resnet20")
    parser.add_argument("--modes", default="training,inference")
    parser.add_argument("--batch-sizes", default="1,10,100,1000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="length of each timing")
    parser.add_argument("--steps", type=int, help="updates in each timing, instead of so many seconds")
    parser.add_argument("--precisions", default="auto", help="auto, or float32,bfloat16")
    parser.add_argument("--only", default="", help="a regular expression that the names of contenders must match")
    parser.add_argument("--peak-size", type=int, default=2048, help="rows and columns of the matrix product")
    parser.add_argument("--check-batch", type=int, default=50, help="images in the batches whose losses are compared")
    parser.add_argument("--check-steps", type=int, default=20)
    parser.add_argument("--check-rate", type=float, default=1e-4, help="Adam's rate in that comparison")
    add_arguments(parser, "throughput")
    given = parser.parse_args()
    settings = {
        name: getattr(given, name) for name in ("rounds", "seconds", "steps", "precisions", "only", "peak_size")
    }
    record = Record(given.out, settings, anew=given.anew)
    machine = record.machine
    print(f"{machine['processor']}, {machine['cores']} cores, bfloat16 {'yes' if machine['has_bfloat16'] else 'no'}")
    if not has_torch():
        print("PyTorch is left out: scripts/setup --bench installs it")
    with tempfile.TemporaryDirectory() as root:
        for network in networks(given.networks):
            folder = describe(Path(root) / re.sub(r"\W+", "-", network), network)
            told = json.loads((folder / "network.json").read_text())
            key = f"{network}, losses"
            if given.check_steps and key not in record:
                record.add(key, compare_losses(folder, given.check_batch, given.check_steps, given.check_rate))
            if key in record:
                apart = record[key]["largest_difference"]
                print(f"\n{network}: largest difference of the losses to ours: {apart}")
                if max(apart.values()) > 0.01:
                    print("  more than 1 %: the work is not the same")
            for mode in given.modes.split(","):
                for batch_size in map(int, given.batch_sizes.split(",")):
                    key = f"{network}, {mode}, {batch_size}"
                    if key not in record:
                        record.add(key, measure(told, folder, mode, batch_size, given, machine))
                    tell(record[key])
    cells = [one for one in record.results.values() if "rows" in one]
    if cells:
        pictures.throughput(cells, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
