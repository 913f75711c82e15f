"""Seconds of training until a validation reaches an accuracy: seewell's recipes beside other ways, on real images.

    SEEWELL_DATA=… .venv/bin/python bench/time_to_accuracy.py [--sources cifar10,fashion-mnist,mnist] [--seeds 5]
        [--contenders "seewell:speed;airbench;keras"] [--precision auto] [--out FILE] [--anew]

Every training is a process of its own; for each seed all contenders train in turn, beginning with another one each
time, and ratios are taken within a seed. All see the same training and validation images (10 % of the training
images, stratified; 40,500 and 4,500 of the shared CIFAR-10's 45,000). Counted are the seconds from the first batch
on; validation is not counted, whoever does it; tracing, checkpoints, the doctor at work and measuring what fits into
a given time are. What comes before is told beside it. JSON holds each curve of (seconds, accuracy). TensorFlow
computes with oneDNN, in Keras's hands too; the series' graph is left to TensorFlow's own default. Exit code 1: a
training failed.

Contenders, joined by semicolons:
  seewell:RECIPE[,setting=value…]   a recipe by name, as it comes, or with settings changed (epochs=4, time=60s), or
      with another network, of one argument at most (network=speed:widths=32-64-128)
  airbench[:epochs=8,batch=2000,activation=gelu,compile=true,flip=false]   the network, schedule and augmentation of
      Jordan 2024 with Muon, in plain PyTorch (scripts/setup --bench), channels last, in bfloat16 where the processor
      has it; compiling comes before its clock starts. A shorter training reaches low targets sooner: give both lengths
  keras[:epochs=15,batch=128]       Keras's usual way: a small functional CNN, Adam, fit, float32
  series-vgg                        the series' VGG in its TensorFlow 1 graph: estimated, from the median of 10 updates
      and the updates that its author gave it; the accuracy is the author's

fastai is left out: it needs torchvision, whose packages need a CUDA build of PyTorch of several GB on x86-64.
A recipe that there is not is left out and said. What is in OUT already is not trained again, unless its recipe changed
or test-time augmentation is asked of it for the first time (what follows from the data, as batches do, is not compared:
--anew);
`--report` trains nothing and tells what OUT holds.
"""

import argparse
import hashlib
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from seewell.cli.settings import config_from_options, read_overrides
from seewell.data.loading import load_dataset
from seewell.errors import SeewellError
from seewell.networks.arguments import parse_network
from seewell.networks.registry import architecture
from seewell.training.recipes import list_recipes
from speed import pictures
from speed.attempts import attempts, best, compare, reached
from speed.conversation import ONEDNN, Contender, ContenderError, has_torch
from speed.figures import interval_text, mean_interval, ratio_interval
from speed.processes import describe
from speed.record import Record, add_arguments
from speed.rivals import SERIES, SOURCES, parse

MEASURED_UPDATES = 10


def export(source, folder):
    """Training and validation images of a source in one file, as all contenders but seewell read them."""
    dataset = load_dataset(source)
    path = Path(folder) / f"{re.sub(r'[^a-z0-9]+', '-', source.lower())}.npz"
    train, held = dataset.train, dataset.validation
    np.savez(path, train=train.images, train_labels=train.labels, validation=held.images, validation_labels=held.labels)
    counts = (len(train), len(held))
    return {"data": str(path), "classes": dataset.num_classes, "shape": dataset.image_shape, "counts": counts}


def trained(rival, source, seed, data, precision, *, augmented):
    """One training in a process of its own: its curve and what goes with it."""
    settings = {"source": source, "seed": seed, "recipe": rival.recipe, "network": rival.network}
    settings |= {"precision": precision, "augmented": augmented, **data}
    settings["options"] = list(rival.options) if rival.maker == "seewell" else rival.values()
    contender = Contender(rival.module, settings, None if rival.maker == "airbench" else ONEDNN)
    try:
        return contender.ask("train")
    finally:
        contender.close()


def estimated(source, data, folder):
    """The series' VGG: seconds of an update, times the updates that its author made."""
    updates, accuracy, accuracy_from = SERIES[source]
    path = describe(Path(folder) / f"vgg-{source}", "vgg-small", data["shape"], data["classes"])
    contender = Contender("tf1_contender", {"folder": str(path), "mode": "training", "batch_size": 100})
    try:
        contender.ask("seconds", count=2)
        steps = [contender.ask("seconds", count=1) for _ in range(MEASURED_UPDATES)]
    finally:
        contender.close()
    step = statistics.median(steps)
    curve = [{"epoch": None, "seconds": step * updates, "accuracy": accuracy}]
    about = {"estimated": True, "updates": updates, "step_seconds": steps, "accuracy_from": accuracy_from}
    about["onednn"] = "as TensorFlow has it by itself"
    return {"curve": curve, "seconds": step * updates, "images_per_second": 100 / step, "batch_size": 100, **about}


