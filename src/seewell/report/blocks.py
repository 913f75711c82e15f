"""A network's layers as blocks with their sizes, as LTFN 5 and 8 draw them.

The geometry is computed once (`scene`); it becomes SVG for the page or PNG for
a file. Height and depth of a block grow with the logarithm of its spatial
size, its thickness with the logarithm of its number of channels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seewell.files import write_atomically
from seewell.report import svg

if TYPE_CHECKING:
    from seewell.networks.layer_table import LayerRow

__all__ = ["KINDS", "Face", "Label", "Scene", "blocks_svg", "draw_blocks", "role_of", "scene"]

KINDS = {
    "input": ("input", "#8b93a3"),
    "convolution": ("convolution", "#3b78b8"),
    "pooling": ("pooling", "#c9661b"),
    "connected": ("fully connected", "#3f8f5f"),
}
"""What is drawn: role → (words of the legend, colour)."""

_INPUTS = {"pad": "padded", "resize": "resized"}
_SHORT = {"input": "input", "convolution": "conv", "pooling": "pool", "connected": "fc"}
_GROUND, _MARGIN, _LABEL_WIDTH = 290.0, 24.0, 90.0
_TALLEST = 170.0

Point = tuple[float, float]


@dataclass(frozen=True)
class Face:
    """One visible side of a block: corners (x right, y down), what the block is, and which side this is."""

    corners: tuple[Point, ...]
    role: str
    side: str


@dataclass(frozen=True)
class Label:
    """A line of text centred on ``x``; ``css`` is "strong", "faint" or empty."""

    x: float
    y: float
    text: str
    css: str = ""
    anchor: str = "middle"


@dataclass(frozen=True)
class Scene:
    """A whole picture before it is drawn; sizes in pixels."""

    width: float
    height: float
    faces: tuple[Face, ...]
    labels: tuple[Label, ...]
    title: str


@dataclass(frozen=True)
class _Block:
    role: str
    shape: tuple[int, ...]
    word: str


def role_of(kind: str) -> str | None:
    """What a kind of layer is drawn as, or None where it is not drawn (it changes no size, or only a little).

    Example:
        >>> role_of("convolution"), role_of("max pool"), role_of("fully connected"), role_of("batch norm")
        ('convolution', 'pooling', 'connected', None)
    """
    lowered = kind.lower()
    for role, marks in (
        ("convolution", ("conv",)),
        ("pooling", ("pool",)),
        ("connected", ("dense", "fully", "connected")),
        ("input", ("input", "pad", "resiz")),
    ):
        if any(mark in lowered for mark in marks):
            return role
    return None


def scene(rows: Sequence["LayerRow"], title: str) -> Scene:
    """Place the blocks of a network from left to right; equal neighbours share one label.

    Args:
        rows: The rows of `seewell.networks.layer_table.layer_table`.
        title: Words above the picture.
    """
    blocks = _blocks(rows)
    groups = [(block, len(list(same))) for block, same in groupby(blocks)]
    sizes = [extent for block in blocks for extent in block.shape[:2] if len(block.shape) == 3]
    largest = max([32, *sizes])
    faces: list[Face] = []
    labels: list[Label] = [Label(_MARGIN, 26, title, "title", "start")]
    x = _MARGIN
    for block, count in groups:
        height, thick, dx, dy = _measures(block, largest)
        pitch = thick + 0.55 * dx + 2
        width = pitch * (count - 1) + thick + dx
        room = max(width, _LABEL_WIDTH)
        left = x + (room - width) / 2
        for place in range(count):
            faces += _cuboid(left + place * pitch, height, thick, dx, dy, block.role)
        centre = x + room / 2
        labels.append(Label(centre, _GROUND + 20, "×".join(str(extent) for extent in block.shape), "strong"))
        what = block.word if count == 1 else f"{count} {block.word}"
        labels.append(Label(centre, _GROUND + 36, what, "faint"))
        x += room + 6
    present = {block.role for block in blocks}
    legend = [role for role in KINDS if role in present]
    key_y, key_x = _GROUND + 66, _MARGIN
    for role in legend:
        faces.append(
            Face(((key_x, key_y), (key_x + 12, key_y), (key_x + 12, key_y + 12), (key_x, key_y + 12)), role, "")
        )
        labels.append(Label(key_x + 18, key_y + 10.5, KINDS[role][0], "", "start"))
        key_x += 46 + 6.2 * len(KINDS[role][0])
    top = min([_GROUND - 60, *(y for face in faces for _, y in face.corners)])
    lift = top - 46
    return _raised(Scene(max(x + _MARGIN, key_x, 420.0), key_y + 30, tuple(faces), tuple(labels), title), lift)


def blocks_svg(rows: Sequence["LayerRow"], title: str, *, standalone: bool = False) -> str:
    """The picture as SVG; its colours come from the page's classes unless ``standalone``."""
    drawn = scene(rows, title)
    shapes = [svg.polygon(face.corners, f"block {face.role} {face.side}".strip()) for face in drawn.faces]
    shapes += [
        svg.text(label.x, label.y, label.text, css=label.css, anchor=label.anchor)
        for label in drawn.labels
        if standalone or label.css != "title"
    ]
    colours = "".join(f"svg .{role}{{fill:{colour}}}" for role, (_, colour) in KINDS.items())
    style = (
        f"{svg.STYLE}{colours}svg .block{{stroke:#fff;stroke-width:.8}}svg .top{{fill-opacity:.62}}"
        "svg .right{fill-opacity:.82}svg .strong{font-weight:600}svg .title{font-weight:600;font-size:15px}"
    )
    words = f"Layers of {title} as blocks, from left to right: {_spoken(rows)}"
    return svg.document(shapes, width=drawn.width, height=drawn.height, label=words, standalone=standalone, style=style)


