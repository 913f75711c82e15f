"""LTFN 11's example of zero-centring: one boundary, house prices in two cities, before and after.

A boundary is fitted in one city between houses that are dear and houses that
are cheap for their number of rooms. In a dearer city it calls every house
dear. Subtract each city's own mean from its houses, and the same boundary
holds in both.

The example needs a mean of each city. A network's mean image is one image, of
the training split, subtracted from everything: it centres what the network
learns from, and does not by itself repair a test split that is shifted.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.files import write_atomically

__all__ = ["Boundary", "Centring", "City", "compute", "draw"]

Floats = NDArray[np.float64]

_HOUSES = 120
_PER_ROOM, _CITY_BASE, _DEARER_BY = 38.0, 60.0, 190.0
_OFF_THE_USUAL, _SPREAD = 34.0, 16.0
_NAMES = ("first city", "dearer city")
_BLUE, _ORANGE, _INK, _SOFT = "#2c6cb0", "#c9661b", "#1d2330", "#5a6374"


@dataclass(frozen=True, eq=False)
class City:
    """The houses of one city.

    Attributes:
        name: What it is called in the picture.
        houses: float64 (N, 2): rooms, and price in thousands.
        dear: bool (N,): whether a house is dear for its rooms, in its city.
    """

    name: str
    houses: Floats
    dear: NDArray[np.bool_]

    @property
    def mean(self) -> Floats:
        """float64 (2,): mean rooms and mean price."""
        return self.houses.mean(axis=0)


@dataclass(frozen=True)
class Boundary:
    """A line in the plane of rooms and price: price = intercept + slope · rooms; what lies above is called dear."""

    slope: float
    intercept: float

    def calls_dear(self, houses: Floats) -> NDArray[np.bool_]:
        """What the boundary says of houses, float64 (N, 2): bool (N,)."""
        return houses[:, 1] > self.intercept + self.slope * houses[:, 0]


@dataclass(frozen=True, eq=False)
class Centring:
    """The whole example.

    Attributes:
        cities: The first city and the dearer one.
        raw: The boundary fitted in the first city as it is.
        centred: The boundary fitted in the first city after its mean was subtracted.
        accuracy_raw: Share of houses that ``raw`` calls correctly, in the two cities.
        accuracy_centred: The same for ``centred``, each city's own mean subtracted.
    """

    cities: tuple[City, City]
    raw: Boundary
    centred: Boundary
    accuracy_raw: tuple[float, float]
    accuracy_centred: tuple[float, float]

    def to_dict(self) -> dict[str, float]:
        """The four accuracies by name, ready for JSON."""
        return {
            "first_city_raw": self.accuracy_raw[0],
            "dearer_city_raw": self.accuracy_raw[1],
            "first_city_centred": self.accuracy_centred[0],
            "dearer_city_centred": self.accuracy_centred[1],
        }

    def sentence(self) -> str:
        """What the picture shows, in words."""
        return (
            f"The boundary fitted in the first city is correct for {self.accuracy_raw[0]:.0%} of its houses and for "
            f"{self.accuracy_raw[1]:.0%} in the dearer city; with each city's own mean subtracted for "
            f"{self.accuracy_centred[0]:.0%} and {self.accuracy_centred[1]:.0%}."
        )


def compute(seed: int = 0) -> Centring:
    """Draw the houses, fit the boundary in the first city, and measure it in both.

    It is fitted on houses of the first city that are not among those measured.

    Args:
        seed: Decides the houses.
    """
    rng = np.random.default_rng(seed)
    learned_from = _city(rng, _NAMES[0], _CITY_BASE)
    first, dearer = _city(rng, _NAMES[0], _CITY_BASE), _city(rng, _NAMES[1], _CITY_BASE + _DEARER_BY)
    raw = _fit(learned_from.houses, learned_from.dear)
    centred = _fit(learned_from.houses - learned_from.mean, learned_from.dear)
    return Centring(
        cities=(first, dearer),
        raw=raw,
        centred=centred,
        accuracy_raw=(_accuracy(raw, first, np.zeros(2)), _accuracy(raw, dearer, np.zeros(2))),
        accuracy_centred=(_accuracy(centred, first, first.mean), _accuracy(centred, dearer, dearer.mean)),
    )


def draw(path: str | Path, *, seed: int = 0) -> Centring:
    """Write the example as a PNG picture.

    Args:
        path: The file to write, replaced atomically. Its folder must exist.
        seed: Decides the houses.

    Returns:
        The example that the picture shows.

    Raises:
        OSError: The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    example = compute(seed)
    figure = Figure(figsize=(11, 5.6), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.74, bottom=0.2, wspace=0.22)
    figure.text(0.02, 0.94, "One boundary, two cities", fontsize=15, fontweight="bold", color=_INK)
    figure.text(
        0.02,
        0.885,
        "The boundary is fitted in the first city, between houses that are dear and cheap for their rooms.",
        fontsize=10,
        color=_SOFT,
    )
    _panel(left, example, centred=False)
    _panel(right, example, centred=True)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, frameon=False, fontsize=9, bbox_to_anchor=(0.5, 0.0))
    with write_atomically(Path(path)) as beside:
        figure.savefig(beside, format="png")
    return example


