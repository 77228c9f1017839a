"""Draws the marks of a chart as SVG."""

import math
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from quant.report.chart import INK, Area, Band, Bars, Line, Mark, Points, Rule, Values
from quant.report.scale import Scale
from quant.report.tags import make_tag, make_text, measure_text, write_points

# From the foot of a panel to the middle of a note, and from the side of a band to the note.
_FOOT: Final = 9.0
_SPACE: Final = 4.0
_SHADE: Final = "0.13"
_TRANSLUCENT: Final = "0.7"


def draw_mark(mark: Mark, x: Scale, y: Scale) -> Markup:
    """Draw a mark in the panel of these two axes."""
    match mark:
        case Line():
            return _draw_line(mark, x, y)
        case Area():
            return _draw_area(mark, x, y)
        case Points():
            places = _split(x.place(mark.x), y.place(mark.y))
            return Markup("").join(
                _draw_point(mark, *place) for run in places for place in zip(*run, strict=True)
            )
        case Bars():
            across = [each for each in x.place(mark.edges) for _ in range(2)]
            up = [each for each in y.place(mark.heights) for _ in range(2)]
            return _fill(across, [y.start, *up, y.start], mark.colour, _TRANSLUCENT)
        case Band():
            return _draw_band(mark, x, y)
        case Rule():
            return _draw_rule(mark, x, y)


def draw_sample(mark: Mark, left: float, width: float, middle: float) -> Markup:
    """Draw how a mark looks, in this width, for a legend."""
    match mark:
        case Line() | Rule():
            return _stroke([left, left + width], [middle, middle], mark)
        case Points():
            return _draw_point(mark, left + width / 2.0, middle)
        case Area() | Bars() | Band():
            return make_tag(
                "rect",
                x=left,
                y=middle - _SPACE,
                width=width,
                height=2.0 * _SPACE,
                fill=INK if isinstance(mark, Band) else mark.colour,
                fill_opacity=_SHADE if isinstance(mark, Band) else _TRANSLUCENT,
            )


def _draw_line(line: Line, x: Scale, y: Scale) -> Markup:
    runs = _split(x.place(line.x), y.place(line.y))
    return Markup("").join(_stroke(across, up, line) for across, up in runs)


def _draw_area(area: Area, x: Scale, y: Scale) -> Markup:
    zero = y.place_one(0.0)
    return Markup("").join(
        _fill([across[0], *across, across[-1]], [zero, *up, zero], area.colour)
        for across, up in _split(x.place(area.x), y.place(area.y))
    )


def _draw_point(points: Points, across: float, up: float) -> Markup:
    return make_tag(
        "circle",
        cx=across,
        cy=up,
        r=points.radius,
        fill=points.colour if points.filled else "none",
        stroke="" if points.filled else points.colour,
        stroke_width="" if points.filled else 1.5,
    )


def _draw_band(band: Band, x: Scale, y: Scale) -> Markup:
    """Draw a shade. A note that is wider stands to the left of its right side, over the rest."""
    left, right = x.place_one(band.low), x.place_one(band.high)
    shade = make_tag(
        "rect",
        x=left,
        y=y.stop,
        width=right - left,
        height=y.start - y.stop,
        fill=INK,
        fill_opacity=_SHADE,
    )
    if not band.note:
        return shade
    fits = right - left >= measure_text(band.note) + 2.0 * _SPACE
    place, anchor = (left + _SPACE, "start") if fits else (right - _SPACE, "end")
    return shade + make_text(band.note, place, y.start - _FOOT, anchor=anchor)


def _draw_rule(rule: Rule, x: Scale, y: Scale) -> Markup:
    if rule.axis == "x":
        return _stroke([x.place_one(rule.at)] * 2, [y.start, y.stop], rule)
    return _stroke([x.start, x.stop], [y.place_one(rule.at)] * 2, rule)


def _stroke(across: Values, up: Values, style: Line | Rule) -> Markup:
    """Draw a line through points; one point alone is a dot."""
    alone = len(across) == 1
    return make_tag(
        "polyline",
        points=write_points([*across, *across], [*up, *up]) if alone else write_points(across, up),
        fill="none",
        stroke=style.colour,
        stroke_width=style.width,
        stroke_linejoin="round",
        stroke_linecap="round" if alone else "",
        stroke_dasharray="" if alone else " ".join(f"{each:g}" for each in style.dashes),
    )


def _fill(across: Values, up: Values, colour: str, opacity: str = "") -> Markup:
    points = write_points(across, up)
    return make_tag("polygon", points=points, fill=colour, fill_opacity=opacity)


def _split(across: Values, up: Values) -> Iterator[tuple[Values, Values]]:
    """Split points into runs without NaN."""
    start = 0
    for end, (one, other) in enumerate(zip(across, up, strict=True)):
        if not (math.isfinite(one) and math.isfinite(other)):
            if start < end:
                yield across[start:end], up[start:end]
            start = end + 1
    if start < len(across):
        yield across[start:], up[start:]
