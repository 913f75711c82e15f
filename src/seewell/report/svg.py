"""Small SVG drawings as text: shapes, labels, scales. Colours come from CSS classes, so a page can be light or dark."""

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

__all__ = [
    "STYLE",
    "Scale",
    "circle",
    "document",
    "line",
    "linear",
    "logarithmic",
    "polygon",
    "polyline",
    "rect",
    "text",
]

STYLE = (
    "svg text{font:12px system-ui,sans-serif;fill:#1d2330}svg .faint{fill:#5a6374}"
    "svg .grid{stroke:#d8dce4;stroke-width:1}svg .axis{stroke:#8b93a3;stroke-width:1}"
)
"""The least a drawing needs outside a page (`document` with ``standalone``); a page brings its own."""

Scale = Callable[[float], float]


def document(
    shapes: Iterable[str], *, width: float, height: float, label: str, standalone: bool = False, style: str = STYLE
) -> str:
    """An ``<svg>`` element around shapes.

    Args:
        shapes: What the functions of this module return.
        width: Width of the drawing in its own units (pixels at full size).
        height: Height of the drawing.
        label: What the drawing shows, for who cannot see it.
        standalone: Whether to write a complete file with its own style.
        style: CSS of a standalone drawing.
    """
    opening = f'<svg viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-label="{escape(label)}"'
    if standalone:
        opening += f' xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}"'
        opening += f"><style>{style}</style"
    else:
        opening += f' style="max-width:{_n(width * 1.15)}px"'
    return f"{opening}>{''.join(shapes)}</svg>"


def text(x: float, y: float, content: object, *, css: str = "", anchor: str = "start", turn: float = 0.0) -> str:
    """A line of text; ``anchor`` is "start", "middle" or "end", ``turn`` degrees clockwise around its point."""
    turned = f' transform="rotate({_n(turn)} {_n(x)} {_n(y)})"' if turn else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{_css(css)}{turned}>{escape(str(content))}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"{_css(css)}/>'


def rect(x: float, y: float, width: float, height: float, css: str, *, opacity: float = 1.0, hint: str = "") -> str:
    """A rectangle; ``hint`` shows when a pointer rests on it."""
    faded = f' fill-opacity="{opacity:.3g}"' if opacity < 1 else ""
    frame = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{_css(css)}{faded}'
    return f"{frame}><title>{escape(hint)}</title></rect>" if hint else f"{frame}/>"


def circle(x: float, y: float, radius: float, css: str, *, hint: str = "") -> str:
    """A disc."""
    frame = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"{_css(css)}'
    return f"{frame}><title>{escape(hint)}</title></circle>" if hint else f"{frame}/>"


def polyline(points: Sequence[tuple[float, float]], css: str) -> str:
    """A line through points."""
    return f'<polyline points="{_points(points)}"{_css(css)}/>'


def polygon(points: Sequence[tuple[float, float]], css: str) -> str:
    """A filled shape."""
    return f'<polygon points="{_points(points)}"{_css(css)}/>'


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """A scale that takes ``low`` to ``start`` and ``high`` to ``end``, clipped to them."""
    span = (high - low) or 1.0
    return lambda value: start + (end - start) * min(max((value - low) / span, 0.0), 1.0)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Like `linear`, equal factors being equal distances; ``low`` must be above 0."""
    inner = linear(math.log10(low), math.log10(high), start, end)
    return lambda value: inner(math.log10(max(value, low)))


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _css(names: str) -> str:
    return f' class="{names}"' if names else ""


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
