"""LTFN 7 as a picture and an animation: SGD, momentum and Adam on one weight and on two.

The cost is a bowl (quadratic): over one weight a curve, over two a surface with
a steep and a flat direction, neither along a weight. After 120 updates SGD has
not arrived, momentum has gone past the optimum and come back, Adam lies between.
SGD and momentum share one learning rate; Adam's is its own, since it means the
length of a step there.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seewell.files import write_atomically
from seewell.lab.rules import RULES, Adam, Floats, Momentum, PlainDescent, Rule, walk

__all__ = ["STEPS", "Descents", "PathFacts", "draw", "facts", "paths"]

STEPS = 120
_RATES = {"SGD": 0.01, "momentum": 0.01, "Adam": 0.05}
_CURVATURE = 1.0
_STEEP, _FLAT, _TURN = 1.5, 0.5, np.deg2rad(30)
_START = {1: np.array([-2.0]), 2: np.array([-2.1, 1.9])}
_NEAR = 0.1

_COLOURS = {"SGD": "#2c6cb0", "momentum": "#c9661b", "Adam": "#3f8f5f"}
_INK, _SOFT, _RULE = "#1d2330", "#5a6374", "#d8dce4"
_FORMULAS = {
    "SGD": (r"$w \leftarrow w - \eta\,g$",),
    "momentum": (r"$v \leftarrow 0.9\,v - \eta\,g$", r"$w \leftarrow w + v$"),
    "Adam": (
        r"$m \leftarrow 0.9\,m + 0.1\,g$",
        r"$s \leftarrow 0.999\,s + 0.001\,g^2$",
        r"$w \leftarrow w - \eta\;\hat{m}\,/\,(\sqrt{\hat{s}} + \epsilon)$",
    ),
}
_WORDS = {
    "SGD": "A step downhill, in proportion to the slope:\nshort steps where it is flat.",
    "momentum": "A velocity gathers the slopes, like a ball:\nfast, but it rolls past the optimum.",
    "Adam": "Momentum, divided by each weight’s usual slope\n(hats: corrected for the start at 0): every weight\n"
    "moves at a like pace.",
}


Moving = tuple[Any, Any, Floats]
"""A line, the dot at its end, and the places they go through, float64 (121, 2)."""


@dataclass(frozen=True)
class PathFacts:
    """What a rule did in 120 updates; distances are shares of the distance at the start.

    Attributes:
        learning_rate: The rate it had.
        left: Distance to the optimum after the last update.
        overshoot: How far it went past the optimum, on the line from the start through it.
        arrived: The first update within a tenth of the distance at the start, or None.
    """

    learning_rate: float
    left: float
    overshoot: float
    arrived: int | None


@dataclass(frozen=True)
class Descents:
    """What the picture and the animation show, by the names of `RULES`."""

    one_weight: dict[str, PathFacts]
    two_weights: dict[str, PathFacts]

    def to_dict(self) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """The facts as plain values, ready for JSON."""
        return {
            "one_weight": {name: asdict(one) for name, one in self.one_weight.items()},
            "two_weights": {name: asdict(one) for name, one in self.two_weights.items()},
        }

    def sentence(self) -> str:
        """What is seen, in words."""
        one, two = self.one_weight, self.two_weights
        return (
            f"After {STEPS} updates SGD still has {one['SGD'].left:.0%} of its way on one weight before it "
            f"({two['SGD'].left:.0%} on two); momentum went {one['momentum'].overshoot:.0%} too far and came back "
            f"({two['momentum'].overshoot:.0%}); Adam lies between, {one['Adam'].overshoot:.0%} too far "
            f"({two['Adam'].overshoot:.0%})."
        )


def paths(weights: int) -> dict[str, Floats]:
    """The path of each rule over 120 updates.

    Args:
        weights: 1 or 2.

    Returns:
        For each of `RULES` float64 (121, weights); the optimum is at 0.
    """
    curvature = _curvature(weights)
    rules: dict[str, Rule] = {
        "SGD": PlainDescent(_RATES["SGD"]),
        "momentum": Momentum(_RATES["momentum"]),
        "Adam": Adam(_RATES["Adam"]),
    }
    return {name: walk(rules[name], lambda at: curvature @ at, _START[weights], STEPS) for name in RULES}


def facts(weights: int) -> dict[str, PathFacts]:
    """What `paths` shows, as numbers.

    Args:
        weights: 1 or 2.
    """
    found = {}
    for name, path in paths(weights).items():
        distance = np.linalg.norm(path, axis=1) / np.linalg.norm(path[0])
        past = path @ -path[0] / np.dot(path[0], path[0])
        near = np.flatnonzero(distance < _NEAR)
        found[name] = PathFacts(
            learning_rate=_RATES[name],
            left=float(distance[-1]),
            overshoot=float(max(past.max(), 0.0)),
            arrived=int(near[0]) if len(near) else None,
        )
    return found


def draw(picture: str | Path, animation: str | Path | None = None) -> Descents:
    """Write the update rules and the paths as one PNG picture, and the paths as an animation.

    Args:
        picture: The PNG file to write, replaced atomically. Its folder must exist.
        animation: The GIF file to write likewise; none where left out.

    Returns:
        The facts that they show.

    Raises:
        OSError: The file cannot be written.
    """
    figure, grid = _figure((12.5, 12.8), 110)
    figure.text(0.06, 0.972, "Three ways downhill", fontsize=17, fontweight="bold", color=_INK)
    figure.text(
        0.06,
        0.951,
        f"w weight, g slope of the cost at w, η learning rate (Adam {_RATES['Adam']:g}, the others "
        f"{_RATES['SGD']:g}); {STEPS} updates from the same start",
        fontsize=10.5,
        color=_SOFT,
    )
    found = Descents(facts(1), facts(2))
    for place, name in enumerate(RULES):
        axes = figure.add_subplot(grid[0, place])
        _rule(figure, axes.get_position().x0, name)
        _curve(axes, name, found.one_weight[name])
    _course(figure.add_subplot(grid[1, 0]))
    _surface(figure.add_subplot(grid[1, 1:]), found.two_weights)
    with write_atomically(Path(picture)) as beside:
        figure.savefig(beside, format="png")
    if animation is not None:
        _animate(Path(animation))
    return found


def _animate(path: Path) -> None:
    """Write the paths on one weight and on two as a GIF that repeats."""
    from PIL import Image

    frames = _frames(range(0, STEPS + 1, 4))
    colours = frames[-1].quantize(160, dither=Image.Dither.NONE)
    still = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in frames]
    with write_atomically(path) as beside:
        still[0].save(
            beside,
            format="GIF",
            save_all=True,
            append_images=still[1:],
            duration=[600, *[140] * (len(still) - 2), 2600],
            loop=0,
            optimize=True,
        )


def _curvature(weights: int) -> Floats:
    if weights == 1:
        return np.array([[_CURVATURE]])
    turn = np.array([[np.cos(_TURN), -np.sin(_TURN)], [np.sin(_TURN), np.cos(_TURN)]])
    return turn @ np.diag([_FLAT, _STEEP]) @ turn.T


def _cost(at: Floats) -> Floats:
    """½ wᵀ C w for each row of float64 (N, D)."""
    return 0.5 * np.einsum("ni,ij,nj->n", at, _curvature(at.shape[1]), at)


def _figure(size: tuple[float, float], dpi: int) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=size, dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, 3, left=0.06, right=0.98, top=0.715, bottom=0.06, hspace=0.32, wspace=0.22, height_ratios=(1, 1.8)
    )
    return figure, grid


def _frames(steps: Iterable[int]) -> list[Any]:
    """The pictures of the animation, one after each of the given numbers of updates."""
    from PIL import Image

    figure, _ = _figure((8.4, 4.3), 90)
    grid = figure.add_gridspec(1, 2, left=0.075, right=0.985, top=0.84, bottom=0.13, wspace=0.26, width_ratios=(4, 5))
    heading = figure.text(0.02, 0.93, "", fontsize=13, fontweight="bold", color=_INK)
    moving = [*_course(figure.add_subplot(grid[0])), *_surface(figure.add_subplot(grid[1]), None)]
    frames = []
    for step in steps:
        heading.set_text(f"{step} updates")
        for line, dot, places in moving:
            line.set_data(*places[: step + 1].T)
            dot.set_offsets(places[step])
        figure.canvas.draw()
        frames.append(Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()))
    return frames


def _rule(figure: Any, x: float, name: str) -> None:
    figure.text(x, 0.915, name, fontsize=14, fontweight="bold", color=_COLOURS[name])
    for line, formula in enumerate(_FORMULAS[name]):
        figure.text(x, 0.889 - 0.025 * line, formula, fontsize=13, color=_INK)
    figure.text(x, 0.825, _WORDS[name], fontsize=10, color=_SOFT, va="top", linespacing=1.4)


def _curve(axes: Any, name: str, found: PathFacts) -> None:
    """The cost over one weight, with the places a rule came to."""
    path = paths(1)[name]
    line = np.linspace(-2.3, 1.0, 200)[:, None]
    axes.plot(line, _cost(line), color=_SOFT, lw=1.4)
    axes.scatter(path, _cost(path), s=16, color=_COLOURS[name], alpha=0.55, linewidths=0, zorder=3)
    axes.scatter(path[-1:], _cost(path[-1:]), s=62, color=_COLOURS[name], edgecolors="white", zorder=4)
    axes.scatter([0], [0], marker="*", s=130, color=_INK, zorder=5 if name == "SGD" else 3)
    arrival = "not yet near the optimum" if found.arrived is None else f"near the optimum after {found.arrived} updates"
    past = f"goes {found.overshoot:.0%} too far; " if found.overshoot >= 0.005 else ""
    told = f"{arrival};\n{past}{found.left:.1%} of the way is left at the end"
    axes.set_title(f"One weight: {told}", loc="left", fontsize=9.5, color=_INK)
    axes.set_ylim(-0.22, 2.7)
    axes.set_xlabel("weight", color=_SOFT)
    if name == RULES[0]:
        axes.set_ylabel("cost", color=_SOFT)
    _calm(axes)


def _course(axes: Any) -> list[Moving]:
    """The one weight over the updates, all three rules."""
    moving = []
    axes.axhline(0, color=_INK, lw=1, ls=(0, (2, 3)))
    for name, path in paths(1).items():
        places = np.column_stack([np.arange(STEPS + 1), path[:, 0]])
        (line,) = axes.plot(*places.T, color=_COLOURS[name], lw=2, label=name)
        dot = axes.scatter(*places[-1], s=36, color=_COLOURS[name], edgecolors="white", zorder=4, clip_on=False)
        moving.append((line, dot, places))
    axes.text(STEPS, 0.06, "optimum", ha="right", fontsize=9, color=_SOFT)
    axes.set(xlim=(0, STEPS), ylim=(-2.15, 0.75))
    axes.set_title("One weight over the updates", loc="left", fontsize=10, color=_INK)
    axes.set_xlabel("updates", color=_SOFT)
    axes.set_ylabel("weight", color=_SOFT)
    axes.legend(frameon=False, fontsize=9.5, loc="lower right")
    _calm(axes)
    return moving


def _surface(axes: Any, found: dict[str, PathFacts] | None) -> list[Moving]:
    """The cost over two weights as lines of equal height, the paths, and the optimum as a star."""
    moving = []
    across, up = np.meshgrid(np.linspace(-2.7, 1.5, 160), np.linspace(-1.0, 2.4, 130))
    cost = _cost(np.column_stack([across.ravel(), up.ravel()])).reshape(across.shape)
    axes.contourf(across, up, np.sqrt(cost), levels=24, cmap="Greys", vmin=0, vmax=11)
    axes.contour(across, up, cost, levels=0.03 * 1.9 ** np.arange(9), colors="#aab2c0", linewidths=0.8)
    for name, path in paths(2).items():
        label = name if found is None else f"{name}: {found[name].left:.1%} of the way left"
        (line,) = axes.plot(*path.T, color=_COLOURS[name], lw=1.6, marker="o", ms=3, label=label, zorder=3)
        dot = axes.scatter(*path[-1], s=62, color=_COLOURS[name], edgecolors="white", zorder=5)
        moving.append((line, dot, path))
    axes.scatter(*_START[2], s=40, facecolors="white", edgecolors=_INK, zorder=6)
    axes.annotate("start", _START[2], xytext=(9, 5), textcoords="offset points", fontsize=9, color=_INK)
    axes.scatter([0], [0], marker="*", s=210, color=_INK, edgecolors="white", linewidths=0.8, zorder=6)
    axes.set_aspect("equal")
    axes.set_title("Two weights: the cost as a surface, lines of equal cost", loc="left", fontsize=10, color=_INK)
    axes.set_xlabel("first weight", color=_SOFT)
    axes.set_ylabel("second weight", color=_SOFT)
    axes.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize=9.5, loc="upper right")
    _calm(axes)
    return moving


def _calm(axes: Any) -> None:
    axes.tick_params(colors=_SOFT, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_RULE)
