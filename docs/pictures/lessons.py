"""Draw the pictures of docs/lessons.md from the run folders that its commands made.

    .venv/bin/python docs/pictures/lessons.py RUNS

RUNS holds a folder a recipe (`--out RUNS/ltfn-05-convnet`, and so on). Writes
lessons-06.png, lessons-07.png and lessons-12.png beside this file, and prints the
figures of docs/lessons.md as a table.
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from seewell.runs.run import open_run

HERE = Path(__file__).resolve().parent
COLOURS = ("#3b76b5", "#c8641c", "#3f8f5f", "#7d5ba6", "#8a6d3b", "#5b6475")


def curve(run, kind, measure):
    entries = [one for one in run.history if one["kind"] == kind and one[measure] is not None]
    return [one["step"] for one in entries], [one[measure] for one in entries]


def axes(figure, rows, columns, place, title, label):
    ax = figure.add_subplot(rows, columns, place)
    ax.set_title(title, loc="left", fontsize=10)
    ax.set_xlabel("updates")
    ax.set_ylabel(label)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def compare(runs, names, path, titles, log_cost, kind="train"):
    figure = Figure(figsize=(10, 4), layout="constrained")
    cost = axes(figure, 1, 2, 1, titles[0], "cost" + (" (logarithmic)" if log_cost else ""))
    accuracy = axes(figure, 1, 2, 2, titles[1], "accuracy")
    if log_cost:
        cost.set_yscale("log")
    for (name, label), colour in zip(names, COLOURS, strict=False):
        cost.plot(*curve(runs[name], kind, "loss"), color=colour, label=label, linewidth=1.4)
        accuracy.plot(*curve(runs[name], "validation", "accuracy"), color=colour, label=label, linewidth=1.4)
    accuracy.set_ylim(0, 1)
    accuracy.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def errors(runs, names, path):
    figure = Figure(figsize=(10, 0.45 * len(names) + 1.4), layout="constrained")
    ax = figure.add_subplot()
    for place, (name, label) in enumerate(names):
        result = runs[name].summary
        train, validation = 1 - result["train_accuracy"], 1 - result["validation_accuracy"]
        ax.barh(place, 1 - validation, color="#d5dfec")
        ax.barh(place, validation - train, left=1 - validation, color="#c8641c")
        ax.barh(place, train, left=1 - train, color="#7d2b6b")
        ax.text(0.01, place, f"{label}: {1 - validation:.1%} right", va="center", fontsize=9)
    ax.set_yticks([])
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_title("validation images: right, wrong by variance (orange), wrong by bias (dark)", loc="left", fontsize=10)
    figure.savefig(path, dpi=110)


def main():
    folder = Path(sys.argv[1])
    runs = {path.name: open_run(path) for path in sorted(folder.iterdir()) if (path / "run.json").is_file()}
    print("| recipe | updates | train | validation | test (95 %) | test cost | training time | images/s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, run in runs.items():
        r = run.summary
        if not r:
            continue
        low, high = r["test_interval"]
        print(
            f"| `{name}` | {r['steps']:,} | {r['train_accuracy']:.1%} | {r['validation_accuracy']:.1%} "
            f"| {r['test_accuracy']:.2%} ({low:.1%} to {high:.1%}) | {r['test_loss']:.4g} "
            f"| {r['seconds_training']:.0f} s | {r['images_per_second']:.0f} |"
        )
    six = [("ltfn-05-convnet", "normal, σ = 1"), ("ltfn-06-small-normal", "σ = 0.01"), ("ltfn-06-he", "He and Xavier")]
    if all(runs.get(name) and runs[name].summary for name, _ in six):
        compare(runs, six, HERE / "lessons-06.png", ("cost of the batches", "validation accuracy"), True)
    seven = [("ltfn-07-sgd", "SGD"), ("ltfn-07-momentum", "momentum"), ("ltfn-07-adam", "Adam")]
    if all(runs.get(name) and runs[name].summary for name, _ in seven):
        compare(runs, seven, HERE / "lessons-07.png", ("cost of the batches", "validation accuracy"), True)
    named = [("ltfn-10-cifar-vgg", "raw"), ("ltfn-11-mean-image", "mean image subtracted")]
    named += [(f"ltfn-12-{one}", one) for one in ("larger", "longer", "augment", "l2", "dropout")]
    done = [(name, label) for name, label in named if runs.get(name) and runs[name].summary]
    if done:
        errors(
            runs, [(n, f"{label} ({runs[n].summary['steps']:,} updates)") for n, label in done], HERE / "lessons-12.png"
        )


if __name__ == "__main__":
    main()
