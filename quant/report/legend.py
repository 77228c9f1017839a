"""The legend of a chart as SVG: in one line if it fits, or in columns."""

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


def draw_legend(marks: list[Mark], left: float, top: float, width: float) -> tuple[Markup, float]:
    """Explain marks by their labels.

    Args:
        marks: The marks.
        left: Where the legend begins.
        top: Its upper end.
        width: What a line has room for. A longer label is cut.

    Returns:
        The legend and its height.
    """
    labels = [shorten(mark.label, width - _INDENT) for mark in marks]
    widths = [_INDENT + measure_text(label) + _BETWEEN for label in labels]
    columns = len(marks)
    if sum(widths) > width + _BETWEEN:
        columns = max(1, int((width + _BETWEEN) // max(widths)))
        widths = [max(widths)] * columns
    drawn = []
    for place, (mark, label) in enumerate(zip(marks, labels, strict=True)):
        line, column = divmod(place, columns)
        start, middle = left + sum(widths[:column]), top + LINE * (line + 0.5)
        drawn.append(draw_sample(mark, start, _SAMPLE, middle))
        drawn.append(make_text(label, start + _INDENT, middle))
    return Markup("").join(drawn), LINE * -(-len(marks) // max(columns, 1))