def plan_of(source):
    return SOURCES.get(source, {"targets": (0.9,), "augmented_targets": (), "contenders": ("seewell:quick", "keras")})


def asked_of(source, given):
    """Targets of a source, and those with test-time augmentation; where targets are given, none of the latter.

    >>> asked_of("cifar10", (0.8,)), asked_of("cifar10", None)[1]
    (((0.8,), ()), (0.935,))
    """
    plan = plan_of(source)
    return (given, ()) if given else (plan["targets"], plan["augmented_targets"])


def usable(texts, source):
    """The contenders that can take part here; says which cannot."""
    found = []
    for rival in map(parse, texts):
        if rival.maker == "airbench" and not has_torch():
            print(f"left out: {rival.text} (scripts/setup --bench installs PyTorch)")
        elif rival.maker == "seewell" and not rival.recipe.endswith(".toml") and rival.recipe not in list_recipes():
            print(f"left out: {rival.text} (there is no such recipe)")
        elif rival.maker == "series-vgg" and source not in SERIES:
            print(f"left out: {rival.text} (the series did not train on {source})")
        else:
            found.append(rival)
    return found


def recipe_of(rival):
    """The settings of a recipe of ours in short; an empty text of other contenders."""
    if rival.maker != "seewell":
        return ""
    settings = config_from_options(rival.recipe, rival.network, read_overrides(rival.options)).to_dict()
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:8]


def key_of(source, rival, seed):
    """Under which a training is written down: with another recipe of the same name it is another training."""
    recipe = recipe_of(rival)
    return f"{source}, {rival.text}{f' ({recipe})' if recipe else ''}, {seed}"


def recorded(record, source):
    """Contender to its results in the order of the seeds, of all that the record holds; of a recipe, the last form."""
    found, recipes = {}, {}
    for one in record.results.values():
        if one.get("source") == source:
            name = one["contender"]
            if recipes.setdefault(name, one["recipe"]) != one["recipe"]:
                print(f"{name}: its recipe changed; what was trained before is left out", file=sys.stderr)
                recipes[name], found[name] = one["recipe"], {}
            found.setdefault(name, {})[one["seed"]] = one
    seeds = 1 + max((seed for by_seed in found.values() for seed in by_seed), default=-1)
    return {name: [by_seed.get(seed) for seed in range(seeds)] for name, by_seed in found.items()}


def tell(results, target, kind, title):
    """A line a contender: how many seeds got there, seconds, and the ratio to the best of ours; then the best of each.

    Args:
        results: Contender to what its trainings gave, one a seed, None where there is none.
        target: The accuracy to reach.
        kind: "accuracy" or "accuracy_augmented".
        title: What was to be reached.
    """
    found = {name: attempts(seeds, target, kind) for name, seeds in results.items()}
    if not any(map(reached, found.values())):
        print(f"\n{title}: nobody")
        return
    print(f"\n{title}")
    ours = best({name: tried for name, tried in found.items() if name.startswith("seewell")})
    theirs = best({name: tried for name, tried in found.items() if not name.startswith("seewell")})
    for name, tried in found.items():
        there = reached(tried)
        said = f"  {name:<44} {len(there)} of {len(tried)} seeds"
        if there:
            said += f"   {interval_text(mean_interval(there), ' s')}"
        before = [one["seconds_before"] for one in results[name] if one is not None and "seconds_before" in one]
        if before:
            said += f"   {statistics.fmean(before):.1f} s before"
        if ours is not None and name != ours:
            said += ratio_text(f"theirs / {ours}", compare(tried, found[ours]))
        print(said)
    if ours is None:
        print("  none of ours got there")
    elif theirs is None:
        print("  no rival got there")
    else:
        text = ratio_text("best rival / best of ours", compare(found[theirs], found[ours]))
        print(f"  {text.strip() or 'no seed in which both got so far'}   ({theirs} / {ours})")


def ratio_text(label, found):
    """A ratio with its interval; at least so much where they did not always get there."""
    if not found.ratios:
        return ""
    middle = ratio_interval(found.ratios)
    if found.bounds:
        text = f"at least {middle[0]:.2f} ({found.bounds} of {len(found.ratios)} did not get there)"
    else:
        text = interval_text(middle)
    missed = f", and in {found.missed} seeds they alone got there" if found.missed else ""
    return f"   {label} {text}{missed}"


