"""Fills the templates of pages. It needs no numerical library, so the API may use it, too."""

from functools import cache
from typing import Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quant.messages.strategy import FeatureSpec
from quant.report.glossary import TERMS
from quant.report.sections.instruments import shade_correlation, shade_profit
from quant.verdict.criteria import format_limit, format_value
from quant.wording import MINUS, format_count, join_names

MISSING: Final = "\N{EN DASH}"
_STRONGEST_MONTH: Final = 0.10


class Drawing(NamedTuple):
    """One figure in two widths. The page shows the one that fits."""

    broad: Markup
    narrow: Markup


def render_page(template: str, **values: Any) -> str:
    """Return a page as HTML, with the definitions of the figures that it names."""
    used: set[str] = set()

    def term(key: str, name: str | None = None) -> Markup:
        """Return the name of a figure, linked to its definition and with it on hover."""
        used.add(key)
        link = Markup('<a href="#{}" title="{}">{}</a>')
        return link.format(key, TERMS[key].meaning, name or TERMS[key].name)

    # The template lists the used definitions at the end of the page.
    page = _load_templates().get_template(template)
    return page.render(terms=TERMS, used=used, term=term, **values)


@cache
def _load_templates() -> Environment:
    """Return the templates. Compiling one takes longer than drawing all figures."""
    environment = Environment(
        loader=PackageLoader("quant.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=_format_percent,
        meaningful=_format_if_meaningful,
        number=_format_number,
        moment=_format_time,
        feature=_format_feature,
        capitalise=_capitalise,
        shade=_choose_shade,
        shade_correlation=shade_correlation,
        shade_profit=shade_profit,
        format_count=format_count,
        join_names=join_names,
        drawing=_embed_drawing,
        figure=format_value,
        limit=format_limit,
    )
    return environment


def _capitalise(text: str) -> str:
    """Return a text with a capital first letter; the others stay, unlike with Jinja's filter."""
    return text[:1].upper() + text[1:]


def _format_percent(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:z.{digits}%}".replace("-", MINUS)


def _format_if_meaningful(value: float | None) -> str:
    return "not meaningful" if value is None else _format_percent(value)


def _format_number(value: float | None, digits: int = 2) -> str:
    return MISSING if value is None else f"{value:z,.{digits}f}".replace("-", MINUS)


def _format_time(timestamp: str) -> str:
    """Shorten an ISO 8601 timestamp in UTC. Midnight, the time of daily bars, is left out."""
    date, _, time = timestamp.removesuffix("Z").partition("T")
    return date if time == "00:00:00" else f"{date} {time} UTC"


def _embed_drawing(drawing: Drawing, label: str) -> Markup:
    """Return both variants of a figure; the style sheet shows the one that fits."""
    variant = Markup('<div class="{}" role="img" aria-label="{}">{}</div>')
    return Markup("\n").join(
        variant.format(width, label, svg) for width, svg in drawing._asdict().items()
    )


def _format_feature(feature: FeatureSpec) -> str:
    longer = f", {feature.timeframe}" if feature.timeframe else ""
    return f"{'rank of ' if feature.relative else ''}{feature.kind}({feature.period}{longer})"


def _choose_shade(earned: float) -> str:
    """Return the colour of a month in the heat map. Larger gains and losses are stronger."""
    strength = min(abs(earned) / _STRONGEST_MONTH, 1.0)
    colour = "63, 163, 77" if earned >= 0.0 else "214, 69, 69"
    return f"rgba({colour}, {0.75 * strength:.2f})"