def draw_blocks(rows: Sequence["LayerRow"], title: str, path: str | Path) -> Path:
    """Write the picture of a network's layers; the ending ``.svg`` gives SVG, any other PNG.

    Args:
        rows: The rows of `seewell.networks.layer_table.layer_table`.
        title: Words above the picture.
        path: The file to write, replaced atomically. Its folder must exist.

    Returns:
        The path.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(path)
    with write_atomically(path) as beside:
        if path.suffix.lower() == ".svg":
            beside.write_text(blocks_svg(rows, title, standalone=True), encoding="utf-8")
        else:
            _paint(scene(rows, title), beside)
    return path


def _blocks(rows: Sequence["LayerRow"]) -> list[_Block]:
    blocks: list[_Block] = []
    for row in rows:
        role, shape = role_of(row.kind), tuple(int(extent) for extent in row.output_shape)
        if role is None or len(shape) not in (1, 3):
            continue
        if role == "input" and blocks and blocks[-1].shape == shape:
            continue
        blocks.append(_Block(role, shape, _INPUTS.get(row.kind, _SHORT[role])))
    return blocks


def _spoken(rows: Sequence["LayerRow"]) -> str:
    return ", ".join(f"{block.word} {'×'.join(map(str, block.shape))}" for block in _blocks(rows))


def _measures(block: _Block, largest: int) -> tuple[float, float, float, float]:
    """Height and thickness of the front, and how far the block reaches back (right and up)."""
    if len(block.shape) == 1:
        height = 34 + 9.0 * math.log2(max(block.shape[0], 2))
        return height, 9.0, 7.0, 6.0
    scale = _TALLEST / math.log2(2 * largest)
    tall, deep = (scale * math.log2(2 * extent) for extent in block.shape[:2])
    return max(tall, 12.0), 4 + 2.6 * math.log2(max(block.shape[2], 2)), 0.24 * deep, 0.17 * deep


def _cuboid(x: float, height: float, thick: float, dx: float, dy: float, role: str) -> list[Face]:
    top, right = _GROUND - height, x + thick
    front = ((x, _GROUND), (right, _GROUND), (right, top), (x, top))
    lid = ((x, top), (right, top), (right + dx, top - dy), (x + dx, top - dy))
    side = ((right, _GROUND), (right + dx, _GROUND - dy), (right + dx, top - dy), (right, top))
    return [Face(front, role, "front"), Face(lid, role, "top"), Face(side, role, "right")]


def _raised(drawn: Scene, lift: float) -> Scene:
    """The scene without the empty band between title and tallest block."""
    faces = tuple(Face(tuple((x, y - lift) for x, y in one.corners), one.role, one.side) for one in drawn.faces)
    labels = tuple(
        one if one.css == "title" else Label(one.x, one.y - lift, one.text, one.css, one.anchor) for one in drawn.labels
    )
    return Scene(drawn.width, drawn.height - lift, faces, labels, drawn.title)


def _paint(drawn: Scene, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Polygon

    figure = Figure(figsize=(drawn.width / 100, drawn.height / 100), dpi=200, facecolor="white")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, drawn.width), ylim=(drawn.height, 0))
    axes.axis("off")
    light = {"top": 0.42, "right": 0.2}
    for face in drawn.faces:
        colour = _tinted(KINDS[face.role][1], light.get(face.side, 0.0))
        axes.add_patch(Polygon(face.corners, closed=True, facecolor=colour, edgecolor="white", linewidth=0.6))
    for label in drawn.labels:
        axes.text(
            label.x,
            label.y,
            label.text,
            ha={"middle": "center", "start": "left"}[label.anchor],
            va="baseline",
            fontsize=11 if label.css == "title" else 7.6,
            fontweight="bold" if label.css in ("strong", "title") else "normal",
            color="#5a6374" if label.css == "faint" else "#1d2330",
            parse_math=False,
        )
    figure.savefig(path, format="png")


def _tinted(colour: str, white: float) -> tuple[float, ...]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return tuple(part + (1 - part) * white for part in parts)
