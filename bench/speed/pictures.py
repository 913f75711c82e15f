"""The pictures of the speed benches, in the style of docs/pictures."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

COLOURS = ("#3b76b5", "#c8641c", "#3f8f5f", "#7d5ba6", "#8a6d3b", "#5b6475", "#b0413e", "#2f9ca3", "#a3a3a3")
MAKERS = {"seewell": "#3b76b5", "Keras": "#c8641c", "PyTorch": "#3f8f5f", "series": "#5b6475"}
STYLES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))
"""Of the contenders of one maker; with one batch size there are no lines to tell them apart."""


def _axes(figure, rows, columns, place, title, across, up):
    ax = figure.add_subplot(rows, columns, place)
    ax.set_title(title, loc="left", fontsize=10)
    ax.set_xlabel(across)
    ax.set_ylabel(up)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def throughput(cells, path):
    """Images a second against the batch: a panel a network and mode, a line a contender."""
    panels = list(dict.fromkeys((one["network"], one["mode"]) for one in cells))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(5.4 * columns, 3.6 * rows), layout="constrained")
    for place, (network, mode) in enumerate(panels, 1):
        ax = _axes(figure, rows, columns, place, f"{network}, {mode}", "images in a batch", "images a second")
        lines = {}
        for cell in cells:
            if (cell["network"], cell["mode"]) == (network, mode):
                for row in cell["rows"]:
                    lines.setdefault((row["name"], row["maker"]), []).append((cell["batch_size"], row["median"]))
        styles = {}
        for (name, maker), points in lines.items():
            style, marker = STYLES[styles.setdefault(maker, 0) % len(STYLES)]
            styles[maker] += 1
            ax.plot(*zip(*sorted(points), strict=True), style, marker=marker, ms=4, color=MAKERS[maker], label=name)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.legend(frameon=False, fontsize=7)
    figure.savefig(path, dpi=110)


def curves(sources, targets, path):
    """Validation accuracy against seconds of training: a panel a source, a line a training.

    Args:
        sources: Source to contender to curves (one a seed), each a list of points.
        targets: Source to the accuracies that are asked for.
        path: Where to.
    """
    figure = Figure(figsize=(6.4, 4.0 * len(sources)), layout="constrained")
    for place, (source, contenders) in enumerate(sources.items(), 1):
        ax = _axes(figure, len(sources), 1, place, source, "seconds of training", "validation error")
        for colour, (name, found) in zip(COLOURS * 3, contenders.items(), strict=False):
            for number, curve in enumerate(found):
                points = [(one["seconds"], 1 - one["accuracy"]) for one in curve if "accuracy" in one]
                if points:
                    ax.plot(
                        *zip(*points, strict=True),
                        marker="o",
                        ms=2.5,
                        lw=1.1,
                        color=colour,
                        label=name if number == 0 else None,
                    )
        for target in targets.get(source, ()):
            ax.axhline(1 - target, color="#c9ced6", lw=0.8, zorder=0)
        labels = {f"{target:.1%}": target for target in targets.get(source, ())}  # two that read alike, once
        for text, target in labels.items():
            ax.text(1, 1 - target, text, fontsize=7, color="#5b6475", transform=ax.get_yaxis_transform())
        ax.set_xscale("log")
        ax.set_yscale("log")
        for axis in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
            axis(PercentFormatter(1, decimals=1, symbol=" %"))
        ax.tick_params(axis="y", which="both", labelsize=7)
        ax.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(-0.1, -0.24))
    figure.savefig(path, dpi=110)


def bars(rows, path, *, title, unit):
    """A bar a row with its interval: (name, middle, low, high)."""
    figure = Figure(figsize=(7, 0.42 * len(rows) + 1.2), layout="constrained")
    ax = figure.add_subplot()
    for place, (name, middle, low, high) in enumerate(rows):
        spread = None if low is None else [[max(0.0, middle - low)], [high - middle]]
        ax.barh(place, middle, color="#3b76b5", height=0.6, xerr=spread, error_kw={"lw": 0.8, "ecolor": "#1c2733"})
        ax.text(0.0, place - 0.42, f"{name}: {middle:.2f} {unit}", fontsize=7.5, va="center")
    ax.set_yticks([])
    ax.invert_yaxis()
    ax.set_xlabel(unit)
    ax.set_title(title, loc="left", fontsize=10)
    ax.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=110)


def panels(found, path):
    """A panel for each relation: (title, across, up, points, logarithmic)."""
    columns = min(2, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(5.0 * columns, 3.2 * rows), layout="constrained")
    for place, (title, across, up, points, logarithmic) in enumerate(found, 1):
        ax = _axes(figure, rows, columns, place, title, across, up)
        ax.plot(*zip(*sorted(points), strict=True), marker="o", ms=3.5, color=COLOURS[0])
        if logarithmic:
            ax.set_xscale("log")
            ax.set_yscale("log")
        else:
            ax.set_ylim(bottom=0)
    figure.savefig(path, dpi=110)
