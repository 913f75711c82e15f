"""How the pictures look: 640 × 360, blue is healthy, orange is at fault."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

HEALTHY, FAULT, INK, SOFT, RULE = "#2c6cb0", "#c9661b", "#1d2330", "#5a6374", "#d8dce4"
CHANCE = np.log(10)


def canvas(title, columns=2, rows=1, **more):
    figure = Figure(figsize=(6.4, 3.6), dpi=100, layout="constrained", facecolor="white")
    figure.suptitle(title, x=0.015, ha="left", fontsize=10.5, fontweight="bold", color=INK)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
    cells = figure.subplots(rows, columns, squeeze=False, **more)
    for axes in cells.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(RULE)
        axes.tick_params(colors=SOFT, labelsize=8)
    return figure, cells[0] if rows == 1 else cells


def save(figure, path):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    picture = Image.open(buffer).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, format="PNG", optimize=True)


def name(axes, title, across="", up=""):
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.set_xlabel(across, fontsize=8.5, color=SOFT)
    axes.set_ylabel(up, fontsize=8.5, color=SOFT)


def legend(axes, **more):
    axes.legend(frameon=False, fontsize=8, **more)


def smooth(values, width=10):
    """Mean of the last ten; a value that is not finite makes a gap."""
    values = np.asarray(values, float)
    return np.array([values[max(0, at - width + 1) : at + 1].mean() for at in range(len(values))])


def curves(axes, healthy, fault, labels, *, title="cost of the batches", up="cost", log=False, chance=True):
    name(axes, title, "updates", up)
    for values, label, colour in zip((healthy, fault), labels, (HEALTHY, FAULT), strict=True):
        axes.plot(smooth(values), color=colour, lw=1.6, label=label)
    if log:
        axes.set_yscale("log")
    if chance:
        axes.axhline(CHANCE, color=SOFT, lw=0.9, ls=(0, (3, 3)), label="ln 10: knows nothing")
    legend(axes)


def accuracies(axes, healthy, fault, labels, title="accuracy of the batches"):
    curves(axes, healthy, fault, labels, title=title, up="accuracy", chance=False)
    axes.set_ylim(0, 1.02)
    axes.axhline(0.1, color=SOFT, lw=0.9, ls=(0, (3, 3)))


def twins(axes, places, healthy, fault, labels, *, log=False):
    """Bars side by side."""
    at = np.arange(len(places))
    axes.bar(at - 0.2, healthy, 0.38, color=HEALTHY, label=labels[0])
    axes.bar(at + 0.2, fault, 0.38, color=FAULT, label=labels[1])
    axes.set_xticks(at, places)
    if log:
        axes.set_yscale("log")
    low, high = axes.get_ylim()
    # Room for the legend above the bars.
    axes.set_ylim(low, high * (high / low) ** 0.25 if log else 1.3 * high)
    legend(axes)


def bars(axes, heights, *, marked=()):
    colours = [FAULT if at in marked else HEALTHY for at in range(len(heights))]
    axes.bar(range(len(heights)), heights, color=colours)
    axes.set_xticks(range(len(heights)))


def histogram(axes, values, colour, *, bins=40, span=None):
    values = np.asarray(values).ravel()
    heights, edges = np.histogram(values, bins=bins, range=span)
    axes.stairs(heights / values.size, edges, fill=True, color=colour, alpha=0.85)


def above(axes, text, colour, height):
    """A line over a row of images, which does not push them aside."""
    line = axes.text(0, height, text, transform=axes.transAxes, fontsize=9, color=colour)
    line.set_in_layout(False)


def images(cells, pictures, titles, colour=INK, high=1.0):
    for axes, picture, title in zip(cells, pictures, titles, strict=True):
        axes.imshow(np.asarray(picture).squeeze(), cmap="gray_r", vmin=0, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=8, color=colour)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
