"""Draws the marks of a chart as SVG."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from markupsafe import Markup

from quant.bars.bars import Floats
from quant.report.chart import INK, Area, Band, Bars, Line, Mark, Points, Rule
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
                _draw_point(mark, *place)
                for run in places
                for place in zip(*(each.tolist() for each in run), strict=True)
            )
        case Bars():
            across, up = np.repeat(x.place(mark.edges), 2), np.repeat(y.place(mark.heights), 2)
            return _fill(across, np.r_[y.start, up, y.start], mark.colour, _TRANSLUCENT)
        case Band():
            return _draw_band(mark, x, y)
        case Rule():
            return _draw_rule(mark, x, y)


def draw_sample(mark: Mark, left: float, width: float, middle: float) -> Markup:
    """Draw how a mark looks, in this width, for a legend."""
    match mark:
        case Line() | Rule():
            return _stroke(np.array([left, left + width]), np.array([middle, middle]), mark)
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
        _fill(np.r_[across[0], across, across[-1]], np.r_[zero, up, zero], area.colour)
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
        return _stroke(np.full(2, x.place_one(rule.at)), np.array([y.start, y.stop]), rule)
    return _stroke(np.array([x.start, x.stop]), np.full(2, y.place_one(rule.at)), rule)


def _stroke(across: Floats, up: Floats, style: Line | Rule) -> Markup:
    """Draw a line through points, shape (points,) each; one point alone is a dot."""
    alone = len(across) == 1
    return make_tag(
        "polyline",
        points=write_points(np.repeat(across, 2), np.repeat(up, 2))
        if alone
        else (write_points(across, up)),
        fill="none",
        stroke=style.colour,
        stroke_width=style.width,
        stroke_linejoin="round",
        stroke_linecap="round" if alone else "",
        stroke_dasharray="" if alone else " ".join(f"{each:g}" for each in style.dashes),
    )


def _fill(across: Floats, up: Floats, colour: str, opacity: str = "") -> Markup:
    points = write_points(across, up)
    return make_tag("polygon", points=points, fill=colour, fill_opacity=opacity)


def _split(across: Floats, up: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Split points, shape (points,) each, into runs without NaN."""
    known = np.isfinite(across) & np.isfinite(up)
    ends = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    for start, stop in ends.reshape(-1, 2).tolist():
        yield across[start:stop], up[start:stop]
