"""The figure of a report: equity and drawdown as inline SVG."""

import io
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from quant.curves import Curves

# Mid grey and saturated colours, readable on a light as well as on a dark page.
INK: Final = "#808080"
COLOURS: Final = {"0x": "#3fa34d", "1x": "#2f7fd6", "2x": "#e08a1e"}
DRAWDOWN: Final = "#d64545"
# The SVG would otherwise name its time of creation.
METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


def performance(curves: Curves) -> str:
    """Return an SVG element: equity at each cost level and of the benchmark, over the drawdown.

    Equal curves give equal text.
    """
    # Without a fixed salt the ids inside the SVG would differ on every run.
    with mpl.rc_context(
        {"svg.hashsalt": "ktrdr", "svg.fonttype": "none", "date.converter": "concise"}
    ):
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        FigureCanvasSVG(figure)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        times = np.array([time.removesuffix("Z") for time in curves.timestamps], "datetime64[s]")
        upper.plot(times, curves.benchmark_equity, color=INK, lw=1, ls="--", label="buy and hold")
        for level, equity in curves.equity.items():
            width = 1.8 if level == "1x" else 1.0
            upper.plot(times, equity, color=COLOURS[level], lw=width, label=f"{level} cost")
        upper.set_ylabel("equity", color=INK)
        upper.legend(frameon=False, labelcolor=INK, loc="upper left")
        lower.fill_between(times, -100.0 * np.array(curves.drawdown), color=DRAWDOWN, lw=0)
        lower.set_ylabel("drawdown at 1x, %", color=INK)
        _plain(upper)
        _plain(lower)
        output = io.StringIO()
        figure.savefig(output, format="svg", transparent=True, metadata=METADATA)
    svg = output.getvalue()
    # The XML prolog and document type have no place inside an HTML page.
    return svg[svg.index("<svg") :]


def _plain(axes: Axes) -> None:
    axes.tick_params(colors=INK)
    axes.grid(visible=True, color=INK, alpha=0.25, lw=0.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
