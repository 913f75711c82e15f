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
20 updates a call; a compiled call), each with oneDNN as ours has it, and without where TensorFlow leaves it off by
itself; PyTorch channels-last with autocast and a fused Adam, with and without `torch.compile`; the series' TensorFlow 1
graph with feed_dict, in float32, with oneDNN only where TensorFlow turns it on by itself. The images are random bytes,
which cost the same as real ones. PyTorch needs `scripts/setup --bench`. What is in OUT already is not measured again. A
contender that fails is left out of its cell, which says why.
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from speed import pictures
from speed.calibration import updates_that_take
from speed.contenders import entries, precisions, summarize
from speed.conversation import ONEDNN, Contender, ContenderError, has_torch
from speed.figures import interval_text, largest_difference, ratio_interval
from speed.processes import describe
from speed.record import Record, add_arguments

ORDERED = ("convnet", "vgg-small", "resnet20", "speed")


def compare_losses(folder, batch_size, steps, rate):
    """The losses of each framework from equal weights, and the largest relative difference to ours."""
    makers = {
        "seewell": ("seewell_contender", ONEDNN),
        "Keras": ("keras_contender", ONEDNN),
        "series": ("tf1_contender", None),
    }
    if has_torch():
        makers["PyTorch"] = ("torch_contender", None)
    given = {"folder": str(folder), "mode": "losses", "way": "usual", "batch_size": batch_size, "steps": steps}
    losses, failed = {}, {}
    for maker, (module, variables) in makers.items():
        try:
            losses[maker] = _losses(module, {**given, "rate": rate}, variables)
        except ContenderError as problem:
            failed[maker] = str(problem)
    ours = losses.get("seewell", [])
    apart = {maker: largest_difference(ours, found) if ours else None for maker, found in losses.items()}
    about = {"batch_size": batch_size, "rate": rate, "failed": failed}
    return {"losses": losses, "largest_difference": apart, **about}


def _losses(module, settings, variables):
    """A contender's losses, None where one is not finite."""
    contender = Contender(module, settings, variables)
    try:
        return [one if math.isfinite(one) else None for one in contender.ask("losses")]
    finally:
        contender.close()


def tell_losses(network, found):
    """How far the losses lie apart, and whether the work is the same."""
    print(f"\n{network}: largest difference of the losses to ours: {found['largest_difference']}")
    for maker, why in found.get("failed", {}).items():
        print(f"  {maker} gave none: {why.strip().splitlines()[-1]}")
    for maker, apart in found["largest_difference"].items():
        if apart is None:
            print(f"  {maker}: not finite, or ours is not there: not known to be the same work")
        elif apart > 0.01:
            print(f"  {maker}: more than 1 %: the work is not the same")


class Cell:
    """The contenders of one network, mode and batch size, alive and warm."""

    def __init__(self, wanted, common, given):
        self.alive, self.counts, self.failed, self.threads = {}, {}, {}, {}
        self._seconds, self._steps, self._batch_size = given.seconds, given.steps, common["batch_size"]
        self._peaks = {}
        peaks = {"peak of TensorFlow": ("peak_contender", {"size": given.peak_size}, ONEDNN)}
        if has_torch():
            peaks["peak of PyTorch"] = ("torch_contender", {"mode": "peak", "size": given.peak_size}, None)
        for name, made_from in peaks.items():
            try:
                self._peaks[name] = Contender(*made_from)
            except ContenderError as problem:
                self._leave_out(name, problem)
        for entry in wanted:
            try:
                self.alive[entry] = Contender(entry.module, {**common, **entry.settings}, entry.variables)
                self.counts[entry] = self._count(self.alive[entry])
                if entry.maker == "PyTorch":
                    self.threads[entry.name] = self.alive[entry].ask("threads")
            except ContenderError as problem:
                self._drop(entry, problem)

    def _drop(self, entry, problem):
        """Go on without a contender that failed."""
        if entry in self.alive:
            self.alive.pop(entry).close()
        self._leave_out(entry.name, problem)

    def _leave_out(self, name, problem):
        self.failed[name] = str(problem)
        print(f"  left out: {name}: {str(problem).strip().splitlines()[-1]}", file=sys.stderr)

    def _count(self, contender):
        """How many updates take about so many seconds; the first ones trace and compile."""

        def spent_on(count):
            return contender.ask("seconds", count=count)

        def prepare(count):
            return contender.ask("prepare", count=count)

        spent_on(2)
        if self._steps:
            return prepare(self._steps)
        return updates_that_take(self._seconds, prepare=prepare, spent_on=spent_on)

    def speeds(self, number):
        """A round: images a second of each contender alive, beginning with another one each time."""
        order = list(self.alive)
        start = number % len(order) if order else 0
        found = {}
        for entry in order[start:] + order[:start]:
            count = self.counts[entry]
            try:
                found[entry] = count * self._batch_size / self.alive[entry].ask("seconds", count=count)
            except ContenderError as problem:
                self._drop(entry, problem)
        return {entry: found[entry] for entry in order if entry in found}

    def peak(self, precision):
        """Multiply-adds a second of a large matrix product: the better of TensorFlow's and PyTorch's; None of none."""
        found = []
        for name in list(self._peaks):
            try:
                found.append(self._peaks[name].ask("peak", precision=precision))
            except ContenderError as problem:
                self._peaks.pop(name).close()
                self._leave_out(name, problem)
        return max(found, default=None)

    def close(self):
        for one in [*self.alive.values(), *self._peaks.values()]:
            one.close()