def _city(rng: np.random.Generator, name: str, base: float) -> City:
    """Houses on both sides of the city's usual price: base + 38 a room, dear ones above it, cheap ones below."""
    rooms = rng.uniform(1.5, 7.5, _HOUSES)
    dear = rng.random(_HOUSES) < 0.5
    off = np.where(dear, _OFF_THE_USUAL, -_OFF_THE_USUAL) + rng.normal(0, _SPREAD, _HOUSES)
    return City(name, np.stack([rooms, base + _PER_ROOM * rooms + off], axis=1), dear)


def _fit(houses: Floats, dear: NDArray[np.bool_]) -> Boundary:
    """A linear classifier by least squares on the targets +1 and −1."""
    design = np.column_stack([houses, np.ones(len(houses))])
    (rooms, price, constant), *_ = np.linalg.lstsq(design, np.where(dear, 1.0, -1.0), rcond=None)
    return Boundary(slope=-rooms / price, intercept=-constant / price)


def _accuracy(boundary: Boundary, city: City, subtracted: Floats) -> float:
    return float((boundary.calls_dear(city.houses - subtracted) == city.dear).mean())


def _panel(axes: Any, example: Centring, *, centred: bool) -> None:
    boundary = example.centred if centred else example.raw
    accuracies = example.accuracy_centred if centred else example.accuracy_raw
    points = []
    for city, colour in zip(example.cities, (_BLUE, _ORANGE), strict=True):
        houses = city.houses - city.mean if centred else city.houses
        points.append(houses)
        for dear, marker, filled in ((True, "^", True), (False, "o", False)):
            kind = houses[city.dear == dear]
            axes.scatter(
                kind[:, 0],
                kind[:, 1],
                s=24,
                marker=marker,
                facecolors=colour if filled else "white",
                edgecolors=colour,
                linewidths=1.1,
                label=f"{city.name}, {'dear' if dear else 'cheap'}",
                zorder=3 if filled else 2,
            )
    every = np.concatenate(points)
    ends = np.array([every[:, 0].min() - 0.4, every[:, 0].max() + 0.4])
    axes.plot(ends, boundary.intercept + boundary.slope * ends, color=_INK, lw=1.8, label="the boundary", zorder=4)
    axes.set_xlim(ends)
    told = f"correct: first city {accuracies[0]:.0%}, dearer city {accuracies[1]:.0%}"
    heading = "Each city’s own mean subtracted" if centred else "Prices as they are"
    axes.text(0, 1.11, heading, transform=axes.transAxes, fontsize=11, fontweight="bold", color=_INK)
    axes.text(0, 1.04, told, transform=axes.transAxes, fontsize=10, color=_INK)
    axes.set_xlabel("rooms − the city’s mean" if centred else "rooms", color=_SOFT)
    axes.set_ylabel("price − the city’s mean (thousands)" if centred else "price (thousands)", color=_SOFT)
    axes.tick_params(colors=_SOFT)
    axes.spines[["top", "right"]].set_visible(False)
    if centred:
        axes.axhline(0, color="#d8dce4", lw=1, zorder=0)
        axes.axvline(0, color="#d8dce4", lw=1, zorder=0)
