"""LTFN 6's histograms as one picture: a column an initializer, a row a layer."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.files import write_atomically
from seewell.lab.initializers import LEARNING_RATES, LayerFacts, Look

__all__ = ["draw"]

_COLOURS = {"normal": "#c9661b", "small-normal": "#7d5ba6", "xavier": "#3f8f5f", "he": "#2c6cb0"}
_FORMULAS = {
    "normal": "normal, standard deviation 1",
    "small-normal": "normal, standard deviation 0.01",
    "xavier": r"uniform, standard deviation $\sqrt{2\,/\,(n_{in} + n_{out})}$",
    "he": r"cut normal, standard deviation $\sqrt{2\,/\,n_{in}}$",
}
_INK, _SOFT, _RULE = "#1d2330", "#5a6374", "#d8dce4"
_BINS = 61
_OUTSIDE = 0.05
_WORTH_TELLING = 1e-3


def draw(found: Look, path: str | Path) -> None:
    """Write the histograms as a PNG picture.

    Every cell has its own linear scale, the middle 99.9 % of its values; its
    standard deviation and whole range stand above it. Probabilities run from 0
    to 1 everywhere.

    Args:
        found: What `seewell.lab.initializers.look` saw.
        path: The file to write, replaced atomically. Its folder must exist.

    Raises:
        OSError: The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layers = list(next(iter(found.facts.values())).layers)
    figure = Figure(figsize=(13, 2.4 + 1.45 * (len(layers) + 1)), dpi=110, facecolor="white")
    FigureCanvasAgg(figure)
    height = figure.get_figheight()
    cells = figure.subplots(len(layers) + 1, len(found.facts), squeeze=False)
    figure.subplots_adjust(left=0.105, right=0.985, top=1 - 1.95 / height, bottom=0.5 / height, hspace=0.75, wspace=0.2)
    zeros = any(layer.zeros > _WORTH_TELLING for facts in found.facts.values() for layer in facts.layers.values())
    when = f"after {found.steps:,} updates" if found.steps else "before training"
    figure.text(
        0.02, 1 - 0.38 / height, f"Four ways to start: values {when}", fontsize=16, fontweight="bold", color=_INK
    )
    figure.text(
        0.02,
        1 - 0.66 / height,
        f"The ConvNet of LTFN 5 on {found.images} images of {found.source}: what goes into each nonlinearity, and what "
        "softmax makes of it.\nEach cell has its own linear scale, the middle 99.9 % of its values"
        + ("; values of exactly 0, where an image is black all round, are left out." if zeros else "."),
        fontsize=10,
        color=_SOFT,
        va="top",
        linespacing=1.4,
    )
    for column, (name, facts) in enumerate(found.facts.items()):
        x = cells[0, column].get_position().x0
        rate = f"; SGD at {LEARNING_RATES[name]:g}" if found.steps else ""
        figure.text(x, 1 - 1.3 / height, name, fontsize=13, fontweight="bold", color=_COLOURS[name])
        figure.text(x, 1 - 1.52 / height, _FORMULAS[name] + rate, fontsize=9.5, color=_SOFT)
        for row, layer in enumerate(layers):
            _layer(cells[row, column], found.values[name][layer], facts.layers[layer], _COLOURS[name])
        told = f"surest class {facts.largest_probability:.2f} on average, cost {_short(facts.cost)}"
        _probabilities(cells[-1, column], found.values[name]["probabilities"], told, _COLOURS[name])
    for axes, label in zip(cells[:, 0], [*layers, "softmax"], strict=True):
        y = axes.get_position().y0 + axes.get_position().height / 2
        figure.text(0.02, y, label, fontsize=11, color=_INK, va="center")
    with write_atomically(Path(path)) as beside:
        figure.savefig(beside, format="png")


def _layer(axes: Any, values: NDArray[np.float32], facts: LayerFacts, colour: str) -> None:
    told = f"std {_short(facts.deviation)}   range {_short(facts.lowest)} to {_short(facts.highest)}"
    drawn = values[np.isfinite(values) & (values != 0)]
    if not drawn.size:
        _cell(axes, told, "all values are 0 or not finite")
        return
    reach = float(np.abs(np.percentile(drawn, [_OUTSIDE, 100 - _OUTSIDE])).max())
    heights, edges = np.histogram(drawn, bins=_BINS, range=(-reach, reach))
    axes.stairs(heights / drawn.size, edges, fill=True, color=colour)
    axes.set_xlim(-reach, reach)
    axes.set_xticks([-reach, 0, reach], [_short(-reach), "0", _short(reach)])
    for text, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        text.set_horizontalalignment(side)
    axes.axvline(0, color=_RULE, lw=0.8, zorder=0)
    _cell(axes, told)


def _probabilities(axes: Any, values: NDArray[np.float32], told: str, colour: str) -> None:
    heights, edges = np.histogram(values, bins=25, range=(0, 1))
    axes.stairs(heights / max(values.size, 1), edges, fill=True, color=colour)
    axes.set(xlim=(-0.02, 1.02), ylim=(0, 1))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 1], ["0", "all"])
    _cell(axes, told, keep_y=True)


def _cell(axes: Any, told: str, inside: str = "", *, keep_y: bool = False) -> None:
    axes.set_title(told, loc="left", fontsize=8.5, color=_INK, pad=4)
    if inside:
        axes.text(0.5, 0.5, inside, transform=axes.transAxes, ha="center", va="center", fontsize=9, color=_SOFT)
        axes.set_xticks([])
    if not keep_y:
        axes.set_yticks([])
    axes.tick_params(colors=_SOFT, labelsize=8.5)
    axes.spines[["top", "right"]].set_visible(False)
    if not keep_y:
        axes.spines["left"].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_RULE)


def _short(value: float) -> str:
    """Two digits, with a real minus and thousands apart: 14,000; −0.00021."""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    places = int(np.floor(np.log10(abs(value))))
    rounded = round(value, 1 - places)
    text = f"{rounded:,.0f}" if places >= 1 else f"{rounded:.{1 - places}f}"
    return text.replace("-", "−")
