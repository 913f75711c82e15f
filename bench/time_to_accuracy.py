"""Seconds of training until a validation reaches an accuracy: seewell's recipes beside other ways, on real images.

    SEEWELL_DATA=… .venv/bin/python bench/time_to_accuracy.py [--sources cifar10,fashion-mnist,mnist] [--seeds 5]
        [--contenders "seewell:speed;airbench;keras"] [--precision auto] [--out FILE] [--anew]

Every training is a process of its own; for each seed all contenders train in turn, beginning with another one each
time, and ratios are taken within a seed. All see the same training and validation images (10 % of the training images,
stratified; 45,000 and 5,000 for the shared CIFAR-10). Counted are the seconds from the first batch on; validation is
not counted, whoever does it; tracing, checkpoints and the doctor are. JSON holds each curve of (seconds, accuracy).

Contenders, joined by semicolons:
  seewell:RECIPE[,setting=value…]   a recipe by name, as it comes, or with settings changed (epochs=4, time=60s)
  airbench[:epochs=8,batch=2000,activation=gelu,compile=true,flip=false]   the network, schedule and augmentation of
      Jordan 2024 with Muon, in plain PyTorch (scripts/setup --bench), channels last, in bfloat16 where the processor
      has it; compiling comes before its clock starts. A shorter training reaches low targets sooner: give both lengths
  keras[:epochs=15,batch=128]       Keras's usual way: a small functional CNN, Adam, fit, float32
  series-vgg                        the series' VGG in its TensorFlow 1 graph: estimated, from the median of 10 updates
      and the updates that its author gave it; the accuracy is the author's

fastai is left out: it needs torchvision, whose packages need a CUDA build of PyTorch of several GB on x86-64.
A recipe that there is not is left out and said. What is in OUT already is not trained again.
"""

import argparse
import re
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from seewell.data.loading import load_dataset
from seewell.training.recipes import list_recipes
from speed import pictures
from speed.conversation import Contender, ContenderError, has_torch
from speed.figures import interval_text, mean_interval, ratio_interval, seconds_to
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


def trained(rival, source, seed, data, precision):
    """One training in a process of its own: its curve and what goes with it."""
    settings = {"source": source, "seed": seed, "recipe": rival.recipe, "precision": precision, **data}
    settings["augmented"] = bool(plan_of(source)["augmented_targets"])
    settings["options"] = list(rival.options) if rival.maker == "seewell" else rival.values()
    contender = Contender(rival.module, settings)
    try:
        return contender.ask("train")
    finally:
        contender.close()


def estimated(source, data, folder):
    """The series' VGG: seconds of an update, times the updates that its author made."""
    updates, accuracy = SERIES[source]
    path = describe(Path(folder) / f"vgg-{source}", "vgg-small", data["shape"], data["classes"])
    contender = Contender("tf1_contender", {"folder": str(path), "mode": "training", "batch_size": 100})
    contender.ask("seconds", count=2)
    steps = [contender.ask("seconds", count=1) for _ in range(MEASURED_UPDATES)]
    contender.close()
    step = statistics.median(steps)
    curve = [{"epoch": None, "seconds": step * updates, "accuracy": accuracy}]
    about = {"estimated": True, "updates": updates, "step_seconds": steps, "accuracy_from": "the series, test set"}
    return {"curve": curve, "seconds": step * updates, "images_per_second": 100 / step, "batch_size": 100, **about}


def plan_of(source):
    return SOURCES.get(source, {"targets": (0.9,), "augmented_targets": (), "contenders": ("seewell:quick", "keras")})


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


def results_of(record, source, rival, seeds):
    """What the trainings of a contender gave, in the order of the seeds; None where one failed."""
    keys = [f"{source}, {rival.text}, {seed}" for seed in range(seeds)]
    return [record.results.get(key) for key in keys]


def reached(results, target, kind):
    """Seconds to an accuracy of each seed, None where it was not reached."""
    return [None if one is None else seconds_to(one["curve"], target, kind) for one in results]


def tell(found, title):
    """A line a contender: how many seeds got there, seconds, and the ratio to the fastest recipe of ours.

    Args:
        found: Contender to seconds a seed, None where a training did not get there.
        title: What was to be reached.
    """
    if not any(any(seconds) for seconds in found.values()):
        print(f"\n{title}: nobody")
        return
    print(f"\n{title}")
    ours = [name for name, seconds in found.items() if name.startswith("seewell") and all(seconds)]
    best = min(ours, key=lambda name: statistics.median(found[name]), default=None)
    for name, seconds in found.items():
        there = [one for one in seconds if one is not None]
        said = f"  {name:<40} {len(there)} of {len(seconds)} seeds"
        if there:
            said += f"   {interval_text(mean_interval(there), ' s')}"
        pairs = [(a, b) for a, b in zip(seconds, found.get(best, ()), strict=False) if a and b]
        if name != best and pairs:
            said += f"   theirs / {best} {interval_text(ratio_interval([a / b for a, b in pairs]))}"
        print(said)


def measure(record, source, rivals, seeds, precision, folder):
    """All trainings of a source, in turn."""
    data = export(source, folder)
    print(f"\n{source}: {data['counts'][0]:,} training and {data['counts'][1]:,} validation images", flush=True)
    for seed in range(seeds):
        start = seed % len(rivals)
        for rival in rivals[start:] + rivals[:start]:
            key = f"{source}, {rival.text}, {seed}"
            if key in record:
                continue
            try:
                if rival.maker == "series-vgg":
                    result = estimated(source, data, folder)
                else:
                    result = trained(rival, source, seed, data, precision)
            except ContenderError as problem:
                print(f"  {key}: {problem}", file=sys.stderr, flush=True)
                continue
            record.add(key, result)
            best = max(one.get("accuracy", 0) for one in result["curve"])
            print(f"  {key}: at best {best:.4f} in {result['seconds']:.1f} s", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", default="cifar10,fashion-mnist,mnist")
    parser.add_argument("--contenders", help="instead of those that go with each source")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--targets", help="accuracies instead of those that go with each source")
    parser.add_argument("--precision", default="auto", help="of airbench: auto, float32 or bfloat16")
    add_arguments(parser, "time_to_accuracy")
    given = parser.parse_args()
    record = Record(given.out, {"precision": given.precision}, anew=given.anew)
    machine = record.machine
    precision = given.precision
    if precision == "auto":
        precision = "bfloat16" if machine["has_bfloat16"] else "float32"
    print(f"{machine['processor']}, {machine['cores']} cores, airbench in {precision}")
    targets, curves = {}, {}
    for source in given.sources.split(","):
        plan = plan_of(source)
        rivals = usable(given.contenders.split(";") if given.contenders else plan["contenders"], source)
        targets[source] = tuple(map(float, given.targets.split(","))) if given.targets else plan["targets"]
        with tempfile.TemporaryDirectory() as folder:
            measure(record, source, rivals, given.seeds, precision, folder)
        results = {rival.text: results_of(record, source, rival, given.seeds) for rival in rivals}
        curves[source] = {name: [one["curve"] for one in found if one] for name, found in results.items()}
        asked = [(one, "accuracy", "") for one in targets[source]]
        asked += [(one, "accuracy_augmented", ", test-time augmentation") for one in plan["augmented_targets"]]
        for target, kind, said in asked:
            found = {name: reached(seeds, target, kind) for name, seeds in results.items()}
            tell(found, f"{source}, {target:.2%} validation accuracy{said}")
    pictures.curves(curves, targets, given.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
