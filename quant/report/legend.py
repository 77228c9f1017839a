"""The legend of a chart as SVG: in one line if it fits, or in columns."""

import math
from typing import Final

from markupsafe import Markup

from quant.report.chart import Mark
from quant.report.marks import draw_sample
from quant.report.tags import make_text, measure_text, shorten

LINE: Final = 14.0
# The width of a sample, the space before its text, and the space before the next sample.
_SAMPLE: Final = 12.0
_INDENT: Final = 15.0
_BETWEEN: Final = 8.0


def draw_legend(marks: list[Mark], left: float, edge: float, right: float) -> tuple[Markup, float]:
    """Explain marks by their labels.

    Args:
        marks: The marks.
        left: Where a single line begins.
        edge: Where columns begin, and the upper end. A label that is wider than the page is cut.
        right: Where lines end.

    Returns:
        The legend and its height.
    """
    labels = [shorten(mark.label, right - edge - _INDENT) for mark in marks]
    widths = [_INDENT + measure_text(label) + _BETWEEN for label in labels]
    columns = max(1, len(marks))
    if sum(widths) - _BETWEEN > right - left:
        left, widest = edge, max(widths)
        columns = max(1, int((right - left + _BETWEEN) // widest))
        widths = [widest] * columns
    drawn = []
    for place, (mark, label) in enumerate(zip(marks, labels, strict=True)):
        line, column = divmod(place, columns)
        start, middle = left + sum(widths[:column]), edge + LINE * (line + 0.5)
        drawn.append(draw_sample(mark, start, _SAMPLE, middle))
        drawn.append(make_text(label, start + _INDENT, middle))
    return Markup("").join(drawn), LINE * math.ceil(len(marks) / columns)
