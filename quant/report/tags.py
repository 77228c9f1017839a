"""Elements of SVG. All text and every attribute is escaped."""

from typing import Final

from markupsafe import Markup, escape

from quant.report.chart import INK, Values

_SIZE: Final = 8.0
# Half the height of a letter.
_MIDDLE: Final = 2.8
# No font is known, so this is the width of a character in a wide one.
_CHARACTER: Final = 4.7
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"


def make_tag(name: str, *content: str, **attributes: str | float) -> Markup:
    """Return an element. Numbers are rounded to a tenth; an empty attribute is left out."""
    written = "".join(
        f' {key.replace("_", "-")}="{escape(_format(value))}"'
        for key, value in attributes.items()
        if value != ""
    )
    inside = "".join(map(escape, content))
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704 - escaped above


def make_text(
    text: str, x: float, y: float, *, anchor: str = "", size: float = _SIZE, upwards: bool = False
) -> Markup:
    """Return a text.

    Args:
        text: The text.
        x: Where it starts, or where its `anchor` is.
        y: Where the middle of its letters is.
        anchor: What is at `x`: `middle` or `end`; empty for the start.
        size: Size of its letters.
        upwards: Whether it reads upwards; its anchor is at `y` then, and the middle at `x`.
    """
    place: dict[str, str | float] = {"x": x, "y": y + _MIDDLE}
    if upwards:
        place = {"transform": f"translate({_format(x + _MIDDLE)} {_format(y)}) rotate(-90)"}
    return make_tag(
        "text",
        text,
        **place,
        fill=INK,
        font_size=size if size != _SIZE else "",
        text_anchor=anchor,
    )


def write_points(across: Values, up: Values) -> str:
    """Return points as the attribute `points` has them."""
    return " ".join(
        f"{round(x, 1) + 0.0:g},{round(y, 1) + 0.0:g}"  # Never -0.
        for x, y in zip(across, up, strict=True)
    )


def measure_text(text: str) -> float:
    """Return about how wide a text of usual size is."""
    return _CHARACTER * len(text)


def shorten(text: str, width: float) -> str:
    """Return a text, cut if it is wider than this."""
    most = max(1, int(width / _CHARACTER))
    return text if len(text) <= most else f"{text[: most - 1]}{_CUT}"


def _format(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 1) + 0.0:g}"