class Told:
    """What was reached so far, of every source: tables, and a picture beside OUT."""

    def __init__(self, targets, out):
        self._given, self._out = targets, out
        self._curves, self._asked = {}, {}

    def show(self, source, results):
        """Print the tables of a source and draw all sources so far."""
        plain, augmented = asked_of(source, self._given)
        self._asked[source] = plain
        asked = [(one, "accuracy", "") for one in plain]
        asked += [(one, "accuracy_augmented", ", test-time augmentation") for one in augmented]
        for target, kind, said in asked:
            tell(results, target, kind, f"{source}, {target:.2%} validation accuracy{said}")
        sys.stdout.flush()
        self._curves[source] = {name: [one["curve"] for one in found if one] for name, found in results.items()}
        pictures.curves(self._curves, self._asked, self._out.with_suffix(".png"))


def measure(record, source, rivals, seeds, precision, told, *, augmented):
    """All trainings of a source, in turn; shows after each seed what was reached. How many failed."""
    failed, shown = 0, False
    with tempfile.TemporaryDirectory() as folder:
        data = export(source, folder)
        print(f"\n{source}: {data['counts'][0]:,} training and {data['counts'][1]:,} validation images", flush=True)
        for seed in range(seeds):
            start, anything = seed % len(rivals), False
            for rival in rivals[start:] + rivals[:start]:
                key = key_of(source, rival, seed)
                if key in record and (record.results[key].get("augmented") or not augmented):
                    continue
                try:
                    if rival.maker == "series-vgg":
                        result = estimated(source, data, folder)
                    else:
                        result = trained(rival, source, seed, data, precision, augmented=augmented)
                except (ContenderError, RuntimeError) as problem:
                    failed += 1
                    print(f"  {key}: {problem}", file=sys.stderr, flush=True)
                    continue
                anything = True
                about = {"source": source, "contender": rival.text, "recipe": recipe_of(rival), "seed": seed}
                about["augmented"] = augmented
                record.add(key, {**about, **result})
                highest = max((one.get("accuracy", 0) for one in result["curve"]), default=0)
                print(f"  {key}: at best {highest:.4f} in {result['seconds']:.1f} s", file=sys.stderr, flush=True)
            if anything or (seed == seeds - 1 and not shown):
                told.show(source, results_of(record, source, rivals, seed + 1))
                shown = True
    return failed


def results_of(record, source, rivals, seeds):
    """Contender to what its trainings gave, in the order of the seeds; None where one failed."""
    return {rival.text: [record.results.get(key_of(source, rival, seed)) for seed in range(seeds)] for rival in rivals}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", default="cifar10,fashion-mnist,mnist")
    parser.add_argument("--contenders", help="instead of those that go with each source")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--targets", help="instead of those that go with each source; no test-time augmentation then")
    parser.add_argument("--precision", default="auto", help="of airbench: auto, float32 or bfloat16")
    add_arguments(parser, "time_to_accuracy")
    given = parser.parse_args()
    sources = given.sources.split(",")
    texts = given.contenders.split(";") if given.contenders else None
    try:
        for rival in map(parse, texts or ()):
            if rival.recipe in list_recipes():
                recipe_of(rival)
            if rival.network is not None:
                architecture(parse_network(rival.network)[0])
    except (ValueError, SeewellError) as problem:
        parser.error(str(problem))
    record = Record(given.out, {"precision": given.precision}, anew=given.anew, report=given.report)
    machine = record.machine
    precision = given.precision
    if precision == "auto":
        precision = "bfloat16" if machine["has_bfloat16"] else "float32"
    print(f"{machine['processor']}, {machine['cores']} cores, airbench in {precision}")
    targets = tuple(map(float, given.targets.split(","))) if given.targets else None
    told = Told(targets, given.out)
    if given.report:
        for source in dict.fromkeys(one["source"] for one in record.results.values() if "source" in one):
            told.show(source, recorded(record, source))
        return 0
    failed = 0
    for source in sources:
        rivals = usable(texts or plan_of(source)["contenders"], source)
        if not rivals:
            print(f"{source}: none of the contenders can take part")
            continue
        augmented = bool(asked_of(source, targets)[1])
        failed += measure(record, source, rivals, given.seeds, precision, told, augmented=augmented)
    if failed:
        print(f"{failed} trainings failed", file=sys.stderr)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
