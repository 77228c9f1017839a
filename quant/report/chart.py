"""What a figure shows. `svg` and `sheet` draw the same charts, on a page and as a picture.

Colours are saturated or mid grey: readable on a light as well as on a dark page. Charts are made
and drawn without numerical libraries: the API does it when somebody looks at a report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

INK: Final = "#808080"
LOSS: Final = "#d64545"
GAIN: Final = "#3fa34d"
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
Values = Sequence[float]
# Values of x, and of y, of which there may be another number.
Extent = tuple[Values, Values]


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points, interrupted where one is NaN. There are as many x as y.

    Attributes:
        in_front: Whether it is drawn after the other marks.
    """

    x: Values
    y: Values
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
    """The area between points and zero. There are as many x as y; NaN leaves a gap."""

    x: Values
    y: Values
    colour: str
    label: str = ""

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return self.x, [*self.y, 0.0]


@dataclass(frozen=True, eq=False)
class Points:
    """Discs, or rings if not filled. There are as many x as y; NaN leaves one out."""

    x: Values
    y: Values
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
    """A histogram: rising edges, one more than heights, which are not negative."""

    edges: Values
    heights: Values
    colour: str
    label: str = ""

    @property
    def extent(self) -> Extent:
        """The values that must have room."""
        return self.edges, [*self.heights, 0.0]


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
        return (self.low, self.high), ()


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
        return ((self.at,), ()) if self.axis == "x" else ((), (self.at,))


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


def thin(points: int) -> list[int]:
    """Return the indices of the points to draw, with the first and the last."""
    if points <= _POINTS:
        return list(range(points))
    step = (points - 1) / (_POINTS - 1)
    return [round(number * step) for number in range(_POINTS)]