def measure(told, folder, mode, batch_size, given, machine):
    """One cell: all rounds, as rows."""
    formats = precisions(given.precisions, machine["has_bfloat16"])
    all_of_them = entries(mode, formats, torch=has_torch(), onednn_by_default=machine["has_onednn_by_default"])
    wanted = [one for one in all_of_them if re.search(given.only, one.name)]
    common = {"folder": str(folder), "mode": mode, "batch_size": batch_size}
    cell = Cell(wanted, common, given)
    try:
        speeds = {entry: [] for entry in cell.alive}
        peaks = {one: [] for one in formats}  # bfloat16 that is only imitated takes minutes
        for number in range(given.rounds):
            for entry, speed in cell.speeds(number).items():
                speeds[entry].append(speed)
            for one, values in peaks.items():
                if (peak := cell.peak(one)) is not None:
                    values.append(peak)
    finally:
        cell.close()
    speeds = {entry: values for entry, values in speeds.items() if entry in cell.alive}
    middle = {one: statistics.median(values) if values else None for one, values in peaks.items()}
    chosen = "bfloat16" if machine["has_bfloat16"] and mode == "training" else "float32"
    rows, rival = summarize(speeds, chosen, peaks=middle, multiply_adds=told["multiply_adds"][mode])
    for row in rows:
        row["ratio"] = None if row["ours_to_theirs"] is None else ratio_interval(row["ours_to_theirs"])
    best = None if rival is None else {"name": rival["name"], "ratio": rival["ratio"], "lacks": lacking()}
    return {
        "network": told["network"],
        "mode": mode,
        "batch_size": batch_size,
        "rows": rows,
        "best_rival": best,
        "peak_multiply_adds_per_second": peaks,
        "counts": {entry.name: count for entry, count in cell.counts.items()},
        "threads": cell.threads,
        "failed": cell.failed,
    }


def lacking():
    """What keeps a rival from its best on this machine, or an empty text."""
    if not has_torch():
        return "PyTorch is not there"
    compiler = os.environ.get("CXX", "g++")
    return "" if shutil.which(compiler) else f"torch.compile needs {compiler}, which is not there"


def tell(found):
    print(f"\n{found['network']}, {found['mode']}, batch {found['batch_size']}")
    for row in sorted(found["rows"], key=lambda row: -row["median"]):
        against = "" if row["ours"] or not row["ratio"] else f"   ours / theirs {interval_text(row['ratio'])}"
        share = f"{row['share_of_peak']:4.0%} of the peak in {row['precision']}" if row["share_of_peak"] else ""
        print(f"  {row['name']:<36} {row['median']:9.1f} images/s   {share}{against}")
    for name, why in found["failed"].items():
        print(f"  {name:<36} failed: {why.strip().splitlines()[-1]}")
    if best := found["best_rival"]:
        lacks = f" [{best['lacks']}]" if best.get("lacks") else ""
        print(f"  against the best rival ({best['name']}){lacks}: {interval_text(best['ratio'])}")
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
    record = Record(given.out, settings, anew=given.anew, report=given.report)
    machine = record.machine
    print(f"{machine['processor']}, {machine['cores']} cores, bfloat16 {'yes' if machine['has_bfloat16'] else 'no'}")
    if given.report:
        for key, found in record.results.items():
            if "rows" in found:
                tell(found)
            else:
                tell_losses(key.removesuffix(", losses"), found)
        draw(record, given.out)
        return 0
    if not has_torch():
        print("PyTorch is left out: scripts/setup --bench installs it")
    failed = False
    with tempfile.TemporaryDirectory() as root:
        for network in networks(given.networks):
            try:
                folder = describe(Path(root) / re.sub(r"\W+", "-", network), network)
            except RuntimeError as problem:
                failed = True
                print(problem, file=sys.stderr)
                continue
            told = json.loads((folder / "network.json").read_text())
            key = f"{network}, losses"
            if given.check_steps and key not in record:
                record.add(key, compare_losses(folder, given.check_batch, given.check_steps, given.check_rate))
            if key in record:
                tell_losses(network, record[key])
            for mode in given.modes.split(","):
                for batch_size in map(int, given.batch_sizes.split(",")):
                    key = f"{network}, {mode}, {batch_size}"
                    if key not in record:
                        record.add(key, measure(told, folder, mode, batch_size, given, machine))
                    tell(record[key])
                    draw(record, given.out)
    return int(failed)


def draw(record, out):
    """The picture of the cells so far."""
    cells = [one for one in record.results.values() if one.get("rows")]
    if cells:
        pictures.throughput(cells, out.with_suffix(".png"))


if __name__ == "__main__":
    sys.exit(main())
