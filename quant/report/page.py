"""The report page: one self-contained HTML file."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quant.learning.splits import SEARCH_FOLDS
from quant.messages.dossier import Dossier
from quant.messages.strategy import FeatureSpec
from quant.report import figures
from quant.report.glossary import TERMS
from quant.report.svg import Drawing, draw_both, draw_narrow
from quant.report.track_record import TrackRecord
from quant.wording import MINUS, format_count

MISSING: Final = "\N{EN DASH}"
# A longer table would be tedious to scroll; `report.json` has all trades.
_TRADES_SHOWN: Final = 500
_STRONGEST_MONTH: Final = 0.10
# Height of the two figures that stand beside each other.
_SMALL: Final = 216


def render_report(dossier: Dossier) -> str:
    """Return the report as HTML. On one installation, equal dossiers give equal text."""
    record = TrackRecord.from_dossier(dossier)
    return _render_page(
        "report.html.j2",
        dossier=dossier,
        inp=dossier.input,
        result=dossier.result,
        record=record,
        trades=dossier.curves.trades if dossier.curves else [],
        trades_shown=_TRADES_SHOWN,
        search_folds=SEARCH_FOLDS,
        performance=draw_both(figures.chart_performance(record), 504, 460),
        trials=draw_narrow(figures.chart_trials(dossier), _SMALL) if dossier.trials else None,
        resampled=(
            draw_narrow(figures.chart_resamples(dossier), _SMALL)
            if dossier.resampled_sharpes
            else None
        ),
    )


def render_comparison(dossiers: list[Dossier], reports: Mapping[str, str] | None = None) -> str:
    """Return researches side by side as HTML, the best deflated Sharpe ratio first.

    Args:
        dossiers: The researches to compare.
        reports: Links to their reports, by operation id; None for no links.
    """
    ranked = sorted(
        dossiers,
        key=lambda each: -(each.result.statistics.deflated_sharpe if each.result.statistics else 0),
    )
    names = [f"{number}. {each.input.spec.name}" for number, each in enumerate(ranked, start=1)]
    records = {
        name: TrackRecord.from_dossier(dossier) for name, dossier in zip(names, ranked, strict=True)
    }
    benchmarks = {
        f"{each.input.data.symbol} {each.input.data.timeframe}, buy and hold": records[name]
        for name, each in zip(names, ranked, strict=True)
        if each.curves is not None
    }
    return _render_page(
        "comparison.html.j2",
        ranked=list(zip(names, ranked, strict=True)),
        figure=draw_both(figures.chart_comparison(records, benchmarks), 324, 288),
        reports=reports or {},
        missing=MISSING,
    )


def _render_page(template: str, **values: Any) -> str:
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
        shade=_choose_shade,
        format_count=format_count,
        drawing=_embed_drawing,
    )
    return environment


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
    return f"{feature.kind}({feature.period})"


def _choose_shade(earned: float) -> str:
    """Return the colour of a month in the heat map. Larger gains and losses are stronger."""
    strength = min(abs(earned) / _STRONGEST_MONTH, 1.0)
    colour = "63, 163, 77" if earned >= 0.0 else "214, 69, 69"
    return f"rgba({colour}, {0.75 * strength:.2f})"
