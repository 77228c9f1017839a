"""How figures are drawn: as inline SVG in two widths, in colours for a light and a dark page."""

import io
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

# Mid grey and saturated colours, readable on a light as well as on a dark page.
INK: Final = "#808080"
COLOURS: Final = {"0x": "#3fa34d", "1x": "#2f7fd6", "2x": "#e08a1e"}
LOSS: Final = "#d64545"
STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "date.converter": "concise",
    "font.size": 9,
}
# By default the SVG contains its time of creation, so equal dossiers would differ.
_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}
# A page has no more pixels than this in a row.
_POINTS: Final = 1_000
# Margins in inches. The labels fit into them.
_LEFT: Final = 0.75
_BELOW: Final = 0.5
EDGE: Final = 0.1
# The legend above a figure, in inches: height of a line, least width of a long name.
LINE_HEIGHT: Final = 0.2
NAME_WIDTH: Final = 2.0
# The width of a telephone. The text of a broad figure, scaled down to it, would be unreadable.
NARROW: Final = 4.2


class Drawing(NamedTuple):
    """One figure as two SVG texts. The page shows the one that fits its width."""

    broad: str
    narrow: str


def draw_both(
    broad: tuple[float, float], narrow_height: float, draw: Callable[[Figure], None]
) -> Drawing:
    """Draw a figure in both widths.

    Args:
        broad: Width and height of the broad one, in inches.
        narrow_height: Height of the narrow one, in inches.
        draw: Draws into the figure that it is given.
    """
    return Drawing(draw_svg(broad, draw), draw_svg((NARROW, narrow_height), draw))


def draw_svg(size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """Draw a figure of this width and height, in inches, and return its SVG text."""
    # The salt makes the ids of the SVG the same on every run. It differs by size, so that no id
    # occurs twice on the page: a browser would find the one in the variant that is hidden.
    with mpl.rc_context(STYLE | {"svg.hashsalt": f"ktrdr {size}"}):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        # A layout engine would draw everything twice, to find the same margins.
        width, height = size
        figure.subplots_adjust(
            left=_LEFT / width,
            right=1.0 - EDGE / width,
            bottom=_BELOW / height,
            top=1.0 - (EDGE + LINE_HEIGHT) / height,
            hspace=0.12,
        )
        draw(figure)
        output = io.StringIO()
        figure.savefig(output, format="svg", transparent=True, metadata=_METADATA)
    svg = output.getvalue()
    # HTML allows neither an XML prolog nor a second document type.
    return svg[svg.index("<svg") :]


def label_axes(axes: Axes, x: str, y: str) -> None:
    """Name both axes, and add the legend and the common style."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    add_legend(axes)
    style_axes(axes)


def add_legend(axes: Axes, columns: int | None = None) -> None:
    """Put the legend above the axes, in one line or in this number of columns."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            frameon=False,
            labelcolor=INK,
            fontsize=8,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=columns or len(handles),
            borderaxespad=0.0,
            handlelength=1.3,
            columnspacing=1.2,
        )


def style_axes(axes: Axes) -> None:
    """Apply the common style: grey ticks, a light grid, and no frame at the top and the right."""
    axes.tick_params(which="both", colors=INK, labelsize=8)
    axes.grid(visible=True, color=INK, alpha=0.25, lw=0.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)


def thin(points: int) -> NDArray[np.int64]:
    """Return the indices of the points to draw, shape (drawn,), with the first and the last."""
    return np.unique(np.linspace(0, points - 1, min(points, _POINTS)).round().astype(np.int64))
