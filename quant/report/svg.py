"""Draws charts as SVG that stands in a page. Equal charts give equal text.

It has no ids, so any number of figures fit on a page. Coordinates are rounded to a tenth.
"""

from itertools import accumulate
from typing import Final

from markupsafe import Markup

from quant.report.chart import INK, Axis, Bars, Chart, Panel
from quant.report.legend import LINE, draw_legend
from quant.report.marks import draw_mark
from quant.report.rendering import Drawing
from quant.report.scale import Scale
from quant.report.tags import make_tag, make_text, measure_text

# Widths of figures: on a screen, and on a telephone, where the text of a broad one, scaled down,
# would be unreadable.
_BROAD: Final = 648.0
_NARROW: Final = 302.0

# Margins. The labels of both axes fit into them.
_LEFT: Final = 54.0
_EDGE: Final = 7.0
_BELOW: Final = 20.0
# Between panels.
_GAP: Final = 10.0
# The names of axes: height of a line, size of letters.
_LINE: Final = 11.0
_SIZE: Final = 9.0
# Ticks: their length, and from the axis to the labels beside and the middle of those below it.
_TICK: Final = 3.0
_BESIDE: Final = 5.0
_UNDER: Final = 11.0
# Between labels and the middle of the name beside them.
_BEFORE: Final = 10.0


def draw_both(chart: Chart, broad_height: float, narrow_height: float) -> Drawing:
    """Draw a chart in both widths, in these heights, of which the legend has one line."""
    return Drawing(_draw(chart, _BROAD, broad_height), _draw(chart, _NARROW, narrow_height))


def draw_narrow(chart: Chart, height: float) -> Markup:
    """Draw a chart in the smaller width, in this height, of which the legend has one line."""
    return _draw(chart, _NARROW, height)


def _draw(chart: Chart, width: float, height: float) -> Markup:
    left, right = _LEFT, width - _EDGE
    legend, used = draw_legend(chart.labelled, left, _EDGE, right)
    # A long legend must not take the room of the panels.
    height += max(0.0, used - LINE)
    top = _EDGE + used
    bottom = height - _BELOW - (_LINE if chart.x.name else 0.0)
    extents = [mark.extent[0] for panel in chart.panels for mark in panel.marks]
    x = Scale.fit(chart.x, extents, left, right)
    room = bottom - top - _GAP * (len(chart.panels) - 1)
    unit = room / sum(panel.share for panel in chart.panels)
    tops = accumulate((panel.share * unit + _GAP for panel in chart.panels), initial=top)
    panels = [
        _draw_panel(panel, x, upper, upper + panel.share * unit)
        for panel, upper in zip(chart.panels, tops, strict=False)
    ]
    return make_tag(
        "svg",
        legend,
        *panels,
        _draw_labels_below(chart.x, x, bottom),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        font_family="system-ui, sans-serif",
        font_size=8.0,
    )


def _draw_panel(panel: Panel, x: Scale, top: float, bottom: float) -> Markup:
    y = Scale.fit(
        panel.y,
        [mark.extent[1] for mark in panel.marks],
        bottom,
        top,
        from_zero=any(isinstance(mark, Bars) for mark in panel.marks),
    )
    across = [x.place_one(tick.value) for tick in x.list_ticks()]
    up = [(y.place_one(tick.value), tick.label) for tick in y.list_ticks()]
    grid = [f"M{at:.1f} {bottom:.1f}V{top:.1f}" for at in across]
    grid += [f"M{x.start:.1f} {at:.1f}H{x.stop:.1f}" for at, _ in up]
    frame = [f"M{x.start:.1f} {top:.1f}V{bottom:.1f}H{x.stop:.1f}"]
    frame += [f"M{at:.1f} {bottom:.1f}v{_TICK:g}" for at in across]
    frame += [f"M{x.start:.1f} {at:.1f}h{-_TICK:g}" for at, _ in up]
    return make_tag(
        "g",
        _draw_path(grid, 0.5, opacity="0.25"),
        *(draw_mark(mark, x, y) for mark in panel.in_drawing_order),
        _draw_path(frame, 0.8),
        *(make_text(label, x.start - _BESIDE, at, anchor="end") for at, label in up),
        _draw_name_upwards(panel.y, [label for _, label in up], (top + bottom) / 2.0),
    )


def _draw_labels_below(axis: Axis, x: Scale, bottom: float) -> Markup:
    labels = []
    for tick in x.list_ticks():
        last = x.stop + _EDGE - measure_text(tick.label) / 2.0
        place = min(x.place_one(tick.value), last)
        labels.append(make_text(tick.label, place, bottom + _UNDER, anchor="middle"))
    middle = (x.start + x.stop) / 2.0
    under = bottom + _UNDER + _LINE + 1.0
    name = make_text(axis.name, middle, under, anchor="middle", size=_SIZE)
    return Markup("").join([*labels, name] if axis.name else labels)


def _draw_name_upwards(axis: Axis, labels: list[str], middle: float) -> Markup:
    """Draw the name of an axis beside its labels, or at the edge if they are wide."""
    right = _LEFT - _BESIDE - max(map(measure_text, labels), default=0.0) - _BEFORE
    lines = axis.name.split("\n")
    right = max(right, _EDGE + _LINE * (len(lines) - 1))
    return Markup("").join(
        make_text(line, right - number * _LINE, middle, anchor="middle", size=_SIZE, upwards=True)
        for number, line in enumerate(reversed(lines))
    )


def _draw_path(parts: list[str], width: float, opacity: str = "") -> Markup:
    return make_tag(
        "path",
        d="".join(parts),
        fill="none",
        stroke=INK,
        stroke_width=width,
        stroke_opacity=opacity,
    )
