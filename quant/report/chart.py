"""What a figure shows. `svg` and `sheet` draw the same charts, on a page and as a picture.

Colours are saturated or mid grey: readable on a light as well as on a dark page.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Floats

INK: Final = "#808080"
LOSS: Final = "#d64545"
COLOURS: Final = {"0x": "#3fa34d", "1x": "#2f7fd6", "2x": "#e08a1e"}
# For lines that have no meaning of their own.
PALETTE: Final = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"),
    *("#8c564b", "#e377c2", "#17becf", "#bcbd22", "#5b6ee1"),
)
# Lengths of dashes and gaps.
DASHED: Final = (4.0, 2.0)
DOTTED: Final = (1.0, 1.5)
DASH_DOTTED: Final = (6.0, 1.5, 1.0, 1.5)

# A page has no more pixels than this in a row.
_POINTS: Final = 1_000

ScaleKind = Literal["linear", "whole", "log", "time"]
# Values of x, and of y, of which there may be another number.
Extent = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points, interrupted where one is NaN. Arrays have shape (points,).

    Attributes:
        in_front: Whether it is drawn after the other marks.
    """

    x: Floats
    y: Floats
    colour: str
    label: str = ""
    width: float = 1.0
    dashes: tuple[float, ...] = ()
    in_front: bool = False

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return self.x, self.y


@dataclass(frozen=True, eq=False)
class Area:
    """The area between points and zero. Arrays have shape (points,); NaN leaves a gap."""

    x: Floats
    y: Floats
    colour: str
    label: str = ""

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return self.x, np.append(self.y, 0.0)


@dataclass(frozen=True, eq=False)
class Points:
    """Discs, or rings if not filled. Arrays have shape (points,); NaN leaves one out."""

    x: Floats
    y: Floats
    colour: str
    label: str = ""
    radius: float = 2.0
    filled: bool = True

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return self.x, self.y


@dataclass(frozen=True, eq=False)
class Bars:
    """A histogram: edges, shape (bars + 1,), rising, and heights, shape (bars,), not negative."""

    edges: Floats
    heights: Floats
    colour: str
    label: str = ""

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return self.edges, np.append(self.heights, 0.0)


@dataclass(frozen=True)
class Band:
    """A shade over the whole height between two values of x, with a note at its foot."""

    low: float
    high: float
    label: str = ""
    note: str = ""

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return np.array([self.low, self.high]), np.empty(0)


@dataclass(frozen=True)
class Rule:
    """A straight line over the whole panel, where x or y has this value."""

    axis: Literal["x", "y"]
    at: float
    colour: str = INK
    label: str = ""
    width: float = 1.0
    dashes: tuple[float, ...] = ()

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return (
            (np.array([self.at]), np.empty(0))
            if self.axis == "x"
            else (np.empty(0), np.array([self.at]))
        )


Mark = Line | Area | Points | Bars | Band | Rule


@dataclass(frozen=True)
class Axis:
    """What an axis measures; its name may have two lines.

    `whole` has ticks at integers only. `log` has its lower end for all that is not positive. `time`
    counts the seconds since 1970.
    """

    name: str = ""
    scale: ScaleKind = "linear"


@dataclass(frozen=True)
class Panel:
    """Marks above a common x axis, drawn in their order.

    Attributes:
        y: The vertical axis.
        marks: What is drawn; those with a label are in the legend.
        share: Height relative to the other panels.
    """

    y: Axis
    marks: tuple[Mark, ...]
    share: float = 1.0

    @property
    def in_drawing_order(self) -> list[Mark]:
        """The marks, those in front last."""
        return sorted(self.marks, key=lambda mark: isinstance(mark, Line) and mark.in_front)


@dataclass(frozen=True)
class Chart:
    """Panels below each other on one x axis, from top to bottom. There is at least one."""

    x: Axis
    panels: tuple[Panel, ...]

    @property
    def labelled(self) -> list[Mark]:
        """The marks that a legend explains."""
        return [mark for panel in self.panels for mark in panel.marks if mark.label]


def thin(points: int) -> NDArray[np.int64]:
    """Return the indices of the points to draw, shape (drawn,), with the first and the last."""
    return np.unique(np.linspace(0, points - 1, min(points, _POINTS)).round().astype(np.int64))
